"""What the marks of figures hold equals what is computed otherwise."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import kan_widgets as kw
from kan_widgets.figures import colours

COUNTS = np.array([0, 2, 5, 9])
SCORES = np.array([0.9, 0.89, 0.5, 0.1])


def a_curve() -> Any:
    return kw.insight.AblationCurve("convs.0", 9, 9, np.zeros((9, 4)), COUNTS, SCORES)


def some_drops() -> Any:
    places = np.array([[1, 0, 2, 1], [0, 0, 0, 0]])
    drop = np.array([0.2, -0.1])
    return kw.insight.Ablation("convs.0", 9, 9, places, np.zeros(2), 0.9, drop, (2, 1, 3, 3))


def some_checks(live: Any) -> list[Any]:
    observed = live.observe(torch.rand(4, 1, 28, 28))["convs.0"]
    layer = live.read()[0]
    return [kw.insight.check_pattern(kw.insight.kernel_of(layer, k), observed) for k in range(2)]


def results(model: torch.nn.Module) -> dict[str, Any]:
    return {layer.name: kw.insight.complexity(layer) for layer in kw.functions.read(model)}


def response() -> Any:
    weights = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])
    return kw.insight.frequency_response(weights)


def test_a_curve_holds_what_was_logged(live: Any) -> None:
    losses = np.random.default_rng(0).random(50)
    for k, loss in enumerate(losses):
        live.log(3 * k, train_loss=loss)
        if k % 10 == 0:
            live.log(3 * k, val_loss=2 * loss, accuracy=0.5)
    trained, held_out = kw.figures.curves(live, "loss").marks
    np.testing.assert_array_equal(trained.x, 3 * np.arange(50))
    np.testing.assert_array_equal(trained.y, losses)
    np.testing.assert_array_equal(held_out.y, 2 * losses[::10])
    assert trained.colors != held_out.colors


def test_a_long_curve_is_thinned_and_keeps_its_peak(live: Any) -> None:
    for k in range(5000):
        live.log(k, loss=100.0 if k == 2345 else 1.0)
    (line,) = kw.figures.curves(live, "loss").marks
    assert len(line.x) <= 802
    assert line.x[line.y.argmax()] == 2345
    assert line.y.max() == 100


def test_what_has_no_place_on_a_logarithmic_axis_is_a_gap(live: Any) -> None:
    for k, loss in enumerate([1.0, 0.0, 2.0, float("nan"), 3.0, -1.0]):
        live.log(k, loss=loss)
    (line,) = kw.figures.curves(live, "loss", scale="log").marks
    np.testing.assert_array_equal(line.x, [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(line.y, [1, np.nan, 2, np.nan, 3])


def test_all_quantities_have_a_figure_each(live: Any) -> None:
    live.log(0, loss=1.0, val_loss=2.0, accuracy=0.5)
    box = kw.figures.curves(live)
    assert [figure.axes[1].label for figure in box.children] == ["loss", "accuracy"]
    assert [len(figure.marks) for figure in box.children] == [2, 1]


def test_functions_equal_those_read_from_the_model(live: Any, model: Any) -> None:
    chosen = [(0, 0, 0, 2), (2, 1, 1, 1)]
    figure = kw.figures.functions(live, 1, chosen)
    assert figure.title == "convs.1"
    read = kw.functions.read(model)[1]
    for line, place in zip(figure.marks[1:], chosen, strict=True):
        x = torch.tensor(line.x, dtype=torch.float64)
        exact = read.evaluate(x)[place].detach().numpy()
        np.testing.assert_allclose(line.y, exact, atol=2e-6)
        low, high = read.bases[0].domain
        assert (x[0].item(), x[-1].item()) == pytest.approx((low, high))


def test_functions_are_drawn_over_the_interval_asked_for(live: Any, model: Any) -> None:
    line = kw.figures.functions(live, 0, [(0, 0, 0, 0)], interval=(-0.33, 0.5)).marks[1]
    assert (line.x[0], line.x[-1]) == (-0.33, 0.5)
    exact = kw.functions.read(model)[0].evaluate(torch.tensor([-0.33, 0.5]))[0, 0, 0, 0]
    np.testing.assert_allclose(line.y[[0, -1]], exact.detach().numpy(), atol=2e-3)


def test_functions_on_grids_of_their_own_are_drawn_with_their_own() -> None:
    from kan import KAN

    torch.manual_seed(0)
    model = KAN(width=[2, 1], grid=3, k=3, seed=0, auto_save=False, device="cpu")
    with torch.no_grad():
        model.act_fun[0].grid[1] *= 2
    live = kw.bind(model)
    assert live.layout.layers[0].table_of is not None
    lines = kw.figures.functions(live, 0, [(0, 0), (0, 1)]).marks[1:]
    read = kw.functions.read(model)[0]
    for line, place in zip(lines, [(0, 0), (0, 1)], strict=True):
        exact = read.evaluate(torch.tensor(line.x, dtype=torch.float64))[place].detach().numpy()
        near = np.abs(line.y - exact).max()
        assert near < 0.01 * np.ptp(exact)


def test_ranges_are_those_of_the_functions(live: Any, model: Any) -> None:
    figure = kw.figures.ranges(live)
    dots = figure.marks[1:4]
    layers = kw.functions.read(model)
    assert list(figure.axes[0].tick_labels.values()) == [layer.name for layer in layers]
    for k, (mark, layer) in enumerate(zip(dots, layers, strict=True)):
        low, high = layer.bases[0].domain
        y = layer.evaluate(torch.linspace(low, high, 2001, dtype=torch.float64)).detach()
        reach = (y.amax(-1) - y.amin(-1)).ravel().numpy()
        numbers = np.unique(np.linspace(0, len(reach) - 1, min(len(reach), 300)).astype(int))
        # Extremes between the sixteen points of an interval are missed by less than this.
        np.testing.assert_allclose(mark.y, reach[numbers], rtol=3e-3, atol=1e-6)
        assert (np.abs(mark.x - k) < 0.5).all()
        assert figure.marks[-1].y[k] == pytest.approx(np.median(reach), rel=1e-3)


def test_the_middle_half_is_the_quartiles_of_all(live: Any, model: Any) -> None:
    bend = {name: found.bend for name, found in results(model).items()}
    figure = kw.figures.complexity(results(model))
    halves = figure.marks[-2]
    for k, values in enumerate(bend.values()):
        expected = np.nanquantile(values, (0.25, 0.75))
        np.testing.assert_allclose(halves.y[3 * k : 3 * k + 2], expected)
    assert not np.isnan(halves.y[-1])


@pytest.mark.parametrize("measure", ["turns", "line", "variation"])
def test_live_complexity_is_that_of_the_model(live: Any, model: Any, measure: str) -> None:
    figure = kw.figures.complexity(live, measure)
    exact = getattr(results(model)["convs.1"], measure)
    expected = 1 - exact if measure == "line" else exact
    np.testing.assert_allclose(figure.marks[2].y, expected, rtol=1e-3, atol=1e-4)


def test_networks_stand_side_by_side_in_their_colours(model: Any) -> None:
    found = results(model)
    figure = kw.figures.complexity({"one": found, "other": found}, "turns")
    one, other = figure.marks[1], figure.marks[1 + len(found)]
    np.testing.assert_array_equal(one.y, other.y)
    assert one.x.max() < other.x.min()
    assert one.colors != other.colors
    names = [mark.labels for mark in figure.marks if mark.labels]
    assert names == [["one"], ["other"]]


def test_what_has_no_place_on_the_scale_is_counted_on_the_axis() -> None:
    model = kw.nn.KANLinear(3, 2)
    with torch.no_grad():
        model.base_weight[0] = 0
        model.spline_weight[0] = 0
    live = kw.bind(model)
    figure = kw.figures.ranges(live)
    assert figure.axes[0].label == "layer (3 functions have no place on this scale)"
    assert len(figure.marks[1].y) == 3
    assert kw.figures.ranges(live, scale="linear").axes[0].label == "layer"


def test_ablation_draws_the_scores_and_what_is_spared() -> None:
    whole, along, spared = kw.figures.ablation(a_curve(), tolerance=0.02).marks
    np.testing.assert_array_equal(along.x, COUNTS)
    np.testing.assert_array_equal(along.y, SCORES)
    np.testing.assert_array_equal(whole.y, [0.9, 0.9])
    np.testing.assert_array_equal(spared.x, [2, 2])


def test_drops_have_a_bar_each() -> None:
    figure = kw.figures.drops(some_drops())
    np.testing.assert_array_equal(figure.marks[0].y, [0.2, -0.1])
    assert list(figure.axes[1].tick_labels.values()) == [
        "0 → 1, row 2, column 1",
        "0 → 0, row 0, column 0",
    ]


def test_the_map_of_waves_is_the_sum_over_the_kernel() -> None:
    weights = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])
    plane, dots = kw.figures.frequency(response()).marks
    v, u = plane.y[10], plane.x[50]
    rows, columns = np.mgrid[:2, :3]
    exact = abs((weights * np.exp(-2j * np.pi * (v * rows + u * columns))).sum())
    assert plane.color[10, 50] == pytest.approx(exact)
    assert (dots.y[0], dots.x[0]) == pytest.approx((-dots.y[1], -dots.x[1]))
    strongest = np.unravel_index(plane.color.argmax(), plane.color.shape)
    at = np.array([plane.y[strongest[0]], plane.x[strongest[1]]])
    near = np.abs(np.stack([dots.y, dots.x], axis=1) - at).max(axis=1).min()
    assert near <= 1 / 64


def test_readings_are_bars_of_their_correlations(live: Any) -> None:
    checks = some_checks(live)
    (bars,) = kw.figures.patterns(checks).marks
    for k, check in enumerate(checks):
        expected = [check.binary, check.graded, check.linear]
        np.testing.assert_array_equal(bars.y[k, :3], expected)


def test_lines_are_what_was_given_those_behind_first() -> None:
    x = torch.linspace(0, 1, 5)
    figure = kw.figures.lines(
        {"fit": (x, x**2), "target": (x, x)}, x="x", y="y", log="y", behind=["target"]
    )
    target, fit = figure.marks
    assert (target.labels, fit.labels) == (["target"], ["fit"])
    np.testing.assert_allclose(fit.y, (x**2).numpy()[1:])
    assert target.stroke_width > fit.stroke_width
    # A broad line has no dots, however few its points.
    assert (target.marker, fit.marker) == (None, "circle")


def test_few_sizes_on_a_logarithmic_axis_are_its_ticks() -> None:
    few, other, many = np.array([10, 20, 40]), np.array([20, 80]), np.arange(1, 100)
    figure = kw.figures.lines({"a": (few, few), "b": (other, other)}, x="x", y="y", log="x")
    assert figure.axes[0].tick_values.tolist() == [10, 20, 40, 80]
    assert kw.figures.lines({"a": (many, many)}, x="x", y="y", log="x").axes[0].tick_values is None
    assert kw.figures.lines({"a": (few, few)}, x="x", y="y").axes[0].tick_values is None


@pytest.mark.parametrize(("least", "short"), [(1e-6, True), (0.1, False)])
def test_small_numbers_on_a_logarithmic_axis_are_written_short(least: float, short: bool) -> None:
    figure = kw.figures.lines({"a": ([1, 2], [1, least])}, x="x", y="y", log="y")
    assert (figure.axes[1].tick_format == ".0e") == short


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.003, 0.13, [0.005, 0.01, 0.02, 0.05, 0.1]),
        (1.0, 1.0, None),
        (2.0, 9.0, None),
        (2.0, 20.0, [2, 5, 10, 20]),
        (2e-4, 2.0, [1e-3, 1e-2, 0.1, 1]),
        (1e-8, 1.0, None),
    ],
)
def test_labels_of_a_logarithmic_axis_do_not_crowd_and_follow_what_is_drawn(
    live: Any, low: float, high: float, ticks: list[float] | None
) -> None:
    figure = kw.figures.lines({"a": ([1, 2], [1, 1])}, x="x", y="y", log="y")
    assert figure.axes[1].tick_values is None
    figure.marks[0].y = np.array([low, high])
    live.log(0, loss=low)
    live.log(1, loss=high)
    logged = kw.figures.curves(live, "loss", scale="log")
    for axis in (figure.axes[1], logged.axes[1]):
        found = axis.tick_values
        assert (None if found is None else found.tolist()) == ticks


def test_every_axis_has_a_label(live: Any, model: Any) -> None:
    live.log(0, loss=1.0)
    made = [
        kw.figures.curves(live, "loss"),
        *kw.figures.curves(live).children,
        kw.figures.functions(live, 0),
        kw.figures.ranges(live),
        kw.figures.complexity(live),
        kw.figures.complexity(results(model)),
        kw.figures.ablation(a_curve()),
        kw.figures.drops(some_drops()),
        kw.figures.frequency(response()),
        kw.figures.patterns(some_checks(live)),
        kw.figures.lines({"a": ([1, 2], [3, 4])}, x="x", y="y"),
    ]
    for figure in made:
        assert len(figure.axes) >= 2
        assert all(axis.label for axis in figure.axes)
        assert "kw-bqplot" in figure._dom_classes


def test_a_reader_can_add_marks(live: Any) -> None:
    figure = kw.figures.functions(live, 0)
    import bqplot

    own = bqplot.Lines(x=[-1, 1], y=[0, 0], scales=figure.marks[0].scales)
    figure.marks = [*figure.marks, own]
    assert figure.marks[-1].scales["x"] is figure.axes[0].scale


def test_the_colours_are_those_of_the_views() -> None:
    text = (Path(__file__).parents[2] / "js/src/scene/theme.ts").read_text("utf-8")
    light, dark = (
        dict(re.findall(r'^  "?([a-z0-9-]+)"?: "(#\w+)"', part, re.MULTILINE))
        for part in re.findall(r"^const (?:LIGHT|DARK)\b.*?\{\n(.*?)^\}", text, re.S | re.M)
    )
    assert {name: light[name] for name in colours.LIGHT} == colours.LIGHT
    assert {name: (light | dark)[name] for name in colours.DARK} == colours.DARK
