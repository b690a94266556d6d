"""B-splines on a grid as another library keeps it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import torch
from torch import Tensor

from kan_widgets.nn.bases.basis import Interval, placed
from kan_widgets.nn.bases.knot_spline import cox_de_boor


@dataclass(frozen=True)
class GridSpline:
    """All B-splines of one order on the knots that another library's grid has.

    Like `kan_widgets.nn.KnotSpline`, but knots may coincide, none need lie beyond a grid, and the
    domain is rounded to what was meant.

    Parameters
    ----------
    knots
        At least ``spline_order + 2``, finite, none smaller than the one before it.
    spline_order
        Degree of the polynomial pieces, 0 and up.

    Raises
    ------
    ValueError
        If the knots are too few, not finite or not rising.

    Examples
    --------
    >>> basis = GridSpline((0.0, 1.0, 3.0, 4.0), spline_order=1)
    >>> basis.expand(torch.tensor([0.5, 2.0]))
    tensor([[0.5000, 0.0000],
            [0.5000, 0.5000]])
    """

    knots: tuple[float, ...]
    spline_order: int = 3

    def __post_init__(self) -> None:
        if self.spline_order < 0:
            raise ValueError(f"spline_order: expected a whole number ≥ 0, got {self.spline_order}")
        if len(self.knots) < self.spline_order + 2:
            raise ValueError(
                f"knots: expected at least {self.spline_order + 2} for splines of order "
                f"{self.spline_order}, got {len(self.knots)}"
            )
        if not all(map(math.isfinite, self.knots)):
            raise ValueError(
                f"knots: expected finite numbers, got {self.knots!r:.80}; the grid has run away"
            )
        if any(b < a for a, b in pairwise(self.knots)):
            raise ValueError(
                f"knots: expected rising numbers, got {self.knots!r:.80}; sort the grid"
            )

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """B0, B1, ..."""
        return tuple(f"B{b}" for b in range(self.n_basis))

    @property
    def n_basis(self) -> int:
        """Number of splines."""
        return len(self.knots) - self.spline_order - 1

    @property
    def domain(self) -> Interval:
        """Where all splines overlap: the grid without its extension."""
        k = self.spline_order
        return self._tidy(self.knots[k]), self._tidy(self.knots[-k - 1])

    @property
    def extent(self) -> Interval:
        """From the first knot to the last."""
        return self._tidy(self.knots[0]), self._tidy(self.knots[-1])

    @property
    def continuous(self) -> bool:
        """False for order 0, and where more knots coincide than the order allows."""
        most = max(self.knots.count(knot) for knot in set(self.knots))
        return most <= self.spline_order

    def _tidy(self, knot: float) -> float:
        """Six digits of the range: a grid computed in float32 ends at 0.99999994."""
        width = self.knots[-1] - self.knots[0]
        return round(knot, 6 - math.ceil(math.log10(width))) + 0.0 if width > 0 else knot

    def expand(self, x: Tensor) -> Tensor:
        """β at ``x``: ``(...)`` to ``(..., n_basis)``."""
        return cox_de_boor(x, placed(self.knots, x), self.spline_order)

    def derivative(self, x: Tensor) -> Tensor:
        """dβ/dx at ``x``, to the right where it jumps: ``(...)`` to ``(..., n_basis)``."""
        t, k = placed(self.knots, x), self.spline_order
        if k == 0:
            return cox_de_boor(x, t, 0) * 0
        width = t[k:] - t[:-k]
        lower = cox_de_boor(x, t, k - 1) * torch.where(width > 0, k / width, 0.0)
        return lower[..., :-1] - lower[..., 1:]
