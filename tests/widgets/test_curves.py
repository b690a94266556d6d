"""Curves over steps: what is handed to the page, and their means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kan_widgets.live.frames.scalars import Scalars
from kan_widgets.widgets.curves import Logged, curves_wire, means


def by_definition(steps: Any, values: Any, over: float, log: bool = False) -> list[float]:
    """The mean of all values near each step; near an end the line that fits them best."""
    shown = [math.isfinite(v) and (v > 0 or not log) for v in values]
    at = [step for step, is_shown in zip(steps, shown, strict=True) if is_shown]
    found = []
    for step in at:
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
    x, smooth = means(steps, values, over, log)
    np.testing.assert_allclose(smooth, by_definition(steps, values, over, log), rtol=1e-9)
    np.testing.assert_array_equal(x, steps[np.isfinite(values) & ((values > 0) | (not log))])


def test_a_trend_is_neither_behind_nor_ahead_of_the_values() -> None:
    steps = np.arange(500)
    line, decay = 3.0 - 0.005 * steps, 2.0 * np.exp(-0.02 * steps)
    np.testing.assert_allclose(means(steps, line, 100)[1], line, rtol=1e-9)
    np.testing.assert_allclose(means(steps, decay, 100, log=True)[1], decay, rtol=1e-9)


def test_its_end_is_nearly_as_calm_as_its_middle() -> None:
    steps = np.arange(300)
    _, smooth = means(steps, 1 - 0.001 * steps + 0.5 * (-1.0) ** steps, 30)
    assert abs(smooth - (1 - 0.001 * steps)).max() < 0.15


def test_one_huge_value_spoils_only_the_means_it_is_in() -> None:
    values = np.full(2000, 0.25)
    values[500] = 1e30
    _, smooth = means(np.arange(2000), values, 30, points=2000)
    np.testing.assert_array_equal(smooth[:485], 0.25)
    np.testing.assert_array_equal(smooth[516:], 0.25)


def test_a_long_curve_has_its_mean_at_some_steps_its_ends_among_them() -> None:
    generator = np.random.default_rng(2)
    values = generator.normal(size=100_000)
    x, smooth = means(np.arange(100_000), values, 30)
    assert (len(x), x[0], x[-1]) == (800, 0, 99_999)
    places = x[1:-1].astype(int)
    np.testing.assert_allclose(smooth[1:-1], [values[k - 15 : k + 16].mean() for k in places])


def test_a_window_has_the_means_of_the_whole_curve_and_a_neighbour_on_each_side() -> None:
    steps, values = np.arange(0, 1000, 10), np.random.default_rng(4).normal(size=100)
    x, smooth = means(steps, values, 50, window=(95, 205))
    assert x.tolist() == list(range(90, 220, 10))
    np.testing.assert_allclose(smooth, means(steps, values, 50)[1][9:22])


def test_values_far_apart_are_left_as_they_are() -> None:
    steps, values = np.arange(5) * 1000, np.array([1.0, 5.0, 2.0, 8.0, 3.0])
    np.testing.assert_allclose(means(steps, values, 10)[1], values)


# -- what is handed to the page

STEPS = np.arange(1, 101)
FALLING = 1.0 / STEPS
Curves = dict[str, tuple[NDArray[Any], NDArray[Any]]]


def drawn(
    given: Curves | NDArray[Any],
    zoom: Sequence[float] = (),
    scale: str = "linear",
    over: int = 0,
) -> list[dict[str, Any]]:
    """Give curves as the page gets them, by their names: "loss" in the panel of that name."""
    if not isinstance(given, dict):
        given = {"loss": (STEPS[: len(given)], given)}
    log = Scalars()
    for name, (steps, values) in given.items():
        log.extend(name, steps, values)
    shown = [Logged(name.split()[0], name, name, log, name) for name in given]
    return curves_wire(shown, zoom, scale, over)


def points(curve: Any, of: str = "") -> tuple[NDArray[Any], NDArray[Any]]:
    """Give steps and values as the page reads them, of the curve or of its mean."""
    where = curve[of] if of else curve
    return np.frombuffer(where["x"], "<f8"), np.frombuffer(where["y"], "<f8")


def latest(curve: Any) -> list[float]:
    return np.frombuffer(curve["latest"], "<f8").tolist()


def test_a_curve_is_drawn_as_it_is() -> None:
    [curve] = drawn(FALLING)
    x, y = points(curve)
    np.testing.assert_array_equal(x, STEPS)
    np.testing.assert_array_equal(y, FALLING)
    assert curve["mean"] is None


@pytest.mark.parametrize(
    ("values", "log"),
    [
        (np.geomspace(2, 0.01, 100), True),
        (np.geomspace(2, 1.9, 2), True),
        (np.geomspace(2, 0.01, 100) - 0.01, False),
        (np.r_[2.0, 4e3, 5e30, np.full(97, np.nan)], True),
    ],
    ids=["far", "at first", "to zero", "diverged"],
)
def test_a_loss_that_has_logarithms_has_a_logarithmic_axis_and_nothing_else_has(
    values: NDArray[np.float64], log: bool
) -> None:
    given = {
        "loss": (STEPS[: len(values)], values),
        "accuracy": (np.arange(9), np.geomspace(0.001, 1, 9)),
    }
    assert [curve["log"] for curve in drawn(given, scale="auto", over=5)] == [log, False]
    assert [curve["log"] for curve in drawn(given, scale="log", over=5)] == [True, True]


def test_the_scale_of_a_loss_does_not_change_while_it_is_trained() -> None:
    values = np.geomspace(2, 0.001, 100)
    told = [drawn(values[:n], scale="auto")[0]["log"] for n in range(1, 101)]
    assert told == [True] * 100


def test_on_a_logarithmic_scale_the_mean_is_of_logarithms() -> None:
    for scale, mean in (("log", np.exp(np.log(FALLING[45:56]).mean())), ("linear", None)):
        [curve] = drawn(FALLING, scale=scale, over=10)
        expected = FALLING[45:56].mean() if mean is None else mean
        assert points(curve, "mean")[1][50] == pytest.approx(expected)


@pytest.mark.parametrize("over", [0, 30])
@pytest.mark.parametrize("zoom", [(), (10.0, 20.0)])
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_the_latest_value_is_the_one_logged_last(over: int, zoom: Any, scale: str) -> None:
    noisy = FALLING.copy()
    noisy[-1] = 0.592
    other = np.where(STEPS < 100, FALLING, np.nan)
    first, second = drawn({"loss": (STEPS, noisy), "loss b": (STEPS, other)}, zoom, scale, over)
    assert latest(first) == [0.592]
    assert np.isnan(latest(second)).all()
    assert len(latest(second)) == 1


def test_the_latest_value_is_where_the_curve_ends_though_more_is_logged_meanwhile() -> None:
    class Growing(Scalars):
        def decimated(self, name: str, *how: Any, **more: Any) -> Any:
            found = super().decimated(name, *how, **more)
            self.add(int(found[0][-1]) + 1, {name: 0.5})
            return found

    log = Growing()
    log.extend("loss", STEPS, FALLING)
    [curve] = curves_wire([Logged("loss", "loss", "loss", log, "loss")], (), "auto", 0)
    assert latest(curve) == [points(curve)[1][-1]] == [FALLING[-1]]


def test_a_million_points_are_thinned_and_keep_their_peak() -> None:
    values = np.ones(1_000_000)
    values[654_321] = 9.0
    [curve] = drawn({"loss": (np.arange(1_000_000), values)})
    x, y = points(curve)
    assert len(x) < 1000
    assert y.max() == 9.0


def test_a_zoom_shows_those_steps_in_full() -> None:
    steps = np.arange(1_000_000)
    [curve] = drawn({"loss": (steps, np.sin(steps))}, (5000.0, 5100.0))
    x, y = points(curve)
    np.testing.assert_array_equal(x, np.arange(4999, 5102))
    np.testing.assert_array_equal(y, np.sin(np.arange(4999, 5102)))


@pytest.mark.parametrize(("count", "smoothed"), [(12, False), (13, True)])
def test_few_points_are_not_smoothed(count: int, smoothed: bool) -> None:
    [curve] = drawn(FALLING[:count], over=10)
    assert (curve["mean"] is not None) is smoothed


def test_what_is_not_finite_stays_so() -> None:
    values = np.array([1.0, np.inf, np.nan])
    [curve] = drawn(values)
    np.testing.assert_array_equal(points(curve)[1], values)
