"""How the C++ kernels are compiled: for this machine when layers want them, or into a wheel.

Both take the same files and options. For this machine ``local.cpp`` is compiled once, for the order
of the splines in use, or for other bases, and all instructions that the processor has. A wheel's
library has them for every order of `ORDERS` and for other bases, at every level of `LEVELS`; the
best that the processor runs is used (:mod:`kan_widgets.nn.compiled.bundled`). This file imports
nothing of the package: what builds a wheel (``hatch_build.py``) has nothing else.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FOLDER = Path(__file__).parent
LOCAL, _RUNTIME = FOLDER / "local.cpp", FOLDER / "runtime.cpp"
# All files that a library is made of.
FILES = (LOCAL, _RUNTIME, *(FOLDER / f"{name}.h" for name in ("families", "runtime", "vectors")))

ORDERS = range(1, 6)
# Stands for other bases in place of an order; splines of order 0 have no compiled kernels.
OTHER_BASES = 0
# Sets of instructions by architecture, the best first; ``kan_runs`` in ``runtime.cpp`` knows them.
LEVELS: dict[str, dict[str, tuple[str, ...]]] = {
    "x86_64": {
        "avx512": ("-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mavx2", "-mfma"),
        "avx2": ("-mavx2", "-mfma"),
        "baseline": (),
    },
    "arm64": {"baseline": ()},  # which has NEON
}
# The only level of a library that is compiled for one machine.
NATIVE = "native"

# What a wheel's library is called, by ``sys.platform``.
NAMES = {"linux": "kernels.so", "darwin": "kernels.dylib", "win32": "kernels.dll"}

# The compiled kernels for web pages, made by Zig from the same files: make kernels. Versions other
# than the one that pyproject.toml pins give other bytes.
FOR_PAGES = FOLDER / "kernels.wasm"
# The same without WebAssembly: without SIMD, translated by js/translate.mjs to JavaScript, gzipped.
# Its first line is the SHA-256 of what was translated.
TRANSLATED = FOLDER / "kernels.js.gz"
_PAGE = "-target", "wasm32-freestanding", "-include", str(FOLDER / "narrow.h")
_WITH_SIMD = "-mcpu=generic+simd128+bulk_memory+bulk_memory_opt"
_WITHOUT_SIMD = "-mcpu=mvp+bulk_memory+bulk_memory_opt"

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
        path = shutil.which(name) if name else None
        if path:
            return path
    return None


def for_this_machine(order: int, *more: str) -> list[str]:
    """Return the arguments for a library of one order, but for ``-o`` and the file's name."""
    options = [*OPTIONS, *_position(sys.platform), *_linked(sys.platform)]
    return [*options, *_source(order, NATIVE), *more, str(_RUNTIME)]


def make_for_a_wheel(
    compiler: Sequence[str], architecture: str, system: str, library: Path, scratch: Path
) -> None:
    """Compile a wheel's library.

    ``compiler`` is the command of GCC or Clang, for an architecture, a key of `LEVELS`, and a
    system, one of `NAMES`; object files go to the folder ``scratch``. Raises `OSError` or
    `subprocess.CalledProcessError` if the compiler is not there or fails.
    """

    def compile_one(arguments: list[str]) -> str:
        subprocess.run([*compiler, *arguments], check=True)
        return arguments[-1]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compile_one, _objects(architecture, system, scratch)))
    subprocess.run([*compiler, *_linked(system), "-s", *objects, "-o", str(library)], check=True)


def make_for_pages(
    compiler: Sequence[str], library: Path, scratch: Path, *, simd: bool = True
) -> None:
    """Compile the C++ kernels of all orders, and for other bases, to WebAssembly.

    ``compiler`` is Zig's command for C++. Raises as `make_for_a_wheel`.
    """
    page = (*_PAGE, _WITH_SIMD if simd else _WITHOUT_SIMD)
    sources = [(f"{order}.o", _source(order, "wasm")) for order in (OTHER_BASES, *ORDERS)] + [
        ("runtime.o", (str(FOLDER / "wasm.cpp"),))
    ]
    for name, source in sources:
        options = [*page, *OPTIONS, "-c", *source, "-o", str(scratch / name)]
        subprocess.run([*compiler, *options], check=True)
    objects = [str(scratch / name) for name, _ in sources]
    linked = ["-nostdlib", "-s", "-Wl,--no-entry", "-Wl,--export-dynamic", "-o", str(library)]
    subprocess.run([*compiler, *_PAGE[:2], *objects, *linked], check=True)


def _objects(architecture: str, system: str, scratch: Path) -> Iterator[list[str]]:
    common = [*OPTIONS, *_position(system), "-c"]
    yield [*common, str(_RUNTIME), "-o", str(scratch / "runtime.o")]
    for level, instructions in LEVELS[architecture].items():
        for order in (OTHER_BASES, *ORDERS):
            target = scratch / f"{level}_{order}.o"
            yield [*common, *instructions, *_source(order, level), "-o", str(target)]


def _source(order: int, level: str) -> tuple[str, ...]:
    """Return the compiler's arguments for the source of an order and level."""
    return f"-DORDER={order}", f"-DLEVEL={level}", str(LOCAL)


def _position(system: str) -> tuple[str, ...]:
    return () if system == "win32" else ("-fPIC",)


def _linked(system: str) -> tuple[str, ...]:
    # Without C++'s library, of which nothing is used, one file runs beside any version of it.
    return ("-shared", "-Wl,--as-needed") if system == "linux" else ("-shared",)


if __name__ == "__main__":
    zig = [sys.executable, "-m", "ziglang", "c++"]
    with tempfile.TemporaryDirectory() as scratch:
        make_for_pages(zig, FOR_PAGES, Path(scratch))
        plain = Path(scratch, "plain.wasm")
        make_for_pages(zig, plain, Path(scratch), simd=False)
        translate = FOLDER.parents[2] / "js/translate.mjs"
        subprocess.run(["node", str(translate), str(plain), str(TRANSLATED)], check=True)
