"""A layer of very many functions in few numbers: how far they reach and moved, by blocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import Float32, LayerLayout

CELLS = 96
"""A map has so many rows and columns at most."""
_POINTS = 8
_MOST = 1_000_000
"""Of more functions than these a part is evaluated: those of every so many-th input."""
_CHUNK = 100_000
"""So many functions are evaluated at a time."""


@dataclass(frozen=True, eq=False)
class Summary:
    """How far the functions of one layer get from zero over their grids, and how far they moved."""

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
    change: Float32 | None = field(default=None, repr=False)
    """As ``reach``: how far a φ of each block is at most from what it was at step ``since``;
    ``None`` where it had another basis then, or there is no earlier frame."""
    since: int = 0
    """The step of the frame that ``change`` is counted from."""

    @property
    def most(self) -> float:
        """The largest |φ| of the layer; 0 where none is finite."""
        return _most(self.reach)

    @property
    def moved(self) -> float | None:
        """The largest change of a function of the layer; ``None`` where that is not known."""
        return None if self.change is None else _most(self.change)


def summary_of(frame: Frame, layer: LayerLayout, first: Frame | None = None) -> Summary:
    """Summarise one layer of a frame, evaluating few functions at a time.

    Each at eight points, evenly over its grid's range. The change is counted from the frame
    ``first``, if that is another one.
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
    now = _coefficients(frame, layer)
    before = None
    if first is not None and first.step < frame.step and layer.name in first.layout.names:
        earlier = first.layout.layer(layer.name)
        before = _coefficients(first, earlier) if layer.reads_as(earlier) else None
    tables = None
    if layer.table_of is not None:
        tables = layer.table_of.reshape(out, inputs, height * width)
    bases = [_basis(layer, number) for number in range(len(layer.tables))]
    reach = np.full((rows, columns), -1, np.float32)
    change = None if before is None else np.full((rows, columns), -1, np.float32)
    broken = 0
    step = max(1, _CHUNK // (len(chosen) * height * width))

    def collect(part: Float32, own: NDArray[Any] | None, place: int, into: Float32) -> int:
        """Note how far some functions get from zero; return how many are not finite."""
        if own is None:
            far = _furthest(part, bases[0])
        else:
            far = np.empty(own.shape, np.float32)
            for number in np.unique(own):
                here = own == number
                far[here] = _furthest(part[here], bases[number])
        finite = np.isfinite(far)
        far[~finite] = -1
        far = np.maximum.reduceat(far.max(-1), starts, axis=1)
        np.maximum.at(into, np.arange(place, place + len(far)) // block[0], far)
        return int(finite.size - finite.sum())

    for place in range(0, out, step):
        some = slice(place, place + step)
        own = None if tables is None else tables[some][:, chosen]
        part = now[some] if every == 1 else now[some][:, chosen]
        broken += collect(part, own, place, reach)
        if before is not None and change is not None:
            past = before[some] if every == 1 else before[some][:, chosen]
            with np.errstate(invalid="ignore"):
                collect(part - past, own, place, change)
    for found in (reach, change):
        if found is not None:
            found[found < 0] = np.nan
    since = 0 if first is None else first.step
    return Summary(layer.name, frame.step, reach, block, every, broken, change, since)


def _most(values: Float32) -> float:
    return float(np.nanmax(values)) if np.isfinite(values).any() else 0.0


def _coefficients(frame: Frame, layer: LayerLayout) -> Float32:
    """Return the coefficients of a layer, ``(out, in, kh·kw, nb)``."""
    out, inputs, height, width = layer.shape
    return frame.rows(layer).reshape(out, inputs, height * width, layer.nb)


def _furthest(coefficients: Float32, points: Float32) -> Float32:
    """Return max |φ| over a few points, ``(points, nb)``: one product, the points first."""
    values = points @ coefficients.reshape(-1, coefficients.shape[-1]).T
    most: Float32 = np.abs(values, out=values).max(axis=0)
    return most.reshape(coefficients.shape[:-1])


def _basis(layer: LayerLayout, number: int) -> Float32:
    """Return β at few points over a grid's range, ``(points, nb)``."""
    table = layer.tables[number]
    low, high = table.domain
    inside = np.flatnonzero((table.x >= low) & (table.x <= high))
    rows = inside[np.linspace(0, len(inside) - 1, _POINTS).round().astype(int)]
    return np.ascontiguousarray(table.values[rows])
