"""Where a function is in its layer, and an edit of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kan_widgets.live.frames.scalars import Float64

FunctionIndex = tuple[int, int, int, int]
"""A function's place in its layer: output, input, row, column."""


def place_in_layer(layer: str, shape: FunctionIndex, index: Sequence[int]) -> FunctionIndex:
    """Return the place of a function; (out, in) will do for a linear layer.

    Raises `IndexError` if there is no such function; the message gives the layer's shape.
    """
    place = tuple(int(i) for i in index)
    place = (*place, 0, 0) if len(place) == 2 and shape[2:] == (1, 1) else place
    if len(place) != 4 or any(not 0 <= i < n for i, n in zip(place, shape, strict=True)):
        raise IndexError(f"index={tuple(index)}: {layer} has {' × '.join(map(str, shape))}")
    return place


@dataclass(frozen=True, eq=False)
class Edit:
    """One function's coefficients before and after a change."""

    layer: str
    index: FunctionIndex
    before: Float64
    after: Float64
    step: int
    final: bool = True
    """False while a gesture goes on, such as a point that is still held."""
    holds: bool = False
    """Whether it made training leave the function as it is; see ``Edits.fix``."""

    def reversed(self) -> Edit:
        """Return the edit that takes this one back."""
        return Edit(self.layer, self.index, self.after, self.before, self.step)
