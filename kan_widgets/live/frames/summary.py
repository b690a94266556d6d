"""A layer of very many functions in few numbers: how far they reach, by blocks of kernels."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import Float32, LayerLayout

CELLS = 96
"""A map has so many rows and columns at most."""
_POINTS = 8
_MOST = 2_000_000
"""Of more functions than these a part is evaluated: those of every so many-th input."""
_CHUNK = 100_000
"""So many functions are evaluated at a time."""


@dataclass(frozen=True, eq=False)
class Summary:
    """How far the functions of one layer get from zero over their grids, at one step."""

    layer: str
    step: int
    reach: Float32 = field(repr=False)
    """``(rows, columns)``: the largest |φ| of each block of kernels; NaN where none is finite."""
    block: tuple[int, int]
    """Outputs and inputs of a block; the last ones may be smaller."""
    every: int
    """Only the functions of every so many-th input were evaluated; 1 for all."""
    broken: int
    """Of those, how many are not finite."""

    @property
    def most(self) -> float:
        """The largest |φ| of the layer; 0 where none is finite."""
        return float(np.nanmax(self.reach)) if np.isfinite(self.reach).any() else 0.0


def summary_of(frame: Frame, layer: LayerLayout) -> Summary:
    """Summarise one layer of a frame, evaluating few functions at a time.

    Each at eight points, evenly over its grid's range.
    """
    out, inputs, height, width = layer.shape
    block = -(-out // CELLS), -(-inputs // CELLS)
    rows, columns = -(-out // block[0]), -(-inputs // block[1])
    # No block is left out: of each the first input is always there.
    every = max(1, min(block[1], -(-layer.count // _MOST)))
    chosen = np.concatenate(
        [np.arange(c * block[1], min(inputs, (c + 1) * block[1]), every) for c in range(columns)]
    )
    starts = np.searchsorted(chosen, np.arange(columns) * block[1])
    coefficients = frame.data[layer.offset : layer.offset + layer.length]
    coefficients = coefficients.reshape(out, inputs, height * width, layer.nb)
    tables = None
    if layer.table_of is not None:
        tables = layer.table_of.reshape(out, inputs, height * width)
    bases = [_basis(layer, number) for number in range(len(layer.tables))]
    reach = np.full((rows, columns), -1, np.float32)
    broken = 0
    step = max(1, _CHUNK // (len(chosen) * height * width))
    for first in range(0, out, step):
        part = coefficients[first : first + step]
        part = part if every == 1 else part[:, chosen]
        if tables is None:
            far = _furthest(part, bases[0])
        else:
            own = tables[first : first + step][:, chosen]
            far = np.empty(own.shape, np.float32)
            for number in np.unique(own):
                here = own == number
                far[here] = _furthest(part[here], bases[number])
        finite = np.isfinite(far)
        if not finite.all():
            broken += int(finite.size - finite.sum())
            far[~finite] = -1
        far = np.maximum.reduceat(far.max(-1), starts, axis=1)
        into = np.arange(first, min(out, first + step)) // block[0]
        np.maximum.at(reach, into, far)
    reach[reach < 0] = np.nan
    return Summary(layer.name, frame.step, reach, block, every, broken)


def _furthest(coefficients: Float32, points: Float32) -> Float32:
    """Return max |φ| over a few points, ``(points, nb)``; one by one, which takes least memory."""
    most: Float32 = np.abs(coefficients @ points[0])
    for point in points[1:]:
        here = coefficients @ point
        np.maximum(most, np.abs(here, out=here), out=most)
    return most


def _basis(layer: LayerLayout, number: int) -> Float32:
    """Return β at few points over a grid's range, ``(points, nb)``."""
    table = layer.tables[number]
    low, high = table.domain
    inside = np.flatnonzero((table.x >= low) & (table.x <= high))
    rows = inside[np.linspace(0, len(inside) - 1, _POINTS).round().astype(int)]
    return np.ascontiguousarray(table.values[rows])
