"""All that is done to watch is counted, in whichever thread, and has one budget."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import kan_widgets as kw
from kan_widgets.live import Binding, worker
from kan_widgets.live.budget import overhead
from kan_widgets.live.frames.scalars import Scalars
from kan_widgets.live.model import bound_model
from kan_widgets.live.model.probing import Probing
from kan_widgets.live.steering import counter
from kan_widgets.live.watching.camera import Camera
from kan_widgets.live.worker import Job
from kan_widgets.widgets.wire import broadcast
from kan_widgets.widgets.wire.stream import stream_of
from tests.every_view import CALLS, make_all


class Run:
    """A training with all views, examples, inputs and a recording; this thread makes its steps."""

    def __init__(self, folder: Path, every: int = 1) -> None:
        torch.manual_seed(0)
        self.model = kw.nn.KANCNN(channels=(2, 3))
        self.optimizer = torch.optim.SGD(self.model.parameters(), 1e-3)
        self.images = torch.rand(4, 1, 28, 28)
        self.live: Binding = kw.bind(self.model, self.optimizer, every=every, max_fps=1e6)
        self.live.observe(self.images)
        self.live.probe(self.images)
        self.views = make_all(self.live, self.images[0])
        names = dict(zip(CALLS, self.views, strict=True))
        self.ranges, self.panel = names["LayerRanges"], names["TrainingPanel"]
        self.explain = names["Explain"]
        self.stream = stream_of(self.live)
        self.file = self.live.record(folder / "run.npz")

    def step(self) -> None:
        self.optimizer.zero_grad()
        self.model(self.images).square().sum().backward()
        self.optimizer.step()
        self.live.log(loss=1.0)

    def close(self) -> None:
        self.file.close()
        for view in self.views:
            view.close()
        self.live.close()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    # A machine that stalls between two steps must not pass for the end of the training.
    monkeypatch.setattr(counter, "_QUIET_SECONDS", 60.0)
    made = Run(tmp_path)
    yield made
    made.close()


def elsewhere(call: Callable[[], object]) -> None:
    thread = threading.Thread(target=call)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


BACKGROUND: dict[str, Callable[[Run], Job]] = {
    "sending": lambda run: run.stream._outbox._job,
    "telling how it stands": lambda run: run.stream._standing_job,
    "summaries": lambda run: run.stream._summary_job,
    "signs of the kernel": lambda run: run.stream._beat_job,
    "recording": lambda run: run.file._job,
    "looking for alarms": lambda run: run.live.watchdog._job,
    "ranges": lambda run: run.ranges._draw_job,
    "panel": lambda run: run.panel._draw_job,
    "explaining": lambda run: run.explain._draw_job,
}


@pytest.mark.parametrize("what", BACKGROUND)
def test_what_another_thread_does_is_counted(
    run: Run, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    run.step()
    run.live.feed.counter.training_seconds = 10_000.0
    before, job, mine = run.live.stats, BACKGROUND[what](run), []

    def thread_time() -> float:
        """Let a thousand seconds pass at each look, in this test's other thread alone."""
        mine.append(threading.current_thread().name == "other")
        return 1000.0 * sum(mine)

    clock = SimpleNamespace(monotonic=time.monotonic, sleep=time.sleep, thread_time=thread_time)
    monkeypatch.setattr(worker, "time", clock)
    thread = threading.Thread(target=job.run, name="other")
    thread.start()
    thread.join(60)
    run.step()  # it counts as time of the training when that has gone on
    after = run.live.stats
    assert after.in_background - before.in_background >= 900
    assert after.share - before.share >= 0.09


IN_THE_LOOP: dict[str, tuple[Any, str, Callable[[Run], object]]] = {
    "frames": (Camera, "take", lambda run: run.step()),
    "logging": (Scalars, "add", lambda run: run.live.log(loss=2.0)),
    "observing": (bound_model, "observe", lambda run: run.live.observe(run.images)),
    "following": (Probing, "trace", lambda run: run.live.probe(run.images)),
    "step_listeners": (
        SimpleNamespace(done=lambda *_: None),
        "done",
        lambda run: run.step(),
    ),
}


