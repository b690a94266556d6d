"""A network and data small enough to train in no time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    x = torch.rand(count, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return TensorDataset(x, (x**2).sum(1, keepdim=True))


def loader(count: int = 64, batch: int = 4) -> DataLoader[tuple[Tensor, ...]]:
    """Return the examples in batches, always in one order."""
    return DataLoader(examples(count), batch_size=batch)


def trained(send: Callable[[kw.Binding], Any], log: Callable[[int], Any] = id) -> nn.Module:
    """Train a network for six steps and send how; its first layer starts times 1 + steps."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 1.0)
    live = kw.bind(model, optimizer, every=2, max_fps=1e6)
    sending = send(live)
    for made in range(6):
        for parameter in model[0].parameters():
            parameter.grad = -parameter.detach() / (1 + made)
        optimizer.step()
        log(made)
        live.refresh()  # the throttle would leave some out
    sending.close()
    live.close()
    return model


def same(one: nn.Module, other: nn.Module) -> bool:
    """Whether two models have the same parameters, to the last bit."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)
