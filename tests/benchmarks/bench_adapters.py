"""What it takes to read a frame of 10,000 functions, for each library; and pykan's own plot.

Run: python -m tests.benchmarks.bench_adapters
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
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.live.frames.coefficient_copies import Copy
from kan_widgets.live.frames.layout import LayoutKey

ROUNDS = 300


@dataclass(frozen=True)
class Measured:
    """A model's functions and bases, and the time of a frame in milliseconds."""

    functions: int
    bases: int
    median: float
    cpu: float
    """The median of the processor's time, which other processes do not add to."""
    fastest: float
    slowest: float

    def __str__(self) -> str:
        return (
            f"{self.functions:6,} functions {self.bases:6,} bases: {self.median:.2f} ms "
            f"(cpu {self.cpu:.2f}, from {self.fastest:.2f} to {self.slowest:.2f})"
        )


def frame_milliseconds(model: nn.Module) -> Measured:
    """Measure a frame as a binding takes it: read, see whether the bases changed, pack."""
    entries = kw.functions.find(model)

    def read() -> list[kw.functions.LayerFunctions]:
        return [layer for entry in entries for layer in entry.read()]

    layers = read()
    key = LayoutKey.of(layers)
    wall, cpu = [], []
    for _ in range(ROUNDS):
        start, cpu_start = time.perf_counter(), time.process_time()
        layers = read()
        fits = key.fits(LayoutKey.of(layers))
        Copy(layers).data()
        cpu.append(1000 * (time.process_time() - cpu_start))
        wall.append(1000 * (time.perf_counter() - start))
        assert fits
    return Measured(
        sum(layer.n_functions for layer in layers),
        sum(len(layer.bases) for layer in layers),
        statistics.median(wall),
        statistics.median(cpu),
        min(wall),
        max(wall),
    )


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

    def kernels_own_grids() -> nn.Module:
        layer = lookalikes.KAN_Convolutional_Layer(33, 34, (3, 3))
        for kernel in layer.convs:
            own_grids(kernel.conv.grid)
        return layer

    def pykan_layer() -> nn.Module:
        from kan.KANLayer import KANLayer

        return KANLayer(100, 100)

    return {
        "kan_widgets KANConv2d": lambda: kw.nn.KANConv2d(34, 33, 3),
        "kan_widgets KANLinear": lambda: kw.nn.KANLinear(100, 100),
        "kan_widgets SharedKANConv2d": lambda: kw.nn.SharedKANConv2d(1122, 3),
        "torch Conv2d": lambda: nn.Conv2d(34, 33, 3),
        "torch Linear": lambda: nn.Linear(100, 100),
        "convkan ConvKAN": lambda: convkan.ConvKAN(34, 33, 3),
        "convkan ConvKAN, own grids": convkan_own_grids,
        "flashkan KANLayer": lambda: flashkan.KANLayer(100, 100),
        "inkan KANLayer": lambda: inkan.KANLayer(100, 100),
        "efficient-kan's formula": lambda: lookalikes.KANLinear(100, 100),
        "efficient-kan's formula, own grids": efficient_own_grids,
        "Convolutional-KANs' 2025 formula": lambda: lookalikes.KAN_Convolutional_Layer(
            33, 34, (3, 3)
        ),
        "Convolutional-KANs' 2025 formula, own grids": kernels_own_grids,
        "Convolutional-KANs' 2024 formula": lambda: lookalikes.ArticleLayer(1122, (3, 3)),
        "fast-kan's formula": lambda: lookalikes.FastKANLayer(71, 71),
        "faster-kan's formula": lambda: lookalikes.FasterKANLayer(100, 100),
        **{
            f"torch-conv-kan's {name}": lambda make=make: make(34, 33, 3)
            for name, make in lookalikes.TORCH_CONV_KAN.items()
        },
        **{
            f"torch-conv-kan's {kind.__name__}": lambda kind=kind: kind(100, 100)
            for kind in (
                lookalikes.KANLayer,
                lookalikes.ChebyKANLayer,
                lookalikes.GRAMLayer,
                lookalikes.JacobiKANLayer,
                lookalikes.ReLUKANLayer,
            )
        },
        "torchkan's formula": lambda: lookalikes.SplineNetwork([71, 71, 71]),
        "pykan KANLayer": pykan_layer,
        "pykan KAN [100, 100], own grids": lambda: pykan_model([100, 100]),
        "pykan KAN [100, 100], 50 symbolic edges": lambda: symbolic(pykan_model([100, 100])),
    }


def pykan_model(width: list[int]) -> nn.Module:
    """Return a pykan model with a grid per input, trained on nothing."""
    from kan import KAN

    model = KAN(width=width, grid=5, k=3, seed=0, auto_save=False)
    inputs = torch.randn(200, model.width_in[0])
    model.update_grid(inputs)
    model(inputs)
    return model


def symbolic(model: nn.Module) -> nn.Module:
    """Make every second edge of the first output a sine."""
    with contextlib.redirect_stdout(io.StringIO()):
        for i in range(0, model.width_in[0], 2):
            model.fix_symbolic(0, i, 0, "sin", fit_params_bool=False, log_history=False)
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
        print(f"  {name:46s} {frame_milliseconds(make())}")
    # The same model for both, and a small one: pykan writes a picture file per edge.
    model = pykan_model([10, 10, 10])
    found = frame_milliseconds(model)
    print(f"  {'pykan KAN [10, 10, 10], own grids':46s} {found}")
    seconds, files = plot_seconds(model)
    print(f"  pykan's plot of the same {found.functions} functions: {seconds:.1f} s, ", end="")
    print(f"{files} files, as long as {1000 * seconds / found.median:,.0f} frames")


if __name__ == "__main__":
    main()
