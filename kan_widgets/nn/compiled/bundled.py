"""Loaded libraries of compiled kernels; and the one in a wheel, which needs no compiler.

The environment variable ``KAN_WIDGETS_LEVEL`` names the set of instructions to use, ``baseline``
for instance; by default the best that the processor has.
"""

import ctypes
import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kan_widgets.nn.compiled import compile_options

# The functions that a library has for each order and level, with the number of their arguments,
# all of them pointers. They return a status.
_FUNCTIONS = {"kan_forward": 7, "kan_backward": 12}


@dataclass(frozen=True)
class Kernels:
    """The two functions for splines of one order, or for other bases."""

    level: str
    forward: Callable[..., int]
    backward: Callable[..., int]
    regions: Callable[[], int]
    """How often the library has called threads to share work."""
    pieces: Callable[[], int]
    """How many pieces of work there were, shared or not."""


def kernels_of(library: ctypes.CDLL, level: str, order: int) -> Kernels:
    """Return the functions of a library.

    Raises `OSError` if it lacks them.
    """
    functions: list[Any] = []
    for name, pointers in _FUNCTIONS.items():
        try:
            function = getattr(library, f"{name}_{level}_{order}")
        except AttributeError as error:
            raise OSError(str(error)) from None
        function.argtypes, function.restype = [ctypes.c_void_p] * pointers, ctypes.c_int64
        functions.append(function)
    if sys.platform == "linux" and hasattr(loaded := ctypes.CDLL(None), "GOMP_parallel"):
        library.kan_borrow.argtypes, library.kan_borrow.restype = [ctypes.c_void_p] * 2, None
        openmp = loaded.GOMP_parallel, loaded.omp_get_thread_num
        library.kan_borrow(*(ctypes.cast(function, ctypes.c_void_p) for function in openmp))
    library.kan_regions.restype = library.kan_pieces.restype = ctypes.c_int64
    forward, backward = functions
    return Kernels(level, forward, backward, library.kan_regions, library.kan_pieces)


#: The library does not exist in a checkout, nor where the package was installed from one.
FILE = compile_options.FOLDER / compile_options.NAMES.get(sys.platform, "none")


def bundled_kernels(order: int) -> Kernels | None:
    """Return the package's compiled kernels for splines of this order, or None if it has none.

    Raises `OSError` if the library cannot be loaded, and `ValueError` if ``KAN_WIDGETS_LEVEL`` is
    no level that this processor runs.
    """
    if order not in (compile_options.OTHER_BASES, *compile_options.ORDERS) or not FILE.exists():
        return None
    return kernels_of(_library(), level(), order)


def level() -> str:
    """Return the level to use; raises as :func:`bundled_kernels`."""
    runs = levels()
    wanted = os.environ.get("KAN_WIDGETS_LEVEL", "").strip().lower()
    if wanted and wanted not in runs:
        raise ValueError(
            f"KAN_WIDGETS_LEVEL={wanted!r}: expected one of {', '.join(runs)}, which is what this "
            "processor runs of the package's kernels; unset it to use the first"
        )
    return wanted or runs[0]


def levels() -> tuple[str, ...]:
    """Return the levels that the library has and the processor runs, the best first."""
    library = _library()
    library.kan_runs.argtypes, library.kan_runs.restype = [ctypes.c_char_p], ctypes.c_int64
    names = dict.fromkeys(name for levels in compile_options.LEVELS.values() for name in levels)
    first = compile_options.ORDERS[0]
    return tuple(
        name
        for name in names
        if hasattr(library, f"kan_forward_{name}_{first}") and library.kan_runs(name.encode())
    )


@functools.cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(str(FILE))
