"""Functions replaced while a network runs: as by hand, and the network is as before."""

from __future__ import annotations

import copy
from statistics import fmean
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import ttest_1samp
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.insight import Intervention, intervene
from kan_widgets.insight.intervene import _over_networks


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
    assert [row["examples"] for row in found.table()] == torch.bincount(labels).tolist()
    assert "<table>" in found._repr_html_()
    assert [row["after"] - row["before"] for row in found.table()] == pytest.approx([0, -1, -1])
    assert str(found).count("−100 [−100, −100]") == 2
    assert "change, in points" in str(found)


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
    refused(TypeError, "of an ensemble that was made", model, x, labels, "base", control=True)
    refused(TypeError, "control=3: expected a function", model, x, labels, "base", control=3)
    given = kw.ensemble([model, copy.deepcopy(model)])
    refused(TypeError, "made with train, True", given, x, labels, control=True)
    refused(TypeError, "control=<", given, x, labels, control=lambda: model)
    made = kw.ensemble(lambda: copy.deepcopy(model), lambda _: None, seeds=2)
    refused(ValueError, "'line' from the start", made, x, labels, "line", control=True)
    refused(KeyError, "the layers are", made, x, labels, where=["2"], control=True)
    refused(IndexError, "7", made, x, labels, where=[("0", (7, 0))])
    assert isinstance(intervene(model, x, labels, "base", where=["0"]), Intervention)


X = torch.rand(300, 2, generator=torch.Generator().manual_seed(5)) * 2 - 1
RIGHT_OF = (torch.sin(3 * X[:, 0]) > X[:, 1]).long()


def make() -> nn.Sequential:
    return nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 2))


def train(model: nn.Module, method: str = "Adam") -> None:
    options = {"lr": 0.03, "weight_decay": 0.01} if method == "AdamW" else {"lr": 0.03}
    optimizer = getattr(torch.optim, method)(model.parameters(), **options)
    for _ in range(4 if method == "LBFGS" else 60):

        def error() -> Tensor:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(X), RIGHT_OF)
            loss.backward()
            return loss

        optimizer.step(error)


@pytest.mark.parametrize(
    ("replace", "method"),
    [("base", "AdamW"), ("base", "LBFGS"), ("splines", "LBFGS"), ("mean", "Adagrad")],
)
def test_controls_are_what_training_gives_from_the_same_start_without(
    replace: Any, method: str
) -> None:
    where, trained = ["0"] if replace == "mean" else None, []

    def train_and_keep(model: nn.Module) -> None:
        train(model, method)
        trained.append(copy.deepcopy(model))

    found = kw.ensemble(make, train_and_keep, seeds=[3, 11])
    said = intervene(found, X, RIGHT_OF, replace, where=where, control=True)
    assert len(trained) == 4
    for seed, control, one in zip([3, 11], trained[2:], said.networks, strict=True):
        torch.manual_seed(seed)
        model = make()
        for name, weight in model.named_parameters():
            if {"base": "spline", "splines": "base_", "mean": "0."}[replace] in name:
                nn.init.zeros_(weight)
                weight.requires_grad_(False)
        train(model, method)
        for own, reference in zip(control.parameters(), model.parameters(), strict=True):
            assert torch.allclose(own, reference, atol=1e-4)
        with torch.no_grad():
            right = float((model(X).argmax(1) == RIGHT_OF).double().mean())
        assert one.control == pytest.approx(right, abs=0.011)


def test_a_control_without_some_functions_has_only_these_at_0() -> None:
    torch.manual_seed(0)
    trained: list[Any] = []

    def train_and_keep(model: nn.Module) -> None:
        train(model)
        trained.append(model)

    found = kw.ensemble(make, train_and_keep, seeds=2)
    intervene(found, X, RIGHT_OF, "base", where=[("0", (1, 0))], control=True)
    for plain, other in zip(trained[:2], trained[2:], strict=True):
        zero = other[0].spline_weight == 0
        assert zero[1, 0].all()
        assert int(zero.sum()) == zero.shape[-1]
        assert (other[0].base_weight != 0).all()
        assert (plain[0].spline_weight != 0).all()


def test_a_training_that_brings_functions_back_is_no_control() -> None:
    def refining(model: Any) -> None:
        train(model)
        with torch.no_grad():
            model[0].spline_weight.add_(0.1)

    found = kw.ensemble(make, refining, seeds=2)
    with pytest.raises(RuntimeError, match="held at 0"):
        intervene(found, X, RIGHT_OF, "base", control=True)
    masks = [m for m in found.members for p in m.parameters() for m in p._backward_hooks or ()]
    assert not masks


