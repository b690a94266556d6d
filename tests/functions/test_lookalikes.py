"""Libraries outside PyPI: modules with their attributes that compute their formulas.

That the real repositories' modules pass the same check is noted where the work on them is;
these keep the adapters right.
"""

from __future__ import annotations

import lookalikes
import pytest
import torch
from proofs import assert_writes_back, train
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import check, find, read

LINEAR = {
    "efficient-kan": lambda: lookalikes.KANLinear(5, 3),
    "efficient-kan without scaler, order 2": lambda: lookalikes.KANLinear(
        5, 3, grid_size=8, spline_order=2, enable_standalone_scale_spline=False
    ),
    "efficient-kan with softplus, order 1": lambda: lookalikes.KANLinear(
        5, 3, spline_order=1, base_activation=nn.Softplus
    ),
    "fast-kan": lambda: lookalikes.FastKANLayer(5, 3),
    "fast-kan without norm": lambda: lookalikes.FastKANLayer(5, 3, use_layernorm=False),
    "fast-kan without base": lambda: lookalikes.FastKANLayer(5, 3, use_base_update=False),
    "faster-kan": lambda: lookalikes.FasterKANLayer(5, 3),
    "torch-conv-kan KANLayer": lambda: lookalikes.KANLayer(5, 3),
    "torch-conv-kan FastKANLayer": lambda: lookalikes.FastKANLayer(5, 3, base_activation=nn.SiLU()),
    "ChebyKANLayer": lambda: lookalikes.ChebyKANLayer(5, 3),
    "GRAMLayer": lambda: lookalikes.GRAMLayer(5, 3),
    "JacobiKANLayer": lambda: lookalikes.JacobiKANLayer(5, 3),
    "ReLUKANLayer": lambda: lookalikes.ReLUKANLayer(5, 3),
    "FourierKAN": lambda: lookalikes.NaiveFourierKANLayer(5, 3),
    "FourierKAN without bias": lambda: lookalikes.NaiveFourierKANLayer(5, 3, addbias=False),
    "JacobiKAN": lambda: lookalikes.BareJacobi(5, 3),
    "BSRBF_KAN": lambda: lookalikes.BSRBF_KANLayer(5, 3),
    "Vision-KAN": lambda: lookalikes.VisionLayer(5, 3),
    "torchkan": lambda: lookalikes.SplineNetwork([5, 4, 3]),
    "torchkan with tanh, order 2": lambda: lookalikes.SplineNetwork([5, 3], 8, 2, nn.Tanh),
}
SETTINGS = [
    {"kernel_size": 3},
    {"kernel_size": 3, "groups": 2, "padding": 1},
    {"kernel_size": 2, "stride": 2, "padding": 1},
    {"kernel_size": 3, "padding": 2, "dilation": 2},
]


def identifier(value: object) -> str | None:
    if isinstance(value, dict):
        return " ".join(f"{name}={setting}" for name, setting in value.items())
    return None


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("name", LINEAR)
def test_a_linear_layers_functions_sum_to_its_output_fresh_and_trained(name):
    module = LINEAR[name]()
    assert check(module).error < 1e-5
    train(module, 5)
    assert check(module).error < 1e-5
    assert_writes_back(module)


def test_pykans_old_layer_has_all_edges_in_a_row_and_a_grid_for_each():
    module = lookalikes.OldLayer(4, 3)
    assert check(module).error < 1e-5
    train(module, 4)
    assert check(module).error < 1e-5
    [layer] = read(module)
    assert len(layer.bases) == 2
    assert not layer.coefficients[0, 2].any()


@pytest.mark.parametrize("settings", SETTINGS, ids=identifier)
@pytest.mark.parametrize("name", lookalikes.TORCH_CONV_KAN)
def test_a_convolutions_functions_sum_to_what_reaches_its_norm(name, settings):
    if name == "KAGNConv2DLayerV2" and "groups" in settings:
        settings = {**settings, "groups": 1}
    module = lookalikes.TORCH_CONV_KAN[name](4, 6, **settings)
    assert check(module).error < 1e-5
    train(module, 4, 7, 7)
    assert check(module).error < 1e-5
    assert_writes_back(module)


def test_where_no_norm_is_the_sum_still_reaches_the_activation():
    module = lookalikes.KANConv2DLayer(4, 6, 3, groups=2)
    module.layer_norm = nn.ModuleList([nn.Identity(), nn.Identity()])
    assert check(module).error < 1e-5


