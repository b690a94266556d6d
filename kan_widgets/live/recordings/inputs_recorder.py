"""Record what reaches the layers in a process whose frames another process records."""

from __future__ import annotations

import os
import threading
import time

from kan_widgets.live.frames.source import Source
from kan_widgets.live.recordings.places import Place
from kan_widgets.live.recordings.ranks import place_of_rank
from kan_widgets.live.recordings.recorder import Recorder
from kan_widgets.live.recordings.segments import written_file
from kan_widgets.live.recordings.writer import Writer
from kan_widgets.live.reports import report
from kan_widgets.live.worker import Job, disk

# Between two looks at what reached the layers.
_SECONDS = 2.0


class InputsRecorder(Recorder):
    """Writes the observed inputs of this process beside the recording of the first one.

    The thread ``disk`` looks for them now and then; the feed tells this recorder only of its end.
    """

    def __init__(self, source: Source, place: Place, ranks: dict[str, int]) -> None:
        super().__init__(source, place)
        self._own_place, self._ranks = place_of_rank(place, ranks.get("rank", 0)), ranks
        self._written: object = None
        self._is_over, self._writing, self._process = False, threading.Lock(), os.getpid()
        self._job = Job(disk, self._visit)
        source.feed.subscribe(self)
        self._job.wake()

    def _visit(self) -> None:
        if self._source() is not None and not self._is_over:
            self._write()
            self._job.earliest = time.monotonic() + _SECONDS
            self._job.wake()

    def _write(self) -> None:
        source = self._source()
        observed = None if source is None else source.feed.observed
        with self._writing:  # by ``disk``, and by the thread that closes it
            if source is None or not observed or observed is self._written:
                return
            self._written = observed
            try:
                if self._own_place.is_local:
                    os.makedirs(os.path.dirname(self._own_place.of("")), exist_ok=True)
                with written_file(self._own_place) as file:
                    Writer(file, source.feed.module, self._ranks).observed(observed)
            except OSError as error:
                report(f"{self._own_place} cannot be written: {error}. The training goes on")

    def close(self) -> None:
        if not self._is_over and self._process == os.getpid():  # a fork may have the lock, held
            self._write()
        self._is_over = True
        super().close()
