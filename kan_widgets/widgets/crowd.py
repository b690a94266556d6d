"""How often to send a page frames where processors are scarce."""

from __future__ import annotations

from threading import get_ident

_MEASURED_SECONDS = 0.5
"""How long a thread has waited is measured over so long at least."""
_MUCH, _LITTLE = 0.1, 0.04
"""Of the time: waits longer than the first make frames rarer, such below the second less rare."""
_LEAST_GAP, _MOST_GAP = 0.1, 1.0
"""Seconds between two frames, where they are rarer at all."""
_WIDER, _NARROWER = 2.0, 0.7


class Crowd:
    """Knows whether the thread that trains is kept waiting for a processor, and makes frames rare.

    A frame is work for the server, the browser and the page: where all cores are taken, that is
    taken from the training. Linux says how long a thread could have run and did not; elsewhere
    frames are as frequent as ever.

    Examples
    --------
    >>> crowd = Crowd()
    >>> crowd.look(now=0.0, waited=0.0)
    >>> crowd.look(now=1.0, waited=0.5)  # half of the time
    >>> crowd.gap
    0.1
    >>> crowd.look(now=2.0, waited=1.0)
    >>> crowd.gap
    0.2
    """

    def __init__(self) -> None:
        self.gap = 0.0
        """Seconds that there should be between two frames."""
        self._thread = 0
        self._now = self._waited = 0.0

    def look(self, now: float, waited: float | None = None) -> None:
        """Measure how long the calling thread has waited for a processor; now and then is enough.

        ``waited`` is told by those who know it: the seconds so far.
        """
        thread, took = get_ident(), now - self._now
        if thread == self._thread and took < _MEASURED_SECONDS:
            return
        if waited is None and (waited := waited_so_far()) is None:
            return
        if thread == self._thread:
            share = (waited - self._waited) / took
            if share > _MUCH:
                self.gap = min(_MOST_GAP, max(_LEAST_GAP, _WIDER * self.gap))
            elif share < _LITTLE:
                self.gap = self.gap * _NARROWER if self.gap > _LEAST_GAP else 0.0
        self._thread, self._now, self._waited = thread, now, waited


def waited_so_far() -> float | None:
    """Return how many seconds the calling thread has waited for a processor; None if not known."""
    try:
        with open("/proc/thread-self/schedstat", "rb") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return None
