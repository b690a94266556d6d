"""The inputs that were seen, and the few points of each entry that matter to a function's range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kan_widgets.insight.tables import Float64, Layer

_MOST_POINTS = 100_000
_FEWEST_BINS, _MOST_BINS = 8, 128


@dataclass(frozen=True, eq=False)
class SeenInputs:
    """What reaches the functions of one layer for a batch.

    An *entry* is one input of a kernel: (channel·kh + row)·kw + column, the channel counted over
    all groups of a convolution, or feature i.
    """

    points: Float64
    """``(entries, K)`` inputs, among them the least and the greatest of each bin and beyond
    both ends; NaN throughout where an entry saw none."""
    patches: NDArray[np.floating]
    """``(n, entries)`` inputs that came together, perhaps a sample of all."""
    outside_grid: float
    """Share of the inputs outside the grid's range, 0 to 1."""
    outside_support: float
    """Share of the inputs outside the support, 0 to 1."""


def seen_inputs(
    layer: Layer,
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
        ``(n, entries)`` inputs that came together, perhaps a sample of them.
    edges, counts
        ``(bins + 1,)`` and ``(entries, bins)``: a histogram of all inputs. The middle of a bin
        that the sample missed counts as an input.
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
            f"patches of shape {patches.shape}: {layer.name or layer.type} takes "
            f"(n, {entries}), one column per entry"
        )
    # A grouped convolution sees more entries than one kernel has; all channels count.
    entries = patches.shape[1]
    x: Float64 = np.asarray(patches, dtype=np.float64)
    if edges is None:
        lows, highs = zip(*(table.extent for table in layer.tables), strict=True)
        edges = np.linspace(min(lows), max(highs), 65)
    points = _points(x, np.asarray(edges, dtype=np.float64), counts)
    own = len({(table.domain, table.extent) for table in layer.tables}) > 1
    if outside_grid is None or outside_support is None or own:
        outside_grid, outside_support = _outside(layer, x)
    return SeenInputs(
        points,
        np.asarray(patches),
        float(np.mean(outside_grid)) if entries else 0.0,
        float(np.mean(outside_support)) if entries else 0.0,
    )


def _points(patches: Float64, edges: Float64, counts: NDArray[np.floating] | None) -> Float64:
    entries = patches.shape[1]
    bins = int(np.clip(_MOST_POINTS // (2 * max(entries, 1)) - 2, _FEWEST_BINS, _MOST_BINS))
    least, greatest = _ends(patches, np.linspace(edges[0], edges[-1], bins + 1))
    columns = [least, greatest]
    if counts is not None:
        seen = ~np.isnan(_ends(patches, edges)[0][:, 1:-1])
        middles = (edges[:-1] + edges[1:]) / 2
        columns.append(np.where((np.asarray(counts) > 0) & ~seen, middles, np.nan))
    points = np.concatenate(columns, axis=1)
    # A point that is there stands in for those that are not; bins of no entry need no column.
    points = points[:, ~np.isnan(points).all(axis=0)]
    if not points.shape[1]:
        return np.full((entries, 1), np.nan)
    least = np.fmin.reduce(points, axis=1)[:, None]
    return np.where(np.isnan(points), least, points)


def _ends(patches: Float64, edges: Float64) -> tuple[Float64, Float64]:
    """Return the least and the greatest input of each bin, one more bin beyond either end.

    Both are ``(entries, bins + 2)``, NaN where there is none.
    """
    entries, bins = patches.shape[1], len(edges) - 1
    place = np.searchsorted(edges, patches, side="right")
    place[patches == edges[-1]] = bins
    usable = np.isfinite(patches)
    row = np.broadcast_to(np.arange(entries), patches.shape)[usable]
    key = row * (bins + 2) + place[usable]
    values = patches[usable]
    order = np.lexsort((values, key))
    key, values = key[order], values[order]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    found = np.full((2, entries * (bins + 2)), np.nan)
    if len(key):
        found[0, key[starts]] = values[starts]
        found[1, key[starts]] = values[np.append(starts[1:], len(key)) - 1]
    least, greatest = found.reshape(2, entries, bins + 2)
    return least, greatest


def _outside(layer: Layer, patches: Float64) -> tuple[Float64, Float64]:
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
