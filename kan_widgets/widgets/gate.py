"""How many frames may be on their way to a page: what comes later waits, and the latest wins."""

from __future__ import annotations

_FEW, _MANY = 2, 64
"""So many frames may be under way in any case, and at most."""
_BYTES, _MOST_BYTES = 1_000_000, 4_000_000
"""Small frames may have so many together: of those the page keeps each for its timeline. And none
more than so many."""
_AHEAD_SECONDS = 0.4
"""As many may be under way as the page draws in this time. Each answer is work for both sides: to
JupyterLab it is a kernel that gets busy and idle again, which changes the page's icon twice."""
_MEASURED_SECONDS = 0.1
"""How many it draws is measured over so long at least."""
_PATIENCE_SECONDS = 0.5
"""After so long without a word from the page one more is sent all the same."""
_TRIES = 4
"""After so many of these in vain the page is taken for one that cannot answer."""


class Gate:
    """Open while the page keeps up: it says which frames were drawn.

    So a page is sent what it can draw, and what shares its processor is not held up by more. One
    that says nothing, as it cannot while a cell runs, is sent everything.

    Examples
    --------
    >>> gate = Gate()
    >>> gate.came(gate.sent(now=0.0), 1, now=0.0)
    >>> [gate.is_open(now=0.1) and gate.sent(now=0.1) for _ in range(4)]
    [2, 3, False, False]
    >>> gate.is_open(now=0.1, size=1000)
    True
    >>> gate.came(3, 2, now=0.2)  # two drawings in 0.2 s: four in the time that may be under way
    >>> [gate.is_open(now=0.2) and gate.sent(now=0.2) for _ in range(5)]
    [4, 5, 6, 7, False]
    """

    def __init__(self) -> None:
        self._sent = self._came = 0
        self._heard = False
        self._in_vain = 0
        self._last = 0.0
        self._ahead = _FEW
        self._drawings, self._since = 0, 0.0

    def is_open(self, now: float, size: int = _BYTES) -> bool:
        """Whether a frame of ``size`` bytes may be sent at time ``now``, in seconds."""
        late = now - self._last >= _PATIENCE_SECONDS
        return not self._heard or self._sent - self._came < self._most(size) or late

    def sent(self, now: float) -> int:
        """Note that a frame is sent; returns its number."""
        if now - self._last >= _PATIENCE_SECONDS and self._sent > self._came:
            self._in_vain += 1
            self._heard = self._heard and self._in_vain < _TRIES
        self._sent += 1
        self._last = now
        return self._sent

    def asks(self, number: int, size: int = _BYTES) -> bool:
        """Whether the page is to say that it has drawn this frame, and with it those before."""
        return not self._heard or number % (self._most(size) // 2) == 0

    def came(self, number: int, drawings: int, now: float, *, in_time: bool = True) -> None:
        """Note that the page has drawn a frame, and with it those before, in so many drawings.

        ``in_time`` tells whether that is heard while it trains, as it has to be.
        """
        if in_time:
            self._heard, self._in_vain = True, 0
        self._came = max(self._came, min(number, self._sent))
        self._drawings += drawings
        if (took := now - self._since) >= _MEASURED_SECONDS:
            self._ahead = round(_AHEAD_SECONDS * self._drawings / took)
            self._drawings, self._since = 0, now

    def _most(self, size: int) -> int:
        """Return how many frames of ``size`` bytes may be under way."""
        size = max(1, size)
        return max(_FEW, min(_MANY, _MOST_BYTES // size, max(self._ahead, _BYTES // size)))
