"""What several processes record of one model that they train: where it lies, and how it is joined.

``docs/recordings.md`` says where it lies. No process waits for another.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from kan_widgets.functions.layer_settings import Split
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import LayerLayout, Layout, Table, new_layout
from kan_widgets.live.frames.observation import Observation, joined
from kan_widgets.live.recordings.places import PathLike, Place
from kan_widgets.live.recordings.reader import (
    NewJob,
    NoRecording,
    ObservedInputs,
    Reader,
    Record,
    Seam,
)
from kan_widgets.live.recordings.segments import LOST_SECONDS, SIGN_SECONDS

# Seconds after the start of its job by which a process that has written nothing writes elsewhere.
_PATIENCE_SECONDS = 10.0
# Frames that wait for other processes' parts of them; with more, the second is dropped.
_MAX_WAITING = 1000


def place_of_rank(place: Place, rank: int) -> Place:
    """Return where a process records what it has."""
    return Place(f"{place}/rank-{rank}") if rank else place


class _OtherRank:
    """The recording of one other process, read as far as it is asked for."""

    def __init__(self, place: Place, rank: int) -> None:
        self._place = place_of_rank(place, rank)
        self.reader = Reader(self._place.path)
        self._records: Iterator[Record] = iter(())
        self.may_look = True  # once more for what has come since
        self._next: tuple[tuple[int, int], Frame] | None = None
        self.job = 0
        """The job that it was read up to."""
        self.observed: dict[str, Observation] = {}

    def at(self, key: tuple[int, int]) -> Frame | None:
        """Return its frame of a job and a step; ``None`` where it has gone by without one.

        Raises `LookupError` if it has not come so far, `OSError` if it cannot be read.
        """
        while self._next is None or self._next[0] < key:
            record = next(self._records, None)
            if record is None:
                if not self.may_look:
                    raise LookupError
                self.may_look = False
                self._records = self.reader.read()
            elif isinstance(record, NewJob):
                self.job, self._next = record.number, None
            elif isinstance(record, ObservedInputs):
                self.observed = record.layers
            elif isinstance(record, Frame):
                self._next = (self.job, record.step), record
        return self._next[1] if self._next[0] == key else None

    def pass_by(self, key: tuple[int, int]) -> None:
        """Note that its frame of a job and a step was taken."""
        if self._next is not None and self._next[0] == key:
            self._next = None

    def look_for_inputs(self, job: int) -> None:
        """Read what a process that records no frames has written for a job, if it has."""
        with suppress(OSError, NoRecording):
            reader = Reader(self._place.path)
            for record in reader.read():
                if isinstance(record, ObservedInputs) and reader.header.get("job") == job:
                    self.observed = record.layers


class JoinedRanks(Reader):
    """Reads a recording with what other processes have of its model.

    A frame is handed out once all have written theirs of its step. Where others write nothing that
    can be seen here, frames are of the first process alone: their layout says so.
    """

    def __init__(self, path: PathLike) -> None:
        super().__init__(path)
        self._job = 0
        self._others: list[_OtherRank] = []
        self._waiting: deque[tuple[int, Frame]] = deque()
        self._wholes: dict[tuple[Layout, ...], Layout | None] = {}
        self._own: dict[str, Observation] = {}
        self._merged: list[int] = []
        self._own_at = float("-inf")

    def read(self) -> Iterator[Record]:
        for other in self._others:
            other.may_look = True
        is_news = bool(self._waiting)
        for record in super().read():
            is_news = True
            if isinstance(record, NewJob):
                self._job = record.number
                known = self._others[: record.world - 1]
                more = range(len(known) + 1, record.world)
                self._others = known + [_OtherRank(self.place, rank) for rank in more]
            elif (
                self._others
                and isinstance(record, Frame)
                and any(layer.split for layer in record.layout.layers)
            ):
                self._waiting.append((self._job, record))
                yield from self._whole_frames()
            elif isinstance(record, ObservedInputs) and self._others:
                self._own, self._own_at = record.layers, time.monotonic()
            else:
                if isinstance(record, Seam):
                    kept = [each for each in self._waiting if each[1].step <= record.step]
                    self._waiting = deque(kept)
                yield record
        yield from self._whole_frames()
        if is_news and self._own:
            yield from self._inputs()

    def _whole_frames(self) -> Iterator[Frame]:
        """Yield whole frames, once all processes have written their parts."""
        while self._waiting:
            job, frame = self._waiting[0]
            frames = [frame]
            is_whole = is_there = True
            for other in self._others:
                try:
                    others_frame = other.at((job, frame.step))
                except (LookupError, FileNotFoundError):
                    if not self._is_missing(other, job):
                        if len(self._waiting) > _MAX_WAITING:
                            del self._waiting[1]
                        return
                    is_there = False
                else:
                    is_whole = is_whole and others_frame is not None
                    frames += [] if others_frame is None else [others_frame]
            for other in self._others:
                other.pass_by((job, frame.step))
            self._waiting.popleft()
            if is_whole:
                layout = self._layout_of(frames) if is_there else None
                yield frame if layout is None else _joined(frames, layout)

    def _is_missing(self, other: _OtherRank, job: int) -> bool:
        """Whether a frame is not to come: it cannot be read here, or its process has died."""
        if other.job < job:
            return time.time() - job / 1000 > _PATIENCE_SECONDS
        ours, theirs = (float(each.header.get("alive", 0.0)) for each in (self, other.reader))
        return ours - theirs > LOST_SECONDS

    def _layout_of(self, frames: Sequence[Frame]) -> Layout | None:
        key = tuple(frame.layout for frame in frames)
        if key not in self._wholes:
            first, *others = key
            layers = []
            for layer in first.layers:
                same = [each.layer(layer.name) for each in others if layer.name in each.names]
                layers.append(_whole_layer([layer, *same]) if layer.split else layer)
            known = [layer for layer in layers if layer is not None]
            is_whole = len(known) == len(layers)
            self._wholes[key] = new_layout(known, first.beside) if is_whole else None
        return self._wholes[key]

    def _inputs(self) -> Iterator[ObservedInputs]:
        """Yield the layers' inputs of all processes together, where some are new."""
        if time.monotonic() < self._own_at + 4 * SIGN_SECONDS:
            for other in self._others:
                if not other.job:
                    other.look_for_inputs(self._job)
        seen = [self._own, *(other.observed for other in self._others)]
        if self._merged != [id(each) for each in seen]:
            self._merged = [id(each) for each in seen]
            names = self._own
            yield ObservedInputs(
                {n: joined([each[n] for each in seen if n in each]) for n in names}
            )


