"""A layer of very many functions, for a picture: of each kernel the largest one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kan_widgets.live import Frame, Layout
from kan_widgets.live.frames.layout import LayerLayout

MOST = 200_000
"""A layer of more functions is reduced for a picture: the page draws all of them."""
_POINTS = 16
_BLOCK = 100_000


def furthest(layer: LayerLayout, data: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the function of each kernel that gets furthest from zero over the grid."""
    coefficients = data[layer.offset : layer.offset + layer.length].reshape(layer.count, layer.nb)
    reach = np.empty(layer.count, np.float32)
    if layer.table_of is None:
        groups = [np.arange(layer.count)]
    else:
        order = np.argsort(layer.table_of, kind="stable")
        starts = np.searchsorted(layer.table_of[order], np.arange(1, len(layer.tables)))
        groups = np.split(order, starts)
    for table, group in zip(layer.tables, groups, strict=True):
        low, high = table.domain
        inside = np.flatnonzero((table.x >= low) & (table.x <= high))
        rows = inside[np.linspace(0, len(inside) - 1, _POINTS).round().astype(int)]
        basis = table.values[rows].T
        for start in range(0, len(group), _BLOCK):
            part = group[start : start + _BLOCK]
            reach[part] = np.abs(coefficients[part] @ basis).max(1)
    reach[~np.isfinite(reach)] = -1
    kernels = reach.reshape(-1, layer.shape[2] * layer.shape[3])
    first = np.arange(len(kernels), dtype=np.int64) * kernels.shape[1]
    chosen: NDArray[np.int64] = first + kernels.argmax(1)
    return chosen


def reduced(frames: Sequence[Frame]) -> list[Frame]:
    """Return frames of one layer with one function of each of its kernels, where it has too many.

    Which of them is decided by the last frame. The layer's note says so.
    """
    layer = frames[-1].layout.layers[0]
    size = layer.shape[2] * layer.shape[3]
    same = all(frame.layout.layers[0].shape == layer.shape for frame in frames)
    if layer.count <= MOST or size == 1 or not same:
        return list(frames)
    chosen = furthest(layer, frames[-1].data)
    note = f"only the largest function of each kernel: the live view has all {layer.count:,}"
    found = []
    for frame in frames:
        its = frame.layout.layers[0]
        data = frame.data[its.offset : its.offset + its.length].reshape(its.count, its.nb)
        small = replace(
            its,
            shape=(*its.shape[:2], 1, 1),
            offset=0,
            table_of=None if its.table_of is None else its.table_of[chosen],
            note=" · ".join(part for part in (note, its.note) if part),
        )
        layout = Layout(frame.layout.version, (small,))
        found.append(Frame(frame.step, layout, np.ascontiguousarray(data[chosen]).reshape(-1)))
    return found
