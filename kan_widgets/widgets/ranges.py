"""How far functions reach, and the round numbers printed for it.

The live view follows the same rules (``curves.ts``, ``ranges.ts`` and ``format.ts`` in
``js/src/shared``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import LayerLayout, Table

Float64 = NDArray[np.float64]

STEPS = ("1", "1.2", "1.5", "2", "2.5", "3", "4", "5", "6", "8", "10")
DIGITS = 3
SMALLEST_PLAIN, LARGEST_PLAIN = 1e-4, 1e5


def nice_ceil(m: float) -> float:
    """Return the smallest round number that is not below m.

    Round numbers are 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6 and 8 times a power of ten. An axis with such
    a range stays still while m changes a little.

    Parameters
    ----------
    m
        A largest absolute value; 0 and what is not finite give 1.

    Examples
    --------
    >>> nice_ceil(0.0031), nice_ceil(1), nice_ceil(87)
    (0.004, 1.0, 100.0)
    """
    if not (m > 0 and math.isfinite(m)):
        return 1.0
    exponent = int(f"{m:e}".partition("e")[2])
    # One decade lower first: the text may have been rounded up.
    for power in (exponent - 1, exponent, exponent + 1):
        for step in STEPS:
            # Read as decimal text, 3 and -1 give 0.3; multiplied they give 0.30000000000000004.
            nice = float(f"{step}e{power}")
            if nice >= m:
                return nice if math.isfinite(nice) else m
    return m


def format_number(value: float) -> str:
    """Return a number in at most three significant digits; ``"0"`` only for zero itself.

    Examples
    --------
    >>> [format_number(v) for v in (0.0031, -12.345, 1e-7, 250000.0, 0.0)]
    ['0.0031', '−12.3', '1e-7', '2.5e+5', '0']
    """
    if value == 0:
        return "0"
    if math.isnan(value):
        return "NaN"
    sign, size = "−" if value < 0 else "", abs(value)
    if math.isinf(size):
        return f"{sign}∞"
    digits, _, power = f"{size:.{DIGITS - 1}e}".partition("e")
    exponent = int(power)
    if SMALLEST_PLAIN <= size < LARGEST_PLAIN:
        text = f"{float(f'{digits}e{power}'):.{max(0, DIGITS - 1 - exponent)}f}"
        return sign + (text.rstrip("0").rstrip(".") if "." in text else text)
    way = "-" if exponent < 0 else "+"
    return f"{sign}{digits.rstrip('0').rstrip('.')}e{way}{abs(exponent)}"


def format_range(m: float) -> str:
    """Return a symmetric range.

    Examples
    --------
    >>> format_range(0.0031)
    '±0.0031'
    """
    return f"±{format_number(m)}"


class Functions:
    """All functions of one layer in one frame, or how they differ from an earlier frame.

    Between the points of the layer's tables they are straight lines, as they are drawn. A function
    with a coefficient that is not finite is NaN everywhere; the others are not affected.

    Parameters
    ----------
    frame
        Where the coefficients come from.
    name
        The layer.
    minus
        An earlier frame with the same layer, perhaps on another grid, to be subtracted.

    Raises
    ------
    KeyError
        If a frame has no such layer.
    ValueError
        If the layer has another shape in the earlier frame.
    """

    def __init__(self, frame: Frame, name: str, minus: Frame | None = None) -> None:
        self.layer = frame.layout.layer(name)
        terms = [(self.layer, _flat(frame, self.layer))]
        if minus is not None:
            before = minus.layout.layer(name)
            if before.shape != self.layer.shape:
                raise ValueError(
                    f"layer {name!r} has shape {self.layer.shape} at step {frame.step} but "
                    f"{before.shape} at step {minus.step}; only equal shapes can be compared"
                )
            terms.append((before, -_flat(minus, before)))
        self._terms = terms

    def evaluate(self, x: Float64, functions: NDArray[np.int64] | None = None) -> Float64:
        """Return the chosen functions at x, shape (functions, len(x)); all if none are chosen."""
        chosen = np.arange(self.layer.count) if functions is None else functions
        y = np.zeros((len(chosen), len(x)))
        with np.errstate(all="ignore"):
            for rows, tables in self._groups(chosen):
                for (_, coefficients), table in zip(self._terms, tables, strict=True):
                    y[rows] += coefficients[chosen[rows]] @ _interpolate(table, x).T
        return y

    def peaks(self, low: float, high: float) -> Float64:
        """Return the largest absolute value of each function in a window; NaN if not finite."""
        chosen = np.arange(self.layer.count)
        found = np.empty(len(chosen))
        with np.errstate(all="ignore"):
            for rows, tables in self._groups(chosen):
                x = np.concatenate([table.x for table in tables]).astype(np.float64)
                x = np.unique(np.concatenate([[low, high], x[(low < x) & (x < high)]]))
                # NaN passes through max.
                found[rows] = np.abs(self.evaluate(x, chosen[rows])).max(axis=1)
        return np.where(np.isfinite(found), found, np.nan)

    def _groups(
        self, chosen: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], tuple[Table, ...]]]:
        """Yield the places in ``chosen`` of the functions that share their tables."""
        layers = [layer for layer, _ in self._terms]
        if all(layer.table_of is None for layer in layers):
            yield np.arange(len(chosen)), tuple(layer.tables[0] for layer in layers)
            return
        keys = np.zeros((len(chosen), len(layers)), dtype=np.int64)
        for column, layer in enumerate(layers):
            if layer.table_of is not None:
                keys[:, column] = layer.table_of[chosen]
        found, group = np.unique(keys, axis=0, return_inverse=True)
        by_group = np.argsort(group.ravel(), kind="stable")
        ends = np.cumsum(np.bincount(group.ravel()))
        for key, rows in zip(found, np.split(by_group, ends[:-1]), strict=True):
            yield rows, tuple(layer.tables[k] for layer, k in zip(layers, key, strict=True))


def window(layer: LayerLayout, wide: bool) -> tuple[float, float]:
    """Return the part of the x axis to show: the grid's range, or where the splines reach."""
    first = min(float(table.x[0]) for table in layer.tables)
    last = max(float(table.x[-1]) for table in layer.tables)
    low, high = layer.domain
    if wide:
        low = max(first, min(low, layer.extent[0]))
        high = min(last, max(high, layer.extent[1]))
    return (low, high) if low < high else (first, last)


def _flat(frame: Frame, layer: LayerLayout) -> Float64:
    """Return a layer's coefficients, shape (functions, basis functions)."""
    return frame.coefficients(layer.name).reshape(layer.count, layer.nb).astype(np.float64)


def _interpolate(table: Table, x: Float64) -> Float64:
    """Return the basis functions at x on straight lines between the points of the table."""
    points = table.x.astype(np.float64)
    if len(points) == 1:
        return np.repeat(table.values.astype(np.float64), len(x), axis=0)
    right = np.clip(np.searchsorted(points, x, side="left"), 1, len(points) - 1)
    left = right - 1
    share = (x - points[left]) / (points[right] - points[left])
    share = np.clip(share, 0.0, 1.0)[:, None]
    return table.values[left] * (1 - share) + table.values[right] * share
