"""Convolutions over one and three dimensions beside the one over two, in time per number.

A number is one function at one place: outputs × inputs × kernel entries × places × examples. All
layers have kernels of 27 or 25 entries and see as many places; times are of a training step
(forward and backward pass) by the median of some, one after the other by turns.

Run: python -m tests.benchmarks.bench_conv_nd [--threads 1] [--rounds 15]
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from torch import Tensor, nn

from kan_widgets.nn import KANConv1d, KANConv2d, KANConv3d

CASES: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "KANConv2d(8, 16, 5)": (KANConv2d(8, 16, 5, padding=2), (8, 8, 64, 64)),
    "KANConv1d(8, 16, 25)": (KANConv1d(8, 16, 25, padding=12), (8, 8, 4096)),
    "KANConv2d(8, 16, 3)": (KANConv2d(8, 16, 3, padding=1), (8, 8, 64, 64)),
    "KANConv3d(8, 16, 3)": (KANConv3d(8, 16, 3, padding=1), (8, 8, 16, 16, 16)),
}


def step(layer: nn.Module, x: Tensor) -> float:
    """Return the seconds of a training step."""
    start = time.perf_counter()
    layer(x).square().mean().backward()
    return time.perf_counter() - start


def numbers(layer: nn.Module, x: Tensor) -> int:
    """Return how many functions are added up, at all places of all examples."""
    functions = sum(p.numel() for n, p in layer.named_parameters() if n.endswith("base_weight"))
    with torch.no_grad():
        y = layer(x)
    return functions * len(x) * y[0, 0].numel()


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    inputs = {name: torch.rand(shape) * 2 - 1 for name, (_, shape) in CASES.items()}
    for x in inputs.values():
        x.requires_grad_()
    times: dict[str, list[float]] = {name: [] for name in CASES}
    for turn in range(given.rounds + 2):
        for name, (layer, _) in CASES.items():
            took = step(layer, inputs[name])
            if turn >= 2:
                times[name].append(took)
    print(f"{'layer':<22}{'ms a step':>11}{'numbers':>14}{'ns a number':>13}")
    for name, (layer, _) in CASES.items():
        took, count = statistics.median(times[name]), numbers(layer, inputs[name])
        print(f"{name:<22}{took * 1e3:>11.1f}{count:>14,}{took / count * 1e9:>13.3f}")


if __name__ == "__main__":
    main()
