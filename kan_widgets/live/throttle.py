"""When a frame may be taken: at most so many a second, and never a large share of the time."""

from __future__ import annotations

MAX_SHARE = 0.1


class Throttle:
    """Opens ``max_fps`` times a second, less often where frames are expensive.

    Parameters
    ----------
    max_fps
        Frames per second at most.
    """

    def __init__(self, max_fps: float) -> None:
        self.interval = 1.0 / max_fps
        self._next = float("-inf")

    def is_open(self, now: float) -> bool:
        """Whether a frame may be taken at time ``now`` (seconds)."""
        return now >= self._next

    def spent(self, now: float, seconds: float) -> None:
        """Note that a frame taken at ``now`` cost ``seconds``."""
        # Steps come when they come: a frame that had to wait for one does not delay the next.
        due = self._next if now - self._next < self.interval else now
        self._next = max(due + self.interval, now + seconds / MAX_SHARE)
