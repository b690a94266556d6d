"""Smooth bases of other libraries: bumps and polynomials."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from kan_widgets.functions.basis import activate, activation_label
from kan_widgets.nn.activation import BaseActivation
from kan_widgets.nn.bases.basis import Interval

# tanh x is ±0.96 at ±2 and ±0.999 at ±4.
_TANH_DOMAIN, _TANH_EXTENT = (-2.0, 2.0), (-4.0, 4.0)


class _Smooth:
    """What these bases share: ``derivative`` follows from the values."""

    def _names(self) -> Iterable[str]:
        raise NotImplementedError

    def _values(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """One short name per basis function."""
        return tuple(self._names())

    @property
    def n_basis(self) -> int:
        """Number of basis functions."""
        return len(self.labels)

    def expand(self, x: Tensor) -> Tensor:
        """β at ``x``: ``(...)`` to ``(..., n_basis)``."""
        return self._values(x)

    def derivative(self, x: Tensor) -> Tensor:
        """dβ/dx at ``x``: ``(...)`` to ``(..., n_basis)``."""
        again = torch.is_grad_enabled()
        with torch.enable_grad():
            x = x if again and x.requires_grad else x.detach().requires_grad_()
            values = self._values(x)
            # Backward sums over the functions; the sum's gradient by its weights is each slope.
            weights = torch.zeros_like(values, requires_grad=True)
            [total] = torch.autograd.grad(values, x, weights, create_graph=True)
            [slopes] = torch.autograd.grad(total.sum(), weights, create_graph=again)
        return slopes


@dataclass(frozen=True)
class _Bumps(_Smooth):
    """One bump at each centre."""

    letter: ClassVar[str]
    reach: ClassVar[float]
    """How many widths beyond the last centre are worth drawing."""

    centres: tuple[float, ...]
    width: float = 1.0

    def _names(self) -> Iterable[str]:
        return (f"{self.letter}{b}" for b in range(len(self.centres)))

    @property
    def domain(self) -> Interval:
        """From the first centre to the last."""
        return min(self.centres), max(self.centres)

    @property
    def extent(self) -> Interval:
        """Some widths further on each side, where the bumps have fallen to 2 or 3 %."""
        low, high = self.domain
        return low - self.reach * self.width, high + self.reach * self.width

    def _away(self, x: Tensor) -> Tensor:
        """Return how many widths x is from each centre."""
        return (
            x.unsqueeze(-1) - torch.tensor(self.centres, dtype=x.dtype, device=x.device)
        ) / self.width


@dataclass(frozen=True)
class Gaussian(_Bumps):
    """Radial basis functions β_b(x) = exp(−((x − centres[b])/width)²).

    Examples
    --------
    >>> Gaussian((-1.0, 1.0), width=1.0).expand(torch.tensor([1.0]))
    tensor([[0.0183, 1.0000]])
    """

    letter, reach = "R", 2.0

    def _values(self, x: Tensor) -> Tensor:
        return torch.exp(-(self._away(x) ** 2))


@dataclass(frozen=True)
class ReflectionalSwitch(_Bumps):
    """Bumps β_b(x) = 1 − tanh²((x − centres[b])/width) (Delis, FasterKAN, 2024).

    Examples
    --------
    >>> ReflectionalSwitch((0.0,)).expand(torch.tensor([0.0, 1.0]))
    tensor([[1.0000],
            [0.4200]])
    """

    letter, reach = "S", 2.5

    def _values(self, x: Tensor) -> Tensor:
        return 1 - torch.tanh(self._away(x)) ** 2


@dataclass(frozen=True)
class SquaredReLU(_Smooth):
    """Bumps β_b(x) = (r·max(x − low[b], 0)·max(high[b] − x, 0))² (Qiu et al., ReLU-KAN, 2024).

    Examples
    --------
    >>> SquaredReLU((0.0,), (1.0,), r=4.0).expand(torch.tensor([0.5, 2.0]))
    tensor([[1.],
            [0.]])
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    r: float

    def _names(self) -> Iterable[str]:
        return (f"Q{b}" for b in range(len(self.low)))

    @property
    def domain(self) -> Interval:
        """0 to 1, over which the bumps are laid out."""
        return 0.0, 1.0

    @property
    def extent(self) -> Interval:
        """From the first bump's start to the last one's end."""
        return min(0.0, *self.low), max(1.0, *self.high)

    def _values(self, x: Tensor) -> Tensor:
        low, high = (torch.tensor(t, dtype=x.dtype, device=x.device) for t in (self.low, self.high))
        x = x.unsqueeze(-1)
        return ((x - low).clamp_min(0) * (high - x).clamp_min(0) * self.r) ** 2


