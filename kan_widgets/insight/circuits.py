"""Circuits: which first function feeds which channel feeds which class, and what drives kernels."""

import math
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
from kan_widgets.insight.lasting import chance_of
from kan_widgets.insight.tapped_pass import Batch, LayerChain, Route, by_place
from kan_widgets.printed import Printed, progress

if TYPE_CHECKING:
    from kan_widgets.live import Binding

# Routes that are followed back from each layer, the largest.
_FOLLOWED = 4


@dataclass(frozen=True, eq=False)
class Drivers:
    """What drives the kernels of one layer, or the functions of a dense one.

    A kernel is (out, in); where all channels share kernels, (kernel, channel). Of each image the
    greatest and the least response count.
    """

    means: Float64 = field(repr=False)
    """``(out, in)``: mean response over images and places."""
    most: Float64 = field(repr=False)
    """``(out, in, k, 4)``: the greatest responses, each with its image, row and column."""
    least: Float64 = field(repr=False)
    """``(out, in, k, 4)``: the least, from the least up."""
    density: Float64 = field(repr=False)
    """``(classes, out, in)``: each class's share of the activity, the mean of \\|response − mean\\|
    over the places of an image and the images of a class. NaN where all is constant."""
    margin: Float64 = field(repr=False)
    """``(classes, out, in)``: 1.96 standard errors of ``density``, over images."""


class Flow(NamedTuple):
    """What flows along a path, or along one edge of it to the class whichever way."""

    words: str
    share: Interval
    """Of the change of the score, over the images of the class that were held out."""
    cut: Interval
    """What the score loses, in that unit, where the function's mean takes its place for this path
    alone; of an edge, where the mean of what leads to a channel does for that channel alone."""


@dataclass(frozen=True, eq=False)
class Path:
    """From one function of the first layer through one channel of each layer to a class."""

    target: int
    """The class."""
    function: tuple[int, ...]
    """(out, in, row, column) in the first layer."""
    channels: tuple[int, ...]
    """One of each layer but the last."""
    p: float
    """How often it would add as much more to its class in its own images than in as many others or
    more if labels were shuffled, times the number of paths."""
    whole: Flow
    edges: tuple[Flow, ...] = field(repr=False)


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

    _right = (0, 2, 3, 4)

    def in_print(self, path: Path) -> list[str]:
        """Return the share of a path and what its cut takes away; "—": the score may not change."""
        change = self.change[path.target]
        parts = [Interval(*(100 * x for x in its)) for its in (path.whole.share, path.whole.cut)]
        return ["—" if change.low <= 0 <= change.high else f"{part} %" for part in parts]

    def _words(self) -> list[str]:
        own = sum(path.p <= 0.05 for path in self.paths)
        return [
            f"{len(self.paths)} paths, found on half of {self.images:,} examples and measured on "
            f"the others; all together leave out {100 * self.missing:.2g} % of a change at most.",
            f"{own} add more to their class in its own examples than with shuffled labels (p ≤ "
            "0.05, corrected). Where a score may not change, no share of it is told: —.",
            f"What cutting edges takes away goes with their shares at r = {self.agreement:.2f}"
            + ("." if self.agreement >= 0.9 else ": do not rely on shares alone."),
        ]

    def _rows(self) -> list[Sequence[str]]:
        rows: list[Sequence[str]] = [("class", "path", "share", "cut", "p")]
        for path in self.paths:
            numbers = *self.in_print(path), f"{path.p:.2g}"
            rows.append((str(path.target), path.whole.words, *numbers))
        return rows


