"""Record a run while it goes on."""

import atexit
import os
import threading
import time
import weakref
from typing import Any

from kan_widgets.live.frames.feed import Feed, Listener
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import Layout
from kan_widgets.live.frames.parameters import parameters_of
from kan_widgets.live.frames.progress import State
from kan_widgets.live.frames.source import Source
from kan_widgets.live.not_copied import NotCopied
from kan_widgets.live.recordings.control_folder import RunSide
from kan_widgets.live.recordings.format import status_of
from kan_widgets.live.recordings.pending_writer import PendingWriter, WaitingFrame
from kan_widgets.live.recordings.places import Place, is_first_process
from kan_widgets.live.recordings.ranks import place_of_rank
from kan_widgets.live.recordings.same_step import SameStep
from kan_widgets.live.recordings.segments import Segments, written_file
from kan_widgets.live.recordings.writer import Writer
from kan_widgets.live.reports import report
from kan_widgets.live.worker import Job, disk

# Between two visits to the disk, and between two segments for other machines.
_PAUSE_SECONDS = 0.2
_FAR_SECONDS = 1.0
_STATUS_SECONDS = 1.0
_LONGEST_PAUSE = 30.0
# Between two looks at what reached the layers of a process that records no frames.
_INPUTS_SECONDS = 2.0


class Recorder(Listener, NotCopied):
    """Appends what a binding shows to a recording. Made by ``live.record``; see there.

    Frames are handed to the thread ``disk``. A disk that fails is reported and tried
    again, a slow one misses frames; the training waits for neither.
    """

    is_active = False
    """Whether it writes frames: the first process does, and who has a part of the model."""
    is_open = False
    """Whether it records frames at present."""
    run = ""
    """What tells the run from others."""
    problem = ""
    """The disk's error while it cannot be written; else empty."""
    steering: RunSide | None = None
    """Side through which followers steer the run, where that was allowed."""

    def __init__(self, source: Source, place: Place) -> None:
        self.path = place.path
        self._source = weakref.ref(source)

    @property
    def frames(self) -> int:
        """Frames in the recording that count."""
        return 0

    @property
    def nbytes(self) -> int:
        """Bytes of all its records."""
        return 0

    @property
    def shows_frames(self) -> bool:
        return self.is_active

    def __repr__(self) -> str:
        return f"<Recorder of {self.path}: another process records>"

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def on_closed(self) -> None:
        """Write what is left before who closed the binding goes on, and perhaps ends."""
        self.close()

    def on_replaced(self, source: Source) -> None:
        """End: the binding that has replaced the one recorded is of another training."""
        source.feed.unsubscribe(self)

    def flush(self) -> None:
        """Write what waits, in the calling thread; a disk that fails is noted in ``problem``."""

    def close(self) -> None:
        """Write what waits and the last state, and end the recording."""
        if (source := self._source()) is not None:
            source.feed.unsubscribe(self)


