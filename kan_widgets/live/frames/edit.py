"""An edit of a function, and what views are told of those made so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Index = tuple[int, int, int, int]
"""A function's place in its layer: output, input, row, column."""


@dataclass(frozen=True, eq=False)
class Edit:
    """One function's coefficients before and after a change."""

    layer: str
    index: Index
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


class EditLog(Protocol):
    """The edits of one model, as views are told of them."""

    @property
    def done(self) -> tuple[Edit, ...]:
        """What ``undo`` would take back, the last first to go."""

    @property
    def undone(self) -> tuple[Edit, ...]:
        """What ``redo`` would do again, the last first."""

    @property
    def latest(self) -> Edit | None:
        """The last change of a function."""

    @property
    def message(self) -> str:
        """Why the last edit that had to wait could not be applied; else empty."""
