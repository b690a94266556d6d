"""Coefficients that are put together where they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from kan_widgets.nn.ungraded import ungraded

Part = tuple[slice, slice]
"""Some outputs and inputs of a layer."""
ALL: Part = (slice(None), slice(None))


@dataclass(frozen=True, eq=False)
class Terms:
    """Coefficients that are put together at a look, of some outputs and inputs each.

    Of a layer of 30 million functions that is a gigabyte which nobody may want.

    Parameters
    ----------
    shape
        Of all of them: ``(out, in[, kh, kw], nb)``.
    like
        A tensor of their type, where they lie.
    make
        ``make(part)`` returns those of some outputs and inputs, detached; of `ALL`, all.
    """

    shape: torch.Size
    like: Tensor
    make: Callable[[Part], Tensor]

    @ungraded
    def __getitem__(self, part: Part) -> Tensor:
        return self.make(part)
