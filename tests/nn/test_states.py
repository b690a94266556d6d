"""Grids travel with state dicts, copies and pickles."""

from __future__ import annotations

import copy
import io
import pickle
from functools import partial

import pytest
import torch
from torch import nn

from kan_widgets.nn import KANCNN, BSpline, Fourier, KANConv2d, KANLinear, KnotSpline


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
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        layer.to(dtype)
        assert layer.basis == basis
        assert layer.state_dict()["knots"].tolist() == list(basis.knots)


@pytest.mark.parametrize("grid_size", [3, 5, 7])
def test_knots_are_in_the_type_of_the_weights_and_float32_at_least(grid_size):
    layer = KANLinear(2, 3, grid_size=grid_size, grid_range=(-0.1, 0.7))
    exact = list(layer.basis.knots)
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        assert layer.to(dtype).state_dict()["knots"].dtype == torch.float32
        assert layer.basis.knots == tuple(exact)
    # Not those of float32, which would be nearly evenly spaced only.
    assert layer.double().state_dict()["knots"].tolist() == exact
    made = KANLinear(2, 3, grid_size=grid_size, grid_range=(-0.1, 0.7), dtype=torch.float64)
    assert made.state_dict()["knots"].tolist() == exact
    assert "knots" not in KANLinear(2, 3, basis="rbf").state_dict()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("saved_as", [torch.float32, torch.float64])
@pytest.mark.parametrize("order", [0, 1, 3, 5])
@pytest.mark.parametrize("grid_range", [(-0.1, 0.7), (0.001, 0.002), (99.1, 101.3)])
def test_even_knots_are_even_after_any_state(dtype, saved_as, order, grid_range):
    saved = KANLinear(2, 3, grid_size=7, spline_order=order, grid_range=grid_range)
    state = saved.to(saved_as).state_dict()
    same = KANLinear(2, 3, grid_size=7, spline_order=order, grid_range=grid_range, dtype=dtype)
    same.load_state_dict(state)
    assert same.basis == saved.basis
    other = KANLinear(2, 3, grid_size=7, spline_order=order, dtype=dtype)
    other.load_state_dict(state)
    assert isinstance(other.basis, BSpline)
    assert other.basis.grid_range == pytest.approx(grid_range, rel=torch.finfo(saved_as).eps)


@pytest.mark.parametrize("grid_eps", [0.02, 1.0])
def test_a_state_with_knots_in_float64_is_loaded_into_float32_unrounded(grid_eps):
    # As all states were before: knots in float64 beside weights in float32.
    knots = adapted(lambda: KANLinear(2, 3, dtype=torch.float64), torch.randn(50, 2).double()).basis
    state = KANLinear(2, 3).state_dict()
    state["knots"] = torch.tensor(knots.knots, dtype=torch.float64)
    layer = KANLinear(2, 3)
    layer.load_state_dict(state)
    assert layer.basis == knots
    assert layer.state_dict()["knots"].dtype == torch.float32


def test_the_whole_state_of_a_network_can_go_where_there_is_no_float64():
    assert {t.dtype for t in KANCNN().state_dict().values()} == {torch.float32, torch.int64}


@pytest.mark.parametrize("even", [True, False])
def test_a_refined_uneven_grid_is_loaded_exactly(even):
    def make():
        layer = KANLinear(2, 3, grid_range=(-0.3, 0.7))
        layer.refine(10, even=even)
        return layer

    saved = make()
    saved.update_grid(torch.randn(50, 2))
    saved.refine(30)
    fresh = make()
    fresh.refine(30)
    fresh.load_state_dict(saved.state_dict())
    assert fresh.basis == saved.basis
    assert isinstance(fresh.basis, KnotSpline)
    x = torch.randn(5, 2)
    assert torch.equal(fresh(x), saved(x))


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
    with pytest.raises(RuntimeError, match=r"knots=.*: expected rising numbers"):
        KANLinear(2, 3).load_state_dict(state)


def test_a_state_dict_serves_a_functional_call():
    layer = adapted(lambda: KANLinear(2, 3), torch.randn(50, 2))
    x = torch.randn(5, 2)
    out = torch.func.functional_call(layer, dict(layer.state_dict()), (x,), strict=True)
    assert torch.equal(out, layer(x))


def test_an_ensemble_is_called_with_the_stacked_states_of_its_models():
    models = [KANLinear(2, 3) for _ in range(3)]
    parameters, buffers = torch.func.stack_module_state(models)
    shell = copy.deepcopy(models[0]).to("meta")

    def call(parameters, buffers, x):
        return torch.func.functional_call(shell, (parameters, buffers), (x,), strict=True)

    x = torch.randn(5, 2)
    out = torch.func.vmap(call, in_dims=(0, 0, None))(parameters, buffers, x)
    torch.testing.assert_close(out, torch.stack([model(x) for model in models]))


def test_a_layer_given_memory_after_it_was_made_has_its_knots():
    layer = KANConv2d(2, 3, 3, device="meta").to_empty(device="cpu")
    assert layer.knots.tolist() == pytest.approx(list(layer.basis.knots))


def test_a_state_without_memory_leaves_the_grid():
    layer = KANLinear(2, 3, grid_range=(-2, 2))
    layer.load_state_dict(KANLinear(2, 3, device="meta").state_dict(), assign=True)
    assert layer.basis == BSpline(5, 3, (-2, 2))


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


def with_all_cosines_first(layer):
    """Return the state that a layer of waves had before they were sorted by their frequency."""
    state = {key: value for key, value in layer.state_dict().items() if key != "knots"}
    weight, constant = state["spline_weight"], layer.basis.constant
    waves = weight[..., constant:]
    parts = [weight[..., :constant], waves[..., 0::2], waves[..., 1::2]]
    return state | {"spline_weight": torch.cat(parts, dim=-1)}


@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("make", [partial(KANLinear, 3, 2), partial(KANConv2d, 1, 2, 3)])
def test_a_state_from_before_waves_were_sorted_gives_the_same_functions(make, constant):
    basis = Fourier(3, (-1.0, 1.0), constant=constant)
    old, fresh = make(basis=basis), make(basis=basis)
    fresh.load_state_dict(with_all_cosines_first(old))
    assert torch.equal(fresh.spline_weight, old.spline_weight)


def test_a_layer_pickled_before_waves_were_sorted_gives_the_same_functions():
    layer = KANLinear(3, 2, basis="fourier")
    pickled = copy.deepcopy(layer)
    pickled.knots = None
    pickled.spline_weight.data = with_all_cosines_first(layer)["spline_weight"]
    again = pickle.loads(pickle.dumps(pickled))
    assert torch.equal(again.spline_weight, layer.spline_weight)
    twice = pickle.loads(pickle.dumps(again))
    assert torch.equal(twice.spline_weight, layer.spline_weight)


def test_a_state_of_sorted_waves_is_taken_as_it_is_with_or_without_metadata():
    layer, fresh = (KANLinear(3, 2, basis="fourier") for _ in range(2))
    for state in (layer.state_dict(), dict(layer.state_dict())):
        fresh.load_state_dict(state)
        assert torch.equal(fresh.spline_weight, layer.spline_weight)


def test_waves_refuse_the_grid_of_splines():
    waves = KANLinear(3, 2, basis=Fourier(4, constant=False))
    with pytest.raises(RuntimeError, match="the state is of B-splines"):
        waves.load_state_dict(KANLinear(3, 2).state_dict())
