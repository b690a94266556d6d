"""What the first picture of a large layer takes: time, and memory above the model.

Each row is a process of its own, which makes a layer of so many functions, binds it and draws one
view of it; its memory is looked at every few milliseconds meanwhile.

Run: python -m tests.benchmarks.bench_first_picture [--help]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import threading
import time
from typing import Any

SHAPES = {5: (320, 313), 6: (1000, 1000), 7: (3200, 3125), 7.5: (6000, 5000)}
VIEWS = ("KernelGrid", "SplineInspector", "LayerRanges", "Explain", "NetworkView")


def resident() -> float:
    """Return the memory of this process, in MB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


class Spent:
    """Time spent, and the most memory used meanwhile, in MB."""

    def __enter__(self) -> Spent:
        self.most, self._over = resident(), threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()
        self.start, self.cpu = time.perf_counter(), time.process_time()
        return self

    def _watch(self) -> None:
        while not self._over.wait(0.004):
            self.most = max(self.most, resident())

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self.start
        self.cpu = time.process_time() - self.cpu
        self._over.set()
        self._watcher.join()


def measure(view: str, exponent: float) -> None:
    """Print one row, in this process."""
    import torch

    import kan_widgets as kw

    def drawn(live: Any, inputs: int) -> None:
        more = (torch.randn(inputs),) if view == "Explain" else ()
        getattr(kw, view)(live, *more).image()

    small = kw.nn.KANLinear(3, 2)
    drawn(kw.bind(small), 3)  # what is loaded once
    inputs, out = SHAPES[exponent]
    with torch.no_grad():
        model = torch.nn.Sequential(kw.nn.KANLinear(inputs, out))
    base = resident()
    with Spent() as binding:
        live = kw.bind(model)
    with Spent() as picture:
        drawn(live, inputs)
    size = sum(4 * parameter.numel() for parameter in model.parameters()) / 1e6
    print(
        f"{view:16} | {inputs * out:>10,} | {size:5.0f} MB | {binding.seconds:6.2f} s, CPU "
        f"{binding.cpu:5.2f} s, {binding.most - base:5.0f} MB | {picture.seconds:6.2f} s, CPU "
        f"{picture.cpu:5.2f} s, {picture.most - base:5.0f} MB",
        flush=True,
    )


def main(arguments: Any = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="The first picture of large layers.")
    parser.add_argument("--exponents", type=float, nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--views", nargs="+", choices=VIEWS, default=list(VIEWS))
    parser.add_argument("--here", action="store_true", help="in this process, the first of each")
    options = parser.parse_args(arguments)
    if options.here:
        measure(options.views[0], options.exponents[0])
        return
    print(
        "view             |  functions | model    | bind, above the model | first picture, above it"
    )
    for exponent in options.exponents:
        for view in options.views:
            more = ["--exponents", str(exponent), "--views", view]
            this = [sys.executable, "-m", "tests.benchmarks.bench_first_picture", "--here", *more]
            subprocess.run(this, check=True)


if __name__ == "__main__":
    main()
