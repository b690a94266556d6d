"""How complicated each function of a layer is: how much it moves, bends, and fits simple shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.tables import Float64, Layer, Table, basis_at, by_table, sampled, silu

# A function that moves less than this share of its size is constant: β may come as float32.
_FLAT = 2e-6
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
    layer: Layer | LayerFunctions,
    coefficients: NDArray[np.floating] | None = None,
    *,
    interval: tuple[float, float] | None = None,
) -> Complexity:
    """Measure how complicated every function of a layer is.

    Every part of the interval counts equally, however many inputs fall there.

    Parameters
    ----------
    layer
        A layer read from a model; or one of a frame's layout, or a `SampledLayer`.
    coefficients
        ``(functions, nb)``, or any shape that can be read so. May be left out where ``layer``
        has its own.
    interval
        From where to where in x; by default the grid of each function.

    Returns
    -------
    Complexity
        One number of each kind per function, row-major over (out, in, kh, kw).

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

    Of a frame, by the name of a layer:

    >>> live = kw.bind(kw.nn.KANLinear(3, 2))
    >>> name = live.frame.layout.layers[0].name
    >>> complexity(live.frame.layout.layer(name), live.frame.coefficients(name)).turns.shape
    (6,)
    """
    if interval is not None and not (np.isfinite(interval).all() and interval[0] < interval[1]):
        raise ValueError(f"interval: expected two finite numbers, low < high, got {interval!r}")
    measured: Layer = sampled(layer) if isinstance(layer, LayerFunctions) else layer
    if coefficients is None:
        coefficients = getattr(measured, "coefficients", None)
        if coefficients is None:
            raise TypeError(
                f"{type(layer).__name__} holds no coefficients: give them, such as "
                "frame.coefficients(name)"
            )
    flat = np.asarray(coefficients, dtype=np.float64).reshape(-1, len(measured.labels))
    names = ("variation", "range", "curvature", "line", "silu", "turns", "bend")
    found = {name: np.full(len(flat), np.nan) for name in names}
    finite = np.flatnonzero(np.isfinite(flat).all(axis=1))
    for rows, table in by_table(measured, finite, _BATCH):
        x, middles = _points(table, table.domain if interval is None else interval)
        beta = basis_at(measured, table, x)
        with np.errstate(all="ignore"):
            for name, values in _measure(x, middles, flat[rows] @ beta.T).items():
                found[name][rows] = values
    return Complexity(**found)


def _points(table: Table, interval: tuple[float, float]) -> tuple[Float64, Float64]:
    """Return the interval's ends with the points of the table between them, and the middles.

    β is straight between the points of the table, so its slope from an end of the interval to the
    next point is that of the whole step, in whose middle it is the slope of φ itself.
    """
    low, high = interval
    points = np.asarray(table.x, dtype=np.float64)
    rounding = 1e-6 * (high - low)  # the points of frames are float32
    before, after = points[points < low - rounding], points[points > high + rounding]
    inside = points[(points > low + rounding) & (points < high - rounding)]
    x = np.concatenate([[low], inside, [high]])
    whole = x.copy()
    at_ends = (
        np.isclose(points, low, 0, rounding).any(),
        np.isclose(points, high, 0, rounding).any(),
    )
    if len(before) and not at_ends[0]:
        whole[0] = before[-1]
    if len(after) and not at_ends[1]:
        whole[-1] = after[0]
    return x, (whole[:-1] + whole[1:]) / 2


def _measure(x: Float64, middles: Float64, y: Float64) -> dict[str, Float64]:
    """Measure functions, ``(functions, points)``, that are straight between their points."""
    steps = np.diff(x)
    width = x[-1] - x[0]
    moves = np.diff(y, axis=1)
    low, high = y.min(axis=1), y.max(axis=1)
    span = high - low
    flat = span <= _FLAT * np.maximum(np.abs(low), np.abs(high))
    variation = np.abs(moves).sum(axis=1)
    turned = np.abs(np.diff(moves / steps, axis=1))
    curvature = turned.sum(axis=1)
    if len(middles) > 1:  # from the first and the last middle to the ends φ bends on as there
        first, last = middles[0] - x[0], x[-1] - middles[-1]
        curvature += turned[:, 0] * first / (middles[1] - middles[0])
        curvature += turned[:, -1] * last / (middles[-1] - middles[-2])
    curvature /= width
    scaled = np.where(flat, np.nan, span)
    # The trapezoid rule: every part counts alike, however dense the points are.
    weight = (np.append(steps, 0.0) + np.append(0.0, steps)) / (2 * width)
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
    fit: Float64 = np.clip(along**2 / square, 0.0, 1.0)
    return fit
