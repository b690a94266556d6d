"""A network as terms a·f(b·x + c) that add up layer by layer, all numbers fitted at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from torch import Tensor, nn

from kan_widgets.arrays import Float64
from kan_widgets.functions import LayerFunctions
from kan_widgets.functions.undisturbed import undisturbed
from kan_widgets.insight.formulas.forms import CONSTANT, Form
from kan_widgets.insight.formulas.symbolic_fits import SymbolicFit
from kan_widgets.insight.kernels import values_of
from kan_widgets.insight.tapped_pass import run, stages_of

# Layer, output, input.
Link = tuple[int, int, int]

_INTERVALS, _ORDER = 8, 3
# Beyond this many deviations of the output a formula is as wrong as it can be.
_WRONG = 1e3
# Differences between what a layer computes and its functions, beside the size of the values.
_SAME = 1e-4
# Features as scale·h + shift of a sum h: its number, scale and shift.
_Features = list[tuple[int, float, float]]


@dataclass(frozen=True, eq=False)
class Term:
    """What one link adds: a·f(b·x + c), or a cubic spline where no form is chosen yet."""

    form: Form | None
    numbers: Float64
    """a, b and c; of a spline ``(nb,)`` coefficients."""
    knots: Float64 | None = None

    @property
    def free(self) -> list[int]:
        """Which of its numbers can be fitted."""
        if self.form is None:
            return list(range(len(self.numbers)))
        return [0, *([1] if self.form.scale else []), *([2] if self.form.shift else [])]

    def written(self, link: Link) -> tuple[Form, list[float]]:
        """Return its form with a, b and c; of a spline one of its own, named after the link."""
        if self.form is not None:
            return self.form, self.numbers.tolist()
        from scipy.interpolate import BSpline  # type: ignore[import-untyped]
        from sympy import Symbol  # type: ignore[import-untyped]
        from sympy.utilities.lambdify import implemented_function  # type: ignore[import-untyped]

        curve = BSpline(self.knots, self.numbers, _ORDER)
        phi = implemented_function("phi{}_{}_{}".format(*link), curve)
        return Form("spline", phi(Symbol("u", real=True))), [1.0, 1.0, 0.0]

    def at(self, x: Float64) -> tuple[Float64, Float64, Float64]:
        """Return values ``(n,)``, slopes ``(n,)``, and slopes by the numbers ``(n, numbers)``."""
        if self.form is None:
            from scipy.interpolate import BSpline

            beta = BSpline(self.knots, np.eye(len(self.numbers)), _ORDER)
            columns = beta(x)
            return columns @ self.numbers, beta.derivative()(x) @ self.numbers, columns
        a, b, c = self.numbers
        u, by_numbers = b * x + c, np.empty((len(x), 3))
        by_numbers[:, 0], by_numbers[:, 2] = self.form(u), a * self.form.slope(u)
        by_numbers[:, 1] = by_numbers[:, 2] * x
        return a * by_numbers[:, 0], b * by_numbers[:, 2], by_numbers


def spline_through(x: Float64, y: Float64) -> Term:
    """Return the spline with even knots over the x that is nearest to points."""
    low, high = float(x.min()), float(x.max())
    room = 0.01 * (high - low) or 1.0
    step = (high - low + 2 * room) / _INTERVALS
    knots = low - room + step * np.arange(-_ORDER, _INTERVALS + _ORDER + 1)
    empty = Term(None, np.zeros(_INTERVALS + _ORDER), np.asarray(knots, dtype=np.float64))
    solution = np.linalg.lstsq(empty.at(x)[2], y, rcond=1e-10)[0]
    return replace(empty, numbers=np.asarray(solution, dtype=np.float64))


@dataclass(frozen=True, eq=False)
class Chain:
    """Layers of terms: what reaches the next layer is a constant and the sum of terms."""

    terms: Mapping[Link, Term]
    constants: tuple[Float64, ...]
    """``(out,)`` of each layer."""

    @property
    def length(self) -> int:
        """How many numbers can be fitted: of its terms, and a constant for each output."""
        return sum(len(term.free) for term in self.terms.values()) + len(self.constants[-1])

    @property
    def splines(self) -> list[Link]:
        """The links without a form."""
        return [link for link, term in self.terms.items() if term.form is None]

    def run(self, x: Float64) -> tuple[list[Float64], dict[Link, tuple[Float64, Float64, Float64]]]:
        """Return each layer's inputs, then the output; and `Term.at` of each term at its input."""
        reached, evaluated = [x], {}
        with np.errstate(all="ignore"):
            for layer, constant in enumerate(self.constants):
                sums = np.tile(constant, (len(x), 1))
                for link in (link for link in self.terms if link[0] == layer):
                    evaluated[link] = self.terms[link].at(reached[-1][:, link[2]])
                    sums[:, link[1]] += evaluated[link][0]
                reached.append(sums)
        return reached, evaluated

    def with_term(self, link: Link, term: Term | None, more: float = 0.0) -> "Chain":
        """Return the chain with a term replaced or taken out, and ``more`` added to the constant.

        Terms that then lead nowhere go too, and those of a constant join the next constant.
        """
        terms = {at: old for at, old in self.terms.items() if at != link}
        terms |= {link: term} if term else {}
        constants = [constant.copy() for constant in self.constants]
        constants[link[0]][link[1]] += more
        last, gone = len(constants) - 1, [link]
        while gone:
            fed, used = {at[:2] for at in terms}, {(at[0] - 1, at[2]) for at in terms}
            still = [at for at in terms if at[0] and (at[0] - 1, at[2]) not in fed]
            for at in still:
                x = constants[at[0] - 1][at[2] : at[2] + 1]
                constants[at[0]][at[1]] += float(np.nan_to_num(terms[at].at(x)[0][0]))
            gone = still + [at for at in terms if at[0] < last and at[:2] not in used]
            terms = {at: term for at, term in terms.items() if at not in gone}
        return Chain(terms, tuple(constants))

    @cached_property
    def _places(self) -> tuple[list[tuple[int, int]], list[tuple[Link, int]]]:
        """Where the numbers are: the constants that reach the output, and those of the terms."""
        used = {(at[0] - 1, at[2]) for at in self.terms}
        used |= {(len(self.constants) - 1, out) for out in range(len(self.constants[-1]))}
        return sorted(used - {at for at in used if at[0] < 0}), [
            (at, k) for at, term in self.terms.items() for k in term.free
        ]

    def _with_numbers(self, values: Float64) -> "Chain":
        constants = [constant.copy() for constant in self.constants]
        numbers = {at: term.numbers.copy() for at, term in self.terms.items()}
        own, of_terms = self._places
        for (layer, out), value in zip(own, values, strict=False):
            constants[layer][out] = value
        for (at, k), value in zip(of_terms, values[len(own) :], strict=True):
            numbers[at][k] = value
        terms = {at: replace(term, numbers=numbers[at]) for at, term in self.terms.items()}
        return Chain(terms, tuple(constants))

    def fitted(self, x: Float64, y: Float64, most: int) -> "Chain":
        """Return the chain with all numbers fitted to y at once, in up to ``most`` evaluations."""
        from scipy.optimize import least_squares  # type: ignore[import-untyped]

        own, of_terms = self._places
        weights, last = _weights(y), len(self.constants) - 1
        latest: dict[bytes, Any] = {}

        def run(values: Float64) -> Any:
            if (key := values.tobytes()) not in latest:
                latest.clear()
                latest[key] = self._with_numbers(values).run(x)
            return latest[key]

        @np.errstate(all="ignore")
        def slopes(values: Float64) -> Float64:
            evaluated, moves = run(values)[1], dict.fromkeys(own, np.zeros((1, y.shape[1])))
            # How the output moves with each sum, from the last layer to the first.
            moves |= {(last, out): row[None] for out, row in enumerate(np.eye(y.shape[1]))}
            for layer, out, i in sorted(evaluated, reverse=True):
                if layer:
                    move = evaluated[layer, out, i][1][:, None] * moves[layer, out]
                    moves[layer - 1, i] = moves[layer - 1, i] + move
            columns = [np.broadcast_to(moves[at], y.shape) for at in own]
            columns += [moves[at[:2]] * evaluated[at][2][:, k, None] for at, k in of_terms]
            slope = np.nan_to_num(np.stack(columns, axis=2) * weights[:, None], posinf=0, neginf=0)
            return np.clip(slope, -1e9, 1e9).reshape(y.size, -1)

        start = [self.constants[layer][out] for layer, out in own]
        start += [self.terms[at].numbers[k] for at, k in of_terms]
        # Not MINPACK ("lm"): last bits vary from call to call there, and splines let them grow.
        with np.errstate(over="ignore"):  # by a step that is too far, and undone
            solution = least_squares(
                lambda values: rest_of(run(values)[0][-1], y).ravel(),
                np.array(start),
                slopes,
                x_scale="jac",
                max_nfev=most,
            )
        return self._with_numbers(solution.x)

    def unexplained(self, x: Float64, y: Float64) -> float:
        """Return the share of the variance of y that is left, the mean over the outputs."""
        return float(np.square(rest_of(self.run(x)[0][-1], y)).sum())

    def tidied(self) -> "Chain":
        """Return the chain with the largest a of a sum 1, where forms behind it need no scale."""
        terms, constants = dict(self.terms), [constant.copy() for constant in self.constants]
        for at in self.splines:  # what a fit gave them, and took back from constants
            level = terms[at].numbers.mean()
            terms[at] = replace(terms[at], numbers=terms[at].numbers - level)
            constants[at[0]][at[1]] += level
        for layer, out in self._places[0]:
            to = {at: term for at, term in terms.items() if (at[0] - 1, at[2]) == (layer, out)}
            own = [at for at in terms if at[:2] == (layer, out)]
            if not to or any(term.form is None or term.form.scale for term in to.values()):
                continue
            size = max((abs(terms[at].numbers[0]) for at in own), default=0.0) or 1.0
            constants[layer][out] /= size
            for at in own:
                terms[at] = replace(terms[at], numbers=terms[at].numbers / [size, 1, 1])
            for at, term in to.items():
                assert term.form is not None
                (a, b, c), u = term.numbers, np.array([1.0, 2.0])
                wide, narrow = term.form(size * u), term.form(u)
                factor = float(np.ptp(wide) / np.ptp(narrow))
                terms[at] = replace(term, numbers=np.array([a * factor, b, c / size]))
                constants[at[0]][at[1]] += a * float(wide[0] - factor * narrow[0])
        return Chain(terms, tuple(constants))

    def symbolic(self, nodes: list[Any]) -> list[Any]:
        """Return the outputs as sympy expressions of the inputs."""
        for layer, constant in enumerate(self.constants):
            sums: list[Any] = constant.tolist()
            for link in (link for link in self.terms if link[0] == layer):
                form, numbers = self.terms[link].written(link)
                sums[link[1]] += form.with_numbers(nodes[link[2]], *numbers)
            nodes = sums
        return nodes


