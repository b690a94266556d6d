"""Notice steps of optimizers that nobody has bound: a training goes on that is not counted.

torch calls one hook after each step of whichever optimizer. It is placed with the first binding of
the process and stays: torch iterates over such hooks, and one that is removed meanwhile would raise
in a training loop.
"""

from __future__ import annotations

import threading
import weakref
from typing import Any, Protocol

from torch import nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

from kan_widgets.live.watching import quiet
from kan_widgets.live.watching.steps import wait_until_outside

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
        """Note a step of whichever optimizer; in the thread that trains."""
        if (bound := binding.optimizer) is optimizer:
            return
        trains = self._trains.get(optimizer)
        if trains is None:
            model = binding.model
            own = set() if model is None else {id(each) for each in model.parameters()}
            groups = optimizer.param_groups
            trains = any(id(each) in own for group in groups for each in group["params"])
            self._trains[optimizer] = trains
        if trains:
            self.steps += 1
            kind = type(optimizer)
            self._by = f"another {kind.__name__}" if type(bound) is kind else kind.__name__
            if self.steps >= _MANY:
                binding.tell_training()


_placing = threading.Lock()
_is_placed = False


def listen() -> None:
    """Have the steps of all optimizers noted from now on."""
    global _is_placed
    # A thread that is inside a step may be at the hooks: then the next binding places it.
    if not _is_placed and wait_until_outside():
        with _placing:
            if not _is_placed:
                register_optimizer_step_post_hook(_stepped)
                _is_placed = True


def _stepped(optimizer: Optimizer, *_: Any) -> None:
    for binding in quiet.all_watched():
        binding.uncounted.note(binding, optimizer)
