"""News of the network and its examples that wait for the disk."""

from __future__ import annotations

import threading

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
        self._late: Activations | None = None  # not written because the last one was too near

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

    def write(self, writer: Writer, gap: int, *, is_last: bool = False) -> bool:
        """Write what waits; activations at least ``gap`` steps apart, but for the last.

        Returns
        -------
        bool
            Whether there was any.

        Raises
        ------
        OSError
            If the disk cannot be written; what was not written waits.
        """
        some = bool(self._waiting)
        while self._waiting:
            each = self._waiting[0]
            if isinstance(each, Activations):
                self._put(writer, each, gap)
            elif isinstance(each, Structure):
                writer.structure(each)
            else:
                writer.probe(each)
                self._written = self._late = None
            with self._lock:
                # Its place is taken by a later one when too many wait.
                if self._waiting and self._waiting[0] is each:
                    del self._waiting[0]
        if is_last and self._late is not None:
            self._put(writer, self._late, 0)
        return some

    def _put(self, writer: Writer, activations: Activations, gap: int) -> None:
        last = self._written
        if last is activations:
            return
        if last is not None and 0 < activations.step - last.step < gap:
            self._late = activations
            return
        writer.activations(activations)
        self._written, self._late = activations, None
