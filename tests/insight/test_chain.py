"""Chains of forms: computed as by hand, fitted as a whole, cleared and tidied without a change."""

from __future__ import annotations

import numpy as np
import pytest
import sympy  # type: ignore[import-untyped]
from numpy.typing import NDArray

from kan_widgets.insight.formulas.chain import Chain, Term, spline_through
from kan_widgets.insight.formulas.forms import FORMS

Array = NDArray[np.float64]
FORM = {form.name: form for form in FORMS}
X = np.random.default_rng(0).uniform(0.2, 1.5, (300, 2))


def term(name: str, *numbers: float) -> Term:
    return Term(FORM[name], np.array(numbers))


def chain(outer: str = "exp") -> Chain:
    """Return outer(sin + log) + tanh(square), of two inputs."""
    return Chain(
        {
            (0, 0, 0): term("sin", 30.0, 2.0, 0.1),
            (0, 0, 1): term("log", 7.0, 1.0, 0.5),
            (0, 1, 1): term("square", 0.5, 1.0, -0.3),
            (1, 0, 0): term(outer, 0.4, 1.0 if outer != "exp" else 0.05, 60.0 * (outer != "exp")),
            (1, 0, 1): term("tanh", 0.9, 1.5, -0.2),
        },
        (np.array([2.0, 0.3]), np.array([0.5])),
    )


def by_hand(x: Array) -> Array:
    h = 30 * np.sin(2 * x[:, 0] + 0.1) + 7 * np.log(x[:, 1] + 0.5) + 2
    g = 0.5 * (x[:, 1] - 0.3) ** 2 + 0.3
    found: Array = 0.4 * np.exp(0.05 * h) + 0.9 * np.tanh(1.5 * g - 0.2) + 0.5
    return found


def test_it_computes_what_is_written() -> None:
    [output] = chain().run(X)[0][-1].T
    assert output == pytest.approx(by_hand(X), rel=1e-12)
    x, y = sympy.symbols("x y")
    [expression] = chain().symbolic([x, y])
    computed = sympy.lambdify([x, y], expression, "numpy")(*X.T)
    assert computed == pytest.approx(by_hand(X), rel=1e-12)


def test_all_numbers_come_back_at_once_from_near_by() -> None:
    true, y = chain(), by_hand(X)[:, None]
    rng = np.random.default_rng(1)
    moved = Chain(
        {
            at: Term(one.form, one.numbers * (1 + 0.03 * rng.standard_normal(3)))
            for at, one in true.terms.items()
        },
        true.constants,
    )
    assert moved.unexplained(X, y) > 1e-4
    assert moved.fitted(X, y, 300).unexplained(X, y) < 1e-9


def test_splines_are_fitted_with_the_forms_beside_them() -> None:
    y = by_hand(X)[:, None]
    h = chain().run(X)[0][1][:, 0]
    start = chain().with_term((1, 0, 0), spline_through(h, 0.1 * h))
    assert start.splines == [(1, 0, 0)]
    assert start.unexplained(X, y) > 0.1
    assert start.fitted(X, y, 200).unexplained(X, y) < 1e-5


def test_a_spline_and_a_constant_are_not_left_large_against_each_other() -> None:
    h = chain().run(X)[0][1][:, 0]
    own = chain().with_term((1, 0, 0), spline_through(h, 0.1 * h + 1e6), -1e6)
    tidied = own.tidied()
    assert np.abs(tidied.terms[1, 0, 0].numbers).max() < 20
    assert np.abs(tidied.constants[1]).max() < 20
    assert tidied.run(X)[0][-1] == pytest.approx(own.run(X)[0][-1], abs=1e-6)


@pytest.mark.parametrize("outer", ["line", "square", "cube", "log", "sqrt", "reciprocal", "ReLU"])
def test_a_sum_is_scaled_without_a_change_where_forms_allow_it(outer: str) -> None:
    own = chain(outer)
    tidied = own.tidied()
    assert tidied.run(X)[0][-1] == pytest.approx(own.run(X)[0][-1], rel=1e-9, abs=1e-9)
    assert tidied.terms[0, 0, 0].numbers[0] == 1
    # That of tanh needs its scale.
    assert tidied.terms[0, 1, 1].numbers[0] == 0.5


def test_what_leads_nowhere_goes_with_what_it_led_to() -> None:
    own = chain()
    fewer = own.with_term((1, 0, 1), None, 0.25)
    assert sorted(fewer.terms) == [(0, 0, 0), (0, 0, 1), (1, 0, 0)]
    assert fewer.constants[1][0] == 0.75
    # A sum that has become constant goes into the next constant.
    still = own.with_term((0, 1, 1), None)
    assert (1, 0, 1) not in still.terms
    expected = by_hand(X) - 0.9 * np.tanh(1.5 * (0.5 * (X[:, 1] - 0.3) ** 2 + 0.3) - 0.2)
    expected = expected + 0.9 * np.tanh(1.5 * 0.3 - 0.2)
    assert still.run(X)[0][-1][:, 0] == pytest.approx(expected, rel=1e-12)


def test_what_is_undefined_counts_as_wrong_and_stops_no_fit() -> None:
    y = np.log(X[:, :1])
    wrong = Chain({(0, 0, 0): term("log", 1.0, 1.0, -0.5)}, (np.array([0.0]),))
    assert wrong.unexplained(X, y) > 1e3
    assert np.isfinite(wrong.fitted(X, y, 20).unexplained(X, y))


def test_a_fit_is_the_same_to_the_bit_wherever_its_arrays_lie() -> None:
    """Splines can be the same in many ways: a last bit would grow until it chose another form."""
    x = np.random.default_rng(1).uniform(-3, 3, (400, 1))
    square = np.square(x[:, 0])
    y = np.exp(-square / 2)[:, None]
    terms = {
        (0, 0, 0): spline_through(x[:, 0], square),
        (0, 1, 0): spline_through(x[:, 0], x[:, 0]),
        (1, 0, 0): spline_through(square, y[:, 0]),
        (1, 0, 1): spline_through(square, 0 * square),
    }
    start = Chain(terms, (np.zeros(2), np.zeros(1)))
    found, rng, kept = set(), np.random.default_rng(0), []
    for _ in range(40):
        kept.append(np.empty(int(rng.integers(1, 5000))))
        fit = start.fitted(x.copy(), y.copy(), 12)
        found.add(b"".join(one.numbers.tobytes() for one in fit.terms.values()))
    assert len(found) == 1
