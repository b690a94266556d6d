"""Reading our own layers on any basis: what is drawn is what the layer computes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import proofs
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import check, describe, read
from kan_widgets.nn import (
    RBF,
    BSpline,
    Chebyshev,
    Fourier,
    KANConv2d,
    KANLinear,
    KnotSpline,
    SharedKANConv2d,
)

KNOTS = (-2.1, -1.9, -1.0, -0.5, -0.4, 0.3, 0.5, 1.0, 1.7, 2.5)


@dataclass(frozen=True)
class Powers:
    """A user's own, with the five members that are needed and no more."""

    n_basis = 3
    labels = ("1", "x", "x²")
    domain = (-1.0, 1.0)

    def expand(self, x):
        return torch.stack([torch.ones_like(x), x, x * x], dim=-1)

    def derivative(self, x):
        return torch.stack([torch.zeros_like(x), torch.ones_like(x), 2 * x], dim=-1)


class Wave(nn.Module):
    n_basis, labels, domain = 1, ("sin ax",), (-1.0, 1.0)

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(1.7))

    def expand(self, x):
        return torch.sin(self.a * x).unsqueeze(-1)

    def derivative(self, x):
        return (self.a * torch.cos(self.a * x)).unsqueeze(-1)


BASES = [
    BSpline(8, 2, (0.0, 2.0)),
    KnotSpline(KNOTS, 3),
    KnotSpline(KNOTS, 0),
    RBF(),
    RBF(24, (-1.0, 1.0)),
    Chebyshev(),
    Chebyshev(9, (0.0, 1.0)),
    Fourier(),
    Fourier(12, (-1.0, 2.0)),
    Powers(),
]


@pytest.fixture(params=BASES, ids=str)
def basis(request):
    torch.manual_seed(0)
    return request.param


def lively(layer):
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn_like(parameter) / 2)
    return layer


def test_the_sum_of_the_functions_is_what_the_layer_computes(basis):
    for module in (
        KANLinear(4, 3, basis=basis, spline_scaler=True),
        KANConv2d(4, 6, 3, stride=2, padding=1, groups=2, basis=basis),
        SharedKANConv2d(3, 3, padding=1, basis=basis),
    ):
        assert check(lively(module)).error < 1e-5


def test_functions_are_written_back(basis):
    proofs.assert_writes_back(lively(KANConv2d(2, 3, 2, basis=basis, spline_scaler=True)))


def test_labels_domain_and_base_are_the_bases(basis):
    [layer] = read(KANLinear(2, 3, basis=basis))
    assert layer.basis_labels == ("silu", *basis.labels)
    assert layer.is_base == (True, *[False] * basis.n_basis)
    assert layer.domain == basis.domain
    low, high = layer.extent
    assert low < layer.domain[0] < layer.domain[1] < high or isinstance(basis, KnotSpline)


def test_a_frame_draws_every_weighted_basis_function_as_the_layer_adds_them_up(basis):
    layer = lively(KANLinear(2, 3, basis=basis))
    with kw.bind(layer) as live:
        frame = live.refresh()
    x, y = frame.evaluate("KANLinear")
    coefficients = frame.coefficients("KANLinear")[1, 1, 0, 0]
    table = frame.layout.layer("KANLinear").tables[0]
    terms = table.values * coefficients
    with torch.no_grad():
        points = torch.from_numpy(x)
        # One input alone: the other function's share is taken off.
        column = torch.stack([torch.zeros(len(x)), points], dim=-1)
        other = layer(torch.zeros(1, 2))[0, 1] - phi(layer, (1, 1), torch.zeros(1))
        expected = (layer(column)[:, 1] - other).numpy()
    # Which side of a jump a knot is on is a matter of rounding.
    knots = [] if getattr(basis, "continuous", True) else table.knots
    clear = np.array([all(abs(p - knot) > 1e-6 for knot in knots) for p in x])
    assert clear.sum() > 100
    terms, y, expected = terms[clear], y[..., clear], expected[clear]
    np.testing.assert_allclose(terms.sum(1), expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(y[1, 1, 0, 0], expected, rtol=0, atol=1e-5)


def phi(layer, index, x):
    base = layer.base_weight[index] * nn.functional.silu(x)
    return base + layer.basis.expand(x) @ layer.spline_weight[index]


@pytest.mark.parametrize(
    "basis", [b for b in BASES if getattr(b, "continuous", True)], ids=str, indirect=True
)
def test_between_the_samples_six_neighbours_tell_the_value(basis):
    """What the browser does for the numbers it reads out; knots part the samples."""
    layer = lively(KANLinear(1, 1, basis=basis)).double()
    with kw.bind(layer) as live:
        frame = live.refresh()
    described = frame.layout.layer("KANLinear")
    table = described.tables[0]
    bends = [*table.knots, 0.0]
    low, high = table.extent
    places = np.random.default_rng(0).uniform(low, high, 300)
    coefficients = layer.spline_weight[0, 0].detach().numpy()
    for place in places:
        start = max((b for b in bends if b <= place), default=low)
        end = min((b for b in bends if b > place), default=high)
        near = 1e-6 * (high - low)
        rows = np.flatnonzero((table.x >= start - near) & (table.x <= end + near))
        rows = np.sort(rows[np.argsort(np.abs(table.x[rows] - place))[:6]])
        xs = table.x[rows].astype(float)
        value = 0.0
        for i in range(len(rows)):
            others = np.delete(xs, i)
            value += table.values[rows[i], 1:] * np.prod((place - others) / (xs[i] - others))
        exact = basis.expand(torch.tensor(place, dtype=torch.float64)).numpy()
        assert abs((value - exact) @ coefficients) < 1e-5


def test_a_trained_basis_is_drawn_as_it_is_now():
    layer = lively(KANLinear(1, 1, basis=Wave()))
    optimizer = torch.optim.SGD(layer.parameters(), 0.5)
    with kw.bind(layer, optimizer, every=1) as live:
        versions = {live.feed.layout.version}
        for _ in range(3):
            optimizer.zero_grad()
            layer(torch.linspace(-1, 1, 20).unsqueeze(-1)).square().mean().backward()
            optimizer.step()
            frame = live.refresh()
            x, y = frame.evaluate("KANLinear")
            expected = phi(layer, (0, 0), torch.from_numpy(x)).detach()
            np.testing.assert_allclose(y[0, 0, 0, 0], expected, rtol=0, atol=1e-5)
            versions.add(live.feed.layout.version)
    assert len(versions) == 4


def test_a_pruned_function_is_read_as_zero_and_cannot_be_set():
    layer = lively(KANLinear(2, 3))
    x = torch.randn(50, 2)
    layer.mask = torch.tensor([[True, True], [True, False], [True, True]])
    [read_layer] = read(layer)
    assert not read_layer.coefficients[1, 1].any()
    assert read_layer.coefficients[1, 0].all()
    assert check(layer).error < 1e-5
    assert read_layer.write is not None
    with pytest.raises(ValueError, match=r"the mask of function \(1, 1\) is 0"):
        read_layer.write((1, 1), torch.ones(9))
    assert layer(x).isfinite().all()


def test_descriptions_name_the_functions():
    text = str(describe(nn.Sequential(KANLinear(2, 3, basis="fourier"), KANLinear(3, 2))))
    assert "silu, 1, cos π·x…cos 4π·x, sin π·x…sin 4π·x" in text
    assert "silu, B0…B7" in text
