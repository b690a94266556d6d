"""Ablation against networks in which functions were replaced by hand."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import kan_widgets as kw
from kan_widgets.insight import ablate, ablation_curve

Place = tuple[int, ...]


def state_of(model: nn.Module) -> list[tuple[str, bytes]]:
    return [(name, value.numpy().tobytes()) for name, value in model.state_dict().items()]


def spline_values(layer: Any, place: Place, x: Tensor) -> Tensor:
    values = (
        layer.base_weight[place] * F.silu(x) + layer.basis.expand(x) @ layer.spline_weight[place]
    )
    assert isinstance(values, Tensor)
    return values


def digits() -> tuple[Tensor, Tensor]:
    found = kw.data.mnist("embedded")
    return found.test_images[:200], found.test_labels[:200]


def trained() -> Any:
    torch.manual_seed(0)
    model = nn.Sequential(
        kw.nn.KANConv2d(1, 3, 3, stride=3),
        nn.Tanh(),
        nn.Flatten(),
        kw.nn.KANLinear(3 * 81, 10),
    )
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    found = kw.data.mnist("embedded")
    for images, labels in zip(
        found.train_images[:640].split(64), found.train_labels[:640].split(64), strict=True
    ):
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    return model


def accuracy(images: Tensor, labels: Tensor) -> Any:
    return lambda model: (model(images).argmax(1) == labels).float().mean()


def test_the_drop_is_that_of_the_network_with_the_mean_in_place_of_the_function() -> None:
    model = trained()
    images, labels = digits()
    observed = kw.bind(model).observe(images)
    found = ablate(model, "0", observed["0"], accuracy(images, labels), functions=4)
    assert (found.samples, found.patches) == (200, 200 * 81)
    patches = F.unfold(images, 3, stride=3)  # (200, 9, 81): one channel
    with torch.no_grad():
        start = float((model(images).argmax(1) == labels).float().mean())
        assert found.score == pytest.approx(start)
        assert start > 0.4
        for place, drop in zip(found.functions.tolist(), found.drop.tolist(), strict=True):
            o, _, r, c = place
            phi = spline_values(model[0], tuple(place), patches[:, 3 * r + c].reshape(200, 9, 9))
            y = model[0](images)
            y[:, o] += phi.mean() - phi
            hit = model[1:](y).argmax(1) == labels
            assert drop == pytest.approx(start - float(hit.float().mean()), abs=1e-6)
    assert (found.drop > 0).any()
    assert np.isfinite(found.drops).sum() == 4
    assert found.drops[tuple(found.functions[1])] == found.drop[1]
    assert (
        f"less by, with one function at its mean over 200 samples\n  {found.drop[0]:+.4g}  out"
        in str(found)
    )


def test_the_functions_tried_first_are_those_that_move_most() -> None:
    model = trained()
    images, labels = digits()
    [_, observed] = kw.bind(model).observe(images).values()
    found = ablate(model, "3", observed, accuracy(images, labels), functions=3)
    [_, layer] = kw.functions.read(model)
    spread = kw.insight.importance(layer, observed).spread
    largest = np.sort(spread.ravel())[::-1][:3]
    assert spread[tuple(found.functions.T)].tolist() == largest.tolist()
    chosen = ablate(model, "3", observed, accuracy(images, labels), [(7, 20), (2, 30, 0, 0)])
    assert chosen.functions.tolist() == [[7, 20, 0, 0], [2, 30, 0, 0]]


def outputs(x: Tensor, into: list[Tensor]) -> Any:
    """Evaluate a model by keeping what it computes."""

    def evaluate(model: nn.Module) -> float:
        into.append(model(x).detach().clone())
        return 0.0

    return evaluate


@pytest.mark.parametrize("kind", ["grouped", "shared", "plain", "unbatched", "convkan", "pykan"])
def test_with_all_functions_at_their_means_every_kernel_gives_its_mean(kind: str) -> None:
    torch.manual_seed(0)
    x = torch.rand(4, 4, 7, 6)
    layer: nn.Module
    if kind == "grouped":
        layer = kw.nn.KANConv2d(4, 6, (3, 2), groups=2, stride=2, padding=1, padding_mode="reflect")
    elif kind == "shared":
        layer = kw.nn.SharedKANConv2d(3, 3)
    elif kind == "plain":
        layer = nn.Conv2d(4, 3, 3, padding=1)
    elif kind == "unbatched":
        layer, x = kw.nn.KANConv2d(4, 3, 3), x[0]
    elif kind == "convkan":
        from convkan import ConvKAN  # type: ignore[import-untyped]

        layer = ConvKAN(4, 3, 3, padding=1)
    else:
        from kan import KAN  # type: ignore[import-untyped]

        layer, x = KAN(width=[4, 3], grid=3, k=3, auto_save=False), x[:, :, 0, 0]
    live = kw.bind(layer)
    [(name, observed)] = live.observe(x).items()
    seen: list[Tensor] = []
    curve = ablation_curve(layer, name, observed, outputs(x, seen), counts=1)
    whole, level = seen
    axis = 1 if x.ndim != 3 else 0
    others = [k for k in range(whole.ndim) if k != axis]
    if kind == "shared":  # a function is the same at every channel, and so is its mean
        whole, level = (y.reshape(4, 4, 3, *y.shape[2:]).transpose(1, 2) for y in (whole, level))
        others = [0, 2, 3, 4]
    assert float(level.std(others).max()) < 1e-6
    torch.testing.assert_close(level.mean(others), whole.mean(others), atol=1e-5, rtol=1e-5)
    assert float(whole.std(others).min()) > 1e-3
    assert curve.counts.tolist() == [0, kw.functions.read(layer)[0].n_functions]


class PaddedBasis(nn.Module):
    """A layer that pads β and not x, and scales the sums before it returns them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3, stride=2, padding=1, bias=False)
        self.norm = nn.GroupNorm(1, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.conv(torch.cos(x)))
        assert isinstance(y, Tensor)
        return y


