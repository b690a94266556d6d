"""How frames reach a page in the background: as many as it draws, and as the processors allow."""

import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident
from time import monotonic
from typing import Any

from kan_widgets.live import Frame
from kan_widgets.live.worker import Job, scheduler

# At most this many messages wait: the thread that adds one more sends them all.
_MAX_WAITING = 8
# If drawing has taken this long, the thread that adds a message sends all that wait.
_WAITED_SECONDS = 0.05


def is_costly(comm: Any) -> bool:
    """Whether messages go through a notebook kernel: without one they cost nothing."""
    return type(comm).__module__.startswith("ipykernel")


# Frames sent and not yet answered: at least, at most, and, between these, the bytes they may have
# together.
_MIN_FRAMES, _MAX_FRAMES, _MAX_BYTES = 2, 64, 2_000_000
_PATIENCE_SECONDS = 0.5  # a page silent for this long is sent one more frame
_UNANSWERED_FRAMES = 4  # and after this many unanswered ones counts as unable to answer


class Backpressure:
    """Open while the page keeps up: it says which frames were drawn.

    So a page is sent what it can draw, and no more, which would hold up what shares its processor.
    A page that says nothing, as it cannot while a cell runs, is sent everything.
    """

    def __init__(self) -> None:
        self._sent = self._came = self._asked = 0
        self._heard = False
        self._in_vain = 0
        self.last = 0.0
        """When a frame was sent."""

    def is_open(self, now: float, size: int = _MAX_BYTES) -> bool:
        """Whether a frame of ``size`` bytes may be sent at time ``now``, in seconds."""
        late = now - self.last >= _PATIENCE_SECONDS
        return not self._heard or self._sent - self._came < _most(size) or late

    def sent(self, now: float) -> int:
        """Note that a frame is sent; returns its number."""
        if now - self.last >= _PATIENCE_SECONDS and self._sent > self._came:
            self._in_vain += 1
            self._heard = self._heard and self._in_vain < _UNANSWERED_FRAMES
        self._sent += 1
        self.last = now
        return self._sent

    def asks(self, number: int, size: int = _MAX_BYTES) -> bool:
        """Whether the page is to say that it has drawn this frame, and with it those before.

        It is asked at half of what may be under way, and not again before it has answered: to
        JupyterLab each answer makes the notebook kernel busy, and idle again.
        """
        is_half = self._sent - self._came >= max(_MIN_FRAMES, _most(size) / 2)
        is_waiting = self._asked > self._came and self._in_vain == 0
        if self._heard and (is_waiting or not is_half):
            return False
        self._asked = number
        return True

    def came(self, number: int, *, in_time: bool = True) -> None:
        """Note that the page has drawn a frame, and with it those before.

        ``in_time`` tells whether the answer is heard while the model trains, as it has to be.
        """
        if in_time:
            self._heard, self._in_vain = True, 0
        self._came = max(self._came, min(number, self._sent))


