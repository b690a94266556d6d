"""Numbers as the views print them, worked out here by Python's own formatting."""

from __future__ import annotations


def printed(value: float) -> str:
    """Return a finite number in at most three significant digits, as a person writes it."""
    size = abs(value)
    if size and not 1e-4 <= size < 1e5:
        digits, power = f"{size:.2e}".split("e")
        text = f"{digits.rstrip('0').rstrip('.')}e{int(power):+d}"
    else:
        text = f"{float(f'{size:.3g}'):f}".rstrip("0").rstrip(".")
    return f"−{text}" if value < 0 else text
