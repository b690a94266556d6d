"""The gradient of the coefficients is the slope of the loss when a coefficient is changed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial

import convkan
import lookalikes
import pytest
import torch
from test_lookalikes import LINEAR
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import read

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", ".*script_method", DeprecationWarning)
    import flashkan
    import inkan
    import kan

STEP = 1e-4

LINEARS: dict[str, Callable[[], nn.Module]] = {
    **LINEAR,
    "KANLinear": lambda: kw.nn.KANLinear(5, 3),
    "KANLinear with scaler": lambda: kw.nn.KANLinear(5, 3, spline_scaler=True),
    "torch": lambda: nn.Linear(5, 3),
    "convkan": lambda: convkan.KANLinear(5, 3),
    "flashkan": lambda: flashkan.KANLayer(5, 3),
    "inkan": lambda: inkan.KANLayer(5, 3),
}
CONVS: dict[str, Callable[[], nn.Module]] = {
    "KANConv2d": lambda: kw.nn.KANConv2d(2, 4, 3, groups=2, spline_scaler=True),
    "SharedKANConv2d": lambda: kw.nn.SharedKANConv2d(2, 3, spline_scaler=True),
    "torch": lambda: nn.Conv2d(2, 4, (3, 2), groups=2),
    "convkan": lambda: convkan.ConvKAN(2, 4, 3, groups=2),
    "Convolutional-KANs": lambda: lookalikes.KAN_Convolutional_Layer(2, 3, (3, 3)),
    "Convolutional-KANs, shared": lambda: lookalikes.ArticleLayer(3, (3, 3)),
    **{
        # The second version of one reads no groups.
        name: partial(kind, 2, 4, kernel_size=3, groups=2 - name.endswith("V2"))
        for name, kind in lookalikes.TORCH_CONV_KAN.items()
    },
}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)
    with torch.compiler.set_stance("force_eager"):
        yield


def assert_gradients_are_slopes(module: nn.Module, x: torch.Tensor, checked: int = 12) -> None:
    module.double().eval()
    wanted = torch.randn_like(module(x))

    def loss() -> torch.Tensor:
        return (module(x) * wanted).sum()

    module.zero_grad()
    loss().backward()
    slopes = {layer.name: layer.gradient() for layer in read(module)}
    for name, slope in slopes.items():
        layer = next(layer for layer in read(module) if layer.name == name)
        start = layer.coefficients.clone()
        assert slope.shape == start.shape
        assert not slope.requires_grad
        known = slope.isfinite().flatten().nonzero()[:, 0]
        assert len(known) > 0.6 * slope.numel()
        assert slope.flatten()[known].abs().max() > 1e-3
        for flat in known[torch.randperm(len(known))[:checked]].tolist():
            *index, b = (int(i) for i in torch.unravel_index(torch.tensor(flat), start.shape))
            found = []
            for way in (STEP, -STEP):
                changed = start[tuple(index)].clone()
                changed[b] += way
                layer.write(tuple(index), changed)
                found.append(loss().item())
            layer.write(tuple(index), start[tuple(index)])
            measured = (found[0] - found[1]) / (2 * STEP)
            assert slope[(*index, b)].item() == pytest.approx(measured, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("name", LINEARS)
def test_the_gradient_of_a_linear_layer_is_the_slope_of_the_loss(name):
    x = torch.randn(6, 5, dtype=torch.float64)
    x = x[None] if name == "convkan" else x
    assert_gradients_are_slopes(LINEARS[name](), x)


@pytest.mark.parametrize("name", CONVS)
def test_the_gradient_of_a_convolution_is_the_slope_of_the_loss(name):
    assert_gradients_are_slopes(CONVS[name](), torch.randn(3, 2, 6, 6, dtype=torch.float64))


def test_the_gradient_of_a_pykan_model_is_the_slope_of_the_loss(tmp_path):
    model = kan.KAN([3, 2, 2], grid=4, k=3, auto_save=False, ckpt_path=str(tmp_path))
    model(torch.randn(4, 3))
    model.fix_symbolic(0, 1, 0, "sin", fit_params_bool=False, verbose=False)
    with torch.no_grad():
        model.symbolic_fun[0].affine.add_(0.3)
    assert_gradients_are_slopes(model, torch.randn(6, 3, dtype=torch.float64))


def test_without_a_backward_pass_the_gradient_is_not_a_number():
    module = kw.nn.KANLinear(2, 3)
    [layer] = read(module)
    assert layer.gradient().shape == (3, 2, 9)
    assert layer.gradient().isnan().all()


def test_a_gradient_in_another_memory_layout_is_read_in_its_order():
    module = lookalikes.ChebyKANLayer(5, 3)
    parameter = module.cheby_coeffs
    given = torch.randn_like(parameter)
    parameter.grad = given.permute(2, 1, 0).contiguous().permute(2, 1, 0)
    [layer] = read(module)
    assert torch.equal(layer.gradient(), given.transpose(0, 1))


def test_the_gradient_of_functions_that_were_pruned_is_zero():
    module = kw.nn.KANLinear(2, 2, spline_scaler=True)
    module.mask = torch.tensor([[True, False], [True, True]])
    module(torch.randn(4, 2)).sum().backward()
    gradient = read(module)[0].gradient()
    assert not gradient[0, 1].any()
    assert gradient[0, 0].any()
    assert gradient.isfinite().all()


def test_the_splines_gradient_is_unknown_where_their_scale_is_zero():
    module = kw.nn.KANLinear(2, 2, spline_scaler=True)
    with torch.no_grad():
        module.spline_scaler[1, 0] = 0
    module(torch.randn(4, 2)).sum().backward()
    gradient = read(module)[0].gradient()
    assert gradient[1, 0, 1:].isnan().all()
    gradient[1, 0, 1:] = 0
    assert gradient.isfinite().all()
