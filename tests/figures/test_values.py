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
    assert live.feed.layout.layers[0].table_of is not None
    lines = kw.figures.functions(live, 0, [(0, 0), (0, 1)]).marks[1:]
    read = kw.functions.read(model)[0]
    for line, place in zip(lines, [(0, 0), (0, 1)], strict=True):
        exact = read.evaluate(torch.tensor(line.x, dtype=torch.float64))[place].detach().numpy()
        near = np.abs(line.y - exact).max()
        assert near < 0.01 * np.ptp(exact)


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


def test_every_axis_has_a_label(live: Any) -> None:
    live.log(0, loss=1.0)
    made = [
        kw.figures.curves(live, "loss"),
        *kw.figures.curves(live).children,
        kw.figures.functions(live, 0),
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
