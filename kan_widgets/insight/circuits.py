"""Circuits: which first function feeds which channel feeds which class, and what drives kernels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from kan_widgets.arrays import Float64, Int64
from kan_widgets.checks import check_whole
from kan_widgets.functions.undisturbed import undisturbed
from kan_widgets.insight.formulas.symbolic_fits import place_text
from kan_widgets.insight.intervene import Interval, interval_of, judged_model
from kan_widgets.insight.kernels import kernel_maps
from kan_widgets.insight.routes import Chain, Route, by_place
from kan_widgets.printed import Printed, progress

if TYPE_CHECKING:
    from kan_widgets.live import Binding

# Routes that are looked behind at each layer, and shuffles of the labels.
_BEHIND, _SHUFFLES = 4, 1999


@dataclass(frozen=True, eq=False)
class Drivers:
    """What drives the kernels of one layer, or the functions of a dense one.

    A kernel is (out, in); where kernels are shared by all channels, (kernel, channel it is
    applied to). Of an image its greatest and its least response count.
    """

    means: Float64 = field(repr=False)
    """``(out, in)``: mean response over images and places."""
    most: Float64 = field(repr=False)
    """``(out, in, k, 4)``: the greatest responses, each with its image, row and column."""
    least: Float64 = field(repr=False)
    """``(out, in, k, 4)``: the least responses, from the least up."""
    density: Float64 = field(repr=False)
    """``(classes, out, in)``: each class's share of the activity, the mean of \\|response − mean\\|
    over the places of an image and the images of a class. NaN where all is constant."""
    margin: Float64 = field(repr=False)
    """``(classes, out, in)``: 1.96 standard errors of ``density``, over images."""


class Edge(NamedTuple):
    """One link of a path, with all that flows along it to the class."""

    words: str
    share: Interval
    cut: Interval
    """By the mean of what leads to a channel, for that channel alone."""


@dataclass(frozen=True, eq=False)
class Path:
    """From one function of the first layer through one channel of each layer to a class."""

    target: int
    """The class."""
    function: tuple[int, ...]
    """(out, in, row, column) in the first layer."""
    channels: tuple[int, ...]
    """One of each layer but the last."""
    words: str
    share: Interval
    """Of the change of the score, over the images of the class that were held out."""
    cut: Interval
    """What the function's mean in its place takes away along this path alone, in that unit."""
    p: float
    """How often it would add as much more to its class in its own images than in others if labels
    were shuffled, times the number of paths."""
    edges: tuple[Edge, ...] = field(repr=False)


@dataclass(frozen=True, eq=False, repr=False)
class Circuits(Printed):
    """What the scores of classes flow through. Made by `circuits`.

    The change of a score is from all functions of the first layer at their means to what they
    give for an image. Paths were found on half of the images; all numbers are of the others.
    Intervals of 95 % are over images alone: of this one training, whatever another seed would give.
    """

    images: int
    change: dict[int, Interval]
    """By class, the change of its score over its own images that were held out."""
    missing: float
    """The largest share of a class's change that all paths together leave out, by integration."""
    drivers: dict[str, Drivers] = field(repr=False)
    """By layer, what drives each kernel most and least, and which classes it is active in."""
    paths: tuple[Path, ...] = field(repr=False)
    """By class, those found, the largest first."""
    agreement: float
    """Pearson's r between the shares of edges and what cutting them takes away."""

    _right = (0, 2, 3, 4, 5)

    def table(self) -> list[dict[str, Any]]:
        """Return a row for each path, and below it for each of its edges."""

        def links(path: Path) -> tuple[Path | Edge, ...]:
            return path, *path.edges

        return [
            {"class": path.target, "link": link.words, "p": path.p if link is path else None}
            | {f"share {name}": number for name, number in link.share._asdict().items()}
            | {f"cut {name}": number for name, number in link.cut._asdict().items()}
            for path in self.paths
            for link in links(path)
        ]

    def _words(self) -> list[str]:
        own = sum(path.p <= 0.05 for path in self.paths)
        none = ", ".join(str(k) for k, its in self.change.items() if its.low <= 0 <= its.high)
        return [
            f"{len(self.paths)} paths, found on half of {self.images:,} images and measured on the "
            f"others; all paths together leave out {100 * self.missing:.1g} % of a change at most.",
            f"{own} add more to their class in its own images than with shuffled labels (p ≤ 0.05, "
            "corrected).",
            f"What cutting edges takes away goes with their shares at r = {self.agreement:.2f}"
            + ("." if self.agreement >= 0.9 else ": do not rely on shares alone."),
            *(
                [f"Scores that may not change, so that shares say little: class {none}."]
                * bool(none)
            ),
        ]

    def _rows(self) -> list[Sequence[str]]:
        rows: list[Sequence[str]] = []
        so_far: dict[int, float] = {}
        for path in self.paths:
            so_far[path.target] = so_far.get(path.target, 0.0) + 100 * path.share.value
            share, cut = (Interval(*(100 * x for x in its)) for its in (path.share, path.cut))
            numbers = f"{share}", f"{so_far[path.target]:.2g}", f"{cut}", f"{path.p:.2g}"
            rows.append((str(path.target), path.words, *numbers))
        return [("class", "path", "share, %", "so far", "cut, %", "p"), *rows]


