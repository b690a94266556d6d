"""This checkout (B) beside another commit (A): what became faster, what slower.

Each row is a script in a process of its own, with the package of either tree, in turns A, B, A, B:
what else the machine does meets both alike. A script uses only what both trees have, and prints
its figures. The table has the median of each tree's runs, B by A, and the least and the largest
ratio of a pair of runs: where these have 1 between them, no difference was found.

Run: make bench-against COMMIT=v0.2.0, or python -m tests.benchmarks.bench_against [--help]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: Before each script. Milliseconds; processor time is that of all threads. Within a process two
#: things are compared by it: what else the machine does is not in it.
PRELUDE = """
import json, os, random, statistics, sys, time
import torch
import kan_widgets as kw
from torch import nn

assert kw.__file__.startswith(os.environ["BENCH_TREE"] + os.sep), kw.__file__
torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
torch.manual_seed(0)

def timed(*runs, rounds=15, warm=3):
    "Time calls in turns; return a list of (wall, processor) for each."
    times = [[] for _ in runs]
    for _ in range(rounds + warm):
        for run, found in zip(runs, times):
            start, cpu = time.perf_counter(), time.process_time()
            run()
            found.append((time.perf_counter() - start, time.process_time() - cpu))
    return [[1e3 * statistics.median(c) for c in zip(*found[warm:])] for found in times]

def both_ways(layer, *shape):
    "Forward and backward, with the gradient of the input."
    x = torch.randn(*shape, requires_grad=True)
    gradient = torch.randn_like(layer(x).detach())
    def run():
        layer(x).backward(gradient)
        x.grad = None
        layer.zero_grad(set_to_none=True)
    return run

def say(**figures):
    print(json.dumps(figures))

def say_times(times, **figures):
    say(wall=times[0], processor=times[1], **figures)
"""

CONV = "say_times(*timed(both_ways(kw.nn.KANConv2d(8, 16, 3), 64, 8, 28, 28)))"

STEP = """
model = kw.nn.KANCNN()
images, labels = torch.randn(64, 1, 28, 28), torch.randint(10, (64,))
optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
def step():
    optimizer.zero_grad()
    nn.functional.nll_loss(model(images), labels).backward()
    optimizer.step()
say_times(*timed(step, rounds=8))
"""

# `nn.Conv2d` over channels that are there already, in the faster of two layouts in memory.
FLOOR = """
n, channels, out, size = {shape}
layer = kw.nn.KANConv2d(channels, out, 3)
wide = channels * (layer.basis.n_basis + 1)
floors = [nn.Conv2d(wide, out, 3, bias=False) for _ in range(2)]
floors[1] = floors[1].to(memory_format=torch.channels_last)
(wall, cpu), *floor = timed(
    both_ways(layer, n, channels, size, size), *(both_ways(f, n, wide, size, size) for f in floors))
say_times((wall, cpu), by_floor=cpu / min(f[1] for f in floor))
"""

FAMILY = """
named, splines = ({make} for basis in ("{basis}", "bspline"))
(wall, cpu), other = timed(both_ways(named, {shape}), both_ways(splines, {shape}))
say_times((wall, cpu), by_splines=cpu / other[1])
"""

BOUND = """
model = kw.nn.KANCNN()
live = kw.bind(model, torch.optim.SGD(model.parameters(), 0.1))
live.observe(kw.data.mnist("embedded").test_images[:64])
"""

STILL = BOUND + "say_times(*timed(kw.{view}(live).image, rounds=5, warm=1))"

# As a notebook shows a view: what it takes until the page is sent it, and until the cell is over.
DISPLAY = (
    BOUND
    + """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.user_ns |= {{"kw": kw, "live": live}}
clocks = lambda: (time.perf_counter(), time.process_time())
sent = []
shell.display_pub.publish = lambda *a, **k: sent.append(clocks())
shell.run_cell("None")
start = clocks()
shell.run_cell("display(kw.{view}(live))")
end = clocks()
(wall, cpu), (_, in_all) = ([1e3 * (b - a) for a, b in zip(start, at)] for at in (sent[0], end))
say(wall=wall, processor=cpu, processor_with_still=in_all)
"""
)

# The optimizer's step alone, so that what watching adds is not lost in what the model takes.
WATCHED = """
def loop(bound):
    model = kw.nn.KANLinear({inputs}, {out})
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    for p in model.parameters():
        p.grad = torch.randn_like(p)
    live = kw.bind(model, optimizer) if bound else None
    def run():
        for _ in range(2000):
            optimizer.step()
    return run, live
