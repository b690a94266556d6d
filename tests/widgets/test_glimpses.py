"""What a page gets of a model that is larger than a frame may be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.live.frames.large_layers import cut_frame, summary_of
from kan_widgets.widgets import Stream, stream_of
from kan_widgets.widgets.wire.outbox import Backpressure, Contention

BUDGET = 8_000


class Setting:
    """A convolution and a dense layer of which a page gets windows; the convolution is shown."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(kw.nn.KANConv2d(12, 14, 3), kw.nn.KANLinear(30, 20))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        for parameter in self.model.parameters():
            parameter.grad = torch.randn_like(parameter)
        monkeypatch.setattr("kan_widgets.live.frames.large_layers.BUDGET", BUDGET)
        self.live = kw.bind(self.model, self.optimizer, every=1, prove=False)
        self.grid = kw.KernelGrid(self.live)
        self.stream: Stream = stream_of(self.live)
        self.sent: list[tuple[dict[str, Any], list[bytes]]] = []
        monkeypatch.setattr(self.stream, "send", self._send)
        monkeypatch.setattr(self.live.feed.camera.throttle, "is_open", lambda now: True)

    def _send(self, content: dict[str, Any], buffers: Any = None) -> None:
        self.sent.append((content, [bytes(buffer) for buffer in buffers or []]))

    def steps(self, count: int) -> None:
        for _ in range(count):
            self.optimizer.step()

    def ask(self, **content: Any) -> None:
        self.stream._answer(None, content, None)

    def layer(self, number: int = 0) -> dict[str, Any]:
        return self.stream.layouts[-1]["layers"][number]

    def expected(self, number: int) -> np.ndarray:
        """What of a layer's coefficients now is in the window that the page knows."""
        shown = self.layer(number)
        (out, in_), (rows, columns) = (
            [shown["window"][name] for name in ("out", "in")],
            shown["shape"][:2],
        )
        whole = self.live.read()[number].coefficients.numpy()
        return whole[out : out + rows, in_ : in_ + columns].ravel()


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Setting:
    return Setting(monkeypatch)


def test_a_frame_carries_what_is_looked_at_within_its_budget(setting):
    setting.steps(3)
    content, (data,) = setting.sent[-1]
    assert content["kind"] == "frame"
    assert len(data) <= BUDGET
    assert len(data) > 0.8 * BUDGET
    assert content["layout"] == setting.stream.layouts[-1]["version"]
    assert np.prod(setting.layer(0)["shape"]) > 2 * np.prod(setting.layer(1)["shape"])
    expected = np.concatenate([setting.expected(0), setting.expected(1)])
    assert np.array_equal(np.frombuffer(data, "<f4"), expected)


def test_whole_frames_are_taken_seldom_and_when_training_goes_quiet(setting):
    setting.steps(5)
    assert len(setting.live.feed.glimpses) == 5
    assert [frame.step for frame in setting.live.history] == [0]
    setting.live.feed.settle()
    frame = setting.live.frame
    assert frame.step == 5
    assert all(
        np.array_equal(frame.coefficients(layer.name).ravel(), layer.coefficients.numpy().ravel())
        for layer in setting.live.read()
    )
    assert len(setting.stream.frame["data"]) <= BUDGET


def test_what_a_page_asks_to_look_at_comes_with_its_past(setting):
    setting.steps(3)
    setting.ask(kind="look", layer="0", out=13, **{"in": 11})
    assert setting.sent[-1][0]["moved"]
    window = setting.layer(0)["window"]
    rows, columns = setting.layer(0)["shape"][:2]
    assert (window["out"] + rows, window["in"] + columns) == (14, 12)
    setting.steps(1)
    assert np.array_equal(
        np.frombuffer(setting.sent[-1][1][0], "<f4"),
        np.concatenate([setting.expected(0), setting.expected(1)]),
    )
    setting.ask(kind="history?")
    content, frames = setting.sent[-1]
    assert [frame["step"] for frame in content["frames"]] == [0, 4]
    first = setting.live.history[0].coefficients("0")[window["out"] :, window["in"] :]
    assert np.array_equal(np.frombuffer(frames[0], "<f4")[: first.size], first.ravel())
    # What is seen already moves nothing.
    count = len(setting.sent)
    setting.ask(kind="look", layer="0", out=13, **{"in": 11})
    assert len(setting.sent) == count


