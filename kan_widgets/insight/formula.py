"""A small KAN as one formula, and how far the formula is from the model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from kan_widgets.functions import LayerFunctions
from kan_widgets.functions.undisturbed import undisturbed
from kan_widgets.insight.forms import FORMS, Form
from kan_widgets.insight.kernels import SeenPatches, kernel_of
from kan_widgets.insight.running import run, stages_of
from kan_widgets.insight.symbolic import PENALTY, symbolic
from kan_widgets.insight.symbolic_fits import SymbolicFits, r2_text
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

    Symbolic edges of pykan are fitted like all others; a model with multiplication nodes is
    refused.

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
    layers, y = _run(model, x)
    count = sum(int((f.coefficients != 0).any(-1).sum()) for f, _, _ in layers)
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
    for functions, inputs, outputs in layers:
        nodes = _between(nodes, before, inputs, f"between {where} and {functions.name}")
        seen = SeenPatches(functions.name, len(x), inputs)
        found = symbolic(functions, seen, forms=forms, penalty=penalty, keep=1)
        fits[functions.name] = found
        nodes = [_sum(found, out, nodes) for out in range(functions.shape[0])]
        for out, node in enumerate(nodes):
            rest = outputs[:, out] - kernel_of(functions, out).response(inputs)
            if not _close(rest, rest.mean(), outputs[:, out]):
                raise ValueError(
                    f"{functions.name} ({functions.type}) computes more than the sum of its "
                    "functions and a constant"
                )
            if not _close(rest, 0.0, outputs[:, out]):
                nodes[out] = node + float(rest.mean())
        before, where = outputs, functions.name
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
    found = []
    chain = before.shape == after.shape
    for k, other in enumerate(after.T):
        for node, one in [(nodes[k], before[:, k])] if chain else zip(nodes, before.T, strict=True):
            spread = np.square(one - one.mean()).sum()
            scale = float((one - one.mean()) @ (other - other.mean()) / spread) if spread else 0.0
            shift = float(other.mean() - scale * one.mean())
            if _close(other, one, other):
                found.append(node)
                break
            if _close(other, scale * one + shift, other):
                found.append(scale * node + shift)
                break
        else:
            raise ValueError(
                f"{where} something is done that is no multiple and no constant of each feature: "
                "give the part of the model that is a chain of KAN layers"
            )
    return found


def _close(one: Float64, other: Float64 | float, size: Float64) -> bool:
    return bool(np.abs(one - other).max() <= _SAME * max(float(np.abs(size).max()), 1e-6))


def _sum(found: SymbolicFits, out: int, nodes: list[Any]) -> Any:
    """Return the sum of the forms that lead to one output."""
    total: Any = 0
    for i, node in enumerate(nodes):
        ranked = found.at((out, i))
        if not ranked:
            raise ValueError(f"no form fits φ {out},{i} of {found.layer}")
        total += ranked[0].symbolic(node)
    return total


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


def _run(
    model: nn.Module, x: Tensor
) -> tuple[list[tuple[LayerFunctions, Float64, Float64]], Float64]:
    """Run a network once.

    Returns
    -------
    tuple
        Its layers in the order they ran, each with its inputs and its sums, and the output.

    Raises
    ------
    ValueError
        If a layer is of another kind, runs twice or takes something else than rows.
    """
    stages = stages_of(model)
    taps = [tap for stage in stages for tap in (stage.at, *stage.inputs)]
    record = undisturbed(model, lambda: run(model, x, taps))
    ran = [stage for stage in stages if stage.at in record.times]
    layers = []
    for stage in sorted(ran, key=lambda stage: record.times[stage.at]):
        if len(record.passed[stage.at]) > len(dict.fromkeys(stage.at.modules)):
            raise ValueError(f"{stage.name} runs more than once")
        if len(stage.parts) > 1:
            raise ValueError(f"{stage.name} are added up: a formula is of a chain of layers")
        [functions] = stage.parts
        if functions.kind != "linear":
            raise ValueError(f"{functions.name} ({functions.type}) is no dense layer")
        if functions.variable != "x":
            raise ValueError(
                f"the functions of {functions.name} ({functions.type}) are of "
                f"{functions.variable}, not of the layer's input"
            )
        rows = []
        for values in (record.input(stage.inputs[0]), record.input(stage.at)):
            if values.ndim != 2:
                raise ValueError(
                    f"{functions.name}: expected inputs of shape (n, features), got "
                    f"{tuple(values.shape)}"
                )
            rows.append(values.double().cpu().numpy())
        layers.append((functions, rows[0], rows[1]))
    if not isinstance(record.output, Tensor) or record.output.ndim != 2:
        raise ValueError("the model's output is no tensor (n, outputs)")
    return layers, record.output.double().cpu().numpy()
