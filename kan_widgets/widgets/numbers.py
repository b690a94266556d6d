"""Numbers as they are printed; ``js/src/phi/format.ts`` follows the same rules."""

from __future__ import annotations

import math

DIGITS = 3
SMALLEST_PLAIN, LARGEST_PLAIN = 1e-4, 1e5


def format_number(value: float) -> str:
    """Return a number in at most three significant digits; ``"0"`` only for zero itself.

    Examples
    --------
    >>> [format_number(v) for v in (0.0031, -12.345, 1e-7, 250000.0, 0.0)]
    ['0.0031', '−12.3', '1e-7', '2.5e+5', '0']
    """
    if value == 0:
        return "0"
    if math.isnan(value):
        return "NaN"
    sign, size = "−" if value < 0 else "", abs(value)
    if math.isinf(size):
        return f"{sign}∞"
    digits, _, power = f"{size:.{DIGITS - 1}e}".partition("e")
    exponent = int(power)
    if SMALLEST_PLAIN <= size < LARGEST_PLAIN:
        text = f"{float(f'{digits}e{power}'):.{max(0, DIGITS - 1 - exponent)}f}"
        return sign + (text.rstrip("0").rstrip(".") if "." in text else text)
    way = "-" if exponent < 0 else "+"
    return f"{sign}{digits.rstrip('0').rstrip('.')}e{way}{abs(exponent)}"
