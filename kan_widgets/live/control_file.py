"""The small file beside a recording by which its run is steered from another process.

``run.npz.control`` is UTF-8 JSON::

    {"format": "kan_widgets control", "version": 1, "run": "…", "writer": "…", "beat": 7,
     "commands": [{"number": 3, "kind": "pause"}]}

``run`` is the ``id`` of the recording. The run makes the file and reads it. The follower that holds
``run.npz.control.lock`` writes it, always as a whole: a new file takes the place of the old one, so
that nobody reads a half. ``beat`` grows while that follower is there. Commands are numbered,
rising; they stay until the recording says that they were heard. A number that is far beyond the
last one heard is passed over: what is numbered on from there would never be heard. Both files are
for their owner alone, and whoever finds one of another owner, or one that others may write, does
not go by it.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = "kan_widgets control"
VERSION = 1
_MOST_BYTES = 100_000
_MOST_AHEAD = 1000  # commands that were not heard


@dataclass(frozen=True)
class Wishes:
    """What a follower wants of a run."""

    run: str
    writer: str = ""
    beat: int = 0
    commands: tuple[dict[str, Any], ...] = ()


def place_of(recording: Path) -> Path:
    """Return the file by which the run of a recording is steered."""
    place = recording.resolve()  # a link leads to the same
    return place.with_name(f"{place.name}.control")


def lock_of(place: Path) -> Path:
    """Return the file that the one who writes holds."""
    return place.with_name(f"{place.name}.lock")


def check_possible() -> None:
    """Raise `RuntimeError` where files have no owners that can be compared."""
    if not hasattr(os, "geteuid"):
        raise RuntimeError(
            "control=True needs files with owners, as Linux and macOS have them: record without "
            "control here"
        )


def clear(place: Path, *, remove: bool = True) -> None:
    """Remove what an earlier run has left.

    Raises as `read_own`: what another owns is not touched.
    """
    for left in (place, lock_of(place)):
        if left.exists() or left.is_symlink():
            read_own(left)
            if remove:
                left.unlink()


def make_own(place: Path, text: str) -> None:
    """Make a file that its owner alone can read and write. Raises if there is one."""
    how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    with open(os.open(place, how, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_own(place: Path) -> str:
    """Read a file that is its reader's own, and nobody else's.

    Raises `PermissionError` if it belongs to another, is no plain file, or others may read or write
    it; `OSError` if it cannot be read.
    """
    try:
        handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if place.is_symlink():
            raise PermissionError(f"{place} is a link: it is not gone by") from error
        raise
    with open(handle, encoding="utf-8") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_size > _MOST_BYTES:
            raise PermissionError(f"{place} is no file of a follower: it is not gone by")
        if about.st_uid != os.geteuid():
            raise PermissionError(
                f"{place} belongs to user {about.st_uid}, and this process to user "
                f"{os.geteuid()}: a run is steered by its own user alone"
            )
        if about.st_mode & 0o077:
            raise PermissionError(
                f"{place} may be read or written by others ({stat.filemode(about.st_mode)}): "
                "expected -rw-------"
            )
        return file.read()


def write(place: Path, wishes: Wishes) -> None:
    """Write what is wanted, as a whole. Raises `OSError` if that cannot be."""
    part = place.with_name(f"{place.name}.{secrets.token_hex(4)}.part")
    content = {
        "format": FORMAT,
        "version": VERSION,
        "run": wishes.run,
        "writer": wishes.writer,
        "beat": wishes.beat,
        "commands": list(wishes.commands),
    }
    try:
        make_own(part, json.dumps(content))
        os.replace(part, place)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def read(place: Path, heard: int) -> Wishes:
    """Read what is wanted, without the commands up to number ``heard`` and those far beyond it.

    Raises `OSError` if it cannot be read at the moment (`PermissionError` as `read_own`),
    `NotImplementedError` if it is of a later version, `ValueError` if it is no such file.
    """
    try:
        text = read_own(place)
        content = json.loads(text)
        version = int(content["version"])
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']!r:.40}")
        if version > VERSION:
            raise NotImplementedError(f"its version is {version}, expected up to {VERSION}")
        commands = tuple(map(dict, content["commands"]))
        if any(type(command["number"]) is not int for command in commands):
            raise ValueError("a command has no number")
        fresh = tuple(each for each in commands if 0 < each["number"] - heard <= _MOST_AHEAD)
        return Wishes(str(content["run"]), str(content["writer"]), int(content["beat"]), fresh)
    except (OSError, NotImplementedError):
        raise
    except Exception as error:
        raise ValueError(f"{place} is not gone by: {error}") from error
