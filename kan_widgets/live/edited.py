"""What an edit of a function is, made or waiting, and how it is let into a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn
from torch.autograd.grad_mode import _unsafe_preserve_version_counter

from kan_widgets.live.entries import Index

Float64 = NDArray[np.float64]


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
    """Whether it made training leave the function as it is; see `Edits.fix`."""

    def reversed(self) -> Edit:
        """Return the edit that takes this one back."""
        return Edit(self.layer, self.index, self.after, self.before, self.step)


@dataclass(frozen=True, eq=False)
class Wanted:
    """What waits to be written, and whether the function is then held; ``None``: as it is."""

    values: Float64
    holds: bool | None


@contextmanager
def always() -> Iterator[bool]:
    """Let an edit in: it is made by the thread that trains."""
    yield True


@contextmanager
def unnoticed(module: nn.Module) -> Iterator[bool]:
    """Let a layer change without autograd raising in another thread's backward pass.

    What looked quiet may be a long step: its gradient is then of what was before, mixed with
    what is now, and the loop goes on.
    """
    with ExitStack() as stack:
        for parameter in module.parameters():
            stack.enter_context(_unsafe_preserve_version_counter(parameter))
        yield True
