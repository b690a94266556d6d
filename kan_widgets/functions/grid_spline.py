"""B-splines on a grid as another library keeps it."""

import math
from dataclasses import dataclass

from torch import Tensor

from kan_widgets.checks import check_whole
from kan_widgets.nn.bases.basis import Ends, placed
from kan_widgets.nn.bases.knot_spline import KnotSpline, check_knots, cox_de_boor


@dataclass(frozen=True)
class GridSpline(KnotSpline):
    """All B-splines of one order on the knots that another library's grid has.

    Unlike those of `kan_widgets.nn.KnotSpline` the knots may coincide, none need lie beyond a grid,
    and the domain is rounded to what was meant.

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
    >>> import torch
    >>> basis = GridSpline((0.0, 1.0, 3.0, 4.0), spline_order=1)
    >>> basis.expand(torch.tensor([0.5, 2.0]))
    tensor([[0.5000, 0.0000],
            [0.5000, 0.5000]])
    """

    def __post_init__(self) -> None:
        check_whole("spline_order", self.spline_order, 0)
        check_knots(self.knots, self.spline_order, self.spline_order + 2)

    @property
    def grid_range(self) -> Ends:  # type: ignore[override]
        """Where all splines overlap: the grid without its extension."""
        k = self.spline_order
        return self._tidy(self.knots[k]), self._tidy(self.knots[-k - 1])

    @property
    def extent(self) -> Ends:
        """From the first knot to the last."""
        return self._tidy(self.knots[0]), self._tidy(self.knots[-1])

    @property
    def continuous(self) -> bool:
        """False for order 0, and where more knots coincide than the order allows."""
        most = max(self.knots.count(knot) for knot in set(self.knots))
        return most <= self.spline_order

    def expand(self, x: Tensor) -> Tensor:
        """β at ``x``: ``(...)`` to ``(..., n_basis)``; at order 0 without the last right end."""
        return cox_de_boor(x, placed(self.knots, x), self.spline_order)

    def _tidy(self, knot: float) -> float:
        """Six digits of the range: a grid computed in float32 ends at 0.99999994."""
        width = self.knots[-1] - self.knots[0]
        return round(knot, 6 - math.ceil(math.log10(width))) + 0.0 if width > 0 else knot
