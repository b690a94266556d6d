"""Readings of kernels judged, and the report of a layer."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import LayerFunctions, read
from kan_widgets.insight import (
    Observed,
    PatternCheck,
    SeenPatches,
    Untrained,
    check_pattern,
    kernel_of,
    kernel_report,
    linear_kernel,
    preferred_patch,
    suppressed_patch,
    untrained_networks,
)


def a_layer(**options: object) -> LayerFunctions:
    torch.manual_seed(0)
    layer = kw.nn.KANConv2d(2, 3, 3, **options)  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_()
    return read(layer)[0]


def seen(layer: LayerFunctions, columns: int = 18) -> SeenPatches:
    return SeenPatches(layer.name, 7, np.random.default_rng(0).uniform(-1.2, 1.2, (500, columns)))


def test_every_reading_is_judged_by_its_correlation_with_the_response() -> None:
    layer = a_layer()
    observed = seen(layer)
    x, kernel = observed.patches, kernel_of(layer, 1)
    found = check_pattern(kernel, observed)
    y = kernel.response(x)
    contrast = (kernel.terms(np.ones((1, 18))) - kernel.terms(-np.ones((1, 18))))[0]
    linear, best = linear_kernel(kernel, observed), preferred_patch(kernel)
    away = (x - best.x.ravel()) / x.std(axis=0)
    expected = {
        "binary": x @ np.where(contrast < 0, -1, 1),
        "graded": x @ contrast,
        "linear": linear.response(x),
        "slopes": x @ linear.mean_slopes.ravel(),
        "preferred": x @ best.x.ravel(),  # the middle of the domain is 0
        "nearness": -np.sqrt((away**2).sum(axis=1)),
    }
    assert found.contrast.ravel() == pytest.approx(contrast, abs=1e-12)
    for name, template in expected.items():
        r = np.corrcoef(template, y)[0, 1]
        assert getattr(found, name) == pytest.approx(r, abs=1e-9), name
    assert (found.samples, found.patches) == (7, 500)


def untrained_kernels(count: int, seed: int = 0) -> tuple[Untrained, ...]:
    batch = torch.rand(20, 2, 6, 6, generator=torch.Generator().manual_seed(1)) * 2 - 1

    def observe(model: nn.Module) -> dict[str, Observed]:
        return dict(kw.bind(model, prove=False).observe(batch))

    return untrained_networks(lambda: kw.nn.KANConv2d(2, 3, 3), observe, count=count, seed=seed)


def test_a_pattern_is_compared_with_those_of_untrained_kernels() -> None:
    networks = untrained_kernels(6)
    expected = []
    for network in networks:
        [layer] = network.layers
        x = network.observed[layer.name].patches.astype(float)
        for out in range(3):
            kernel = kernel_of(layer, out)
            ends = kernel.terms(np.ones((1, 18))) - kernel.terms(-np.ones((1, 18)))
            expected.append(np.corrcoef(x @ np.sign(ends[0]), kernel.response(x))[0, 1])
    layer = a_layer()
    observed = seen(layer)
    found = check_pattern(kernel_of(layer, 1), observed, untrained=networks)
    assert found.untrained == pytest.approx(np.array(expected), abs=1e-9)
    at_least = sum(r >= found.binary for r in expected)
    assert found.p_untrained == (1 + at_least) / 19
    assert check_pattern(kernel_of(layer, 1), observed).p_untrained is None
    text = str(kernel_report(layer, observed, untrained=networks))
    low, middle, high = (f"{r:.3f}" for r in np.quantile(expected, (0.05, 0.5, 0.95)))
    assert (
        f"r of ±1 pattern of 18 kernels of untrained networks: {middle} in the median, nine in ten "
        f"from {low} to {high}"
    ) in text
    assert "kernels that were never trained may be as like" in str(kernel_report(layer, observed))


def test_that_a_pattern_reads_an_untrained_kernel_well_is_no_finding() -> None:
    networks = untrained_kernels(20)
    p = []
    for network in untrained_kernels(10, seed=100):
        [layer] = network.layers
        for out in range(3):
            one = check_pattern(
                kernel_of(layer, out), network.observed[layer.name], untrained=networks
            )
            p.append(one.p_untrained)
            assert one.binary > 0.5
    # Of 30, one or two are expected below 0.05; six or more come once in 300 times.
    assert sum(each <= 0.05 for each in p) < 6


def test_untrained_networks_without_the_layer_are_refused() -> None:
    layer = a_layer()
    other = untrained_networks(lambda: nn.Sequential(kw.nn.KANConv2d(2, 3, 3)), count=1)
    bare = untrained_networks(lambda: kw.nn.KANConv2d(2, 3, 3), count=1)
    for networks, words in ((other, "got one"), (bare, "got one with nothing observed")):
        with pytest.raises(ValueError, match=f"untrained: expected networks with .*{words}"):
            check_pattern(kernel_of(layer, 0), seen(layer), untrained=networks)


def test_the_preferred_patch_counts_from_the_middle_of_its_bounds() -> None:
    layer = a_layer()
    observed, kernel = seen(layer), kernel_of(layer, 0)
    found = check_pattern(kernel, observed, (-0.2, 1.0))
    best = preferred_patch(kernel, (-0.2, 1.0))
    template = observed.patches @ (best.x.ravel() - 0.4)
    r = np.corrcoef(template, kernel.response(observed.patches))[0, 1]
    assert found.preferred == pytest.approx(r, abs=1e-9)


def test_the_pattern_is_the_one_that_the_grid_shows() -> None:
    layer = nn.Conv2d(1, 1, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[[[0.3, -0.2], [0.0, -1.0]]]]))
    functions = read(layer)[0]
    found = check_pattern(kernel_of(functions, 0), seen(functions, 4))
    assert found.pattern.ravel().tolist() == [1, -1, 1, -1]
    assert found.contrast.ravel() == pytest.approx([0.6, -0.4, 0.0, -2.0])
    svg = kw.KernelGrid(layer, mode="pattern", binarise=True).svg()
    fills = re.findall(r"<rect [^>]*(?:fill=\"rgb\((0|255),)", svg)
    assert [int(grey) for grey in fills] == [255, 0, 255, 0]


def test_the_ends_that_are_compared_are_those_of_each_functions_own_grid() -> None:
    torch.manual_seed(0)
    layer = kw.nn.KANLinear(3, 2, grid_range=(0, 1))
    nn.init.normal_(layer.spline_weight)
    [functions] = kw.functions.read(layer)
    kernel = kernel_of(functions, 1)
    found = check_pattern(kernel, seen(functions, 3))
    assert (set(found.low.ravel()), set(found.high.ravel())) == ({0.0}, {1.0})
    contrast = (kernel.terms(np.ones((1, 3))) - kernel.terms(np.zeros((1, 3))))[0]
    assert found.contrast.ravel() == pytest.approx(contrast, abs=1e-12)
    at_one = (kernel.terms(np.ones((1, 3))) - kernel.terms(-np.ones((1, 3))))[0]
    assert np.abs(contrast - at_one).max() > 0.1


def test_a_kernel_of_equal_weights_is_its_pattern_and_one_that_bends_is_not() -> None:
    straight = nn.Conv2d(1, 1, 2, bias=False)
    with torch.no_grad():
        straight.weight.copy_(torch.tensor([[[[0.5, -0.5], [-0.5, 0.5]]]]))
    functions = read(straight)[0]
    found = check_pattern(kernel_of(functions, 0), seen(functions, 4))
    for r in (found.binary, found.linear, found.preferred, found.slopes):
        assert r == pytest.approx(1)
    # Even functions have no contrast at all: neither a pattern nor a line can see them.
    bent = kw.nn.KANConv2d(1, 1, 2, basis="chebyshev")
    with torch.no_grad():
        bent.base_weight.zero_()
        bent.spline_weight.zero_()
        bent.spline_weight[..., 2] = -1.0
    functions = read(bent)[0]
    found = check_pattern(kernel_of(functions, 0), seen(functions, 4))
    assert abs(found.binary) < 0.15
    assert abs(found.linear) < 0.15
    assert found.nearness > 0.8


def test_a_kernel_that_does_not_vary_has_no_correlation() -> None:
    layer = nn.Conv2d(1, 1, 2, bias=False)
    nn.init.zeros_(layer.weight)
    functions = read(layer)[0]
    found: PatternCheck = check_pattern(kernel_of(functions, 0), seen(functions, 4))
    for r in (found.binary, found.graded, found.linear, found.preferred, found.nearness):
        assert math.isnan(r)


# ---------------------------------------------------------------- the report


def test_the_report_holds_what_the_kernels_say_one_by_one() -> None:
    layer = a_layer()
    observed = seen(layer)
    found = kernel_report(layer, observed, nearest=3)
    assert [row.out for row in found.rows] == [0, 1, 2]
    assert (found.samples, found.patches) == (7, 500)
    assert found.linear.mean_slopes.shape == (3, 2, 3, 3)
    for row in found.rows:
        kernel = kernel_of(layer, row.out)
        linear = linear_kernel(kernel, observed)
        assert row.linear.share == pytest.approx(linear.share, abs=1e-12)
        assert row.linear.weights == pytest.approx(linear.weights, abs=1e-12)
        best = preferred_patch(kernel, "observed", observed=observed, nearest=3)
        worst = suppressed_patch(kernel, "observed", observed=observed, nearest=3)
        for mine, other in ((row.preferred, best), (row.suppressed, worst)):
            assert mine.aim == other.aim
            assert mine.response == pytest.approx(other.response, abs=1e-12)
            assert mine.nearest is not None
            assert other.nearest is not None
            assert mine.nearest.rows.tolist() == other.nearest.rows.tolist()
        judged = check_pattern(kernel, observed, "observed")
        assert row.pattern.binary == pytest.approx(judged.binary, abs=1e-12)
        assert row.pattern.preferred == pytest.approx(judged.preferred, abs=1e-12)
        assert row.channel == (linear.weights**2).sum(axis=(1, 2)).argmax()
        assert row.frequency is not None
        assert row.frequency.orientation == pytest.approx(linear.frequency().orientation)


def test_the_table_shows_every_kernel_and_what_it_rests_on() -> None:
    layer = a_layer()
    found = kernel_report(layer, seen(layer))
    text, html = str(found), found._repr_html_()
    assert repr(found) == text
    assert "7 samples, 500 patches; preferred within the observed inputs" in text
    for row in found.rows:
        share = f"{100 * row.linear.share:.1f} %"
        assert share in text
        assert f"<td>{share}</td>".replace(" ", "\N{NO-BREAK SPACE}") in html
        assert f"{row.pattern.binary:.3f}" in html
    assert len(re.findall("<tr>", html)) == 4
    # Colours and backgrounds are left to the page, light or dark.
    assert "color" not in html
    assert "style" not in html


def test_almost_linear_does_not_read_as_linear() -> None:
    layer = kw.nn.KANLinear(3, 1, base_activation="identity")
    with torch.no_grad():
        layer.base_weight.fill_(1.0)
        layer.spline_weight.zero_()
        layer.spline_weight[0, 0, 4] = 0.05
    functions = read(layer)[0]
    found = kernel_report(functions, seen(functions, 3))
    assert 0.9995 < found.rows[0].linear.share < 0.99999
    assert "100.0 %" not in str(found)
    with torch.no_grad():
        layer.spline_weight.zero_()
    functions = read(layer)[0]
    assert "100.0 %" in str(kernel_report(functions, seen(functions, 3)))


def test_columns_that_say_nothing_are_left_out() -> None:
    functions = read(kw.nn.KANLinear(4, 2))[0]
    found = kernel_report(functions, seen(functions, 4))
    assert all(row.frequency is None and row.channel is None for row in found.rows)
    assert "linear kernel is" not in str(found)
    assert "linear share" in str(found)


def test_a_broken_kernel_does_not_spoil_the_others() -> None:
    plain = nn.Conv2d(1, 3, 2, bias=False)
    with torch.no_grad():
        plain.weight[1, 0, 0, 0] = float("nan")
        plain.weight[2] = 0
    functions = read(plain)[0]
    found = kernel_report(functions, seen(functions, 4))
    assert found.rows[0].linear.share == pytest.approx(1)
    assert math.isnan(found.rows[1].linear.share)
    assert math.isnan(found.rows[1].preferred.response)
    assert found.rows[2].preferred.response == 0
    assert "–" in str(found)


def test_a_long_report_says_how_much_it_leaves_out() -> None:
    functions = read(nn.Linear(3, 45))[0]
    found = kernel_report(functions, seen(functions, 3))
    assert len(found.rows) == 45
    assert "the first 40 of 45 kernels" in str(found)
    assert found._repr_html_().count("<tr>") == 41


def test_what_cannot_be_answered_is_refused() -> None:
    layer = a_layer()
    with pytest.raises(TypeError, match="nothing was observed"):
        kernel_report(layer, None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="nothing was observed"):
        check_pattern(kernel_of(layer, 0), None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="nearest: expected a whole number ≥ 1, got 0"):
        kernel_report(layer, seen(layer), nearest=0)
    with pytest.raises(ValueError, match=r"bounds: expected 'domain', .* got 'grid'"):
        kernel_report(layer, seen(layer), "grid")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"takes \(n, 18\)"):
        kernel_report(layer, seen(layer, 9))