@pytest.mark.parametrize("dimensions", [1, 3])
@pytest.mark.parametrize(
    "name", ["FastKANConv2DLayer", "KAGNConv2DLayer", "BottleNeckReLUKANConv2DLayer"]
)
def test_over_one_and_three_dimensions_kernels_are_rows_and_slices(name, dimensions):
    own = {"dimensions": dimensions}
    kind = type(name.replace("2D", f"{dimensions}D"), (lookalikes.TORCH_CONV_KAN[name],), own)
    module = kind(4, 2, 3, stride=2, padding=1, groups=2)
    assert check(module).error < 1e-5
    assert_writes_back(module)
    layers = read(module)
    assert {layer.shape[2:] for layer in layers} == {(1, 3) if dimensions == 1 else (3, 3)}
    live = kw.bind(module)
    live.observe(torch.randn(2, 4, *[5] * dimensions))
    seen = [live.feed.observed[layer.name] for layer in layers]
    assert all(each.counts.sum() > 0 and not each.nan_inputs for each in seen)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "settings",
    [{}, {"padding": (1, 1)}, {"stride": (2, 2), "padding": (1, 1), "dilation": (2, 2)}],
    ids=str,
)
def test_the_2025_layer_of_convolutional_kans_has_a_kernel_for_each_pair(channels, settings):
    module = lookalikes.KAN_Convolutional_Layer(channels, 2, (3, 3), **settings)
    assert check(module).error < 1e-5
    train(module, channels, 9, 9)
    assert check(module).error < 1e-5
    assert read(module)[0].shape == (2, channels, 3, 3)
    assert_writes_back(module)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("n_convs", [1, 4])
def test_the_articles_layer_shows_each_kernel_once_whatever_the_channels(channels, n_convs):
    module = lookalikes.ArticleLayer(n_convs, (3, 3), padding=(1, 1))
    images = torch.randn(8, channels, 6, 6)
    assert check(module, inputs=images).error < 1e-5
    train(module, channels, 6, 6)
    assert check(module, inputs=images).error < 1e-5
    [layer] = read(module)
    assert layer.shape == (n_convs, 1, 3, 3)
    assert layer.conv.shared
    assert_writes_back(module)


def test_after_a_grid_update_each_input_has_its_own_knots_and_equal_ones_are_shared():
    module = lookalikes.KANLinear(4, 3)
    assert len(read(module)[0].bases) == 1
    with torch.no_grad():
        module.grid[1] *= 1.5
        module.grid[2] += 0.1 * torch.rand(12).cumsum(0)
        module.grid[3] = module.grid[1]
    [layer] = read(module)
    assert len(layer.bases) == 3
    assert layer.basis_index[:, 1].equal(layer.basis_index[:, 3])
    assert not layer.basis_index[:, 0].equal(layer.basis_index[:, 1])
    assert check(module).error < 1e-5


def test_bases_are_the_same_objects_until_a_grid_changes_however_it_is_changed():
    module = lookalikes.KANLinear(3, 2)
    first = read(module)[0].bases
    train(module, 3, steps=2)
    assert read(module)[0].bases is first
    for change in (
        lambda: module.grid.mul_(1.1),
        lambda: module.grid.data.mul_(1.1),
        lambda: setattr(module, "grid", module.grid * 1.1),
    ):
        before = read(module)[0].bases
        change()
        assert read(module)[0].bases != before
        assert check(module).error < 1e-5


def test_a_kernels_own_grid_is_read_too():
    module = lookalikes.KAN_Convolutional_Layer(2, 2, (2, 2))
    before = read(module)[0].bases
    with torch.no_grad():
        module.convs[3].conv.grid[1] *= 1.2
    [layer] = read(module)
    assert len(layer.bases) == 2 > len(before)
    assert layer.basis_index.flatten().bincount().min() == 1
    assert check(module).error < 1e-5


def test_each_layer_of_a_torchkan_network_has_its_own_grids_and_they_are_kept():
    module = lookalikes.SplineNetwork([4, 3, 2])
    with torch.no_grad():
        module.grid_1 += 0.1 * torch.rand(module.grid_1.shape).cumsum(-1)
    first, second = read(module)
    assert [len(layer.bases) for layer in (first, second)] == [1, 3]
    again = read(module)
    assert (again[0].bases, again[1].bases) == (first.bases, second.bases)
    assert again[1].bases is second.bases
    assert check(module).error < 1e-5


