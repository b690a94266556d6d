"""Compiled libraries in ``$XDG_CACHE_HOME/kan_widgets`` (``~/.cache/kan_widgets``).

What lies there is loaded and run, and a library that is cut short ends the process that loads it.
So a file is taken only if it is this user's, nobody else can write it, and its content has the
checksum that its name ends in: ``<what it was made of>-<checksum>.so``. What was checked is loaded
from a copy, whatever becomes of the file. A file that fails is removed, and made again.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import errno
import functools
import hashlib
import os
import shutil
import stat
import struct
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from kan_widgets.nn.kernels.bundled import Kernels, kernels_of
from kan_widgets.nn.kernels.recipe import NATIVE

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def usable() -> bool:
    """Whether processes can share libraries here."""
    return fcntl is not None


@functools.cache
def folder() -> Path:
    """Return this user's folder for the libraries, or else a temporary one for this process."""
    try:
        wanted = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "kan_widgets")
        for place in (*reversed(wanted.absolute().parents), wanted.absolute()):
            place.mkdir(mode=0o700, exist_ok=True)
        status = wanted.stat()
        if _is_ours_alone(status):
            with tempfile.TemporaryFile(dir=wanted):
                return wanted.absolute()
    except (OSError, RuntimeError):
        pass
    own = tempfile.mkdtemp(prefix="kan_widgets-")
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return Path(own)


def find(name: str, order: int) -> Kernels | None:
    """Return the kernels cached under a name, or None; remove damaged files."""
    for path in sorted(folder().glob(f"{name}-*.so")):
        try:
            return load(_checked(path), order)
        except OSError as error:
            # What the system refuses, for want of space or files, may be sound.
            if error.errno in (None, errno.ELOOP):
                with contextlib.suppress(OSError):
                    path.unlink()
    return None


def keep(name: str, code: bytes) -> None:
    """Cache a library's file for :func:`find`, if the disk allows."""
    with contextlib.suppress(OSError):
        descriptor, made = tempfile.mkstemp(dir=folder())  # for its owner only, by any umask
        try:
            with open(descriptor, "wb") as file:
                file.write(code)
            os.replace(made, folder() / f"{name}-{_checksum(code)}.so")
        except OSError:
            os.unlink(made)


def load(code: bytes, order: int) -> Kernels:
    """Return the kernels of a library, given its file's content.

    Raises
    ------
    OSError
        If it is not a library, or lacks these functions.
    """
    if not _is_whole(code):
        raise OSError("the library is cut short")
    # A copy of its own, which nobody can change or cut while it is in use.
    with tempfile.TemporaryDirectory(dir=folder()) as private:
        copy = Path(private, "local.so")
        copy.write_bytes(code)
        return kernels_of(ctypes.CDLL(str(copy)), NATIVE, order)


@contextlib.contextmanager
def alone(name: str, patience: float) -> Iterator[None]:
    """Wait until no other process is making this library, for at most ``patience`` seconds.

    The lock ends with the process that holds it, however that ends. Where it cannot be had, two
    may make the same library, at the cost of time.
    """
    path = folder() / f"{name}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        until = time.monotonic() + patience
        while not _locked(descriptor) and time.monotonic() < until:
            time.sleep(0.02)
        yield
    finally:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # for forked processes too
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Try to lock a file; return whether there is nothing to wait for."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _checked(path: Path) -> bytes:
    """Return a file's content if it may be loaded, else raise an OSError."""
    # Do not open what a link points to, nor wait for a pipe.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not (stat.S_ISREG(status.st_mode) and _is_ours_alone(status)):
            raise OSError(f"{path} is not a file of this user only")
        code = file.read()
    if not path.stem.endswith(f"-{_checksum(code)}"):
        raise OSError(f"{path} was changed or cut short")
    return code


def _is_ours_alone(status: os.stat_result) -> bool:
    """Whether this user, and nobody else, can write there."""
    return status.st_uid == os.getuid() and not status.st_mode & 0o022


def _checksum(code: bytes) -> str:
    return hashlib.sha256(code).hexdigest()


def _is_whole(code: bytes) -> bool:
    """Whether an ELF file is complete up to its section table, which comes last.

    Loading one that does not is a bus error. Other formats are left to their loaders.
    """
    if code[:6] != b"\x7fELF\x02\x01":
        return True
    if len(code) < 64:
        return False
    (start,) = struct.unpack_from("<Q", code, 40)
    size, count = struct.unpack_from("<HH", code, 58)
    return bool(start + size * count <= len(code))