(bound, live), (alone, _) = loop(True), loop(False)
(wall, cpu), other = timed(bound, alone, rounds=9, warm=1)
say_times((wall, cpu), by_unbound=cpu / other[1])
"""

# A bound step and one of another model in turns: what else the machine does meets both alike. Of
# all threads, without a page; what other threads do goes by the clock, so that half of it counts.
STEP_WATCHED = """
def loop(bound):
    model = kw.nn.KANLinear({side}, {side})
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    x = torch.rand({batch}, {side}) * 2 - 1
    live = kw.bind(model, optimizer, every={every}, prove=False) if bound else None
    def step():
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()
    return step, live
(bound, live), (alone, _) = loop(True), loop(False)
for _ in range(5):
    bound(), alone()
spent, now, end = [0.0, 0.0], time.thread_time, time.perf_counter() + {seconds}
whole, mine, turn = time.process_time(), now(), 0
while time.perf_counter() < end:
    for which in (turn, 1 - turn):
        start = now()
        (bound, alone)[which]()
        spent[which] += now() - start
    turn = 1 - turn
others = time.process_time() - whole - (now() - mine)
say(by_unbound=(spent[0] + others / 2) / spent[1])
"""

# Epochs watched and not in turns: by the clock, and of all threads' processor time.
ALL_WATCHED = """
import tempfile
digits = kw.data.mnist("embedded")
model = kw.nn.KANCNN()
optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
some = digits.test_images[:64], digits.test_labels[:64]
def epoch(live=None):
    start, cpu = time.perf_counter(), time.process_time()
    for images, labels in zip(digits.train_images.split(64), digits.train_labels.split(64)):
        optimizer.zero_grad()
        loss = nn.functional.nll_loss(model(images), labels)
        loss.backward()
        optimizer.step()
        if live is not None:
            live.log(loss=loss)
    return time.perf_counter() - start, time.process_time() - cpu
def watched():
    with tempfile.TemporaryDirectory() as folder, kw.bind(model, optimizer, prove=False) as live:
        live.observe(some[0])
        live.probe(*(each[:8] for each in some))
        views = [kw.KernelGrid(live), kw.SplineInspector(live), kw.MeshgridView(live)]
        views += [kw.LayerRanges(live), kw.TrainingPanel(live), kw.NetworkView(live)]
        views += [kw.Dashboard(live), kw.Explain(live, some[0][0]), kw.Compare({"one": live})]
        with live.record(folder + "/run.npz"):
            found = epoch(live)
        for view in views:
            view.close()
    return found
epoch(), watched()
pairs = []
for turn in range(6):
    if turn % 2:
        pairs.append((watched(), epoch()))
    else:
        alone = epoch()
        pairs.append((watched(), alone))
clock, processor = ([w[i] / a[i] for w, a in pairs] for i in (0, 1))
say(by_unwatched=statistics.median(clock), processor=statistics.median(processor))
"""

# A benchmark in a browser, of which kernels have the tree's package; the last line of its table.
IN_A_PAGE = """
import re, subprocess
tree = os.environ["BENCH_TREE"]
if not hasattr(kw, {view!r}):
    sys.exit("this tree has no {view}")
command = [sys.executable, "-m", "tests.benchmarks.{name}", "--tree", tree, *{arguments}]
done = subprocess.run(command, cwd={root!r}, capture_output=True, text=True)
if done.returncode:
    sys.exit(done.stderr)
