"""The C++ compiler: builds ``local.cpp`` once per machine, in the background, and loads it.

Why not ``torch.compile``: it needs the same compiler, takes ten times as long before the first
step, recompiles for new shapes, and what it compiles still makes all columns. ``local.cpp`` needs
no headers of torch and takes any shape.

The first call of a layer starts the compiler (one or two seconds), the first large call waits for
it; :func:`library` says None where there is no compiler or it fails, and the layers compute by
torch's operations. So which of the two computes a call depends on its size and on the machine,
never on timing, and training with a seed gives the same numbers every time.

The result is kept in ``$XDG_CACHE_HOME/kan_widgets`` (``~/.cache/kan_widgets``), under a name that
holds the source, the compiler and the processor.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
import threading
import warnings
from pathlib import Path

SOURCE = Path(__file__).with_name("local.cpp")
FLAGS = ("-std=c++17", "-O3", "-fno-math-errno", "-fno-trapping-math", "-fPIC", "-shared")
#: What the library offers, with the number of its arguments, pointers all.
FUNCTIONS = {"kan_forward": 7, "kan_backward": 12}
#: Tried in this order: without OpenMP the kernels use one thread.
ATTEMPTS = (("-march=native", "-fopenmp"), ("-march=native",), ("-fopenmp",), ())
#: Seconds after which the compiler is given up.
PATIENCE = 120

_wanted: bool | None = None
_lock = threading.Lock()
_builds: dict[int, _Build] = {}


def use_compiled(enabled: bool) -> None:
    """Let the layers use compiled kernels from the next call on, or not.

    They do by default where a C++ compiler is found, for float32 on a CPU, unless the environment
    variable ``KAN_WIDGETS_COMPILE`` is ``0`` when the first layer computes. What they compute is
    the same but for rounding.

    Parameters
    ----------
    enabled
        Whether they may.

    Examples
    --------
    >>> use_compiled(False)  # torch's own operations only
    >>> use_compiled(True)
    """
    global _wanted
    _wanted = bool(enabled)


def wanted() -> bool:
    """Whether compiled kernels are to be used."""
    return _by_default() if _wanted is None else _wanted


@functools.cache
def _by_default() -> bool:
    return os.environ.get("KAN_WIDGETS_COMPILE") != "0"


def prepare(order: int) -> None:
    """Start the compiler for splines of this order, unless that is done."""
    if order not in _builds:
        with _lock:
            if order not in _builds:
                _builds[order] = _Build(order)


def library(order: int) -> ctypes.CDLL | None:
    """Return the kernels for splines of this order, or None where they cannot be had."""
    prepare(order)
    return _builds[order].result()


class _Build:
    """One library: found in the cache, or made by a thread that waits for the compiler."""

    def __init__(self, order: int) -> None:
        self.order = order
        self.path: Path | None = None
        self.trouble = ""
        self.process: subprocess.Popen[bytes] | None = None
        self.loaded: ctypes.CDLL | None = None
        self.over = False
        compiler = find_compiler()
        if compiler is None:
            self.thread: threading.Thread | None = None
            return
        target = _cache() / f"local-{_digest(compiler)}-{order}.so"
        if target.exists():
            self.path, self.thread = target, None
            return
        self.thread = threading.Thread(target=self._compile, args=(compiler, target), daemon=True)
        self.thread.start()

    def _compile(self, compiler: str, target: Path) -> None:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            made = Path(folder, "local.so")
            atexit.register(self._stop)
            for flags in ATTEMPTS:
                command = [compiler, *FLAGS, *flags, f"-DORDER={self.order}"]
                # A session of its own: an interrupt from the keyboard is for Python.
                self.process = subprocess.Popen(
                    [*command, str(SOURCE), "-o", str(made)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
                try:
                    said = self.process.communicate(timeout=PATIENCE)[1]
                except subprocess.TimeoutExpired:
                    self._stop()
                    self.trouble = f"took more than {PATIENCE} seconds"
                    break
                if self.process.returncode == 0:
                    os.replace(made, target)
                    self.path, self.trouble = target, ""
                    break
                self.trouble = said.decode(errors="replace").strip() or "failed"
            atexit.unregister(self._stop)

    def _stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def result(self) -> ctypes.CDLL | None:
        if self.over:
            return self.loaded
        if (thread := self.thread) is not None:
            thread.join()
            self.thread = None
        with _lock:
            if self.loaded is None and self.path is not None:
                path, self.path = self.path, None
                try:
                    self.loaded = ctypes.CDLL(str(path))
                    for name, pointers in FUNCTIONS.items():
                        getattr(self.loaded, name).argtypes = [ctypes.c_void_p] * pointers
                        getattr(self.loaded, name).restype = ctypes.c_int64
                except OSError as error:
                    self.trouble = str(error)
            if self.trouble:
                trouble, self.trouble = self.trouble, ""
                warnings.warn(
                    f"KAN layers compute without compiled kernels, as the C++ compiler did not "
                    f"make them; set KAN_WIDGETS_COMPILE=0 to not try. It said: {trouble[:500]}",
                    RuntimeWarning,
                    stacklevel=2,
                )
            self.over = True
            return self.loaded


def find_compiler() -> str | None:
    """Return the path of the C++ compiler: ``$CXX``, ``g++``, ``clang++`` or ``c++``; or None."""
    if os.name != "posix":
        return None
    for name in (os.environ.get("CXX"), "g++", "clang++", "c++"):
        found = shutil.which(name) if name else None
        if found:
            return found
    return None


@functools.cache
def _cache() -> Path:
    """Return a folder of this user for the libraries; one for this process if there is none."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "kan_widgets")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What lies here is loaded and run: nobody else may write it.
        status = folder.stat()
        if status.st_uid == os.getuid() and not status.st_mode & 0o022:
            with tempfile.TemporaryFile(dir=folder):
                return folder
    except (OSError, RuntimeError):
        pass
    own = tempfile.mkdtemp(prefix="kan_widgets-")
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return Path(own)


def _digest(compiler: str) -> str:
    """Return a name for what the library is made of and for."""
    real = os.path.realpath(compiler)
    about = os.stat(real)
    parts = [
        FLAGS,
        ATTEMPTS,
        real,
        about.st_size,
        about.st_mtime_ns,
        platform.machine(),
        _processor(),
    ]
    return hashlib.sha256(SOURCE.read_bytes() + repr(parts).encode()).hexdigest()[:16]


def _processor() -> str:
    """Return what tells processors apart for which ``-march=native`` means different things."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = ("model name", "flags", "Features", "CPU part")
    return "\n".join(sorted({line for line in lines if line.startswith(names)}))
