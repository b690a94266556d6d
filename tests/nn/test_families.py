"""The basis families against NumPy, by themselves and inside layers."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.polynomial import chebyshev
from scipy.interpolate import BSpline as SciPySpline
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

from kan_widgets.nn import (
    KANCNN,
    RBF,
    BSpline,
    Chebyshev,
    Fourier,
    KANConv2d,
    KANLinear,
    KnotSpline,
    SharedKANConv2d,
)
from tests.nn.reference import silu

KNOTS = (-2.1, -1.9, -1.0, -0.5, -0.4, 0.3, 0.5, 1.0, 1.7, 2.5)


@dataclass(frozen=True)
class Powers:
    """A user's own."""

    n_basis = 3
    labels = ("1", "x", "x²")
    domain = (-1.0, 1.0)

    def expand(self, x):
        return torch.stack([torch.ones_like(x), x, x * x], dim=-1)

    def derivative(self, x):
        return torch.stack([torch.zeros_like(x), torch.ones_like(x), 2 * x], dim=-1)


class Trained(nn.Module):
    """A user's own with a parameter: waves of a learned frequency."""

    n_basis = 2
    labels = ("cos ax", "sin ax")
    domain = (-1.0, 1.0)

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(1.7))

    def expand(self, x):
        return torch.stack([torch.cos(self.a * x), torch.sin(self.a * x)], dim=-1)

    def derivative(self, x):
        return self.a * torch.stack([-torch.sin(self.a * x), torch.cos(self.a * x)], dim=-1)


def numpy_rbf(x):
    centres = np.linspace(-2, 1, 5)
    return np.exp(-(((x[..., None] - centres) / 0.75) ** 2))


def numpy_rbf_slope(x):
    centres = np.linspace(-2, 1, 5)
    return numpy_rbf(x) * -2 * (x[..., None] - centres) / 0.75**2


def numpy_chebyshev(x):
    # The range [-1, 3] is where u goes from -2 to 2.
    return np.moveaxis(chebyshev.chebval(np.tanh(x - 1), np.eye(5)), 0, -1)


def numpy_chebyshev_slope(x):
    t = np.tanh(x - 1)
    slopes = np.moveaxis(chebyshev.chebval(t, chebyshev.chebder(np.eye(5))), 0, -1)
    return slopes / np.cosh(x - 1)[..., None] ** 2


def numpy_fourier(x):
    u = np.pi * (x[..., None] - 0.5) / 1.5
    return np.concatenate(
        [np.ones_like(u), *(wave(n * u) for n in (1, 2, 3) for wave in (np.cos, np.sin))], axis=-1
    )


def numpy_fourier_slope(x):
    u = np.pi * (x[..., None] - 0.5) / 1.5
    parts = [np.zeros_like(u)]
    for n in (1, 2, 3):
        rate = n * np.pi / 1.5
        parts += [-rate * np.sin(n * u), rate * np.cos(n * u)]
    return np.concatenate(parts, axis=-1)


def numpy_powers(x):
    return np.stack([np.ones_like(x), x, x * x], axis=-1)


def numpy_powers_slope(x):
    return np.stack([np.zeros_like(x), np.ones_like(x), 2 * x], axis=-1)


def scipy_elements(x, derivative=0):
    values = []
    for b in range(len(KNOTS) - 4):
        element = SciPySpline.basis_element(KNOTS[b : b + 5], extrapolate=False)
        element = element.derivative(derivative) if derivative else element
        values.append(np.nan_to_num(element(x)))
    return np.stack(values, axis=-1)


# A basis, its functions by NumPy or SciPy, and their slopes.
FAMILIES = {
    "rbf": (RBF(5, (-2.0, 1.0)), numpy_rbf, numpy_rbf_slope),
    "chebyshev": (Chebyshev(4, (-1.0, 3.0)), numpy_chebyshev, numpy_chebyshev_slope),
    "fourier": (Fourier(3, (-1.0, 2.0)), numpy_fourier, numpy_fourier_slope),
    "knots": (KnotSpline(KNOTS, 3), scipy_elements, lambda x: scipy_elements(x, 1)),
    "own": (Powers(), numpy_powers, numpy_powers_slope),
}


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