@pytest.mark.parametrize("what", IN_THE_LOOP)
def test_what_the_thread_that_trains_does_is_counted(
    run: Run, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    owner, name, do = IN_THE_LOOP[what]
    run.live.feed.camera.throttle.is_open = lambda now: True  # type: ignore[method-assign]
    run.step()
    now, original = [0.0], getattr(owner, name)
    real = time.perf_counter

    def slow(*given: Any, **named: Any) -> Any:
        now[0] += 1000.0
        return original(*given, **named)

    monkeypatch.setattr(counter, "perf_counter", lambda: real() + now[0])
    monkeypatch.setattr(owner, name, slow)
    if what == "step_listeners":
        run.live.feed.counter.add_step_listener(owner.done)
    before = run.live.stats.seconds
    do(run)
    assert 1000 <= run.live.stats.seconds - before < 2000  # once


@pytest.mark.parametrize("there_is_time", [True, False])
def test_without_time_for_it_less_of_each_kind_is_done(
    run: Run, monkeypatch: pytest.MonkeyPatch, there_is_time: bool
) -> None:
    share = 1e9 if there_is_time else 1e-12
    monkeypatch.setattr("kan_widgets.live.budget.TOTAL_SHARE", share)
    monkeypatch.setattr(overhead, "part", share)
    run.step()  # what was done at rest, or begins with the training
    run.step()
    drawn: list[int] = []
    for job in (run.ranges._draw_job, run.panel._draw_job, run.stream._standing_job):
        job._call = lambda: lambda: drawn.append(1)
    followed: list[int] = []
    monkeypatch.setattr(Probing, "trace", lambda self, *_: followed.append(1) or _nothing())
    for throttle in overhead._throttles:
        throttle.most = share
        throttle.spent(time.perf_counter(), 1e-6)
    before, measured, drawings = run.live.stats, _measured(run), len(drawn)
    for _ in range(10):
        time.sleep(0.04)
        run.step()
    done = {
        "frames": run.live.stats.frames_taken - before.frames_taken,
        "updates": _measured(run) - measured,
        "examples": len(followed),
        "drawings": len(drawn) - drawings,
    }
    if there_is_time:
        assert all(count > 0 for count in done.values()), done
    else:
        assert not any(done.values()), done


def _nothing() -> Any:
    raise RuntimeError("followed")


def _measured(run: Run) -> int:
    updates = run.ranges._updates
    assert updates is not None
    return len(updates.series(run.live.layers[0]))


def test_a_frame_for_nine_views_is_one_message_and_wakes_one_thread_once(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "is_costly", lambda comm: True)
    run.live.feed.camera.throttle.is_open = lambda now: True  # type: ignore[method-assign]
    run.live.probe(None)
    sent: list[str] = []
    monkeypatch.setattr(
        type(run.stream), "send", lambda self, content, buffers=None: sent.append(content["kind"])
    )
    woken: list[Job] = []
    add = worker.Worker.add

    def added(self: worker.Worker, job: Job) -> None:
        if threading.current_thread() is threading.main_thread() and not job.patience:
            woken.append(job)
        add(self, job)

    # Where processors are taken frames are left out, and here none may be.
    monkeypatch.setattr("kan_widgets.widgets.wire.outbox._LONG_WAITS", 1)
    run.step()
    run.stream._outbox.flush()
    monkeypatch.setattr(worker.Worker, "add", added)
    sent.clear()
    jobs = [job(run) for job in BACKGROUND.values()]
    for frames in range(1, 6):
        for job in jobs:  # as if all had been done since
            job.is_woken = False
        run.step()
        run.stream._outbox.flush()
        assert sent.count("frame") == frames
    assert set(sent) <= {"frame", "beat"}
    assert len(woken) <= 5
    assert set(woken) <= {run.stream._outbox._job}


def test_watching_in_the_background_makes_no_step_of_another_thread_longer(run: Run) -> None:
    run.step()
    before = run.live.stats.seconds
    elsewhere(lambda: run.live.log(loss=3.0))
    elsewhere(run.ranges._draw_job.now)
    assert run.live.stats.seconds == before
