"""The rooms of the live part: what may import what, and each used without the others."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import read
from kan_widgets.live import Feed, Frame, History, Listener, Progress, Scalars
from kan_widgets.live.frames.coefficient_copies import Copy
from kan_widgets.live.frames.layout import build_layout
from kan_widgets.live.recordings.saving import Savable
from kan_widgets.live.steering.counter import Counter
from kan_widgets.live.steering.epochs import Trained, train
from kan_widgets.live.steering.loops import Loop
from kan_widgets.live.steering.training import Training

LIVE = Path(kw.__file__).parent / "live"

# Room -> the rooms it may import from; all may use what is in none, "", which uses no room.
ARROWS = {
    "frames": set(),
    "recordings": {"frames"},
    "steering": {"frames"},
    "model": {"frames", "steering"},
    "watching": {"frames", "recordings", "steering", "model"},
    "": set(),
}


def modules() -> dict[str, Path]:
    """Return the modules of the live part by their full names, its own top apart."""
    found = {}
    for path in LIVE.rglob("*.py"):
        if path.name != "__init__.py":
            parts = path.relative_to(LIVE.parent.parent).with_suffix("").parts
            found[".".join(parts)] = path
    return found


def imported(path: Path) -> set[str]:
    """Return what a module imports of the live part, type-only imports included."""
    known, found = modules(), set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else node.module)
    return {name for name in found if name.startswith("kan_widgets.live")}


def room(module: str) -> str:
    parts = module.split(".")
    return parts[2] if len(parts) > 3 else ""


def test_imports_between_rooms_go_one_way() -> None:
    wrong = {
        (module, name)
        for module, path in modules().items()
        for name in imported(path)
        if room(name) not in {room(module), ""} | ARROWS[room(module)]
    }
    assert not wrong


def test_only_who_makes_bindings_knows_their_class() -> None:
    facade = "kan_widgets.live.watching.binding"
    knows = {room(m) + "." + p.stem for m, p in modules().items() if facade in imported(p)}
    assert knows == {"watching.bind", "watching.fit", "watching.updates"}
    assert not [m for m, path in modules().items() if "kan_widgets.live" in imported(path) - {m}]


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
