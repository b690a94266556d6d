"""What symbolic forms were found: of one function, and of a layer as a table."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kan_widgets.functions.printed import lines_of, table_of
from kan_widgets.insight.forms import CONSTANT, Form
from kan_widgets.insight.symbolic_fit import NO_FORM, SymbolicFit, interval, r2_text
from kan_widgets.insight.tables import Float64, Int64, place_in

LEAST = 0.9
"""R² below which no form fits."""
FEWEST = 32
"""Images (rows) below which forms are not to be relied on."""
LEVEL = 0.05
"""Share of untrained functions that may have a form which is taken for no chance."""
_ROWS = 20


@dataclass(frozen=True, eq=False)
class SymbolicFits:
    """The best forms of every function of a layer; shows as a table.

    Functions are numbered row-major over (out, in, kh, kw). Ranks go from the best form, 0. The
    best form of a function need not fit it: see `fitted`. And one that fits need not come from
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
    untrained: tuple[Int64, Float64] | None = field(repr=False, default=None)
    """Of functions of untrained networks: number in ``forms`` of the form that fits, −1 where none,
    and the R² of the best; ``None`` where no such networks were given."""

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
        place = place_in(self.layer, self.shape, index)
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

        Each half has half the images, so two batches as large as the whole agree more often. It
        says how much a name depends on the batch, not whether untrained functions have it as well.
        """
        known = self.agrees[np.isfinite(self.agrees)]
        return float(known.mean()) if len(known) else math.nan

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
        names, r2 = self.untrained
        own = 1 + self._as_good(self.named(), self.r2[:, 0])
        theirs = np.where(names < 0, len(names), self._as_good(names, r2))
        as_rare = np.searchsorted(np.sort(theirs), own, side="right")
        found: NDArray[np.bool_] = self.fitted & ((1 + as_rare) / (1 + len(names)) <= LEVEL)
        return found

    def _as_good(self, form: Int64, r2: Float64) -> Int64:
        """Count the untrained functions that have the same form with as large an R²."""
        assert self.untrained is not None
        names, theirs = self.untrained[0], np.nan_to_num(self.untrained[1], nan=1.0)
        found = np.zeros(len(form), dtype=np.int64)
        for k in np.unique(names[names >= 0]):
            ascending, mine = np.sort(theirs[names == k]), form == k
            below = np.searchsorted(ascending, np.nan_to_num(r2[mine], nan=1.0))
            found[mine] = len(ascending) - below
        return found

    def named(self) -> Int64:
        """Return the number in ``forms`` of the form that fits each function, −1 where none."""
        found: Int64 = np.where(self.fitted, self.form[:, 0], -1)
        return found

    @property
    def too_few(self) -> bool:
        """Whether there are so few images that their forms are not to be relied on."""
        return self.samples < FEWEST

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
        tables = [*lines_of(_summary(self), range(1, 7)), "", *lines_of(_functions(self), (2, 7))]
        return "\n".join([_header(self), "", *tables, *self._more()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        words = [f"<p>{html.escape(text)}</p>" for text in (_header(self), *self._more())]
        return "".join([words[0], table_of(_summary(self)), table_of(_functions(self)), *words[1:]])

    def _more(self) -> list[str]:
        rest = len(self) - _ROWS
        return [f"and {rest:,} more: at(index), best()"] if rest > 0 else []

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
            self._share_of_untrained(number, rank),
        )

    def _share_of_untrained(self, number: int, rank: int) -> float | None:
        """Return how many of the untrained functions are as like a form as this one, 0 to 1."""
        if self.untrained is None:
            return None
        one = slice(number, number + 1)
        found = self._as_good(self.form[one, rank], self.r2[one, rank])
        return float(found[0] / len(self.untrained[0]))


def _header(fits: SymbolicFits) -> str:
    words = (
        f"{fits.layer}: {len(fits):,} functions, {fits.patches:,} inputs each of "
        f"{fits.samples:,} samples; penalty {fits.penalty:g}; no form fits below R² "
        f"{fits.least:g}."
    )
    if not math.isnan(fits.agreement):
        words += (
            f" Two halves of the samples name the same form for {100 * fits.agreement:.0f} % of "
            "the functions."
        )
    if fits.untrained is None:
        words += (
            " Functions that were never trained may fit a form as well: how many do, untrained="
            "untrained_networks(make, observe) counts."
        )
    else:
        names = fits.untrained[0]
        words += (
            f" A form fits {(names >= 0).sum():,} of {len(names):,} untrained functions as well; "
            f"{fits.beyond_chance.sum():,} of these {len(fits):,} have form and R² as at most "
            f"{100 * LEVEL:g} % of the untrained do."
        )
    if fits.too_few:
        words += f" Too few samples to rely on: {FEWEST} or more are needed."
    return words


def _summary(fits: SymbolicFits) -> list[Sequence[str]]:
    """Return a row for each form: how many functions it is the best of, and how good."""
    rows: list[Sequence[str]] = [
        ("best form", "functions", "share", "untrained", "median R²", "least R²", "halves agree")
    ]
    numbers = {form.name: k for k, form in enumerate(fits.forms)} | {NO_FORM: -1}
    for name, count in fits.counts().items():
        mine = np.flatnonzero((fits.named() == numbers[name]) & (fits.form[:, 0] >= 0))
        beside, cells = "–", ["–", "–", "–"]
        if fits.untrained is not None:
            beside = f"{100 * (fits.untrained[0] == numbers[name]).mean():.1f} %"
        if name != CONSTANT.name:
            ascending = mine[np.argsort(fits.r2[mine, 0])]
            shown = ascending[[len(ascending) // 2, 0]]
            agree = fits.agrees[mine][np.isfinite(fits.agrees[mine])]
            cells = [*(r2_text(fits.r2[k, 0], fits.error[k, 0]) for k in shown)]
            cells.append(f"{100 * agree.mean():.0f} %" if len(agree) else "–")
        rows.append((name, f"{count:,}", f"{100 * count / len(fits):.1f} %", beside, *cells))
    return rows


def _functions(fits: SymbolicFits) -> list[Sequence[str]]:
    """Return a row for each of the first functions."""
    head = ("function", "φ(x) ≈", "R²", "halves", "inputs", "holds on")
    rows: list[Sequence[str]] = [(*head, "next best", "its R²", "near ties")]
    for number in range(min(_ROWS, len(fits))):
        index = tuple(int(i) for i in np.unravel_index(number, fits.shape))
        out, in_, row, column = index
        place = f"{out},{in_}" if fits.shape[2:] == (1, 1) else f"{out},{in_} {row},{column}"
        found = fits.at(index)
        if not found:
            rows.append((place, "not finite", *["–"] * 7))
            continue
        best, other = found[0], found[1] if len(found) > 1 else None
        rows.append(
            (
                place,
                str(best) if best.fits else f"{NO_FORM}: best {best}",
                r2_text(best.r2, best.error),
                {None: "–", True: "agree", False: "differ"}[best.agrees],
                interval(best.low, best.high),
                "nowhere" if best.holds is None else interval(*best.holds),
                "" if other is None else other.form.name,
                "" if other is None else r2_text(other.r2, other.error),
                ", ".join(fit.form.name for fit in found if fit.tied),
            )
        )
    return rows if fits.form.shape[1] > 1 else [row[: len(head)] for row in rows]
