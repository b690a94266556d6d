"""A network and data small enough to train in no time."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import kan_widgets as kw
from kan_widgets.live.recordings.recorder import open_recorders

PAGE = Path(__file__).parents[2] / "docs" / "integrations.md"


def documented(heading: str) -> str:
    """Return the example that the documentation has under a heading, with what all begin with."""
    found = re.findall(r"^#+ (.*?)$|^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    blocks, under = {}, ""
    for name, code in found:
        under = name or under
        if code:
            blocks[under] = code
    return blocks["Trainers and trackers"] + blocks[heading]


def run_documented(heading: str) -> dict[str, Any]:
    """Run the example that the documentation has under a heading; return what it has made."""
    torch.manual_seed(0)
    made: dict[str, Any] = {}
    exec(compile(documented(heading), heading, "exec"), made)
    return made


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


def trained(send: Callable[[kw.Binding], Any]) -> nn.Module:
    """Train a network for six steps and send how; its first layer starts times 1 + steps."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 1.0)
    live = kw.bind(model, optimizer, every=2, max_fps=1e6)
    sending = send(live)
    for made in range(6):
        for parameter in model[0].parameters():
            parameter.grad = -parameter.detach() / (1 + made)
        optimizer.step()
        live.refresh()  # the throttle would leave some out
    sending.close()
    live.close()
    return model


def closed(live: kw.Binding) -> None:
    """Close a binding, and what records it."""
    for recorder in list(open_recorders.values()):
        recorder.close()
    live.close()


def same(one: nn.Module, other: nn.Module) -> bool:
    """Whether two models have the same parameters, to the last bit."""
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)
