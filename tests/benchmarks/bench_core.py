"""Speed and memory of the layers against other packages, and against their own floor.

Run ``python -m tests.benchmarks.bench_core`` on a quiet machine; with ``--peers FOLDER`` also
against the checkouts of Convolutional-KANs, torch-conv-kan and efficient-kan that lie in FOLDER.

Times are forward and backward with the gradient of the input, float32. In each round all run one
after the other, in an order drawn anew, as what ran before fills the caches: none is always the
one after the largest. A factor is the median of the rounds' factors. The floor is ``nn.Conv2d``
over ``C * (grid_size + spline_order + 1)`` channels that are there already, in the faster of the
two memory layouts, or ``nn.Linear`` over as many features: what the dense form would take if the
basis cost nothing.
"""

from __future__ import annotations

import argparse
import functools
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.nn import (
    CNN,
    KANCNN,
    KANConv1d,
    KANConv2d,
    KANConv3d,
    KANLinear,
    SharedKANConv2d,
    count_parameters,
)
from kan_widgets.nn.compiled import native
from tests.benchmarks import peers

CONVOLUTIONS = {"a": (64, 1, 5, 28), "b": (64, 5, 10, 13), "c": (32, 16, 32, 32)}
LINEARS = {"d1": (64, 625, 10), "d2": (256, 784, 64)}
EPOCH = 938  # batches of 64 in 60,000 images

#: How many times faster than a peer to be.
TARGETS = {
    "Convolutional-KANs": 150,
    "convkan": 20,
    "torch-conv-kan KANConv2DLayer": 3,
    "torch-conv-kan FastKANConv2DLayer": 1.4,
    "efficient-kan": 3.5,
    "pykan": 10,
    "flashkan": 1,
    "inkan": 1,
}


def forward_and_backward(layer: nn.Module, x: Tensor) -> Callable[[], None]:
    x = x.detach().requires_grad_()
    with torch.no_grad():
        grad = torch.randn_like(layer(x))

    def run() -> None:
        layer(x).backward(grad)
        x.grad = None
        layer.zero_grad(set_to_none=True)

    return run


def training_step(model: nn.Module, batch: int) -> Callable[[], None]:
    images, labels = torch.randn(batch, 1, 28, 28), torch.randint(10, (batch,))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)

    def run() -> None:
        optimizer.zero_grad()
        F.nll_loss(model(images), labels).backward()
        optimizer.step()

    return run


def side_by_side(runs: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Return milliseconds of every run in every round, after three rounds to warm up."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    order, draw = list(runs), random.Random(0)
    for _ in range(rounds + 3):
        draw.shuffle(order)
        for name in order:
            start = time.perf_counter()
            runs[name]()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: column[3:] for name, column in times.items()}


def factor(times: dict[str, list[float]], ours: str, other: str) -> float:
    return statistics.median(b / a for a, b in zip(times[ours], times[other], strict=True))


def row(case: str, against: str, values: str, target: str = "", met: bool | None = None) -> None:
    verdict = {None: "", True: "met", False: "NOT met"}[met]
    print(f"{case:24s} {against:36s} {values:34s} {target:10s} {verdict}".rstrip(), flush=True)


def compare(case: str, times: dict[str, list[float]]) -> None:
    """Print how many times faster than each peer."""
    for name in times:
        if name not in TARGETS:
            continue
        faster, target = factor(times, "ours", name), TARGETS[name]
        milliseconds = f"{statistics.median(times[name]):9.2f} ms {faster:8.1f} × faster"
        row(case, name, milliseconds, f"≥ {target} ×", faster >= target)


def bench_convolutions(checkouts: Path | None, rounds: int) -> None:
    others = peers.convolutions(checkouts)
    for name, (n, channels, out, size) in CONVOLUTIONS.items():
        layer = KANConv2d(channels, out, 3)
        floor = nn.Conv2d(channels * (layer.basis.n_basis + 1), out, 3, bias=False)
        ready = torch.randn(n, floor.in_channels, size, size)
        x = torch.randn(n, channels, size, size)
        runs = {
            "ours": forward_and_backward(layer, x),
            "floor": forward_and_backward(floor, ready),
            "floor, channels last": forward_and_backward(
                floor, ready.contiguous(memory_format=torch.channels_last)
            ),
        }
        for other, build in others.items():
            if name != "c" or other != "Convolutional-KANs":
                runs[other] = forward_and_backward(build(channels, out), x)
        times = side_by_side(runs, rounds)
        case = f"{name}: {n}×{channels}→{out}, {size}×{size}"
        row(case, "ours", f"{statistics.median(times['ours']):9.2f} ms")
        best = min(("floor", "floor, channels last"), key=lambda f: statistics.median(times[f]))
        distance = 1 / factor(times, "ours", best)
        milliseconds = f"{statistics.median(times[best]):9.2f} ms {distance:8.2f} × its time"
        row(case, best, milliseconds, "≤ 1.15 ×", distance <= 1.15)
        compare(case, times)


