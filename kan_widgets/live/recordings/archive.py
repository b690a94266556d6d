"""A zip file that grows: members are stored one after the other, and readable as they come.

Each member has its length and checksum before its bytes (APPNOTE.TXT 6.3.10, sec. 4.3.7), so what
is whole can be told from what is not, without the directory at the end of the file. That is
written when the archive is closed: then it is an ordinary zip, and of ``.npy`` members an ``.npz``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from kan_widgets.live.reports import report

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64 = struct.Struct("<4sIQI")
_IS_LOCAL, _IS_CENTRAL, _IS_END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_UTF8 = 0x0800
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF
# Windows moves no file that is open.
_MOVES_OPEN = os.name != "nt"


@dataclass(frozen=True)
class Member:
    """Where a member lies in the file."""

    name: str
    offset: int
    """Of its header."""
    start: int
    """Of its bytes."""
    size: int
    crc: int
    stamp: tuple[int, int]
    """Time and date as MS-DOS writes them."""

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.start + self.size


class Archive:
    """A new archive that is written member by member.

    A member is in the file as a whole or not at all: after an error of the disk, what was written
    of it is cut off again, and it can be appended once more. Raises `FileExistsError` if there is a
    file, `OSError` if it cannot be written there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = FileIO(path, "x")
        self.members: list[Member] = []
        self._end = 0
        self._is_torn = False

    @property
    def nbytes(self) -> int:
        """Bytes of all members, headers included."""
        return self._end

    def append(self, name: str, data: bytes) -> Member:
        """Add a member of less than 4 GiB. After an `OSError` the archive is as before."""
        if len(data) >= _MAX32:
            raise ValueError(f"{name}: expected less than 4 GiB, got {len(data):,} bytes")
        now = time.localtime()
        year = min(max(now.tm_year - 1980, 0), 127)  # a clock may say what a zip cannot
        stamp = (
            now.tm_hour << 11 | now.tm_min << 5 | now.tm_sec // 2,
            year << 9 | now.tm_mon << 5 | now.tm_mday,
        )
        start = self._end + _LOCAL.size + len(name.encode())
        member = Member(name, self._end, start, len(data), zlib.crc32(data), stamp)
        self._put(_local(member) + data)
        self.members.append(member)
        self._end = member.end
        return member

    def _put(self, data: bytes) -> None:
        """Write at the end, or leave nothing there."""
        if self._is_torn:
            self._cut()
        self._is_torn = True
        try:
            left = memoryview(data)
            while left:
                left = left[self._file.write(left) or 0 :]
        except BaseException:
            with contextlib.suppress(OSError):
                self._cut()
            raise
        self._is_torn = False

    def _cut(self) -> None:
        self._file.seek(self._end)
        self._file.truncate()
        self._is_torn = False

    def sync(self) -> None:
        """Have the system hand over what was written, so that other machines see it."""
        # Not every storage can; it will do so in its own time.
        with contextlib.suppress(OSError):
            os.fsync(self._file.fileno())

    def keep(self, wanted: Callable[[Member], bool], replaced: dict[str, bytes]) -> None:
        """Leave out members that are not ``wanted``, by a copy that takes the file's place.

        Members named in ``replaced`` hold that from now on. After an `OSError` the archive is as
        before.
        """
        copy = beside(self.path)
        try:
            with self.path.open("rb") as old:
                for member in filter(wanted, self.members):
                    data = replaced.get(member.name)
                    if data is None:
                        old.seek(member.start)
                        data = old.read(member.size)
                    copy.append(member.name, data)
            copy.sync()
            copy.move(self.path, self._file)
        except BaseException:
            copy.discard()
            if self._file.closed:
                self._reopen()
            raise
        self._file, self.members, self._end = copy._file, copy.members, copy._end

    def move(self, path: Path, held: FileIO) -> None:
        """Put the archive into the place of a file that is locked.

        That one is closed, and this one locked while it is open. After an `OSError` what was there
        is there.
        """
        is_open = not self._file.closed
        if is_open and _MOVES_OPEN:
            lock(self._file)
        if not _MOVES_OPEN:
            self._file.close()
            held.close()
        os.replace(self.path, path)
        held.close()
        self.path = path
        if is_open and self._file.closed:
            self._reopen()

    def _reopen(self) -> None:
        self._file = FileIO(self.path, "r+")
        self._file.seek(self._end)
        lock(self._file)

    def close(self) -> None:
        """Write the directory; the file is an ordinary zip then. Closing again does nothing.

        After an `OSError` all members can be read in spite of that.
        """
        if self._file.closed:
            return
        try:
            self._put(_directory(self.members, self._end))
            self.sync()
        finally:
            self._file.close()

    def discard(self) -> None:
        """Remove the file."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def leave(self) -> None:
        """Close the file as it is."""
        self._file.close()


def beside(path: Path) -> Archive:
    """Begin an archive that is to take the place of a file that is locked."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)  # what a process has left that was killed
    return Archive(part)


