"""Circuits against brute force, planted ones, and labels that say nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.insight import Circuits, circuits


def stirred(model: nn.Module, size: float = 0.3) -> nn.Module:
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "spline_weight" in name:
                parameter.normal_(std=size)
    return model.eval()


def dense() -> nn.Sequential:
    torch.manual_seed(0)
    layers = kw.nn.KANLinear(3, 4), nn.LayerNorm(4), kw.nn.KANLinear(4, 5), kw.nn.KANLinear(5, 2)
    return stirred(nn.Sequential(*layers))  # type: ignore[return-value]


def pictures(count: int = 40) -> tuple[nn.Module, Tensor, Tensor]:
    torch.manual_seed(1)
    model = kw.nn.KANCNN(channels=(3, 4), image_size=8, num_classes=3)
    x = torch.rand(count, 1, 8, 8)
    model.train()
    model(x)
    return stirred(model), x, torch.arange(count) % 3


def by_hand(model: nn.Sequential, x: Tensor, path: Any, points: int = 200) -> Tensor:
    """Return a path's part of each change by a fine Riemann sum over its product of slopes."""
    first, norm, second, last = model
    f, (a, b) = path.function, path.channels
    with torch.no_grad():
        parts = torch.stack([alone(first, x, i) for i in range(3)], dim=2)
    means = parts.mean(dim=0)
    total = torch.zeros(len(x))
    for k in range(points):
        share = (k + 0.5) / points
        z = (means + share * (parts - means)).sum(dim=2).requires_grad_()
        hidden = second(norm(z))
        inner = hidden.detach().requires_grad_()
        [out] = torch.autograd.grad(last(inner)[:, path.target].sum(), inner)
        [slope] = torch.autograd.grad(hidden[:, b].sum(), z)
        total += slope[:, a] * out[:, b] / points
    return total * (parts[:, f[0], f[1]] - means[f[0], f[1]])


def alone(layer: nn.Module, x: Tensor, i: int) -> Tensor:
    """Return φ of the functions of one input, by a layer that has no others."""
    other = kw.nn.KANLinear(3, 4)
    with torch.no_grad():
        for own, of in zip(other.parameters(), layer.parameters(), strict=True):
            own.zero_()
            own[:, i] = of[:, i]
        return other(x)


@pytest.mark.slow
def test_a_path_s_share_is_a_fine_sum_of_its_slopes_and_all_add_up_to_the_change() -> None:
    model, x = dense(), torch.rand(24, 3) * 2 - 1
    labels = torch.arange(24) % 2
    found = circuits(model, x, labels, paths=4, points=64)
    assert found.missing < 1e-3
    with torch.no_grad():
        means = sum(alone(model[0], x, i).mean(dim=0) for i in range(3))
        at_means = model[1:](means[None])[0]
    for path in found.paths:
        rows = [k for k in range(24) if labels[k] == path.target][1::2]
        parts = by_hand(model, x, path)[rows]
        change = (model(x)[rows, path.target] - at_means[path.target]).detach()
        share = path.whole.share
        assert share.value == pytest.approx(float(parts.mean() / change.mean()), abs=2e-3)
        assert found.change[path.target].value == pytest.approx(float(change.mean()), abs=1e-5)
        assert share.low <= share.value <= share.high


@pytest.mark.slow
def test_the_largest_paths_are_found_among_all() -> None:
    model, x = dense(), torch.rand(24, 3) * 2 - 1
    labels = torch.arange(24) % 2
    found = circuits(model, x, labels, paths=2)
    rows = [k for k in range(24) if labels[k] == 0][::2]
    sizes = {}
    for f in np.ndindex(4, 3):
        for b in range(5):
            path = type("Path", (), {"function": f, "channels": (f[0], b), "target": 0})
            sizes[f, b] = abs(float(by_hand(model, x, path, 16)[rows].mean()))
    largest = sorted(sizes, key=lambda at: -sizes[at])[:2]
    assert [(p.function[:2], p.channels[1]) for p in found.paths if p.target == 0] == largest


