"""Symbolic forms of functions: a·f(b·x + c) + d for each φ of a layer, with what to trust."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from kan_widgets.functions import Basis, LayerFunctions
from kan_widgets.insight.form_search import (
    POINTS,
    Problem,
    best_starts,
    hat_weights,
    penalised,
    refine,
)
from kan_widgets.insight.forms import CONSTANT, FORMS, Form, chosen_forms
from kan_widgets.insight.kernels import Observed, check_observed
from kan_widgets.insight.progress import Progress, progress_line
from kan_widgets.insight.symbolic_fits import SymbolicFits
from kan_widgets.insight.tables import Float64, Int64

PENALTY = 0.5
"""Two units of complexity must halve the variance that is left unexplained."""
TOLERANCE = 0.1
"""Where \\|φ − form\\| is at most this share of φ's standard deviation, the form holds."""
_MANY = 10_000
_FUNCTIONS_AT_ONCE = 2_048
# Inputs of each entry on which a, d and R² are taken.
_INPUTS = 512
# Forms that are improved beyond their best start, besides those that are kept.
_MORE = 3
# Places that are tried for a jump, between the even points beside it.
_JUMPS = 17
_FLAT = 2e-6
_DRAWN = 257


def symbolic(
    layer: LayerFunctions,
    observed: Observed | None,
    *,
    forms: Iterable[Form | str] = FORMS,
    penalty: float = PENALTY,
    keep: int = 3,
    progress: Progress | None = None,
) -> SymbolicFits:
    """Find the forms a·f(b·x + c) + d that every function of a layer is most like.

    Each form is tried from a grid of (b, c), with the best a and d at once, on the density of the
    observed inputs at 129 even points from the least to the largest; the most promising are
    improved by Gauss-Newton steps. Then a, d and R² are taken at the inputs themselves. The forms
    are ranked by log2(1 − R² + 1e-5) + ``penalty``·complexity, the complexity being how many of
    a, b, c, d a form has free. So at penalty 0.5 two parameters more have to halve what is left
    unexplained; and where less than 1e-5 is left, forms are about equally good. Near ties are
    common on a narrow range of inputs: look at the second form, and at where the first one holds.

    Only what was observed counts: a form is silent on inputs that did not occur.

    Parameters
    ----------
    layer
        From `kan_widgets.functions.read`, or ``live.read()``.
    observed
        The inputs, ``live.observe(batch)[layer.name]``.
    forms
        Forms, or names of the library `FORMS`.
    penalty
        What a unit of complexity costs, 0 or more.
    keep
        How many forms are kept for each function.
    progress
        Told how many functions are done; by default a bar where there are more than 10,000.

    Raises
    ------
    TypeError
        If nothing observed, or something other than forms, is given.
    ValueError
        If what was observed does not fit the layer, or another value is out of range.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Linear(3, 2)
    >>> [layer] = kw.functions.read(model)
    >>> inputs = kw.insight.SeenPatches(layer.name, 50, torch.rand(50, 3).numpy())
    >>> fits = symbolic(layer, inputs)
    >>> fits.counts()
    {'line': 6}
    >>> abs(fits.at((0, 1))[0].a - model.weight[0, 1].item()) < 1e-6
    True
    """
    inputs = check_observed(layer, observed)
    assert observed is not None
    library = chosen_forms(forms)
    if not penalty >= 0 or not math.isfinite(penalty):
        raise ValueError(f"penalty={penalty!r}: a number of 0 or more is taken")
    if keep < 1:
        raise ValueError(f"keep={keep!r}: at least 1 form is kept")
    keep = min(keep, len(library))
    count = layer.n_functions
    tell = progress or (progress_line("symbolic forms") if count > _MANY else None)
    found = SymbolicFits(
        layer.name or layer.type,
        layer.shape,
        (*library, CONSTANT),
        penalty,
        int(observed.samples),
        len(inputs),
        np.full((count, keep), -1),
        np.full((count, keep, 4), np.nan),
        np.full((count, keep), np.nan),
        np.full((count, keep), np.nan),
        np.full((count, 2), np.nan),
        np.full((count, 2), np.nan),
    )
    done = 0
    for groups in _batches(layer):
        part = _sample(groups, layer, inputs)
        if len(part.numbers):
            _search(part, found, library, penalty, keep)
        done += sum(len(group.numbers) for group in groups)
        if tell is not None:
            tell(done, count)
    return found


@dataclass(frozen=True, eq=False)
class _Group:
    """Functions that see the same inputs through the same basis."""

    column: int
    basis: Basis
    numbers: Int64


