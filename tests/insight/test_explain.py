"""Which functions and kernels made a score: sums, and kernels really put out."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.functions.tensor_arrangement import Arrangement
from kan_widgets.insight import SeenPatches, explain
from kan_widgets.insight.kernel_shares import mean_responses
from kan_widgets.insight.kernels import kernel_maps


def stirred(model: nn.Module, amount: float = 0.3) -> nn.Module:
    """Move all parameters, and the statistics of norms, away from where they start."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(amount * torch.randn_like(parameter))
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
    return model


def small(last: nn.Module, *between: nn.Module) -> nn.Sequential:
    """Build a network for images of 2 × 9 × 9: two convolutions, then 3 · 2 · 2 features."""
    return nn.Sequential(
        kw.nn.KANConv2d(2, 4, 3, groups=2, stride=2, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        kw.nn.KANConv2d(4, 3, 3),
        nn.MaxPool2d(2, 1),
        nn.Flatten(),
        *between,
        last,
    )


MODELS = {
    "KANCNN": (lambda: kw.nn.KANCNN(channels=(8, 16), padding=0), (1, 28, 28)),
    "article": (lambda: kw.nn.KANCNN.article(), (1, 28, 28)),
    "CNN": (lambda: kw.nn.CNN(), (1, 28, 28)),
    "norm, dropout and softmax around": (
        lambda: nn.Sequential(
            *small(kw.nn.KANLinear(12, 5), nn.BatchNorm1d(12), nn.Dropout(0.5)), nn.LogSoftmax(1)
        ),
        (2, 9, 9),
    ),
    "linear with a bias": (lambda: small(nn.Linear(12, 5)), (2, 9, 9)),
    "no image": (lambda: nn.Sequential(kw.nn.KANLinear(7, 6), kw.nn.KANLinear(6, 3)), (7,)),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_functions_of_the_last_layer_add_up_to_the_score(name: str):
    make, shape = MODELS[name]
    model = stirred(make())
    image = torch.randn(shape)
    model.eval()
    with torch.no_grad():
        output = model(image[None])[0].double().numpy()
    for target in (None, 1):
        found = explain(model, image, target)
        [shares] = found.functions
        total = shares.contributions[found.target].sum() + found.bias
        assert total == pytest.approx(found.score, abs=1e-4)
        assert found.error == pytest.approx(abs(total - found.score), abs=1e-12)
        # The same scores as the model's own, but for a softmax.
        gaps = output - found.scores
        np.testing.assert_allclose(gaps, gaps[0], atol=1e-4)
        assert found.predicted == output.argmax()
        assert found.target == (output.argmax() if target is None else 1)
        assert not [note for note in found.notes if "after" in note]


def test_each_contribution_is_its_function_at_the_feature():
    model = stirred(nn.Sequential(nn.BatchNorm1d(4), kw.nn.KANLinear(4, 3))).eval()
    image = torch.randn(4)
    [layer] = kw.functions.read(model)
    x = model[0](image[None])[0].detach()
    expected = layer.evaluate(x).diagonal(dim1=1, dim2=2)
    found = explain(model, image.numpy(), 2, observed={"1": SeenPatches("1", 6, np.ones((6, 4)))})
    [shares] = found.functions
    np.testing.assert_allclose(shares.contributions, expected, atol=1e-6)
    at_one = layer.evaluate(torch.ones(1))[..., 0]
    np.testing.assert_allclose(shares.usual, at_one, atol=1e-6)
    assert (shares.samples, shares.patches) == (6, 6)
    assert found.map_shape is None


def test_it_prints_the_score_and_the_three_functions_that_add_or_subtract_most():
    model = stirred(nn.Sequential(kw.nn.KANLinear(4, 3)))
    found = explain(model, torch.tensor([0.3, -0.4, 0.5, -0.9]), 1)
    own = found.functions[0].contributions[1]
    first, second, third, _ = sorted(range(4), key=lambda k: -abs(own[k]))
    assert str(found).splitlines() == [
        f"class 1: score {found.score:.4g}; predicted: class {found.scores.argmax()}",
        f"0: largest of 4 functions: {own[first]:+.3g} of input {first}, "
        f"{own[second]:+.3g} of input {second}, {own[third]:+.3g} of input {third}",
    ]


def test_the_curves_of_the_largest_shares_are_their_functions():
    model = stirred(nn.Sequential(kw.nn.KANLinear(4, 3))).eval()
    image = torch.tensor([0.3, 3.0, -0.2, -5.0])
    [layer] = kw.functions.read(model)
    [shares] = explain(model, image, 2).functions
    curves = shares.curves
    order = np.argsort(-np.abs(shares.contributions[2]), kind="stable")
    assert curves.which == tuple(order)
    np.testing.assert_allclose(curves.at, image[order.copy()].double(), atol=1e-6)
    for k, i in enumerate(order):
        at = torch.from_numpy(curves.x[k]).float()
        np.testing.assert_allclose(curves.y[k, 0], layer.evaluate(at)[2, i], atol=1e-5)
        # Over the grid, and beyond an input that lies outside.
        assert curves.x[k, 0] <= min(-1, float(image[i])) <= max(1, float(image[i]))
        assert curves.x[k, -1] >= max(1, float(image[i]))


@pytest.mark.parametrize("shared", [False, True])
def test_the_curves_of_kernels_are_all_their_functions(shared: bool):
    model = stirred((kw.nn.KANCNN.article if shared else kw.nn.KANCNN)()).eval()
    layer = kw.functions.read(model)[1]
    shares = explain(model, torch.rand(1, 28, 28), 2).kernels[1]
    curves = shares.curves
    assert np.isnan(curves.at).all()
    columns = 1 if shared else shares.contributions.shape[1]
    order = np.argsort(-np.abs(shares.contributions.ravel()), kind="stable")
    assert curves.which[0] == order[0] // (shares.contributions.shape[1] if shared else 1)
    for k, share in enumerate(curves.which[:3]):
        at = torch.from_numpy(curves.x[k]).float()
        expected = layer.evaluate(at)[share // columns, share % columns]
        np.testing.assert_allclose(curves.y[k], expected.flatten(0, 1), atol=1e-5)


def test_contributions_lie_where_their_features_come_from():
    model = small(nn.Linear(12, 2, bias=False))
    with torch.no_grad():
        model[-1].weight.zero_()
        model[-1].weight[0, 4 * 2 + 2 * 1 + 0] = 3.0  # channel 2, row 1, column 0
    found = explain(stirred_norms(model), torch.randn(2, 9, 9), 0)
    assert found.map_shape == (3, 2, 2)
    laid = found.map()
    assert np.argwhere(laid).tolist() == [[2, 1, 0]]
    assert laid[2, 1, 0] == pytest.approx(found.score)


def stirred_norms(model: nn.Module) -> nn.Module:
    return stirred(model, 0.0)


class Exchange(nn.Module):
    """Puts the channels last before the map is laid out."""

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(-1, 3, 2, 2).permute(0, 2, 3, 1).flatten(1)


@pytest.mark.parametrize(
    "between", [nn.Linear(12, 12), kw.nn.KANLinear(12, 12)], ids=["linear", "KAN"]
)
def test_features_that_are_mixed_have_no_places(between: nn.Module):
    model = small(nn.Linear(12, 2), between)
    assert explain(model, torch.randn(2, 9, 9)).map_shape is None


def test_a_map_laid_out_with_its_axes_exchanged_is_not_taken_for_a_plain_one():
    layers = list(small(nn.Linear(12, 2)))
    assert explain(nn.Sequential(*layers), torch.randn(2, 9, 9)).map_shape == (3, 2, 2)
    layers[5] = Exchange()
    assert explain(nn.Sequential(*layers), torch.randn(2, 9, 9)).map_shape is None


@pytest.mark.parametrize("name", ["KANCNN", "article", "norm, dropout and softmax around"])
@pytest.mark.parametrize("seen", [False, True])
def test_the_kernels_of_a_layer_add_up_to_the_change_from_their_means(name: str, seen: bool):
    make, shape = MODELS[name]
    model = stirred(make(), 0.1)
    batch = torch.randn(6, *shape)
    live = kw.bind(model)
    observed = live.observe(batch) if seen else None
    found = explain(model, batch[0], 1, observed=observed)
    model.eval()
    convs = [m for m in model.modules() if isinstance(m, kw.nn.KANConv2d)]
    assert len(found.kernels) == len(convs) == 2
    for shares, conv in zip(found.kernels, convs, strict=True):
        change = found.score - shares.baseline
        assert shares.contributions.sum() + shares.missing == pytest.approx(change, abs=1e-4)
        assert abs(shares.missing) <= max(0.005 * abs(change), 1e-5)
        np.testing.assert_allclose(
            shares.maps.sum(axis=(2, 3)), shares.contributions, rtol=1e-3, atol=1e-4
        )
        # The baseline is what the model gives with means in place of the layer's responses.
        if isinstance(conv, kw.nn.SharedKANConv2d):
            means = shares.means.T.ravel()
        else:
            means = shares.means.sum(axis=1)
        assert score_with(model, conv, batch[0], constant(means), found) == pytest.approx(
            shares.baseline, abs=1e-4
        )
        if not seen:
            assert shares.samples == 0
            assert shares.patches == shares.maps[0, 0].size
        else:
            assert shares.samples == 6
            assert shares.patches == len(observed[shares.layer].patches)


def constant(means: np.ndarray):
    return lambda z: torch.as_tensor(means)[None, :, None, None].to(z).expand_as(z)


def score_with(model: nn.Module, conv: nn.Module, image: Tensor, change, found) -> float:
    """Return the explained score with the output of one module changed."""
    scores: list[Tensor] = []
    last = [m for m in model.modules() if isinstance(m, kw.nn.KANLinear)][-1]
    handles = [
        conv.register_forward_hook(lambda m, given, z: change(z)),
        last.register_forward_hook(lambda m, given, z: scores.append(z)),
    ]
    with torch.no_grad():
        model(image[None])
    for handle in handles:
        handle.remove()
    return float(scores[0][0, found.target])


def test_a_kernel_put_out_lowers_the_score_by_what_is_said():
    model = stirred(kw.nn.KANCNN(channels=(8, 16), padding=0), 0.1).eval()
    image = torch.randn(1, 28, 28)
    found = explain(model, image, 4)
    for layer, kernels in ((0, [(2, 0), (7, 0)]), (1, [(3, 5), (15, 0)])):
        shares = found.kernels[layer]
        for out, in_ in kernels:
            without = copy.deepcopy(model)
            conv = without.convs[layer]
            with torch.no_grad():
                conv.base_weight[out, in_] = 0
                conv.spline_weight[out, in_] = 0
            mean = shares.means[out, in_]

            def add(z: Tensor, out: int = out, mean: float = mean) -> Tensor:
                z = z.clone()
                z[:, out] += mean
                return z

            fall = found.score - score_with(without, conv, image, add, found)
            assert fall == pytest.approx(shares.ablated[out, in_], abs=1e-4)
    # Kernels work together, so the falls are not the shares: that is why both are given.
    assert np.abs(found.kernels[0].ablated - found.kernels[0].contributions).max() > 1e-3


def test_where_the_rest_is_linear_shares_and_falls_are_the_weighted_responses():
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANConv2d(2, 3, 3), nn.Flatten(), nn.Linear(3 * 5 * 5, 4))
    image = torch.randn(2, 7, 7)
    found = explain(model, image, 2)
    [shares] = found.kernels
    [conv, _] = kw.functions.read(model)
    # The response of a kernel by its definition, one place at a time.
    responses = np.zeros((3, 2, 5, 5))
    for row, column in np.ndindex(5, 5):
        patch = image[:, row : row + 3, column : column + 3]
        phi = conv.evaluate(patch.flatten()).reshape(3, 2, 3, 3, 2, 3, 3)
        for i, r, c in np.ndindex(2, 3, 3):
            responses[:, i, row, column] += phi[:, i, r, c, i, r, c].numpy()
    weights = model[2].weight[2].detach().double().numpy().reshape(3, 1, 5, 5)
    expected = weights * (responses - responses.mean(axis=(2, 3), keepdims=True))
    np.testing.assert_allclose(shares.maps, expected, atol=1e-5)
    np.testing.assert_allclose(shares.contributions, expected.sum(axis=(2, 3)), atol=1e-5)
    np.testing.assert_allclose(shares.ablated, expected.sum(axis=(2, 3)), atol=1e-5)
    assert shares.missing == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        kw.nn.KANConv2d(4, 6, 3, groups=2, stride=2, padding=1, padding_mode="reflect"),
        kw.nn.SharedKANConv2d(3, 3, padding=1),
        nn.Conv2d(4, 3, (2, 3), dilation=2, bias=False),
    ],
    ids=["groups", "shared", "plain"],
)
def test_maps_add_up_to_what_the_layer_gives_and_means_to_their_mean(layer: nn.Module):
    stirred(layer)
    [functions] = kw.functions.read(layer)
    x = torch.randn(1, 4, 9, 8)
    (maps,), channels = kernel_maps(functions, x.double())
    with torch.no_grad():
        given = layer(x)[0]
    total = torch.zeros(given.shape).double()
    total.index_add_(0, channels.flatten(), maps.flatten(0, 1))
    torch.testing.assert_close(total.float(), given, atol=1e-4, rtol=1e-4)
    live = kw.bind(layer)
    [seen] = live.observe(x).values()
    means = torch.from_numpy(mean_responses(functions, seen))
    ours = maps.mean(dim=(2, 3))
    expected = ours.mean(dim=1, keepdim=True) if functions.conv.shared else ours
    torch.testing.assert_close(means, expected, atol=1e-5, rtol=1e-4)


