"""How far each function of a layer reaches, what makes it so, and how much it has changed."""

import math
import sys
import weakref
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kan_widgets.arrays import Float64, Int64
from kan_widgets.insight.sampled_layer import (
    EPSILON,
    SeenInputs,
    basis_at,
    by_table,
    columns_of,
    silu,
)
from kan_widgets.live.frames.layout import LayerLayout, Table

# Values of functions worked on at a time: as many as stay in the processor's cache.
_BATCH = 60_000
# Inputs of each entry that shapes are compared at.
_INPUTS = 1_000
# Values of β worked on at a time.
_BETAS = 2_000_000


@dataclass(frozen=True, eq=False)
class FunctionRanges:
    """Numbers of each function of a layer, ``(functions,)``; NaN where there is none.

    A function with a coefficient that is not finite is NaN in all of them.
    """

    range: Float64
    """max φ − min φ on the grid."""
    base: Float64
    """max − min of the base term alone on the grid; 0 without one."""
    splines: Float64
    """max − min of the rest alone on the grid."""
    silu: Float64
    """R² of the best a·SiLU + c on the grid; NaN for a constant."""
    own: Float64
    """R² of the best a·base + c on the grid, with the layer's own base term (SiLU where there is
    none)."""
    constant: NDArray[np.bool_]
    """Whether φ is the same everywhere on the grid, but for rounding."""
    broken: NDArray[np.bool_]
    """Whether φ is not finite."""
    change: Float64
    """Largest |φ − φ at the start| on the grid; NaN where there is nothing to compare with."""
    started: Float64
    """The range at the start; NaN where there is nothing to compare with."""
    observed: Float64
    """max φ − min φ over the inputs seen; NaN where none were."""
    observed_silu: Float64
    """R² of the best a·SiLU + c over the inputs seen, each counting alike; NaN where none were, or
    φ is constant over them."""
    observed_own: Float64
    """The same of the best a·base + c."""


@dataclass(frozen=True, eq=False)
class Start:
    """A layer as it was at the start, to compare later states with. Made by `start_from`."""

    layer: LayerLayout
    coefficients: Float64
    range: Float64


class _Products(NamedTuple):
    """Inner products of the centred β with each other and with SiLU; integrals are means.

    Over a grid, or over the inputs of some entries: then the arrays have a first axis more.
    """

    gram: Float64
    """``(nb, nb)``."""
    mean: Float64
    """``(nb,)``: means of β."""
    silu: Float64
    """``(nb,)``."""
    silu_square: Float64
    """The product of SiLU with itself."""

    def likeness(self, c: Float64, base: int | None) -> tuple[Float64, Float64, Float64]:
        """Return R² of the best a·SiLU + c and of the best a·base + c, and the variance of φ.

        ``c`` is ``(functions, nb)``; ``base`` says which basis function is the base: without one it
        is SiLU again.
        """
        if self.gram.ndim == 2:
            along = c @ self.gram
        else:
            along = np.einsum("fb,fbd->fd", c, self.gram, optimize=True)
        square = (along * c).sum(axis=1)
        silu_fit = (c * self.silu).sum(axis=1) ** 2 / (square * self.silu_square)
        if base is None:
            return silu_fit, silu_fit.copy(), square
        return silu_fit, along[:, base] ** 2 / (square * self.gram[..., base, base]), square


def _products(x: Float64, beta: Float64, weight: Float64) -> _Products:
    """Return the inner products of β ``(..., points, nb)`` at x ``(..., points)``."""
    mean, curve = weight @ beta, silu(x)
    beta = beta - mean[..., None, :]
    curve = curve - (curve @ weight)[..., None]
    turned = beta.swapaxes(-1, -2) * weight
    return _Products(
        turned @ beta, mean, (turned @ curve[..., None])[..., 0], np.asarray(curve**2 @ weight)
    )


@dataclass(frozen=True, eq=False)
class _Grid:
    """Computed once for a table: β on the grid, and inner products over the grid."""

    x: Float64
    beta: NDArray[np.float32]
    """``(nb, points)``."""
    low: Float64
    high: Float64
    """``(nb,)``: the ends of each β."""
    products: _Products


_grids: weakref.WeakKeyDictionary[Table, _Grid] = weakref.WeakKeyDictionary()


