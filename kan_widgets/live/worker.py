"""The two threads that work in the background; ``docs/architecture.md`` lists all locks."""

import atexit
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import perf_counter

from kan_widgets.checks import check_number
from kan_widgets.live.budget import MAX_SHARE, Throttle, overhead
from kan_widgets.live.reports import report

# Some platforms cannot wait longer at once; the thread then waits again.
_MAX_WAIT = 3600.0
# How long a job that is due a few times a second waits for the thread to be awake anyway.
_PATIENCE_SECONDS = 0.1
# How long the end of the program waits for a job.
_MAX_END = 10.0


class Worker:
    """One daemon thread that runs jobs when they are due.

    With ``waits`` its jobs wait for files: how long they take says nothing about their work.
    """

    def __init__(self, name: str, *, waits: bool = False) -> None:
        self.name = name
        self.waits = waits
        # Both may be added to at any point of a thread, inside a finalizer too.
        self._added: deque[Job] = deque()
        self._calls: SimpleQueue[None] = SimpleQueue()
        self._wakes_at = float("-inf")  # by itself; it is awake
        self._pending: set[Job] = set()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._busy_since: float | None = None
        self._is_over = False

    def start(self) -> None:
        """Start the thread unless it runs; cheap if it does."""
        if self._thread is not None and self._thread.is_alive():
            return
        if sys.is_finalizing():  # a thread would never begin, and be waited for
            return
        # No need to wait if this is taken: another thread is starting it.
        if self._starting.acquire(blocking=False):
            try:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = thread(self._run, self.name)
            finally:
                self._starting.release()

    def add(self, job: "Job") -> None:
        """Have a job run; the thread is woken only where it would sleep for too long.

        That takes the training thread about as long as a frame does.
        """
        self._added.append(job)
        # Read after it was added: the thread looks for added ones after it has said when it wakes.
        if self._wakes_at > time.monotonic() + max(job.wait(), job.patience):
            self._calls.put(None)

    def is_busy(self, seconds: float) -> bool:
        """Whether one job has kept it for longer than this."""
        since = self._busy_since
        return since is not None and time.monotonic() - since > seconds

    def finish(self) -> None:
        """Begin no job any more, and wait for the one that runs, for the end of the program.

        A thread that Python ends while it computes in torch would abort the program.
        """
        self._is_over = True
        end = time.monotonic() + _MAX_END
        while self._thread is not None and self._thread.is_alive() and self.is_busy(0.0):
            if threading.current_thread() is self._thread or time.monotonic() > end:
                return
            time.sleep(0.005)

    def _run(self) -> None:
        self._busy_since = None
        while True:
            self._await_job()
            waits = {job: job.wait() for job in self._pending}
            for job in sorted((job for job in waits if waits[job] <= 0), key=waits.__getitem__):
                self._pending.discard(job)
                self._busy_since = time.monotonic()
                try:
                    if job.is_woken and not self._is_over:
                        job.run()
                except Exception as error:
                    report(f"{self.name}: {error!r}")
                self._busy_since = None

    def _await_job(self) -> None:
        """Wait until a job is due or woken, and note those woken."""
        self._note_added()
        wait = min((job.wait() for job in self._pending), default=_MAX_WAIT)
        wait = min(max(0.0, wait), _MAX_WAIT)
        self._wakes_at = time.monotonic() + wait
        if not self._added:
            with suppress(Empty):
                self._calls.get(timeout=wait)
        self._wakes_at = float("-inf")
        self._note_added()

    def _note_added(self) -> None:
        while self._added:
            self._pending.add(self._added.popleft())


class Job:
    """Work that a worker does each time the job is woken.

    The processor time that it takes counts as spent on watching: see `kan_widgets.live.budget`.
    ``run`` is never called twice at once; a job that should run again wakes itself. Of a bound
    method the object is held weakly: without it nothing is done. The throttle says when it may run
    again; without one it runs as often as it is woken.
    """

    def __init__(
        self, worker: Worker, run: Callable[[], object], throttle: Throttle | None = None
    ) -> None:
        self._worker = worker
        self._throttle = throttle
        self.patience = 0.0 if throttle is None else _PATIENCE_SECONDS
        """It need not run sooner than so long after it was woken, in seconds."""
        self._call: Callable[[], Callable[[], object] | None]
        # Of built-in functions there is no weak reference.
        is_method = hasattr(run, "__self__") and hasattr(run, "__func__")
        self._call = weakref.WeakMethod(run) if is_method else lambda: run
        self.waits = worker.waits
        """Whether what it waits for is not its work; then its processor time is charged."""
        self.is_woken = False
        """Whether it was asked to run and has not begun."""
        self.earliest = float("-inf")
        """It is not run before this moment, by `time.monotonic`."""

    def wait(self) -> float:
        """Return in how many seconds it may run."""
        wait = self.earliest - time.monotonic()
        return wait if self._throttle is None else max(wait, self._throttle.due - perf_counter())

    def wake(self) -> None:
        """Have it run soon. Cheap, from any thread; news after the last wake is never lost."""
        if not self.is_woken:
            self.hurry()

    def hurry(self) -> None:
        """Have it run soon, also where ``earliest`` has come nearer since it was woken."""
        self.is_woken = True
        self._worker.add(self)
        self._worker.start()

    def leave_word(self) -> None:
        """Have it run soon if the thread runs; none is started. For the garbage collector.

        It calls at any point, also inside `threading`, with locks held that a start needs.
        """
        self.is_woken = True
        self._worker.add(self)

    def run(self) -> None:
        """Do it, in the calling thread."""
        self.is_woken = False
        if (call := self._call()) is None:
            return
        start, began = perf_counter(), time.thread_time()
        try:
            call()
        finally:
            cost = time.thread_time() - began
            overhead.spent(cost)
            if self._throttle is not None:
                # Where other processes take the machine it takes longer, and so does the training.
                self._throttle.spent(start, cost if self.waits else perf_counter() - start)


scheduler = Worker("kan_widgets scheduler")
atexit.register(scheduler.finish)
disk = Worker("kan_widgets disk", waits=True)


class ThrottledJob(Job):
    """Calls ``run`` on the scheduler, soon after it is woken, at most ``fps`` times a second.

    Two threads that set traits of one widget lose updates, so whoever has news only wakes the
    job, and ``run`` alone sets traits. What it raises is reported, the first time.
    """

    def __init__(self, run: Callable[[], object], fps: float = 5.0, weight: float = 1.0) -> None:
        check_number("fps", fps, above=True)
        super().__init__(scheduler, run, Throttle(fps, weight * MAX_SHARE, weight))
        self._running = threading.RLock()
        self.is_closed = False
        """Whether it runs no more."""
        self._has_failed = False

    def wake(self) -> None:
        if not self.is_closed:
            super().wake()

    def run(self) -> None:
        """Do it in the calling thread, once another thread that is at it is done."""
        with self._running:
            try:
                if not self.is_closed:
                    super().run()
            except Exception as error:
                if not self._has_failed:
                    self._has_failed = True
                    owner = getattr(self._call(), "__self__", None)
                    name = "a view" if owner is None else type(owner).__name__
                    report(f"{name} could not be drawn: {error!r}. It is tried again")

    now = run

    def close(self) -> None:
        self.is_closed = True


def thread(run: Callable[[], object], name: str) -> threading.Thread:
    """Start a daemon thread; all threads of live are made here."""
    made = threading.Thread(target=run, name=name, daemon=True)
    made.start()
    return made
