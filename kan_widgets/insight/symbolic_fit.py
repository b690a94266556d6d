"""One symbolic form of one function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.insight.forms import Form
from kan_widgets.insight.symbolic_words import NO_FORM, affine, interval, r2_text, written
from kan_widgets.insight.tables import Float64

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
        return written(self.form, self.a, self.b, self.c, self.d)

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

    def symbolic(self, sympy: Any, x: Any) -> Any:
        """Return the form of a sympy expression; ``sympy`` is the module."""
        u = affine(self.b, x, self.c)
        make = self.form.symbol
        shape = sympy.Function(self.form.name)(u) if make is None else make(sympy, u)
        return affine(self.a, shape, self.d)
