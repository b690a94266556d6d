"""KANLinear against the brute force, and everything torch expects of a layer."""

from __future__ import annotations

import copy
import pickle
import re

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline
from torch.autograd import gradcheck, gradgradcheck

from kan_widgets.nn import KANConv2d, KANLinear
from tests.nn.reference import kan_linear, probing_values

pytestmark = pytest.mark.usefixtures("path")


def lively(layer):
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn_like(parameter) / 3)
    return layer


def spline_share_at_the_start(base_weight: np.ndarray, spline_weight: np.ndarray) -> float:
    """Return the median of (range of the splines)/(range of the base), on the default grid."""
    x = np.linspace(-1, 1, 401)
    knots = np.linspace(-1 - 3 * 0.4, 1 + 3 * 0.4, 5 + 2 * 3 + 1)
    splines = BSpline(knots, spline_weight.reshape(-1, 8).T, 3)(x)
    base = base_weight.ravel() * (x / (1 + np.exp(-x)))[:, None]
    return float(np.median(np.ptp(splines, axis=0) / np.ptp(base, axis=0)))


@pytest.mark.parametrize(
    "make",
    [
        lambda inputs: KANLinear(inputs, 8192 // inputs),
        lambda inputs: KANConv2d(inputs, 8192 // inputs, 1),
    ],
)
def test_what_the_docstring_says_of_the_splines_at_the_start_is_so(make):
    words = " ".join(KANLinear.__doc__.split())
    found = re.search(
        r"(\d+) % of the base's at 9 inputs, "
        r"(\d+) % at 144 and (\d+) % at 400: about (\d+) % of it times sqrt",
        words,
    )
    assert found is not None
    *stated, slope = (int(share) / 100 for share in found.groups())
    torch.manual_seed(0)
    for inputs, share in zip((9, 144, 400), stated, strict=True):
        layer = make(inputs)
        weights = (layer.base_weight.detach().numpy(), layer.spline_weight.detach().numpy())
        measured = spline_share_at_the_start(*weights)
        # The median of 8,000 such ratios is known to about 2 %.
        assert measured == pytest.approx(share, rel=0.07)
        assert measured == pytest.approx(slope * inputs**0.5, rel=0.15)


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize(("grid_size", "grid_range"), [(1, (0.0, 1.0)), (8, (-3.0, 1.0))])
@pytest.mark.parametrize("leading", [(), (60,), (5, 3, 4)])
def test_forward_equals_the_brute_force(order, grid_size, grid_range, leading):
    torch.manual_seed(0)
    layer = lively(
        KANLinear(
            6,
            4,
            grid_size=grid_size,
            spline_order=order,
            grid_range=grid_range,
            spline_scaler=True,
        )
    )
    x = probing_values((*leading, 6), grid_size, order, grid_range, seed=order)
    coefficients = (layer.spline_weight * layer.spline_scaler.unsqueeze(-1)).detach().double()
    expected = kan_linear(
        x.astype(np.float64),
        layer.base_weight.detach().double().numpy(),
        coefficients.numpy(),
        grid_size=grid_size,
        order=order,
        grid_range=grid_range,
    )
    actual = layer(torch.from_numpy(x)).detach()
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("order", range(6))
def test_gradients(order):
    torch.manual_seed(0)
    layer = lively(KANLinear(3, 2, spline_order=order, spline_scaler=True)).double()
    names, parameters = zip(*layer.named_parameters(), strict=True)

    def run(x, *values):
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x,))

    inputs = (torch.randn(2, 2, 3, dtype=torch.float64, requires_grad=True), *parameters)
    assert gradcheck(run, inputs)
    assert gradgradcheck(run, inputs)


def test_only_the_input_and_the_weights_are_kept_for_the_backward_pass():
    layer = KANLinear(32, 8)
    kept = {}

    def pack(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    x = torch.randn(500, 32)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        layer(x)
    parameters = sum(p.nbytes for p in layer.parameters())
    assert sum(kept.values()) <= x.nbytes + 2 * parameters


def test_functional_transforms_agree_with_autograd():
    layer = lively(KANLinear(3, 2)).double()
    x = torch.randn(5, 3, dtype=torch.float64)
    torch.testing.assert_close(torch.func.vmap(layer)(x), layer(x))
    jacobians = torch.func.vmap(torch.func.jacrev(layer))(x)
    for sample, jacobian in zip(x, jacobians, strict=True):
        expected = torch.autograd.functional.jacobian(layer, sample)
        torch.testing.assert_close(jacobian, expected)


def test_empty_batch_autocast_and_copies():
    layer = KANLinear(3, 2, spline_scaler=True)
    assert layer(torch.zeros(0, 3)).shape == (0, 2)
    assert layer(torch.zeros(4, 0, 3)).shape == (4, 0, 2)
    x = torch.randn(4, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(x)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), layer(x), rtol=0.02, atol=0.01)
    other = KANLinear(3, 2, spline_scaler=True)
    other.load_state_dict(layer.state_dict())
    for twin in (other, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(twin(x), layer(x))


def test_initial_distributions():
    torch.manual_seed(0)
    layer = KANLinear(100, 400, grid_size=10, grid_range=(0, 1), spline_scaler=True)
    for weight in (layer.base_weight, layer.spline_scaler):
        assert 0.0999 < weight.abs().max() <= 0.1
        assert weight.std().item() == pytest.approx(0.1 / np.sqrt(3), rel=0.01)
    points = torch.linspace(0, 1, 11)
    for scale_noise in (0.1, 0.01):
        layer.reset_parameters(scale_noise=scale_noise)
        noise = layer.spline_weight @ layer.basis.expand(points).T
        assert noise.abs().max() <= scale_noise / 20 * 1.001
        assert noise.std().item() == pytest.approx(scale_noise / 10 / np.sqrt(12), rel=0.01)


def test_the_representation_says_everything():
    assert repr(KANLinear(3, 2, grid_range=(0, 1))) == (
        "KANLinear(3, 2, grid_size=5, spline_order=3, grid_range=(0, 1), base_activation='silu')"
    )


def test_wrong_arguments_and_inputs_say_what_is_accepted():
    with pytest.raises(ValueError, match="in_features=0: expected a whole number ≥ 1"):
        KANLinear(0, 2)
    with pytest.raises(TypeError, match=r"out_features=2\.0: expected a whole number ≥ 1"):
        KANLinear(3, 2.0)
    with pytest.raises(ValueError, match=r"shape \(4, 5\): expected \(\.\.\., 3\)"):
        KANLinear(3, 2)(torch.zeros(4, 5))
    with pytest.raises(ValueError, match=r"shape \(\): expected \(\.\.\., 3\)"):
        KANLinear(3, 2)(torch.tensor(1.0))
    with pytest.raises(RuntimeError, match="same dtype"):
        KANLinear(3, 2)(torch.zeros(4, 3, dtype=torch.float64))
