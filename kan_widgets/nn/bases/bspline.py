"""B-splines on evenly spaced knots."""

import functools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from kan_widgets.checks import check_whole
from kan_widgets.nn.bases.basis import Ends, OnGrid, checked_range, placed
from kan_widgets.nn.torch_modes import transformed

MAX_ORDER = 5


class Spline(OnGrid):
    """What B-splines on even and on uneven knots share."""

    grid_size: int
    spline_order: int
    knots: tuple[float, ...]

    @property
    def n_basis(self) -> int:
        """Number of basis functions, ``grid_size + spline_order``."""
        return self.grid_size + self.spline_order

    @property
    def support(self) -> Ends:
        """Ends of the interval outside of which every basis function is zero."""
        knots = self.knots
        return knots[0], knots[-1]

    @property
    def extent(self) -> Ends:
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

    All values come from one closed form. With ``d = |(x - centre_j) / step|`` and order ``k``,

        ``B_j(x) = 1/k! * sum_i (-1)^i * binomial(k + 1, i) * max((k + 1) / 2 - i - d, 0)^k``

    over ``i <= k / 2``: the central B-spline in truncated powers (Schoenberg 1946; de Boor, *A
    Practical Guide to Splines*, ch. IX), folded at its centre so that small numbers are not
    differences of large ones. For the cubic it reads ``(a^3 - 4 b^3) / 6`` with ``a = max(2 - d,
    0)`` and ``b = max(1 - d, 0)``.

    At order 0 the functions are indicators of half-open intervals ``[t_j, t_(j + 1))``; the last
    one also holds its right end, so that ``grid_range`` is covered whole. SciPy's ``BSpline``
    does the same. Their derivative is zero; at the knots of order 1, where the slope jumps, it is
    the slope to the right.

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

    def _values(self, x: Tensor) -> Tensor:
        if self.spline_order == 0:
            return self._indicators(x)
        k = self.spline_order
        offset = self._centred(x)
        # abs() is faster, but has the wrong derivatives at 0: only for what is not differentiated.
        distance = offset * _sides(offset) if _differentiated() else offset.abs()
        value = torch.zeros_like(distance)
        for reach, factor in _truncated_powers(k):
            value = value + factor / math.factorial(k) * _within(reach, offset, distance, k) ** k
        return value

    def _slopes(self, x: Tensor) -> Tensor:
        k = self.spline_order
        if k == 0:
            return self._indicators(x) * 0
        offset = self._centred(x)
        if k == 1:
            return _triangle_slope(offset) / self.step
        sides = _sides(offset) if _differentiated() else offset.sign()
        distance = offset * sides
        slope = torch.zeros_like(distance)
        for reach, factor in _truncated_powers(k):
            scale = factor / math.factorial(k - 1) / self.step
            slope = slope - scale * _within(reach, offset, distance, k) ** (k - 1)
        return slope * sides

    def _centred(self, x: Tensor) -> Tensor:
        """Distance, with sign and in steps, of ``x`` from the centre of every basis function."""
        first = (1 - self.spline_order) / 2
        centres = torch.arange(self.n_basis, dtype=x.dtype, device=x.device) + first
        return ((x - self.grid_range[0]) / self.step).unsqueeze(-1) - centres

    def _indicators(self, x: Tensor) -> Tensor:
        """Order 0: one where ``x`` lies in the interval, compared with the knots themselves."""
        knots = placed(self.knots, x)
        column = x.unsqueeze(-1)
        inside = (column >= knots[:-1]) & (column < knots[1:])
        last = torch.arange(self.n_basis, device=x.device) == self.n_basis - 1
        inside = inside | (last & (column == knots[-1]))
        # Comparing hides a NaN; adding it back keeps it visible.
        return torch.where(column.isnan(), column, inside.to(x.dtype))


def _truncated_powers(order: int) -> list[tuple[float, int]]:
    """Return the terms ``(reach, factor)`` of the folded central B-spline of this order."""
    return [
        ((order + 1) / 2 - i, (-1) ** i * math.comb(order + 1, i)) for i in range(order // 2 + 1)
    ]


def _differentiated() -> bool:
    """Whether the result may be differentiated."""
    return torch.is_grad_enabled() or transformed()


def _sides(offset: Tensor) -> Tensor:
    """Return 1, or −1 left of 0: not 0 in between, where a second derivative would be lost."""
    return 1 - 2 * (offset < 0).to(offset.dtype)


def _within(reach: float, offset: Tensor, distance: Tensor, order: int) -> Tensor:
    """Return ``max(reach - distance, 0)``, with derivatives to the right.

    At a knot torch's ``clamp_min`` counts the pieces on both sides, which is wrong where the first
    or the second derivative jumps: up to order 2.
    """
    rest = reach - distance
    if order > 2 or not _differentiated():
        return rest.clamp_min(0)
    return rest.masked_fill((offset < -reach) | (offset >= reach), 0.0)


def _triangle_slope(offset: Tensor) -> Tensor:
    """Slope of ``max(1 - |offset|, 0)``, continuous from the right."""
    rising = (offset >= -1) & (offset < 0)
    falling = (offset >= 0) & (offset < 1)
    slope = rising.to(offset.dtype) - falling.to(offset.dtype)
    return torch.where(offset.isnan(), offset, slope)
