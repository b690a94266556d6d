"""What it takes to read a frame of 10,000 functions, for each library; and pykan's own plot.

Run: python tests/benchmarks/bench_adapters.py
"""

from __future__ import annotations

import contextlib
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.live.frame import Copy
from kan_widgets.live.layout import Fingerprint, build_layout

ROUNDS = 50


def frame_milliseconds(model: nn.Module) -> tuple[int, int, float, float]:
    """Return functions, bases, and the median and slowest time of a frame as a binding takes it."""
    entries = kw.functions.find(model)

    def read() -> list[kw.functions.LayerFunctions]:
        return [layer for entry in entries for layer in entry.read()]

    layers = read()
    build_layout(layers)
    fingerprint = Fingerprint.of(layers)
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        layers = read()
        assert fingerprint.fits(Fingerprint.of(layers))
        Copy(layers).data()
        times.append(1000 * (time.perf_counter() - start))
    count = sum(layer.n_functions for layer in layers)
    bases = sum(len(layer.bases) for layer in layers)
    return count, bases, statistics.median(times), max(times)


def own_grids(grid: torch.Tensor) -> None:
    """Give each input knots of its own, as updating a grid does."""
    with torch.no_grad():
        grid *= 1 + 0.1 * torch.rand(*grid.shape[:-1], 1)


def models() -> dict[str, Callable[[], nn.Module]]:
    """Return what is measured: the packages' modules, else modules that compute the same."""
    import convkan
    import flashkan
    import inkan

    sys.path.insert(0, str(Path(__file__).parents[1] / "functions"))
    import lookalikes

    def efficient_own_grids() -> nn.Module:
        layer = lookalikes.KANLinear(100, 100)
        own_grids(layer.grid)
        return layer

    def convkan_own_grids() -> nn.Module:
        layer = convkan.ConvKAN(33, 33, 3)
        own_grids(layer.kan_layer.grid)
        return layer

    return {
        "kan_widgets KANConv2d": lambda: kw.nn.KANConv2d(34, 33, 3),
        "kan_widgets KANLinear": lambda: kw.nn.KANLinear(100, 100),
        "torch Conv2d": lambda: nn.Conv2d(34, 33, 3),
        "convkan ConvKAN": lambda: convkan.ConvKAN(34, 33, 3),
        "convkan ConvKAN, own grids": convkan_own_grids,
        "flashkan KANLayer": lambda: flashkan.KANLayer(100, 100),
        "inkan KANLayer": lambda: inkan.KANLayer(100, 100),
        "efficient-kan's formula": lambda: lookalikes.KANLinear(100, 100),
        "efficient-kan's formula, own grids": efficient_own_grids,
        "Convolutional-KANs' 2025 formula": lambda: lookalikes.KAN_Convolutional_Layer(
            33, 34, (3, 3)
        ),
        "fast-kan's formula": lambda: lookalikes.FastKANLayer(71, 71),
        "faster-kan's formula": lambda: lookalikes.FasterKANLayer(100, 100),
        **{
            f"torch-conv-kan's {name}": lambda make=make: make(34, 33, 3)
            for name, make in lookalikes.TORCH_CONV_KAN.items()
        },
    }


def pykan_model(width: list[int]) -> nn.Module:
    """Return a pykan model with a grid per input, trained on nothing."""
    from kan import KAN

    model = KAN(width=width, grid=5, k=3, seed=0, auto_save=False)
    inputs = torch.randn(200, model.width_in[0])
    model.update_grid(inputs)
    model(inputs)
    return model


def plot_seconds(model: nn.Module) -> tuple[float, int]:
    """Return the time of pykan's plot of a model, and how many picture files it writes."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        start = time.perf_counter()
        model.plot(folder=folder)
        seconds = time.perf_counter() - start
        plt.close("all")
        return seconds, len(os.listdir(folder))


def main() -> None:
    """Print everything."""
    torch.set_num_threads(1)  # what is read is small; more threads only wait for each other
    torch.manual_seed(0)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} thread; read, compare, pack")
    for name, make in models().items():
        count, bases, median, slowest = frame_milliseconds(make())
        print(
            f"  {name:42s} {count:6,} functions {bases:4} bases: "
            f"{median:.2f} ms (slowest {slowest:.2f})"
        )
    for width in ([100, 100], [10, 10, 10]):
        name = f"pykan KAN {width}, own grids"
        model = pykan_model(width)
        count, bases, median, slowest = frame_milliseconds(model)
        print(
            f"  {name:42s} {count:6,} functions {bases:4} bases: "
            f"{median:.2f} ms (slowest {slowest:.2f})"
        )
    seconds, files = plot_seconds(model)
    print(f"  pykan's plot of the same {count} functions: {seconds:.1f} s, {files} files, ", end="")
    print(f"as long as {1000 * seconds / median:,.0f} frames")


if __name__ == "__main__":
    main()
