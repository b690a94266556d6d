"""Networks of an ensemble: trained, each from its seed, and read as functions at like places."""

import os
import pickle
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from kan_widgets.arrays import Float64
from kan_widgets.checks import check_module, check_whole, is_module
from kan_widgets.insight.networks.matching import MatchedLayer
from kan_widgets.insight.sampled_layer import basis_at, by_table, sampled
from kan_widgets.live.frames.layout import LayerLayout
from kan_widgets.live.not_copied import NotCopied
from kan_widgets.printed import progress

if TYPE_CHECKING:
    from torch import Tensor, nn

    Make = Callable[[], nn.Module]
    Train = Callable[[nn.Module], object]

_POINTS, _ROWS = 41, 2000
# Values of functions worked on at a time.
_VALUES = 4_000_000
_LAST_SEED = 2**32 - 1  # NumPy takes none that is larger

Layers = list[tuple[LayerLayout, Float64]]
"""Each layer, and its coefficients ``(functions, nb)``."""


@dataclass(frozen=True)
class SeededTraining(NotCopied):
    """How networks are made and trained, each from a seed of its own."""

    make: "Make"
    train: "Train"
    seeds: tuple[int, ...]
    processes: int = 1

    def networks(self) -> "Iterator[nn.Module]":
        """Train a network from each seed; `ValueError` if other processes cannot be sent how."""
        numbers = progress(self.seeds, "training")
        if self.processes == 1:
            yield from (trained_from(seed, self.make, self.train) for seed in numbers)
            return
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        import torch

        sent = partial(_sent, self.make, self.train)
        try:
            text = pickle.dumps(sent)
        except Exception:
            text = b"__main__"
        if b"__main__" in text:
            raise ValueError(
                f"processes={self.processes}: make and train cannot be sent to another process: "
                "put them into a file and import them, or leave processes at 1"
            )
        threads = max(1, (os.cpu_count() or 1) // self.processes)
        workers, context = self.processes, get_context("spawn")
        with ProcessPoolExecutor(workers, context, torch.set_num_threads, (threads,)) as pool:
            for _, pickled in zip(numbers, pool.map(sent, self.seeds), strict=True):
                yield pickle.loads(pickled)


def seeds_of(seeds: int | Sequence[int], first: int = 0) -> tuple[int, ...]:
    """Return two different seeds or more: so many from the first on, or those that are listed."""
    if not isinstance(seeds, Sequence):
        check_whole("seeds", seeds, 2)
        check_whole("seed", first, 0, _LAST_SEED - int(seeds))
        return tuple(range(first, first + int(seeds)))
    for seed in seeds:
        check_whole("seeds", seed, 0, _LAST_SEED)
    if len(set(seeds)) < max(2, len(seeds)):
        raise ValueError(f"seeds={seeds!r:.60}: expected two or more, all different")
    if first:
        raise TypeError(f"seed={first} beside a list of seeds: expected a number of them, or none")
    return tuple(map(int, seeds))


def trained_from(seed: int, make: "Make", train: "Train") -> "nn.Module":
    """Make and train a network; torch's, NumPy's and Python's generators are as before then."""
    import torch

    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            random.seed(seed)
            model = make()
            check_module(model, "make()")
            train(model)
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
    return model


def _sent(make: "Make", train: "Train", seed: int) -> bytes:
    """Train in another process, and pickle: torch's shared memory would end with the process."""
    return pickle.dumps(trained_from(seed, make, train))


@dataclass(frozen=True, eq=False)
class _Places:
    """Where the functions of a layer are compared, and what its units gave."""

    x: Float64
    """``(in, P)``."""
    scale: Float64
    """``(units,)``: what the functions of each are divided by."""
    active: Float64 | None = None
    """``(n, units)``, with mean 0 and variance 1."""


def read_member(member: Any) -> Layers:
    """Read a model, or the latest frame of a recording.

    Raises
    ------
    ValueError
        If its layers are not one after the other, or of another kind.
    """
    if is_module(member):
        from kan_widgets.functions import read

        pairs: Layers = []
        for functions in read(member):
            own = sampled(functions)
            pairs.append((own, own.coefficients))
    else:
        frame = member.frame
        layers = frame.layout.layers
        pairs = [(layer, np.asarray(frame.rows(layer), dtype=np.float64)) for layer in layers]
    channels, kind = 0, ""
    for layer, _ in pairs:
        out, in_ = layer.shape[:2]
        shared = layer.conv is not None and layer.conv.shared
        if layer.kind == "elementwise" or layer.window or layer.split:
            raise ValueError(f"{layer.name}: expected whole layers that add functions up")
        if layer.conv is not None and layer.conv.groups > 1:
            raise ValueError(f"{layer.name}: expected a convolution without groups")
        flattened = kind == "conv" and layer.kind == "linear"
        if kind and not shared and (in_ % channels if flattened else in_ != channels):
            raise ValueError(
                f"{layer.name} takes {in_} inputs, but the layer before gives {channels}: expected "
                "a chain of layers"
            )
        channels, kind = out * (channels or 1) if shared else out, layer.kind
    return pairs


def check_alike(first: Layers, other: Layers, number: int) -> None:
    """Raise unless a network has the layers of the first."""
    shapes = [[(layer.name, *layer.shape) for layer, _ in layers] for layers in (first, other)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"network {number} has the layers {shapes[1]}, network 0 {shapes[0]}: expected the same"
        )
    for layer, coefficients in other:
        if not np.isfinite(coefficients).all():
            raise ValueError(f"{layer.name} of network {number} is not finite")


def common_points(networks: Sequence[Layers]) -> list[list[_Places]]:
    """Return even points over what a layer's grids have in common, the same for all networks."""
    places: list[_Places] = []
    for layers in zip(*networks, strict=True):
        low, high = np.array([layer.domain for layer, _ in layers]).T
        ends = (low.max(), high.min()) if low.max() < high.min() else (low.min(), high.max())
        out, in_ = layers[0][0].shape[:2]
        places.append(_Places(np.tile(np.linspace(*ends, _POINTS), (in_, 1)), np.ones(out)))
    return [places] * len(networks)


def seen_by(model: "nn.Module", batch: "Tensor") -> list[_Places]:
    """Run a model and return, for each layer, quantiles of its inputs and what its units gave.

    Raises
    ------
    ValueError
        If a layer does not run once, alone.
    """
    from kan_widgets.functions.undisturbed import undisturbed
    from kan_widgets.insight.tapped_pass import run, stages_of

    stages = stages_of(model)
    record = undisturbed(
        model, lambda: run(model, batch, [tap for one in stages for tap in one.taps])
    )
    if record.ran(stages) != stages:
        raise ValueError("the layers do not run one after the other as they are listed")
    by_layer: list[_Places] = []
    for k, stage in enumerate(stages):
        if not record.once(stage.at) or len(stage.parts) > 1:
            raise ValueError(f"{stage.name}: expected a layer that runs once, and alone")
        layer = stage.parts[0]
        axis = 1 if layer.kind == "conv" else -1
        inputs, sums = (
            np.moveaxis(record.at(tap).double().cpu().numpy(), axis, -1)
            for tap in (stage.inputs[0], stage.at)
        )
        shared = layer.conv is not None and layer.conv.shared
        columns = inputs.reshape(-1, 1 if shared else inputs.shape[-1])
        places = np.quantile(columns, np.linspace(0, 1, _POINTS), axis=0).T
        active = sums.reshape(-1, layer.shape[0])
        spread = active.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        some = active[:: -(-len(active) // _ROWS)]
        about = (some - some.mean(axis=0)) / np.maximum(some.std(axis=0), 1e-12)
        is_last = k + 1 == len(stages)
        scale = np.ones(layer.shape[0]) if is_last else spread
        by_layer.append(_Places(places, scale, None if shared or is_last else about))
    return by_layer


def values_at(layer: LayerLayout, coefficients: Float64, x: Float64) -> Float64:
    """Return all functions of a layer at ``(in, P)`` of their inputs: ``(out, in, kh·kw, P)``."""
    out, in_, kh, kw = layer.shape
    numbers = np.arange(layer.count).reshape(out, in_, kh * kw)
    values = np.empty((layer.count, x.shape[1]))
    alike = bool((x == x[0]).all())
    for i in [slice(None)] if alike else range(in_):
        for rows, table in by_table(layer, numbers[:, i].ravel(), _VALUES):
            values[rows] = coefficients[rows] @ basis_at(layer, table, x[0 if alike else i]).T
    return values.reshape(out, in_, kh * kw, -1)


def matched_layers(layers: Layers, places: Sequence[_Places]) -> list[MatchedLayer]:
    """Sample the functions of a network, each about its mean."""
    parts: list[MatchedLayer] = []
    channels = 0
    for k, ((layer, coefficients), place) in enumerate(zip(layers, places, strict=True)):
        out, in_ = layer.shape[:2]
        shared = layer.conv is not None and layer.conv.shared
        values = values_at(layer, coefficients, place.x) / place.scale[:, None, None, None]
        last = layers[k + 1][0] if k + 1 < len(layers) else None
        copies = (channels or 1) if shared else 1
        block = 1 if shared or not channels else in_ // channels
        parts.append(
            MatchedLayer(
                layer.name,
                np.nan_to_num(values - values.mean(axis=-1, keepdims=True)),
                copies,
                block,
                shared,
                layer.kind == "linear" and last is not None and last.kind == "linear",
                place.active,
            )
        )
        channels = out * copies
    return parts
