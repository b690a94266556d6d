"""The convolutions against the brute force, and everything torch expects of a layer."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

from kan_widgets.nn import KANConv2d, SharedKANConv2d, dense
from tests.nn.reference import kan_conv2d, probing_values, silu

pytestmark = pytest.mark.usefixtures("path")


def lively(layer):
    """Give all parts of the layer a comparable share: at the start the splines are tiny."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn_like(parameter) / 3)
    return layer


def weights(layer):
    coefficients = layer.spline_weight.detach().double()
    if layer.spline_scaler is not None:
        coefficients = coefficients * layer.spline_scaler.detach().double().unsqueeze(-1)
    return layer.base_weight.detach().double().numpy(), coefficients.numpy()


# Arguments, and the pads (top, bottom, left, right) that they mean.
GEOMETRY = [
    ({}, (0, 0, 0, 0)),
    ({"kernel_size": (3, 2)}, (0, 0, 0, 0)),
    ({"kernel_size": 1}, (0, 0, 0, 0)),
    ({"stride": 2}, (0, 0, 0, 0)),
    ({"stride": (1, 3), "padding": 1}, (1, 1, 1, 1)),
    ({"padding": (2, 1)}, (2, 2, 1, 1)),
    ({"padding": "valid"}, (0, 0, 0, 0)),
    ({"padding": "same"}, (1, 1, 1, 1)),
    ({"padding": "same", "kernel_size": (2, 4)}, (0, 1, 1, 2)),
    ({"padding": "same", "kernel_size": (2, 3), "dilation": (3, 2)}, (1, 2, 2, 2)),
    ({"padding": "same", "kernel_size": (4, 2), "padding_mode": "reflect"}, (1, 2, 0, 1)),
    ({"padding": (1, 2), "padding_mode": "reflect"}, (1, 1, 2, 2)),
    ({"padding": (1, 2), "padding_mode": "replicate"}, (1, 1, 2, 2)),
    ({"padding": (1, 2), "padding_mode": "circular", "stride": (2, 1)}, (1, 1, 2, 2)),
    ({"dilation": 2}, (0, 0, 0, 0)),
    ({"dilation": (1, 2), "stride": (2, 1), "padding": 2}, (2, 2, 2, 2)),
    ({"groups": 2}, (0, 0, 0, 0)),
    ({"groups": 4, "padding": "same"}, (1, 1, 1, 1)),
    ({"groups": 2, "spline_scaler": True, "stride": 2}, (0, 0, 0, 0)),
]


