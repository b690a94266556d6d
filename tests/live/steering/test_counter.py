"""The counter of steps alone: what it tells its owner, and when it only counts."""

from __future__ import annotations

import threading
from typing import Literal

import pytest

from kan_widgets.live import Feed, History
from kan_widgets.live.steering.counter import Counter
from kan_widgets.live.steering.training import Training


class Owner(Feed):
    """Is told of steps, and of nothing else."""

    state: Literal["live"] = "live"  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__(History(0))
        self.steps: list[int] = []
        self.faults: list[Exception] = []
        self.rests = False
        self.opens = True
        self.every = 1

    def counting(self, **options: int) -> Counter:
        counter = Counter(self, **options)
        self.training = Training(self, counter)
        return counter

    def on_step(self, step: int, now: float) -> bool:
        self.steps.append(step)
        if step == 13:
            raise ValueError("unlucky")
        return step % self.every == 0

    def is_due(self, now: float) -> bool:
        return self.opens

    def while_held(self) -> None: ...

    def may_only_count(self) -> bool:
        return self.rests

    def fail(self, error: Exception) -> None:
        self.faults.append(error)


@pytest.fixture
def owner() -> Owner:
    return Owner()


def test_each_step_is_counted_and_told_with_its_number_also_to_those_who_watch(
    owner: Owner,
) -> None:
    counter = owner.counting(every=2)
    owner.every = 2
    seen: list[tuple[int, bool]] = []
    stop = counter.add_step_listener(lambda step, framed: seen.append((step, framed)))
    for _ in range(3):
        counter.step()
    stop()
    counter.step()
    assert counter.steps == owner.training.steps == 4
    assert owner.steps == [1, 2, 3, 4]
    assert seen == [(1, False), (2, True), (3, False)]
    assert counter.trained_by is threading.current_thread()
    assert counter.seconds > 0


def test_while_nothing_is_wanted_only_the_step_that_is_due_is_told(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kan_widgets.live.steering.counter._QUIET_SECONDS", 60.0)
    counter = owner.counting(every=4)
    owner.rests = True
    for _ in range(9):
        counter.step()
    assert counter.steps == 9
    assert owner.steps == [1, 4, 8]
    counter.request_full_step()
    counter.step()
    assert owner.steps == [1, 4, 8, 10]


@pytest.mark.parametrize("every", [1, 4])
def test_a_step_at_which_no_frame_may_be_taken_is_only_counted_too(
    owner: Owner, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    monkeypatch.setattr("kan_widgets.live.steering.counter._QUIET_SECONDS", 60.0)
    counter = owner.counting(every=every)
    owner.rests, owner.opens = True, False
    for _ in range(9):
        counter.step()
    assert counter.steps == 9
    assert owner.steps == [1]
    assert counter.skipped == (8 if every == 1 else 2)
    owner.opens = True
    for _ in range(3):
        counter.step()
    assert owner.steps == ([1, 10, 11, 12] if every == 1 else [1, 12])


def test_what_who_trains_does_between_two_steps_is_counted_once(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("kan_widgets.live.steering.counter.perf_counter", lambda: now[0])
    counter = owner.counting()

    def log(seconds: float) -> None:
        with counter.counted(), counter.counted():
            now[0] += seconds

    counter.add_step_listener(lambda step, framed: log(0.25))
    log(8)  # nothing trains yet
    for _ in range(3):
        counter.step()
        now[0] += 1
        log(0.5)
    other = threading.Thread(target=log, args=(4,))
    other.start()
    other.join()
    assert counter.seconds == pytest.approx(3 * (0.25 + 0.5))


@pytest.mark.parametrize("pause", ["turns of others", "held", "waited"])
def test_what_others_do_counts_where_the_time_counts(
    owner: Owner, monkeypatch: pytest.MonkeyPatch, pause: str
) -> None:
    """Of models trained in turns, each counts what was drawn in its own turns, and no more."""
    now = [100.0]
    monkeypatch.setattr("kan_widgets.live.steering.counter.perf_counter", lambda: now[0])
    counter = owner.counting()
    monkeypatch.setattr(Training, "hold", lambda self: pause == "held" and passed(8, 6) is None)

    def passed(seconds: float, beside: float) -> None:
        now[0] += seconds
        counter.in_background += beside

    counter.after_step()
    for _ in range(5):
        for _ in range(4):
            passed(0.125, 0.025)
            counter.after_step()
        if pause == "held":
            counter.hold_or_stop()
        elif pause == "waited":
            passed(8, 6)
            counter.waited(8)
        else:
            passed(8, 6)
            counter.after_step()
    assert counter.in_background > 30
    assert counter.training_seconds == pytest.approx(20 * 0.125)
    assert counter.beside == pytest.approx(20 * 0.025)


def test_an_owner_that_fails_is_told_so_and_the_loop_goes_on(owner: Owner) -> None:
    counter = owner.counting(steps=12)
    for _ in range(2):
        counter.step()
    assert [str(error) for error in owner.faults] == ["unlucky"]
    assert counter.steps == 14


def test_a_closed_counter_counts_no_more(owner: Owner) -> None:
    counter = owner.counting()
    counter.step()
    counter.close()
    counter.step()
    assert counter.steps == 1


def test_a_counter_keeps_its_owner_no_longer_than_others_do() -> None:
    owner = Owner()
    counter = owner.counting()
    del owner
    counter.step()
    assert counter.steps == 0
