"""B-splines on evenly spaced knots."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from kan_widgets.checks import check_whole
from kan_widgets.nn.bases.basis import Interval, OnGrid, checked_range, computable, placed

MAX_ORDER = 5


class Spline(OnGrid):
    """What B-splines on even and on uneven knots share.

    Values come from the recursion of Cox and de Boor (de Boor, *A Practical Guide to Splines*,
    ch. IX).
    """

    grid_size: int
    spline_order: int
    knots: tuple[float, ...]

    @property
    def n_basis(self) -> int:
        """Number of basis functions, ``grid_size + spline_order``."""
        return self.grid_size + self.spline_order

    @property
    def support(self) -> Interval:
        """Ends of the interval outside of which every basis function is zero."""
        knots = self.knots
        return knots[0], knots[-1]

    @property
    def extent(self) -> Interval:
        """The support."""
        return self.support

    @property
    def labels(self) -> tuple[str, ...]:
        """B0, B1, ..."""
        return _labels(self.n_basis)

    @property
    def continuous(self) -> bool:
        """False at order 0, whose functions are steps."""
        return self.spline_order > 0

    def expand(self, x: Tensor) -> Tensor:
        """Evaluate all basis functions at ``x``: ``(*x.shape, n_basis)``, twice differentiable.

        Half precision is computed in float32.

        Raises
        ------
        TypeError
            If ``x`` is not floating point.
        """
        wide = computable(x)
        t = placed(self.knots, wide)
        values = cox_de_boor(wide, t, self.spline_order)
        if self.spline_order == 0:
            last = torch.arange(self.n_basis, device=x.device) == self.n_basis - 1
            values = torch.where(last & (wide.unsqueeze(-1) == t[-1]), 1.0, values)
        return values.to(x.dtype)

    def derivative(self, x: Tensor) -> Tensor:
        """Evaluate the first derivative of all basis functions at ``x``: ``(*x.shape, n_basis)``.

        ``B_j' = k (B_(j,k-1) / (t_(j+k) - t_j) - B_(j+1,k-1) / (t_(j+k+1) - t_(j+1)))``, ibid.,
        ch. X. At the knots of order 1 it is the slope to the right; at order 0 it is zero. Raises
        as `expand`.
        """
        wide, k = computable(x), self.spline_order
        t = placed(self.knots, wide)
        if k == 0:
            return (cox_de_boor(wide, t, 0) * 0).to(x.dtype)
        width = t[k:] - t[:-k]
        lower = cox_de_boor(wide, t, k - 1) * (k / torch.where(width > 0, width, torch.inf))
        return (lower[..., :-1] - lower[..., 1:]).to(x.dtype)


@functools.lru_cache
def _labels(n: int) -> tuple[str, ...]:
    """Return B0, B1, ...; cached, as every frame asks for them."""
    return tuple(f"B{b}" for b in range(n))


@dataclass(frozen=True)
class BSpline(Spline):
    """Uniform B-spline basis: ``grid_size`` intervals, extended beyond both ends.

    The knots are ``t_i = lo + (i - spline_order) * step`` for
    ``i = 0 ... grid_size + 2 * spline_order``. Basis function ``B_j`` lives on
    ``[t_j, t_(j + spline_order + 1))``. Inside ``grid_range`` the functions sum to one; between
    the grid's end and the support's end (``spline_order * step`` further out) they fade; beyond
    the support all are zero. A NaN gives NaN.

    At order 0 the functions are indicators of half-open intervals ``[t_j, t_(j + 1))``; the last
    one also holds its right end, so that ``grid_range`` is covered whole. SciPy's ``BSpline``
    does the same.

    Parameters
    ----------
    grid_size
        Number of intervals in ``grid_range``, at least 1.
    spline_order
        Degree of the polynomial pieces, 0 to 5 (3: cubic).
    grid_range
        Ends ``(lo, hi)`` of the grid, finite, ``lo < hi``.

    Raises
    ------
    TypeError
        If ``grid_size`` or ``spline_order`` is not an integer.
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> basis = BSpline(grid_size=4, spline_order=1, grid_range=(0.0, 4.0))
    >>> basis.knots
    (-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
    >>> basis.expand(torch.tensor([0.25]))
    tensor([[0.7500, 0.2500, 0.0000, 0.0000, 0.0000]])
    """

    grid_size: int = 5
    spline_order: int = 3
    grid_range: tuple[float, float] = (-1.0, 1.0)

    def __post_init__(self) -> None:
        """Check the three numbers and store the range as a tuple of floats."""
        check_whole("grid_size", self.grid_size, 1)
        check_whole("spline_order", self.spline_order, 0, MAX_ORDER)
        object.__setattr__(self, "grid_range", checked_range(self.grid_range))

    @property
    def step(self) -> float:
        """Distance between two knots."""
        lo, hi = self.grid_range
        return (hi - lo) / self.grid_size

    @property
    def knots(self) -> tuple[float, ...]:  # type: ignore[override]
        """All ``grid_size + 2 * spline_order + 1`` knots, rising."""
        lo, hi = self.grid_range
        g, k = self.grid_size, self.spline_order
        # Counted from the nearer end, so that both ends of the grid are met exactly.
        return tuple(
            lo + i * self.step if i < g else hi + (i - g) * self.step for i in range(-k, g + k + 1)
        )


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
        # Not 0 / 0, which would make the gradient NaN even where it is not chosen.
        up = (inside - knots[: -k - 1]) / torch.where(rise > 0, rise, torch.inf)
        down = (knots[k + 1 :] - inside) / torch.where(fall > 0, fall, torch.inf)
        result = up * result[..., :-1] + down * result[..., 1:]
    # Comparing hides a NaN.
    return torch.where(x.isnan(), x, result)