class FrameRecorder(Recorder):
    """The recorder of the first process, or of one that has a part of the model.

    ``others`` has all processes of the job steered together, as the first is asked to.
    """

    def __init__(
        self,
        source: Source,
        place: Place,
        max_bytes: int,
        ranks: dict[str, int],
        *,
        overwrite: bool,
        lost_after: float | None,
        others: SameStep | None,
    ) -> None:
        super().__init__(source, place)
        place = place_of_rank(place, ranks.get("rank", 0))
        if place.is_device() or place.is_file():
            what = "file" if place.is_file() else "device or a pipe"
            raise FileExistsError(f"{place} is a {what}: give another name")
        self.is_active = self.is_open = True
        self._is_first = is_first_process()
        self._scalars, self._output = source.scalars, ""
        self._is_over = False  # nothing more will come, what waits is still to be written
        self._job = Job(disk, self._visit)
        self._writing = threading.RLock()
        self._is_stale = True  # there is news other than frames
        self._parameters: dict[Layout, dict[str, Any]] = {}
        self._limit = self._max_bytes = max_bytes
        self._started = time.perf_counter()
        self._commit_at = self._status_at = float("-inf")
        self._failures = 0
        self._status: dict[str, Any] = {}
        with self._writing:
            self._segments = Segments(place)
            try:
                self._writer = Writer(self._segments, source.feed.module, ranks)
                if self._segments.found is not None and not overwrite:
                    self._writer.go_on(self._segments, source.history[0])
                self._pending = PendingWriter(self._writer, self._parameters)
                self._writer.write_ranks()
                self.run = self._writer.run
                if lost_after is not None and self._is_first:
                    self.steering = RunSide(place.path, self.run, lost_after, self._steered, others)
                # What is known by now, and from here on the rest.
                self._know(source, source.feed.layout)
                with source.feed.sending:
                    source.feed.subscribe(self)
                    past = list(source.feed.history)
                self._pending.write(source.feed, past)
                self._write_all(is_last=False, commit=True)
            except BaseException:
                self.is_open = False
                source.feed.unsubscribe(self)
                if self.steering is not None:
                    self.steering.close()
                self._segments.discard()
                raise
            open_recorders[str(self.path)] = self
        self._job.wake()

    def _steered(self) -> Feed | None:
        """Return the feed of the training, while it is open."""
        source = self._source()
        return source.feed if source is not None and source.feed.is_open else None

    @property
    def frames(self) -> int:
        return len(self._writer.steps) if self.is_active else 0

    @property
    def nbytes(self) -> int:
        return self._segments.nbytes if self.is_active else 0

    def records(self, source: Source) -> bool:
        """Whether it is open and records this training."""
        return self.is_open and source.scalars is self._scalars

    def __repr__(self) -> str:
        if not self.is_active:
            return super().__repr__()
        how = self.problem or "recording" if self.is_open else "closed"
        return f"<Recorder of {self.path}: {self.frames} frames, {self.nbytes / 1e6:.1f} MB, {how}>"

    def on_layout(self, layout: Layout) -> None:
        """Count the parameters, which may have changed as well."""
        if self.is_active and (source := self._source()) is not None:
            self._know(source, layout)

    def on_frame(self, frame: Frame, settled: bool) -> None:
        if not self.is_open:
            return
        seconds = time.perf_counter() - self._started
        self._pending.add(WaitingFrame(frame, seconds, settled))

    def on_state(self, state: State, message: str) -> None:
        self._is_stale = True
        if state in ("closed", "fault"):
            self._is_over = True

    def on_training(self) -> None:
        self._is_stale = True

    def on_replaced(self, source: Source) -> None:
        super().on_replaced(source)
        self._is_over = True

    def _know(self, source: Source, layout: Layout) -> None:
        model = source.feed.module
        try:
            if model is not None:
                self._parameters[layout] = parameters_of(model, layout.layers)
        except Exception as error:
            report(f"{self.path}: the parameters are not recorded: {error!r}")

    def _visit(self) -> None:
        """Write what waits, and a sign of life now and then; called by the thread ``disk``."""
        if not self.is_open:
            return
        if self._is_over or self._source() is None:
            self.close()
            return
        try:
            if self.steering is not None and self.steering.look():
                self._is_stale, self._status_at = True, float("-inf")
        finally:
            self._write(is_last=False)
            pause = min(_LONGEST_PAUSE, _PAUSE_SECONDS * 2**self._failures)
            self._job.earliest = time.monotonic() + pause
            self._job.wake()

    def flush(self) -> None:
        self._write(is_last=False, commit=True)

    def _write(self, *, is_last: bool, commit: bool = False) -> None:
        with self._writing:
            if not self.is_open:
                return
            try:
                self._write_all(is_last, commit)
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

    def _write_all(self, is_last: bool, commit: bool) -> None:
        source = self._source()
        began = time.thread_time()
        news = self._pending.write(None if source is None else source.feed, is_last=is_last)
        news = (self._is_first and self._writer.scalars(self._scalars)) or news or is_last
        now = time.monotonic()
        self._is_stale = self._is_stale or news
        if is_last or (self._is_stale and (commit or now >= self._status_at)):
            self._is_stale = False
            self._write_status(source, is_last)
            # A follower that steers waits for what it says.
            self._status_at = now + (_PAUSE_SECONDS if self.steering else _STATUS_SECONDS)
        if self.nbytes > self._limit and self.frames > 2:
            gap = self._writer.thin(self._segments, self._max_bytes // 2)
            self._pending.gap = max(self._pending.gap, gap)
            # Where all else takes the room, it is not thinned again and again.
            is_full = self.nbytes > 3 * self._max_bytes // 4
            self._limit = 2 * self.nbytes if is_full else self._max_bytes
        if is_last or commit or now >= self._commit_at:
            self._segments.commit()
            took = time.monotonic() - now
            self._commit_at = now + self._segments.place.pause(0.0, _FAR_SECONDS, took)
        if source is not None and news:  # what it costs makes frames rarer, not later
            source.feed.owe(time.thread_time() - began, whole=True)

    def _write_status(self, source: Source | None, is_last: bool) -> None:
        if source is not None and self._is_first:
            self._status, self._output = status_of(source), source.progress.output
            if self.steering is not None:
                self._status["steering"] = self.steering.answer()
        if self._status:
            self._writer.status(self._status | {"output": self._output if is_last else ""})

    def close(self) -> None:
        if not self.is_open:
            super().close()
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
        self.is_active, self.is_open, self.steering = False, False, None
        self._writing = threading.RLock()  # a thread that is not here may have held the other one
        self._segments.unlock()

    def _end(self) -> None:
        if not self.is_open:
            return
        super().close()
        if self.steering is not None:
            self.steering.close()
        try:
            self._segments.commit(ended=True)
        except (OSError, RuntimeError) as error:
            report(f"{self.path} does not say that it has ended: {error}")
        self._segments.unlock()
        # Not before: whoever sees it closed finds the recording complete.
        self.is_open = False
        if open_recorders.get(str(self.path)) is self:
            del open_recorders[str(self.path)]


open_recorders: dict[str, FrameRecorder] = {}


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
            self._job.earliest = time.monotonic() + _INPUTS_SECONDS
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
