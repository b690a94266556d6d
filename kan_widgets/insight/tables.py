"""What insight needs to know of a layer: its bases at sample points, and β anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from kan_widgets.functions import LayerFunctions
    from kan_widgets.functions.basis import ReadBasis
    from kan_widgets.live.frames.layout import LayerLayout
    from kan_widgets.live.frames.layout import Table as FrameTable


Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_POINTS_PER_INTERVAL = 32
_POINTS_WITHOUT_KNOTS = 512


@dataclass(frozen=True, eq=False)
class SampledBasis:
    """β of one basis at sample points, as frames carry it too."""

    x: Float64
    """``(P,)`` ascending: the domain's ends and the knots are among them."""
    values: Float64
    """``(P, nb)``."""
    domain: tuple[float, float]
    """The grid's range."""
    extent: tuple[float, float]
    """As far as the local functions reach."""
    knots: tuple[float, ...]
    """Empty for smooth functions."""


@dataclass(frozen=True, eq=False)
class SampledLayer:
    """A layer with its coefficients and sampled bases, as in the layout of a frame."""

    name: str
    type: str
    kind: str
    shape: tuple[int, int, int, int]
    """(out, in, kh, kw); function f = ((o·in + i)·kh + r)·kw + c."""
    labels: tuple[str, ...]
    is_base: tuple[bool, ...]
    """Which of the basis functions make the base term."""
    tables: tuple[SampledBasis, ...]
    """One, or several where groups of functions have their own basis."""
    table_of: NDArray[np.uint32] | None
    """``(functions,)``: the table of each; ``None`` where there is one."""
    coefficients: Float64
    """``(functions, nb)``."""


Table = Union["FrameTable", SampledBasis]
Layer = Union["LayerLayout", SampledLayer]
"""A layer whose functions can be measured: one of a frame's layout, or `sampled`."""


def sampled(layer: LayerFunctions) -> SampledLayer:
    """Sample the bases of a layer that was read from a model.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> [layer] = kw.functions.read(kw.nn.KANLinear(3, 2))
    >>> sampled(layer).coefficients.shape
    (6, 9)
    """
    import torch

    index = layer.basis_index
    flat = layer.coefficients.detach().to("cpu", torch.float64).reshape(layer.n_functions, -1)
    return SampledLayer(
        layer.name,
        layer.type,
        layer.kind,
        layer.shape,
        layer.basis_labels,
        layer.is_base,
        tuple(map(_sampled_basis, layer.bases)),
        None if index is None else index.cpu().numpy().astype(np.uint32).reshape(-1),
        flat.numpy().copy(),
    )


def _sampled_basis(basis: ReadBasis) -> SampledBasis:
    low, high = basis.extent
    edges = np.unique([low, high, *basis.domain, *(k for k in basis.knots if low <= k <= high)])
    divisions = _POINTS_PER_INTERVAL if basis.knots else _POINTS_WITHOUT_KNOTS // (len(edges) - 1)
    inner = np.linspace(edges[:-1], edges[1:], divisions, endpoint=False).T.ravel()
    x = np.append(inner, edges[-1])
    import torch

    with torch.no_grad():
        values = basis(torch.from_numpy(x)).to(torch.float64).numpy()
    return SampledBasis(x, values, basis.domain, basis.extent, basis.knots)


def columns_of(shape: tuple[int, int, int, int], groups: int) -> Int64:
    """Return which column of a layer's patches each function sees, ``(functions,)``."""
    out, in_, kh, kw = shape
    first = np.arange(out) // max(1, out // groups) * (in_ * kh * kw)
    columns: Int64 = (first[:, None] + np.arange(in_ * kh * kw)).ravel()
    return columns


def by_table(layer: Layer, chosen: Int64, values: int) -> Iterator[tuple[Int64, Table]]:
    """Yield the numbers of functions that share a table, with so many values on it at once."""
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


def place_in(
    layer: str, shape: tuple[int, int, int, int], index: Sequence[int]
) -> tuple[int, int, int, int]:
    """Return (out, in, row, column) of a function, which for a linear layer (out, in) will do for.

    Raises
    ------
    IndexError
        If there is no such function.
    """
    place = tuple(int(i) for i in index)
    place = (*place, 0, 0) if len(place) == 2 and shape[2:] == (1, 1) else place
    if len(place) != 4 or any(not 0 <= i < n for i, n in zip(place, shape, strict=True)):
        raise IndexError(f"index={tuple(index)}: {layer} has {' × '.join(map(str, shape))}")
    return place


def silu(x: Float64) -> Float64:
    """Return x/(1 + e^−x).

    Examples
    --------
    >>> float(silu(np.array(0.0)))
    0.0
    """
    with np.errstate(over="ignore"):
        value: Float64 = x / (1 + np.exp(-x))
    return value


def _gelu(x: Float64) -> Float64:
    from scipy.special import ndtr  # type: ignore[import-untyped]

    value: Float64 = x * ndtr(x)
    return value


ACTIVATIONS: dict[str, Callable[[Float64], Float64]] = {
    "silu": silu,
    "gelu": _gelu,
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
    "identity": lambda x: x,
    "x": lambda x: x,
}
"""Base terms that are known by their label beyond any table."""


def basis_at(layer: Layer, table: Table, x: Float64) -> Float64:
    """Return β at any x: ``(...)`` to ``(..., nb)``.

    Between the points of a table β is a straight line. Beyond it local functions are 0 and a
    base term of a known name goes on; what is not known there is NaN.
    """
    points = np.asarray(table.x, dtype=np.float64)
    values = np.asarray(table.values, dtype=np.float64)
    flat = np.asarray(x, dtype=np.float64).ravel()
    if len(points) == 1:
        found = np.repeat(values, len(flat), axis=0)
    else:
        right = np.clip(np.searchsorted(points, flat), 1, len(points) - 1)
        share = (flat - points[right - 1]) / (points[right] - points[right - 1])
        share = np.clip(share, 0.0, 1.0)[:, None]
        found = values[right - 1] * (1 - share) + values[right] * share
    beyond = (flat < points[0]) | (flat > points[-1])
    if beyond.any():
        found[beyond] = _beyond(layer, table, flat[beyond])
    return found.reshape(*np.shape(x), values.shape[1])


def _beyond(layer: Layer, table: Table, x: Float64) -> Float64:
    low, high = table.extent
    gone = bool(table.knots) & ((x <= low) | (x >= high))
    beta = np.where(gone, 0.0, np.nan)[:, None].repeat(len(layer.labels), axis=1)
    for b, (label, is_base) in enumerate(zip(layer.labels, layer.is_base, strict=True)):
        if is_base:
            activation = ACTIVATIONS.get(label.lower())
            beta[:, b] = np.nan if activation is None else activation(x)
    return beta