def circuits(
    source: "Binding | nn.Module",
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
        ``(n, …)`` and ``(n,)``, whole numbers from 0: of two classes or more, and four images or
        more of each. Half serve to find paths, the others to measure them.
    paths
        How many are found for each class, following the four largest routes back from each layer.
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
    ([2, 2], (3, 2, 5, 4))
    """
    model = judged_model(source, images, labels)
    for name, value in (("paths", paths), ("points", points), ("most", most)):
        check_whole(name, value)
    numbers = labels.cpu().numpy().astype(np.int64)
    classes, counts = np.unique(numbers, return_counts=True)
    if len(classes) < 2 or counts.min() < 4 or classes[0] < 0:
        raise ValueError(
            f"labels of {dict(zip(classes.tolist(), counts.tolist(), strict=True))} images by "
            "class: expected two classes or more, from 0, and four images or more of each"
        )
    by_class = {k: np.flatnonzero(numbers == k) for k in classes.tolist()}
    held_out = np.concatenate([rows[1::2] for rows in by_class.values()])

    def work() -> Circuits:
        chain = LayerChain(model, images, points)
        if classes[-1] >= chain.classes:
            raise ValueError(f"labels: class {classes[-1]}, but {chain.classes} are scored")
        drivers = dict(_drivers(chain, numbers, most))
        all_of, changes, missing = [], {}, 0.0
        both: list[tuple[float, float]] = []
        for target, own in progress(by_class.items(), "classes"):
            beside = np.setdiff1d(held_out, own)[:: max(1, len(held_out) // len(own))]
            for function, route in _find(chain, target, own[::2], paths):
                path, parts, falls = _measured(chain, target, function, route, own[1::2], beside)
                all_of.append(path)
                changes[target] = interval_of(falls[0])
                missing = max(missing, abs(1 - float(parts[0].sum() / falls[0].sum())))
                both += zip(parts[2:].mean(axis=1), falls[2:].mean(axis=1), strict=True)
        corrected = tuple(replace(path, p=min(1.0, path.p * len(all_of))) for path in all_of)
        agreement = float(np.corrcoef(np.array(both).T)[0, 1])
        return Circuits(len(images), changes, missing, drivers, corrected, agreement)

    return undisturbed(model, work, gradients=True)


def _drivers(chain: LayerChain, numbers: Int64, most: int) -> Iterator[tuple[str, Drivers]]:
    """Find what drives the kernels of each layer; nothing is kept of the images."""
    classes, counts = np.unique(numbers, return_counts=True)
    for k, layer in enumerate(chain.layers):
        means = chain.of_kernels[k]
        top = low = torch.empty(*means.shape, 0, 4)
        sums: Any = 0.0
        for batch in chain.batches(np.arange(len(numbers))):
            maps, _ = kernel_maps(layer, batch.takes[k])
            top, low = _greatest(top, maps, batch, most), _greatest(low, -maps, batch, most)
            activity = (maps - means[:, :, None, None]).abs().mean(dim=(3, 4)).numpy()
            is_of = (numbers[batch.rows][:, None] == classes) / counts
            sums += np.einsum("nc,pnoi->pcoi", is_of, np.stack([activity, activity**2]))
        low[..., 0] *= -1
        mean, square = sums
        error = np.maximum(square - mean**2, 0.0) / (counts - 1)[:, None, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            density = mean / mean.sum(axis=0)
            # The errors of all classes' means, through the quotient.
            variance = (1 - 2 * density) * error + density**2 * error.sum(axis=0)
            margin = 1.96 * np.sqrt(np.maximum(variance, 0.0)) / mean.sum(axis=0)
        yield layer.name, Drivers(means.numpy(), top.numpy(), low.numpy(), density, margin)


def _greatest(held: Tensor, maps: Tensor, batch: Batch, most: int) -> Tensor:
    values, place = maps.movedim(0, 2).flatten(3).max(dim=3)
    images = torch.from_numpy(batch.rows).expand(values.shape)
    placed = [values, images, place // maps.shape[4], place % maps.shape[4]]
    held = torch.cat([held, torch.stack(placed, dim=3)], dim=2)
    order = held[..., 0].argsort(dim=2, descending=True, stable=True)[..., :most]
    return held.gather(2, order[..., None].expand(*order.shape, 4))


def _find(chain: LayerChain, target: int, rows: Int64, paths: int) -> list[tuple[int, Route]]:
    """Return the largest paths to a class: a function of the first layer, and its route."""
    routes: list[Route] = [{}]
    for k in range(chain.depth - 1, 0, -1):
        sums: Any = 0.0
        for batch in chain.batches(rows):
            start = chain.run(batch, 0, chain.start, {}).at(chain.at[k])
            change = by_place(batch.gives[k]) - by_place(start)
            slopes = torch.stack([chain.slopes(batch, target, route, k) for route in routes])
            sums += (slopes * change).sum(dim=(1, 3)).numpy()
        routes = [{k: channel, **routes[r]} for r, channel in _largest(sums, _FOLLOWED)]
    shares = np.stack([chain.over(rows, chain.shares, target, r).sum(axis=0) for r in routes])
    largest = _largest(shares.reshape(len(routes), -1), paths)
    return [(function, routes[r]) for r, function in largest]


def _largest(values: Float64, count: int) -> list[tuple[int, int]]:
    order = np.argsort(-np.abs(values), axis=None, kind="stable")[:count].tolist()
    return [divmod(number, values.shape[1]) for number in order]


def _measured(
    chain: LayerChain, target: int, function: int, route: Route, rows: Int64, others: Int64
) -> tuple[Path, Float64, Float64]:
    """Measure a path, its parts and its falls ``(2 + edges, n)``; p is not corrected."""
    place = tuple(int(i) for i in np.unravel_index(function, chain.layers[0].shape))
    route, entry = {0: place[0], **route}, function % math.prod(chain.layers[0].shape[1:])
    parts = chain.over(rows, chain.parts, target, entry, route).T
    falls = chain.over(rows, chain.falls, target, entry, route).T
    beside = chain.over(others, chain.shares, target, route)[:, place[0], entry]
    through = [f"{chain.layers[k].name} channel {c}" for k, c in route.items()]
    stops = [f"φ {place_text(place)}", *through, f"class {target}"]
    whole, *edges = (
        Flow(" → ".join(words), interval_of(part, falls[0]), interval_of(fall, falls[0]))
        for words, part, fall in zip([stops, *pairwise(stops)], parts[1:], falls[1:], strict=True)
    )
    p = chance_of(np.concatenate([beside, parts[1]]), len(others), len(rows))
    return Path(target, place, tuple(route.values()), p, whole, tuple(edges)), parts, falls
