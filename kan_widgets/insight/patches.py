"""Which patch a kernel prefers, and how close the data come to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kan_widgets.functions.basis import ReadBasis
from kan_widgets.insight.kernels import Kernel, Observed, check_observed, exact_beta
from kan_widgets.insight.stacked import Stack, deviations, responses, stack_of_kernel
from kan_widgets.insight.tables import Float64, Int64

Bounds: TypeAlias = Literal["domain", "observed"] | tuple[float, float]

QUANTILES = 0.005, 0.995
"""Of each entry's inputs: the ends of the bounds ``"observed"``."""

_PER_INTERVAL = 32
_WITHOUT_KNOTS = 512
# Values of functions sampled at a time.
_SAMPLED = 2_000_000
# Each step looks at so many points of a bracket and keeps two of the intervals between them.
_ZOOM_POINTS, _ZOOM_STEPS = 17, 9
# Values that differ less than this share of their size are the same.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class RealPatches:
    """The observed patches that come nearest to a patch, the nearest first; all differ."""

    x: Float64
    """``(k, in, kh, kw)``."""
    response: Float64
    """``(k,)``: what the kernel makes of them."""
    distance: Float64
    """``(k,)``: root of the mean square, over the entries, of the distance in units of the
    entry's standard deviation among all observed patches. Entries that never vary, and those
    whose φ is the same throughout the bounds, do not count."""
    rows: Int64
    """``(k,)``: their rows in ``observed.patches``."""
    least: float
    """The lowest response to any observed patch."""
    most: float
    """The highest."""


@dataclass(frozen=True, eq=False)
class Patch:
    """The patch within bounds to which a kernel responds most, or least. Exact.

    The response is a sum of functions of one variable each, so it is largest where every
    function is at its own largest value. A bias is not part of it.
    """

    layer: str
    out: int
    aim: Literal["preferred", "suppressed"]
    x: Float64
    """``(in, kh, kw)``. NaN where φ is not finite; where φ is the same throughout the bounds,
    their middle."""
    terms: Float64
    """``(in, kh, kw)``: φ(x) of each entry."""
    response: float
    """Their sum."""
    low: Float64
    """``(in, kh, kw)``: the bounds of each entry."""
    high: Float64
    bounds: str
    """What they are, in words."""
    indifferent: NDArray[np.bool_]
    """``(in, kh, kw)``: φ is the same throughout the bounds, so that x says nothing."""
    nearest: RealPatches | None
    """``None`` where nothing observed was given, as the two below."""
    samples: int | None
    """Images (rows) in the observed batch."""
    patches: int | None
    """Observed patches that were compared."""


@dataclass(frozen=True, eq=False)
class Extremes:
    """Where each function of a stack is largest, or least: ``(kernels, entries)``."""

    x: Float64
    values: Float64
    low: Float64
    high: Float64
    bounds: str
    indifferent: NDArray[np.bool_]


def preferred_patch(
    kernel: Kernel,
    bounds: Bounds = "domain",
    *,
    observed: Observed | None = None,
    nearest: int = 5,
) -> Patch:
    """Find the patch within bounds to which a kernel responds most.

    Every function is sampled densely between its knots, and around each sample that could be
    the largest the bracket is narrowed with the exact function until its value no longer changes
    in double precision. The ends of the bounds count.

    Parameters
    ----------
    kernel
        From `kernel_of`.
    bounds
        Where each entry may lie: ``"domain"``, the interval that its function is meant for;
        ``"observed"``, from the 0.5 % to the 99.5 % quantile of its own inputs; or (low, high)
        for all entries.
    observed
        Such as ``live.observe(batch)[name]``: the real patches to compare with. Bounds
        ``"observed"`` need it.
    nearest
        How many real patches to keep.

    Raises
    ------
    TypeError
        If the bounds are ``"observed"`` and nothing observed is given.
    ValueError
        If ``bounds`` or ``nearest`` is none of those, or the observed patches do not fit.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> plain = torch.nn.Conv2d(1, 1, (1, 2), bias=False)
    >>> _ = plain.weight.data.copy_(torch.tensor([[[[2.0, -1.0]]]]))
    >>> kernel = kw.insight.kernel_of(kw.functions.read(plain)[0], 0)
    >>> found = preferred_patch(kernel)
    >>> found.x, found.response
    (array([[[ 1., -1.]]]), 3.0)
    """
    return _patch(kernel, "preferred", bounds, observed, nearest)


