"""Named lines hold what was given, on axes that can be read, and close without a trace."""

from __future__ import annotations

import gc
import re
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ipywidgets import Widget
from ipywidgets.widgets.widget import _instances

import kan_widgets as kw
from kan_widgets.figures import colours


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """Close what a test leaves open."""
    yield
    Widget.close_all()


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
    low: float, high: float, ticks: list[float] | None
) -> None:
    figure = kw.figures.lines({"a": ([1, 2], [1, 1])}, x="x", y="y", log="y")
    assert figure.axes[1].tick_values is None
    figure.marks[0].y = np.array([low, high])
    found = figure.axes[1].tick_values
    assert (None if found is None else found.tolist()) == ticks


def test_what_has_no_place_on_a_logarithmic_axis_is_a_gap() -> None:
    y = [0.0, 1.0, 0.0, 2.0, np.nan, 3.0, -1.0]
    (line,) = kw.figures.lines({"a": (range(7), y)}, x="x", y="y", log="y").marks
    np.testing.assert_array_equal(line.x, [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(line.y, [1, np.nan, 2, np.nan, 3])


def test_every_axis_has_a_label() -> None:
    figure = kw.figures.lines({"a": ([1, 2], [3, 4])}, x="across", y="up")
    assert [axis.label for axis in figure.axes] == ["across", "up"]
    assert "kw-bqplot" in figure._dom_classes


def test_a_reader_can_add_marks() -> None:
    figure = kw.figures.lines({"a": ([1, 2], [3, 4])}, x="x", y="y")
    import bqplot

    own = bqplot.Lines(x=[-1, 1], y=[0, 0], scales=figure.marks[0].scales)
    figure.marks = [*figure.marks, own]
    assert figure.marks[-1].scales["x"] is figure.axes[0].scale


def test_closing_a_figure_leaves_no_widget_and_lets_go_of_it() -> None:
    colours.put_style_sheet()
    gc.collect()
    widgets = set(_instances)
    figure = kw.figures.lines({"a": ([1, 2], [3, 4]), "b": ([1], [1])}, x="x", y="y", log="y")
    gone = weakref.ref(figure)
    figure.close()
    assert set(_instances) == widgets
    del figure
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("curves", "options", "words"),
    [
        ({}, {}, "at least one line"),
        (
            {"a": ([1], [1, 2])},
            {},
            "a with 1 values of x and 2 of y: expected as many of each, at least one",
        ),
        ({"a": ([1], [1])}, {"log": "z"}, "xy"),
        ({"a": ([1], [1])}, {"behind": ["b"]}, "expected names among 'a'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_made(
    curves: Any, options: Any, words: str
) -> None:
    colours.put_style_sheet()
    widgets = set(_instances)
    with pytest.raises(ValueError, match=re.escape(words)):
        kw.figures.lines(curves, x="x", y="y", **options)
    assert set(_instances) == widgets


def test_the_colours_are_those_of_the_views() -> None:
    text = (Path(__file__).parents[2] / "js/src/scene/theme.ts").read_text("utf-8")
    pairs = re.findall(r'^  "?([a-z0-9-]+)"?: \["(#\w+)", "(#\w+)"\]', text, re.MULTILINE)
    light, dark = ({name: both[theme] for name, *both in pairs} for theme in (0, 1))
    assert {name: light[name] for name in colours.LIGHT} == colours.LIGHT
    assert {name: dark[name] for name in colours.DARK} == colours.DARK
