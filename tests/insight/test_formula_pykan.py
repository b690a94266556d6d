"""Formulas of the real pykan: symbolic and masked edges, scales and biases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy  # type: ignore[import-untyped]
import torch
from kan import KAN
from torch import nn

from kan_widgets.insight import formula

QUIET = {"fit_params_bool": False, "log_history": False, "verbose": False}


def make(width: Any, **settings: Any) -> Any:
    return KAN(width=width, grid=3, k=3, seed=1, auto_save=False, **settings)


def all_symbolic(model: Any, names: tuple[str, ...] = ("sin", "x^2", "exp", "x", "tanh")) -> None:
    """Make every edge symbolic, with numbers of its own, and every scale and bias another one."""
    generator = torch.Generator().manual_seed(3)
    number = 0
    for k in range(model.depth):
        outs, ins = model.symbolic_fun[k].mask.shape
        for o in range(outs):
            for i in range(ins):
                model.fix_symbolic(k, i, o, names[number % len(names)], **QUIET)
                number += 1
    with torch.no_grad():
        for k in range(model.depth):
            affine = model.symbolic_fun[k].affine
            affine.copy_(0.3 + 0.5 * torch.rand(affine.shape, generator=generator))
    scale_nodes(model)


def scale_nodes(model: Any) -> None:
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for name in ("subnode_scale", "subnode_bias", "node_scale", "node_bias"):
            for parameter in getattr(model, name):
                parameter.copy_(0.4 + 0.8 * torch.rand(parameter.shape, generator=generator))


@pytest.fixture
def x() -> torch.Tensor:
    return 2 * torch.rand(200, 3, generator=torch.Generator().manual_seed(0)) - 1


def outputs(model: nn.Module, x: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        return model(x).double().numpy()


def test_symbolic_edges_are_fitted_within_the_error_that_is_told(x) -> None:
    model = make([3, 2, 2])
    all_symbolic(model)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = formula(model, x, names=["u", "v", "w"], digits=8)
    y = outputs(model, x)
    rest = (found(x.numpy()) - y)[found.held_out]
    # The model computes in float32, not always to the last digit the same.
    assert found.largest == pytest.approx(np.abs(rest).max(axis=0), abs=1e-6)
    assert found.r2.min() > 0.9999
    # The expressions themselves, by sympy's own numbers.
    row = dict(zip(sympy.symbols("u v w"), x[7].tolist(), strict=True))
    values = [float(expression.subs(row)) for expression in found.sympy]
    assert values == pytest.approx(found(x.numpy())[7], rel=1e-6)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_multiplication_is_refused(x) -> None:
    model = make([3, [2, 1], 1], mult_arity=2)
    with pytest.raises(ValueError, match=r"between act_fun\.0 and act_fun\.1 something is done"):
        formula(model, x)


def test_masked_edges_are_not_there(x) -> None:
    model = make([3, 2, 1])
    all_symbolic(model)
    model.remove_edge(0, 2, 0)
    model.remove_edge(0, 2, 1)
    with torch.no_grad():
        model.symbolic_fun[0].mask[:, 2] = 0
    found = formula(model, x)
    assert found.r2[0] > 0.999
    assert "x2" not in str(found.sympy[0])
    assert "x1" in str(found.sympy[0])


def test_splines_are_fitted_beside_symbolic_edges_also_where_an_edge_has_both(x) -> None:
    model = make([3, 2, 1])
    with torch.no_grad():
        for layer in model.act_fun:
            layer.coef.zero_()  # what is left are multiples of SiLU, which a form can be exactly
    model.fix_symbolic(0, 1, 0, "sin", **QUIET)
    model.fix_symbolic(1, 0, 0, "exp", **QUIET)
    model.fix_symbolic(0, 0, 1, "x^2", **QUIET)
    model.set_mode(0, 0, 1, "ns")
    scale_nodes(model)
    found = formula(model, x)
    assert found.r2[0] > 0.9999


def test_a_fresh_model_of_splines_is_written_with_its_error(x) -> None:
    model = make([3, 2, 1])
    found = formula(model, x)
    rest = (found(x.numpy()) - outputs(model, x))[found.held_out]
    assert found.error[0] == pytest.approx(np.sqrt(np.square(rest).mean()), abs=1e-6)
    assert found.r2[0] > 0.9


def test_pruned_inputs_nodes_and_edges(x) -> None:
    model = make([3, 2, 1])
    model.fix_symbolic(0, 1, 1, "sin", **QUIET)
    model(x)
    with torch.no_grad():
        model.act_fun[0].mask[2] = 0
        model.symbolic_fun[0].mask[:, 2] = 0
    model = model.prune_input(active_inputs=[0, 1], log_history=False)
    found = formula(model, x)
    with torch.no_grad():
        y = model(x)
    assert y.shape == (200, 1)
    assert found.names == ("x0", "x1", "x2")
    assert "x2" not in str(found.sympy[0])
    rest = (found(x.numpy())[:, 0] - y[:, 0].double().numpy())[found.held_out]
    assert found.largest[0] == pytest.approx(np.abs(rest).max(), abs=1e-6)
    assert found.r2[0] > 0.9


def test_without_the_symbolic_half_and_inside_another_model(x) -> None:
    model = nn.Sequential(nn.BatchNorm1d(3), make([3, 2, 1], symbolic_enabled=False)).eval()
    nn.init.uniform_(model[0].running_mean)
    with torch.no_grad():
        for layer in model[1].act_fun:
            layer.coef.zero_()
    found = formula(model, x)
    assert found(x.numpy()) == pytest.approx(outputs(model, x), abs=1e-3)


def test_a_function_without_a_symbol_is_fitted(x) -> None:
    model = make([3, 1])
    for i in range(3):
        model.fix_symbolic(0, i, 0, "x", **QUIET)
    model.fix_symbolic(0, 1, 0, lambda u: torch.where(u > 0, u, 0.0 * u), **QUIET)
    found = formula(model, x)
    assert "ReLU of x1" in found.terms
    assert found(x.numpy()) == pytest.approx(outputs(model, x), abs=1e-3)
