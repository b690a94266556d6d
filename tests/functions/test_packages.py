"""Libraries from PyPI, the real ones: Σφ is what their modules compute."""

from __future__ import annotations

import warnings

import convkan
import pytest
import torch
from proofs import assert_writes_back, train
from torch import nn

from kan_widgets.functions import check, describe, read

with warnings.catch_warnings():
    # Both compile a function when imported, and what torch loads for that warns of itself.
    warnings.filterwarnings("ignore", ".*script_method", DeprecationWarning)
    import flashkan
    import inkan


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def _eager():
    # Both packages compile their basis when they are imported; here it runs as it is written.
    with torch.compiler.set_stance("force_eager"):
        yield


# -- convkan ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"in_channels": 2, "out_channels": 3, "kernel_size": 3},
        {"in_channels": 4, "out_channels": 6, "kernel_size": (3, 2), "groups": 2, "padding": 1},
        {"in_channels": 3, "out_channels": 3, "kernel_size": 3, "groups": 3, "dilation": 2},
        {"in_channels": 2, "out_channels": 2, "kernel_size": 2, "stride": (2, 1)},
        {
            "in_channels": 2,
            "out_channels": 2,
            "kernel_size": 3,
            "padding": (2, 1),
            "padding_mode": "reflect",
            "enable_standalone_scale_spline": False,
            "grid_size": 8,
            "spline_order": 2,
            "grid_range": (0.0, 1.0),
        },
    ],
    ids=str,
)
def test_a_convkan_is_its_functions_fresh_trained_and_on_other_grids(settings):
    module = convkan.ConvKAN(**settings)
    images = torch.randn(8, settings["in_channels"], 8, 8)
    assert check(module, inputs=images).error < 1e-5
    train(module, settings["in_channels"], 8, 8)
    assert check(module, inputs=images).error < 1e-5
    grid = module.kan_layer.grid
    with torch.no_grad():
        grid += 0.1 * torch.rand(grid.shape).cumsum(-1)
    [layer] = read(module)
    assert len(layer.bases) == grid.shape[0] * grid.shape[1]
    assert check(module, inputs=images).error < 1e-5
    assert_writes_back(module)


def test_convkans_linear_layer_is_read_by_itself_if_it_has_one_group():
    module = convkan.KANLinear(5, 3)
    assert check(module, inputs=torch.randn(1, 64, 5)).error < 1e-5
    assert_writes_back(module)
    with pytest.raises(TypeError, match="2 groups outside a convolution"):
        check(convkan.KANLinear(5, 3, groups=2))


# -- flashkan and inkan -----------------------------------------------------------------


@pytest.mark.usefixtures("_eager")
@pytest.mark.parametrize(
    "settings", [{}, {"grid_size": 20, "grid_range": (-2.0, 1.0)}, {"spline_order": 2}], ids=str
)
def test_a_flashkan_layer_is_its_functions(settings):
    # In double precision: its truncated powers cancel to 1e-3 in single.
    module = flashkan.KANLayer(5, 3, **settings).double()
    assert check(module).error < 1e-5
    train(module, 5)
    assert check(module).error < 1e-5
    assert_writes_back(module)


@pytest.mark.usefixtures("_eager")
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"grid_size": 40, "contraction": "direct", "grid_range": (0.0, 1.0)},
        {"basis_mode": "dense", "contraction": "dense"},
        {"base_activation": nn.Tanh},
    ],
    ids=str,
)
def test_an_inkan_layer_is_its_functions(settings):
    module = inkan.KANLayer(5, 3, **settings)
    assert check(module).error < 1e-5
    train(module, 5)
    assert check(module).error < 1e-5
    assert_writes_back(module)


def test_inkans_surfaces_are_left_out_with_the_reason():
    model = nn.Sequential(inkan.KANLayer(2, 3, dim=2), inkan.KANLayer(3, 1))
    [(name, kind, why)] = describe(model).left_out
    assert (name, kind) == ("0", "KANLayer")
    assert "two variables" in why
    with pytest.warns(UserWarning, match="two variables"):
        assert [layer.name for layer in read(model)] == ["1"]


def test_networks_of_both_are_read_layer_by_layer():
    assert len(read(flashkan.KANNetwork([4, 3, 2]))) == 2
    assert len(read(inkan.KANNetwork([4, 3, 2]))) == 2
