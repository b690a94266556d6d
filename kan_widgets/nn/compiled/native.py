"""Compiled kernels: whether the layers use them, and where they come from.

A wheel brings them, :mod:`kan_widgets.nn.compiled.bundled`. Where there are none, in a checkout for
instance, the machine's C++ compiler makes them, :mod:`kan_widgets.nn.compiled.compiler`: the first
large call of a layer waits for it (one or two seconds on a quiet machine, many on a busy one), and
says so where that takes long. :func:`library` says None, and why in one warning, where that fails
too, and the layers compute by torch's operations. So which of the two computes a call depends on
its size and on the machine, never on timing, and training with a seed gives the same numbers every
time. What was compiled is kept for the next process.
"""

import builtins
import functools
import os
import sys
import threading
import warnings

from kan_widgets.nn.compiled import bundled, compile_options, compiler
from kan_widgets.nn.compiled.bundled import Kernels

_ON_WORDS = ("1", "true", "yes", "on")
_OFF_WORDS = ("0", "false", "no", "off")

_NO_COMPILER_MESSAGE = (
    "the package was installed without them, and no C++ compiler that could make them was found"
)
_WAITING = (  # one line of a notebook
    "kan_widgets: compiling layers with {path}, once; to skip this: kw.nn.use_compiled(False)"
)

_wanted: bool | None = None
_warned = False
_lock = threading.Lock()
_known: dict[int, Kernels | str] = {}  # by order; or, in words, why there are none


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

    Raises `ValueError` if nobody called :func:`use_compiled` and the environment variable is no
    known word.
    """
    return _by_default() if _wanted is None else _wanted


@functools.cache
def _by_default() -> bool:
    setting = os.environ.get("KAN_WIDGETS_COMPILE", "")
    word = setting.strip().lower()
    if word not in ("", *_ON_WORDS, *_OFF_WORDS):
        raise ValueError(
            f"KAN_WIDGETS_COMPILE={setting!r}: expected one of {', '.join(_ON_WORDS)} (compiled "
            f"kernels, the default) or {', '.join(_OFF_WORDS)} (torch's operations only)"
        )
    return word not in _OFF_WORDS


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
        If an environment variable of the compiled kernels has a value it cannot have.

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
    entries = list(_known.values())
    if trouble := next((entry for entry in entries if isinstance(entry, str)), ""):
        return f"torch's operations: {trouble}"
    try:
        loaded = entries[0] if entries else bundled.bundled_kernels(compile_options.ORDERS[0])
    except OSError:
        loaded = None
    if isinstance(loaded, Kernels) and loaded.level != compile_options.NATIVE:
        return f"compiled kernels of the package, {loaded.level} instructions"
    path = compiler.local_compiler()
    words = f"compiled kernels made on this machine by {path}"
    return words if path else f"torch's operations: {_NO_COMPILER_MESSAGE}"


def library(order: int) -> Kernels | None:
    """Return the compiled kernels for an order, or `OTHER_BASES`, or None if they cannot be had."""
    if order not in _known:
        with _lock:
            if order not in _known:
                _known[order] = _found_or_made(order)
    kernels = _known[order]
    if isinstance(kernels, str):
        _warn(kernels)
        return None
    return kernels


def _found_or_made(order: int) -> Kernels | str:
    """Return the package's compiled kernels, or this machine's, or in words what prevents both."""
    trouble = _NO_COMPILER_MESSAGE
    try:
        if (kernels := bundled.bundled_kernels(order)) is not None:
            return kernels
    except OSError as error:
        trouble = str(error)
    path = compiler.local_compiler()
    if path is None:
        return trouble
    words = _WAITING.format(path=path)
    try:
        return compiler.compiled_kernels(path, order, lambda: print_notice(words))
    except Exception as error:  # whatever fails, torch's operations remain
        return str(error) or type(error).__name__


def print_notice(words: str) -> None:
    """Print what takes long: in a notebook not to stderr, which is shown in red like an error."""
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
