"""Symbolic forms of functions: a·f(b·x + c) + d for each φ of a layer, with what to trust."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from kan_widgets.arrays import Float64, Int64
from kan_widgets.checks import check_number
from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.formulas.forms import CONSTANT, FORMS, Form, chosen_forms
from kan_widgets.insight.formulas.symbolic_fits import SymbolicFit, SymbolicFits
from kan_widgets.insight.kernels import Observed, check_observed, images_of, values_of
from kan_widgets.insight.sampled_layer import EPSILON
from kan_widgets.live.frames.frame import place_in_layer
from kan_widgets.printed import progress

# Two units of complexity must halve the variance that is left unexplained.
PENALTY = 0.5
# Share of the variance below which a form is as good as exact: functions are splines.
FLOOR = 1e-5
# Forms that are improved beyond their best start, besides those that are kept.
_EXTRA_FORMS = 3
# Inputs, even by rank, that starts are tried and forms are improved at.
_START_POINTS, _FIT_POINTS = 129, 512


def symbolic(
    layer: LayerFunctions,
    observed: Observed | None,
    *,
    forms: Iterable[Form | str] = FORMS,
    penalty: float = PENALTY,
    keep: int = 3,
    only: Sequence[int] | None = None,
) -> SymbolicFits:
    """Find the forms a·f(b·x + c) + d that every function of a layer is most like.

    Each form is tried from a grid of (b, c), at 129 of the observed inputs, even by rank; the most
    promising are improved by least squares, at 512. Then a, d and R² are taken at all inputs. The
    forms are ranked by log2(1 − R² + 1e-5) + ``penalty``·complexity, the complexity being how many
    of a, b, c, d a form has free. At penalty 0.5, two more parameters must halve what is left
    unexplained.

    Near ties are common: they are marked, and of forms that are within one standard error of the
    best the simplest comes first. A form whose R² is below 0.9 does not fit: it is kept as the best
    there is, and counted as none.

    A form says nothing about inputs that did not occur, nor that training made it: nearly every
    function of an untrained network is like some form as well, such as SiLU; `untrained_networks`
    makes some to count. A function takes about a hundredth of a second.

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
    only
        (out, in, row, column) of one function, to look at that one alone.

    Raises
    ------
    TypeError
        If nothing observed, or something other than forms, is given.
    ValueError
        If what was observed does not fit the layer, or another value is out of range.
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
    x = check_observed(layer, observed)
    assert observed is not None
    library = chosen_forms(forms)
    check_number("penalty", penalty)
    if keep < 1:
        raise ValueError(f"keep={keep!r}: expected a whole number ≥ 1")
    chosen = np.arange(layer.n_functions)
    if only is not None:
        place = place_in_layer(layer.name or layer.type, layer.shape, only)
        chosen = np.array([np.ravel_multi_index(place, layer.shape)])
    name, samples = layer.name or layer.type, int(observed.samples)
    fits = SymbolicFits(name, layer.shape, penalty, samples, len(x), {})
    curves = _curves(layer, x, images_of(observed), chosen)
    for _, (number, inputs, y) in zip(progress(chosen, "symbolic forms"), curves, strict=True):
        fits.found[number] = _ranked(inputs, y, number, fits, library, keep)
    return fits


class _Inputs:
    """The inputs of one entry, and the shapes that the starts of each form have at them."""

    def __init__(self, x: Float64, images: Int64) -> None:
        self.x = x
        _, self.images = np.unique(images, return_inverse=True)
        self.low, self.high = float(x.min()), float(x.max())
        with np.errstate(all="ignore"):
            # From −1 to 1.
            self.scaled = 2 * (x - self.low) / (self.high - self.low) - 1
        order = np.argsort(x, kind="stable")
        self.starts, self.improved = (
            order[np.linspace(0, len(x) - 1, min(most, len(x))).round().astype(np.int64)]
            for most in (_START_POINTS, _FIT_POINTS)
        )
        self._shapes: dict[Form, tuple[Float64, Float64]] = {}

    def shapes(self, form: Form) -> tuple[Float64, Float64]:
        """Return the pairs (b, c) that can be tried, and f there with mean 0 and variance 1."""
        if form not in self._shapes:
            b, c = form.starts.T[..., None]
            shapes = form(b * self.scaled[self.starts] + c)
            with np.errstate(all="ignore"):
                shapes = shapes - shapes.mean(axis=1, keepdims=True)
                size = np.sqrt(np.square(shapes).mean(axis=1))
                # Beyond these, sums of squares are nothing but rounding.
                usable = (size > 1e-5) & (np.abs(shapes).max(axis=1) < 1e12)
            self._shapes[form] = form.starts[usable], shapes[usable] / size[usable, None]
        return self._shapes[form]


def _curves(
    layer: LayerFunctions, x: Float64, images: Int64, chosen: Int64
) -> Iterator[tuple[int, _Inputs, Float64]]:
    """Yield the number of each function, its inputs, and φ at them."""
    last = -1
    for column, numbers, values in values_of(layer, x, chosen):
        if column != last:
            inputs, last = _Inputs(x[:, column], images), column
        for number, y in zip(numbers.tolist(), np.ascontiguousarray(values.T), strict=True):
            yield number, inputs, y


# A form, and how far each image moves its R² by being there, to first order.
_Ranked = tuple[SymbolicFit, Float64]