def test_what_the_network_cannot_do_without_is_told_from_what_it_leans_on() -> None:
    """Labels that a sine decides need splines; those that a sign decides lean on them at most."""
    needed = intervene(kw.ensemble(make, train, seeds=3), X, RIGHT_OF, "base", control=True)
    line = (X[:, 0] > X[:, 1]).long()

    def train_line(model: nn.Module) -> None:
        optimizer = torch.optim.Adam(model.parameters(), 0.02)
        for _ in range(150):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(X), line).backward()
            optimizer.step()

    leaned = intervene(kw.ensemble(make, train_line, seeds=3), X, line, "base", control=True)
    assert needed.control_change is not None
    assert leaned.control_change is not None
    assert needed.control_change.high < -0.02
    assert needed.control_change.high < leaned.control_change.low
    assert leaned.control_change.value > -0.02
    assert leaned.change.value < 2 * leaned.control_change.value
    assert "Trained that way from the start (3 seeds)" in str(leaned)


def test_an_ensemble_gives_the_mean_of_its_networks_and_counts_them() -> None:
    models = [classifier(seed) for seed in (0, 1, 2, 3)]
    found = kw.ensemble(models)
    said = intervene(found, IMAGES, LABELS, "base")
    own = [intervene(model, IMAGES, LABELS, "base") for model in models]
    for name in ("change", "kl"):
        mine = [getattr(one, name) for one in own]
        assert [getattr(one, name) for one in said.networks] == mine
        values = [one.value for one in mine]
        ends = ttest_1samp(values, 0).confidence_interval(0.95)
        examples = fmean(one.high - one.low for one in mine) / 2
        half = float(np.hypot((ends.high - ends.low) / 2, examples))
        assert getattr(said, name) == pytest.approx(
            (fmean(values), fmean(values) - half, fmean(values) + half)
        )
    assert said.before == pytest.approx(fmean(one.before for one in own))
    assert said.after == pytest.approx(fmean(one.after for one in own))
    worse = sum(one.change.high < 0 for one in own)
    assert f"{worse} of 4 are worse" in str(said)
    assert [row["after"] for row in said.table()] == pytest.approx([one.after for one in own])
    assert "Right of 120 images" in str(said)


def test_a_function_of_the_typical_network_is_found_in_all() -> None:
    model = classifier()
    others = [copy.deepcopy(model) for _ in range(3)]
    with torch.no_grad():
        for other in others[1:]:
            order = torch.randperm(3)
            first, second = other.convs
            for weights in first.parameters():
                weights.copy_(weights.clone()[order])
            for weights in second.parameters():
                weights.copy_(weights.clone()[:, order])
            for norm in (part for part in other.modules() if isinstance(part, nn.BatchNorm2d)):
                if norm.num_features == 3:
                    for values in (*norm.parameters(), norm.running_mean, norm.running_var):
                        values.copy_(values.clone()[order])
    found = kw.ensemble(others)
    assert found.distance == pytest.approx(0, abs=1e-8)
    place = ("convs.1", (2, 1, 0, 2))
    said = intervene(found, IMAGES, LABELS, "mean", where=[place, ("convs.0", (1, 0, 1, 1))])
    assert said.layers == {"convs.0": 3, "convs.1": 3}
    kls = [one.kl.value for one in said.networks]
    assert kls == pytest.approx([kls[0]] * 3, rel=1e-4)
    assert kls[0] > 1e-5
    unmatched = [intervene(other, IMAGES, LABELS, "mean", where=[place]) for other in others]
    assert np.ptp([one.kl.value for one in unmatched]) > 1e-5


def test_intervals_over_networks_hold_for_other_seeds_and_examples() -> None:
    """Of 300 draws of seeds and examples that both matter, few miss, and no interval is vast."""
    rng = np.random.default_rng(0)
    missed, widths = 0, []
    for _ in range(300):
        of_seeds, of_examples = rng.normal(size=6), rng.normal(size=200) * 10
        values = 0.5 + of_seeds[:, None] + of_examples + rng.normal(size=(6, 200))
        own = []
        for row in values:
            half = 1.96 * row.std(ddof=1) / np.sqrt(200)
            own.append(kw.insight.Interval(row.mean(), row.mean() - half, row.mean() + half))
        over = _over_networks(own)
        missed += not over.low <= 0.5 <= over.high
        widths.append(over.high - over.low)
    assert missed <= 23  # 15 of 300 would be 5 %; more than 23 two times in a hundred
    assert np.median(widths) < 2 * 1.5 * 1.96 * np.sqrt(1 / 6 + 100 / 200)
