"""What a panel can do against an alarm between two steps, and take back."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import nn
from torch.optim import Optimizer

from kan_widgets.live.stationary import Stationary
from kan_widgets.live.steering.alarms import Alarm
from kan_widgets.live.steering.training import Training
from kan_widgets.nn.core import LayerCore
from kan_widgets.nn.life import changes
from kan_widgets.nn.life.whole_models import update_grid
from kan_widgets.nn.ungraded import ungraded

BUTTONS = {"rate": "Learning rate ÷ 10", "grid": "Update the grid"}
"""What each cure is called."""


class Errands(Protocol):
    """Does what needs the model when that harms no training."""

    def want(self, errand: Callable[[bool], object]) -> bool:
        """Do it now or later; return whether it was done."""


class Curable(Protocol):
    """A training that can be cured: a binding."""

    @property
    def errands(self) -> Errands:
        """Does what needs the model."""

    @property
    def model(self) -> nn.Module | None:
        """The model, while it exists."""

    @property
    def optimizer(self) -> Optimizer | None:
        """The optimizer, while it exists."""

    @property
    def training(self) -> Training:
        """The training."""

    @property
    def steps(self) -> int:
        """Steps counted so far."""

    @property
    def learning_rates(self) -> list[float]:
        """Of each parameter group."""

    @property
    def last_inputs(self) -> torch.Tensor | None:
        """Inputs of the model that were seen last."""

    def set_learning_rate(self, value: float, group: int | None = None) -> None:
        """Change a rate between two steps."""

    def mark(self, text: str) -> None:
        """Mark this step on the curves."""

    def tell_training(self) -> None:
        """Tell the views that something changed."""


@dataclass(frozen=True)
class Cured:
    """What was done against an alarm."""

    what: str
    """In a sentence."""
    undo: Callable[[], None]


class Cures(Stationary):
    """What was done against alarms, the last first to be undone. Reached as ``live.cures``."""

    def __init__(self, binding: Curable) -> None:
        self._of = weakref.ref(binding)
        self._done: tuple[Cured, ...] = ()
        self._alarm: Alarm | None = None
        self._kept: list[_Kept] = []
        self._message = ""
        self._lock = threading.Lock()

    @property
    def _binding(self) -> Curable:
        if (binding := self._of()) is None:
            raise RuntimeError("the model of these cures is gone")
        return binding

    @property
    def done(self) -> tuple[Cured, ...]:
        """What can be undone, the last first to go."""
        return self._done

    @property
    def message(self) -> str:
        """Why the last cure could not be; else empty."""
        return self._message

    def apply(self, alarm: Alarm) -> None:
        """Do what an alarm's button says, between two steps.

        Raises
        ------
        ValueError
            If there is no button on it.
        RuntimeError
            If there is no optimizer, or no batch to go by.
        """
        binding, self._message = self._binding, ""
        if alarm.button == "rate":
            before = binding.learning_rates
            if not before:
                raise RuntimeError(
                    "no optimizer is bound: bind(model, optimizer) to lower its rate"
                )
            binding.set_learning_rate(before[0] / 10)
            what = f"The learning rate was lowered from {before[0]:.3g} to {before[0] / 10:.3g}."
            self._add(Cured(what, lambda: self._set_rates(before)))
        elif alarm.button == "grid":
            if binding.last_inputs is None:
                raise RuntimeError(
                    "no batch has been seen, so nothing tells where the inputs are: call "
                    "live.observe(batch), or loop over live.track(loader)"
                )
            binding.errands.want(self._update_grid)
        else:
            raise ValueError(f"{alarm.what} Nothing can be done about it from here. {alarm.cure}")

    def undo(self) -> None:
        """Take the last cure back, between two steps.

        Of a grid update: knots and coefficients of all splines become what they were before it.

        Raises
        ------
        ValueError
            If there is none.
        """
        with self._lock:
            if not self._done:
                raise ValueError("nothing was done that could be undone")
            *rest, last = self._done
            self._done = tuple(rest)
        last.undo()
        self._binding.tell_training()

    def _add(self, cured: Cured) -> None:
        with self._lock:
            self._done = (*self._done, cured)
        self._binding.tell_training()

    def _set_rates(self, rates: list[float]) -> None:
        for group, rate in enumerate(rates):
            self._binding.set_learning_rate(rate, group)

    def _update_grid(self, at_rest: bool) -> None:
        """Move all knots to the inputs seen last; called where that harms no training."""
        binding = self._binding
        model, inputs = binding.model, binding.last_inputs
        if model is None or inputs is None:
            return
        optimizer = binding.optimizer
        kept = [_Kept.of(layer, optimizer) for layer in model.modules() if _has_splines(layer)]
        try:
            device = next(model.parameters()).device
            update_grid(model, inputs.to(device), optimizer=optimizer)
        except Exception as error:
            self._message = f"The grid was not updated: {error}"
            binding.tell_training()
            return
        binding.mark("grid updated")
        step = binding.steps
        self._add(
            Cured(
                f"The grids were moved to the inputs at step {step:,}; undoing it brings back the "
                "knots and the splines as they were before.",
                lambda: self._bring_back(kept),
            )
        )

    def _bring_back(self, kept: list[_Kept]) -> None:
        self._kept = kept
        self._binding.errands.want(self._restore)

    def _restore(self, at_rest: bool) -> None:
        kept, self._kept = self._kept, []
        optimizer = self._binding.optimizer
        for each in kept:
            each.restore(optimizer)
        changes.tell([each.layer for each in kept])
        self._binding.mark("grid as before")


def _has_splines(module: nn.Module) -> bool:
    return isinstance(module, LayerCore) and bool(getattr(module.basis, "knots", ()))


@dataclass(frozen=True)
class _Kept:
    """A layer's splines as they were, with what the optimizer knew of them."""

    layer: Any
    basis: Any
    weight: torch.Tensor
    state: Any

    @classmethod
    def of(cls, layer: Any, optimizer: Optimizer | None) -> _Kept:
        weight = layer.spline_weight
        state = None if optimizer is None else deepcopy(optimizer.state.get(weight))
        return cls(layer, layer.basis, weight.detach().clone(), state)

    @ungraded
    def restore(self, optimizer: Optimizer | None) -> None:
        with changes.together:
            self.layer.spline_weight.copy_(self.weight)
            self.layer.basis = self.basis
        if optimizer is not None and self.state is not None:
            optimizer.state[self.layer.spline_weight] = deepcopy(self.state)