def test_the_model_is_left_as_it_was():
    model = stirred(kw.nn.KANCNN(channels=(8, 16), padding=0)).train()
    model.norms[1].eval()
    state = copy.deepcopy(model.state_dict())
    modes = [module.training for module in model.modules()]
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    explain(model, torch.randn(1, 28, 28, generator=torch.Generator().manual_seed(0)))
    assert (torch.rand(3) == expected).all()
    assert [module.training for module in model.modules()] == modes
    assert all((value == state[key]).all() for key, value in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert not [m for m in model.modules() if m._forward_hooks or m._forward_pre_hooks]


class Twice(nn.Module):
    """Runs one convolution twice, then scales what its last layer gives."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = kw.nn.KANConv2d(2, 2, 3, padding=1)
        self.linear = kw.nn.KANLinear(2 * 4 * 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return 2 * self.linear(self.conv(self.conv(x)).flatten(1))


def test_what_cannot_be_divided_is_left_out_with_the_reason():
    found = explain(Twice(), torch.randn(2, 4, 4))
    assert found.kernels == ()
    assert found.notes == (
        "what the model does after linear is not part of this",
        "the kernels of conv are left out: its module ran several times",
    )
    assert found.map_shape == (2, 4, 4)


def test_shares_that_do_not_add_up_come_with_a_note():
    torch.manual_seed(0)
    # However small a map is, this norm makes it as large as any: the score jumps at the means.
    norm = nn.InstanceNorm2d(3, eps=1e-12)
    model = nn.Sequential(kw.nn.KANConv2d(2, 3, 3), norm, nn.Flatten(), nn.Linear(27, 4))
    found = explain(model, torch.randn(2, 5, 5), 1)
    [shares] = found.kernels
    change = found.score - shares.baseline
    assert abs(shares.missing) > 0.2 * abs(change)
    assert shares.contributions.sum() + shares.missing == pytest.approx(change, abs=1e-5)
    [note] = found.notes
    assert note.startswith(f"the shares of 0 leave out {shares.missing:.3g} of a change of")


def test_wrong_arguments_are_refused_with_what_would_do():
    model = kw.nn.KANLinear(3, 2)
    with pytest.raises(
        ValueError, match="target=2: expected a class from 0 to 1, which KANLinear scores"
    ):
        explain(model, torch.zeros(3), 2)
    with pytest.raises(ValueError, match=r"image of shape \(4, 3\): expected one image, "):
        explain(model, torch.zeros(4, 3))
    with pytest.raises(TypeError, match="image of type str: expected a tensor or an array"):
        explain(model, "digit")
    with pytest.raises(ValueError, match=r"the last layer that ran is .*KANConv2d.*linear or KAN"):
        explain(nn.Sequential(kw.nn.KANConv2d(1, 2, 3)), torch.zeros(1, 5, 5))
    other = SeenPatches("elsewhere", 2, np.zeros((2, 3)))
    with pytest.raises(ValueError, match="observed at elsewhere"):
        explain(model, torch.zeros(3), observed={"KANLinear": other})


def test_a_layer_is_read_once_and_its_coefficients_are_looked_at_some_at_a_time(monkeypatch):
    torch.manual_seed(0)
    layer = kw.nn.KANLinear(6, 40)
    read, own = [], Arrangement.functions
    monkeypatch.setattr(Arrangement, "functions", lambda self: read.append(1) or own(self))
    x, batch = torch.randn(6), torch.randn(9, 6)
    observed = kw.bind(layer, prove=False).observe(batch)
    read.clear()
    whole = kw.insight.explain(layer, x, 3, observed=observed).functions[0]
    assert len(read) == 1
    monkeypatch.setattr("kan_widgets.functions.layer._BATCH", 7 * 6 * 9)
    some = kw.insight.explain(layer, x, 3, observed=observed).functions[0]
    # Sums of nine products, in double precision: their order depends on how many lie together.
    np.testing.assert_allclose(some.contributions, whole.contributions, rtol=1e-13, atol=1e-17)
    np.testing.assert_allclose(some.usual, whole.usual, rtol=1e-13, atol=1e-17)
    phi = kw.functions.find(layer)[0].read()[0].evaluate(x)
    expected = phi[:, torch.arange(6), torch.arange(6)]
    np.testing.assert_allclose(some.contributions, expected, atol=1e-6)


def test_against_another_class_the_difference_of_two_scores_is_divided():
    torch.manual_seed(0)
    model = stirred(kw.nn.KANCNN(channels=(3, 4), image_size=12)).eval()
    image = torch.rand(1, 12, 12)
    with torch.no_grad():
        logs = model(image)
    own, other, both = (explain(model, image, 3), explain(model, image, 2),
                        explain(model, image, 3, against=2))  # fmt: skip
    assert both.score == pytest.approx(float(logs[3] - logs[2]), abs=1e-4)
    assert both.score == pytest.approx(own.score - other.score)
    np.testing.assert_allclose(both.of(), own.of() - other.of(), atol=1e-12)
    np.testing.assert_allclose(both.map(), own.map() - other.map(), atol=1e-12)
    assert both.error < 1e-4
    for a, b, c in zip(own.kernels, other.kernels, both.kernels, strict=True):
        assert c.baseline == pytest.approx(a.baseline - b.baseline, abs=1e-5)
        np.testing.assert_allclose(c.ablated, a.ablated - b.ablated, atol=1e-4)
        change = both.score - c.baseline
        assert c.contributions.sum() + c.missing == pytest.approx(change, abs=1e-4)
    assert str(both).startswith("class 3 against class 2: score ")
    with pytest.raises(ValueError, match="against=3: expected another class"):
        explain(model, image, 3, against=3)
    with pytest.raises(ValueError, match="against=10: expected a class from 0 to 9"):
        explain(model, image, 3, against=10)
