"""Figures grow with a training, share its selection, change nothing of it, and let go of it."""

from __future__ import annotations

import gc
import re
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from ipywidgets.widgets.widget import _instances

import kan_widgets as kw
from kan_widgets.figures import colours

LIVE: dict[str, Callable[[Any], Any]] = {
    "all curves": kw.figures.curves,
    "curves": lambda live: kw.figures.curves(live, "loss"),
    "functions": lambda live: kw.figures.functions(live, 0),
}


# -- growth -----------------------------------------------------------------------------


def test_a_curve_grows_drawn_by_the_painters_thread_alone(live: Any, until: Any) -> None:
    figure = kw.figures.curves(live, "loss")
    (line,) = figure.marks
    drawn_by: set[str] = set()
    line.observe(lambda _: drawn_by.add(threading.current_thread().name), "y")
    for k in range(20):
        live.log(k, loss=float(k))
    until(lambda: len(line.y) == 20)
    np.testing.assert_array_equal(line.y, np.arange(20))
    assert drawn_by == {"kan_widgets scheduler"}


def test_many_logs_are_few_drawings(live: Any, until: Any) -> None:
    (line,) = kw.figures.curves(live, "loss").marks
    drawings: list[int] = []
    line.observe(lambda change: drawings.append(len(change["new"])), "y")
    for k in range(5000):
        live.log(k, loss=float(k))
    until(lambda: len(line.y) and line.y[-1] == 4999)
    assert len(drawings) < 500


def test_a_quantity_logged_later_gets_a_line_or_a_figure(live: Any, until: Any) -> None:
    box, figure = kw.figures.curves(live), kw.figures.curves(live, "loss")
    assert box.children == ()
    live.log(0, loss=1.0)
    until(lambda: len(box.children) == 1)
    live.log(1, val_loss=1.0, accuracy=0.5)
    until(lambda: len(box.children) == 2 and len(figure.marks) == 2)
    assert [mark.labels for mark in figure.marks] == [["loss"], ["val_loss"]]
    assert all(mark.display_legend for mark in figure.marks)
    assert "kw-legend-8" in figure._dom_classes


def test_functions_move_with_the_training(live: Any, model: Any, step: Any, until: Any) -> None:
    lines = kw.figures.functions(live, 0, [(0, 0, 0, 0)]).marks
    for _ in range(3):
        step()

    def up_to_date() -> bool:
        read = kw.functions.read(model)[0]
        x = torch.tensor(lines[1].x, dtype=torch.float64)
        return np.allclose(lines[1].y, read.evaluate(x)[0, 0, 0, 0].detach().numpy(), atol=1e-5)

    before = lines[1].y.copy()
    until(up_to_date)
    assert live.stats.steps == 3
    assert before.shape == lines[1].y.shape


def test_functions_follow_another_grid(live: Any, model: Any, until: Any) -> None:
    line = kw.figures.functions(live, "convs.0", [(0, 0, 0, 0)]).marks[1]
    assert (line.x[0], line.x[-1]) == model.convs[0].basis.grid_range
    model.convs[0].update_grid(torch.linspace(-5, 7, 1000).reshape(1, 1, 25, 40))
    live.refresh()
    low, high = model.convs[0].basis.grid_range
    until(lambda: (line.x[0], line.x[-1]) == pytest.approx((low, high)))


def test_a_figure_follows_the_binding_that_replaces_its_own(model: Any, until: Any) -> None:
    first = kw.bind(model)
    figure = kw.figures.curves(first, "loss")
    second = kw.bind(model)
    second.log(0, loss=3.0)
    until(lambda: list(figure.marks[0].y) == [3.0])


def test_a_recording_is_drawn_and_kept(live: Any, step: Any, tmp_path: Any) -> None:
    path = tmp_path / "run.kw"
    with live.record(path):
        step()
        live.log(loss=0.5)
    recording = kw.replay(path)
    gone = weakref.ref(recording)
    curves, functions = kw.figures.curves(recording, "loss"), kw.figures.functions(recording, 0)
    del recording
    gc.collect()
    assert list(curves.marks[0].y) == [0.5]
    assert len(functions.marks[1].y) > 10
    assert gone() is not None
    curves.close()
    functions.close()
    gc.collect()
    assert gone() is None


# -- selection --------------------------------------------------------------------------


def test_a_click_on_a_line_selects_its_function(live: Any, click: Any) -> None:
    figure = kw.figures.functions(live, "convs.1", [(0, 1, 2, 0), (2, 0, 1, 1)])
    click(figure.marks[2])
    assert live.feed.selection == {"layer": "convs.1", "out": 2, "in": 0, "row": 1, "column": 1}


def test_the_selected_line_lies_on_the_band(live: Any, until: Any) -> None:
    band, *lines = kw.figures.functions(live, "convs.0", [(0, 0, 0, 0), (1, 0, 2, 2)]).marks
    assert not len(band.y)
    live.select("convs.0", 1, 0, 2, 2)
    until(lambda: len(band.y))
    np.testing.assert_array_equal(band.y, lines[1].y)
    live.select("convs.1", 1, 0, 2, 2)
    until(lambda: not len(band.y))


