"""The rooms of the live part, each used without the others."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import read
from kan_widgets.live import Feed, Frame, History, Listener, Progress, Scalars
from kan_widgets.live.frames.coefficient_copies import Copy
from kan_widgets.live.frames.feed import Event
from kan_widgets.live.frames.layout import build_layout
from kan_widgets.live.recordings.saving import Savable
from kan_widgets.live.steering.counter import Counter
from kan_widgets.live.steering.epochs import Trained, train
from kan_widgets.live.steering.loops import Loop
from kan_widgets.live.steering.step_queue import StepQueue
from kan_widgets.live.steering.training import Training


def frames_of(model: nn.Module, steps: int) -> History:
    """Return frames of a model whose parameters grow by 1 at each step."""
    history = History(10**6)
    layers = read(model)
    layout = build_layout(layers)
    for step in range(steps):
        history.append(Frame(step, layout, Copy(read(model)).data()))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 1
    return history


def test_frames_reach_listeners_without_a_training() -> None:
    class Heard(Listener):
        def __init__(self) -> None:
            self.steps: list[int] = []

        def on_frame(self, frame: Frame, settled: bool) -> None:
            self.steps.append(frame.step)

    history = frames_of(kw.nn.KANLinear(2, 1), 4)
    feed, heard = Feed(history), Heard()
    feed.subscribe(heard)
    assert ([frame.step for frame in feed.history], feed.observed) == ([0, 1, 2, 3], {})
    feed.tell("frame", feed.frame, True)
    feed.unsubscribe(heard)
    feed.tell("frame", feed.frame, True)
    assert heard.steps == [3]


def test_each_event_that_can_be_told_is_a_method_of_a_listener() -> None:
    events = [word for part in get_args(Event) for word in get_args(part)]
    assert sorted(f"on_{event}" for event in events) == [
        name for name in sorted(vars(Listener)) if name.startswith("on_")
    ]


def test_a_task_that_fails_between_two_steps_is_reported_in_its_words() -> None:
    class Owner:
        def fail(self, at_rest: bool) -> None:
            raise OSError("no room")

    owner, feed = Owner(), _Unwatched(History(0))
    queue = StepQueue(lambda: None, Counter(feed), lambda: True)
    assert not queue.request("draw the digit", owner.fail)
    with pytest.warns(RuntimeWarning, match=r"could not draw the digit: OSError.*Training goes on"):
        queue.do(at_rest=False)
    assert queue.is_empty


class _Unwatched(Feed):
    """Has nothing to do while its training is held."""

    def while_held(self) -> None: ...


class _Shown(Feed):
    """What a run shows that nothing watches."""

    learning_rates = [0.1]  # type: ignore[assignment] # noqa: RUF012

    def __init__(self, model: nn.Module, history: History) -> None:
        super().__init__(history)
        self._model = model

    @property
    def module(self) -> nn.Module:
        return self._model


class _Run(Savable):
    """A run that nothing watches."""

    every, data_source = 1, "numbers"  # type: ignore[assignment]
    progress = Progress(  # type: ignore[assignment]
        "finished", 3, 3, 3, 30, 30, 1.0, 2.0, None, 0.0, "numbers", epochs_done=2.5
    )

    def close(self) -> None: ...


def test_a_recording_needs_no_binding(tmp_path: Path) -> None:
    model = kw.nn.KANLinear(2, 1)
    run = _Run(_Shown(model, frames_of(model, 4)), Scalars())
    run.scalars.add(2, {"loss": 0.5})
    recording = run.record(tmp_path / "recorded.npz")
    recording.close()
    run.save(tmp_path / "saved.npz")
    for name in ("recorded.npz", "saved.npz"):
        found = kw.replay(tmp_path / name)
        assert found.history.steps.tolist() == [0, 1, 2, 3]
        np.testing.assert_array_equal(found.frame.data, run.frame.data)
        assert found.scalars.latest("loss") == 0.5
        assert (found.progress.epochs_done, found.progress.data_source) == (2.5, "numbers")


@pytest.mark.parametrize("stop_after", [None, 5])
def test_epochs_are_gone_through_and_stopped_without_a_binding(stop_after: int | None) -> None:
    torch.manual_seed(0)
    model, feed = nn.Linear(1, 1), _Unwatched(History(0))
    training = Training(feed, Counter(feed))
    one = Trained(model, torch.optim.SGD(model.parameters(), 0.1), training)
    x = torch.linspace(-1, 1, 8).unsqueeze(1)
    loop, steps = Loop(), []

    def tell(event: str) -> None:
        if event == "on_step":
            steps.append(training.steps)
        loop.stop = len(steps) == stop_after

    loop.runs_here()
    training.begin(loop, epochs=2, batches=6)
    train([one], loop, [(x, 3 * x)] * 3, nn.functional.mse_loss, 2, tell=tell)
    assert steps == list(range(1, (stop_after or 6) + 1))
    assert one.result.epochs == (1 if stop_after else 2)
    assert training.progress(0.0).state == ("stopped" if stop_after else "finished")
    assert not loop.is_open