@dataclass(frozen=True)
class Rational(_Smooth):
    """Powers of x over one denominator, β_k(x) = x^k / (1 + Σ_j |denominator[j]·x^(j+1)|).

    Padé activations (Molina et al. 2020), with absolute values as in the Kolmogorov-Arnold
    Transformer: of each term, or if ``signed`` of its factor alone, which has poles.

    Examples
    --------
    >>> Rational(2, (1.0,)).expand(torch.tensor([-3.0]))
    tensor([[ 0.2500, -0.7500]])
    """

    domain: ClassVar[Interval] = (-3.0, 3.0)
    extent: ClassVar[Interval] = (-4.5, 4.5)

    powers: int
    denominator: tuple[float, ...]
    signed: bool = False

    def _names(self) -> Iterable[str]:
        return (f"{('1', 'x')[k] if k < 2 else f'x^{k}'}/Q" for k in range(self.powers))

    def _values(self, x: Tensor) -> Tensor:
        x = x.unsqueeze(-1)
        powers = torch.arange(1, len(self.denominator) + 1, device=x.device)
        factors = torch.tensor(self.denominator, dtype=x.dtype, device=x.device)
        terms = factors.abs() * x**powers
        below = 1 + (terms if self.signed else terms.abs()).sum(-1, keepdim=True)
        return x ** torch.arange(self.powers, device=x.device) / below


@dataclass(frozen=True)
class ThreeTerm(_Smooth):
    """Polynomials p_n of the squashed input t = tanh x, each made of the two before it.

    p_0 = ``first``, p_1 = ``second[0]``·t + ``second[1]``, and then for each (a, b, c) of ``steps``
    p_n = (a·t + b)·p_(n−1) + c·p_(n−2), as all classical families have it (Abramowitz and Stegun,
    22.7).

    Examples
    --------
    Legendre polynomials up to the second degree:

    >>> ThreeTerm("P", 1.0, (1.0, 0.0), ((1.5, 0.0, -0.5),)).expand(torch.tensor([0.0]))
    tensor([[ 1.0000,  0.0000, -0.5000]])
    """

    domain: ClassVar[Interval] = _TANH_DOMAIN
    extent: ClassVar[Interval] = _TANH_EXTENT

    letter: str
    first: float
    second: tuple[float, float]
    steps: tuple[tuple[float, float, float], ...]

    def _names(self) -> Iterable[str]:
        return (f"{self.letter}{n}(tanh x)" for n in range(len(self.steps) + 2))

    def _values(self, x: Tensor) -> Tensor:
        t = torch.tanh(x)
        values = [torch.full_like(t, self.first), self.second[0] * t + self.second[1]]
        for a, b, c in self.steps:
            values.append((a * t + b) * values[-1] + c * values[-2])
        return torch.stack(values, dim=-1)


@dataclass(frozen=True)
class Gram(_Smooth):
    """Activated Gram polynomials of the squashed input, β_b(x) = act(G_b(tanh x)).

    G_0 = 1, G_1 = t and G_b = t·G_(b−1) − shifts[b − 2]·G_(b−2).

    Examples
    --------
    >>> Gram((0.5,), "identity").expand(torch.tensor([0.0]))
    tensor([[ 1.0000,  0.0000, -0.5000]])
    """

    domain: ClassVar[Interval] = _TANH_DOMAIN
    extent: ClassVar[Interval] = _TANH_EXTENT

    shifts: tuple[float, ...]
    activation: BaseActivation = "silu"

    def _names(self) -> Iterable[str]:
        name = activation_label(self.activation)
        return (f"{name}(G{b}(tanh x))" for b in range(len(self.shifts) + 2))

    def _values(self, x: Tensor) -> Tensor:
        steps = tuple((1.0, 0.0, -shift) for shift in self.shifts)
        return activate(self.activation, ThreeTerm("G", 1.0, (1.0, 0.0), steps).expand(x))


def Jacobi(degree: int, a: float = 1.0, b: float = 1.0) -> ThreeTerm:
    """Return the Jacobi polynomials of the squashed input, β_n(x) = P_n^(a,b)(tanh x).

    Of n = 0 ... ``degree``, at least 1, by their recurrence (Abramowitz and Stegun, 22.7.1).

    Examples
    --------
    >>> Jacobi(1, a=1.0, b=1.0).expand(torch.tensor([0.0]))
    tensor([[1., 0.]])
    """
    steps = []
    for n in range(2, degree + 1):
        c = 2 * n + a + b
        lead = 2 * n * (n + a + b) * (c - 2)
        before = -2 * (n + a - 1) * (n + b - 1) * c
        steps.append(
            ((c - 1) * c * (c - 2) / lead, (c - 1) * (a * a - b * b) / lead, before / lead)
        )
    return ThreeTerm("P", 1.0, ((a + b + 2) / 2, (a - b) / 2), tuple(steps))