# -- nothing is kept, nothing is changed ------------------------------------------------


@pytest.mark.parametrize("name", LIVE)
def test_closing_leaves_no_listener_and_no_widget(live: Any, step: Any, name: str) -> None:
    colours.put_style_sheet()
    live.log(0, loss=1.0, val_loss=2.0, accuracy=1.0)
    gc.collect()
    listeners, widgets = live.feed.listeners, set(_instances)
    figure = LIVE[name](live)
    assert len(live.feed.listeners) > len(listeners)
    figure.close()
    assert live.feed.listeners == listeners
    gc.collect()
    assert set(_instances) == widgets


@pytest.mark.parametrize("name", LIVE)
def test_a_closed_figure_is_drawn_no_more_and_forgotten(live: Any, step: Any, name: str) -> None:
    figure = LIVE[name](live)
    gone = weakref.ref(figure)
    figure.close()
    del figure
    live.log(0, loss=1.0)
    step()
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("name", LIVE)
def test_a_figure_keeps_neither_the_model_nor_its_binding(name: str, until: Any) -> None:
    model = kw.nn.KANCNN(channels=(2, 3))
    live = kw.bind(model)
    live.log(0, loss=1.0)
    figure = LIVE[name](live)
    gone = weakref.ref(model), weakref.ref(live)
    del model, live
    until(lambda: gc.collect() >= 0 and [ref() for ref in gone] == [None, None])
    figure.close()


def test_a_click_after_the_model_is_gone_does_nothing(click: Any) -> None:
    model = kw.nn.KANCNN(channels=(2, 3))
    figure = kw.figures.functions(kw.bind(model), 0)
    del model
    gc.collect()
    click(figure.marks[1])
    assert len(figure.marks[1].y)


def trained(watched: bool) -> list[torch.Tensor]:
    torch.manual_seed(5)
    model = kw.nn.KANCNN(channels=(2, 3))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    live, made = None, []
    if watched:
        live = kw.bind(model, optimizer, every=1)
        made = [make(live) for make in LIVE.values()]
    for _ in range(6):
        optimizer.zero_grad()
        loss = model(torch.rand(4, 1, 28, 28)).square().mean()
        loss.backward()
        optimizer.step()
        if live is not None:
            live.log(loss=loss)
    for figure in made:
        figure.close()
    return [*model.state_dict().values(), torch.random.get_rng_state()]


def test_weights_and_random_numbers_are_bit_identical_with_every_figure() -> None:
    for ours, theirs in zip(trained(True), trained(False), strict=True):
        assert torch.equal(ours, theirs)


# -- bad input --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda live: kw.figures.curves(live.model), TypeError, "kan_widgets.bind"),
        (lambda live: kw.figures.functions("no"), TypeError, "expected a binding"),
        (lambda live: kw.figures.curves(live, " "), ValueError, "such as 'loss'"),
        (lambda live: kw.figures.curves(live, scale="ln"), ValueError, "'linear' or 'log'"),
        (lambda live: kw.figures.functions(live, "x"), ValueError, "'convs.0', 'convs.1'"),
        (lambda live: kw.figures.functions(live, 3), ValueError, "from 0 to 2"),
        (lambda live: kw.figures.functions(live, True), ValueError, "from 0 to 2"),
        (lambda live: kw.figures.functions(live, 2), ValueError, "expected 1 to 40"),
        (lambda live: kw.figures.functions(live, 0, []), ValueError, "expected 1 to 40"),
        (lambda live: kw.figures.functions(live, 0, [(9, 0, 0, 0)]), IndexError, "2 × 1 × 3 × 3"),
        (lambda live: kw.figures.functions(live, 0, [(0, 0)]), IndexError, "2 × 1 × 3 × 3"),
        (
            lambda live: kw.figures.functions(live, 0, interval=(1, 0)),
            ValueError,
            "interval: expected two finite numbers, low < high",
        ),
        (lambda live: kw.figures.lines({}, x="x", y="y"), ValueError, "at least one line"),
        (
            lambda live: kw.figures.lines({"a": ([1], [1, 2])}, x="x", y="y"),
            ValueError,
            "a: expected as many values of x as of y, at least one, got 1 and 2",
        ),
        (lambda live: kw.figures.lines({"a": ([1], [1])}, x="x", y="y", log="z"), ValueError, "xy"),
        (
            lambda live: kw.figures.lines({"a": ([1], [1])}, x="x", y="y", behind=["b"]),
            ValueError,
            "expected names among 'a'",
        ),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_made(
    live: Any, call: Any, error: type[Exception], words: str
) -> None:
    colours.put_style_sheet()
    listeners, widgets = live.feed.listeners, set(_instances)
    with pytest.raises(error, match=re.escape(words)):
        call(live)
    assert live.feed.listeners == listeners
    assert set(_instances) == widgets
