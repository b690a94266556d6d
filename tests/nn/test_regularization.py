"""regularization: the KAN paper's sums written out, and their gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd import gradcheck

from kan_widgets.nn import KANCNN, KANConv2d, KANLinear, regularization


def lively(layer):
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return layer


def by_hand(layer, seen, l1, entropy):
    """The paper's sums in NumPy; ``seen(index)`` are the inputs of one function."""
    sizes = []
    for index in np.ndindex(*layer.base_weight.shape):
        x = seen(index)
        phi = (
            layer.base_weight[index] * F.silu(x)
            + layer.basis.expand(x) @ layer.spline_weight[index]
        )
        sizes.append(phi.detach().abs().mean().item())
    sizes = np.array(sizes)
    share = sizes / sizes.sum()
    return l1 * sizes.sum() - entropy * (share * np.log(share)).sum()


@pytest.mark.parametrize(("l1", "entropy"), [(1.0, 1.0), (1.0, 0.0), (0.0, 2.0)])
def test_it_is_the_papers_l1_norm_and_entropy_over_a_batch(l1, entropy):
    linear = lively(KANLinear(3, 4))
    x = torch.randn(30, 3)
    expected = by_hand(linear, lambda index: x[:, index[1]], l1, entropy)
    assert linear.regularization(x, l1=l1, entropy=entropy).item() == pytest.approx(expected, 1e-5)
    conv = lively(KANConv2d(2, 3, 2, basis="fourier"))
    images = torch.randn(4, 2, 5, 5)

    def seen(index):
        _, i, r, c = index
        return images[:, i, r : r + 4, c : c + 4]

    expected = by_hand(conv, seen, l1, entropy)
    assert conv.regularization(images, l1=l1, entropy=entropy).item() == pytest.approx(
        expected, 1e-5
    )


def test_without_a_batch_the_mean_is_over_the_domain():
    layer = lively(KANLinear(3, 4, grid_range=(-2, 1)))
    points = torch.linspace(-2, 1, 64)
    expected = by_hand(layer, lambda index: points, 1.0, 1.0)
    assert layer.regularization().item() == pytest.approx(expected, 1e-5)


@pytest.mark.parametrize("basis", ["bspline", "rbf"])
def test_gradients(basis):
    layer = lively(KANLinear(2, 3, basis=basis, spline_scaler=True)).double()
    names, parameters = zip(*layer.named_parameters(), strict=True)
    x = torch.randn(7, 2, dtype=torch.float64, requires_grad=True)

    class Regularized(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            return self.layer.regularization(x) + self.layer.regularization()

    module = Regularized()

    def run(x, *values):
        named = {f"layer.{name}": value for name, value in zip(names, values, strict=True)}
        return torch.func.functional_call(module, named, (x,))

    assert gradcheck(run, (x, *parameters))


def test_functions_that_are_zero_give_no_nan():
    layer = lively(KANLinear(3, 4))
    layer.prune(0.7, torch.randn(50, 3), dry_run=False)
    assert 0 < layer.mask.sum() < 12
    layer.regularization().backward()
    assert layer.spline_weight.grad.isfinite().all()
    layer.prune(1e9, torch.randn(50, 3), dry_run=False)
    layer.zero_grad()
    total = layer.regularization()
    total.backward()
    assert total == 0
    assert not layer.spline_weight.grad.any()


def test_training_with_it_leaves_fewer_functions_that_matter():
    torch.manual_seed(0)
    x = torch.randn(200, 4)
    target = x[:, :1].sin()

    def important(factor):
        torch.manual_seed(0)
        layer = KANLinear(4, 1)
        optimizer = torch.optim.Adam(layer.parameters(), 2e-2)
        for _ in range(150):
            optimizer.zero_grad()
            loss = (layer(x) - target).square().mean()
            (loss + factor * layer.regularization(x)).backward()
            optimizer.step()
        importance = layer.prune(0.0, x).importance[0]
        return importance / importance.max()

    assert (important(0.02) > 0.05).sum() == 1
    assert important(0.0)[1:].max() > important(0.02)[1:].max()


def test_a_networks_is_the_sum_of_its_layers():
    torch.manual_seed(0)
    model = KANCNN(channels=(3,))
    layers = [*model.convs, model.linear]
    expected = sum(layer.regularization(l1=0.5, entropy=2.0) for layer in layers)
    torch.testing.assert_close(model.regularization(l1=0.5, entropy=2.0), expected)
    model.eval()
    x = torch.randn(8, 1, 28, 28)
    normed = model.norms[0](x)
    hidden = model.linear_norm(F.max_pool2d(model.convs[0](normed), 2).flatten(1))
    expected = model.convs[0].regularization(normed) + model.linear.regularization(hidden)
    torch.testing.assert_close(model.regularization(x), expected)


def test_a_batch_of_a_network_in_training_gives_gradients_and_leaves_batch_norm_alone():
    model = KANCNN(channels=(3,))
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    x = torch.randn(8, 1, 28, 28)
    loss = F.nll_loss(model(x), torch.zeros(8, dtype=torch.long))
    counted = {name: buffer.clone() for name, buffer in model.named_buffers()}
    assert any(not torch.equal(counted[name], before[name]) for name in before)
    (loss + 1e-3 * model.regularization(x)).backward()
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, counted[name])
    # The second layer's share reaches the first through its inputs.
    first = model.convs[0].spline_weight
    (alone,) = torch.autograd.grad(model.regularization(x), first)
    (own,) = torch.autograd.grad(model.convs[0].regularization(model.norms[0](x)), first)
    assert not torch.allclose(alone, own)


def test_a_model_without_kan_layers_says_so():
    with pytest.raises(TypeError, match="Linear has none"):
        regularization(nn.Linear(2, 2))


@pytest.mark.parametrize("n", [512, 1024, 4096])
def test_a_large_batch_is_looked_at_all_over_its_images(n):
    """The images brighten from left to right: the mean tells which columns were looked at."""
    layer = KANConv2d(1, 1, 1)
    with torch.no_grad():
        layer.base_weight.fill_(1.0)
        layer.spline_weight.zero_()
    x = torch.linspace(1, 2, 28).expand(n, 1, 28, 28) + torch.linspace(0, 1, 28).unsqueeze(1)
    assert layer.regularization(x, entropy=0.0).item() == pytest.approx(
        F.silu(x[:1]).mean().item(), rel=1e-3
    )
