"""The thread that sends frames: their order, who sends them, and what happens when one fails."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

import kan_widgets as kw
from kan_widgets.live.worker import ThrottledJob, Worker
from kan_widgets.widgets import stream_of
from kan_widgets.widgets.wire import broadcast
from kan_widgets.widgets.wire.outbox import Outbox


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


class Page:
    """Takes messages, one at a time once it is held."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.threads: set[str] = set()
        self.free = threading.Event()
        self.free.set()
        self.at_once = 0

    def take(self, message: Any) -> None:
        self.at_once += 1
        assert self.at_once == 1
        assert self.free.wait(20)
        if isinstance(message, Exception):
            self.at_once -= 1
            raise message
        self.messages.append(message)
        self.threads.add(threading.current_thread().name)
        self.at_once -= 1


def test_another_thread_sends_all_messages_in_their_order():
    page = Page()
    box = Outbox(page.take)
    for k in range(500):
        box.put(k)
        if k % 7 == 0:
            time.sleep(0.001)
    until(lambda: len(page.messages) == 500)
    assert page.messages == list(range(500))
    assert "kan_widgets scheduler" in page.threads


def test_who_puts_a_message_does_not_wait_for_one_being_sent():
    page = Page()
    box = Outbox(page.take)
    page.free.clear()
    box.put(1)
    until(lambda: page.at_once == 1)
    box.put(2)
    box.put(3)
    assert page.messages == []
    page.free.set()
    box.flush()
    assert page.messages == [1, 2, 3]


def test_no_more_than_a_few_messages_wait():
    page = Page()
    box = Outbox(page.take)
    with box.lock:  # the thread cannot send
        for k in range(9):
            box.put(k)
        assert page.messages == list(range(9))
    assert page.threads == {threading.current_thread().name}


def test_a_message_does_not_wait_for_a_drawing_that_takes_long(monkeypatch):
    monkeypatch.setattr("kan_widgets.widgets.wire.outbox._WAITED_SECONDS", 0.0)
    page, drawing, drawn = Page(), threading.Event(), threading.Event()

    def draw() -> None:
        drawing.set()
        drawn.wait(20)

    box, job = Outbox(page.take), ThrottledJob(draw)
    job.wake()
    assert drawing.wait(20)
    try:
        box.put(1)
        box.put(2)
        assert page.messages == [1, 2]
        assert page.threads == {threading.current_thread().name}
    finally:
        drawn.set()


def test_who_puts_the_next_message_is_told_of_one_that_could_not_be_sent():
    page = Page()
    box = Outbox(page.take)
    with box.lock:
        for message in (1, OSError("no page"), 2):
            box.put(message)
    until(lambda: page.messages == [1, 2])
    with pytest.raises(OSError, match="no page"):
        box.put(3)
    box.put(4)
    box.flush()
    assert page.messages == [1, 2, 3, 4]


def test_an_outbox_keeps_nobody_alive():
    def used() -> tuple[weakref.ref[Page], weakref.ref[Outbox]]:
        page = Page()
        box = Outbox(page.take)
        box.put(1)
        until(lambda: page.messages)
        box.put(2)
        return weakref.ref(page), weakref.ref(box)

    page, box = used()
    until(lambda: gc.collect() >= 0 and page() is None and box() is None)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, list[tuple[str, int, str]]]]:
    """Give a training loop's step whose stream is as in a kernel, and what it sends.

    It goes quiet when a test says so, not when a busy machine keeps the next step waiting.
    """
    monkeypatch.setattr("kan_widgets.live.steering.counter._QUIET_SECONDS", 60.0)
    monkeypatch.setattr(broadcast, "is_costly", lambda comm: True)
    torch.manual_seed(0)
    model = kw.nn.KANLinear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    live = kw.bind(model, optimizer, every=1)
    live.feed.camera.throttle.is_open = lambda now: True
    stream = stream_of(live)
    messages: list[tuple[str, int, str]] = []

    def send(content: dict[str, Any], buffers: Any = None) -> None:
        name = threading.current_thread().name
        messages.append((content["kind"], content.get("step", -1), name))

    monkeypatch.setattr(stream, "send", send)

    def step() -> None:
        optimizer.zero_grad()
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()

    step.live, step.model, step.stream = live, model, stream  # type: ignore[attr-defined]
    yield step, messages
    live.close()


