"""Ranges, shares and shapes of functions, against dense evaluation with scipy and numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline
from torch import nn

import kan_widgets as kw
from kan_widgets import insight
from kan_widgets.functions import LayerFunctions, read
from kan_widgets.insight.kernels import columns_and_bases, kernel_terms
from kan_widgets.insight.sampled_layer import basis_at

DENSE = 20_001


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def trained_layer(**options: Any) -> kw.nn.KANLinear:
    layer = kw.nn.KANLinear(4, 6, **options)
    with torch.no_grad():
        layer.spline_weight.normal_(0, 0.3)
        layer.base_weight.normal_(0, 0.5)
    return layer


def by_scipy(layer: kw.nn.KANLinear, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Evaluate base term and splines, each (functions, len(x))."""
    low, high = layer.basis.grid_range
    size, order = layer.basis.grid_size, layer.basis.spline_order
    knots = low + (high - low) / size * np.arange(-order, size + order + 1)
    w = layer.spline_weight.detach().double()
    if layer.spline_scaler is not None:
        w = w * layer.spline_scaler.detach().double().unsqueeze(-1)
    w = w.reshape(-1, size + order).numpy()
    inside = (x >= knots[0]) & (x <= knots[-1])
    splines = np.zeros((len(w), len(x)))
    for f, c in enumerate(w):
        padded = np.concatenate([np.zeros(order), c, np.zeros(order)])
        step = knots[1] - knots[0]
        more = np.concatenate(
            [
                knots[0] - step * np.arange(order, 0, -1),
                knots,
                knots[-1] + step * np.arange(1, order + 1),
            ]
        )
        splines[f, inside] = BSpline(more, padded, order, extrapolate=False)(x[inside])
    base = layer.base_weight.detach().double().reshape(-1, 1).numpy() * (x / (1 + np.exp(-x)))
    return base, splines


def measured(layer: nn.Module, **more: Any) -> insight.FunctionRanges:
    sampled = insight.sampled(read(layer)[0])
    return insight.function_ranges(sampled, sampled.coefficients, **more)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"grid_size": 10, "grid_range": (0.0, 1.0), "spline_scaler": True},
        {"grid_size": 3, "spline_order": 2, "grid_range": (-4.0, 1.0)},
        {"grid_size": 7, "spline_order": 1},
    ],
    ids=str,
)
def test_ranges_and_their_two_terms_are_those_of_a_dense_evaluation(options):
    layer = trained_layer(**options)
    x = np.linspace(*layer.basis.grid_range, DENSE)
    base, splines = by_scipy(layer, x)
    found = measured(layer)
    assert found.range == pytest.approx(np.ptp(base + splines, axis=1), rel=2e-3)
    assert found.base == pytest.approx(np.ptp(base, axis=1), rel=1e-3)
    assert found.splines == pytest.approx(np.ptp(splines, axis=1), rel=2e-3)
    assert not found.constant.any()
    assert not found.broken.any()


@pytest.mark.parametrize("options", [{}, {"grid_size": 10, "grid_range": (0.0, 1.0)}], ids=str)
def test_r2_is_that_of_least_squares(options):
    layer = trained_layer(**options)
    x = np.linspace(*layer.basis.grid_range, DENSE)
    phi = sum(by_scipy(layer, x))
    columns = np.stack([x / (1 + np.exp(-x)), np.ones_like(x)], axis=1)
    residual = phi.T - columns @ np.linalg.lstsq(columns, phi.T, rcond=None)[0]
    expected = 1 - residual.var(axis=0) / phi.var(axis=1)
    found = measured(layer)
    assert expected.min() < 0.3
    assert 0.9 < expected.max() < 1
    assert found.silu == pytest.approx(expected, abs=2e-3)
    assert found.own == pytest.approx(found.silu)


