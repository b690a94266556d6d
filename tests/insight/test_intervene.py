"""Functions replaced while a network runs: as by hand, and the network is as before."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.insight import Intervention, intervene


def classifier(seed: int = 0) -> kw.nn.KANCNN:
    """Return a convolutional network whose splines matter, with norms that have seen images."""
    torch.manual_seed(seed)
    model = kw.nn.KANCNN(channels=(3, 4), image_size=10)
    with torch.no_grad():
        for layer in (*model.convs, model.linear):
            layer.spline_weight.normal_(std=0.3)
    model.train()
    model(torch.rand(64, 1, 10, 10))
    return model.eval()


IMAGES = torch.rand(120, 1, 10, 10, generator=torch.Generator().manual_seed(3))
LABELS = torch.arange(120) % 10


def by_hand(before: Tensor, after: Tensor) -> tuple[float, float]:
    """Return the accuracy after, and the mean KL, of log-probabilities."""
    right = float((after.argmax(1) == LABELS).double().mean())
    kl = (before.double().exp() * (before.double() - after.double())).sum(1).mean()
    return right, float(kl)


def hooks(model: nn.Module) -> list[int]:
    return [
        len(hooks)
        for module in model.modules()
        for hooks in (module._forward_hooks, module._forward_pre_hooks)
    ]


@pytest.mark.parametrize("replace", ["base", "splines", "initial"])
def test_a_part_alone_gives_what_an_edited_copy_gives(replace: Any) -> None:
    model = classifier()
    live = kw.bind(model)
    first = copy.deepcopy(model)
    if replace == "initial":
        with torch.no_grad():
            for layer in (*model.convs, model.linear):
                layer.spline_weight.mul_(-2)
    other = copy.deepcopy(model)
    with torch.no_grad():
        for own, begun in zip(
            (*other.convs, other.linear), (*first.convs, first.linear), strict=True
        ):
            if replace == "base":
                own.spline_weight.zero_()
            elif replace == "splines":
                own.base_weight.zero_()
            else:
                own.load_state_dict(begun.state_dict())
        before, after = model(IMAGES), other(IMAGES)
    states = {name: value.clone() for name, value in model.state_dict().items()}
    hooked = hooks(model)
    found = intervene(live, IMAGES, LABELS, replace)
    right, kl = by_hand(before, after)
    assert found.after == pytest.approx(right)
    assert found.kl.value == pytest.approx(kl, rel=1e-3)
    assert found.kl.value > 1e-3
    assert found.change.value == pytest.approx(found.after - found.before)
    assert sum(found.layers.values()) == sum(layer.n_functions for layer in live.read())
    assert all(torch.equal(value, states[name]) for name, value in model.state_dict().items())
    assert hooks(model) == hooked


@pytest.mark.parametrize("replace", ["mean", "line"])
def test_means_and_lines_are_those_of_the_inputs(replace: Any) -> None:
    torch.manual_seed(0)
    first, second = kw.nn.KANLinear(3, 4), kw.nn.KANLinear(4, 10)
    x = torch.rand(120, 3) * 2 - 1
    found = intervene(nn.Sequential(first, second), x, LABELS, replace, where=["0"])
    phi = np.stack([first_of(first, x, i) for i in range(3)])  # (in, n, out)
    flat = np.empty_like(phi)
    for i, o in np.ndindex(3, 4):
        degree = 1 if replace == "line" else 0
        flat[i, :, o] = np.polyval(np.polyfit(x[:, i], phi[i, :, o], degree), x[:, i])
    hidden = torch.from_numpy(flat.sum(0)).float()
    with torch.no_grad():
        before, after = (torch.log_softmax(second(h), 1) for h in (first(x), hidden))
    right, kl = by_hand(before, after)
    assert found.after == pytest.approx(right)
    assert found.kl.value == pytest.approx(kl, rel=1e-3)
    assert found.layers == {"0": 12}


def first_of(layer: Any, x: Tensor, i: int) -> Any:
    """Return what input i alone adds: the other inputs give the same in both."""
    with torch.no_grad():
        alone = torch.zeros_like(x)
        alone[:, i] = x[:, i]
        return (layer(alone) - (2 / 3) * layer(torch.zeros_like(x))).double().numpy()


def test_only_what_is_meant_is_replaced() -> None:
    torch.manual_seed(0)
    layer = kw.nn.KANLinear(3, 10)
    x = torch.rand(120, 3) * 2 - 1
    other = copy.deepcopy(layer)
    with torch.no_grad():
        other.spline_weight[2, 1] = 0
        other.spline_weight[5, 0] = 0
        before, after = (torch.log_softmax(one(x), 1) for one in (layer, other))
    model = nn.Sequential(layer)
    found = intervene(model, x, LABELS, "base", where=[("0", (2, 1)), ("0", (5, 0))])
    assert found.layers == {"0": 2}
    assert found.kl.value == pytest.approx(by_hand(before, after)[1], rel=1e-3)
    one = intervene(model, x, LABELS, "base", where=[("0", (2, 1))])
    assert one.layers == {"0": 1}


def test_forms_and_curves_are_put_as_fix_puts_them() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANLinear(2, 10, grid_size=8))
    x = torch.rand(120, 2) * 2 - 1
    formed = intervene(model, x, LABELS, "form")
    assert formed.kept + sum(formed.layers.values()) == 20
    assert formed.kl.value < 0.01
    other = copy.deepcopy(model)
    live = kw.bind(other)
    seen = live.observe(x)["0"]
    kw.insight.fix(live, "0", (4, 1), np.sin, observed=seen)
    with torch.no_grad():
        before, after = (torch.log_softmax(one(x), 1) for one in (model, other))
    found = intervene(model, x, LABELS, np.sin, where=[("0", (4, 1))])
    assert found.kl.value == pytest.approx(by_hand(before, after)[1], rel=1e-3)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Of 60 draws of images from many, 95 % intervals miss the change over all in few."""
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANLinear(2, 3))
    x = torch.rand(20_000, 2) * 2 - 1
    with torch.no_grad():
        labels = (model(x) + 0.2 * torch.randn(len(x), 3)).argmax(1)
    whole = intervene(model, x, labels, "line").change.value
    assert whole < -0.01
    missed = 0
    for k in range(60):
        rows = slice(300 * k, 300 * (k + 1))
        found = intervene(model, x[rows], labels[rows], "line").change
        missed += not found.low <= whole <= found.high
    assert missed <= 9  # 3 on average; more than 9 once in a thousand


