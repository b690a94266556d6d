"""How far each function of a layer reaches, what makes it so, and how much it has changed."""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kan_widgets.insight.inputs import SeenInputs
from kan_widgets.insight.tables import (
    Float64,
    Int64,
    Layer,
    Table,
    basis_at,
    by_table,
    columns_of,
    silu,
)

# A function that moves less than this share of its size is constant: β comes as float32.
_FLAT = 2e-6
# Values of functions worked on at a time: so many stay in the processor's cache.
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

    layer: Layer
    coefficients: Float64
    range: Float64


@dataclass(frozen=True, eq=False)
class _Grid:
    """What is worked out once for a table: β on the grid, and inner products over it."""

    x: Float64
    beta: NDArray[np.float32]
    """``(nb, points)``."""
    low: Float64
    high: Float64
    """``(nb,)``: the ends of each β."""
    gram: Float64
    """⟨β_a, β_b⟩ of the centred β, each integral a mean over the grid."""
    silu: Float64
    """⟨β_b, SiLU⟩ of the centred functions."""
    silu_square: float


_grids: weakref.WeakKeyDictionary[Table, _Grid] = weakref.WeakKeyDictionary()


def _grid_of(table: Table) -> _Grid:
    known = _grids.get(table)
    if known is None:
        known = _grids[table] = _make_grid(table)
    return known


def _make_grid(table: Table) -> _Grid:
    x = np.asarray(table.x, dtype=np.float64)
    low, high = table.domain
    rounding = 1e-6 * (high - low)  # the points of frames are float32
    inside = (x >= low - rounding) & (x <= high + rounding)
    if low >= high or inside.sum() < 2:
        inside[:] = True
    x, beta = x[inside], np.asarray(table.values, dtype=np.float64)[inside]
    # The trapezoid rule: every part of the grid counts alike, however dense the points are.
    steps = np.diff(x)
    weight = (np.append(steps, 0.0) + np.append(0.0, steps)) / 2
    weight = weight / weight.sum() if weight.sum() > 0 else np.full(len(x), 1 / len(x))
    with np.errstate(all="ignore"):
        centred = beta - weight @ beta
        curve = silu(x)
        curve = curve - weight @ curve
        return _Grid(
            x,
            np.ascontiguousarray(beta.T, dtype=np.float32),
            beta.min(axis=0),
            beta.max(axis=0),
            (centred * weight[:, None]).T @ centred,
            (centred * weight[:, None]).T @ curve,
            float(weight @ curve**2),
        )


def start_from(layer: Layer, coefficients: NDArray[np.floating]) -> Start:
    """Remember a layer as it is now, to be compared with later."""
    flat = np.array(coefficients, dtype=np.float64).reshape(-1, len(layer.labels))
    return Start(layer, flat, function_ranges(layer, flat).range)


def function_ranges(
    layer: Layer,
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
    found = {name: np.full(count, np.nan) for name in names}
    size = np.full(count, np.nan)
    finite: NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(now), axis=1)
    is_base = np.array(layer.is_base)
    with np.errstate(all="ignore"):
        for rows, table in by_table(layer, np.flatnonzero(finite), _BATCH):
            own, c = _grid_of(table), now[rows]
            low, high = _ends(c, own)
            found["range"][rows], size[rows] = high - low, np.maximum(np.abs(low), np.abs(high))
            found["base"][rows] = _spread(c, own, is_base)
            found["splines"][rows] = _spread(c, own, ~is_base)
            found["silu"][rows], found["own"][rows] = _fits(c, own, is_base)
            if start is not None:
                found["change"][rows] = _change(start, c, rows, table, own)
        if start is not None:
            found["started"] = start.range.copy()
        if seen is not None:
            found["observed"] = _observed(layer, now, finite, seen)
            like = _seen_shapes(layer, now, finite, seen)
            found["observed_silu"], found["observed_own"] = like
    broken = ~np.isfinite(found["range"])
    constant = ~broken & (found["range"] <= _FLAT * size)
    for name in shapes:
        found[name][constant] = np.nan
    found["range"][constant] = 0.0
    for values in found.values():
        values[broken | ~np.isfinite(values)] = np.nan
    return FunctionRanges(constant=constant, broken=broken, **found)


