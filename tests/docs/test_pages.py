"""The pages that `make site` builds: reference, gallery, tutorials, and an article to play with."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)

import kan_widgets as kw
from tests.browser.lab import CHROMIUM_ARGUMENTS, find_chromium, until_on
from tests.notebooks.execution import TUTORIALS

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


THIN = '<mspace width="0.167em" />'
LIVE = "09_rough_functions"  # the tutorial that is executed here


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record a short run for the article, and execute one tutorial, as `make site` does."""
    folder = tmp_path_factory.mktemp("made")
    article = ["docs/see_a_kan_learn.py", str(folder / "article"), "--passes", "2"]
    live = folder / "tutorials" / f"{LIVE}.ipynb"
    tutorial = ["-m", "tests.notebooks.site", live.name, str(live)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    running = [
        subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment)
        for command in (article, tutorial)
    ]
    assert [process.wait() for process in running] == [0, 0]
    return folder


@pytest.fixture(scope="module")
def pages(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the pages with the command of `make site`, which fails at the first warning."""
    folder = tmp_path_factory.mktemp("site")
    told = subprocess.run(
        ["make", "--dry-run", "site", f"SITE={folder}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = (line for line in told.stdout.splitlines() if " -m sphinx " in line)
    _, *arguments = shlex.split(line)
    assert "--fail-on-warning" in arguments
    assert any(word.startswith("live_tutorials=") for word in arguments)
    arguments += ["-D", f"live_tutorials={made / 'tutorials'}"]
    arguments += ["-D", f"recorded_run={made / 'article'}"]
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder


class Loaded(HTMLParser):
    """What a page loads by itself: pictures, scripts, style sheets; and apart, what it links to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        self.places.add(about.get("id") or "")
        if tag == "a" and about.get("href"):
            self.links.append(about["href"] or "")
        # The other relations of a <link> name pages: next, search, index.
        loads = (about.get("rel") or "").split()
        if tag == "link" and {"stylesheet", "icon", "preload", "modulepreload"} & {*loads}:
            self.addresses.append(about["href"] or "")
        elif tag != "link" and (about.get("src") or about.get("srcset")):
            self.addresses.append(about.get("src") or about["srcset"] or "")


def test_every_page_loads_only_files_that_lie_beside_it(pages: Path) -> None:
    found = [page for page in sorted(pages.rglob("*.html")) if page.parent.name != "playground"]
    assert {"index.html", "gallery.html", "hosts.html"} <= {page.name for page in found}
    for page in found:
        addresses = Loaded(page).addresses
        assert len(addresses) > 5, page
        for address in addresses:
            if address.startswith("data:"):  # it is in the page
                continue
            assert (page.parent / address.split("?")[0]).is_file(), f"{page.name}: {address}"


def test_every_link_on_the_first_pages_leads_somewhere(pages: Path) -> None:
    for page in sorted(pages.glob("*.html")):
        loaded = Loaded(page)
        own = [link for link in loaded.links if not link.startswith("http")]
        assert len(own) > 5, page
        for link in own:
            file, _, place = link.partition("#")
            assert not file or (page.parent / file).is_file(), f"{page.name}: {link}"
            if not file and place:
                assert place in loaded.places, f"{page.name}: {link}"


def test_the_first_page_leads_to_one_in_which_a_network_trains(pages: Path) -> None:
    page = pages / "playground" / "index.html"
    assert "playground/index.html" in Loaded(pages / "index.html").links
    assert all(each.startswith("data:") for each in Loaded(page).addresses)  # all is in it
    assert "kw-bar" in Loaded(page).places


def test_style_sheets_load_nothing_from_elsewhere(pages: Path) -> None:
    sheets = sorted(pages.rglob("*.css"))
    assert len(sheets) > 2
    for sheet in sheets:
        text = sheet.read_text("utf-8")
        addresses = re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")]*)", text)
        assert not [address for address in addresses if "//" in address], sheet


