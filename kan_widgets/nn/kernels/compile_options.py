"""How the kernels are compiled: for this machine when layers want them, or into a wheel.

Both take the same files and options. For this machine ``local.cpp`` is compiled once, for the order
of the splines in use, or for other bases, and all instructions that the processor has. A wheel's
library has it for every order of `ORDERS` and for the others, at every level of `LEVELS`, and takes
the best that the processor runs (:mod:`kan_widgets.nn.kernels.bundled`). This file imports nothing
of the package: what makes such a library (``build_kernels.py``) has nothing else.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
LOCAL, RUNTIME = FOLDER / "local.cpp", FOLDER / "runtime.cpp"
#: All that a library is made of.
FILES = (LOCAL, RUNTIME, *(FOLDER / f"{name}.h" for name in ("families", "runtime", "vectors")))

ORDERS = range(1, 6)
#: In place of an order: other bases. Splines of order 0 have no kernels.
OTHER_BASES = 0
#: Sets of instructions by architecture, the best first; ``kan_runs`` in ``runtime.cpp`` knows them.
LEVELS: dict[str, dict[str, tuple[str, ...]]] = {
    "x86_64": {
        "avx512": ("-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mavx2", "-mfma"),
        "avx2": ("-mavx2", "-mfma"),
        "baseline": (),
    },
    "arm64": {"baseline": ()},  # which has NEON
}
#: The only level of a library that is compiled for one machine.
NATIVE = "native"

#: What a wheel's library is called, by ``sys.platform``.
NAMES = {"linux": "kernels.so", "darwin": "kernels.dylib", "win32": "kernels.dll"}

#: The kernels for web pages, compiled from the same files by Zig: make kernels.
FOR_PAGES = FOLDER / "kernels.wasm"

OPTIONS = (
    "-std=c++17",
    "-O3",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fno-exceptions",
    "-fno-rtti",
    "-fvisibility=hidden",
)


def find_compiler() -> str | None:
    """Return the path of the C++ compiler: ``$CXX``, ``g++``, ``clang++`` or ``c++``; or None."""
    for name in (os.environ.get("CXX"), "g++", "clang++", "c++"):
        found = shutil.which(name) if name else None
        if found:
            return found
    return None


def for_this_machine(order: int, *more: str) -> list[str]:
    """Return the arguments for a library of one order, but for ``-o`` and the file's name."""
    options = [*OPTIONS, *position(sys.platform), *linked(sys.platform)]
    return [*options, *part(order, NATIVE), *more, str(RUNTIME)]


def part(order: int, level: str) -> tuple[str, ...]:
    """Return the source for an order, and its names."""
    return f"-DORDER={order}", f"-DLEVEL={level}", str(LOCAL)


def position(system: str) -> tuple[str, ...]:
    """Return what lets code of a library lie anywhere in memory."""
    return () if system == "win32" else ("-fPIC",)


def linked(system: str) -> tuple[str, ...]:
    """Return how a library is put together."""
    # Nothing of C++'s library is used: without it one file runs beside any version of that.
    return ("-shared", "-Wl,--as-needed") if system == "linux" else ("-shared",)
