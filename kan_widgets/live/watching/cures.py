"""What a panel can do against an alarm between two steps, and take back."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from kan_widgets.live.model.model import BoundModel
from kan_widgets.live.steering.alarms import Alarm
from kan_widgets.live.steering.training import Training
from kan_widgets.nn.core import LayerCore
from kan_widgets.nn.life import changes
from kan_widgets.nn.life.whole_models import update_grid
from kan_widgets.nn.ungraded import ungraded

BUTTONS = {"rate": "Learning rate ÷ 10", "grid": "Update the grid"}
"""What each cure is called."""


@dataclass(frozen=True)
class Cured:
    """What was done against an alarm."""

    what: str
    """In a sentence."""
    undo: Callable[[], None]


class Cures:
    """What was done against alarms of a training, the last first to be undone.

    ``tell`` is called when something was done, or could not be.
    """

    def __init__(self, model: BoundModel, training: Training, tell: Callable[[], object]) -> None:
        self._model, self._training, self._tell = model, training, weakref.WeakMethod(tell)
        self.done: tuple[Cured, ...] = ()
        """What can be undone, the last first to go."""
        self.message = ""
        """Why the last cure could not be; else empty."""
        self._kept: list[_Kept] = []
        self._lock = threading.Lock()

    def apply(self, alarm: Alarm) -> None:
        """Do what an alarm's button says, between two steps.

        Raises `ValueError` if there is no button on it, `RuntimeError` if there is no optimizer, or
        no batch to go by.
        """
        self.message = ""
        if alarm.button == "rate":
            before = self._training.learning_rates
            if not before:
                raise RuntimeError(
                    "no optimizer is bound: bind(model, optimizer) to lower its rate"
                )
            self._training.set_learning_rate(before[0] / 10)
            what = f"The learning rate was lowered from {before[0]:.3g} to {before[0] / 10:.3g}."
            self._add(Cured(what, lambda: self._set_rates(before)))
        elif alarm.button == "grid":
            if self._model.last_inputs is None:
                raise RuntimeError(
                    "no batch has been seen, so nothing tells where the inputs are: call "
                    "live.observe(batch), or loop over live.track(loader)"
                )
            self._model.between.want(self._update_grid)
        else:
            raise ValueError(f"{alarm.what} Nothing can be done about it from here. {alarm.cure}")

    def undo(self) -> None:
        """Take the last cure back, between two steps; see `Watchdog.undo`."""
        with self._lock:
            if not self.done:
                raise ValueError("nothing was done that could be undone")
            *rest, last = self.done
            self.done = tuple(rest)
        last.undo()
        self._say()

    def _add(self, cured: Cured) -> None:
        with self._lock:
            self.done = (*self.done, cured)
        self._say()

    def _say(self) -> None:
        if (tell := self._tell()) is not None:
            tell()

    def _set_rates(self, rates: list[float]) -> None:
        for group, rate in enumerate(rates):
            self._training.set_learning_rate(rate, group)

    def _update_grid(self, at_rest: bool) -> None:
        """Move all knots to the inputs seen last; called where that harms no training."""
        model, inputs, training = self._model.module, self._model.last_inputs, self._training
        if model is None or inputs is None:
            return
        optimizer = training.optimizer
        kept = [_Kept.of(layer, optimizer) for layer in model.modules() if _has_splines(layer)]
        try:
            device = next(model.parameters()).device
            update_grid(model, inputs.to(device), optimizer=optimizer)
        except Exception as error:
            self.message = f"The grid was not updated: {error}"
            self._say()
            return
        step = training.steps
        training.scalars.mark(step, "grid updated")
        self._add(
            Cured(
                f"The grids were moved to the inputs at step {step:,}; undoing it brings back the "
                "knots and the splines as they were before.",
                lambda: self._bring_back(kept),
            )
        )

    def _bring_back(self, kept: list[_Kept]) -> None:
        self._kept = kept
        self._model.between.want(self._restore)

    def _restore(self, at_rest: bool) -> None:
        kept, self._kept = self._kept, []
        optimizer = self._training.optimizer
        for each in kept:
            each.restore(optimizer)
        changes.tell([each.layer for each in kept])
        self._training.scalars.mark(self._training.steps, "grid as before")


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