def bench_linears(checkouts: Path | None, rounds: int) -> None:
    others = peers.linears(checkouts)
    rounds *= 4  # they are short
    for name, (n, features, out) in LINEARS.items():
        x = torch.randn(n, features)
        layer = KANLinear(features, out)
        floor = nn.Linear(features * (layer.basis.n_basis + 1), out, bias=False)
        runs = {
            "ours": forward_and_backward(layer, x),
            "floor": forward_and_backward(floor, torch.randn(n, floor.in_features)),
        }
        for other, build in others.items():
            runs[other] = forward_and_backward(build(features, out), x)
        times = side_by_side(runs, rounds)
        case = f"{name}: {n}×{features}→{out}"
        row(case, "ours", f"{statistics.median(times['ours']):9.2f} ms")
        distance = 1 / factor(times, "ours", "floor")
        row(
            case, "floor", f"{statistics.median(times['floor']):9.2f} ms {distance:8.2f} × its time"
        )
        compare(case, times)


def bench_bases(rounds: int) -> None:
    """Time the other bases against the splines, both with as many functions."""
    names = "bspline", "rbf", "chebyshev", "fourier"
    layers: dict[str, tuple[Callable[[str], nn.Module], tuple[int, ...]]] = {
        "16×8→16, 28×28": (lambda basis: KANConv2d(8, 16, 3, basis=basis), (16, 8, 28, 28)),
        "64×784→64": (lambda basis: KANLinear(784, 64, basis=basis), (64, 784)),
        "64×8→16, 28×28, 1×1": (lambda basis: KANConv2d(8, 16, 1, basis=basis), (64, 8, 28, 28)),
        "64×5, 13×13, shared": (lambda basis: SharedKANConv2d(5, 3, basis=basis), (64, 5, 13, 13)),
        "64×8→16, 200": (lambda basis: KANConv1d(8, 16, 5, basis=basis), (64, 8, 200)),
        "4×4→8, 12×16×16": (lambda basis: KANConv3d(4, 8, 3, basis=basis), (4, 4, 12, 16, 16)),
    }
    for case, (build, shape) in layers.items():
        x = torch.randn(shape)
        runs = {name: forward_and_backward(build(name), x) for name in names}
        times = side_by_side(runs, 2 * rounds)
        for name in names:
            ratio = 1 / factor(times, name, "bspline")
            values = f"{statistics.median(times[name]):9.2f} ms {ratio:8.2f} × the splines"
            target = ("", None) if name == "bspline" else ("≤ 2 ×", ratio <= 2)
            row(case, name, values, *target)