def _weights(y: Float64) -> Float64:
    """Return 1/(deviation·√size) of each output, by which squared residuals sum to a share."""
    size = np.abs(y).max() or 1.0
    spread = y.std(axis=0)
    weights: Float64 = 1 / np.where(spread > 1e-12 * size, spread, size) / np.sqrt(y.size)
    return weights


def rest_of(values: Float64, y: Float64) -> Float64:
    """Return residuals whose squares sum to the share of y that is left, the mean over outputs."""
    with np.errstate(all="ignore"):  # what overflows is as wrong as what is undefined
        rest = np.nan_to_num((values - y) * _weights(y), nan=_WRONG, posinf=_WRONG, neginf=-_WRONG)
    return np.clip(rest, -_WRONG, _WRONG)


class SplineNetwork:
    """A network as a chain of splines, and the way back from a chain to its functions."""

    def __init__(self, model: nn.Module, data: Tensor) -> None:
        self.layers, self.y = _run(model, data)
        self.x = before = data.detach().double().cpu().numpy()
        self.features: list[_Features] = []
        self.own: list[Float64] = []
        """What each layer adds to its functions, ``(out,)``."""
        terms: dict[Link, Any] = {}
        where = "the input"
        for number, (functions, inputs, outputs) in enumerate(self.layers):
            self.features.append(_between(before, inputs, f"between {where} and {functions.name}"))
            phi = np.empty((len(inputs), *functions.shape[:2]))
            for _, numbers, values in values_of(functions, inputs):
                phi.reshape(len(inputs), -1)[:, numbers] = values
            for i in np.flatnonzero(~np.isfinite(phi).all(axis=(0, 1))):
                raise ValueError(f"functions of input {i} of {functions.name} are not finite")
            sums = phi.sum(axis=2)
            for out, i in np.ndindex(functions.shape[:2]):
                link = number, out, self.features[-1][i][0]
                terms[link] = terms.get(link, 0) + phi[:, out, i]
            constants = (outputs - sums).mean(axis=0)
            for out in range(outputs.shape[1]):
                if not _close(sums[:, out] + constants[out], outputs[:, out]):
                    raise ValueError(
                        f"{functions.name} ({functions.type}) computes more than the sum of its "
                        "functions and a constant"
                    )
                if _close(sums[:, out], outputs[:, out]):
                    constants[out] = 0.0
            self.own.append(constants)
            before, where = outputs, functions.name
        self.features.append(_between(before, self.y, f"after {where}"))
        last, places = len(self.layers) - 1, [self.x, *(sums for _, _, sums in self.layers)]
        chain = {
            at: spline_through(places[at[0]][:, at[2]], values)
            for at, values in terms.items()
            if np.ptp(places[at[0]][:, at[2]]) > 0 and np.any(values)
        }
        constants = [own.copy() for own in self.own]
        for out, (_, scale, shift) in enumerate(self.features[-1]):
            constants[-1][out] = scale * constants[-1][out] + shift
            for at in [at for at in chain if at[:2] == (last, out)]:
                chain[at] = replace(chain[at], numbers=scale * chain[at].numbers)
        self.chain = Chain(chain, tuple(constants))

    def fits(self, chain: Chain) -> Iterator[SymbolicFit]:
        """Yield the forms of all functions, every sum in the range that it has in the network."""
        # Each sum of the chain as it is in the network, scale·sum + shift; the inputs first.
        of = [(np.ones(self.x.shape[1]), np.zeros(self.x.shape[1]))]
        for own, (_, _, outputs) in zip(chain.run(self.x)[0][1:], self.layers, strict=True):
            wide = np.ptp(own, axis=0)
            scale = np.where(wide > 0, np.ptp(outputs, axis=0) / np.where(wide > 0, wide, 1), 1.0)
            of.append((scale, outputs.min(axis=0) - scale * own.min(axis=0)))
        _, scale, shift = np.array(self.features[-1]).T
        of[-1] = 1 / np.where(scale, scale, 1.0), -shift / np.where(scale, scale, 1.0)
        for number, (functions, inputs, _) in enumerate(self.layers):
            for out, i in np.ndindex(functions.shape[:2]):
                at, scale, shift = self.features[number][i]
                sized, moved = (float(pair[at]) for pair in of[number])
                to, added = (float(pair[out]) for pair in of[number + 1])
                # The input is scale·(sized·h + moved) + shift, of a sum h of the chain.
                whole, rest = scale * sized, scale * moved + shift
                link, form, (a, b, c) = (number, out, at), CONSTANT, (0.0, 1.0, 0.0)
                if link in chain.terms and whole:
                    form, (a, b, c) = chain.terms[link].written(link)
                    a, b, c = to * a, b / whole, c - b * rest / whole
                d = float(to * chain.constants[number][out] + added - self.own[number][out])
                numbers = a, b, c, d if i == 0 else 0.0  # the first takes the constant
                ends = float(inputs[:, i].min()), float(inputs[:, i].max())
                fields = *numbers, np.nan, np.nan, np.nan, *ends
                count = len(inputs)
                yield SymbolicFit(functions.name, (out, i, 0, 0), form, *fields, count, count)


