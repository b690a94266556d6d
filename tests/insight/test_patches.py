"""Preferred and suppressed patches, against search."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import LayerFunctions, read
from kan_widgets.functions.basis import LayerBasis
from kan_widgets.insight import Kernel, SeenPatches, kernel_of, preferred_patch
from kan_widgets.nn import BSpline

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "spline": lambda: kw.nn.KANConv2d(2, 3, 3),
    "line pieces": lambda: kw.nn.KANConv2d(1, 3, 3, spline_order=1),
    "steps": lambda: kw.nn.KANConv2d(1, 3, 2, spline_order=0),
    "fine": lambda: kw.nn.KANLinear(8, 3, grid_size=40),
    "fourier": lambda: kw.nn.KANConv2d(1, 3, 3, basis="fourier"),
    "chebyshev": lambda: kw.nn.KANConv2d(1, 3, 3, basis="chebyshev"),
    "bumps": lambda: kw.nn.KANConv2d(1, 3, 3, basis="rbf"),
    "kinked base": lambda: kw.nn.KANConv2d(1, 3, 3, base_activation="relu"),
    "plain": lambda: nn.Conv2d(2, 3, 3, bias=False),
}


def wild(name: str) -> nn.Module:
    """Return a layer with large random coefficients: functions that turn often."""
    torch.manual_seed(0)
    layer = LAYERS[name]()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_()
    return layer


def kernel(layer: nn.Module, out: int = 1) -> Kernel:
    return kernel_of(read(layer)[0], out)


@pytest.mark.parametrize("bounds", [(-1.0, 1.0), (-3.0, 2.5), (0.1, 0.13)])
@pytest.mark.parametrize("name", LAYERS)
def test_no_random_patch_beats_the_preferred_or_the_suppressed_one(
    name: str, bounds: tuple[float, float]
) -> None:
    taken = kernel(wild(name))
    best, worst = (preferred_patch(taken, bounds, suppressed=last) for last in (False, True))
    random = np.random.default_rng(1).uniform(*bounds, (4_000, len(taken.columns)))
    # Each entry adds its own term: the best of every column together is a far better search.
    terms = taken.terms(random)
    for patch, sign, searched in (
        (best, 1, terms.max(axis=0)),
        (worst, -1, terms.min(axis=0)),
    ):
        reached = patch.terms.ravel()
        assert (sign * (reached - searched) >= -1e-12).all()
        assert reached == pytest.approx(searched, abs=2e-2)
        assert patch.response == pytest.approx(taken.response(patch.x.reshape(1, -1))[0], abs=1e-12)
        assert ((patch.x >= bounds[0]) & (patch.x <= bounds[1])).all()
    assert (taken.response(random) <= best.response).all()
    assert (taken.response(random) >= worst.response).all()


def test_a_maximum_between_samples_is_found_to_machine_precision() -> None:
    # 2·T1 + 2·T3 = 8u³ − 4u of u = tanh x, which turns at u = −√(1/6).
    layer = kw.nn.KANLinear(1, 1, basis=kw.nn.Chebyshev(3))
    with torch.no_grad():
        layer.base_weight.zero_()
        layer.spline_weight.copy_(torch.tensor([0.0, 2.0, 0.0, 2.0]))
    found = preferred_patch(kernel(layer, 0), (-0.9, 0.5))
    u = -np.sqrt(1 / 6)
    assert found.response == pytest.approx(8 * u**3 - 4 * u, rel=1e-15)
    assert found.x[0, 0, 0] == pytest.approx(np.arctanh(u), abs=1e-7)


def test_of_two_almost_equal_peaks_the_higher_one_wins() -> None:
    layer = kw.nn.KANLinear(1, 1, grid_size=8)
    with torch.no_grad():
        layer.base_weight.zero_()
        layer.spline_weight.zero_()
        layer.spline_weight[0, 0, 3], layer.spline_weight[0, 0, 8] = 1.0, 1.0 + 1e-6
    taken = kernel(layer, 0)
    assert preferred_patch(taken).x[0, 0, 0] > 0
    with torch.no_grad():
        layer.spline_weight[0, 0, 3] = 1.0 + 2e-6
    assert preferred_patch(kernel(layer, 0)).x[0, 0, 0] < 0


def test_functions_with_grids_of_their_own_have_domains_of_their_own() -> None:
    torch.manual_seed(0)
    bases = tuple(LayerBasis(BSpline(grid_range=(-w, w + 1)), "silu") for w in (0.1, 1.0, 4.0))
    taken = kernel_of(
        LayerFunctions(
            "linear", torch.randn(2, 3, 9), bases, torch.tensor([[0, 1, 2], [2, 1, 0]]), "own"
        ),
        1,
    )
    found = preferred_patch(taken)
    ends = np.array([taken.domain(e) for e in range(3)])
    assert found.low.ravel().tolist() == ends[:, 0].tolist() == [-4.0, -1.0, -0.1]
    assert found.high.ravel().tolist() == ends[:, 1].tolist() == [5.0, 2.0, 1.1]
    for e, (low, high) in enumerate(ends):
        dense = taken.curve(e, np.linspace(low, high, 50_001))
        assert found.terms.ravel()[e] == pytest.approx(dense.max(), abs=1e-7)
        assert found.terms.ravel()[e] >= dense.max() - 1e-12


def test_observed_bounds_are_the_quantiles_of_each_entry() -> None:
    layer = wild("spline")
    patches = np.random.default_rng(0).normal(0, np.linspace(0.1, 2, 18), (500, 18))
    taken = kernel(layer)
    found = preferred_patch(taken, "observed", observed=SeenPatches(taken.layer, 5, patches))
    assert found.low.ravel() == pytest.approx(np.quantile(patches, 0.005, axis=0))
    assert found.high.ravel() == pytest.approx(np.quantile(patches, 0.995, axis=0))
    assert "0.5 % to 99.5 %" in found.bounds


def test_an_entry_whose_function_is_flat_says_so() -> None:
    layer = nn.Conv2d(1, 1, (1, 3), bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[[[1.0, 0.0, -1.0]]]]))
    found = preferred_patch(kernel(layer, 0))
    assert found.indifferent.ravel().tolist() == [False, True, False]
    assert found.x.ravel().tolist() == [1.0, 0.0, -1.0]


def test_a_function_that_is_not_finite_makes_its_own_entry_unknown() -> None:
    layer = nn.Conv2d(1, 1, (1, 2), bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[[[1.0, float("nan")]]]]))
    found = preferred_patch(kernel(layer, 0))
    assert found.x[0, 0, 0] == 1
    assert np.isnan(found.x[0, 0, 1])
    assert np.isnan(found.response)


def test_what_cannot_be_answered_is_refused() -> None:
    taken = kernel(nn.Linear(2, 2))
    with pytest.raises(TypeError, match="nothing was observed at Linear"):
        preferred_patch(taken, "observed")
    for bounds in ("grid", (1.0, 1.0), (0.0, np.inf), (1.0, 2.0, 3.0), 5):
        with pytest.raises(
            ValueError, match=r"bounds: expected 'domain', 'observed' or two finite"
        ):
            preferred_patch(taken, bounds)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"patches of shape \(4, 3\)"):
        preferred_patch(taken, "observed", observed=SeenPatches(taken.layer, 4, np.zeros((4, 3))))
