"""Compiled kernels: whether the layers use them, and where they come from.

A wheel brings them, :mod:`kan_widgets.nn.kernels.bundled`. Where there are none, in a checkout for
instance, the machine's C++ compiler makes them: the first call of a layer starts it (one or two
seconds on a quiet machine, many on a busy one), the first large call waits for it, and says so
where that takes long. :func:`library` says None, and why in one warning, where that fails too, and
the layers compute by torch's operations. So which of the two computes a call depends on its size
and on the machine, never on timing, and training with a seed gives the same numbers every time:
a training that changed over once the kernels are there would be another each time. What was
compiled is kept for the next process, :mod:`kan_widgets.nn.kernels.library_cache`.
"""

from __future__ import annotations

import atexit
import builtins
import functools
import os
import sys
import threading
import warnings

from kan_widgets.nn.kernels import bundled, compiler, library_cache
from kan_widgets.nn.kernels.bundled import Kernels

ON = ("1", "true", "yes", "on")
OFF = ("0", "false", "no", "off")

NO_COMPILER = (
    "the package was installed without them, and no C++ compiler that could make them was found"
)
#: Seconds after which a call that waits for the compiler says so.
SILENCE = 1.0
WAITING = (
    "kan_widgets: waiting for {path}, which compiles the kernels of the layers for this machine, "
    "once; given up after {patience} seconds. A wheel of kan-widgets brings them compiled. Not to "
    "wait: kan_widgets.nn.use_compiled(False), or KAN_WIDGETS_COMPILE=0 in the environment."
)

_wanted: bool | None = None
_warned = False
_lock = threading.Lock()
_builds: dict[int, _Build] = {}


def use_compiled(enabled: bool) -> None:
    """Switch compiled kernels on or off, from the next call of a layer on.

    They do by default where the package brings them or a C++ compiler is found, for float32 on a
    CPU, unless the environment variable ``KAN_WIDGETS_COMPILE`` is ``0``, ``false``, ``no`` or
    ``off`` when the first layer computes. What they compute is the same but for rounding.
    :func:`kernels_info` says which it is.

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


def kernels_info() -> str:
    """Say in one line how layers compute in float32 on a CPU, and why.

    Returns
    -------
    str
        ``compiled kernels ...`` with where they come from, or ``torch's operations: ...`` with the
        reason. Small inputs, other dtypes and other devices take torch's operations in any case.

    Raises
    ------
    ValueError
        If an environment variable of the kernels has a value it cannot have.

    Examples
    --------
    >>> use_compiled(False)
    >>> kernels_info()
    "torch's operations: use_compiled(False) was called"
    >>> use_compiled(True)
    """
    if not wanted():
        why = "KAN_WIDGETS_COMPILE is off" if _wanted is None else "use_compiled(False) was called"
        return f"torch's operations: {why}"
    with _lock:
        builds = list(_builds.values())
    builds = builds or [_Build(3, start=False)]
    trouble = next((build.trouble for build in builds if build.trouble), "")
    return f"torch's operations: {trouble}" if trouble else builds[0].origin


def prepare(order: int) -> None:
    """Start the compiler for an order, or `recipe.OTHERS`, if it is needed and was not started."""
    if order not in _builds:
        with _lock:
            if order not in _builds:
                _builds[order] = _Build(order)


def library(order: int) -> Kernels | None:
    """Return the kernels for an order, or `recipe.OTHERS`, or None if they cannot be had."""
    prepare(order)
    return _builds[order].result()


class _Build:
    """Kernels of one order: the package's, or else found in the cache or compiled, by a thread."""

    def __init__(self, order: int, start: bool = True) -> None:
        self.order = order
        self.loaded: Kernels | None = None
        self.origin = self.trouble = ""
        self.said_waiting = False
        self.thread: threading.Thread | None = None
        try:
            self.loaded = bundled.kernels(order)
        except OSError as error:
            self.trouble = str(error)
        if self.loaded is not None:
            self.origin = f"compiled kernels of the package, {self.loaded.level} instructions"
            return
        path = compiler.find_compiler()
        if path is None:
            self.trouble = self.trouble or NO_COMPILER
            return
        self.trouble = ""
        self.origin = f"compiled kernels made on this machine by {path}"
        if start:
            self._start(compiler.Compiler(path))

    def _start(self, with_compiler: compiler.Compiler) -> None:
        self.compiler = with_compiler
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

    def _found_or_made(self) -> Kernels:
        name = f"local-{self.compiler.digest()}-{self.order}"
        found = library_cache.find(name, self.order)
        if found is not None:
            return found
        with library_cache.alone(name, compiler.PATIENCE):
            # Another process may have made it meanwhile.
            found = library_cache.find(name, self.order)
            if found is not None:
                return found
            code, made = self.compiler.make(self.order)
            library_cache.keep(name, code)
            return made

    def result(self) -> Kernels | None:
        if (thread := self.thread) is not None:
            thread.join(SILENCE)
            if thread.is_alive():
                self._say_waiting()
                thread.join()
            self.thread = None
        if self.trouble:
            _warn(self.trouble)
        return self.loaded

    def _say_waiting(self) -> None:
        with _lock:
            said, self.said_waiting = self.said_waiting, True
        if not said:
            say(WAITING.format(path=self.compiler.path, patience=compiler.PATIENCE))


def say(words: str) -> None:
    """Say what takes long. In a notebook what is no error is not said in red."""
    in_notebook = hasattr(builtins, "__IPYTHON__")
    print(words, file=sys.stdout if in_notebook else sys.stderr, flush=True)


def _warn(trouble: str) -> None:
    """Warn the first time only: the next library would fail for the same reason."""
    global _warned
    with _lock:
        if _warned:
            return
        _warned = True
    warnings.warn(
        "KAN layers compute by torch's operations, several times slower than by compiled kernels: "
        f"{trouble[:500]}\nInstall a wheel of kan-widgets, which brings the kernels, or a C++ "
        "compiler (g++ or clang++), or set KAN_WIDGETS_COMPILE=0 to leave it at that.",
        RuntimeWarning,
        stacklevel=2,
    )
