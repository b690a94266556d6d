"""Curves over steps: smoothing, thinning, axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kan_widgets.widgets.curves import Smoothed, log_ticks, step_axis, thin, value_axis


def by_definition(steps: Any, values: Any, over: float) -> list[float]:
    """Σ w^(s − s_j)·v_j / Σ w^(s − s_j), term by term, since the last gap longer than ``over``."""
    weight = 1 - 1 / over
    before: list[tuple[int, float]] = []
    found = []
    for step, value in zip(steps, values, strict=True):
        if not math.isfinite(value):
            found.append(math.nan)
            continue
        if before and step - before[-1][0] > over:
            before = []
        before.append((step, value))
        terms = [(weight ** int(step - other), v) for other, v in before]
        found.append(sum(w * v for w, v in terms) / sum(w for w, _ in terms))
    return found


@pytest.mark.parametrize("over", [1, 2, 10, 300])
def test_smoothing_is_the_weighted_mean_of_its_definition(over: int) -> None:
    generator = np.random.default_rng(0)
    steps = np.cumsum(generator.integers(0, 5, 150))
    values = generator.normal(size=150)
    values[[3, 70, 71]] = [math.nan, math.inf, -math.inf]
    smooth = Smoothed(over).follow(steps, values)
    np.testing.assert_allclose(smooth, by_definition(steps, values, over), rtol=1e-9)


def test_at_every_step_smoothing_is_the_bias_corrected_moving_average() -> None:
    values = np.random.default_rng(1).normal(size=400)
    mean, expected = 0.0, []
    for k, value in enumerate(values, start=1):
        mean = 0.9 * mean + 0.1 * value
        expected.append(mean / (1 - 0.9**k))
    smooth = Smoothed(10).follow(np.arange(400), values)
    np.testing.assert_allclose(smooth, expected, rtol=1e-9)


def test_a_curve_smoothed_as_it_grows_is_that_smoothed_at_once() -> None:
    generator = np.random.default_rng(2)
    steps, values = np.arange(5000), generator.normal(size=5000)
    growing = Smoothed(30)
    for end in (1, 2, 700, 701, 4999, 5000):
        last = growing.follow(steps[:end], values[:end])
    at_once = Smoothed(30).follow(steps, values)
    np.testing.assert_allclose(last, at_once, rtol=1e-12, atol=1e-15)


def test_another_curve_is_smoothed_from_its_start() -> None:
    steps, curve = np.arange(50), Smoothed(10)
    curve.follow(steps, np.ones(50))
    np.testing.assert_allclose(curve.follow(steps, np.full(50, 3.0)), 3.0)
    np.testing.assert_allclose(curve.follow(steps[:20], np.full(20, 5.0)), 5.0)


def test_values_far_apart_are_left_as_they_are() -> None:
    steps, values = np.arange(5) * 1000, np.array([1.0, 5.0, 2.0, 8.0, 3.0])
    np.testing.assert_allclose(Smoothed(10).follow(steps, values), values)


def test_thinning_keeps_peaks_dips_ends_and_order() -> None:
    values = np.random.default_rng(3).normal(size=1_000_000)
    values[[123_456, 777_777]] = [50.0, -60.0]
    steps = np.arange(1_000_000)
    x, y = thin(steps, values, None, 800)
    assert len(x) <= 802
    assert {50.0, -60.0} <= set(y)
    assert (x[0], x[-1]) == (0, 999_999)
    assert (np.diff(x) >= 0).all()
    np.testing.assert_array_equal(values[x.astype(int)], y)


def test_thinning_to_a_window_keeps_one_neighbour_on_each_side() -> None:
    steps = np.arange(0, 1000, 10)
    x, _ = thin(steps, steps.astype(float), (95, 205), 800)
    assert x.tolist() == [90, 100, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200, 210]


@pytest.mark.parametrize("log", [False, True])
def test_an_axis_holds_all_that_can_be_shown_on_it(log: bool) -> None:
    generator = np.random.default_rng(4)
    for scale in (1e-9, 1e-3, 1.0, 1e6):
        values: NDArray[np.float64] = scale * generator.normal(size=20)
        values[:2] = [math.nan, math.inf]
        low, high = value_axis(values, log)
        shown = values[2:][values[2:] > 0] if log else values[2:]
        assert low <= shown.min() <= shown.max() <= high


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("values", [[], [math.nan], [0.0], [-1.0], [3.0, 3.0]])
def test_an_axis_is_never_empty(values: list[float], log: bool) -> None:
    low, high = value_axis(np.array(values), log)
    assert -math.inf < low < high < math.inf


def test_the_axis_of_steps_stands_still_while_few_steps_are_added() -> None:
    ends = {step_axis(1, last)[1] for last in range(901, 951)}
    assert ends == {950.0}


def test_a_logarithmic_axis_has_a_tick_or_more_and_few() -> None:
    for low, high in ((1e-9, 1e3), (0.2, 0.9), (3e-7, 3e-6), (1.0, 10.0)):
        ticks = log_ticks((low, high), 4)
        assert 1 <= len(ticks) <= 4
        assert low <= min(ticks) <= max(ticks) <= high
