"""Bases against independent references: scipy, and closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import special
from scipy.interpolate import BSpline

from kan_widgets.functions import (
    Gaussian,
    Gram,
    GridSpline,
    IdentityBasis,
    Jacobi,
    LayerBasis,
    LayerFunctions,
    NoFunctions,
    ReflectionalSwitch,
    SquaredReLU,
)
from kan_widgets.nn import Chebyshev, Fourier, KANLinear
from kan_widgets.nn.bases.basis import check_basis

X = torch.linspace(-3, 3, 601, dtype=torch.float64)
KNOTS = (-2.0, -1.9, -1.0, -0.5, 0.4, 0.5, 1.5, 1.6, 2.5)
COINCIDING = (-1.0, -1.0, -1.0, -1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0)
BASES = [
    GridSpline(KNOTS, 3),
    GridSpline(COINCIDING, 3),
    GridSpline(KNOTS, 0),
    Gaussian((-1.0, 0.0, 2.0), 0.7),
    ReflectionalSwitch((-1.0, 0.5)),
    SquaredReLU((-0.5, 0.0), (0.5, 1.0), 4.0),
    Chebyshev(4),
    Gram((0.3, -0.2)),
    Jacobi(3),
    Fourier(3, constant=False),
]
READ = [
    *map(LayerBasis, BASES),
    LayerBasis(GridSpline(KNOTS, 2), "silu"),
    LayerBasis(NoFunctions(), "relu"),
    IdentityBasis(),
]


@pytest.mark.parametrize("order", [0, 1, 2, 3, 4])
def test_splines_on_uneven_knots_are_scipys(order):
    values = GridSpline(KNOTS, order).expand(X).numpy()
    for b in range(len(KNOTS) - order - 1):
        element = BSpline.basis_element(KNOTS[b : b + order + 2], extrapolate=False)
        inside = (X.numpy() >= KNOTS[b]) & (X.numpy() < KNOTS[b + order + 1])
        expected = np.where(inside, np.nan_to_num(element(X.numpy())), 0)
        np.testing.assert_allclose(values[:, b], expected, atol=1e-12)


def test_coinciding_knots_give_finite_splines_that_still_sum_to_one():
    basis = GridSpline(COINCIDING, 3)
    x = torch.linspace(-1, 0.999, 50, dtype=torch.float64)
    torch.testing.assert_close(basis.expand(x).sum(-1), torch.ones(50, dtype=torch.float64))


def test_a_spline_is_discontinuous_at_order_zero_and_where_too_many_knots_coincide():
    assert GridSpline(KNOTS, 1).continuous
    assert not GridSpline(KNOTS, 0).continuous
    assert not GridSpline((0.0, 1.0, 1.0, 1.0, 2.0), 2).continuous


def test_knots_computed_in_single_precision_end_at_round_numbers():
    grid = torch.arange(-3, 9) * 0.4 - 1
    basis = GridSpline(tuple(grid.tolist()), 3)
    assert basis.domain == (-1.0, 1.0)
    assert basis.extent == (-2.2, 2.2)


@pytest.mark.parametrize(
    ("knots", "message"),
    [
        ((0.0, 1.0), "2 knots: expected at least 5 for splines of order 3"),
        ((0.0, 1.0, float("nan"), 2.0, 3.0), "expected finite numbers"),
        ((0.0, 2.0, 1.0, 3.0, 4.0), "expected rising numbers"),
    ],
)
def test_knots_that_carry_no_spline_are_refused(knots, message):
    with pytest.raises(ValueError, match=message):
        GridSpline(knots, 3)


def test_polynomials_are_scipys_of_tanh():
    t = np.tanh(X.numpy())
    for n in range(5):
        np.testing.assert_allclose(
            Chebyshev(4).expand(X)[:, n], special.eval_chebyt(n, t), atol=1e-12
        )
        expected = special.eval_jacobi(n, 0.5, 2.0, t)
        np.testing.assert_allclose(Jacobi(4, 0.5, 2.0).expand(X)[:, n], expected, atol=1e-12)
    # With these shifts the Gram recurrence makes the monic Legendre polynomials.
    shifts = tuple(n * n / (4 * n * n - 1) for n in (1, 2, 3))
    values = Gram(shifts, "identity").expand(X)
    for n in range(5):
        monic = special.eval_legendre(n, t) / special.comb(2 * n, n) * 2**n
        np.testing.assert_allclose(values[:, n], monic, atol=1e-12)


@pytest.mark.parametrize("basis", READ, ids=str)
def test_whatever_is_read_is_hashable_compared_by_value_and_fits_its_labels(basis):
    values = basis(X[1:].reshape(3, 200))
    assert values.shape == (3, 200, len(basis.labels))
    assert values.dtype == torch.float64
    assert len(basis.is_base) == len(basis.labels) == len(set(basis.labels))
    low, high = basis.domain
    first, last = basis.extent
    assert first <= low < high <= last
    again = replace(basis)
    assert again == basis
    assert hash(again) == hash(basis)
    assert bool(basis(torch.tensor([float("nan")])).isnan().any())


@pytest.mark.parametrize("basis", BASES, ids=str)
def test_a_layer_can_train_on_every_basis_that_is_read(basis):
    check_basis(basis)
    torch.manual_seed(0)
    layer = KANLinear(2, 3, basis=basis, dtype=torch.float64)
    torch.nn.init.normal_(layer.spline_weight)
    x = torch.randn(7, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, x)
    assert torch.autograd.gradgradcheck(layer, x)


def test_a_basis_without_a_word_on_its_base_term_is_refused_and_the_remedy_said():
    with pytest.raises(
        TypeError, match=r"bases of type Fourier: expected a LayerBasis; give LayerBasis\(Fourier"
    ):
        LayerFunctions("linear", torch.zeros(2, 3, 7), (Fourier(3),))  # type: ignore[arg-type]