def _ends(c: Float64, own: _Grid) -> tuple[Float64, Float64]:
    """Return the least and the greatest value of each function on the grid."""
    values = c.astype(np.float32) @ own.beta
    return values.min(axis=1).astype(np.float64), values.max(axis=1).astype(np.float64)


def _spread(c: Float64, own: _Grid, part: NDArray[np.bool_]) -> Float64:
    """Return max − min of the sum over some basis functions."""
    if part.sum() <= 1:  # the shape of the only one there is
        spread: Float64 = np.abs(c[:, part]) @ (own.high - own.low)[part]
        return spread
    low, high = _ends(np.where(part, c, 0.0), own)
    return high - low


def _fits(c: Float64, own: _Grid, is_base: NDArray[np.bool_]) -> tuple[Float64, Float64]:
    """Return R² of the best a·SiLU + c and of the best a·base + c of each function."""
    square = np.einsum("fb,fb->f", c @ own.gram, c)
    silu_fit = (c @ own.silu) ** 2 / (square * own.silu_square)
    if is_base.sum() != 1:
        return silu_fit, silu_fit.copy()
    b = int(np.flatnonzero(is_base)[0])
    return silu_fit, (c @ own.gram[:, b]) ** 2 / (square * own.gram[b, b])


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


_betas: weakref.WeakKeyDictionary[SeenInputs, tuple[Table, NDArray[np.float32]]]
_betas = weakref.WeakKeyDictionary()


def _beta_of(layer: Layer, table: Table, seen: SeenInputs) -> NDArray[np.float32]:
    """Return β at the inputs seen, ``(entries, points, nb)``; the last of each is kept."""
    known = _betas.get(seen)
    if known is None or known[0] is not table:
        beta = basis_at(layer, table, seen.points).astype(np.float32)
        known = _betas[seen] = table, beta
    return known[1]


