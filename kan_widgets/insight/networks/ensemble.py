"""Trainings of the same network as one: hidden units matched, and what varies with seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Union

import numpy as np

from kan_widgets.arrays import Float64, Int64
from kan_widgets.checks import check_whole, is_module
from kan_widgets.insight.lasting import DEAD
from kan_widgets.insight.networks.matching import (
    MatchedLayer,
    Units,
    arranged,
    channels_of,
    compared,
    matched,
    same,
    scrambled,
)
from kan_widgets.insight.networks.members import (
    SeededTraining,
    check_alike,
    common_points,
    matched_layers,
    read_member,
    seeds_of,
    seen_by,
    trained_from,
    values_at,
)
from kan_widgets.printed import Printed, progress

if TYPE_CHECKING:
    from torch import Tensor, nn

    from kan_widgets.insight.formulas.formula import Formula
    from kan_widgets.live import Source

Member = Union["nn.Module", "Source"]

# Networks scrambled and matched: chances from 1/40 up.
_SCRAMBLED = 39
# Functions of which forms are looked for.
_MOST = 100


@dataclass(frozen=True, eq=False, repr=False)
class Ensemble(Printed):
    """Networks with their hidden units matched to those of one, the most typical of them.

    A distance is Σ|φ − φ′|² / Σ(|φ|² + |φ′|²), each function about its mean: 0 of the same
    functions, 1 of unrelated ones. All numbers are of these networks; other data is not asked.
    """

    layers: tuple[str, ...]
    typical: int
    """Number of the network that the others are matched to."""
    distance: Float64
    """``(layers,)``: to the typical network, the mean over the others."""
    unmatched: Float64
    """``(layers,)``: the same with the units as they came."""
    chance: Float64
    """``(layers,)``: the same of networks in which each function belongs to another unit, of the
    same input, matched in the same way: the mean over 39 such ensembles."""
    p: float
    """How often those were as near, matched by functions alone, from 1/40 up: small where units are
    the same in all."""
    units: tuple[tuple[Units, ...], ...] = field(repr=False)
    """For each network and hidden layer, which unit stands for each of the typical network's."""
    x: dict[str, Float64] = field(repr=False)
    """By layer ``(networks, in, P)``: where its functions are compared. Where ``batch`` was given
    the quantiles of the inputs, else even points of the grids."""
    values: dict[str, Float64] = field(repr=False)
    """By layer ``(networks, out, in, kh·kw, P)``: functions about their means, units matched; with
    ``batch`` in units of the deviation of what they add up to."""
    functions: dict[str, Int64] = field(repr=False)
    """By layer ``(networks, out, in)``: which function (or kernel) of a network stands for each of
    the typical one, counted as out · in-channels + in."""
    members: tuple[Member, ...] = field(repr=False)
    """The networks, or their recordings."""
    training: SeededTraining | None = field(default=None, repr=False)
    """How they were trained (``make``, ``train``, ``seeds``); None where networks were given."""
    # By layer and function what views ask for again at each selection.
    _kept: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    _right = (1, 2, 3)

    def __len__(self) -> int:
        return len(self.units)

    def band(self, layer: str, share: float = 1.0) -> tuple[Float64, Float64, Float64]:
        """Return the low end, the median and the high end of every function over the networks.

        Each ``(out, in, kh·kw, P)``; between the ends lies that ``share`` of the networks.

        Raises
        ------
        KeyError
            If there is no such layer.
        """
        if layer not in self.values:
            raise KeyError(f"layer={layer!r}: the layers are {', '.join(map(repr, self.layers))}")
        levels = [(1 - share) / 2, 0.5, (1 + share) / 2]
        low, middle, high = np.quantile(self.values[layer], levels, axis=0)
        return low, middle, high

    def place_in(self, network: int, where: Any) -> Any:
        """Return where a network has a function ``(layer, (out, in, …))`` of the typical one."""
        if isinstance(where, str) or where[0] not in self.functions:
            return where
        layer, (out, in_, *entry) = where
        numbers = self.functions[layer][network]
        return layer, (*map(int, divmod(numbers[out, in_], numbers.shape[1])), *entry)

    @property
    def shown(self) -> Member:
        """The network that views of the ensemble show, the typical one."""
        return self.members[self.typical]

    def around(self, layer: str) -> Float64:
        """Return where all networks have the functions of the network shown.

        ``(4, out, in, kh·kw, P)``: x, the least, the median and the largest value, in the units of
        the network shown, and about the mean that its function has there, as that network was when
        it was first asked.
        """
        if layer in self._kept:
            around: Float64 = self._kept[layer]
            return around
        own, coefficients = next(pair for pair in read_member(self.shown) if pair[0].name == layer)
        x = self.x[layer][self.typical]
        phi = values_at(own, coefficients, x)
        about = self.values[layer][self.typical].std(axis=-1, keepdims=True)
        scale = phi.std(axis=-1, keepdims=True) / np.where(about > 0, about, 1.0)
        band = [phi.mean(axis=-1, keepdims=True) + scale * part for part in self.band(layer)]
        self._kept[layer] = np.stack([np.broadcast_to(x[:, None], phi.shape), *band])
        return self.around(layer)

    def varies(self, layer: str) -> Float64:
        """Return the share of each function that is not the mean of all networks'.

        ``(out, in, kh·kw)``, 0 where all have the same; NaN where all are constant.
        """
        values = self.values[layer]
        rest, whole = (np.square(v).sum(axis=(0, -1)) for v in (values - values.mean(0), values))
        with np.errstate(invalid="ignore"):
            return np.asarray(rest / whole, dtype=np.float64)

    def alive(self, layer: str) -> Int64:
        """Count the networks in which each function is alive, ``(out, in, kh·kw)``.

        There its deviation over `x` is a twentieth of the largest of its layer or more: one that
        falls to less of its own is dead for `moments`.
        """
        spread = self.values[layer].std(axis=-1)
        largest = spread.max(axis=(1, 2, 3), keepdims=True)
        return np.asarray(((spread > 0) & (spread >= DEAD * largest)).sum(axis=0), dtype=np.int64)

    def table(self) -> list[dict[str, Any]]:
        """Return a row for each function: its forms, in how many networks, and what varies.

        Forms are those of `symbolic`, each network's best with R² 0.9 or more; functions have rows
        from the largest down, 100 at most. ``size`` is the share of its layer's Σ|φ|².
        """
        rows: list[dict[str, Any]] = []
        for layer in self.layers:
            own, varies = np.square(self.values[layer]).sum(axis=(0, -1)), self.varies(layer)
            places = np.ndindex(own.shape)
            rows += [
                {
                    "layer": layer,
                    "function": place,
                    "size": float(own[place] / (own.sum() or 1.0)),
                    "varies": float(varies[place]),
                }
                for place in places
            ]
        rows = sorted(rows, key=lambda row: -row["size"])[:_MOST]
        for row in progress(rows, "forms"):
            counted = self.forms(row["layer"], *row["function"])
            row["forms"] = {name: f"{n} of {len(self)}" for name, n in counted.most_common()}
        order = {name: k for k, name in enumerate(self.layers)}
        return sorted(rows, key=lambda row: (order[row["layer"]], row["function"]))

    def forms(self, layer: str, out: int, in_: int, entry: int) -> Counter[str]:
        """Count the best forms of a function over the networks."""
        if (function := (layer, out, in_, entry)) in self._kept:
            return Counter(self._kept[function])
        from kan_widgets.insight.formulas.forms import FORMS
        from kan_widgets.insight.formulas.symbolic import PENALTY, forms_like
        from kan_widgets.insight.formulas.symbolic_fits import NO_FORM

        counts: Counter[str] = Counter()
        for x, y in zip(self.x[layer][:, in_], self.values[layer][:, out, in_, entry], strict=True):
            best = forms_like(x, y, FORMS, PENALTY, 1)
            counts[best[0].form.name if best and best[0].fits else NO_FORM] += 1
        self._kept[function] = counts
        return Counter(counts)

    def formula(self, x: Tensor, **options: Any) -> Formula:
        """Return `insight.formula` of all networks, which says what terms vary with the seed.

        Raises
        ------
        ValueError
            If recordings were given, or as `insight.formula` does.
        """
        from kan_widgets.insight.formulas.formula import formula

        models = [member for member in self.members if is_module(member)]
        if len(models) < len(self):
            raise ValueError("these are recordings, which cannot be run: give models")
        return formula(models, x, **options)

    def _words(self) -> list[str]:
        same = "The units of the networks correspond" if self.p <= 0.05 else "No sign of same units"
        return [
            f"{len(self)} networks, units matched to those of number {self.typical}. {same}: "
            f"distance {self.distance.mean():.2g}, {self.chance.mean():.2g} where functions are "
            f"given to other units (p {'≤' if self.p <= 1 / 40 else '='} {self.p:.2g})."
        ]

    def _rows(self) -> list[Sequence[str]]:
        numbers = zip(self.distance, self.unmatched, self.chance, strict=True)
        rows = [[f"{number:.2g}" for number in row] for row in numbers]
        heads = ("layer", "distance", "as they came", "by chance")
        return [heads, *((name, *row) for name, row in zip(self.layers, rows, strict=True))]