def compare(layer, pads, x):
    basis = layer.basis
    expected = kan_conv2d(
        x.astype(np.float64),
        *weights(layer),
        pads,
        stride=layer.stride,
        dilation=layer.dilation,
        groups=layer.groups,
        padding_mode=layer.padding_mode,
        grid_size=basis.grid_size,
        order=basis.spline_order,
        grid_range=basis.grid_range,
    )
    actual = layer(torch.from_numpy(x))
    np.testing.assert_allclose(actual.detach(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("arguments", "pads"), GEOMETRY)
def test_forward_equals_the_brute_force_in_every_geometry(arguments, pads):
    torch.manual_seed(0)
    layer = lively(KANConv2d(4, 4, **{"kernel_size": 3, **arguments}))
    x = probing_values((2, 4, 8, 7), 5, 3, (-1.0, 1.0), seed=1)
    compare(layer, pads, x)
    # The same arguments give torch's convolution the same output size.
    torchs = nn.Conv2d(
        4, 4, **{"kernel_size": 3, **{k: v for k, v in arguments.items() if k != "spline_scaler"}}
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using padding='same' with even kernel")
        assert layer(torch.from_numpy(x)).shape == torchs(torch.from_numpy(x)).shape


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize(
    ("grid_size", "grid_range"), [(1, (0.0, 1.0)), (4, (-1.0, 1.0)), (16, (-3.0, 1.0))]
)
@pytest.mark.parametrize("spline_scaler", [False, True])
def test_forward_equals_the_brute_force_for_every_basis(
    order, grid_size, grid_range, spline_scaler
):
    torch.manual_seed(0)
    layer = KANConv2d(
        2,
        3,
        3,
        padding=1,
        grid_size=grid_size,
        spline_order=order,
        grid_range=grid_range,
        spline_scaler=spline_scaler,
    )
    x = probing_values((2, 2, 6, 7), grid_size, order, grid_range, seed=order)
    compare(lively(layer), (1, 1, 1, 1), x)


def test_a_batch_worked_through_in_pieces_gives_the_same(monkeypatch):
    torch.manual_seed(0)
    layer = lively(KANConv2d(2, 3, 3, spline_scaler=True)).double()
    x = torch.randn(5, 2, 6, 6, dtype=torch.float64, requires_grad=True)
    inputs = (x, *layer.parameters())

    def run():
        out = layer(x)
        return out, *torch.autograd.grad(out.square().sum(), inputs)

    whole = run()
    monkeypatch.setitem(dense.PIECES, "cpu", 2 * 2 * 36 * 9)
    for a, b in zip(run(), whole, strict=True):
        torch.testing.assert_close(a, b)


def test_far_outside_the_grid_only_the_base_moves():
    layer = lively(KANConv2d(2, 3, 3))
    x = 30 * torch.randn(2, 2, 6, 6).sign()
    torch.testing.assert_close(layer(x), F.conv2d(F.silu(x), layer.base_weight))


@pytest.mark.parametrize("num_channels", [1, 3])
def test_shared_kernels_act_on_every_channel(num_channels):
    torch.manual_seed(0)
    layer = lively(SharedKANConv2d(4, (3, 2), padding=1, stride=(2, 1), spline_scaler=True))
    assert layer.spline_weight.shape == (4, 1, 3, 2, 8)
    x = probing_values((2, num_channels, 8, 7), 5, 3, (-1.0, 1.0), seed=1)
    base_weight, coefficients = weights(layer)
    # As a grouped layer that repeats the kernels once for every channel.
    expected = kan_conv2d(
        x.astype(np.float64),
        np.tile(base_weight, (num_channels, 1, 1, 1)),
        np.tile(coefficients, (num_channels, 1, 1, 1, 1)),
        (1, 1, 1, 1),
        stride=(2, 1),
        groups=num_channels,
        grid_size=5,
        order=3,
        grid_range=(-1.0, 1.0),
    )
    actual = layer(torch.from_numpy(x)).detach()
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)
    unbatched = layer(torch.from_numpy(x[0])).detach()
    np.testing.assert_allclose(unbatched, expected[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("order", range(6))
def test_gradients_in_every_order(order):
    torch.manual_seed(0)
    layer = lively(KANConv2d(1, 2, 2, spline_order=order, grid_size=3, spline_scaler=True)).double()
    check_gradients(layer, torch.randn(2, 1, 3, 3, dtype=torch.float64))


@pytest.mark.parametrize(
    "arguments",
    [
        {"stride": 2, "padding": 1, "groups": 2},
        {"padding": "same", "padding_mode": "reflect", "dilation": (1, 2)},
        {"padding": 1, "padding_mode": "circular"},
        *({"base_activation": name} for name in ("gelu", "relu", "tanh", "identity", torch.sin)),
    ],
)
def test_gradients_with_every_argument(arguments):
    torch.manual_seed(0)
    layer = lively(KANConv2d(2, 2, 2, grid_size=1, **arguments)).double()
    check_gradients(layer, torch.randn(1, 2, 3, 3, dtype=torch.float64))


def check_gradients(layer, x):
    names, parameters = zip(*layer.named_parameters(), strict=True)

    def run(x, *values):
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x,))

    inputs = (x.requires_grad_(), *parameters)
    assert gradcheck(run, inputs)
    assert gradgradcheck(run, inputs)


def test_gradients_of_the_shared_layer():
    layer = lively(SharedKANConv2d(2, 2, grid_size=2)).double()
    check_gradients(layer, torch.randn(1, 2, 3, 3, dtype=torch.float64))


@pytest.mark.parametrize("layer", [KANConv2d(4, 3, 3), SharedKANConv2d(3, 3)])
def test_only_the_input_and_the_weights_are_kept_for_the_backward_pass(layer):
    kept = {}

    def pack(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    x = torch.randn(8, 4, 16, 16)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = layer(x)
    parameters = sum(p.nbytes for p in layer.parameters())
    assert sum(kept.values()) <= x.nbytes + 2 * parameters
    out.sum().backward()


def test_a_module_with_parameters_can_be_the_base():
    layer = KANConv2d(1, 2, 3, base_activation=nn.PReLU())
    x = torch.randn(2, 1, 5, 5)
    layer(x).square().sum().backward()
    assert layer.base_activation.weight.grad.abs() > 0
    with torch.no_grad():
        layer.spline_weight.zero_()
    torch.testing.assert_close(layer(x), F.conv2d(layer.base_activation(x), layer.base_weight))


def test_gelu_is_the_named_function():
    layer = KANConv2d(1, 2, 3, base_activation="gelu")
    with torch.no_grad():
        layer.spline_weight.zero_()
    x = torch.randn(2, 1, 5, 5)
    torch.testing.assert_close(layer(x), F.conv2d(F.gelu(x), layer.base_weight))


def test_functional_transforms_agree_with_autograd():
    layer = lively(KANConv2d(2, 3, 2)).double()
    x = torch.randn(4, 2, 3, 3, dtype=torch.float64)
    parameters = {name: p.detach() for name, p in layer.named_parameters()}

    def loss(parameters, sample):
        return torch.func.functional_call(layer, parameters, (sample,)).square().sum()

    per_sample = torch.func.vmap(torch.func.grad(loss), (None, 0))(parameters, x)
    for i, sample in enumerate(x):
        expected = torch.autograd.grad(layer(sample).square().sum(), list(layer.parameters()))
        for name, gradient in zip(parameters, expected, strict=True):
            torch.testing.assert_close(per_sample[name][i], gradient)
    torch.testing.assert_close(torch.func.vmap(layer)(x), layer(x))


def test_unbatched_and_empty_inputs():
    layer = KANConv2d(2, 3, 3)
    x = torch.randn(4, 2, 6, 6)
    torch.testing.assert_close(layer(x[0]), layer(x)[0])
    empty = torch.zeros(0, 2, 6, 6, requires_grad=True)
    out = layer(empty)
    assert out.shape == (0, 3, 4, 4)
    out.sum().backward()
    assert not layer.spline_weight.grad.any()
    assert empty.grad.shape == empty.shape
    assert SharedKANConv2d(3, 3)(empty).shape == (0, 6, 4, 4)


@pytest.mark.parametrize("layer", [KANConv2d(4, 6, 3), SharedKANConv2d(3, 3)])
def test_memory_layout_follows_the_input(layer):
    x = torch.randn(2, 4, 7, 8)
    last = x.contiguous(memory_format=torch.channels_last)
    assert layer(x).is_contiguous()
    assert layer(last).is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(layer(last), layer(x))
    strided = torch.randn(2, 4, 8, 7).transpose(2, 3)
    torch.testing.assert_close(layer(strided), layer(strided.contiguous()))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_differs_by_rounding_alone(dtype):
    torch.manual_seed(0)
    layer = lively(KANConv2d(2, 3, 3))
    x = torch.randn(2, 2, 6, 6).to(dtype).float()
    half = copy.deepcopy(layer).to(dtype)(x.to(dtype))
    assert half.dtype == dtype
    torch.testing.assert_close(half.float(), layer(x), rtol=0.03, atol=0.06)


def test_autocast_keeps_the_basis_in_float32():
    torch.manual_seed(0)
    # A fine grid far from zero: in bfloat16 neighbouring knots would be one number.
    layer = lively(KANConv2d(1, 3, 3, grid_size=20, grid_range=(100.0, 101.0)))
    with torch.no_grad():
        layer.base_weight.zero_()
    x = (100 + torch.rand(2, 1, 6, 6)).requires_grad_()
    exact = layer(x)
    exact_grads = torch.autograd.grad(exact.sum(), [x, layer.spline_weight])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(x)
        # torch advises against a backward pass inside; it must not change the numbers.
        grads = torch.autograd.grad(out.sum(), [x, layer.spline_weight])
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), exact, rtol=0.02, atol=0.03)
    for gradient, exact_gradient in zip(grads, exact_grads, strict=True):
        assert gradient.dtype == torch.float32
        scale = exact_gradient.abs().max()
        torch.testing.assert_close(gradient / scale, exact_gradient / scale, rtol=0.02, atol=0.02)


