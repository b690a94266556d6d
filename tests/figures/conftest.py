"""What the tests of figures share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from ipywidgets import Widget

import kan_widgets as kw


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """Close what a test leaves open."""
    yield
    Widget.close_all()


@pytest.fixture
def model() -> torch.nn.Module:
    torch.manual_seed(0)
    return kw.nn.KANCNN(channels=(2, 3))


@pytest.fixture
def optimizer(model: torch.nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), 0.1)


@pytest.fixture
def live(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> kw.Binding:
    return kw.bind(model, optimizer, every=1)


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], None]:
    def wait(condition: Callable[[], Any]) -> None:
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end, "did not happen in 20 s"
            time.sleep(0.01)

    return wait


@pytest.fixture
def click() -> Callable[..., None]:
    """Have a page click on an element of a mark, as a message of its comm."""

    def clicked(mark: Any, index: int | None = None) -> None:
        data = None if index is None else {"index": index, "x": 0, "y": 0}
        content = {"event": "element_click", "data": data}
        mark._handle_msg(
            {"content": {"data": {"method": "custom", "content": content}}, "buffers": []}
        )

    return clicked


@pytest.fixture
def step(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> Callable[[], None]:
    """Train one step."""

    def train() -> None:
        optimizer.zero_grad()
        model(torch.rand(2, 1, 28, 28)).square().mean().backward()
        optimizer.step()

    return train
