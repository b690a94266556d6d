"""How frames reach a page in the background: as many as it draws, and as the processors allow."""

from __future__ import annotations

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

# As many messages may wait; whoever brings one more sends all of them.
_MOST_WAITING = 8
# After so long a drawing, whoever brings a message sends what waits, unless it is being sent.
_WAITED_SECONDS = 0.05


class Outbox:
    """Messages in their order, sent by the scheduler, or by whoever cannot wait for it.

    A message to a notebook's page costs about as much as reading a small network. Put here, it does
    not hold up the next training step.

    Parameters
    ----------
    send
        A method, called with each message, never twice at once. Its object is held weakly:
        without it nothing is sent. What it raises is raised again by the next ``put``, once.

    Examples
    --------
    >>> class Page:
    ...     def show(self, message):
    ...         print(message)
    >>> page = Page()
    >>> box = Outbox(page.show)
    >>> with box.lock:  # nobody else sends
    ...     box.put("a frame")
    ...     box.flush()
    a frame
    """

    def __init__(self, send: Callable[[Any], object]) -> None:
        self._send = weakref.WeakMethod(send)
        self._waiting: deque[Any] = deque()
        self._error: Exception | None = None
        self._job = Job(scheduler, self._send_all)
        self.lock = threading.RLock()
        """Held while a message is sent: who holds it comes before the ones still waiting."""

    def put(self, message: Any) -> None:
        """Have a message sent soon, after those before it."""
        self._waiting.append(message)
        if len(self._waiting) > _MOST_WAITING:
            self.flush()
            return
        if scheduler.is_busy(_WAITED_SECONDS) and self.lock.acquire(blocking=False):
            try:
                self._send_all()
            finally:
                self.lock.release()
        self._job.wake()
        self._complain()  # of what failed before

    def flush(self) -> None:
        """Send what waits in the calling thread, after what another thread is sending."""
        with self.emptied():
            pass

    @contextmanager
    def emptied(self) -> Iterator[None]:
        """Let the caller send after what waits; what that raised is raised at the end."""
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
        """Forget what waits."""
        self._waiting.clear()


def is_costly(comm: Any) -> bool:
    """Whether messages go through a notebook's kernel: without one they cost nothing."""
    return type(comm).__module__.startswith("ipykernel")


# How many frames may be under way. Each answer of the page costs both sides: to JupyterLab it is a
# kernel that gets busy and idle again, for which it changes the page's icon twice.
_FEW, _MANY = 2, 64  # always allowed; never more
_BYTES, _MOST_BYTES = 1_000_000, 8_000_000  # the same in bytes, so that small frames all arrive
_AHEAD_SECONDS = 0.4  # to a slow page, as many as it draws in this time
_CALM_SECONDS = 2.0  # to a fast page, as many as are sent to it in this time
# A page is fast if it draws a frame this soon, or before this many more have come,
_PROMPT_SECONDS, _PROMPT_FRAMES = 0.25, 1.5
_MOSTLY = 0.7  # and at least this share of what it is sent.
_MEASURED_SECONDS = 0.1  # the shortest time over which its drawing is measured
_PATIENCE_SECONDS = 0.5  # a page silent for this long is sent one more frame
_TRIES = 4  # and after this many unanswered ones counts as unable to answer


