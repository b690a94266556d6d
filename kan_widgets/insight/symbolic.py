"""Symbolic forms of functions: a·f(b·x + c) + d for each φ of a layer, with what to trust."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.form_doubt import blocks_of, halves_of, redraw
from kan_widgets.insight.form_parts import Part, batches, sample
from kan_widgets.insight.form_search import (
    POINTS,
    Problem,
    best_starts,
    penalised,
    refine,
)
from kan_widgets.insight.forms import CONSTANT, FORMS, Form, chosen_forms
from kan_widgets.insight.kernels import Observed, check_observed, images_of
from kan_widgets.insight.progress import Progress, progress_line
from kan_widgets.insight.symbolic_fits import LEAST, SymbolicFits
from kan_widgets.insight.tables import Float64, Int64
from kan_widgets.insight.untrained import Untrained

PENALTY = 0.5
"""Two units of complexity must halve the variance that is left unexplained."""
TOLERANCE = 0.1
"""Where \\|φ − form\\| is at most this share of φ's standard deviation, the form holds."""
_MANY = 10_000
# Functions that two halves of the images are asked of, and of untrained networks.
_TRIED = 2_048
# Forms that are improved beyond their best start, besides those that are kept.
_MORE = 3
# Places that are tried for a jump, between the even points beside it.
_JUMPS = 17
_FLAT = 2e-6


def symbolic(
    layer: LayerFunctions,
    observed: Observed | None,
    *,
    forms: Iterable[Form | str] = FORMS,
    penalty: float = PENALTY,
    least: float = LEAST,
    keep: int = 3,
    only: Sequence[int] | None = None,
    untrained: Sequence[Untrained] = (),
    progress: Progress | None = None,
) -> SymbolicFits:
    """Find the forms a·f(b·x + c) + d that every function of a layer is most like.

    Each form is tried from a grid of (b, c), with the best a and d at once, on the density of the
    observed inputs at 129 even points from the least to the largest; the most promising are
    improved by Gauss-Newton steps. Then a, d and R² are taken at the inputs themselves. The forms
    are ranked by log2(1 − R² + 1e-5) + ``penalty``·complexity, the complexity being how many of a,
    b, c, d a form has free. At penalty 0.5, two more parameters must halve what is left
    unexplained; where less than 1e-5 is left, forms are about equally good.

    Near ties are common, above all on a narrow range of inputs. Of forms that are within one
    standard error of the best the simplest comes first, near ties are marked, and the images are
    parted in two halves that are searched anew: where they name different forms, neither is to be
    relied on; see `SymbolicFits.agreement`. A form whose R² is below ``least``
    does not fit: it is kept as the best there is, and counted as none.

    Only what was observed counts: a form says nothing about inputs that did not occur. Nor does it
    say that training made it: nearly every function that was never trained is like some form as
    well, such as SiLU. With ``untrained``, `SymbolicFits.beyond_chance` says of which functions
    chance would hardly have made form and fit.

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
    least
        R² below which no form fits, 0 to 1.
    keep
        How many forms are kept for each function.
    only
        (out, in, row, column) of one function, to look at that one alone.
    untrained
        Networks that were initialised as this one was, from ``untrained_networks(make, observe)``:
        up to 2,048 of their functions get names too, for comparison.
    progress
        Told how many functions are done; by default a bar where there are more than 10,000.

    Raises
    ------
    TypeError
        If nothing observed, or something other than forms, is given.
    ValueError
        If what was observed does not fit the layer, another value is out of range, or an untrained
        network is another one.
    IndexError
        If there is no such function.

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
    check_observed(layer, observed)
    assert observed is not None
    library = chosen_forms(forms)
    if not penalty >= 0 or not math.isfinite(penalty):
        raise ValueError(f"penalty: expected a number ≥ 0, got {penalty!r}")
    if not 0 <= least <= 1:
        raise ValueError(f"least: expected an R² from 0 to 1, got {least!r}")
    if keep < 1:
        raise ValueError(f"keep: expected a whole number ≥ 1, got {keep!r}")
    keep = min(keep, len(library))
    chosen = np.arange(layer.n_functions) if only is None else _number(layer, only)
    count = len(chosen)
    beside = [network.of(layer) for network in untrained]
    tell = progress or (progress_line("symbolic forms") if count > _MANY else None)
    told = _Told(0)

    def fitted(
        layer: LayerFunctions, seen: Observed, numbers: Int64, rows: Int64 | None = None
    ) -> SymbolicFits:
        x, block_of = check_observed(layer, seen), images_of(seen)
        if rows is not None:
            x, block_of = x[rows], block_of[rows]
        found = _nothing(layer, (*library, CONSTANT), penalty, least, keep, seen)
        block = blocks_of(block_of)
        for groups in batches(layer, numbers):
            part = sample(groups, layer, x, block)
            if len(part.numbers):
                _search(part, found, library)
            told.done += sum(len(group.numbers) for group in groups)
            if tell is not None:
                tell(told.done, told.of)
        return found

    halves = halves_of(images_of(observed))
    tried = chosen[_evenly(count, _TRIED)]
    some = _evenly(layer.n_functions, max(1, _TRIED // max(1, len(beside))))
    told.of = count + (0 if halves is None else 2 * len(tried)) + len(beside) * len(some)
    found = fitted(layer, observed, chosen)
    if beside:
        theirs = [fitted(*own, some) for own in beside]
        names = np.concatenate([fits.named()[some] for fits in theirs])
        r2 = np.concatenate([fits.r2[some, 0] for fits in theirs])
        found = replace(found, untrained=(names, r2))
    if halves is not None:
        one, other = (fitted(layer, observed, tried, half).named()[tried] for half in halves)
        moving = (found.form[tried, 0] >= 0) & (found.form[tried, 0] < len(library))
        found.agrees[tried] = np.where(moving, one == other, np.nan)
    return found


def _evenly(count: int, most: int) -> Int64:
    """Return numbers from 0 to count − 1, evenly, as many as there may be."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def _number(layer: LayerFunctions, index: Sequence[int]) -> Int64:
    """Return the number of one function among those of its layer, ``(1,)``."""
    place = tuple(int(i) for i in index)
    place = (*place, 0, 0) if len(place) == 2 and layer.shape[2:] == (1, 1) else place
    inside = len(place) == 4 and all(0 <= i < n for i, n in zip(place, layer.shape, strict=True))
    if not inside:
        sizes = " × ".join(map(str, layer.shape))
        raise IndexError(f"only={tuple(index)}: {layer.name} has {sizes} functions")
    return np.array([np.ravel_multi_index(place, layer.shape)])