def _ranked(
    inputs: _Inputs,
    y: Float64,
    number: int,
    fits: SymbolicFits,
    library: Sequence[Form],
    keep: int,
) -> list[SymbolicFit]:
    """Return the best forms of a function, the chosen one first; none where it is not finite."""
    if not np.isfinite(y).all():
        return []
    out, in_, row, column = map(int, np.unravel_index(number, fits.shape))
    fit_of = partial(
        SymbolicFit,
        fits.layer,
        (out, in_, row, column),
        low=inputs.low,
        high=inputs.high,
        samples=fits.samples,
        patches=fits.patches,
    )
    if inputs.high <= inputs.low or y.std() <= EPSILON * np.abs(y).max():
        numbers = 0.0, 1.0, 0.0, float(y.mean()), math.nan, math.nan, math.nan
        return [fit_of(CONSTANT, *numbers)]
    ranked: list[_Ranked] = []
    for form, start in _promising(inputs, y, library, fits.penalty)[: keep + _EXTRA_FORMS]:
        b, c = _improved(form, inputs, y, start)
        shape = form(b * inputs.x + c)
        if not np.isfinite(shape).all():
            continue
        a, rest = _best_line(shape, y)
        d = float(y.mean() - a * shape.mean())
        r2, moves = _r2_and_moves(y, rest, inputs.images)
        score = score_of(1 - r2, form.complexity, fits.penalty)
        ranked.append((fit_of(form, a, b, c, d, r2, _deviation(moves), score), moves))
    return _ordered(ranked)[:keep]


def forms_like(
    x: Float64, y: Float64, library: Sequence[Form], penalty: float, keep: int
) -> list[SymbolicFit]:
    """Return the forms that are most like points (x, y)."""
    fits = SymbolicFits("", (1, 1, 1, 1), penalty, len(x), len(x), {})
    return _ranked(_Inputs(x, np.arange(len(x))), y, 0, fits, library, keep)


def _promising(
    inputs: _Inputs, y: Float64, library: Sequence[Form], penalty: float
) -> list[tuple[Form, Float64]]:
    """Return the forms by the score of their best start, the lowest first, each with that start."""
    y = y[inputs.starts] - y[inputs.starts].mean()
    tried = []
    for form in library:
        pairs, shapes = inputs.shapes(form)
        if len(pairs):
            r2 = np.square(shapes @ y) / max(len(y) * np.square(y).sum(), 1e-300)
            best = int(r2.argmax())
            score = score_of(1 - float(r2[best]), form.complexity, penalty)
            tried.append((score, form, pairs[best]))
    return [(form, start) for _, form, start in sorted(tried, key=lambda one: one[0])]


def score_of(left: float, complexity: int, penalty: float, floor: float = FLOOR) -> float:
    """Return log2 of the variance unexplained, plus ``penalty`` for each unit of complexity."""
    return math.log2(max(left, 0.0) + floor) + penalty * complexity


def _best_line(shape: Float64, y: Float64) -> tuple[float, Float64]:
    """Return the a of the best a·shape + d, and its residual of y."""
    with np.errstate(all="ignore"):
        centred, rest = shape - shape.mean(), y - y.mean()
        a = float(centred @ rest / (centred @ centred))
        return a, rest - a * centred


def _improved(form: Form, inputs: _Inputs, y: Float64, start: Float64) -> tuple[float, float]:
    """Return b and c that fit better than a start; a and d are the best ones everywhere."""
    t, y = inputs.scaled[inputs.improved], y[inputs.improved]
    free = np.array([form.scale, form.shift])

    def place(part: Float64) -> Float64:
        point: Float64 = start.copy()
        point[free] = part
        return point

    def left(part: Float64) -> Float64:
        b, c = place(part)
        rest = _best_line(form(b * t + c), y)[1]
        return rest if np.isfinite(rest).all() else np.full(len(y), 1e3 * np.abs(y).max())

    best = start[free]
    if free.any() and len(y) > 1:
        from scipy.optimize import least_squares  # type: ignore[import-untyped]

        with np.errstate(over="ignore"):
            best = least_squares(left, best, max_nfev=200).x
    b, c = place(best)
    scale = 2 * b / (inputs.high - inputs.low)
    return form.tidied(scale, c - scale * (inputs.high + inputs.low) / 2)


def _r2_and_moves(y: Float64, rest: Float64, groups: Int64) -> tuple[float, Float64]:
    """Return R² for a residual ``rest`` of y, and how far each group moves R², to first order."""
    varies, left = np.square(y - y.mean()), np.square(rest)
    share = left.sum() / varies.sum()
    moves = np.bincount(groups, (share * varies - left) / varies.sum()).astype(np.float64)
    return float(1 - share), moves


def _deviation(moves: Float64) -> float:
    """Return the standard deviation of a sum of moves, if other groups were drawn."""
    count = len(moves)
    return float(np.sqrt(np.square(moves).sum() * count / (count - 1))) if count > 1 else math.nan


def _ordered(fits: list[_Ranked]) -> list[SymbolicFit]:
    """Put the chosen form first, the others by their score, and say which are near ties with it.

    Chosen is the simplest of those whose score is within one standard error of the lowest; of
    equally simple ones, that of the lowest score.
    """

    def within(other: _Ranked, first: _Ranked, errors: float) -> bool:
        """Say whether a score is at most ``errors`` standard errors above that of another form."""
        own, its = (moves / ((1 - fit.r2 + FLOOR) * math.log(2)) for fit, moves in (other, first))
        room = np.nan_to_num(_deviation(own - its))
        return bool(other[0].score - first[0].score <= errors * room)

    fits = sorted(fits, key=lambda one: one[0].score)
    near = [one for one in fits if one is fits[0] or within(one, fits[0], 1.0)]
    first = min(near, key=lambda one: (one[0].form.complexity, one[0].score), default=None)
    return [one[0] for one in fits if one is first] + [
        replace(one[0], tied=within(one, first, 2.0)) for one in fits if first and one is not first
    ]