def entries(pages: Path) -> set[str]:
    """Return the names that the reference has an entry for, from Sphinx's own list."""
    packed = (pages / "objects.inv").read_bytes().split(b"\n", 4)[4]
    lines = zlib.decompress(packed).decode().splitlines()
    return {line.split(" py:")[0] for line in lines if " py:" in line}


def test_every_public_name_has_an_entry(pages: Path) -> None:
    known = entries(pages)
    for part in ("", ".nn", ".functions", ".live", ".widgets", ".insight", ".data"):
        module = importlib.import_module(f"kan_widgets{part}")
        for name in module.__all__:
            thing = getattr(module, name)
            if not inspect.ismodule(thing) and not name.startswith("__"):
                own = getattr(kw, name, None) is thing
                assert f"kan_widgets{'' if own else part}.{name}" in known


def test_methods_have_entries_and_those_of_ipywidgets_none(pages: Path) -> None:
    known = entries(pages)
    assert {"kan_widgets.KernelGrid.image", "kan_widgets.KernelGrid.to_png"} <= known
    assert {"kan_widgets.Binding.observe", "kan_widgets.live.Source.select"} <= known
    assert "kan_widgets.Binding.select" not in known  # its parent has it
    assert "kan_widgets.KernelGrid.add_traits" not in known


def test_the_gallery_has_a_picture_of_every_view_in_both_themes(pages: Path) -> None:
    text = (pages / "gallery.html").read_text("utf-8")
    views = [name for name in kw.__all__ if hasattr(getattr(kw, name), "image")]
    for name in views:
        assert f'id="{name.lower()}"' in text, name
    pictures = [a for a in Loaded(pages / "gallery.html").addresses if a.startswith("_pictures/")]
    assert len(pictures) >= 3 * 2 * (len(views) - 1)  # for three widths; the Dashboard is live
    assert len({(pages / address).read_bytes() for address in pictures}) == len(pictures)
    ways = [[a for a in pictures if a.endswith(f"-{theme}.webp")] for theme in ("light", "dark")]
    for light, dark in zip(*ways, strict=True):
        grounds = []
        for address in (light, dark):
            with Image.open(pages / address) as picture:
                grey = picture.convert("L")
            colours = grey.getcolors(256)
            assert colours is not None
            assert len(colours) > 20, f"{address} shows next to nothing"
            grounds.append(max(colours)[1])
        assert grounds[0] > 200, light
        assert grounds[1] < 60, dark


ARTICLE = "see_a_kan_learn.html"
MEGABYTES = 3
# How many colours the largest canvas of each view has.
COLOURS = """() => [...document.querySelectorAll(".kw-page-view")].map((place) => {
  const area = ({ width, height }) => width * height;
  const canvases = [...place.querySelectorAll("canvas")].sort((a, b) => area(b) - area(a));
  if (canvases.length === 0) return 0;
  const { width, height } = canvases[0];
  const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvases[0], 0, 0);
  const { data } = copy.getImageData(0, 0, width, height);
  return new Set(new Uint32Array(data.buffer)).size;
})"""


@dataclass
class Opened:
    """A page opened from disk, what it loaded, and whatever it complained of."""

    page: Page
    loaded: set[Path] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def saw(self, request: Request) -> None:
        """Note what is asked for."""
        address = urlsplit(request.url)
        if address.scheme == "file":
            self.loaded.add(Path(unquote(address.path)))
        elif address.scheme not in ("data", "blob"):
            self.faults.append(f"request: {request.url}")

    def said(self, message: ConsoleMessage) -> None:
        """Note complaints."""
        if message.type in ("error", "warning"):
            self.faults.append(f"console: {message.text}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a running Chromium."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=find_chromium(), headless=True, args=CHROMIUM_ARGUMENTS
        )
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """Give what opens a page from disk, in a profile that is offline."""
    contexts: list[BrowserContext] = []
    opened: list[Opened] = []

    def open_(path: Path, width: int = 1400, height: int = 900, **options: Any) -> Opened:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        context.set_offline(True)
        shown = Opened(context.new_page())
        opened.append(shown)
        shown.page.on("request", shown.saw)
        shown.page.on("console", shown.said)
        shown.page.on("pageerror", lambda error: shown.faults.append(f"uncaught: {error}"))
        shown.page.goto(path.as_uri())
        # A place is where it is measured, and not on its way there.
        shown.page.add_style_tag(content="html { scroll-behavior: auto !important }")
        return shown

    yield open_
    faults = [fault for shown in opened for fault in shown.faults]
    for context in contexts:
        context.close()
    assert faults == []


