"""A network and data small enough to train in no time."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import kan_widgets as kw


def network() -> nn.Sequential:
    """Return a network that is always the same at first."""
    torch.manual_seed(0)
    return nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1))


def examples(count: int = 64) -> TensorDataset:
    """Return inputs and what to make of them."""
    x = torch.linspace(-1, 1, 2 * count).reshape(count, 2)
    return TensorDataset(x, (x**2).sum(1, keepdim=True))


def loader(count: int = 64, batch: int = 4) -> DataLoader[tuple[Tensor, ...]]:
    """Return the examples in batches, always in one order."""
    return DataLoader(examples(count), batch_size=batch)


def same(one: nn.Module, other: nn.Module) -> bool:
    """Whether two models have the same parameters, to the last bit."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)
