"""Print what the questions of `kan_widgets.insight` cost for some 10,000 functions.

Run with ``python -m tests.benchmarks.bench_insight``; the package must be installed. Each is
timed once.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import nn

import kan_widgets as kw
from kan_widgets import insight
from kan_widgets.insight import importance


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def kernels(name: str, model: nn.Module, batch: torch.Tensor) -> None:
    """Print the costs of all readings of kernels."""
    live = kw.bind(model)
    [observed], [layer] = live.observe(batch).values(), live.read()
    patches = len(observed.patches)
    print(f"{name}: {layer.n_functions:,} functions in {layer.shape[0]:,} kernels")
    print(f"  {patches:,} patches of {observed.patches.shape[1]:,} entries")

    check = seconds(lambda: insight.check_pattern(layer, observed))
    print(f"  readings                       {check:6.2f} s")


def layer_as_a_whole(name: str, model: nn.Module, batch: torch.Tensor) -> None:
    """Print the costs of importance and complexity."""
    live = kw.bind(model)
    [observed], [layer] = live.observe(batch).values(), live.read()
    print(f"{name}: {layer.n_functions:,} functions, {len(observed.patches):,} patches")
    print(f"  importance                     {seconds(lambda: importance(layer, observed)):6.2f} s")
    depth = seconds(lambda: insight.later_is_more_complex([layer, layer]))
    print(f"  complexity over depth, twice   {depth:6.2f} s")


def forms(name: str, model: nn.Module, batch: torch.Tensor) -> None:
    """Print the cost of symbolic forms, of functions that are wilder than those of a start."""
    nn.init.normal_(model.spline_weight, std=0.3)
    live = kw.bind(model)
    [observed], [layer] = live.observe(batch).values(), live.read()
    print(f"{name}: {layer.n_functions:,} functions, {len(observed.patches):,} patches")
    cost = seconds(lambda: insight.symbolic(layer, observed))
    print(f"  symbolic forms                 {cost:6.2f} s")


def explanation(name: str, model: nn.Module, batch: torch.Tensor) -> None:
    """Print the cost of one image explained."""
    live = kw.bind(model.eval())
    observed = live.observe(batch)
    layers = live.read()
    count = sum(layer.n_functions for layer in layers)
    convs = sum(layer.shape[0] * layer.shape[1] for layer in layers if layer.kind == "conv")
    print(f"{name}: {count:,} functions, {convs:,} kernels")
    cost = seconds(lambda: insight.explain(model, batch[0], observed=observed))
    print(f"  one image explained            {cost:6.2f} s")


if __name__ == "__main__":
    torch.manual_seed(0)
    layer_as_a_whole("dense", kw.nn.KANLinear(100, 100), torch.randn(256, 100))
    layer_as_a_whole("3 × 3", kw.nn.KANConv2d(32, 35, 3), torch.randn(16, 32, 14, 14))
    forms("dense", kw.nn.KANLinear(100, 100), torch.randn(256, 100))
    forms("3 × 3", kw.nn.KANConv2d(32, 35, 3), torch.randn(16, 32, 14, 14))
    kernels("dense", kw.nn.KANLinear(100, 100), torch.randn(256, 100))
    kernels("3 × 3", kw.nn.KANConv2d(32, 35, 3), torch.randn(16, 32, 14, 14))
    kernels("shared 3 × 3", kw.nn.SharedKANConv2d(1111, 3), torch.randn(64, 1, 28, 28))
    explanation("KANCNN", kw.nn.KANCNN(channels=(16, 32)), torch.randn(32, 1, 28, 28))
