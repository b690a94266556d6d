"""Chebyshev polynomials of the squashed input."""

from dataclasses import dataclass

import torch
from torch import Tensor

from kan_widgets.nn.bases.basis import Ends, OnGrid, shifted


@dataclass(frozen=True)
class Chebyshev(OnGrid):
    """Chebyshev polynomials T_b(t) of t = tanh u, b = 0 ... degree.

    u runs from −2 to 2 over ``grid_range``, where tanh u reaches ±0.96; with the default range
    u = x, which is ChebyKAN's basis (SS et al. 2024, *Chebyshev Polynomial-Based
    Kolmogorov-Arnold Networks*, eq. 7). The polynomials need an argument in [−1, 1]: tanh brings
    every input there, smoothly, with a slope everywhere, which clamping would not have outside.
    So φ is a polynomial not of x but of tanh u, and levels off on both sides. A NaN gives NaN.

    Parameters
    ----------
    degree
        Highest degree, at least 0.
    grid_range
        The interval on which the functions vary, finite, ``lo < hi``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of its kind or out of range.

    Examples
    --------
    >>> Chebyshev(degree=2).expand(torch.tensor([0.0]))
    tensor([[ 1.,  0., -1.]])
    >>> Chebyshev(degree=1, grid_range=(-1.0, 1.0)).labels
    ('T0(tanh 2x)', 'T1(tanh 2x)')
    """

    _counted = "degree", 0
    degree: int = 4
    grid_range: Ends = (-2.0, 2.0)

    @property
    def n_basis(self) -> int:
        """Number of basis functions, ``degree + 1``."""
        return self.degree + 1

    @property
    def scale(self) -> float:
        """How fast u grows with x."""
        lo, hi = self.grid_range
        return 4 / (hi - lo)

    @property
    def labels(self) -> tuple[str, ...]:
        """T0(tanh x), T1(tanh x), ..., with u in place of x where it is not x."""
        u = ("" if self.scale == 1 else f"{self.scale:.3g}") + shifted(self.centre)
        return tuple(f"T{b}(tanh {u})" for b in range(self.n_basis))

    @property
    def extent(self) -> Ends:
        """Half the grid's width beyond each end, where tanh u is ±0.999."""
        lo, hi = self.grid_range
        return lo - (hi - lo) / 2, hi + (hi - lo) / 2

    @property
    def points(self) -> int:
        """Enough for the fastest wave, T_degree."""
        return max(128, 64 * self.degree)

    def _values(self, x: Tensor) -> Tensor:
        t = torch.tanh(self._u(x))
        return torch.stack(_recur(t, t, self.n_basis), dim=-1)

    def _slopes(self, x: Tensor) -> Tensor:
        t = torch.tanh(self._u(x))
        # T_b' = b U_(b - 1), with the polynomials of the second kind.
        second = _recur(t, 2 * t, self.degree)
        slopes = [torch.zeros_like(t), *(b * u for b, u in enumerate(second, 1))]
        inner = (1 - t) * (1 + t) * self.scale
        return torch.stack(slopes, dim=-1) * inner.unsqueeze(-1)

    def _u(self, x: Tensor) -> Tensor:
        return (x - self.centre) * self.scale


def _recur(t: Tensor, first: Tensor, count: int) -> list[Tensor]:
    """Return ``count`` polynomials: 1, ``first``, then p_(b+1) = 2 t p_b − p_(b−1)."""
    # Not ones_like(t), which would hide a NaN.
    values = [t * 0 + 1, first]
    while len(values) < count:
        values.append(2 * t * values[-1] - values[-2])
    return values[:count]
