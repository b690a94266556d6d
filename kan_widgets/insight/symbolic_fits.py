"""What symbolic forms were found: of one function, and of a layer as a table."""

from __future__ import annotations

import bisect
import html
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.functions.printed import lines_of, table_of
from kan_widgets.insight.forms import CONSTANT, Form
from kan_widgets.insight.tables import Float64, place_in

LEAST = 0.9
"""R² below which no form fits."""
FEWEST = 32
"""Images (rows) below which forms are not to be relied on."""
LEVEL = 0.05
"""Share of untrained functions that may have a form which is taken for no chance."""
_ROWS = 20
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
    """Inputs of the function that it rests on."""
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


@dataclass(frozen=True, eq=False)
class SymbolicFits:
    """The best forms of every function of a layer; shows as a table.

    The best form of a function need not fit it: see `fitted`. And one that fits need not come from
    training: see `beyond_chance`.
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
    found: dict[int, list[SymbolicFit]] = field(repr=False)
    """The forms of each function searched, the best first, by its number, row-major over (out, in,
    kh, kw); none where φ is not finite."""
    untrained: tuple[SymbolicFit | None, ...] | None = field(repr=False, default=None)
    """The best form of functions of untrained networks, each; ``None`` where no such networks were
    given."""

    def __len__(self) -> int:
        return math.prod(self.shape)

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
        place = place_in(self.layer, self.shape, index)
        return list(self.found.get(int(np.ravel_multi_index(place, self.shape)), ()))

    @property
    def fitted(self) -> NDArray[np.bool_]:
        """``(functions,)``: whether the best form fits, with R² ``least`` or more.

        True for a constant, False where φ is not finite.
        """
        return self._told(lambda fit: fit.fits)

    @property
    def beyond_chance(self) -> NDArray[np.bool_]:
        """``(functions,)``: whether form and R² are such as untrained functions hardly have.

        For each function it is counted how many untrained ones have its form with its R² or more.
        Where that is so few that at most 5 % of the untrained functions are as rare among their
        own, True: so it is by chance of about one function in twenty. It takes some 300 untrained
        functions, more than twenty for each form, to tell; all False where no untrained
        networks were given.
        """
        if self.untrained is None:
            return np.zeros(len(self), dtype=bool)
        count = len(self.untrained)
        rarity = sorted(
            self._as_good(fit) if fit is not None and fit.fits else count for fit in self.untrained
        )

        def is_rare(fit: SymbolicFit) -> bool:
            as_rare = bisect.bisect_right(rarity, 1 + self._as_good(fit))
            return fit.fits and (1 + as_rare) / (1 + count) <= LEVEL

        return self._told(is_rare)

    def share_of_untrained(self, fit: SymbolicFit) -> float:
        """Return how many of the untrained functions are as like a form as this one, 0 to 1."""
        return self._as_good(fit) / max(1, len(self.untrained or ()))

    def _told(self, of: Callable[[SymbolicFit], bool]) -> NDArray[np.bool_]:
        told = np.zeros(len(self), dtype=bool)
        for number, ranks in self.found.items():
            told[number] = bool(ranks) and of(ranks[0])
        return told

    def _as_good(self, fit: SymbolicFit) -> int:
        """Count the untrained functions that have the same form with as large an R²."""
        ascending = self._untrained_r2.get(fit.form, [])
        return len(ascending) - bisect.bisect_left(ascending, _known(fit.r2))

    @cached_property
    def _untrained_r2(self) -> dict[Form, list[float]]:
        """The R² of the untrained functions that each form fits, ascending."""
        found: dict[Form, list[float]] = {}
        for fit in self.untrained or ():
            if fit is not None and fit.fits:
                found.setdefault(fit.form, []).append(_known(fit.r2))
        return {form: sorted(values) for form, values in found.items()}

    @property
    def too_few(self) -> bool:
        """Whether there are so few images that their forms are not to be relied on."""
        return self.samples < FEWEST

    def best(self) -> list[SymbolicFit]:
        """Return the best form of every function that one fits."""
        return [fit for _, fit in self._best() if fit.fits]

    def _best(self) -> list[tuple[int, SymbolicFit]]:
        return [(number, ranks[0]) for number, ranks in sorted(self.found.items()) if ranks]

    def near_ties(self, index: Sequence[int]) -> list[SymbolicFit]:
        """Return the forms, of those kept, that are about as good as the best; raises as `at`."""
        return [fit for fit in self.at(index) if fit.tied]

    def counts(self) -> dict[str, int]:
        """Return how many functions each form is the best of, the commonest first.

        Last those that ``"no form fits"``, where there are any.
        """
        counted = Counter(fit.form.name for fit in self.best())
        order = {form.name: -counted[form.name] for form in self.forms if counted[form.name]}
        found = {name: counted[name] for name in sorted(order, key=lambda name: order[name])}
        none = len(self._best()) - counted.total()
        return found | {NO_FORM: none} if none else found

    def __str__(self) -> str:
        tables = [*lines_of(_summary(self), range(1, 6)), "", *lines_of(_functions(self), (2, 6))]
        return "\n".join([_header(self), "", *tables, *self._more()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        words = [f"<p>{html.escape(text)}</p>" for text in (_header(self), *self._more())]
        return "".join([words[0], table_of(_summary(self)), table_of(_functions(self)), *words[1:]])

    def _more(self) -> list[str]:
        rest = len(self) - _ROWS
        return [f"and {rest:,} more: at(index), best()"] if rest > 0 else []


def _known(r2: float) -> float:
    """Return R², 1 for a constant."""
    return 1.0 if math.isnan(r2) else r2


def _header(fits: SymbolicFits) -> str:
    words = (
        f"{fits.layer}: {len(fits):,} functions, {fits.patches:,} inputs each of "
        f"{fits.samples:,} samples; penalty {fits.penalty:g}; no form fits below R² "
        f"{fits.least:g}."
    )
    if fits.untrained is None:
        words += (
            " Functions that were never trained may fit a form as well: how many do, untrained="
            "untrained_networks(make, observe) counts."
        )
    else:
        named = sum(fit is not None and fit.fits for fit in fits.untrained)
        words += (
            f" A form fits {named:,} of {len(fits.untrained):,} untrained functions as well; "
            f"{fits.beyond_chance.sum():,} of these {len(fits):,} have form and R² as at most "
            f"{100 * LEVEL:g} % of the untrained do."
        )
    if fits.too_few:
        words += f" Too few samples to rely on: {FEWEST} or more are needed."
    return words


def _summary(fits: SymbolicFits) -> list[Sequence[str]]:
    """Return a row for each form: how many functions it is the best of, and how good."""
    rows: list[Sequence[str]] = [
        ("best form", "functions", "share", "untrained", "median R²", "least R²")
    ]

    def name_of(fit: SymbolicFit | None) -> str:
        return NO_FORM if fit is None or not fit.fits else fit.form.name

    for name, count in fits.counts().items():
        beside, cells = "–", ["–", "–"]
        if fits.untrained is not None:
            share = sum(name_of(fit) == name for fit in fits.untrained) / len(fits.untrained)
            beside = f"{100 * share:.1f} %"
        if name != CONSTANT.name:
            mine = [fit for _, fit in fits._best() if name_of(fit) == name]
            mine.sort(key=lambda fit: fit.r2)
            cells = [r2_text(fit.r2, fit.error) for fit in (mine[len(mine) // 2], mine[0])]
        rows.append((name, f"{count:,}", f"{100 * count / len(fits):.1f} %", beside, *cells))
    return rows


def _functions(fits: SymbolicFits) -> list[Sequence[str]]:
    """Return a row for each of the first functions."""
    rows: list[Sequence[str]] = [
        ("function", "φ(x) ≈", "R²", "inputs", "holds on", "next best", "its R²", "near ties")
    ]
    for number in range(min(_ROWS, len(fits))):
        index = tuple(int(i) for i in np.unravel_index(number, fits.shape))
        out, in_, row, column = index
        place = f"{out},{in_}" if fits.shape[2:] == (1, 1) else f"{out},{in_} {row},{column}"
        found = fits.at(index)
        if not found:
            rows.append((place, "not finite", *["–"] * 6))
            continue
        best, other = found[0], found[1] if len(found) > 1 else None
        rows.append(
            (
                place,
                str(best) if best.fits else f"{NO_FORM}: best {best}",
                r2_text(best.r2, best.error),
                interval(best.low, best.high),
                "nowhere" if best.holds is None else interval(*best.holds),
                "" if other is None else other.form.name,
                "" if other is None else r2_text(other.r2, other.error),
                ", ".join(fit.form.name for fit in found if fit.tied),
            )
        )
    return rows
