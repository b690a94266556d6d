"""The library that a wheel brings, which needs no compiler where it is installed.

The environment variable ``KAN_WIDGETS_LEVEL`` names the set of instructions to use, ``baseline``
for instance; by default it is the best that the processor has.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys

from kan_widgets.nn.kernels import recipe
from kan_widgets.nn.kernels.loaded import Kernels, kernels_of

#: Not there in a checkout, nor in what was installed from one.
FILE = recipe.FOLDER / recipe.NAMES.get(sys.platform, "none")


def kernels(order: int) -> Kernels | None:
    """Return the package's kernels for splines of this order, or None if it has none.

    Raises
    ------
    OSError
        If the library cannot be loaded.
    ValueError
        If ``KAN_WIDGETS_LEVEL`` is no level that this processor runs.
    """
    if order not in (recipe.OTHERS, *recipe.ORDERS) or not FILE.exists():
        return None
    return kernels_of(_library(), level(), order)


def level() -> str:
    """Return the level to use; raises as :func:`kernels`."""
    runs = levels()
    given = os.environ.get("KAN_WIDGETS_LEVEL", "").strip().lower()
    if given and given not in runs:
        raise ValueError(
            f"KAN_WIDGETS_LEVEL={given!r}: expected one of {', '.join(runs)}, which is what this "
            "processor runs of the package's kernels; unset it to use the first"
        )
    return given or runs[0]


def levels() -> tuple[str, ...]:
    """Return the levels that the library has and the processor runs, the best first."""
    library = _library()
    library.kan_runs.argtypes, library.kan_runs.restype = [ctypes.c_char_p], ctypes.c_int64
    names = dict.fromkeys(name for levels in recipe.LEVELS.values() for name in levels)
    first = recipe.ORDERS[0]
    return tuple(
        name
        for name in names
        if hasattr(library, f"kan_forward_{name}_{first}") and library.kan_runs(name.encode())
    )


@functools.cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(str(FILE))