@dataclass(frozen=True)
class Cosine:
    """β(x) = cos x."""

    domain: tuple[float, float] = (-3.0, 3.0)
    extent: tuple[float, float] = (-3.0, 3.0)
    labels: tuple[str, ...] = ("cos",)
    is_base: tuple[bool, ...] = (False,)
    knots: tuple[float, ...] = ()
    continuous: bool = True

    def __call__(self, x: Tensor) -> Tensor:
        return torch.cos(x).unsqueeze(-1)


def read_padded(module: Any) -> kw.functions.LayerFunctions:
    def write(index: Place, coefficients: Tensor) -> None:
        with torch.no_grad():
            module.conv.weight[index] = coefficients[0]

    return kw.functions.LayerFunctions(
        "conv",
        module.conv.weight.detach().unsqueeze(-1),
        (Cosine(),),
        conv=kw.functions.ConvSettings((2, 2), (1, 1, 1, 1), pads_basis=True),
        write=write,
    )


kw.functions.register_adapter(
    PaddedBasis,
    read_padded,
    sums=lambda module: [kw.functions.Sum(("",), kw.functions.Tap((module.norm,)))],  # type: ignore[arg-type]
)


def test_the_mean_is_added_where_the_sum_is_and_nothing_over_the_border() -> None:
    torch.manual_seed(0)
    layer = PaddedBasis()
    x = torch.randn(5, 2, 6, 7)
    live = kw.bind(layer)
    [(name, observed)] = live.observe(x).items()
    place = (1, 0, 0, 2)
    seen: list[Tensor] = []
    found = ablate(layer, name, observed, outputs(x, seen), [place])
    entry = 0 * 9 + 0 * 3 + 2
    with torch.no_grad():
        w = layer.conv.weight[place]
        mean = w * torch.from_numpy(observed.patches[:, entry]).cos().mean()
        inside = F.pad(torch.ones(1, 1, 6, 7), (1, 1, 1, 1))[0, 0, 0:6:2, 2:10:2]
        phi = F.pad(w * torch.cos(x[:, 0]), (1, 1, 1, 1))[:, 0:6:2, 2:10:2]
        y = layer.conv(torch.cos(x))
        assert y.shape[2:] == inside.shape
        assert 0 < float(inside.mean()) < 1
        y[:, 1] += mean * inside - phi
        torch.testing.assert_close(seen[1], layer.norm(y))
    assert found.mean == pytest.approx([float(mean)], abs=1e-6)


