"""Round ranges and their text."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from kan_widgets.widgets.ranges import format_number, format_range, nice_ceil

ROUND = [Fraction(n, 10) for n in (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)]


def nearest_round_from_above(m: Fraction) -> Fraction:
    """Search all round numbers there are, in exact arithmetic."""
    powers = range(-20, 20)
    return min(r * Fraction(10) ** k for k in powers for r in ROUND if r * Fraction(10) ** k >= m)


@pytest.mark.parametrize("m", [1.0, 1.01, 1.2, 1.3, 1.9, 2.1, 2.6, 3.5, 4.5, 5.5, 7.0, 9.0, 9.999])
@pytest.mark.parametrize("power", [-7, -3, 0, 1, 5])
def test_nice_ceil_is_the_nearest_round_number_above(m: float, power: int) -> None:
    given = float(f"{m}e{power}")
    # The decimal text of the answer is compared: 0.3 itself is no binary fraction.
    found = Fraction(repr(nice_ceil(given)))
    assert found == nearest_round_from_above(Fraction(repr(given)))


@pytest.mark.parametrize("m", [0.1, 0.3, 0.6, 1.2, 0.0015, 2.5e-7, 1e22])
def test_a_round_number_stays_as_it_is(m: float) -> None:
    assert nice_ceil(m) == m


def test_nice_ceil_is_never_below_what_it_is_given() -> None:
    values = np.exp(np.random.default_rng(1).uniform(-690, 690, 4000))
    found = np.array([nice_ceil(v) for v in values.tolist()])
    assert (found >= values).all()
    assert (found <= values * 1.34).all()


@pytest.mark.parametrize("m", [5e-324, 2.3e-308, 1.79e308])
def test_the_ends_of_what_a_float_holds_are_covered(m: float) -> None:
    assert m <= nice_ceil(m) < math.inf


@pytest.mark.parametrize("m", [0.0, -1.0, math.nan, math.inf])
def test_without_a_positive_finite_number_the_axis_is_that_of_one(m: float) -> None:
    assert nice_ceil(m) == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (10.0, "10"),
        (100.0, "100"),
        (0.0031, "0.0031"),
        (-0.25, "−0.25"),
        (0.12345, "0.123"),
        (12.345, "12.3"),
        (999.6, "1000"),
        (12345.0, "12300"),
        (0.0001, "0.0001"),
        (0.00009999, "1e-4"),
        (0.00009, "9e-5"),
        (0.000012, "1.2e-5"),
        (1.2e-7, "1.2e-7"),
        (123456.0, "1.23e+5"),
        (99999.0, "100000"),
        (5e-324, "4.94e-324"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "NaN"),
    ],
)
def test_numbers_read_as_a_person_writes_them(value: float, text: str) -> None:
    assert format_number(value) == text


def test_no_other_number_reads_as_zero_and_none_is_far_from_its_text() -> None:
    values = np.exp(np.random.default_rng(2).uniform(-700, 700, 4000)).tolist()
    texts = [format_number(v) for v in values]
    np.testing.assert_allclose([float(t.replace("−", "-")) for t in texts], values, rtol=0.0051)
    assert max(map(len, texts)) <= 9


def test_a_range_carries_its_sign() -> None:
    assert format_range(0.0031) == "±0.0031"