def suppressed_patch(
    kernel: Kernel,
    bounds: Bounds = "domain",
    *,
    observed: Observed | None = None,
    nearest: int = 5,
) -> Patch:
    """Find the patch within bounds to which a kernel responds least; see `preferred_patch`.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> kernel = kw.insight.kernel_of(kw.functions.read(kw.nn.KANConv2d(1, 4, 3))[0], 2)
    >>> suppressed_patch(kernel).response < preferred_patch(kernel).response
    True
    """
    return _patch(kernel, "suppressed", bounds, observed, nearest)


def _patch(
    kernel: Kernel,
    aim: Literal["preferred", "suppressed"],
    bounds: Bounds,
    observed: Observed | None,
    nearest: int,
) -> Patch:
    if nearest < 1:
        raise ValueError(f"nearest: expected a whole number ≥ 1, got {nearest!r}")
    stack = stack_of_kernel(kernel)
    x = None
    if observed is not None or bounds == "observed":
        x = check_observed(kernel.functions, observed)
    found = extremes(stack, 1 if aim == "preferred" else -1, bounds, x)
    if observed is None or x is None:
        return patches_of(stack, aim, found)[0]
    return patches_of(stack, aim, found, observed, x, responses(stack, x).y, nearest)[0]


def patches_of(
    stack: Stack,
    aim: Literal["preferred", "suppressed"],
    found: Extremes,
    observed: Observed | None = None,
    x: Float64 | None = None,
    y: Float64 | None = None,
    nearest: int = 1,
) -> list[Patch]:
    """Make the record of each kernel; ``y`` are its responses to ``x``, ``(kernels, n)``."""
    real: list[RealPatches | None] = [None] * len(stack.outs)
    if x is not None and y is not None:
        deviation = deviations(x)
        counts = _counts(stack, found, deviation)
        square = squared_distances(stack, found, x)
        for k in range(len(y)):
            counted = stack.columns[k, counts[k]]
            towards = found.x[k, counts[k]] / deviation[counted]
            rows = _nearest(x, stack.columns[k], square[k], nearest)
            # Not from the squares, whose last digits are lost in a difference.
            away = x[rows][:, counted] / deviation[counted] - towards
            real[k] = RealPatches(
                x=stack.shaped(x[rows][:, stack.columns[k]]),
                response=y[k, rows],
                distance=np.sqrt((away**2).sum(axis=1) / max(1, len(counted))),
                rows=rows,
                least=float(y[k].min()),
                most=float(y[k].max()),
            )
    return [
        Patch(
            layer=stack.name,
            out=int(out),
            aim=aim,
            x=stack.shaped(found.x[k]),
            terms=stack.shaped(found.values[k]),
            response=float(found.values[k].sum()),
            low=stack.shaped(found.low[k]),
            high=stack.shaped(found.high[k]),
            bounds=found.bounds,
            indifferent=found.indifferent[k].reshape(stack.functions.shape[1:]),
            nearest=real[k],
            samples=None if observed is None else observed.samples,
            patches=None if x is None or observed is None else len(x),
        )
        for k, out in enumerate(stack.outs)
    ]