columns = re.findall(r"-?[\\d.]+", done.stdout.splitlines()[-1].replace(",", ""))
say(**{{name: float(columns[at]) for name, at in {figures}.items()}})
"""


@dataclass(frozen=True)
class Row:
    """A script, and the threads that torch has in it."""

    script: str
    threads: int = 1


VIEWS = (
    "KernelGrid",
    "SplineInspector",
    "MeshgridView",
    "LayerRanges",
    "TrainingPanel",
    "Dashboard",
)
SHAPES = {"a": (64, 1, 5, 28), "b": (64, 5, 10, 13), "c": (32, 16, 32, 32)}
LATENCY = {"p50": 1, "p95": 2, "redraw": 6, "drawn_per_second": 7, "kernel": 10}
NETWORK = {"first_s": 2, "drawn_per_second": 3}
WATCHED_BY = {"by_alone": 0, "processor_by_alone": 3}


def in_a_page(
    name: str, arguments: list[str], figures: dict[str, int], view: str = "KernelGrid"
) -> Row:
    """Return the row of a benchmark in a browser: names of figures, and their columns."""
    return Row(
        IN_A_PAGE.format(name=name, arguments=arguments, figures=figures, view=view, root=str(ROOT))
    )


def watching_rows() -> dict[str, Row]:
    """Return the rows of what watching takes of a training, in whichever thread."""
    cases = ((4, 10, 6), (4, 1, 6), (5, 10, 10), (5, 1, 10), (7, 10, 90))
    return {
        **{
            f"step-watched-{size}-{every}": Row(
                STEP_WATCHED.format(
                    side=round(10 ** (size / 2)),
                    batch=64 if size < 6 else 8,
                    every=every,
                    seconds=seconds,
                )
            )
            for size, every, seconds in cases
        },
        "nine-views": Row(ALL_WATCHED),
    }


ROWS: dict[str, Row] = {
    **{f"conv-{n}": Row(CONV, n) for n in (1, 2)},
    **{f"step-{n}": Row(STEP, n) for n in (1, 2)},
    **{f"floor-{name}": Row(FLOOR.format(shape=shape)) for name, shape in SHAPES.items()},
    **{
        f"{basis}-{kind}": Row(FAMILY.format(make=make, basis=basis, shape=shape))
        for basis in ("rbf", "chebyshev", "fourier")
        for kind, make, shape in (
            ("conv", "kw.nn.KANConv2d(8, 16, 3, basis=basis)", "64, 8, 28, 28"),
            ("linear", "kw.nn.KANLinear(784, 64, basis=basis)", "256, 784"),
        )
    },
    **{f"still-{view}": Row(STILL.format(view=view)) for view in VIEWS},
    **{
        f"display-{view}": Row(DISPLAY.format(view=view))
        for view in ("KernelGrid", "NetworkView", "Dashboard")
    },
    **{
        f"watched-{inputs * out}": Row(WATCHED.format(inputs=inputs, out=out))
        for inputs, out in ((25, 40), (100, 100))
    },
    **watching_rows(),
    **{
        f"page-latency-{count}": in_a_page(
            "bench_latency", ["--functions", str(count), "--seconds", "8"], LATENCY
        )
        for count in (1000, 10000)
    },
    **{
        f"page-watched-{view}": in_a_page("bench_watched", ["--views", view], WATCHED_BY, view)
        for view in ("KernelGrid", "Dashboard")
    },
    "page-busy-KernelGrid": in_a_page(
        "bench_watched", ["--views", "KernelGrid", "--busy", str(os.cpu_count())], WATCHED_BY
    ),
    "page-network": in_a_page(
        "bench_network", ["--models", "1,000", "--seconds", "8"], NETWORK, "NetworkView"
    ),
}


@contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """Check a commit out in a temporary folder, and remove it at the end."""
    with tempfile.TemporaryDirectory(prefix="kan_widgets-against-") as folder:
        tree = Path(folder).resolve() / "tree"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), commit], check=True)
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def measured(row: Row, tree: Path) -> dict[str, float] | str:
    """Return a row's figures in a tree, or why there are none."""
    env = os.environ | {
        "PYTHONPATH": str(tree),
        "BENCH_TREE": str(tree),
        "OMP_NUM_THREADS": str(row.threads),
    }
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + row.script],
        env=env,
        cwd=tree.parent,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def compare(name: str, row: Row, trees: tuple[Path, Path], repeat: int) -> None:
    """Print a row of the table, a line for each of its figures."""
    found: tuple[list[dict[str, float]], list[dict[str, float]]] = [], []  # type: ignore[assignment]
    for _ in range(repeat):
        for label, tree, runs in zip("AB", trees, found, strict=True):
            figures = measured(row, tree)
            if isinstance(figures, str):
                print(f"{name:<22} {label} has none: {figures[:120]}", flush=True)
                return
            runs.append(figures)
    for figure in found[0][0]:
        before, after = ([run[figure] for run in runs] for runs in found)
        a, b = statistics.median(before), statistics.median(after)
        pairs = [y / x for x, y in zip(before, after, strict=True)]
        spread = f"{min(pairs):.2f}–{max(pairs):.2f}"
        print(f"{name:<22} {figure:<18} {a:10.3f} {b:10.3f} {b / a:7.2f}  {spread}", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="This checkout (B) beside another commit (A).")
    parser.add_argument("commit", help="A: a commit, tag or branch")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW")
    parser.add_argument("--repeat", type=int, default=5, help="pairs of runs of each row")
    parser.epilog = f"Rows: {', '.join(ROWS)}."
    options = parser.parse_args()
    if options.repeat < 1:
        parser.error(f"--repeat {options.repeat}: expected a whole number ≥ 1")
    asked = ["git", "-C", str(ROOT), "rev-parse", "--verify", f"{options.commit}^{{commit}}"]
    known = subprocess.run(asked, capture_output=True, text=True)
    if known.returncode:
        parser.error(f"{options.commit}: expected a commit of this repository")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the worktree goes then too
    with worktree(known.stdout.strip()) as tree:
        trees = tree, ROOT
        for each in trees:  # what is compiled once is no part of any figure
            measured(Row(CONV), each)
            subprocess.run([sys.executable, "-m", "compileall", "-q", each / "kan_widgets"])
        print(f"A: {options.commit} ({known.stdout[:9]}), B: {ROOT.name}; milliseconds")
        print(f"{'':<22} {'':<18} {'A':>10} {'B':>10} {'B/A':>7}  of pairs")
        for name in options.rows:
            compare(name, ROWS[name], trees, options.repeat)


if __name__ == "__main__":
    main()
