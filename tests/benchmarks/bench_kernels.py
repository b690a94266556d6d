"""Speed of a wheel's kernels against those compiled here and torch's operations, company or not.

``python -m tests.benchmarks.bench_kernels`` compiles a wheel's library for this machine first;
``--library FILE`` takes the ``kernels.so`` of a wheel instead. Forward and backward, float32, one
after the other in each round in an order drawn anew; a factor is the median of the rounds' factors.
Then the same beside other processes that compute without end, one for each core, with as many
threads as cores: how many times as long each takes as without them.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from kan_widgets.nn import KANCNN, KANConv2d, KANLinear
from kan_widgets.nn.compiled import bundled, compile_options, native
from kan_widgets.nn.compiled.bundled import Kernels
from kan_widgets.nn.compiled.compiler import compiled_kernels as made_here
from tests.benchmarks.bench_core import (
    CONVOLUTIONS,
    LINEARS,
    factor,
    forward_and_backward,
    row,
    side_by_side,
    training_step,
)

WHEEL, HERE, TORCH = "the wheel's kernels", "compiled here", "torch's operations"


def taking(kernels: Kernels | None, run: Callable[[], None]) -> Callable[[], None]:
    """Make a run take these kernels, or torch's operations."""

    def switched() -> None:
        native.use_compiled(kernels is not None)
        native.library = lambda order: kernels  # type: ignore[assignment]
        run()

    return switched


def cases() -> dict[str, Callable[[], None]]:
    made = {
        f"{name}: {n}×{channels}→{out}, {size}×{size}": forward_and_backward(
            KANConv2d(channels, out, 3), torch.randn(n, channels, size, size)
        )
        for name, (n, channels, out, size) in CONVOLUTIONS.items()
    }
    for name, (n, features, out) in LINEARS.items():
        layer = KANLinear(features, out)
        made[f"{name}: {n}×{features}→{out}"] = forward_and_backward(
            layer, torch.randn(n, features)
        )
    made["step of KANCNN.article()"] = training_step(KANCNN.article(), 64)
    return made


def wheels_kernels(library: Path | None) -> dict[str, Kernels]:
    """Return the kernels of order 3 at every level that this processor runs."""
    if library is None:
        folder = Path(tempfile.mkdtemp())
        library = folder / compile_options.NAMES[sys.platform]
        compiler = compile_options.find_compiler() or "no compiler"
        machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
        compile_options.make_for_a_wheel([compiler], machine, sys.platform, library, folder)
    bundled.FILE = library
    found = {}
    for level in bundled.levels():
        os.environ["KAN_WIDGETS_LEVEL"] = level
        kernels = bundled.bundled_kernels(3)
        assert kernels is not None
        found[level] = kernels
    return found


def bench_compile(rounds: int) -> None:
    """Print a step within torch.compile by the eager step."""
    eager = KANCNN()
    compiled = copy.deepcopy(eager)
    compiled.compile()
    runs = {"eager": training_step(eager, 64), "compiled": training_step(compiled, 64)}
    times = side_by_side(runs, rounds)
    for way in runs:
        values = (
            f"{statistics.median(times[way]):9.2f} ms {factor(times, 'eager', way):8.2f} × eager"
        )
        row("step of KANCNN()", way, values)


@contextlib.contextmanager
def company(count: int) -> Iterator[None]:
    """Run processes that compute without end."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--library", type=Path, help="kernels.so of a wheel")
    parser.add_argument("--compile", action="store_true", help="torch.compile against eager, alone")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    if arguments.compile:
        bench_compile(arguments.rounds)
        return
    levels = wheels_kernels(arguments.library)
    here = made_here(compile_options.find_compiler() or "no compiler", 3, lambda: None)
    best = next(iter(levels))
    print(f"torch {torch.__version__}, {arguments.threads} threads, {arguments.rounds} rounds")
    print(f"the wheel's kernels: {best}, of {', '.join(levels)}")
    ways: dict[str, Kernels | None] = {WHEEL: levels[best], HERE: here, TORCH: None}
    ways |= {f"the wheel's, {level}": kernels for level, kernels in levels.items() if level != best}
    quiet = {}
    for case, run in cases().items():
        times = side_by_side({way: taking(k, run) for way, k in ways.items()}, arguments.rounds)
        quiet[case] = times, run
        for way in ways:
            milliseconds = f"{statistics.median(times[way]):9.2f} ms"
            row(case, way, f"{milliseconds} {factor(times, WHEEL, way):8.2f} × the wheel's")
    with company(os.cpu_count() or 1):
        for case, (alone, run) in quiet.items():
            runs = {way: taking(ways[way], run) for way in (WHEEL, HERE, TORCH)}
            times = side_by_side(runs, max(3, arguments.rounds // 2))
            for way in runs:
                before, now = statistics.median(alone[way]), statistics.median(times[way])
                against = f"{factor(times, WHEEL, way):8.2f} × the wheel's"
                values = f"{now:9.2f} ms {now / before:8.2f} × as alone {against}"
                row(f"{case}, in company", way, values)


if __name__ == "__main__":
    main()
