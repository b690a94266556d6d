"""What goes wrong in a training is said, with its cause and its cure; a healthy one let alone."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import kan_widgets as kw
from kan_widgets.live.steering.alarms import Alarm
from kan_widgets.live.watching.binding import Binding


def bound(
    *layers: nn.Module, lr: float = 0.01, every: int = 1
) -> tuple[nn.Module, torch.optim.Optimizer, Binding]:
    model = nn.Sequential(*layers)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    live = kw.bind(model, optimizer, every=every, max_fps=1e6)
    return model, optimizer, live


def train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    live: Binding,
    batch: Tensor,
    steps: int,
    each: Callable[[int], Any] = lambda _: None,
) -> None:
    for step in range(steps):
        optimizer.zero_grad()
        loss = (model(batch) - 1).square().mean()
        loss.backward()
        # As if a hundred times as long had passed: each step's frame is taken, however long the
        # last one took, and its gradients are looked at.
        for throttle in (live.feed.camera.throttle, live.watchdog._in_steps):
            throttle.is_open = lambda now: True
        optimizer.step()
        live.log(loss=loss)
        each(step)


def kinds(alarms: tuple[Alarm, ...]) -> list[tuple[str, str]]:
    return [(alarm.kind, alarm.layer) for alarm in alarms]


def test_a_loss_that_is_not_finite_is_an_alarm_since_the_step_it_was_logged_at() -> None:
    _, _, live = bound(kw.nn.KANLinear(2, 1))
    for step, value in enumerate([0.5, math.inf, 0.4, math.nan, math.inf]):
        live.log(step, loss=value)
    [alarm] = live.watchdog().look()
    assert (alarm.kind, alarm.layer, alarm.since) == ("loss", "loss", 3)
    assert alarm.what == "loss is inf since step 3."
    assert "live.set_learning_rate(0.001)" in alarm.cure
    assert "clip_grad_norm_" in alarm.cure


def test_other_curves_may_be_what_they_are() -> None:
    _, _, live = bound(kw.nn.KANLinear(2, 1))
    live.log(accuracy=math.nan)
    assert live.watchdog().look() == ()


def test_coefficients_that_are_not_finite_name_their_layer() -> None:
    model, _, live = bound(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1))
    assert live.watchdog().look() == ()
    with torch.no_grad():
        model[1].spline_weight.view(-1)[4] = math.nan
    live.refresh()
    [alarm] = live.watchdog().look()
    assert (alarm.kind, alarm.layer) == ("not finite", "1")
    assert alarm.what.startswith("1: 1 of 3 functions is not finite")


def test_a_layer_whose_functions_explode_is_named_with_what_stays_true_of_it() -> None:
    model, _, live = bound(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1))
    with torch.no_grad():
        model[0].base_weight[1, 0] = 1e6
    live.refresh()
    [alarm] = live.watchdog().look()
    _, y = live.history[0].evaluate("0")
    assert (alarm.kind, alarm.layer) == ("exploding", "0")
    # Neither a size that changes nor a step: since when a run has diverged, its status says.
    assert alarm.what == f"0: φ has grown more than 100-fold, from {np.abs(y).max():.3g} at first."


def test_inputs_outside_the_grid_are_an_alarm_until_the_grid_is_where_they_are() -> None:
    model, optimizer, live = bound(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1))
    batch = torch.rand(50, 2) * 4 + 2
    live.observe(batch)
    found = live.watchdog().look()
    assert ("outside", "0") in kinds(found)
    assert next(a for a in found if a.layer == "0").what == (
        "0: 100 % of its inputs lie outside its grid, -1 to 1, as observed at step 0."
    )
    kw.nn.update_grid(model, batch, optimizer=optimizer)
    live.observe(batch)
    assert live.watchdog().look() == ()


def test_a_training_that_diverges_has_no_alarm_of_what_follows_from_that() -> None:
    _model, _, live = bound(kw.nn.KANLinear(2, 1))
    live.observe(torch.full((8, 2), 5.0))
    live.log(0, loss=0.5)
    assert kinds(live.watchdog().look()) == [("outside", "0")]
    live.log(1, loss=math.nan)
    assert kinds(live.watchdog.look()) == [("loss", "loss")]
    live.log(2, loss=0.4)
    assert kinds(live.watchdog.look()) == [("outside", "0")]


def test_functions_without_gradient_are_an_alarm_since_the_first_of_these_steps() -> None:
    class Cut(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * torch.tensor([1.0, 0.0, 0.0, 1.0])

    torch.manual_seed(0)
    model, optimizer, live = bound(kw.nn.KANLinear(2, 4), Cut(), kw.nn.KANLinear(4, 1))
    live.watchdog(steps=20)
    train(model, optimizer, live, torch.rand(30, 2), 30)
    [alarm] = live.watchdog(steps=20).look()
    assert (alarm.kind, alarm.layer, alarm.since) == ("dead", "0", 1)
    assert alarm.what.startswith("0: 4 of 8 functions are without any gradient")
    assert live.watchdog.look() == (alarm,)  # no gradient has been looked at since


def test_functions_that_were_pruned_are_not_dead() -> None:
    class Cut(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * torch.tensor([1.0, 0.0, 0.0, 1.0])

    model, optimizer, live = bound(kw.nn.KANLinear(2, 4), Cut(), kw.nn.KANLinear(4, 1))
    with torch.no_grad():
        model[0].spline_weight[1:3] = 0
        model[0].base_weight[1:3] = 0
    live.watchdog(steps=20)
    train(model, optimizer, live, torch.rand(30, 2), 30)
    assert live.watchdog(steps=20).look() == ()


def test_splines_that_stand_still_while_others_move_are_an_alarm_unless_frozen() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1))
    optimizer = torch.optim.SGD(model[1].parameters(), lr=0.1)
    live = kw.bind(model, optimizer, every=1, max_fps=1e6)
    live.watchdog(steps=10).look()
    train(model, optimizer, live, torch.rand(30, 2), 15)
    [alarm] = live.watchdog(steps=10).look()
    assert (alarm.kind, alarm.layer, alarm.since) == ("still", "0", 0)
    assert "The optimizer does not have the parameters" in alarm.cause
    model[0].requires_grad_(False)
    train(model, optimizer, live, torch.rand(30, 2), 15)
    assert live.watchdog(steps=10).look() == ()


def test_who_asked_is_told_once_of_each_alarm() -> None:
    told: list[Alarm] = []
    _, _, live = bound(kw.nn.KANLinear(2, 1))
    dog = live.watchdog(tell=told.append)
    live.log(loss=math.nan)
    dog.look()
    live.log(loss=math.nan)
    dog.look()
    assert kinds(tuple(told)) == [("loss", "loss")]
    live.log(loss=1.0)
    assert dog.look() == ()
    live.log(loss=math.nan)
    dog.look()
    assert len(told) == 2


def test_it_looks_by_itself() -> None:
    heard = threading.Event()
    model, _, live = bound(kw.nn.KANLinear(2, 1))
    live.watchdog(tell=lambda alarm: heard.set())
    live.log(loss=math.nan)
    assert heard.wait(20), model
    assert kinds(live.watchdog.alarms) == [("loss", "loss")]


def test_a_lower_rate_can_be_undone() -> None:
    _, optimizer, live = bound(kw.nn.KANLinear(2, 1), lr=0.5)
    live.log(loss=math.nan)
    live.watchdog().look()
    live.watchdog.cure("loss loss")
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.05)
    assert live.feed.notices["cured"] == {
        "text": "The learning rate was lowered from 0.5 to 0.05.",
        "undo": True,
    }
    live.watchdog.undo()
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert live.feed.notices["cured"] is None


def test_a_grid_update_can_be_undone_to_the_bit() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1))
    optimizer = torch.optim.AdamW(model.parameters())
    live = kw.bind(model, optimizer, every=1)
    batch = torch.rand(50, 2) * 4 + 2
    train(model, optimizer, live, batch, 3)
    live.observe(batch)
    live.watchdog().look()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = optimizer.state[model[0].spline_weight]["exp_avg"].clone()
    basis = model[0].basis
    live.watchdog.cure("outside 0")
    assert model[0].basis.grid_range[0] > 1
    assert live.frame.layout.layer("0").domain[0] > 1
    live.watchdog.undo()
    assert model[0].basis is basis
    assert torch.equal(optimizer.state[model[0].spline_weight]["exp_avg"], state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert live.frame.layout.layer("0").domain == (-1, 1)
    assert [mark.text for mark in live.scalars.marks] == ["grid updated", "grid as before"]


def test_what_cannot_be_cured_from_here_says_what_to_do() -> None:
    model, _, live = bound(kw.nn.KANLinear(2, 1))
    with torch.no_grad():
        model[0].spline_weight.fill_(math.nan)
    live.refresh()
    live.watchdog().look()
    with pytest.raises(ValueError, match="load the last checkpoint"):
        live.watchdog.cure("not finite 0")
    with pytest.raises(ValueError, match="the alarms now are: 'not finite 0'"):
        live.watchdog.cure("loss loss")
    with pytest.raises(ValueError, match="nothing was done"):
        live.watchdog.undo()


@pytest.mark.parametrize(
    ("limits", "error", "words"),
    [
        ({"outside": 2}, ValueError, "outside=2: expected a number from 0 to 1"),
        ({"dead": "x"}, TypeError, "dead='x': expected a number"),
        ({"exploding": 1}, ValueError, "exploding=1: expected a finite number > 1"),
        ({"steps": 0}, ValueError, "steps=0: expected a whole number ≥ 1"),
        ({"steps": 1.5}, TypeError, "steps=1.5: expected a whole number"),
        ({"tell": "print"}, TypeError, "tell='print': expected a function"),
    ],
)
def test_limits_out_of_range_are_refused(
    limits: dict[str, Any], error: type[Exception], words: str
) -> None:
    _, _, live = bound(kw.nn.KANLinear(2, 1))
    before = live.watchdog(steps=7).limits
    with pytest.raises(error, match=words):
        live.watchdog(**limits)
    assert live.watchdog.limits == before


def test_a_later_binding_goes_by_the_limits_of_the_earlier() -> None:
    model, optimizer, live = bound(kw.nn.KANLinear(2, 1))
    told: list[Alarm] = []
    live.watchdog(steps=7, tell=told.append)
    later = kw.bind(model, optimizer)
    later.log(loss=math.nan)
    later.watchdog.look()
    assert later.watchdog.limits.steps == 7
    assert len(told) == 1


def test_a_watchdog_that_fails_is_said_once_and_leaves_the_binding_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, optimizer, live = bound(kw.nn.KANLinear(2, 1))
    monkeypatch.setattr(live.watchdog, "_model", None)  # what it reads raises
    with pytest.warns(RuntimeWarning, match="the watchdog looks no more") as said:
        train(model, optimizer, live, torch.rand(3, 2), 3)
    assert len(said) == 1
    assert live.feed.is_open
    assert live.stats.steps == 3


def test_training_is_the_same_to_the_bit_with_and_without_it() -> None:
    def trained(guarded: bool) -> list[Tensor]:
        torch.manual_seed(3)
        model = kw.nn.KANCNN.article()
        optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
        images, labels = torch.rand(8, 1, 28, 28), torch.arange(8)
        live = kw.bind(model, optimizer, every=1, max_fps=1e6) if guarded else None
        for _ in range(6):
            optimizer.zero_grad()
            cross_entropy(model(images), labels).backward()
            optimizer.step()
            if live is not None:
                live.watchdog._in_steps.is_open = lambda now: True  # type: ignore[method-assign]
                live.watchdog(steps=2).look()
        return [p.detach().clone() for p in model.parameters()] + [torch.rand(1)]

    assert all(map(torch.equal, trained(True), trained(False)))
