"""Where followers leave what they ask of a run: a folder beside its recording, ``run.control``.

The run puts one file into it, named after the ``id`` of the recording: the sign that a follower
leaves that it is there. What it asks for is a file a command, ``00000003-….json``, which is there
as a whole or not at all. On this machine the folder is its owner's alone; one of another user, one
that others may enter, or a link is not gone by, and neither is a file of another user in it. At an
address such as ``s3://bucket/run`` whoever may write beside the recording steers its run.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from kan_widgets.live.recordings.places import PathLike, Place

_COMMAND = re.compile(r"(\d{8})-\w+\.json")
_MOST_BYTES = 100_000


class Mailbox(Place):
    """The folder of a recording. See above for who may use it; all may raise `OSError`."""

    def __init__(self, recording: PathLike) -> None:
        super().__init__(recording)  # a link leads to the same, and is followed no further
        self.path = type(self.path)(f"{self.path}.control")
        self._root += ".control"

    def check(self) -> None:
        """Raise if no run can be steered by it, or it is not this user's alone.

        Raises `RuntimeError` where files have no owners, `PermissionError`.
        """
        if not self.is_local:
            return
        if not hasattr(os, "geteuid"):
            raise RuntimeError(
                "control=True needs files with owners, as Linux and macOS have them: record "
                "without control here, or at an address such as s3://bucket/run"
            )
        with suppress(FileNotFoundError):
            about = os.lstat(self.path)
            if not stat.S_ISDIR(about.st_mode):
                raise PermissionError(f"{self} is a link or a file, and not gone by: remove it")
            self._check_owner(about)
            if about.st_mode & 0o077:
                raise PermissionError(
                    f"{self} may be read or written by others ({stat.filemode(about.st_mode)}): "
                    "expected drwx------"
                )

    def _check_owner(self, about: os.stat_result) -> None:
        if about.st_uid != os.geteuid():
            raise PermissionError(
                f"{self} belongs to user {about.st_uid}, and this process to user "
                f"{os.geteuid()}: a run is steered by its own user alone"
            )

    def make(self, run: str) -> None:
        """Make it for a run, without what an earlier one has left."""
        self.check()
        with suppress(FileNotFoundError):
            self.clear()
        if isinstance(self.path, Path):
            self.path.mkdir(0o700)
        self.write(run, b"")

    def clear(self) -> None:
        """Remove it."""
        with self._asked():
            self.files.rm(self.of(""), recursive=True)

    def read(self, name: str) -> bytes:
        """Return what a file in it holds."""
        with self._asked(), self.files.open(self.of(name), "rb") as file:
            if self.is_local:  # who may write above it might have put another in its place
                self._check_owner(os.fstat(file.fileno()))
            return bytes(file.read(_MOST_BYTES))

    def sign(self, run: str) -> None:
        """Say that a follower of the run is there. Raises `FileNotFoundError` if that is not."""
        if run not in self.names():
            raise FileNotFoundError(run)
        with self._asked():  # not by way of another name, as several may sign at once
            self.files.pipe_file(self.of(run), secrets.token_bytes(8))

    def commands(self) -> dict[str, int]:
        """Return the files of commands and their numbers, in the order in which they are done."""
        found = filter(None, map(_COMMAND.fullmatch, sorted(self.names())))
        return {match[0]: int(match[1]) for match in found}
