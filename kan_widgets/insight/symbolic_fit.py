"""One symbolic form of one function."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.insight.forms import CONSTANT, Form
from kan_widgets.insight.tables import Float64

NO_FORM = "no form fits"
"""What functions are counted as whose best form has too low an R²."""

Index = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class SymbolicFit:
    """One form of one function, φ(x) ≈ a·f(b·x + c) + d. Called with x, it gives the values."""

    layer: str
    index: Index
    """(out, in, row, column)."""
    form: Form
    a: float
    b: float
    c: float
    d: float
    r2: float
    """Share of the variance of φ(x) over the observed inputs that the form explains, up to 1;
    NaN for a constant."""
    error: float
    """Standard error of R², over other images; NaN for a constant and where it is not known."""
    tied: bool
    """Whether it is a near tie with the best form of its function: within two standard errors."""
    agrees: bool | None
    """Whether two halves of the images name the same form, or both none; ``None`` for a constant
    and where that was not tried."""
    fits: bool
    """Whether R² is as large as was asked for; True for a constant."""
    score: float
    """log2(1 − R² + 1e-5) + penalty·complexity: forms are ranked by it, the lowest first."""
    low: float
    """Least observed input; R² says nothing below."""
    high: float
    """Largest observed input."""
    holds: tuple[float, float] | None
    """The interval about the median input, as far as the grid, its support and the inputs go, on
    which the form stays within 0.1 of φ's standard deviation; ``None`` if it does not hold even
    there."""
    samples: int
    """Images (rows) that it rests on."""
    patches: int
    """Inputs of the function that it rests on; R² is taken at 512 of them, evenly by rank."""
    untrained: float | None = None
    """Share of untrained functions that this form fits best, and at least as well; ``None`` where
    none were given to compare with."""

    def __call__(self, x: NDArray[np.floating]) -> Float64:
        """Return the form at x: ``(...)`` to ``(...)``; NaN where it is not defined."""
        u = self.b * np.asarray(x, dtype=np.float64) + self.c
        return self.a * self.form(u) + self.d

    def __str__(self) -> str:
        """Return the form with its numbers, such as ``0.412·exp(1.2·x) − 0.3``."""
        if self.form is CONSTANT or self.a == 0:
            return _number(self.d)
        inner = _sum(_times(self.b, "x"), self.c) if self.form.scale or self.form.shift else "x"
        text = self.form.text
        if inner == "x" and text.startswith("("):
            text = text.replace("({})", "{}")
        return _sum(_times(self.a, text.format(inner)), self.d)

    def __repr__(self) -> str:
        out, in_, row, column = self.index
        holds = "nowhere" if self.holds is None else interval(*self.holds)
        beside = ""
        if self.untrained is not None:
            beside = f"; {100 * self.untrained:.1f} % of untrained functions are as like it"
        return (
            f"φ of {self.layer} {out},{in_} {row},{column} ≈ {self}: "
            f"{self.quality()} on {interval(self.low, self.high)} ({self.samples:,} samples), "
            f"holds on {holds}{beside}"
        )

    def quality(self) -> str:
        """Return how well it fits, such as ``R² 0.98`` or ``no form fits: best R² 0.31``."""
        words = f"R² {r2_text(self.r2, self.error)}"
        return words if self.fits else f"{NO_FORM}: best {words}"

    def symbolic(self, x: Any) -> Any:
        """Return the form of a sympy expression."""

        def affine(factor: float, what: Any, constant: float) -> Any:
            scaled = what if factor == 1 else -what if factor == -1 else factor * what
            return scaled + constant if constant else scaled

        return affine(self.a, self.form.of(affine(self.b, x, self.c)), self.d)


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _times(factor: float, what: str) -> str:
    if factor in (1.0, -1.0):
        return what if factor > 0 else f"−{what}"
    return f"{_number(factor)}·{what}"


def _sum(first: str, second: float) -> str:
    return f"{first} {'−' if second < 0 else '+'} {_number(abs(second))}" if second else first


def interval(low: float, high: float) -> str:
    """Return an interval in print."""
    return f"{_number(low)} … {_number(high)}"


def r2_text(value: float, error: float) -> str:
    """Return R² in print: the digits that hold, given its standard error; never 1 where it is less.

    A digit holds where its unit is more than twice the error; one always stands.

    Examples
    --------
    >>> r2_text(0.98765, 0.003), r2_text(0.98765, 1e-6), r2_text(0.9999, 0.003)
    ('0.98', '0.9876', '0.99')
    """
    if math.isnan(value):
        return "–"
    digits = 4
    if not error == 0:  # unknown: a single digit
        digits = 1 if math.isnan(error) else max(1, min(4, math.floor(-math.log10(2 * error))))
    unit = 10**digits
    return f"{math.floor(value * unit + 1e-9) / unit:.{digits}f}".replace("-", "−")