def _most(size: int) -> int:
    """Return how many frames of ``size`` bytes may be under way."""
    return max(_MIN_FRAMES, min(_MAX_FRAMES, _MAX_BYTES // max(1, size)))


_CROWDED_SECONDS = 0.5  # shortest time over which a thread's waits are measured
# A thread that runs for less of the time in which it need not wait is slowed by other things.
_BUSY_SHARE = 0.6
_LONG_WAITS, _SHORT_WAITS = 0.1, 0.04  # shares of time: more makes frames rarer, less more frequent
_MIN_GAP, _MAX_GAP = 0.1, 1.0  # seconds between two frames, where they are rarer at all


class Contention:
    """Knows whether the thread that trains is kept waiting for a processor, and makes frames rare.

    A frame is work for the server, the browser and the page: where all cores are taken, that is
    taken from the training. Linux says how long a thread could have run and did not; elsewhere
    frames are as frequent as ever.
    """

    def __init__(self) -> None:
        self.gap = 0.0
        """Seconds that there should be between two frames."""
        self._thread = 0
        self._now = 0.0
        self._times = 0.0, 0.0

    def measure(self, now: float) -> None:
        """Measure how long the calling thread has waited for a processor; now and then will do."""
        thread, took = get_ident(), now - self._now
        if thread == self._thread and took < _CROWDED_SECONDS:
            return
        if (times := times_so_far()) is None:
            return
        if thread == self._thread:
            ran, waited = (time - before for time, before in zip(times, self._times, strict=True))
            is_busy = ran >= _BUSY_SHARE * (took - waited)
            share = waited / (ran + waited) if is_busy and ran > 0 else 0.0
            if share > _LONG_WAITS:
                self.gap = min(_MAX_GAP, max(_MIN_GAP, 2 * self.gap))
            elif share < _SHORT_WAITS:
                self.gap = self.gap / 2 if self.gap > _MIN_GAP else 0.0
        self._thread, self._now, self._times = thread, now, times


def times_so_far() -> tuple[float, float] | None:
    """Return how many seconds the calling thread has run and waited to; None if not known."""
    try:
        with open("/proc/thread-self/schedstat", "rb") as file:
            ran, waited, _ = file.read().split()
        return int(ran) / 1e9, int(waited) / 1e9
    except (OSError, ValueError):
        return None


class Outbox:
    """Messages in their order, sent by the scheduler, or by whoever cannot wait for it.

    A message to a notebook's page costs about as much as reading a small network. Put here, it does
    not hold up the next training step.

    Parameters
    ----------
    send
        A method, called with each message, never twice at once. Its object is held weakly:
        without it nothing is sent. What it raises is raised again by the next ``put``, once.
    """

    def __init__(self, send: Callable[[Any], object]) -> None:
        self._send = weakref.WeakMethod(send)
        self._waiting: deque[Any] = deque()
        self._error: Exception | None = None
        self._job = Job(scheduler, self._send_all)
        self._contention = Contention()
        self._catching_up = Job(scheduler, self._send_late)
        self.backpressure = Backpressure()
        self.late: Frame | None = None
        """The latest frame, while it waits for the page."""
        self.lock = threading.RLock()
        """Held while a message is sent: who holds it comes before the ones still waiting."""

    def put(self, message: Any) -> None:
        """Have a message sent soon, after those before it."""
        self._waiting.append(message)
        if len(self._waiting) > _MAX_WAITING:
            self.flush()
            return
        if scheduler.is_busy(_WAITED_SECONDS) and self.lock.acquire(blocking=False):
            try:
                self._send_all()
            finally:
                self.lock.release()
        self._job.wake()
        self._complain()  # about messages that failed before

    def flush(self) -> None:
        """Send what waits in the calling thread, after what another thread is sending."""
        with self.emptied():
            pass

    @contextmanager
    def emptied(self) -> Iterator[None]:
        """Let the caller send after what waits; its errors are raised at the end."""
        with self.lock:
            self._send_all()
            yield
        self._complain()

    def _send_all(self) -> None:
        """Send what waits; a message that cannot be sent holds up no other."""
        with self.lock:
            while self._waiting:
                message = self._waiting.popleft()
                send = self._send()
                if send is None:
                    return
                try:
                    send(message)
                except Exception as error:
                    self._error = error

    def _complain(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def clear(self) -> None:
        self._waiting.clear()

    def put_frame(self, frame: Frame) -> None:
        """Have a frame sent soon; where the page is behind, once it is not, and only the latest.

        Where the thread that trains, which calls this, waits for a processor, frames are rare.
        """
        self.late = None
        now = monotonic()
        self._contention.measure(now)
        due = self.backpressure.last + self._contention.gap
        if not self.backpressure.is_open(now, frame.data.nbytes):
            self.late = frame
        elif now < due:
            self.late = frame
            self._catching_up.earliest = due
            self._catching_up.wake()
        else:
            self.put(frame)

    def came(self, number: int, *, in_time: bool) -> None:
        """Note that the page has drawn a frame; the latest may have waited for that."""
        self.backpressure.came(number, in_time=in_time)
        if self.backpressure.last + self._contention.gap <= monotonic():
            self._send_late()

    def _send_late(self) -> None:
        """Send the latest frame, if it still waits and the page can take it."""
        late, self.late = self.late, None
        if late is None:
            return
        if self.backpressure.is_open(monotonic(), late.data.nbytes):
            self.put(late)
        elif self.late is None:
            self.late = late