def test_the_frames_own_coarser_tables_measure_as_well():
    layer = trained_layer()
    live = kw.bind(layer)
    its = live.feed.layout.layers[0]
    found = insight.function_ranges(its, live.frame.coefficients(its.name))
    phi = sum(by_scipy(layer, np.linspace(-1, 1, DENSE)))
    assert found.range == pytest.approx(np.ptp(phi, axis=1), rel=3e-3)
    assert found.silu == pytest.approx(measured(layer).silu, abs=3e-3)


def test_the_change_is_the_largest_distance_from_the_start():
    layer = trained_layer()
    x = np.linspace(-1, 1, DENSE)
    before = sum(by_scipy(layer, x))
    start = insight.sampled(read(layer)[0])
    with torch.no_grad():
        layer.spline_weight.add_(0.2 * torch.randn_like(layer.spline_weight))
        layer.base_weight.mul_(1.3)
    after = sum(by_scipy(layer, x))
    found = measured(layer, start=insight.start_from(start, start.coefficients))
    assert found.change == pytest.approx(np.abs(after - before).max(axis=1), rel=2e-3)
    assert found.started == pytest.approx(np.ptp(before, axis=1), rel=2e-3)


def test_functions_on_another_grid_are_compared_by_their_values():
    coarse, fine = trained_layer(grid_size=4), trained_layer(grid_size=9)
    x = np.linspace(-1, 1, DENSE)
    start = insight.sampled(read(coarse)[0])
    found = measured(fine, start=insight.start_from(start, start.coefficients))
    expected = np.abs(sum(by_scipy(fine, x)) - sum(by_scipy(coarse, x))).max(axis=1)
    assert found.change == pytest.approx(expected, rel=5e-3)


def test_a_layer_of_another_shape_is_not_compared():
    start = insight.sampled(read(kw.nn.KANLinear(2, 2))[0])
    found = measured(trained_layer(), start=insight.start_from(start, start.coefficients))
    assert np.isnan(found.change).all()
    assert np.isfinite(found.range).all()


def test_constant_and_broken_functions_are_counted_and_leave_the_rest_alone():
    layer = trained_layer()
    alone = measured(layer)
    with torch.no_grad():
        layer.base_weight[0, 0] = 0
        layer.spline_weight[0, 0] = 0.7  # the splines add up to a constant on the grid
        layer.base_weight[0, 1] = 0
        layer.spline_weight[0, 1] = 0
        layer.base_weight[0, 2] = float("nan")
        layer.spline_weight[0, 3, 2] = float("inf")
    found = measured(layer)
    assert np.flatnonzero(found.constant).tolist() == [0, 1]
    assert np.flatnonzero(found.broken).tolist() == [2, 3]
    assert found.range[:2].tolist() == [0, 0]
    assert np.isnan(found.silu[:4]).all()
    for name in ("range", "base", "splines", "silu"):
        # float32 products of another number of rows may be added up in another order.
        expected = pytest.approx(getattr(alone, name)[4:], rel=1e-6)
        assert getattr(found, name)[4:] == expected, name
    summary = insight.summarise(insight.sampled(read(layer)[0]), found)
    assert (summary.constant, summary.not_finite, summary.functions) == (2, 2, 24)
    assert summary.grid.median == pytest.approx(np.median(found.range[[0, 1, *range(4, 24)]]))


def test_a_layer_of_nothing_finite_has_no_numbers_and_does_not_raise():
    layer = trained_layer()
    with torch.no_grad():
        layer.base_weight.fill_(float("nan"))
    [summary] = insight.layer_ranges(layer)
    assert summary.not_finite == 24
    assert summary.grid is summary.silu_shaped is summary.spline_share is None


def test_functions_with_grids_of_their_own_are_measured_on_them():
    import convkan

    module = convkan.ConvKAN(2, 3, 2)
    with torch.no_grad():
        module.kan_layer.grid += 0.1 * torch.rand(module.kan_layer.grid.shape).cumsum(-1)
        module.kan_layer.spline_weight.normal_(0, 0.4)
    [layer] = read(module)
    assert len(layer.bases) == 8
    found = measured(module)
    for f, index in enumerate(layer.basis_index.flatten().tolist()):
        basis = layer.bases[index]
        x = torch.linspace(*basis.domain, DENSE, dtype=torch.float64)
        c = layer.coefficients.reshape(24, -1)[f].double()
        assert found.range[f] == pytest.approx(float(np.ptp((basis(x) @ c).numpy())), rel=2e-3)


