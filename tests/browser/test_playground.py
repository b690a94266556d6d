"""The playground, opened from disk in a real Chromium with no network at all."""

from __future__ import annotations

import copy
import math
import re
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Locator, Page
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
    said = page.locator("#kw-untrained").inner_text()
    assert said.startswith("The network does not train in this page: it has “ConvKAN 3×3”, and a")
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


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    return kw.playground(path=tmp_path_factory.mktemp("playground") / "index.html")


def ready(page: Page) -> Page:
    until_on(page, lambda: page.locator("[data-kw-part=score]").inner_text(), "the first score")
    return page


def step_of(page: Page) -> int:
    found = re.search(r"step ([\d,]+) of", page.locator("[data-kw-part=said]").inner_text())
    return int(found[1].replace(",", "")) if found else -1


def error_of(page: Page) -> float:
    """The share of the test rows that is wrong, or the root mean square; inf without a score."""
    said = page.locator("[data-kw-part=score]").inner_text()
    if found := re.match(r"([\d.]+) % of", said):
        return 1 - float(found[1]) / 100
    found = re.match(r"off by ([\d.e-]+) on", said)
    return float(found[1]) if found else math.inf


def choices(page: Page, label: str) -> Locator:
    """A control of the playground."""
    return page.locator("#kw-play").get_by_label(re.compile(rf"^{label}\b"))


def refused(page: Page) -> str:
    """Why a choice cannot be, or nothing."""
    return page.locator("#kw-play [role=alert]").text_content() or ""


def train(page: Page) -> None:
    page.locator("[data-kw-part=run]").click()


@pytest.mark.parametrize("problem", ["product", "moons", "spirals", "formula"])
def test_each_problem_begins_and_gets_better(
    open_page: Open, playground: Path, problem: str
) -> None:
    page = ready(open_page(playground, f"#problem={problem}"))
    before = error_of(page)
    assert page.locator("#kw-fit").is_visible()
    train(page)
    until_on(page, lambda: error_of(page) < before / 4, "a quarter of the first error")


def test_the_time_that_is_left_is_said_while_it_is_known(open_page: Open, playground: Path) -> None:
    page = ready(open_page(playground, "#problem=moons"))
    left = page.locator(".kw-training-panel").get_by_text(re.compile("^remaining"))
    assert left.count() == 0
    train(page)
    until_on(page, lambda: left.count() == 1, "the time left")
    assert re.search(r"remaining\s*0:[0-5]\d$", left.inner_text())
    run = page.locator("[data-kw-part=run]")
    until_on(page, lambda: run.inner_text() == "Train again", "the end")
    assert left.count() == 0


def settings_of(page: Page) -> dict[str, Any]:
    """What stands in all controls."""
    found: dict[str, Any] = page.evaluate(
        "() => Object.fromEntries([...document.querySelectorAll("
        "'#kw-play :is(select, input:not([type=file])), #kw-bar input')].map((one, k) => "
        "[k, one.type === 'checkbox' ? one.checked : one.value]))"
    )
    return found


def test_where_the_tour_begins_to_train_the_page_says_so_before_the_first_step(
    open_page: Open, playground: Path
) -> None:
    page = ready(open_page(playground, "#story=2"))
    assert page.locator("[data-kw-part=run]").inner_text() == "Pause"
    assert "not started" not in page.locator(".kw-view").first.inner_text()


def test_on_a_phone_the_network_stays_where_it_is_from_step_to_step_of_the_tour(
    open_page: Open, playground: Path
) -> None:
    page = ready(open_page(playground, "#story=4", width=390))
    top = "() => document.querySelector('main').getBoundingClientRect().top + scrollY"
    before = page.evaluate(top)
    learn = choices(page, "learn")
    for step, problem in ((5, "digits"), (6, "formula")):
        page.get_by_role("button", name="Next", exact=True).click()
        page.locator(".kw-story-told strong", has_text=f"{step} of").wait_for()
        until_on(page, lambda asked=problem: learn.input_value() == asked, "its problem")
        assert page.evaluate(top) == pytest.approx(before, abs=1)