def test_one_compiled_graph_gives_the_same_gradients():
    layer = lively(KANConv2d(2, 3, 3, padding=1, spline_scaler=True)).double()
    x = torch.randn(2, 2, 6, 6, dtype=torch.float64, requires_grad=True)
    inputs = [x, *layer.parameters()]
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    expected, actual = layer(x), compiled(x)
    torch.testing.assert_close(actual, expected)
    for a, b in zip(
        torch.autograd.grad(actual.square().sum(), inputs),
        torch.autograd.grad(expected.square().sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


def test_the_shape_is_known_without_data():
    layer = KANConv2d(2, 3, 3, padding=1, device="meta")
    assert layer(torch.zeros(4, 2, 6, 6, device="meta")).shape == (4, 3, 6, 6)


def test_copies_and_saved_states_compute_the_same():
    layer = KANConv2d(2, 3, 3, padding="same", spline_scaler=True)
    other = KANConv2d(2, 3, 3, padding="same", spline_scaler=True)
    other.load_state_dict(layer.state_dict())
    x = torch.randn(2, 2, 6, 6)
    for twin in (other, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(twin(x), layer(x))
    assert set(layer.state_dict()) == {"base_weight", "spline_weight", "spline_scaler", "knots"}
    assert set(KANConv2d(2, 3, 3).state_dict()) == {"base_weight", "spline_weight", "knots"}
    assert KANConv2d(2, 3, 3).spline_scaler is None


def test_repeated_runs_are_bit_identical():
    layer = KANConv2d(3, 4, 3)
    x = torch.randn(8, 3, 12, 12, requires_grad=True)
    runs = [torch.autograd.grad(layer(x).sum(), [x, *layer.parameters()]) for _ in range(3)]
    for run in runs[1:]:
        assert all(torch.equal(a, b) for a, b in zip(run, runs[0], strict=True))


def test_nan_spoils_only_what_it_touches():
    x = torch.zeros(1, 1, 5, 5)
    x[0, 0, 0, 0] = torch.nan
    out = KANConv2d(1, 1, 3)(x)
    assert out.isnan().sum() == 1


def test_initial_distributions():
    torch.manual_seed(0)
    layer = KANConv2d(10, 400, 3, spline_scaler=True)
    bound = 1 / np.sqrt(90)
    for weight in (layer.base_weight, layer.spline_scaler):
        assert weight.abs().max() <= bound
        assert weight.abs().max() > 0.999 * bound
        assert weight.mean().abs() < 0.01 * bound
        assert weight.std().item() == pytest.approx(bound / np.sqrt(3), rel=0.01)
    # The splines run through uniform noise in ±0.05 / grid_size at the grid points ...
    points = torch.linspace(-1, 1, 6)
    noise = layer.spline_weight @ layer.basis.expand(points).T
    assert noise.abs().max() <= 0.01 + 1e-6
    assert noise.std().item() == pytest.approx(0.02 / np.sqrt(12), rel=0.01)
    # ... and of all coefficients that do, they are the smallest.
    smallest = torch.linalg.lstsq(
        layer.basis.expand(points.double()), noise.double().flatten(0, -2).T, driver="gelsd"
    ).solution
    torch.testing.assert_close(
        layer.spline_weight.flatten(0, -2).T.double(), smallest, rtol=0, atol=1e-7
    )


def test_at_the_start_a_function_is_a_scaled_silu():
    torch.manual_seed(0)
    layer = KANConv2d(1, 50, 3)
    x = np.linspace(-1, 1, 101)
    spline = layer.spline_weight.detach().double() @ layer.basis.expand(torch.from_numpy(x)).T
    base = layer.base_weight.detach().double().unsqueeze(-1) * torch.from_numpy(silu(x))
    assert spline.std() < 0.1 * base.std()


def test_reset_parameters_draws_anew_from_torchs_generator():
    layer = KANConv2d(2, 3, 3, spline_scaler=True)
    before = copy.deepcopy(layer.state_dict())
    torch.manual_seed(3)
    layer.reset_parameters()
    first = copy.deepcopy(layer.state_dict())
    torch.manual_seed(3)
    layer.reset_parameters()
    for name, value in layer.named_parameters():
        assert torch.equal(value, first[name])
        assert not torch.equal(value, before[name])


def test_the_representation_names_what_differs_from_the_defaults():
    text = repr(KANConv2d(4, 8, 3, padding="same", groups=2, spline_scaler=True))
    assert text == (
        "KANConv2d(4, 8, kernel_size=(3, 3), stride=(1, 1), padding='same', groups=2, "
        "grid_size=5, spline_order=3, grid_range=(-1, 1), base_activation='silu', "
        "spline_scaler=True)"
    )
    assert repr(SharedKANConv2d(5, 3)).startswith("SharedKANConv2d(5, kernel_size=(3, 3), ")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (
            {"groups": 3},
            ValueError,
            "in_channels=4, groups=.: expected a multiple of groups",
        ),
        (
            {"groups": 2, "out_channels": 5},
            ValueError,
            "out_channels=.*: expected a multiple of groups",
        ),
        ({"groups": 0}, ValueError, "groups=0: expected a whole number ≥ 1"),
        ({"in_channels": 0}, ValueError, "in_channels=0: expected a whole number ≥ 1"),
        ({"kernel_size": 0}, ValueError, "kernel_size=0: expected a whole number or two, ≥ 1"),
        ({"kernel_size": (3, 3, 3)}, ValueError, r"kernel_size=.*: expected a whole number or two"),
        (
            {"kernel_size": 2.5},
            ValueError,
            "kernel_size=2.5: .* or two, ≥ 1",
        ),
        ({"stride": 0}, ValueError, "stride=0: expected a whole number or two, ≥ 1"),
        ({"padding": -1}, ValueError, "padding=-1: expected a whole number or two, ≥ 0"),
        ({"padding": "full"}, ValueError, "padding='full': .* 'same' or 'valid'"),
        (
            {"padding": "same", "stride": 2},
            ValueError,
            r"'same', stride=.*: expected stride 1",
        ),
        ({"padding_mode": "mirror"}, ValueError, "padding_mode='mirror': expected 'zeros'"),
        (
            {"spline_order": 6},
            ValueError,
            "spline_order=6: expected a whole number from 0 to 5",
        ),
        ({"grid_size": 0}, ValueError, "grid_size=0: expected a whole number ≥ 1"),
        ({"grid_range": (1, -1)}, ValueError, "swap the two ends"),
        (
            {"base_activation": "swish"},
            ValueError,
            "base_activation='swish': .* 'silu', .* or a callable",
        ),
        ({"base_activation": nn.SiLU}, TypeError, r"pass an instance: SiLU\(\)"),
        ({"base_activation": 3}, TypeError, "base_activation=3: expected a name or a callable"),
    ],
)
def test_wrong_arguments_say_what_is_accepted(arguments, error, words):
    with pytest.raises(error, match=words):
        KANConv2d(**{"in_channels": 4, "out_channels": 4, "kernel_size": 3, **arguments})


def test_wrong_inputs_say_the_shapes():
    layer = KANConv2d(4, 4, 3)
    with pytest.raises(
        ValueError, match=r"shape \(2, 3, 8, 8\): expected \(N, 4, H, W\) or \(4, H, W\)"
    ):
        layer(torch.zeros(2, 3, 8, 8))
    with pytest.raises(ValueError, match=r"input of shape \(8, 8\)"):
        layer(torch.zeros(8, 8))
    with pytest.raises(ValueError, match=r"shape \(8, 8\): expected \(N, C, H, W\) or \(C, H, W\)"):
        SharedKANConv2d(4, 3)(torch.zeros(8, 8))
    with pytest.raises(ValueError, match=r"3×3 .* 2×5"):
        layer(torch.zeros(1, 4, 2, 5))
    with pytest.raises(
        RuntimeError, match=r"type torch.float64 .*torch.float32: expected the same dtype"
    ):
        layer(torch.zeros(2, 4, 8, 8, dtype=torch.float64))
    with pytest.raises(ValueError, match="num_kernels=0: expected a whole number ≥ 1"):
        SharedKANConv2d(0, 3)
