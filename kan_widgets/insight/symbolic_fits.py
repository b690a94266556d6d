"""What symbolic forms were found: of one function, and of a layer as a table."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.insight.forms import CONSTANT, Form
from kan_widgets.insight.tables import Float64, Int64

Index = tuple[int, int, int, int]

_ROWS = 20


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
        holds = "nowhere" if self.holds is None else _interval(*self.holds)
        return (
            f"φ of {self.layer} {out},{in_} {row},{column} ≈ {self}: R² {r2_text(self.r2)} on "
            f"{_interval(self.low, self.high)} ({self.samples:,} samples), holds on {holds}"
        )

    def symbolic(self, sympy: Any, x: Any) -> Any:
        """Return the form of a sympy expression; ``sympy`` is the module."""
        u = _affine(self.b, x, self.c)
        make = self.form.symbol
        shape = sympy.Function(self.form.name)(u) if make is None else make(sympy, u)
        return _affine(self.a, shape, self.d)


@dataclass(frozen=True, eq=False)
class SymbolicFits:
    """The best forms of every function of a layer; shows as a table.

    Functions are numbered row-major over (out, in, kh, kw). Ranks go from the best form, 0.
    """

    layer: str
    shape: tuple[int, int, int, int]
    forms: tuple[Form, ...]
    """What was tried; last the constant, which functions without spread get."""
    penalty: float
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
    score: Float64 = field(repr=False)
    """``(functions, ranks)``, ascending, see `SymbolicFit`."""
    observed: Float64 = field(repr=False)
    """``(functions, 2)``: the least and the largest input seen."""
    holds: Float64 = field(repr=False)
    """``(functions, 2)``: where the best form holds; NaN where nowhere."""

    def __len__(self) -> int:
        return len(self.form)

    def at(self, index: Sequence[int]) -> list[SymbolicFit]:
        """Return the forms of one function, the best first.

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

    def best(self) -> list[SymbolicFit]:
        """Return the best form of every function that has one."""
        return [self._fit(int(f), 0) for f in np.flatnonzero(self.form[:, 0] >= 0)]

    def counts(self) -> dict[str, int]:
        """Return how many functions each form is the best of, the commonest first."""
        found = self.form[:, 0][self.form[:, 0] >= 0]
        counts = np.bincount(found, minlength=len(self.forms))
        order = np.argsort(-counts, kind="stable")
        return {self.forms[k].name: int(counts[k]) for k in order if counts[k]}

    def __str__(self) -> str:
        lines = [_header(self), "", *_lines(_summary(self), (1, 2, 3, 4)), ""]
        lines += _lines(_functions(self), (2, 6))
        return "\n".join([*lines, more] if (more := _more(self)) else lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = [f"<p>{html.escape(_header(self))}</p>", _table(_summary(self))]
        parts.append(_table(_functions(self)))
        return "".join([*parts, f"<p>{more}</p>"] if (more := _more(self)) else parts)

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
            float(self.score[number, rank]),
            low,
            high,
            held,
            self.samples,
            self.patches,
        )


def written(fit: SymbolicFit, digits: int = 3) -> str:
    """Return a form with its numbers, rounded to some digits."""
    if fit.form is CONSTANT or fit.a == 0:
        return _number(fit.d, digits)
    moved = fit.form.scale or fit.form.shift
    inner = _sum(_times(fit.b, "x", digits), fit.c, digits) if moved else "x"
    simple = fit.form.text.startswith("(") and inner == "x"
    shape = fit.form.text.replace("({})", "x") if simple else fit.form.text.format(inner)
    return _sum(_times(fit.a, shape, digits), fit.d, digits)


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}g}".replace("-", "−")


def _affine(factor: float, what: Any, constant: float) -> Any:
    """Return factor·what + constant, without a factor 1 and a constant 0."""
    scaled = what if factor == 1 else -what if factor == -1 else factor * what
    return scaled + constant if constant else scaled


def _times(factor: float, what: str, digits: int) -> str:
    if factor in (1.0, -1.0):
        return what if factor > 0 else f"−{what}"
    return f"{_number(factor, digits)}·{what}"


def _sum(first: str, second: float, digits: int) -> str:
    if not second:
        return first
    return f"{first} {'−' if second < 0 else '+'} {_number(abs(second), digits)}"


def _interval(low: float, high: float) -> str:
    return f"{_number(low, 3)} … {_number(high, 3)}"


def r2_text(value: float) -> str:
    """Return R² in print: never 1 where it is less."""
    if math.isnan(value):
        return "–"
    return f"{math.floor(value * 1e4) / 1e4:.4f}".replace("-", "−")


def _header(fits: SymbolicFits) -> str:
    return (
        f"{fits.layer}: {len(fits):,} functions, {fits.patches:,} inputs each of "
        f"{fits.samples:,} samples; penalty {fits.penalty:g}"
    )


def _summary(fits: SymbolicFits) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("best form", "functions", "share", "median R²", "least R²")]
    names = {form.name: k for k, form in enumerate(fits.forms)}
    for name, count in fits.counts().items():
        r2 = fits.r2[:, 0][fits.form[:, 0] == names[name]]
        known = name != CONSTANT.name
        rows.append(
            (
                name,
                f"{count:,}",
                f"{100 * count / len(fits):.1f} %",
                r2_text(float(np.median(r2))) if known else "–",
                r2_text(float(r2.min())) if known else "–",
            )
        )
    return rows


def _functions(fits: SymbolicFits) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        ("function", "φ(x) ≈", "R²", "inputs", "holds on", "next best", "its R²")
    ]
    columns = 7 if fits.form.shape[1] > 1 else 5
    for number in range(min(_ROWS, len(fits))):
        out, in_, row, column = (int(i) for i in np.unravel_index(number, fits.shape))
        place = f"{out},{in_}" if fits.shape[2:] == (1, 1) else f"{out},{in_} {row},{column}"
        found = fits.at((out, in_, row, column))
        if not found:
            rows.append((place, "not finite", "–", "–", "–", "–", "–"))
            continue
        best, other = found[0], found[1] if len(found) > 1 else None
        rows.append(
            (
                place,
                str(best),
                r2_text(best.r2),
                _interval(best.low, best.high),
                "nowhere" if best.holds is None else _interval(*best.holds),
                "" if other is None else other.form.name,
                "" if other is None else r2_text(other.r2),
            )
        )
    return [row[:columns] for row in rows]


def _lines(rows: list[tuple[str, ...]], right: tuple[int, ...]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if k in right else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _table(rows: list[tuple[str, ...]]) -> str:
    head, *body = [[html.escape(cell) for cell in row] for row in rows]
    inner = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in body)
    return f"<table><tr><th>{'</th><th>'.join(head)}</th></tr>{inner}</table>"


def _more(fits: SymbolicFits) -> str:
    rest = len(fits) - _ROWS
    return f"and {rest:,} more: at(index), best()" if rest > 0 else ""
