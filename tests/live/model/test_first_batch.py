"""What a binding learns from the first forward pass of its training, and what it proves again."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.live import cells


class Columns(nn.Module):
    """A KAN layer that takes columns of seven numbers, and says so nowhere."""

    def __init__(self, outputs: int = 3) -> None:
        super().__init__()
        self.poly_weights = nn.Parameter(torch.randn(2 * 7 * outputs))

    def forward(self, x: Tensor) -> Tensor:
        x = x.reshape(len(x), 7)
        waves = torch.cat([x.sin(), (2 * x).cos()], 1)
        return waves @ self.poly_weights.view(14, -1)


class Growing(kw.nn.KANLinear):
    """With a product of its inputs that something else than the optimizer makes large."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self.share = 0.0

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + self.share * x[..., :1] * x[..., 1:2]


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Columns(), kw.nn.KANLinear(3, 2)
        self.drop = nn.Dropout(0.2)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.drop(self.first(x)))


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def batch(low: float = -1.0, high: float = 1.0) -> Tensor:
    return low + (high - low) * torch.rand(64, 7, 1)


def step(model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor) -> None:
    optimizer.zero_grad()
    model(x).square().mean().backward()
    optimizer.step()


def bound(model: nn.Module) -> tuple[torch.optim.Optimizer, kw.live.Binding]:
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    return optimizer, kw.bind(model, optimizer, every=1)


def hooks(model: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def off(live: kw.live.Binding, layer: str, module: nn.Module, x: Tensor) -> float:
    """How far Σφ of a layer that is shown is from what it computes, by the largest of that."""
    functions = next(one for one in live.read() if one.name == layer)
    rows = x.flatten(1)
    with torch.no_grad():
        y = copy.deepcopy(module).eval()(x)
    total = sum(functions.evaluate(rows[:, i])[:, i] for i in range(rows.shape[1]))
    difference = total.T - y
    return float((difference - difference.mean(0)).abs().max() / y.abs().max())


@pytest.mark.filterwarnings("ignore:not read")
def test_a_layer_whose_inputs_nobody_can_guess_is_shown_after_the_first_step():
    model = Model()
    optimizer, live = bound(model)
    assert live.layers == ("second",)
    assert hooks(model)
    step(model, optimizer, batch())
    assert not hooks(model)
    assert set(live.layers) == {"first", "second"}
    assert off(live, "first", model.first, batch()) < 1e-3
    assert live.frame.step == 1
    live.close()


def test_a_network_that_says_its_input_shape_is_drawn_whole_before_the_first_batch():
    model = kw.nn.KANCNN(channels=(2, 3), image_size=8)
    state = copy.deepcopy(model.state_dict())
    randomness = torch.get_rng_state()
    live = kw.bind(model)
    assert not live.feed.structure.traced
    view = kw.NetworkView(live)
    structure = view.live.feed.structure
    assert structure.traced
    assert [one.shape for one in structure.stations if one.layer] == [(2, 8, 8), (3, 4, 4), (10,)]
    assert not live.feed.activations
    assert model.training
    assert torch.equal(randomness, torch.get_rng_state())
    assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())


def test_an_example_shows_it_at_once_and_where_its_inputs_lie():
    model = Model()
    live = kw.bind(model, example=batch(9, 11))
    layer = next(one for one in live.feed.layout.layers if one.name == "first")
    assert 8.5 < layer.domain[0] < 9.1 < 10.9 < layer.domain[1] < 11.5
    assert "that it was given" in layer.note
    assert off(live, "first", model.first, batch(9.1, 10.9)) < 1e-3
    assert live.feed.structure.traced
    assert not hooks(model)
    live.close()


@pytest.mark.filterwarnings("ignore:not read")
def test_the_structure_and_the_examples_are_those_of_the_first_batch():
    model = Model()
    optimizer, live = bound(model)
    assert not live.feed.structure.traced
    step(model, optimizer, batch())
    assert live.feed.structure.traced
    live.probe()
    assert live.feed.probed.inputs.shape == (8, 7, 1)
    live.close()


@pytest.mark.filterwarnings("ignore:not read")
def test_the_first_batch_is_waited_for_over_cells_that_train_nothing():
    model = Model()
    cells._cell_started()
    optimizer, live = bound(model)
    cells._cell_ended()
    cells._cell_started()
    cells._cell_ended()
    assert hooks(model)
    step(model, optimizer, batch())
    assert live.feed.structure.traced
    assert set(live.layers) == {"first", "second"}
    assert not hooks(model)
    live.close()


