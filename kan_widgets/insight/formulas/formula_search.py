"""Which forms a whole network has: chosen and refitted by the error of its output.

Greedy, as in Sovrano, Losavio and Vilone (2026, *In-Context Symbolic Regression for
Robustness-Improved Kolmogorov-Arnold Networks*, arXiv:2603.15250), with looks back.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from kan_widgets.arrays import Float64
from kan_widgets.insight.formulas.chain import Chain, Link, Term, rest_of, spline_through
from kan_widgets.insight.formulas.forms import Form, lambdified
from kan_widgets.insight.formulas.symbolic import FLOOR, forms_like, score_of
from kan_widgets.insight.sampled_layer import EPSILON

# Five numbers more must halve the variance that is left unexplained.
FORMULA_PENALTY = 0.2
_TRIED_ROWS = 400  # that moves are tried on
_FITTED_ROWS = 2000  # that formulas which stay are fitted to
_BRIEF = 12  # evaluations at most, for a move
_LONG = 100  # evaluations at most, for a formula that stays
_MAX_MOVES = 5  # fitted in a step
_MAX_FORMS = 3  # tried for a term
_MAX_STRUCTURES = 3  # made into formulas
_MAX_SNAPPED = 16  # numbers of a formula in which simple ones are looked for
_LOST_ERROR = 0.05  # up to which units are taken out
_SMALL_ERROR = 1e-4  # so small that no formula with more units is tried
_SPLINE_ERROR = 1e-3  # up to which forms hold where splines are kept for the others


def formula_score(left: float, length: int, penalty: float) -> float:
    """Return log2 of the variance unexplained, plus ``penalty`` for each number."""
    return score_of(left, length, penalty, 1e-8)


@dataclass(eq=False)
class Search:
    """A search for the formula of one network, and all formulas that it came by."""

    x: Float64
    """Rows that are fitted."""
    y: Float64
    held_x: Float64
    """Rows that decide."""
    held_y: Float64
    forms: Sequence[Form]
    penalty: float
    step: Callable[[], object]
    """Called with every step, whose number is not known before."""
    by_length: dict[int, tuple[float, Chain]] = field(default_factory=dict)
    """The best formula of each length, with its error."""

    def __post_init__(self) -> None:
        self._few, self._many = ((self.x[:n], self.y[:n]) for n in (_TRIED_ROWS, _FITTED_ROWS))

    def front(self, network: Chain) -> list[Chain]:
        """Return formulas of a network from short to long, each nearer to it than those before."""
        mean = Chain({}, (*network.constants[:-1], self.y.mean(axis=0)))
        self.by_length[mean.length] = self._error(mean), mean
        for structure in self._structures(network.fitted(*self._few, _BRIEF)):
            structure = structure.fitted(*self._few, _LONG)
            formula = self._look_back(self._with_forms(structure))
            self._shorten(formula)
            if self._error(formula) <= min(_SMALL_ERROR, 2 * self._error(structure) + FLOOR):
                break
        else:  # where forms do not hold, all splines may stay
            self._kept(network)
        best, front = math.inf, []
        for _, (error, chain) in sorted(self.by_length.items()):
            if error < best / 1.05:  # a number more must take a twentieth of what is left
                best = error
                front.append(chain.tidied())
        return front

    def _error(self, chain: Chain) -> float:
        return chain.unexplained(self.held_x, self.held_y)

    def _score(self, chain: Chain) -> float:
        """Return the score that the search minimises, on the rows that moves are tried on.

        A spline counts as the form that may take its place: it does not go because it is long.
        """
        length = chain.length - sum(len(chain.terms[at].free) - 3 for at in chain.splines)
        return formula_score(chain.unexplained(*self._few), length, self.penalty)

    def _kept(self, chain: Chain) -> Chain:
        """Fit a formula with many evaluations, and keep it if it is the best of its length."""
        self.step()
        chain = chain.fitted(*self._many, _LONG)
        error = self._error(chain)
        if error < self.by_length.get(chain.length, (math.inf,))[0]:
            self.by_length[chain.length] = error, chain
        return chain

    def _best(self, moves: Iterable[Chain]) -> Chain | None:
        """Return the best of some moves: all compared as they are, the best again when fitted."""
        self.step()
        promising = sorted((move for move in moves if move.terms), key=self._score)[:_MAX_MOVES]
        fitted = [chain.fitted(*self._few, _BRIEF) for chain in promising]
        return min(fitted, key=self._score, default=None)

    def _structures(self, network: Chain) -> list[Chain]:
        """Return the network with fewer and fewer units, the smallest first, all splines free."""
        structures: list[Chain] = []
        best: Chain | None = network
        while best is not None and (best is network or best.unexplained(*self._few) < _LOST_ERROR):
            structures.append(best)
            last = len(best.constants) - 1
            units = sorted({at[:2] for at in best.terms if at[0] < last})
            best = self._best([self._without(best, unit) for unit in units])
        kept = structures[-1:]
        for chain in structures[-2::-1]:  # one that is no tenth as wrong tells nothing new
            if 10 * chain.unexplained(*self._few) < kept[-1].unexplained(*self._few):
                kept.append(chain)
        return kept[:_MAX_STRUCTURES]

    def _without(self, chain: Chain, unit: tuple[int, int]) -> Chain:
        evaluated = chain.run(self._few[0])[1]
        for at in list(chain.terms):
            if (at[0] - 1, at[2]) == unit and at in chain.terms:
                chain = chain.with_term(at, None, float(evaluated[at][0].mean()))
        return chain

    def _points(self, chain: Chain, link: Link) -> tuple[Float64, Float64, float] | None:
        """Return a term's input, what it adds about its mean, and the mean; None if constant."""
        reached, evaluated = chain.run(self._few[0])
        x, y = reached[link[0]][:, link[2]], evaluated[link][0]
        if not np.isfinite([*x, *y]).all() or not np.ptp(x):
            return None
        # A fit may give much to a spline and take it back from the constant: the sum tells.
        varies = np.ptp(y) > EPSILON * np.ptp(reached[link[0] + 1][:, link[1]])
        return (x, y - y.mean(), float(y.mean())) if varies else None

    def _moves(self, chain: Chain, link: Link, shorter: bool = False) -> list[Chain]:
        """Return a chain without a term, and with each of the forms that are most like it."""
        if (points := self._points(chain, link)) is None:
            return [chain.with_term(link, None)]
        least = len(chain.terms[link].free) if shorter else math.inf
        forms = [form for form in self.forms if form.complexity - 1 < least]
        x, y, mean = points
        moves = [chain.with_term(link, None, mean)]
        for fit in forms_like(x, y, forms, self.penalty, _MAX_FORMS):
            term = Term(fit.form, np.array([fit.a, fit.b, fit.c]))
            moves.append(chain.with_term(link, term, fit.d + mean))
        return moves

    def _with_forms(self, chain: Chain) -> Chain:
        """Put forms in place of all splines, one after the other, the best move first."""
        limit = max(_SPLINE_ERROR, 2 * chain.unexplained(*self._few))
        held = chain
        while splines := chain.splines:
            best = self._best([move for link in splines for move in self._moves(chain, link)])
            if best is None:  # the last one is constant, or like no form
                return next(iter(self.by_length.values()))[1]
            chain = best
            held = chain if chain.unexplained(*self._few) <= limit else held
        if held.splines:  # for these no form holds
            self._kept(held)
        return self._kept(chain)

    def _look_back(self, chain: Chain) -> Chain:
        """Choose forms once more, each as a spline beside the forms that the others have now."""
        before = math.inf
        while self._score(chain) < before - 0.1:
            before = self._score(chain)
            for link in list(chain.terms):
                if link not in chain.terms:
                    continue
                shortest = chain.length - len(chain.terms[link].free) + 1
                if self._score(chain) < formula_score(0.0, shortest, self.penalty) + 0.1:
                    continue  # no form is better by more
                if (points := self._points(chain, link)) is None:
                    continue
                x, y, mean = points
                free = chain.with_term(link, spline_through(x, y), mean).fitted(*self._few, _BRIEF)
                best = self._best(self._moves(free, link))
                if best is not None and self._score(best) < self._score(chain):
                    chain = self._kept(best)
        return chain

    def _shorten(self, chain: Chain) -> None:
        """Make a formula shorter by as little loss as can be, until one term is left."""
        while len(chain.terms) > 1:
            best = self._best(
                move for link in chain.terms for move in self._moves(chain, link, shorter=True)
            )
            if best is None or best.unexplained(*self._few) > 1:
                break
            chain = self._kept(best)

    def snapped(self, expressions: Sequence[Any], symbols: Sequence[Any]) -> list[Any]:
        """Put simple numbers where the error of the whole does not rise, others fitted again."""
        import sympy  # type: ignore[import-untyped]
        from scipy.optimize import least_squares  # type: ignore[import-untyped]

        whole = sympy.Tuple(*expressions)
        floats = sorted(whole.atoms(sympy.Float), key=lambda one: (abs(one - round(one)), one))
        free = sympy.symbols(f"number:{len(floats)}")
        whole = whole.xreplace(dict(zip(floats, free, strict=True)))
        function = lambdified([symbols, free], list(whole))

        def rest(values: dict[Any, Any], x: Float64, y: Float64) -> Float64:
            outputs = function(x.T, list(map(float, values.values())))
            stacked = np.stack([np.broadcast_to(output, len(x)) for output in outputs], axis=1)
            return rest_of(stacked, y)

        def fitted(values: dict[Any, Any]) -> dict[Any, Any]:
            """Fit the numbers that are not exact."""
            start = {at: one for at, one in values.items() if not isinstance(one, sympy.Basic)}

            def left(some: Float64) -> Float64:
                return rest(values | dict(zip(start, some, strict=True)), *self._many).ravel()

            if not start or len(start) > self._many[1].size:
                return values
            most, numbers = 20 * len(start), list(start.values())
            with np.errstate(over="ignore"):
                solution = least_squares(left, numbers, x_scale="jac", max_nfev=most)
            return values | dict(zip(start, solution.x, strict=True))

        values: dict[Any, Any] = dict(zip(free, map(float, floats), strict=True))
        before = np.square(rest(values, self.held_x, self.held_y)).sum(axis=1)
        if len(values) > _MAX_SNAPPED or before.sum() > 0.01:
            return list(expressions)  # the numbers of a wrong formula mean nothing
        # Twice: what the others were fitted to may have become simple.
        for at in 2 * free:
            for exact in _simple(values[at]):
                tried = fitted(values | {at: exact})
                more = np.square(rest(tried, self.held_x, self.held_y)).sum(axis=1) - before
                # The error would rise as much by chance alone.
                room = min(2 * more.std() * math.sqrt(len(more)), before.sum() / 10)
                if more.sum() <= room + 1e-12:
                    values = tried
                    break
        return list(whole.xreplace({at: sympy.sympify(one) for at, one in values.items()}))


def _simple(value: Any) -> list[Any]:
    """Return simple numbers that a number is near, the nearest first; none where it is exact."""
    import sympy

    offsets: dict[Any, float] = {}
    if isinstance(value, sympy.Basic):
        return []
    for unit, exact, largest in ((1.0, sympy.Integer(1), 12), (math.pi, sympy.pi, 4)):
        for most in (1, 2, 4):
            part = Fraction(value / unit).limit_denominator(most)
            off = abs(float(part) * unit - value)
            size = abs(part.numerator) if part.denominator > 1 else abs(part) / 8
            if size <= largest and off < 0.05 * max(abs(value), 0.05):
                offsets[sympy.Rational(part.numerator, part.denominator) * exact] = off
    return sorted(offsets, key=offsets.__getitem__)