@dataclass(eq=False)
class _Told:
    """How many functions are done, of how many, those of the halves counted as well."""

    of: int
    done: int = 0


def _nothing(
    layer: LayerFunctions,
    forms: tuple[Form, ...],
    penalty: float,
    least: float,
    keep: int,
    observed: Observed,
) -> SymbolicFits:
    """Return a table to be filled in."""
    count = layer.n_functions
    return SymbolicFits(
        layer.name or layer.type,
        layer.shape,
        forms,
        penalty,
        least,
        int(observed.samples),
        len(observed.patches),
        np.full((count, keep), -1),
        np.full((count, keep, 4), np.nan),
        np.full((count, keep), np.nan),
        np.full((count, keep), np.nan),
        np.zeros((count, keep), dtype=bool),
        np.full(count, np.nan),
        np.full((count, keep), np.nan),
        np.full((count, 2), np.nan),
        np.full((count, 2), np.nan),
    )


def _search(part: Part, found: SymbolicFits, library: tuple[Form, ...]) -> None:
    """Fill in the forms of some functions."""
    numbers, penalty, keep = part.numbers, found.penalty, found.form.shape[1]
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
    _rank(part, found, library, moving, (score, r2, parameters), most)
    found.holds[numbers[moving]] = _holds(part, moving, found, spread)


def _rank(
    part: Part,
    found: SymbolicFits,
    library: tuple[Form, ...],
    moving: Int64,
    fitted: tuple[Float64, Float64, Float64],
    most: int,
) -> None:
    """Fill in the forms of functions that move: the chosen one, then by score, with their doubt."""
    order = np.argsort(fitted[0], axis=1, kind="stable")[:, :most]
    score, r2 = (np.take_along_axis(of, order, axis=1) for of in fitted[:2])
    parameters = np.take_along_axis(fitted[2], order[..., None], axis=1)
    x = np.linspace(part.low[moving], part.high[moving], POINTS, axis=1)

    def shapes(rank: int) -> Float64:
        shape = np.full_like(x, np.nan)
        for k in np.unique(order[:, rank]):
            rows = np.flatnonzero(order[:, rank] == k)
            b, c = (parameters[rows, rank, p][:, None] for p in (1, 2))
            shape[rows] = library[k](b * x[rows] + c)
        return shape

    redrawn = redraw(
        part.blocks, part.problem.group[moving], part.problem.values[moving], shapes, most
    )
    complexity = np.array([form.complexity for form in library])[order]
    first = redrawn.chosen(score, complexity)
    known = np.isfinite(score)
    ranks = np.arange(most)[None, :]
    ranks = np.argsort(np.where(ranks == first[:, None], -1, ranks), axis=1, kind="stable")
    ranks = ranks[:, : found.form.shape[1]]
    at = part.numbers[moving]

    def kept(of: Float64 | Int64) -> Any:
        return np.where(
            np.take_along_axis(known, ranks, axis=1), np.take_along_axis(of, ranks, axis=1), np.nan
        )

    found.form[at] = np.where(np.isnan(kept(score)), -1, np.take_along_axis(order, ranks, axis=1))
    found.score[at], found.r2[at] = kept(score), kept(r2)
    found.error[at] = kept(redrawn.error)
    found.tied[at] = np.take_along_axis(redrawn.tied(score, first), ranks, axis=1)
    for p in range(4):
        found.parameters[at, :, p] = kept(parameters[..., p])


def _place_jumps(part: Part, form: Form, rows: Int64, b: Float64, c: Float64) -> Float64:
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


def _holds(part: Part, rows: Int64, found: SymbolicFits, spread: Float64) -> Float64:
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
