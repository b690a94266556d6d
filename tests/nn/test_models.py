"""The networks: sizes, interface, and that they learn."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kan_widgets.nn import (
    CNN,
    KANCNN,
    MLP,
    KANConv2d,
    KANLinear,
    SharedKANConv2d,
    count_parameters,
)

NETWORKS = {"KANCNN": KANCNN, "article": KANCNN.article, "CNN": CNN, "MLP": MLP}


@pytest.fixture(params=NETWORKS)
def build(request):
    torch.manual_seed(0)
    return NETWORKS[request.param]


def test_numbers_of_parameters():
    assert count_parameters(KANCNN.article()) == 94_650
    assert count_parameters(KANCNN()) == 44_712
    for comparison in (CNN(), MLP()):
        assert count_parameters(comparison) == pytest.approx(44_712, rel=0.01)


def test_the_articles_layout():
    model = KANCNN.article()
    assert all(type(conv) is SharedKANConv2d for conv in model.convs)
    assert [conv.spline_weight.shape for conv in model.convs] == [(5, 1, 3, 3, 8)] * 2
    assert model.linear.spline_weight.shape == (10, 625, 13)
    assert model.linear.basis.grid_range == (0, 1)
    assert not any(isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d) for m in model.modules())


def test_the_articles_layout_with_norm_other_grids_and_no_scaler():
    model = KANCNN.article(3, 16, norm="batch", grid_range=(-3, 3), spline_scaler=False)
    layers = [*model.convs, model.linear]
    assert {layer.basis.grid_range for layer in layers} == {(-3, 3)}
    assert [layer.basis.grid_size for layer in layers] == [5, 5, 10]
    assert all(layer.spline_scaler is None for layer in layers)
    x = torch.randn(64, 3, 16, 16) * 5 + 2
    seen = {}
    for name, layer in [("first", layers[0]), ("second", layers[1]), ("dense", layers[2])]:
        layer.register_forward_pre_hook(lambda _, args, name=name: seen.update({name: args[0]}))
    model(x)
    assert [t.shape[1] for t in seen.values()] == [3, 15, 75 * 2 * 2]
    for given in seen.values():
        channels = given.transpose(0, 1).flatten(1)
        torch.testing.assert_close(channels.mean(1), torch.zeros(len(channels)), atol=1e-4, rtol=0)
        torch.testing.assert_close(channels.var(1), torch.ones(len(channels)), atol=0.05, rtol=0)


def test_the_articles_forward_pass_step_by_step():
    torch.manual_seed(0)
    model = KANCNN.article()
    x = torch.randn(3, 1, 28, 28)
    first = F.max_pool2d(model.convs[0](x), 2)
    assert first.shape == (3, 5, 13, 13)
    second = F.max_pool2d(model.convs[1](first), 2)
    assert second.shape == (3, 25, 5, 5)
    expected = F.log_softmax(model.linear(second.reshape(3, 625)), dim=1)
    torch.testing.assert_close(model(x), expected)


def test_the_articles_initial_distributions():
    torch.manual_seed(0)
    model = KANCNN.article()
    # Each kernel was a dense layer of 9 features, the last layer one of 625.
    for layers, bound in (([*model.convs], 1 / 3), ([model.linear], 1 / 25)):
        for layer in layers:
            for weight in (layer.base_weight, layer.spline_scaler):
                assert 0.8 * bound < weight.abs().max() <= bound
                assert weight.std().item() == pytest.approx(bound / np.sqrt(3), rel=0.2)
    for layer, height in ((model.convs[0], 0.1 / 5), (model.linear, 0.01 / 10)):
        lo, hi = layer.basis.grid_range
        points = torch.linspace(lo, hi, layer.basis.grid_size + 1)
        noise = layer.spline_weight @ layer.basis.expand(points).T
        assert noise.abs().max() <= height / 2 * 1.01
        assert noise.std().item() == pytest.approx(height / np.sqrt(12), rel=0.1)


def test_output_is_log_probabilities_with_and_without_a_batch(build):
    model = build().eval()
    x = torch.randn(5, 1, 28, 28)
    out = model(x)
    assert out.shape == (5, 10)
    torch.testing.assert_close(out.exp().sum(1), torch.ones(5))
    torch.testing.assert_close(model(x[0]), out[0])


def test_other_images_and_classes(build):
    model = build(in_channels=3, image_size=(16, 20), num_classes=4)
    assert model(torch.randn(2, 3, 16, 20)).shape == (2, 4)


def test_states_copies_and_pickles_compute_the_same(build):
    model = build()
    model(torch.randn(8, 1, 28, 28))
    model.eval()
    other = build().eval()
    x = torch.randn(2, 1, 28, 28)
    assert build is MLP or not torch.equal(other(x), model(x))
    other.load_state_dict(model.state_dict())
    for twin in (other, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(twin(x), model(x))


def test_empty_batch_float64_channels_last_and_autocast(build):
    model = build().eval()
    x = torch.randn(2, 1, 28, 28)
    out = model(x)
    assert model(x[:0]).shape == (0, 10)
    last = copy.deepcopy(model).to(memory_format=torch.channels_last)
    torch.testing.assert_close(last(x.contiguous(memory_format=torch.channels_last)), out)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = model(x)
    torch.testing.assert_close(mixed.float(), out, rtol=0.05, atol=0.05)
    exact = copy.deepcopy(model).double()(x.double())
    assert exact.dtype == torch.float64
    torch.testing.assert_close(exact.float(), out, rtol=1e-4, atol=1e-5)


def test_one_compiled_graph_gives_the_same(build):
    model = build()
    compiled = torch.compile(copy.deepcopy(model), backend="aot_eager", fullgraph=True)
    x = torch.randn(4, 1, 28, 28)
    torch.testing.assert_close(compiled(x), model(x))


def test_an_empty_batch_passes_in_training_mode_too(build):
    model = build()
    out = model(torch.zeros(0, 1, 28, 28))
    out.sum().backward()
    assert out.shape == (0, 10)


def synthetic(n):
    """Bars in one of four directions, with noise."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(4, (n,), generator=generator)
    row, column = torch.meshgrid(torch.arange(28), torch.arange(28), indexing="ij")
    bars = torch.stack([row % 4 < 2, column % 4 < 2, (row + column) % 4 < 2, row % 4 < 4])
    images = bars[labels].float().unsqueeze(1)
    return images + 0.3 * torch.randn(images.shape, generator=generator), labels