@dataclass(frozen=True, eq=False)
class _Part:
    """Some functions at even points, at the inputs and wherever they are drawn."""

    numbers: Int64
    problem: Problem
    low: Float64
    high: Float64
    x: Float64
    y: Float64
    """``(F, n)`` at the inputs, even by rank."""
    drawn: Float64
    shown: Float64
    """``(F, 257)``: x over grid, support and inputs, and φ there."""
    middle: Float64
    """``(F,)``: the median input."""


def _batches(layer: LayerFunctions) -> Iterator[list[_Group]]:
    """Yield groups of functions, some thousand functions at a time."""
    out, in_, kh, kw = layer.shape
    entries = in_ * kh * kw
    conv_groups = layer.conv.groups if layer.conv is not None else 1
    first = np.arange(out) // max(1, out // conv_groups) * entries
    columns = (first[:, None] + np.arange(entries)).ravel()
    index = layer.basis_index
    bases = np.zeros(len(columns), np.int64) if index is None else index.cpu().numpy().ravel()
    keys, group_of = np.unique(columns * len(layer.bases) + bases, return_inverse=True)
    order = np.argsort(group_of, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(group_of[order])) + 1)
    found: list[_Group] = []
    for key, numbers in zip(keys.tolist(), members, strict=True):
        column, basis = divmod(key, len(layer.bases))
        for some in np.array_split(numbers, -(-len(numbers) // _FUNCTIONS_AT_ONCE)):
            found.append(_Group(column, layer.bases[basis], some))
            if sum(len(group.numbers) for group in found) >= _FUNCTIONS_AT_ONCE:
                yield found
                found = []
    if found:
        yield found


def _sample(groups: list[_Group], layer: LayerFunctions, inputs: Float64) -> _Part:
    """Evaluate functions where they are compared; those that are not finite are left out."""
    nb = layer.coefficients.shape[-1]
    flat = layer.coefficients.detach().to("cpu", torch.float64).reshape(-1, nb).numpy()
    rows: list[tuple[Any, ...]] = []
    weights = []
    for group in groups:
        coefficients = flat[group.numbers]
        finite = np.isfinite(coefficients).all(axis=1)
        numbers, coefficients = group.numbers[finite], coefficients[finite]
        x = np.sort(inputs[:, group.column])
        low, high = float(x[0]), float(x[-1])
        even = np.linspace(low, high, POINTS)
        weights.append(hat_weights(x, low, high) if high > low else np.full(POINTS, 1 / POINTS))
        ranks = np.linspace(0, len(x) - 1, min(_INPUTS, len(x))).round().astype(np.int64)
        ends = [*group.basis.domain, *group.basis.extent, low, high]
        drawn = np.linspace(min(ends), max(ends), _DRAWN)
        points = np.concatenate([even, x[ranks], drawn])
        with torch.no_grad():
            beta = group.basis(torch.from_numpy(points)).to(torch.float64).numpy()
        y = coefficients @ beta.T
        middle = float(np.median(x))
        for number, values in zip(numbers.tolist(), y, strict=True):
            rows.append((number, len(weights) - 1, low, high, values, points, middle))
    if not rows:
        none = np.zeros(0)
        empty = Problem(np.zeros((0, POINTS)), np.zeros((0, POINTS)), np.zeros(0, np.int64))
        return _Part(np.zeros(0, np.int64), empty, none, none, none, none, none, none, none)
    number, group_of, low_, high_, values, points_, middle_ = zip(*rows, strict=True)
    all_values, all_points = np.stack(values), np.stack(points_)
    return _Part(
        np.array(number),
        Problem(np.stack(weights), all_values[:, :POINTS], np.array(group_of)),
        np.array(low_),
        np.array(high_),
        all_points[:, POINTS:-_DRAWN],
        all_values[:, POINTS:-_DRAWN],
        all_points[:, -_DRAWN:],
        all_values[:, -_DRAWN:],
        np.array(middle_),
    )


def _search(
    part: _Part, found: SymbolicFits, library: tuple[Form, ...], penalty: float, keep: int
) -> None:
    """Fill in the forms of some functions."""
    numbers = part.numbers
    found.observed[numbers] = np.stack([part.low, part.high], axis=1)
    spread = part.y.std(axis=1)
    flat = (part.high <= part.low) | (spread <= _FLAT * np.abs(part.y).max(axis=1))
    still = numbers[flat]
    found.form[still, 0] = len(library)
    found.parameters[still, 0] = 0.0
    found.parameters[still, 0, 1] = 1.0
    found.parameters[still, 0, 3] = part.y[flat].mean(axis=1)
    found.holds[still] = _holds(part, np.flatnonzero(flat), found, spread)
    moving = np.flatnonzero(~flat)
    if not len(moving):
        return
    problem = Problem(part.problem.weights, part.problem.values[moving], part.problem.group[moving])
    tried = [best_starts(problem, form) for form in library]
    rough = np.stack(
        [penalised(r2, form, penalty) for (r2, _, _), form in zip(tried, library, strict=True)], 1
    )
    rough[np.stack([r2 for r2, _, _ in tried], 1) < 0] = np.inf
    most = min(len(library), keep + _MORE)
    promising = np.argpartition(rough, most - 1, axis=1)[:, :most]
    score = np.full(rough.shape, np.inf)
    r2 = np.full(rough.shape, np.nan)
    parameters = np.full((*rough.shape, 4), np.nan)
    half, middle = (part.high - part.low) / 2, (part.high + part.low) / 2
    for k, form in enumerate(library):
        rows = np.flatnonzero((promising == k).any(axis=1) & np.isfinite(rough[:, k]))
        if not len(rows):
            continue
        b, c = refine(problem, form, rows, tried[k][1][rows], tried[k][2][rows])
        those = moving[rows]
        if form.jumps:
            c = _place_jumps(part, form, those, b, c)
        scale = b / half[those]
        b, c = form.tidied(scale, c - scale * middle[those])
        a, d, explained = _line_through(
            form(b[:, None] * part.x[those] + c[:, None]), part.y[those]
        )
        usable = np.isfinite(explained)
        score[rows, k] = np.where(usable, penalised(explained, form, penalty), np.inf)
        r2[rows, k] = explained
        parameters[rows, k] = np.stack([a, b, c, d], axis=1)
    order = np.argsort(score, axis=1, kind="stable")[:, :keep]
    ranked = np.take_along_axis(score, order, axis=1)
    known = np.isfinite(ranked)
    at = numbers[moving]
    found.form[at] = np.where(known, order, -1)
    found.score[at] = np.where(known, ranked, np.nan)
    found.r2[at] = np.where(known, np.take_along_axis(r2, order, axis=1), np.nan)
    found.parameters[at] = np.where(
        known[..., None], np.take_along_axis(parameters, order[..., None], axis=1), np.nan
    )
    found.holds[at] = _holds(part, moving, found, spread)


def _place_jumps(part: _Part, form: Form, rows: Int64, b: Float64, c: Float64) -> Float64:
    """Return the c nearby, between two even points, that is best at the inputs themselves."""
    low, half = part.low[rows], (part.high[rows] - part.low[rows]) / 2
    t = (part.x[rows] - low[:, None]) / half[:, None] - 1
    best, most = c, np.full(len(rows), -np.inf)
    for moved in np.linspace(-1.0, 1.0, _JUMPS) * 2 / (POINTS - 1):
        to = c + b * moved
        _, _, r2 = _line_through(form(b[:, None] * t + to[:, None]), part.y[rows])
        better = r2 > most
        best, most = np.where(better, to, best), np.where(better, r2, most)
    return best


def _line_through(shape: Float64, y: Float64) -> tuple[Float64, Float64, Float64]:
    """Return a, d and R² of the best a·shape + d, row by row; NaN where shape is not finite."""
    with np.errstate(all="ignore"):
        middle, mean = shape.mean(axis=1), y.mean(axis=1)
        centred, rest = shape - middle[:, None], y - mean[:, None]
        total = np.square(rest).sum(axis=1)
        a = (centred * rest).sum(axis=1) / np.square(centred).sum(axis=1)
        left = np.square(rest - a[:, None] * centred).sum(axis=1)
        return a, mean - a * middle, 1 - left / total


def _holds(part: _Part, rows: Int64, found: SymbolicFits, spread: Float64) -> Float64:
    """Return the interval about the median input where the best form is near φ."""
    numbers = part.numbers[rows]
    x, y = part.drawn[rows], part.shown[rows]
    form_at = np.full_like(y, np.nan)
    for k in np.unique(found.form[numbers, 0]):
        if k < 0:
            continue
        mine = np.flatnonzero(found.form[numbers, 0] == k)
        a, b, c, d = (found.parameters[numbers[mine], 0, p][:, None] for p in range(4))
        with np.errstate(all="ignore"):
            form_at[mine] = a * found.forms[k](b * x[mine] + c) + d
    # What a float32 cannot tell apart is the same.
    size = np.abs(part.y[rows]).max(axis=1)
    room = np.maximum(TOLERANCE * spread[rows], _FLAT * size)[:, None]
    with np.errstate(all="ignore"):
        near = np.abs(form_at - y) <= room
    begins, ends = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    for row, (points, good, middle) in enumerate(zip(x, near, part.middle[rows], strict=True)):
        at = int(np.abs(points - middle).argmin())
        if not good[at]:
            continue
        left, right = np.flatnonzero(~good[:at]), np.flatnonzero(~good[at:])
        begins[row] = points[left[-1] + 1 if len(left) else 0]
        ends[row] = points[at + right[0] - 1 if len(right) else -1]
    return np.stack([begins, ends], axis=1)
