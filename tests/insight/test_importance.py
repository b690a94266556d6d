"""Importance by brute force, and against what prune goes by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import kan_widgets as kw
from kan_widgets.insight import Importance, SeenPatches, importance


def lively(layer: Any) -> Any:
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return layer


def measured(layer: nn.Module, x: torch.Tensor) -> Importance:
    [observed] = kw.bind(layer).observe(x).values()
    return importance(kw.functions.read(layer)[0], observed)


def test_numbers_of_a_strided_grouped_convolution_are_those_of_what_each_entry_sees() -> None:
    layer = lively(kw.nn.KANConv2d(4, 6, (2, 3), stride=(2, 1), padding=1, groups=2))
    x = torch.randn(3, 4, 6, 5)
    found = measured(layer, x)
    assert (found.samples, found.patches) == (3, 60)
    padded = F.pad(x, (1, 1, 1, 1))
    with torch.no_grad():
        for o, i, r, c in np.ndindex(6, 2, 2, 3):
            seen = padded[:, i + 2 * (o // 3), r : r + 7 : 2, c : c + 5]
            phi = layer.base_weight[o, i, r, c] * F.silu(seen) + (
                layer.basis.expand(seen) @ layer.spline_weight[o, i, r, c]
            )
            place = (o, i, r, c)
            assert found.mean[place] == pytest.approx(float(phi.mean()), abs=1e-5)
            assert found.spread[place] == pytest.approx(float(phi.std(correction=0)), abs=1e-5)
            assert found.magnitude[place] == pytest.approx(float(phi.abs().mean()), abs=1e-5)


@pytest.mark.parametrize("groups", [1, 2])
def test_prune_removes_those_whose_magnitude_is_not_above_the_threshold(groups: int) -> None:
    layer = lively(kw.nn.KANConv2d(2, 4, 3, groups=groups))
    x = torch.randn(5, 2, 7, 7)
    found = measured(layer, x)
    pruning = layer.prune(1.0, x)
    assert found.magnitude == pytest.approx(pruning.importance.numpy(), abs=1e-6)
    weak = np.argwhere(found.magnitude <= 1.0)
    assert 0 < len(weak) < found.magnitude.size
    assert pruning.removed == tuple(map(tuple, weak.tolist()))


def test_pruned_functions_have_no_importance_and_constant_ones_no_spread() -> None:
    layer = lively(kw.nn.KANLinear(3, 2))
    x = torch.rand(50, 3)
    x[:, 1] = 0.25
    [name] = kw.bind(layer).layers
    layer.mask = torch.tensor([[False, True, True], [True, True, True]])
    [functions] = kw.functions.read(layer)
    found = importance(functions, SeenPatches(name, 50, x.numpy()))
    flat = found.spread[:, :, 0, 0]
    assert flat[0, 0] == found.magnitude[0, 0, 0, 0] == 0
    assert (flat[:, 1] == 0).all()
    assert (found.magnitude[:, 1] > 0).all()
    assert (flat[:, 2] > 0).all()


def test_functions_with_grids_of_their_own_are_measured_on_those() -> None:
    from kan import KAN  # type: ignore[import-untyped]

    torch.manual_seed(0)
    model = KAN(width=[3, 2], grid=4, k=3, auto_save=False)
    x = torch.randn(60, 3) * torch.tensor([0.1, 1.0, 3.0])
    model.update_grid_from_samples(x)
    live = kw.bind(model)
    observed = live.observe(x)
    [layer] = live.read()
    found = importance(layer, observed[layer.name])
    model(x)
    after = model.spline_postacts[0].detach().numpy()  # (n, out, in): what pykan says of itself
    assert found.spread[:, :, 0, 0] == pytest.approx(after.std(axis=0), abs=1e-5)
    assert len({id(basis) for basis in layer.bases}) > 1


def test_what_is_not_finite_has_no_importance() -> None:
    linear = nn.Linear(2, 2)
    with torch.no_grad():
        linear.weight[1, 0] = torch.nan
    [functions] = kw.functions.read(linear)
    found = importance(functions, SeenPatches(functions.name, 3, np.ones((3, 2))))
    assert np.isnan(found.spread[1, 0]).all()
    assert np.isfinite(np.delete(found.magnitude.ravel(), 2)).all()


def test_it_refuses_without_inputs() -> None:
    [functions] = kw.functions.read(nn.Linear(2, 2))
    with pytest.raises(TypeError, match=r"nothing was observed at Linear: give observed"):
        importance(functions, None)
