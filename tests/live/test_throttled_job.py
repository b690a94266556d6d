"""ThrottledJob: one thread runs all, the last wake counts."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable

import pytest

from kan_widgets.live.worker import ThrottledJob

LIMIT = 20.0


def test_a_wake_is_drawn_on_another_thread_that_all_painters_share() -> None:
    drawn_on: list[str] = []
    both = threading.Semaphore(0)

    def draw() -> None:
        drawn_on.append(threading.current_thread().name)
        both.release()

    jobs = [ThrottledJob(draw), ThrottledJob(draw)]
    for job in jobs:
        job.wake()
    assert all(both.acquire(timeout=LIMIT) for _ in jobs)
    assert set(drawn_on) == {"kan_widgets scheduler"}


def test_what_is_said_before_the_last_wake_is_drawn_though_many_wakes_are_one_drawing() -> None:
    value, seen, done = 0, [], threading.Event()

    def draw() -> None:
        seen.append(value)
        if value == 20_000:
            done.set()

    job = ThrottledJob(draw, fps=50)
    for value in range(1, 20_001):  # noqa: B007
        job.wake()
    assert done.wait(LIMIT)
    assert len(seen) < 2_000


def test_a_wake_during_a_drawing_leads_to_another() -> None:
    inside, go_on, again = threading.Event(), threading.Event(), threading.Event()

    def draw() -> None:
        if inside.is_set():
            again.set()
            return
        inside.set()
        go_on.wait(LIMIT)

    job = ThrottledJob(draw, fps=1000)
    job.wake()
    assert inside.wait(LIMIT)
    job.wake()
    go_on.set()
    assert again.wait(LIMIT)


def test_now_draws_in_the_calling_thread() -> None:
    threads: list[int] = []
    job = ThrottledJob(lambda: threads.append(threading.get_ident()))
    job.now()
    assert threads == [threading.get_ident()]


def test_two_threads_never_draw_at_once() -> None:
    inside, most, free = 0, 0, threading.Lock()

    def draw() -> None:
        nonlocal inside, most
        with free:
            inside += 1
            most = max(most, inside)
        threading.Event().wait(0.002)
        with free:
            inside -= 1

    job = ThrottledJob(draw, fps=1000)

    def hammer() -> None:
        for _ in range(20):
            job.wake()
            job.now()

    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_drawing_that_raises_is_reported_once_and_goes_on() -> None:
    calls: list[int] = []

    def draw() -> None:
        calls.append(1)
        raise KeyError("gone")

    job = ThrottledJob(draw)
    with pytest.warns(RuntimeWarning, match="could not be drawn: KeyError"):
        job.now()
    job.now()
    assert len(calls) == 2


def test_a_closed_job_draws_no_more() -> None:
    calls: list[int] = []
    job = ThrottledJob(lambda: calls.append(1))
    job.close()
    job.wake()
    job.now()
    assert calls == []


class Owner:
    def __init__(self) -> None:
        self.drawn = threading.Event()
        self.job = ThrottledJob(self.draw)

    def draw(self) -> None:
        self.drawn.set()


def test_the_owner_of_a_method_that_draws_is_not_kept() -> None:
    owner = Owner()
    owner.job.wake()
    assert owner.drawn.wait(LIMIT)
    job, gone = owner.job, weakref.ref(owner)
    del owner
    _until(lambda: gc.collect() >= 0 and gone() is None)
    job.now()


def _until(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise TimeoutError


def test_a_rate_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="fps=0: expected a finite number > 0"):
        ThrottledJob(lambda: None, fps=0)
