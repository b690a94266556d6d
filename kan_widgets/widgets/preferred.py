"""The x within bounds at which each function is largest, or smallest, from a frame's tables.

Entry by entry this is the patch that a kernel prefers most, or least. The live view follows the
same rules (``js/src/kernel_grid/preferred.ts``); `kan_widgets.insight` finds it exactly, from the
model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kan_widgets.insight.tables import Float64, basis_at
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import LayerLayout

TAIL = 0.005
"""Of the inputs seen by an entry so much lies below the bounds, and so much above."""
BEYOND = 64
"""Points on either side of a table, where the bounds reach beyond it."""
FLAT = 1e-6
"""A function that moves less than this share of its size is constant."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """The interval within which each function is looked at, ``(functions,)`` each."""

    low: Float64
    high: Float64
    samples: int
    """Images they were seen with; 0: the grid's range."""


@dataclass(frozen=True, eq=False)
class Preferred:
    """Where each function is largest, or smallest, ``(functions,)`` each."""

    bounds: Bounds
    x: Float64
    """The middle of the bounds where φ is constant, NaN where it is not finite."""
    value: Float64
    """φ there."""

    def greys(self) -> Float64:
        """Return 0 at the low end of the bounds to 1 at the high end."""
        span = self.bounds.high - self.bounds.low
        with np.errstate(all="ignore"):
            share = (self.x - self.bounds.low) / span
        return np.where(span > 0, share, self.x * 0 + 0.5)

    def reached(self, layer: LayerLayout, function: int) -> tuple[int, int, float]:
        """Return the output that a function belongs to, its entries, and Σφ over them."""
        _, in_, kh, kw = layer.shape
        entries = in_ * kh * kw
        out = function // entries
        return out, entries, float(self.value[out * entries : (out + 1) * entries].sum())


def bounds_of(
    layer: LayerLayout, patches: NDArray[np.floating] | None = None, samples: int = 0
) -> Bounds:
    """Return the grid's range of each function, or what was seen of its inputs.

    Parameters
    ----------
    layer
        With the functions.
    patches
        ``(n, entries)`` inputs; the bounds are their quantiles 0.5 % and 99.5 %. Those of another
        layer are not taken.
    samples
        Images that they come from.
    """
    out, in_, kh, kw = layer.shape
    groups = 1 if layer.conv is None else layer.conv.groups
    entries = in_ * kh * kw
    if patches is None or not len(patches) or patches.shape[1] != entries * groups:
        number = np.zeros(layer.count, np.int64) if layer.table_of is None else layer.table_of
        domains = np.array([table.domain for table in layer.tables], dtype=np.float64)[number]
        return Bounds(domains[:, 0], domains[:, 1], 0)
    ends = np.quantile(patches.astype(np.float64), [TAIL, 1 - TAIL], axis=0)
    output, entry = np.divmod(np.arange(layer.count), entries)
    column = output // max(1, out // groups) * entries + entry
    return Bounds(ends[0, column], ends[1, column], samples)


def preferred(
    frame: Frame, layer: LayerLayout, bounds: Bounds, suppressed: bool = False
) -> Preferred:
    """Find where every function of a layer is largest within its bounds, or smallest."""
    coefficients = frame.coefficients(layer.name).reshape(layer.count, layer.nb).astype(np.float64)
    number = np.zeros(layer.count) if layer.table_of is None else layer.table_of
    keys = np.stack([number, bounds.low, bounds.high], axis=1)
    found, group = np.unique(keys, axis=0, return_inverse=True)
    members = np.split(
        np.argsort(group.ravel(), kind="stable"), np.cumsum(np.bincount(group.ravel()))[:-1]
    )
    x, value = np.empty(layer.count), np.empty(layer.count)
    sign = -1 if suppressed else 1
    for (table, low, high), functions in zip(found, members, strict=True):
        points = _points(layer, int(table), low, high)
        beta = basis_at(layer, layer.tables[int(table)], points)
        with np.errstate(all="ignore"):
            y = sign * (coefficients[functions] @ beta.T)
            best, worst = y.max(axis=1), y.min(axis=1)
            flat = best - worst <= FLAT * np.maximum(abs(best), abs(worst))
        finite = np.isfinite(y).all(axis=1)
        at = np.where(
            flat, (low + high) / 2, points[np.where(finite[:, None], y, 0).argmax(axis=1)]
        )
        x[functions] = np.where(finite, at, np.nan)
        value[functions] = np.where(finite, sign * best, np.nan)
    return Preferred(bounds, x, value)


def _points(layer: LayerLayout, table: int, low: float, high: float) -> Float64:
    """Return the ends, the table's rows between them, and points beyond the table."""
    rows = layer.tables[table].x.astype(np.float64)
    inner = rows[(rows > low) & (rows < high)]
    share = np.arange(1, BEYOND + 1) / (BEYOND + 1)
    pieces = [np.array([low, high]), inner]
    if low < rows[0]:
        pieces.append(low + (min(rows[0], high) - low) * share)
    if high > rows[-1]:
        start = max(rows[-1], low)
        pieces.append(start + (high - start) * share)
    return np.concatenate(pieces)
