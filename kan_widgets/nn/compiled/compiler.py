"""Kernels that the machine's C++ compiler makes, within a time limit, kept for the next process.

They lie in ``$XDG_CACHE_HOME/kan_widgets`` (``~/.cache/kan_widgets``). What lies there is loaded
and run, so the folder is used only if its user alone can write there. A library gets its name once
it was loaded, and is never written to again.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from kan_widgets.nn.compiled import compile_options
from kan_widgets.nn.compiled.bundled import Kernels, kernels_of

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# Tried in this order: not every compiler knows the processor.
ATTEMPTS = (("-march=native",), ())
# Seconds after which the compiler is given up, all attempts together.
TIMEOUT_SECONDS = 120
# Seconds after which it is said that a call waits for the compiler.
NOTICE_SECONDS = 1.0


def local_compiler() -> str | None:
    """Return the path of the C++ compiler to use while a layer computes, or None.

    None on Windows and wherever else a file cannot be locked by ``fcntl``.
    """
    return None if fcntl is None else compile_options.find_compiler()


def compiled_kernels(compiler: str, order: int, waiting: Callable[[], None]) -> Kernels:
    """Return the kernels for splines of this order, made by another process or now.

    ``waiting`` is called if the compiler takes long. Raises `OSError` if it fails, takes too long,
    or makes what cannot be loaded; with what it said.
    """
    library = folder() / f"local-{_digest(compiler)}-{order}.so"
    with _alone(library.with_suffix(".lock")):
        try:
            return _load(library, order)
        except OSError:  # none yet, or a broken one
            library.unlink(missing_ok=True)
        deadline, trouble = time.monotonic() + TIMEOUT_SECONDS, ""
        with tempfile.TemporaryDirectory(dir=folder()) as scratch:
            made = Path(scratch, "local.so")
            for flags in ATTEMPTS:
                options = compile_options.for_this_machine(order, *flags)
                command = [compiler, *options, "-o", str(made)]
                returned, trouble = _run(command, deadline, waiting)
                if returned != 0:
                    continue
                try:
                    found = _load(made, order)
                except OSError as error:
                    trouble = str(error)
                    continue
                with contextlib.suppress(OSError):
                    made.chmod(0o600)  # for its owner only, by any umask
                    os.replace(made, library)
                return found
    raise OSError(f"{compiler} said: {trouble or 'nothing'}")


def _run(command: list[str], deadline: float, waiting: Callable[[], None]) -> tuple[int, str]:
    """Run the compiler; return its exit status and its messages."""
    # Into a file: whoever inherited a pipe could keep it open without end.
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said
        ) as process,
    ):
        try:
            try:
                returned = process.wait(NOTICE_SECONDS)
            except subprocess.TimeoutExpired:
                waiting()
                returned = process.wait(max(0.0, deadline - time.monotonic()))
        except BaseException as error:
            process.kill()
            if isinstance(error, subprocess.TimeoutExpired):
                raise OSError(f"{command[0]} took more than {TIMEOUT_SECONDS} seconds") from None
            raise
        said.seek(0)
        return returned, said.read(10_000).decode(errors="replace").strip()


def _digest(compiler: str) -> str:
    """Return a digest of what a library depends on: source, compiler, processor."""
    real = os.path.realpath(compiler)
    about = os.stat(real)
    parts = [
        compile_options.for_this_machine(0),
        ATTEMPTS,
        real,
        about.st_size,
        about.st_mtime_ns,
        platform.machine(),
        _processor(),
    ]
    sources = b"".join(file.read_bytes() for file in compile_options.FILES)
    return hashlib.sha256(sources + repr(parts).encode()).hexdigest()[:16]


@functools.cache
def folder() -> Path:
    """Return this user's folder for the libraries, or else a temporary one for this process."""
    try:
        wanted = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "kan_widgets")
        for place in (*reversed(wanted.absolute().parents), wanted.absolute()):
            place.mkdir(mode=0o700, exist_ok=True)
        status = wanted.stat()
        if status.st_uid == os.getuid() and not status.st_mode & 0o022:
            with tempfile.TemporaryFile(dir=wanted):
                return wanted.absolute()
    except (OSError, RuntimeError):
        pass
    own = tempfile.mkdtemp(prefix="kan_widgets-")
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return Path(own)


def _load(library: Path, order: int) -> Kernels:
    return kernels_of(ctypes.CDLL(str(library)), compile_options.NATIVE, order)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process is making this library, for at most `TIMEOUT_SECONDS` seconds.

    The lock ends with the process that holds it, however that ends. Where it cannot be had, two
    may make the same library, at the cost of time.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + TIMEOUT_SECONDS
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


def _processor() -> str:
    """Return what distinguishes processors for ``-march=native``."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = ("model name", "flags", "Features", "CPU part")
    return "\n".join(sorted({line for line in lines if line.startswith(names)}))
