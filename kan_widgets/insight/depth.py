"""Are later functions more complex? Complexity by layer, and the claim put to a test."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.complexity import Complexity, complexity
from kan_widgets.insight.kernels import Observed, check_observed
from kan_widgets.insight.summary import Spread, spread_of
from kan_widgets.insight.tables import Float64

# Share of the inputs beyond either end of the interval that counts.
_TAIL = 0.005
# Below, a trend this strong is taken for no chance.
LEVEL = 0.01

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
    *Nonparametric Statistical Methods*, sec. 6.2.) The functions of one layer were trained
    together and depend on each other; ``p`` takes them for independent, so it is too small rather
    than too large, and says nothing of other trainings of the same network.
    """

    measure: str
    """Which of `MEASURES`."""
    layers: tuple[LayerComplexity, ...]
    """In the order in which they are applied."""
    later: float
    """Share of the pairs in which the later function is more complex; a tie counts half. 0.5 where
    depth tells nothing."""
    p: float
    """Chance of such a share or a larger one if the layers did not differ; one-sided."""
    steps: tuple[float, ...]
    """The same share for each layer and the next."""

    @property
    def holds(self) -> bool:
        """Whether the later functions are more complex, by more than chance (p ≤ 0.01)."""
        return self.later > 0.5 and self.p <= LEVEL

    @property
    def at_every_step(self) -> bool:
        """Whether it holds and each layer is more complex than the one before."""
        return self.holds and all(step > 0.5 for step in self.steps)

    def __str__(self) -> str:
        medians = ", ".join(
            f"{layer.layer} {layer.spread.median:.3g}" for layer in self.layers if layer.spread
        )
        claim = "holds at every step" if self.at_every_step else "holds"
        if not self.holds:
            reverse = self.later < 0.5 and 1 - self.p <= LEVEL
            claim = "does not hold, but the reverse does" if reverse else "is not borne out"
        chance = f"p = {self.p:.2g}" if self.p >= 1e-4 else "p < 0.0001"
        what = _WORDS.get(self.measure, self.measure)
        total = sum(layer.functions for layer in self.layers)
        where = "on the grids"
        if self.layers[0].samples is not None:
            where = f"where {self.layers[0].samples:,} samples lie"
        return (
            f"“later functions are more complex” {claim}: of two functions from different layers, "
            f"the later has the larger {what} in {100 * self.later:.0f} % ({chance}; "
            f"{total:,} functions, {where}). Medians: {medians}."
        )


def later_is_more_complex(
    layers: Sequence[LayerFunctions],
    measure: str = "bend",
    observed: Mapping[str, Observed] | None = None,
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

    Raises
    ------
    TypeError
        If a layer was not observed.
    ValueError
        If there is no such measure, there are fewer than two layers of which it says something,
        or all inputs of a layer are alike.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Sequential(
    ...     kw.nn.KANLinear(4, 4, grid_size=3), kw.nn.KANLinear(4, 4, grid_size=20)
    ... )
    >>> for layer in model:
    ...     _ = torch.nn.init.normal_(layer.spline_weight)
    >>> later_is_more_complex(kw.functions.read(model)).holds
    True
    """
    if measure not in MEASURES:
        raise ValueError(f"measure={measure!r}: one of {', '.join(map(repr, MEASURES))} is taken")
    rows, values = [], []
    for layer in layers:
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
        rows.append(
            LayerComplexity(
                name,
                layer.kind,
                len(known),
                len(found) - len(known),
                interval,
                samples,
                spread_of(known),
            )
        )
        values.append(known)
    groups = [group for group in values if len(group)]
    if len(groups) < 2:
        raise ValueError(
            f"{len(groups)} of {len(values)} layers have functions that are not constant: two or "
            "more are compared"
        )
    share, p = _trend(groups)
    steps = tuple(_trend([a, b])[0] for a, b in pairwise(groups))
    return DepthStatement(measure, tuple(rows), share, p, steps)


def _trend(groups: Sequence[Float64]) -> tuple[float, float]:
    """Return Jonckheere's and Terpstra's share of rising pairs, and its chance without a trend."""
    rising, pairs = 0.0, 0
    for k, later in enumerate(groups):
        ordered = np.sort(later)
        for earlier in groups[:k]:
            below = np.searchsorted(ordered, earlier, side="left")
            upto = np.searchsorted(ordered, earlier, side="right")
            rising += float((2 * len(ordered) - below - upto).sum()) / 2
            pairs += len(later) * len(earlier)
    sizes = np.array([len(group) for group in groups], dtype=np.float64)
    _, tied = np.unique(np.concatenate(groups), return_counts=True)
    t = tied.astype(np.float64)
    n = float(sizes.sum())

    def third(m: Float64 | float) -> Float64 | float:
        return m * (m - 1) * (2 * m + 5)

    def triple(m: Float64) -> float:
        return float((m * (m - 1) * (m - 2)).sum())

    def double(m: Float64) -> float:
        return float((m * (m - 1)).sum())

    # Hollander, Wolfe & Chicken 2014, eq. 6.19: the variance with ties.
    variance = (float(third(n)) - float(np.sum(third(sizes))) - float(np.sum(third(t)))) / 72
    if n > 2:
        variance += triple(sizes) * triple(t) / (36 * n * (n - 1) * (n - 2))
    variance += double(sizes) * double(t) / (8 * n * (n - 1))
    if variance <= 0:
        return rising / pairs, 1.0
    # Half a pair of continuity.
    z = (rising - 0.5 - pairs / 2) / math.sqrt(variance)
    return rising / pairs, 0.5 * math.erfc(z / math.sqrt(2))