def test_the_loss_falls_in_training(build):
    model = build()
    images, labels = synthetic(64)
    optimizer = torch.optim.AdamW(model.parameters(), 5e-3)
    losses = []
    for _ in range(12):
        loss = F.nll_loss(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 1
    assert losses[-1] < 0.5 * losses[0]


def test_the_general_networks_arguments_reach_its_layers():
    model = KANCNN(
        channels=(2, 3, 4),
        padding="same",
        norm=None,
        grid_size=4,
        spline_order=2,
        grid_range=(-2, 2),
        base_activation="tanh",
        spline_scaler=True,
    )
    layers = [*model.convs, model.linear]
    assert [conv.out_channels for conv in model.convs] == [2, 3, 4]
    assert all(isinstance(conv, KANConv2d) for conv in model.convs)
    assert {layer.basis.grid_range for layer in layers} == {(-2, 2)}
    assert {layer.basis.n_basis for layer in layers} == {6}
    assert {layer.base_activation for layer in layers} == {"tanh"}
    assert all(layer.spline_scaler is not None for layer in layers)
    assert not any(isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d) for m in model.modules())


def test_wrong_arguments_say_what_is_accepted():
    with pytest.raises(ValueError, match="norm='layer': expected 'batch' or None"):
        KANCNN(norm="layer")
    for build in (KANCNN, KANCNN.article, CNN):
        with pytest.raises(ValueError, match="image_size 5×5 is too small"):
            build(image_size=5)
    for build in NETWORKS.values():
        with pytest.raises(ValueError, match=r"shape \(2, 28\): expected .* or \(1, 28, 28\)"):
            build()(torch.zeros(2, 28))
        with pytest.raises(ValueError, match=r"input of shape \(2, 1, 32, 32\)"):
            build()(torch.zeros(2, 1, 32, 32))


@pytest.mark.parametrize(
    ("dtype", "words"),
    [
        (torch.int64, r"torch\.int64: .*; give x\.float\(\)"),
        (torch.uint8, r"torch\.uint8: .*; give x\.float\(\)"),
        (torch.bool, r"torch\.bool: .*; give x\.float\(\)"),
        (torch.complex64, r"torch\.complex64: .*; give x\.real"),
    ],
)
@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (KANCNN, (2, 1, 28, 28)),
        (lambda: KANCNN.article(norm="batch"), (1, 28, 28)),
        (CNN, (2, 1, 28, 28)),
        (MLP, (2, 1, 28, 28)),
        (lambda: KANLinear(3, 2), (4, 3)),
        (lambda: KANConv2d(3, 2, 3), (4, 3, 5, 5)),
        (lambda: SharedKANConv2d(2, 3), (3, 5, 5)),
    ],
)
def test_what_is_not_floating_point_is_refused_with_the_remedy(make, shape, dtype, words):
    with pytest.raises(TypeError, match=f"input of type {words}"):
        make()(torch.zeros(shape, dtype=dtype))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_a_batch_of_another_precision_is_refused_with_the_remedy(dtype):
    with pytest.raises(RuntimeError, match=rf"convert one, for instance model.to\({dtype}\)"):
        KANLinear(3, 2)(torch.zeros(4, 3, dtype=dtype))
