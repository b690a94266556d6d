"""A network of KAN layers as one formula: a front of error against length."""

import html
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from kan_widgets.arrays import Float64, Int64
from kan_widgets.insight.formulas.chain import SplineNetwork
from kan_widgets.insight.formulas.forms import FORMS, Form, chosen_forms, lambdified
from kan_widgets.insight.formulas.formula_search import FORMULA_PENALTY, Search, formula_score
from kan_widgets.insight.formulas.symbolic_fits import SymbolicFit
from kan_widgets.printed import lines_of, progress_line, table_of

if TYPE_CHECKING:
    from kan_widgets.insight.formulas.projection import Fixed
    from kan_widgets.live import Binding

_MAX_FUNCTIONS = 200
_HOLDS = 0.01  # share of the variance that a chosen formula may leave, if any leaves less


@dataclass(frozen=True, eq=False)
class Formula:
    """A model as expressions, and their errors against it on rows that no number was fitted to.

    Errors are of the expressions as they stand, with their rounded numbers, over the inputs given,
    in units of the model's outputs.
    """

    sympy: tuple[Any, ...] = field(repr=False)
    """A sympy expression for each output. A function for which no form holds stays the spline that
    it is, such as ``phi0_1_2(x2)``: of layer 0, to output 1 from input 2."""
    names: tuple[str, ...]
    """Names of the inputs."""
    length: int
    """How many numbers were fitted: of each form a, b and c, of a spline its coefficients, and a
    constant for each output."""
    fits: tuple[SymbolicFit, ...] = field(repr=False)
    """The form of each function of the network, as it would be put there, before numbers were
    made simple; ``constant`` where the formula has no such term. They were fitted together, not
    each to its φ: their R² is NaN."""
    error: Float64
    """``(outputs,)`` root mean squares; NaN where the expression is undefined at some row."""
    largest: Float64
    """``(outputs,)`` largest errors."""
    r2: Float64
    """``(outputs,)`` share of the variance of the model's output that is explained; may be
    below 0. 1 − error²/variance."""
    held_out: Int64 = field(repr=False)
    """``(samples,)``: the rows of the data that the errors are of."""
    front: "tuple[Formula, ...]" = field(default=(), repr=False)
    """All formulas found, from short to long, each nearer to the model than those before."""
    networks: int = 1
    """How many networks were asked."""
    terms: dict[str, int] = field(default_factory=dict)
    """In the formulas of how many networks a term is, such as ``"sin of x"``; those in few are not
    to be believed."""

    @property
    def unexplained(self) -> float:
        """Share of the variance of the outputs that is not explained, the mean over them."""
        return float(np.nan_to_num(1 - self.r2, nan=1.0).mean())

    @property
    def latex(self) -> tuple[str, ...]:
        """The expression of each output in LaTeX."""
        import sympy  # type: ignore[import-untyped]

        return tuple(map(sympy.latex, self.sympy))

    @property
    def source(self) -> str:
        """The text of a function of NumPy arrays: an array for each input, and for each output."""
        import sympy
        from sympy.printing.numpy import SciPyPrinter  # type: ignore[import-untyped]

        printer = SciPyPrinter({"allow_unknown_functions": True})
        body = [f"    y{k} = {printer.doprint(term)}" for k, term in enumerate(self.sympy)]
        head = [f"import {name}" for name in sorted({"numpy", *printer.module_imports})]
        functions = {one.func for one in sympy.Tuple(*self.sympy).atoms(sympy.Function)}
        curves = {one.__name__: one._imp_ for one in functions if hasattr(one, "_imp_")}
        head += ["from scipy.interpolate import BSpline"] if curves else []
        for name, curve in sorted(curves.items()):
            head += [f"{name} = BSpline({curve.t.tolist()}, {curve.c.tolist()}, {curve.k})"]
        head += ["", "", f"def formula({', '.join(self.names)}):"]
        outputs = ", ".join(f"y{k}" for k in range(len(body)))
        return "\n".join([*head, *body, f"    return {outputs}", ""])

    def __call__(self, x: NDArray[np.floating]) -> Float64:
        """Return the values of the expressions: ``(n, inputs)`` to ``(n, outputs)``."""
        return _evaluate(self.sympy, self.names, np.asarray(x, dtype=np.float64))

    def put(self, live: "Binding") -> "tuple[Fixed, ...]":
        """Put the formula into the live network, function by function, by `fix`.

        Each is as near to its form as the layer's basis can be: see ``share`` of what is returned.
        ``live.edits.undo()`` undoes them, one after the other. Raises as `fix` does; nothing
        has changed then.
        """
        from kan_widgets.insight.formulas.projection import fix

        put: list[Fixed] = []
        try:
            put.extend(fix(live, fit) for fit in self.fits)
        except Exception:
            for _ in put:
                live.edits.undo()
            raise
        return tuple(put)

    def table(self) -> list[dict[str, Any]]:
        """Return a row for each formula of the front; ``terms``: how many networks have each."""
        return [
            {
                "length": one.length,
                "unexplained": one.unexplained,
                "chosen": one.sympy == self.sympy,
                "formula": "; ".join(map(str, one.sympy)),
                "terms": {at: f"{self.terms.get(at, 0)} of {self.networks}" for at in one.terms},
            }
            for one in self.front or (self,)
        ]

    def __str__(self) -> str:
        lines = []
        for k, expression in enumerate(self.sympy):
            lines += [
                f"y{k} = {expression}",
                f"    unexplained {1 - self.r2[k]:.2g}, root mean square error {self.error[k]:.3g} "
                f"and at most {self.largest[k]:.3g}, over {len(self.held_out):,} inputs held out",
            ]
        if self.front:
            lines += ["", *lines_of(self._rows(), [0, 1])]
        return "\n".join([*lines, *self._doubts()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(replace(self, front=())))}</pre>{table_of(self._rows())}"

    def _rows(self) -> list[Sequence[str]]:
        rows = [
            (str(row["length"]), f"{row['unexplained']:.2g}", "→ " * row["chosen"] + row["formula"])
            for row in self.table()
        ]
        return [("length", "unexplained", "formula"), *rows]

    def _doubts(self) -> list[str]:
        if self.networks == 1:
            return []
        counts = ", ".join(f"{term} in {count}" for term, count in self.terms.items())
        few = [term for term, count in self.terms.items() if 2 * count <= self.networks]
        doubt = f" Not to be believed: {', '.join(few)}." if few else ""
        return [f"Of {self.networks} networks: {counts}.{doubt}"]


