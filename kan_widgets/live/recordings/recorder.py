"""Record a run while it goes on."""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from kan_widgets.live.budget import Throttle
from kan_widgets.live.frames.activations import Activations, Probe
from kan_widgets.live.frames.feed import Feed, Listener, State
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import Layout
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.source import Source
from kan_widgets.live.frames.structure import Structure
from kan_widgets.live.recordings.archive import beside
from kan_widgets.live.recordings.destination import begin, claimed, is_first_process
from kan_widgets.live.recordings.format import status_of
from kan_widgets.live.recordings.remote import RemoteControl
from kan_widgets.live.recordings.waiting import NetworkNews, WaitingFrame, WaitingFrames
from kan_widgets.live.recordings.writer import parameters_of
from kan_widgets.live.reports import report
from kan_widgets.live.stationary import Stationary
from kan_widgets.live.worker import Job, disk

# Between two visits to the disk, and between two requests to hand the bytes on to other machines.
_PAUSE_SECONDS = 0.2
_SYNC_SECONDS = 1.0
_SYNC_SHARE = 0.01  # of the time, at most
_STATUS_SECONDS = 1.0
_LONGEST_PAUSE = 30.0


class Recorder(Listener, Stationary):
    """Appends what a binding shows to a file. Made by ``live.record``; see there.

    Frames are handed to the thread of all files. A disk that fails is reported and tried
    again, a slow one misses frames; the training waits for neither.
    """

    def __init__(
        self,
        source: Source,
        path: Path,
        max_bytes: int,
        *,
        overwrite: bool,
        lost_after: float | None,
    ) -> None:
        self.path = path
        self.is_active = is_first_process()
        """Whether it writes at all: in distributed training only the first process does."""
        self.problem = ""
        """What the disk said, while it cannot be written; else empty."""
        self.missed = 0
        """Frames that were left out because the disk was too slow."""
        self.steering: RemoteControl | None = None
        """By which followers steer the run, where that was allowed."""
        self._scalars, self._output = source.scalars, ""
        self._is_closed = not self.is_active
        self._is_over = False  # nothing more will come, what waits is still to be written
        self._job = Job(disk, self._visit, Throttle(1 / _PAUSE_SECONDS))
        self._writing = threading.RLock()
        self._frames = WaitingFrames()
        self._late: WaitingFrame | None = None  # not written because the last one was too near
        self._last: Frame | None = None  # in the file
        self._observed: Mapping[str, Observation] | None = None
        self._network = NetworkNews()
        self._is_stale = True  # there is news other than frames
        self._parameters: dict[Layout, dict[str, Any] | None] = {}
        self._gap = 1
        self._limit = self._max_bytes = max_bytes
        self._started = time.perf_counter()
        self._sync_at = self._status_at = float("-inf")
        self._failures = 0
        self._status: dict[str, Any] = {}
        self._source = weakref.ref(source, self._forgotten)
        if not self.is_active:
            return
        with self._writing, claimed(path, overwrite=overwrite) as held:
            archive = beside(path)
            try:
                self._writer = begin(archive, source.feed)
                if lost_after is not None:
                    self.steering = RemoteControl(
                        path, self.run, lost_after, self._steered, self.say_soon
                    )
                self._begin(source)
                archive.move(path, held)
            except BaseException:
                self._is_closed = True
                source.feed.unsubscribe(self)
                if self.steering is not None:
                    self.steering.close()
                archive.discard()
                raise
            open_recorders[path] = self
        disk.start()

    def _steered(self) -> Feed | None:
        """Return what trains now, if anything does."""
        source = self._source()
        return source.feed if source is not None and source.feed.is_open else None

    def _begin(self, source: Source) -> None:
        """Write what is known by now, and hear of the rest."""
        self._know(source, source.feed.layout)
        past, observed = source.feed.subscribe_from_start(self)
        for frame in past:
            self._put(WaitingFrame(frame, 0.0, True))
        self._observed = self._observed or observed or None
        self._network.begin(source.feed)
        self._write_all(is_last=False)

    # -- what it is -------------------------------------------------------------------

    @property
    def frames(self) -> int:
        """Frames in the file."""
        return len(self._writer.steps) if self.is_active else 0

    @property
    def run(self) -> str:
        """What tells the run from others."""
        return self._writer.run if self.is_active else ""

    @property
    def nbytes(self) -> int:
        """Bytes of the file, without the directory that closing it adds."""
        return self._writer.archive.nbytes if self.is_active else 0

    def records(self, source: Source) -> bool:
        """Whether it is open and records this training."""
        return self.is_open and source.scalars is self._scalars

    @property
    def is_open(self) -> bool:
        """Whether it records."""
        return not self._is_closed

    def __repr__(self) -> str:
        if not self.is_active:
            return f"<Recorder of {self.path}: another process records>"
        how = "closed" if self._is_closed else self.problem or "recording"
        return f"<Recorder of {self.path}: {self.frames} frames, {self.nbytes / 1e6:.1f} MB, {how}>"

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # -- what the binding says --------------------------------------------------------

    def on_layout(self, layout: Layout) -> None:
        """Count the parameters, which may have changed as well."""
        if (source := self._source()) is not None:
            self._know(source, layout)

    def on_frame(self, frame: Frame, settled: bool) -> None:
        """Keep a frame for the thread of all files."""
        if self._is_closed:
            return
        self.missed += self._frames.add(frame, time.perf_counter() - self._started, settled)
        self._job.wake()

    def on_state(self, state: State, message: str) -> None:
        """Note how it goes, and the end."""
        self._is_stale = True
        if state in ("closed", "fault"):
            self._end_soon()
        else:
            self._job.wake()

    def on_observed(self, observed: dict[str, Observation]) -> None:
        """Take the inputs of a batch."""
        self._observed = observed
        self._job.wake()

    def on_structure(self, structure: Structure) -> None:
        """Take how the network is put together."""
        if structure.traced:
            self._network.add(structure)
        self._job.wake()

    def on_probe(self, probe: Probe | None) -> None:
        """Take other examples."""
        self._network.add(probe)
        self._job.wake()

    def on_activations(self, activations: Activations) -> None:
        """Keep activations for the thread of all files."""
        self._network.add(activations)
        self._job.wake()

    def on_training(self) -> None:
        """Note that there is news."""
        if not self._is_stale:
            self._is_stale = True
            self._job.wake()

    def on_replaced(self, source: Source) -> None:
        """End: the binding that has replaced the one recorded is of another training."""
        source.feed.unsubscribe(self)
        self._end_soon()

    def say_soon(self) -> None:
        """Have the file say at once how the run stands."""
        self._is_stale, self._status_at = True, float("-inf")
        self._job.earliest = float("-inf")
        self._job.hurry()

    def _forgotten(self, _: object) -> None:
        # Called by the garbage collector.
        self._is_over = True
        self._job.earliest = float("-inf")
        self._job.leave_word()

    def _know(self, source: Source, layout: Layout) -> None:
        model = source.feed.module
        try:
            self._parameters[layout] = None if model is None else parameters_of(model)
        except Exception as error:
            report(f"{self.path}: the parameters are not recorded: {error!r}")

    # -- writing ----------------------------------------------------------------------

    def _visit(self) -> None:
        """Write what waits; called by the thread of all files."""
        if self._is_closed:
            return
        if self._is_over:
            self.close()
            return
        self.flush()
        pause = _PAUSE_SECONDS
        if self.problem:
            pause = min(_LONGEST_PAUSE, _PAUSE_SECONDS * 2**self._failures)
        self._rest(pause)

    def _rest(self, pause: float) -> None:
        self._job.earliest = time.monotonic() + pause
        if self._is_over:  # noticed while it was written
            self._end_soon()
        elif self.problem or self._is_stale:
            self._job.wake()

    def _end_soon(self) -> None:
        """Note that nothing more will come."""
        self._is_over = True
        self._job.earliest = float("-inf")
        self._job.hurry()

    def flush(self) -> None:
        """Write what waits, in the calling thread; a disk that fails is noted in ``problem``."""
        self._write(is_last=False)

    def _write(self, *, is_last: bool) -> None:
        with self._writing:
            if self._is_closed:
                return
            try:
                self._write_all(is_last)
            except OSError as error:
                self._failures += 1
                if not self.problem:
                    report(
                        f"{self.path} cannot be written: {error}. The training goes on, what was "
                        "recorded is kept, and it is tried again"
                    )
                self.problem = str(error)
            except Exception as error:
                self.problem = f"{type(error).__name__}: {error}"
                report(f"{self.path}: the recording has ended: {self.problem}")
                self._end()
            else:
                if self.problem:
                    report(f"{self.path} can be written again; the recording goes on")
                self.problem, self._failures = "", 0

    def _write_all(self, is_last: bool) -> None:
        source = self._source()
        news, began = is_last, time.thread_time()
        for waiting in self._frames.each():
            news = True
            self._put(waiting)
        if source is not None:
            source.feed.owe(time.thread_time() - began, whole=True)
        if is_last and self._late is not None:
            self._put(replace(self._late, settled=True))
        news = self._writer.scalars(self._scalars) or news
        if (observed := self._observed) is not None:
            self._writer.observed(observed)
            self._observed = observed if self._observed is not observed else None
        late = None if self._late is None else self._late.frame.step
        news = self._network.write(self._writer, late) or news
        now = time.monotonic()
        self._is_stale = self._is_stale or news
        if is_last or (self._is_stale and now >= self._status_at):
            self._is_stale = False
            self._write_status(source, is_last)
            # A follower that steers waits for what it says.
            self._status_at = now + (_PAUSE_SECONDS if self.steering else _STATUS_SECONDS)
        if self.nbytes > self._limit and self.frames > 2:
            self._gap = max(self._gap, self._writer.thin(self._max_bytes // 2))
            self._limit = max(self._max_bytes, 2 * self.nbytes)
        if now >= self._sync_at:
            self._writer.archive.sync()
            took = time.monotonic() - now
            self._sync_at = now + max(_SYNC_SECONDS, took / _SYNC_SHARE)

    def _put(self, waiting: WaitingFrame) -> None:
        """Write a frame, unless it is there already or too near the last one."""
        frame, last = waiting.frame, self._last
        if last is not None and (frame.step, frame.layout) == (last.step, last.layout):
            # Frames are sent again when training goes quiet.
            if np.array_equal(frame.data, last.data):
                return
        if last is not None and 0 < frame.step - last.step < self._gap and not waiting.settled:
            self._late = waiting
            return
        self._writer.frame(frame, waiting.seconds, self._parameters.get(frame.layout))
        self._last, self._late = frame, None

    def _write_status(self, source: Source | None, is_last: bool) -> None:
        if source is not None:
            self._status, self._output = status_of(source), source.progress.output
            if self.steering is not None:
                self._status["steering"] = self.steering.said()
        if self._status:
            self._writer.status(self._status | {"output": self._output if is_last else ""})

    def close(self) -> None:
        """Write what waits and the last state, and end the file: an ordinary ``.npz`` then."""
        if self._is_closed:
            return
        if (source := self._source()) is not None:
            try:
                source.feed.current()
            except Exception as error:
                report(f"{self.path}: the last state of the model is not recorded: {error!r}")
        with self._writing:
            self._write(is_last=True)
            self._end()

    def _leave(self) -> None:
        """Leave the file to the process that this one is a fork of."""
        self.is_active, self._is_closed, self.steering = False, True, None
        self._writer.archive.leave()

    def _end(self) -> None:
        if self._is_closed:
            return
        if (source := self._source()) is not None:
            source.feed.unsubscribe(self)
        if self.steering is not None:
            self.steering.close()
        try:
            self._writer.archive.close()
        except OSError as error:
            report(
                f"{self.path} has no directory at its end: {error}. kan_widgets reads it as it "
                "is; other programs may not"
            )
        # Not before: whoever sees it closed finds the file complete.
        self._is_closed = True
        if open_recorders.get(self.path) is self:
            del open_recorders[self.path]


open_recorders: dict[Path, Recorder] = {}


@atexit.register
def _close_all() -> None:
    for recorder in list(open_recorders.values()):
        recorder.close()


def _leave_all() -> None:
    for recorder in open_recorders.values():
        recorder._leave()
    open_recorders.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all)
