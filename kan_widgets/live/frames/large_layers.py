"""Layers of very many functions: a window of each that is looked at, and a summary of all.

A window is whole kernels of some outputs and inputs. A summary has the largest |φ|, by blocks.
"""

import math
import threading
import weakref
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kan_widgets.arrays import Float32
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import LayerLayout, Layout, Window, new_layout

# Bytes of the coefficients that a frame for a page may have, unless told otherwise.
BUDGET = 1_000_000
# Functions that a window has at most: as many as a page draws 30 times a second.
_MAX_WINDOW = 10_000
# Layers that no view shows share the budget divided by this.
_UNSEEN_DIVISOR = 4
# A picture, which nobody can look around in, has the budget divided by this.
_PICTURE_DIVISOR = 4
# Most rows, and most columns, of a map.
MAX_CELLS = 96
_POINTS = 8
# With more functions than this, only those of every n-th input are evaluated.
_MAX_EVALUATED = 1_000_000
# Functions evaluated at a time.
_CHUNK = 100_000


class Looking:
    """Which part of a frame the views of one source look at.

    A frame within the budget is looked at as a whole. Of a larger one each layer has a window, as
    large as its share of the budget: layers that views show have the most. The methods may be
    called from any thread.
    """

    def __init__(self, budget: int | None = None) -> None:
        self.budget = BUDGET if budget is None else budget
        """Bytes of coefficients, from the next look on; at least one kernel of each is seen."""
        self._shown: frozenset[str] = frozenset()
        self._places: dict[str, tuple[int, int]] = {}
        self._made: weakref.WeakKeyDictionary[Layout, Layout] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def show(self, layers: Iterable[str]) -> bool:
        """Give most of the budget to the layers that views show; return whether they changed."""
        shown = frozenset(layers)
        with self._lock:
            changed, self._shown = shown != self._shown, shown
            if changed:
                self._made.clear()
        return changed

    def look_at(self, layer: str, out: int, in_: int) -> bool:
        """Look at the kernel from one input to one output, unless that is seen already.

        Returns whether the windows are others than before.
        """
        with self._lock:
            known = [one for made in self._made.values() for one in made.layers]
            known = [one for one in known if one.name == layer]
            if known and all(one.sees(out, in_) for one in known):
                return False
            if self._places.get(layer) == (out, in_):
                return False
            self._places[layer] = (out, in_)
            self._made.clear()
        return True

    def cut(self, layout: Layout) -> Layout:
        """Return the part of a layout that is looked at; all of it if it fits the budget."""
        if layout.is_cut:
            return layout
        with self._lock:
            part = self._made.get(layout)
            if part is None:
                part = layout
                if 4 * layout.size > self.budget:
                    part = _cut(layout, self._shown, self._places, self.budget)
                self._made[layout] = part
            return part

    def for_picture(self, frame: Frame, layers: Collection[str]) -> Frame:
        """Return the part of a frame for a picture of some layers, which get most of the budget."""
        if 4 * frame.layout.size <= self.budget or frame.layout.is_cut:
            return frame
        with self._lock:
            places = dict(self._places)
        budget = self.budget // _PICTURE_DIVISOR
        cut = _cut(frame.layout, frozenset(layers), places, budget)
        return cut_frame(frame, replace(cut, version=frame.layout.version))

    def windowed(self, frame: Frame) -> Frame:
        """Return the part of a frame that is looked at; all of it if it fits the budget."""
        layout = self.cut(frame.layout)
        return frame if layout is frame.layout else cut_frame(frame, layout)


def cut_frame(frame: Frame, layout: Layout) -> Frame:
    """Return the part of a frame that a cut of its layout shows."""
    data = np.empty(layout.size, np.float32)
    for layer in layout.layers:
        rows, columns = layer.part
        part = data[layer.offset : layer.offset + layer.length]
        part = part.reshape(*layer.shape, layer.nb)
        part[...] = frame.coefficients(layer.name)[rows, columns]
    data.flags.writeable = False
    return Frame(frame.step, layout, data)