def _observed(layer: Layer, c: Float64, finite: NDArray[np.bool_], seen: SeenInputs) -> Float64:
    """Return the range of each function over the inputs of its entry."""
    out, in_, kh, kw = layer.shape
    per_kernel = in_ * kh * kw
    entries = len(seen.points)
    groups = max(1, entries // per_kernel)
    if layer.table_of is None:
        beta = _beta_of(layer, layer.tables[0], seen)
        clean = np.where(finite[:, None], c, 0.0).astype(np.float32)
        # (groups, entries, out, nb) · (groups, entries, nb, points)
        by_entry = clean.reshape(groups, out // groups, per_kernel, -1).swapaxes(1, 2)
        values = by_entry @ beta.reshape(groups, per_kernel, *beta.shape[1:]).swapaxes(2, 3)
        spread = np.asarray(values.max(axis=-1) - values.min(axis=-1), dtype=np.float64)
        return np.where(finite, spread.swapaxes(1, 2).ravel(), np.nan)
    found = np.full(len(c), np.nan)
    entry = columns_of(layer.shape, groups)
    for rows, table in by_table(layer, np.flatnonzero(finite), _BATCH):
        used, place = np.unique(entry[rows], return_inverse=True)
        exact = basis_at(layer, table, seen.points[used])
        for k in range(len(used)):
            mine = rows[place.ravel() == k]
            reached = c[mine] @ exact[k].T
            found[mine] = reached.max(axis=1) - reached.min(axis=1)
    return found


@dataclass(frozen=True, eq=False)
class _Products:
    """What is worked out once for inputs and a table: inner products over the inputs."""

    entries: Int64
    """``(e,)``: of which entries."""
    gram: Float64
    """``(e, nb, nb)``: means of the products of the centred β."""
    mean: Float64
    """``(e, nb)``: means of β."""
    silu: Float64
    """``(e, nb)``: of the centred β and SiLU."""
    silu_square: Float64
    """``(e,)``."""


_products_of: weakref.WeakKeyDictionary[SeenInputs, dict[int, tuple[Table, _Products]]]
_products_of = weakref.WeakKeyDictionary()


def _seen_shapes(
    layer: Layer, coefficients: Float64, finite: NDArray[np.bool_], seen: SeenInputs
) -> tuple[Float64, Float64]:
    """Return R² of the best a·SiLU + c and of the best a·base + c, ``(functions,)`` each.

    Every input counts equally. NaN where φ is not finite, or constant over its inputs; with no base
    term of its own, SiLU again.

    Parameters
    ----------
    layer
        Its bases.
    coefficients
        ``(functions, nb)``.
    finite
        ``(functions,)``: which are to be measured.
    seen
        The inputs.
    """
    groups = max(1, seen.patches.shape[1] // math.prod(layer.shape[1:]))
    entry = columns_of(layer.shape, groups)
    base = np.flatnonzero(layer.is_base)
    likeness, own = (np.full(len(coefficients), np.nan) for _ in range(2))
    if not np.isfinite(seen.patches).all(axis=1).any():
        return likeness, own
    tables: tuple[Table, ...] = layer.tables
    for k, table in enumerate(tables):
        rows = np.flatnonzero(finite if layer.table_of is None else finite & (layer.table_of == k))
        if not len(rows):
            continue
        products = _products(layer, table, seen, np.unique(entry[rows]))
        place = np.searchsorted(products.entries, entry[rows])
        c = coefficients[rows]
        with np.errstate(all="ignore"):
            along = np.einsum("fb,fbd->fd", c, products.gram[place], optimize=True)
            square = (along * c).sum(axis=1)
            mean = (c * products.mean[place]).sum(axis=1)
            flat = square <= (_FLAT * mean) ** 2
            square[flat] = np.nan
            with_silu = (c * products.silu[place]).sum(axis=1)
            likeness[rows] = with_silu**2 / (square * products.silu_square[place])
            own[rows] = likeness[rows]
            if len(base) == 1:
                [b] = base
                own[rows] = along[:, b] ** 2 / (square * products.gram[place, b, b])
    for found in (likeness, own):
        found[~np.isfinite(found)] = np.nan
    return likeness, own


def _products(layer: Layer, table: Table, seen: SeenInputs, entries: Int64) -> _Products:
    """Return the inner products of β over the inputs of some entries; kept for the next frame."""
    kept = _products_of.setdefault(seen, {})
    known = kept.get(id(table))
    if known is not None and known[0] is table and np.isin(entries, known[1].entries).all():
        return known[1]
    chosen = np.flatnonzero(np.isfinite(seen.patches).all(axis=1))
    if len(chosen) > _INPUTS:
        chosen = np.sort(np.random.default_rng(0).permutation(chosen)[:_INPUTS])
    nb = len(layer.labels)
    size = max(1, _BETAS // max(1, len(chosen) * nb))
    parts = []
    for some in np.array_split(entries, -(-len(entries) // size)):
        x = seen.patches[np.ix_(chosen, some)].T.astype(np.float64)
        beta = np.nan_to_num(basis_at(layer, table, x), nan=0.0)
        curve = silu(x)
        mean = beta.mean(axis=1)
        beta = beta - mean[:, None]
        curve = curve - curve.mean(axis=1, keepdims=True)
        turned = beta.swapaxes(1, 2) / len(chosen)
        parts.append(
            (turned @ beta, mean, (turned @ curve[..., None])[..., 0], (curve**2).mean(axis=1))
        )
    made = _Products(entries, *(np.concatenate(part) for part in zip(*parts, strict=True)))
    # Layouts of later frames carry tables of their own only where a grid has changed.
    if len(kept) >= len(layer.tables):
        kept.clear()
    kept[id(table)] = table, made
    return made