def _place_of(split: Split | None, layer: LayerLayout) -> tuple[slice, slice]:
    out, in_ = (split.out, split.in_) if split else (0, 0)
    return slice(out, out + layer.shape[0]), slice(in_, in_ + layer.shape[1])


def _whole_layer(parts: Sequence[LayerLayout]) -> LayerLayout | None:
    """Return the layer of which these are parts; ``None`` where some of it is missing."""
    first = parts[0]
    assert first.split is not None
    whole = first.split.whole
    table_of, is_here = np.zeros(whole, np.uint32), np.zeros(whole, bool)
    tables: dict[tuple[object, ...], tuple[int, Table]] = {}
    names, input_names = [""] * whole[0], [""] * whole[1]
    for part in parts:
        known = [tables.setdefault(t.key, (len(tables), t))[0] for t in part.tables]
        own = np.zeros(part.count, np.uint32) if part.table_of is None else part.table_of
        rows, columns = _place_of(part.split, part)
        is_here[rows, columns] = True
        table_of[rows, columns] = np.array(known, np.uint32)[own].reshape(part.shape)
        names[rows] = part.names or names[rows]
        input_names[columns] = part.input_names or input_names[columns]
    if not is_here.all() or any(part.nb != first.nb for part in parts):
        return None
    return replace(
        first,
        shape=whole,
        tables=tuple(table for _, table in tables.values()),
        table_of=None if len(tables) == 1 else table_of.reshape(-1),
        note=first.note.removeprefix(first.split.words).strip(),
        names=tuple(names) if any(names) else (),
        input_names=tuple(input_names) if any(input_names) else (),
        split=None,
    )


def _joined(frames: Sequence[Frame], layout: Layout) -> Frame:
    data = np.empty(layout.size, np.float32)
    data[layout.coefficients :] = frames[0].beside
    for layer in layout.layers:
        whole = data[layer.offset : layer.offset + layer.length].reshape(*layer.shape, layer.nb)
        # A layer that all have counts once.
        for frame in reversed(frames):
            if layer.name in frame.layout.names:
                part = frame.layout.layer(layer.name)
                whole[_place_of(part.split, part)] = frame.coefficients(layer.name)
    data.flags.writeable = False
    return Frame(frames[0].step, layout, data)
