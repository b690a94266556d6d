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
    assert live.optimizer is optimizer
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
    assert live.optimizer is outer
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
        (lambda o: StepLR(o, 1), "got a learning rate scheduler: give scheduler.optimizer"),
        (
            lambda o: SimpleNamespace(get_last_lr=list, step=list, optimizers=[o]),
            "got a learning rate scheduler: give the optimizer whose rate it sets",
        ),
        (lambda o: torch.amp.GradScaler("cpu"), "give the one that scaler.step(...) is given"),
        (lambda o: SimpleNamespace(trained_by=o), "its attribute .trained_by holds one: give that"),
        (lambda o: SimpleNamespace(opt=LikeFastai(o)), "its attribute .opt holds one: give that"),
        (lambda o: SimpleNamespace(step=list, inner=o), "its attribute .inner holds one"),
        (lambda o: [o], "expected one optimizer"),
        (type, "got a class: make one of it with model.parameters()"),
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
