"""Records read from where they are stored: a folder of segments, or one file.

`kan_widgets.live.recordings.format` says what both look like.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from zipfile import BadZipFile, ZipFile

from kan_widgets.live.recordings.places import Place
from kan_widgets.live.recordings.segments import (
    HEADER,
    INDEX,
    Index,
    Segment,
    json_bytes,
    number_of,
    read_index,
    records_of,
)


class Stored:
    """What of a recording can be read by now, in a folder or in one file."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.ended = False
        """Whether nothing more will come."""
        self.damage = ""
        """What is wrong with what comes next, if it is not only still written."""
        self.offset = 0
        """Bytes read."""
        self._last = 0

    def nbytes(self) -> int:
        """Return how large it is by now."""
        if not self.place.is_folder():
            return int(self.place.files.size(self.place.of("")))
        index = read_index(self.place.read(INDEX))
        return 0 if index is None else sum(segment.nbytes for segment in index.segments)

    def chosen(self, index: Index) -> Iterable[Segment]:
        """Return the segments that are read: all."""
        return index.segments

    def read(self) -> Iterator[tuple[str, bytes]]:
        """Read the header, and the records that have come since the last call.

        Nothing where it has not begun yet. Raises `OSError` if it cannot be read at the moment,
        `ValueError` if it is no recording.
        """
        self.damage = ""
        try:
            data = self.place.read(INDEX)
        except (FileNotFoundError, NotADirectoryError):
            yield from self._in_file()
            return
        index = read_index(data)
        if index is None:
            return
        yield HEADER, json_bytes(index.header)
        for segment in self.chosen(index):
            if segment.last <= self._last:
                continue
            try:
                records = records_of(self.place, segment)
            except FileNotFoundError:  # it has become part of a larger one
                return
            except BadZipFile as error:
                self.damage = f"segment {segment.name}: {error}"
                return
            for name, content in records:
                if number_of(name) > self._last:
                    self._last = number_of(name)
                    self.offset += len(content)
                    yield name, content
        self.ended = index.ended

    def _in_file(self) -> Iterator[tuple[str, bytes]]:
        """Read what is one file; nothing while it is not whole."""
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
                        if not (number := number_of(name)) or number > self._last:
                            self._last = max(number, self._last)
                            yield name, archive.read(name)
                    self.offset = archive.start_dir
            except BadZipFile as error:
                if self.offset or not b"PK\3\4".startswith(begins):
                    self.damage = str(error) if self.offset else f"it begins with {begins!r}"
            else:
                self.ended = True
