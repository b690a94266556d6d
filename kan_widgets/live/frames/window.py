"""What of large layers is looked at: of each a window, whole kernels of some outputs and inputs."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np

from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import LayerLayout, Layout, Window, new_layout

BUDGET = 1_000_000
"""Bytes of the coefficients that a frame for a page may have, unless told otherwise."""
MOST = 10_000
"""Functions that a window has at most: as many as a page draws anew 30 times a second."""
_UNSEEN_SHARE = 4
"""Layers that no view shows share this part (1/4) of the budget."""
_PICTURED_SHARE = 4
"""A picture, which nobody can look around in, has windows of this part of it."""


class Looking:
    """What the views of one source look at, and what of a frame that is.

    A frame within the budget is looked at as a whole. Of a larger one each layer has a window, as
    large as its share of the budget: layers that views show have the most. The methods may be
    called from any thread.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> frame = kw.bind(kw.nn.KANLinear(40, 30)).frame
    >>> looking = Looking(budget=4_000)
    >>> looking.seen(frame).layout.layers[0].shape
    (11, 10, 1, 1)
    >>> looking.at("KANLinear", 20, 20)
    True
    >>> looking.seen(frame).layout.layers[0].window
    Window(whole=(30, 40, 1, 1), out=15, in_=15)
    """

    def __init__(self, budget: int | None = None) -> None:
        self.budget = BUDGET if budget is None else budget
        """Bytes of coefficients, from the next look on; at least one kernel of each is seen."""
        self._shown: frozenset[str] = frozenset()
        self._places: dict[str, tuple[int, int]] = {}
        self._made: weakref.WeakKeyDictionary[Layout, Layout] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def show(self, layers: Iterable[str]) -> bool:
        """Give most of the budget to the layers that views show; whether these are others."""
        shown = frozenset(layers)
        with self._lock:
            changed, self._shown = shown != self._shown, shown
            if changed:
                self._made.clear()
        return changed

    def at(self, layer: str, out: int, in_: int) -> bool:
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
        """Return what of a layout is looked at: itself, where that is within the budget."""
        if layout.is_cut:
            return layout
        with self._lock:
            made = self._made.get(layout)
            if made is None:
                made = layout
                if 4 * layout.size > self.budget:
                    made = _cut(layout, self._shown, self._places, self.budget)
                self._made[layout] = made
            return made

    def pictured(self, frame: Frame, layers: Collection[str]) -> Frame:
        """Return what a picture of some layers shows of a frame: these have most of the budget."""
        if 4 * frame.layout.size <= self.budget or frame.layout.is_cut:
            return frame
        with self._lock:
            places = dict(self._places)
        budget = self.budget // _PICTURED_SHARE
        cut = _cut(frame.layout, frozenset(layers), places, budget)
        return cut_frame(frame, replace(cut, version=frame.layout.version))

    def seen(self, frame: Frame) -> Frame:
        """Return what of a frame is looked at: itself, where that is within the budget."""
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
    seen = [layer.name in shown for layer in layout.layers]
    if not any(seen):
        seen = [True] * len(seen)
    others = budget // _UNSEEN_SHARE
    shares = _poured([0 if s else size for s, size in zip(seen, sizes, strict=True)], others)
    left = budget - sum(shares)
    first = _poured([size if s else 0 for s, size in zip(seen, sizes, strict=True)], left)
    offset, layers = 0, []
    for layer, one, other in zip(layout.layers, first, shares, strict=True):
        made = _window(layer, one + other, places.get(layer.name, (0, 0)), offset)
        layers.append(made)
        offset += made.length
    return replace(new_layout(layers), is_cut=True)


def _poured(sizes: Sequence[int], budget: int) -> list[int]:
    """Return how much of a budget each gets: the same, but none more than its size."""
    shares = [0] * len(sizes)
    left = budget
    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    for done, place in enumerate(order):
        shares[place] = min(sizes[place], left // (len(sizes) - done))
        left -= shares[place]
    return shares


def _window(layer: LayerLayout, share: int, at: tuple[int, int], offset: int) -> LayerLayout:
    """Return the window of a layer around a kernel, as large as its share of bytes."""
    out, inputs, height, width = layer.shape
    if share >= 4 * layer.length:
        return replace(layer, offset=offset)
    size = height * width
    kernels = max(1, min(share // (4 * size * layer.nb), MOST // size))
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
        offset=offset,
        table_of=table_of,
        window=Window(layer.shape, top, left),
    )