def _between(before: Float64, after: Float64, where: str) -> _Features:
    """Return each feature that reaches the next layer as a sum before it, scaled and shifted."""
    features: _Features = []
    chain = before.shape == after.shape
    for k, other in enumerate(after.T):
        for at, column in [(k, before[:, k])] if chain else enumerate(before.T):
            about = column - column.mean()
            scale = float(about @ other / (about @ about)) if np.ptp(column) else 0.0
            shift = float(other.mean() - scale * column.mean())
            if _close(column, other):
                scale, shift = 1.0, 0.0
            if _close(scale * column + shift, other):
                features.append((at, scale, shift))
                break
        else:
            raise ValueError(
                f"{where} something is done that is no multiple and no constant of each feature: "
                "give the part of the model that is a chain of KAN layers"
            )
    return features


def _close(values: Float64, other: Float64) -> bool:
    size = max(float(np.abs(other).max()), 1e-6)
    return bool(np.abs(values - other).max() <= _SAME * size)


def _run(
    model: nn.Module, x: Tensor
) -> tuple[list[tuple[LayerFunctions, Float64, Float64]], Float64]:
    """Run a network once: its layers as they ran, each with its inputs and sums, and the output.

    Raises `ValueError` if a layer is of another kind, runs twice or takes something else than rows.
    """
    stages = stages_of(model)
    taps = [tap for stage in stages for tap in stage.taps]
    record = undisturbed(model, lambda: run(model, x, taps))
    layers = []
    for stage in record.ran(stages):
        functions, name = stage.parts[0], f"{stage.name} ({stage.parts[0].type})"
        inputs, sums = (record.at(tap) for tap in (stage.inputs[0], stage.at))
        refused = {
            "runs more than once": not record.once(stage.at),
            "are added up: a formula is of a chain of layers": len(stage.parts) > 1,
            "is no dense layer": functions.kind != "linear",
            f"has functions of {functions.variable}, not of its input": functions.variable != "x",
            f"takes {tuple(inputs.shape)}: expected (n, features)": inputs.ndim != 2,
        }
        for why in (why for why, is_so in refused.items() if is_so):
            raise ValueError(f"{name} {why}")
        layers.append((functions, inputs.double().cpu().numpy(), sums.double().cpu().numpy()))
    if not isinstance(record.output, Tensor) or record.output.ndim != 2:
        raise ValueError("the model's output is no tensor (n, outputs)")
    return layers, record.output.double().cpu().numpy()
