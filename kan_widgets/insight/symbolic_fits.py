"""What symbolic forms were found: of one function, and of a layer as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.insight import symbolic_table
from kan_widgets.insight.forms import Form
from kan_widgets.insight.symbolic_words import NO_FORM, affine, interval, r2_text, written
from kan_widgets.insight.tables import Float64, Int64

Index = tuple[int, int, int, int]

LEAST = 0.9
"""R² below which no form fits."""


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

    def __call__(self, x: NDArray[np.floating]) -> Float64:
        """Return the form at x: ``(...)`` to ``(...)``; NaN where it is not defined."""
        u = self.b * np.asarray(x, dtype=np.float64) + self.c
        return self.a * self.form(u) + self.d

    def __str__(self) -> str:
        """Return the form with its numbers, such as ``0.412·exp(1.2·x) − 0.3``."""
        return written(self)

    def __repr__(self) -> str:
        out, in_, row, column = self.index
        holds = "nowhere" if self.holds is None else interval(*self.holds)
        return (
            f"φ of {self.layer} {out},{in_} {row},{column} ≈ {self}: "
            f"{self.quality()} on {interval(self.low, self.high)} ({self.samples:,} samples), "
            f"holds on {holds}"
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


@dataclass(frozen=True, eq=False)
class SymbolicFits:
    """The best forms of every function of a layer; shows as a table.

    Functions are numbered row-major over (out, in, kh, kw). Ranks go from the best form, 0. The
    best form of a function need not fit it: see `fitted`.
    """

    layer: str
    shape: tuple[int, int, int, int]
    forms: tuple[Form, ...]
    """What was tried; last the constant, which functions without spread get."""
    penalty: float
    least: float
    """R² below which no form fits."""
    samples: int
    """Images (rows) that all rests on."""
    patches: int
    """Inputs of each function that it rests on."""
    form: Int64 = field(repr=False)
    """``(functions, ranks)``: number in ``forms``; −1 where there is none."""
    parameters: Float64 = field(repr=False)
    """``(functions, ranks, 4)``: a, b, c and d."""
    r2: Float64 = field(repr=False)
    """``(functions, ranks)``, see `SymbolicFit`."""
    error: Float64 = field(repr=False)
    """``(functions, ranks)``: standard error of R²."""
    tied: NDArray[np.bool_] = field(repr=False)
    """``(functions, ranks)``, see `SymbolicFit`."""
    agrees: Float64 = field(repr=False)
    """``(functions,)``: 1 where two halves of the images, searched anew, name the same form, or
    both none; 0 where not. NaN where that says nothing: for a constant, of a single image, and, of
    layers of more than 2,048 functions, but for so many, evenly."""
    score: Float64 = field(repr=False)
    """``(functions, ranks)``, see `SymbolicFit`: ascending, but for the first, which may be the
    simplest of those within one standard error of the lowest."""
    observed: Float64 = field(repr=False)
    """``(functions, 2)``: the least and the largest input seen."""
    holds: Float64 = field(repr=False)
    """``(functions, 2)``: where the best form holds; NaN where nowhere."""

    def __len__(self) -> int:
        return len(self.form)

    def at(self, index: Sequence[int]) -> list[SymbolicFit]:
        """Return the forms of one function, the best first, whether they fit or not.

        Parameters
        ----------
        index
            (out, in, row, column); (out, in) will do for a linear layer.

        Raises
        ------
        IndexError
            If there is no such function.
        """
        place = tuple(int(i) for i in index)
        place = (*place, 0, 0) if len(place) == 2 and self.shape[2:] == (1, 1) else place
        inside = len(place) == 4 and all(0 <= i < n for i, n in zip(place, self.shape, strict=True))
        if not inside:
            raise IndexError(
                f"index={tuple(index)}: {self.layer} has {' × '.join(map(str, self.shape))}"
            )
        number = int(np.ravel_multi_index(place, self.shape))
        ranks = np.flatnonzero(self.form[number] >= 0)
        return [self._fit(number, int(rank)) for rank in ranks]

    @property
    def fitted(self) -> NDArray[np.bool_]:
        """``(functions,)``: whether the best form fits, with R² ``least`` or more.

        True for a constant, False where φ is not finite.
        """
        constant = self.form[:, 0] == len(self.forms) - 1
        found: NDArray[np.bool_] = constant | (self.r2[:, 0] >= self.least)
        return found

    @property
    def agreement(self) -> float:
        """Share of the functions, constants aside, of which two halves of the images say the same.

        Each half has half the images, so two batches as large as the whole agree more often.
        """
        known = self.agrees[np.isfinite(self.agrees)]
        return float(known.mean()) if len(known) else math.nan

    def named(self) -> Int64:
        """Return the number in ``forms`` of the form that fits each function, −1 where none."""
        found: Int64 = np.where(self.fitted, self.form[:, 0], -1)
        return found

    @property
    def too_few(self) -> bool:
        """Whether there are so few images that their forms are not to be relied on."""
        return self.samples < symbolic_table.FEWEST

    def best(self) -> list[SymbolicFit]:
        """Return the best form of every function that one fits."""
        return [self._fit(int(f), 0) for f in np.flatnonzero(self.fitted)]

    def near_ties(self, index: Sequence[int]) -> list[SymbolicFit]:
        """Return the forms, of those kept, that are about as good as the best; raises as `at`."""
        return [fit for fit in self.at(index) if fit.tied]

    def counts(self) -> dict[str, int]:
        """Return how many functions each form is the best of, the commonest first.

        Last those that ``"no form fits"``, where there are any.
        """
        counts = np.bincount(self.form[:, 0][self.fitted], minlength=len(self.forms))
        order = np.argsort(-counts, kind="stable")
        found = {self.forms[k].name: int(counts[k]) for k in order if counts[k]}
        none = int((~self.fitted & (self.form[:, 0] >= 0)).sum())
        return found | {NO_FORM: none} if none else found

    def __str__(self) -> str:
        return symbolic_table.text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return symbolic_table.page(self)

    def _fit(self, number: int, rank: int) -> SymbolicFit:
        out, in_, row, column = (int(i) for i in np.unravel_index(number, self.shape))
        a, b, c, d = (float(value) for value in self.parameters[number, rank])
        low, high = (float(value) for value in self.observed[number])
        begin, end = (float(value) for value in self.holds[number])
        held = None if rank or math.isnan(begin) else (begin, end)
        return SymbolicFit(
            self.layer,
            (out, in_, row, column),
            self.forms[self.form[number, rank]],
            a,
            b,
            c,
            d,
            float(self.r2[number, rank]),
            float(self.error[number, rank]),
            bool(self.tied[number, rank]),
            None if math.isnan(self.agrees[number]) else bool(self.agrees[number]),
            not self.r2[number, rank] < self.least,
            float(self.score[number, rank]),
            low,
            high,
            held,
            self.samples,
            self.patches,
        )
