"""Shapes that a function may have: f in a·f(b·x + c) + d."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from kan_widgets.arrays import Float64

_SCALES = np.geomspace(0.3, 30.0, 16)
_PLACES = np.linspace(-1.5, 1.5, 31)
# For forms without a scale; at a step of 1/64 they lie between the inputs that are compared.
_POLES_WITHIN = (np.arange(128) + 0.5) / 64 - 1
_POLES_BEYOND = 1 + np.geomspace(1e-3, 10.0, 40)
_FREQUENCIES, _PHASES = np.linspace(0.5, 16, 63), np.arange(8) / 8
# From a shift of this size on, taking it out of exp would make a huge.
_MAX_SHIFT = 20


@dataclass(frozen=True, eq=False)
class Form:
    """One shape f: what is fitted is a·f(b·x + c) + d.

    Examples
    --------
    One of your own, beside those there are:

    >>> from kan_widgets.insight import FORMS, Form
    >>> softplus = Form("softplus", "log(1 + exp(u))", "log(1 + exp({}))")
    >>> float(softplus(0.0)), softplus.complexity
    (0.6931471805599453, 4)
    >>> len([*FORMS, softplus]) == len(FORMS) + 1
    True
    """

    name: str
    formula: Any = field(repr=False)
    """f(u) in sympy's language, or a sympy expression of one symbol."""
    text: str = field(default="", repr=False)
    """How it is written, ``{}`` in place of its argument; by default ``name({})``."""
    scale: bool = field(default=True, repr=False)
    """False where f(k·u) is a multiple of f(u), or f(u) and a constant, for k > 0: b is ±1."""
    shift: bool = field(default=True, repr=False)
    """False where f(u + k) is a multiple of f(u), or f(u) and a constant: c is 0."""
    half_turn: float = field(default=0.0, repr=False)
    """Where f is a wave, how far it is until f changes its sign."""

    @property
    def complexity(self) -> int:
        """How many of a, b, c, d are fitted: what the form costs."""
        return 2 + self.scale + self.shift

    def of(self, argument: Any) -> Any:
        """Return f of a sympy expression, as a sympy expression.

        Raises
        ------
        ValueError
            If ``formula`` is no expression of one variable.
        """
        import sympy  # type: ignore[import-untyped]

        u = sympy.Symbol("u", real=True)
        try:
            expression = sympy.sympify(self.formula, locals={"u": u})
        except (sympy.SympifyError, TypeError):
            expression = None
        if not isinstance(expression, sympy.Expr) or len(expression.free_symbols) > 1:
            raise ValueError(
                f"formula={self.formula!r:.80}: expected an expression of u, such as 'log(1 + "
                "exp(u))'"
            )
        return expression.subs(dict.fromkeys(expression.free_symbols, argument))

    def with_numbers(self, x: Any, a: float, b: float, c: float, d: float = 0.0) -> Any:
        """Return a·f(b·x + c) + d of a sympy expression; 0, 1 and −1 are not written."""
        a, b, c, d = (int(number) if number in (0, 1, -1) else number for number in (a, b, c, d))
        return a * self.of(b * x + c) + d

    @cached_property
    def _computed(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        import sympy

        u = sympy.Symbol("u", real=True)
        value = self.of(u)
        slope = value.diff(u).replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))
        slope = slope.replace(sympy.Derivative, lambda *_: sympy.nan)  # of what has no formula
        return lambdified(u, value), lambdified(u, slope)

    def __call__(self, u: Float64) -> Float64:
        """f(u); NaN where it is not defined."""
        return _everywhere(self._computed[0], u)

    def slope(self, u: Float64) -> Float64:
        """df/du; 0 where f jumps, NaN where it is not defined."""
        return _everywhere(self._computed[1], u)

    @cached_property
    def starts(self) -> Float64:
        """``(n, 2)``: pairs (b, c) that a search begins at, for an x that runs from −1 to 1."""
        if self.half_turn:
            scales, phases = np.meshgrid(_FREQUENCIES, self.half_turn * _PHASES, indexing="ij")
            return np.stack([scales.ravel(), phases.ravel()], axis=1)
        places = np.zeros(1)
        if self.shift:
            # A pole may not lie between the inputs.
            within = _PLACES if self.scale else _POLES_WITHIN
            within = within if np.isfinite(self(np.zeros(1))).all() else within[:0]
            beyond = within[:0] if self.scale and len(within) else _POLES_BEYOND
            places = np.concatenate([within, beyond, -beyond])
        sizes = _SCALES if self.scale else np.ones(1)
        right = np.linspace(0.1, 3, 9)
        right, left = self(right), self(-right)
        mirrored = np.allclose(right, left) or np.allclose(right + left, right[0] + left[0])
        b, place = np.meshgrid(
            sizes if mirrored else np.concatenate([sizes, -sizes]), places, indexing="ij"
        )
        return np.stack([b.ravel(), -(b * place).ravel()], axis=1)

    def tidied(self, b: float, c: float) -> tuple[float, float]:
        """Return b and c as they are written; a and d make up for what that changes."""
        if not self.scale:
            b, c = np.sign(b), c / abs(b)
        if not self.shift and (not self.scale or abs(c) < _MAX_SHIFT):
            c = 0.0
        if self.half_turn:
            c = (c + self.half_turn / 2) % self.half_turn - self.half_turn / 2
        return float(b), float(c)


