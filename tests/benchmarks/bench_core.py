"""Time of the KAN convolution against its floor, and of a training step of the article's network.

Run ``python tests/benchmarks/bench_core.py`` on a quiet machine. The floor is ``nn.Conv2d`` over
``C * (grid_size + spline_order + 1)`` channels that are there already: what would remain if the
basis cost nothing. It is timed in both memory layouts, because torch's convolution of few output
channels is slower in the default one. All three are timed in turn, round by round, forward and
backward with the gradient of the input; the ratios are medians of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.nn import CNN, KANCNN, KANConv2d, count_parameters

CASES = {"a": (64, 1, 5, 28), "b": (64, 5, 10, 13), "c": (32, 16, 32, 32)}


def forward_and_backward(layer: nn.Module, x: Tensor) -> Callable[[], None]:
    x = x.requires_grad_()
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


def interleaved(runs: list[Callable[[], None]], rounds: int) -> list[list[float]]:
    """Milliseconds of every run in every round, after three rounds to warm up."""
    times: list[list[float]] = []
    for _ in range(rounds + 3):
        row = []
        for run in runs:
            start = time.perf_counter()
            run()
            row.append(1e3 * (time.perf_counter() - start))
        times.append(row)
    return times[3:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    print(f"torch {torch.__version__}, {arguments.threads} threads, {arguments.rounds} rounds")
    print("case                  KANConv2d   floor  ratio   floor (channels last)  ratio")
    for name, (n, channels, out, size) in CASES.items():
        layer = KANConv2d(channels, out, 3)
        floor = nn.Conv2d(channels * (layer.basis.n_basis + 1), out, 3, bias=False)
        ready = torch.randn(n, floor.in_channels, size, size)
        runs = [
            forward_and_backward(layer, torch.randn(n, channels, size, size)),
            forward_and_backward(floor, ready.clone()),
            forward_and_backward(floor, ready.contiguous(memory_format=torch.channels_last)),
        ]
        rounds = interleaved(runs, arguments.rounds if name != "c" else arguments.rounds // 3 + 1)
        ours, planar, last = (statistics.median(column) for column in zip(*rounds, strict=True))
        to_planar = statistics.median(row[0] / row[1] for row in rounds)
        to_last = statistics.median(row[0] / row[2] for row in rounds)
        shape = f"{name}: {n}×{channels}→{out} {size}×{size}"
        print(f"{shape:20s} {ours:8.2f} ms {planar:7.2f} {to_planar:6.2f}", end="")
        print(f" {last:16.2f} {to_last:12.2f}")
    print("training step, batch 64")
    models = {"KANCNN.article()": KANCNN.article(), "KANCNN()": KANCNN(), "CNN()": CNN()}
    rounds = interleaved([training_step(m, 64) for m in models.values()], arguments.rounds)
    for (name, model), column in zip(models.items(), zip(*rounds, strict=True), strict=True):
        size = f"{count_parameters(model):7,} parameters"
        print(f"{name:18s} {size} {statistics.median(column):8.2f} ms")


if __name__ == "__main__":
    main()
