"""Print what LayerRanges costs: a first picture, a refresh, a frame of the past, the training.

Run with ``python -m tests.benchmarks.bench_ranges``; the package must be installed. Times are
medians.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.widgets.numbers.layer_numbers import LayerNumbers


def milliseconds(call: Callable[[], object], times: int = 15) -> float:
    call()
    found = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        found.append(1000 * (time.perf_counter() - start))
    return statistics.median(found)


def step(model: nn.Module, optimizer: torch.optim.Optimizer, x: torch.Tensor) -> None:
    optimizer.zero_grad()
    model(x).square().mean().backward()
    optimizer.step()


def steps_in(seconds: float, call: Callable[[], object]) -> int:
    end, done = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        call()
        done += 1
    return done


def measure(name: str, sizes: tuple[int, ...]) -> None:
    """Print the costs for KAN layers of these sizes."""
    torch.manual_seed(0)
    layers = [kw.nn.KANLinear(a, b) for a, b in pairwise(sizes)]
    model = nn.Sequential(*layers)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    x = torch.randn(64, sizes[0])
    live = kw.bind(model, optimizer, every=10)
    count = sum(layer.count for layer in live.feed.layout.layers)

    def rate() -> float:
        return steps_in(2.0, lambda: step(model, optimizer, x)) / 2

    rate()
    shares = []
    for _ in range(4):
        alone = rate()
        view = kw.LayerRanges(live)
        live.observe(x)
        shares.append(rate() / alone)
        view.close()
    view = kw.LayerRanges(live)
    live.refresh()
    for _ in range(40):
        view._draw_job.now()
    frame = live.frame
    numbers = milliseconds(lambda: view._measure(live, frame))
    drawn = milliseconds(view._draw_job.now)
    past = milliseconds(lambda: LayerNumbers().moments(live, most=1))
    print(f"{name}: {count:,} in {len(layers)} layers")
    print(f"  all numbers of one frame         {numbers:6.1f} ms")
    print(f"  a refresh, marks and table too   {drawn:6.1f} ms; at most 3 a second")
    print(f"  one frame of the past            {past:6.1f} ms; each once")
    print(f"  steps a second with it, without  {100 * statistics.median(shares):6.1f} %")


def first_picture(layers: int, size: int) -> None:
    """Print how long it takes until so many layers are seen, of a model bound already."""
    torch.manual_seed(0)
    model = nn.Sequential(*(kw.nn.KANLinear(size, size) for _ in range(layers)))
    live = kw.bind(model)
    live.observe(torch.randn(64, size))
    start = time.perf_counter()
    view = kw.LayerRanges(live)
    measured = time.perf_counter() - start
    view.svg()
    drawn = time.perf_counter() - start
    count = sum(layer.count for layer in live.feed.layout.layers)
    print(f"{layers} layers, {count:,} functions")
    print(f"  until its numbers are sent       {1000 * measured:6.0f} ms")
    print(f"  until its first picture as SVG   {1000 * drawn:6.0f} ms")


if __name__ == "__main__":
    # The first picture of all loads the page's code, once.
    kw.LayerRanges(kw.nn.KANLinear(2, 2)).svg()
    first_picture(100, 10)
    first_picture(100, 32)
    measure("1,000 functions", (25, 20, 25))
    measure("10,000 functions", (100, 60, 67))
