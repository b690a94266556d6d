"""The file a run goes into: its name, who may write it, and what is said of the run."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from kan_widgets.live.recordings.archive import Archive
from kan_widgets.live.recordings.recordable import Recordable
from kan_widgets.live.recordings.writer import Writer

PathLike = str | os.PathLike[str]


def status_of(source: Recordable) -> dict[str, Any]:
    """Return how a training goes, as JSON; without what it has printed."""
    training = source.training
    return {
        "state": source.state,
        "message": source.message,
        "progress": asdict(replace(source.progress, output="")),
        "every": source.every,
        "rates": source.learning_rates,
        "notices": source.notices,
        "epochs_done": training.epochs_done,
        "seconds": training.seconds,
        "timed_steps": training.timed_steps,
    }


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
    """Return where a file can be made.

    Raises
    ------
    TypeError
        If ``path`` is not the name of a file.
    OSError
        If it names a folder, or lies in none.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path={path!r:.80}: expected the name of a file")
    place = Path(path).absolute()
    if place.is_dir():
        raise IsADirectoryError(f"{place} is a folder: give the name of a file in it")
    if not place.parent.is_dir():
        raise FileNotFoundError(f"{place.parent} is not a folder: make it first")
    return place


def new_file(path: Path, *, overwrite: bool) -> Archive:
    """Make the file. Raises `OSError` if that cannot be."""
    try:
        return Archive(path, replace=overwrite)
    except FileExistsError:
        raise FileExistsError(
            f"{path} already exists: give another name, or overwrite=True"
        ) from None


def begin(archive: Archive, source: Recordable) -> Writer:
    """Begin a recording of a run."""
    model = source.model
    return Writer(archive, type(model).__name__ if model is not None else "")