# -- the inputs seen ------------------------------------------------------------------------


def exact_range(layer: LayerFunctions, entry_inputs: list[torch.Tensor]) -> np.ndarray:
    """Evaluate each function at every input of its entry."""
    out, in_, kh, kw_ = layer.shape
    per_kernel = in_ * kh * kw_
    groups = len(entry_inputs) // per_kernel
    found = np.empty(layer.n_functions)
    c = layer.coefficients.reshape(layer.n_functions, -1).double()
    index = layer.basis_index
    for f in range(layer.n_functions):
        o = f // per_kernel
        entry = o // (out // groups) * per_kernel + f % per_kernel
        basis = layer.bases[0 if index is None else int(index.flatten()[f])]
        values = basis(entry_inputs[entry].double()) @ c[f]
        found[f] = float(values.max() - values.min())
    return found


def observed_ranges(live: kw.Binding, name: str) -> tuple[np.ndarray, insight.SeenInputs]:
    its, seen = live.feed.layout.layer(name), live.feed.observed[name]
    inputs = insight.seen_inputs(
        its, seen.patches, seen.edges, seen.counts, seen.outside_domain, seen.outside_extent
    )
    found = insight.function_ranges(its, live.frame.coefficients(name), seen=inputs)
    return found.observed, inputs


def test_the_observed_range_is_that_over_every_input_of_a_linear_layer():
    layer = trained_layer()
    live = kw.bind(layer)
    x = torch.randn(400, 4) * torch.tensor([0.1, 0.5, 1.0, 2.0]) + torch.tensor([0.3, 0.0, -2, 0])
    live.observe(x)
    found, seen = observed_ranges(live, live.layers[0])
    expected = exact_range(read(layer)[0], list(x.T))
    assert found == pytest.approx(expected, rel=5e-3)
    assert seen.outside_grid == pytest.approx(((x < -1) | (x > 1)).float().mean().item())
    assert seen.outside_support == pytest.approx(((x < -2.2) | (x > 2.2)).float().mean().item())
    assert 0.05 < seen.outside_support < seen.outside_grid < 0.6


@pytest.mark.parametrize("groups", [1, 2])
def test_the_observed_range_is_that_over_every_patch_of_a_convolution(groups):
    layer = kw.nn.KANConv2d(2, 4, (2, 3), groups=groups, padding=1)
    with torch.no_grad():
        layer.spline_weight.normal_(0, 0.3)
    live = kw.bind(layer)
    images = torch.randn(5, 2, 7, 6)
    live.observe(images)
    found, seen = observed_ranges(live, live.layers[0])
    columns = torch.nn.functional.unfold(images, (2, 3), padding=1)
    inputs = list(columns.transpose(0, 1).flatten(1))
    assert found == pytest.approx(exact_range(read(layer)[0], inputs), rel=5e-3)
    outside = ((columns < -1) | (columns > 1)).float().mean().item()
    assert seen.outside_grid == pytest.approx(outside, abs=1e-6)


def test_shared_kernels_see_the_patches_of_every_channel():
    layer = kw.nn.SharedKANConv2d(4, 3)
    live = kw.bind(layer)
    images = torch.rand(3, 3, 6, 6)
    live.observe(images)
    found, _ = observed_ranges(live, live.layers[0])
    patches = images.unfold(2, 3, 1).unfold(3, 3, 1).flatten(-2).flatten(0, 3)
    assert found == pytest.approx(exact_range(read(layer)[0], list(patches.T)), rel=5e-3)


