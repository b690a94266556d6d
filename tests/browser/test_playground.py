"""The playground, opened from disk in a real Chromium with no network at all."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page
from torch import nn

import kan_widgets as kw
from tests.browser.lab import until_on

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Give what opens a page of its own; it may ask for nothing, and complain of nothing."""
    opened: list[Page] = []
    faults: list[str] = []

    def open_(file: Path, hash: str = "", *, width: int = 1366) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800})
        context.set_offline(True)
        page = context.new_page()
        opened.append(page)
        page.on("pageerror", lambda error: faults.append(f"uncaught: {error}"))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        ours = (file.as_uri(), "blob:null/", "data:")
        page.on(
            "request",
            lambda request: None if request.url.startswith(ours) else faults.append(request.url),
        )
        page.goto(file.as_uri() + hash)
        return page

    yield open_
    for page in opened:
        page.context.close()
    assert faults == []


def network_of(page: Page, expression: str) -> Any:
    """Ask the diagram for what it exports for tests."""
    return page.evaluate(f"document.querySelector('.kw-network-view')?.kwView.{expression}")


def test_another_librarys_model_is_looked_at_drawn_on_and_wound_back(
    open_page: Open, tmp_path: Path
) -> None:
    from convkan import ConvKAN  # type: ignore[import-untyped]

    torch.manual_seed(0)
    layers = [ConvKAN(1, 2, 3), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(72, 10)]
    model = nn.Sequential(*layers, nn.LogSoftmax(-1)).eval()
    live = kw.bind(model, every=1)
    first = copy.deepcopy(model)
    for _ in range(3):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        live.step()
        live.refresh()
    page = open_page(kw.playground(model, tmp_path / "page.html"))
    until_on(page, lambda: network_of(page, "scene()?.diagram.scores"), "the network's answer")
    said = "The network does not train in this page: it has “ConvKAN 3×3”, and a page trains KAN layers"
    assert said in page.locator("#kw-untrained").inner_text()
    assert page.locator("#kw-bar").count() == 0

    at = network_of(page, "at('x:-1')")
    page.mouse.click(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    until_on(page, lambda: network_of(page, "scene().diagram.settings.example") == -1, "a pad")
    network_of(page, "drawLine([[14, 4], [14, 24]])")
    title = page.locator(".kw-network-view")
    until_on(page, lambda: "your drawing: predicted" in title.inner_text(), "what it says of it")

    def off(one: nn.Module) -> float:
        """How far what the page says of the drawing is from what a model does."""
        pixels = network_of(page, "scene().diagram.flow.values[0].join()")
        drawn = torch.tensor([float(pixel) for pixel in pixels.split(",")])
        assert drawn.max() == 1
        with torch.no_grad():
            wanted = one(drawn.reshape(1, 1, 28, 28))[0]
        return float(
            (torch.tensor(network_of(page, "scene().diagram.scores.raw")) - wanted).abs().max()
        )

    assert off(model) < 1e-3
    page.get_by_role("slider").first.focus()
    page.keyboard.press("Home")
    until_on(page, lambda: network_of(page, "scene().diagram.frame.step") == 0, "the first step")
    until_on(page, lambda: off(first) < 1e-3, "the answer of the first step")
    live.close()