def ensemble(
    networks: Callable[[], nn.Module] | Sequence[Member],
    train: Callable[[nn.Module], object] | None = None,
    *,
    seeds: int | Sequence[int] = 8,
    seed: int = 0,
    batch: Tensor | None = None,
    processes: int = 1,
) -> Ensemble:
    """Take several trainings of the same network as one, with their hidden units matched.

    KANs may have their hidden units in any order, so functions of two trainings are not to be
    compared by their numbers. Units are matched layer by layer, by the functions that lead to them
    and from them, and with ``batch`` by what they give as well; between dense layers also with the
    other sign. With ``batch`` functions are compared over quantiles of their inputs, so that a
    unit's scale and shift do not matter, else over even points of the grid.

    Parameters
    ----------
    networks
        Makes a new network; or networks, or recordings (what has a ``frame``), two or more.
    train
        Trains a network in place, where ``networks`` makes them.
    seeds, seed
        How many are trained, from that seed on, or the seed of each. torch's, NumPy's and Python's
        generators are seeded with it before a network is made, and are afterwards as before: where
        ``make`` and ``train`` draw of no others, a seed gives the same network each time.
    batch
        Inputs that all networks are run on, in evaluation mode, to see what reaches their layers.
    processes
        How many train at once. More than 1 takes functions that can be imported, from a file.

    Raises
    ------
    TypeError
        If something else is given.
    ValueError
        If the networks have not the same layers, these are not one after the other, seeds are
        fewer than two or not all different, or ``batch`` is given with recordings.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> def train(model):
    ...     optimizer = torch.optim.Adam(model.parameters(), 0.05)
    ...     for _ in range(30):
    ...         x = torch.rand(64, 2) * 2 - 1
    ...         (model(x)[:, 0] - x.prod(1)).square().mean().backward()
    ...         optimizer.step(), optimizer.zero_grad()
    >>> make = lambda: torch.nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1))
    >>> found = kw.ensemble(make, train, seeds=3)
    >>> len(found), found.layers, found.values["0"].shape
    (3, ('0', '1'), (3, 3, 2, 1, 41))
    """
    training = None
    if callable(networks) and not is_module(networks):
        check_whole("processes", processes)
        if not callable(train):
            raise TypeError(f"train={train!r:.60}: expected a function that trains a network")
        training = SeededTraining(networks, train, seeds_of(seeds, seed), processes)
        members: list[Any] = list(training.networks())
    else:
        members = list(networks) if isinstance(networks, Sequence) else [networks]
        if train is not None or not all(is_module(m) or hasattr(m, "frame") for m in members):
            raise TypeError(
                f"networks={networks!r:.60}: expected a function that makes one, with train, or a "
                "sequence of networks or recordings"
            )
    if len(members) < 2:
        raise ValueError(f"networks: {len(members)} given: expected two or more")
    if batch is not None and not all(map(is_module, members)):
        raise ValueError("batch: recordings cannot be run: leave it out")
    read = [read_member(member) for member in members]
    for number, layers in enumerate(read):
        check_alike(read[0], layers, number)
    seen = common_points(read) if batch is None else [seen_by(one, batch) for one in members]
    sampled_all = [matched_layers(*pair) for pair in zip(read, seen, strict=True)]
    places = [[place.x for place in own] for own in seen]
    return replace(_matched(sampled_all, places, tuple(members)), training=training)


