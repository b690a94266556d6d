"""Numbers as they are printed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kan_widgets.widgets.numbers import format_number


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
