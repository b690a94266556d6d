"""Shapes that a function may have: f in a·f(b·x + c) + d."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from kan_widgets.insight.tables import Float64

Tidy = Callable[[Float64, Float64], tuple[Float64, Float64]]


def starts(scales: Iterable[float], places: Iterable[float]) -> Float64:
    """Return pairs (b, c) to start from, ``(n, 2)``: every b with c = −b·place.

    They are for an x that runs from −1 to 1: what is searched is scaled to that. A place is
    where b·x + c is 0.

    Examples
    --------
    >>> starts([1.0, 2.0], [0.5]).tolist()
    [[1.0, -0.5], [2.0, -1.0]]
    """
    b, place = np.meshgrid(np.array([*scales], float), np.array([*places], float), indexing="ij")
    return np.stack([b.ravel(), -(b * place).ravel()], axis=1)


_SCALES = np.geomspace(0.3, 30.0, 16)
_PLACES = np.linspace(-1.5, 1.5, 31)
_USUAL = starts([*-_SCALES, *_SCALES], _PLACES)


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
    """Whether b is fitted; otherwise it stays as in ``starts``."""
    shift: bool = field(default=True, repr=False)
    """Whether c is fitted; otherwise it stays as in ``starts``."""
    starts: Float64 = field(default_factory=lambda: _USUAL, repr=False)
    """``(n, 2)`` pairs (b, c) that are tried, see the function `starts`."""
    tidy: Tidy | None = field(default=None, repr=False)
    """Turns (b, c) into one of those that only change a and d."""

    def __post_init__(self) -> None:
        if not self.text:
            object.__setattr__(self, "text", f"{self.name}({{}})")
        pairs = np.asarray(self.starts, dtype=np.float64)
        if pairs.ndim != 2 or pairs.shape[1] != 2 or not len(pairs):
            raise ValueError(f"starts: expected (n, 2), pairs of b and c, got shape {pairs.shape}")
        object.__setattr__(self, "starts", pairs)

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
            found = sympy.sympify(self.formula, locals={"u": u})
        except (sympy.SympifyError, TypeError):
            found = None
        if not isinstance(found, sympy.Expr) or len(found.free_symbols) > 1:
            raise ValueError(
                f"formula: expected an expression of u, such as 'log(1 + exp(u))', got "
                f"{self.formula!r:.80}"
            )
        return found.subs(dict.fromkeys(found.free_symbols, argument))

    @cached_property
    def _compiled(self) -> tuple[Callable[[Float64], Any], bool]:
        """Return f for arrays, and whether f jumps."""
        import sympy

        u = sympy.Symbol("u", real=True)
        made = self.of(u)
        return sympy.lambdify(u, made, ["scipy", "numpy"]), made.has(sympy.Heaviside)

    def __call__(self, u: Float64) -> Float64:
        """f(u); NaN where it is not defined."""
        u = np.asarray(u, dtype=np.float64)
        with np.errstate(all="ignore"):
            found = self._compiled[0](u)
        return np.array(np.broadcast_to(found, u.shape), dtype=np.float64)

    @property
    def jumps(self) -> bool:
        """Whether f jumps where its argument is 0, and has no slope to follow."""
        return self._compiled[1]

    def tidied(self, b: Float64, c: Float64) -> tuple[Float64, Float64]:
        """Return b and c as they are written."""
        return (b, c) if self.tidy is None else self.tidy(b, c)


def _unit(b: Float64, c: Float64) -> tuple[Float64, Float64]:
    """Make the size of b 1: f(k·u) is a multiple of f(u), or f(u) and a constant, for k > 0."""
    return np.sign(b), c / np.abs(b)


def _unshifted(b: Float64, c: Float64) -> tuple[Float64, Float64]:
    """Make c 0, unless a would become huge: exp(u + c) is a multiple of exp(u)."""
    return b, np.where(np.abs(c) < 20, 0.0, c)


def _one_turn(b: Float64, c: Float64) -> tuple[Float64, Float64]:
    """Put c between −π/2 and π/2: half a turn more changes the sign of a."""
    return b, (c + np.pi / 2) % np.pi - np.pi / 2


def _bare(b: Float64, c: Float64) -> tuple[Float64, Float64]:
    return np.ones_like(b), np.zeros_like(c)


_ONE = [1.0]
_SIGNS = [-1.0, 1.0]
_WITHIN = np.linspace(-0.98, 0.98, 50)
# Where a pole may lie: not between the inputs.
_BEYOND = 1 + np.geomspace(1e-3, 10.0, 40)
_POLES = np.concatenate([-_BEYOND, _BEYOND])
_EDGES = np.concatenate([-_BEYOND, [-1.0, 1.0], _BEYOND])
_BENDS = np.concatenate([-np.geomspace(0.1, 20.0, 40), np.geomspace(0.1, 20.0, 40)])
_VERTICES = starts(_ONE, np.linspace(-3, 3, 61))
_STEEP = starts(_SCALES, _PLACES)
_WAVES = np.array([(b, c) for b in np.linspace(0.5, 16, 63) for c in np.arange(8) / 8 * 3.2])
# Between the points at which functions are compared.
_JUMPS = starts(_ONE, (np.arange(128) + 0.5) / 64 - 1)

FORMS: tuple[Form, ...] = (
    Form("line", "u", "{}", scale=False, shift=False, starts=starts(_ONE, [0.0]), tidy=_bare),
    Form("square", "u**2", "({})²", scale=False, starts=_VERTICES, tidy=_unit),
    Form("cube", "u**3", "({})³", scale=False, starts=_VERTICES, tidy=_unit),
    Form("absolute", "Abs(u)", "|{}|", scale=False, starts=starts(_ONE, _WITHIN), tidy=_unit),
    Form("ReLU", "Max(u, 0)", "relu({})", scale=False, starts=starts(_SIGNS, _WITHIN), tidy=_unit),
    Form("SiLU", "u/(1 + exp(-u))", "silu({})"),
    Form("exp", "exp(u)", shift=False, starts=starts(_BENDS, [0.0]), tidy=_unshifted),
    Form("log", "log(u)", scale=False, starts=starts(_SIGNS, _POLES), tidy=_unit),
    Form("sqrt", "sqrt(u)", scale=False, starts=starts(_SIGNS, _EDGES), tidy=_unit),
    Form("sin", "sin(u)", starts=_WAVES, tidy=_one_turn),
    Form("tanh", "tanh(u)", starts=_STEEP),
    Form("Gaussian", "exp(-u**2)", "exp(−({})²)", starts=_STEEP),
    Form("step", "Heaviside(u, 0)", scale=False, starts=_JUMPS, tidy=_unit),
    Form("reciprocal", "1/u", "1/({})", scale=False, starts=starts(_ONE, _POLES), tidy=_unit),
)
"""The library: line, square, cube, absolute value, ReLU, SiLU, exp, log, sqrt, sin, tanh,
Gaussian, step and reciprocal. Those with a pole are fitted with the pole beyond the inputs."""

CONSTANT = Form("constant", "0", "0", scale=False, shift=False)
"""What a function without any spread is; not searched for."""


def chosen_forms(forms: Iterable[Form | str]) -> tuple[Form, ...]:
    """Return forms given by themselves or by their names in the library.

    Raises
    ------
    TypeError
        If something else is given.
    ValueError
        If there is no such name, a name occurs twice, or there is none.
    """
    known = {form.name: form for form in FORMS}
    found = []
    for given in [forms] if isinstance(forms, (str, Form)) else forms:
        if isinstance(given, str):
            if given not in known:
                raise ValueError(
                    f"forms: expected some of {', '.join(map(repr, known))}, got {given!r}"
                )
            found.append(known[given])
        elif isinstance(given, Form):
            found.append(given)
        else:
            raise TypeError(f"forms: expected names of the library or Forms, got {given!r:.80}")
    names = [form.name for form in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice or not names:
        why = f"{', '.join(sorted(twice))} more than once" if twice else "none is given"
        raise ValueError(f"forms: {why}")
    return tuple(found)
