"""Circuits: which first function feeds which channel feeds which class, and what drives kernels.

From the means of all first functions to what they give for an image is a straight line, and the
score's change along it is divided by the chain rule: the gradient is let through the channels of a
route alone, so that all routes add up to the change. That is integrated gradients (Sundararajan,
Taly and Yan, ICML 2017) over first functions, taken apart by the channels in between, their
conductance (Dhamdhere, Sundararajan and Yan, "How important is a neuron?", ICLR 2019).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from kan_widgets.arrays import Float64, Int64
from kan_widgets.checks import check_whole
from kan_widgets.functions import Tap
from kan_widgets.functions.undisturbed import undisturbed
from kan_widgets.insight.formulas.symbolic_fits import place_text
from kan_widgets.insight.intervene import Interval, interval_of, judged_model
from kan_widgets.insight.kernels import kernel_maps, kernel_terms
from kan_widgets.insight.lasting import chance_of
from kan_widgets.insight.tapped_pass import TappedPass, run, stages_of
from kan_widgets.live.model.observe import patches_of
from kan_widgets.printed import Printed, progress

if TYPE_CHECKING:
    from kan_widgets.live import Binding

# Routes looked behind at each layer; values of kernels at a time, and images.
_BEHIND, _VALUES, _AT_ONCE = 4, 4_000_000, 128

Route = Mapping[int, int]
"""By layer the channel that is gone through, where not any will do; -1 is none."""


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

    _right = (0, 2, 3, 4)

    def table(self) -> list[dict[str, Any]]:
        """Return a row for each path, and below it for each of its edges."""
        return [
            {"class": path.target, "link": words, "p": path.p if words == path.words else None}
            | {f"share {name}": number for name, number in share._asdict().items()}
            | {f"cut {name}": number for name, number in cut._asdict().items()}
            for path in self.paths
            for words, share, cut in [(path.words, path.share, path.cut), *path.edges]
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
            f"Scores that may not change, so that shares say little: class {none or 'none'}.",
        ]

    def _rows(self) -> list[Sequence[str]]:
        rows: list[Sequence[str]] = [("class", "path", "share, %", "cut, %", "p")]
        for path in self.paths:
            share, cut = (str(Interval(*(100 * x for x in its))) for its in (path.share, path.cut))
            rows.append((str(path.target), path.words, share, cut, f"{path.p:.2g}"))
        return rows


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
    classes, counts = np.unique(numbers, return_counts=True)
    if counts.min() < 4 or classes[0] < 0:
        few = f"class {classes[counts.argmin()]} has {counts.min()} images"
        raise ValueError(f"labels: {few}: expected classes from 0, and four or more of each")
    # Every other image of a class.
    is_held_out = np.array([(numbers[:k] == own).sum() % 2 == 1 for k, own in enumerate(numbers)])

    def work() -> Circuits:
        chain = _Chain(model, images, points)
        if classes[-1] >= chain.classes:
            raise ValueError(f"labels: class {classes[-1]}, but {chain.classes} are scored")
        drivers = dict(_drivers(chain, numbers, most))
        found, changes, missing = [], {}, 0.0
        both: list[tuple[float, float]] = []
        for target in progress(classes.tolist(), "classes"):
            own = numbers == target
            rows, beside = np.flatnonzero(is_held_out & own), np.flatnonzero(is_held_out & ~own)
            for function, route in _find(chain, target, np.flatnonzero(own & ~is_held_out), paths):
                path, parts, falls = _measured(chain, target, function, route, rows, beside)
                found.append(path)
                changes[target] = interval_of(falls[0])
                missing = max(missing, abs(1 - float(parts[0].sum() / falls[0].sum())))
                both += zip(parts[2:].mean(axis=1), falls[2:].mean(axis=1), strict=True)
        corrected = tuple(replace(path, p=min(1.0, path.p * len(found))) for path in found)
        agreement = float(np.corrcoef(np.array(both).T)[0, 1])
        return Circuits(len(images), changes, missing, drivers, corrected, agreement)

    return undisturbed(model, work, gradients=True)


def _drivers(chain: _Chain, numbers: Int64, most: int) -> Iterator[tuple[str, Drivers]]:
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


def _greatest(held: Tensor, maps: Tensor, batch: _Batch, most: int) -> Tensor:
    """Return the greatest responses so far, with image, row and column."""
    values, place = maps.movedim(0, 2).flatten(3).max(dim=3)
    images = torch.from_numpy(batch.rows).expand(values.shape)
    placed = [values, images, place // maps.shape[4], place % maps.shape[4]]
    held = torch.cat([held, torch.stack(placed, dim=3)], dim=2)
    order = held[..., 0].argsort(dim=2, descending=True, stable=True)[..., :most]
    return held.gather(2, order[..., None].expand(*order.shape, 4))


def _find(chain: _Chain, target: int, rows: Int64, paths: int) -> list[tuple[int, Route]]:
    """Return the largest paths to a class: a function of the first layer, and its route."""
    routes: list[Route] = [{}]
    for k in range(chain.depth - 1, 0, -1):
        sums: Any = 0.0
        for batch in chain.batches(rows):
            start = chain.run(batch, 0, chain.start, {}).at(chain.at[k])
            change = by_place(batch.gives[k]) - by_place(start)
            slopes = torch.stack([chain.slopes(batch, target, route, k) for route in routes])
            sums += (slopes * change).sum(dim=(1, 3)).numpy()
        routes = [{k: channel, **routes[r]} for r, channel in _largest(sums, _BEHIND)]
    shares = np.stack([chain.over(rows, chain.shares, target, r).sum(axis=0) for r in routes])
    largest = _largest(shares.reshape(len(routes), -1), paths)
    return [(function, routes[r]) for r, function in largest]


def _largest(values: Float64, count: int) -> list[tuple[int, int]]:
    order = np.argsort(-np.abs(values), axis=None, kind="stable")[:count].tolist()
    return [divmod(number, values.shape[1]) for number in order]


def _measured(
    chain: _Chain, target: int, function: int, route: Route, rows: Int64, others: Int64
) -> tuple[Path, Float64, Float64]:
    """Measure a path on images held out, and on others; p is not corrected.

    Returns as well what all paths, the path and its edges have of a change, and by how much the
    score falls without: ``(2 + edges, n)`` each.
    """
    place = tuple(int(i) for i in np.unravel_index(function, chain.layers[0].shape))
    route, entry = {0: place[0], **route}, function % math.prod(chain.layers[0].shape[1:])
    parts = chain.over(rows, chain.parts, target, entry, route).T
    falls = chain.over(rows, chain.falls, target, entry, route).T
    beside = chain.over(others, chain.shares, target, route)[:, place[0], entry]
    through = [f"{chain.layers[k].name} channel {c}" for k, c in route.items()]
    words = [f"φ {place_text(place)}", *through, f"class {target}"]
    share, *shares = (interval_of(part, falls[0]) for part in parts[1:])
    cut, *cuts = (interval_of(fall, falls[0]) for fall in falls[1:])
    edges = tuple(map(Edge, map(" → ".join, pairwise(words)), shares, cuts))
    p = chance_of(np.concatenate([beside, parts[1]]), len(others), len(rows))
    channels = tuple(route.values())
    return Path(target, place, channels, " → ".join(words), share, cut, p, edges), parts, falls


class _Batch(NamedTuple):
    """Images by their numbers, and what their layers take and give."""

    rows: Int64
    x: Tensor
    takes: list[Tensor]
    gives: list[Tensor]
    beyond: Float64
    """``(n, places, out, entries)``: how far each first function is from its mean."""


class _Chain:
    """A model whose layers run one after the other, and images; used within `undisturbed`."""

    def __init__(self, model: nn.Module, images: Tensor, points: int) -> None:
        self._model, self._images, self._points = model, images, points
        stages = stages_of(model)
        record = run(model, images[:1], [tap for stage in stages for tap in stage.taps])
        stages = record.ran(stages)
        for stage in stages:
            if len(stage.parts) > 1 or any(len(record.passed[tap]) > 1 for tap in stage.taps):
                raise ValueError(f"{stage.name}: expected one layer, in a module that runs once")
        self.layers = [stage.parts[0] for stage in stages]
        self._into, self.at = [stage.inputs[0] for stage in stages], [stage.at for stage in stages]
        self.depth, first = len(stages) - 1, self.layers[0]
        z = [by_place(record.at(tap)) for tap in self.at]
        if not self.depth or stages[-1].kind != "linear" or first.shape[0] != z[0].shape[1]:
            raise ValueError("expected two layers or more, the last dense, the first not shared")
        self.classes = z[-1].shape[1]
        sizes = [its[0].numel() * layer.shape[1] for its, layer in zip(z, self.layers, strict=True)]
        most = max(*sizes, first.n_functions * z[0].shape[2])
        self._at_once = max(1, min(_AT_ONCE, _VALUES // most))
        # Means over images and places: of first functions, of kernels, and of channels.
        self._means: Any = 0.0
        means: Any = 0.0
        self.of_kernels, self._of_channels = [means] * len(z), [means] * len(z)
        for batch in self.batches(np.arange(len(images))):
            means += batch.beyond.mean(axis=1).sum(axis=0) / len(images)
            for k, layer in enumerate(self.layers):
                maps = kernel_maps(layer, batch.takes[k])[0].mean(dim=(3, 4))
                self.of_kernels[k] += maps.sum(dim=0) / len(images)
                self._of_channels[k] += by_place(batch.gives[k]).mean(dim=2).sum(0) / len(images)
        self._means = means
        self.start = self._of_channels[0].reshape(-1, *[1] * (record.at(self.at[0]).ndim - 2))
        """What the first layer gives with all its functions at their means."""
        alone = next(self.batches(np.arange(1)))
        for k in range(1, self.depth):
            past = self.run(alone, 0, self.start, {k: -1}, still=True).at(self.at[-1])
            if not torch.allclose(past, alone.gives[-1].to(past)):
                raise ValueError(f"there is a way around {self.layers[k].name}")

    def batches(self, rows: Int64) -> Iterator[_Batch]:
        """Run images by their numbers, a few at a time."""
        first = self.layers[0]
        for some in np.split(rows, range(self._at_once, len(rows), self._at_once)):
            x = self._images[torch.from_numpy(some)]
            with torch.no_grad():
                record = run(self._model, x, [*self._into, *self.at])
            takes, gives = (
                [record.at(tap).double().cpu() for tap in its] for its in (self._into, self.at)
            )
            patches = patches_of(first, takes[0])[0].flatten(0, -2).numpy()
            terms = [kernel_terms(first, patches, out) for out in range(first.shape[0])]
            # Where β is padded and not x, nothing comes from beyond the border.
            values = np.nan_to_num(np.stack(terms, axis=1))
            beyond = values.reshape(len(x), -1, *values.shape[1:]) - self._means
            yield _Batch(some, x, takes, gives, beyond)

    def over(self, rows: Int64, measure: Callable[..., Float64], *of: Any) -> Float64:
        """Return a measure of all batches of some images, ``(n, …)``."""
        measured: Float64 = np.concatenate([measure(each, *of) for each in self.batches(rows)])
        return measured

    def run(
        self, batch: _Batch, k: int, given: Tensor, route: Route, still: bool = False
    ) -> TappedPass:
        """Run the model on what layer ``k`` is to give instead.

        Behind it the channels of a route alone pass on what changes: a gradient, or with
        ``still`` the values as well; other channels then give what they gave before.
        """

        def put(tap: Tap, value: Tensor, _: TappedPass) -> Tensor:
            j = self.at.index(tap)
            if j == k:
                return given.to(value).expand_as(value)
            if j < k or j not in route:
                return value
            mixed = (batch.gives[j].to(value) if still else value.detach()).clone()
            if route[j] >= 0:
                mixed[:, route[j]] = value[:, route[j]]
            return mixed

        return run(self._model, batch.x, self.at, put)

    def slopes(self, batch: _Batch, target: int, route: Route, k: int = 0) -> Tensor:
        """Return mean gradients of a score, as first functions go from their means to an image.

        By what layer ``k`` gives, along a route: ``(n, channels, places)``.
        """
        total = torch.zeros(())
        for share in (np.arange(self._points) + 0.5) / self._points:
            leaf = self.start + share * (batch.gives[0] - self.start)
            record = self.run(batch, 0, leaf.requires_grad_(), route)
            score = record.at(self.at[-1])[:, target].sum()
            [slope] = torch.autograd.grad(score, record.passed[self.at[k]])
            total = total + by_place(slope) / self._points
        return total

    def shares(self, batch: _Batch, target: int, route: Route) -> Float64:
        """Return what first functions have of a change by a route, ``(n, out, entries)``."""
        slopes = self.slopes(batch, target, route).numpy()
        shares: Float64 = np.einsum("nloe,nol->noe", batch.beyond, slopes, optimize=True)
        return shares

    def parts(self, batch: _Batch, target: int, entry: int, route: Route) -> Float64:
        """Return what all paths, a path and its edges have of a change, ``(n, 2 + edges)``.

        The path is from an ``entry`` of the first layer's functions to the route's channel there.
        """
        free, own = (self.shares(batch, target, its) for its in ({}, route))
        parts = [free.sum(axis=(1, 2)), own[:, route[0], entry], free[:, route[0], entry]]
        for k in route:
            ends = self.shares(batch, target, {j: route[j] for j in route if j in (k, k + 1)})
            parts.append((ends if k else ends[:, [route[0]]]).sum(axis=(1, 2)))
        return np.stack(parts, axis=1)

    def falls(self, batch: _Batch, target: int, entry: int, route: Route) -> Float64:
        """Return by how much a score falls as means are put in place of these, in that order.

        Of a channel for the next one alone.
        """
        z, cut = batch.gives, batch.gives[0].clone()
        beyond = torch.from_numpy(batch.beyond[:, :, route[0], entry])
        cut[:, route[0]] -= beyond.reshape(cut[:, 0].shape)
        puts: list[tuple[int, Tensor, Route]] = [(0, self.start, {}), (0, cut, route), (0, cut, {})]
        for k, channel in route.items():
            flat = z[k].clone()
            flat[:, channel] = self._of_channels[k][channel]
            puts.append((k, flat, {j: route[j] for j in route if j == k + 1}))
        with torch.no_grad():
            after = [self.run(batch, *put, still=True).at(self.at[-1]) for put in puts]
        return torch.stack([(z[-1] - y.cpu())[:, target] for y in after], dim=1).numpy()


def by_place(values: Tensor) -> Tensor:
    """Return maps ``(n, channels, ...)`` as ``(n, channels, places)``, in double precision."""
    return values.detach().double().cpu().reshape(*values.shape[:2], -1)
