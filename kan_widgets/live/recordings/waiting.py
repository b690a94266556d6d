"""What waits for the disk: it is added in one thread, and written in another."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from kan_widgets.live.frames.activations import Activations, Probe
from kan_widgets.live.frames.feed import Feed
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.structure import Structure
from kan_widgets.live.recordings.writer import Writer

# Activations that wait for a slow disk; the oldest go first when it is more.
_MOST_WAITING = 32
# Frames that wait for it; the latest takes the place of the one before when it is more.
_MOST_BYTES = 64_000_000

News = TypeVar("News")


class Waiting(Generic[News]):
    """News in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: list[News] = []
        self._lock = threading.Lock()

    def each(self) -> Iterator[News]:
        """Hand out what waits; the one handed out goes when the next is asked for."""
        while self._waiting:
            with self._lock:
                first = self._waiting[0]
            yield first
            with self._lock:
                # Its place is taken by a later one when too many wait.
                if self._waiting and self._waiting[0] is first:
                    self._drop(0)

    def _drop(self, place: int) -> None:
        del self._waiting[place]


@dataclass(frozen=True, eq=False)
class WaitingFrame:
    """A frame to be written."""

    frame: Frame
    seconds: float
    settled: bool


class WaitingFrames(Waiting[WaitingFrame]):
    """Frames to be written."""

    nbytes = 0

    def add(self, frame: Frame, seconds: float, settled: bool) -> bool:
        """Add a frame; return whether it has taken the place of the one before."""
        with self._lock:
            is_full = bool(self._waiting) and self.nbytes + frame.nbytes > _MOST_BYTES
            if is_full:
                self._drop(-1)
            self._waiting.append(WaitingFrame(frame, seconds, settled))
            self.nbytes += frame.nbytes
        return is_full

    def _drop(self, place: int) -> None:
        self.nbytes -= self._waiting.pop(place).frame.nbytes


class NetworkNews(Waiting[Structure | Probe | Activations | None]):
    """What is to be written of a network."""

    _written: Activations | None = None

    def begin(self, feed: Feed) -> None:
        """Take what is known by now."""
        if feed.structure.traced:
            self.add(feed.structure)
        if feed.probed is not None:
            self.add(feed.probed)
        with self._lock:
            self._waiting += feed.activations

    def add(self, news: Structure | Probe | Activations | None) -> None:
        """Take how it is put together, other examples (or none), or what they made of it."""
        with self._lock:
            taken = [each for each in self._waiting if isinstance(each, Activations)]
            if isinstance(news, Activations) and len(taken) >= _MOST_WAITING:
                self._waiting.remove(taken[0])
            self._waiting.append(news)

    def write(self, writer: Writer, late: int | None = None) -> bool:
        """Write what waits; activations only of steps whose frames were written.

        ``late`` is the step of a frame that is not written, as yet: it is too near the one before.
        Returns whether any was written. After an `OSError`, what was not written waits.
        """
        some = False
        for each in self.each():
            if isinstance(each, Activations):
                is_framed = _holds(writer.steps, each.step)
                if is_framed and each is not self._written:
                    writer.activations(each)
                    self._written, some = each, True
                elif each.step == late and len(self._waiting) == 1:
                    return some  # its frame may be the last
                elif not is_framed and each.step > max(writer.steps[-1], late or 0):
                    return some  # its frame came after the others were written
            else:
                some = True
                if isinstance(each, Structure):
                    writer.structure(each)
                else:
                    writer.probe(each)
        return some


def _holds(steps: Sequence[int], step: int) -> bool:
    place = bisect_left(steps, step)
    return place < len(steps) and steps[place] == step