@dataclass
class Place:
    """How far a growing archive was read."""

    offset: int = 0
    ended: bool = False
    """Whether the directory was reached: nothing more will come."""
    damage: str = ""
    """What is wrong with the bytes that come next, if they are no member that is still written."""


def members(file: BinaryIO, place: Place) -> Iterator[tuple[Member, bytes]]:
    """Read the whole members from a place on, and move it on.

    It ends at the directory, at a member that is not whole yet, and at bytes that are no member.
    """
    size = file.seek(0, os.SEEK_END)
    place.damage = ""
    while True:
        file.seek(place.offset)
        head = file.read(_LOCAL.size)
        if head[:4] in (_IS_CENTRAL, _IS_END):
            place.ended = True
            return
        if len(head) < _LOCAL.size or not any(head):
            return
        mark, _, flags, method, clock, date, crc, packed, length, names, extra = _LOCAL.unpack(head)
        if mark != _IS_LOCAL:
            place.damage = "no record begins there"
            return
        if method or flags & ~_UTF8 or packed != length:
            place.damage = "it is packed in a way that recordings are not"
            return
        start = place.offset + _LOCAL.size + names + extra
        if start + length > size:
            return
        name = file.read(names)
        file.seek(start)
        data = file.read(length)
        if zlib.crc32(data) != crc:
            # The end of a file may be there before its bytes are.
            if start + length < size:
                place.damage = "its checksum is wrong"
            return
        member = Member(
            name.decode(errors="replace"), place.offset, start, length, crc, (clock, date)
        )
        place.offset = member.end
        yield member, data


def first_name(file: BinaryIO) -> str | None:
    """Return what the first member is called, if as much of a zip is there."""
    file.seek(0)
    head = file.read(_LOCAL.size)
    if len(head) < _LOCAL.size or head[:4] != _IS_LOCAL:
        return None
    length = _LOCAL.unpack(head)[9]
    name = file.read(length)
    return name.decode(errors="replace") if len(name) == length else None


def _local(member: Member) -> bytes:
    name = member.name.encode()
    sizes = member.crc, member.size, member.size, len(name), 0
    return _LOCAL.pack(_IS_LOCAL, 20, _UTF8, 0, *member.stamp, *sizes) + name


def _directory(members: list[Member], at: int) -> bytes:
    """Return the directory of an archive whose members end at ``at`` (sec. 4.3.12 to 4.3.16)."""
    parts = []
    for member in members:
        name, far = member.name.encode(), member.offset >= _MAX32
        extra = struct.pack("<2HQ", 1, 8, member.offset) if far else b""
        parts.append(
            _CENTRAL.pack(
                _IS_CENTRAL,
                45 if far else 20,
                45 if far else 20,
                _UTF8,
                0,
                *member.stamp,
                member.crc,
                member.size,
                member.size,
                len(name),
                len(extra),
                0,
                0,
                0,
                0,
                _MAX32 if far else member.offset,
            )
        )
        parts += [name, extra]
    directory = b"".join(parts)
    count, size = len(members), len(directory)
    if count >= _MAX16 or size >= _MAX32 or at >= _MAX32:
        directory += _END64.pack(b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, at)
        directory += _LOCATOR64.pack(b"PK\x06\x07", 0, at + size, 1)
        count, size, at = min(count, _MAX16), min(size, _MAX32), min(at, _MAX32)
    return directory + _END.pack(_IS_END, 0, 0, count, count, size, at, 0)


_HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)

if sys.platform == "win32":
    import msvcrt

    # Nobody else can read what is locked: one byte, as far away as can be said.
    _FAR = 2**31 - 2

    def _lock(file: FileIO) -> None:
        at = file.tell()
        file.seek(_FAR)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        finally:
            file.seek(at)

else:
    import fcntl

    def _lock(file: FileIO) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def lock(file: FileIO) -> bool:
    """Lock a file, open for writing, until it is closed; return whether nobody else has it.

    Storage without locks is reported, and nobody has it then.
    """
    try:
        _lock(file)
    except OSError as error:
        if error.errno in _HELD:
            return False
        report(f"{file.name}: {error}. Nothing keeps another process from writing there too")
    return True
