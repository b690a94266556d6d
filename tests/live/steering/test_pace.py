"""A tracked loop that was asked to take its time waits between batches, and changes nothing."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import kan_widgets as kw
from kan_widgets.live import Binding
from kan_widgets.live.steering import control, epochs, loops
from tests.live.steering.test_control import wait_for

LONG = 3600.0


class Hands:
    """A clock that only moves where something waits, or is said to take its time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def perf_counter(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    hands = Hands()
    monkeypatch.setattr(loops, "time", hands)
    monkeypatch.setattr(epochs, "time", hands)
    monkeypatch.setattr(control.Control, "wait", lambda _, seconds: hands.wait(seconds))
    return hands


def bound() -> tuple[Binding, Any]:
    torch.manual_seed(0)
    model = kw.nn.KANLinear(3, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    def step() -> None:
        optimizer.zero_grad()
        model(torch.ones(4, 3)).square().sum().backward()
        optimizer.step()

    return kw.bind(model, optimizer, every=1), SimpleNamespace(step=step, model=model)


def test_a_run_takes_as_long_as_it_was_asked_to(hands: Hands) -> None:
    live, loop = bound()
    for _ in live.track(range(4), epochs=2, seconds=10):
        hands.now += 0.25
        loop.step()
        assert live.progress.paced == 10
    assert hands.waits == pytest.approx([1.0] * 8)
    assert hands.now == pytest.approx(10)


def test_time_lost_in_one_batch_is_made_up_for_in_the_next(hands: Hands) -> None:
    live, _ = bound()
    for number in live.track(range(4), seconds=4):
        hands.now += 1.5 if number == 1 else 0.25
    assert hands.waits == pytest.approx([0.75, 0.25, 0.75])
    assert hands.now == pytest.approx(4)


def test_a_training_slower_than_that_never_waits(hands: Hands) -> None:
    live, _ = bound()
    for _ in live.track(range(5), seconds=1):
        hands.now += 2
    assert hands.waits == []


def test_without_seconds_it_neither_waits_nor_says_so(hands: Hands) -> None:
    live, loop = bound()
    for _ in live.track(range(5)):
        loop.step()
    assert hands.waits == []
    assert live.progress.paced is None


def test_what_it_waited_is_no_time_of_training(hands: Hands) -> None:
    live, _ = bound()
    told: list[float] = []
    live.feed.counter.waited = told.append  # type: ignore[method-assign]
    for _ in live.track(range(5), seconds=10):
        pass
    assert told == pytest.approx([2.0] * 5)


def test_the_weights_are_the_same_to_the_last_bit() -> None:
    weights = []
    for seconds in (None, 0.1):
        live, loop = bound()
        for _ in live.track(range(10), epochs=2, seconds=seconds):
            loop.step()
        weights.append([p.detach().clone() for p in loop.model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))


def waiting(live: Binding, loop: Any, batches: int = 2) -> threading.Thread:
    """Return the thread of a loop that waits for an hour or so after its first batch."""

    def run() -> None:
        for _ in live.track(range(batches), seconds=LONG):
            loop.step()

    thread = threading.Thread(target=run)
    thread.start()
    wait_for(lambda: live.stats.steps == 1)
    return thread


def test_a_stop_ends_the_wait() -> None:
    live, loop = bound()
    thread = waiting(live, loop)
    live.control.stop()
    thread.join(20)
    assert not thread.is_alive()
    assert live.progress.state == "stopped"
    assert live.stats.steps == 1


def test_a_pause_holds_in_the_wait_and_single_steps_do_not_wait() -> None:
    live, loop = bound()
    thread = waiting(live, loop, 5)
    live.control.pause()
    wait_for(lambda: live.control.is_holding)
    assert live.progress.state == "paused"
    for steps in (2, 3):
        live.control.step()
        wait_for(lambda steps=steps: live.stats.steps == steps)
        wait_for(lambda: live.control.is_holding)
    live.control.resume()
    wait_for(lambda: not live.control.is_holding)
    assert live.stats.steps == 3
    live.control.stop()
    thread.join(20)
    assert not thread.is_alive()


def test_in_asynchronous_code_other_tasks_run_while_it_waits() -> None:
    live, loop = bound()

    async def train() -> None:
        async for _ in live.track(range(2), seconds=LONG):
            loop.step()

    async def both() -> None:
        training = asyncio.create_task(train())
        while live.stats.steps == 0:
            await asyncio.sleep(0)
        live.control.stop()
        await training

    asyncio.run(both())
    assert live.stats.steps == 1
    assert live.progress.state == "stopped"


@pytest.mark.parametrize(
    ("seconds", "error"), [(0, ValueError), (-1, ValueError), (float("nan"), ValueError),
                           (float("inf"), ValueError), ("10", TypeError), (True, TypeError)]
)  # fmt: skip
def test_seconds_that_cannot_be_are_refused(seconds: Any, error: type[Exception]) -> None:
    live, _ = bound()
    with pytest.raises(error, match="seconds="):
        live.track(range(3), seconds=seconds)
    assert live.progress.state == "idle"


def test_a_loader_of_unknown_length_cannot_be_paced() -> None:
    live, _ = bound()
    with pytest.raises(TypeError, match="does not know how many batches"):
        live.track(iter([1, 2]), seconds=10)