@pytest.mark.browser
@pytest.mark.parametrize(
    ("name", "views"),
    [
        *[(ARTICLE, 6), (f"notebooks/{LIVE}.html", 1), ("notebooks/index.html", 0)],
        *[("index.html", 1), ("gallery.html", 1)],
    ],
)
@pytest.mark.parametrize(("width", "theme"), [(1400, "light"), (375, "dark")])
def test_a_page_opens_from_disk_with_its_views_alive_and_fits_the_window(
    name: str, views: int, width: int, theme: str, pages: Path, open_page: Callable[..., Opened]
) -> None:
    shown = open_page(pages / name, width, color_scheme=theme)
    places = shown.page.locator(".kw-page-view")
    assert places.count() == views
    for number in range(views):  # a view draws where it can be seen
        places.nth(number).scroll_into_view_if_needed()
        until_on(
            shown.page,
            lambda number=number: shown.page.evaluate(COLOURS)[number] > 20,
            f"view {number} to be drawn",
        )
    for place in places.all():
        root = place.locator(".kw-view").first
        assert root.get_attribute("data-kw-theme") == theme
    room = "[document.documentElement.scrollWidth, innerWidth]"
    scrolled, inner = shown.page.evaluate(room)
    assert scrolled <= inner
    assert all(path.is_relative_to(pages) for path in shown.loaded)
    assert sum(path.stat().st_size for path in shown.loaded) < MEGABYTES * 1e6
    assert (pages / "_static" / "kan_widgets.js" in shown.loaded) == (views > 0)


@pytest.mark.browser
def test_a_digit_drawn_on_a_page_runs_through_the_network_of_the_step_shown(
    pages: Path, open_page: Callable[..., Opened]
) -> None:
    page = open_page(pages / ARTICLE).page
    network = page.locator(".kw-network-view").first
    until_on(page, lambda: re.search(r"image \d+ of \d+: ", network.inner_text()), "an example")
    network.evaluate("view => view.scrollIntoView({ block: 'end' })")
    box = network.evaluate("view => view.kwView.at('x:-1')")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    until_on(page, lambda: "nothing is drawn yet" in network.inner_text(), "an empty input")
    network.evaluate("view => view.kwView.drawLine([[14, 4], [14, 24]])")

    def said() -> str:
        return str(network.evaluate("view => /your drawing: .*/.exec(view.innerText)?.[0] ?? ''"))

    until_on(page, said, "what the network says of the drawing")
    at_the_end = said()
    network.locator(".kw-track").press("Home")
    until_on(page, lambda: "step 0" in network.inner_text(), "the first step")
    until_on(page, lambda: said() not in ("", at_the_end), "another answer")