def test_a_selected_function_is_looked_at_and_so_is_the_layer_of_a_view(setting):
    setting.live.select("1", out=19, in_=29)
    window, shape = setting.layer(1)["window"], setting.layer(1)["shape"]
    assert window["out"] + shape[0] == 20
    assert window["in"] + shape[1] == 30
    before = np.prod(shape)
    setting.live.select(None)
    setting.grid.layer = "1"
    assert np.prod(setting.layer(1)["shape"]) > before


def test_a_model_within_the_budget_crosses_as_it_is(setting):
    setting.live.feed.looking.budget = 10**6
    live = setting.live
    assert live.feed.looking.show(["1"])
    assert live.feed.looking.windowed(live.frame) is live.frame


def test_observed_inputs_are_those_of_the_window(setting):
    live = kw.bind(setting.model[0], prove=False)
    live.feed.looking.budget = BUDGET
    stream = stream_of(live)
    stream.update_looking()
    live.select("KANConv2d", out=13, in_=11)
    sent: list[Any] = []
    stream.send = lambda content, buffers=None: sent.append(content)  # type: ignore[method-assign]
    seen = live.observe(torch.randn(4, 12, 6, 6))["KANConv2d"]
    (layer,) = stream.layouts[-1]["layers"]
    entries = layer["shape"][1] * 9
    assert sent[-1]["shapes"]["counts"] == [entries, 64]
    assert sent[-1]["shapes"]["patches"][1] == entries < seen.patches.shape[1]


def test_a_summary_has_the_largest_of_each_block(monkeypatch):
    monkeypatch.setattr("kan_widgets.live.frames.large_layers.MAX_CELLS", 5)
    monkeypatch.setattr("kan_widgets.live.frames.large_layers._CHUNK", 2_000)
    torch.manual_seed(0)
    live = kw.bind(kw.nn.KANConv2d(12, 14, 3), prove=False)
    frame = live.frame
    layer = frame.layout.layers[0]
    found = summary_of(frame, layer)
    assert found.reach.shape == (5, 4)
    table = layer.tables[0]
    inside = (table.x >= layer.domain[0]) & (table.x <= layer.domain[1])
    reach = abs(frame.coefficients(layer.name) @ table.values[inside].T).max((2, 3, 4))
    for row in range(5):
        for column in range(4):
            block = reach[3 * row : 3 * row + 3, 3 * column : 3 * column + 3]
            # Eight points of each function are looked at.
            assert 0.8 * block.max() <= found.reach[row, column] <= block.max() * (1 + 1e-6)


def test_functions_that_are_not_finite_are_counted(monkeypatch):
    live = kw.bind(kw.nn.KANLinear(4, 3), prove=False)
    data = live.frame.data.copy()
    data[:18] = np.nan
    found = summary_of(kw.live.Frame(0, live.feed.layout, data), live.feed.layout.layers[0])
    assert found.broken == 2
    assert np.flatnonzero(np.isnan(found.reach)).tolist() == [0, 1]


def test_a_still_shows_a_window_and_a_map_of_the_rest(setting):
    drawn = setting.grid.svg(width=600)
    assert "map of all 14 outputs (down) × 12 inputs (across)" in drawn
    assert "of 1,512 functions" in drawn


def test_a_cut_of_a_frame_is_its_own_copy(setting):
    frame = setting.live.frame
    cut = setting.live.feed.looking.cut(frame.layout)
    assert not np.shares_memory(cut_frame(frame, cut).data, frame.data)


def test_a_page_that_is_behind_gets_the_latest_once_it_is_not(setting, monkeypatch):
    monkeypatch.setattr("kan_widgets.widgets.wire.broadcast.is_costly", lambda comm: True)
    monkeypatch.setattr("kan_widgets.widgets.wire.outbox._MAX_BYTES", 0)
    put: list[int] = []

    def send(frame: Any) -> None:
        put.append(frame.step)
        setting.stream._send_now(frame)

    monkeypatch.setattr(setting.stream._outbox, "put", send)
    for module in ("broadcast", "outbox"):
        monkeypatch.setattr(f"kan_widgets.widgets.wire.{module}.monotonic", lambda: 0.0)
    setting.steps(1)
    setting.ask(kind="shown", number=1)
    setting.stream._outbox.backpressure.last = 0.0
    setting.steps(9)
    assert put == [1, 2, 3]
    setting.ask(kind="shown", number=2)
    assert put == [1, 2, 3, 10]


