"""Circuits: which first function feeds which channel feeds which class, and what drives kernels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from kan_widgets.arrays import Float64, Int64
from kan_widgets.checks import check_whole
from kan_widgets.functions.undisturbed import undisturbed
from kan_widgets.insight.chain import Batch, Chain, Route
from kan_widgets.insight.formulas.symbolic_fits import place_text
from kan_widgets.insight.intervene import Interval, interval_of, judged_model
from kan_widgets.insight.kernel_shares import kernel_maps
from kan_widgets.printed import Printed, progress

if TYPE_CHECKING:
    from kan_widgets.live import Binding

# Routes that are looked behind at each layer, and shuffles of the labels.
_BEHIND, _SHUFFLES = 4, 1999


@dataclass(frozen=True, eq=False)
class Drivers:
    """What drives the kernels of one layer, or the functions of a dense one.

    A kernel is (out, in); where kernels are shared by all channels, (kernel, channel it is
    applied to). Of an image its greatest and least response count.
    """

    layer: str
    means: Float64 = field(repr=False)
    """``(out, in)``: mean response over images and places."""
    most: Float64 = field(repr=False)
    """``(out, in, k)``: the greatest responses, of different images, from the greatest down."""
    most_at: Int64 = field(repr=False)
    """``(out, in, k, 3)``: image, row and column of each."""
    least: Float64 = field(repr=False)
    """``(out, in, k)``: the least responses, from the least up."""
    least_at: Int64 = field(repr=False)
    """``(out, in, k, 3)``."""
    density: Float64 = field(repr=False)
    """``(classes, out, in)``: each class's share of the activity, the mean of \\|response − mean\\|
    over the places of an image and the images of a class. NaN where all is constant."""
    margin: Float64 = field(repr=False)
    """``(classes, out, in)``: 1.96 standard errors of ``density``, over images."""


@dataclass(frozen=True, eq=False)
class Link:
    """A path, or one edge of it, with what it has of the change of the score of a class."""

    words: str
    share: Interval
    """Of the change, over the images of the class that were held out; of an edge, with all that
    flows along it to the class."""
    cut: Interval
    """What putting its mean in its place takes away, in the same unit: of a path along it alone,
    of an edge only for the channel that it leads to."""


@dataclass(frozen=True, eq=False)
class Path(Link):
    """From one function of the first layer through one channel of each layer to a class."""

    target: int
    """The class."""
    function: tuple[int, ...]
    """(out, in, row, column) in the first layer."""
    channels: tuple[int, ...]
    """One of each layer but the last."""
    p: float
    """How often it would add as much more to its class in its own images than in others if labels
    were shuffled, times the number of paths."""
    edges: tuple[Link, ...] = field(repr=False)


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
        return [
            {
                "class": path.target,
                "kind": "path" if link is path else "edge",
                "link": link.words,
                "share": link.share.value,
                "share low": link.share.low,
                "share high": link.share.high,
                "cut": link.cut.value,
                "cut low": link.cut.low,
                "cut high": link.cut.high,
                "p": path.p if link is path else None,
            }
            for path in self.paths
            for link in (path, *path.edges)
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
        if found[-1] >= chain.channels[-1]:
            raise ValueError(f"labels: class {found[-1]}, but {chain.channels[-1]} are scored")
        drivers = dict(_drivers(chain, numbers, most))
        links, changes, missing = [], {}, []
        for target in progress(found.tolist(), "classes"):
            own, rows = numbers == target, np.flatnonzero(held_out)
            largest = _find(chain, target, np.flatnonzero(own & ~held_out), paths)
            asked = len(found) * len(largest)
            its, change, left = _measured(chain, target, largest, rows, own[rows], asked)
            links += its
            changes[target] = interval_of(change)
            missing.append(left)
        both = [
            changes[path.target].value * np.array([edge.share.value, edge.cut.value])
            for path in links
            for edge in path.edges
        ]
        agreement = float(np.corrcoef(np.array(both).T)[0, 1])
        return Circuits(len(images), changes, max(missing), drivers, tuple(links), agreement)

    return undisturbed(model, work, gradients=True)


def _drivers(chain: Chain, numbers: Int64, most: int) -> Iterator[tuple[str, Drivers]]:
    """Find what drives the kernels of each layer; nothing is kept of the images."""
    classes = np.unique(numbers)
    counts = (numbers == classes[:, None]).sum(axis=1)[:, None, None]
    held: list[list[Any]] = [[None, None] for _ in chain.layers]
    sums: list[Any] = [0.0] * len(held)
    for batch in chain.batches(np.arange(len(numbers))):
        is_of = (numbers[batch.rows][:, None] == classes).astype(float)
        for k, layer in enumerate(chain.layers):
            maps, _ = kernel_maps(layer, batch.takes[k])
            for side, sign in enumerate((1, -1)):
                held[k][side] = _extremes(held[k][side], sign * maps, batch.rows, most)
            means = torch.from_numpy(chain.of_kernels[k])[:, :, None, None]
            activity = (maps - means).abs().mean(dim=(3, 4)).numpy()
            sums[k] += np.einsum("nc,pnoi->pcoi", is_of, np.stack([activity, activity**2]))
    for layer, means, ends, (total, square) in zip(
        chain.layers, chain.of_kernels, held, sums, strict=True
    ):
        mean = total / counts
        error = np.maximum(square / counts - mean**2, 0.0) / (counts - 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            density = mean / mean.sum(axis=0)
            # The errors of all classes' means, through the quotient.
            variance = (1 - 2 * density) * error + density**2 * error.sum(axis=0)
            margin = 1.96 * np.sqrt(np.maximum(variance, 0.0)) / mean.sum(axis=0)
        (top, top_at), (low, low_at) = ((values.numpy(), at.numpy()) for values, at in ends)
        name = layer.name or layer.type
        yield name, Drivers(name, means, top, top_at, -low, low_at, density, margin)


def _extremes(
    held: tuple[Tensor, Tensor] | None, maps: Tensor, rows: Int64, most: int
) -> tuple[Tensor, Tensor]:
    """Return the greatest responses so far, ``(out, in, k)``, and where they are."""
    values, place = maps.movedim(0, 2).flatten(3).max(dim=3)
    images = torch.from_numpy(rows).expand(values.shape)
    at = torch.stack([images, place // maps.shape[4], place % maps.shape[4]], dim=3)
    if held is not None:
        values, at = torch.cat([held[0], values], dim=2), torch.cat([held[1], at], dim=2)
    values, order = values.topk(min(most, values.shape[2]), dim=2)
    return values, at.gather(2, order[..., None].expand(*order.shape, 3))


def _find(chain: Chain, target: int, rows: Int64, paths: int) -> list[tuple[int, Route]]:
    """Return the largest paths to a class: a function of the first layer, and its route."""
    routes: list[Route] = [(None,) * chain.depth]
    for k in range(chain.depth - 1, 0, -1):
        sums = sum(chain.flow(b, target, routes, k).sum(dim=0).numpy() for b in chain.batches(rows))
        routes = [(*routes[r][:k], c, *routes[r][k + 1 :]) for r, c in _largest(sums, _BEHIND)]
    sums = sum(chain.parts(b, target, routes).sum(axis=0) for b in chain.batches(rows))
    return [(f, routes[r]) for r, f in _largest(sums, paths)]


def _largest(values: Any, count: int) -> list[tuple[int, int]]:
    order = np.argsort(-np.abs(values), axis=None, kind="stable")[:count]
    return [(int(n) // values.shape[1], int(n) % values.shape[1]) for n in order]


def _measured(
    chain: Chain, target: int, found: list[tuple[int, Route]], rows: Int64, is_own: Any, asked: int
) -> tuple[list[Path], Float64, float]:
    """Measure paths to a class on images held out: also its change, and what all parts leave."""
    # For each path: itself, and each of its edges, as a route and the functions at its start.
    flows: list[tuple[Route, Any]] = [((None,) * chain.depth, slice(None))]
    for f, route in found:
        flows += [(route, [f]), (flows[0][0], [f])]
        for k in range(chain.depth):
            ends = tuple(c if j in (k, k + 1) else None for j, c in enumerate(route))
            own = np.flatnonzero(chain.channel_of == chain.channel_of[f])
            flows.append((ends, slice(None) if k else own))

    def shares(batch: Batch, wanted: list[tuple[Route, Any]]) -> Float64:
        routes = list(dict.fromkeys(route for route, _ in wanted))
        parts = chain.parts(batch, target, routes)
        return np.stack([parts[:, routes.index(route), its].sum(axis=1) for route, its in wanted])

    each = chain.depth + 2
    of_own, cuts = [], []
    for batch in chain.batches(rows[is_own]):
        of_own.append(shares(batch, flows))
        cuts.append(np.stack([chain.cuts(batch, target, f, route) for f, route in found]))
    paths_alone = flows[1::each]
    others = [shares(batch, paths_alone) for batch in chain.batches(rows[~is_own])]
    (whole, *parts), falls = np.concatenate(of_own, axis=1), np.concatenate(cuts, axis=2)
    change = falls[0, 0]
    paths = []
    for j, (f, route) in enumerate(found):
        words = _words(chain, target, f, route)
        links = [" → ".join(words)] + [" → ".join(pair) for pair in pairwise(words)]
        its = [
            Link(text, interval_of(part, change), interval_of(fall, change))
            for text, part, fall in zip(links, parts[each * j :], falls[j, 1:], strict=False)
        ]
        p = _chance(parts[each * j], np.concatenate([part[j] for part in others]))
        index = np.unravel_index(f, (*chain.layers[0].shape,))
        channels = (int(chain.channel_of[f]), *(int(c) for c in route[1:] if c is not None))
        place = tuple(map(int, index))
        paths.append(
            Path(
                *vars(its[0]).values(), target, place, channels, min(1.0, asked * p), tuple(its[1:])
            )
        )
    return paths, change, abs(1 - float(whole.sum() / change.sum()))


def _words(chain: Chain, target: int, function: int, route: Route) -> list[str]:
    """Name the stations of a path."""
    first, *rest = chain.layers[:-1]
    place = place_text([int(i) for i in np.unravel_index(function, first.shape)])
    names = [f"{layer.name} channel {c}" for layer, c in zip(rest, route[1:], strict=True)]
    channel = f"{first.name} channel {chain.channel_of[function]}"
    return [f"φ {place}", channel, *names, f"class {target}"]


def _chance(own: Float64, others: Float64) -> float:
    """Return how often shuffled labels tell two means as far apart."""
    values, count = np.concatenate([own, others]), len(own)
    shuffled = np.random.default_rng(0).permuted(np.tile(values, (_SHUFFLES, 1)), axis=1)
    apart = np.abs(shuffled[:, :count].mean(axis=1) - shuffled[:, count:].mean(axis=1))
    far = np.count_nonzero(apart >= abs(own.mean() - others.mean()) - 1e-12)
    return float((1 + far) / (1 + _SHUFFLES))