def lively(layer):
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn_like(parameter) / 3)
    return layer


@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float32, 5e-6), (torch.float64, 1e-12), (torch.float16, 2e-3), (torch.bfloat16, 2e-2)],
)
def test_values_equal_numpys(family, dtype, tolerance):
    basis, reference, _ = family
    x = torch.linspace(-2.9, 2.9, 301).to(dtype).view(7, 43)
    values = basis.expand(x)
    assert values.dtype == dtype
    assert values.shape == (7, 43, basis.n_basis)
    expected = reference(x.double().numpy())
    np.testing.assert_allclose(values.double(), expected, rtol=tolerance, atol=tolerance)


def test_derivatives_equal_numpys(family):
    basis, _, reference = family
    x = np.random.default_rng(0).uniform(-2.9, 2.9, 300)
    slopes = basis.derivative(torch.from_numpy(x))
    np.testing.assert_allclose(slopes, reference(x), rtol=1e-11, atol=1e-11)


def test_gradients_of_the_expansion(family):
    basis = family[0]
    x = torch.linspace(-2.83, 2.84, 23, dtype=torch.float64, requires_grad=True)
    assert gradcheck(basis.expand, x)
    assert gradgradcheck(basis.expand, x)
    slopes = torch.func.vmap(torch.func.jacrev(basis.expand))(x)
    torch.testing.assert_close(slopes, basis.derivative(x))


def test_nan_stays_nan_and_bumps_end_at_infinity():
    x = torch.tensor([0.1, torch.nan, torch.inf, -torch.inf])
    for basis in (RBF(), Chebyshev(), Fourier(), KnotSpline(KNOTS, 3), KnotSpline(KNOTS, 0)):
        for values in (basis.expand(x), basis.derivative(x)):
            assert values[0].isfinite().all()
            assert values[1].isnan().all()
    for basis in (RBF(), KnotSpline(KNOTS, 3)):
        assert not basis.expand(x[2:]).any()
        assert not basis.derivative(x[2:]).any()
    ends = Chebyshev(3).expand(x[2:])
    torch.testing.assert_close(ends, torch.tensor([[1.0, 1, 1, 1], [1, -1, 1, -1]]))


def test_bases_compare_by_value_and_pickle():
    for basis, other in (
        (RBF(5, [-2, 1]), RBF(6, (-2, 1))),
        (Chebyshev(4, [-1, 1]), Chebyshev(4)),
        (Fourier(3, [-1, 1]), Fourier(2, (-1, 1))),
        (KnotSpline([0, 1, 3, 4], 1), KnotSpline((0, 1, 2, 4), 1)),
    ):
        again = pickle.loads(pickle.dumps(basis))
        assert (again, hash(again)) == (basis, hash(basis))
        assert other != basis


def test_labels_say_what_is_drawn():
    assert RBF(3).labels == ("R0", "R1", "R2")
    assert Chebyshev(1).labels == ("T0(tanh x)", "T1(tanh x)")
    assert Chebyshev(1, (0, 1)).labels[1] == "T1(tanh 4(x − 0.5))"
    assert Fourier(2).labels == ("1", "cos x", "sin x", "cos 2x", "sin 2x")
    assert Fourier(2, (-3, 3)).labels[3] == "cos 2π·x/3"
    assert Fourier(1, (0, 2)).labels[2] == "sin π·(x − 1)"


# -- in layers ------------------------------------------------------------------------


def linear_by_hand(x, layer, reference):
    base, coefficients = weights(layer)
    y = np.zeros((*x.shape[:-1], len(base)))
    for o, i in np.ndindex(base.shape):
        y[..., o] += base[o, i] * silu(x[..., i]) + reference(x[..., i]) @ coefficients[o, i]
    return y