def _cut(
    layout: Layout,
    shown: frozenset[str],
    places: dict[str, tuple[int, int]],
    budget: int,
) -> Layout:
    sizes = [4 * layer.length for layer in layout.layers]
    is_shown = [layer.name in shown for layer in layout.layers]
    if not any(is_shown):
        is_shown = [True] * len(is_shown)
    others = budget // _UNSEEN_DIVISOR
    shares = _poured([0 if s else size for s, size in zip(is_shown, sizes, strict=True)], others)
    left = budget - sum(shares)
    first = _poured([size if s else 0 for s, size in zip(is_shown, sizes, strict=True)], left)
    windows = (
        _window(layer, one + other, places.get(layer.name, (0, 0)))
        for layer, one, other in zip(layout.layers, first, shares, strict=True)
    )
    return new_layout(windows, is_cut=True)


def _poured(sizes: Sequence[int], budget: int) -> list[int]:
    """Share a budget equally among sizes, but give none more than its size."""
    shares = [0] * len(sizes)
    left = budget
    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    for done, place in enumerate(order):
        shares[place] = min(sizes[place], left // (len(sizes) - done))
        left -= shares[place]
    return shares


def _window(layer: LayerLayout, share: int, at: tuple[int, int]) -> LayerLayout:
    """Return the window of a layer around a kernel, as large as its share of bytes."""
    out, inputs, height, width = layer.shape
    if share >= 4 * layer.length:
        return layer
    size = height * width
    kernels = max(1, min(share // (4 * size * layer.nb), _MAX_WINDOW // size))
    columns = min(inputs, max(1, math.isqrt(kernels)))
    rows = min(out, kernels // columns)
    columns = min(inputs, kernels // rows)
    top = max(0, min(at[0] - rows // 2, out - rows))
    left = max(0, min(at[1] - columns // 2, inputs - columns))
    table_of = layer.table_of
    if table_of is not None:
        part = table_of.reshape(layer.shape)[top : top + rows, left : left + columns]
        table_of = np.ascontiguousarray(part).reshape(-1)
    return replace(
        layer,
        shape=(rows, columns, height, width),
        table_of=table_of,
        window=Window(layer.shape, top, left),
    )


@dataclass(frozen=True, eq=False)
class Summary:
    """How large the functions of one layer are over their grids."""

    layer: str
    step: int
    reach: Float32 = field(repr=False)
    """``(rows, columns)``: the largest |φ| of each block of kernels; NaN where none is finite."""
    block: tuple[int, int]
    """Outputs and inputs of a block; the last ones may be smaller."""
    every: int
    """Only the functions of every n-th input were evaluated, n being this; 1 for all."""
    broken: int
    """How many of those are not finite."""


def summary_of(frame: Frame, layer: LayerLayout) -> Summary:
    """Summarise one layer of a frame, evaluating few functions at a time.

    Each at eight points, evenly over its grid's range.
    """
    out, inputs, height, width = layer.shape
    block = -(-out // MAX_CELLS), -(-inputs // MAX_CELLS)
    rows, columns = -(-out // block[0]), -(-inputs // block[1])
    # No block is left out: of each the first input is always there.
    every = max(1, min(block[1], -(-layer.count // _MAX_EVALUATED)))
    chosen = np.concatenate(
        [np.arange(c * block[1], min(inputs, (c + 1) * block[1]), every) for c in range(columns)]
    )
    starts = np.searchsorted(chosen, np.arange(columns) * block[1])
    now = frame.rows(layer).reshape(out, inputs, height * width, layer.nb)
    tables = None
    if layer.table_of is not None:
        tables = layer.table_of.reshape(out, inputs, height * width)
    bases = [_basis(layer, number) for number in range(len(layer.tables))]
    reach = np.full((rows, columns), -1, np.float32)
    broken = 0
    step = max(1, _CHUNK // (len(chosen) * height * width))

    for place in range(0, out, step):
        some = slice(place, place + step)
        own = None if tables is None else tables[some][:, chosen]
        part = now[some] if every == 1 else now[some][:, chosen]
        if own is None:
            far = _furthest(part, bases[0])
        else:
            far = np.empty(own.shape, np.float32)
            for number in np.unique(own):
                here = own == number
                far[here] = _furthest(part[here], bases[number])
        finite = np.isfinite(far)
        broken += int(finite.size - finite.sum())
        far[~finite] = -1
        far = np.maximum.reduceat(far.max(-1), starts, axis=1)
        np.maximum.at(reach, np.arange(place, place + len(far)) // block[0], far)
    reach[reach < 0] = np.nan
    return Summary(layer.name, frame.step, reach, block, every, broken)


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