def test_a_control_stands_beside_it_and_its_words_follow_the_result() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANLinear(2, 3))
    x = torch.rand(200, 2) * 2 - 1
    labels = model(x).argmax(1)
    found = intervene(model, x, labels, "mean", control=lambda: copy.deepcopy(model))
    assert found.control == 1
    assert found.control_change == (0, 0, 0)
    assert "which may be none" in str(found).split("Trained that way")[1]
    assert found.change.high < 0
    assert "which may be none" not in str(found).split("Trained that way")[0]
    assert "No control was trained" in str(intervene(model, x, labels, "mean"))
    assert [row["images"] for row in found.table()] == torch.bincount(labels).tolist()
    assert "<table>" in found._repr_html_()


def test_what_does_not_fit_is_refused() -> None:
    model = nn.Sequential(kw.nn.KANLinear(2, 3), nn.Linear(3, 2))
    x, labels = torch.rand(20, 2), torch.arange(20) % 2

    def refused(error: type[Exception], words: str, *given: Any, **options: Any) -> None:
        with pytest.raises(error, match=words):
            intervene(*given, **options)

    refused(TypeError, "expected a binding", 3, x, labels)
    refused(ValueError, "labels of shape", model, x, labels[:4])
    refused(ValueError, "replace='nothing': expected", model, x, labels, "nothing")
    refused(KeyError, "the layers are '0', '1'", model, x, labels, where=["2"])
    refused(IndexError, "7", model, x, labels, where=[("0", (7, 0))])
    refused(ValueError, "no base term beside", model, x, labels, "splines", where=["1"])
    refused(TypeError, "expected a binding, which has", model, x, labels, "initial")
    assert isinstance(intervene(model, x, labels, "base", where=["0"]), Intervention)