def middle(box: dict[str, float]) -> tuple[float, float]:
    """Return where the middle of a box is."""
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.browser
def test_on_a_phone_a_finger_draws_on_a_pad_and_does_not_scroll(
    pages: Path, open_page: Callable[..., Opened]
) -> None:
    page = open_page(pages / ARTICLE, 375, 812, has_touch=True, is_mobile=True).page
    network = page.locator(".kw-network-view").first
    until_on(page, lambda: re.search(r"image \d+ of \d+: ", network.inner_text()), "an example")
    network.evaluate("view => view.scrollIntoView({ block: 'end' })")
    page.touchscreen.tap(*middle(network.evaluate("view => view.kwView.at('x:-1')")))
    sheet = network.locator(".kw-pad canvas")
    sheet.wait_for()
    box = sheet.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) > 180
    assert 0 <= box["x"]
    assert box["x"] + box["width"] <= 375

    before = page.evaluate("scrollY")
    pad = network.locator(".kw-pad")
    card = pad.bounding_box()
    x, y = middle(box)
    finger = page.context.new_cdp_session(page)
    for kind, at in (
        ("touchStart", y - 70),
        *(("touchMove", y - 70 + 10 * k) for k in range(1, 15)),
        ("touchEnd", None),
    ):
        points = [] if at is None else [{"x": x, "y": at}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    until_on(page, lambda: "your drawing: " in pad.inner_text(), "what the network says of it")
    assert (pad.bounding_box(), sheet.bounding_box()) == (card, box)  # still under the finger
    # White where the finger went: from nearly the top to nearly the bottom.
    bright = """sheet => { const { width, height } = sheet;
      const { data } = sheet.getContext("2d").getImageData(width / 2, 0, 1, height);
      return [...Array(height).keys()].filter((row) => data[4 * row] > 200).length / height; }"""
    assert sheet.evaluate(bright) > 0.5
    assert page.evaluate("scrollY") == before

    sheet.press("ArrowLeft")
    assert sheet.evaluate("sheet => document.activeElement === sheet")
    pad.get_by_role("button", name="done").tap()
    pad.wait_for(state="hidden")
    page.touchscreen.tap(*middle(network.evaluate("view => view.kwView.at('u:0:0')")))
    pad.wait_for()
    sheet.press("Escape")
    pad.wait_for(state="hidden")


@pytest.mark.browser
def test_on_a_phone_a_chart_stays_large_enough_to_be_read_and_is_scrolled(
    pages: Path, open_page: Callable[..., Opened]
) -> None:
    page = open_page(pages / "notebooks" / f"{LIVE}.html", width=390, height=844).page
    chart = page.locator("img.chart").first
    box = chart.bounding_box()
    assert box is not None
    assert box["width"] > 500
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    around = chart.locator("..")
    assert around.evaluate("part => part.scrollWidth > part.clientWidth")


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chart_is_as_dark_as_its_page(
    theme: str, pages: Path, open_page: Callable[..., Opened], tmp_path: Path
) -> None:
    page = open_page(pages / "notebooks" / f"{LIVE}.html", color_scheme=theme).page
    chart = page.locator("img.chart").first
    chart.scroll_into_view_if_needed()
    file = tmp_path / "chart.png"
    chart.screenshot(path=file)
    with Image.open(file) as picture:
        levels = np.asarray(picture.convert("L"))
    paper, ink = np.median(levels), levels.min() if theme == "light" else levels.max()
    assert (paper > 230 and ink < 90) if theme == "light" else (paper < 40 and ink > 160)


def test_a_live_tutorial_says_what_works_on_its_page_and_the_others_do_not(pages: Path) -> None:
    told = {
        path.stem: "its views play what it recorded" in unescape(path.read_text("utf-8"))
        for path in (pages / "notebooks").glob("[01]*.html")
    }
    assert told == {Path(name).stem: Path(name).stem == LIVE for name in TUTORIALS}


@pytest.mark.browser
def test_what_is_clicked_in_one_figure_is_selected_in_the_others(
    pages: Path, open_page: Callable[..., Opened]
) -> None:
    page = open_page(pages / ARTICLE).page
    grid = page.locator(".kw-kernel-grid").first
    grid.scroll_into_view_if_needed()
    until_on(page, lambda: grid.evaluate("view => view.kwView?.at('13')"), "the grid")
    box = grid.evaluate("view => view.kwView.at('13')")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    inspector = page.locator(".kw-spline-inspector").first
    inspector.scroll_into_view_if_needed()
    chosen = {"layer": "convs.0", "out": 1, "in": 0, "row": 1, "column": 1}
    until_on(
        page,
        lambda: inspector.evaluate("view => view.kwView?.selection()") == chosen,
        "the function",
    )


@pytest.mark.browser
def test_a_word_moves_all_figures_to_the_step_that_it_names(
    pages: Path, open_page: Callable[..., Opened]
) -> None:
    page = open_page(pages / ARTICLE).page
    network = page.locator(".kw-network-view").first
    until_on(page, lambda: "step 126" in network.inner_text(), "the last step")
    page.get_by_role("button", name="Before the first step").click()
    until_on(page, lambda: "step 0" in network.inner_text(), "the first step")
    until_on(page, lambda: "predicted" in network.inner_text(), "the digit in that network")
    page.get_by_role("button", name="at the end").first.click()
    until_on(page, lambda: "step 126" in network.inner_text(), "the last step again")


def test_the_formula_has_the_colours_of_the_curves_in_both_themes() -> None:
    theme = (ROOT / "js/src/scene/theme.ts").read_text("utf-8")
    sheet = (ROOT / "docs/static/pages.css").read_text("utf-8")
    for part, drawn in (("base", "base"), ("splines", "spline")):
        [(light, dark)] = re.findall(rf'^  {drawn}: \["(#\w+)", "(#\w+)"\]', theme, re.M)
        assert re.findall(rf"--{part}: (#\w+)", sheet) == [light, dark, dark]
        assert f"solid var(--{part})" in sheet


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(1400, 900), (390, 844), (375, 667)])
def test_the_first_screen_shows_what_to_press_and_the_network_from_digit_to_answers(
    width: int, height: int, pages: Path, open_page: Callable[..., Opened]
) -> None:
    page = open_page(pages / ARTICLE, width, height).page
    network = page.locator(".kw-network-view").first
    until_on(page, lambda: "step 126" in network.inner_text(), "the network")
    parts = ("u:0:0", "u:1:0", "u:3:0", "u:3:9")  # the digit, a map, the first answer and the last
    boxes = [network.evaluate("(view, id) => view.kwView.at(id)", part) for part in parts]
    boxes += [page.locator("article h1").bounding_box()]
    boxes += [page.get_by_role("button", name="begin at step 0").bounding_box()]
    for box in boxes:
        assert 0 <= box["x"] < box["x"] + box["width"] <= width
        assert 0 <= box["y"] < box["y"] + box["height"] <= height


