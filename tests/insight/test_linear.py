"""Linear kernels against scipy's and numpy's regressions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import linregress
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import LayerFunctions, read
from kan_widgets.insight import SeenPatches, kernel_of, linear_kernel


def a_layer(**options: object) -> LayerFunctions:
    torch.manual_seed(0)
    layer = kw.nn.KANConv2d(2, 3, 3, **options)  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_()
    return read(layer)[0]


def related(columns: int, n: int = 600) -> np.ndarray:
    """Return patches whose entries go together, as those of pictures do."""
    rng = np.random.default_rng(3)
    mixed = rng.normal(0, 0.4, (n, columns)) @ (np.eye(columns) + 0.3)
    return np.tanh(mixed)


def test_every_weight_and_share_of_an_entry_is_that_of_a_regression() -> None:
    layer = a_layer()
    x = related(18)
    kernel = kernel_of(layer, 1)
    found = linear_kernel(kernel, SeenPatches(layer.name, 10, x))
    terms = kernel.terms(x)
    offset = 0.0
    for e in range(18):
        line = linregress(x[:, e], terms[:, e])
        assert found.weights.ravel()[e] == pytest.approx(line.slope, rel=1e-9)
        assert found.entry_share.ravel()[e] == pytest.approx(line.rvalue**2, abs=1e-12)
        assert found.entry_spread.ravel()[e] == pytest.approx(terms[:, e].std(), rel=1e-9)
        offset += line.intercept
    assert found.offset == pytest.approx(offset, rel=1e-9)
    y = terms.sum(axis=1)
    rest = y - found.response(x)
    assert found.share == pytest.approx(1 - rest.var() / y.var(), abs=1e-9)
    assert found.spread == pytest.approx(y.std(), rel=1e-9)
    assert (found.samples, found.patches) == (10, 600)


def test_the_best_share_is_the_adjusted_r2_of_the_regression_on_all_entries() -> None:
    layer = a_layer()
    x = related(18)
    x[:, 5] = 0.3  # says nothing, and is no parameter
    kernel = kernel_of(layer, 2)
    found = linear_kernel(kernel, SeenPatches(layer.name, 10, x))
    y = kernel.response(x)
    design = np.column_stack([np.delete(x, 5, axis=1), np.ones(600)])
    solution, *_ = np.linalg.lstsq(design, y, rcond=None)
    r2 = 1 - (y - design @ solution).var() / y.var()
    assert found.best_share == pytest.approx(1 - (1 - r2) * 599 / (600 - 17 - 1), abs=1e-9)
    assert found.best_share > found.share
    assert found.weights.ravel()[5] == 0
    assert np.isnan(found.entry_share.ravel()[5])
    assert found.entry_spread.ravel()[5] == 0


def test_with_fewer_patches_than_entries_the_best_share_is_unknown() -> None:
    layer = a_layer()
    few = SeenPatches(layer.name, 1, related(18, n=19))
    enough = SeenPatches(layer.name, 1, related(18, n=20))
    assert np.isnan(linear_kernel(kernel_of(layer, 0), few).best_share)
    assert np.isfinite(linear_kernel(kernel_of(layer, 0), enough).best_share)


def test_mean_slopes_are_means_of_differences() -> None:
    layer = a_layer()
    x = related(18)
    kernel = kernel_of(layer, 1)
    found = linear_kernel(kernel, SeenPatches(layer.name, 10, x))
    step = 1e-6
    slopes = (kernel.terms(x + step) - kernel.terms(x - step)) / (2 * step)
    assert found.mean_slopes.ravel() == pytest.approx(slopes.mean(axis=0), abs=1e-7)


def test_a_plain_layer_is_its_own_linear_kernel() -> None:
    plain = nn.Conv2d(4, 6, (2, 3), groups=2)
    live = kw.bind(plain)
    [observed] = live.observe(torch.randn(3, 4, 9, 9)).values()
    for out, weights in enumerate(plain.weight.detach().numpy()):
        found = linear_kernel(kernel_of(live.read()[0], out), observed)
        assert found.weights == pytest.approx(weights, abs=1e-6)
        assert found.mean_slopes == pytest.approx(weights, abs=1e-6)
        assert found.share == pytest.approx(1)
        assert found.best_share == pytest.approx(1)
        assert found.entry_share == pytest.approx(np.ones((2, 2, 3)))
        assert found.offset == pytest.approx(0, abs=1e-6)


def test_a_response_that_does_not_vary_has_no_share() -> None:
    plain = nn.Conv2d(1, 2, 2, bias=False)
    with torch.no_grad():
        plain.weight[0] = 0
    layer = read(plain)[0]
    observed = SeenPatches(layer.name, 1, related(4))
    still, moving = (linear_kernel(kernel_of(layer, out), observed) for out in range(2))
    assert (np.isnan(still.share), np.isnan(moving.share)) == (True, False)
    assert (np.isnan(still.best_share), np.isnan(moving.best_share)) == (True, False)
    assert np.isnan(still.entry_share).all()
    assert still.spread == 0


def test_without_an_observed_batch_it_refuses() -> None:
    kernel = kernel_of(a_layer(), 0)
    with pytest.raises(TypeError, match="nothing was observed"):
        linear_kernel(kernel, None)  # type: ignore[arg-type]
