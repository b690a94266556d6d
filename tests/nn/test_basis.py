"""BSpline against SciPy."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from kan_widgets.nn import BSpline
from tests.nn.reference import probing_values, scipy_basis

GRIDS = [(1, (-1.0, 1.0)), (4, (0.0, 1.0)), (8, (-3.0, 1.0)), (32, (-1.0, 1.0))]


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize(("grid_size", "grid_range"), GRIDS)
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float32, 5e-6), (torch.float64, 1e-12), (torch.float16, 5e-4), (torch.bfloat16, 4e-3)],
)
def test_values_equal_scipys(order, grid_size, grid_range, dtype, tolerance):
    x = probing_values((400,), grid_size, order, grid_range, seed=order)
    x = torch.from_numpy(x).to(dtype)
    ours = BSpline(grid_size, order, grid_range).expand(x)
    theirs = scipy_basis(x.double().numpy(), grid_size, order, grid_range)
    assert ours.dtype == dtype
    assert ours.shape == (400, grid_size + order)
    np.testing.assert_allclose(ours.double(), theirs, rtol=0, atol=tolerance)


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize(("grid_size", "grid_range"), GRIDS)
def test_derivatives_equal_scipys(order, grid_size, grid_range):
    x = probing_values((400,), grid_size, order, grid_range, seed=order).astype(np.float64)
    ours = BSpline(grid_size, order, grid_range).derivative(torch.from_numpy(x))
    theirs = scipy_basis(x, grid_size, order, grid_range, derivative=1) if order else 0 * ours
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("order", range(1, 6))
def test_gradients_of_the_expansion(order):
    basis = BSpline(4, order, (-1.0, 1.0))
    x = torch.linspace(-2.03, 2.04, 23, dtype=torch.float64, requires_grad=True)
    assert gradcheck(basis.expand, x)
    assert gradgradcheck(basis.expand, x)
    slopes = torch.func.vmap(torch.func.jacrev(basis.expand))(x)
    torch.testing.assert_close(slopes, basis.derivative(x))


def test_functions_sum_to_one_on_the_closed_grid_range():
    for order in range(6):
        x = torch.linspace(-1, 1, 101, dtype=torch.float64)
        torch.testing.assert_close(BSpline(5, order).expand(x).sum(-1), torch.ones_like(x))


def test_everything_is_zero_from_the_end_of_the_support_on():
    for order in range(1, 6):
        basis = BSpline(5, order)
        lo, hi = basis.support
        x = torch.tensor([-torch.inf, -1e30, -7, lo, hi, 7, 1e30, torch.inf], dtype=torch.float64)
        assert basis.expand(x).abs().max() < 1e-12
        assert basis.derivative(x).abs().max() <= (1e-9 if order > 1 else 2.5 + 1e-9)
        assert not basis.expand(x[[0, 1, 2, -3, -2, -1]]).any()


def test_order_zero_intervals_hold_their_left_ends_and_the_last_both():
    x = torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0, 1.0000001])
    owner = BSpline(4, 0).expand(x)
    assert owner[:5].argmax(-1).tolist() == [0, 1, 2, 3, 3]
    assert owner.sum(-1).tolist() == [1, 1, 1, 1, 1, 0]


@pytest.mark.parametrize("order", range(6))
def test_nan_stays_nan(order):
    x = torch.tensor([0.1, torch.nan])
    for values in (BSpline(5, order).expand(x), BSpline(5, order).derivative(x)):
        assert values[0].isfinite().all()
        assert values[1].isnan().all()


def test_knots_reach_spline_order_steps_beyond_the_grid():
    basis = BSpline(5, 3, (-1, 1))
    assert basis.n_basis == 8
    assert basis.step == pytest.approx(0.4)
    assert basis.knots == pytest.approx(np.linspace(-2.2, 2.2, 12))
    assert basis.support == pytest.approx((-2.2, 2.2))
    assert basis.knots[3] == -1
    assert basis.knots[-4] == 1


def test_equal_arguments_make_equal_hashable_bases():
    assert BSpline(5, 3, (-1, 1)) == BSpline()
    assert hash(BSpline(5, 3, [-1, 1])) == hash(BSpline())
    assert BSpline(6) != BSpline()
    assert pickle.loads(pickle.dumps(BSpline(7, 2))) == BSpline(7, 2)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"grid_size": 0}, ValueError, "grid_size=0: expected a whole number ≥ 1"),
        ({"grid_size": 2.5}, TypeError, "grid_size=2.5: expected a whole number ≥ 1"),
        ({"grid_size": True}, TypeError, "grid_size=True: expected a whole number ≥ 1"),
        (
            {"spline_order": 6},
            ValueError,
            "spline_order=6: expected a whole number from 0 to 5",
        ),
        (
            {"spline_order": -1},
            ValueError,
            "spline_order=-1: expected a whole number from 0 to 5",
        ),
        (
            {"grid_range": (1, -1)},
            ValueError,
            r"grid_range=\(1.0, -1.0\): expected .*; swap the two ends",
        ),
        ({"grid_range": (1, 1)}, ValueError, "lo < hi"),
        ({"grid_range": (0, float("inf"))}, ValueError, "expected finite numbers"),
        ({"grid_range": 3}, TypeError, "two numbers"),
        ({"grid_range": (1, 2, 3)}, TypeError, "two numbers"),
    ],
)
def test_wrong_arguments_say_what_is_accepted(arguments, error, words):
    with pytest.raises(error, match=words):
        BSpline(**arguments)


def test_integer_input_is_refused():
    with pytest.raises(
        TypeError,
        match=r"input of type torch.int64: expected a floating.*; give x.float\(\)",
    ):
        BSpline().expand(torch.arange(3))