def text_of(page: Path) -> str:
    """Return what an article says, without figures, captions and sources."""
    body = page.read_text("utf-8").split("<article", 1)[1].split('id="sources"', 1)[0]
    for part in ("figure", "script", "style"):
        body = re.sub(rf"<{part}\b.*?</{part}>", " ", body, flags=re.S)
    body = re.sub(r'<p class="figure-caption">.*?</p>', " ", body, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_the_article_has_the_length_of_one_and_the_numbers_of_its_run(
    pages: Path, made: Path
) -> None:
    said = text_of(pages / ARTICLE)
    assert 1000 <= len(said.split()) <= 1300
    facts = json.loads((made / "article" / "facts.json").read_text("utf-8"))
    assert facts["steps"] == 2 * 63
    assert f"training run of {facts['steps']} steps" in said
    assert f"at the end {facts['end_right']:.0%}" in said
    assert "Rohan Khopkar" in said
    assert "Bodner" in said
    source = (ROOT / "docs" / "see_a_kan_learn.md").read_text("utf-8").split("## Sources")[0]
    quoted = set(re.findall(r"\{value\}`(\w+)`", source))
    assert len(quoted) > 20
    # Figures that nobody computed are dates, digits to draw, and the first step.
    by_hand = re.findall(r"(?<![\w.`(])\d[\d.,]*\b", re.sub(r"```.*?```", "", source, flags=re.S))
    assert set(by_hand) - {"2024", "6", "0", "1", "4", "7"} == set()


def test_each_row_of_the_article_shows_one_table_and_folds_the_others(pages: Path) -> None:
    text = (pages / "the_article_row_by_row.html").read_text("utf-8")
    body = text.split("<article", 1)[1].split("</article>")[0]
    assert body.count('<div class="chart"><img class="chart"') == 5
    assert body.count("<details>") == body.count("</details>") > 5
    shown = re.sub(r"<details>.*?</details>", "", body, flags=re.S)
    assert body.count("<table") > shown.count("<table")
    for row in shown.split("<h2")[1:]:
        assert row.count("<table") <= 1


def test_what_the_article_says_is_checked_when_its_run_is_recorded(made: Path) -> None:
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        article = importlib.import_module("see_a_kan_learn")
    finally:
        sys.path.pop(0)
    facts = json.loads((made / "article" / "facts.json").read_text("utf-8"))
    # After two passes it is too early for most of it.
    assert "one pass is a fifteenth" in article.untrue(facts)
    assert "most pixels are dark" in article.untrue(facts | {"dark": 0.1})


def test_every_page_of_the_site_is_below_the_limit(pages: Path) -> None:
    assert all(page.stat().st_size < MEGABYTES * 1e6 for page in pages.rglob("*.html"))


def test_the_index_of_the_tutorials_has_a_picture_and_a_link_for_each(pages: Path) -> None:
    index = Loaded(pages / "notebooks" / "index.html")
    for notebook in TUTORIALS:
        stem = notebook.removesuffix(".ipynb")
        assert f"../_notebooks/{stem}.png" in index.addresses
        assert f"{stem}.html" in index.links
        told = Loaded(pages / "notebooks" / f"{stem}.html")
        assert f"../_notebooks/{notebook}" in told.links
        assert (pages / "_notebooks" / notebook).is_file()


def test_formulas_are_drawn_by_the_browser_itself(pages: Path) -> None:
    text = (pages / "notebooks" / f"{LIVE}.html").read_text("utf-8")
    assert text.count("<math ") > 5
    assert "2pt" not in text.split("<article", 1)[1].split("</article>")[0].split("kw-saved")[0]
    loaded = " ".join(Loaded(pages / "notebooks" / f"{LIVE}.html").addresses)
    assert "mathjax" not in loaded.lower()


def test_the_name_of_a_function_stands_apart_from_its_operands(pages: Path) -> None:
    text = (pages / "notebooks" / "02_from_kolmogorov_to_kan.html").read_text("utf-8")
    assert f"<mi>a</mi>{THIN}<mi>ln</mi>{THIN}<mi>x</mi>" in text
    assert '<mi>exp</mi><mo stretchy="false">' in text


BROKEN = """
def one():
    \"\"\"See `kan_widgets.nn.NoSuchLayer`.\"\"\"

def two(x):
    \"\"\"Say ``what never ends.\"\"\"

def three(x):
    \"\"\"Say it.

    Parameters
    ----------
    y
        No parameter of this name.
    \"\"\"
"""


def test_broken_docstrings_and_a_view_without_a_picture_fail_the_build(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN, "utf-8")
    (tmp_path / "index.rst").write_text("Broken\n======\n\n.. automodule:: broken\n", "utf-8")
    arguments = ["--fail-on-warning", "--quiet", "-c", ROOT / "docs", tmp_path, tmp_path / "built"]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "target not found: kan_widgets.nn.NoSuchLayer" in done.stderr
    assert "Inline literal start-string without end-string" in done.stderr
    assert "Unknown parameters {'y'}" in done.stderr
    assert "no picture of kan_widgets.KernelGrid" in done.stderr
