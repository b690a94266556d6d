"""What symbolic forms were found: of one function, and of a layer as a table."""

import html
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kan_widgets.arrays import Float64
from kan_widgets.insight.formulas.forms import CONSTANT, Form
from kan_widgets.live.frames.frame import place_in_layer
from kan_widgets.printed import lines_of, table_of

# R² below which no form fits.
_MIN_R2 = 0.9
# Images (rows) below which forms are not to be relied on.
_MIN_SAMPLES = 32
_ROWS = 20
# The form counted for functions whose best form has too low an R².
NO_FORM = "no form fits"


@dataclass(frozen=True, eq=False)
class SymbolicFit:
    """One form of one function, φ(x) ≈ a·f(b·x + c) + d. Called with x, it gives the values."""

    layer: str
    index: tuple[int, int, int, int]
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
    score: float
    """log2(1 − R² + 1e-5) + penalty·complexity: forms are ranked by it, the lowest first."""
    low: float
    """Least observed input; R² says nothing below."""
    high: float
    """Largest observed input."""
    samples: int
    """Images (rows) that it rests on."""
    patches: int
    """Inputs of the function that it rests on."""
    tied: bool = False
    """Whether the form is a near tie with its function's best: within two standard errors."""

    @property
    def fits(self) -> bool:
        """Whether R² is 0.9 or more; True for a constant."""
        return not self.r2 < _MIN_R2

    def __call__(self, x: NDArray[np.floating]) -> Float64:
        """Return the form at x: ``(...)`` to ``(...)``; NaN where it is not defined."""
        u = self.b * np.asarray(x, dtype=np.float64) + self.c
        return self.a * self.form(u) + self.d

    def __str__(self) -> str:
        """Return the form with its numbers, such as ``0.412·exp(1.2·x) − 0.3``."""
        if self.form is CONSTANT or self.a == 0:
            return _number(self.d)
        inner = _affine(self.b, "x", self.c)
        text = self.form.text or f"{self.form.name}({{}})"
        if inner == "x" and text.startswith("("):
            text = text.replace("({})", "{}")
        return _affine(self.a, text.format(inner), self.d)

    def __repr__(self) -> str:
        return (
            f"φ of {self.layer} {place_text(self.index)} ≈ {self}: "
            f"{self.quality()} on {interval(self.low, self.high)} ({self.samples:,} samples)"
        )

    def quality(self) -> str:
        """Return how well the form fits, such as ``R² 0.98`` or ``no form fits: best R² 0.31``."""
        words = f"R² {r2_text(self.r2, self.error)}"
        return words if self.fits else f"{NO_FORM}: best {words}"


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _affine(factor: float, term: str, constant: float) -> str:
    """Return factor·term + constant in print."""
    scaled = {1.0: term, -1.0: f"−{term}"}.get(factor, f"{_number(factor)}·{term}")
    sign = "−" if constant < 0 else "+"
    return f"{scaled} {sign} {_number(abs(constant))}" if constant else scaled


def interval(low: float, high: float) -> str:
    """Return an interval in print."""
    return f"{_number(low)} … {_number(high)}"


def place_text(index: Sequence[int]) -> str:
    """Return (out, in, row, column) in print."""
    out, in_, row, column = index
    return f"{out},{in_} {row},{column}"


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
    training: no untrained network was asked, `untrained_networks` makes some.
    """

    layer: str
    shape: tuple[int, int, int, int]
    penalty: float
    samples: int
    """Images (rows) that all rests on."""
    patches: int
    """Inputs of each function that it rests on."""
    found: dict[int, list[SymbolicFit]] = field(repr=False)
    """The forms of each function searched, the best first, by its number, row-major over (out, in,
    kh, kw); none where φ is not finite."""

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
        place = place_in_layer(self.layer, self.shape, index)
        return list(self.found.get(int(np.ravel_multi_index(place, self.shape)), ()))

    def counts(self) -> dict[str, int]:
        """Return how many functions each form is the best of, the commonest first.

        Last those that ``"no form fits"``, where there are any.
        """
        best = [ranks[0] for ranks in self.found.values() if ranks]
        counted = Counter(fit.form.name for fit in best if fit.fits)
        none = len(best) - counted.total()
        return dict(counted.most_common()) | ({NO_FORM: none} if none else {})

    def __str__(self) -> str:
        return "\n".join([self._header(), "", *lines_of(self._rows(), [2]), *self._more()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *more = [f"<p>{html.escape(text)}</p>" for text in (self._header(), *self._more())]
        return "".join([head, table_of(self._rows()), *more])

    def _more(self) -> list[str]:
        rest = len(self.found) - _ROWS
        return [f"and {rest:,} more: at(index)"] if rest > 0 else []

    def _header(self) -> str:
        counted = ", ".join(f"{name} {count:,}" for name, count in self.counts().items())
        few = f" Too few samples to rely on: {_MIN_SAMPLES} or more are needed."
        searched = "" if len(self.found) == len(self) else f"{len(self.found):,} of "
        return (
            f"{self.layer}: {searched}{len(self):,} functions, {self.patches:,} inputs each of "
            f"{self.samples:,} samples; penalty {self.penalty:g}; no form fits below R² "
            f"{_MIN_R2:g}. {counted or 'None was finite'}. No untrained network was asked: "
            f"its functions may have such forms, too.{few if self.samples < _MIN_SAMPLES else ''}"
        )

    def _rows(self) -> list[Sequence[str]]:
        """Return the heads, and a row for each of the first functions that were searched."""
        heads = ("function", "φ(x) ≈", "R²", "inputs", "near ties")
        return [heads, *map(self._row, sorted(self.found)[:_ROWS])]

    def _row(self, number: int) -> Sequence[str]:
        place = place_text([int(i) for i in np.unravel_index(number, self.shape)])
        if self.shape[2:] == (1, 1):
            place = place.split()[0]
        if not (ranked := self.found[number]):
            return (place, "not finite", *["–"] * 3)
        best = ranked[0]
        return (
            place,
            str(best) if best.fits else f"{NO_FORM}: best {best}",
            r2_text(best.r2, best.error),
            interval(best.low, best.high),
            ", ".join(fit.form.name for fit in ranked if fit.tied),
        )
