"""How complicated each function is, how it moves, bends and fits simple shapes; and the depth."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from kan_widgets.arrays import Float64
from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.sampled_layer import EPSILON, basis_at, by_table, sampled, silu
from kan_widgets.live.frames.layout import LayerLayout, Table

# Values of functions worked on at a time.
_BATCH = 200_000


@dataclass(frozen=True, eq=False)
class Complexity:
    """Numbers of each function of a layer, ``(functions,)``; NaN where φ is not finite.

    ``variation`` and ``curvature`` have the scale of φ, so they tell layers apart by their size
    as well. ``turns``, ``bend``, ``line`` and ``silu`` do not change when φ is multiplied by a
    number; they are NaN for a constant.
    """

    variation: Float64
    """Total variation, ∫ \\|φ′(x)\\| dx: the way up and down that φ goes, in units of φ."""
    range: Float64
    """max φ − min φ."""
    curvature: Float64
    """Mean of \\|φ″(x)\\| over x; a kink counts as the change of slope there. From
    samples: right to 1 %, where φ″ itself jumps (splines of order 2) to a few per cent. Where φ
    jumps (order 0) it says nothing."""
    line: Float64
    """R² of the best a·x + c, 0 to 1."""
    silu: Float64
    """R² of the best a·SiLU(x) + c, 0 to 1."""
    turns: Float64
    """variation / range: 1 where φ only rises or only falls, 2 where it goes and comes back."""
    bend: Float64
    """curvature·width²/range: the mean curvature with both axes scaled to 0 … 1. 0 for a
    straight line, 8 for a parabola about the middle of its interval."""


def complexity(
    layer: LayerLayout | LayerFunctions,
    coefficients: NDArray[np.floating] | None = None,
    *,
    interval: tuple[float, float] | None = None,
) -> Complexity:
    """Measure how complicated every function of a layer is.

    Every part of the interval counts equally, however many inputs fall there. Functions are in
    row-major order over (out, in, kh, kw).

    Parameters
    ----------
    layer
        A layer read from a model; or one of a frame's layout, or a `SampledLayer`.
    coefficients
        ``(functions, nb)``, or any shape that can be read so. May be left out where ``layer``
        has its own.
    interval
        From where to where in x; by default the grid of each function.

    Raises
    ------
    TypeError
        If there are no coefficients.
    ValueError
        If ``interval`` is not two ascending finite numbers.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> linear = torch.nn.Linear(1, 1)
    >>> _ = torch.nn.init.constant_(linear.weight, -0.5)
    >>> [layer] = kw.functions.read(linear)
    >>> found = complexity(layer)  # −0.5·x from −1 to 1
    >>> found.variation, found.turns, found.line.round(6)
    (array([1.]), array([1.]), array([1.]))

    For a frame, by the name of a layer:

    >>> live = kw.bind(kw.nn.KANLinear(3, 2))
    >>> name = live.frame.layout.layers[0].name
    >>> complexity(live.frame.layout.layer(name), live.frame.coefficients(name)).turns.shape
    (6,)
    """
    if interval is not None and not (np.isfinite(interval).all() and interval[0] < interval[1]):
        raise ValueError(f"interval={interval!r}: expected two finite numbers, low < high")
    measured: LayerLayout = sampled(layer) if isinstance(layer, LayerFunctions) else layer
    if coefficients is None:
        coefficients = getattr(measured, "coefficients", None)
        if coefficients is None:
            raise TypeError(
                f"{type(layer).__name__} holds no coefficients: give them, such as "
                "frame.coefficients(name)"
            )
    flat = np.asarray(coefficients, dtype=np.float64).reshape(-1, len(measured.labels))
    names = ("variation", "range", "curvature", "line", "silu", "turns", "bend")
    numbers = {name: np.full(len(flat), np.nan) for name in names}
    finite = np.flatnonzero(np.isfinite(flat).all(axis=1))
    for rows, table in by_table(measured, finite, _BATCH):
        x, middles = _points(table, table.domain if interval is None else interval)
        beta = basis_at(measured, table, x)
        with np.errstate(all="ignore"):
            for name, values in _measure(x, middles, flat[rows] @ beta.T).items():
                numbers[name][rows] = values
    return Complexity(**numbers)


def _points(table: Table, interval: tuple[float, float]) -> tuple[Float64, Float64]:
    """Return the interval's ends with the points of the table between them, and the middles.

    β is straight between the points of the table, so its slope from an end of the interval to the
    next point is that of the whole step, in whose middle it is the slope of φ itself.
    """
    low, high = interval
    points = np.asarray(table.x, dtype=np.float64)
    rounding = 1e-6 * (high - low)  # the points of frames are float32
    inside = points[(points > low + rounding) & (points < high - rounding)]
    before, after = points[points <= low + rounding], points[points >= high - rounding]
    first = before[-1] if len(before) else low
    last = after[0] if len(after) else high
    x, whole = (np.concatenate([[a], inside, [b]]) for a, b in (interval, (first, last)))
    return x, (whole[:-1] + whole[1:]) / 2


def _measure(x: Float64, middles: Float64, y: Float64) -> dict[str, Float64]:
    """Measure functions, ``(functions, points)``, that are straight between their points."""
    steps = np.diff(x)
    width = x[-1] - x[0]
    moves = np.diff(y, axis=1)
    low, high = y.min(axis=1), y.max(axis=1)
    span = high - low
    flat = span <= EPSILON * np.maximum(np.abs(low), np.abs(high))
    variation = np.abs(moves).sum(axis=1)
    turned = np.abs(np.diff(moves / steps, axis=1))
    curvature = turned.sum(axis=1)
    if len(middles) > 1:  # from the first and the last middle to the ends φ bends on as there
        first, last = middles[0] - x[0], x[-1] - middles[-1]
        curvature += turned[:, 0] * first / (middles[1] - middles[0])
        curvature += turned[:, -1] * last / (middles[-1] - middles[-2])
    curvature /= width
    scaled = np.where(flat, np.nan, span)
    # Every part counts alike, however dense the points are.
    weight = np.diff([x[0], *(x[:-1] + x[1:]) / 2, x[-1]]) / width
    return {
        "variation": np.where(flat, 0.0, variation),
        "range": np.where(flat, 0.0, span),
        "curvature": np.where(flat, 0.0, curvature),
        "line": np.where(flat, np.nan, _fit(y, x, weight)),
        "silu": np.where(flat, np.nan, _fit(y, silu(x), weight)),
        "turns": variation / scaled,
        "bend": curvature * width**2 / scaled,
    }


def _fit(y: Float64, shape: Float64, weight: Float64) -> Float64:
    """Return R² of the best a·shape + c."""
    y = y - (y @ weight)[:, None]
    shape = shape - weight @ shape
    along = y @ (weight * shape)
    square = (y**2 @ weight) * (shape**2 @ weight)
    return np.clip(along**2 / square, 0.0, 1.0)


# What layers are compared by: the larger, the more complex. The first four say how φ is shaped,
# whatever its size; ``"line"`` and ``"silu"`` stand for the share of its variance that the best
# line or a·SiLU + c leaves. The last three have the scale of φ.
MEASURES = ("bend", "turns", "line", "silu", "variation", "curvature", "range")
# How often the outputs of the layers are drawn again.
_DRAWS = 200


@dataclass(frozen=True, eq=False)
class DepthTrend:
    """How often a function of a later layer is more complex than one of an earlier layer.

    The trend is Jonckheere's and Terpstra's, over all pairs of functions from two layers
    (Hollander, Wolfe & Chicken 2014, *Nonparametric Statistical Methods*, sec. 6.2). It describes
    this network and does not say that training made it so: layers of different kinds and sizes
    begin differently, so untrained networks have trends as well. Compare it with theirs, see
    `untrained_networks`.
    """

    measure: str
    """Which of `MEASURES`."""
    later: float
    """Share of the pairs in which the later function is more complex; a tie counts half. 0.5 where
    depth tells nothing."""
    between: tuple[float, float]
    """Where 95 % of such shares lie when the outputs of each layer are drawn again, all functions
    of an output together."""
    medians: dict[str, float]
    """Median of the measure, by layer."""
    functions: dict[str, int]
    """How many functions of each layer were measured: those neither constant nor broken."""


def later_is_more_complex(
    layers: Sequence[LayerFunctions],
    measure: str = "bend",
) -> DepthTrend:
    """Compare how complex the functions of earlier and of later layers are.

    Parameters
    ----------
    layers
        At least two, in the order in which they are applied: ``live.read()``, or those of it that
        are to be compared, such as the convolutions.
    measure
        One of `MEASURES`: by default the mean curvature of φ with both axes scaled to 0 … 1.

    Raises
    ------
    ValueError
        If there is no such measure, or there are fewer than two layers of which it says something.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> make = lambda: torch.nn.Sequential(kw.nn.KANLinear(4, 9), kw.nn.KANLinear(9, 9))
    >>> _ = torch.manual_seed(0)
    >>> model = make()
    >>> _ = torch.nn.init.normal_(model[1].spline_weight)  # as training may bend them
    >>> found = later_is_more_complex(kw.functions.read(model))
    >>> null = kw.insight.untrained_networks(make, count=19)
    >>> trends = [later_is_more_complex(kw.functions.read(network)) for network in null]
    >>> found.later > max(trend.later for trend in trends)
    True
    """
    if measure not in MEASURES:
        raise ValueError(f"measure={measure!r}: expected one of {', '.join(map(repr, MEASURES))}")
    outputs = {}
    for layer in layers:
        values = getattr(complexity(layer), measure)
        values = 1 - values if measure in ("line", "silu") else values
        if np.isfinite(values).any():
            outputs[layer.name or layer.type] = values.reshape(layer.shape[0], -1)
    if len(outputs) < 2:
        raise ValueError(
            f"{len(outputs)} of {len(layers)} layers with functions that are not constant: "
            "expected at least two"
        )
    draw = np.random.default_rng(0)
    shares = [
        rising_share([rows[draw.integers(0, len(rows), len(rows))] for rows in outputs.values()])
        for _ in range(_DRAWS)
    ]
    low, high = map(float, np.nanquantile(shares, (0.025, 0.975)))
    return DepthTrend(
        measure,
        rising_share(list(outputs.values())),
        (low, high),
        {name: float(np.nanmedian(values)) for name, values in outputs.items()},
        {name: int(np.isfinite(values).sum()) for name, values in outputs.items()},
    )


def rising_share(groups: Sequence[Float64]) -> float:
    """Return the share of rising pairs of finite numbers; a tie counts half. NaN without pairs."""
    rising, pairs = 0.0, 0
    for earlier, later in combinations([group[np.isfinite(group)] for group in groups], 2):
        ordered = np.sort(earlier)
        smaller, upto = (np.searchsorted(ordered, later, side) for side in ("left", "right"))
        rising += (smaller + upto).sum() / 2
        pairs += len(later) * len(earlier)
    return float(rising / pairs) if pairs else np.nan
