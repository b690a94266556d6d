"""Where a run is kept: any place that fsspec knows, and who may write there."""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Any

import fsspec

from kan_widgets.live.reports import report

PathLike = str | os.PathLike[str]
_WAITED_SHARE = 0.05
_RANKS = (
    ("RANK", "WORLD_SIZE"),
    ("SLURM_PROCID", "SLURM_NTASKS"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
)


def _rank_and_world() -> tuple[int, int]:
    """Return the number of this process in a distributed training, and how many there are."""
    if (distributed := _distributed()) is not None:
        return int(distributed.get_rank()), int(distributed.get_world_size())
    # What torchrun, srun and mpirun say before the processes have met.
    for names in _RANKS:
        rank, size = (os.environ.get(name, "") for name in names)
        if rank.isdecimal() and size.isdecimal():
            return (int(rank), int(size)) if int(size) > 1 else (0, 1)
    return 0, 1


def is_first_process() -> bool:
    """Whether this process is alone, or the first (rank 0) of a distributed training."""
    return _rank_and_world()[0] == 0


def ranks_of_job() -> dict[str, int]:
    """Return rank, world size and job of processes that train together, for a recording; else {}.

    ``job`` is the same in all that have met: when the first of them asked. None waits for another.
    """
    rank, world = _rank_and_world()
    if world < 2:
        return {}
    job = str(time.time_ns() // 1_000_000)
    try:
        if (store := store_of_ranks()) is not None:
            job = store.compare_set("kan_widgets/job", "", job).decode()
    except Exception as error:
        report(f"what the other processes record cannot be joined: {error!r}")
    return {"rank": rank, "world": world, "job": int(job)}


def store_of_ranks() -> Any:
    """Return the store by which the processes have met; ``None`` before that."""
    distributed = _distributed()
    return distributed and distributed.distributed_c10d._get_default_store()


def _distributed() -> Any:
    known = sys.modules.get("torch.distributed")
    return known if known is not None and known.is_available() and known.is_initialized() else None


def is_restarted() -> bool:
    """Whether torchrun or Slurm has begun this job again."""
    counts = ("TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT")
    return any(os.environ.get(name, "0") != "0" for name in counts)


class Place:
    """A folder or a file on this machine, or at an address such as ``s3://bucket/run``.

    Whatever goes wrong there is an `OSError`.
    """

    def __init__(self, path: PathLike) -> None:
        if not isinstance(path, str | os.PathLike):
            raise TypeError(f"path={path!r:.80}: expected the name of a recording")
        text = os.fspath(path).removeprefix("file://")
        self.is_local = "://" not in text
        self.path: Path | str = Path(text).resolve() if self.is_local else text.rstrip("/")
        self.files, self._root = fsspec.core.url_to_fs(str(self.path), use_listings_cache=False)

    def __str__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return Path(str(self.path)).name

    def of(self, name: str) -> str:
        """Return the name, for `files`, of what lies in the folder; of the place itself for ""."""
        return f"{self._root}/{name}" if name else self._root

    @contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            raise
        except Exception as error:  # each storage has errors of its own
            raise OSError(f"{self}: {type(error).__name__}: {error}") from error

    def pause(self, near: float, far: float, took: float) -> float:
        """Return the seconds until it may be asked again: ``near`` on this machine, else ``far``.

        ``far`` grows with the time of the last answer: waiting takes at most a twentieth.
        """
        return near if self.is_local else max(far, took / _WAITED_SHARE)

    def read(self, name: str) -> bytes:
        """Return the bytes of a file in the folder."""
        with self._asked():
            return bytes(self.files.cat_file(self.of(name)))

    def write(self, name: str, data: bytes) -> None:
        """Put an object into the folder, or replace it, as a whole."""
        with self._asked():
            if not self.is_local:
                self.files.pipe_file(self.of(name), data)
                return
            self.files.pipe_file(self.of(f"{name}.part"), data)
            os.replace(self.of(f"{name}.part"), self.of(name))

    def remove(self, name: str) -> None:
        """Remove an object from the folder, if it is there."""
        with self._asked():
            with suppress(FileNotFoundError):
                self.files.rm_file(self.of(name))

    def names(self) -> list[str]:
        """Return the names of the files in the folder; none if there is no folder."""
        with self._asked():
            try:
                found = self.files.ls(self.of(""), detail=False)
            except (FileNotFoundError, NotADirectoryError):
                return []
            return [Path(each).name for each in found]

    def recordings(self) -> list[str]:
        """Return the paths of all recordings in the folder, and in those below it.

        On this machine folders are passed over whose names begin with a dot.
        """
        root = self.of("").rstrip("/") + "/"
        with self._asked():
            if self.is_local:
                found = [each.removeprefix(root) for each in _files(root)]
            else:
                found = [each.removeprefix(root) for each in self.files.find(self.of(""))]
        folders = {name.rpartition("/")[0] for name in found if name.endswith("/index.jsonl")}
        files = {name for name in found if name.endswith(".npz")}
        # In the folder of one are its segments, and what other processes have of its model.
        return sorted(n for n in folders | files if n.rpartition("/")[0] not in folders)

    def is_folder(self) -> bool:
        """Whether a folder is there."""
        with self._asked():
            return bool(self.files.isdir(self.of("")))

    def is_file(self) -> bool:
        """Whether a file is there."""
        with self._asked():
            return bool(self.files.isfile(self.of("")))

    def is_device(self) -> bool:
        """Whether something else is there on this machine, such as a pipe."""
        path = Path(self.path)
        return self.is_local and path.exists() and not path.is_file() and not path.is_dir()

    def check_parent(self) -> None:
        """Raise `FileNotFoundError` if the place lies in no folder of this machine."""
        if isinstance(self.path, Path) and not self.path.parent.is_dir():
            raise FileNotFoundError(f"{self.path.parent} is not a folder: make it first")


def _files(root: str) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name[0] != "."]
        yield from (Path(folder, name).as_posix() for name in names)


_HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)

if sys.platform == "win32":
    import msvcrt

    def _lock(file: FileIO) -> None:
        # A locked byte cannot be read by others: one is locked, at the largest offset there is.
        file.seek(2**31 - 2)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: FileIO) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def lock(path: str) -> FileIO | None:
    """Lock a file, made if missing, until it is closed; return ``None`` if somebody else has it.

    Storage without locks is reported, and nobody has it then.
    """
    file = FileIO(path, "r+", opener=lambda name, how: os.open(name, how | os.O_CREAT, 0o666))
    try:
        _lock(file)
    except OSError as error:
        if error.errno in _HELD:
            file.close()
            return None
        report(f"{path}: {error}. Nothing keeps another process from writing there too")
    return file
