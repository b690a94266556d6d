"""Fit forms to many functions at once: a grid of starts for all, then Gauss-Newton steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kan_widgets.insight.forms import Form
from kan_widgets.insight.tables import Float64, Int64

POINTS = 129
"""Even points that the density of the inputs is put on, for the search."""
FLOOR = 1e-5
"""Share of the variance below which a form is as good as exact: functions are splines."""
_ROUNDS = 25
_CONVERGED = 1e-8
# Starts times functions worked on at a time.
_AT_ONCE = 2_000_000


@dataclass(frozen=True, eq=False)
class Problem:
    """Functions at points, and how many inputs fall there.

    x runs from −1 to 1 at `POINTS` even points. G groups of functions see the same inputs.
    """

    weights: Float64
    """``(G, POINTS)``, each row summing to 1."""
    values: Float64
    """``(F, POINTS)``."""
    group: Int64
    """``(F,)``: the group of each function."""


def hat_weights(x: Float64, low: float, high: float) -> Float64:
    """Share every input between the two even points beside it, ``(POINTS,)``, summing to 1.

    A mean over these weights is that of the function drawn straight between the points.
    """
    place = (x - low) / (high - low) * (POINTS - 1)
    left = np.clip(place.astype(np.int64), 0, POINTS - 2)
    share = np.clip(place - left, 0.0, 1.0)
    found = np.bincount(left, 1 - share, POINTS) + np.bincount(left + 1, share, POINTS)
    return found / len(x)


def penalised(r2: Float64, form: Form, penalty: float) -> Float64:
    """Return log2 of the variance unexplained, plus ``penalty`` for each unit of complexity."""
    found: Float64 = np.log2(np.maximum(1 - r2, 0.0) + FLOOR) + penalty * form.complexity
    return found


def best_starts(problem: Problem, form: Form) -> tuple[Float64, Float64, Float64]:
    """Try every start of a form on every function, with the best a and d for it.

    Returns
    -------
    tuple
        R², b and c of the best, ``(F,)`` each; R² −1 where the form is defined nowhere.
    """
    t = np.linspace(-1.0, 1.0, POINTS)
    b, c = form.starts.T
    shapes = form(b[:, None] * t + c[:, None])
    # Beyond these, sums of squares are nothing but rounding.
    fits = np.isfinite(shapes).all(axis=1) & (np.abs(shapes).max(axis=1, initial=0) < 1e12)
    b, c, shapes = b[fits], c[fits], shapes[fits]
    count = len(problem.values)
    if not len(b):
        return np.full(count, -1.0), np.ones(count), np.zeros(count)
    shapes -= shapes.mean(axis=1, keepdims=True)
    sizes = np.sqrt(np.square(shapes).mean(axis=1, keepdims=True))
    shapes /= np.where(sizes > 0, sizes, 1.0)
    spread = problem.weights @ np.square(shapes).T - (problem.weights @ shapes.T) ** 2
    flat = spread < 1e-9
    r2 = np.empty(count)
    which = np.empty(count, dtype=np.int64)
    for part in np.array_split(np.arange(count), -(-count * len(b) // _AT_ONCE)):
        group = problem.group[part]
        weights = problem.weights[group]
        y = problem.values[part]
        y = y - (y * weights).sum(axis=1, keepdims=True)
        along = (y * weights) @ shapes.T
        with np.errstate(all="ignore"):
            found = along**2 / spread[group] / (y**2 * weights).sum(axis=1, keepdims=True)
        found[flat[group] | ~np.isfinite(found)] = -1.0
        which[part] = found.argmax(axis=1)
        r2[part] = found[np.arange(len(part)), which[part]]
    return r2, b[which], c[which]


def refine(
    problem: Problem, form: Form, chosen: Int64, b: Float64, c: Float64
) -> tuple[Float64, Float64]:
    """Improve b and c of some functions by damped Gauss-Newton steps.

    a and d are the best ones at every step (variable projection, Golub and Pereyra 1973, in
    Kaufman's form), so that b and c are all there is to search.

    Parameters
    ----------
    chosen
        ``(n,)``: which functions.
    b, c
        ``(n,)``: where to start.

    Returns
    -------
    tuple
        b and c, ``(n,)`` each; never worse than the start.
    """
    b, c = b.astype(np.float64), c.astype(np.float64)
    if not (form.scale or form.shift):
        return b, c
    t = np.linspace(-1.0, 1.0, POINTS)
    weights = problem.weights[problem.group[chosen]]
    y = problem.values[chosen]
    y = y - _mean(y, weights)
    total = _dot(y, y, weights)
    damping = np.full(len(b), 1e-3)
    left, _ = _unexplained(form, y, weights, b[:, None] * t + c[:, None])
    active = np.flatnonzero(np.isfinite(left))
    for _ in range(_ROUNDS):
        if not len(active):
            break
        w, u = weights[active], b[active, None] * t + c[active, None]
        step_b, step_c = _step(form, y[active], w, u, t, damping[active])
        to_b, to_c = b[active] + step_b, c[active] + step_c
        after, _ = _unexplained(form, y[active], w, to_b[:, None] * t + to_c[:, None])
        before = left[active]
        better = after < before
        moved = active[better]
        b[moved], c[moved], left[moved] = to_b[better], to_c[better], after[better]
        damping[active] *= np.where(better, 0.2, 5.0)
        done = better & (before - after < _CONVERGED * total[active])
        active = active[~done & (damping[active] < 1e6)]
    return b, c


def _step(
    form: Form, y: Float64, w: Float64, u: Float64, t: Float64, damping: Float64
) -> tuple[Float64, Float64]:
    """Return the damped step in b and c."""
    g = form(u)
    g = g - _mean(g, w)
    size = _dot(g, g, w)
    with np.errstate(all="ignore"):
        a = _dot(g, y, w) / size
    rest = y - a[:, None] * g
    slope = a[:, None] * np.nan_to_num(form.slope(u), nan=0.0, posinf=0.0, neginf=0.0)

    def across(column: Float64) -> Float64:
        """Take out of a column what a and d can do."""
        column = column - _mean(column, w)
        with np.errstate(all="ignore"):
            return column - (_dot(column, g, w) / size)[:, None] * g

    none = np.zeros_like(slope)
    by_b = across(slope * t) if form.scale else none
    by_c = across(slope) if form.shift else none
    bb, bc, cc = _dot(by_b, by_b, w), _dot(by_b, by_c, w), _dot(by_c, by_c, w)
    rb, rc = _dot(by_b, rest, w), _dot(by_c, rest, w)
    bb = np.where(bb > 0, bb * (1 + damping), 1.0)
    cc = np.where(cc > 0, cc * (1 + damping), 1.0)
    with np.errstate(all="ignore"):
        whole = bb * cc - bc**2
        step_b = (cc * rb - bc * rc) / whole
        step_c = (bb * rc - bc * rb) / whole
    usable = np.isfinite(step_b) & np.isfinite(step_c)
    return np.where(usable, step_b, 0.0), np.where(usable, step_c, 0.0)


def _unexplained(form: Form, y: Float64, w: Float64, u: Float64) -> tuple[Float64, Float64]:
    """Return the variance that the best a and d leave, inf where f is not defined; and a."""
    g = form(u)
    with np.errstate(all="ignore"):
        g = g - _mean(g, w)
        size = _dot(g, g, w)
        a = _dot(g, y, w) / size
        left = np.square(y - a[:, None] * g)
        found = _dot(left, np.ones_like(left), w)
    return np.where(np.isfinite(found), found, np.inf), a


def _mean(values: Float64, weights: Float64) -> Float64:
    found: Float64 = np.einsum("fp,fp->f", values, weights)[:, None]
    return found


def _dot(one: Float64, other: Float64, weights: Float64) -> Float64:
    found: Float64 = np.einsum("fp,fp,fp->f", one, other, weights)
    return found