def test_the_curve_falls_from_the_whole_model_to_one_that_sees_nothing() -> None:
    model = trained()
    images, labels = digits()
    live = kw.bind(model)
    observed = live.observe(images)
    curve = ablation_curve(live, "3", observed["3"], accuracy(images, labels), counts=4)
    total = 10 * 243
    assert curve.counts.tolist() == [0, round(total / 4), total // 2, round(3 * total / 4), total]
    hits = accuracy(images, labels)
    assert curve.scores[0] == pytest.approx(float(hits(model)))
    # All logits are constants then.
    shares = [float((labels == k).float().mean()) for k in range(10)]
    assert any(curve.scores[-1] == pytest.approx(share) for share in shares)
    spread = kw.insight.importance(live.read()[1], observed["3"]).spread
    ranked = spread[tuple(curve.order.T)]
    assert (np.diff(ranked) >= 0).all()
    # The first half hardly moves: the network does without.
    assert curve.scores[1] > curve.scores[-1] + 0.1
    other_way = ablation_curve(
        live, "3", observed["3"], accuracy(images, labels), [total // 4], order=-spread
    )
    assert other_way.scores[1] < curve.scores[1]
    assert curve.spared(1.0) == total
    assert curve.spared(curve.scores[0] - curve.scores[1]) >= curve.counts[1]


@pytest.mark.parametrize("failing", ["evaluate", "write", "not finite", "interrupted"])
def test_the_model_is_what_it_was_to_the_bit_whatever_happens(failing: str) -> None:
    model = trained().train()
    live = kw.bind(model)
    observed = live.observe(digits()[0])
    before, frame = state_of(model), live.frame
    hooks = [(len(part._forward_hooks), len(part._forward_pre_hooks)) for part in model.modules()]
    calls = 0

    def evaluate(given: nn.Module) -> float:
        nonlocal calls
        calls += 1
        assert not given.training
        assert not torch.is_grad_enabled()
        assert (state_of(given) == before) == (calls == 1)
        if calls == 3 and failing == "evaluate":
            raise ZeroDivisionError
        if calls == 3 and failing == "interrupted":
            raise KeyboardInterrupt
        return float("nan") if calls == 3 and failing == "not finite" else 0.5

    if failing == "write":
        with torch.no_grad():
            model[3].spline_scaler = nn.Parameter(torch.ones(10, 243))
            model[3].spline_scaler[2, 100] = 0
        before = state_of(model)
    errors: dict[str, tuple[type[BaseException], str | None]] = {
        "evaluate": (ZeroDivisionError, None),
        "write": (ValueError, r"scaler of function \(2, 100\) is 0"),
        "not finite": (ValueError, "evaluate: expected it to return a finite number, got nan"),
        "interrupted": (KeyboardInterrupt, None),
    }
    kind, words = errors[failing]
    with pytest.raises(kind, match=words):
        ablate(live, "3", observed["3"], evaluate, [(0, 100), (1, 100), (2, 100), (3, 100)])
    assert state_of(model) == before
    assert hooks == [
        (len(part._forward_hooks), len(part._forward_pre_hooks)) for part in model.modules()
    ]
    assert all(part.training for part in model.modules())
    assert torch.is_grad_enabled()
    assert live.edits.trying.acquire(blocking=False)
    live.edits.trying.release()
    assert live.frame is frame


def test_functions_that_were_pruned_are_worth_nothing() -> None:
    model = trained()
    images, labels = digits()
    observed = kw.bind(model).observe(images)
    whole = copy.deepcopy(model)
    mask = torch.ones(3, 1, 3, 3, dtype=torch.bool)
    mask[1, 0, 1, 1] = False
    model[0].mask = mask
    found = ablate(model, "0", observed["0"], accuracy(images, labels), [(1, 0, 1, 1)])
    assert found.drop.tolist() == [0.0]
    assert found.mean.tolist() == [0.0]
    assert float(accuracy(images, labels)(whole)) != found.score


def test_a_compiled_model_is_evaluated_without_its_wrapper() -> None:
    model = trained()
    images, labels = digits()
    observed = kw.bind(model).observe(images)["0"]
    plain = ablate(model, "0", observed, accuracy(images, labels), 2)
    wrapped = torch.compile(model, backend="eager")
    again = ablate(wrapped, "0", observed, accuracy(images, labels), 2)  # type: ignore[arg-type]
    assert again.drop.tolist() == plain.drop.tolist()


def test_what_cannot_be_ablated_is_refused_with_the_remedy() -> None:
    model = nn.Sequential(nn.Linear(3, 2))
    x = torch.randn(9, 3)
    [observed] = kw.bind(model).observe(x).values()

    def score(given: nn.Module) -> float:
        return float(given(x).mean())

    with pytest.raises(TypeError, match="nothing was observed at 0"):
        ablate(model, "0", None, score)
    with pytest.raises(ValueError, match=r"layer='1': the layers are '0'"):
        ablate(model, "1", observed, score)
    with pytest.raises(IndexError, match=r"function \(2, 0\): 0 has 2 × 3 × 1 × 1"):
        ablate(model, "0", observed, score, [(2, 0)])
    with pytest.raises(ValueError, match=r"functions: expected .*, got"):
        ablate(model, "0", observed, score, 0)
    with pytest.raises(TypeError, match="model: expected a model or an open binding, got"):
        ablate("model", "0", observed, score)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="counts: expected numbers from 1 to 6, got"):
        ablation_curve(model, "0", observed, score, [7])
    with pytest.raises(ValueError, match=r"order: expected 6 numbers, .* got shape \(2,\)"):
        ablation_curve(model, "0", observed, score, 2, order=np.zeros(2))
