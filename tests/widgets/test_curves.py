"""Curves over steps: smoothing and thinning."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from kan_widgets.widgets.curves import Smoothed, thin


def by_definition(steps: Any, values: Any, over: float, log: bool = False) -> list[float]:
    """The mean of all values near each step; near an end the line that fits them best."""
    shown = [math.isfinite(v) and (v > 0 or not log) for v in values]
    at = [step for step, is_shown in zip(steps, shown, strict=True) if is_shown]
    found = []
    for step, is_shown in zip(steps, shown, strict=True):
        if not is_shown:
            found.append(math.nan)
            continue
        inside = [
            (s - step, math.log(v) if log else v)
            for s, v, is_in in zip(steps, values, shown, strict=True)
            if is_in and abs(s - step) <= over / 2
        ]
        away, near = np.array(inside, dtype=float).T
        ends = step - at[0] < over / 2 or at[-1] - step < over / 2
        line = ends and np.ptp(away) > 0
        value = np.polyval(np.polyfit(away, near, 1), 0) if line else near.mean()
        found.append(math.exp(value) if log else float(value))
    return found


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("over", [1, 2, 10, 300])
def test_smoothing_is_the_mean_of_its_definition(over: int, log: bool) -> None:
    generator = np.random.default_rng(0)
    steps = np.cumsum(generator.integers(0, 5, 150))
    values = generator.normal(size=150)
    values[[0, 3, 70, 71, 149]] = [math.nan, math.nan, math.inf, -math.inf, math.nan]
    smooth = Smoothed(over, log).updated(steps, values)
    np.testing.assert_allclose(smooth, by_definition(steps, values, over, log), rtol=1e-9)


def test_a_trend_is_neither_behind_nor_ahead_of_the_values() -> None:
    steps = np.arange(500)
    line, decay = 3.0 - 0.005 * steps, 2.0 * np.exp(-0.02 * steps)
    np.testing.assert_allclose(Smoothed(100).updated(steps, line), line, rtol=1e-9)
    np.testing.assert_allclose(Smoothed(100, log=True).updated(steps, decay), decay, rtol=1e-9)


def test_its_end_is_nearly_as_calm_as_its_middle() -> None:
    steps = np.arange(300)
    smooth = Smoothed(30).updated(steps, 1 - 0.001 * steps + 0.5 * (-1.0) ** steps)
    assert abs(smooth - (1 - 0.001 * steps)).max() < 0.15


def test_one_huge_value_spoils_only_the_means_it_is_in() -> None:
    values = np.full(2000, 0.25)
    values[500] = 1e30
    smooth = Smoothed(30).updated(np.arange(2000), values)
    np.testing.assert_array_equal(smooth[:485], 0.25)
    np.testing.assert_array_equal(smooth[516:], 0.25)


@pytest.mark.parametrize("log", [False, True])
def test_a_curve_smoothed_as_it_grows_is_that_smoothed_at_once(log: bool) -> None:
    generator = np.random.default_rng(2)
    steps, values = np.cumsum(generator.integers(0, 4, 5000)), generator.normal(size=5000)
    values[generator.integers(0, 5000, 300)] = math.nan
    values[2990:3010] = math.nan
    growing = Smoothed(30, log)
    for end in (1, 2, 700, 701, 2989, 2995, 3002, 3050, 4999, 5000):
        last = growing.updated(steps[:end], values[:end])
    at_once = Smoothed(30, log).updated(steps, values)
    np.testing.assert_allclose(last, at_once, rtol=1e-9, atol=1e-15)


def test_what_can_change_no_more_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    steps, values, growing = np.arange(100_000), np.ones(100_000), Smoothed(30)
    growing.updated(steps[:-1], values[:-1])
    sizes: list[int] = []
    means = Smoothed._means

    def counted(self: Smoothed, steps: Any, values: Any) -> Any:
        sizes.append(len(values))
        return means(self, steps, values)

    monkeypatch.setattr(Smoothed, "_means", counted)
    growing.updated(steps, values)
    assert len(sizes) == 1
    assert sizes[0] <= 2 * 30


def test_another_curve_is_smoothed_from_its_start() -> None:
    steps, curve = np.arange(50), Smoothed(10)
    curve.updated(steps, np.ones(50))
    np.testing.assert_allclose(curve.updated(steps, np.full(50, 3.0)), 3.0)
    np.testing.assert_allclose(curve.updated(steps[:20], np.full(20, 5.0)), 5.0)


def test_values_far_apart_are_left_as_they_are() -> None:
    steps, values = np.arange(5) * 1000, np.array([1.0, 5.0, 2.0, 8.0, 3.0])
    np.testing.assert_allclose(Smoothed(10).updated(steps, values), values)


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
