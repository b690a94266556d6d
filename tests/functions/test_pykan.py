"""The real pykan: numeric and symbolic edges, masks, grids, multiplication nodes."""

from __future__ import annotations

import pytest
import torch
from kan import KAN
from kan.KANLayer import KANLayer
from proofs import assert_writes_back, train
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import check, describe, read


def make(width=(4, 5, 3), **settings) -> nn.Module:
    settings = {"grid": 5, "k": 3, "seed": 1, "auto_save": False, **settings}
    return KAN(width=list(width), **settings)


def make_symbolic(model: nn.Module) -> None:
    quiet = {"fit_params_bool": False, "log_history": False}
    model.fix_symbolic(0, 1, 2, "sin", **quiet)
    model.fix_symbolic(0, 0, 0, "exp", random=True, **quiet)
    model.fix_symbolic(1, 3, 1, "x^2", random=True, **quiet)
    model.set_mode(0, 0, 0, "ns")  # both halves at once


@pytest.fixture
def inputs() -> torch.Tensor:
    return torch.randn(200, 4, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"k": 2, "grid": 7, "grid_range": [0.0, 2.0]},
        {"base_fun": "identity", "sparse_init": True},
        {"base_fun": "zero"},
        {"symbolic_enabled": False},
        {"width": (4, [3, 2], [2, 1])},
        {"width": (4, [3, 2], 2), "mult_arity": [[], [2, 3], []]},
    ],
    ids=str,
)
def test_every_layers_functions_sum_to_its_nodes_fresh_trained_and_on_new_grids(settings, inputs):
    model = make(**settings)
    assert check(model).error < 1e-5
    train(model, 4)
    assert check(model).error < 1e-5
    model.update_grid(inputs)
    assert len(read(model)[0].bases) == 4
    assert check(model).error < 1e-5


def test_a_layer_by_itself_is_read():
    module = KANLayer(5, 3)
    assert check(module).error < 1e-5
    module.update_grid_from_samples(torch.randn(100, 5))
    assert check(module).error < 1e-5
    assert_writes_back(module)


def test_a_refined_model_is_read_on_its_finer_grid(inputs):
    model = make()
    model(inputs)
    refined = model.refine(10)
    assert check(refined).error < 1e-5
    assert read(refined)[0].coefficients.shape == (5, 4, 14)


def test_pruned_edges_and_nodes_are_as_they_are_masked(inputs):
    model = make()
    model(inputs)
    model.attribute()
    model.prune_edge(0.1, log_history=False)
    [first, second] = read(model)
    dead = (first.coefficients == 0).all(-1).sum() + (second.coefficients == 0).all(-1).sum()
    assert dead > 0
    assert check(model).error < 1e-5
    smaller = model.prune_node(0.3, log_history=False)
    assert read(smaller)[0].shape[0] < 5
    assert check(smaller).error < 1e-5
    smaller = make().prune_input(active_inputs=[1, 3], log_history=False)
    assert check(smaller).error < 1e-5


def test_symbolic_edges_have_a_basis_of_their_own_and_numeric_ones_keep_theirs(inputs):
    model = make()
    model.update_grid(inputs)
    numeric = read(model)[0]
    make_symbolic(model)
    layer = read(model)[0]
    assert check(model).error < 1e-5
    assert layer.basis_labels[-2:] == ("f(a·x + b)", "1")
    assert layer.note.startswith("Symbolic: 0→0 exp, 1→2 sin.")
    assert layer.basis_index[2, 1] != layer.basis_index[0, 0]
    x = torch.linspace(-1, 1, 11)
    torch.testing.assert_close(layer.evaluate(x)[2, 1], torch.sin(x))
    torch.testing.assert_close(layer.evaluate(x)[1], numeric.evaluate(x)[1])
    train(model, 4)
    assert check(model).error < 1e-5


def test_symbolic_edges_are_made_numeric_again():
    model = make()
    before = read(model)[0].coefficients.shape
    make_symbolic(model)
    assert read(model)[0].coefficients.shape[-1] == before[-1] + 2
    model.unfix_symbolic_all(log_history=False)
    assert read(model)[0].coefficients.shape == before


def test_editing_writes_through_masks_and_scales_or_says_why_not():
    model = make()
    make_symbolic(model)
    layer = read(model)[0]
    wanted = torch.linspace(-1, 1, layer.coefficients.shape[-1])
    wanted[-2:] = 0  # edge 3→4 is numeric
    layer.write((4, 3), wanted)
    torch.testing.assert_close(read(model)[0].coefficients[4, 3], wanted)
    symbolic = torch.zeros_like(wanted)
    symbolic[-2:] = torch.tensor([0.5, -0.25])
    layer.write((2, 1), symbolic)
    torch.testing.assert_close(read(model)[0].coefficients[2, 1], symbolic)
    with pytest.raises(ValueError, match=r"the mask of function \(2, 1\) is 0"):
        layer.write((2, 1), wanted)
    with pytest.raises(ValueError, match=r"the symbolic mask of function \(4, 3\) is 0"):
        layer.write((4, 3), symbolic)


def test_multiplication_nodes_are_named():
    model = make((4, [3, 2], 2), mult_arity=[[], [2, 3], []])
    first, second = read(model)
    assert first.note == "Multiplication nodes: outputs 3·4 into node 3, 5·6·7 into node 4."
    assert second.note == ""


def test_the_layers_lie_at_their_paths_and_nothing_else_is_read():
    table = describe(nn.Sequential(make(), nn.Linear(3, 1)))
    assert [(row.layer, row.adapter, row.functions) for row in table.layers] == [
        ("0.act_fun.0", "pykan", 20),
        ("0.act_fun.1", "pykan", 15),
        ("1", "torch", 3),
    ]
    assert table.left_out == ()


def test_a_bound_model_is_watched_edited_and_followed_onto_a_new_grid(inputs):
    model = make()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    live = kw.bind(model, optimizer)
    for _ in range(3):
        optimizer.zero_grad()
        model(inputs).square().mean().backward()
        optimizer.step()
    frame = live.refresh()
    assert (frame.step, len(live.history)) == (3, len(live.history))
    layer = read(model)[1]
    assert torch.equal(
        torch.from_numpy(frame.coefficients("act_fun.1")[:, :, 0, 0].copy()), layer.coefficients
    )
    before = frame.layout
    model.update_grid(inputs)
    make_symbolic(model)
    frame = live.refresh()
    assert frame.layout is not before
    assert len(frame.layout.layer("act_fun.0").tables) == 4 + 2
    live.edits.zero("act_fun.0", (4, 3))
    assert not read(model)[0].coefficients[4, 3].any()
    live.edits.undo()
    assert read(model)[0].coefficients[4, 3].any()
    live.close()
