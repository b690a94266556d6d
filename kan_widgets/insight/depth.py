"""Are later functions more complex? Complexity by layer, and the claim put to a test."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.complexity import Complexity, complexity
from kan_widgets.insight.kernels import Observed, check_observed
from kan_widgets.insight.summary import Spread, spread_of
from kan_widgets.insight.tables import Float64
from kan_widgets.insight.untrained import Untrained

# How often the outputs of the layers are drawn anew.
_DRAWS = 200
# Share of the inputs beyond either end of the interval that counts.
_TAIL = 0.005
# Below, a trend is taken for no chance beside untrained networks: 19 can give no smaller one.
LEVEL_UNTRAINED = 0.05

MEASURES: dict[str, Callable[[Complexity], Float64]] = {
    "bend": lambda found: found.bend,
    "turns": lambda found: found.turns,
    "line": lambda found: 1 - found.line,
    "silu": lambda found: 1 - found.silu,
    "variation": lambda found: found.variation,
    "curvature": lambda found: found.curvature,
    "range": lambda found: found.range,
}
"""What is compared: the larger, the more complex. The first four say how φ is shaped, whatever its
size; ``"line"`` and ``"silu"`` are the shares of its variance that the best line or a·SiLU + c
leaves. The last three have the scale of φ."""
_WORDS = {
    "turns": "way up and down for its range",
    "line": "share of its variance beyond a straight line",
    "silu": "share of its variance beyond a·SiLU + c",
}


@dataclass(frozen=True, eq=False)
class LayerComplexity:
    """How complex the functions of one layer are, in the measure chosen."""

    layer: str
    kind: str
    """``"conv"`` or ``"linear"``."""
    functions: int
    """Functions measured."""
    left_out: int
    """Functions that are constant or not finite, of which the measure says nothing."""
    interval: tuple[float, float] | None
    """Where x was taken from; ``None`` for the grid of each function."""
    samples: int | None
    """Images (rows) that the interval rests on; ``None`` for the grid."""
    spread: Spread | None
    """Quantiles of the measure; ``None`` where nothing was measured."""


@dataclass(frozen=True, eq=False)
class DepthStatement:
    """Whether functions are more complex the later their layer is.

    The trend is Jonckheere's and Terpstra's: of all pairs of functions from two layers, in how
    many is that of the later layer more complex? (Hollander, Wolfe & Chicken 2014,
    *Nonparametric Statistical Methods*, sec. 6.2.) An untrained network has such a trend too,
    because layers of different kinds and sizes begin differently, so the trend is compared with
    theirs. It says nothing of other trainings of the same network.
    """

    measure: str
    """Which of `MEASURES`."""
    layers: tuple[LayerComplexity, ...]
    """In the order in which they are applied."""
    later: float
    """Share of the pairs in which the later function is more complex; a tie counts half. 0.5 where
    depth tells nothing."""
    between: tuple[float, float]
    """Where 95 % of such shares lie when the outputs of each layer are drawn anew, all functions
    of an output together."""
    steps: tuple[float, ...]
    """The same share for each layer and the next, of those of which the measure says something."""
    untrained: tuple[float, ...]
    """The same share of each untrained network; empty where none were given."""

    @property
    def p_untrained(self) -> float | None:
        """Chance of such a share or a larger one in an untrained network; ``None`` without any."""
        if not self.untrained:
            return None
        as_large = sum(share >= self.later for share in self.untrained)
        return (1 + as_large) / (1 + len(self.untrained))

    @property
    def rises(self) -> bool:
        """Whether each layer is more complex than the one before, in its median and in most pairs.

        A description of this network, whether training made it so or not.
        """
        medians = [median for _, median in self._medians()]
        return all(a < b for a, b in pairwise(medians)) and all(s > 0.5 for s in self.steps)

    @property
    def holds(self) -> bool:
        """Whether it rises, by more than chance, and by more than in untrained networks.

        More than chance: `between` lies above 0.5. More than in untrained networks: p_untrained ≤
        0.05; without any to compare with, it does not hold.
        """
        p = self.p_untrained
        return self.rises and self._beyond_chance() and p is not None and p <= LEVEL_UNTRAINED

    def __str__(self) -> str:
        low, high = self.between
        what = _WORDS.get(self.measure, self.measure)
        total = sum(layer.functions for layer in self.layers)
        where = "on the grids"
        if self.layers[0].samples is not None:
            where = f"where {self.layers[0].samples:,} samples lie"
        medians = ", ".join(f"{name} {median:.3g}" for name, median in self._medians())
        return (
            f"“later functions are more complex” {self._verdict()}. Of two functions from "
            f"different layers, the later has the larger {what} in {100 * self.later:.0f} % "
            f"({100 * low:.0f} to {100 * high:.0f} % with other outputs; {total:,} functions, "
            f"{where}){self._compared()}. Medians: {medians}."
        )

    def _verdict(self) -> str:
        if self.holds:
            return "holds: each layer is more complex than the one before, and training made it so"
        if not self.rises:
            return f"does not hold: {self._course()}"
        if not self._beyond_chance():
            return "is not borne out: the medians rise, but by no more than chance"
        if self.p_untrained is None:
            return (
                "is not decided: the medians rise from layer to layer, but so they may without "
                "training; give untrained=untrained_networks(make)"
            )
        return (
            "does not hold of the training: the medians rise from layer to layer, but as much in "
            "untrained networks"
        )

    def _course(self) -> str:
        """Say how the medians go from layer to layer where they do not only rise."""
        found = self._medians()
        values = [median for _, median in found]
        if all(a > b for a, b in pairwise(values)):
            return "the medians fall from layer to layer"
        if all(a < b for a, b in pairwise(values)):
            worst = min(range(len(self.steps)), key=lambda k: self.steps[k])
            share = 100 * self.steps[worst]
            one, other = found[worst][0], found[worst + 1][0]
            return (
                f"the medians rise, but of two functions from {one} and {other} the later is the "
                f"larger in {share:.0f} % only"
            )
        drops = [f"from {a} to {b}" for (a, x), (b, y) in pairwise(found) if y <= x]
        return f"the median does not rise {', '.join(drops)}"

    def _compared(self) -> str:
        if not self.untrained:
            return ""
        low, high = min(self.untrained), max(self.untrained)
        return (
            f"; in {len(self.untrained)} untrained networks {100 * low:.0f} to {100 * high:.0f} % "
            f"(p = {self.p_untrained:.2g} beside them)"
        )

    def _beyond_chance(self) -> bool:
        return self.between[0] > 0.5

    def _medians(self) -> list[tuple[str, float]]:
        return [(of.layer, of.spread.median) for of in self.layers if of.spread is not None]


def later_is_more_complex(
    layers: Sequence[LayerFunctions],
    measure: str = "bend",
    observed: Mapping[str, Observed] | None = None,
    *,
    untrained: Sequence[Untrained] = (),
) -> DepthStatement:
    """Test the claim that the functions of later layers are more complex.

    Parameters
    ----------
    layers
        At least two, in the order in which they are applied: ``live.read()``, or those of it that
        are to be compared, such as the convolutions.
    measure
        One of `MEASURES`: by default the mean curvature of φ with both axes scaled to 0 … 1.
    observed
        What ``live.observe(batch)`` returned: φ is then measured from the 0.5 % to the 99.5 %
        quantile of the inputs of its layer; by default over its grid.
    untrained
        Networks that were initialised as this one was, from `untrained_networks`. Without them
        the claim is never said to hold: untrained networks have such trends as well.

    Raises
    ------
    TypeError
        If a layer was not observed.
    ValueError
        If there is no such measure, there are fewer than two layers of which it says something,
        all inputs of a layer are alike, or an untrained network is another one.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> def make():
    ...     return torch.nn.Sequential(kw.nn.KANLinear(4, 9), kw.nn.KANLinear(9, 9))
    >>> _ = torch.manual_seed(0)
    >>> model = make()
    >>> _ = torch.nn.init.normal_(model[1].spline_weight)  # as training may bend them
    >>> networks = kw.insight.untrained_networks(make, count=19)
    >>> later_is_more_complex(kw.functions.read(model), untrained=networks).holds
    True
    """
    if measure not in MEASURES:
        raise ValueError(
            f"measure: expected one of {', '.join(map(repr, MEASURES))}, got {measure!r}"
        )
    measured = [_measured(layer, measure, observed) for layer in layers]
    groups = [values[np.isfinite(values)] for _, values in measured]
    groups = [group for group in groups if len(group)]
    if len(groups) < 2:
        raise ValueError(
            "expected at least two layers with functions that are not constant, got "
            f"{len(groups)} of {len(measured)}"
        )
    beside = []
    for network in untrained:
        shapes = [layer.shape for layer in network.layers]
        if shapes != [layer.shape for layer in layers]:
            raise ValueError(
                f"untrained: layers of shapes {shapes}, but those compared have "
                f"{[layer.shape for layer in layers]}; untrained_networks(make, layers=[names])"
            )
        if (network.observed is None) != (observed is None):
            raise ValueError(
                "untrained: give untrained_networks(make, observe) where observed is given, and "
                "neither otherwise: all are measured over inputs, or all on their grids"
            )
        values = [_measured(layer, measure, network.observed)[1] for layer in network.layers]
        own = [v[np.isfinite(v)] for v in values]
        beside.append(rising_share([group for group in own if len(group)]))
    outputs = [
        values.reshape(layer.shape[0], -1)
        for layer, (_, values) in zip(layers, measured, strict=True)
        if np.isfinite(values).any()
    ]
    return DepthStatement(
        measure,
        tuple(row for row, _ in measured),
        rising_share(groups),
        _interval(outputs),
        tuple(rising_share([a, b]) for a, b in pairwise(groups)),
        tuple(beside),
    )


def _measured(
    layer: LayerFunctions, measure: str, observed: Mapping[str, Observed] | None
) -> tuple[LayerComplexity, Float64]:
    """Measure the functions of one layer; NaN where the measure says nothing."""
    name = layer.name or layer.type
    interval, samples = None, None
    if observed is not None:
        seen = observed.get(name)
        x = check_observed(layer, seen)
        assert seen is not None
        low, high = map(float, np.quantile(x, (_TAIL, 1 - _TAIL)))
        if low >= high:
            raise ValueError(f"all inputs observed at {name} are {low:g}: there is no interval")
        interval, samples = (low, high), seen.samples
    found = MEASURES[measure](complexity(layer, interval=interval))
    known = found[np.isfinite(found)]
    row = LayerComplexity(
        name, layer.kind, len(known), len(found) - len(known), interval, samples, spread_of(known)
    )
    return row, found


def _interval(outputs: Sequence[Float64]) -> tuple[float, float]:
    """Return where 95 % of the shares lie if the outputs, ``(out, functions)``, are redrawn."""
    draw = np.random.default_rng(0)
    shares = []
    for _ in range(_DRAWS):
        drawn = [rows[draw.integers(0, len(rows), len(rows))].ravel() for rows in outputs]
        known = [group[np.isfinite(group)] for group in drawn]
        shares.append(rising_share([group for group in known if len(group)]))
    low, high = np.nanquantile(shares, (0.025, 0.975))
    return float(low), float(high)


def rising_share(groups: Sequence[Float64]) -> float:
    """Return the share of rising pairs; a tie counts half. NaN where there are no pairs."""
    rising, pairs = 0.0, 0
    for earlier, later in combinations(groups, 2):
        ordered = np.sort(earlier)
        smaller, upto = (np.searchsorted(ordered, later, side) for side in ("left", "right"))
        rising += (smaller + upto).sum() / 2
        pairs += len(later) * len(earlier)
    return float(rising / pairs) if pairs else math.nan
