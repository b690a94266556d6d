"""What is to be recorded: frames, added in one thread and written in another, and the network."""

import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakSet

import numpy as np

from kan_widgets.live.frames.activations import Activations, Probe
from kan_widgets.live.frames.feed import Feed
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import Layout
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.structure import Structure
from kan_widgets.live.recordings.writer import Writer

# Bytes of frames that wait for the disk; beyond them the latest replaces the one before it.
_MAX_BYTES = 64_000_000


@dataclass(frozen=True, eq=False)
class WaitingFrame:
    """A frame to be written."""

    frame: Frame
    seconds: float
    settled: bool


class PendingWriter:
    """Writes what is new: frames that wait, and what a feed knows of the network by now.

    That is how it is put together, other examples (or none), what they made of it, and the inputs
    of a batch. Frames too near each other are left out, and activations without a frame.
    """

    def __init__(self, writer: Writer, parameters: Mapping[Layout, dict[str, Any]]) -> None:
        self.gap = 1
        """Steps between two frames, at least."""
        self.nbytes = 0
        """Bytes of the frames that wait."""
        self._writer, self._parameters = writer, parameters
        self._waiting: deque[WaitingFrame] = deque()
        self._lock = threading.Lock()
        self._last: Frame | None = None  # in the file
        self._late: WaitingFrame | None = None  # too near the last one
        # Values written last.
        self._structure: Structure | None = None
        self._probe: Probe | None = None
        self._observed: Mapping[str, Observation] | None = None
        self._activations: WeakSet[Activations] = WeakSet()

    def add(self, waiting: WaitingFrame) -> None:
        """Have a frame written; where too many wait, it takes the place of the one before."""
        nbytes = waiting.frame.nbytes
        with self._lock:
            if 0 < self.nbytes > _MAX_BYTES - nbytes:
                self.nbytes -= self._waiting.pop().frame.nbytes
            self._waiting.append(waiting)
            self.nbytes += nbytes

    def write(
        self, feed: Feed | None, past: Iterable[Frame] = (), *, is_last: bool = False
    ) -> bool:
        """Write what is new; return whether anything was. After an `OSError` it is written again.

        Frames of the ``past`` come first. The last time the frame that is too near another is
        written, too.
        """
        for frame in past:
            self._put_frame(WaitingFrame(frame, 0.0, True))
        is_new = False
        while self._waiting:
            with self._lock:
                first = self._waiting[0]
            self._put_frame(first)
            is_new = True
            with self._lock:
                # Its place is taken by a later one when too many wait.
                if self._waiting and self._waiting[0] is first:
                    self.nbytes -= self._waiting.popleft().frame.nbytes
        if is_last and self._late is not None:
            self._put_frame(replace(self._late, settled=True))
        return (feed is not None and self._put_known(feed)) or is_new

    def _put_known(self, feed: Feed) -> bool:
        with feed.sending:
            structure, probe = feed.traced_structure, feed.probed
            observed = feed.observed
            activations = [item for item in feed.activations if item not in self._activations]
        is_new = False
        if structure is not self._structure and structure is not None and structure.traced:
            self._writer.structure(structure)
            self._structure, is_new = structure, True
        if probe is not self._probe:
            self._writer.probe(probe)
            self._probe, is_new = probe, True
        steps = self._writer.steps
        for item in activations:
            place = bisect_left(steps, item.step)
            if steps[place : place + 1] == [item.step]:
                self._writer.activations(item)
                self._activations.add(item)
                is_new = True
        if observed and observed is not self._observed:
            self._writer.observed(observed)
            self._observed, is_new = observed, True
        return is_new

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