def test_many_entries_are_seen_coarser_but_to_the_same_ends():
    layer = kw.nn.KANLinear(3000, 2)
    with torch.no_grad():
        layer.spline_weight.normal_(0, 0.1)
    live = kw.bind(layer)
    x = torch.randn(60, 3000)
    live.observe(x)
    found, seen = observed_ranges(live, live.layers[0])
    assert seen.points.size <= 110_000
    assert found == pytest.approx(exact_range(read(layer)[0], list(x.T)), rel=0.2)
    assert np.nanmin(seen.points, axis=1) == pytest.approx(x.min(0).values.numpy())
    assert np.nanmax(seen.points, axis=1) == pytest.approx(x.max(0).values.numpy())


def test_entries_with_grids_of_their_own_count_what_is_outside_those():
    layer = LayerFunctions(
        "linear",
        torch.ones(1, 2, 4),
        tuple(
            kw.functions.LayerBasis(kw.nn.KnotSpline(tuple(float(k + s) for k in range(6)), 1))
            for s in (0, 10)
        ),
        torch.tensor([[0, 1]]),
        name="own",
    )
    x = np.array([[2.0, 2.0], [12.0, 12.0], [3.0, 13.0], [12.0, 12.5]])
    seen = insight.seen_inputs(insight.sampled(layer), x)
    assert seen.outside_grid == pytest.approx(3 / 8)


def test_inputs_that_do_not_fit_the_layer_are_refused():
    layer = insight.sampled(read(kw.nn.KANLinear(4, 2))[0])
    with pytest.raises(ValueError, match=r"expected \(n, 4\)"):
        insight.seen_inputs(layer, np.zeros((5, 3)))


def test_shapes_over_the_inputs_are_those_of_a_regression_at_them():
    layer = trained_layer()
    torch.manual_seed(3)
    x = torch.cat([0.2 * torch.randn(300, 4) - 0.6, 0.1 * torch.randn(100, 4) + 0.9]).double()
    x = x.numpy()
    sampled = insight.sampled(read(layer)[0])
    seen = insight.seen_inputs(sampled, x)
    found = insight.function_ranges(sampled, sampled.coefficients, seen=seen)
    for f in range(24):
        at = x[:, f % 4]
        base, splines = by_scipy(layer, at)
        y = base[f] + splines[f]
        expected = np.corrcoef(y, at / (1 + np.exp(-at)))[0, 1] ** 2
        assert found.observed_silu[f] == pytest.approx(expected, abs=5e-3)
        assert found.observed_own[f] == pytest.approx(expected, abs=5e-3)  # its base is SiLU
    assert np.abs(found.observed_silu - found.silu).max() > 0.1


def over_inputs(model: nn.Module, x: np.ndarray) -> insight.LayerSummary:
    """Return the numbers of a layer, also over inputs."""
    layer = insight.sampled(*read(model))
    seen = insight.seen_inputs(layer, x)
    found = insight.function_ranges(layer, layer.coefficients, seen=seen)
    return insight.summarise(layer, found, seen)


def test_where_inputs_are_functions_may_be_silu_and_on_the_grid_not():
    layer = kw.nn.KANLinear(2, 3)
    with torch.no_grad():
        layer.base_weight.fill_(1.0)
        layer.spline_weight.zero_()
        layer.spline_weight[:, :, -1] = 4.0  # of the spline that is 0 below x = 0.6
    x = {"0": np.random.default_rng(0).uniform(-1, 0.5, (200, 2))}
    summary = over_inputs(nn.Sequential(layer), x["0"])
    assert (summary.silu_shaped, summary.observed_silu_shaped) == (0.0, 1.0)
    [without] = insight.layer_ranges(layer)
    assert without.observed_silu_shaped is without.observed_base_shaped is None