def test_where_the_training_waits_for_a_processor_frames_are_rare_and_the_latest_comes(
    setting, monkeypatch
):
    monkeypatch.setattr("kan_widgets.widgets.wire.broadcast.is_costly", lambda comm: True)
    now, times, put = [100.0], [0.0, 0.0], []
    for module in ("broadcast", "outbox"):
        monkeypatch.setattr(f"kan_widgets.widgets.wire.{module}.monotonic", lambda: now[0])
    monkeypatch.setattr("kan_widgets.widgets.wire.outbox.times_so_far", lambda: tuple(times))
    stream = setting.stream

    def send(frame: Any) -> None:
        put.append(frame.step)
        stream._outbox.backpressure.sent(now[0])

    monkeypatch.setattr(stream._outbox, "put", send)
    monkeypatch.setattr(stream._outbox._catching_up, "wake", lambda: None)
    for _ in range(20):  # ten a second; it runs for half of the time, and waits in the other
        setting.steps(1)
        now[0] += 0.1
        times[:] = times[0] + 0.05, times[1] + 0.05
    assert len(put) < 15
    assert stream._outbox._contention.gap == 0.4
    waiting = stream._outbox.late.step
    assert waiting == 20
    assert waiting not in put
    stream._outbox._send_late()
    assert put[-1] == waiting
    assert stream._outbox.late is None


def test_a_thread_that_sleeps_between_steps_is_not_held_up_by_others(monkeypatch):
    times = ((0.1 * second, 0.6 * second) for second in range(8))
    monkeypatch.setattr("kan_widgets.widgets.wire.outbox.times_so_far", lambda: next(times))
    contention = Contention()
    for second in range(8):
        contention.measure(now=float(second))
    assert contention.gap == 0.0


def test_of_small_frames_more_may_be_under_way():
    backpressure = Backpressure()
    backpressure.came(backpressure.sent(now=0.0))
    numbers = [
        backpressure.sent(now=0.0)
        for _ in range(100)
        if backpressure.is_open(now=0.0, size=200_000)
    ]
    assert len(numbers) == 10
    assert not backpressure.is_open(now=0.0, size=1_000_000)
    backpressure.came(numbers[-2])
    assert backpressure.is_open(now=0.0, size=1_000_000)


def test_a_page_that_says_nothing_for_long_is_sent_one_more():
    backpressure = Backpressure()
    backpressure.came(backpressure.sent(now=0.0))
    for _ in range(4):
        backpressure.sent(now=0.0)
    assert not backpressure.is_open(now=0.4)
    assert backpressure.is_open(now=0.5)


def test_a_page_that_cannot_answer_while_it_trains_is_sent_everything():
    backpressure = Backpressure()
    backpressure.came(backpressure.sent(now=0.0), in_time=False)
    for _ in range(20):
        backpressure.sent(now=0.0)
    assert backpressure.is_open(now=0.0)
    backpressure.came(21)
    for number in range(5):
        assert backpressure.is_open(now=0.5 * number)
        backpressure.sent(now=0.5 * number)
    # Four were sent in vain: nobody answers.
    assert backpressure.is_open(now=2.0)


def test_a_page_is_asked_once_for_half_of_the_frames_that_may_be_under_way():
    assert all(Backpressure().asks(number, 400_000) for number in range(8))
    backpressure = Backpressure()
    backpressure.came(backpressure.sent(0.0))
    asked = []
    for _ in range(100):
        assert backpressure.is_open(0.0, 100_000)
        number = backpressure.sent(0.0)
        if backpressure.asks(number, 100_000):
            backpressure.came(number)
            asked.append(number)
    assert asked == list(range(11, 102, 10))


def test_of_large_frames_few_are_under_way_and_of_the_smallest_no_endless_number():
    for size, most in ((5_000_000, 2), (1_000_000, 2), (100, 64)):
        backpressure = Backpressure()
        backpressure.came(backpressure.sent(0.0))
        sent = [backpressure.sent(0.0) for _ in range(100) if backpressure.is_open(0.0, size)]
        assert len(sent) == most
