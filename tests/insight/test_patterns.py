"""Readings of kernels judged."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch
from scipy.stats import linregress
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import LayerFunctions, read
from kan_widgets.insight import (
    SeenPatches,
    check_pattern,
    untrained_networks,
)
from kan_widgets.insight.kernels import kernel_terms


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
    x, found = observed.patches, check_pattern(layer, observed)[1]
    terms = kernel_terms(layer, x, 1)
    y = terms.sum(axis=1)
    contrast = np.subtract(
        *(kernel_terms(layer, np.full((1, 18), end), 1)[0] for end in (1.0, -1.0))
    )
    lines = [linregress(x[:, e], terms[:, e]).slope for e in range(18)]
    expected = {
        "binary": x @ np.where(contrast < 0, -1, 1),
        "graded": x @ contrast,
        "linear": x @ lines,
    }
    assert found.contrast.ravel() == pytest.approx(contrast, abs=1e-12)
    for name, template in expected.items():
        r = np.corrcoef(template, y)[0, 1]
        assert getattr(found, name) == pytest.approx(r, abs=1e-9), name
    assert (found.samples, found.patches) == (7, 500)


def test_that_a_pattern_reads_an_untrained_kernel_well_is_no_finding() -> None:
    batch = torch.rand(20, 2, 6, 6, generator=torch.Generator().manual_seed(1)) * 2 - 1

    for network in untrained_networks(lambda: kw.nn.KANConv2d(2, 3, 3), count=10):
        live = kw.bind(network, prove=False)
        [layer], [observed] = live.read(), live.observe(batch).values()
        assert all(check.binary > 0.5 for check in check_pattern(layer, observed))


def test_the_pattern_is_the_one_that_the_grid_shows() -> None:
    layer = nn.Conv2d(1, 1, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[[[0.3, -0.2], [0.0, -1.0]]]]))
    functions = read(layer)[0]
    [found] = check_pattern(functions, seen(functions, 4))
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
    found = check_pattern(functions, seen(functions, 3))[1]
    assert (set(found.low.ravel()), set(found.high.ravel())) == ({0.0}, {1.0})
    low, middle, high = kernel_terms(functions, np.repeat([[-1.0], [0.0], [1.0]], 3, axis=1), 1)
    contrast = high - middle
    assert found.contrast.ravel() == pytest.approx(contrast, abs=1e-12)
    assert np.abs(contrast - (high - low)).max() > 0.1


def test_a_kernel_of_equal_weights_is_its_pattern_and_one_that_bends_is_not() -> None:
    straight = nn.Conv2d(1, 1, 2, bias=False)
    with torch.no_grad():
        straight.weight.copy_(torch.tensor([[[[0.5, -0.5], [-0.5, 0.5]]]]))
    functions = read(straight)[0]
    [found] = check_pattern(functions, seen(functions, 4))
    for r in (found.binary, found.linear):
        assert r == pytest.approx(1)
    # Even functions have no contrast at all: neither a pattern nor a line can see them.
    bent = kw.nn.KANConv2d(1, 1, 2, basis="chebyshev")
    with torch.no_grad():
        bent.base_weight.zero_()
        bent.spline_weight.zero_()
        bent.spline_weight[..., 2] = -1.0
    functions = read(bent)[0]
    [found] = check_pattern(functions, seen(functions, 4))
    assert abs(found.binary) < 0.15
    assert abs(found.linear) < 0.15


def test_a_kernel_that_does_not_vary_has_no_correlation() -> None:
    layer = nn.Conv2d(1, 1, 2, bias=False)
    nn.init.zeros_(layer.weight)
    functions = read(layer)[0]
    [found] = check_pattern(functions, seen(functions, 4))
    for r in (found.binary, found.graded, found.linear):
        assert math.isnan(r)


def test_what_cannot_be_answered_is_refused() -> None:
    layer = a_layer()
    with pytest.raises(TypeError, match="nothing was observed"):
        check_pattern(layer, None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"expected \(n, 18\)"):
        check_pattern(layer, seen(layer, 9))
