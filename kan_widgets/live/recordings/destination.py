"""The file a run goes into: its name, and who may write it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from kan_widgets.live.frames.feed import Feed
from kan_widgets.live.recordings.archive import Archive, Place, lock, members
from kan_widgets.live.recordings.writer import Writer

PathLike = str | os.PathLike[str]


def is_first_process() -> bool:
    """Whether this process is alone, or the first (rank 0) of a distributed training."""
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return bool(distributed.get_rank() == 0)
    # What torchrun says before the processes have met.
    rank, size = os.environ.get("RANK", ""), os.environ.get("WORLD_SIZE", "")
    if rank.isdecimal() and size.isdecimal():
        return int(size) < 2 or int(rank) == 0
    return True


def checked_place(path: PathLike) -> Path:
    """Return where a file can be made: the same path for all that lead there.

    Raises `TypeError` if ``path`` is not the name of a file, `OSError` if it names something else
    than a file, or lies in no folder.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path={path!r:.80}: expected the name of a file")
    place = Path(path).resolve()
    if place.is_dir():
        raise IsADirectoryError(f"{place} is a folder: give the name of a file in it")
    if not place.parent.is_dir():
        raise FileNotFoundError(f"{place.parent} is not a folder: make it first")
    if place.exists() and not place.is_file():
        raise FileExistsError(f"{place} is a device or a pipe: give the name of a file")
    return place


@contextmanager
def claimed(path: Path, *, overwrite: bool) -> Iterator[FileIO]:
    """Keep all others from writing at a path, until an archive was moved there or the end.

    What is there stays as it is. Where nothing is, an empty file is meanwhile. Yields the file
    there, for `Archive.move`. Raises `FileExistsError` if there is one that may not be replaced (an
    empty one always may), `RuntimeError` if it is being written (the message says by which process,
    where, and since when), `OSError` if it cannot be written.
    """
    with _locked(path) as file:
        if not overwrite and os.fstat(file.fileno()).st_size:
            raise FileExistsError(f"{path} already exists: give another name, or overwrite=True")
        try:
            yield file
        finally:
            if not file.closed and not os.fstat(file.fileno()).st_size:
                with suppress(PermissionError):  # where no open file can be removed
                    path.unlink()


def _locked(path: Path) -> FileIO:
    while True:
        # Made if it is missing.
        file = FileIO(path, "r+", opener=lambda name, how: os.open(name, how | os.O_CREAT, 0o666))
        if not lock(file):
            file.close()
            raise RuntimeError(
                f"{path} is being written by a recorder, {_writer_of(path)}: close() that first, "
                "or give another name. Of several processes that train one model one records"
            )
        with suppress(FileNotFoundError):  # replaced or removed before it was locked
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()


def _writer_of(path: Path) -> str:
    """Say who writes there: what is written beside a file is to take its place."""
    for place in (path.with_name(f"{path.name}.part"), path):
        with suppress(Exception), place.open("rb") as file:
            _, head = next(members(file, Place()), (None, b""))
            said = json.loads(head)
            return f"process {said['process']} on {said['host']}, since {said['started']}"
    return "in another process"


def begin(archive: Archive, feed: Feed) -> Writer:
    """Begin a recording of a run."""
    model = feed.module
    return Writer(archive, type(model).__name__ if model is not None else "")