def test_frames_of_a_training_are_sent_by_the_thread_and_the_settled_one_comes_last(
    sent, monkeypatch
):
    step, messages = sent
    for _ in range(5):
        step()
    until(lambda: len(messages) >= 5)
    monkeypatch.setattr("kan_widgets.live.steering.counter._QUIET_SECONDS", 0.25)
    until(lambda: step.live.state == "idle")
    assert [number for _, number, _ in messages] == [1, 2, 3, 4, 5, 5]
    assert {name for _, _, name in messages[:5]} == {"kan_widgets scheduler"}
    assert step.stream.frame["step"] == 5


def test_the_first_step_does_not_wait_for_the_page_to_know_that_training_began(sent, monkeypatch):
    step, messages = sent
    states: list[tuple[str, str]] = []

    def note(change: Any) -> None:
        states.append((change["new"]["state"], threading.current_thread().name))

    step.stream.observe(note, "status")
    with step.stream._lock:  # the thread cannot send
        step()
        assert step.live.state == "live"
        assert states == []
    until(lambda: len(states) == 1)
    monkeypatch.setattr("kan_widgets.live.steering.counter._QUIET_SECONDS", 0.25)
    until(lambda: len(states) == 2)
    assert states[0] == ("live", "kan_widgets scheduler")
    assert states[1][0] == "idle"
    assert [number for _, number, _ in messages] == [1, 1]


def test_a_binding_starts_the_thread_before_there_is_a_message(monkeypatch):
    from kan_widgets.live.watching import step_hook

    started: list[bool] = []
    monkeypatch.setattr(step_hook.scheduler, "start", lambda: started.append(True))
    kw.bind(kw.nn.KANLinear(3, 2)).close()
    assert started


def test_a_layout_comes_after_the_frames_before_it(sent):
    step, messages = sent
    with step.stream._lock:  # the thread cannot send
        step()
        step()
        step.model.refine(10)
        step()
    until(lambda: [kind for kind, _, _ in messages].count("frame") >= 4)
    kinds = [(kind, number) for kind, number, _ in messages][:5]
    assert kinds == [("frame", 1), ("frame", 2), ("layout", -1), ("frame", 2), ("frame", 3)]


def test_a_stream_that_cannot_send_is_named_once_and_sends_again_when_it_can(sent, monkeypatch):
    step, messages = sent
    grid = kw.KernelGrid(step.live)
    well, failing = step.stream.send, [True]

    def send(content: dict[str, Any], buffers: Any = None) -> None:
        if failing:
            raise OSError("no page")
        well(content, buffers)

    monkeypatch.setattr(step.stream, "send", send)

    def train(steps: int) -> None:
        for _ in range(steps):
            step()
            until(lambda: not step.stream._outbox._waiting)

    said = "the stream of KernelGrid failed on a new frame.*no page"
    with pytest.warns(RuntimeWarning, match=said):
        train(4)
    with step.stream._lock:
        failing.clear()
    step()  # told of the last failure, in silence
    step()
    step.stream._outbox.flush()
    assert [number for _, number, _ in messages] == [5, 6]
    assert step.live.stats.steps == 6
    grid.close()


def test_a_closed_stream_sends_nothing_that_waited(sent, monkeypatch):
    step, messages = sent
    # Were it busy with another view, this thread would send what waits at once.
    monkeypatch.setattr(Worker, "is_busy", lambda worker, seconds: False)
    with step.stream._lock:
        step()
        step.stream.close()
        step.stream._outbox.flush()
    assert messages == []
