"""Which hidden units of two networks are the same: matched by their functions, and at random.

KANs have the permutation symmetries of MLPs (arXiv:2602.16316). Units are matched layer by layer
by the Hungarian method, a layer with those beside it as they are matched then, until nothing moves
(coordinate descent as in Ainsworth, Hayase and Srinivasa, "Git Re-Basin", ICLR 2023).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from kan_widgets.arrays import Float64, Int64

_SWEEPS = 50


@dataclass(frozen=True, eq=False)
class MatchedLayer:
    """The functions of one layer, sampled, and how its units are tied to those of its neighbours.

    Output channel ``c·units + k`` is unit k on copy c, where ``copies`` > 1 (kernels that every
    channel shares); input ``c·block + p`` is of channel c of the layer before.
    """

    name: str
    values: Float64
    """``(units, in, kh·kw, P)``: each function about its mean."""
    copies: int
    block: int
    shared: bool
    flips: bool
    """Whether its units may change their sign: it and the next layer are dense."""
    active: Float64 | None = None
    """``(n, units)``: what its units gave, with mean 0 and variance 1; None where not known."""

    @cached_property
    def size(self) -> float:
        """Sum of squares of all values."""
        return float(np.square(self.values).sum())

    def columns(self, inputs: "Units") -> tuple[Int64, Float64]:
        """Return the order and the signs of its inputs, given those of the channels before."""
        if self.shared:
            return np.arange(self.values.shape[1]), np.ones(self.values.shape[1])
        order = inputs.order[:, None] * self.block + np.arange(self.block)
        return order.ravel(), np.repeat(inputs.signs, self.block)

    def numbers(self, inputs: "Units", outputs: "Units") -> Int64:
        """Return which function comes to which place then, out · in-channels + in."""
        numbers: Int64 = outputs.order[:, None] * self.values.shape[1] + self.columns(inputs)[0]
        return numbers

    def arranged(self, inputs: "Units", outputs: "Units") -> Float64:
        """Return the values with inputs and units in another order, and with other signs."""
        order, signs = self.columns(inputs)
        values = self.values[:, order]
        values = np.where((signs < 0)[:, None, None], values[..., ::-1], values)
        return values[outputs.order] * outputs.signs[:, None, None, None]


@dataclass(frozen=True, eq=False)
class Units:
    """Which unit of another network stands for each unit, and with which sign, ±1."""

    order: Int64
    signs: Float64

    def copied(self, part: MatchedLayer, before: "Units") -> "Units":
        """Return the output channels of a layer, given its input channels."""
        if part.copies == 1:
            return self
        order = before.order[:, None] * len(self.order) + self.order
        return Units(order.ravel(), np.tile(self.signs, part.copies))


def same(count: int) -> Units:
    """Return ``count`` units in their own order, with their own signs."""
    return Units(np.arange(count), np.ones(count))


@dataclass(frozen=True, eq=False)
class _Matched:
    """The units of every layer but the last, and what is left between the functions."""

    units: tuple[Units, ...]
    distances: Float64
    """``(layers,)``: Σ|φ − φ′|² / Σ(|φ|² + |φ′|²): 0 of the same functions, 1 of unrelated ones."""

    @property
    def distance(self) -> float:
        """The mean over the layers."""
        return float(self.distances.mean())


def channels_of(parts: Sequence[MatchedLayer], units: Sequence[Units]) -> list[Units]:
    """Return the order of the channels before each layer, and after the last."""
    first = parts[0]
    channels = [same(first.copies if first.shared else first.values.shape[1] // first.block)]
    for part, own in zip(parts, [*units, same(len(parts[-1].values))], strict=True):
        channels.append(own.copied(part, channels[-1]))
    return channels


def arranged(parts: Sequence[MatchedLayer], units: Sequence[Units]) -> list[Float64]:
    """Return the values of every layer with the units in another order."""
    before = channels_of(parts, units)
    rows = [*units, same(len(parts[-1].values))]
    return [part.arranged(*pair) for part, *pair in zip(parts, before, rows, strict=False)]


def compared(
    first: Sequence[MatchedLayer], other: Sequence[MatchedLayer], units: Sequence[Units]
) -> _Matched:
    """Return how far two networks are apart if units are matched so."""
    left = [
        np.square(part.values - values).sum() / ((part.size + its.size) or 1.0)
        for part, its, values in zip(first, other, arranged(other, units), strict=True)
    ]
    return _Matched(tuple(units), np.array(left))


def matched(first: Sequence[MatchedLayer], other: Sequence[MatchedLayer]) -> _Matched:
    """Match the hidden units of another network to those of the first.

    Starts from units matched layer by layer and from units as they are; keeps the nearer result.
    """
    plain = [same(len(part.values)) for part in first[:-1]]
    forward: list[Units] = []
    for k, part in enumerate(first[:-1]):
        before = channels_of(other[: k + 1], [*forward])[k]
        forward.append(_assigned(part, _incoming(part, other[k], before), None))
    tried = [_descended(first, other, list(start)) for start in (forward, plain)]
    return min(tried, key=lambda match: match.distance)


def _descended(
    first: Sequence[MatchedLayer], other: Sequence[MatchedLayer], units: list[Units]
) -> _Matched:
    """Match one layer after the other, the others as they are, while that brings them nearer."""
    best = compared(first, other, units)
    for _ in range(_SWEEPS):
        for k, part in enumerate(first[:-1]):
            before = channels_of(other, units)
            near, far = _incoming(part, other[k], before[k]), None
            if not first[k + 1].shared:
                rows = units[k + 1] if k + 2 < len(first) else same(len(first[-1].values))
                far = _outgoing(first[k + 1], other[k + 1], part, before[k], rows)
            units[k] = _assigned(part, near, far)
        match = compared(first, other, units)
        if not match.distance < best.distance - 1e-12:
            return best
        best = match
    return best


def _products(first: Float64, other: Float64) -> Float64:
    """Return the products of each row with each other one: ``(a, ...)`` and ``(b, ...)``."""
    products: Float64 = first.reshape(len(first), -1) @ other.reshape(len(other), -1).T
    return products


def _incoming(part: MatchedLayer, other: MatchedLayer, before: Units) -> Float64:
    """Return how alike units are by the functions that lead to them, and by what they gave."""
    values = other.arranged(before, same(len(other.values)))
    likeness = _products(part.values, values) / ((part.size + other.size) or 1.0)
    if part.active is not None and other.active is not None:
        alike = part.active.T @ other.active / part.active.size
        likeness += alike
    return likeness


def _outgoing(
    part: MatchedLayer, other: MatchedLayer, own: MatchedLayer, before: Units, rows: Units
) -> tuple[Float64, Float64]:
    """Return how alike units are by the functions from them, as they are and with another sign."""
    units = len(own.values)

    def by_unit(values: Float64) -> Float64:
        """Put the unit first: ``(units, rows, copies, block, kh·kw, P)``."""
        split = values.reshape(len(values), own.copies, units, part.block, *values.shape[2:])
        return np.moveaxis(split, 2, 0)

    theirs = by_unit(other.values[rows.order] * rows.signs[:, None, None, None])
    theirs = theirs[:, :, before.order] if own.copies > 1 else theirs
    size = (part.size + other.size) or 1.0
    ours = by_unit(part.values)
    return _products(ours, theirs) / size, _products(ours, theirs[..., ::-1]) / size


def _assigned(part: MatchedLayer, near: Float64, far: tuple[Float64, Float64] | None) -> Units:
    """Return the units that are most alike, by the Hungarian method."""
    from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

    plain, turned = (near, -near) if far is None else (near + far[0], far[1] - near)
    flipped = (turned > plain) if part.flips else np.zeros(plain.shape, dtype=bool)
    _, order = linear_sum_assignment(np.where(flipped, turned, plain), maximize=True)
    signs = np.where(flipped[np.arange(len(order)), order], -1.0, 1.0)
    return Units(np.asarray(order, dtype=np.int64), signs)


def scrambled(parts: Sequence[MatchedLayer], rng: np.random.Generator) -> list[MatchedLayer]:
    """Return a network in which each function belongs to another unit, of the same input.

    It keeps which functions an input has, and how much goes into each unit and comes from it; which
    functions share a unit is lost.
    """
    layers = []
    for k, part in enumerate(parts):
        values = part.values.copy()
        if k + 1 < len(parts):
            for i in range(values.shape[1]):
                values[:, i] = rng.permutation(values[:, i])
            values = _sized(values, part.values, (1, 2, 3))
        elif k and not part.shared:
            split = values.reshape(len(values), -1, part.block, *values.shape[2:])
            for row in split:
                row[:] = rng.permutation(row)
            values = _sized(split, part.values.reshape(split.shape), (0, 2, 3, 4))
        layers.append(replace(part, values=values.reshape(part.values.shape), active=None))
    return layers


def _sized(values: Float64, like: Float64, axes: tuple[int, ...]) -> Float64:
    """Return values scaled to the size of ``like``, over some axes."""
    own, wanted = (np.square(part).sum(axis=axes, keepdims=True) for part in (values, like))
    scaled: Float64 = values * np.sqrt(wanted / np.where(own > 0, own, 1.0))
    return scaled
