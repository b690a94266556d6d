"""How similar functions are to SiLU, or to their base term, over the inputs that reach them."""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kan_widgets.insight.inputs import SeenInputs
from kan_widgets.insight.tables import Float64, Int64, Layer, Table, basis_at, columns_of, silu

# Inputs of each entry that shapes are compared at.
_INPUTS = 1_000
# Values of β worked on at a time.
_AT_ONCE = 2_000_000
_FLAT = 2e-6


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


_known: weakref.WeakKeyDictionary[SeenInputs, dict[int, tuple[Table, _Products]]]
_known = weakref.WeakKeyDictionary()


def seen_shapes(
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
    for k, table in enumerate(layer.tables):
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
    kept = _known.setdefault(seen, {})
    known = kept.get(id(table))
    if known is not None and known[0] is table and np.isin(entries, known[1].entries).all():
        return known[1]
    chosen = np.flatnonzero(np.isfinite(seen.patches).all(axis=1))
    if len(chosen) > _INPUTS:
        chosen = np.sort(np.random.default_rng(0).permutation(chosen)[:_INPUTS])
    nb = len(layer.labels)
    size = max(1, _AT_ONCE // max(1, len(chosen) * nb))
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
