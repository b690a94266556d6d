"""The threads in the background: when a job runs, where, and what it survives."""

from __future__ import annotations

import gc
import math
import os
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest

from kan_widgets.live.budget import MAX_SHARE, Budget, Throttle
from kan_widgets.live.worker import Job, Worker, disk, scheduler

LIMIT = 20.0


def test_each_worker_has_one_thread_for_all_its_jobs() -> None:
    names: list[str] = []
    done = threading.Semaphore(0)

    def run() -> None:
        names.append(threading.current_thread().name)
        done.release()

    for worker in (scheduler, scheduler, disk):
        Job(worker, run).wake()
        assert done.acquire(timeout=LIMIT)
    assert names == ["kan_widgets scheduler", "kan_widgets scheduler", "kan_widgets disk"]


def test_a_job_waits_for_its_moment_and_keeps_no_other_one_waiting() -> None:
    worker, early, late = Worker("test"), threading.Event(), threading.Event()
    resting = Job(worker, late.set)
    resting.earliest = math.inf
    resting.wake()
    Job(worker, early.set).wake()
    assert early.wait(LIMIT)
    assert not late.is_set()
    resting.earliest = -math.inf
    resting.hurry()
    assert late.wait(LIMIT)


def test_many_wakes_are_one_run_and_a_wake_during_a_run_leads_to_another() -> None:
    worker, runs, inside, go_on = Worker("test"), [], threading.Event(), threading.Event()
    done = threading.Event()

    def run() -> None:
        runs.append(1)
        inside.set()
        go_on.wait(LIMIT)

    job = Job(worker, run)
    job.wake()
    assert inside.wait(LIMIT)
    for _ in range(100):
        job.wake()
    go_on.set()
    last = Job(worker, done.set)
    last.wake()
    assert done.wait(LIMIT)
    assert len(runs) <= 2
    job.wake()
    done.clear()
    last.wake()
    assert done.wait(LIMIT)
    assert len(runs) >= 2


def test_a_worker_keeps_nobody_alive() -> None:
    class Owner:
        def __init__(self) -> None:
            self.job = Job(worker, self.run)

        def run(self) -> None:
            raise AssertionError("it is gone")

    worker, done = Worker("test"), threading.Event()
    owner = Owner()
    owner.job.earliest = math.inf
    owner.job.wake()
    gone, job = weakref.ref(owner), owner.job
    del owner
    gc.collect()
    assert gone() is None
    job.earliest = -math.inf
    job.hurry()
    Job(worker, done.set).wake()
    assert done.wait(LIMIT)


def test_a_job_that_raises_is_reported_and_the_others_go_on() -> None:
    worker, done = Worker("test"), threading.Event()

    def fail() -> None:
        raise KeyError("lost")

    def both() -> None:
        Job(worker, fail).wake()
        Job(worker, done.set).wake()
        assert done.wait(LIMIT)

    with pytest.warns(RuntimeWarning, match="test: KeyError"):
        both()


def test_it_is_known_when_one_job_takes_long() -> None:
    worker, inside, go_on = Worker("test"), threading.Event(), threading.Event()
    done = threading.Event()
    assert not worker.is_busy(0)

    def run() -> None:
        inside.set()
        go_on.wait(LIMIT)

    Job(worker, run).wake()
    assert inside.wait(LIMIT)
    assert worker.is_busy(0)
    assert not worker.is_busy(math.inf)
    go_on.set()
    Job(worker, done.set).wake()
    assert done.wait(LIMIT)


def test_a_worker_is_not_woken_for_what_may_wait_until_it_is_awake_anyway() -> None:
    worker = Worker("test")
    worker.start = lambda: None  # type: ignore[method-assign]
    worker._wakes_at = time.monotonic() + 0.05
    Job(worker, print, Throttle(per_second=5)).wake()
    assert worker._calls.qsize() == 0
    Job(worker, print).wake()
    assert worker._calls.qsize() == 1
    worker._wakes_at = math.inf
    Job(worker, print, Throttle(per_second=5)).wake()
    assert worker._calls.qsize() == 2
    assert len(worker._added) == 3


FORKED = """
import os, threading
from kan_widgets.live.worker import Job, scheduler
done = threading.Event()
job = Job(scheduler, done.set)
job.wake()
assert done.wait(20)
waiting = Job(scheduler, lambda: late.set())
late = threading.Event()
waiting.earliest = float("inf")
waiting.wake()
first = Job(scheduler, done.set)
done.clear(); first.wake()
assert done.wait(20)
child = os.fork()
if child == 0:
    done.clear()
    job.wake()
    fine = done.wait(20)
    waiting.earliest = 0.0
    waiting.hurry()
    os._exit(0 if fine and late.wait(20) else 1)
assert os.waitpid(child, 0)[1] == 0
print("fine")
"""


def test_a_forked_process_has_a_thread_of_its_own() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED], capture_output=True, text=True
    )
    assert done.stdout == "fine\n", done.stderr


if not hasattr(os, "fork"):  # Windows
    del test_a_forked_process_has_a_thread_of_its_own


@pytest.mark.parametrize("more", ["", "live.record(path); ", "kw.KernelGrid(live); "])
def test_a_program_that_watches_comes_to_its_end(more: str, tmp_path: Path) -> None:
    # At its end the model goes, and the garbage collector says so.
    code = (
        f"import kan_widgets as kw; path = {str(tmp_path / 'run.npz')!r}; "
        f"model = kw.nn.KANLinear(2, 1); live = kw.bind(model); {more}print('fine')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120)
    assert done.stdout == b"fine\n"


def test_the_end_of_a_program_waits_for_the_job_that_runs_and_begins_no_other() -> None:
    # Ended inside torch, the thread would take the program with it.
    code = (
        "import threading, time, torch\n"
        "from kan_widgets.live.worker import Job, scheduler\n"
        "begun = threading.Event()\n"
        "def work():\n"
        "    job.wake(); begun.set(); time.sleep(0.5)\n"
        "    for _ in range(50): torch.rand(99, 99) @ torch.rand(99, 99)\n"
        "    print('done', flush=True)\n"
        "job = Job(scheduler, work)\n"
        "job.wake(); begun.wait(20)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, b"done\n")


def test_a_job_of_which_word_is_left_runs_and_starts_no_thread() -> None:
    worker, runs, done = Worker("test"), [], threading.Event()
    job = Job(worker, lambda: runs.append(threading.current_thread().name))
    job.leave_word()
    assert not [thread for thread in threading.enumerate() if thread is worker._thread]
    Job(worker, done.set).wake()
    assert done.wait(LIMIT)
    assert runs == ["test"]


@pytest.mark.parametrize("waits", [False, True])
def test_a_job_that_waits_for_others_is_charged_for_what_it_does_itself(waits: bool) -> None:
    throttle = Throttle(5.0, budget=Budget())
    job = Job(scheduler, lambda: time.sleep(0.02), throttle)
    job.waits = waits
    job.run()
    assert (throttle.needs(time.perf_counter()) < MAX_SHARE) == waits
