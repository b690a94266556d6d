"""Views are drawn on one thread, a few times a second."""

from __future__ import annotations

import threading
from collections.abc import Callable

from kan_widgets.live.budget import Throttle
from kan_widgets.live.checks import check_number
from kan_widgets.live.reports import report
from kan_widgets.live.worker import Job, scheduler


class Painter(Job):
    """Calls ``draw`` on the scheduler, soon after it is woken, at most ``fps`` times a second.

    Two threads that set traits of one widget lose updates, so whoever has news only wakes the
    painter, and ``draw`` alone sets traits. It is never called twice at once, and less often where
    drawing would take more than its part of the time. Of a bound method the object is held weakly:
    without it nothing is drawn. What it raises is reported, the first time.

    Examples
    --------
    >>> lines = []
    >>> painter = Painter(lambda: lines.append("drawn"))
    >>> painter.now()
    >>> lines
    ['drawn']
    """

    def __init__(self, draw: Callable[[], object], fps: float = 5.0) -> None:
        check_number("fps", fps, above=True)
        super().__init__(scheduler, draw, Throttle(fps))
        self._drawing = threading.RLock()
        self.is_closed = False
        """Whether it draws no more."""
        self._has_failed = False

    def wake(self) -> None:
        """Have it drawn soon. Cheap, from any thread; news after the last wake is never lost."""
        if not self.is_closed:
            super().wake()

    def run(self) -> None:
        """Draw in the calling thread, after a drawing that another thread is busy with."""
        with self._drawing:
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
        """Draw no more."""
        self.is_closed = True