def _grid_of(table: Table) -> _Grid:
    if (grid := _grids.get(table)) is not None:
        return grid
    x = np.asarray(table.x, dtype=np.float64)
    low, high = table.domain
    rounding = 1e-6 * (high - low)  # the points of frames are float32
    inside = (x >= low - rounding) & (x <= high + rounding)
    if low >= high or inside.sum() < 2:
        inside[:] = True
    x, beta = x[inside], np.asarray(table.values, dtype=np.float64)[inside]
    # Every part of the grid counts alike, however dense the points are.
    weight = np.diff([x[0], *(x[:-1] + x[1:]) / 2, x[-1]]) if np.ptp(x) else np.ones(len(x))
    with np.errstate(all="ignore"):
        ends = beta.min(axis=0), beta.max(axis=0)
        turned = np.ascontiguousarray(beta.T, dtype=np.float32)
        _grids[table] = _Grid(x, turned, *ends, _products(x, beta, weight / weight.sum()))
    return _grids[table]


def start_from(layer: LayerLayout, coefficients: NDArray[np.floating]) -> Start:
    """Remember a layer as it is now, to be compared with later."""
    flat = np.array(coefficients, dtype=np.float64).reshape(-1, len(layer.labels))
    return Start(layer, flat, function_ranges(layer, flat).range)


def function_ranges(
    layer: LayerLayout,
    coefficients: NDArray[np.floating],
    start: Start | None = None,
    seen: SeenInputs | None = None,
) -> FunctionRanges:
    """Measure every function of a layer.

    Parameters
    ----------
    layer
        Its bases.
    coefficients
        ``(functions, nb)``, or any shape that can be read so.
    start
        The layer at the start, to compare with; one of another shape is not compared.
    seen
        The inputs that range and shape are also measured on.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> linear = torch.nn.Linear(1, 1)
    >>> _ = torch.nn.init.constant_(linear.weight, 0.5)
    >>> layer = kw.insight.sampled(kw.functions.read(linear)[0])
    >>> function_ranges(layer, layer.coefficients).range  # 0.5·x from -1 to 1
    array([1.])
    """
    now = np.asarray(coefficients, dtype=np.float64).reshape(-1, len(layer.labels))
    count = len(now)
    if start is not None and start.layer.shape != layer.shape:
        start = None
    shapes = ("silu", "own", "observed_silu", "observed_own")
    names = ("range", "base", "splines", *shapes, "change", "started", "observed")
    numbers = {name: np.full(count, np.nan) for name in names}
    size = np.full(count, np.nan)
    finite: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(now), axis=1)
    is_base = np.array(layer.is_base)
    base = int(is_base.argmax()) if is_base.sum() == 1 else None
    with np.errstate(all="ignore"):
        for rows, table in by_table(layer, np.flatnonzero(finite), _BATCH):
            own, c = _grid_of(table), now[rows]
            low, high = _ends(c, own)
            numbers["range"][rows], size[rows] = high - low, np.maximum(np.abs(low), np.abs(high))
            numbers["base"][rows] = _spread(c, own, is_base)
            numbers["splines"][rows] = _spread(c, own, ~is_base)
            numbers["silu"][rows], numbers["own"][rows], _ = own.products.likeness(c, base)
            if start is not None:
                numbers["change"][rows] = _change(start, c, rows, table, own)
        if start is not None:
            numbers["started"] = start.range.copy()
        if seen is not None:
            measured = _over_inputs(layer, now, np.flatnonzero(finite), seen, base)
            numbers["observed"], numbers["observed_silu"], numbers["observed_own"] = measured
    broken = ~np.isfinite(numbers["range"])
    constant = ~broken & (numbers["range"] <= EPSILON * size)
    for name in shapes:
        numbers[name][constant] = np.nan
    numbers["range"][constant] = 0.0
    for values in numbers.values():
        values[broken | ~np.isfinite(values)] = np.nan
    return FunctionRanges(constant=constant, broken=broken, **numbers)


def _ends(c: Float64, own: _Grid) -> tuple[Float64, Float64]:
    """Return the least and the greatest value of each function on the grid."""
    values = c.astype(np.float32) @ own.beta
    return values.min(axis=1).astype(np.float64), values.max(axis=1).astype(np.float64)