@pytest.mark.slow
def test_a_path_is_cut_as_by_hand_and_so_are_its_edges() -> None:
    model, x = dense(), torch.rand(24, 3) * 2 - 1
    labels = torch.arange(24) % 2
    first, norm, second, last = model
    [path, *_] = circuits(model, x, labels, paths=1).paths
    rows = [k for k in range(24) if labels[k] == path.target][1::2]
    (out, in_, *_), (a, b) = path.function, path.channels
    with torch.no_grad():
        z, clean = first(x), second(norm(first(x)))
        without = z.clone()
        phi = alone(first, x, in_)[:, out]
        without[:, out] += phi.mean() - phi
        score, at_means = last(clean)[:, path.target], model[1:](z.mean(dim=0)[None])
        one_way = clean.clone()
        one_way[:, b] = second(norm(without))[:, b]
        flat = z.clone()
        flat[:, a] = z[:, a].mean()
        passed = clean.clone()
        passed[:, b] = second(norm(flat))[:, b]
        still = clean.clone()
        still[:, b] = clean[:, b].mean()
        after = [last(one_way), model[1:](without), last(passed), last(still)]
    change = (score - at_means[0, path.target])[rows].mean()
    expected = [float((score - y[:, path.target])[rows].mean() / change) for y in after]
    links = path.whole, *path.edges
    assert [link.cut.value for link in links] == pytest.approx(expected, abs=1e-4)


def test_where_nothing_bends_cutting_and_shares_are_the_same() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(27, 2))
    found = circuits(model, torch.rand(20, 1, 8, 8), torch.arange(20) % 2, paths=5, points=1)
    assert found.missing < 1e-4
    assert found.agreement == pytest.approx(1, abs=1e-6)
    for path in found.paths:
        for link in (path.whole, *path.edges):
            assert link.cut == pytest.approx(link.share, abs=1e-3)


