"""Fit forms to many functions at once: a grid of starts for all, then Gauss-Newton steps.

All functions take each step together: scipy's least_squares, which takes one at a time, comes to
the same forms in many times the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import torch

from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.forms import Form
from kan_widgets.insight.tables import Float64, Int64, columns_of

POINTS = 129
"""Even points that the density of the inputs is put on, for the search."""
FLOOR = 1e-5
"""Share of the variance below which a form is as good as exact: functions are splines."""
# Inputs of each entry on which a, d and R² are taken; points on which functions are drawn.
_INPUTS, _DRAWN = 512, 257
_FUNCTIONS_AT_ONCE = 2_048
_ROUNDS = 25
_CONVERGED = 1e-8
# Starts times functions worked on at a time.
_AT_ONCE = 2_000_000
# Images are drawn anew in so many blocks at most, so many times.
_BLOCKS, _DRAWS, _DRAWN_AT_ONCE = 32, 100, 256
# Places that are tried for a jump, between the even points beside it.
_JUMPS = 17
# A share of the variance below which a function does not move.
_STILL = 1e-12


@dataclass(frozen=True, eq=False)
class Sampled:
    """Functions at even points from the least to the largest input, at the inputs, and drawn.

    G groups of functions see the same inputs through the same basis.
    """

    numbers: Int64
    """``(F,)``: which functions of the layer."""
    group: Int64
    """``(F,)``."""
    even: Float64
    """``(F, POINTS)``: φ at the even points."""
    x: Float64
    """``(F, n)``: inputs, even by rank."""
    y: Float64
    """``(F, n)``: φ there."""
    drawn: Float64
    """``(F, 257)``: x over grid, support and inputs."""
    shown: Float64
    """``(F, 257)``: φ there."""
    low: Float64
    """``(F,)``, as the two below: the least input."""
    high: Float64
    middle: Float64
    """The median."""
    blocks: Float64
    """``(G, blocks, POINTS)``: share of the inputs at each even point, by blocks of images."""

    @cached_property
    def weights(self) -> Float64:
        """``(F, POINTS)``: share of the inputs at each even point."""
        found: Float64 = self.blocks.sum(axis=1)[self.group]
        return found

    def some(self, rows: Int64) -> Sampled:
        """Return some of the functions."""
        names = [part.name for part in fields(self) if part.name != "blocks"]
        return replace(self, **{name: getattr(self, name)[rows] for name in names})


def sampled_functions(
    layer: LayerFunctions, chosen: Int64, inputs: Float64, images: Int64
) -> Iterator[tuple[int, Sampled]]:
    """Evaluate functions where forms are compared with them, some thousands at a time.

    Yields
    ------
    count, functions
        How many were taken, and those of them that are finite.
    """
    columns = columns_of(layer.shape, layer.conv.groups if layer.conv is not None else 1)
    index = layer.basis_index
    bases = np.zeros(len(columns), np.int64) if index is None else index.cpu().numpy().ravel()
    keys = columns * len(layer.bases) + bases
    coefficients = layer.coefficients.detach().to("cpu", torch.float64).numpy()
    coefficients = coefficients.reshape(len(columns), -1)
    _, number = np.unique(images, return_inverse=True)
    count = int(number.max()) + 1
    block = number * min(count, _BLOCKS) // count
    ranks = np.linspace(0, len(inputs) - 1, min(_INPUTS, len(inputs))).round().astype(np.int64)
    ordered = chosen[np.argsort(keys[chosen], kind="stable")]
    for some in np.array_split(ordered, -(-len(ordered) // _FUNCTIONS_AT_ONCE)):
        numbers = some[np.isfinite(coefficients[some]).all(axis=1)]
        known, group = np.unique(keys[numbers], return_inverse=True)
        points = np.empty((len(numbers), POINTS + len(ranks) + _DRAWN))
        values, middle = np.empty_like(points), np.empty(len(numbers))
        blocks = np.empty((len(known), int(block.max()) + 1, POINTS))
        for k, key in enumerate(known.tolist()):
            basis = layer.bases[key % len(layer.bases)]
            seen = inputs[:, key // len(layer.bases)]
            low, high = float(seen.min()), float(seen.max())
            blocks[k] = _block_weights(seen, block, low, high)
            ends = [*basis.domain, *basis.extent, low, high]
            drawn = np.linspace(min(ends), max(ends), _DRAWN)
            at = np.concatenate([np.linspace(low, high, POINTS), np.sort(seen)[ranks], drawn])
            with torch.no_grad():
                beta = basis(torch.from_numpy(at)).to(torch.float64).numpy()
            mine = np.flatnonzero(group == k)
            points[mine], values[mine] = at, coefficients[numbers[mine]] @ beta.T
            middle[mine] = np.median(seen)
        parts = [POINTS, POINTS + len(ranks)]
        even, x, drawn = np.split(points, parts, axis=1)
        even_values, y, shown = np.split(values, parts, axis=1)
        low_, high_ = even[:, 0], even[:, -1]
        yield (
            len(some),
            Sampled(numbers, group, even_values, x, y, drawn, shown, low_, high_, middle, blocks),
        )


def _block_weights(x: Float64, block: Int64, low: float, high: float) -> Float64:
    """Share every input between the two even points beside it: ``(blocks, POINTS)``, summing to 1.

    A mean over these weights is that of the function drawn straight between the points.
    """
    count = int(block.max()) + 1
    if not high > low:
        return np.full((count, POINTS), 1 / (count * POINTS))
    place = (x - low) / (high - low) * (POINTS - 1)
    left = np.clip(place.astype(np.int64), 0, POINTS - 2)
    share = np.clip(place - left, 0.0, 1.0)
    key, size = block * POINTS + left, count * POINTS
    found = np.bincount(key, 1 - share, size) + np.bincount(key + 1, share, size)
    return found.reshape(count, POINTS) / len(x)


def penalised(r2: Float64, form: Form, penalty: float) -> Float64:
    """Return log2 of the variance unexplained, plus ``penalty`` for each unit of complexity."""
    found: Float64 = np.log2(np.maximum(1 - r2, 0.0) + FLOOR) + penalty * form.complexity
    return found


def best_starts(part: Sampled, form: Form) -> tuple[Float64, Float64, Float64]:
    """Try every start of a form on every function, with the best a and d for it.

    Returns
    -------
    tuple
        R², b and c of the best, ``(F,)`` each, for an x from −1 to 1; R² −1 where the form is
        defined nowhere.
    """
    t = np.linspace(-1.0, 1.0, POINTS)
    b, c = form.starts.T
    shapes = form(b[:, None] * t + c[:, None])
    # Beyond these, sums of squares are nothing but rounding.
    fits = np.isfinite(shapes).all(axis=1) & (np.abs(shapes).max(axis=1, initial=0) < 1e12)
    b, c, shapes = b[fits], c[fits], shapes[fits]
    count = len(part.even)
    if not len(b):
        return np.full(count, -1.0), np.ones(count), np.zeros(count)
    shapes -= shapes.mean(axis=1, keepdims=True)
    sizes = np.sqrt(np.square(shapes).mean(axis=1, keepdims=True))
    shapes /= np.where(sizes > 0, sizes, 1.0)
    by_group = part.blocks.sum(axis=1)
    spreads = by_group @ np.square(shapes).T - (by_group @ shapes.T) ** 2
    r2, which = np.empty(count), np.empty(count, dtype=np.int64)
    for rows in np.array_split(np.arange(count), -(-count * len(b) // _AT_ONCE)):
        weights, y, spread = part.weights[rows], part.even[rows], spreads[part.group[rows]]
        y = y - _mean(y, weights)
        along = (y * weights) @ shapes.T
        with np.errstate(all="ignore"):
            found = along**2 / spread / (y**2 * weights).sum(axis=1, keepdims=True)
        found[(spread < 1e-9) | ~np.isfinite(found)] = -1.0
        which[rows] = found.argmax(axis=1)
        r2[rows] = found[np.arange(len(rows)), which[rows]]
    return r2, b[which], c[which]


def refine(part: Sampled, form: Form, b: Float64, c: Float64) -> tuple[Float64, Float64]:
    """Improve b and c, ``(F,)`` each, by damped Gauss-Newton steps; never worse than the start.

    a and d are the best ones at every step (variable projection, Golub and Pereyra 1973, in
    Kaufman's form), so that b and c are all there is to search.
    """
    if not (form.scale or form.shift):
        return b, c
    t = np.linspace(-1.0, 1.0, POINTS)
    place, weights = np.stack([b, c], axis=1), part.weights
    y = part.even - _mean(part.even, weights)
    total, damping = _dot(y, y, weights), np.full(len(b), 1e-3)

    def unexplained(rows: Int64, at: Float64) -> Float64:
        with np.errstate(all="ignore"):
            g, a = _line(form(at[:, :1] * t + at[:, 1:]), y[rows], weights[rows])
            found = _dot(rest := y[rows] - a[:, None] * g, rest, weights[rows])
        return np.where(np.isfinite(found), found, np.inf)

    left = unexplained(np.arange(len(b)), place)
    active = np.flatnonzero(np.isfinite(left))
    for _ in range(_ROUNDS):
        if not len(active):
            break
        to = place[active] + _step(
            form, y[active], weights[active], t, place[active], damping[active]
        )
        before, after = left[active], unexplained(active, to)
        better = after < before
        place[active[better]], left[active[better]] = to[better], after[better]
        damping[active] *= np.where(better, 0.2, 5.0)
        done = better & (before - after < _CONVERGED * total[active])
        active = active[~done & (damping[active] < 1e6)]
    return place[:, 0], place[:, 1]


def _step(
    form: Form, y: Float64, w: Float64, t: Float64, place: Float64, damping: Float64
) -> Float64:
    """Return the damped step in b and c, ``(n, 2)``."""
    u = place[:, :1] * t + place[:, 1:]
    with np.errstate(all="ignore"):
        g, a = _line(form(u), y, w)
        slope = a[:, None] * np.nan_to_num(form.slope(u), nan=0.0, posinf=0.0, neginf=0.0)
        moves = np.stack([slope * t * form.scale, slope * form.shift], axis=1)
        # What a and d can do is taken out.
        moves = moves - np.einsum("nkp,np->nk", moves, w)[..., None]
        along = np.einsum("nkp,np,np->nk", moves, g, w) / _dot(g, g, w)[:, None]
        moves = moves - along[..., None] * g[:, None]
        (bb, bc), (_, cc) = np.einsum("njp,nkp,np->jkn", moves, moves, w)
        rb, rc = np.einsum("nkp,np,np->kn", moves, y - a[:, None] * g, w)
        bb = np.where(bb > 0, bb * (1 + damping), 1.0)
        cc = np.where(cc > 0, cc * (1 + damping), 1.0)
        step = np.stack([cc * rb - bc * rc, bb * rc - bc * rb], 1) / (bb * cc - bc**2)[:, None]
    return np.where(np.isfinite(step).all(axis=1, keepdims=True), step, 0.0)


def _line(g: Float64, y: Float64, w: Float64) -> tuple[Float64, Float64]:
    """Return g about its mean, and the a of the best a·g + d."""
    g = g - _mean(g, w)
    return g, _dot(g, y, w) / _dot(g, g, w)


def _mean(values: Float64, weights: Float64) -> Float64:
    found: Float64 = np.einsum("fp,fp->f", values, weights)[:, None]
    return found


def _dot(one: Float64, other: Float64, weights: Float64) -> Float64:
    found: Float64 = np.einsum("fp,fp,fp->f", one, other, weights)
    return found


def line_through(shape: Float64, y: Float64) -> tuple[Float64, Float64, Float64]:
    """Return a, d and R² of the best a·shape + d, row by row; NaN where shape is not finite."""
    with np.errstate(all="ignore"):
        middle, mean = shape.mean(axis=1), y.mean(axis=1)
        centred, rest = shape - middle[:, None], y - mean[:, None]
        a = (centred * rest).sum(axis=1) / np.square(centred).sum(axis=1)
        left = np.square(rest - a[:, None] * centred).sum(axis=1)
        return a, mean - a * middle, 1 - left / np.square(rest).sum(axis=1)


def place_jumps(part: Sampled, form: Form, b: Float64, c: Float64) -> Float64:
    """Return the c nearby, between two even points, that is best at the inputs themselves."""
    t = 2 * (part.x - part.low[:, None]) / (part.high - part.low)[:, None] - 1
    best, most = c, np.full(len(c), -np.inf)
    for moved in np.linspace(-1.0, 1.0, _JUMPS) * 2 / (POINTS - 1):
        to = c + b * moved
        _, _, r2 = line_through(form(b[:, None] * t + to[:, None]), part.y)
        best, most = np.where(r2 > most, to, best), np.fmax(r2, most)
    return best


def redrawn(part: Sampled, shapes: Float64) -> tuple[Float64, Float64]:
    """See how R² and log2(1 − R²) change over other images, drawn from these in blocks.

    What a function is at each x is known exactly; only which x occur, and how often, is a matter of
    the images. Each form's b and c are kept: at the best ones R² does not change with them to first
    order.

    Parameters
    ----------
    part
        The functions.
    shapes
        ``(F, forms, POINTS)``: f(b·x + c) at the even points; not finite where there is none.

    Returns
    -------
    tuple
        ``(F, forms, draws)`` each: how far a draw is from all images. NaN with a single block.
    """
    blocks = part.blocks.shape[1]
    count = np.random.default_rng(0).multinomial(blocks, np.full(blocks, 1 / blocks), _DRAWS)
    # Draws from a sample vary a little less than samples do.
    wider = np.sqrt(blocks / (blocks - 1)) if blocks > 1 else np.nan
    times = np.concatenate([np.ones((1, blocks)), count])
    r2 = np.empty((*shapes.shape[:2], _DRAWS))
    left = np.empty_like(r2)
    for rows in np.array_split(np.arange(len(shapes)), -(-len(shapes) // _DRAWN_AT_ONCE)):
        for form in range(shapes.shape[1]):
            weights = part.blocks[part.group[rows]]
            explained = _explained(weights, part.even[rows], shapes[rows, form], times)
            bits = np.log2(np.maximum(1 - explained, 0) + FLOOR)
            r2[rows, form] = wider * (explained[:, 1:] - explained[:, :1])
            left[rows, form] = wider * (bits[:, 1:] - bits[:, :1])
    return r2, left


def _explained(weights: Float64, y: Float64, g: Float64, times: Float64) -> Float64:
    """Return R² of the best a·g + d, ``(F, draws)``, each block counted so many times."""
    g = np.where(np.isfinite(g), g, 0.0)
    y, g = y - y.mean(axis=1, keepdims=True), g - g.mean(axis=1, keepdims=True)
    parts = np.stack([np.ones_like(y), y, g, y * y, y * g, g * g], axis=2)
    moments = np.einsum("dk,fkm->mfd", times, weights @ parts, optimize=True)
    with np.errstate(all="ignore"):
        _, sy, sg, syy, syg, sgg = moments / moments[:1]  # means
        spread = (syy - sy**2) * (sgg - sg**2)
        found = (syg - sy * sg) ** 2 / spread
    moves = spread > _STILL * syy * sgg
    return np.asarray(np.where(moves, found, 0.0).clip(0, 1), dtype=np.float64)
