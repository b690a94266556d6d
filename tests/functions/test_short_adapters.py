"""Adapters of a few lines, held to scipy's polynomials and numpy's interpolation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from proofs import assert_writes_back
from scipy import special
from scipy.interpolate import BSpline
from torch import Tensor, nn

import kan_widgets.functions.adapters
from kan_widgets.functions import check, describe, prove

POLYNOMIALS = {
    "cheby2": special.eval_chebyu,
    "legendre": special.eval_legendre,
    "hermite": special.eval_hermite,
    "laguerre": lambda n, t: special.eval_genlaguerre(n, 0.5, t),
    "gegenbauer": lambda n, t: special.eval_gegenbauer(n, 0.5, t),
    "bessel": lambda n, t: sum(
        special.comb(n, k) * special.poch(n + 1, k) * (t / 2) ** k * np.ones_like(t)
        for k in range(n + 1)
    ),
    # Binet's formulas for the polynomials of Fibonacci and Lucas.
    "fib": lambda n, t: (
        (((t + np.sqrt(t * t + 4)) / 2) ** n - ((t - np.sqrt(t * t + 4)) / 2) ** n)
        / np.sqrt(t * t + 4)
    ),
    "lucas": lambda n, t: ((t + np.sqrt(t * t + 4)) / 2) ** n + ((t - np.sqrt(t * t + 4)) / 2) ** n,
}


class Polynomials(nn.Module):
    """A layer of OrthogPolyKANs, whose tensor names its family."""

    def __init__(self, family: str) -> None:
        super().__init__()
        self.family, self.input_dim, self.output_dim = family, 4, 3
        self.alpha = self.alpha_param = 0.5
        self.register_parameter(f"{family}_coeffs", nn.Parameter(torch.randn(4, 3, 5)))

    def forward(self, x: Tensor) -> Tensor:
        t = np.tanh(x.detach().double().numpy())
        values = np.stack([POLYNOMIALS[self.family](n, t) for n in range(5)], axis=-1)
        coefficients = getattr(self, f"{self.family}_coeffs")
        return torch.einsum("bid,iod->bo", torch.from_numpy(values).to(x), coefficients)


class Interpolated(nn.Module):
    """kanditioned's layer: straight pieces, the outer ones without an end."""

    def __init__(self) -> None:
        super().__init__()
        self.num_control_points, self.spline_width = 6, 3.0
        self.kan_weight = nn.Parameter(torch.randn(4, 6, 3))

    def forward(self, x: Tensor) -> Tensor:
        place = (x + self.spline_width / 2) * 5 / self.spline_width
        first = place.floor().clamp(0, 4).long()
        total = 0
        for i in range(4):
            left, right = self.kan_weight[i, first[:, i]], self.kan_weight[i, first[:, i] + 1]
            total = total + torch.lerp(left, right, (place - first)[:, i : i + 1])
        return total


class KANInterpoLayer(nn.Module):
    """FCN-KAN's: straight pieces between even points, and down to 0 beyond them."""

    def __init__(self) -> None:
        super().__init__()
        self.X = torch.linspace(-2, 2, 9)
        self.Y = nn.Parameter(torch.randn(4, 3, 9))

    def forward(self, x: Tensor) -> Tensor:
        points = np.linspace(-2.5, 2.5, 11)
        values = np.pad(self.Y.detach().numpy(), ((0, 0), (0, 0), (1, 1)))
        sums = [
            sum(np.interp(x[:, i].numpy(), points, values[i, o]) for i in range(4))
            for o in range(3)
        ]
        return torch.from_numpy(np.stack(sums, axis=1)).to(x)


class FlashKAN(nn.Module):
    """Splines of order k - 1 whose end knots are k-fold, and the base in the last row of w."""

    def __init__(self, G: int = 5, k: int = 4) -> None:
        super().__init__()
        self.k, self.act = k, F.silu
        self.w = nn.Parameter(torch.randn(G + k, 4, 3))
        inner = torch.linspace(-1, 1, G + 1)
        ends = torch.ones(k - 1)
        self.register_buffer("t", torch.cat([-ends, inner, ends]))

    def forward(self, x: Tensor) -> Tensor:
        w, knots = self.w.detach().numpy(), self.t.double().numpy()
        splines = BSpline(knots, w[:-1].astype(float), self.k - 1, extrapolate=False)
        total = F.silu(x) @ self.w[-1]
        for i in range(4):
            own = np.nan_to_num(splines(x[:, i].numpy()))[:, i]
            total = total + torch.from_numpy(own).to(x)
        return total


@pytest.mark.parametrize(
    ("module", "library"),
    [
        *((Polynomials(family), "OrthogPolyKANs") for family in POLYNOMIALS),
        (Interpolated(), "kanditioned"),
        (KANInterpoLayer(), "FCN-KAN"),
        (FlashKAN(), "FlashKAN"),
        (FlashKAN(G=3, k=3), "FlashKAN"),
    ],
    ids=[*POLYNOMIALS, "kanditioned", "FCN-KAN", "FlashKAN", "FlashKAN of order 2"],
)
def test_a_layer_is_the_sum_of_its_functions_and_they_can_be_set(module, library):
    prove(module)
    assert [row.adapter for row in describe(module).layers] == [library]
    assert check(module).error < 1e-5
    assert_writes_back(module)


def test_an_adapter_is_a_recipe_of_at_most_forty_lines():
    files = Path(kan_widgets.functions.adapters.__file__).parent.glob("[!_]*.py")
    lines = {file.stem: len(file.read_text("utf-8").splitlines()) for file in files}
    assert len(lines) > 20
    assert {name: n for name, n in lines.items() if n > 40} == {}
