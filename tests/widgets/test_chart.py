"""Chart: what it hands to bqplot, and its still picture."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from kan_widgets.widgets.chart import Chart
from kan_widgets.widgets.chart_still import CURVES

STEPS = np.arange(1, 101)
FALLING = 1.0 / STEPS


def lines(chart: Chart, panel: str = "loss") -> tuple[Any, Any]:
    """Give the marks that draw the values and the smoothed values."""
    found = chart._panels[panel]
    return found.raw, found.smooth


def tools(chart: Chart) -> Any:
    return cast(Any, chart.tools)


def test_a_curve_is_drawn_as_it_is() -> None:
    chart = Chart()
    chart.set("loss", "loss", STEPS, FALLING)
    chart.draw()
    raw, _ = lines(chart)
    np.testing.assert_array_equal(raw.x, STEPS)
    np.testing.assert_array_equal(raw.y, FALLING)


def test_nothing_is_drawn_before_draw() -> None:
    chart = Chart()
    chart.set("loss", "loss", STEPS, FALLING)
    assert chart.panels == ()


def test_all_values_lie_within_the_scales() -> None:
    chart = Chart(smoothing=10)
    chart.set("loss", "loss", STEPS, FALLING)
    chart.draw()
    y = chart._panels["loss"].y
    assert (chart._steps.min, chart._steps.max) == (0.0, 100.0)
    assert y.min <= FALLING.min() <= FALLING.max() <= y.max


def test_curves_of_different_lengths_share_a_panel() -> None:
    chart = Chart()
    chart.set("loss", "loss", STEPS, FALLING)
    chart.set("loss", "val_loss", STEPS[::10], 2 * FALLING[::10])
    chart.draw()
    raw, _ = lines(chart)
    assert raw.x.shape == raw.y.shape == (2, 100)
    np.testing.assert_array_equal(raw.y[1, :10], 2 * FALLING[::10])
    assert set(zip(raw.x[1, 10:], raw.y[1, 10:], strict=True)) == {(91.0, 2 / 91)}


def test_each_quantity_has_a_panel_and_all_share_the_steps() -> None:
    chart = Chart()
    chart.set("loss", "loss", STEPS, FALLING)
    chart.set("accuracy", "accuracy", STEPS, 1 - FALLING)
    chart.draw()
    assert chart.panels == ("loss", "accuracy")
    scales = [lines(chart, panel)[0].scales for panel in chart.panels]
    assert scales[0]["x"] is scales[1]["x"]
    assert scales[0]["y"] is not scales[1]["y"]


def test_the_mean_is_a_thin_line_with_the_values_faint_behind() -> None:
    chart = Chart(smoothing=10)
    chart.set("loss", "loss", STEPS, FALLING)
    chart.draw()
    raw, smooth = lines(chart)
    assert raw.opacities[0] < 0.5 < smooth.opacities[0]
    assert smooth.stroke_width < raw.stroke_width
    assert smooth.y[1] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert smooth.y[50] == pytest.approx(FALLING[45:56].mean())
    tools(chart).smoothing = 0
    chart.draw()
    assert raw.opacities == [1.0]
    assert (smooth.x > 1e11).all()


def test_on_a_logarithmic_scale_the_mean_is_of_logarithms() -> None:
    chart = Chart(smoothing=10, scale="log")
    chart.set("loss", "loss", STEPS, FALLING)
    chart.draw()
    _, smooth = lines(chart)
    assert smooth.y[50] == pytest.approx(np.exp(np.log(FALLING[45:56]).mean()))
    tools(chart).scale = "linear"
    chart.draw()
    _, smooth = lines(chart)
    assert smooth.y[50] == pytest.approx(FALLING[45:56].mean())
    stills = chart.pictures()[0].lines
    assert stills[1].values[50] == pytest.approx(FALLING[45:56].mean())


@pytest.mark.parametrize("smoothing", [0, 30])
@pytest.mark.parametrize("zoom", [[], [10.0, 20.0]])
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_the_number_in_print_is_the_value_logged_last(
    smoothing: int, zoom: list[float], scale: Any
) -> None:
    chart = Chart(smoothing=smoothing, scale=scale)
    noisy = FALLING.copy()
    noisy[-1] = 0.592
    chart.set("loss", "loss", STEPS, noisy)
    chart.set("loss", "val_loss", STEPS, np.where(STEPS < 100, FALLING, np.nan))
    tools(chart).zoom = zoom
    chart.draw()
    assert tools(chart).latest == [["0.592", "NaN"]]
    assert [line.latest for line in chart.pictures()[0].lines if line.name] == ["0.592", "NaN"]


def test_a_million_points_are_thinned_and_keep_their_peak() -> None:
    steps = np.arange(1_000_000)
    values = np.ones(1_000_000)
    values[654_321] = 9.0
    chart = Chart()
    chart.set("loss", "loss", steps, values)
    chart.draw()
    raw, _ = lines(chart)
    assert len(raw.x) < 1000
    assert raw.y.max() == 9.0


def test_a_zoom_shows_those_steps_in_full() -> None:
    steps = np.arange(1_000_000)
    chart = Chart()
    chart.set("loss", "loss", steps, np.sin(steps))
    tools(chart).zoom = [5000.0, 5100.0]
    chart.draw()
    raw, _ = lines(chart)
    np.testing.assert_array_equal(raw.x, np.arange(4999, 5102))
    np.testing.assert_array_equal(raw.y, np.sin(np.arange(4999, 5102)))
    assert (chart._steps.min, chart._steps.max) == (5000.0, 5100.0)
    tools(chart).zoom = []
    chart.draw()
    assert chart._steps.max >= 999_999


def test_what_the_user_changes_is_told() -> None:
    told: list[int] = []
    chart = Chart(changed=lambda: told.append(1))
    tools(chart).scale = "log"
    tools(chart).smoothing = 100
    tools(chart).zoom = [1.0, 2.0]
    assert len(told) == 3


def test_a_logarithmic_scale_leaves_out_what_it_cannot_show() -> None:
    chart = Chart(scale="log")
    chart.set("loss", "loss", np.arange(4), np.array([1.0, 0.0, -1.0, 0.01]))
    chart.draw()
    raw, _ = lines(chart)
    np.testing.assert_array_equal(raw.y, [1.0, np.nan, np.nan, 0.01])
    assert type(chart._panels["loss"].y).__name__ == "LogScale"
    assert chart._panels["loss"].y.min > 0


def test_what_is_not_finite_is_a_gap_and_never_the_last_point() -> None:
    chart = Chart()
    chart.set("loss", "loss", np.arange(3), np.array([1.0, np.inf, np.nan]))
    chart.draw()
    raw, _ = lines(chart)
    np.testing.assert_array_equal(raw.y[:3], [1.0, np.nan, np.nan])
    assert np.isfinite(raw.y[-1])
    assert raw.x[-1] > 1e11


@pytest.mark.parametrize("smoothing", [0, 10])
@pytest.mark.parametrize(
    ("count", "values", "marker"),
    [(1, FALLING, "circle"), (12, FALLING, "circle"), (13, FALLING, None), (3, -FALLING, None)],
)
def test_few_points_are_dots_too(
    smoothing: int, count: int, values: Any, marker: str | None
) -> None:
    chart = Chart(smoothing=smoothing, scale="log")
    chart.set("loss", "loss", STEPS[:count], values[:count])
    chart.draw()
    raw, _ = lines(chart)
    assert raw.marker == marker


def test_few_points_are_not_smoothed() -> None:
    chart = Chart(smoothing=10)
    chart.set("loss", "loss", STEPS[:12], FALLING[:12])
    chart.draw()
    raw, smooth = lines(chart)
    assert raw.opacities == [1.0]
    assert (smooth.x > 1e11).all()


def test_one_point_is_seen_in_the_still_picture() -> None:
    chart = Chart()
    chart.set("loss", "loss", STEPS[:1], FALLING[:1])
    chart.draw()
    picture = np.asarray(chart.image(width=400, pixel_ratio=1))[30:-25]
    assert 9 <= (picture == CURVES["light"][0]).all(axis=2).sum() <= 40


def test_marks_are_vertical_lines_at_their_steps() -> None:
    chart = Chart()
    chart.set("loss", "loss", STEPS, FALLING)
    chart.set_marks([(20, "lr 0.1 → 0.01"), (500, "outside")])
    chart.draw()
    panel = chart._panels["loss"]
    assert panel.marks.x.tolist() == [20.0, 20.0]
    assert panel.marks.y.tolist() == [panel.y.min, panel.y.max]
    assert tools(chart).marks[0] == [20, "lr 0.1 → 0.01"]


def test_one_kind_has_one_colour_in_all_panels() -> None:
    chart = Chart()
    chart.set("loss", "loss", STEPS, FALLING, kind="trained on")
    chart.set("loss", "val_loss", STEPS, FALLING, kind="held out")
    chart.set("accuracy", "val_accuracy", STEPS, FALLING, kind="held out")
    chart.draw()
    loss, accuracy = (panel["colours"] for panel in tools(chart).panels)
    assert loss == [0, 1]
    assert accuracy == [1]


def test_forgotten_curves_go_from_the_page() -> None:
    chart = Chart()
    chart.set("loss", "loss", STEPS, FALLING)
    chart.draw()
    figure = chart._panels["loss"].figure
    chart.forget()
    chart.draw()
    assert chart.panels == ()
    assert figure.comm is None


def test_every_widget_of_a_chart_is_closed_with_it() -> None:
    chart = Chart()
    chart.set("loss", "loss", STEPS, FALLING)
    chart.draw()
    panel = chart._panels["loss"]
    parts = [chart, chart.tools, chart._steps, chart._grid, panel.figure, *panel.widgets]
    assert all(part.comm is not None for part in parts)
    chart.close()
    assert [part for part in parts if part.comm is not None] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_the_still_picture_shows_the_curve_where_it_is(theme: Any, scale: Any) -> None:
    chart = Chart(height=200, scale=scale)
    chart.set("loss", "loss", np.arange(101), np.full(101, 3.0))
    image = chart.image(width=400, pixel_ratio=2, theme=theme)
    assert image.size == (800, 400)
    blue = {"light": (0, 114, 178), "dark": (86, 180, 233)}[theme]
    found = np.argwhere((np.asarray(image) == blue).all(axis=2)) / 2
    # The key's own line is above the drawing.
    rows = found[found[:, 0] > 30]
    low, high = chart.pictures()[0].values
    if scale == "log":
        share = (np.log(high) - np.log(3)) / (np.log(high) - np.log(low))
    else:
        share = (high - 3) / (high - low)
    assert rows[:, 0].mean() == pytest.approx(26 + share * (200 - 26 - 22), abs=1.0)
    assert np.ptp(rows[:, 1]) > 300


def test_a_height_that_holds_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="height=50: at least 100"):
        Chart(height=50)


def test_ticks_have_their_labels_before_they_have_their_places() -> None:
    chart = Chart()
    chart.set("loss", "loss", STEPS, FALLING)
    chart.draw()
    axis = chart._panels["loss"].up
    seen: list[tuple[str, set[str]]] = []
    axis.observe(lambda change: seen.append((change["name"], set(axis.tick_labels))))
    before = set(axis.tick_labels)
    chart.set("loss", "loss", STEPS, 1e-6 * FALLING)
    chart.draw()
    assert [name for name, _ in seen] == ["tick_labels", "tick_values"]
    assert before <= seen[0][1]
    assert axis.tick_labels["0.000001"] == "1e-6"
    assert "1e-7" not in before
