"""prune: importances by brute force, what is removed, and that it stays removed."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kan_widgets.nn import KANCNN, KANConv2d, KANLinear, SharedKANConv2d, prune


def lively(layer):
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return layer


def values(layer, index, x):
    """One function at x, from parameters and basis."""
    coefficients = layer.spline_weight[index]
    if layer.spline_scaler is not None:
        coefficients = coefficients * layer.spline_scaler[index]
    return layer.base_weight[index] * F.silu(x) + layer.basis.expand(x) @ coefficients


def test_importance_in_a_dense_layer_is_the_mean_magnitude():
    layer = lively(KANLinear(3, 4, spline_scaler=True))
    x = torch.randn(5, 40, 3)
    found = layer.prune(0.5, x)
    for o, i in np.ndindex(4, 3):
        expected = values(layer, (o, i), x[..., i]).abs().mean()
        torch.testing.assert_close(found.importance[o, i], expected.detach())
    assert found.removed == tuple(map(tuple, (found.importance <= 0.5).nonzero().tolist()))
    assert 0 < len(found.removed) < 12
    assert found.remaining == 12 - len(found.removed)


@pytest.mark.parametrize("basis", ["bspline", "chebyshev"])
def test_importance_in_a_convolution_counts_what_each_entry_sees(basis):
    layer = lively(KANConv2d(4, 6, (2, 3), stride=(2, 1), padding=1, groups=2, basis=basis))
    x = torch.randn(3, 4, 6, 5)
    found = layer.prune(1.0, x)
    padded = F.pad(x, (1, 1, 1, 1))
    for o, i, r, c in np.ndindex(6, 2, 2, 3):
        seen = padded[:, i + 2 * (o // 3), r : r + 7 : 2, c : c + 5]
        assert seen.shape == (3, 4, 5)
        expected = values(layer, (o, i, r, c), seen).abs().mean()
        torch.testing.assert_close(found.importance[o, i, r, c], expected.detach())


def test_a_shared_kernel_sees_all_channels():
    layer = lively(SharedKANConv2d(2, 2))
    x = torch.randn(3, 4, 5, 5)
    expected = values(layer, (1, 0, 0, 1), x[:, :, :4, 1:]).abs().mean()
    torch.testing.assert_close(layer.prune(0, x).importance[1, 0, 0, 1], expected.detach())


def test_a_dry_run_changes_nothing():
    layer = lively(KANLinear(3, 4))
    x = torch.randn(40, 3)
    before = layer(x)
    found = layer.prune(1.0, x)
    assert found.dry_run
    assert layer.mask is None
    assert torch.equal(layer(x), before)
    assert f"{len(found.removed)} of 12 functions would be removed (mean |φ| ≤ 1)" in str(found)


def test_removed_functions_add_nothing_and_do_not_come_back_in_training():
    layer = lively(KANLinear(3, 4, spline_scaler=True))
    x = torch.randn(40, 3)
    kept = copy.deepcopy(layer)
    found = layer.prune(0.7, x, dry_run=False)
    assert 0 < len(found.removed) < 12
    assert not found.dry_run
    with torch.no_grad():
        for index in found.removed:
            kept.base_weight[index] = 0
            kept.spline_weight[index] = 0
    torch.testing.assert_close(layer(x), kept(x))
    optimizer = torch.optim.Adam(layer.parameters(), 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        (layer(x) - 3).square().mean().backward()
        optimizer.step()
    later = layer.prune(0.0, x)
    for index in found.removed:
        assert later.importance[index] == 0
    # They are not reported as removed again.
    assert later.removed == ()
    assert later.remaining == found.remaining
    assert f"{len(found.removed)} functions pruned" in repr(layer)
    again = layer.prune(1e9, x, dry_run=False)
    assert len(again.removed) == found.remaining
    assert not layer(x).any()


def test_pruned_layers_are_saved_loaded_and_copied():
    layer = lively(KANConv2d(2, 3, 3))
    x = torch.randn(2, 2, 8, 8)
    layer.prune(1.2, x, dry_run=False)
    fresh = KANConv2d(2, 3, 3)
    fresh.load_state_dict(layer.state_dict())
    for twin in (fresh, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(twin(x), layer(x))
        assert not twin.mask.all()
    exported = torch.export.export(layer, (x,)).module()
    torch.testing.assert_close(exported(x), layer(x))
    half = copy.deepcopy(layer).bfloat16()
    assert half.mask.dtype == torch.bool
    # A state that was never pruned makes the layer whole again.
    fresh.load_state_dict(KANConv2d(2, 3, 3).state_dict())
    assert fresh.mask is None


def test_reset_parameters_makes_a_layer_whole():
    layer = lively(KANLinear(3, 4))
    layer.prune(1e9, torch.randn(5, 3), dry_run=False)
    layer.reset_parameters()
    assert layer(torch.randn(5, 3)).all()


@pytest.mark.parametrize(
    ("threshold", "batch", "error", "words"),
    [
        (-1.0, torch.randn(4, 2), ValueError, "threshold=-1.0: expected a finite number ≥ 0"),
        (
            float("nan"),
            torch.randn(4, 2),
            ValueError,
            "threshold=nan: expected a finite number ≥ 0",
        ),
        (
            0.1,
            torch.tensor([[0.0, torch.nan]]),
            ValueError,
            "batch with 1 of 2 numbers NaN",
        ),
        (0.1, torch.zeros(4, 3), ValueError, r"shape \(4, 3\): expected \(\.\.\., 2\)"),
        (
            0.1,
            "images",
            TypeError,
            "batch of type str: expected a floating-point",
        ),
    ],
)
def test_what_tells_no_importance_raises_and_changes_nothing(threshold, batch, error, words):
    layer = KANLinear(2, 3)
    with pytest.raises(error, match=words):
        layer.prune(threshold, batch, dry_run=False)
    assert layer.mask is None


def test_a_network_is_pruned_by_what_reaches_each_layer():
    torch.manual_seed(0)
    model = KANCNN(channels=(3,)).eval()
    x = torch.randn(8, 1, 28, 28)
    before = model(x)
    found = model.prune(0.05, x)
    hidden = F.max_pool2d(model.convs[0](model.norms[0](x)), 2).flatten(1)
    by_hand = model.linear.prune(0.05, model.linear_norm(hidden))
    torch.testing.assert_close(found["linear"].importance, by_hand.importance)
    assert found["linear"].removed == by_hand.removed
    assert torch.equal(model(x), before)
    done = model.prune(0.05, x, dry_run=False)
    assert {name: record.removed for name, record in done.items()} == {
        name: record.removed for name, record in found.items()
    }
    assert not torch.equal(model(x), before)
    with pytest.raises(ValueError, match=r"layer 'convs\.0': .* NaN"):
        model.prune(0.05, torch.full_like(x, torch.nan))
    with pytest.raises(TypeError, match="Linear has none"):
        prune(nn.Linear(2, 2), 0.1, torch.randn(3, 2))


def test_of_batches_of_unlike_sizes_each_gets_its_share():
    """Two inputs, one for each batch: the mean shows in which proportion they were looked at."""
    layer = KANConv2d(1, 1, 1)
    with torch.no_grad():
        layer.base_weight.fill_(1.0)
        layer.spline_weight.zero_()
    many, few = torch.full((300, 1, 20, 20), 1.0), torch.full((100, 1, 10, 10), 3.0)
    expected = (
        300 * 400 * F.silu(many[0, 0, 0, 0]) + 100 * 100 * F.silu(few[0, 0, 0, 0])
    ) / 130_000
    found = layer.prune(0.0, [many, few]).importance.item()
    assert found == pytest.approx(expected.item(), rel=2e-4)
