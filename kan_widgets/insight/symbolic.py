"""Symbolic forms of functions: a·f(b·x + c) + d for each φ of a layer, with what to trust."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.form_search import (
    POINTS,
    Sampled,
    best_starts,
    line_through,
    penalised,
    place_jumps,
    redrawn,
    refine,
    sampled_functions,
)
from kan_widgets.insight.forms import CONSTANT, FORMS, Form, chosen_forms
from kan_widgets.insight.kernels import Observed, check_observed, images_of
from kan_widgets.insight.progress import Progress, progress_line
from kan_widgets.insight.symbolic_fits import LEAST, SymbolicFits
from kan_widgets.insight.tables import Float64, Int64, place_in
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
    chosen = np.arange(layer.n_functions)
    if only is not None:
        place = place_in(layer.name or layer.type, layer.shape, only)
        chosen = np.array([np.ravel_multi_index(place, layer.shape)])
    beside = [network.of(layer) for network in untrained]
    halves = _halves(images_of(observed))
    tried = chosen[_evenly(len(chosen), _TRIED)]
    some = _evenly(layer.n_functions, max(1, _TRIED // max(1, len(beside))))
    total = len(chosen) + len(halves) * len(tried) + len(beside) * len(some)
    tell = progress or (progress_line("symbolic forms") if len(chosen) > _MANY else None)
    done = 0

    def fitted(
        layer: LayerFunctions, seen: Observed, numbers: Int64, rows: Any = slice(None)
    ) -> SymbolicFits:
        nonlocal done
        x, images = check_observed(layer, seen)[rows], images_of(seen)[rows]
        found = _nothing(layer, (*library, CONSTANT), penalty, least, keep, seen)
        for count, part in sampled_functions(layer, numbers, x, images):
            _search(part, found)
            done += count
            if tell is not None:
                tell(done, total)
        return found

    found = fitted(layer, observed, chosen)
    if beside:
        theirs = [fitted(*own, some) for own in beside]
        names = np.concatenate([fits.named()[some] for fits in theirs])
        r2 = np.concatenate([fits.r2[some, 0] for fits in theirs])
        found = replace(found, untrained=(names, r2))
    if halves:
        one, other = (fitted(layer, observed, tried, half).named()[tried] for half in halves)
        moving = (found.form[tried, 0] >= 0) & (found.form[tried, 0] < len(library))
        found.agrees[tried] = np.where(moving, one == other, np.nan)
    return found


def _evenly(count: int, most: int) -> Int64:
    """Return numbers from 0 to count − 1, evenly, as many as there may be."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def _halves(images: Int64) -> list[Int64]:
    """Return the inputs of two halves of the images, drawn at random; nothing of one image."""
    known, number = np.unique(images, return_inverse=True)
    if len(known) < 2:
        return []
    first = np.zeros(len(known), dtype=bool)
    first[np.random.default_rng(0).permutation(len(known))[: len(known) // 2]] = True
    return [np.flatnonzero(first[number]), np.flatnonzero(~first[number])]


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
        layer=layer.name or layer.type,
        shape=layer.shape,
        forms=forms,
        penalty=penalty,
        least=least,
        samples=int(observed.samples),
        patches=len(observed.patches),
        form=np.full((count, keep), -1),
        parameters=np.full((count, keep, 4), np.nan),
        r2=np.full((count, keep), np.nan),
        error=np.full((count, keep), np.nan),
        tied=np.zeros((count, keep), dtype=bool),
        agrees=np.full(count, np.nan),
        score=np.full((count, keep), np.nan),
        observed=np.full((count, 2), np.nan),
        holds=np.full((count, 2), np.nan),
    )


def _search(part: Sampled, found: SymbolicFits) -> None:
    """Fill in the forms of some functions."""
    if not len(part.numbers):
        return
    spread = part.y.std(axis=1)
    flat = (part.high <= part.low) | (spread <= _FLAT * np.abs(part.y).max(axis=1))
    still = part.numbers[flat]
    found.form[still, 0] = len(found.forms) - 1
    found.parameters[still, 0] = 0.0, 1.0, 0.0, 0.0
    found.parameters[still, 0, 3] = part.y[flat].mean(axis=1)
    if not flat.all():
        _fit(part.some(np.flatnonzero(~flat)), found)
    found.observed[part.numbers] = np.stack([part.low, part.high], axis=1)
    found.holds[part.numbers] = _holds(part, found, spread)


def _fit(part: Sampled, found: SymbolicFits) -> None:
    """Fill in the forms of functions that move."""
    library = found.forms[:-1]
    tried = [best_starts(part, form) for form in library]
    rough = np.stack(
        [
            np.where(r2 < 0, np.inf, penalised(r2, form, found.penalty))
            for (r2, _, _), form in zip(tried, library, strict=True)
        ],
        axis=1,
    )
    most = min(len(library), found.form.shape[1] + _MORE)
    promising = np.argpartition(rough, most - 1, axis=1)[:, :most]
    score, r2 = np.full(rough.shape, np.inf), np.full(rough.shape, np.nan)
    parameters = np.full((*rough.shape, 4), np.nan)
    for k, form in enumerate(library):
        rows = np.flatnonzero((promising == k).any(axis=1) & np.isfinite(rough[:, k]))
        if not len(rows):
            continue
        mine, (_, b, c) = part.some(rows), tried[k]
        b, c = refine(mine, form, b[rows], c[rows])
        if form.jumps:
            c = place_jumps(mine, form, b, c)
        scale = 2 * b / (mine.high - mine.low)
        b, c = form.tidied(scale, c - scale * (mine.high + mine.low) / 2)
        a, d, explained = line_through(form(b[:, None] * mine.x + c[:, None]), mine.y)
        usable = np.isfinite(explained)
        score[rows, k] = np.where(usable, penalised(explained, form, found.penalty), np.inf)
        r2[rows, k] = explained
        parameters[rows, k] = np.stack([a, b, c, d], axis=1)
    _rank(part, found, score, r2, parameters, most)


def _rank(
    part: Sampled,
    found: SymbolicFits,
    score: Float64,
    r2: Float64,
    parameters: Float64,
    most: int,
) -> None:
    """Fill in the best forms: the chosen one, then by score, with their doubt.

    Chosen is the simplest of those whose score is within one standard error of the lowest; of
    equally simple ones, that of the lowest score.
    """
    order = np.argsort(score, axis=1, kind="stable")[:, :most]
    score, r2 = (np.take_along_axis(of, order, axis=1) for of in (score, r2))
    parameters = np.take_along_axis(parameters, order[..., None], axis=1)
    x = np.linspace(part.low, part.high, POINTS, axis=1)
    shapes = np.full((*order.shape, POINTS), np.nan)
    for k in np.unique(order):
        rows, ranks = np.nonzero(order == k)
        _, b, c, _ = parameters[rows, ranks].T[..., None]
        shapes[rows, ranks] = found.forms[k](b * x[rows] + c)
    drawn_r2, drawn_score = redrawn(part, shapes)

    def within(first: Int64, errors: float) -> Any:
        """Say which scores are at most so many standard errors above that of one form each."""
        own = np.take_along_axis(drawn_score, first[:, None, None], axis=1)
        room = np.nan_to_num((drawn_score - own).std(axis=2))
        above = score - np.take_along_axis(score, first[:, None], axis=1)
        return np.isfinite(score) & (above <= errors * room)

    complexity = np.array([form.complexity for form in found.forms])[order]
    simple = np.where(within(score.argmin(axis=1), 1.0), complexity, np.inf)
    simplest = simple == simple.min(axis=1, keepdims=True)
    first = np.where(simplest, score, np.inf).argmin(axis=1)
    tied = within(first, 2.0)
    np.put_along_axis(tied, first[:, None], False, axis=1)
    ranks = np.arange(most)[None, :]
    ranks = np.argsort(np.where(ranks == first[:, None], -1, ranks), axis=1, kind="stable")
    ranks = ranks[:, : found.form.shape[1]]
    known = np.isfinite(np.take_along_axis(score, ranks, axis=1))

    def kept(of: Any, otherwise: float = np.nan) -> Any:
        return np.where(known, np.take_along_axis(of, ranks, axis=1), otherwise)

    at = part.numbers
    found.form[at], found.tied[at] = kept(order, -1), kept(tied, False)
    found.score[at], found.r2[at] = kept(score), kept(r2)
    found.error[at] = kept(drawn_r2.std(axis=2))
    for p in range(4):
        found.parameters[at, :, p] = kept(parameters[..., p])


def _holds(part: Sampled, found: SymbolicFits, spread: Float64) -> Float64:
    """Return the interval about the median input where the best form is near φ, ``(F, 2)``."""
    form, x = found.form[part.numbers, 0], part.drawn
    form_at = np.full_like(x, np.nan)
    for k in np.unique(form[form >= 0]):
        mine = np.flatnonzero(form == k)
        a, b, c, d = found.parameters[part.numbers[mine], 0].T[..., None]
        with np.errstate(all="ignore"):
            form_at[mine] = a * found.forms[k](b * x[mine] + c) + d
    # What a float32 cannot tell apart is the same.
    size = np.abs(part.y).max(axis=1)
    room = np.maximum(TOLERANCE * spread, _FLAT * size)[:, None]
    with np.errstate(all="ignore"):
        near = np.abs(form_at - part.shown) <= room
    held = np.full((len(x), 2), np.nan)
    for row, (points, good, middle) in enumerate(zip(x, near, part.middle, strict=True)):
        at = int(np.abs(points - middle).argmin())
        if good[at]:
            left, right = np.flatnonzero(~good[:at]), np.flatnonzero(~good[at:])
            held[row, 0] = points[left[-1] + 1 if len(left) else 0]
            held[row, 1] = points[at + right[0] - 1 if len(right) else -1]
    return held
