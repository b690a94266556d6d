"""Shapes that a function may have: f in a·f(b·x + c) + d."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kan_widgets.insight.tables import Float64, silu

Shape = Callable[[Float64], Float64]
Tidy = Callable[[Float64, Float64], tuple[Float64, Float64]]

_STEP = 1e-5


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

    >>> import numpy as np
    >>> from kan_widgets.insight import FORMS, Form
    >>> softplus = Form("softplus", lambda u: np.logaddexp(0, u), "log(1 + exp({}))")
    >>> softplus.complexity
    4.0
    >>> len([*FORMS, softplus]) == len(FORMS) + 1
    True
    """

    name: str
    function: Shape = field(repr=False)
    """f of an array; NaN where it is not defined."""
    text: str = field(default="", repr=False)
    """How it is written, ``{}`` in place of its argument; by default ``name({})``."""
    derivative: Shape | None = field(default=None, repr=False)
    """f′; by default differences of f."""
    symbol: Callable[[Any, Any], Any] | None = field(default=None, repr=False)
    """``symbol(sympy, u)`` returns f(u) in sympy; by default an undefined function."""
    scale: bool = field(default=True, repr=False)
    """Whether b is fitted; otherwise it stays as in ``starts``."""
    shift: bool = field(default=True, repr=False)
    """Whether c is fitted; otherwise it stays as in ``starts``."""
    starts: Float64 = field(default_factory=lambda: _USUAL, repr=False)
    """``(n, 2)`` pairs (b, c) that are tried, see the function `starts`."""
    jumps: bool = field(default=False, repr=False)
    """Whether f jumps where its argument is 0, and has no slope to follow."""
    complexity: float = 0.0
    """What it costs; by default how many of a, b, c, d are fitted."""
    tidy: Tidy | None = field(default=None, repr=False)
    """Turns (b, c) into one of those that only change a and d."""

    def __post_init__(self) -> None:
        if not self.complexity:
            object.__setattr__(self, "complexity", 2.0 + self.scale + self.shift)
        if not self.text:
            object.__setattr__(self, "text", f"{self.name}({{}})")
        pairs = np.asarray(self.starts, dtype=np.float64)
        if pairs.ndim != 2 or pairs.shape[1] != 2 or not len(pairs):
            raise ValueError(f"starts: expected (n, 2), pairs of b and c, got shape {pairs.shape}")
        object.__setattr__(self, "starts", pairs)

    def __call__(self, u: Float64) -> Float64:
        """f(u); NaN where it is not defined."""
        with np.errstate(all="ignore"):
            return np.asarray(self.function(np.asarray(u, dtype=np.float64)), dtype=np.float64)

    def slope(self, u: Float64) -> Float64:
        """f′(u)."""
        with np.errstate(all="ignore"):
            if self.derivative is not None:
                return np.asarray(self.derivative(u), dtype=np.float64)
            step = _STEP * np.maximum(1.0, np.abs(u))
            return (self(u + step) - self(u - step)) / (2 * step)

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


def _silu_slope(u: Float64) -> Float64:
    s = 1 / (1 + np.exp(-u))
    return s * (1 + u * (1 - s))


_ONE = [1.0]
_SIGNS = [-1.0, 1.0]
_WITHIN = np.linspace(-0.98, 0.98, 50)
# Where a pole may lie: not between the inputs.
_BEYOND = 1 + np.geomspace(1e-3, 10.0, 40)
_POLES = np.concatenate([-_BEYOND, _BEYOND])
_EDGES = np.concatenate([-_BEYOND, [-1.0, 1.0], _BEYOND])
_BENDS = np.concatenate([-np.geomspace(0.1, 20.0, 40), np.geomspace(0.1, 20.0, 40)])

