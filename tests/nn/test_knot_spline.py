"""KnotSpline against SciPy and against BSpline."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline as SciPySpline

from kan_widgets.nn import BSpline, KANConv2d, KnotSpline
from kan_widgets.nn.bases.knot_spline import spline_on
from tests.nn.reference import probing_values


def uneven(order, seed=0):
    """Knots of a grid of 6 intervals, some twenty times as long as others."""
    steps = np.random.default_rng(seed).uniform(0.05, 1.0, 6 + 2 * order)
    return tuple(np.concatenate([[-2.0], -2.0 + np.cumsum(steps)]))


def scipys(x, knots, order, derivative=0):
    """Every B-spline by itself, zero outside its knots."""
    columns = []
    for b in range(len(knots) - order - 1):
        element = SciPySpline.basis_element(knots[b : b + order + 2], extrapolate=False)
        values = element.derivative(derivative)(x) if derivative else element(x)
        inside = (x >= knots[b]) & (x < knots[b + order + 1])
        columns.append(np.where(inside, np.nan_to_num(values), 0.0))
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-5), (torch.float64, 1e-12)])
def test_values_equal_scipys(order, dtype, tolerance):
    # In both precisions the same numbers, so that a knot is not on two sides of an x.
    knots = tuple(np.asarray(uneven(order), dtype=np.float32).astype(float).tolist())
    x = np.random.default_rng(1).uniform(knots[0] - 1, knots[-1] + 1, 500)
    x = np.concatenate([x, knots[:-1]]).astype(np.float32)
    ours = KnotSpline(knots, order).expand(torch.from_numpy(x).to(dtype))
    assert ours.shape == (len(x), 6 + order)
    expected = scipys(x.astype(float), knots, order)
    np.testing.assert_allclose(ours.double(), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("order", range(1, 6))
def test_derivatives_equal_scipys(order):
    knots = uneven(order)
    x = np.random.default_rng(1).uniform(knots[0] - 1, knots[-1] + 1, 500)
    ours = KnotSpline(knots, order).derivative(torch.from_numpy(x))
    np.testing.assert_allclose(ours, scipys(x, knots, order, 1), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize(("grid_size", "grid_range"), [(1, (0.0, 1.0)), (8, (-3.0, 1.0))])
def test_evenly_spaced_knots_give_the_uniform_splines(order, grid_size, grid_range):
    even = BSpline(grid_size, order, grid_range)
    general = KnotSpline(even.knots, order)
    x = torch.from_numpy(probing_values((400,), grid_size, order, grid_range, seed=order)).double()
    torch.testing.assert_close(general.expand(x), even.expand(x), rtol=0, atol=1e-12)
    if order > 1:
        torch.testing.assert_close(general.derivative(x), even.derivative(x), rtol=0, atol=1e-10)
    for name in ("grid_size", "grid_range", "n_basis", "support", "labels", "continuous"):
        assert getattr(general, name) == getattr(even, name)
    assert spline_on(even.knots, order) == even


def test_functions_sum_to_one_on_the_closed_grid_range():
    for order in range(6):
        basis = KnotSpline(uneven(order), order)
        x = torch.linspace(*basis.grid_range, 101, dtype=torch.float64)
        x[-1] = basis.grid_range[1]
        torch.testing.assert_close(basis.expand(x).sum(-1), torch.ones_like(x))


@pytest.mark.parametrize("order", range(6))
def test_a_layer_on_even_knots_equals_one_on_the_uniform_grid(order):
    torch.manual_seed(0)
    uniform = KANConv2d(2, 3, 3, spline_order=order)
    torch.nn.init.normal_(uniform.spline_weight)
    general = KANConv2d(2, 3, 3, basis=KnotSpline(uniform.basis.knots, order))
    with torch.no_grad():
        for mine, theirs in zip(general.parameters(), uniform.parameters(), strict=True):
            mine.copy_(theirs)
    x = torch.randn(2, 2, 8, 8, requires_grad=True)
    torch.testing.assert_close(general(x), uniform(x), rtol=1e-4, atol=1e-4)
    gradients = [
        torch.autograd.grad(layer(x).square().sum(), [x, *layer.parameters()])
        for layer in (general, uniform)
    ]
    for mine, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-3)
