"""One background thread that sets what the browser shows, a few times a second."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from kan_widgets.live.background import Background
from kan_widgets.live.source import report

# Of the time of one thread, drawing may take this much.
_MAX_SHARE = 0.1


class Painter:
    """Calls ``draw`` on the one thread of all painters, soon after it is woken.

    Two threads that set traits of one widget lose updates, so whoever has news only
    wakes the painter, and ``draw`` alone sets traits.

    Parameters
    ----------
    draw
        Called without arguments, never twice at once. Of a bound method the object is held
        weakly: without it nothing is drawn. What it raises is reported, the first time.
    fps
        Calls per second at most; fewer where drawing would take a tenth of the time.

    Raises
    ------
    ValueError
        If ``fps`` is not above zero.

    Examples
    --------
    >>> lines = []
    >>> painter = Painter(lambda: lines.append("drawn"))
    >>> painter.now()
    >>> lines
    ['drawn']
    """

    def __init__(self, draw: Callable[[], object], fps: float = 5.0) -> None:
        if not fps > 0:
            raise ValueError(f"fps={fps!r}: a number above zero is taken")
        is_method = hasattr(draw, "__self__") and hasattr(draw, "__func__")
        self._draw: Callable[[], Callable[[], object] | None]
        self._draw = weakref.WeakMethod(draw) if is_method else lambda: draw
        self._interval = 1.0 / fps
        self._next = float("-inf")
        self._drawing = threading.RLock()
        self._is_waiting = False
        self.is_closed = False
        """Whether it draws no more."""
        self._has_failed = False

    def wake(self) -> None:
        """Have it drawn soon. Cheap, from any thread; news after the last wake is never lost."""
        if not self._is_waiting and not self.is_closed:
            self._is_waiting = True
            _woken.put(weakref.ref(self))
            _thread.start()

    def now(self) -> None:
        """Draw in the calling thread, after a drawing that another thread is busy with."""
        with self._drawing:
            self._is_waiting = False
            draw = None if self.is_closed else self._draw()
            if draw is None:
                return
            start, began = time.monotonic(), time.thread_time()
            try:
                draw()
            except Exception as error:
                if not self._has_failed:
                    self._has_failed = True
                    owner = getattr(draw, "__self__", None)
                    name = "a view" if owner is None else type(owner).__name__
                    report(f"{name} could not be drawn: {error!r}. It is tried again")
            cost = time.thread_time() - began
            self._next = start + max(self._interval, cost / _MAX_SHARE)

    def close(self) -> None:
        """Draw no more."""
        self.is_closed = True


# A SimpleQueue may be put to at any point of a thread, inside a finalizer too.
_woken: SimpleQueue[weakref.ref[Painter]] = SimpleQueue()


def _run() -> None:
    pending: dict[weakref.ref[Painter], float] = {}
    while True:
        _take_woken(pending)
        now = time.monotonic()
        for ref in [ref for ref, due in pending.items() if due <= now]:
            del pending[ref]
            _paint(ref)


def _take_woken(pending: dict[weakref.ref[Any], float]) -> None:
    """Wait for the next painter to be due or woken, and note those woken."""
    wait = max(0.0, min(pending.values()) - time.monotonic()) if pending else None
    try:
        ref = _woken.get(timeout=wait)
    except Empty:
        return
    painter = ref()
    if painter is not None:
        pending[ref] = painter._next


def _paint(ref: weakref.ref[Painter]) -> None:
    """Draw what is still waiting for it; no painter is kept while the thread waits."""
    painter = ref()
    if painter is not None and painter._is_waiting:
        painter.now()


_thread = Background("kan_widgets painter", _run)
