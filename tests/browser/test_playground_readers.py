"""What every reader needs of the playground: axe-core, keyboard, quiet, 390 pixels."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

import kan_widgets as kw
from tests.browser.lab import until_on
from tests.browser.test_readers import AXE, FOCUSED, LISTEN, MOVING, UNREACHED

pytestmark = pytest.mark.browser

# The parts of the page beside its views.
ROOTS = ".kw-page-theme, #kw-play, #kw-bar, #kw-story, #kw-fit"
# What axe complains of, and how many texts of these parts it has judged the contrast of.
JUDGE = """async (roots) => {
  const {violations, passes} = await axe.run(document, {
    resultTypes: ['violations', 'passes'], elementRef: true,
  });
  const faults = violations.flatMap(({id, help, nodes}) =>
    nodes.map(({html}) => `${id}: ${help}: ${html.slice(0, 300)}`));
  const texts = passes.find(({id}) => id === 'color-contrast')?.nodes ?? [];
  return [faults, texts.filter(({element}) => element.closest(roots)).length];
}"""
# What is wider than the page.
WIDE = """() => [...document.querySelectorAll('body, body *')]
  .filter((node) => node.checkVisibility() && !node.closest('.kw-spoken, .kw-tip, svg, pre *'))
  .filter((node) => node.getBoundingClientRect().right > innerWidth + 1)
  .map((node) => node.outerHTML.slice(0, 200))"""
UNFOLDED = "for (const one of document.querySelectorAll('details')) one.open = true"

Theme = Literal["light", "dark"]
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kw.playground(path=tmp_path_factory.mktemp("playground") / "index.html")


@pytest.fixture
def open_page(browser: Browser, file: Path) -> Iterator[Open]:
    """Give what opens the page at an address, ready to train."""
    opened: list[Page] = []

    def open_(address: str, *, width: int = 1366, theme: Theme = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,
            reduced_motion="reduce",
            bypass_csp=True,  # for axe-core
        )
        page = context.new_page()
        opened.append(page)
        page.goto(file.as_uri() + address)
        until_on(page, page.locator("[data-kw-part=run]").is_enabled, "the page is ready")
        return page

    yield open_
    for page in opened:
        page.context.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "width", "theme", "least"),
    [
        ("", 1366, "light", 30),
        ("", 390, "dark", 30),
        ("#problem=moons&twin=1", 1366, "dark", 25),
        ("#problem=formula&widths=1&story=7", 390, "light", 30),
    ],
)
def test_axe_finds_no_violation_with_all_unfolded_and_nothing_is_too_wide(
    open_page: Open, artifacts: Path, address: str, width: int, theme: Theme, least: int
) -> None:
    page = open_page(address, width=width, theme=theme)
    page.evaluate(UNFOLDED)
    # axe-core takes what is scrolled away for hidden.
    page.set_viewport_size({"width": width, "height": 4000})
    page.wait_for_timeout(700)
    page.add_script_tag(path=AXE)
    faults, judged = page.evaluate(JUDGE, ROOTS)
    assert faults == []
    assert judged >= least
    assert page.evaluate(WIDE) == []
    page.screenshot(path=artifacts / "page.png")


def test_the_keyboard_reaches_every_control_is_seen_and_works_them(open_page: Open) -> None:
    page = open_page("")
    page.evaluate(UNFOLDED)
    page.locator("#kw-theme").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    met = []
    while (one := page.evaluate(FOCUSED, ROOTS)) is not None:
        met.append(one)
        page.keyboard.press("Tab")
    assert [what for what, _, seen in met if not seen] == []
    assert [what for what, called, _ in met if not called] == []
    assert page.evaluate(UNREACHED, ROOTS) == []
    assert len(met) >= 20

    learn = page.locator("#kw-play select").first
    learn.focus()
    page.keyboard.type("two m")
    page.keyboard.press("Enter")
    until_on(page, lambda: "problem=moons" in page.url, "another problem")
    units = page.locator("#kw-play").get_by_label("hidden units")
    units.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("3, 2")
    page.keyboard.press("Enter")
    until_on(page, lambda: "widths=3%2C2" in page.url, "other hidden units")
    units.fill("3, x")
    page.keyboard.press("Enter")
    alarm = page.get_by_role("alert").filter(has_text="hidden units “3, x”: expected at most 6")
    until_on(page, lambda: alarm.count() == 1, "what is expected")
    page.locator("[data-kw-part=run]").focus()
    page.keyboard.press("Enter")
    run = page.locator("[data-kw-part=run]")
    until_on(page, lambda: run.inner_text() == "Pause", "it trains")
    page.keyboard.press("Enter")
    until_on(page, lambda: run.inner_text() == "Train", "it waits")


def test_the_story_is_told_by_the_keyboard_and_stands_in_the_address(
    open_page: Open, file: Path
) -> None:
    page = open_page("")
    told = page.locator(".kw-story-told")
    until_on(page, lambda: "1 of 7" in told.inner_text(), "the first step")
    assert page.url.endswith("#story=1")
    facts = page.locator(".kw-story-facts")
    until_on(page, lambda: "the framed function turns" in facts.inner_text(), "what is so")
    page.get_by_role("button", name="Next").focus()
    page.keyboard.press("Enter")
    until_on(page, lambda: "2 of 7" in told.inner_text(), "the second step")
    until_on(page, lambda: "of 1,000 steps" in facts.inner_text(), "it trains")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    until_on(page, lambda: "It calls the empty image" in facts.inner_text(), "what it never saw")
    page.get_by_role("button", name="Close").focus()
    page.keyboard.press("Enter")
    until_on(page, lambda: not told.is_visible(), "the story to be closed")
    assert page.url.endswith("#story=0")
    page.reload()
    until_on(page, page.locator("[data-kw-part=run]").is_enabled, "the page is ready")
    assert not told.is_visible()
    other = open_page("#problem=moons")
    assert not other.locator(".kw-story-told").is_visible()
    # A step that is typed into the address is told, with its network.
    other.evaluate("location.hash = '#story=6'")
    until_on(
        other, lambda: "6 of 7" in other.locator(".kw-story-told").inner_text(), "the sixth step"
    )
    until_on(other, lambda: "problem=formula" in other.url, "its network")


def test_a_phones_first_screen_has_the_picture_and_no_name_lies_on_what_is_said(
    open_page: Open,
) -> None:
    page = open_page("", width=390)
    told = page.locator(".kw-story-facts")
    until_on(page, lambda: "the framed function turns" in told.inner_text(), "what is so")
    tops = {
        name: page.locator(name).first.bounding_box()["y"]  # type: ignore[index]
        for name in ("[data-kw-part=run]", "#kw-play select", "#kw-story", "main", ".kw-play-more")
    }
    assert list(tops) == sorted(tops, key=tops.__getitem__)
    assert tops["main"] < 300
    learn, network = page.locator("#kw-play label:visible").all()[:2]
    assert learn.bounding_box()["y"] == network.bounding_box()["y"]  # type: ignore[index]
    page.set_viewport_size({"width": 1366, "height": 900})
    assert page.locator("[data-panel=training] > .kw-panel-head").is_visible()
    assert not page.locator("[data-panel=network] > .kw-panel-head").is_visible()


@pytest.mark.slow
def test_while_it_trains_it_speaks_at_most_once_a_second_and_nothing_moves(
    open_page: Open,
) -> None:
    page = open_page("#problem=moons&twin=1")
    page.evaluate(LISTEN, ROOTS)
    begun = time.monotonic()
    page.locator("[data-kw-part=run]").click()
    page.wait_for_timeout(4000)
    said = page.evaluate("window.kwSaid")
    # One more at the beginning, and one at an end.
    assert len(said) <= time.monotonic() - begun + 2
    assert any("KAN" in one and "MLP" in one for one in said)
    assert page.evaluate(MOVING, "body") == 0