def conv_by_hand(x, layer, reference):
    """Padding 1, kernel 3, stride 2, two groups."""
    base, coefficients = weights(layer)
    x = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    size = (x.shape[2] - 3) // 2 + 1, (x.shape[3] - 3) // 2 + 1
    y = np.zeros((len(x), len(base), *size))
    for o, i, r, c in np.ndindex(base.shape):
        channel = i + (o // (len(base) // 2)) * base.shape[1]
        seen = x[:, channel, r : r + 2 * size[0] - 1 : 2, c : c + 2 * size[1] - 1 : 2]
        y[:, o] += base[o, i, r, c] * silu(seen) + reference(seen) @ coefficients[o, i, r, c]
    return y


def weights(layer):
    coefficients = layer.spline_weight.detach().double()
    if layer.spline_scaler is not None:
        coefficients = coefficients * layer.spline_scaler.detach().double().unsqueeze(-1)
    return layer.base_weight.detach().double().numpy(), coefficients.numpy()


@pytest.mark.parametrize("spline_scaler", [False, True])
def test_layers_equal_the_brute_force(family, spline_scaler):
    basis, reference, _ = family
    torch.manual_seed(0)
    x = 2 * torch.randn(3, 4, 7, 6)
    linear = lively(KANLinear(6, 5, basis=basis, spline_scaler=spline_scaler))
    expected = linear_by_hand(x.double().numpy(), linear, reference)
    np.testing.assert_allclose(linear(x).detach(), expected, rtol=1e-5, atol=2e-5)
    conv = KANConv2d(4, 6, 3, 2, 1, groups=2, basis=basis, spline_scaler=spline_scaler)
    expected = conv_by_hand(x.double().numpy(), lively(conv), reference)
    np.testing.assert_allclose(conv(x).detach(), expected, rtol=1e-5, atol=5e-5)


@pytest.mark.parametrize("basis", [*(f[0] for f in FAMILIES.values()), Trained()], ids=str)
def test_gradients_of_layers(basis):
    torch.manual_seed(0)
    for layer, shape in (
        (KANLinear(3, 2, basis=copy.deepcopy(basis), spline_scaler=True), (2, 3)),
        (KANConv2d(2, 1, 2, padding=1, basis=copy.deepcopy(basis)), (1, 2, 2, 2)),
        (SharedKANConv2d(2, 2, basis=copy.deepcopy(basis)), (1, 2, 2, 2)),
    ):
        lively(layer).double()
        names, parameters = zip(*layer.named_parameters(), strict=True)

        def run(x, *values, layer=layer, names=names):
            return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x,))

        inputs = (torch.randn(shape, dtype=torch.float64, requires_grad=True), *parameters)
        assert gradcheck(run, inputs)
        assert gradgradcheck(run, inputs)


def test_only_the_input_and_the_weights_are_kept_for_the_backward_pass(family):
    for layer, x in (
        (KANConv2d(4, 3, 3, basis=family[0]), torch.randn(8, 4, 16, 16)),
        (KANLinear(32, 8, basis=family[0]), torch.randn(500, 32)),
    ):
        kept = {}

        def pack(tensor, kept=kept):
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            layer(x)
        parameters = sum(p.nbytes for p in layer.parameters())
        assert sum(kept.values()) <= x.nbytes + 2 * parameters


def test_functional_transforms_agree_with_autograd(family):
    layer = lively(KANConv2d(2, 3, 2, basis=family[0])).double()
    x = torch.randn(4, 2, 3, 3, dtype=torch.float64)
    torch.testing.assert_close(torch.func.vmap(layer)(x), layer(x))
    jacobians = torch.func.vmap(torch.func.jacrev(layer))(x)
    for sample, jacobian in zip(x, jacobians, strict=True):
        expected = torch.autograd.functional.jacobian(layer, sample)
        torch.testing.assert_close(jacobian, expected)