def formula(
    model: nn.Module | Sequence[nn.Module],
    x: Tensor,
    *,
    names: Sequence[str] | None = None,
    forms: Iterable[Form | str] = FORMS,
    penalty: float = FORMULA_PENALTY,
    digits: int = 6,
) -> Formula:
    """Write a small network of dense KAN layers as one formula, by the error of the whole.

    The layers may be any that can be read, one after the other, with nothing between them, or
    before the first or after the last, but numbers that are multiplied or added feature by
    feature (norms in evaluation mode, biases): that is checked on the data. The model is run once
    in evaluation mode, without gradients. A model with multiplication nodes is refused.

    The network becomes a chain of splines, and units are taken out as long as the others can make
    up for them. Then each function gets a form, or goes, the best move first: after each of them
    all numbers that are left are fitted to the output at once (greedy, as in arXiv:2603.15250).
    Forms chosen early are then looked at again, and what was found is made shorter, number by
    number. A quarter of the rows is held out: it decides which formulas are on the front. Whole
    numbers, simple fractions and multiples of π stand where the error there does not rise.

    Where forms do not hold, splines are kept, for some functions or all. Chosen is the shortest
    whose log2(unexplained + 1e-8) + ``penalty``·length is within 1 of the least, of those that
    leave 1 % at most unexplained, or the nearest if none does; any other is in ``front``.

    Parameters
    ----------
    model
        The network; or several, trained alike: the formula is then that of the best, and ``terms``
        says in how many of them each term is.
    x
        ``(n, inputs)``: the data that the formula is for.
    names
        Of the inputs; by default x0, x1 and so on.
    forms
        As for `symbolic`.
    penalty
        What a number costs, 0 or more.
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
    >>> found.sympy[0]
    8*u + 8*v + 17
    """
    import sympy

    if isinstance(model, Sequence) and not isinstance(model, nn.Module):
        formulas = [
            formula(one, x, names=names, forms=forms, penalty=penalty, digits=digits)
            for one in model
        ]
        best = min(formulas, key=lambda one: formula_score(one.unexplained, one.length, penalty))
        counted = Counter(term for one in formulas for term in one.terms)
        return replace(best, networks=len(formulas), terms=dict(counted.most_common()))
    if not isinstance(x, Tensor):
        raise TypeError(f"x of type {type(x).__name__}: expected a tensor (n, inputs)")
    if x.ndim != 2 or len(x) < 2:
        raise ValueError(f"x of shape {tuple(x.shape)}: expected (n, inputs) with n ≥ 2")
    called = tuple(f"x{i}" for i in range(x.shape[1])) if names is None else tuple(names)
    if len({*called}) != x.shape[1] or not all(map(str.isidentifier, called)):
        raise ValueError(f"names={names!r:.80}: expected {x.shape[1]} different names")
    library = chosen_forms(forms)
    network = SplineNetwork(model, x)
    count = len(network.chain.terms)
    if count > _MAX_FUNCTIONS:
        raise ValueError(
            f"{type(model).__name__} has {count:,} functions: a formula of more than "
            f"{_MAX_FUNCTIONS} tells nobody anything; symbolic(layer, observed) lists forms"
        )
    data, y = network.x, network.y
    rows = np.random.default_rng(0).permutation(len(data))
    held, fitted = np.sort(rows[: max(1, len(rows) // 4)]), np.sort(rows[len(rows) // 4 :])
    show, steps = progress_line("formula", 2.0), [0, 40 + 4 * count]

    def step() -> None:
        steps[0] = min(steps[0] + 1, steps[1] - 1)
        show(*steps)

    search = Search(data[fitted], y[fitted], data[held], y[held], library, penalty, step)
    symbols, y = [sympy.Symbol(name) for name in called], y[held]
    front = []
    for chain in search.front(network.chain):
        terms = sorted(
            f"{term.form.name if term.form else 'spline'} of {'a sum' if layer else called[i]}"
            for (layer, _, i), term in chain.terms.items()
        )
        exact = search.snapped(chain.symbolic(symbols), symbols)
        expressions = tuple(_rounded(expression, digits) for expression in exact)
        rest = _evaluate(expressions, called, data[held]) - y
        error = np.sqrt(np.square(rest).mean(axis=0))
        spread = np.maximum(y.var(axis=0), 1e-24 * np.square(y).mean() + 1e-300)
        written = Formula(
            expressions,
            called,
            chain.length,
            tuple(network.fits(chain)),
            error,
            np.abs(rest).max(axis=0),
            1 - np.square(error) / spread,
            held,
            terms=dict.fromkeys(terms, 1),
        )
        front.append(written)
    show(steps[1], steps[1])
    holds = [one for one in front if one.unexplained <= _HOLDS] or front[-1:]
    scores = [formula_score(one.unexplained, one.length, penalty) for one in holds]
    chosen = next(one for one, score in zip(holds, scores, strict=True) if score <= min(scores) + 1)
    return replace(chosen, front=tuple(front))


def _rounded(expression: Any, digits: int) -> Any:
    import sympy

    numbers = sympy.sympify(expression).atoms(sympy.Float)
    return sympy.sympify(expression).xreplace(
        {n: sympy.Float(f"{float(n):.{digits}g}") for n in numbers}
    )


def _evaluate(expressions: tuple[Any, ...], names: tuple[str, ...], x: Float64) -> Float64:
    import sympy

    values = lambdified([sympy.Symbol(name) for name in names], list(expressions))(*x.T)
    return np.stack([np.broadcast_to(np.asarray(v, float), len(x)) for v in values], axis=1)
