"""B-splines on knots that need not be evenly spaced."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from kan_widgets.checks import check_whole
from kan_widgets.nn.bases.basis import Ends, placed
from kan_widgets.nn.bases.bspline import MAX_ORDER, BSpline, Spline


@dataclass(frozen=True)
class KnotSpline(Spline):
    """B-spline basis on any rising knots; `update_grid` turns a uniform basis into one.

    The middle ``grid_size + 1`` of ``grid_size + 2 * spline_order + 1`` knots are the grid, whose
    ends are ``grid_range``; the others extend it, as with :class:`BSpline`. ``B_j`` lives on
    ``[t_j, t_(j + spline_order + 1))``. Values come from the recursion of Cox and de Boor (de
    Boor, *A Practical Guide to Splines*, ch. IX). At order 0 the last interval also holds its
    right end. A NaN gives NaN.

    Parameters
    ----------
    knots
        At least ``2 * spline_order + 2`` finite numbers, each larger than the one before it.
    spline_order
        Degree of the polynomial pieces, 0 to 5 (3: cubic).

    Raises
    ------
    TypeError
        If ``spline_order`` is not an integer or the knots are no numbers.
    ValueError
        If a number is out of its range or the knots are too few or do not rise.

    Examples
    --------
    >>> basis = KnotSpline((-1.0, 0.0, 1.0, 3.0, 4.0), spline_order=1)
    >>> basis.grid_range, basis.n_basis
    ((0.0, 3.0), 3)
    >>> basis.expand(torch.tensor([0.25, 2.0]))
    tensor([[0.7500, 0.2500, 0.0000],
            [0.0000, 0.5000, 0.5000]])
    """

    knots: tuple[float, ...]
    spline_order: int = 3

    def __post_init__(self) -> None:
        """Check the numbers and store the knots as a tuple of floats."""
        check_whole("spline_order", self.spline_order, 0, MAX_ORDER)
        try:
            knots = tuple(float(knot) for knot in self.knots)
        except (TypeError, ValueError):
            raise TypeError(f"knots={self.knots!r}: expected a sequence of numbers") from None
        check_knots(knots, self.spline_order, 2 * self.spline_order + 2)
        for a, b in pairwise(knots):
            if a == b:
                raise ValueError(
                    f"knots=(..., {a:g}, {b:g}, ...): expected each larger than the one before it"
                )
        object.__setattr__(self, "knots", knots)

    @property
    def grid_size(self) -> int:  # type: ignore[override]
        """Number of intervals in ``grid_range``."""
        return len(self.knots) - 2 * self.spline_order - 1

    @property
    def grid_range(self) -> Ends:  # type: ignore[override]
        """Ends of the grid, without its extension."""
        return self.knots[self.spline_order], self.knots[-self.spline_order - 1]

    def _values(self, x: Tensor) -> Tensor:
        t = placed(self.knots, x)
        values = cox_de_boor(x, t, self.spline_order)
        if self.spline_order == 0:
            last = torch.arange(self.n_basis, device=x.device) == self.n_basis - 1
            values = torch.where(last & (x.unsqueeze(-1) == t[-1]), 1.0, values)
        return values

    def _slopes(self, x: Tensor) -> Tensor:
        """``B_j' = k (B_(j,k-1) / (t_(j+k) - t_j) - B_(j+1,k-1) / (t_(j+k+1) - t_(j+1)))``.

        Ibid., ch. X. At the knots of order 1 it is the slope to the right; at order 0 it is zero.
        """
        t, k = placed(self.knots, x), self.spline_order
        if k == 0:
            return cox_de_boor(x, t, 0) * 0
        width = t[k:] - t[:-k]
        lower = cox_de_boor(x, t, k - 1) * (k / torch.where(width > 0, width, torch.inf))
        return lower[..., :-1] - lower[..., 1:]


def check_knots(knots: tuple[float, ...], order: int, least: int) -> None:
    """Raise `ValueError` unless there are enough knots, finite and not falling."""
    if len(knots) < least:
        raise ValueError(
            f"{len(knots)} knots: expected at least {least} for splines of order {order}"
        )
    if not all(map(math.isfinite, knots)):
        raise ValueError(f"knots={knots!r:.80}: expected finite numbers")
    for a, b in pairwise(knots):
        if b < a:
            raise ValueError(f"knots=(..., {a:g}, {b:g}, ...): expected rising numbers")


def cox_de_boor(x: Tensor, knots: Tensor, order: int) -> Tensor:
    """Evaluate all B-splines of one order on ``knots`` at ``x``: ``(*x.shape, knots - order - 1)``.

    A quotient with a denominator of zero counts as zero, so knots may coincide.
    """
    x = x.unsqueeze(-1)
    # Beyond the knots all functions are 0, at infinity too; the end belongs to no interval.
    inside = x.clamp(knots[0], knots[-1])
    values = (inside >= knots[:-1]) & (inside < knots[1:]) & (x >= knots[0])
    result = values.to(x.dtype)
    for k in range(1, order + 1):
        rise, fall = knots[k:-1] - knots[: -k - 1], knots[k + 1 :] - knots[1:-k]
        # Never 0 / 0: its gradient is NaN even where the quotient is not used.
        up = (inside - knots[: -k - 1]) / torch.where(rise > 0, rise, torch.inf)
        down = (knots[k + 1 :] - inside) / torch.where(fall > 0, fall, torch.inf)
        result = up * result[..., :-1] + down * result[..., 1:]
    # Comparisons hide a NaN, so NaN is put back.
    return torch.where(x.isnan(), x, result)


def spline_on(
    knots: Sequence[float], order: int, dtype: torch.dtype = torch.float64
) -> BSpline | KnotSpline:
    """Return the B-splines on ``knots``: the uniform ones where the knots are evenly spaced.

    Raises `ValueError` if the knots are too few, not finite or not rising.

    Parameters
    ----------
    knots, order
        As in :class:`KnotSpline`.
    dtype
        The knots are rounded to this type, in which a state dict will have them, and are evenly
        spaced if they are so but for rounding.
    """
    rounded = torch.tensor(knots, dtype=torch.float64).to(dtype).tolist()
    uneven = KnotSpline(tuple(rounded), order)
    even = BSpline(uneven.grid_size, order, uneven.grid_range)
    off = max(abs(a - b) for a, b in zip(uneven.knots, even.knots, strict=True))
    # A knot of order k is up to k steps from the grid's ends, each of which is rounded.
    rounding = (order + 1) * torch.finfo(dtype).eps * max(map(abs, rounded))
    return even if off <= max(1e-9 * even.step, rounding) else uneven
