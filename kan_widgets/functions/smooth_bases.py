"""Smooth bases of other libraries: bumps and polynomials."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from kan_widgets.functions.basis import activate, activation_label
from kan_widgets.nn.activation import BaseActivation
from kan_widgets.nn.bases.basis import Ends, placed

# tanh x is ±0.96 at ±2 and ±0.999 at ±4.
_TANH = ((-2.0, 2.0), (-4.0, 4.0))


@dataclass(frozen=True)
class Smooth:
    """Basis functions by a formula, from which their slopes follow.

    Parameters
    ----------
    formula
        ``formula(x, *numbers)`` returns β at ``x``, ``(...)`` to ``(..., n_basis)``.
    numbers
        What the formula takes beside x; hashable.
    labels
        One short name per basis function.
    domain, extent
        The interval that they are meant for, and the one worth drawing.
    """

    formula: Callable[..., Tensor] = field(repr=False)
    numbers: tuple[Any, ...]
    labels: tuple[str, ...]
    domain: Ends
    extent: Ends

    @property
    def n_basis(self) -> int:
        """Number of basis functions."""
        return len(self.labels)

    def expand(self, x: Tensor) -> Tensor:
        """β at ``x``: ``(...)`` to ``(..., n_basis)``."""
        return self.formula(x, *self.numbers)

    def derivative(self, x: Tensor) -> Tensor:
        """dβ/dx at ``x``: ``(...)`` to ``(..., n_basis)``."""
        again = torch.is_grad_enabled()
        with torch.enable_grad():
            x = x if again and x.requires_grad else x.detach().requires_grad_()
            values = self.expand(x)
            # Backward sums over the functions; the sum's gradient by its weights is each slope.
            weights = torch.zeros_like(values, requires_grad=True)
            [total] = torch.autograd.grad(values, x, weights, create_graph=True)
            [slopes] = torch.autograd.grad(total.sum(), weights, create_graph=again)
        return slopes


def _numbered(form: str, numbers: Iterable[int]) -> tuple[str, ...]:
    return tuple(form.format(b) for b in numbers)


def _bumps(
    formula: Callable[..., Tensor], form: str, reach: float, centres: Sequence[float], width: float
) -> Smooth:
    """Return one bump at each centre, worth drawing ``reach`` widths beyond the last one."""
    low, high = min(centres), max(centres)
    extent = low - reach * width, high + reach * width
    labels = _numbered(form, range(len(centres)))
    return Smooth(formula, (tuple(centres), width), labels, (low, high), extent)


def Gaussian(centres: Sequence[float], width: float = 1.0) -> Smooth:
    """Return radial basis functions β_b(x) = exp(−((x − centres[b])/width)²).

    Examples
    --------
    >>> Gaussian((-1.0, 1.0), width=1.0).expand(torch.tensor([1.0]))
    tensor([[0.0183, 1.0000]])
    """
    return _bumps(_gaussian, "R{}", 2.0, centres, width)


def _gaussian(x: Tensor, centres: tuple[float, ...], width: float) -> Tensor:
    return torch.exp(-(((x.unsqueeze(-1) - placed(centres, x)) / width) ** 2))


def ReflectionalSwitch(centres: Sequence[float], width: float = 1.0) -> Smooth:
    """Return bumps β_b(x) = 1 − tanh²((x − centres[b])/width) (Delis, FasterKAN, 2024).

    Examples
    --------
    >>> ReflectionalSwitch((0.0,)).expand(torch.tensor([0.0, 1.0]))
    tensor([[1.0000],
            [0.4200]])
    """
    return _bumps(_switch, "S{}", 2.5, centres, width)


def _switch(x: Tensor, centres: tuple[float, ...], width: float) -> Tensor:
    return 1 - torch.tanh((x.unsqueeze(-1) - placed(centres, x)) / width) ** 2


def SquaredReLU(low: tuple[float, ...], high: tuple[float, ...], r: float) -> Smooth:
    """Return bumps β_b(x) = (r·max(x − low[b], 0)·max(high[b] − x, 0))².

    Laid out over 0 to 1 (Qiu et al., ReLU-KAN, 2024).

    Examples
    --------
    >>> SquaredReLU((0.0,), (1.0,), r=4.0).expand(torch.tensor([0.5, 2.0]))
    tensor([[1.],
            [0.]])
    """
    extent = min(0.0, *low), max(1.0, *high)
    labels = _numbered("Q{}", range(len(low)))
    return Smooth(_squared_relu, (low, high, r), labels, (0.0, 1.0), extent)


def _squared_relu(x: Tensor, low: tuple[float, ...], high: tuple[float, ...], r: float) -> Tensor:
    x = x.unsqueeze(-1)
    return ((x - placed(low, x)).clamp_min(0) * (placed(high, x) - x).clamp_min(0) * r) ** 2


def Rational(powers: int, denominator: tuple[float, ...], signed: bool = False) -> Smooth:
    """Return powers of x over one denominator, β_k(x) = x^k / (1 + Σ_j |denominator[j]·x^(j+1)|).

    Padé activations (Molina et al. 2020), with absolute values as in the Kolmogorov-Arnold
    Transformer: of each term, or if ``signed`` of its factor alone, which has poles.

    Examples
    --------
    >>> Rational(2, (1.0,)).expand(torch.tensor([-3.0]))
    tensor([[ 0.2500, -0.7500]])
    """
    labels = ("1/Q", "x/Q", *_numbered("x^{}/Q", range(2, powers)))[:powers]
    numbers = (powers, denominator, signed)
    return Smooth(_rational, numbers, labels, (-3.0, 3.0), (-4.5, 4.5))


def _rational(x: Tensor, powers: int, denominator: tuple[float, ...], signed: bool) -> Tensor:
    x = x.unsqueeze(-1)
    terms = placed(denominator, x).abs() * x ** torch.arange(1, len(denominator) + 1).to(x.device)
    below = 1 + (terms if signed else terms.abs()).sum(-1, keepdim=True)
    return x ** torch.arange(powers, device=x.device) / below


def ThreeTerm(
    letter: str,
    first: float,
    second: tuple[float, float],
    steps: tuple[tuple[float, float, float], ...],
) -> Smooth:
    """Return polynomials p_n of the squashed input t = tanh x, each made of the two before it.

    p_0 = ``first``, p_1 = ``second[0]``·t + ``second[1]``, and then for each (a, b, c) of ``steps``
    p_n = (a·t + b)·p_(n−1) + c·p_(n−2), as all classical families have it (Abramowitz and Stegun,
    22.7).

    Examples
    --------
    Legendre polynomials up to the second degree:

    >>> ThreeTerm("P", 1.0, (1.0, 0.0), ((1.5, 0.0, -0.5),)).expand(torch.tensor([0.0]))
    tensor([[ 1.0000,  0.0000, -0.5000]])
    """
    labels = _numbered(letter + "{}(tanh x)", range(len(steps) + 2))
    return Smooth(_three_term, (first, second, steps), labels, *_TANH)


def _three_term(x: Tensor, first: float, second: tuple[float, float], steps: Any) -> Tensor:
    t = torch.tanh(x)
    values = [torch.full_like(t, first), second[0] * t + second[1]]
    for a, b, c in steps:
        values.append((a * t + b) * values[-1] + c * values[-2])
    return torch.stack(values, dim=-1)


def Gram(shifts: tuple[float, ...], activation: BaseActivation = "silu") -> Smooth:
    """Return activated Gram polynomials of the squashed input, β_b(x) = act(G_b(tanh x)).

    G_0 = 1, G_1 = t and G_b = t·G_(b−1) − shifts[b − 2]·G_(b−2).

    Examples
    --------
    >>> Gram((0.5,), "identity").expand(torch.tensor([0.0]))
    tensor([[ 1.0000,  0.0000, -0.5000]])
    """
    labels = _numbered(activation_label(activation) + "(G{}(tanh x))", range(len(shifts) + 2))
    return Smooth(_gram, (shifts, activation), labels, *_TANH)


def _gram(x: Tensor, shifts: tuple[float, ...], activation: BaseActivation) -> Tensor:
    steps = tuple((1.0, 0.0, -shift) for shift in shifts)
    return activate(activation, _three_term(x, 1.0, (1.0, 0.0), steps))


def Jacobi(degree: int, a: float = 1.0, b: float = 1.0) -> Smooth:
    """Return the Jacobi polynomials of the squashed input, β_n(x) = P_n^(a,b)(tanh x).

    For n = 0 ... ``degree``, at least 1, by their recurrence (Abramowitz and Stegun, 22.7.1).

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
