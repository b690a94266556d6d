"""Linear kernels against scipy's and numpy's regressions, and waves against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import linregress
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import LayerFunctions, read
from kan_widgets.insight import (
    SeenPatches,
    frequency_response,
    kernel_of,
    linear_kernel,
    linear_kernels,
    slopes_at,
)


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
    at = slopes_at(kernel, x[3].reshape(2, 3, 3))
    assert at.shape == (2, 3, 3)
    assert at.ravel() == pytest.approx(slopes[3], abs=1e-7)


def test_a_plain_layer_is_its_own_linear_kernel() -> None:
    plain = nn.Conv2d(4, 6, (2, 3), groups=2)
    live = kw.bind(plain)
    [observed] = live.observe(torch.randn(3, 4, 9, 9)).values()
    found = linear_kernels(live.read()[0], observed)
    weights = plain.weight.detach().numpy()
    assert found.weights == pytest.approx(weights, abs=1e-6)
    assert found.mean_slopes == pytest.approx(weights, abs=1e-6)
    assert found.share == pytest.approx(np.ones(6))
    assert found.best_share == pytest.approx(np.ones(6))
    assert found.entry_share == pytest.approx(np.ones((6, 2, 2, 3)))
    assert found.offset == pytest.approx(np.zeros(6), abs=1e-6)


def test_a_layer_and_its_kernels_one_by_one_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    # Few at a time, as for a layer that does not fit in memory at once.
    monkeypatch.setattr("kan_widgets.insight.stacked._RESPONSES", 1300)
    monkeypatch.setattr("kan_widgets.insight.stacked._AT_ONCE", 1300)
    layer = a_layer()
    observed = SeenPatches(layer.name, 10, related(18))
    together = linear_kernels(layer, observed)
    assert len(together) == 3
    for out in range(3):
        alone, one = linear_kernel(kernel_of(layer, out), observed), together[out]
        assert one.out == out
        for name in ("weights", "mean_slopes", "entry_share", "share", "best_share", "offset"):
            assert getattr(one, name) == pytest.approx(getattr(alone, name), abs=1e-12)


def test_a_response_that_does_not_vary_has_no_share() -> None:
    plain = nn.Conv2d(1, 2, 2, bias=False)
    with torch.no_grad():
        plain.weight[0] = 0
    layer = read(plain)[0]
    found = linear_kernels(layer, SeenPatches(layer.name, 1, related(4)))
    assert np.isnan(found.share).tolist() == [True, False]
    assert np.isnan(found.best_share).tolist() == [True, False]
    assert np.isnan(found.entry_share[0]).all()
    assert found.spread[0] == 0


def test_without_an_observed_batch_it_refuses() -> None:
    kernel = kernel_of(a_layer(), 0)
    with pytest.raises(TypeError, match="nothing was observed"):
        linear_kernel(kernel, None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="nothing was observed"):
        linear_kernels(kernel.functions, None)  # type: ignore[arg-type]


# ---------------------------------------------------------------- waves

SMOOTH, DIFFERENCE, SECOND = (
    np.array([1.0, 2.0, 1.0]),
    np.array([-1.0, 0.0, 1.0]),
    np.array([-1.0, 2.0, -1.0]),
)


def test_the_magnitude_is_that_of_a_padded_fourier_transform() -> None:
    w = np.random.default_rng(0).normal(size=(3, 4))
    found = frequency_response(w)
    padded = np.abs(np.fft.fftshift(np.fft.fft2(w, (64, 64))))
    assert found.frequencies[:-1] == pytest.approx(np.fft.fftshift(np.fft.fftfreq(64)))
    assert found.magnitude[:-1, :-1] == pytest.approx(padded)
    fine = np.abs(np.fft.fft2(w, (1024, 1024)))
    at = (
        np.exp(-2j * np.pi * found.peak[0] * np.arange(3))
        @ w
        @ np.exp(-2j * np.pi * found.peak[1] * np.arange(4))
    )
    assert fine.max() * (1 - 1e-12) <= abs(at) <= np.abs(w).sum()


@pytest.mark.parametrize(
    ("weights", "kind", "orientation"),
    [
        (np.outer(DIFFERENCE, SMOOTH), "edge", 0),
        (np.outer(SMOOTH, DIFFERENCE), "edge", 90),
        (np.outer(SECOND, np.ones(3)), "line", 0),
        (np.outer(np.ones(3), -SECOND), "line", 90),
        (np.array([[-1.0, -1, 2], [-1, 2, -1], [2, -1, -1]]), "line", 45),
        (np.array([[2.0, -1, -1], [-1, 2, -1], [-1, -1, 2]]), "line", 135),
        (np.sign(np.arange(5) - np.arange(5)[:, None]), "edge", 135),
        (np.eye(3), "line", 135),
        (np.array([[0.0, -1, 0], [-1, 4, -1], [0, -1, 0]]), "no direction", None),
        (np.array([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]]), "no direction", None),
    ],
)
def test_edges_and_lines_are_known_by_their_direction(
    weights: np.ndarray, kind: str, orientation: float | None
) -> None:
    found = frequency_response(weights)
    assert found.kind == kind
    assert found.even == pytest.approx(0 if kind == "edge" else 1)
    if orientation is None:
        assert found.strength == pytest.approx(0, abs=1e-12)
    else:
        assert found.orientation == pytest.approx(orientation, abs=1e-6)


def test_a_direction_is_claimed_of_few_kernels_of_random_numbers() -> None:
    rng = np.random.default_rng(0)
    for size, most in ((3, 0.25), (5, 0.05)):
        found = [frequency_response(rng.normal(size=(size, size))).kind for _ in range(200)]
        assert np.mean([kind != "no direction" for kind in found]) < most
    sobel = frequency_response(np.outer(DIFFERENCE, SMOOTH))
    assert sobel.strength == pytest.approx(0.56, abs=0.005)


def test_a_turned_wave_has_the_angle_it_was_made_with() -> None:
    rows, columns = np.mgrid[-7:8, -7:8]
    for angle in (0, 20, 75, 110, 165):
        # Lines along (cos, −sin) in rows and columns: the picture's y runs upwards.
        across = rows * math.cos(math.radians(angle)) + columns * math.sin(math.radians(angle))
        gabor = np.cos(2 * np.pi * 0.2 * across) * np.exp(-(rows**2 + columns**2) / 18)
        found = frequency_response(gabor)
        assert found.kind == "line"
        assert found.frequency == pytest.approx(0.2, abs=0.01)
        assert min(abs(found.orientation - angle), 180 - abs(found.orientation - angle)) < 1


def test_bandwidths_are_those_of_closed_forms() -> None:
    # |2·sin 2πf| has half its peak, at 1/4, at 1/12 and 5/12.
    sobel = frequency_response(np.outer(DIFFERENCE, SMOOTH))
    assert sobel.peak == pytest.approx((0.25, 0), abs=1e-6)
    assert sobel.band == pytest.approx((1 / 12, 5 / 12), abs=1e-6)
    assert sobel.bandwidth == pytest.approx(math.log2(5), abs=1e-5)
    assert sobel.gain == 0
    # 2 − 2·cos 2πf has half its peak, at 1/2, at 1/4; there the frequencies end.
    line = frequency_response(np.outer(SECOND, np.ones(3)))
    assert line.peak == pytest.approx((0.5, 0), abs=1e-6)
    assert line.band == pytest.approx((0.25, 0.5), abs=1e-6)
    assert line.bandwidth == pytest.approx(1, abs=1e-5)
    # (2 + 2·cos 2πf)² / 16 along a row or a column is a half where cos 2πf = √2 − 1.
    blur = frequency_response(np.outer(SMOOTH, SMOOTH))
    assert blur.frequency == 0
    assert blur.gain == pytest.approx(1)
    assert blur.band[0] == 0
    assert blur.bandwidth == math.inf


def test_a_kernel_of_zeros_has_no_direction_and_no_band() -> None:
    found = frequency_response(np.zeros((3, 3)))
    assert found.kind == ""
    for number in (found.orientation, found.strength, found.gain, found.bandwidth):
        assert math.isnan(number)


def test_only_kernels_of_two_by_two_and_more_have_a_frequency_response() -> None:
    for wrong in (np.ones((1, 3)), np.ones(3), np.full((3, 3), np.nan)):
        with pytest.raises(ValueError, match="both ≥ 2"):
            frequency_response(wrong)
