"""Print what the questions of `kan_widgets.insight` cost for some 10,000 functions.

Run with ``python tests/benchmarks/bench_insight.py``; the package must be installed. Each is
timed once.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import nn

import kan_widgets as kw
from kan_widgets import insight
from kan_widgets.functions import LayerFunctions


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def kernels(name: str, model: nn.Module, batch: torch.Tensor) -> None:
    """Print the costs of preferred patches, linear kernels, patterns and the report."""
    live = kw.bind(model)
    [observed], [layer] = live.observe(batch).values(), live.read()
    patches = len(observed.patches)
    print(f"{name}: {layer.n_functions:,} functions in {layer.shape[0]:,} kernels")
    print(f"  {patches:,} patches of {observed.patches.shape[1]:,} entries")

    def each(found: Callable[[insight.Kernel], object]) -> Callable[[], object]:
        return lambda: [found(kernel) for kernel in all_of(layer)]

    print(f"  preferred patches, one by one  {seconds(each(insight.preferred_patch)):6.2f} s")
    fits = seconds(lambda: insight.linear_kernels(layer, observed))
    print(f"  linear kernels                 {fits:6.2f} s")
    report = seconds(lambda: insight.kernel_report(layer, observed))
    print(f"  kernel report, all together    {report:6.2f} s")


def all_of(layer: LayerFunctions) -> list[insight.Kernel]:
    return [insight.kernel_of(layer, out) for out in range(layer.shape[0])]


if __name__ == "__main__":
    torch.manual_seed(0)
    kernels("dense", kw.nn.KANLinear(100, 100), torch.randn(256, 100))
    kernels("3 × 3", kw.nn.KANConv2d(32, 35, 3), torch.randn(16, 32, 14, 14))
    kernels("shared 3 × 3", kw.nn.SharedKANConv2d(1111, 3), torch.randn(64, 1, 28, 28))
