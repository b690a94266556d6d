"""Grids travel with state dicts, copies and pickles."""

from __future__ import annotations

import copy
import io
import pickle

import pytest
import torch
from torch import nn

from kan_widgets.nn import KANCNN, BSpline, KANConv2d, KANLinear, KnotSpline


def adapted(make, x, grid_eps=0.02):
    torch.manual_seed(0)
    layer = make()
    layer.update_grid(x, grid_eps=grid_eps)
    return layer


@pytest.mark.parametrize("grid_eps", [0.02, 1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_an_adapted_grid_is_loaded_exactly_into_a_fresh_layer(grid_eps, dtype):
    def make():
        return KANConv2d(2, 3, 3, dtype=dtype)

    x = (3 * torch.randn(4, 2, 8, 8)).to(dtype)
    layer = adapted(make, x, grid_eps)
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    fresh = make()
    fresh.load_state_dict(torch.load(file, weights_only=True))
    assert fresh.basis == layer.basis
    assert type(fresh.basis) is (BSpline if grid_eps == 1 else KnotSpline)
    assert torch.equal(fresh(x), layer(x))
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert twin.basis == layer.basis
        assert torch.equal(twin(x), layer(x))


def test_a_grid_range_of_a_state_replaces_that_of_the_layer():
    saved = KANLinear(2, 3, grid_range=(-3, 3))
    fresh = KANLinear(2, 3)
    fresh.load_state_dict(saved.state_dict())
    assert fresh.basis == BSpline(5, 3, (-3, 3))
    x = torch.randn(5, 2)
    assert torch.equal(fresh(x), saved(x))


def test_converting_a_layer_does_not_round_its_knots():
    layer = adapted(lambda: KANLinear(2, 3), torch.randn(50, 2))
    basis = layer.basis
    assert layer.half().basis == basis
    assert layer.state_dict()["knots"].dtype == torch.float64


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: KANLinear(2, 3, grid_size=5), r"knots: .*grid of 10 intervals .* a grid of 5\. "),
        (lambda: KANLinear(2, 3, grid_size=11, spline_order=2), "the state has 17 knots"),
        (lambda: KANLinear(2, 3, basis="rbf", grid_size=10), "this layer's basis is RBF"),
    ],
)
def test_another_grid_size_is_refused_with_the_remedy_and_keeps_the_basis(make, words):
    saved = KANLinear(2, 3, grid_size=5)
    saved.refine(10)
    layer = make()
    basis = layer.basis
    with pytest.raises(RuntimeError, match=words):
        layer.load_state_dict(saved.state_dict())
    assert layer.basis is basis


def test_a_layer_refined_alike_takes_the_state_of_a_refined_one():
    saved = nn.Sequential(KANLinear(2, 3), KANLinear(3, 2))
    for layer in saved:
        layer.update_grid(torch.randn(50, layer.in_features))
        layer.refine(10)
    fresh = nn.Sequential(KANLinear(2, 3), KANLinear(3, 2))
    for layer in fresh:
        layer.refine(10)
    fresh.load_state_dict(saved.state_dict())
    x = torch.randn(5, 2)
    assert torch.equal(fresh(x), saved(x))


def test_a_state_without_knots_is_taken_on_the_layers_own_grid():
    layer = KANLinear(2, 3, grid_range=(-2, 2))
    state = {name: value for name, value in layer.state_dict().items() if name != "knots"}
    other = KANLinear(2, 3, grid_range=(-2, 2))
    other.load_state_dict(state)
    x = torch.randn(5, 2)
    assert torch.equal(other(x), layer(x))


def test_knots_that_are_none_are_refused():
    state = KANLinear(2, 3).state_dict()
    state["knots"] = state["knots"].flip(0)
    with pytest.raises(RuntimeError, match="the knots must rise"):
        KANLinear(2, 3).load_state_dict(state)


def test_a_state_dict_serves_a_functional_call():
    layer = adapted(lambda: KANLinear(2, 3), torch.randn(50, 2))
    x = torch.randn(5, 2)
    out = torch.func.functional_call(layer, dict(layer.state_dict()), (x,))
    assert torch.equal(out, layer(x))


def test_a_network_with_adapted_grids_is_saved_exported_and_copied():
    torch.manual_seed(0)
    model = KANCNN(channels=(3,)).eval()
    x = torch.randn(4, 1, 28, 28)
    model.update_grid(x)
    fresh = KANCNN(channels=(3,)).eval()
    fresh.load_state_dict(model.state_dict())
    for twin in (fresh, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(twin(x), model(x))
    exported = torch.export.export(model, (x,))
    torch.testing.assert_close(exported.module()(x), model(x))
    file = io.BytesIO()
    torch.export.save(exported, file)
    file.seek(0)
    torch.testing.assert_close(torch.export.load(file).module()(x), model(x))


def test_a_layer_without_memory_takes_a_grid_too():
    saved = adapted(lambda: KANLinear(2, 3), torch.randn(50, 2))
    layer = KANLinear(2, 3, device="meta")
    layer.load_state_dict(saved.state_dict(), assign=True)
    x = torch.randn(5, 2)
    assert torch.equal(layer(x), saved(x))
