"""What watching costs from 10⁴ to 10⁷ functions: binding, pictures, frames, the loop, the page.

In JupyterLab, in one run for each size: cells of as many steps with the view on the page and, for
a second model, without one, by turns. A step is a little work and a change of some functions; it
is the same at every size, so what grows with the size is what watching costs.

Run: python -m tests.benchmarks.bench_size [--help]
"""

from __future__ import annotations

import argparse
import os
import pathlib
import statistics
import sys
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))

from tests.browser.bare import bare_page
from tests.browser.lab import LabPage, LabServer

SHAPES = {4: (100, 100), 5: (320, 313), 6: (1000, 1000), 7: (3200, 3125)}

SETUP = """
import os, resource, threading, time
if {core} is not None:
    for task in os.listdir("/proc/self/task"):
        os.sched_setaffinity(int(task), [{core}])
import torch
import kan_widgets as kw

torch.set_num_threads(1)
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6

class Peak:
    "The most memory used meanwhile, in MB, above what was used before."
    def __enter__(self):
        self.base = self.most = resident()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self
    def watch(self):
        while not self.over.wait(0.005):
            self.most = max(self.most, resident())
    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.above = self.most - self.base

class Trained:
    def __init__(self):
        with torch.no_grad():
            large, small = kw.nn.KANLinear({inputs}, {out}), kw.nn.KANLinear(2, 1)
            self.model = torch.nn.Sequential(large, small)
        # Only the small layer has gradients: what a step costs is the same at every size.
        self.optimizer = torch.optim.SGD(self.model.parameters(), 1e-3)
        for parameter in self.model[1].parameters():
            parameter.grad = torch.ones_like(parameter)
        start = time.perf_counter()
        with Peak() as self.peak:
            self.live = kw.bind(self.model, self.optimizer, every=1)
        self.seconds = time.perf_counter() - start
        self.work = torch.randn(300, 300)
    def train(self, steps):
        start, spent = time.perf_counter(), time.thread_time()
        self.run(steps)
        self.took, self.spent = time.perf_counter() - start, time.thread_time() - spent
    def run(self, steps):
        visible = self.model[0].base_weight.detach()[:40, :40]
        for _ in range(steps):
            self.work @ self.work
            visible.mul_(-0.99)
            self.optimizer.step()
    def train_for(self, seconds):
        before, end = self.live.stats.frames_taken, time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.run(1)
            time.sleep(0.002)
        return (self.live.stats.frames_taken - before) / seconds

seen, alone = Trained(), Trained()
with Peak() as pictured:
    start, before = time.perf_counter(), time.process_time()
    grid = kw.KernelGrid(seen.live, "0")
    grid.image()
    first_picture = time.perf_counter() - start
    first_cpu = time.process_time() - before
"""

# A cell with and one without a view, by turns.
PAIRS = 5
STEPS = 1500


def renderer_megabytes() -> float:
    """Return the memory of the largest page of a browser on this machine."""
    most = 0.0
    for process in pathlib.Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if b"--type=renderer" in (process / "cmdline").read_bytes():
                    pages = int((process / "statm").read_text().split()[1])
                    most = max(most, pages * 4096 / 1e6)
            except OSError:
                continue
    return most


def measure(
    lab: LabPage, server: LabServer, exponent: int, seconds: float, core: int | None
) -> str:
    """Run one size; return its line of the table."""
    out, inputs = SHAPES[exponent]
    cells = [
        SETUP.format(out=out, inputs=inputs, core=core),
        "grid",
        "seen.train(300)",
        f"seen.train({STEPS})",
        f"alone.train({STEPS})",
        f"rate = seen.train_for({seconds})",
    ]
    lab.open(server.write_notebook(cells))
    before = renderer_megabytes()
    lab.run_cell(0)
    lab.run_cell(1)
    lab.grid()
    lab.page.evaluate("document.querySelector('.kw-kernel-grid').scrollIntoView()")
    lab.run_cell(2)

    def timed(cell: int) -> tuple[float, float]:
        # By the kernel's clock: a busy page shows late that a cell is over.
        lab.run_cell(cell)
        name = {3: "seen", 4: "alone"}[cell]
        took, spent = lab.evaluate(f"[{name}.took, {name}.spent]")
        return took, spent

    ratios, loops = [], []
    for number in range(PAIRS):
        order = (3, 4) if number % 2 else (4, 3)
        took = {cell: timed(cell) for cell in order}
        ratios.append(took[3][0] / took[4][0])
        loops.append(took[3][1] / took[4][1])
    drawn = "document.querySelector('.kw-kernel-grid').kwView.drawn().frames"
    first = lab.page.evaluate(drawn)
    lab.run_cell(5)
    per_second = (lab.page.evaluate(drawn) - first) / seconds
    errors = lab.cell_errors()
    if errors:
        raise RuntimeError(errors[0])
    asked = (
        "[seen.seconds, seen.peak.above, first_picture, first_cpu, pictured.above, "
        "len(grid.stream.frame['data']), rate, seen.live.frame.nbytes]"
    )
    bind, bound, picture, cpu, above, sent, rate, whole = lab.evaluate(asked)
    return (
        f"{out * inputs:>10,} | {bind:5.2f} s {bound:6.0f} MB | {picture:5.2f} s, CPU {cpu:5.2f} s "
        f"{above:6.0f} MB | "
        f"{sent:>9,} of {whole:>11,} | {statistics.median(ratios):5.3f} "
        f"({min(ratios):.3f} to {max(ratios):.3f}) | {statistics.median(loops):5.3f} "
        f"({min(loops):.3f} to {max(loops):.3f}) | {per_second:5.1f} of {rate:5.1f} | "
        f"{renderer_megabytes() - before:6.0f} MB"
    )


def main(arguments: Any = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What watching costs, by number of functions.")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--exponents", type=int, nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--apart", action="store_true", help="a core for the kernel alone")
    options = parser.parse_args(arguments)
    core = None
    if options.apart:
        core, *others = sorted(os.sched_getaffinity(0))
        if not others:
            parser.error("--apart: expected a machine with two cores or more, this one has one")
        os.sched_setaffinity(0, others)
    print(
        " functions | bind, memory     | first picture                | bytes of a frame         | "
        "cell with a page / without  | its thread's CPU alone | drawn of taken/s | page"
    )
    with LabServer() as server:
        for exponent in options.exponents:
            with bare_page(1280, 900) as page:
                lab = LabPage(page, server)
                print(measure(lab, server, exponent, options.seconds, core), flush=True)
            server.shut_kernels()


if __name__ == "__main__":
    main()
