"""Layouts and frames: what the browser multiplies gives φ."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import scipy.interpolate
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import GridSpline, LayerBasis, LayerFunctions, read
from kan_widgets.functions.basis import Alike
from kan_widgets.live.frames.layout import LayoutKey, build_layout, sample, sample_points
from kan_widgets.nn import BSpline


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize("grid_range", [(-1.0, 1.0), (0.0, 1.0), (-3.0, 3.0)])
def test_a_table_times_coefficients_is_phi_between_the_samples_too(order, grid_range):
    basis = LayerBasis(BSpline(5, order, grid_range), "silu")
    table = sample(basis)
    low, high = basis.extent
    x = np.random.default_rng(0).uniform(low, high, 500)
    exact = basis(torch.from_numpy(x)).numpy()
    read_off = np.stack([np.interp(x, table.x, column) for column in table.values.T], axis=1)
    assert np.abs(read_off - exact).max() < 2e-3


def test_the_samples_hold_ends_knots_and_the_marks_for_dark_and_bright():
    basis = LayerBasis(BSpline(10, 3, (0.0, 1.0)), "silu")
    points = sample_points(basis).astype(np.float32)
    for mark in (*basis.extent, *basis.knots, -1.0, 0.0, 1.0):
        assert np.abs(points - mark).min() < 1e-6
    assert (np.diff(points) > 0).all()


def test_a_step_function_is_sampled_on_both_sides_of_each_knot():
    basis = LayerBasis(BSpline(4, 0, (-1.0, 1.0)), None)
    table = sample(basis)
    for knot in (-0.5, 0.0, 0.5):
        at = np.flatnonzero(table.x == np.float32(knot))[0]
        assert table.x[at + 1] - table.x[at - 1] < 1e-6
        assert np.argmax(table.values[at + 1]) == np.argmax(table.values[at - 1]) + 1


def test_a_very_fine_grid_keeps_its_knots_and_a_bounded_table():
    table = sample(LayerBasis(BSpline(100, 3), "silu"))
    assert 200 < len(table.x) < 500


@pytest.mark.parametrize("order", [2, 3, 4, 5])
@pytest.mark.parametrize("size", [20, 128, 300])
def test_between_two_knots_a_polynomial_through_the_points_is_the_spline(size, order):
    # So the browser reads φ off the table: by a polynomial through at most six points.
    basis = LayerBasis(BSpline(size, order), None)
    table = sample(basis)
    knots = np.array(basis.knots)
    for b in (0, size // 3, size + order - 1):
        spline = scipy.interpolate.BSpline.basis_element(knots[b : b + order + 2], False)
        for low, high in pairwise(knots[b : b + order + 2]):
            near = 1e-6 * (knots[-1] - knots[0])
            rows = np.flatnonzero((table.x > low - near) & (table.x < high + near))[:6]
            assert len(rows) > order
            x = np.linspace(table.x[rows[0]], table.x[rows[-1]], 9)[1:-1]
            through = scipy.interpolate.BarycentricInterpolator(
                table.x[rows].astype(float), table.values[rows, b].astype(float)
            )
            np.testing.assert_allclose(through(x), spline(x), atol=1e-5)


def test_layers_with_the_same_basis_share_one_table():
    layers = read(kw.nn.KANCNN.article())
    layout = build_layout(layers)
    first, second, linear = layout.layers
    assert first.tables[0] is second.tables[0]
    assert linear.tables[0] is not first.tables[0]


def test_offsets_number_all_coefficients_row_major():
    model = nn.Sequential(kw.nn.KANConv2d(2, 3, (3, 2)), nn.Flatten(), nn.Linear(4, 2))
    live = kw.bind(model)
    conv, linear = live.feed.layout.layers
    assert (conv.offset, conv.length, linear.offset) == (0, 3 * 2 * 6 * 9, 324)
    o, i, r, c, b = 2, 1, 0, 1, 4
    f = ((o * 2 + i) * 3 + r) * 2 + c
    weight = model[0].spline_weight[o, i, r, c, b - 1].item()
    assert live.frame.data[conv.offset + f * conv.nb + b] == pytest.approx(weight)
    assert live.frame.coefficients("0")[o, i, r, c, b] == pytest.approx(weight)
    assert live.frame.data[linear.offset + 7] == model[2].weight.flatten()[7].item()


def test_evaluating_a_frame_equals_evaluating_the_model():
    model = kw.nn.KANConv2d(2, 3, 3)
    live = kw.bind(model)
    x, y = live.frame.evaluate("KANConv2d")
    expected = read(model)[0].evaluate(torch.from_numpy(x))
    np.testing.assert_allclose(y, expected.numpy(), atol=1e-6)


def test_a_frame_is_a_copy():
    model = nn.Linear(2, 2)
    live = kw.bind(model)
    before = live.frame.data.copy()
    model.weight.data.add_(1.0)
    np.testing.assert_array_equal(live.frame.data, before)


def test_half_and_double_precision_models_give_float32_frames():
    for dtype in (torch.float64, torch.bfloat16):
        model = kw.nn.KANLinear(3, 2).to(dtype)
        live = kw.bind(model)
        assert live.frame.data.dtype == np.float32
        expected = model.base_weight.detach().float().numpy()
        np.testing.assert_array_equal(live.frame.coefficients("KANLinear")[..., 0, 0, 0], expected)


def test_other_bases_or_shapes_need_a_new_layout():
    def layer(size: int, index: torch.Tensor | None = None) -> LayerFunctions:
        bases = tuple(LayerBasis(BSpline(size), "silu") for _ in range(1 if index is None else 2))
        return LayerFunctions("linear", torch.zeros(1, 2, size + 4), bases, index)

    zero, one = torch.tensor([[0, 0]]), torch.tensor([[0, 1]])

    def same(a: list[LayerFunctions], b: list[LayerFunctions]) -> bool:
        layout = build_layout(a)
        rebuilt = build_layout(b, layout) is layout
        # A key may send us to build_layout once too often, but never too seldom.
        assert rebuilt or not LayoutKey.of(a).fits(LayoutKey.of(b))
        return rebuilt

    assert same([layer(5)], [layer(5)])
    assert LayoutKey.of([layer(5)]).fits(LayoutKey.of([layer(5)]))
    assert not same([layer(5)], [layer(6)])
    assert not same([layer(5)], [layer(5), layer(5)])
    assert same([layer(5, zero)], [layer(5, zero.clone())])
    assert not same([layer(5, zero)], [layer(5, one)])


def test_with_many_grids_a_trained_activation_still_has_tables_made_of_it_in_every_frame():
    def layer(activation: nn.Module) -> LayerFunctions:
        knots = [tuple(np.linspace(-1, end, 7)) for end in (1, 2, 3)]
        bases = Alike(LayerBasis(GridSpline(row), activation) for row in knots)
        return LayerFunctions("linear", torch.zeros(1, 3, 4), bases, torch.tensor([[0, 1, 2]]))

    trained, fixed = layer(nn.PReLU()), layer(nn.Softplus())
    assert not LayoutKey.of([trained]).fits(LayoutKey.of([trained]))
    assert LayoutKey.of([fixed]).fits(LayoutKey.of([fixed]))


def test_a_users_basis_that_compares_by_identity_does_not_change_the_layout():
    class Square:
        labels, is_base, domain, extent, knots = ("x²",), (False,), (-1.0, 1.0), (-2.0, 2.0), ()
        continuous = True

        def __call__(self, x: torch.Tensor) -> torch.Tensor:
            return x.square().unsqueeze(-1)

    layers = [LayerFunctions("linear", torch.zeros(1, 1, 1), (Square(),)) for _ in range(2)]
    layout = build_layout(layers[:1])
    assert build_layout(layers[1:], layout) is layout