def test_what_is_chosen_stands_in_the_address(open_page: Open, playground: Path) -> None:
    page = ready(open_page(playground))
    assert page.url.endswith("#story=1")
    usual = settings_of(page)
    choices(page, "learn").select_option("formula")
    until_on(page, lambda: "problem=formula" in page.url, "another problem")
    page.get_by_text("more", exact=True).click()
    for label, text in {"formula": "sin(pi*x) + y/2", "hidden units": "3, 2"}.items():
        choices(page, label).fill(text)
        page.keyboard.press("Enter")
    choices(page, "basis").select_option("chebyshev")
    choices(page, "noise in the data").fill("0.1")
    page.keyboard.press("Enter")
    choices(page, "beside an MLP of equal size").check()
    until_on(page, lambda: "twin=1" in page.url, "the choices in the address")
    chosen = settings_of(page)
    assert chosen != usual
    again = open_page(playground, "#" + page.url.partition("#")[2])
    until_on(again, lambda: settings_of(again) == chosen, "the same choices by the link")
    about = page.locator(".kw-page-about").inner_text()
    assert "1,000 points, x, y between" in about
    until_on(again, lambda: again.locator(".kw-page-about").inner_text() == about, "the same")
    # The way back of the browser, and an address by hand.
    again.evaluate("() => { window.location.hash = '#problem=moons&seed=3'; }")
    until_on(again, lambda: choices(again, "learn").input_value() == "moons", "by address")
    assert again.locator("#kw-bar").get_by_label("seed").input_value() == "3"


def drop(page: Page, text: str) -> None:
    """Drop a file on the page."""
    dropped = page.evaluate_handle(
        "text => { const data = new DataTransfer();"
        "data.items.add(new File([text], 'table.csv', { type: 'text/csv' })); return data; }",
        text,
    )
    page.dispatch_event("body", "drop", {"dataTransfer": dropped})


def test_a_table_that_is_dropped_trains_and_a_wrong_one_is_refused(
    open_page: Open, playground: Path
) -> None:
    page = ready(open_page(playground))
    values = torch.rand(200, 2, generator=torch.Generator().manual_seed(0)).tolist()
    rows = [f"{10 * a:.4f},{b:.4f},{3 * a * a - b:.4f}" for a, b in values]
    drop(page, "\n".join(["length,width,price", *rows]))
    about = page.locator(".kw-page-about")
    until_on(page, lambda: "learns price" in about.inner_text(), "the table's problem")
    assert choices(page, "learn").input_value() == "table"
    until_on(page, lambda: 0.5 < error_of(page) < 9, "its first score")
    assert refused(page) == ""
    train(page)
    until_on(page, lambda: error_of(page) < 0.1, "it is learned")
    step = step_of(page)
    drop(page, "a,b\n1,x\n2,3")
    until_on(page, lambda: "2 whole rows: expected at least" in refused(page), "why not")
    assert "learns price" in about.inner_text()
    until_on(page, lambda: step_of(page) > step or step_of(page) >= 1000, "it goes on")


def test_a_wrong_formula_is_refused_in_words_and_leaves_what_runs(
    open_page: Open, playground: Path
) -> None:
    page = ready(open_page(playground, "#problem=formula&formula=sin(pi*x)&epochs=900"))
    train(page)
    until_on(page, lambda: step_of(page) > 20, "some steps")
    field = choices(page, "formula")
    for wrong, words in {
        "sin(x": "Expected “)” at the end.",
        "x + qux": "Unknown: “qux”.",
        "log(x)": "is no finite number at x =",
        "window.name": "Unknown",
    }.items():
        field.fill(wrong)
        page.keyboard.press("Enter")
        until_on(page, lambda words=words: words in refused(page), f"why not {wrong}")
    step = step_of(page)
    until_on(page, lambda: step_of(page) > step, "the earlier formula learns on")
    assert "sin(pi*x)" in urllib.parse.unquote_plus(page.url)
    field.fill("cos(x)")
    page.keyboard.press("Enter")
    until_on(page, lambda: "cos(x)" in urllib.parse.unquote_plus(page.url), "another formula")
    assert refused(page) == ""


