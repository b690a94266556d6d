"""How many frames may be on their way to a page: what comes later waits, and the latest wins."""

from __future__ import annotations

_MOST = 4
"""So many frames may be under way."""
_PATIENCE_SECONDS = 0.5
"""After so long without a word from the page one more is sent all the same."""


class Gate:
    """Open while the page keeps up: it says of each frame that it came.

    A page that has never said so, such as one that cannot while a cell runs, is sent everything.

    Examples
    --------
    >>> gate = Gate()
    >>> gate.came(gate.sent(now=0.0))
    >>> [gate.is_open(now=0.1) and gate.sent(now=0.1) for _ in range(6)]
    [2, 3, 4, 5, False, False]
    >>> gate.came(3)
    >>> gate.is_open(now=0.1)
    True
    """

    def __init__(self) -> None:
        self._sent = self._came = 0
        self._heard = False
        self._last = 0.0

    def is_open(self, now: float) -> bool:
        """Whether a frame may be sent at time ``now``, in seconds."""
        late = now - self._last >= _PATIENCE_SECONDS
        return not self._heard or self._sent - self._came < _MOST or late

    def sent(self, now: float) -> int:
        """Note that a frame is sent; returns its number."""
        self._sent += 1
        self._last = now
        return self._sent

    def came(self, number: int) -> None:
        """Note that the page has a frame, and with it those before."""
        self._heard = True
        self._came = max(self._came, min(number, self._sent))
