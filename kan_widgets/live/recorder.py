"""Record a run while it goes on, or save what is known of it."""

from __future__ import annotations

import atexit
import math
import os
import queue
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from kan_widgets.live.archive import Archive
from kan_widgets.live.frame import Frame
from kan_widgets.live.layout import Layout
from kan_widgets.live.observe import Observation
from kan_widgets.live.recording import Writer, parameters_of
from kan_widgets.live.source import Listener, Source, State, report

if TYPE_CHECKING:
    from kan_widgets.live.binding import Binding

PathLike = str | os.PathLike[str]

# Between two visits to the disk, and between two requests to hand the bytes on to other machines.
_PAUSE_SECONDS = 0.2
_SYNC_SECONDS = 1.0
_SYNC_SHARE = 0.01  # of the time, at most
_STATUS_SECONDS = 1.0
_LONGEST_PAUSE = 30.0
# Frames that wait for a slow disk; the latest takes the place of the one before when it is more.
_MOST_WAITING = 64_000_000


class Recorder(Listener):
    """Appends what a binding shows to a file. Made by ``live.record``; see there.

    Frames are handed to a thread that writes them. A disk that fails is reported and tried
    again, a slow one misses frames; the training waits for neither.
    """

    def __init__(self, binding: Binding, path: Path, max_bytes: int, *, overwrite: bool) -> None:
        self.path = path
        self.is_active = is_first_process()
        """Whether it writes at all: in distributed training only the first process does."""
        self.problem = ""
        """What the disk said, while it cannot be written; else empty."""
        self.missed = 0
        """Frames that were left out because the disk was too slow."""
        self._training = binding.training
        self._is_closed = not self.is_active
        self._is_over = False  # nothing more will come, what waits is still to be written
        self._news: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._writing = threading.RLock()
        self._frames: list[_Waiting] = []
        self._waiting_bytes = 0
        self._late: _Waiting | None = None  # not written because the last one was too near
        self._last: Frame | None = None  # in the file
        self._observed: Mapping[str, Observation] | None = None
        self._is_stale = False  # there is news other than frames
        self._parameters: dict[Layout, dict[str, Any] | None] = {}
        self._gap = 1
        self._limit = max_bytes
        self._max_bytes = max_bytes
        self._started = time.perf_counter()
        self._sync_at = self._status_at = float("-inf")
        self._failures = 0
        self._status: dict[str, Any] = {}
        self._binding = weakref.ref(binding, self._forgotten)
        self._process = os.getpid()
        if not self.is_active:
            return
        self._writer = _begin(_new_file(path, overwrite), binding)
        self._know(binding, binding.layout)
        with binding._sending:
            binding.subscribe(self)
            past, observed = list(binding.history), binding.observed
        try:
            for frame in past:
                self._put(_Waiting(frame, 0.0, True))
            self._writer.scalars(binding.scalars)
            if observed:
                self._writer.observed(observed)
            self._write_status(binding, "")
        except BaseException:
            binding._drop(self)
            self._writer.archive.abandon()
            raise
        _open[path] = self
        threading.Thread(target=self._run, name="kan_widgets recorder", daemon=True).start()

    # -- what it is -------------------------------------------------------------------

    @property
    def frames(self) -> int:
        """Frames in the file."""
        return len(self._writer.steps) if self.is_active else 0

    @property
    def nbytes(self) -> int:
        """Bytes of the file, without the directory that closing it adds."""
        return self._writer.archive.nbytes if self.is_active else 0

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

    def records(self, binding: Binding) -> bool:
        """Whether it is open and records this training."""
        return not self._is_closed and binding.training is self._training

    # -- what the binding says --------------------------------------------------------

    def on_layout(self, layout: Layout) -> None:
        """Count the parameters, which may have changed as well."""
        if (binding := self._binding()) is not None:
            self._know(binding, layout)

    def on_frame(self, frame: Frame, settled: bool) -> None:
        """Take a frame for the thread that writes."""
        seconds = time.perf_counter() - self._started
        with self._lock:
            if self._frames and self._waiting_bytes + frame.nbytes > _MOST_WAITING:
                self._waiting_bytes -= self._frames.pop().frame.nbytes
                self.missed += 1
            self._frames.append(_Waiting(frame, seconds, settled))
            self._waiting_bytes += frame.nbytes
        self._news.put(None)

    def on_state(self, state: State, message: str) -> None:
        """Note how it goes, and the end."""
        self._is_stale = True
        self._is_over = self._is_over or state in ("closed", "fault")
        self._news.put(None)

    def on_observed(self, observed: dict[str, Observation]) -> None:
        """Take the inputs of a batch."""
        self._observed = observed
        self._news.put(None)

    def on_training(self) -> None:
        """Note that there is news."""
        if not self._is_stale:
            self._is_stale = True
            self._news.put(None)

    def on_replaced(self, source: Source) -> None:
        """Go on with the binding that has replaced the one recorded, if its training goes on."""
        if getattr(source, "training", None) is not self._training:
            source._drop(self)
            self._is_over = True
            self._news.put(None)
        else:
            self._binding = weakref.ref(source, self._forgotten)  # type: ignore[arg-type]
            self.on_layout(source.layout)

    def _forgotten(self, _: object) -> None:
        # Called by the garbage collector, anywhere.
        self._is_over = True
        self._news.put(None)

    def _know(self, binding: Binding, layout: Layout) -> None:
        model = binding.model
        try:
            self._parameters[layout] = None if model is None else parameters_of(model)
        except Exception as error:
            report(f"{self.path}: the parameters are not recorded: {error!r}")

    # -- writing ----------------------------------------------------------------------

    def _run(self) -> None:
        while not self._is_closed:
            self._news.get()
            while not self._news.empty():
                self._news.get()
            if self._is_over:
                self.close()
                return
            self.flush()
            pause = _PAUSE_SECONDS
            if self.problem:
                pause = min(_LONGEST_PAUSE, _PAUSE_SECONDS * 2**self._failures)
            if self.problem or self._is_stale:
                self._news.put(None)
            end = time.monotonic() + pause
            while not (self._is_closed or self._is_over) and time.monotonic() < end:
                time.sleep(_PAUSE_SECONDS)

    def flush(self) -> None:
        """Write what waits, in the calling thread.

        A disk that fails is reported and noted in ``problem``; nothing is raised.
        """
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
        binding = self._binding()
        news = is_last
        while self._frames:
            news = True
            with self._lock:
                waiting = self._frames[0]
            self._put(waiting)
            with self._lock:
                # Its place is taken by a later one when too many wait.
                if self._frames and self._frames[0] is waiting:
                    del self._frames[0]
                    self._waiting_bytes -= waiting.frame.nbytes
        if is_last and self._late is not None:
            self._put(replace(self._late, settled=True))
        news = self._writer.scalars(self._training.scalars) or news
        if (observed := self._observed) is not None:
            self._writer.observed(observed)
            self._observed = observed if self._observed is not observed else None
        now = time.monotonic()
        self._is_stale = self._is_stale or news
        if is_last or (self._is_stale and now >= self._status_at):
            self._is_stale = False
            output = self._training.progress(0, 0.0).output if is_last else ""
            self._write_status(binding, output)
            self._status_at = now + _STATUS_SECONDS
        if self.nbytes > self._limit and self.frames > 2:
            self._gap = max(self._gap, self._writer.thin(self._max_bytes // 2))
            self._limit = max(self._max_bytes, 2 * self.nbytes)
        if now >= self._sync_at:
            self._writer.archive.sync()
            took = time.monotonic() - now
            self._sync_at = now + max(_SYNC_SECONDS, took / _SYNC_SHARE)

    def _put(self, waiting: _Waiting) -> None:
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

    def _write_status(self, binding: Binding | None, output: str) -> None:
        if binding is not None:
            self._status = status_of(binding)
        if self._status:
            self._writer.status(self._status | {"output": output})

    def close(self) -> None:
        """Write what waits and the last state of the model, and end the file.

        Then it is an ordinary ``.npz``. The training goes on. Closing again does nothing.
        """
        if self._is_closed or os.getpid() != self._process:
            return
        if (binding := self._binding()) is not None:
            try:
                binding.current()
            except Exception as error:
                report(f"{self.path}: the last state of the model is not recorded: {error!r}")
        with self._writing:
            self._write(is_last=True)
            self._end()

    def _end(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if (binding := self._binding()) is not None:
            binding._drop(self)
        try:
            self._writer.archive.close()
        except OSError as error:
            report(
                f"{self.path} has no directory at its end: {error}. kan_widgets reads it as it "
                "is; other programs may not"
            )
        if _open.get(self.path) is self:
            del _open[self.path]
        self._news.put(None)


@dataclass(frozen=True, eq=False)
class _Waiting:
    """A frame to be written."""

    frame: Frame
    seconds: float
    settled: bool


_open: dict[Path, Recorder] = {}


@atexit.register
def _close_all() -> None:
    for recorder in list(_open.values()):
        recorder.close()


def record(binding: Binding, path: PathLike, max_mb: float, *, overwrite: bool) -> Recorder:
    """Start a recorder, or return the one there already is; see `Binding.record`."""
    place = _place(path)
    if isinstance(max_mb, bool) or not isinstance(max_mb, int | float):
        raise TypeError(f"max_mb={max_mb!r}: a number is taken")
    if not 0 < max_mb < math.inf:
        raise ValueError(f"max_mb={max_mb}: a finite number of megabytes above 0 is taken")
    if not binding.is_open:
        raise RuntimeError(f"this binding is {binding.state}: bind the model again to record it")
    if (known := _open.get(place)) is not None:
        if known.records(binding):
            return known
        raise RuntimeError(
            f"{place} is being written by another recorder of this process: close() that first, or "
            "give another name"
        )
    return Recorder(binding, place, int(max_mb * 1e6), overwrite=overwrite)


def save(binding: Binding, path: PathLike) -> Path:
    """Write what a binding knows into a file; see `Binding.save`."""
    place = _place(path)
    if not is_first_process():
        return place
    if place in _open:
        raise RuntimeError(
            f"{place} is being written by a recorder of this process: close() that first, or give "
            "another name"
        )
    if binding.is_open:
        binding.current()
    part = place.with_name(f"{place.name}.part")
    archive = _new_file(part, overwrite=True)
    try:
        writer = _begin(archive, binding)
        model = binding.model
        for frame in binding.history:
            known = frame.layout is binding.layout and model is not None
            parameters = parameters_of(model) if known and model is not None else None
            writer.frame(frame, 0.0, parameters)
        writer.scalars(binding.scalars)
        if observed := binding.observed:
            writer.observed(observed)
        writer.status(status_of(binding) | {"output": binding.progress.output})
        archive.close()
        os.replace(part, place)
    except BaseException:
        archive.abandon()
        part.unlink(missing_ok=True)
        raise
    return place


def status_of(binding: Binding) -> dict[str, Any]:
    """Return how a training goes, as JSON; without what it has printed."""
    training = binding.training
    return {
        "state": binding.state,
        "message": binding.message,
        "progress": asdict(replace(binding.progress, output="")),
        "every": binding.every,
        "rates": binding.learning_rates,
        "epochs_done": training.epochs_done,
        "seconds": training.seconds,
        "timed_steps": training.timed_steps,
    }


def is_first_process() -> bool:
    """Whether this process is alone, or the first (rank 0) of a distributed training."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank() == 0
    # What torchrun says before the processes have met.
    rank, size = os.environ.get("RANK", ""), os.environ.get("WORLD_SIZE", "")
    if rank.isdecimal() and size.isdecimal():
        return int(size) < 2 or int(rank) == 0
    return True


def _place(path: PathLike) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path={path!r:.80}: the name of a file is taken")
    place = Path(path).absolute()
    if place.is_dir():
        raise IsADirectoryError(f"{place} is a folder: give the name of a file in it")
    if not place.parent.is_dir():
        raise FileNotFoundError(f"{place.parent} is no folder: make it first")
    return place


def _new_file(path: Path, overwrite: bool) -> Archive:
    try:
        return Archive(path, replace=overwrite)
    except FileExistsError:
        raise FileExistsError(
            f"{path} is there already: give another name, or overwrite=True"
        ) from None


def _begin(archive: Archive, binding: Binding) -> Writer:
    model = binding.model
    return Writer(archive, type(model).__name__ if model is not None else "")