def test_a_twin_trains_beside_it(open_page: Open, playground: Path) -> None:
    page = open_page(playground, "#problem=moons&twin=1")
    about, score = page.locator(".kw-page-about"), page.locator("[data-kw-part=score]")
    until_on(page, lambda: "browser, beside an MLP" in about.inner_text(), "two networks")
    sizes = [int(n.replace(",", "")) for n in re.findall(r"([\d,]+) param", about.inner_text())]
    assert max(sizes) < 1.1 * min(sizes)
    until_on(page, lambda: len(page.workers) == 2, "a worker for each")
    page.locator("[data-kw-part=run]").click()

    def right() -> list[float]:
        return [float(value) for value in re.findall(r"([\d.]+) %", score.inner_text())]

    until_on(page, lambda: len(right()) == 2 and min(right()) > 85, "both have learned")
    page.get_by_text("more", exact=True).click()
    choices(page, "beside an MLP of equal size").uncheck()
    until_on(page, lambda: len(page.workers) == 1, "one alone")


def test_what_is_saved_is_the_network_of_the_page(
    open_page: Open, playground: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = ready(open_page(playground, "#widths=2,3"))
    page.get_by_text("save or share").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save weights (.npz)").click()
    download.value.save_as(tmp_path / "kan.npz")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(page.locator(".kw-play-code").inner_text(), names)
    digits = kw.data.mnist("embedded")
    with torch.no_grad():
        wrong = names["model"](digits.test_images).argmax(1) != digits.test_labels
    assert error_of(page) == pytest.approx(float(wrong.double().mean()), abs=0.0011)


@pytest.mark.parametrize(
    "hash", ["", "#problem=spirals&twin=1", "#problem=formula", "#problem=table"]
)
def test_a_phone_needs_no_sideways_scrolling(open_page: Open, playground: Path, hash: str) -> None:
    page = ready(open_page(playground, hash, width=390))
    for summary in page.locator("#kw-play summary, #kw-bar summary").all():
        summary.click()
    until_on(page, lambda: page.locator("canvas").count() > 0, "a view")
    assert page.evaluate("() => document.scrollingElement.scrollWidth") <= 390


def held(page: Page) -> dict[str, float]:
    """What the page holds once rubbish is collected."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
        page.wait_for_timeout(100)
    metrics = session.send("Performance.getMetrics")["metrics"]
    session.detach()
    return {one["name"]: one["value"] for one in metrics}


def check_flat(before: dict[str, float], after: dict[str, float]) -> None:
    # A dashboard that is left behind has some 350 listeners and 700 nodes.
    assert after["JSEventListeners"] == before["JSEventListeners"]
    assert after["Nodes"] < before["Nodes"] + 300
    assert after["JSHeapUsedSize"] < before["JSHeapUsedSize"] + 3e6
    assert after["Documents"] == before["Documents"]


def test_what_a_page_holds_does_not_grow(open_page: Open, playground: Path) -> None:
    page = ready(open_page(playground, "#problem=moons&widths=2&batch=2&epochs=900"))
    train(page)
    until_on(page, lambda: step_of(page) > 1000, "some steps")
    before = held(page)
    until_on(page, lambda: step_of(page) > 12_000, "ten thousand steps")
    check_flat(before, held(page))

    def turn(number: int) -> None:
        problem, epochs = ("product", "moons")[number % 2], 900 + number
        hash = f"#problem={problem}&twin=1&batch=2&epochs={epochs}"
        page.evaluate("hash => { window.location.hash = hash; }", hash)
        end = f"of {400 * epochs:,}"  # more than it ever makes: the next one goes on
        said = page.locator("[data-kw-part=said]")
        until_on(page, lambda: end in said.inner_text() and step_of(page) > 5, "another one")

    for number in (1, 2, 3, 4):
        turn(number)
    before = held(page)
    for number in range(5, 15):
        turn(number)
    check_flat(before, held(page))
    assert len(page.workers) == 2
