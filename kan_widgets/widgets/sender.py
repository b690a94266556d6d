"""One background thread that sends what training leaves for it."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

from kan_widgets.live.background import Background

# As many messages may wait; whoever brings one more sends all of them.
_MOST = 8


class Outbox:
    """Messages in their order, sent by one thread, or by whoever cannot wait for it.

    A message to a notebook's page costs about as much as reading a small network. Put here, it
    does not keep the training from its next step.

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
        self._ref = weakref.ref(self)
        self.lock = threading.RLock()
        """Held while a message is sent: who holds it comes before the ones still waiting."""

    def put(self, message: Any) -> None:
        """Have a message sent soon, after those before it."""
        self._waiting.append(message)
        if len(self._waiting) > _MOST:
            self.flush()
            return
        _filled.put(self._ref)
        start_thread()
        self._complain()

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
        """Send what waits; a message that cannot be sent keeps no other one."""
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


# A SimpleQueue may be put to at any point of a thread, inside a finalizer too.
_filled: SimpleQueue[weakref.ref[Outbox]] = SimpleQueue()


def _run() -> None:
    while True:
        _flush(_filled.get())


def _flush(ref: weakref.ref[Outbox]) -> None:
    """Send what waits in an outbox; none is kept while the thread waits."""
    box = ref()
    if box is not None:
        box._send_all()  # who puts the next message is told of what failed


_thread = Background("kan_widgets sender", _run)
#: Called early, the first message does not wait for it.
start_thread = _thread.start