FORMS: tuple[Form, ...] = (
    Form(
        "line",
        lambda u: u,
        "{}",
        np.ones_like,
        lambda _, u: u,
        scale=False,
        shift=False,
        starts=starts(_ONE, [0.0]),
        tidy=lambda b, c: (np.ones_like(b), np.zeros_like(c)),
    ),
    Form(
        "square",
        np.square,
        "({})²",
        lambda u: 2 * u,
        lambda _, u: u**2,
        scale=False,
        starts=starts(_ONE, np.linspace(-3, 3, 61)),
        tidy=_unit,
    ),
    Form(
        "cube",
        lambda u: u**3,
        "({})³",
        lambda u: 3 * u**2,
        lambda _, u: u**3,
        scale=False,
        starts=starts(_ONE, np.linspace(-3, 3, 61)),
        tidy=_unit,
    ),
    Form(
        "absolute",
        np.abs,
        "|{}|",
        np.sign,
        lambda sympy, u: sympy.Abs(u),
        scale=False,
        starts=starts(_ONE, _WITHIN),
        tidy=_unit,
    ),
    Form(
        "ReLU",
        lambda u: np.maximum(u, 0.0),
        "relu({})",
        lambda u: (u > 0).astype(np.float64),
        lambda sympy, u: sympy.Max(u, 0),
        scale=False,
        starts=starts(_SIGNS, _WITHIN),
        tidy=_unit,
    ),
    Form(
        "SiLU",
        silu,
        "silu({})",
        _silu_slope,
        lambda sympy, u: u / (1 + sympy.exp(-u)),
    ),
    Form(
        "exp",
        np.exp,
        derivative=np.exp,
        symbol=lambda sympy, u: sympy.exp(u),
        shift=False,
        starts=starts(_BENDS, [0.0]),
        tidy=_unshifted,
    ),
    Form(
        "log",
        np.log,
        derivative=lambda u: 1 / u,
        symbol=lambda sympy, u: sympy.log(u),
        scale=False,
        starts=starts(_SIGNS, _POLES),
        tidy=_unit,
    ),
    Form(
        "sqrt",
        np.sqrt,
        derivative=lambda u: 0.5 / np.sqrt(u),
        symbol=lambda sympy, u: sympy.sqrt(u),
        scale=False,
        starts=starts(_SIGNS, _EDGES),
        tidy=_unit,
    ),
    Form(
        "sin",
        np.sin,
        derivative=np.cos,
        symbol=lambda sympy, u: sympy.sin(u),
        starts=np.array([(b, c) for b in np.linspace(0.5, 16, 63) for c in np.arange(8) / 8 * 3.2]),
        tidy=_one_turn,
    ),
    Form(
        "tanh",
        np.tanh,
        derivative=lambda u: 1 - np.tanh(u) ** 2,
        symbol=lambda sympy, u: sympy.tanh(u),
        starts=starts(_SCALES, _PLACES),
    ),
    Form(
        "Gaussian",
        lambda u: np.exp(-(u**2)),
        "exp(−({})²)",
        lambda u: -2 * u * np.exp(-(u**2)),
        lambda sympy, u: sympy.exp(-(u**2)),
        starts=starts(_SCALES, _PLACES),
    ),
    Form(
        "step",
        lambda u: (u > 0).astype(np.float64),
        derivative=np.zeros_like,
        symbol=lambda sympy, u: sympy.Heaviside(u),
        scale=False,
        # Between the points at which functions are compared.
        starts=starts(_ONE, (np.arange(128) + 0.5) / 64 - 1),
        jumps=True,
        tidy=_unit,
    ),
    Form(
        "reciprocal",
        lambda u: 1 / u,
        "1/({})",
        lambda u: -1 / u**2,
        lambda _, u: 1 / u,
        scale=False,
        starts=starts(_ONE, _POLES),
        tidy=_unit,
    ),
)
"""The library: line, square, cube, absolute value, ReLU, SiLU, exp, log, sqrt, sin, tanh,
Gaussian, step and reciprocal. Those with a pole are fitted with the pole beyond the inputs."""

CONSTANT = Form(
    "constant",
    np.zeros_like,
    "0",
    np.zeros_like,
    lambda _, u: 0 * u,
    scale=False,
    shift=False,
    starts=starts(_ONE, [0.0]),
    complexity=1.0,
)
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