def bench_grid_sizes(rounds: int) -> None:
    """Time case c at several grid sizes, compiled and by torch's operations."""
    n, channels, out, size = CONVOLUTIONS["c"]
    x = torch.randn(n, channels, size, size)

    def switched(compiled: bool, run: Callable[[], None]) -> Callable[[], None]:
        def both() -> None:
            native.use_compiled(compiled)
            run()

        return both

    runs = {}
    for compiled in (True, False):
        for grid_size in (5, 10, 20, 40):
            layer = KANConv2d(channels, out, 3, grid_size=grid_size)
            run = switched(compiled, forward_and_backward(layer, x))
            runs[f"{'compiled' if compiled else 'torch'} {grid_size}"] = run
    times = side_by_side(runs, max(3, rounds // 2))
    native.use_compiled(True)
    for name in runs:
        kind, grid_size = name.split()
        growth = factor(times, f"{kind} 5", name)
        last = grid_size == "40"
        values = f"{statistics.median(times[name]):9.2f} ms {growth:8.2f} × of grid size 5"
        row(f"c, grid size {grid_size}", kind, values, *(("≤ 3 ×", growth <= 3) if last else ()))


def bench_saved() -> None:
    """Count what is kept for the backward pass."""
    for name, (n, channels, out, size) in CONVOLUTIONS.items():
        for padding in (0, 1):
            layer = KANConv2d(channels, out, 3, padding=padding)
            x = torch.randn(n, channels, size, size)
            kept: dict[int, int] = {}

            def pack(tensor: Tensor, kept: dict[int, int] = kept) -> Tensor:
                storage = tensor.untyped_storage()
                kept[storage.data_ptr()] = storage.nbytes()
                return tensor

            with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
                layer(x)
            share = sum(kept.values()) / (x.nbytes + sum(p.nbytes for p in layer.parameters()))
            values = f"{sum(kept.values()) / 1024:9.1f} kB {share:8.2f} × input + weights"
            row(f"{name}, padding {padding}", "saved for backward", values, "≤ 1.2 ×", share <= 1.2)


def peak(name: str, checkouts: Path | None) -> float:
    """Return by how many MB forward and backward of case c raise this process's memory."""
    n, channels, out, size = CONVOLUTIONS["c"]
    builds = {"ours": lambda c, o: KANConv2d(c, o, 3), **peers.convolutions(checkouts)}
    layer = builds[name](channels, out)
    # Threads, libraries and the compiler are there before; their memory is not counted.
    forward_and_backward(layer, torch.randn(2, channels, 8, 8))()
    native.library(3)
    run = forward_and_backward_once(layer, torch.randn(n, channels, size, size))
    before = _status("VmRSS")
    run()
    return (_status("VmHWM") - before) / 1024


def forward_and_backward_once(layer: nn.Module, x: Tensor) -> Callable[[], None]:
    x = x.requires_grad_()
    grad = torch.randn(len(x), CONVOLUTIONS["c"][2], x.shape[2] - 2, x.shape[3] - 2)
    return lambda: layer(x).backward(grad)


def _status(field: str) -> int:
    """Return a field of Linux's /proc/self/status in kB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def bench_peaks(arguments: argparse.Namespace) -> None:
    """Measure the peak memory of case c, each in a process of its own."""
    options = [f"--threads={arguments.threads}"]
    if arguments.peers:
        options.append(f"--peers={arguments.peers}")
    found: dict[str, float] = {}
    for name in ("ours", *peers.convolutions(arguments.peers)):
        if name == "Convolutional-KANs":
            continue
        command = [sys.executable, "-m", "tests.benchmarks.bench_core", *options, f"--peak={name}"]
        found[name] = float(subprocess.check_output(command, text=True))
    targets = {"convkan": 10, "torch-conv-kan KANConv2DLayer": 2}
    for name, megabytes in found.items():
        share = found["ours"] / megabytes
        target = f"≤ 1/{targets[name]}" if name in targets else ""
        met = share <= 1 / targets[name] if name in targets else None
        values = f"{megabytes:9.1f} MB" + ("" if name == "ours" else f" ours {share:6.3f} of it")
        row("c, peak memory", name, values, target, met)


def bench_epoch(checkouts: Path | None, rounds: int) -> None:
    theirs = peers.articles_network(checkouts)
    ours = side_by_side({"ours": training_step(KANCNN.article(), 64)}, 5 * rounds)["ours"]
    seconds = EPOCH * statistics.median(ours) / 1000
    row("epoch, batch 64", "KANCNN.article()", f"{seconds:9.1f} s")
    if theirs is None:
        return
    step = side_by_side({"theirs": training_step(theirs, 64)}, 3)["theirs"]
    their_seconds = EPOCH * statistics.median(step) / 1000
    faster = their_seconds / seconds
    values = f"{their_seconds:9.1f} s  {faster:8.1f} × faster"
    row("epoch, 3 steps scaled", "Convolutional-KANs 2024", values, "≥ 60 ×", faster >= 60)


def bench_models(rounds: int) -> None:
    models = {"KANCNN.article()": KANCNN.article(), "KANCNN()": KANCNN(), "CNN()": CNN()}
    runs = {name: training_step(model, 64) for name, model in models.items()}
    times = side_by_side(runs, 2 * rounds)
    for name, model in models.items():
        size = f"{count_parameters(model):7,} parameters"
        row(
            "training step, batch 64",
            f"{name}, {size}",
            f"{statistics.median(times[name]):9.2f} ms",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peers", type=Path, help="folder of checkouts")
    parser.add_argument(
        "--only", nargs="*", help="convolutions linears bases grid saved peak epoch models"
    )
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    if arguments.peak:
        print(peak(arguments.peak, arguments.peers))
        return
    start = time.perf_counter()
    kernels = native.library(3)
    waited = time.perf_counter() - start
    print(
        f"torch {torch.__version__}, {arguments.threads} threads, {arguments.rounds} rounds, ",
        end="",
    )
    print(f"kernels {'compiled' if kernels else 'not compiled'} ({waited:.1f} s to have them)")
    parts = {
        "convolutions": functools.partial(bench_convolutions, arguments.peers, arguments.rounds),
        "linears": functools.partial(bench_linears, arguments.peers, arguments.rounds),
        "bases": functools.partial(bench_bases, arguments.rounds),
        "grid": functools.partial(bench_grid_sizes, arguments.rounds),
        "saved": bench_saved,
        "peak": functools.partial(bench_peaks, arguments),
        "epoch": functools.partial(bench_epoch, arguments.peers, arguments.rounds),
        "models": functools.partial(bench_models, arguments.rounds),
    }
    for name, part in parts.items():
        if not arguments.only or name in arguments.only:
            part()


if __name__ == "__main__":
    main()
