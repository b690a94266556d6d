"""How many frames may be on their way to a page: what comes later waits, and the latest wins."""

from __future__ import annotations

from collections import deque

_FEW, _MANY = 2, 64
"""So many frames may be under way in any case, and at most."""
_BYTES, _MOST_BYTES = 1_000_000, 8_000_000
"""Small frames may have so many together: of those the page keeps each for its timeline. And none
more than so many."""
_AHEAD_SECONDS, _CALM_SECONDS = 0.4, 2.0
"""As many may be under way as the page draws in this time; of one that keeps up, as are sent to it
in this one. Each answer is work for both sides: to JupyterLab it is a kernel that gets busy and
idle again, for which it loads and changes the page's icon twice."""
_PROMPT_SECONDS, _PROMPT_FRAMES = 0.25, 1.5
"""A page keeps up that has drawn a frame after so long at most, or once so many more came,"""
_MOSTLY = 0.7
"""and at least this share of those that it was sent."""
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
    >>> gate.came(3, 2, now=0.2)  # all are drawn, and soon: twice as many may be under way
    >>> [gate.is_open(now=0.2) and gate.sent(now=0.2) for _ in range(5)]
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