@pytest.mark.filterwarnings("ignore:not read")
def test_what_it_learns_changes_nothing_about_the_training():
    def trained(watched: bool) -> list[Tensor]:
        torch.manual_seed(1)
        model = Model()
        optimizer = torch.optim.Adam(model.parameters(), 0.01)
        live = kw.bind(model, optimizer, every=1) if watched else None
        for _ in range(12):
            if live is not None and live.feed.bound.next_proof is not None:
                live.feed.bound.next_proof = 0.0  # proved again at every other step
            step(model, optimizer, batch())
        if live is not None:
            live.close()
        return [*(value.clone() for value in model.state_dict().values()), torch.rand(3)]

    pairs = zip(trained(True), trained(False), strict=True)
    assert all(torch.equal(ours, theirs) for ours, theirs in pairs)


def test_a_copy_of_a_model_that_waits_for_its_first_batch_learns_nothing():
    model = nn.Sequential(kw.nn.KANLinear(3, 2))
    _, live = bound(model)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        other(torch.rand(4, 3))
    assert hooks(model)
    assert not live.feed.bound.forward_pass.module_inputs
    live.close()
    assert not hooks(model)


@pytest.mark.filterwarnings("ignore:not read")
def test_a_loop_that_never_calls_the_model_as_a_whole_is_met_layer_by_layer():
    model = Model()
    optimizer, live = bound(model)
    model.second(model.first(batch())).sum().backward()
    optimizer.step()
    assert set(live.layers) == {"first", "second"}
    assert not hooks(model)
    live.close()


def test_what_multiplies_its_inputs_by_now_leaves_the_picture_and_that_is_said():
    model = nn.Sequential(Growing(4, 3), kw.nn.KANLinear(3, 2))
    optimizer, live = bound(model)
    step(model, optimizer, torch.rand(64, 4))
    assert live.layers == ("0", "1")
    model[0].share = 1.0
    live.feed.bound.next_proof = 0.0  # it is due
    live.feed.counter.request_full_step()
    step(model, optimizer, torch.rand(64, 4))
    with pytest.warns(RuntimeWarning, match="no longer shown: 0.*what inputs do together"):
        step(model, optimizer, torch.rand(64, 4))
    assert live.layers == ("1",)
    step(model, optimizer, torch.rand(64, 4))
    assert live.state == "live"
    live.close()


def test_layers_are_proved_again_while_it_trains():
    model = nn.Sequential(Growing(4, 3), kw.nn.KANLinear(3, 2))
    optimizer, live = bound(model)
    step(model, optimizer, torch.rand(64, 4))
    assert live.feed.bound.next_proof
    live.feed.bound.next_proof = 0.0
    live.feed.counter.request_full_step()
    for _ in range(2):
        step(model, optimizer, torch.rand(64, 4))
    assert live.feed.bound.next_proof > 0
    live.close()


@pytest.mark.parametrize(
    ("example", "error", "words"),
    [
        ([[1.0]], TypeError, "example=list: expected a tensor of inputs"),
        ((), TypeError, "example=tuple: expected a tensor of inputs, or a tuple"),
        (torch.rand(4, 5), ValueError, r"example of shape \(4, 5\): the model cannot be run on it"),
    ],
)
def test_what_is_no_example_is_refused_before_anything_is_changed(example, error, words):
    model = nn.Sequential(kw.nn.KANLinear(3, 2))
    with pytest.raises(error, match=words):
        kw.bind(model, example=example)
    assert not hooks(model)


def test_a_compiled_pass_is_not_recorded():
    model = nn.Sequential(kw.nn.KANLinear(3, 2))
    _, live = bound(model)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    compiled(torch.rand(4, 3))
    assert not live.feed.bound.forward_pass.module_inputs
    live.close()


def test_examples_may_be_whole_numbers_such_as_words() -> None:
    model = nn.Sequential(nn.Embedding(9, 4), kw.nn.KANLinear(4, 2))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with kw.bind(model, optimizer) as live:
        for _ in range(2):
            model(torch.arange(9).repeat(10, 1)).sum().backward()
            optimizer.step()
        live.probe()
        assert live.feed.probed.inputs[0].tolist() == [*range(9)]


def test_an_explanation_before_the_training_is_not_its_first_batch():
    model = kw.nn.KANCNN(channels=(2, 3), image_size=8)
    optimizer, live = bound(model)
    view = kw.NetworkView(live)
    explain = kw.Explain(live, torch.rand(1, 8, 8))
    assert live.feed.probed is None
    assert live.feed.bound.last_examples is None
    images = torch.rand(20, 1, 8, 8)
    step(model, optimizer, images)
    np.testing.assert_array_equal(live.feed.probed.inputs, images[:8])
    assert {one.samples for one in live.feed.observed.values()} == {20}
    explain.close()
    view.close()
