"""Steps of optimizers that nobody has bound: a training goes on that is not counted."""

from __future__ import annotations

import weakref
from typing import Protocol

from torch import nn
from torch.optim import Optimizer

# Between two steps of the bound optimizer another one, of other parameters, may make some.
_MANY = 10


class Trained(Protocol):
    """A binding."""

    @property
    def model(self) -> nn.Module | None:
        """The model, while it exists."""

    @property
    def optimizer(self) -> Optimizer | None:
        """The bound optimizer, while it exists."""

    def tell_training(self) -> None:
        """Tell the views that something about the training changed."""


class Uncounted:
    """Steps that were made since the last one that was counted."""

    def __init__(self) -> None:
        self.steps = 0
        self._by = ""
        self._trains: weakref.WeakKeyDictionary[Optimizer, bool]
        self._trains = weakref.WeakKeyDictionary()

    @property
    def words(self) -> str:
        """Say how many, if there are too many to be of a second optimizer; else empty."""
        if self.steps < _MANY:
            return ""
        return f"{self.steps:,} steps not counted, made by {self._by}, which is not bound"

    def note(self, binding: Trained, optimizer: Optimizer) -> None:
        """Note a step of an optimizer that is not bound; in the thread that trains."""
        trains = self._trains.get(optimizer)
        if trains is None:
            model = binding.model
            own = set() if model is None else {id(each) for each in model.parameters()}
            groups = optimizer.param_groups
            trains = any(id(each) in own for group in groups for each in group["params"])
            self._trains[optimizer] = trains
        if trains:
            self.steps += 1
            bound, kind = binding.optimizer, type(optimizer)
            self._by = f"another {kind.__name__}" if type(bound) is kind else kind.__name__
            if self.steps >= _MANY:
                binding.tell_training()