def squared_distances(stack: Stack, found: Extremes, x: Float64) -> Float64:
    """Return Σ ((x − t)/σ)² of each patch to each extreme t, ``(kernels, n)``.

    Entries that never vary, and those that are indifferent or unknown, do not count.
    """
    deviation = deviations(x)
    z = x / np.where(deviation > 0, deviation, np.inf)
    scale, counts = deviation[stack.columns], _counts(stack, found, deviation)
    towards = np.where(counts, found.x, 0.0) / np.where(counts, scale, 1.0)
    # (z − t)² = z² − 2·t·z + t².
    square = stack.weighted(counts.astype(np.float64), z**2)
    square -= stack.weighted(2 * towards, z)
    square += (towards**2).sum(axis=1, keepdims=True)
    return np.maximum(square, 0.0, out=square)


def _counts(stack: Stack, found: Extremes, deviation: Float64) -> NDArray[np.bool_]:
    counts: NDArray[np.bool_] = deviation[stack.columns] > 0
    return counts & ~found.indifferent & np.isfinite(found.x)


def _nearest(x: Float64, columns: Int64, square: Float64, count: int) -> Int64:
    """Return the rows of the nearest patches, each once, the nearest first."""
    few = min(len(x), 8 * count)
    rows = np.argpartition(square, few - 1)[:few]
    # Of equal ones the first.
    rows = rows[np.lexsort((rows, square[rows]))]
    found = _first_different(x, columns, rows, count)
    if len(found) < count < len(x):  # the same ones over and over
        found = _first_different(x, columns, np.argsort(square, kind="stable"), count)
    return found


def _first_different(x: Float64, columns: Int64, order: Int64, count: int) -> Int64:
    """Return the first rows in an order that are not the same patch again."""
    known: set[bytes] = set()
    rows: list[int] = []
    for row in order:
        patch = x[row, columns].tobytes()
        if patch not in known:
            known.add(patch)
            rows.append(int(row))
            if len(rows) == count:
                break
    return np.array(rows)


# ---------------------------------------------------------------- bounds


def bounds_of(stack: Stack, bounds: Bounds, x: Float64 | None) -> tuple[Float64, Float64, str]:
    """Return low and high of each function, ``(kernels, entries)``, and what they are."""
    if isinstance(bounds, str):
        if bounds == "domain":
            ends = np.array([basis.domain for basis in stack.functions.bases])[stack.numbers]
            return ends[..., 0], ends[..., 1], "the domain of each function"
        if bounds == "observed" and x is not None:
            low, high = np.quantile(x, QUANTILES, axis=0)
            words = "the observed inputs of each entry from 0.5 % to 99.5 %"
            return low[stack.columns], high[stack.columns], words
    else:
        try:
            lowest, highest = map(float, bounds)
        except (TypeError, ValueError):
            pass
        else:
            if np.isfinite([lowest, highest]).all() and lowest < highest:
                full = np.full(stack.columns.shape, lowest)
                return full, np.full_like(full, highest), f"{lowest:g} to {highest:g}"
    raise ValueError(
        f"bounds: expected 'domain', 'observed' or two finite numbers, low < high, got {bounds!r}"
    )


# ---------------------------------------------------------------- the largest value


