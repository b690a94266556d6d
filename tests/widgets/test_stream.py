"""The stream: what crosses the wire, and when."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.live.frames.progress import Standing
from kan_widgets.live.frames.scalars import diverged_since
from kan_widgets.nn import BSpline
from kan_widgets.widgets import Stream, stream_of


class Wire:
    """Records the custom messages a stream sends."""

    def __init__(self, stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
        self.messages: list[tuple[dict[str, Any], list[bytes]]] = []
        monkeypatch.setattr(stream, "send", self.record)

    def record(self, content: dict[str, Any], buffers: Any = None) -> None:
        self.messages.append((content, [bytes(buffer) for buffer in buffers or []]))

    @property
    def kinds(self) -> list[str]:
        return [content["kind"] for content, _ in self.messages]


def bound(every: int = 1) -> tuple[Any, Any, kw.Binding]:
    torch.manual_seed(0)
    model = kw.nn.KANLinear(3, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    return model, optimizer, kw.bind(model, optimizer, every=every)


def train(model: Any, optimizer: Any, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()


def floats(data: bytes) -> np.ndarray:
    return np.frombuffer(data, dtype="<f4")


def test_a_new_stream_holds_all_that_a_page_needs():
    model, _, live = bound()
    stream = stream_of(live)
    [layout] = stream.layouts
    [layer] = layout["layers"]
    assert layout["protocol"] == 2
    assert (layer["shape"], layer["nb"], layer["labels"][:2]) == ([2, 3, 1, 1], 9, ["silu", "B0"])
    x, values = (floats(layer["tables"][0][key]) for key in ("x", "values"))
    coefficients = floats(stream.initial["data"]).reshape(6, 9)
    phi = coefficients @ values.reshape(-1, 9).T
    expected = kw.functions.read(model)[0].evaluate(torch.from_numpy(x.copy()))
    np.testing.assert_allclose(phi, expected.numpy().reshape(6, -1), atol=1e-6)
    assert stream.frame == stream.initial
    assert stream.status == {"state": "idle", "message": ""}


def test_it_says_how_the_training_stands_as_progress_does():
    model, optimizer, live = bound()
    stream = stream_of(live)
    said = [stream.training["state"]]
    for _ in live.track(range(2)):
        train(model, optimizer, 1)
        stream._standing_job.now()
        said.append(stream.training["state"])
    stream._standing_job.now()
    said.append(stream.training["state"])
    live.control.pause()
    stream._standing_job.now()
    said.append(stream.training["state"])
    assert said == ["idle", "running", "running", "finished", "paused"]
    assert stream.training["words"] == live.feed.standing.words == "paused"


def test_all_views_of_a_binding_share_one_stream():
    _, _, live = bound()
    first, second = kw.KernelGrid(live), kw.KernelGrid(live)
    assert first.stream is second.stream is stream_of(live)


def test_a_live_frame_is_one_message_of_the_coefficients_and_no_trait(monkeypatch):
    model, optimizer, live = bound()
    stream = stream_of(live)
    wire = Wire(stream, monkeypatch)
    before = stream.frame
    train(model, optimizer, 1)
    assert wire.kinds == ["frame"]
    content, [data] = wire.messages[0]
    said = {"kind": "frame", "layout": live.feed.layout.version, "step": 1}
    assert content == said | {"bytes": [["data"]]}
    assert len(data) == 4 * 2 * 3 * 9
    np.testing.assert_array_equal(
        floats(data).reshape(2, 3, 9)[..., 0], model.base_weight.detach().numpy()
    )
    assert stream.frame is before


def test_when_quiet_the_last_frame_goes_into_the_trait(monkeypatch):
    model, optimizer, live = bound(every=1000)
    stream = stream_of(live)
    wire = Wire(stream, monkeypatch)
    train(model, optimizer, 3)
    assert stream.status["state"] == "live"
    live.feed.settle()
    assert wire.kinds == ["frame"]
    assert stream.frame["step"] == 3
    assert stream.status["state"] == "idle"
    weights = floats(stream.frame["data"]).reshape(2, 3, 9)[..., 0]
    np.testing.assert_array_equal(weights, model.base_weight.detach().numpy())


def test_a_new_grid_sends_its_tables_before_its_first_frame(monkeypatch):
    model, optimizer, live = bound()
    stream = stream_of(live)
    wire = Wire(stream, monkeypatch)
    model.basis = BSpline(5, 3, (-2.0, 2.0))
    train(model, optimizer, 1)
    assert wire.kinds == ["layout", "frame"]
    content, buffers = wire.messages[0]
    [layer] = content["layout"]["layers"]
    assert layer["domain"] == [-2.0, 2.0]
    place = content["bytes"].index(["layout", "layers", 0, "tables", 0, "x"])
    assert floats(buffers[place])[0] == pytest.approx(-4.4)
    assert wire.messages[1][0]["layout"] == content["layout"]["version"] == live.feed.layout.version
    versions = [live.history[0].layout.version, live.feed.layout.version]
    assert [layout["version"] for layout in stream.layouts] == versions


def test_history_is_answered_with_frames_within_its_bytes(monkeypatch):
    model, optimizer, live = bound()
    for _ in range(40):
        train(model, optimizer, 1)
        live.refresh()
    stream = stream_of(live)
    wire = Wire(stream, monkeypatch)
    monkeypatch.setattr("kan_widgets.widgets.wire.stream._HISTORY_BYTES", 10 * live.frame.nbytes)
    stream._answer(stream, {"kind": "history?"}, [])
    [(content, buffers)] = wire.messages
    steps = [frame["step"] for frame in content["frames"]]
    assert steps[0] == 0
    assert steps[-1] == 40
    assert 5 <= len(buffers) <= 10
    for step, data in zip(steps, buffers, strict=True):
        np.testing.assert_array_equal(floats(data), live.history.at(step).data)


def test_history_brings_the_layouts_its_frames_need_and_only_what_the_page_lacks(monkeypatch):
    model, _, live = bound()
    stream = stream_of(live)
    for size in (1.5, 2.0):
        model.basis = BSpline(5, 3, (-size, size))
        live.feed.counter.steps += 1
        live.refresh()
    wire = Wire(stream, monkeypatch)
    stream._answer(stream, {"kind": "history?", "before": 2}, [])
    assert wire.kinds == ["layout", "history"]
    layout, history = (content for content, _ in wire.messages)
    assert layout["layout"]["layers"][0]["domain"] == [-1.5, 1.5]
    assert [frame["step"] for frame in history["frames"]] == [0, 1]
    data = [live.history.at(step).data.tobytes() for step in (0, 1)]
    assert wire.messages[1][1] == data


def test_a_selection_from_python_and_one_from_the_page_are_the_same(monkeypatch):
    _, _, live = bound()
    stream = stream_of(live)
    live.select("KANLinear", 1, 2)
    assert stream.selection == {"layer": "KANLinear", "out": 1, "in": 2, "row": 0, "column": 0}
    stream.selection = {"layer": "KANLinear", "out": 0, "in": 0, "row": 0, "column": 0}
    assert live.feed.selection["out"] == 0


def test_it_says_the_latest_raw_loss_that_of_the_training_before_others():
    _, _, live = bound()
    stream = stream_of(live)

    def said():
        stream._tell_training()
        return stream.training.get("loss")

    assert said() is None
    live.log(1, val_loss=0.75, accuracy=0.5)
    assert said() == ["val_loss", "0.75", 1]
    for step, loss in enumerate([2.0, 1.0, 0.125]):
        live.log(step, train_loss=loss)
    assert said() == ["train_loss", "0.125", 2]
    live.log(9, train_loss=float("nan"))
    assert said() == ["train_loss", "nan", 9]


@pytest.mark.parametrize(
    ("last", "state"), [(0.1, "idle"), (7.9e9, "diverged"), (np.nan, "diverged")]
)
def test_a_run_that_has_diverged_is_not_said_to_have_ended_well(last, state):
    model, _, live = bound()
    stream = stream_of(live)
    for step, loss in enumerate([2.3, 2.2, 2.4, 2.1, last]):
        live.log(step, loss=loss)
    stream._tell_training()
    assert stream.training["state"] == state
    assert model is not None


@pytest.mark.parametrize(
    ("losses", "since"),
    [
        ([2.3, 2.1, 400, 90, 106, 110, 101, 106], 2),  # finite, and lastingly far above
        ([2.3, 2.1, 2.2, 106, 1.9, 1.8], None),  # one batch
        ([2.3, 2.1, 2.2, 1.9, 106], None),  # not lastingly, so far
        ([2.3, 2.1, np.nan, np.nan], 2),
        ([np.nan], 0),
        ([0.001, 0.5, 0.9, 0.8, 0.7, 0.9, 0.8], None),  # many times the first, and small
        ([300.0, 90.0, 50.0, 200.0, 250.0, 180.0, 190.0], None),
        (
            [2.3, 2.2, 90.0, 90.0, 90.0, 90.0, 90.0, np.nan, np.nan],
            2,
        ),  # since, and not since no number
        ([2.3, 500, 9, 500, 8, 9, 7, 8, 9, 8], 1),  # a lower loss alone is no recovery
        ([2.3, 500, 2.2, 2.1, 2.0, 1.9, 1.8], None),  # but this is
        ([2.3, 500, 2.2, 2.1, 2.0, 1.9, 1.8, np.nan], 7),
    ],
)
def test_a_run_diverges_where_its_loss_is_lastingly_far_above_its_first(losses, since):
    model, _, live = bound()
    for step, loss in enumerate(losses):
        live.log(step, loss=loss)
    assert diverged_since(live.scalars) == since
    assert model is not None


def test_a_run_that_has_diverged_is_not_said_to_wait_for_its_turn(monkeypatch):
    model, _, live = bound()
    stream = stream_of(live)
    for step, loss in enumerate([2.3, 2.2, 2.4, 2.1, np.nan]):
        live.log(step, loss=loss)
    for state, said in (("still", "diverged"), ("running", "running")):
        monkeypatch.setattr(type(live.feed), "standing", Standing(state, "as it says"))
        stream._tell_training()
        assert stream.training["words"] == "diverged since step 4"
        assert (stream.training["state"], stream.training["look"]) == (said, "diverged")
    assert model is not None


def test_a_training_is_held_and_goes_on_as_the_page_asks():
    _, _, live = bound()
    stream = stream_of(live)
    for kind, state in (("pause", "paused"), ("resume", "running")):
        stream._handle_custom_msg({"kind": kind}, [])
        assert live.control.state == state
    live.close()
    stream._handle_custom_msg({"kind": "pause"}, [])  # heard by nobody


def test_a_replacing_binding_takes_over_the_stream_and_tells_the_page_to_start_anew(monkeypatch):
    model, optimizer, live = bound()
    grid = kw.KernelGrid(live)
    stream = stream_of(live)
    wire = Wire(stream, monkeypatch)
    train(model, optimizer, 2)
    stream.selection = {"layer": "gone", "out": 0, "in": 0, "row": 0, "column": 0}
    again = kw.bind(model, torch.optim.SGD(model.parameters(), 0.1))
    assert wire.messages[-1][0] == {"kind": "reset", "version": again.feed.layout.version}
    assert stream_of(again) is stream
    assert grid.live is again
    assert stream.initial["step"] == 0
    assert stream.selection == {}
    np.testing.assert_array_equal(floats(stream.initial["data"]), again.frame.data)


def test_closing_says_closed_and_keeps_the_last_frame():
    model, optimizer, live = bound()
    stream = stream_of(live)
    train(model, optimizer, 2)
    live.close()
    assert stream.status["state"] == "closed"
    assert stream.frame["step"] == 2


def test_a_fault_reaches_the_page_in_words():
    model, optimizer, live = bound()
    stream = stream_of(live)
    model.spline_weight = None
    model.base_weight.grad = torch.zeros_like(model.base_weight)
    with pytest.warns(RuntimeWarning, match="stopped watching"):
        optimizer.step()
    assert stream.status["state"] == "fault"
    assert stream.status["message"]


def test_what_a_model_has_beside_its_functions_is_named():
    model = nn.Sequential(nn.Conv1d(2, 3, 1), kw.nn.KANLinear(4, 2), nn.ReLU())
    stream = stream_of(kw.bind(model))
    assert stream.left_out == ["0 (Conv1d): no adapter knows Conv1d"]
    assert stream_of(kw.bind(kw.nn.KANLinear(4, 2))).left_out == []
