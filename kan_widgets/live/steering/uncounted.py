"""Steps of an optimizer that is not bound, which nobody counts."""

from __future__ import annotations

import weakref

from torch import nn
from torch.optim import Optimizer

from kan_widgets.nn.life.torch_optimizer import holds_any

# Between two steps of the bound optimizer another one, of other parameters, may make some.
_MAX_FOREIGN_STEPS = 10


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
        if self.steps < _MAX_FOREIGN_STEPS:
            return ""
        return f"{self.steps:,} steps not counted, made by {self._by}, which is not bound"

    def note(self, optimizer: Optimizer, model: nn.Module | None, bound: Optimizer | None) -> bool:
        """Note a step of an optimizer that is not bound; whether they are too many by now."""
        trains = self._trains.get(optimizer)
        if trains is None:
            trains = model is not None and holds_any(optimizer, model.parameters())
            self._trains[optimizer] = trains
        if trains:
            self.steps += 1
            kind = type(optimizer)
            self._by = f"another {kind.__name__}" if type(bound) is kind else kind.__name__
        return trains and self.steps >= _MAX_FOREIGN_STEPS
