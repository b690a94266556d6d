"""Pages that nbconvert and ipywidgets make of views: live with a network, pictures without."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from ipywidgets.embed import dependency_state, embed_minimal_html
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from playwright.sync_api import Browser, Page, Route

import kan_widgets as kw
from tests.browser.lab import until_on

pytestmark = pytest.mark.browser

ROOT = Path(kw.__file__).parents[1]
PACKAGES = ROOT / "js" / "node_modules"
EXTENSIONS = Path(sys.prefix) / "share" / "jupyter" / "nbextensions"
# What a page asks content delivery networks for, and where the same is installed.
INSTALLED = {
    r"/require(?:\.min)?\.js$": PACKAGES / "requirejs" / "require.js",
    r"/@jupyter-widgets/html-manager@[^/]+/dist/embed-amd\.js$": PACKAGES
    / "@jupyter-widgets/html-manager/dist/embed-amd.js",
    r"/npm/anywidget@[^/]+/dist/index\.js$": EXTENSIONS / "anywidget" / "index.js",
}
STATE = "application/vnd.jupyter.widget-state+json"
# An image of the page that is to be seen.
SHOWN = "[...document.images].filter((image) => image.offsetWidth > 300).length"
# Views that have drawn something.
DRAWN = """[...document.querySelectorAll('.kw-view')]
    .filter((view) => [...view.querySelectorAll('canvas')].some((one) => one.width > 100)).length"""
# What no reader of such a page can do.
IMPOSSIBLE = ["does not answer", "observe a batch", "live.observe", "run the cell"]

Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Give what opens a file with the network's scripts, or refuses them all."""
    contexts = []

    def open_(path: Path, *, online: bool) -> Page:
        context = browser.new_context(viewport={"width": 1200, "height": 900})
        contexts.append(context)

        def answer(route: Route) -> None:
            address = route.request.url
            if address.startswith(("file:", "data:", "blob:")):
                route.continue_()
                return
            files = [file for end, file in INSTALLED.items() if re.search(end, address)]
            if online and files:
                route.fulfill(path=files[0], headers={"access-control-allow-origin": "*"})
            else:
                route.abort()

        context.route("**/*", answer)
        page = context.new_page()
        page.goto(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def views() -> Iterator[tuple[Any, ...]]:
    """Give six views of one stream, after some training."""
    torch.manual_seed(0)
    model = kw.nn.KANCNN()
    digits = kw.data.mnist("embedded")
    live = kw.bind(model, every=1)
    live.probe(digits.test_images[:4], digits.test_labels[:4])
    for step in range(3):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.02 * torch.randn_like(parameter)
        live.log(loss=1 / (1 + step))
        live.step()
    yield (
        kw.KernelGrid(live),
        kw.NetworkView(live),
        kw.SplineInspector(live, editable=True),
        kw.MeshgridView(live, mode="response", images=digits.test_images[:2]),
        kw.TrainingPanel(live),
        kw.LayerRanges(live),
    )
    bundle_of.cache_clear()


@cache
def bundle_of(view: Any) -> dict[str, Any]:
    bundle = view._repr_mimebundle_()
    data: dict[str, Any] = bundle[0] if isinstance(bundle, tuple) else bundle
    return data


def notebook_of(views: tuple[Any, ...], *, state: bool) -> NotebookNode:
    """Return a saved notebook that shows the views, one in each cell."""
    cells = [
        nbformat.v4.new_code_cell(
            "view", outputs=[nbformat.v4.new_output("display_data", bundle_of(view))]
        )
        for view in views
    ]
    notebook: NotebookNode = nbformat.v4.new_notebook(cells=cells)
    if state:
        known = {"version_major": 2, "version_minor": 0, "state": dependency_state(views)}
        notebook.metadata["widgets"] = {STATE: known}
    return notebook


def converted(notebook: NotebookNode, path: Path, **options: Any) -> Path:
    """Write what nbconvert makes of a notebook."""
    text, _ = HTMLExporter(**options).from_notebook_node(notebook)
    path.write_text(text, encoding="utf-8")
    return path


def check_live(page: Page, count: int) -> None:
    """Wait for so many views, and look that none asks for a kernel in alarm."""
    until_on(page, lambda: page.evaluate(DRAWN) == count, f"{count} views to be drawn")
    page.wait_for_timeout(3000)  # longer than a panel waits for an answer
    said = page.locator("body").inner_text().lower()
    assert [words for words in IMPOSSIBLE if words in said] == []
    assert page.locator('.kw-note[data-tone="warn"], .kw-note[data-tone="error"]').count() == 0


def check_still(page: Page) -> None:
    """Look that no view changes its height by itself."""
    heights = "[...document.querySelectorAll('.kw-view')].map((view) => view.offsetHeight)"
    before = page.evaluate(heights)
    for _ in range(20):
        page.wait_for_timeout(30)
        assert page.evaluate(heights) == before


def check_linked(page: Page) -> None:
    """Choose a function in the grid: the inspector of the same stream shows it."""
    inspector = page.locator(".kw-spline-inspector canvas").first
    pixels = "canvas => canvas.toDataURL()"
    page.locator(".kw-spline-inspector").scroll_into_view_if_needed()
    before = inspector.evaluate(pixels)
    page.locator(".kw-kernel-grid").scroll_into_view_if_needed()
    box = page.evaluate("document.querySelector('.kw-kernel-grid').kwView.at('7')")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator(".kw-spline-inspector").scroll_into_view_if_needed()
    until_on(page, lambda: inspector.evaluate(pixels) != before, "the function to be shown")


def test_nbconvert_shows_live_views_where_there_is_a_network(
    views: tuple[Any, ...], open_page: Open, tmp_path: Path, artifacts: Path
) -> None:
    path = converted(notebook_of(views, state=True), tmp_path / "page.html")
    page = open_page(path, online=True)
    check_live(page, len(views))
    check_still(page)
    page.screenshot(path=artifacts / "page.png", full_page=True)
    check_linked(page)


def test_without_saved_state_nbconvert_shows_pictures(
    views: tuple[Any, ...], open_page: Open, tmp_path: Path
) -> None:
    page = open_page(
        converted(notebook_of(views, state=False), tmp_path / "page.html"), online=False
    )
    assert page.evaluate(SHOWN) == len(views)


@pytest.mark.parametrize("online", [True, False])
def test_the_template_shows_pictures_until_live_views_are_there(
    online: bool, views: tuple[Any, ...], open_page: Open, tmp_path: Path, artifacts: Path
) -> None:
    folder = Path(kw.__file__).parent / "widgets" / "nbconvert"
    installed = tmp_path / "nbconvert" / "templates" / "kan_widgets"
    installed.parent.mkdir(parents=True)
    installed.symlink_to(folder)
    path = converted(
        notebook_of(views, state=True),
        tmp_path / "page.html",
        template_name="kan_widgets",
        extra_template_basedirs=[str(installed.parent)],
    )
    page = open_page(path, online=online)
    if online:
        check_live(page, len(views))
    page.screenshot(path=artifacts / "page.png", full_page=True)
    assert page.evaluate(SHOWN) == (0 if online else len(views))


def test_embedded_views_of_one_stream_are_live_and_linked(
    views: tuple[Any, ...], open_page: Open, tmp_path: Path, artifacts: Path
) -> None:
    path = tmp_path / "page.html"
    embed_minimal_html(str(path), views=views, state=dependency_state(views))
    # What is installed is another build of the script than the one whose hash the page has.
    path.write_text(re.sub(r' integrity="[^"]*"', "", path.read_text("utf-8")), encoding="utf-8")
    page = open_page(path, online=True)
    check_live(page, len(views))
    page.screenshot(path=artifacts / "page.png", full_page=True)
    check_linked(page)
