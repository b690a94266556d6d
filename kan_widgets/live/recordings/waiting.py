"""What waits for the disk: it is added in one thread, and written in another."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kan_widgets.live.frames.activations import Activations, Probe
from kan_widgets.live.frames.feed import Feed
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import Layout
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.structure import Structure
from kan_widgets.live.recordings.writer import Writer

# Activations, and inputs, that wait for a slow disk; the oldest go first when it is more.
_MOST: dict[type, int] = {Activations: 32, dict: 1}
# Frames that wait for it; the latest takes the place of the one before when it is more.
_MOST_BYTES = 64_000_000


@dataclass(frozen=True, eq=False)
class WaitingFrame:
    """A frame to be written."""

    frame: Frame
    seconds: float
    settled: bool


News = WaitingFrame | Mapping[str, Observation] | Structure | Probe | Activations | None


class Waiting:
    """News in the order in which they came: frames, and what is known of the network.

    That is how it is put together, other examples (or none), what they made of it, and the inputs
    of a batch.
    """

    def __init__(self) -> None:
        self._news: list[News] = []
        self._lock = threading.Lock()
        self.nbytes = 0
        """Of the frames."""

    def add(self, news: News) -> bool:
        """Add news; return whether a frame has taken the place of the one before."""
        with self._lock:
            is_full = isinstance(news, WaitingFrame) and 0 < self.nbytes > (
                _MOST_BYTES - news.frame.nbytes
            )
            if is_full:
                self._drop(self._places(WaitingFrame)[-1])
            elif most := _MOST.get(type(news)):
                known = self._places(type(news))
                if len(known) >= most:
                    self._drop(known[0])
            self._news.append(news)
            if isinstance(news, WaitingFrame):
                self.nbytes += news.frame.nbytes
        return is_full

    def each(self) -> Iterator[News]:
        """Hand out what waits; the one handed out goes when the next is asked for."""
        while self._news:
            with self._lock:
                first = self._news[0]
            yield first
            with self._lock:
                # Its place is taken by a later one when too many wait.
                if self._news and self._news[0] is first:
                    self._drop(0)

    def _places(self, kind: type) -> list[int]:
        return [place for place, news in enumerate(self._news) if isinstance(news, kind)]

    def _drop(self, place: int) -> None:
        news = self._news.pop(place)
        if isinstance(news, WaitingFrame):
            self.nbytes -= news.frame.nbytes


class NewsWriter:
    """Writes news: frames that are not too near each other, and activations beside frames."""

    def __init__(self, writer: Writer, parameters: Mapping[Layout, dict[str, Any]]) -> None:
        self.gap = 1
        """Steps between two frames, at least."""
        self._writer, self._parameters = writer, parameters
        self._last: Frame | None = None  # in the file
        self._late: WaitingFrame | None = None  # too near the last one
        self._unframed: Activations | None = None  # the frame of their step is not written
        self._activations: Activations | None = None  # written last

    def put(self, news: News) -> None:
        """Write news. After an `OSError` it can be written again."""
        if isinstance(news, WaitingFrame):
            self._put_frame(news)
        elif isinstance(news, Activations):
            self._put_activations(news)
        elif isinstance(news, Structure):
            self._writer.structure(news)
        elif isinstance(news, Mapping):
            self._writer.observed(news)
        else:
            self._writer.probe(news)
            self._unframed = None  # what waits is of the examples before

    def put_known(self, feed: Feed, frames: Iterable[Frame]) -> None:
        """Write frames from before, and what is known of the network by now."""
        for frame in frames:
            self.put(WaitingFrame(frame, 0.0, True))
        if feed.found is not None and feed.found.traced:
            self.put(feed.found)
        if feed.probed is not None:
            self.put(feed.probed)
        for activations in feed.activations:
            self.put(activations)
        if feed.observed:
            self.put(feed.observed)

    def finish(self) -> None:
        """Write the frame that waits."""
        if self._late is not None:
            self._put_frame(replace(self._late, settled=True))

    def _put_activations(self, activations: Activations) -> None:
        """Write them, if the frame of their step is written."""
        steps, self._unframed = self._writer.steps, activations
        place = bisect_left(steps, activations.step)
        if steps[place : place + 1] == [activations.step]:
            if activations is not self._activations:  # they are told again when training is quiet
                self._writer.activations(activations)
            self._unframed, self._activations = None, activations

    def _put_frame(self, waiting: WaitingFrame) -> None:
        """Write a frame, unless it is there already or too near the last one."""
        frame, last = waiting.frame, self._last
        if last is not None and (frame.step, frame.layout) == (last.step, last.layout):
            # Frames are sent again when training goes quiet.
            if np.array_equal(frame.data, last.data):
                return
        if last is not None and last.step < frame.step and not waiting.settled:
            since = last.step // self.gap * self.gap if self._writer.is_part else last.step
            if frame.step - since < self.gap:
                self._late = waiting
                return
        self._writer.frame(frame, waiting.seconds, self._parameters.get(frame.layout))
        self._last, self._late = frame, None
        if self._unframed is not None:
            self._put_activations(self._unframed)
