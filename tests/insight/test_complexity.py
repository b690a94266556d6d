"""Complexity of functions, against scipy's splines and numerical integration."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import integrate
from scipy.interpolate import BSpline
from torch import nn

import kan_widgets as kw
from kan_widgets import insight
from kan_widgets.functions import LayerFunctions, read

DENSE = 40_001


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def trained_layer(**options):
    layer = kw.nn.KANLinear(3, 5, **options)
    with torch.no_grad():
        layer.spline_weight.normal_(0, 0.3)
        layer.base_weight.normal_(0, 0.5)
    return layer


def by_scipy(layer, x, derivative=0):
    """Evaluate all functions or a derivative, (functions, len(x)), x inside the grid."""
    low, high = layer.basis.grid_range
    size, order = layer.basis.grid_size, layer.basis.spline_order
    knots = low + (high - low) / size * np.arange(-order, size + order + 1)
    weights = layer.spline_weight.detach().double().reshape(-1, size + order).numpy()
    splines = np.stack([BSpline(knots, c, order)(x, nu=derivative) for c in weights])
    s = 1 / (1 + np.exp(-x))
    silu = [
        x * s,
        s + x * s * (1 - s),
        2 * s * (1 - s) + x * s * (1 - s) * (1 - 2 * s),
    ][derivative]
    return layer.base_weight.detach().double().reshape(-1, 1).numpy() * silu + splines


def fit(x, y, shape):
    """R² of the best a·shape + c by least squares on evenly spaced points."""
    design = np.stack([shape, np.ones_like(x)], axis=1)
    rest = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return 1 - (rest**2).mean() / y.var()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"grid_size": 10, "grid_range": (0.0, 1.0)},
        {"grid_size": 4, "spline_order": 4, "grid_range": (-4.0, 1.0)},
    ],
    ids=str,
)
@pytest.mark.parametrize("part", ["grid", "interval"])
def test_every_number_is_that_of_scipys_splines_integrated_numerically(options, part):
    layer = trained_layer(**options)
    low, high = layer.basis.grid_range
    interval = None
    if part == "interval":  # ends between the points of any table
        low, high = low + 0.2345 * (high - low), high - 0.1357 * (high - low)
        interval = low, high
    found = insight.complexity(read(layer)[0], interval=interval)
    x = np.linspace(low, high, DENSE)
    y, slope, second = (by_scipy(layer, x, n) for n in range(3))
    variation = integrate.trapezoid(np.abs(slope), x, axis=1)
    curvature = integrate.trapezoid(np.abs(second), x, axis=1) / (high - low)
    assert found.variation == pytest.approx(variation, rel=2e-3)
    assert found.range == pytest.approx(np.ptp(y, axis=1), rel=2e-3)
    assert found.curvature == pytest.approx(curvature, rel=1e-2)
    assert found.turns == pytest.approx(variation / np.ptp(y, axis=1), rel=4e-3)
    bend = curvature * (high - low) ** 2 / np.ptp(y, axis=1)
    assert found.bend == pytest.approx(bend, rel=1.2e-2)
    assert found.line == pytest.approx([fit(x, row, x) for row in y], abs=1e-3)
    silu = x / (1 + np.exp(-x))
    assert found.silu == pytest.approx([fit(x, row, silu) for row in y], abs=1e-3)


def test_kinks_of_splines_of_order_1_count_as_changes_of_slope():
    layer = trained_layer(spline_order=1, grid_size=4)
    with torch.no_grad():
        layer.base_weight.zero_()
    found = insight.complexity(read(layer)[0])
    heights = layer.spline_weight.detach().double().reshape(15, 5).numpy()
    assert found.variation == pytest.approx(np.abs(np.diff(heights)).sum(1))
    turned = np.abs(np.diff(heights, n=2)).sum(1) / 0.5
    assert found.curvature == pytest.approx(turned / 2)


def test_a_weight_is_a_straight_line_without_bend():
    found = insight.complexity(read(nn.Conv2d(2, 3, 3))[0])
    assert found.line == pytest.approx(np.ones(54))
    assert found.turns == pytest.approx(np.ones(54))
    assert found.bend == pytest.approx(np.zeros(54), abs=1e-9)


@pytest.mark.parametrize("name", ["turns", "bend", "line", "silu"])
def test_a_factor_leaves_the_numbers_of_the_shape_as_they_are(name):
    [layer] = read(trained_layer())
    once = getattr(insight.complexity(layer), name)
    flat = insight.sampled(layer).coefficients
    many = getattr(insight.complexity(layer, -1e-3 * flat), name)
    assert many == pytest.approx(once, rel=1e-9)


def test_a_constant_has_no_variation_and_no_shape():
    layer = trained_layer()
    with torch.no_grad():
        layer.base_weight.zero_()
        layer.spline_weight.fill_(0.7)  # splines add up to 1 on the grid
    found = insight.complexity(read(layer)[0])
    assert (found.variation == 0).all()
    assert (found.curvature == 0).all()
    assert np.isnan([found.turns, found.bend, found.line, found.silu]).all()


def test_a_function_that_is_not_finite_is_nan_and_the_others_are_as_before():
    layer = trained_layer()
    before = insight.complexity(read(layer)[0]).variation
    with torch.no_grad():
        layer.spline_weight[2, 1, 0] = torch.nan
    after = insight.complexity(read(layer)[0]).variation
    assert np.isnan(after).tolist() == [f == 7 for f in range(15)]
    assert np.delete(after, 7) == pytest.approx(np.delete(before, 7))


def test_functions_with_grids_of_their_own_are_measured_on_them():
    class Line:
        labels, is_base, knots, continuous = ("x",), (True,), (), True

        def __init__(self, low, high):
            self.domain = self.extent = (low, high)

        def __call__(self, x):
            return x.unsqueeze(-1)

    layer = LayerFunctions(
        "linear",
        torch.ones(2, 2, 1),
        (Line(-1.0, 1.0), Line(0.0, 5.0)),
        torch.tensor([[0, 1], [1, 0]]),
    )
    assert insight.complexity(layer).variation == pytest.approx([2, 5, 5, 2])


def test_a_frame_gives_what_the_model_gave_when_it_was_taken():
    model = kw.nn.KANCNN(channels=(3,))
    live = kw.bind(model)
    frame = live.frame
    expected = insight.complexity(read(model)[0])
    with torch.no_grad():
        model.convs[0].spline_weight.normal_()
    found = insight.complexity(frame.layout.layer("convs.0"), frame.coefficients("convs.0"))
    assert found.variation == pytest.approx(expected.variation, rel=1e-3)
    assert found.bend == pytest.approx(expected.bend, rel=2e-2)
    assert found.silu == pytest.approx(expected.silu, abs=1e-3)


def test_a_layout_without_coefficients_is_refused():
    frame = kw.bind(kw.nn.KANLinear(2, 2)).frame
    with pytest.raises(TypeError, match="LayerLayout holds no coefficients"):
        insight.complexity(frame.layout.layers[0])


@pytest.mark.parametrize("interval", [(1.0, 1.0), (2.0, -2.0), (0.0, np.inf), (np.nan, 1.0)])
def test_an_interval_that_is_none_is_refused(interval):
    with pytest.raises(ValueError, match=r"interval=.*: expected two finite numbers, low < high"):
        insight.complexity(read(nn.Linear(1, 1))[0], interval=interval)
