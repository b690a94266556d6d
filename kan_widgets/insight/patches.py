"""Which patch a kernel responds to most, or least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kan_widgets.functions.basis import ReadBasis
from kan_widgets.insight.kernels import Kernel, Observed, exact_beta
from kan_widgets.insight.tables import Float64

Bounds: TypeAlias = Literal["domain", "observed"] | tuple[float, float]

QUANTILES = 0.005, 0.995
"""Of each entry's inputs: the ends of the bounds ``"observed"``."""

_PER_INTERVAL = 32
_WITHOUT_KNOTS = 512
# Each step looks at so many points of a bracket and keeps two of the intervals between them.
_ZOOM_POINTS, _ZOOM_STEPS = 17, 9
# Values that differ less than this share of their size are the same.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Patch:
    """The patch within bounds to which a kernel responds most, or least. Exact.

    The response is a sum of functions of one variable each, so it is largest where every
    function is at its own largest value. A bias is not part of it.
    """

    layer: str
    out: int
    suppressed: bool
    """Whether it is the patch of the least response."""
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


def preferred_patch(
    kernel: Kernel,
    bounds: Bounds = "domain",
    *,
    suppressed: bool = False,
    observed: Observed | None = None,
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
    suppressed
        True for the patch of the least response.
    observed
        Such as ``live.observe(batch)[name]``; bounds ``"observed"`` need it.

    Raises
    ------
    TypeError
        If the bounds are ``"observed"`` and nothing observed is given.
    ValueError
        If ``bounds`` is none of those, or the observed patches do not fit.

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
    low, high, words = _bounds(kernel, bounds, observed)
    sign = -1 if suppressed else 1
    place, value = np.full((2, len(low)), np.nan)
    flat = np.zeros(len(low), dtype=np.bool_)
    finite = np.isfinite(kernel.coefficients).all(axis=1)
    ends, of = np.unique(np.stack([kernel.numbers, low, high]), axis=1, return_inverse=True)
    for k in range(ends.shape[1]):
        mine = np.flatnonzero((of.ravel() == k) & finite)
        basis = kernel.functions.bases[int(ends[0, k])]
        if len(mine):
            c = sign * kernel.coefficients[mine]
            place[mine], value[mine], flat[mine] = _largest(basis, c, *ends[1:, k])
    terms = sign * value
    return Patch(
        layer=kernel.layer,
        out=kernel.out,
        suppressed=suppressed,
        x=place.reshape(kernel.shape),
        terms=terms.reshape(kernel.shape),
        response=float(terms.sum()),
        low=low.reshape(kernel.shape),
        high=high.reshape(kernel.shape),
        bounds=words,
        indifferent=flat.reshape(kernel.shape),
    )


def _bounds(
    kernel: Kernel, bounds: Bounds, observed: Observed | None
) -> tuple[Float64, Float64, str]:
    """Return low and high of each function, ``(entries,)``, and what they are."""
    if isinstance(bounds, str):
        if bounds == "domain":
            ends = np.array([basis.domain for basis in kernel.functions.bases], dtype=np.float64)
            return *ends[kernel.numbers].T, "the domain of each function"
        if bounds == "observed":
            low, high = np.quantile(kernel.inputs(observed), QUANTILES, axis=0)
            return low, high, "the observed inputs of each entry from 0.5 % to 99.5 %"
    else:
        try:
            lowest, highest = map(float, bounds)
        except (TypeError, ValueError):
            pass
        else:
            if np.isfinite([lowest, highest]).all() and lowest < highest:
                full = np.full(len(kernel.columns), lowest)
                return full, np.full_like(full, highest), f"{lowest:g} to {highest:g}"
    raise ValueError(
        f"bounds: expected 'domain', 'observed' or two finite numbers, low < high, got {bounds!r}"
    )


def _largest(
    basis: ReadBasis, c: Float64, low: float, high: float
) -> tuple[Float64, Float64, NDArray[np.bool_]]:
    """Return where each function is largest, its value there, and whether it is flat."""
    x = _grid(basis, low, high)
    y = c @ exact_beta(basis, x, slopes=False).T
    best = y.argmax(axis=1)
    place, value = x[best], y[np.arange(len(c)), best]
    flat: NDArray[np.bool_] = value - y.min(axis=1) <= _ROUNDING * np.abs(y).max(axis=1)
    before = np.concatenate([y[:, :1], y[:, :-1]], axis=1)
    after = np.concatenate([y[:, 1:], y[:, -1:]], axis=1)
    # A parabola through three samples rises at most an eighth of this above the middle one.
    room = np.abs(before - 2 * y + after)
    peak = (y >= before) & (y >= after) & (room > 0) & (y + room >= value[:, None])
    f, at = np.nonzero(peak & ~flat[:, None])
    found, reached = _climb(
        basis, c[f], x[np.maximum(at - 1, 0)], x[np.minimum(at + 1, len(x) - 1)]
    )
    # Of several peaks of a function the highest comes last.
    order = np.argsort(reached, kind="stable")
    top_value, top_place = np.full(len(c), -np.inf), np.full(len(c), np.nan)
    top_value[f[order]], top_place[f[order]] = reached[order], found[order]
    higher = top_value > value
    place, value = np.where(higher, top_place, place), np.where(higher, top_value, value)
    return np.where(flat, (low + high) / 2, place), value, flat


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
