"""Curves of a run: what is logged comes back, and thinning loses no peak."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from kan_widgets.live.frames.scalars import Mark, Scalars
from kan_widgets.live.frames.scalars import Series as _Series


def test_what_is_logged_comes_back_in_order() -> None:
    scalars = Scalars()
    scalars.add(1, {"loss": 0.5, "accuracy": 1})
    scalars.add(3, {"loss": torch.tensor([0.25], requires_grad=True)})
    scalars.add(3, {"accuracy": np.float32(0.5)})
    steps, values = scalars.series("loss")
    assert (steps.tolist(), values.tolist()) == ([1, 3], [0.5, 0.25])
    assert scalars.series("accuracy")[1].tolist() == [1.0, 0.5]
    assert scalars.names == ("loss", "accuracy")
    assert scalars.latest("loss") == 0.25


def test_a_series_returned_is_a_copy() -> None:
    scalars = Scalars()
    scalars.add(0, {"loss": 1.0})
    scalars.series("loss")[1][0] = 9.0
    assert scalars.latest("loss") == 1.0


@pytest.mark.parametrize(
    "value", ["0.5", None, torch.ones(2), np.ones(3), 1 + 2j, torch.tensor(1j)]
)
def test_what_is_no_number_is_refused_and_nothing_is_added(value: object) -> None:
    scalars = Scalars()
    with pytest.raises(TypeError, match="accuracy"):
        scalars.add(1, {"loss": 0.5, "accuracy": value})
    assert scalars.names == ()


def test_steps_only_grow() -> None:
    scalars = Scalars()
    scalars.add(5, {"loss": 0.5})
    with pytest.raises(ValueError, match=r"step=4.*step 5"):
        scalars.add(4, {"other": 0.0, "loss": 0.1})
    assert scalars.names == ("loss",)


def test_an_unknown_series_is_refused_with_the_names() -> None:
    scalars = Scalars()
    scalars.add(1, {"loss": 0.5})
    with pytest.raises(KeyError, match=r"'los' was not logged; logged: 'loss'"):
        scalars.series("los")


def test_marks_and_values_raise_the_version_and_tell() -> None:
    told = []
    scalars = Scalars(lambda: told.append(scalars.version))
    scalars.add(1, {"loss": 0.5})
    scalars.mark(1, "lr 0.1 → 0.01")
    assert told == [1, 2]
    assert scalars.marks == (Mark(1, "lr 0.1 → 0.01"),)


def series_of(values: np.ndarray) -> Scalars:
    scalars = Scalars()
    for step, value in enumerate(values):
        scalars.add(step, {"y": float(value)})
    return scalars


@pytest.mark.parametrize("count", [3, 999, 1000, 1001, 5_000, 70_000])
def test_a_thinned_series_keeps_extremes_ends_and_order(count: int) -> None:
    values = np.random.default_rng(count).normal(size=count)
    values[count // 3], values[count // 2] = 50.0, -50.0
    steps, thinned = series_of(values).decimated("y", points=200)
    assert len(steps) <= 202
    assert (np.diff(steps) > 0).all()
    assert np.array_equal(thinned, values[steps])
    assert {0, count // 3, count // 2, count - 1} <= set(steps.tolist())


def test_every_bucket_of_neighbours_keeps_its_peaks() -> None:
    # Brute force: no value of the series lies outside what is drawn near it.
    values = np.random.default_rng(0).normal(size=60_000).cumsum()
    steps, thinned = series_of(values).decimated("y", points=100)
    for left, right in zip(range(0, len(steps) - 9, 5), range(9, len(steps), 5), strict=False):
        inside = values[steps[left + 4] : steps[left + 5] + 1]
        near = thinned[left : right + 1]
        assert near.min() <= inside.min()
        assert inside.max() <= near.max()


def test_a_range_is_thinned_by_itself_with_its_neighbours() -> None:
    values = np.sin(np.arange(50_000) / 7)
    steps, thinned = series_of(values).decimated("y", low=20_000.5, high=20_050.2, points=500)
    assert steps.tolist() == list(range(20_000, 20_052))
    assert np.array_equal(thinned, values[steps])


@pytest.mark.parametrize("low", [0, 31, 777])
def test_a_long_range_of_a_long_series_keeps_its_peaks(low: int) -> None:
    values = np.random.default_rng(low).normal(size=40_000)
    values[low + 5] = 99.0
    steps, thinned = series_of(values).decimated("y", low=low, high=39_990, points=50)
    assert thinned.max() == 99.0
    assert steps[0] == max(0, low - 1)
    assert len(steps) <= 52


def test_later_values_are_seen_after_a_thinned_reading() -> None:
    values = np.zeros(30_000)
    scalars = series_of(values)
    scalars.decimated("y", points=50)
    for step in range(30_000, 31_000):
        scalars.add(step, {"y": 7.0 if step == 30_500 else 0.0})
    steps, thinned = scalars.decimated("y", points=50)
    assert steps[thinned.argmax()] == 30_500


def test_not_a_number_hides_no_peak_and_stays_where_all_is_nan() -> None:
    values = np.where(np.arange(10_000) < 5_000, math.nan, 1.0)
    values[100], values[7_000] = 3.0, 5.0
    steps, thinned = series_of(values).decimated("y", points=60)
    assert np.nanmax(thinned[steps < 5_000]) == 3.0
    assert np.isnan(thinned[steps < 5_000]).sum() > 10
    assert np.nanmax(thinned) == 5.0


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ValueError, match="points=3"):
        series_of(np.zeros(2)).decimated("y", points=3)


def test_values_left_on_their_device_come_back_in_their_places() -> None:
    values = np.random.default_rng(0).normal(size=5_000).astype(np.float32)
    series = _Series()
    for step, value in enumerate(values):
        on_device = torch.tensor(value)
        series.append(step, on_device if step % 7 else float(value))
    scalars = Scalars()
    scalars._series["y"] = series
    assert len(series.waiting) < 1_100  # joined where there were many
    assert np.array_equal(scalars.series("y")[1], values.astype(float))
    assert series.waiting == []


def test_a_step_of_no_size_a_computer_knows_is_refused() -> None:
    scalars = Scalars()
    with pytest.raises(ValueError, match="64 bits"):
        scalars.add(2**70, {"y": 1.0})
    with pytest.raises(ValueError, match="too large"):
        scalars.add(0, {"y": 10**400})
    assert scalars.names == ()
