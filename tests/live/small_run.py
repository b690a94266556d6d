"""A small model with what trains it, for the tests of recordings."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

import kan_widgets as kw


class SmallRun:
    """A bound model; each step is logged, and shown."""

    def __init__(
        self, model: nn.Module, x: Tensor, optimizer: torch.optim.Optimizer, **options: Any
    ) -> None:
        self.model, self.x, self.optimizer = model, x, optimizer
        self.live = kw.bind(model, optimizer, **options)

    def train(self, steps: int) -> None:
        for _ in range(steps):
            self.optimizer.zero_grad()
            loss = self.model(self.x).square().mean()
            loss.backward()
            self.optimizer.step()
            self.live.log(loss=loss)
            self.live.refresh()
