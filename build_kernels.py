"""Compile the kernels into what is shipped: a library for a wheel, and WebAssembly for pages.

``hatch_build.py`` makes the one while it builds a wheel, ``make kernels`` the other.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

_PAGE = "-target", "wasm32-freestanding", "-mcpu=generic+simd128+bulk_memory+bulk_memory_opt"


def _compile_options() -> ModuleType:
    """Import `compile_options` without the package around it, which needs torch."""
    file = Path(__file__).parent / "kan_widgets/nn/kernels/compile_options.py"
    spec = importlib.util.spec_from_file_location("compile_options", file)
    assert spec is not None
    assert spec.loader is not None
    options = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(options)
    return options


options = _compile_options()


def make_for_a_wheel(
    compiler: Sequence[str], architecture: str, system: str, made: Path, scratch: Path
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
    subprocess.run(
        [*compiler, *options.linked(system), "-s", *objects, "-o", str(made)], check=True
    )


def make_for_pages(compiler: Sequence[str], made: Path, scratch: Path) -> None:
    """Compile the kernels of all orders, and for other bases, to WebAssembly.

    ``compiler`` is Zig's command for C++. Raises as `make_for_a_wheel`.
    """
    sources = [
        (f"{order}.o", options.part(order, "wasm"))
        for order in (options.OTHER_BASES, *options.ORDERS)
    ] + [("runtime.o", (str(options.FOLDER / "wasm.cpp"),))]
    for name, source in sources:
        how = [*_PAGE, *options.OPTIONS, "-c", *source, "-o", str(scratch / name)]
        subprocess.run([*compiler, *how], check=True)
    objects = [str(scratch / name) for name, _ in sources]
    linked = ["-nostdlib", "-s", "-Wl,--no-entry", "-Wl,--export-dynamic", "-o", str(made)]
    subprocess.run([*compiler, *_PAGE[:2], *objects, *linked], check=True)


def _objects(architecture: str, system: str, scratch: Path) -> Iterator[list[str]]:
    common = [*options.OPTIONS, *options.position(system), "-c"]
    yield [*common, str(options.RUNTIME), "-o", str(scratch / "runtime.o")]
    for level, instructions in options.LEVELS[architecture].items():
        for order in (options.OTHER_BASES, *options.ORDERS):
            made = scratch / f"{level}_{order}.o"
            yield [*common, *instructions, *options.part(order, level), "-o", str(made)]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        make_for_pages([sys.executable, "-m", "ziglang", "c++"], options.FOR_PAGES, Path(scratch))
