"""When a frame may be taken: at most so many a second, and never a large share of the time."""

from __future__ import annotations

MAX_SHARE = 0.1
"""Of the time, this much may go into frames."""
MAX_SAVED = 0.025
"""So many seconds of it can be saved up: for one frame dear by chance, not for a burst of them."""


class Throttle:
    """Opens ``max_fps`` times a second, less often where frames are expensive.

    Parameters
    ----------
    max_fps
        Frames per second at most.
    share
        Of the time, so much may go into frames; ``MAX_SHARE`` by default.
    """

    def __init__(self, max_fps: float, share: float | None = None) -> None:
        self._share = share
        self.interval = 1.0 / max_fps
        self._next = float("-inf")
        self._saved = 0.0
        self._counted: float | None = None

    def is_open(self, now: float) -> bool:
        """Whether a frame may be taken at time ``now`` (seconds)."""
        return now >= self._next

    def spent(self, now: float, seconds: float) -> None:
        """Note that a frame taken at ``now`` cost ``seconds``, whether it was open or not."""
        # Steps come when they come: a frame that had to wait for one does not delay the next.
        late = now - self._next
        due = self._next if 0 <= late < self.interval else now
        share = MAX_SHARE if self._share is None else self._share
        earned = share * (now - self._counted) if self._counted is not None else 0.0
        self._saved = min(self._saved + earned, MAX_SAVED) - seconds
        self._counted = now
        self._next = max(due + self.interval, now - self._saved / share)
