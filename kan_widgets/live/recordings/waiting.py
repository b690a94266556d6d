"""News of the network and its examples that wait for the disk."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Sequence

from kan_widgets.live.frames.activations import Activations, Probe
from kan_widgets.live.frames.source import Source
from kan_widgets.live.frames.structure import Structure
from kan_widgets.live.recordings.writer import Writer

# Activations that wait for a slow disk; the oldest go first when it is more.
_MOST_WAITING = 32


class NetworkNews:
    """What is to be written of a network, in the order in which it came.

    It is added to in one thread and written in another.
    """

    def __init__(self) -> None:
        self._waiting: list[Structure | Probe | Activations | None] = []
        self._lock = threading.Lock()
        self._written: Activations | None = None

    def begin(self, source: Source) -> None:
        """Take what a source knows by now."""
        if source.structure.traced:
            self.add(source.structure)
        if source.probed is not None:
            self.add(source.probed)
        with self._lock:
            self._waiting += source.activations

    def add(self, news: Structure | Probe | Activations | None) -> None:
        """Take how it is put together, other examples (or none), or what they made of it."""
        with self._lock:
            taken = [each for each in self._waiting if isinstance(each, Activations)]
            if isinstance(news, Activations) and len(taken) >= _MOST_WAITING:
                self._waiting.remove(taken[0])
            self._waiting.append(news)

    def write(self, writer: Writer, late: int | None = None) -> bool:
        """Write what waits; activations only of steps whose frames were written.

        Parameters
        ----------
        writer
            Frames that came before were written to it.
        late
            The step of a frame that is not written, as yet: it is too near the one before.

        Returns
        -------
        bool
            Whether any was written.

        Raises
        ------
        OSError
            If the disk cannot be written; what was not written waits.
        """
        some = False
        while self._waiting:
            each = self._waiting[0]
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
            with self._lock:
                # Its place is taken by a later one when too many wait.
                if self._waiting and self._waiting[0] is each:
                    del self._waiting[0]
        return some


def _holds(steps: Sequence[int], step: int) -> bool:
    place = bisect_left(steps, step)
    return place < len(steps) and steps[place] == step