def planted(count: int = 120) -> tuple[nn.Sequential, Tensor, Tensor]:
    """Return a network in which one function feeds one class: x1² through channel 2 to class 1."""
    model = nn.Sequential(
        kw.nn.KANLinear(3, 4, basis="chebyshev"), kw.nn.KANLinear(4, 2, basis="chebyshev")
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model[0].spline_weight[2, 1, 2] = 0.5
        model[1].base_weight[1, 2] = 2.0
        model[0].base_weight[0, 0] = 0.05
        model[1].base_weight[0, 0] = 1.0
    x = torch.rand(count, 3, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return model, x, (x[:, 1].abs() > 0.6).long()


def test_a_planted_path_is_found_and_belongs_to_its_class() -> None:
    found = circuits(*planted(), paths=1)
    [path] = [path for path in found.paths if path.target == 1]
    assert (path.function, path.channels) == ((2, 1, 0, 0), (2,))
    assert path.whole.words == "φ 2,1 0,0 → 0 channel 2 → class 1"
    assert path.whole.share.value == pytest.approx(1, abs=1e-3)
    assert path.whole.cut.value == pytest.approx(1, abs=1e-3)
    assert path.p <= 0.01
    assert "1 add more to their class" in str(found)


@pytest.mark.slow
def test_with_labels_that_say_nothing_no_path_belongs_to_a_class() -> None:
    model, x, labels = planted()
    beyond = 0
    for seed in range(20):
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
        beyond += sum(path.p <= 0.05 for path in circuits(model, x, labels[order], paths=1).paths)
    assert beyond <= 3  # of 20 at 5 %: four or more once in 60 times


def responses(model: Any, x: Tensor) -> dict[str, Tensor]:
    """Return what each kernel gives, by layers with all others at 0: ``(n, out, in, h, w)``."""
    takes: dict[str, Tensor] = {}
    hooks = [
        part.register_forward_pre_hook(lambda _, args, name=name: takes.update({name: args[0]}))
        for name, part in (("convs.0", model.convs[0]), ("convs.1", model.convs[1]))
    ]
    found = {}
    with torch.no_grad():
        model(x)
        for hook in hooks:
            hook.remove()
        for name, layer in (("convs.0", model.convs[0]), ("convs.1", model.convs[1])):
            maps = []
            for i in range(layer.in_channels):
                kept = [p.clone() for p in layer.parameters()]
                for parameter in layer.parameters():
                    parameter[:, [k for k in range(layer.in_channels) if k != i]] = 0
                maps.append(layer(takes[name]))
                for parameter, before in zip(layer.parameters(), kept, strict=True):
                    parameter.copy_(before)
            found[name] = torch.stack(maps, dim=2)
    return found


@pytest.fixture(scope="module")
def seen() -> tuple[Circuits, dict[str, Tensor], Tensor]:
    model, x, labels = pictures()
    return circuits(model, x, labels, paths=1, points=2, most=3), responses(model, x), labels


@pytest.mark.parametrize("name", ["convs.0", "convs.1"])
def test_what_drives_a_kernel_most_and_least_is_where_its_response_is(name: str, seen: Any) -> None:
    drivers, maps = seen[0].drivers[name], seen[1][name]
    _, outs, ins, _, width = maps.shape
    assert drivers.means == pytest.approx(maps.mean(dim=(0, 3, 4)).numpy(), abs=1e-5)
    for o, i in np.ndindex(outs, ins):
        flat = maps[:, o, i].flatten(1)
        for found, sign in ((drivers.most[o, i], 1), (drivers.least[o, i], -1)):
            best = (sign * flat).max(dim=1).values.sort(descending=True).values[:3]
            assert found[:, 0] == pytest.approx((sign * best).numpy(), abs=1e-5)
            assert len(set(found[:, 1])) == 3
            for value, image, row, column in found:
                there = flat[int(image), int(row) * width + int(column)]
                assert value == pytest.approx(float(there), abs=1e-5)


def test_densities_are_shares_of_activity_with_errors_as_of_a_bootstrap(seen: Any) -> None:
    found, all_maps, labels = seen
    drivers, maps = found.drivers["convs.1"], all_maps["convs.1"].double()
    active = (maps - maps.mean(dim=(0, 3, 4), keepdim=True)).abs().mean(dim=(3, 4)).numpy()
    by_class = [active[labels.numpy() == c] for c in range(3)]
    means = np.stack([own.mean(axis=0) for own in by_class])
    assert drivers.density == pytest.approx(means / means.sum(axis=0), abs=1e-4)
    rng = np.random.default_rng(0)
    draws = np.stack(
        [
            np.stack([own[rng.integers(0, len(own), len(own))].mean(0) for own in by_class])
            for _ in range(2000)
        ]
    )
    spread = 1.96 * (draws / draws.sum(axis=1, keepdims=True)).std(axis=0)
    assert drivers.margin == pytest.approx(spread, rel=0.15)


@pytest.mark.slow
def test_many_images_are_read_a_few_at_a_time_and_come_to_the_same(monkeypatch: Any) -> None:
    model, x, labels = pictures()
    whole = circuits(model, x, labels, paths=1, points=2)
    monkeypatch.setattr("kan_widgets.insight.tapped_pass._AT_ONCE", 7)
    rows = []
    handle = model.register_forward_pre_hook(lambda _, args: rows.append(len(args[0])))
    parts = circuits(model, x, labels, paths=1, points=2)
    handle.remove()
    assert max(rows) == 7
    assert [p.whole.words for p in parts.paths] == [p.whole.words for p in whole.paths]
    for one, other in zip(parts.paths, whole.paths, strict=True):
        assert one.whole.share == pytest.approx(other.whole.share, abs=1e-4)
    for name, drivers in parts.drivers.items():
        assert drivers.most == pytest.approx(whole.drivers[name].most, abs=1e-5)


def test_the_model_is_as_before_and_a_binding_will_do() -> None:
    model, x, labels = pictures()
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    rng = torch.get_rng_state()
    found = circuits(kw.bind(model), x, labels, paths=1, points=1)
    assert model.training
    assert torch.equal(torch.get_rng_state(), rng)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert [len(path.edges) for path in found.paths] == [3, 3, 3]
    assert found.paths[0].whole.words in str(found)
    assert "<table>" in found._repr_html_()


class Around(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(kw.nn.KANLinear(3, 3) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        x = self.layers[0](x)
        return self.layers[2](x + self.layers[1](x))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("model", "labels", "words"),
    [
        (Around(), torch.arange(12) % 3, "there is a way around layers.1"),
        (kw.nn.KANLinear(3, 3), torch.arange(12) % 3, "expected two layers or more"),
        (dense(), torch.arange(12) % 3, "class 2, but 2 are scored"),
        (
            dense(),
            torch.arange(12),
            "from 0, and four images or more of each",
        ),
        (dense(), torch.arange(12) % 2 - 1, "expected two classes or more, from 0"),
        (dense(), torch.zeros(12).long(), r"labels of \{0: 12\} images by class"),
    ],
)
def test_what_has_no_such_paths_is_refused(model: nn.Module, labels: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        circuits(model, torch.rand(12, 3), labels)


def test_numbers_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="points=0: expected a whole number ≥ 1"):
        circuits(dense(), torch.rand(12, 3), torch.arange(12) % 2, points=0)