def test_shapes_over_inputs_with_grids_of_their_own_groups_and_constants():
    import convkan

    module = convkan.ConvKAN(2, 3, 2)
    with torch.no_grad():
        module.kan_layer.grid += 0.1 * torch.rand(module.kan_layer.grid.shape).cumsum(-1)
    grouped = kw.nn.KANConv2d(4, 6, (2, 1), groups=2)
    nn.init.normal_(grouped.spline_weight)
    for layer in (module, grouped):
        [functions] = read(layer)
        live = kw.bind(layer)
        channels = 2 if layer is module else 4
        [observed] = live.observe(torch.randn(3, channels, 5, 5)).values()
        sampled = insight.sampled(functions)
        seen = insight.seen_inputs(sampled, observed.patches)
        found = insight.function_ranges(sampled, sampled.coefficients, seen=seen)
        out, patches = functions.shape[0], observed.patches.astype(np.float64)
        for o in range(out):
            terms = kernel_terms(functions, patches, o)
            columns = columns_and_bases(functions)[0].reshape(out, -1)[o]
            for e, column in enumerate(columns):
                at = patches[:, column]
                expected = np.corrcoef(terms[:, e], at / (1 + np.exp(-at)))[0, 1] ** 2
                got = found.observed_silu.reshape(out, -1)[o, e]
                assert got == pytest.approx(expected, abs=0.02)
    still = np.full((50, 4), 0.3)
    layer = trained_layer()
    summary = over_inputs(nn.Sequential(layer), still)
    assert summary.observed is not None
    assert summary.observed_silu_shaped is None


# -- other bases ----------------------------------------------------------------------------


def test_an_ordinary_layer_is_all_straight_lines_without_splines():
    [summary] = insight.layer_ranges(nn.Linear(5, 4))
    assert (summary.base, summary.base_shaped, summary.spline_share) == ("x", 1.0, 0.0)
    assert summary.silu_shaped == 0.0  # on [-1, 1] a line is SiLU to an R² of 0.94 only


def test_without_a_base_term_all_of_the_range_is_the_splines():
    model = kw.nn.KANLinear(3, 2)
    [layer] = read(model)
    waves = LayerFunctions(
        "linear",
        torch.randn(2, 3, 6),
        (kw.functions.LayerBasis(kw.nn.Fourier(3, constant=False)),),
        name="w",
    )
    sampled = insight.sampled(waves)
    found = insight.function_ranges(sampled, sampled.coefficients)
    summary = insight.summarise(sampled, found)
    assert summary.spline_share == 1.0
    assert summary.base == ""
    assert summary.base_shaped == summary.silu_shaped
    assert layer.is_base[0]


def test_beyond_the_table_only_the_base_goes_on():
    layer = insight.sampled(read(kw.nn.KANLinear(1, 1))[0])
    x = np.array([-9.0, 9.0])
    beta = basis_at(layer, layer.tables[0], x)
    assert beta[:, 0] == pytest.approx(x / (1 + np.exp(-x)))
    assert (beta[:, 1:] == 0).all()


def test_quantiles_are_numpys():
    layer = trained_layer()
    [summary] = insight.layer_ranges(layer)
    values = measured(layer).range
    found = summary.grid
    assert [found.low, found.lower, found.median, found.upper, found.high] == pytest.approx(
        np.percentile(values, [5, 25, 50, 75, 95])
    )


def test_after_63_steps_of_the_articles_network_the_dense_layers_ranges_are_the_small_ones():
    digits = kw.data.mnist("embedded")
    model = kw.nn.KANCNN.article()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    start = insight.layer_ranges(model)
    for x, y in zip(
        digits.train_images.split(64)[:63], digits.train_labels.split(64), strict=False
    ):
        optimizer.zero_grad()
        nn.functional.nll_loss(model(x), y).backward()
        optimizer.step()
    now = insight.layer_ranges(model)
    first, second, dense = (summary.grid.median for summary in now)
    assert 0.1 < first < 0.35
    assert 0.1 < second < 0.35
    # The median of U(±1/√625) times SiLU's rise over the grid, and what 63 steps add to it.
    assert start[2].grid.median == pytest.approx(0.5 / 25 * 0.731, rel=0.05)
    assert 0.02 < dense < 0.04
    for before, after in zip(start, now, strict=True):
        assert before.spline_share < 0.03
        assert 0.05 < after.spline_share < 0.2
        assert before.silu_shaped > 0.95
        assert 0.6 < after.silu_shaped < 0.98
