"""What is sent in the background, so that training need not wait."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kan_widgets.live.worker import Job, scheduler

# As many messages may wait; whoever brings one more sends all of them.
_MOST = 8
# After so long a drawing, whoever brings a message sends what waits, unless it is being sent.
_PATIENCE_SECONDS = 0.05


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
        if len(self._waiting) > _MOST:
            self.flush()
            return
        if scheduler.is_busy(_PATIENCE_SECONDS) and self.lock.acquire(blocking=False):
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
