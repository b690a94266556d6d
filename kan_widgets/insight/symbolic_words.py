"""Forms and their R² in print."""

from __future__ import annotations

import math
from typing import Any

from kan_widgets.insight.forms import CONSTANT, Form

NO_FORM = "no form fits"
"""What functions are counted as whose best form has too low an R²."""


def written(form: Form, a: float, b: float, c: float, d: float, digits: int = 3) -> str:
    """Return a·form(b·x + c) + d with its numbers, rounded to some digits."""
    if form is CONSTANT or a == 0:
        return _number(d, digits)
    moved = form.scale or form.shift
    inner = _sum(_times(b, "x", digits), c, digits) if moved else "x"
    simple = form.text.startswith("(") and inner == "x"
    shape = form.text.replace("({})", "x") if simple else form.text.format(inner)
    return _sum(_times(a, shape, digits), d, digits)


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}g}".replace("-", "−")


def affine(factor: float, what: Any, constant: float) -> Any:
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


def interval(low: float, high: float) -> str:
    """Return an interval in print."""
    return f"{_number(low, 3)} … {_number(high, 3)}"


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
