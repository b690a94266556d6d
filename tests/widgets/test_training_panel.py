"""TrainingPanel: what it shows, what its messages do, and what it leaves alone."""

from __future__ import annotations

import gc
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

import kan_widgets as kw
from kan_widgets.live.frames.feed import Listener
from kan_widgets.live.reports import report
from kan_widgets.widgets.training_panel import TrainingPanel

LIMIT = 20.0


class Training:
    """A small model with everything that trains it."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = kw.nn.KANLinear(2, 1)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self.live = kw.bind(self.model, self.optimizer, every=1)
        self.panel = TrainingPanel(self.live)

    def step(self) -> None:
        self.optimizer.zero_grad()
        self.model(torch.ones(4, 2)).square().mean().backward()
        self.optimizer.step()


@pytest.fixture
def training() -> Iterator[Training]:
    made = Training()
    yield made
    made.panel.close()


def say(panel: TrainingPanel, **content: Any) -> dict[str, Any]:
    """Send a message as the page does; give what the kernel answers."""
    answers: list[dict[str, Any]] = []
    stream = panel._stream
    tell_page = stream.tell_page
    stream.tell_page = answers.append  # type: ignore[method-assign]
    try:
        stream._answer(stream, {"id": "a:1", **content}, [])
    finally:
        stream.tell_page = tell_page  # type: ignore[method-assign]
    [answer] = [one for one in answers if one["kind"] == "heard"]
    assert answer["id"] == "a:1"
    return answer


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def status(panel: TrainingPanel) -> dict[str, Any]:
    return cast("dict[str, Any]", panel.status)


def panels(panel: TrainingPanel) -> list[str]:
    """Give the titles of the panels of curves, each once."""
    return list(dict.fromkeys(curve["panel"] for curve in panel.curves))


def test_step_and_curve_of_a_running_training_are_of_one_step(training: Training) -> None:
    for loss in (0.9, 0.8, 0.7):
        training.step()
        training.live.log(loss=loss)
    training.step()  # made, and its loss not logged yet
    training.panel._draw_job.now()
    (curve,) = training.panel.curves
    assert status(training.panel)["step"] == np.frombuffer(curve["x"])[-1] == 3
    assert np.frombuffer(curve["y"])[-1] == 0.7
    training.live.control.pause()
    training.live.log(loss=0.6)
    training.panel._draw_job.now()
    (curve,) = training.panel.curves
    assert status(training.panel)["step"] == np.frombuffer(curve["x"])[-1] == 4


@pytest.mark.parametrize(
    ("message", "state"),
    [
        ({"kind": "pause"}, "paused"),
        ({"kind": "step", "steps": 3}, "running"),
        ({"kind": "resume"}, "running"),
    ],
)
def test_a_button_reaches_the_control(
    training: Training, message: dict[str, Any], state: str
) -> None:
    assert say(training.panel, **message)["refused"] == ""
    assert training.live.control.state == state
    until(lambda: status(training.panel)["control"] == state)


def test_how_a_run_stands_is_told_before_the_answer_to_a_click(training: Training) -> None:
    # The page goes by the one until it has the other, and then a quick click would be the same.
    training.step()
    stream, told = training.panel._stream, []
    stream.observe(lambda change: told.append(change["new"]["state"]), "training")
    stream.tell_page = lambda content: told.append(content["kind"])
    for kind in ("pause", "resume", "pause"):
        stream._answer(stream, {"kind": kind, "id": "a:1"}, [])
    assert told == ["paused", "heard", "running", "heard", "paused", "heard"]


def test_a_pause_clicked_in_another_thread_holds_and_a_click_lets_go_on(
    training: Training,
) -> None:
    end = threading.Event()

    def loop() -> None:
        while not end.is_set():
            training.step()

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        until(lambda: training.live.stats.steps > 2)
        say(training.panel, kind="pause")
        until(lambda: training.live.control.is_holding)
        held = training.live.stats.steps
        say(training.panel, kind="step", steps=3)
        until(lambda: training.live.stats.steps == held + 3 and training.live.control.is_holding)
        # The last step is counted a moment before it is held.
        until(
            lambda: (
                [status(training.panel)[key] for key in ("step", "state")] == [held + 3, "paused"]
            )
        )
        say(training.panel, kind="resume")
        until(lambda: training.live.stats.steps > held + 3)
    finally:
        end.set()
        training.live.control.resume()
        thread.join(LIMIT)


def test_every_and_the_learning_rate_are_set(training: Training) -> None:
    say(training.panel, kind="every", value=7)
    say(training.panel, kind="rate", value=0.02, group=None)
    training.step()
    assert training.live.every == 7
    assert training.optimizer.param_groups[0]["lr"] == 0.02
    (mark,) = training.live.scalars.marks
    assert mark.text == "lr 0.1 → 0.02"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"kind": "every", "value": 0}, "a whole number of steps ≥ 1"),
        ({"kind": "step", "steps": "x"}, "a whole number"),
        ({"kind": "rate", "value": -1.0, "group": None}, "finite number ≥ 0"),
        ({"kind": "rate", "value": 1.0, "group": 5}, "1 parameter group"),
    ],
)
def test_what_is_refused_goes_back_in_words(
    training: Training, message: dict[str, Any], words: str
) -> None:
    assert words in say(training.panel, **message)["refused"]
    assert training.live.every == 1
    assert training.live.control.state == "running"


def test_a_logged_value_is_drawn_without_being_asked_for(training: Training) -> None:
    training.step()
    training.live.log(loss=0.5, val_loss=0.25, accuracy=0.9)
    until(lambda: panels(training.panel) == ["loss", "accuracy"])
    drawn = [np.frombuffer(curve["y"]).tolist() for curve in training.panel.curves]
    assert drawn == [[0.5], [0.25], [0.9]]


def test_the_numbers_of_a_tracked_loop_are_shown(training: Training) -> None:
    training.live.data_source = "made up"
    for _ in training.live.track([0] * 10, epochs=2):
        training.step()
    training.panel._draw_job.now()
    shown = status(training.panel)
    assert (shown["state"], shown["step"], shown["epoch"], shown["epochs"]) == (
        "finished",
        20,
        2,
        2,
    )
    assert (shown["done"], shown["total"], shown["source"]) == (20, 20, "made up")
    assert shown["rates"] == [0.1]


class Broken(Listener):
    def on_frame(self, frame: Any, settled: bool) -> None:
        raise ValueError("a broken view")


def test_a_view_that_raises_is_named_on_the_panel_and_training_goes_on(
    training: Training,
) -> None:
    training.live.feed.subscribe(Broken())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for _ in range(3):
            training.step()
    until(lambda: len(status(training.panel)["reports"]) == 1)
    assert "ValueError('a broken view')" in status(training.panel)["reports"][0]
    until(lambda: status(training.panel)["step"] == 3)


def test_a_report_reaches_a_panel_even_where_warnings_are_errors(training: Training) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report("something went wrong")
    until(lambda: status(training.panel)["reports"] == ["something went wrong"])


def test_an_error_in_a_background_run_is_on_the_panel_with_its_traceback() -> None:
    model = kw.nn.KANLinear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    live = kw.bind(model, optimizer)
    panel = TrainingPanel(live)

    def broken(_: object) -> None:
        print("seen by nobody else")
        raise ZeroDivisionError("in a callback")

    batches = [(torch.ones(4, 2), torch.zeros(4, 1))] * 3
    loss = torch.nn.functional.mse_loss
    run = kw.fit(model, batches, optimizer, loss, background=True, callbacks=[broken])
    with pytest.raises(ZeroDivisionError):
        run.wait(LIMIT)
    until(lambda: status(panel)["state"] == "failed")
    assert status(panel)["message"] == "ZeroDivisionError: in a callback"
    assert "in broken" in status(panel)["traceback"]
    assert status(panel)["output"] == "seen by nobody else\n"
    assert status(panel)["step"] == 3
    panel.close()


def test_a_panel_follows_the_binding_that_replaces_its_own(training: Training) -> None:
    training.step()
    later = kw.bind(training.model, training.optimizer, every=3)
    assert training.panel.live is later
    training.step()
    until(lambda: status(training.panel)["step"] == 2)
    assert status(training.panel)["every"] == 3


def test_curves_of_an_earlier_run_go_when_another_optimizer_begins_anew(
    training: Training,
) -> None:
    training.live.log(old=1.0)
    until(lambda: panels(training.panel) == ["old"])
    optimizer = torch.optim.SGD(training.model.parameters(), lr=0.1)
    later = kw.bind(training.model, optimizer)
    later.log(new=1.0)
    until(lambda: panels(training.panel) == ["new"])


def test_weights_are_bit_identical_with_a_panel_and_logging() -> None:
    def run(watched: bool) -> torch.Tensor:
        torch.manual_seed(3)
        model = kw.nn.KANLinear(4, 3)
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)
        live = kw.bind(model, optimizer, every=1) if watched else None
        panel = TrainingPanel(live) if live is not None else None
        for _ in range(40):
            optimizer.zero_grad()
            loss = model(torch.rand(8, 4)).square().mean()
            loss.backward()
            optimizer.step()
            if live is not None:
                live.log(loss=loss)
        if panel is not None:
            panel.image(width=300)
            panel.close()
        return torch.cat([p.detach().flatten() for p in model.parameters()] + [torch.rand(3)])

    assert torch.equal(run(True), run(False))


def test_a_panel_keeps_no_model_and_says_when_it_is_gone() -> None:
    training = Training()
    gone = weakref.ref(training.model)
    panel = training.panel
    training.step()
    del training
    until(lambda: gc.collect() >= 0 and gone() is None)
    until(lambda: status(panel)["closed"])
    say(panel, kind="pause")
    assert (status(panel)["step"], status(panel)["closed"]) == (1, True)
    assert panel.image(width=300).size[0] == 600
    panel.close()


def test_a_panel_given_a_bare_model_keeps_it() -> None:
    panel = TrainingPanel(kw.nn.KANLinear(2, 1))
    gc.collect()
    assert panel.live.model is not None
    panel.close()


def test_closing_ends_what_it_followed_and_leaves_the_training_alone(
    training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a machine that stalls, training would go quiet before the end.
    monkeypatch.setattr("kan_widgets.live.steering.counter._QUIET_SECONDS", 60.0)
    training.panel.close()
    training.step()
    assert training.live.feed.listeners == (training.panel._stream,)
    assert training.live.state == "live"
    assert training.panel.comm is None


def test_the_picture_holds_the_numbers_and_the_curves(training: Training, tmp_path: Path) -> None:
    for step in range(20):
        training.step()
        training.live.log(loss=1 / (1 + step))
    path = training.panel.to_png(tmp_path / "panel.png", width=500, theme="light")
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    assert pixels.shape[1] == 1000
    assert (pixels == (16, 152, 173)).all(axis=2).any(), "the curve"
    assert (pixels == (26, 127, 55)).all(axis=2).any(), "the dot of a running training"
    bundle = training.panel._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert {"image/png", "application/vnd.jupyter.widget-view+json"} <= set(data)


def words(svg: str) -> list[str]:
    return [text for element in ElementTree.fromstring(svg).iter() if (text := element.text)]


def test_the_picture_says_what_the_panel_says(training: Training, tmp_path: Path) -> None:
    for _ in training.live.track([0] * 10, epochs=2):
        training.step()
    path = training.panel.to_svg(tmp_path / "panel.svg", width=500)
    said = words(path.read_text("utf-8"))
    assert {"Training", "finished", "step 20", "epoch 2 of 2"} <= set(said)
    assert any("No loss was logged." in text for text in said)
    training.live.log(20, loss=float("nan"))
    assert "loss not a number at step 20" in words(training.panel.svg(width=500))


def test_a_picture_takes_options_that_the_panel_keeps_not(training: Training) -> None:
    for step in range(200):
        training.live.log(step, loss=float(1 + step % 2))
    smooth, rough = training.panel.svg(), training.panel.svg(smoothing=0)
    assert smooth.count("<path") > rough.count("<path")
    assert "190" in words(training.panel.svg(zoom=[150, 200]))
    assert training.panel.svg() == smooth
    assert (training.panel.smoothing, training.panel.zoom) == (30, [])


def test_an_unknown_keyword_is_a_type_error(training: Training) -> None:
    with pytest.raises(TypeError, match=r"no keyword 'hight'. Did you mean 'height'\?"):
        TrainingPanel(training.live, hight=3)
    with pytest.raises(TypeError, match="expected a model, the binding that"):
        TrainingPanel(3)  # type: ignore[arg-type]
    with pytest.raises(traitlets.TraitError, match=r"'height' .* less than 100, .* 10 was"):
        TrainingPanel(training.live, height=10)
    with pytest.raises(traitlets.TraitError, match=r"theme='drak': expected one of "):
        training.panel.image(theme="drak")
    with pytest.raises(traitlets.TraitError, match=r"scale='logg': expected one of "):
        training.panel.to_svg("unwritten.svg", scale="logg")