def _spread(c: Float64, own: _Grid, part: NDArray[np.bool_]) -> Float64:
    """Return max − min of the sum over some basis functions."""
    if part.sum() <= 1:  # the shape of a single function
        return np.abs(c[:, part]) @ (own.high - own.low)[part]
    low, high = _ends(np.where(part, c, 0.0), own)
    return high - low


def _change(start: Start, c: Float64, rows: Int64, table: Table, own: _Grid) -> Float64:
    """Return the largest distance of functions from how they were at the start."""
    change = np.full(len(rows), np.nan)
    place = np.full(len(start.coefficients), -1)
    place[rows] = np.arange(len(rows))
    for some, then in by_table(start.layer, np.sort(rows), _BATCH):
        at, before = place[some], start.coefficients[some]
        if then is table:
            low, high = _ends(c[at] - before, own)
            change[at] = np.maximum(np.abs(low), np.abs(high))
        else:
            values = before @ basis_at(start.layer, then, own.x).T
            change[at] = np.abs(c[at] @ own.beta - values).max(axis=1)
    return change


def _over_inputs(
    layer: LayerLayout, c: Float64, chosen: Int64, seen: SeenInputs, base: int | None
) -> tuple[Float64, Float64, Float64]:
    """Return the range over the inputs of an entry, R² of the best a·SiLU + c and of a·base + c.

    Inputs count equally. NaN for functions that are not ``chosen``, and R² where φ is constant.
    """
    reach, silu_fit, own_fit = np.full((3, len(c)), np.nan)
    single = c.astype(np.float32)
    groups = max(1, len(seen.points) // math.prod(layer.shape[1:]))
    entry = columns_of(layer.shape, groups)
    for rows, table in by_table(layer, chosen, sys.maxsize):
        entries, place = np.unique(entry[rows], return_inverse=True)
        its = _seen_by(layer, table, seen, entries)
        first = np.cumsum(np.bincount(place))[:-1]
        by_entry = np.split(rows[np.argsort(place, kind="stable")], first)
        for mine, beta in zip(by_entry, its.beta, strict=True):
            values = single[mine] @ beta
            reach[mine] = values.max(axis=1) - values.min(axis=1)
        if its.products is None:
            continue
        products = _Products(*(of_each[place] for of_each in its.products))
        *fits, square = products.likeness(c[rows], base)
        flat = square <= (EPSILON * (c[rows] * products.mean).sum(axis=1)) ** 2
        silu_fit[rows], own_fit[rows] = np.where(flat, np.nan, fits)
    return reach, silu_fit, own_fit


@dataclass(frozen=True, eq=False)
class _Seen:
    """Computed once for inputs and a table: β, and inner products over the inputs."""

    table: Table
    entries: Int64
    beta: NDArray[np.float32]
    """``(entries, nb, points)``."""
    products: _Products | None
    """Over the patches of inputs seen; ``None`` where none are known."""


_seen: weakref.WeakKeyDictionary[SeenInputs, dict[int, _Seen]] = weakref.WeakKeyDictionary()


def _seen_by(layer: LayerLayout, table: Table, seen: SeenInputs, entries: Int64) -> _Seen:
    """Return β and its products at the inputs of some entries; kept for later."""
    kept = _seen.setdefault(seen, {})
    cached = kept.get(id(table))
    if cached and cached.table is table and np.array_equal(cached.entries, entries):
        return cached
    beta = basis_at(layer, table, seen.points[entries]).astype(np.float32).swapaxes(1, 2)
    chosen = np.flatnonzero(np.isfinite(seen.patches).all(axis=1))
    if len(chosen) > _INPUTS:
        chosen = np.sort(np.random.default_rng(0).permutation(chosen)[:_INPUTS])
    size = max(1, _BETAS // max(1, len(chosen) * len(layer.labels)))
    parts = []
    for some in np.array_split(entries, -(-len(entries) // size)) if len(chosen) else ():
        x = seen.patches[np.ix_(chosen, some)].T.astype(np.float64)
        at_x = np.nan_to_num(basis_at(layer, table, x), nan=0.0)
        parts.append(_products(x, at_x, np.full(len(chosen), 1 / len(chosen))))
    products = _Products(*map(np.concatenate, zip(*parts, strict=True))) if parts else None
    # Layouts of later frames carry tables of their own only where a grid has changed.
    if len(kept) >= len(layer.tables):
        kept.clear()
    kept[id(table)] = _Seen(table, entries, beta, products)
    return kept[id(table)]
