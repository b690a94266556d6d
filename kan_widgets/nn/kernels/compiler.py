"""Find the C++ compiler, and compile the kernels for this machine within a time limit."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from kan_widgets.nn.kernels import library_cache, recipe
from kan_widgets.nn.kernels.bundled import Kernels

#: Tried in this order: not every compiler knows the processor.
ATTEMPTS = (("-march=native",), ())
#: Seconds after which the compiler is given up, all attempts together.
PATIENCE = 120


def find_compiler() -> str | None:
    """Return the path of the C++ compiler to use while a layer computes, or None.

    None on Windows and wherever else a file cannot be locked by ``fcntl``.
    """
    if os.name != "posix" or not library_cache.usable():
        return None
    return recipe.find_compiler()


class Compiler:
    """Runs of one compiler, one after the other, that can be stopped from another thread."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.process: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._starting = threading.Lock()

    def digest(self) -> str:
        """Return a digest of what a library depends on: source, compiler, processor."""
        real = os.path.realpath(self.path)
        about = os.stat(real)
        parts = [
            recipe.for_this_machine(0),
            ATTEMPTS,
            real,
            about.st_size,
            about.st_mtime_ns,
            platform.machine(),
            _processor(),
        ]
        sources = b"".join(file.read_bytes() for file in recipe.FILES)
        return hashlib.sha256(sources + repr(parts).encode()).hexdigest()[:16]

    def make(self, order: int) -> tuple[bytes, Kernels]:
        """Compile the kernels for splines of this order.

        Returns
        -------
        The file, and what it is once loaded.

        Raises
        ------
        OSError
            If the compiler fails, takes too long, or makes what cannot be loaded; with what it
            said.
        """
        deadline = time.monotonic() + PATIENCE
        trouble = ""
        with tempfile.TemporaryDirectory(dir=library_cache.folder()) as folder:
            made = Path(folder, "local.so")
            for flags in ATTEMPTS:
                command = [self.path, *recipe.for_this_machine(order, *flags), "-o", str(made)]
                returned, trouble = self._run(command, deadline)
                if returned != 0:
                    continue
                try:
                    code = made.read_bytes()
                    return code, library_cache.load(code, order)
                except OSError as error:
                    trouble = str(error)
        raise OSError(f"{self.path} said: {trouble or 'nothing'}")

    def _run(self, command: list[str], deadline: float) -> tuple[int, str]:
        """Run a command; return its exit status and its messages."""
        # Into a file: whoever inherited a pipe could keep it open without end.
        with tempfile.TemporaryFile() as said:
            with self._starting:
                if self._stopped:
                    raise OSError("the process ends")
                # A session of its own: an interrupt from the keyboard is for Python.
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    start_new_session=True,
                )
            try:
                returned = self.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.stop()
                raise OSError(f"{self.path} took more than {PATIENCE} seconds") from None
            said.seek(0)
            return returned, said.read(10_000).decode(errors="replace").strip()

    def stop(self) -> None:
        """Stop the compiler and its children; it is not started again."""
        with self._starting:
            self._stopped = True
        process = self.process
        if process is not None and process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)


def _processor() -> str:
    """Return what distinguishes processors for ``-march=native``."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = ("model name", "flags", "Features", "CPU part")
    return "\n".join(sorted({line for line in lines if line.startswith(names)}))
