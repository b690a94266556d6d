"""Functions that a model calls with data of its examples, and what they are in a diagram."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from kan_widgets.live.frames.structure import StationKind

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Call:
    """A function that was called with data of ``n`` examples.

    ``given`` is the data among its arguments, in their order: tensors that come from the input;
    ``before`` are their shapes for one example before the call, which may be in place. ``result``
    is the first tensor that it returned. ``constants`` tells whether numbers among the arguments
    are constants of the model, and not read off the data.
    """

    func: Callable[..., Any]
    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    given: tuple[Tensor, ...]
    before: tuple[Shape | None, ...]
    result: Tensor
    n: int
    constants: bool = True

    def of(self, place: int, name: str, default: Any = None) -> Any:
        """Return an argument, by its place and name."""
        return self.args[place] if len(self.args) > place else self.kwargs.get(name, default)

    @property
    def shape(self) -> Shape | None:
        """The shape of the result for one example; ``None`` if it has no batch of them."""
        return shape_of(self.result, self.n)


@dataclass(frozen=True, eq=False)
class Operation:
    """What a call is, or a layer."""

    kind: StationKind
    label: str
    compute: dict[str, Any] | None = None
    extras: Mapping[str, Tensor] = field(default_factory=dict)


def shape_of(values: Tensor, n: int) -> Shape | None:
    """Return the shape of one example's part of some values."""
    return tuple(values.shape[1:]) if values.ndim and len(values) == n else None