def test_autocast_keeps_the_basis_in_float32(family):
    torch.manual_seed(0)
    layer = lively(KANConv2d(2, 3, 3, basis=family[0]))
    x = torch.randn(2, 2, 6, 6, requires_grad=True)
    exact = layer(x)
    exact_grads = torch.autograd.grad(exact.sum(), [x, layer.spline_weight])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(x)
    grads = torch.autograd.grad(out.sum(), [x, layer.spline_weight])
    assert out.dtype == torch.bfloat16
    scale = exact.abs().max()
    torch.testing.assert_close(out.float() / scale, exact / scale, rtol=0.02, atol=0.02)
    for gradient, exact_gradient in zip(grads, exact_grads, strict=True):
        assert gradient.dtype == torch.float32
        scale = exact_gradient.abs().max()
        torch.testing.assert_close(gradient / scale, exact_gradient / scale, rtol=0.02, atol=0.02)


def test_half_precision_differs_by_rounding_alone(family):
    torch.manual_seed(0)
    layer = lively(KANLinear(5, 3, basis=family[0]))
    x = torch.randn(6, 5).bfloat16()
    half = copy.deepcopy(layer).bfloat16()(x)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), layer(x.float()), rtol=0.05, atol=0.1)


def test_export_and_compilation_give_the_same(family):
    layer = lively(KANConv2d(2, 3, 3, padding=1, basis=family[0])).eval()
    x = torch.randn(2, 2, 6, 6)
    exported = torch.export.export(layer, (x,)).module()
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(exported(x), layer(x))
    torch.testing.assert_close(compiled(x), layer(x))


def test_a_basis_with_parameters_is_trained_with_the_layer():
    layer = KANLinear(2, 1, basis=Trained())
    assert "basis.a" in dict(layer.named_parameters())
    layer(torch.randn(5, 2)).square().mean().backward()
    assert layer.basis.a.grad.abs() > 0


@pytest.mark.parametrize("name", ["bspline", "rbf", "chebyshev", "fourier"])
def test_at_the_start_a_function_is_a_scaled_silu_with_small_noise(name):
    torch.manual_seed(0)
    layer = KANConv2d(1, 200, 3, basis=name)
    low, high = layer.basis.domain
    x = torch.linspace(low, high, 101)
    others = layer.spline_weight.detach() @ layer.basis.expand(x).T
    base = layer.base_weight.detach().unsqueeze(-1) * F.silu(x)
    assert (layer.spline_weight != 0).all()
    rms = others.square().mean().sqrt()
    assert 0.002 < rms < 0.008
    assert rms < 0.1 * base.std()


def test_a_name_makes_as_many_functions_over_the_same_range():
    made = {name: KANLinear(2, 3, basis=name).basis for name in ("rbf", "chebyshev", "fourier")}
    assert KANLinear(2, 3, basis="bspline").basis == BSpline()
    assert made["rbf"] == RBF(8, (-1, 1))
    assert made["chebyshev"] == Chebyshev(7, (-1, 1))
    assert made["fourier"] == Fourier(4, (-1, 1))
    conv = SharedKANConv2d(2, 3, grid_size=4, spline_order=2, grid_range=(0, 2), basis="rbf")
    assert conv.basis == RBF(6, (0, 2))
    assert conv.spline_weight.shape == (2, 1, 3, 3, 6)