class Backpressure:
    """Open while the page keeps up: it says which frames were drawn.

    So a page is sent what it can draw, and what shares its processor is not held up by more. One
    that says nothing, as it cannot while a cell runs, is sent everything.

    Examples
    --------
    >>> backpressure = Backpressure()
    >>> backpressure.came(backpressure.sent(now=0.0), 1, now=0.0)
    >>> [backpressure.is_open(now=0.1) and backpressure.sent(now=0.1) for _ in range(4)]
    [2, 3, False, False]
    >>> backpressure.is_open(now=0.1, size=1000)
    True
    >>> backpressure.came(3, 2, now=0.2)  # all are drawn, and soon: twice as many may be under way
    >>> [backpressure.is_open(now=0.2) and backpressure.sent(now=0.2) for _ in range(5)]
    [4, 5, 6, 7, False]
    """

    def __init__(self) -> None:
        self._sent = self._came = self._asked = 0
        self._heard = False
        self._in_vain = 0
        self.last = 0.0
        """When a frame was sent."""
        self._times: deque[float] = deque(maxlen=_MANY)
        self._ahead = _FEW
        self._drawings, self._numbers, self._since = 0, 0, 0.0

    def is_open(self, now: float, size: int = _BYTES) -> bool:
        """Whether a frame of ``size`` bytes may be sent at time ``now``, in seconds."""
        late = now - self.last >= _PATIENCE_SECONDS
        return not self._heard or self._sent - self._came < self._most(size) or late

    def sent(self, now: float) -> int:
        """Note that a frame is sent; returns its number."""
        if now - self.last >= _PATIENCE_SECONDS and self._sent > self._came:
            self._in_vain += 1
            self._heard = self._heard and self._in_vain < _TRIES
        self._sent += 1
        self.last = now
        self._times.append(now)
        return self._sent

    def asks(self, number: int, size: int = _BYTES) -> bool:
        """Whether the page is to say that it has drawn this frame, and with it those before.

        It is asked at half of what may be under way, and not again before it has answered.
        """
        is_half = self._sent - self._came >= max(_FEW, self._most(size) / 2)
        is_waiting = self._asked > self._came and self._in_vain == 0
        if self._heard and (is_waiting or not is_half):
            return False
        self._asked = number
        return True

    def came(self, number: int, drawings: int, now: float, *, in_time: bool = True) -> None:
        """Note that the page has drawn a frame, and with it those before, in so many drawings.

        ``in_time`` tells whether that is heard while it trains, as it has to be.
        """
        if in_time:
            self._heard, self._in_vain = True, 0
        number = min(number, self._sent)
        self._numbers += max(0, number - self._came)
        self._came = max(self._came, number)
        self._drawings += drawings
        if (took := now - self._since) < _MEASURED_SECONDS:
            return
        since_sent = self._sent - number
        known = since_sent < len(self._times)
        soon = max(_PROMPT_SECONDS, _PROMPT_FRAMES * took / max(1, self._numbers))
        is_prompt = known and now - self._times[-1 - since_sent] <= soon
        if is_prompt and self._drawings >= _MOSTLY * self._numbers:
            # By and by: one that draws all of little may not keep up with more.
            self._ahead = min(round(_CALM_SECONDS * self._numbers / took), 2 * self._ahead)
        else:
            self._ahead = max(_FEW, round(_AHEAD_SECONDS * self._drawings / took))
        self._drawings, self._numbers, self._since = 0, 0, now

    def _most(self, size: int) -> int:
        """Return how many frames of ``size`` bytes may be under way."""
        size = max(1, size)
        return max(_FEW, min(_MANY, _MOST_BYTES // size, max(self._ahead, _BYTES // size)))


_CROWDED_SECONDS = 0.5
"""How long a thread has waited is measured over so long at least."""
_BUSY = 0.6
"""A thread that runs in less of the time in which it need not wait is slowed by something else."""
_MUCH, _LITTLE = 0.1, 0.04
"""Of that: waits longer than the first make frames rarer, such below the second less rare."""
_LEAST_GAP, _MOST_GAP = 0.1, 1.0
"""Seconds between two frames, where they are rarer at all."""
_WIDER, _NARROWER = 2.0, 0.5


class Contention:
    """Knows whether the thread that trains is kept waiting for a processor, and makes frames rare.

    A frame is work for the server, the browser and the page: where all cores are taken, that is
    taken from the training. Linux says how long a thread could have run and did not; elsewhere
    frames are as frequent as ever.

    Examples
    --------
    >>> contention = Contention()
    >>> contention.look(now=0.0, times=(0.0, 0.0))
    >>> contention.look(now=1.0, times=(0.5, 0.5))  # half of the time it waited
    >>> contention.gap
    0.1
    >>> contention.look(now=2.0, times=(1.0, 1.0))
    >>> contention.gap
    0.2
    >>> contention.look(now=3.0, times=(1.9, 1.0))
    >>> contention.gap
    0.1
    """

    def __init__(self) -> None:
        self.gap = 0.0
        """Seconds that there should be between two frames."""
        self._thread = 0
        self._now = 0.0
        self._times = 0.0, 0.0

    def look(self, now: float, times: tuple[float, float] | None = None) -> None:
        """Measure how long the calling thread has waited for a processor; now and then is enough.

        ``times`` is told by those who know it: the seconds that it has run and waited so far.
        """
        thread, took = get_ident(), now - self._now
        if thread == self._thread and took < _CROWDED_SECONDS:
            return
        if times is None and (times := times_so_far()) is None:
            return
        if thread == self._thread:
            ran, waited = (time - before for time, before in zip(times, self._times, strict=True))
            is_busy = ran >= _BUSY * (took - waited)
            share = waited / (ran + waited) if is_busy and ran > 0 else 0.0
            if share > _MUCH:
                self.gap = min(_MOST_GAP, max(_LEAST_GAP, _WIDER * self.gap))
            elif share < _LITTLE:
                self.gap = self.gap * _NARROWER if self.gap > _LEAST_GAP else 0.0
        self._thread, self._now, self._times = thread, now, times


def times_so_far() -> tuple[float, float] | None:
    """Return how many seconds the calling thread has run and waited to; None if not known."""
    try:
        with open("/proc/thread-self/schedstat", "rb") as file:
            ran, waited, _ = file.read().split()
        return int(ran) / 1e9, int(waited) / 1e9
    except (OSError, ValueError):
        return None


class FrameOutbox(Outbox):
    """An outbox that sends frames as fast as the page draws them and the processors allow.

    Of those that come meanwhile the latest is sent, once there is room.
    """

    def __init__(self, send: Callable[[Any], object]) -> None:
        super().__init__(send)
        self.backpressure = Backpressure()
        self.late: Frame | None = None
        """The latest frame, while it waits for the page."""
        self._contention = Contention()
        self._catching_up = Job(scheduler, self._send_late)

    def put_frame(self, frame: Frame) -> None:
        """Have a frame sent soon; where the page is behind, once it is not, and only the latest.

        Where the thread that trains, which calls this, waits for a processor, frames are rare.
        """
        self.late = None
        now = monotonic()
        self._contention.look(now)
        due = self.backpressure.last + self._contention.gap
        if not self.backpressure.is_open(now, frame.data.nbytes):
            self.late = frame
        elif now < due:
            self.late = frame
            self._catching_up.earliest = due
            self._catching_up.wake()
        else:
            self.put(frame)

    def came(self, number: int, drawings: int, *, in_time: bool) -> None:
        """Note that the page has drawn a frame; the latest may have waited for that."""
        self.backpressure.came(number, drawings, monotonic(), in_time=in_time)
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
