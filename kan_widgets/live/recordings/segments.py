"""What a recording is stored in: a folder of segments that grows, or one file to send on.

``docs/recordings.md`` says what both look like.
"""

import json
import os
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

from kan_widgets.live.recordings.places import Place, lock

HEADER = "kan_widgets.json"
INDEX = "index.jsonl"
_LOCK = "writer.lock"
_RECORD = re.compile(r"(\d{8,})/(\w+\.(?:npy|json))")
_OF_FRAMES = ("frame.npy", "layout.json", "table.npy", "index.npy")
_OURS = re.compile(
    r"rank-\d+(\.part)?|writer\.lock|index\.jsonl(\.part)?|\d{8,}-\d-\w+\.npz(\.part)?"
)
# Segments of one level that are joined into one of the next; the size above which none are.
_JOINED = 16
_SEGMENT_BYTES = 8_000_000
# What waits for a place that does not answer.
_MAX_WAITING = 64_000_000
SIGN_SECONDS = 15.0  # between two signs of a writer that has nothing to write
# Seconds without a sign after which a writer is taken for dead.
LOST_SECONDS = 50.0


class OneFile(ZipFile):
    """A recording that is written at once, as an ordinary zip: ``numpy.load`` opens it."""

    def begin(self, header: dict[str, Any], latest: dict[str, Any]) -> None:
        """Write what comes first."""
        self.append(HEADER, json_bytes(header))

    def append(self, name: str, data: bytes, step: int | None = None) -> None:
        """Add a record."""
        self.writestr(ZipInfo(name), data)


@dataclass(frozen=True)
class _Segment:
    """An object with some of the records: a line of the index."""

    name: str
    first: int
    """The number of its first record."""
    last: int
    steps: tuple[int, int] | None
    """The least and the greatest step of its frames."""
    nbytes: int
    level: int = 0


@dataclass(frozen=True)
class Index:
    """The content of an index file."""

    header: dict[str, Any]
    segments: list[_Segment]
    ended: bool

    @property
    def nbytes(self) -> int:
        """Bytes of all records."""
        return sum(segment.nbytes for segment in self.segments)


def read_index(place: Place) -> Index | None:
    """Read the index of a folder, as far as it is whole; ``None`` where not even its header is.

    Raises `OSError` if it cannot be read at the moment, `ValueError` if it is no index.
    """
    try:
        data = place.read(INDEX)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        lines = [json.loads(line) for line in data.split(b"\n")[:-1]]
        if not lines:
            return None
        ended = len(lines) > 1 and lines[-1] == {"ended": True}
        segments = [_Segment(**line) for line in lines[1 : len(lines) - ended]]
        return Index(dict(lines[0]), segments, ended)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{place} is not a recording: its {INDEX}: {error}") from error


@contextmanager
def written_file(place: Place) -> Iterator[OneFile]:
    """Write a file that takes the place of the one there once it is complete."""
    with tempfile.TemporaryDirectory() as folder:
        target = place.path if isinstance(place.path, Path) else None
        part = target.with_name(f"{target.name}.part") if target else Path(folder, "part")
        try:
            with OneFile(part, "w") as file:
                yield file
            if target:
                os.replace(part, target)
            else:
                place.files.put_file(str(part), place.of(""))
        finally:
            part.unlink(missing_ok=True)


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """Return JSON as it is in recordings."""
    return json.dumps(content, ensure_ascii=False).encode(errors="surrogatepass")


def record_of(name: str) -> tuple[int, str]:
    """Return the number and the kind of a record; ``(0, name)`` of what is no record."""
    found = _RECORD.fullmatch(name)
    return (int(found[1]), found[2]) if found else (0, name)


