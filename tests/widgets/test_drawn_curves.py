"""DrawnCurves: what it hands to the page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kan_widgets.widgets.drawn_curves import DrawnCurves

STEPS = np.arange(1, 101)
FALLING = 1.0 / STEPS


def one(values: Any, steps: Any = STEPS) -> DrawnCurves:
    """Give a single curve."""
    curves = DrawnCurves()
    curves.set("loss", "loss", steps, values)
    return curves


def points(curve: Any, of: str = "") -> tuple[NDArray[Any], NDArray[Any]]:
    """Give steps and values as the page reads them, of the curve or of its mean."""
    where = curve[of] if of else curve
    return np.frombuffer(where["x"], "<f8"), np.frombuffer(where["y"], "<f8")


def latest(curve: Any) -> list[float]:
    return np.frombuffer(curve["latest"], "<f8").tolist()


def test_a_curve_is_drawn_as_it_is() -> None:
    [curve] = one(FALLING).wire(None, over=0, log=False)
    x, y = points(curve)
    np.testing.assert_array_equal(x, STEPS)
    np.testing.assert_array_equal(y, FALLING)
    assert curve["mean"] is None


def test_the_mean_is_of_the_values_around_each_step() -> None:
    [curve] = one(FALLING).wire(None, over=10, log=False)
    _, mean = points(curve, "mean")
    # Less than half a window from an end: the best straight line through what there is.
    line = np.polyfit(STEPS[:7], FALLING[:7], 1)
    assert mean[1] == pytest.approx(np.polyval(line, STEPS[1]))
    assert mean[50] == pytest.approx(FALLING[45:56].mean())


@pytest.mark.parametrize(
    ("values", "log"),
    [
        (np.geomspace(2, 0.01, 100), True),
        (np.geomspace(2, 0.1, 100), False),
        (1 - np.geomspace(0.9, 0.001, 100), False),
        (np.geomspace(2, 0.01, 100) - 0.01, False),
        (np.r_[np.geomspace(2, 0.01, 100), np.nan], True),
        (np.r_[2.0, 1e-6, np.full(98, 1.0)], False),
        (np.zeros(0), False),
    ],
    ids=["far", "less", "rising", "to zero", "then nan", "once", "none"],
)
def test_a_panel_decides_for_logarithms_where_a_curve_fell_to_a_hundredth(
    values: NDArray[np.float64], log: bool
) -> None:
    curves = DrawnCurves()
    curves.set("loss", "loss", np.arange(len(values)), values)
    curves.set("accuracy", "accuracy", np.arange(9), np.linspace(0.1, 1, 9))
    assert [curve["log"] for curve in curves.wire(None, over=5, log=None)] == [log, False]
    assert [curve["log"] for curve in curves.wire(None, over=5, log=True)] == [True, True]


def test_a_logarithmic_axis_stays_when_the_curve_rises_again() -> None:
    curves = DrawnCurves()
    for values in (np.geomspace(2, 0.01, 100), np.r_[np.geomspace(2, 0.01, 100), np.ones(50)]):
        curves.set("loss", "loss", np.arange(len(values)), values)
        [drawn] = curves.wire(None, over=5, log=None)
        assert drawn["log"]


def test_on_a_logarithmic_scale_the_mean_is_of_logarithms() -> None:
    curves = one(FALLING)
    _, mean = points(curves.wire(None, over=10, log=True)[0], "mean")
    assert mean[50] == pytest.approx(np.exp(np.log(FALLING[45:56]).mean()))
    _, mean = points(curves.wire(None, over=10, log=False)[0], "mean")
    assert mean[50] == pytest.approx(FALLING[45:56].mean())


@pytest.mark.parametrize("over", [0, 30])
@pytest.mark.parametrize("window", [None, (10.0, 20.0)])
@pytest.mark.parametrize("log", [False, True])
def test_the_latest_value_is_the_one_logged_last(over: int, window: Any, log: bool) -> None:
    noisy = FALLING.copy()
    noisy[-1] = 0.592
    curves = one(noisy)
    curves.set("loss", "val_loss", STEPS, np.where(STEPS < 100, FALLING, np.nan))
    first, second = curves.wire(window, over=over, log=log)
    assert latest(first) == [0.592]
    assert np.isnan(latest(second)).all()
    assert len(latest(second)) == 1


def test_the_latest_value_is_where_the_curve_ends_though_more_is_logged_meanwhile() -> None:
    logged = iter(range(10, 100))

    def everything() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        count = next(logged)
        return STEPS[:count], FALLING[:count]

    curves = DrawnCurves()
    curves.grow("loss", "loss", everything)
    [curve] = curves.wire(None, over=0, log=False)
    assert latest(curve) == [points(curve)[1][-1]]


def test_a_curve_without_values_has_no_latest_one() -> None:
    [curve] = one(FALLING[:0], STEPS[:0]).wire(None, over=10, log=False)
    assert latest(curve) == []


def test_a_million_points_are_thinned_and_keep_their_peak() -> None:
    values = np.ones(1_000_000)
    values[654_321] = 9.0
    [curve] = one(values, np.arange(1_000_000)).wire(None, over=0, log=False)
    x, y = points(curve)
    assert len(x) < 1000
    assert y.max() == 9.0


def test_a_zoom_shows_those_steps_in_full() -> None:
    steps = np.arange(1_000_000)
    [curve] = one(np.sin(steps), steps).wire((5000.0, 5100.0), over=0, log=False)
    x, y = points(curve)
    np.testing.assert_array_equal(x, np.arange(4999, 5102))
    np.testing.assert_array_equal(y, np.sin(np.arange(4999, 5102)))


@pytest.mark.parametrize(("count", "smoothed"), [(12, False), (13, True)])
def test_few_points_are_not_smoothed(count: int, smoothed: bool) -> None:
    [curve] = one(FALLING[:count], STEPS[:count]).wire(None, over=10, log=False)
    assert (curve["mean"] is not None) is smoothed


def test_what_is_not_finite_stays_so() -> None:
    values = np.array([1.0, np.inf, np.nan])
    [curve] = one(values, np.arange(3)).wire(None, over=0, log=False)
    np.testing.assert_array_equal(points(curve)[1], values)


def test_one_kind_has_one_colour_in_all_panels() -> None:
    curves = DrawnCurves()
    for panel, name, kind in (
        ("loss", "loss", "trained on"),
        ("loss", "val_loss", "held out"),
        ("accuracy", "val_accuracy", "held out"),
    ):
        curves.set(panel, name, STEPS, FALLING, kind=kind)
    assert [curve["colour"] for curve in curves.wire(None, over=0, log=False)] == [0, 1, 1]


def test_forgotten_curves_are_gone() -> None:
    curves = one(FALLING)
    assert curves.has("loss", "loss")
    curves.forget()
    assert not curves.has("loss", "loss")
    assert curves.wire(None, over=0, log=False) == []