@pytest.mark.parametrize("basis", ["rbf", "chebyshev", "fourier", Powers()])
def test_a_network_of_any_basis_learns(basis):
    torch.manual_seed(0)
    model = KANCNN(image_size=12, channels=(4,), num_classes=3, basis=basis)
    assert {type(part.basis) for part in (*model.convs, model.linear)} == {type(model.linear.basis)}
    if basis == "rbf":
        assert model.linear.basis == RBF(8, (-3, 3))
    images = torch.randn(3, 1, 12, 12)[torch.arange(48) % 3] + 0.3 * torch.randn(48, 1, 12, 12)
    labels = torch.arange(48) % 3
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(15):
        optimizer.zero_grad()
        loss = F.nll_loss(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


def test_the_representation_names_the_basis():
    assert repr(KANLinear(3, 2, basis=Chebyshev(4))) == (
        "KANLinear(3, 2, basis=Chebyshev(degree=4, grid_range=(-2.0, 2.0)), base_activation='silu')"
    )


class NoSlope:
    n_basis, labels, domain = 1, ("x",), (-1.0, 1.0)

    def expand(self, x):
        return x.unsqueeze(-1)


class Flat(Powers):
    def expand(self, x):
        return x


class Endless(Powers):
    domain = (-1.0, float("inf"))


class Alike(Powers):
    labels = ("a", "a", "b")


class Poles(Powers):
    def derivative(self, x):
        return 1 / (x * 0).unsqueeze(-1).expand(*x.shape, 3)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (
            {"basis": "wavelet"},
            ValueError,
            "basis='wavelet': expected one of 'bspline', 'rbf', 'chebyshev', 'fourier' or a basis",
        ),
        (
            {"basis": Fourier},
            TypeError,
            r"basis=Fourier: expected an instance, .* Fourier\(",
        ),
        ({"basis": 3}, TypeError, "int lacks n_basis, labels, domain, expand, derivative"),
        ({"basis": NoSlope()}, TypeError, "NoSlope lacks derivative"),
        ({"basis": Flat()}, ValueError, r"Flat.expand\(x\) of shape \(2, 3\) .*: expected "),
        ({"basis": Endless()}, ValueError, "Endless.domain=.*: expected two finite numbers"),
        ({"basis": Alike()}, ValueError, "Alike.labels=.*: expected 3 different names"),
        ({"basis": Poles()}, ValueError, "Poles.derivative is not finite on its domain"),
        ({"basis": RBF(), "grid_size": 8}, ValueError, "grid_size=8 is for a basis given by its"),
        ({"basis": RBF(), "grid_range": (0, 1)}, ValueError, "RBF has its own: leave grid_range"),
        (
            {"basis": "rbf", "grid_size": 1, "spline_order": 0},
            ValueError,
            "grid_size=1, spline_order=0: expected .* the number of functions",
        ),
        (
            {"basis": "fourier", "grid_size": 2.5},
            TypeError,
            "grid_size=2.5: expected a whole number ≥ 1",
        ),
    ],
)
def test_wrong_bases_say_what_is_accepted(arguments, error, words):
    with pytest.raises(error, match=words):
        KANLinear(2, 3, **arguments)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: RBF(1), ValueError, "n_centres=1: expected a whole number ≥ 2"),
        (lambda: RBF(4, (1, -1)), ValueError, "swap the two ends"),
        (lambda: Chebyshev(-1), ValueError, "degree=-1: expected a whole number ≥ 0"),
        (lambda: Fourier(True), TypeError, "frequencies=True: expected a whole number ≥ 1"),
        (lambda: Fourier(2, (0, float("nan"))), ValueError, "expected finite numbers"),
        (
            lambda: KnotSpline((0, 1, 2), 1),
            ValueError,
            "3 knots: expected at least 4 for splines of order 1",
        ),
        (
            lambda: KnotSpline((0, 1, 1, 2), 1),
            ValueError,
            ", 1, 1, .*: expected each larger",
        ),
        (
            lambda: KnotSpline((0, 1, float("inf"), 2), 1),
            ValueError,
            "knots=.*: expected finite numbers",
        ),
        (
            lambda: KnotSpline((0, 1, 2, 3), 6),
            ValueError,
            "spline_order=.*: expected a whole number from 0 to 5",
        ),
        (lambda: KnotSpline("abcd", 1), TypeError, "knots='abcd': expected a sequence of numbers"),
    ],
)
def test_wrong_arguments_of_a_basis_say_what_is_accepted(make, error, words):
    with pytest.raises(error, match=words):
        make()
