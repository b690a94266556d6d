"""Locks on files: one process has one, and the system takes it back however that process ends."""

from __future__ import annotations

import errno
import sys
from io import FileIO

from kan_widgets.live.reports import report

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