class Segments:
    """A recording that grows, as a folder of segments. Only one process has it at a time.

    What is appended waits until it is committed. After an `OSError` it still waits.

    Raises
    ------
    RuntimeError
        If another process writes there; the message says which, where, and since when.
    OSError
        If nothing can be written there.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.header: dict[str, Any] = {}
        self.latest: dict[str, Any] = {}
        self.found: Index | None = None
        """Index of the recording that was there before."""
        self.nbytes = 0
        """Bytes of all records."""
        self._token = secrets.token_hex(4)
        self._segments: list[_Segment] = []
        self._waiting: dict[str, tuple[bytes, int | None]] = {}
        self._waits = 0
        self._written_at = float("-inf")
        self._made_folder = place.is_local and not place.is_folder()
        self._lock = None
        self._look()
        if place.is_local:
            os.makedirs(place.of(""), exist_ok=True)
            self._lock = lock(place.of(_LOCK))
        self.found = self._look()
        if place.is_local and self._lock is None:
            raise _written(place, self.found)
        if self.found is not None and not place.is_local:
            self._await_writer(self.found)

    def _look(self) -> Index | None:
        if (index := read_index(self.place)) is None:
            others = [name for name in self.place.names() if not _OURS.fullmatch(name)]
            if self.place.is_folder() and others:
                raise FileExistsError(
                    f"{self.place} holds {min(others)!r}, and no recording: give another name"
                )
        return index

    def _await_writer(self, found: Index) -> None:
        """Wait until it is known whether another writer is alive, where files cannot be locked."""
        silent = time.time() - float(found.header.get("alive", 0.0))
        before, end = found, time.monotonic() + max(0.0, LOST_SECONDS - max(silent, 0.0))
        while not before.ended and time.monotonic() < end:
            time.sleep(0.5)
            now = self._look()
            if now is not None and now.header != before.header:
                raise _written(self.place, now)

    def go_on(self) -> None:
        """Keep what was there before."""
        assert self.found is not None
        self._segments = list(self.found.segments)
        self.nbytes = self.found.nbytes

    def begin(self, header: dict[str, Any], latest: dict[str, Any]) -> None:
        """Set the header and the latest frame for the index, from the next commit on."""
        self.header, self.latest = header, latest

    def append(self, name: str, data: bytes, step: int | None = None) -> None:
        """Add a record; of a frame with its step."""
        if self._waits > _MAX_WAITING:
            self.commit()
        self._waiting[name] = data, step
        self._waits += len(data)
        self.nbytes += len(data)

    def commit(self, *, ended: bool = False) -> None:
        """Have others see what was appended, or that the writer is still there."""
        now = time.monotonic()
        if not self._waiting and not ended and now - self._written_at < SIGN_SECONDS:
            return
        if now - self._written_at > LOST_SECONDS and self._written_at > 0:
            there = self._look()  # asleep for so long, it was taken for dead
            if there is not None and there.header.get("writer") != self._token:
                raise RuntimeError(f"{self.place} is another process's now: {_who(there)}")
        segments = list(self._segments)
        if self._waiting:
            waiting = [(name, data) for name, (data, _) in self._waiting.items()]
            steps = [step for _, step in self._waiting.values() if step is not None]
            segments.append(self._put(waiting, 0, steps))
        self._write_index(segments, ended)
        self._waiting, self._waits = {}, 0
        tail = segments[-_JOINED:]
        if len(tail) == _JOINED and len({segment.level for segment in tail}) == 1:
            if sum(segment.nbytes for segment in tail) <= _SEGMENT_BYTES:
                self._join(tail, ended)

    def _join(self, tail: list[_Segment], ended: bool) -> None:
        """Join the last segments into one."""
        records = [record for segment in tail for record in _records_of(self.place, segment)]
        steps = [step for segment in tail for step in segment.steps or ()]
        joined = self._put(records, tail[0].level + 1, steps)
        self._write_index([*self._segments[: -len(tail)], joined], ended)

    def _put(self, records: list[tuple[str, bytes]], level: int, steps: list[int]) -> _Segment:
        first, last = (record_of(records[place][0])[0] for place in (0, -1))
        file = BytesIO()
        with OneFile(file, "w") as archive:
            for name, data in records:
                archive.append(name, data)
        segment = _Segment(
            f"{first:08}-{level}-{self._token}{self.header['copy']}.npz",
            first,
            last,
            (min(steps), max(steps)) if steps else None,
            sum(len(data) for _, data in records),
            level,
        )
        self.place.write(segment.name, file.getvalue())
        return segment

    def _write_index(self, segments: list[_Segment], ended: bool) -> None:
        """Write the index, and remove segments that it names no more."""
        head = {**self.header, "writer": self._token, "alive": round(time.time(), 3)}
        head["latest"] = self.latest
        lines = [head, *map(asdict, segments), *([{"ended": True}] if ended else [])]
        self.place.write(INDEX, b"".join(json_bytes(line) + b"\n" for line in lines))
        before = self._segments if self._written_at > 0 or not self.found else self.found.segments
        gone = {each.name for each in before} - {each.name for each in segments}
        self._segments, self._written_at = segments, time.monotonic()
        for name in gone:
            self.place.remove(name)

    def drop_unwanted(self, wanted: Callable[[int], bool], header: dict[str, Any]) -> None:
        """Leave out records that are not ``wanted``, with another header from now on."""
        self.commit()
        before, self.header = self.header, header
        segments = []
        try:
            for segment in self._segments:
                records = _records_of(self.place, segment)
                kept = [each for each in records if wanted(record_of(each[0])[0])]
                if kept:
                    segments.append(self._put(kept, segment.level, list(segment.steps or ())))
            self._write_index(segments, ended=False)
        except BaseException:
            self.header = before
            raise
        self.nbytes = sum(segment.nbytes for segment in self._segments)

    def unlock(self) -> None:
        """Let others write there."""
        if self._lock is not None:
            self._lock.close()

    def discard(self) -> None:
        """Let others write there, with what was there before."""
        self.unlock()
        if self.found is None and self.place.is_local:
            for name in self.place.names():
                if not name.startswith("rank-"):  # which other processes write
                    self.place.remove(name)
            if self._made_folder and not self.place.names():
                os.rmdir(self.place.of(""))


def _who(index: Index) -> str:
    head = index.header
    return f"process {head['process']} on {head['host']}, since {head['since']}"


def _written(place: Place, index: Index | None) -> RuntimeError:
    who = "in another process" if index is None else _who(index)
    return RuntimeError(
        f"{place} is being written by a recorder, {who}: close() that first, "
        "or give another name. Of several processes that train one model one records"
    )


def _records_of(place: Place, segment: _Segment) -> list[tuple[str, bytes]]:
    """Return the records in a segment. Raises `BadZipFile` if it is damaged."""
    with ZipFile(BytesIO(place.read(segment.name))) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


class Stored:
    """The records that can be read by now, in a folder or in one file.

    With ``ends`` only frames are read: those of all segments up to the first that has frames, and
    those of the last that has some.
    """

    def __init__(self, place: Place, *, ends: bool = False) -> None:
        self.place, self._ends = place, ends
        self.ended = False
        """Whether nothing more will come."""
        self.damage = ""
        """Damage of the records that come next, unless they are only still being written."""
        self.offset = 0
        """Bytes read."""
        self._last = 0

    def nbytes(self) -> int:
        """Return how large it is by now."""
        if not self.place.is_folder():
            return int(self.place.files.size(self.place.of("")))
        index = read_index(self.place)
        return 0 if index is None else index.nbytes

    def read(self) -> Iterator[tuple[str, bytes]]:
        """Read the header, and the records that have come since the last call.

        Nothing where it has not begun yet. Raises `OSError` if it cannot be read at the moment,
        `ValueError` if it is no recording.
        """
        self.damage = ""
        if (index := read_index(self.place)) is None:
            yield from self._in_file()
            return
        yield HEADER, json_bytes(index.header)
        segments = index.segments
        framed = [place for place, segment in enumerate(segments) if segment.steps]
        if self._ends and framed:
            segments = [*segments[: framed[0] + 1], *segments[max(framed[-1], framed[0] + 1) :]]
        for segment in segments:
            if segment.last <= self._last:
                continue
            try:
                records = _records_of(self.place, segment)
            except FileNotFoundError:  # it has become part of a larger one
                return
            except BadZipFile as error:
                self.damage = f"segment {segment.name}: {error}"
                return
            for name, content in records:
                number, kind = record_of(name)
                if number > self._last and (kind in _OF_FRAMES or not self._ends):
                    self._last = number
                    self.offset += len(content)
                    yield name, content
        self.ended = index.ended

    def _in_file(self) -> Iterator[tuple[str, bytes]]:
        """Read the records of one file; none while the file is not whole."""
        if self.place.is_device():
            self.damage = "it is a device or a pipe"
        if self.damage or self.place.is_folder():
            return
        with self.place.files.open(self.place.of(""), "rb") as file:
            begins = file.read(4)
            try:
                with ZipFile(file) as archive:
                    for name in archive.namelist():
                        self.offset = archive.getinfo(name).header_offset
                        if not (number := record_of(name)[0]) or number > self._last:
                            self._last = max(number, self._last)
                            yield name, archive.read(name)
                    self.offset = archive.start_dir
            except BadZipFile as error:
                if self.offset or not b"PK\3\4".startswith(begins):
                    self.damage = str(error) if self.offset else f"it begins with {begins!r}"
            else:
                self.ended = True