def _matched(
    networks: list[list[MatchedLayer]], places: list[list[Float64]], members: tuple[Member, ...]
) -> Ensemble:
    pairs = [[matched(target, other) for other in networks] for target in networks]
    typical = int(np.argmin([sum(match.distance for match in row) for row in pairs]))
    chosen, others = pairs[typical], [k for k in range(len(networks)) if k != typical]
    target, rng = networks[typical], np.random.default_rng(0)
    plain = [same(len(part.values)) for part in target[:-1]]
    as_came = [compared(target, networks[k], plain).distances for k in others]
    by_chance = [
        np.mean([matched(target, scrambled(networks[k], rng)).distances for k in others], axis=0)
        for _ in progress(range(_SCRAMBLED), "matching by chance")
    ]
    distance = np.mean([chosen[k].distances for k in others], axis=0)
    # By functions alone, as by chance: what units give goes with their own functions.
    alone = [[replace(part, active=None) for part in parts] for parts in networks]
    nearest = np.mean([matched(alone[typical], alone[k]).distance for k in others])
    nearer = sum(bool(d.mean() <= nearest + 1e-12) for d in by_chance)
    values, functions, x = [], [], []
    for parts, own, match in zip(networks, places, chosen, strict=True):
        values.append(arranged(parts, match.units))
        before = channels_of(parts, match.units)
        x.append([_placed(*layer) for layer in zip(parts, own, before, strict=False)])
        rows = [*match.units, same(len(parts[-1].values))]
        functions.append([p.numbers(*pair) for p, *pair in zip(parts, before, rows, strict=False)])
    names = [part.name for part in target]
    return Ensemble(
        layers=tuple(names),
        typical=typical,
        distance=np.asarray(distance, dtype=np.float64),
        unmatched=np.mean(as_came, axis=0),
        chance=np.mean(by_chance, axis=0),
        p=(1 + nearer) / (1 + _SCRAMBLED),
        units=tuple(match.units for match in chosen),
        x={name: np.stack([own[k] for own in x]) for k, name in enumerate(names)},
        values={name: np.stack([own[k] for own in values]) for k, name in enumerate(names)},
        functions={name: np.stack([own[k] for own in functions]) for k, name in enumerate(names)},
        members=members,
    )


