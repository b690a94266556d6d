"""Curves over steps: what is handed to the page. Its means are tested in js/test/smooth.test.ts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kan_widgets.live.frames.scalars import Scalars
from kan_widgets.widgets.shell.curves_view import LoggedCurve, curve_wire

STEPS = np.arange(1, 101)
FALLING = 1.0 / STEPS
Curves = dict[str, tuple[NDArray[Any], NDArray[Any]]]


def drawn(given: Curves | NDArray[Any], zoom: Sequence[float] = ()) -> list[dict[str, Any]]:
    """Give curves as the page gets them, by their names: "loss" in the panel of that name."""
    if not isinstance(given, dict):
        given = {"loss": (np.arange(1, len(given) + 1), given)}
    log = Scalars()
    for name, (steps, values) in given.items():
        log.extend(name, steps, values)
    shown = [LoggedCurve(name.split()[0], name, name, log, name) for name in given]
    return [curve_wire(one, zoom) for one in shown]


def points(values: NDArray[Any], zoom: Sequence[float] = ()) -> tuple[NDArray[Any], NDArray[Any]]:
    """Give steps, which begin at 0, and values as the page reads them."""
    [curve] = drawn({"loss": (np.arange(len(values)), values)}, zoom)
    return numbers(curve["x"]).astype(int), numbers(curve["y"])


def numbers(data: bytes) -> NDArray[Any]:
    return np.frombuffer(data, "<f8")


def sums(values: NDArray[Any], zoom: Sequence[float] = ()) -> dict[str, NDArray[Any]]:
    [curve] = drawn({"loss": (np.arange(len(values)), values)}, zoom)
    return {name: numbers(data) for name, data in curve["sums"].items()}


def test_a_short_curve_is_drawn_as_it_is() -> None:
    [curve] = drawn(FALLING)
    np.testing.assert_array_equal(numbers(curve["x"]), STEPS)
    np.testing.assert_array_equal(numbers(curve["y"]), FALLING)
    assert curve["sums"] is None
    assert [points(FALLING[:count])[1].tolist() for count in (1, 2)] == [[1.0], [1.0, 0.5]]


@pytest.mark.parametrize("count", [801, 999, 5_000, 70_000, 1_000_000])
def test_a_thinned_series_keeps_extremes_ends_and_order(count: int) -> None:
    values = np.random.default_rng(count).normal(size=count)
    values[count // 3], values[count // 2] = 50.0, -50.0
    steps, thinned = points(values)
    assert len(steps) <= 804
    assert (np.diff(steps) > 0).all()
    np.testing.assert_array_equal(thinned, values[steps])
    assert {0, count // 3, count // 2, count - 1} <= set(steps.tolist())


def test_every_run_of_neighbours_keeps_its_peaks() -> None:
    # Brute force: no value of the series lies outside what is drawn near it.
    values = np.random.default_rng(0).normal(size=60_000).cumsum()
    steps, thinned = points(values)
    for left, right in zip(range(0, len(steps) - 9, 5), range(9, len(steps), 5), strict=False):
        inside = values[steps[left + 4] : steps[left + 5] + 1]
        near = thinned[left : right + 1]
        assert near.min() <= inside.min()
        assert inside.max() <= near.max()


def test_what_is_zoomed_to_is_drawn_in_full_with_its_neighbours_and_the_rest_thinned() -> None:
    values = np.sin(np.arange(1_000_000) / 7)
    steps, thinned = points(values, (5000.5, 5100.2))
    np.testing.assert_array_equal(thinned, values[steps])
    inside = steps[(steps >= 5000) & (steps <= 5101)]
    np.testing.assert_array_equal(inside, np.arange(5000, 5102))
    assert len(steps) < 1100
    assert (steps[0], steps[-1]) == (0, 999_999)


@pytest.mark.parametrize("low", [0, 31, 777])
def test_a_long_range_of_a_long_series_keeps_its_peaks(low: int) -> None:
    values = np.random.default_rng(low).normal(size=40_000)
    values[low + 5] = 99.0
    steps, thinned = points(values, (low, 39_990))
    assert thinned.max() == 99.0
    assert (steps[0], steps[-1]) == (0, 39_999)
    assert len(steps) <= 850


def test_not_a_number_hides_no_peak_and_stays_where_all_is_nan() -> None:
    values = np.where(np.arange(10_000) < 5_000, math.nan, 1.0)
    values[100], values[7_000] = 3.0, 5.0
    steps, thinned = points(values)
    assert np.nanmax(thinned[steps < 5_000]) == 3.0
    assert np.isnan(thinned[steps < 5_000]).sum() > 10
    assert np.nanmax(thinned) == 5.0


def test_what_is_not_finite_stays_so() -> None:
    values = np.array([1.0, np.inf, np.nan])
    np.testing.assert_array_equal(points(values)[1], values)


@pytest.mark.parametrize("zoom", [(), (2000, 2100)])
def test_the_sums_of_the_points_are_those_of_all_finite_values_up_to_each_run(zoom: Any) -> None:
    values = np.random.default_rng(3).lognormal(size=7_000)
    values[[5, 600, 601, 6_999]] = [math.inf, math.nan, -math.inf, math.nan]
    steps, _ = points(values, zoom)
    found = sums(values, zoom)
    finite = np.isfinite(values)
    logs = np.log(np.where(finite, values, 1))
    for name, each in (("count", np.ones(7_000)), ("sum", values), ("log", logs)):
        known = np.where(finite, each, 0.0)
        assert found[name].sum() == pytest.approx(known.sum())
        # Where a run is one value, all before it are in the sums so far.
        alone = (np.diff(steps, prepend=-1) == 1) & (np.diff(steps, append=7_000) == 1)
        so_far = np.cumsum(known)[steps]
        if zoom:
            assert alone.sum() > 90
        np.testing.assert_allclose(np.cumsum(found[name])[alone], so_far[alone])


def test_one_huge_value_is_in_the_sum_of_its_run_alone() -> None:
    values = np.full(20_000, 0.25)
    values[500] = 1e30
    found = sums(values)
    means = found["sum"] / found["count"]
    assert (means > 1e20).sum() <= 2
    np.testing.assert_array_equal(means[means < 1e20], 0.25)


def test_what_has_no_logarithm_says_so_in_its_run() -> None:
    values = np.ones(5_000)
    values[[1_000, 3_000]] = 0.0, -1.0
    logs = sums(values)["log"]
    assert 2 <= (~np.isfinite(logs)).sum() <= 4
    assert (logs[np.isfinite(logs)] == 0).all()