def circuits(
    source: Binding | nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    paths: int = 3,
    points: int = 16,
    most: int = 5,
) -> Circuits:
    """Find what drives each kernel, and along which paths the scores of classes come about.

    A path leads from one function of the first layer through a channel of each layer to a class.
    The score's change, as all first functions go from their means to an image, is divided among
    all paths by integrated gradients: exactly where layers add up, through norms and pooling by
    their slopes. Each path, and each of its edges, is cut as well: its mean is put in its place,
    and the network runs. Images stream by in batches; the model is not changed.

    Parameters
    ----------
    source
        A binding or a model whose layers run one after the other, the last of them dense.
    images, labels
        ``(n, …)`` and ``(n,)``, whole numbers from 0: four images or more of each class. Half
        serve to find paths, the others to measure them.
    paths
        How many are found for each class.
    points
        Of the straight line that the gradient is taken at.
    most
        How many examples are kept of those that drive a kernel most, and least.

    Raises
    ------
    TypeError
        If something else is given.
    ValueError
        If the layers do not run so, or a class has too few images.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 2))
    >>> x = torch.rand(80, 2)
    >>> found = kw.insight.circuits(model, x, (x[:, 0] > x[:, 1]).long(), paths=1)
    >>> [len(path.edges) for path in found.paths], found.drivers["0"].most.shape
    ([2, 2], (3, 2, 5))
    """
    model = judged_model(source, images, labels)
    for name, value in (("paths", paths), ("points", points), ("most", most)):
        check_whole(name, value)
    numbers = labels.cpu().numpy().astype(np.int64)
    found, counts = np.unique(numbers, return_counts=True)
    if counts.min() < 4 or found[0] < 0:
        few = f"class {found[counts.argmin()]} has {counts.min()} images"
        raise ValueError(f"labels: {few}: expected classes from 0, and four or more of each")

    held_out = np.zeros(len(numbers), dtype=bool)
    for target in found:
        held_out[np.flatnonzero(numbers == target)[1::2]] = True

    def work() -> Circuits:
        chain = Chain(model, images, points)
        if found[-1] >= chain.classes:
            raise ValueError(f"labels: class {found[-1]}, but {chain.classes} are scored")
        drivers = dict(_drivers(chain, numbers, most))
        all_of, changes, missing = [], {}, 0.0
        both: list[tuple[float, float]] = []
        for target in progress(found.tolist(), "classes"):
            own = numbers == target
            for f, route in _find(chain, target, np.flatnonzero(own & ~held_out), paths):
                others = np.flatnonzero(held_out & ~own)
                measured = _measured(
                    chain, target, f, route, np.flatnonzero(held_out & own), others
                )
                all_of.append(measured[0])
                parts, falls = measured[1:]
                changes[target] = interval_of(falls[0])
                missing = max(missing, abs(1 - float(parts[0].sum() / falls[0].sum())))
                both += zip(parts[2:].mean(axis=1), falls[2:].mean(axis=1), strict=True)
        corrected = tuple(replace(path, p=min(1.0, path.p * len(all_of))) for path in all_of)
        agreement = float(np.corrcoef(np.array(both).T)[0, 1])
        return Circuits(len(images), changes, missing, drivers, corrected, agreement)

    return undisturbed(model, work, gradients=True)


