"""What insight needs to know of a layer: bases at sample points, β anywhere, inputs seen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.arrays import Float64, Int64
from kan_widgets.live.frames.layout import LayerLayout, Table, build_layout

if TYPE_CHECKING:
    from kan_widgets.functions import LayerFunctions
    from kan_widgets.functions.basis import ReadBasis


# A β that varies by less than this share of its size is constant: it may come as float32.
EPSILON = 2e-6

_POINTS_PER_INTERVAL = 32
_POINTS_WITHOUT_KNOTS = 512


@dataclass(frozen=True, eq=False)
class SampledLayer(LayerLayout):
    """A layer that was read from a model, with its coefficients, its bases sampled finely."""

    coefficients: Float64 = field(kw_only=True)
    """``(functions, nb)``."""


def sampled(layer: "LayerFunctions") -> SampledLayer:
    """Sample the bases of a layer that was read from a model.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> [layer] = kw.functions.read(kw.nn.KANLinear(3, 2))
    >>> sampled(layer).coefficients.shape
    (6, 9)
    """
    import torch

    [placed] = build_layout([layer]).layers
    tables = tuple(map(_sampled_basis, layer.bases))
    flat = layer.coefficients.detach().to("cpu", torch.float64).reshape(layer.n_functions, -1)
    own = {**vars(placed), "tables": tables, "coefficients": flat.numpy().copy()}
    return SampledLayer(**own)


def _sampled_basis(basis: "ReadBasis") -> Table:
    low, high = basis.extent
    edges = np.unique([low, high, *basis.domain, *(k for k in basis.knots if low <= k <= high)])
    divisions = _POINTS_PER_INTERVAL if basis.knots else _POINTS_WITHOUT_KNOTS // (len(edges) - 1)
    inner = np.linspace(edges[:-1], edges[1:], divisions, endpoint=False).T.ravel()
    x: Any = np.append(inner, edges[-1])  # in double precision, as the values
    import torch

    with torch.no_grad():
        values = basis(torch.from_numpy(x)).to(torch.float64).numpy()
    return Table(x, values, basis.domain, basis.extent, basis.knots)


def columns_of(shape: tuple[int, int, int, int], groups: int) -> Int64:
    """Return which column of a layer's patches each function sees, ``(functions,)``."""
    out, in_, kh, kw = shape
    first = np.arange(out) // max(1, out // groups) * (in_ * kh * kw)
    return (first[:, None] + np.arange(in_ * kh * kw)).ravel()


def by_table(layer: LayerLayout, chosen: Int64, values: int) -> Iterator[tuple[Int64, Table]]:
    """Yield numbers of functions that share a table, on which they have about ``values`` values."""
    groups = [(chosen, layer.tables[0])]
    if layer.table_of is not None:
        table_of = np.asarray(layer.table_of, dtype=np.int64)[chosen]
        order = np.argsort(table_of, kind="stable")
        ends = np.cumsum(np.bincount(table_of, minlength=len(layer.tables)))[:-1]
        groups = list(zip(np.split(chosen[order], ends), layer.tables, strict=True))
    for rows, table in groups:
        size = max(16, values // len(table.x))
        for first in range(0, len(rows), size):
            yield rows[first : first + size], table


def silu(x: Float64) -> Float64:
    """Return x/(1 + e^−x)."""
    with np.errstate(over="ignore"):
        value: Float64 = x / (1 + np.exp(-x))
    return value


def _gelu(x: Float64) -> Float64:
    from scipy.special import ndtr  # type: ignore[import-untyped]

    return x * ndtr(x)  # type: ignore[no-any-return]


# Base terms that are known by their label beyond any table.
_BASE_TERMS: dict[str, Callable[[Float64], Float64]] = {
    "silu": silu,
    "gelu": _gelu,
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
    "identity": lambda x: x,
    "x": lambda x: x,
}


def basis_at(layer: LayerLayout, table: Table, x: Float64) -> Float64:
    """Return β at any x: ``(...)`` to ``(..., nb)``.

    Between the points of a table β is a straight line. Beyond it local functions are 0 and a
    base term of a known name goes on; what is not known there is NaN.
    """
    points = np.asarray(table.x, dtype=np.float64)
    values = np.asarray(table.values, dtype=np.float64)
    flat = np.asarray(x, dtype=np.float64).ravel()
    place = np.interp(flat, points, np.arange(len(points)))
    left = np.nan_to_num(np.floor(place)).astype(np.int64)
    share = (place - left)[:, None]
    beta = values[left] * (1 - share) + values[np.minimum(left + 1, len(points) - 1)] * share
    beyond = (flat < points[0]) | (flat > points[-1])
    if beyond.any():
        beta[beyond] = _beyond(layer, table, flat[beyond])
    return beta.reshape(*np.shape(x), values.shape[1])


def _beyond(layer: LayerLayout, table: Table, x: Float64) -> Float64:
    low, high = table.extent
    gone = bool(table.knots) & ((x <= low) | (x >= high))
    beta = np.where(gone, 0.0, np.nan)[:, None].repeat(len(layer.labels), axis=1)
    for b, (label, is_base) in enumerate(zip(layer.labels, layer.is_base, strict=True)):
        if is_base:
            activation = _BASE_TERMS.get(label.lower())
            beta[:, b] = np.nan if activation is None else activation(x)
    return beta


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
    """Return inputs of each entry: if many, those beside even points of the support."""
    lows, highs = zip(*(table.extent for table in layer.tables), strict=True)
    entries = patches.shape[1]
    count = int(np.clip(_MAX_POINTS // max(entries, 1), _MIN_POINTS, _MAX_POINTS_EACH))
    points = np.full((entries, count), np.nan)
    for own, column in zip(points, patches.T, strict=True):
        finite = np.sort(column[np.isfinite(column)])
        if len(finite) > count:
            ends = max(finite[0], min(lows)), min(finite[-1], max(highs))
            place = np.searchsorted(finite, np.linspace(*ends, count // 2 - 1))
            place = np.concatenate([place, place - 1, [0, len(finite) - 1]])
            finite = finite[np.clip(place, 0, len(finite) - 1)]
        if len(finite):
            own[:] = np.resize(np.sort(finite), count)
    return points


def _with_ends(points: Float64, edges: Float64, seen: NDArray[np.bool_]) -> Float64:
    """Add the first and the last bin in which there are inputs, which the points may miss."""
    middles, used = (edges[:-1] + edges[1:]) / 2, seen.any(axis=1)
    least, greatest = np.fmin.reduce(points, axis=1), np.fmax.reduce(points, axis=1)
    first, last = seen.argmax(axis=1), seen.shape[1] - 1 - seen[:, ::-1].argmax(axis=1)
    low = np.where(used & (edges[first + 1] < least), middles[first], least)
    high = np.where(used & (edges[last] > greatest), middles[last], greatest)
    return np.concatenate([low[:, None], points, high[:, None]], axis=1)


def _outside(layer: LayerLayout, patches: Float64) -> tuple[Float64, Float64]:
    entries = patches.shape[1]
    number = np.zeros(entries, dtype=np.int64)
    if layer.table_of is not None:
        number = np.resize(np.asarray(layer.table_of, dtype=np.int64), entries)
    shares = []
    finite = np.isfinite(patches)
    for which in ("domain", "extent"):
        bounds = np.array([getattr(table, which) for table in layer.tables])[number]
        # The tables of frames carry float32: an input on the edge is inside.
        outside = (patches < bounds[:, 0]) | (patches > bounds[:, 1])
        shares.append((outside & finite).sum(0) / np.maximum(finite.sum(0), 1))
    return shares[0], shares[1]
