"""Symbolic forms of functions: a·f(b·x + c) + d for each φ of a layer, with what to trust."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.forms import CONSTANT, FORMS, Form, chosen_forms
from kan_widgets.insight.kernels import Observed, check_observed, exact_beta, images_of
from kan_widgets.insight.progress import Progress, progress_line
from kan_widgets.insight.symbolic_fits import LEAST, SymbolicFit, SymbolicFits
from kan_widgets.insight.tables import Float64, Int64, columns_of, place_in
from kan_widgets.insight.untrained import Untrained

PENALTY = 0.5
"""Two units of complexity must halve the variance that is left unexplained."""
TOLERANCE = 0.1
"""Where \\|φ − form\\| is at most this share of φ's standard deviation, the form holds."""
FLOOR = 1e-5
"""Share of the variance below which a form is as good as exact: functions are splines."""
_MANY = 1_000
# Functions of untrained networks, together.
_TRIED = 2_048
# Forms that are improved beyond their best start, besides those that are kept.
_MORE = 3
_FLAT = 2e-6
# Inputs, even by rank, that starts are tried and forms are improved at; points for where one holds.
_STARTS, _IMPROVED, _DRAWN = 129, 512, 257
# Places about a start that are tried for a jump, as far as the next start.
_JUMPS = np.linspace(-1, 1, 65) / 64


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

    Each form is tried from a grid of (b, c), with the best a and d at once, at 129 of the observed
    inputs, even by rank; the most promising are improved by least squares, at 512. Then a, d and R²
    are taken at all inputs. The forms are ranked by log2(1 − R² + 1e-5) + ``penalty``·complexity,
    the complexity being how many of a, b, c, d a form has free. At penalty 0.5, two more parameters
    must halve what is left unexplained; where less than 1e-5 is left, forms are about equally good.

    Near ties are common, above all on a narrow range of inputs. Of forms that are within one
    standard error of the best the simplest comes first, and near ties are marked. A form whose R²
    is below ``least`` does not fit: it is kept as the best there is, and counted as none.

    Only what was observed counts: a form says nothing about inputs that did not occur. Nor does it
    say that training made it: nearly every function that was never trained is like some form as
    well, such as SiLU. With ``untrained``, `SymbolicFits.beyond_chance` says of which functions
    chance would hardly have made form and fit.

    A function takes about a hundredth of a second.

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
        Told how many functions are done; by default a bar where there are more than 1,000.

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
    chosen = np.arange(layer.n_functions)
    if only is not None:
        place = place_in(layer.name or layer.type, layer.shape, only)
        chosen = np.array([np.ravel_multi_index(place, layer.shape)])
    beside = [network.of(layer) for network in untrained]
    each = min(layer.n_functions, max(1, _TRIED // max(1, len(beside))))
    some = np.linspace(0, layer.n_functions - 1, each).round().astype(np.int64)
    total, done = len(chosen) + len(beside) * len(some), 0
    tell = progress or (progress_line("symbolic forms") if total > _MANY else None)

    def fitted(
        layer: LayerFunctions, seen: Observed, numbers: Int64
    ) -> dict[int, list[SymbolicFit]]:
        nonlocal done
        found = {}
        for number, curve in _curves(layer, seen, numbers):
            found[number] = _ranked(curve, layer, number, library, penalty, least, keep, seen)
            done += 1
            if tell is not None:
                tell(done, total)
        return found

    found = fitted(layer, observed, chosen)
    theirs = [one for own in beside for one in fitted(*own, some).values()]
    fits = SymbolicFits(
        layer=layer.name or layer.type,
        shape=layer.shape,
        forms=(*library, CONSTANT),
        penalty=penalty,
        least=least,
        samples=int(observed.samples),
        patches=len(observed.patches),
        found=found,
        untrained=tuple(one[0] if one else None for one in theirs) if beside else None,
    )
    for number, ranks in found.items() if beside else ():
        found[number] = [replace(fit, untrained=fits.share_of_untrained(fit)) for fit in ranks]
    return fits


class _Inputs:
    """The inputs of one entry, and the shapes that the starts of each form have at them."""

    def __init__(self, x: Float64, images: Int64) -> None:
        self.x = x
        _, self.images = np.unique(images, return_inverse=True)
        self.low, self.high = float(x.min()), float(x.max())
        order = np.argsort(x, kind="stable")
        self.starts, self.improved = (
            order[np.linspace(0, len(x) - 1, min(most, len(x))).round().astype(np.int64)]
            for most in (_STARTS, _IMPROVED)
        )
        self._shapes: dict[Form, tuple[Float64, Float64]] = {}

    def scaled(self, places: Int64) -> Float64:
        """Return some of the inputs, from −1 to 1."""
        found: Float64 = 2 * (self.x[places] - self.low) / (self.high - self.low) - 1
        return found

    def shapes(self, form: Form) -> tuple[Float64, Float64]:
        """Return the pairs (b, c) that can be tried, and f there with mean 0 and variance 1."""
        if form not in self._shapes:
            b, c = form.starts.T[..., None]
            shapes = form(b * self.scaled(self.starts) + c)
            with np.errstate(all="ignore"):
                shapes = shapes - shapes.mean(axis=1, keepdims=True)
                size = np.sqrt(np.square(shapes).mean(axis=1))
                # Beyond these, sums of squares are nothing but rounding.
                usable = (size > 1e-5) & (np.abs(shapes).max(axis=1) < 1e12)
            self._shapes[form] = form.starts[usable], shapes[usable] / size[usable, None]
        return self._shapes[form]


@dataclass(frozen=True, eq=False)
class _Curve:
    """One function at its inputs, and drawn over grid, support and inputs."""

    inputs: _Inputs
    y: Float64
    drawn: Float64
    shown: Float64


def _curves(
    layer: LayerFunctions, observed: Observed, numbers: Int64
) -> Iterator[tuple[int, _Curve]]:
    """Yield functions by their numbers, those of the same inputs one after the other."""
    x, images = check_observed(layer, observed), images_of(observed)
    columns = columns_of(layer.shape, layer.conv.groups if layer.conv is not None else 1)
    index = layer.basis_index
    bases = np.zeros(len(columns), np.int64) if index is None else index.cpu().numpy().ravel()
    coefficients = layer.coefficients.detach().cpu().double().numpy().reshape(len(columns), -1)
    for column in np.unique(columns[numbers]):
        inputs = _Inputs(x[:, column], images)
        known: dict[int, tuple[Float64, Float64]] = {}
        for number in numbers[columns[numbers] == column].tolist():
            key = int(bases[number])
            if key not in known:
                basis = layer.bases[key]
                ends = [*basis.domain, *basis.extent, inputs.low, inputs.high]
                drawn = np.linspace(min(ends), max(ends), _DRAWN)
                known[key] = drawn, exact_beta(basis, np.concatenate([inputs.x, drawn]))
            drawn, beta = known[key]
            values = beta @ coefficients[number]
            yield number, _Curve(inputs, values[: len(x)], drawn, values[len(x) :])


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A form with its numbers, and how far each image moves R² by being there, to first order."""

    form: Form
    numbers: tuple[float, float, float, float]
    r2: float
    score: float
    moves: Float64


def _ranked(
    curve: _Curve,
    layer: LayerFunctions,
    number: int,
    library: Sequence[Form],
    penalty: float,
    least: float,
    keep: int,
    observed: Observed,
) -> list[SymbolicFit]:
    """Return the best forms of a function: the chosen one, then by score, with their doubt.

    Chosen is the simplest of those whose score is within one standard error of the lowest; of
    equally simple ones, that of the lowest score. None where the function is not finite.
    """
    if not np.isfinite(curve.y).all():
        return []
    inputs, y = curve.inputs, curve.y
    constant = inputs.high <= inputs.low or y.std() <= _FLAT * np.abs(y).max()
    if constant:
        numbers = 0.0, 1.0, 0.0, float(y.mean())
        found = [_Candidate(CONSTANT, numbers, math.nan, math.nan, np.full(1, math.nan))]
        tied = [False]
    else:
        found, tied = _ordered(_candidates(curve, library, penalty, keep))
    out, in_, row, column = (int(i) for i in np.unravel_index(number, layer.shape))
    return [
        SymbolicFit(
            layer.name or layer.type,
            (out, in_, row, column),
            one.form,
            *one.numbers,
            one.r2,
            _deviation(one.moves),
            is_tied,
            not one.r2 < least,
            one.score,
            inputs.low,
            inputs.high,
            None if rank else _holds(curve, one),
            int(observed.samples),
            len(y),
        )
        for rank, (one, is_tied) in enumerate(zip(found[:keep], tied, strict=False))
    ]


def _candidates(
    curve: _Curve, library: Sequence[Form], penalty: float, keep: int
) -> list[_Candidate]:
    """Return the most promising forms, improved."""
    inputs = curve.inputs
    y = curve.y[inputs.starts] - curve.y[inputs.starts].mean()
    tried = []
    for form in library:
        pairs, shapes = inputs.shapes(form)
        if len(pairs):
            r2 = np.square(shapes @ y) / max(len(y) * np.square(y).sum(), 1e-300)
            best = int(r2.argmax())
            tried.append((_score(r2[best], form, penalty), form, pairs[best]))
    tried.sort(key=lambda one: one[0])
    found = []
    for _, form, pair in tried[: keep + _MORE]:
        at = np.arange(len(curve.y)) if form.jumps else inputs.improved
        b, c = _improved(form, inputs.scaled(at), curve.y[at], pair)
        scale = 2 * b / (inputs.high - inputs.low)
        b, c = form.tidied(scale, c - scale * (inputs.high + inputs.low) / 2)
        shape = form(b * inputs.x + c)
        if not np.isfinite(shape).all():
            continue
        a, left = _best_line(shape, curve.y)
        varies = np.square(curve.y - curve.y.mean())
        share = left @ left / varies.sum()
        influence = (share * varies - np.square(left)) / varies.sum()
        moves = np.bincount(inputs.images, influence).astype(np.float64)
        numbers = float(a), float(b), float(c), float(curve.y.mean() - a * shape.mean())
        score = _score(1 - share, form, penalty)
        found.append(_Candidate(form, numbers, float(1 - share), score, moves))
    return sorted(found, key=lambda one: one.score)


def _score(r2: float, form: Form, penalty: float) -> float:
    """Return log2 of the variance unexplained, plus ``penalty`` for each unit of complexity."""
    return math.log2(max(1 - r2, 0.0) + FLOOR) + penalty * form.complexity


def _best_line(shape: Float64, y: Float64) -> tuple[float, Float64]:
    """Return the a of the best a·shape + d, and what it leaves of y."""
    centred, rest = shape - shape.mean(), y - y.mean()
    with np.errstate(all="ignore"):
        a = float(centred @ rest / (centred @ centred))
        return a, rest - a * centred


def _improved(form: Form, t: Float64, y: Float64, start: Float64) -> tuple[Any, Any]:
    """Return b and c that fit better than a start; a and d are the best ones everywhere."""

    def left(place: Float64) -> Float64:
        rest = _best_line(form(place[0] * t + place[1]), y)[1]
        return rest if np.isfinite(rest).all() else np.full(len(y), 1e3 * np.abs(y).max())

    if form.jumps:
        moved = start + np.stack([0 * _JUMPS, start[0] * _JUMPS], axis=1)
        return tuple(moved[np.argmin([np.square(left(place)).sum() for place in moved])])
    free = np.array([form.scale, form.shift])
    if not free.any() or len(y) < 2:
        return tuple(start)

    def at(part: Float64) -> Float64:
        place: Float64 = start.copy()
        place[free] = part
        return place

    from scipy.optimize import least_squares  # type: ignore[import-untyped]

    found = least_squares(lambda part: left(at(part)), start[free], method="lm", max_nfev=200)
    return tuple(at(found.x))


def _deviation(moves: Float64) -> float:
    """Return the standard deviation of a sum over images, if others were drawn."""
    count = len(moves)
    return float(np.sqrt(np.square(moves).sum() * count / (count - 1))) if count > 1 else math.nan


def _ordered(found: list[_Candidate]) -> tuple[list[_Candidate], list[bool]]:
    """Put the chosen form first, and say which are near ties with it."""

    def within(other: _Candidate, first: _Candidate, errors: float) -> bool:
        """Say whether a score is at most so many standard errors above that of another form."""
        own, its = (one.moves / ((1 - one.r2 + FLOOR) * math.log(2)) for one in (other, first))
        room = np.nan_to_num(_deviation(own - its))
        return bool(other.score - first.score <= errors * room)

    if not found:
        return [], []
    lowest = found[0]
    near = [one for one in found if within(one, lowest, 1.0)]
    first = min(near, key=lambda one: (one.form.complexity, one.score))
    rest = [one for one in found if one is not first]
    return [first, *rest], [False, *(within(one, first, 2.0) for one in rest)]


def _holds(curve: _Curve, best: _Candidate) -> tuple[float, float] | None:
    """Return the interval about the median input where a form is near φ; ``None`` if nowhere."""
    a, b, c, d = best.numbers
    # What a float32 cannot tell apart is the same.
    room = max(TOLERANCE * curve.y.std(), _FLAT * np.abs(curve.y).max())
    with np.errstate(all="ignore"):
        far = ~(np.abs(a * best.form(b * curve.drawn + c) + d - curve.shown) <= room)
    at = int(np.abs(curve.drawn - np.median(curve.inputs.x)).argmin())
    if far[at]:
        return None
    left, right = np.flatnonzero(far[:at]), np.flatnonzero(far[at:])
    begin = left[-1] + 1 if len(left) else 0
    end = at + right[0] - 1 if len(right) else -1
    return float(curve.drawn[begin]), float(curve.drawn[end])
