"""How many frames may be on their way to a page: what comes later waits, and the latest wins."""

from __future__ import annotations

_FEW, _MANY = 4, 64
"""So many frames may be under way in any case, and at most where they are small."""
_BYTES = 4_000_000
"""Small frames may have so many together."""
_PATIENCE_SECONDS = 0.5
"""After so long without a word from the page one more is sent all the same."""
_QUICK_SECONDS = 0.1
"""A page that takes longer to say that it has a frame is busy, or its machine is: it is left alone
for as long again, so that drawing takes no more than half of what it can do."""
_TRIES = 4
"""After so many of these in vain the page is taken for one that cannot answer."""


class Gate:
    """Open while the page keeps up: it says of each frame that it came.

    A page that does not say so, such as one that cannot while a cell runs, is sent everything. One
    that says so late is sent fewer large ones: where page and training share a processor, each
    frame that it draws is time that the training lacks.

    Examples
    --------
    >>> gate = Gate()
    >>> gate.came(gate.sent(now=0.0))
    >>> [gate.is_open(now=0.1) and gate.sent(now=0.1) for _ in range(6)]
    [2, 3, 4, 5, False, False]
    >>> gate.came(3)
    >>> gate.is_open(now=0.1)
    True

    Late, by a page that is busy: a large frame is not sent for as long again, a small one is.

    >>> gate.came(5, now=0.4)
    >>> gate.is_open(now=0.5), gate.is_open(now=0.5, size=1000), gate.is_open(now=0.8)
    (False, True, True)
    """

    def __init__(self) -> None:
        self._most = _FEW
        self._sent = self._came = 0
        self._heard = False
        self._in_vain = 0
        self._last = 0.0
        self._sent_at: dict[int, float] = {}
        self._rests_until = float("-inf")

    def is_open(self, now: float, size: int = _BYTES) -> bool:
        """Whether a frame of ``size`` bytes may be sent at time ``now``, in seconds."""
        self._most = max(_FEW, min(_MANY, _BYTES // max(1, size)))
        if now < self._rests_until and self._most < _MANY:
            return False
        late = now - self._last >= _PATIENCE_SECONDS
        return not self._heard or self._sent - self._came < self._most or late

    def sent(self, now: float) -> int:
        """Note that a frame is sent; returns its number."""
        if self._sent - self._came >= self._most:
            self._in_vain += 1
            self._heard = self._heard and self._in_vain < _TRIES
        self._sent += 1
        self._last = self._sent_at[self._sent] = now
        if len(self._sent_at) > _MANY:
            del self._sent_at[next(iter(self._sent_at))]
        return self._sent

    def came(self, number: int, *, in_time: bool = True, now: float | None = None) -> None:
        """Note that the page has a frame, and with it those before.

        ``in_time`` tells whether that is heard while it trains, as it has to be, and ``now`` when.
        """
        sent_at = self._sent_at.get(number)
        for earlier in [sent for sent in self._sent_at if sent <= number]:
            del self._sent_at[earlier]
        if in_time and now is not None and sent_at is not None:
            took = now - sent_at
            if took > _QUICK_SECONDS:
                self._rests_until = now + min(took, _PATIENCE_SECONDS)
        if in_time:
            self._heard, self._in_vain = True, 0
        self._came = max(self._came, min(number, self._sent))