def extremes(stack: Stack, sign: int, bounds: Bounds, x: Float64 | None = None) -> Extremes:
    """Find where each function is largest (``sign`` 1) or least (−1) within bounds.

    ``x`` are the observed patches, ``(n, columns)``, for bounds ``"observed"``.
    """
    low, high, words = bounds_of(stack, bounds, x)
    nb = stack.coefficients.shape[-1]
    lows, highs, numbers = low.ravel(), high.ravel(), stack.numbers.ravel()
    coefficients = sign * stack.coefficients.reshape(-1, nb)
    place, value = np.full(len(lows), np.nan), np.full(len(lows), np.nan)
    flat = np.zeros(len(lows), dtype=np.bool_)
    finite = np.isfinite(coefficients).all(axis=1)
    for number in np.unique(numbers):
        mine = np.flatnonzero((numbers == number) & finite)
        if not len(mine):
            continue
        basis = stack.functions.bases[number]
        grid = _grid(basis, float(lows[mine].min()), float(highs[mine].max()))
        beta = exact_beta(basis, grid, slopes=False)
        size = max(1, _SAMPLED // len(grid))
        for first in range(0, len(mine), size):
            some = mine[first : first + size]
            place[some], value[some], flat[some] = _largest(
                basis, grid, beta, coefficients[some], lows[some], highs[some]
            )
    shape = low.shape
    return Extremes(
        place.reshape(shape), sign * value.reshape(shape), low, high, words, flat.reshape(shape)
    )


def _grid(basis: ReadBasis, low: float, high: float) -> Float64:
    """Return points from low to high among which no turn of a function is missed."""
    edges = np.unique([low, high, *(p for p in (0.0, *basis.knots) if low < p < high)])
    if len(edges) == 1:
        return edges
    per_interval = _PER_INTERVAL
    if not basis.knots:
        width = basis.extent[1] - basis.extent[0]
        points = max(_WITHOUT_KNOTS, 4 * getattr(basis, "points", 0))
        per_interval = int(points * max(1.0, (high - low) / width))
    inner = np.linspace(edges[:-1], edges[1:], per_interval, endpoint=False).T.ravel()
    return np.append(inner, edges[-1])


def _largest(
    basis: ReadBasis, grid: Float64, beta: Float64, c: Float64, low: Float64, high: Float64
) -> tuple[Float64, Float64, NDArray[np.bool_]]:
    """Return where each function is largest, its value there, and whether it is flat."""
    rows = np.arange(len(c))
    # Samples beyond the bounds of a function become the nearest end of them.
    x = np.clip(grid, low[:, None], high[:, None])
    y = c @ beta.T
    for ends, beyond in ((low, grid <= low[:, None]), (high, grid >= high[:, None])):
        at_end = np.einsum("fb,fb->f", exact_beta(basis, ends, slopes=False), c)
        np.copyto(y, at_end[:, None], where=beyond)
    best = y.argmax(axis=1)
    place, value = x[rows, best], y[rows, best]
    spread = value - y.min(axis=1)
    flat: NDArray[np.bool_] = spread <= _ROUNDING * np.abs(y).max(axis=1)

    before = np.concatenate([y[:, :1], y[:, :-1]], axis=1)
    after = np.concatenate([y[:, 1:], y[:, -1:]], axis=1)
    # A parabola through three samples rises at most an eighth of this above the middle one.
    room = np.abs(before - 2 * y + after)
    peak = (y >= before) & (y >= after) & (room > 0) & (y + room >= value[:, None])
    f, at = np.nonzero(peak & ~flat[:, None])
    a, b = x[f, np.maximum(at - 1, 0)], x[f, np.minimum(at + 1, len(grid) - 1)]
    found, reached = _climb(basis, c[f], a, b)
    # Of several peaks of a function the highest.
    order = np.argsort(reached, kind="stable")
    top_value, top_place = np.full(len(c), -np.inf), np.full(len(c), np.nan)
    top_value[f[order]], top_place[f[order]] = reached[order], found[order]
    higher = top_value > value
    place, value = np.where(higher, top_place, place), np.where(higher, top_value, value)
    return np.where(flat, (low + high) / 2, place), value, flat


def _climb(basis: ReadBasis, c: Float64, a: Float64, b: Float64) -> tuple[Float64, Float64]:
    """Return the largest value between a and b, and where, of functions that turn once there."""
    rows = np.arange(len(c))
    place, value = a, np.full(len(c), -np.inf)
    share = np.linspace(0, 1, _ZOOM_POINTS)
    for _ in range(_ZOOM_STEPS):
        x = a[:, None] + (b - a)[:, None] * share
        y = np.einsum("fpb,fb->fp", exact_beta(basis, x, slopes=False), c)
        best = y.argmax(axis=1)
        higher = y[rows, best] > value
        place = np.where(higher, x[rows, best], place)
        value = np.where(higher, y[rows, best], value)
        a, b = x[rows, np.maximum(best - 1, 0)], x[rows, np.minimum(best + 1, _ZOOM_POINTS - 1)]
    return place, value
