"""Libraries of kernels once they are loaded."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: What a library offers, for each order and level, with the number of its arguments, pointers all;
#: they return a status.
FUNCTIONS = {"kan_forward": 7, "kan_backward": 12}


@dataclass(frozen=True)
class Kernels:
    """The two functions for splines of one order, or for other bases."""

    level: str
    forward: Callable[..., int]
    backward: Callable[..., int]
    regions: Callable[[], int]
    """How often their library has called threads to share work."""
    pieces: Callable[[], int]
    """How many pieces of work there were, shared or not."""


def kernels_of(library: ctypes.CDLL, level: str, order: int) -> Kernels:
    """Return the functions of a library.

    Raises
    ------
    OSError
        If it lacks them.
    """
    found: list[Any] = []
    for name, pointers in FUNCTIONS.items():
        try:
            function = getattr(library, f"{name}_{level}_{order}")
        except AttributeError as error:
            raise OSError(str(error)) from None
        function.argtypes, function.restype = [ctypes.c_void_p] * pointers, ctypes.c_int64
        found.append(function)
    if sys.platform == "linux" and hasattr(loaded := ctypes.CDLL(None), "GOMP_parallel"):
        library.kan_borrow.argtypes, library.kan_borrow.restype = [ctypes.c_void_p] * 2, None
        theirs = loaded.GOMP_parallel, loaded.omp_get_thread_num
        library.kan_borrow(*(ctypes.cast(function, ctypes.c_void_p) for function in theirs))
    library.kan_regions.restype = library.kan_pieces.restype = ctypes.c_int64
    forward, backward = found
    return Kernels(level, forward, backward, library.kan_regions, library.kan_pieces)
