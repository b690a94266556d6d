"""The inputs that were seen, and the few points of each entry that matter to a function's range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kan_widgets.live.frames.layout import LayerLayout
from kan_widgets.live.frames.scalars import Float64

_MAX_POINTS = 100_000
_MIN_POINTS, _MAX_POINTS_EACH = 32, 512


@dataclass(frozen=True, eq=False)
class SeenInputs:
    """What reaches the functions of one layer for a batch.

    An *entry* is one input of a kernel: (channel·kh + row)·kw + column, the channel counted over
    all groups of a convolution, or feature i.
    """

    points: Float64
    """``(entries, K)`` inputs, about evenly from the least to the greatest; NaN throughout where an
    entry saw none."""
    patches: NDArray[np.floating]
    """``(n, entries)`` inputs of one patch each, perhaps a sample of all."""
    outside_grid: float
    """Share of the inputs outside the grid's range, 0 to 1."""
    outside_support: float
    """Share of the inputs outside the support, 0 to 1."""


def seen_inputs(
    layer: LayerLayout,
    patches: NDArray[np.floating],
    edges: NDArray[np.floating] | None = None,
    counts: NDArray[np.floating] | None = None,
    outside_grid: NDArray[np.floating] | None = None,
    outside_support: NDArray[np.floating] | None = None,
) -> SeenInputs:
    """Choose the inputs of each entry that a range is measured on.

    Parameters
    ----------
    layer
        What the inputs reach.
    patches
        ``(n, entries)`` inputs of one patch each, perhaps a sample of them.
    edges, counts
        ``(bins + 1,)`` and ``(entries, bins)``: a histogram of all inputs. The middle of its first
        and of its last bin count as inputs where the sample ends before.
    outside_grid, outside_support
        ``(entries,)`` shares; counted in ``patches`` where they are not given, or where entries
        have a grid of their own.

    Raises
    ------
    ValueError
        If ``patches`` does not have one column per entry.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> [layer] = kw.functions.read(torch.nn.Linear(2, 3))
    >>> seen = seen_inputs(kw.insight.sampled(layer), np.array([[0.0, -3.0], [0.5, 1.5]]))
    >>> seen.outside_grid, seen.outside_support  # the grid is -1 to 1, the support -2 to 2
    (0.5, 0.25)
    """
    _, in_, kh, kw = layer.shape
    entries = in_ * kh * kw
    if patches.ndim != 2 or patches.shape[1] % entries:
        raise ValueError(
            f"patches of shape {patches.shape}: expected (n, {entries}) of "
            f"{layer.name or layer.type}, one column per entry"
        )
    # A grouped convolution sees more entries than one kernel has; all channels count.
    entries = patches.shape[1]
    x: Float64 = np.asarray(patches, dtype=np.float64)
    points = _points(layer, x)
    if edges is not None and counts is not None:
        points = _with_ends(points, np.asarray(edges, dtype=np.float64), np.asarray(counts) > 0)
    own = len({(table.domain, table.extent) for table in layer.tables}) > 1
    if outside_grid is None or outside_support is None or own:
        outside_grid, outside_support = _outside(layer, x)
    return SeenInputs(
        points,
        np.asarray(patches),
        float(np.mean(outside_grid)) if entries else 0.0,
        float(np.mean(outside_support)) if entries else 0.0,
    )


def _points(layer: LayerLayout, patches: Float64) -> Float64:
    """Return inputs of each entry: of many those on either side of even points of the support."""
    lows, highs = zip(*(table.extent for table in layer.tables), strict=True)
    entries = patches.shape[1]
    count = int(np.clip(_MAX_POINTS // max(entries, 1), _MIN_POINTS, _MAX_POINTS_EACH))
    points = np.full((entries, count), np.nan)
    for own, column in zip(points, patches.T, strict=True):
        known = np.sort(column[np.isfinite(column)])
        if len(known) > count:
            ends = max(known[0], min(lows)), min(known[-1], max(highs))
            place = np.searchsorted(known, np.linspace(*ends, count // 2 - 1))
            place = np.concatenate([place, place - 1, [0, len(known) - 1]])
            known = known[np.clip(place, 0, len(known) - 1)]
        if len(known):
            own[:] = np.resize(np.sort(known), count)
    return points


def _with_ends(points: Float64, edges: Float64, seen: NDArray[np.bool_]) -> Float64:
    """Add the first and the last bin in which there are inputs, of which the points miss some."""
    middles, known = (edges[:-1] + edges[1:]) / 2, seen.any(axis=1)
    least, greatest = np.fmin.reduce(points, axis=1), np.fmax.reduce(points, axis=1)
    first, last = seen.argmax(axis=1), seen.shape[1] - 1 - seen[:, ::-1].argmax(axis=1)
    low = np.where(known & (edges[first + 1] < least), middles[first], least)
    high = np.where(known & (edges[last] > greatest), middles[last], greatest)
    return np.concatenate([low[:, None], points, high[:, None]], axis=1)


def _outside(layer: LayerLayout, patches: Float64) -> tuple[Float64, Float64]:
    entries = patches.shape[1]
    number = np.zeros(entries, dtype=np.int64)
    if layer.table_of is not None:
        number = np.resize(np.asarray(layer.table_of, dtype=np.int64), entries)
    shares = []
    known = np.isfinite(patches)
    for which in ("domain", "extent"):
        bounds = np.array([getattr(table, which) for table in layer.tables])[number]
        # The tables of frames carry float32: an input on the edge is inside.
        outside = (patches < bounds[:, 0]) | (patches > bounds[:, 1])
        shares.append((outside & known).sum(0) / np.maximum(known.sum(0), 1))
    return shares[0], shares[1]
