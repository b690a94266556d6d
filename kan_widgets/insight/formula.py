"""A small KAN as one formula, and how far the formula is from the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from kan_widgets.functions import LayerFunctions, Tap, find
from kan_widgets.functions.adapters.pykan import problem_of_model
from kan_widgets.functions.adapters.pykan_nodes import nodes_of, symbols_of
from kan_widgets.functions.undisturbed import undisturbed
from kan_widgets.insight.forms import FORMS, Form
from kan_widgets.insight.kernels import SeenPatches, kernel_of
from kan_widgets.insight.running import run
from kan_widgets.insight.symbolic import PENALTY, symbolic
from kan_widgets.insight.symbolic_fit import r2_text
from kan_widgets.insight.symbolic_fits import SymbolicFits
from kan_widgets.insight.tables import Float64

MOST_FUNCTIONS = 200
# Differences between what a layer computes and its functions, beside the size of the values.
_SAME = 1e-4


@dataclass(frozen=True, eq=False)
class Formula:
    """A model as expressions, and their errors against it over the data.

    Errors are of the expressions as they stand, with their rounded numbers, in units of the
    model's outputs. They are taken where the expression is defined; ``undefined`` says where not.
    """

    expressions: tuple[Any, ...] = field(repr=False)
    """A sympy expression for each output."""
    names: tuple[str, ...]
    """Of the inputs."""
    fits: dict[str, SymbolicFits] = field(repr=False)
    """The forms of each layer."""
    error: Float64
    """``(outputs,)`` root mean square."""
    largest: Float64
    """``(outputs,)`` largest."""
    r2: Float64
    """``(outputs,)`` share of the variance of the model's output that is explained; may be
    below 0. NaN for a constant output."""
    undefined: Float64
    """``(outputs,)`` share of the data where an expression is no finite number."""
    samples: int
    """Rows of data."""
    r2_error: Float64
    """``(outputs,)`` standard error of ``r2``, over other data."""

    def __call__(self, x: NDArray[np.floating]) -> Float64:
        """Return the values of the expressions: ``(n, inputs)`` to ``(n, outputs)``."""
        return _evaluate(self.expressions, self.names, np.asarray(x, dtype=np.float64))

    def __str__(self) -> str:
        lines = []
        for k, (expression, r2) in enumerate(zip(self.expressions, self._r2_texts(), strict=True)):
            missing = self.undefined[k]
            defined = "" if not missing else f", undefined for {100 * missing:.3g} %"
            lines += [
                f"y{k} = {expression}",
                f"    R² {r2}, root mean square error {self.error[k]:.3g}, largest "
                f"{self.largest[k]:.3g} over {self.samples:,} samples{defined}",
            ]
        total = sum(len(found) for found in self.fits.values())
        missing = total - sum(int(found.fitted.sum()) for found in self.fits.values())
        if missing:
            least = next(iter(self.fits.values())).least
            lines.append(
                f"{missing:,} of {total:,} functions are fitted by no form: the best has an R² "
                f"below {least:g}"
            )
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_latex_(self) -> str:
        import sympy  # type: ignore[import-untyped]

        lines = [
            rf"y_{{{k}}} &= {sympy.latex(expression)}"
            for k, expression in enumerate(self.expressions)
        ]
        body = r" \\ ".join(lines)
        return (
            rf"$$\begin{{aligned}} {body} \end{{aligned}}$$"
            f"\n\nR² {', '.join(self._r2_texts())} against the model over {self.samples:,} samples"
        )

    def _r2_texts(self) -> list[str]:
        both = zip(self.r2.tolist(), self.r2_error.tolist(), strict=True)
        return [r2_text(value, error) for value, error in both]


def formula(
    model: nn.Module,
    x: Tensor,
    *,
    names: Sequence[str] | None = None,
    forms: Iterable[Form | str] = FORMS,
    penalty: float = PENALTY,
    digits: int = 6,
) -> Formula:
    """Write a small network of dense KAN layers as one formula, every φ by its best form.

    The layers may be any that can be read, one after the other, with nothing between them, or
    before the first or after the last, but numbers that are multiplied or added feature by
    feature (norms in evaluation mode, biases): that is checked on the data. The model is run once
    in evaluation mode, without gradients.

    Models of pykan may have symbolic and masked edges, scales and biases of sums and nodes, and
    multiplication nodes: all of that stands in the formula as it is, and only splines are fitted.

    Each φ is fitted by itself, over the inputs that reach it in the model; errors add up along
    the layers. What the record says of the error is of the whole, against the model.

    Parameters
    ----------
    model
        The network.
    x
        ``(n, inputs)``: the data that the formula is for.
    names
        Of the inputs; by default x0, x1 and so on.
    forms, penalty
        As for `symbolic`.
    digits
        Significant digits of the numbers in it.

    Raises
    ------
    TypeError
        If ``model`` is no module or ``x`` no tensor.
    ValueError
        If the model is not such a network, is larger than 200 functions, or a name is not one.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Linear(1, 1))
    >>> with torch.no_grad():
    ...     for number, parameter in enumerate(model.parameters()):
    ...         _ = parameter.fill_(number + 2)
    >>> found = formula(model, torch.rand(20, 2), names=["u", "v"])
    >>> found.expressions[0]
    8.0*u + 8.0*v + 17.0
    """
    import sympy

    if not isinstance(x, Tensor):
        raise TypeError(f"x: expected a tensor (n, inputs), got {type(x).__name__}")
    if x.ndim != 2 or len(x) < 2:
        raise ValueError(f"x: expected shape (n, inputs) with n ≥ 2, got {tuple(x.shape)}")
    given = _names(names, x.shape[1])
    stages, y = _stages(model, x)
    count = sum(int((s.functions.coefficients != 0).any(-1).sum()) for s in stages)
    if count > MOST_FUNCTIONS:
        raise ValueError(
            f"{type(model).__name__} has {count:,} functions: a formula of more than "
            f"{MOST_FUNCTIONS} tells nobody anything; symbolic(layer, observed) lists forms"
        )
    nodes: list[Any] = [sympy.Symbol(name) for name in given]
    fits: dict[str, SymbolicFits] = {}
    data = x.detach().double().cpu().numpy()
    before, where = data, "the input"
    forms = tuple([forms] if isinstance(forms, (str, Form)) else forms)
    for stage in stages:
        functions, inputs = stage.functions, stage.inputs
        if stage.chosen is not None:
            nodes, before = [nodes[k] for k in stage.chosen], before[:, stage.chosen]
        nodes = _between(nodes, before, inputs, f"between {where} and {functions.name}")
        seen = SeenPatches(functions.name, len(x), inputs)
        found = symbolic(functions, seen, forms=forms, penalty=penalty, keep=1)
        fits[functions.name] = found
        sums = [_sum(stage, found, out, nodes) for out in range(functions.shape[0])]
        nodes = stage.after(sums)
        before = np.stack(stage.after(list(stage.outputs.T)), axis=1)
        where = functions.name
    nodes = _between(nodes, before, y, f"after {where}")
    expressions = tuple(_rounded(sympy.sympify(node), digits) for node in nodes)
    error, largest, r2, r2_error, undefined = _errors(_evaluate(expressions, given, data), y)
    return Formula(expressions, given, fits, error, largest, r2, undefined, len(x), r2_error)


def _names(names: Sequence[str] | None, count: int) -> tuple[str, ...]:
    found = tuple(f"x{i}" for i in range(count)) if names is None else tuple(names)
    if len(found) != count or len(set(found)) != count or not all(map(str.isidentifier, found)):
        raise ValueError(f"names: expected {count} different names, got {names!r:.80}")
    return found


def _between(nodes: list[Any], before: Float64, after: Float64, where: str) -> list[Any]:
    """Return the expressions of what reaches the next layer, each a multiple and a constant."""
    if before.shape != after.shape:
        raise ValueError(
            f"{where} {before.shape[1]} features become {after.shape[1]}: layers must follow "
            "each other"
        )
    found = []
    for node, one, other in zip(nodes, before.T, after.T, strict=True):
        if _close(other, one, other):
            found.append(node)
            continue
        spread = np.square(one - one.mean()).sum()
        scale = float((one - one.mean()) @ (other - other.mean()) / spread) if spread else 0.0
        shift = float(other.mean() - scale * one.mean())
        if not _close(other, scale * one + shift, other):
            raise ValueError(
                f"{where} something is done that is no multiple and no constant of each feature: "
                "give the part of the model that is a chain of KAN layers"
            )
        found.append(scale * node + shift)
    return found


def _close(one: Float64, other: Float64 | float, size: Float64) -> bool:
    return bool(np.abs(one - other).max() <= _SAME * max(float(np.abs(size).max()), 1e-6))


def _sum(stage: _Stage, found: SymbolicFits, out: int, nodes: list[Any]) -> Any:
    """Return the sum of the forms that lead to one output, with a constant where there is one.

    Raises
    ------
    ValueError
        If a function has no form, or the layer computes more than its functions.
    """
    import sympy

    functions, outputs = stage.functions, stage.outputs[:, out]
    total: Any = 0
    for i, node in enumerate(nodes):
        ranked = found.at((out, i))
        if not ranked:
            raise ValueError(f"no form fits φ {out},{i} of {found.layer}")
        total += ranked[0].symbolic(node)
    rest = outputs - kernel_of(functions, out).response(stage.inputs)
    x = sympy.Symbol("x")
    for (o, i), edge in (stage.exact or {}).items():
        if o == out:
            total += edge(nodes[i])
            with np.errstate(all="ignore"):
                rest = rest - sympy.lambdify([x], edge(x), "numpy")(stage.inputs[:, i])
    if not _close(rest, rest.mean(), outputs):
        raise ValueError(
            f"{functions.name} ({functions.type}) computes more than the sum of its functions "
            "and a constant"
        )
    return total if _close(rest, 0.0, outputs) else total + float(rest.mean())


def _rounded(expression: Any, digits: int) -> Any:
    import sympy

    numbers = {
        number: sympy.Float(f"{float(number):.{digits}g}")
        for number in expression.atoms(sympy.Float)
    }
    return expression.xreplace(numbers)


def _evaluate(expressions: tuple[Any, ...], names: tuple[str, ...], x: Float64) -> Float64:
    import sympy

    symbols = [sympy.Symbol(name) for name in names]
    with np.errstate(all="ignore"):
        values = sympy.lambdify(symbols, expressions, ["scipy", "numpy"])(*x.T)
    return np.stack([np.broadcast_to(np.asarray(v, float), len(x)) for v in values], axis=1)


def _errors(found: Float64, y: Float64) -> tuple[Float64, Float64, Float64, Float64, Float64]:
    defined = np.isfinite(found)
    error, largest, r2, r2_error = (np.full(y.shape[1], np.nan) for _ in range(4))
    for k in range(y.shape[1]):
        rest, true = (found - y)[defined[:, k], k], y[defined[:, k], k]
        if not len(rest):
            continue
        error[k], largest[k] = np.sqrt(np.square(rest).mean()), np.abs(rest).max()
        left, total = np.square(rest), true.var()
        if total > 0:
            r2[k] = 1 - left.mean() / total
            # What each row moves R² by, to first order.
            moves = (left - left.mean() / total * np.square(true - true.mean())) / total
            r2_error[k] = moves.std() / np.sqrt(len(rest))
    return error, largest, r2, r2_error, 1 - defined.mean(axis=0)


@dataclass(frozen=True, eq=False)
class _Stage:
    """One layer, as it ran: sums of functions, and what is made of them."""

    functions: LayerFunctions
    """Those that are to be fitted; 0 where a function is known by its symbols alone."""
    inputs: Float64
    """``(n, in)``."""
    outputs: Float64
    """``(n, out)``: the sums, and perhaps a constant."""
    chosen: tuple[int, ...] | None = None
    """Which features of what comes before reach the layer; ``None`` for all."""
    exact: Mapping[tuple[int, int], Callable[[Any], Any]] | None = None
    """By (out, in): what is added to a function, of an expression."""
    after: Callable[[Sequence[Any]], list[Any]] = list
    """What is made of the sums, numbers or expressions."""


def _stages(model: nn.Module, x: Tensor) -> tuple[list[_Stage], Float64]:
    """Run a network once; return its layers in the order they ran, and its output.

    Raises
    ------
    ValueError
        If a layer is of another kind, runs twice or takes something else than rows.
    """
    readable = find(model)
    modules = [part for found in readable for part in (found.module, *_halves(found.module))]
    taps = {module: (Tap((module,)), Tap((module,), "output")) for module in modules}
    every = [tap for both in taps.values() for tap in both]
    record = undisturbed(model, lambda: run(model, x, every))
    ran = {module: both for module, both in taps.items() if both[1] in record.times}
    if any(len(record.passed[tap]) > 1 for _, tap in ran.values()):
        raise ValueError("a layer runs more than once")
    passed = {module: tuple(record.input(tap) for tap in both) for module, both in ran.items()}
    layers = [found for found in readable if found.module in ran]
    stages: list[_Stage] = []
    for found in sorted(layers, key=lambda found: record.times[ran[found.module][1]]):
        read = found.read()
        if _halves(found.module):
            stages += _of_pykan(found.module, read, passed)
        elif len(read) != 1:
            raise ValueError(f"{found.name or read[0].type} holds {len(read)} layers in one module")
        else:
            stages.append(_of_layer(read[0], *passed[found.module]))
    y = record.output
    if not isinstance(y, Tensor) or y.ndim != 2:
        raise ValueError("the model's output is no tensor (n, outputs)")
    return stages, y.double().cpu().numpy()


def _of_layer(functions: LayerFunctions, given: Tensor, result: Tensor) -> _Stage:
    if functions.kind != "linear":
        raise ValueError(f"{functions.name} ({functions.type}) is no dense layer")
    if functions.x_at is not None or functions.variable != "x":
        raise ValueError(
            f"the functions of {functions.name} ({functions.type}) are of "
            f"{functions.variable}, not of the layer's input"
        )
    return _Stage(functions, _rows(given, functions), _rows(result, functions))


def _halves(module: Any) -> list[nn.Module]:
    """Return the layers inside a model of pykan, none of another module."""
    return [] if problem_of_model(module) else [*module.act_fun, *module.symbolic_fun]


def _of_pykan(
    model: Any, read: Sequence[LayerFunctions], passed: Mapping[nn.Module, Sequence[Tensor]]
) -> list[_Stage]:
    """Return the layers of a model of pykan: its symbolic edges as they are, the rest to fit."""
    stages = []
    for number, functions in enumerate(read):
        given, sums = passed[model.act_fun[number]]
        symbols = symbols_of(model, number)
        if model.symbolic_enabled:
            sums = sums + passed[model.symbolic_fun[number]][1]
            if symbols:
                coefficients = functions.coefficients.clone()
                for edge in symbols:  # f(a·x + b) and 1, which are added as symbols
                    coefficients[edge][-2:] = 0
                functions = replace(functions, coefficients=coefficients)
        stages.append(
            _Stage(
                functions,
                _rows(given, functions),
                _rows(sums, functions),
                tuple(int(k) for k in model.input_id) if number == 0 else None,
                symbols,
                nodes_of(model, number),
            )
        )
    return stages


def _rows(values: Tensor, functions: LayerFunctions) -> Float64:
    if values.ndim != 2:
        raise ValueError(
            f"{functions.name}: expected inputs of shape (n, features), got {tuple(values.shape)}"
        )
    found: Float64 = values.double().cpu().numpy()
    return found
