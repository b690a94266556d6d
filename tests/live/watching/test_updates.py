"""Sizes of gradients and updates, against training steps done by hand."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.live.watching.updates import Updates, UpdateSizes


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def rms(x: torch.Tensor) -> float:
    return math.sqrt((x.double() ** 2).mean().item())


def model_and_batch(**options: Any) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    model = nn.Sequential(kw.nn.KANLinear(6, 5, **options), nn.Linear(5, 3))
    return model, torch.randn(32, 6), torch.randint(0, 3, (32,))


def one_step(model: nn.Module, optimizer: Any, x: torch.Tensor, y: torch.Tensor) -> None:
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()


def test_sizes_are_those_of_a_step_done_by_hand():
    model, x, y = model_and_batch()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    live = kw.bind(model, optimizer, every=1)
    updates = Updates(live)
    one_step(model, optimizer, x, y)
    kan, line = model
    before = [p.detach().clone() for p in (kan.base_weight, kan.spline_weight, line.weight)]
    one_step(model, optimizer, x, y)
    after = [kan.base_weight, kan.spline_weight, line.weight]
    found = updates.latest("0")
    assert found.step == 2
    assert found.gradient_base == pytest.approx(rms(kan.base_weight.grad), rel=1e-5)
    assert found.gradient_splines == pytest.approx(rms(kan.spline_weight.grad), rel=1e-5)
    moved = [rms(b.detach() - a) for a, b in zip(before, after, strict=True)]
    assert found.update_base == pytest.approx(moved[0], rel=1e-4)
    assert found.update_splines == pytest.approx(moved[1], rel=1e-4)
    plain = updates.latest("1")
    assert plain.gradient_base == pytest.approx(rms(line.weight.grad), rel=1e-5)
    assert plain.update_base == pytest.approx(moved[2], rel=1e-4)
    assert math.isnan(plain.update_splines)


def test_scaled_splines_are_measured_as_they_act():
    model, x, y = model_and_batch(spline_scaler=True)
    optimizer = torch.optim.SGD(model.parameters(), 0.5)
    live = kw.bind(model, optimizer, every=1)
    updates = Updates(live)
    one_step(model, optimizer, x, y)
    kan = model[0]

    def scaled() -> torch.Tensor:
        return (kan.spline_weight * kan.spline_scaler.unsqueeze(-1)).detach().clone()

    before = scaled()
    one_step(model, optimizer, x, y)
    assert updates.latest("0").update_splines == pytest.approx(rms(scaled() - before), rel=1e-4)


def test_one_step_after_each_frame_is_measured(monkeypatch):
    monkeypatch.setattr("kan_widgets.live.budget.Throttle.is_open", lambda self, now: True)
    model, x, y = model_and_batch()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    live = kw.bind(model, optimizer, every=4, max_fps=1e9)
    updates = Updates(live)
    for _ in range(14):
        one_step(model, optimizer, x, y)
    assert [sizes.step for sizes in updates.series("0")] == [5, 9, 13]
    assert updates.latest("0", step=11).step == 9
    assert updates.latest("0", step=4) is None
    assert updates.latest("nowhere") is None


def test_no_more_than_ten_steps_a_second_are_measured():
    model, x, y = model_and_batch()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    live = kw.bind(model, optimizer, every=1, max_fps=1e9)
    updates = Updates(live)
    start = time.perf_counter()
    for _ in range(300):
        one_step(model, optimizer, x, y)
    passed = time.perf_counter() - start
    assert 1 <= len(updates.series("0")) <= 2 + 10 * passed < 150


def test_training_is_the_same_to_the_bit_and_closing_ends_it():
    results = []
    for watched in (False, True):
        torch.manual_seed(3)
        model, x, y = model_and_batch(spline_scaler=True)
        optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
        live = kw.bind(model, optimizer, every=1)
        updates = Updates(live) if watched else None
        for _ in range(12):
            one_step(model, optimizer, x, y)
        results.append([p.detach().clone() for p in model.parameters()])
        results[-1] += [p.grad.clone() for p in model.parameters()]
        if updates is not None:
            known = len(updates.series("0"))
            updates.close()
            time.sleep(0.15)
            for _ in range(3):
                one_step(model, optimizer, x, y)
            assert len(updates.series("0")) == known
    assert all(map(torch.equal, *results))


def test_an_edit_is_no_update():
    model, x, y = model_and_batch()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    live = kw.bind(model, optimizer, every=2)
    updates = Updates(live)
    one_step(model, optimizer, x, y)
    one_step(model, optimizer, x, y)  # a frame: the next step would be measured
    live.refresh()
    live.feed.settle()
    live.edits.set("0", (0, 0, 0, 0), [9.0] * 9)
    one_step(model, optimizer, x, y)
    assert updates.series("0") == []


def test_a_layer_without_gradient_or_with_broken_numbers_spoils_no_other():
    model, x, y = model_and_batch()
    model[0].requires_grad_(False)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.1)
    live = kw.bind(model, optimizer, every=1)
    updates = Updates(live)
    one_step(model, optimizer, x, y)
    with torch.no_grad():
        model[0].spline_weight[0, 0, 0] = float("nan")
    one_step(model, optimizer, torch.nan_to_num(x), y)
    found = updates.latest("0")
    assert math.isnan(found.gradient_base)
    assert found.update_base == 0
    assert found.update_splines == 0


def test_an_adapter_that_cannot_tell_gradients_leaves_the_updates():
    class Mine(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.ones(2, 3, 2))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            waves = torch.stack([x.cos(), x.sin()], -1)
            return torch.einsum("nib,oib->no", waves, self.w)

    kw.functions.register_adapter(
        Mine,
        lambda m: kw.functions.LayerFunctions(
            "linear", m.w.detach(), (kw.functions.LayerBasis(kw.nn.Fourier(1, constant=False)),)
        ),
    )
    model = Mine()
    optimizer = torch.optim.SGD(model.parameters(), 0.5)
    live = kw.bind(model, optimizer, every=1)
    updates = Updates(live)
    for _ in range(2):
        optimizer.zero_grad()
        model(torch.ones(4, 3)).sum().backward()
        before = model.w.detach().clone()
        optimizer.step()
    found = updates.latest("Mine")
    assert isinstance(found, UpdateSizes)
    assert math.isnan(found.gradient_splines)
    assert found.update_splines == pytest.approx(rms(model.w.detach() - before), rel=1e-5)


def test_long_training_keeps_an_evenly_thinned_series(monkeypatch):
    monkeypatch.setattr("kan_widgets.live.watching.updates._MAX_KEPT", 8)
    monkeypatch.setattr("kan_widgets.live.budget.Throttle.is_open", lambda self, now: True)
    model, x, y = model_and_batch()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    live = kw.bind(model, optimizer, every=1, max_fps=1e9)
    updates = Updates(live)
    for _ in range(30):
        one_step(model, optimizer, x, y)
        updates.latest("0")
    steps = [sizes.step for sizes in updates.series("0")]
    assert len(steps) <= 8
    assert steps[0] == 2
    assert steps[-1] == 30
    assert steps == sorted(set(steps))