def lambdified(arguments: Any, expression: Any) -> Callable[..., Any]:
    """Return a function of NumPy arrays that computes sympy expressions; NaN where undefined."""
    import sympy

    plain = sympy.lambdify(arguments, expression, ["scipy", "numpy"], cse=True)

    def compute(*values: Any) -> Any:
        with np.errstate(all="ignore"):
            return plain(*values)

    return compute


def _everywhere(function: Callable[..., Any], u: Float64) -> Float64:
    values = np.empty(np.shape(u))
    values[...] = function(np.asarray(u, dtype=np.float64))
    return values


FORMS: tuple[Form, ...] = (
    Form("line", "u", "{}", scale=False, shift=False),
    Form("square", "u**2", "({})²", scale=False),
    Form("cube", "u**3", "({})³", scale=False),
    Form("absolute", "Abs(u)", "|{}|", scale=False),
    Form("ReLU", "Max(u, 0)", "relu({})", scale=False),
    Form("SiLU", "u/(1 + exp(-u))", "silu({})"),
    Form("exp", "exp(u)", shift=False),
    Form("log", "log(u)", scale=False),
    Form("sqrt", "sqrt(u)", scale=False),
    Form("sin", "sin(u)", half_turn=np.pi),
    Form("tanh", "tanh(u)"),
    Form("Gaussian", "exp(-u**2)", "exp(−({})²)"),
    Form("reciprocal", "1/u", "1/({})", scale=False),
)
"""The library: line, square, cube, absolute value, ReLU, SiLU, exp, log, sqrt, sin, tanh,
Gaussian and reciprocal. Those with a pole are fitted with the pole beyond the inputs."""

# What a function without any spread is; not searched for.
CONSTANT = Form("constant", "0", "0", scale=False, shift=False)


def chosen_forms(forms: Iterable[Form | str]) -> tuple[Form, ...]:
    """Return forms given by themselves or by names in the library; raises as `symbolic` does."""
    by_name = {form.name: form for form in FORMS}
    chosen: dict[str, Form] = {}
    for item in [forms] if isinstance(forms, (str, Form)) else forms:
        if not isinstance(item, (str, Form)):
            raise TypeError(f"forms={item!r:.80}: expected names of the library or Forms")
        form = by_name.get(item) if isinstance(item, str) else item
        if form is None:
            raise ValueError(f"forms={item!r}: expected some of {', '.join(map(repr, by_name))}")
        if form.name in chosen:
            raise ValueError(f"forms: {form.name} more than once")
        chosen[form.name] = form
    if not chosen:
        raise ValueError("forms: none is given")
    return tuple(chosen.values())