def _placed(part: MatchedLayer, x: Float64, before: Units) -> Float64:
    """Return where the functions of a layer are compared, its inputs in the order matched."""
    if part.shared:
        return x
    order, signs = part.columns(before)
    return np.where(signs[:, None] < 0, x[order, ::-1], x[order])


def untrained_networks(
    make: Callable[[], nn.Module], *, count: int = _SCRAMBLED, seed: int = 0
) -> tuple[nn.Module, ...]:
    """Initialise a network many times, seeded with ``seed`` and those that follow.

    What `symbolic`, `check_pattern` or `later_is_more_complex` find of a trained network is a
    finding of its training where it is rarer among these. torch's generator is afterwards as
    before. Norms keep statistics that set the scale of what the layers after them see: where
    inputs are to be observed, ``make`` runs each on as many batches as the trained one has seen.

    Raises
    ------
    TypeError
        If ``make`` is a network, or returns something else.
    ValueError
        If ``count`` is not at least 1.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> len(untrained_networks(kw.nn.KANCNN.article, count=3))
    3
    """
    if is_module(make) or not callable(make):
        raise TypeError(f"make={make!r:.60}: expected a function that makes a network each time")
    check_whole("count", count)
    return tuple(trained_from(seed + k, make, lambda _: None) for k in range(count))
