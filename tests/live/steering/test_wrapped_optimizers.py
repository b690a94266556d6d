"""Training libraries hand out something in an optimizer's place: its steps are counted as well."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import StepLR
from torch.optim.swa_utils import SWALR, AveragedModel

import kan_widgets as kw


class LikeAccelerate(torch.optim.Optimizer):
    """An optimizer by its class, never set up as one."""

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer

    @property
    def param_groups(self) -> Any:
        return self.optimizer.param_groups

    @property
    def state(self) -> Any:
        return self.optimizer.state

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.optimizer.zero_grad(set_to_none)

    def step(self, closure: Any = None) -> Any:
        return self.optimizer.step(closure)


class LikeFastai:
    def __init__(self, optimizer: Any) -> None:
        self.opt = optimizer

    def zero_grad(self, **how: Any) -> None:
        self.opt.zero_grad(**how)

    def step(self) -> None:
        self.opt.step()


class LikeLightning:
    """Takes on the class and the attributes of what it wraps, its hooks among them."""

    def __init__(self, optimizer: Any) -> None:
        self.__dict__ = {k: v for k, v in vars(optimizer).items() if k != "step"}
        self.__class__ = type("Lightning", (LikeLightning, type(optimizer)), {})  # type: ignore[assignment]
        self._optimizer = optimizer

    def step(self, closure: Any = None) -> Any:
        return self._optimizer.step(closure)


class Lookahead(torch.optim.Optimizer):
    """A real optimizer with another one inside: its own steps count."""

    def __init__(self, optimizer: Any) -> None:
        super().__init__(optimizer.param_groups, {})
        self.optimizer = optimizer

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for _ in range(2):
            self.optimizer.step(closure)


def trained(wrap: Callable[[Any], Any]) -> tuple[nn.Module, Any, Any]:
    torch.manual_seed(0)
    model = kw.nn.KANLinear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return model, optimizer, wrap(optimizer)


def train(model: nn.Module, optimizer: Any, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.ones(4, 3)).square().sum().backward()
        optimizer.step()


WRAPPERS = [
    LikeAccelerate,
    LikeFastai,
    LikeLightning,
    lambda optimizer: LikeFastai(LikeAccelerate(optimizer)),
    lambda optimizer: LikeAccelerate(LikeLightning(optimizer)),
]


@pytest.mark.parametrize("wrap", WRAPPERS)
def test_the_steps_of_a_wrapped_optimizer_are_counted_once_each(
    wrap: Callable[[Any], Any],
) -> None:
    model, optimizer, wrapped = trained(wrap)
    live = kw.bind(model, wrapped, every=1)
    train(model, wrapped, 3)
    assert live.stats.steps == 3
    assert live.feed.training.optimizer is optimizer
    again = kw.bind(model, optimizer, every=1)
    train(model, wrapped, 2)
    assert again.stats.steps == 5
    live.close()
    again.close()
    assert not optimizer._optimizer_step_pre_hooks


@pytest.mark.parametrize("wrap", WRAPPERS[:2])
def test_what_a_wrapped_optimizer_remembers_of_refined_functions_is_dropped(
    wrap: Callable[[Any], Any],
) -> None:
    model, optimizer, wrapped = trained(wrap)
    train(model, wrapped, 1)
    assert model.spline_weight in optimizer.state
    kw.nn.refine(model, 8, optimizer=wrapped)
    assert model.spline_weight not in optimizer.state


def test_fit_trains_with_a_wrapped_optimizer_and_keeps_its_binding() -> None:
    model, _, wrapped = trained(LikeFastai)
    live = kw.bind(model, wrapped, every=1)
    batches = [(torch.ones(4, 3), torch.zeros(4, 2))] * 3
    kw.fit(model, batches, wrapped, nn.functional.mse_loss)
    assert live.state != "closed"
    assert live.stats.steps == 3


def test_the_steps_of_an_optimizer_that_makes_several_of_another_are_its_own() -> None:
    model, _, outer = trained(Lookahead)
    live = kw.bind(model, outer, every=1)
    assert live.feed.training.optimizer is outer
    train(model, outer, 3)
    assert live.stats.steps == 3


class Endless:
    def step(self) -> None: ...

    @property
    def optimizer(self) -> Endless:
        return Endless()


@pytest.mark.parametrize(
    ("wrap", "words"),
    [
        (lambda o: StepLR(o, 1), "not a learning rate scheduler: give scheduler.optimizer"),
        (
            lambda o: SimpleNamespace(get_last_lr=list, step=list, optimizers=[o]),
            "not a learning rate scheduler: give the optimizer whose rate it sets",
        ),
        (lambda o: torch.amp.GradScaler("cpu"), "give the one that scaler.step(...) is given"),
        (lambda o: SimpleNamespace(trained_by=o), "its attribute .trained_by holds one: give that"),
        (lambda o: SimpleNamespace(opt=LikeFastai(o)), "its attribute .opt holds one: give that"),
        (lambda o: SimpleNamespace(step=list, inner=o), "its attribute .inner holds one"),
        (lambda o: [o], "expected one optimizer"),
        (type, "not a class: make one of it with model.parameters()"),
        (lambda o: Endless(), "expected a torch.optim.Optimizer, or what wraps one"),
        (lambda o: 0.1, "optimizer=0.1: expected a torch.optim.Optimizer"),
    ],
)
def test_what_is_no_optimizer_is_refused_with_what_to_give(
    wrap: Callable[[Any], Any], words: str
) -> None:
    model, optimizer, wrong = trained(wrap)
    with pytest.raises(TypeError, match=re.escape(words)):
        kw.bind(model, wrong)
    assert not optimizer._optimizer_step_pre_hooks


def test_the_steps_that_a_gradient_scaler_lets_through_are_counted() -> None:
    model, optimizer, _ = trained(LikeFastai)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    live = kw.bind(model, optimizer, every=1)
    for number in range(4):
        optimizer.zero_grad()
        loss = model(torch.ones(4, 3)).square().sum() * (torch.inf if number == 2 else 1)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    assert live.stats.steps == 3


class DeepSpeedEngine(nn.Module):
    """Holds model and optimizer as the engine of that name does."""

    def __init__(self, model: nn.Module, optimizer: Any) -> None:
        super().__init__()
        self.module = model
        self.optimizer = LikeFastai(optimizer)  # as ZeRO does, one more around it
        self.optimizer.optimizer = optimizer  # type: ignore[attr-defined]

    def forward(self, x: torch.Tensor) -> Any:
        return self.module(x)

    def step(self) -> None:
        self.optimizer.step()


@pytest.mark.parametrize("given", ["engine", "its optimizer"])
def test_an_engine_is_bound_as_model_and_as_optimizer(given: str) -> None:
    model, optimizer, _ = trained(LikeFastai)
    engine = DeepSpeedEngine(model, optimizer)
    live = kw.bind(engine, engine if given == "engine" else engine.optimizer, every=1)
    for _ in range(3):
        engine(torch.ones(4, 3)).square().sum().backward()
        engine.step()
    assert live.model is model
    assert live.feed.training.optimizer is optimizer
    assert live.stats.steps == 3
    assert live.layers == kw.bind(model).layers


def test_of_an_averaged_model_the_averages_are_shown() -> None:
    model, optimizer, _ = trained(LikeFastai)
    averaged = AveragedModel(model)
    live = kw.bind(averaged, optimizer, every=1)
    seen = []
    for _ in range(3):
        train(model, optimizer, 1)
        averaged.update_parameters(model)
        seen.append(model.coefficients().detach().clone())
    assert live.stats.steps == 3
    shown = torch.from_numpy(live.refresh().coefficients("KANLinear").copy())[:, :, 0, 0]
    torch.testing.assert_close(shown, torch.stack(seen).mean(0))
    with pytest.raises(TypeError, match=r"learning rate scheduler: give scheduler\.optimizer"):
        kw.bind(model, SWALR(optimizer, 0.1))


def test_a_binding_goes_on_with_another_optimizer() -> None:
    model, first, _ = trained(LikeFastai)
    live = kw.bind(model, first, every=1, max_fps=1e6)
    train(model, first, 2)
    second = torch.optim.Adam(model.parameters(), 0.3)
    live.log(loss=1.0)
    live.train_with(LikeFastai(second))
    assert not first._optimizer_step_pre_hooks
    train(model, second, 3)
    train(model, first, 1)  # is no step of this training any more
    assert live.stats.steps == 5
    assert live.feed.training.optimizer is second
    assert live.feed.learning_rates == [0.3]
    assert live.history[0].step == 0
    assert live.scalars.names == ("loss",)
    live.train_with(second)
    train(model, second, 1)
    assert live.stats.steps == 6
    other = torch.optim.SGD(kw.nn.KANLinear(3, 2).parameters(), 0.1)
    with pytest.raises(ValueError, match="the optimizer holds none of the parameters"):
        live.train_with(other)
    with pytest.raises(TypeError, match=r"expected a torch\.optim\.Optimizer"):
        live.train_with(0.1)  # type: ignore[arg-type]
    train(model, second, 1)
    assert live.stats.steps == 7
    live.close()
    assert not second._optimizer_step_pre_hooks
    with pytest.raises(RuntimeError, match="this binding is closed"):
        live.train_with(first)


def test_a_binding_without_an_optimizer_goes_on_with_one() -> None:
    model, optimizer, _ = trained(LikeFastai)
    live = kw.bind(model)
    live.step()
    live.train_with(optimizer)
    train(model, optimizer, 2)
    assert live.stats.steps == 3
    with pytest.raises(RuntimeError, match="the bound optimizer counts the steps"):
        live.step()


def test_steps_that_were_made_before_are_counted_on() -> None:
    model, optimizer, _ = trained(LikeFastai)
    live = kw.bind(model, optimizer, every=1, steps=500)
    train(model, optimizer, 2)
    assert (live.history[0].step, live.stats.steps, live.refresh().step) == (500, 502, 502)
    again = kw.bind(model, optimizer, steps=7)
    assert again.stats.steps == 502, "it goes on"
    for wrong, error in ((-1, ValueError), (1.5, TypeError), (True, TypeError)):
        with pytest.raises(error, match=f"steps={wrong!r}: expected a whole number"):
            kw.bind(kw.nn.KANLinear(1, 1), steps=wrong)  # type: ignore[arg-type]
