"""A page in which a network trains, opened from disk in a real Chromium with no network at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, Page
from torch import nn

import kan_widgets as kw
from tests.browser.lab import until_on

pytestmark = pytest.mark.browser

WORKER = "blob:null/"


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    return kw.playground(path=tmp_path_factory.mktemp("playground") / "index.html", epochs=2)


@pytest.fixture
def page(browser: Browser, page_file: Path) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1366, "height": 720})
    faults: list[str] = []
    asked: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(page_file.as_uri())
    until_on(opened, lambda: opened.locator("[data-kw-part=run]").is_enabled(), "the page is ready")
    yield opened
    context.close()
    assert not faults
    others = [url for url in asked if not url.startswith((page_file.as_uri(), WORKER, "data:"))]
    assert not others


def step_of(page: Page) -> int:
    said = page.locator("[data-kw-part=said]").inner_text()
    found = re.search(r"step ([\d,]+) of", said)
    return int(found[1].replace(",", "")) if found else -1


def right(page: Page) -> float:
    """The percentage of the test digits that the page says are right."""
    found = re.match(r"([\d.]+) %", page.locator("[data-kw-part=score]").inner_text())
    return float(found[1]) if found else float("nan")


@pytest.mark.slow
def test_a_network_learns_digits_in_the_page(page: Page) -> None:
    assert right(page) < 40
    run = page.locator("[data-kw-part=run]")
    run.click()
    until_on(page, lambda: step_of(page) > 5, "some steps are made")
    assert run.inner_text() == "Pause"
    until_on(page, lambda: right(page) >= 90, "nine of ten are right", limit=240)
    run.click()
    until_on(page, lambda: run.inner_text() == "Train", "it waits")
    here = step_of(page)
    page.wait_for_timeout(300)
    assert step_of(page) == here
    # By the panel of the dashboard, too.
    page.keyboard.press("Escape")
    page.locator(".kw-dashboard").get_by_role("button", name="One step").first.click()
    until_on(page, lambda: step_of(page) == here + 1, "one more step is made")
    page.wait_for_timeout(1000)
    assert step_of(page) == here + 1

    assert "of 1,000 test digits right" in page.locator("[data-kw-part=score]").inner_text()

    # A function is changed by hand, and back.
    page.locator(".kw-segment-text", has_text="functions").first.click()
    page.locator(".kw-dashboard button", has_text="all controls").first.evaluate("it => it.click()")
    inspector = page.locator(".kw-spline-inspector")
    inside = "document.querySelector('.kw-spline-inspector').kwView.scene()"
    coefficients = f"Array.from({inside}?.picture.phi.coefficients ?? [])"
    until_on(page, lambda: page.evaluate(f"{coefficients}.some((each) => each !== 0)"), "a curve")
    known = page.evaluate(coefficients)
    inspector.get_by_role("button", name="zero", exact=True).click()
    until_on(page, lambda: not any(page.evaluate(coefficients)), "the function to be zero")
    score = page.locator("[data-kw-part=score]")
    until_on(page, lambda: score.inner_text().endswith(", edited"), "the score to say so")
    inspector.get_by_role("button", name="undo").click()
    until_on(page, lambda: page.evaluate(coefficients) == known, "the function as it was")
    until_on(page, lambda: "edited" not in score.inner_text(), "the score of the network alone")

    page.locator("#kw-play summary", has_text="more").click()
    page.locator("[data-kw-part=again]").click()
    until_on(page, lambda: 0 < step_of(page) < here, "it begins again")


@pytest.mark.parametrize(
    "make",
    [
        lambda: kw.nn.KANLinear(2, 1),
        lambda: nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1)),
    ],
    ids=["one layer", "plain layers"],
)
def test_other_networks_train_too(
    make: Callable[[], nn.Module], browser: Browser, tmp_path: Path
) -> None:
    x = torch.rand(200, 2)
    file = kw.playground(make(), tmp_path / "one.html", data=(x, x.sum(1, keepdim=True)))
    opened = browser.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.goto(file.as_uri())
    run = opened.locator("[data-kw-part=run]")
    until_on(opened, run.is_enabled, "the page is ready")
    run.click()
    until_on(opened, lambda: step_of(opened) > 5, "some steps are made")
    opened.close()
    assert not faults


@pytest.mark.slow
def test_a_network_trains_where_the_browser_has_no_webassembly(
    browser: Browser, tmp_path: Path
) -> None:
    x = torch.rand(200, 2)
    model = nn.Sequential(kw.nn.KANLinear(2, 4), kw.nn.KANLinear(4, 1))
    file = kw.playground(model, tmp_path / "one.html", data=(x, x.prod(1, keepdim=True)))
    opened = browser.new_page()
    opened.add_init_script("delete globalThis.WebAssembly")
    opened.goto(file.as_uri())
    run = opened.locator("[data-kw-part=run]")
    until_on(opened, run.is_enabled, "the page is ready")
    assert opened.workers[0].evaluate("typeof kanKernels.default") == "function"
    run.click()
    until_on(opened, lambda: step_of(opened) > 5, "some steps are made")
    opened.close()
