"""What insight needs to know of a layer: its bases at sample points, and β anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from kan_widgets.live.frames.layout import LayerLayout, Table, build_layout
from kan_widgets.live.frames.scalars import Float64, Int64

if TYPE_CHECKING:
    from kan_widgets.functions import LayerFunctions
    from kan_widgets.functions.basis import ReadBasis


EPSILON = 2e-6
"""What moves less than this share of its size is constant: β may come as float32."""

_POINTS_PER_INTERVAL = 32
_POINTS_WITHOUT_KNOTS = 512


@dataclass(frozen=True, eq=False)
class SampledLayer(LayerLayout):
    """A layer that was read from a model, with its coefficients, its bases sampled finely."""

    coefficients: Float64 = field(kw_only=True)
    """``(functions, nb)``."""


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

    [placed] = build_layout([layer]).layers
    tables = tuple(map(_sampled_basis, layer.bases))
    flat = layer.coefficients.detach().to("cpu", torch.float64).reshape(layer.n_functions, -1)
    own = {**vars(placed), "tables": tables, "coefficients": flat.numpy().copy()}
    return SampledLayer(**own)


def _sampled_basis(basis: ReadBasis) -> Table:
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
    columns: Int64 = (first[:, None] + np.arange(in_ * kh * kw)).ravel()
    return columns


def by_table(layer: LayerLayout, chosen: Int64, values: int) -> Iterator[tuple[Int64, Table]]:
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


def silu(x: Float64) -> Float64:
    """Return x/(1 + e^−x)."""
    with np.errstate(over="ignore"):
        value: Float64 = x / (1 + np.exp(-x))
    return value


def _gelu(x: Float64) -> Float64:
    from scipy.special import ndtr  # type: ignore[import-untyped]

    return x * ndtr(x)  # type: ignore[no-any-return]


BASE_TERMS: dict[str, Callable[[Float64], Float64]] = {
    "silu": silu,
    "gelu": _gelu,
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
    "identity": lambda x: x,
    "x": lambda x: x,
}
"""Base terms that are known by their label beyond any table."""


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
    found = values[left] * (1 - share) + values[np.minimum(left + 1, len(points) - 1)] * share
    beyond = (flat < points[0]) | (flat > points[-1])
    if beyond.any():
        found[beyond] = _beyond(layer, table, flat[beyond])
    return found.reshape(*np.shape(x), values.shape[1])


def _beyond(layer: LayerLayout, table: Table, x: Float64) -> Float64:
    low, high = table.extent
    gone = bool(table.knots) & ((x <= low) | (x >= high))
    beta = np.where(gone, 0.0, np.nan)[:, None].repeat(len(layer.labels), axis=1)
    for b, (label, is_base) in enumerate(zip(layer.labels, layer.is_base, strict=True)):
        if is_base:
            activation = BASE_TERMS.get(label.lower())
            beta[:, b] = np.nan if activation is None else activation(x)
    return beta
