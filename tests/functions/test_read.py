"""Reading φ: what is found, and that it is what the layer computes."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import IdentityBasis, LayerFunctions, find, read, register_adapter


def scipy_phi(base: float, splines: np.ndarray, x: np.ndarray, grid=(-1.0, 1.0), size=5, order=3):
    """Return base·SiLU(x) + Σ splines·B(x), with scipy's B-splines."""
    h = (grid[1] - grid[0]) / size
    knots = grid[0] + h * np.arange(-order, size + order + 1)
    total = np.zeros_like(x)
    for b, weight in enumerate(splines):
        element = BSpline.basis_element(knots[b : b + order + 2], extrapolate=False)(x)
        total += weight * np.nan_to_num(element)
    return base * x / (1 + np.exp(-x)) + total


def randomised(module: nn.Module, seed: int = 0) -> nn.Module:
    """Give a module parameters of ordinary size."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return module


def test_a_conv_layers_functions_are_base_plus_splines_of_scipy():
    layer = randomised(kw.nn.KANConv2d(2, 3, (3, 2)))
    [functions] = read(layer)
    x = torch.linspace(-2.5, 2.5, 101)
    phi = functions.evaluate(x).numpy()
    assert phi.shape == (3, 2, 3, 2, 101)
    for o, i, r, c in [(0, 0, 0, 0), (2, 1, 2, 1), (1, 0, 2, 0)]:
        expected = scipy_phi(
            layer.base_weight[o, i, r, c].item(),
            layer.spline_weight[o, i, r, c].detach().numpy().astype(float),
            x.numpy().astype(float),
        )
        np.testing.assert_allclose(phi[o, i, r, c], expected, atol=2e-6)


def test_the_sum_of_functions_over_a_patch_is_the_conv_layers_output():
    layer = randomised(kw.nn.KANConv2d(4, 6, 3, groups=2, spline_scaler=True))
    patch = torch.randn(4, 3, 3)
    [functions] = read(layer)
    phi = functions.evaluate(patch.reshape(-1))
    assert functions.conv.groups == 2
    expected = layer(patch.unsqueeze(0)).detach().reshape(-1)
    for o in range(6):
        group = o // 3
        total = sum(
            phi[o, i, r, c, ((group * 2 + i) * 3 + r) * 3 + c]
            for i in range(2)
            for r in range(3)
            for c in range(3)
        )
        assert total.item() == pytest.approx(expected[o].item(), abs=1e-4)


def test_the_sum_of_functions_is_the_linear_layers_output():
    layer = randomised(kw.nn.KANLinear(5, 3, grid_size=10, grid_range=(0.0, 1.0)))
    x = torch.rand(5) * 2 - 0.5
    [functions] = read(layer)
    phi = functions.evaluate(x)
    total = phi[:, torch.arange(5), torch.arange(5)].sum(1)
    torch.testing.assert_close(total, layer(x).detach(), atol=1e-5, rtol=1e-5)
    assert functions.domain == (0.0, 1.0)


def test_shared_kernels_are_listed_once_whatever_the_channels():
    model = kw.nn.KANCNN.article()
    layers = read(model)
    assert [layer.shape for layer in layers] == [(5, 1, 3, 3), (5, 1, 3, 3), (10, 625, 1, 1)]
    assert sum(layer.n_functions for layer in layers[:2]) == 90
    assert layers[0].conv.shared


def test_a_shared_layers_functions_sum_to_its_output_on_every_channel():
    layer = randomised(kw.nn.SharedKANConv2d(2, 3))
    patch = torch.randn(3, 3, 3)
    [functions] = read(layer)
    out = layer(patch.unsqueeze(0)).detach().reshape(-1)
    for channel in range(3):
        phi = functions.evaluate(patch[channel].reshape(-1))
        for kernel in range(2):
            total = sum(phi[kernel, 0, p // 3, p % 3, p] for p in range(9))
            assert total.item() == pytest.approx(out[channel * 2 + kernel].item(), abs=1e-4)


def test_a_plain_convolution_and_linear_layer_are_straight_lines():
    model = nn.Sequential(nn.Conv2d(4, 6, 3, groups=2), nn.ReLU(), nn.Flatten(), nn.Linear(6, 2))
    conv, linear = read(model)
    x = torch.tensor([-2.0, 0.0, 0.5])
    torch.testing.assert_close(conv.evaluate(x), model[0].weight.detach()[..., None] * x)
    torch.testing.assert_close(linear.evaluate(x), model[3].weight.detach()[..., None] * x)
    assert (conv.name, conv.kind, conv.conv.groups) == ("0", "conv", 2)
    assert (linear.name, linear.kind, linear.basis_labels) == ("3", "linear", ("x",))


@pytest.mark.parametrize(
    ("make", "padding"),
    [
        (lambda **k: nn.Conv2d(2, 3, (3, 4), **k), (2, 2, 1, 1)),
        (lambda **k: kw.nn.KANConv2d(2, 3, (3, 4), **k), (2, 2, 1, 1)),
    ],
)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
def test_how_a_convolution_is_applied_is_read_too(make, padding):
    layer = make(stride=(1, 2), padding=(1, 2), dilation=(2, 1), padding_mode="replicate")
    settings = read(layer)[0].conv
    assert settings.stride == (1, 2)
    assert settings.padding == padding
    assert settings.dilation == (2, 1)
    assert settings.padding_mode == "replicate"
    x = torch.randn(1, 2, 9, 9)
    same = make(padding="same", dilation=(2, 1))
    left, right, top, bottom = read(same)[0].conv.padding
    padded = nn.functional.pad(x, (left, right, top, bottom))
    plain = make(dilation=(2, 1))
    plain.load_state_dict(same.state_dict())
    torch.testing.assert_close(plain(padded), same(x))


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(2, 3, 3),
        nn.Linear(2, 3),
        kw.nn.KANConv2d(2, 3, 3, spline_scaler=True),
        kw.nn.SharedKANConv2d(3, 3),
        kw.nn.KANLinear(2, 3),
    ],
)
def test_writing_a_functions_coefficients_sets_that_function_alone(layer):
    [before] = read(randomised(layer))
    old = before.coefficients.clone()
    index = (2, 0, 1, 2) if before.kind == "conv" else (2, 0)
    wanted = torch.linspace(-1, 1, old.shape[-1])
    before.write(index, wanted)
    expected = old.clone()
    expected[index] = wanted
    torch.testing.assert_close(read(layer)[0].coefficients, expected)


def test_names_are_module_paths_and_the_root_is_named_by_its_class():
    model = nn.ModuleDict({"features": nn.Sequential(kw.nn.KANConv2d(1, 2, 3))})
    assert [layer.name for layer in read(model)] == ["features.0"]
    assert [layer.name for layer in read(kw.nn.KANLinear(1, 1))] == ["KANLinear"]


# Importing torch.compile itself warns of the scripting that torch still uses inside.
@pytest.mark.filterwarnings("ignore:.*script_method:DeprecationWarning")
def test_wrapped_models_read_as_the_model_inside():
    model = kw.nn.KANCNN.article()
    names = [layer.name for layer in read(model)]
    assert [layer.name for layer in read(nn.DataParallel(model))] == names
    assert [layer.name for layer in read(torch.compile(model))] == names


def test_a_module_used_twice_is_listed_once():
    shared = kw.nn.KANLinear(4, 4)
    assert len(read(nn.Sequential(shared, nn.ReLU(), shared))) == 1


def test_reading_leaves_model_and_random_numbers_as_they_were():
    model = kw.nn.KANCNN.article()
    before = copy.deepcopy(model.state_dict())
    state = torch.get_rng_state()
    read(model)
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_a_module_with_parametrised_weights_is_read_and_unchanged():
    module = nn.utils.parametrizations.spectral_norm(nn.Linear(4, 4))
    before = copy.deepcopy(module.state_dict())
    model = nn.Sequential(module, nn.Linear(4, 2))
    first, second = read(model)
    assert (first.name, second.name) == ("0", "1")
    weight = module.eval().weight.detach().unsqueeze(-1)
    torch.testing.assert_close(first.coefficients, weight)
    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())


def test_a_model_with_nothing_to_read_says_what_it_has_and_what_can_be_read():
    with pytest.raises(ValueError, match=r"Modules found: ReLU, Sequential.*KANConv2d.*register"):
        read(nn.Sequential(nn.ReLU()))
    with pytest.raises(TypeError, match=r"model=.*: expected a torch\.nn\.Module"):
        read("model")


def test_a_registered_reader_goes_before_its_parents_and_hides_what_is_inside():
    class Doubled(nn.Linear):
        pass

    def read_doubled(module: nn.Module) -> list[LayerFunctions]:
        weight = 2 * module.weight.detach().unsqueeze(-1)
        return [
            LayerFunctions("linear", weight, (IdentityBasis(),), name=part) for part in ("a", "b")
        ]

    register_adapter(Doubled, read_doubled)
    module = Doubled(2, 1)
    layers = read(nn.Sequential(module))
    assert [layer.name for layer in layers] == ["0.a", "0.b"]
    torch.testing.assert_close(layers[0].coefficients[..., 0], 2 * module.weight.detach())
    with pytest.raises(TypeError, match="not an instance"):
        register_adapter(module, read_doubled)
    with pytest.raises(TypeError, match="a function"):
        register_adapter(Doubled, None)


def test_functions_with_a_basis_each_are_evaluated_with_their_own():
    class Slope:
        labels, is_base, domain, extent, knots = ("s",), (False,), (-1.0, 1.0), (-2.0, 2.0), ()
        continuous = True

        def __init__(self, slope: float) -> None:
            self.slope = slope

        def __call__(self, x: torch.Tensor) -> torch.Tensor:
            return (self.slope * x).unsqueeze(-1)

    layer = LayerFunctions(
        "linear", torch.ones(1, 2, 1), (Slope(1.0), Slope(5.0)), torch.tensor([[1, 0]])
    )
    torch.testing.assert_close(
        layer.evaluate(torch.tensor([1.0, 2.0])), torch.tensor([[[5.0, 10.0], [1.0, 2.0]]])
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("conv", torch.zeros(1, 1, 1), (IdentityBasis(),)), "out, in, kh, kw, nb"),
        (
            ("linear", torch.zeros(1, 1, 2), (IdentityBasis(),)),
            "expected 2 of each, one per",
        ),
        (("linear", torch.zeros(1, 1, 1), ()), "bases is empty: expected at least one"),
        (("pool", torch.zeros(1, 1, 1), (IdentityBasis(),)), "'conv', 'linear' or"),
        (("linear", torch.zeros(1, 1, 1, device="meta"), (IdentityBasis(),)), "meta"),
        (("linear", torch.zeros(1, 1, 1, dtype=torch.int8), (IdentityBasis(),)), "int8"),
        (("linear", torch.zeros(1, 1, 1), (IdentityBasis(),) * 2), "basis_index"),
        (("linear", torch.zeros(1, 1, 1, requires_grad=True), (IdentityBasis(),)), "detached"),
    ],
)
def test_layer_functions_refuse_what_does_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        LayerFunctions(*arguments)


def test_find_lists_modules_in_order_with_their_paths():
    model = nn.Sequential(nn.Sequential(nn.Linear(1, 1), nn.Tanh()), nn.Linear(1, 1))
    assert [entry.name for entry in find(model)] == ["0.0", "1"]
