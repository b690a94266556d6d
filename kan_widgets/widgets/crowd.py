"""How often to send a page frames where processors are scarce."""

from __future__ import annotations

from threading import get_ident

_MEASURED_SECONDS = 0.5
"""How long a thread has waited is measured over so long at least."""
_BUSY = 0.6
"""A thread that runs in less of the time in which it need not wait is slowed by something else."""
_MUCH, _LITTLE = 0.1, 0.04
"""Of that: waits longer than the first make frames rarer, such below the second less rare."""
_LEAST_GAP, _MOST_GAP = 0.1, 1.0
"""Seconds between two frames, where they are rarer at all."""
_WIDER, _NARROWER = 2.0, 0.5


class Crowd:
    """Knows whether the thread that trains is kept waiting for a processor, and makes frames rare.

    A frame is work for the server, the browser and the page: where all cores are taken, that is
    taken from the training. Linux says how long a thread could have run and did not; elsewhere
    frames are as frequent as ever.

    Examples
    --------
    >>> crowd = Crowd()
    >>> crowd.look(now=0.0, times=(0.0, 0.0))
    >>> crowd.look(now=1.0, times=(0.5, 0.5))  # it ran for half of the time, and could have in all
    >>> crowd.gap
    0.1
    >>> crowd.look(now=2.0, times=(1.0, 1.0))
    >>> crowd.gap
    0.2
    >>> crowd.look(now=3.0, times=(1.9, 1.0))
    >>> crowd.gap
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
        if thread == self._thread and took < _MEASURED_SECONDS:
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
