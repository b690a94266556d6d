"""A trained network: its grids are updated, its functions ranked. All of one file train it once."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.stats import spearmanr

from kan_widgets.data import mnist
from kan_widgets.nn import KANCNN, KANConv2d, KANLinear


@pytest.fixture(scope="module")
def digits():
    return mnist("embedded")


@pytest.fixture(scope="module")
def trained(digits):
    """A network trained on grids laid evenly over what it saw then; copy it to change it."""
    torch.manual_seed(0)
    model = KANCNN(norm=None)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3)
    loader, _ = digits.loaders(64)
    for epoch in range(4):
        if epoch < 2:
            model.update_grid(digits.train_images[:512], grid_eps=1.0)
        for x, y in loader:
            optimizer.zero_grad()
            F.nll_loss(model(x), y).backward()
            optimizer.step()
    return model.eval()


# -- updated grids


@pytest.fixture(scope="module")
def judged(trained, digits):
    """All 5,000 digits and what the trained network takes them for."""
    images = torch.cat([digits.test_images, digits.train_images])
    with torch.no_grad():
        return images, torch.cat([digits.test_labels, digits.train_labels]), trained(images)


def fitted_at_best(trained, updated, images):
    """The updated network with splines by plain least squares at all inputs of these images."""
    taken = {}
    hooks = [
        module.register_forward_pre_hook(lambda _, x, name=name: taken.update({name: x[0]}))
        for name, module in trained.named_modules()
        if hasattr(module, "spline_weight")
    ]
    with torch.no_grad():
        trained(images)
    for hook in hooks:
        hook.remove()
    best = copy.deepcopy(updated)
    for name, x in taken.items():
        old, new = trained.get_submodule(name), best.get_submodule(name)
        x = x.double().flatten()[:: max(1, x.numel() // 20_000)]
        before, after = (layer.basis.expand(x).numpy() for layer in (old, new))
        change = np.linalg.lstsq(after, before, rcond=None)[0]
        with torch.no_grad():
            new.spline_weight.copy_(old.spline_weight.double() @ torch.from_numpy(change.T))
    return best


@pytest.mark.slow
def test_a_trained_network_does_as_well_as_the_best_fit_on_its_new_grids(trained, digits, judged):
    images, labels, before = judged
    was = before.argmax(1)
    assert (was == labels).double().mean() > 0.97
    lost = torch.zeros(len(labels))
    for grid_eps, n in itertools.product([0.0, 0.02, 1.0], [16, 512]):
        model = copy.deepcopy(trained)
        model.update_grid(digits.train_images[:n], grid_eps=grid_eps)
        best = fitted_at_best(trained, model, digits.train_images[:512])
        with torch.no_grad():
            now, at_best = (out.argmax(1) for out in (model(images), best(images)))
        # A wider grid of as many intervals is coarser: no fit on it keeps every answer.
        assert int((now != was).sum()) < 0.01 * len(labels), (grid_eps, n)
        lost += (at_best == labels).float() - (now == labels).float()
    # Two standard deviations of a sum over digits: the six grids mostly lose the same ones.
    assert lost.sum() <= 2 * lost.square().sum().sqrt()


# -- more patches than are looked at --------------------------------------------------

SIZES = (500, 509, 512, 1021, 1024, 2048)


@pytest.fixture(scope="module")
def images(digits):
    return torch.cat([digits.train_images, digits.test_images])[: max(SIZES)]


@pytest.fixture(scope="module")
def of_all_patches(trained, images):
    """The importances of all functions over all patches, for each batch size: {size: {name: t}}."""
    layers = {name: part for name, part in trained.named_modules() if hasattr(part, "base_weight")}
    seen = {}
    hooks = [
        layer.register_forward_pre_hook(lambda _, x, name=name: seen.__setitem__(name, x[0]))
        for name, layer in layers.items()
    ]
    sums = {name: torch.zeros_like(layer.base_weight) for name, layer in layers.items()}
    found = {}
    with torch.no_grad():
        for first, last in zip((0, *SIZES), SIZES, strict=False):
            for part in images[first:last].split(256):
                trained(part)
                for name, layer in layers.items():
                    sums[name] += magnitudes(layer, seen[name])
            found[last] = {name: total / last for name, total in sums.items()}
    for hook in hooks:
        hook.remove()
    return found


def magnitudes(layer, x):
    """Σ over images of the mean over positions of |φ|, function by function."""
    if isinstance(layer, KANLinear):
        columns = torch.cat([F.silu(x).unsqueeze(-1), layer.basis.expand(x)], dim=-1)
        return torch.stack(
            [
                torch.einsum("nib,ib->ni", columns, c).abs().sum(0)
                for c in torch.cat([layer.base_weight.unsqueeze(-1), layer.spline_weight], dim=-1)
            ]
        )
    assert layer.kernel_size == (3, 3)
    assert layer.padding == (1, 1)
    assert layer.stride == layer.dilation == (1, 1)
    total = torch.zeros_like(layer.base_weight)
    side = x.shape[-1]
    x = F.pad(x, (1, 1, 1, 1))
    for i in range(layer.in_channels):
        columns = torch.cat([F.silu(x[:, i]).unsqueeze(-1), layer.basis.expand(x[:, i])], dim=-1)
        for r, c in np.ndindex(3, 3):
            at = columns[:, r : r + side, c : c + side].flatten(0, 2)
            base, spline = layer.base_weight[:, i, r, c, None], layer.spline_weight[:, i, r, c]
            phi = at @ torch.cat([base, spline], dim=-1).T
            total[:, i, r, c] = phi.abs().sum(0) / side**2
    return total


@pytest.mark.parametrize("n", SIZES)
def test_of_many_patches_those_drawn_rank_the_functions_as_all_do(
    trained, images, of_all_patches, n
):
    found = trained.prune(0.0, images[:n])
    assert found.keys() == of_all_patches[n].keys()
    for name, record in found.items():
        exact = of_all_patches[n][name].flatten()
        assert spearmanr(record.importance.flatten(), exact).statistic >= 0.98
        torch.testing.assert_close(record.importance.flatten(), exact, rtol=0.15, atol=1e-3)


def test_the_same_batch_gives_the_same_importances_and_leaves_the_generator_alone(trained, images):
    torch.manual_seed(3)
    first, again = (trained.prune(0.0, images[:512]) for _ in range(2))
    for name, record in first.items():
        assert torch.equal(again[name].importance, record.importance)
    assert torch.equal(torch.rand(3), torch.rand(3, generator=torch.Generator().manual_seed(3)))


@pytest.mark.parametrize("n", [512, 1024, 2048])
def test_pruned_by_the_patches_drawn_a_network_is_as_good_as_pruned_by_all(
    trained, images, of_all_patches, digits, n
):
    def accuracy(importances):
        model = copy.deepcopy(trained)
        with torch.no_grad():
            for name, layer in model.named_modules():
                if isinstance(layer, KANConv2d):
                    importance = importances[name]
                    layer.mask = importance > importance.quantile(0.3)
            right = model(digits.test_images).argmax(1) == digits.test_labels
        return 100 * right.float().mean().item()

    exact = accuracy(of_all_patches[n])
    found = trained.prune(0.0, images[:n])
    ours = accuracy({name: record.importance for name, record in found.items()})
    assert exact > 90
    assert ours == pytest.approx(exact, abs=1.5)
