"""Kernels compiled by the machine's C++ compiler within a time limit, kept for the next process.

They lie in ``$XDG_CACHE_HOME/kan_widgets`` (``~/.cache/kan_widgets``). What lies there is loaded
and run, so the folder is used only if its user alone can write there. A library gets its name once
it was loaded, and is never written to again.
"""

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
_ATTEMPTS = (("-march=native",), ())
# Seconds after which the compiler is given up, all attempts together.
_TIMEOUT_SECONDS = 120
# Seconds after which a notice says that a call waits for the compiler.
_NOTICE_SECONDS = 1.0


def local_compiler() -> str | None:
    """Return the path of the C++ compiler to use while a layer computes, or None.

    None on Windows and wherever else a file cannot be locked by ``fcntl``.
    """
    return None if fcntl is None else compile_options.find_compiler()


def compiled_kernels(compiler: str, order: int, waiting: Callable[[], None]) -> Kernels:
    """Return the compiled kernels for splines of this order, made by another process or now.

    ``waiting`` is called if the compiler takes long. Raises `OSError`, with the compiler's words,
    if it fails, takes too long, or makes a file that cannot be loaded.
    """
    library = folder() / f"local-{_digest(compiler)}-{order}.so"
    with _alone(library.with_suffix(".lock")):
        try:
            return _load(library, order)
        except OSError:  # none yet, or a broken one
            library.unlink(missing_ok=True)
        deadline, trouble = time.monotonic() + _TIMEOUT_SECONDS, ""
        with tempfile.TemporaryDirectory(dir=folder()) as scratch:
            target = Path(scratch, "local.so")
            for flags in _ATTEMPTS:
                options = compile_options.for_this_machine(order, *flags)
                command = [compiler, *options, "-o", str(target)]
                returned, trouble = _run(command, deadline, waiting)
                if returned != 0:
                    continue
                try:
                    kernels = _load(target, order)
                except OSError as error:
                    trouble = str(error)
                    continue
                with contextlib.suppress(OSError):
                    target.chmod(0o600)  # for its owner only, by any umask
                    os.replace(target, library)
                return kernels
    raise OSError(f"{compiler} said: {trouble or 'nothing'}")


def _run(command: list[str], deadline: float, waiting: Callable[[], None]) -> tuple[int, str]:
    """Run the compiler; return its exit status and its messages."""
    # Messages go to a file: a child process could keep an inherited pipe open for ever.
    with (
        tempfile.TemporaryFile() as messages,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=messages
        ) as process,
    ):
        try:
            try:
                returned = process.wait(_NOTICE_SECONDS)
            except subprocess.TimeoutExpired:
                waiting()
                returned = process.wait(max(0.0, deadline - time.monotonic()))
        except BaseException as error:
            process.kill()
            if isinstance(error, subprocess.TimeoutExpired):
                raise OSError(f"{command[0]} took more than {_TIMEOUT_SECONDS} seconds") from None
            raise
        messages.seek(0)
        return returned, messages.read(10_000).decode(errors="replace").strip()


def _digest(compiler: str) -> str:
    """Return a digest of what a library depends on: source, compiler, processor."""
    real = os.path.realpath(compiler)
    about = os.stat(real)
    parts = [
        compile_options.for_this_machine(0),
        _ATTEMPTS,
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
    """Wait until no other process is making this library, for at most `_TIMEOUT_SECONDS` seconds.

    The lock ends with the process that holds it, however that ends. Where files cannot be
    locked, two processes may make the same library, at the cost of time.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + _TIMEOUT_SECONDS
        while not _locked(descriptor) and time.monotonic() < until:
            time.sleep(0.02)
        yield
    finally:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # for forked processes too
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Try to lock a file; return False if another process has the lock."""
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
