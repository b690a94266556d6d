"""Views of a recording: what they show of it, and what they say where a model is needed."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.live.recordings.reader import Reader
from kan_widgets.live.recordings.recorded_feed import RecordedFeed
from kan_widgets.live.recordings.replay import Replay
from kan_widgets.widgets import stream_of
from kan_widgets.widgets.wire.stream import Stream
from tests.every_view import all_but, make


class Run:
    """A small trained model, and its recording."""

    def __init__(self, folder: Path) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(
            kw.nn.KANConv2d(1, 2, 3), nn.Flatten(), kw.nn.KANLinear(2 * 4 * 4, 3)
        )
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.05)
        self.x = torch.rand(4, 1, 6, 6)
        self.live = kw.bind(self.model, self.optimizer, every=1)
        self.live.data_source = "noise"
        for _ in self.live.track([0] * 6, epochs=2):
            self.train()
        self.live.scalars.mark(self.live.stats.steps, "half-way")
        self.live.observe(self.x)
        self.path = self.live.save(folder / "run.npz")

    def train(self) -> None:
        self.optimizer.zero_grad()
        loss = self.model(self.x).square().mean()
        loss.backward()
        self.optimizer.step()
        self.live.log(loss=loss)
        self.live.refresh()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    made = Run(tmp_path_factory.mktemp("recording"))
    yield made
    made.live.close()


@pytest.fixture
def replay(run: Run) -> Replay:
    return kw.replay(run.path)


def pixels(view: Any, **options: Any) -> np.ndarray:
    return np.asarray(view.image(width=500, **options).convert("RGB"))


@pytest.mark.parametrize(
    ("view", "options"),
    [
        (kw.KernelGrid, {"mode": "change"}),
        (kw.SplineInspector, {"layer": 1}),
        (kw.MeshgridView, {"mode": "response", "layer": 0}),
        (kw.LayerRanges, {}),
    ],
)
def test_a_view_of_a_recording_is_the_view_of_the_run(
    run: Run, replay: Replay, view: Any, options: dict[str, Any]
) -> None:
    ours, theirs = view(replay, **options), view(run.live, **options)
    np.testing.assert_array_equal(pixels(ours), pixels(theirs))
    ours.close()
    theirs.close()


def test_the_page_gets_the_same_history(run: Run, replay: Replay, monkeypatch: Any) -> None:
    def answered(stream: Stream) -> tuple[list[int], list[bytes]]:
        sent: list[tuple[dict[str, Any], list[bytes]]] = []
        monkeypatch.setattr(
            stream, "send", lambda content, buffers: sent.append((content, list(buffers)))
        )
        stream._answer(stream, {"kind": "history?"}, [])
        content, buffers = sent[-1]
        return [frame["step"] for frame in content["frames"]], [bytes(b) for b in buffers]

    ours, theirs = answered(stream_of(replay)), answered(stream_of(run.live))
    assert ours == theirs
    assert ours[0] == list(range(13))
    assert stream_of(replay).status == {"state": "recorded", "message": ""}


@pytest.mark.parametrize("name", all_but("Explain"))
def test_a_view_keeps_a_recording_that_nobody_else_holds(run: Run, name: str) -> None:
    view = make(name, kw.replay(run.path))
    gc.collect()
    shown = view.grids["one"] if name == "Compare" else view
    assert shown.live.frame.step == 12
    view.close()


def test_an_editable_inspector_says_why_nothing_can_be_dragged(replay: Replay) -> None:
    inspector = kw.SplineInspector(replay, editable=True)
    for layer in inspector.stream.layouts[-1]["layers"]:
        assert layer["locked"] == (
            "This is a recording: there is no model to change. Bind the model itself to edit it."
        )
    inspector.stream._answer(
        inspector.stream,
        {"kind": "zero", "layer": "0", "out": 0, "in": 0, "row": 0, "column": 0},
        [],
    )
    assert replay.frame.coefficients("0")[0, 0, 0, 0].any()


def test_ranges_of_a_recording_are_those_of_the_run_without_gradients(tmp_path: Path) -> None:
    run = Run(tmp_path)
    theirs = kw.LayerRanges(run.live)
    # Updates are measured in a share of the time: on a busy machine not at once.
    for _ in range(500):
        run.train()
        if theirs.table()[0]["update_step"] is not None:
            break
    ours = kw.LayerRanges(kw.replay(run.live.save(run.path)))
    unknown = {"gradient_base", "gradient_splines", "update_base", "update_splines", "update_step"}
    for row, other in zip(ours.table(), theirs.table(), strict=True):
        assert other["update_step"] is not None
        assert {name for name, value in row.items() if value is None} >= unknown
        assert {k: v for k, v in row.items() if k not in unknown} == {
            k: v for k, v in other.items() if k not in unknown
        }
    ours.close()
    theirs.close()


def test_the_panel_shows_the_numbers_and_steers_nothing(run: Run, replay: Replay) -> None:
    panel = kw.TrainingPanel(replay)
    status = panel.status
    assert (status["state"], status["step"], status["epochs"]) == ("finished", 12, 2)
    assert (status["source"], status["rates"], status["every"]) == ("noise", [0.05], 1)
    assert status["recording"] == "A recording (run.npz): it shows a run, and cannot steer it."
    assert [curve["panel"] for curve in panel.curves] == ["loss"]
    sent: list[dict[str, Any]] = []
    stream = panel._stream
    stream.tell_page = sent.append
    stream._answer(stream, {"kind": "pause", "id": "a:1"}, [])
    assert [answer["refused"] for answer in sent] == [status["recording"]]
    assert run.live.control.state == "running"
    panel.close()


def test_recordings_are_compared_as_their_runs_are(run: Run, replay: Replay) -> None:
    other = kw.nn.KANLinear(3, 2)
    ours = kw.Compare({"A": replay, "B": other})
    theirs = kw.Compare({"A": run.live, "B": other})
    for row, known in zip(ours.table(), theirs.table(), strict=True):
        assert row["parameters"] == known["parameters"] > 0
        assert row == known
    assert ours.layers() == theirs.layers()
    assert [curve["panel"] for curve in ours.curves] == ["loss"]
    assert ours.curves == theirs.curves
    with pytest.raises(ValueError, match="are the same recording: give each once"):
        kw.Compare({"A": replay, "B": replay})
    ours.close()
    theirs.close()


def test_a_followed_run_reaches_the_page_as_a_live_one_does(
    tmp_path: Path, monkeypatch: Any
) -> None:
    run = Run(tmp_path)
    path = run.path.with_name("followed.npz")
    with run.live.record(path) as recording:
        followed = Replay(RecordedFeed(Reader(path), 64.0))
        followed.feed.follows = True
        stream = stream_of(followed)
        panel = kw.TrainingPanel(followed)
        sent: list[tuple[dict[str, Any], bytes]] = []
        monkeypatch.setattr(
            stream, "send", lambda content, buffers: sent.append((content, bytes(buffers[0])))
        )
        run.train()
        recording.flush()
        followed.feed.look()
        frame = run.live.frame
        said = {"kind": "frame", "layout": followed.feed.layout.version, "step": frame.step}
        assert sent[-1] == (said | {"bytes": [["data"]]}, frame.data.tobytes())
        assert stream.status["state"] == "live"
        panel._draw_job.now()
        assert panel.status["step"] == frame.step
        assert panel.status["recording"].startswith("Following followed.npz")
    followed.feed.look()
    assert stream.status["state"] == "recorded"
    assert stream.frame["step"] == frame.step
    panel.close()


def test_what_nothing_can_be_shown_of_is_refused_with_what_is_taken() -> None:
    with pytest.raises(TypeError, match=r"or a recording \(kan_widgets.replay\)"):
        kw.KernelGrid("run.npz")  # type: ignore[arg-type]
