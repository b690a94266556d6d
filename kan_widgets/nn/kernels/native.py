"""Compiled kernels: whether the layers use them, and when they are made.

Why not ``torch.compile``: it needs the same compiler, takes ten times as long before the first
step, recompiles for new shapes, and what it compiles still makes all columns. ``local.cpp`` needs
no headers of torch and takes any shape.

The first call of a layer starts the compiler (one or two seconds), the first large call waits for
it; :func:`library` says None where there is no compiler or it fails, and the layers compute by
torch's operations. So which of the two computes a call depends on its size and on the machine,
never on timing, and training with a seed gives the same numbers every time.

What was compiled is kept for the next process, :mod:`kan_widgets.nn.kernels.library_cache`.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import os
import threading
import warnings

from kan_widgets.nn.kernels import compiler, library_cache

ON = ("1", "true", "yes", "on")
OFF = ("0", "false", "no", "off")

_wanted: bool | None = None
_warned = False
_lock = threading.Lock()
_builds: dict[int, _Build] = {}


def use_compiled(enabled: bool) -> None:
    """Switch compiled kernels on or off, from the next call of a layer on.

    They do by default where a C++ compiler is found, for float32 on a CPU, unless the environment
    variable ``KAN_WIDGETS_COMPILE`` is ``0``, ``false``, ``no`` or ``off`` when the first layer
    computes. What they compute is the same but for rounding.

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
    """Whether to use compiled kernels.

    Raises
    ------
    ValueError
        If nobody called :func:`use_compiled` and the environment variable is no known word.
    """
    return _by_default() if _wanted is None else _wanted


@functools.cache
def _by_default() -> bool:
    given = os.environ.get("KAN_WIDGETS_COMPILE", "")
    word = given.strip().lower()
    if word not in ("", *ON, *OFF):
        raise ValueError(
            f"KAN_WIDGETS_COMPILE={given!r}: expected one of {', '.join(ON)} (compiled kernels, "
            f"the default) or {', '.join(OFF)} (torch's operations only)"
        )
    return word not in OFF


def prepare(order: int) -> None:
    """Start the compiler for splines of this order, unless it has been started."""
    if order not in _builds:
        with _lock:
            if order not in _builds:
                _builds[order] = _Build(order)


def library(order: int) -> ctypes.CDLL | None:
    """Return the kernels for splines of this order, or None if they cannot be made."""
    prepare(order)
    return _builds[order].result()


class _Build:
    """One library: found in the cache or compiled, by a thread."""

    def __init__(self, order: int) -> None:
        self.order = order
        self.loaded: ctypes.CDLL | None = None
        self.trouble = ""
        self.thread: threading.Thread | None = None
        path = compiler.find_compiler()
        if path is None:
            return
        self.compiler = compiler.Compiler(path)
        thread = threading.Thread(target=self._run, daemon=True)
        try:
            thread.start()
            self.thread = thread
        except RuntimeError as error:  # no more threads
            self.trouble = str(error)

    def _run(self) -> None:
        try:
            atexit.register(self.compiler.stop)
            self.loaded = self._found_or_made()
        except Exception as error:  # whatever it is, torch's operations are there
            self.trouble = str(error) or type(error).__name__
        finally:
            atexit.unregister(self.compiler.stop)

    def _found_or_made(self) -> ctypes.CDLL:
        name = f"local-{self.compiler.digest()}-{self.order}"
        found = library_cache.find(name)
        if found is not None:
            return found
        with library_cache.alone(name, compiler.PATIENCE):
            found = library_cache.find(name)  # another process may have made it meanwhile
            if found is not None:
                return found
            code, made = self.compiler.make(self.order)
            library_cache.keep(name, code)
            return made

    def result(self) -> ctypes.CDLL | None:
        if (thread := self.thread) is not None:
            thread.join()
            self.thread = None
        if self.trouble:
            _warn(self.trouble)
        return self.loaded


def _warn(trouble: str) -> None:
    """Warn the first time only: the next library would fail for the same reason."""
    global _warned
    with _lock:
        if _warned:
            return
        _warned = True
    warnings.warn(
        "KAN layers compute by torch's operations, without compiled kernels, as these could not "
        f"be made: {trouble[:500]}\nSet KAN_WIDGETS_COMPILE=0 to not try.",
        RuntimeWarning,
        stacklevel=2,
    )