@pytest.mark.parametrize(
    "replace",
    [
        lambda convs, new: setattr(convs[3].conv, "spline_weight", nn.Parameter(new.spline_weight)),
        lambda convs, new: setattr(convs[3].conv.spline_weight, "data", new.spline_weight.data),
        lambda convs, new: setattr(convs[3], "conv", new),
        lambda convs, new: convs.__setitem__(3, lookalikes.KAN_Convolution((2, 2))),
        lambda convs, new: setattr(convs[3].conv, "grid", new.grid * 1.1),
        lambda convs, new: setattr(convs[3].conv.grid, "data", new.grid * 1.1),
        lambda convs, new: convs[3].double(),
    ],
    ids=["parameter", "its data", "kernel", "convolution", "grid", "its data", "precision"],
)
def test_whatever_is_put_in_the_place_of_a_kernels_parts_is_read(replace):
    module = lookalikes.KAN_Convolutional_Layer(2, 2, (2, 2))
    read(module)
    replace(module.convs, lookalikes.KANLinear(4, 1))
    kernel = module.convs[3].conv
    [layer] = find(module)[0].read()  # of two precisions it cannot run
    splines = kernel.spline_weight * kernel.spline_scaler.unsqueeze(-1)
    expected = torch.cat([kernel.base_weight.unsqueeze(-1), splines], -1).detach()
    found = layer.coefficients[1, 1].reshape(1, 4, 9)
    torch.testing.assert_close(found.double(), expected.double())
    basis = layer.bases[0 if layer.basis_index is None else layer.basis_index[1, 1, 0, 0]]
    torch.testing.assert_close(torch.tensor(basis.knots), kernel.grid[0].float())


def test_trained_polynomials_and_bumps_are_read_as_they_are_now():
    gram = lookalikes.KAGNConv2DLayer(2, 2, 2)
    bumps = lookalikes.ReLUKANConv2DLayer(2, 2, 2)
    for module, count in ((gram, 1), (bumps, 2)):
        before = read(module)[0].bases
        train(module, 2, 5, 5)
        after = read(module)[0].bases
        assert len(after) == count
        assert after != before


def test_what_the_axis_is_the_layer_says():
    normed = read(lookalikes.FastKANConv2DLayer(2, 2, 2))
    assert [(layer.name, layer.variable) for layer in normed] == [
        ("spline_conv", "InstanceNorm(x)"),
        ("base_conv", "x"),
    ]
    [plain] = read(lookalikes.FastKANConv2DLayer(2, 2, 2, norm_layer=nn.Identity))
    assert (plain.variable, plain.basis_labels[:2]) == ("x", ("silu", "R0"))
    projected, base = read(lookalikes.BottleNeckKAGNConv2DLayer(4, 4, 2))
    assert (projected.variable, base.variable) == ("inner_proj(x)", "x")
    [chebyshev] = read(lookalikes.KACNConv2DLayer(2, 2, 2))
    assert chebyshev.basis_labels[2] == "T2(tanh x)"
    [switches] = read(lookalikes.FasterKANLayer(3, 2))
    assert switches.variable == "LayerNorm(x)"


def test_over_the_border_torch_conv_kans_functions_add_nothing():
    [layer] = read(lookalikes.KANConv2DLayer(2, 2, 3, padding=1))
    assert layer.conv.pads_basis
    [layer] = read(lookalikes.KAN_Convolutional_Layer(2, 2, (3, 3), padding=(1, 1)))
    assert not layer.conv.pads_basis


@pytest.mark.parametrize(
    "make",
    [
        lambda: lookalikes.KAN([4, 3]),
        lambda: lookalikes.FastKANLayer(4, 3),
        lambda: lookalikes.GRAMLayer(4, 3),
    ],
    ids=["efficient-kan", "fast-kan", "gram"],
)
def test_a_bound_model_is_watched_and_edited_as_our_own(make):
    model = make()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    live = kw.bind(model, optimizer)
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.randn(8, 4)).square().mean().backward()
        optimizer.step()
    frame = live.refresh()
    assert frame.step == 3
    for layer in read(model):
        found = torch.from_numpy(frame.coefficients(layer.name).copy())
        torch.testing.assert_close(found[:, :, 0, 0], layer.coefficients)
        x, phi = frame.evaluate(layer.name)
        expected = layer.evaluate(torch.from_numpy(x))
        torch.testing.assert_close(
            torch.from_numpy(phi)[:, :, 0, 0], expected, atol=1e-5, rtol=1e-5
        )
    name = read(model)[0].name
    live.edits.zero(name, (2, 1))
    assert not read(model)[0].coefficients[2, 1].any()
    live.close()