def _drivers(chain: Chain, numbers: Int64, most: int) -> Iterator[tuple[str, Drivers]]:
    """Find what drives the kernels of each layer; nothing is kept of the images."""
    classes, counts = np.unique(numbers, return_counts=True)
    ends: list[list[Any]] = [[None, None] for _ in chain.layers]
    sums: list[Any] = [0.0] * len(ends)
    for batch in chain.batches(np.arange(len(numbers))):
        is_of = (numbers[batch.rows][:, None] == classes) / counts
        for k, layer in enumerate(chain.layers):
            maps, _ = kernel_maps(layer, batch.takes[k])
            for side, sign in enumerate((1, -1)):
                ends[k][side] = _extremes(ends[k][side], maps, batch.rows, most, sign)
            means = torch.from_numpy(chain.of_kernels[k])[:, :, None, None]
            activity = (maps - means).abs().mean(dim=(3, 4)).numpy()
            sums[k] += np.einsum("nc,pnoi->pcoi", is_of, np.stack([activity, activity**2]))
    for k, (mean, square) in enumerate(sums):
        error = np.maximum(square - mean**2, 0.0) / (counts - 1)[:, None, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            density = mean / mean.sum(axis=0)
            # The errors of all classes' means, through the quotient.
            variance = (1 - 2 * density) * error + density**2 * error.sum(axis=0)
            margin = 1.96 * np.sqrt(np.maximum(variance, 0.0)) / mean.sum(axis=0)
        name, (top, low) = chain.layers[k].name, (held.numpy() for held in ends[k])
        yield name, Drivers(chain.of_kernels[k], top, low, density, margin)


def _extremes(held: Tensor | None, maps: Tensor, rows: Int64, most: int, sign: int) -> Tensor:
    """Return the greatest responses so far, or the least, with image, row and column."""
    values, place = (sign * maps.movedim(0, 2)).flatten(3).max(dim=3)
    images = torch.from_numpy(rows).expand(values.shape)
    placed = [sign * values, images, place // maps.shape[4], place % maps.shape[4]]
    all_of = torch.stack(placed, dim=3)
    if held is not None:
        all_of = torch.cat([held, all_of], dim=2)
    order = (sign * all_of[..., 0]).argsort(dim=2, descending=True, stable=True)[..., :most]
    return all_of.gather(2, order[..., None].expand(*order.shape, 4))


def _find(chain: Chain, target: int, rows: Int64, paths: int) -> list[tuple[int, Route]]:
    """Return the largest paths to a class: a function of the first layer, and its route."""
    routes: list[Route] = [(None,) * chain.depth]
    for k in range(chain.depth - 1, 0, -1):
        sums: Any = 0.0
        for batch in chain.batches(rows):
            start = chain.sums(batch.x, {0: batch.gives[0] - chain.way(batch)})[k]
            change = (by_place(batch.gives[k]) - by_place(start))[:, None]
            sums += (chain.slopes(batch, target, routes, k) * change).sum(dim=(0, 3)).numpy()
        routes = [(*routes[r][:k], c, *routes[r][k + 1 :]) for r, c in _largest(sums, _BEHIND)]
    sums = sum(chain.shares(batch, target, routes).sum(axis=0) for batch in chain.batches(rows))
    return [(f, routes[r]) for r, f in _largest(sums, paths)]


def _largest(values: Float64, count: int) -> list[tuple[int, int]]:
    order = np.argsort(-np.abs(values), axis=None, kind="stable")[:count].tolist()
    return [divmod(number, values.shape[1]) for number in order]


def _measured(
    chain: Chain, target: int, function: int, route: Route, rows: Int64, others: Int64
) -> tuple[Path, Float64, Float64]:
    """Measure a path on images held out, and on others; p is not corrected."""
    both = [
        (chain.parts(b, target, function, route), chain.falls(b, target, function, route))
        for b in chain.batches(rows)
    ]
    parts, falls = (np.concatenate(its, axis=1) for its in zip(*both, strict=True))
    beside = [chain.shares(b, target, [route])[:, 0, function] for b in chain.batches(others)]
    place = tuple(int(i) for i in np.unravel_index(function, chain.layers[0].shape))
    channels = (int(chain.channel_of[function]), *(c for c in route if c is not None))
    names = zip(chain.layers, channels, strict=False)
    words = [f"φ {place_text(place)}", *(f"{layer.name} channel {c}" for layer, c in names)]
    words.append(f"class {target}")
    _, share, *shares = (interval_of(part, falls[0]) for part in parts)
    _, cut, *cuts = (interval_of(fall, falls[0]) for fall in falls)
    links = map(" → ".join, pairwise(words))
    edges = tuple(Edge(*each) for each in zip(links, shares, cuts, strict=True))
    p = _chance(parts[1], np.concatenate(beside))
    path = Path(target, place, channels, " → ".join(words), share, cut, p, edges)
    return path, parts, falls


def _chance(own: Float64, others: Float64) -> float:
    """Return how often shuffled labels tell two means as far apart."""
    values, count = np.concatenate([own, others]), len(own)
    shuffled = np.random.default_rng(0).permuted(np.tile(values, (_SHUFFLES, 1)), axis=1)
    apart = np.abs(shuffled[:, :count].mean(axis=1) - shuffled[:, count:].mean(axis=1))
    far = np.count_nonzero(apart >= abs(own.mean() - others.mean()) - 1e-12)
    return float((1 + far) / (1 + _SHUFFLES))
