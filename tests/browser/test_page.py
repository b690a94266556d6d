"""Pages saved by save_html, opened from disk in a real Chromium with no network at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Route

import kan_widgets as kw
from tests.browser.lab import decode, until_on
from tests.browser.test_meshgrid_view import HAS_PAIR, HAS_RESPONSE, INPUT, PAIR, RESPONSE
from tests.printed import printed

pytestmark = pytest.mark.browser

HOSTILE = "</script><script>window_broken = 1</script><img src=x onerror=alert(1)>"
VIEWS = ("kernel-grid", "spline-inspector", "meshgrid-view")
STEPS = 6
# A comparison's numbers, the cells of a row of ranges, the words of all curves: as a page has them.
ROWS = "Object.fromEntries({}.shown.rows.map(({{key, values}}) => [key, values]) ?? [])"
CELLS = (
    "{0}.scene().layout.cells.map(({{column}}) =>"
    " column.lines({0}.scene().content.rows[{1}].numbers))"
)
CURVES = (
    "Array.from({length: 200}, (_, k) => view.scene().sites.words("
    "`curves/${Math.floor(k / 20)}/${k % 20}`)).filter(Boolean)"
)


@dataclass
class Opened:
    """A page on the screen, and whatever it tried or complained of."""

    page: Page
    path: Path
    faults: list[str] = field(default_factory=list)

    def ask(self, name: str, expression: str, argument: Any = None) -> Any:
        """Ask the first view of a kind for what it exports for tests."""
        return self.page.evaluate(
            f"arg => {{ const element = document.querySelector('.kw-{name}');"
            f"const view = element?.kwView; return {expression}; }}",
            argument,
        )

    def until(self, condition: Callable[[], Any], what: str) -> None:
        until_on(self.page, condition, what)

    def steps(self) -> list[int | None]:
        """The step that each of the three views draws."""
        return [self.ask(name, "view?.step() ?? null") for name in VIEWS]

    def choose(self, name: str, label: str) -> None:
        """Choose a layer or a mode of a view, which has a menu for it or, with room, segments."""
        view = self.page.locator(f".kw-{name}")
        menu = view.locator("select", has=self.page.locator("option", has_text=label)).first
        if menu.is_visible():
            menu.select_option(label=label)
        else:
            view.locator(".kw-segment", has_text=label).first.click()

    def choose_layer(self, number: int) -> None:
        """Choose a layer at the top of the dashboard, which has tabs or a menu for it."""
        head = self.page.locator(".kw-dashboard > .kw-header")
        menu = head.locator(".kw-layer-menu select")
        if menu.is_visible():
            menu.select_option(index=number)
        else:
            head.locator(".kw-tabs .kw-segment").nth(number).click()

    def pixels(self, name: str) -> str:
        return str(
            self.ask(
                name, "[...element.querySelectorAll('canvas')].map((c) => c.toDataURL()).join()"
            )
        )

    def at(self, name: str, expression: str, across: float, down: float) -> tuple[float, float]:
        """Give a point of a rectangle that a view exports."""
        box = self.ask(name, expression)
        return box["x"] + across * box["width"], box["y"] + down * box["height"]

    def screenshot(self, path: Path) -> NDArray[np.uint8]:
        return decode(self.page.screenshot(path=path, full_page=True))


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """Give what opens a file in a fresh profile that refuses and records every request."""
    contexts: list[BrowserContext] = []
    opened: list[Opened] = []

    def open_(path: Path, query: str = "", frame: Path | None = None, **options: Any) -> Opened:
        context = browser.new_context(viewport={"width": 1400, "height": 1000}, **options)
        contexts.append(context)
        context.set_offline(True)
        shown = Opened(context.new_page(), path)
        opened.append(shown)
        address = path.as_uri() + query
        files = {address, frame.as_uri() if frame else address}

        def refuse(route: Route) -> None:
            if route.request.url in files:
                route.continue_()
                return
            shown.faults.append(f"asked for {route.request.url}")
            route.abort()

        def saw(request: Request) -> None:
            # Data inside the page is no request to a network.
            if request.url not in files and not request.url.startswith("data:"):
                shown.faults.append(f"request: {request.url}")

        def said(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                shown.faults.append(f"console: {message.text}")

        context.route("**/*", refuse)
        shown.page.on("request", saw)
        shown.page.on("websocket", lambda socket: shown.faults.append(f"socket: {socket.url}"))
        shown.page.on("console", said)
        shown.page.on("pageerror", lambda error: shown.faults.append(f"uncaught: {error}"))
        shown.page.on("dialog", lambda dialog: shown.faults.append(f"dialog: {dialog.message}"))
        shown.page.goto(address)
        return shown

    yield open_
    faults = [fault for shown in opened for fault in shown.faults]
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(scope="module")
def trained() -> tuple[torch.nn.Sequential, kw.Binding, torch.Tensor]:
    """Give a model with a history of frames, and some digits that were observed."""
    torch.manual_seed(0)
    model = torch.nn.Sequential()
    model.add_module("first", kw.nn.KANConv2d(1, 4, 3, padding=1))
    model.add_module(HOSTILE.replace(".", ""), kw.nn.KANConv2d(4, 2, 3))
    live = kw.bind(model, every=1)
    for _ in range(STEPS):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.05 * torch.randn_like(parameter)
        live.step()
        live.refresh()
    images = kw.data.mnist("embedded").test_images[:3]
    live.observe(images)
    return model, live, images


@pytest.fixture(scope="module")
def saved(
    trained: tuple[torch.nn.Sequential, kw.Binding, torch.Tensor],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Give the page of a dashboard, with an observed batch."""
    _, live, images = trained
    dashboard = kw.Dashboard(live, page="functions")
    dashboard.meshgrid.images = images
    dashboard.meshgrid.mode = "response"
    return dashboard.save_html(tmp_path_factory.mktemp("pages") / "page.html", title=HOSTILE)


def drawn(shown: Opened) -> Opened:
    shown.until(lambda: shown.steps() == [STEPS] * 3, "all views to be drawn")
    return shown


def test_hovering_reads_the_function_and_a_click_selects_it_in_every_view(
    open_page: Callable[..., Opened],
    saved: Path,
    trained: tuple[torch.nn.Sequential, kw.Binding, torch.Tensor],
    artifacts: Path,
) -> None:
    shown = drawn(open_page(saved))
    model, _, _ = trained
    curve = shown.ask(
        "kernel-grid", "(({x, y}) => [Array.from(x), Array.from(y)])(view.curve(arg))", 13
    )
    x = torch.tensor(curve[0], dtype=torch.float64)
    expected = kw.functions.read(model)[0].evaluate(x).reshape(-1, len(x))[13]
    assert np.abs(np.asarray(curve[1]) - expected.numpy()).max() < 1e-5

    before = {name: shown.pixels(name) for name in VIEWS}
    point = shown.at("kernel-grid", "view.at('13')", 0.5, 0.5)
    shown.page.mouse.move(*point)
    shown.until(lambda: shown.ask("kernel-grid", "view.scene()?.marked.hovered") == 13, "the hover")
    shown.until(lambda: shown.page.locator(".kw-kernel-grid .kw-tip").is_visible(), "the tip")
    shown.page.mouse.click(*point)
    chosen = {"layer": "first", "out": 1, "in": 0, "row": 1, "column": 1}
    shown.until(
        lambda: shown.ask("spline-inspector", "view.selection()") == chosen, "the inspector"
    )
    shown.page.mouse.move(0, 0)
    shown.until(
        lambda: all(shown.pixels(name) != before[name] for name in VIEWS), "all views to change"
    )
    shown.screenshot(artifacts / "selected.png")


def test_modes_layers_and_names_that_look_like_html(
    open_page: Callable[..., Opened], saved: Path
) -> None:
    shown = drawn(open_page(saved))
    for mode in ("pattern", "change", "curves"):
        before = shown.pixels("kernel-grid")
        shown.choose("kernel-grid", mode)
        shown.until(lambda before=before: shown.pixels("kernel-grid") != before, mode)
    shown.choose_layer(1)
    shown.until(lambda: shown.ask("kernel-grid", "view.layer()") == HOSTILE, "the layer")
    shown.page.locator(".kw-kernel-grid canvas").first.hover()
    shown.choose("meshgrid-view", "sum of two")
    shown.until(lambda: shown.ask("meshgrid-view", HAS_PAIR), "the pair")
    # The inputs observed came along.
    shown.until(
        lambda: shown.ask("meshgrid-view", f"{PAIR}.density !== null"), "the observed inputs"
    )
    assert shown.page.locator("h1").inner_text() == HOSTILE
    assert shown.page.title() == HOSTILE
    assert shown.page.evaluate("typeof window_broken") == "undefined"
    assert shown.page.locator("main img, main script").count() == 0


def test_a_layer_chosen_at_the_top_is_shown_by_all(
    open_page: Callable[..., Opened], saved: Path
) -> None:
    shown = drawn(open_page(saved))
    second = HOSTILE.replace(".", "")
    for index in (1, 0):
        shown.choose_layer(index)
        wanted = ("first", second)[index]
        for name, asked in [
            ("kernel-grid", "view.layer()"),
            ("spline-inspector", "view.selection()?.layer"),
            ("meshgrid-view", "view.layer()"),
        ]:
            shown.until(
                lambda name=name, asked=asked, wanted=wanted: shown.ask(name, asked) == wanted,
                f"layer {wanted} in {name}",
            )


def test_scrubbing_moves_all_views_through_the_history(
    open_page: Callable[..., Opened],
    saved: Path,
    trained: tuple[torch.nn.Sequential, kw.Binding, torch.Tensor],
    artifacts: Path,
) -> None:
    shown = drawn(open_page(saved))
    _, live, _ = trained
    track = shown.page.locator(".kw-track").first
    box = track.bounding_box()
    assert box is not None
    shown.page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    shown.page.mouse.down()
    shown.page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2, steps=5)
    shown.page.mouse.up()
    shown.until(lambda: shown.steps() == [STEPS // 3] * 3, "the step in all views")
    curve = shown.ask(
        "kernel-grid", "(({x, y}) => [Array.from(x), Array.from(y)])(view.curve(arg))", 4
    )
    x, y = live.history.at(STEPS // 3).evaluate("first")
    assert np.interp(curve[0], x, y.reshape(-1, len(x))[4]) == pytest.approx(curve[1], abs=1e-3)
    assert "earlier" in shown.page.locator(".kw-dashboard > .kw-caption").inner_text()
    assert shown.page.locator(".kw-time-step").first.inner_text() == f"step {STEPS // 3}"
    shown.screenshot(artifacts / "looking_back.png")
    latest = shown.page.locator(".kw-newest").first
    assert latest.inner_text() == "newest"
    latest.click()
    shown.until(lambda: shown.steps() == [STEPS] * 3, "the latest step in all views")


def test_an_image_drawn_with_the_mouse_gets_torchs_response(
    open_page: Callable[..., Opened],
    saved: Path,
    trained: tuple[torch.nn.Sequential, kw.Binding, torch.Tensor],
    artifacts: Path,
) -> None:
    shown = drawn(open_page(saved))
    model, _, images = trained
    name = "meshgrid-view"
    shown.until(lambda: shown.ask(name, HAS_RESPONSE), "a response")

    def largest_difference() -> float:
        image = shown.ask(name, INPUT)
        size = [image["channels"], image["height"], image["width"]]
        with torch.no_grad():
            expected = model[0](torch.tensor(image["data"]).reshape(1, *size))[0].numpy()
        maps = [shown.ask(name, f"{RESPONSE}.data", output) for output in range(4)]
        return float(np.abs(np.reshape(maps, expected.shape) - expected).max())

    assert np.allclose(shown.ask(name, f"{INPUT}.data"), images[0].flatten())
    assert largest_difference() < 1e-4
    shown.page.locator(".kw-menu summary").click()
    shown.page.get_by_role("button", name="all controls").click()
    shown.choose(name, "draw")
    shown.until(lambda: max(shown.ask(name, f"{INPUT}.data")) == -1, "a blank")
    centred = "view => view.scrollIntoView({ block: 'center' })"
    shown.page.locator(f".kw-{name}").evaluate(centred)
    shown.page.mouse.move(*shown.at(name, "view.at('input')", 0.3, 0.25))
    shown.page.mouse.down()
    for across, down in [(0.68, 0.25), (0.55, 0.5), (0.4, 0.8)]:
        shown.page.mouse.move(*shown.at(name, "view.at('input')", across, down), steps=6)
    shown.page.mouse.up()
    shown.until(lambda: max(shown.ask(name, f"{INPUT}.data")) > 0.9, "the drawing")
    assert (np.asarray(shown.ask(name, f"{INPUT}.data")) > 0.9).sum() > 30
    shown.until(lambda: largest_difference() < 1e-4, "the response to it")
    shown.screenshot(artifacts / "drawn.png")


def test_colours_follow_the_system_and_then_the_switch(
    open_page: Callable[..., Opened], saved: Path, artifacts: Path
) -> None:
    light = drawn(open_page(saved, color_scheme="light"))
    assert light.screenshot(artifacts / "light.png").mean() > 200
    dark = drawn(open_page(saved, color_scheme="dark"))
    assert dark.screenshot(artifacts / "dark.png").mean() < 80
    before = dark.pixels("kernel-grid")
    dark.page.get_by_label("theme").select_option("light")
    dark.until(lambda: dark.pixels("kernel-grid") != before, "the light colours")
    assert dark.screenshot(artifacts / "switched.png").mean() > 200
    asked = drawn(open_page(saved, "?theme=dark", color_scheme="light"))
    assert asked.screenshot(artifacts / "asked.png").mean() < 80


def test_a_comparison_is_alive_with_the_kernels_of_all_models(
    open_page: Callable[..., Opened],
    trained: tuple[torch.nn.Sequential, kw.Binding, torch.Tensor],
    tmp_path: Path,
    artifacts: Path,
) -> None:
    _, live, _ = trained
    other = kw.nn.KANLinear(3, 2)
    live.log(1, loss=2.0)
    live.log(2, loss=1.0)
    compare = kw.Compare({"KAN": live, "other": other})
    sizes = [record["parameters"] for record in compare.table()]
    rows = {"parameters": [f"{size:,}" for size in sizes]}
    path = kw.save_html(tmp_path / "page.html", compare)
    compare.close()
    for scheme in ("light", "dark"):
        shown = open_page(path, color_scheme=scheme)
        asked = "document.querySelector('.kw-compare')?.kwView"
        shown.until(
            lambda shown=shown, asked=asked: (
                (shown.page.evaluate(ROWS.format(f"{asked}?.scene()?")) or {}).items()
                >= rows.items()
            ),
            "its numbers",
        )
        assert shown.page.evaluate(f"{asked}.values()") == ["KAN 1"]
        kernels = shown.page.locator(".kw-compare .kw-kernel-grid")
        steps = "views => views.map((view) => view.kwView.step())"
        shown.until(
            lambda kernels=kernels, steps=steps: kernels.evaluate_all(steps) == [STEPS, 0],
            "all kernels",
        )
        smooth = shown.page.locator(".kw-compare select[aria-label=smooth]")
        assert smooth.is_visible()
        shown.screenshot(artifacts / f"compare_{scheme}.png")


def test_the_ranges_of_layers_are_alive_without_a_kernel(
    open_page: Callable[..., Opened],
    trained: tuple[torch.nn.Sequential, kw.Binding, torch.Tensor],
    tmp_path: Path,
    artifacts: Path,
) -> None:
    _, live, _ = trained
    ranges = kw.LayerRanges(live)
    table = ranges.table()
    path = kw.save_html(tmp_path / "page.html", kw.KernelGrid(live), ranges)
    ranges.close()
    shown = open_page(path)
    asked = "document.querySelector('.kw-layer-ranges')?.kwView"
    shown.until(
        lambda: shown.page.evaluate(f"{asked}?.scene()?.content.step ?? -1") == STEPS, "its numbers"
    )
    last = len(table) - 1
    cells = shown.page.evaluate(CELLS.format(asked, last))
    assert float(cells[0][0]) == float(f"{table[last]['observed_range']:.2g}")
    view = shown.page.locator(".kw-layer-ranges")
    view.locator("select").select_option("change")
    shown.until(
        lambda: shown.page.evaluate(f"{asked}.scene().times.measure") == "change", "other curves"
    )
    place = shown.page.evaluate(f"{asked}.at('{last}')")
    shown.page.mouse.click(place["x"] + 20, place["y"] + 10)
    shown.until(lambda: shown.page.evaluate(f"{asked}.scene().chosen") == last, "the row")
    shown.until(
        lambda: shown.ask("kernel-grid", "view?.layer()") == table[last]["layer"],
        "the grid to follow",
    )
    shown.screenshot(artifacts / "ranges.png")


def test_the_page_lets_nothing_out_even_if_something_tries(
    open_page: Callable[..., Opened], saved: Path
) -> None:
    shown = drawn(open_page(saved))
    refused = shown.page.evaluate(
        """() => new Promise((resolve) => {
          document.addEventListener('securitypolicyviolation', (event) => {
            resolve([event.effectiveDirective, event.blockedURI]);
          });
          new Image().src = 'http://127.0.0.1:9/leak.png';
        })"""
    )
    assert refused == ["img-src", "http://127.0.0.1:9/leak.png"]
    # Chromium says so in the console, and counts a request; what would go out, it never asked for.
    assert {fault.split(":")[0] for fault in shown.faults} == {"console", "request"}
    shown.faults.clear()


@pytest.mark.parametrize(
    ("tag", "given", "refused"),
    [
        ("script", {"textContent": "window_broken = 1"}, "script-src-elem"),
        ("style", {"textContent": "p { color: red }"}, "style-src-elem"),
        ("p", {"innerHTML": "<i onclick='window_broken = 1'>"}, "script-src-attr"),
        ("p", {"innerHTML": "<i style='color: red'>"}, "style-src-attr"),
    ],
)
def test_the_page_runs_nothing_that_is_not_its_own(
    open_page: Callable[..., Opened], saved: Path, tag: str, given: dict[str, str], refused: str
) -> None:
    shown = drawn(open_page(saved))
    directive = shown.page.evaluate(
        """([tag, given]) => new Promise((resolve) => {
          document.addEventListener('securitypolicyviolation', (event) => {
            resolve(event.effectiveDirective);
          });
          document.body.append(Object.assign(document.createElement(tag), given));
        })""",
        [tag, given],
    )
    assert directive == refused
    assert {fault.split(":")[0] for fault in shown.faults} == {"console"}
    shown.faults.clear()


def test_the_page_works_in_a_frame_of_another_page(
    open_page: Callable[..., Opened], saved: Path, tmp_path: Path
) -> None:
    article = tmp_path / "article.html"
    article.write_text(
        f'<!DOCTYPE html><p>See for yourself:</p><iframe id="kernels" src="{saved.as_uri()}" '
        'title="Kernel functions" width="100%" height="900" sandbox="allow-scripts"></iframe>'
    )
    shown = open_page(article, frame=saved)
    frame = shown.page.frame_locator("#kernels")
    frame.locator(".kw-kernel-grid canvas").first.wait_for()
    frame.locator(".kw-kernel-grid select[aria-label='What is drawn']").select_option("pattern")
    text = frame.locator(".kw-time-step").first
    shown.until(lambda: f"step {STEPS}" in text.inner_text(), "the view in the frame")


def test_an_explanation_is_alive_and_linked(
    open_page: Callable[..., Opened], tmp_path: Path, artifacts: Path
) -> None:
    torch.manual_seed(0)
    model = kw.nn.KANCNN(channels=(8, 16), padding=0)
    live = kw.bind(model)
    view = kw.Explain(live, kw.data.mnist("embedded").test_images[3])
    shown = open_page(kw.save_html(tmp_path / "page.html", view, kw.KernelGrid(live)))
    shown.until(lambda: shown.ask("explain", "!!view?.scene()?.content"), "the explanation")
    shares = view.explanation.functions[0].contributions[view.explanation.target]
    order = np.argsort(-np.abs(shares), kind="stable")
    # The numbers are those of the model that was saved.
    names = shown.ask("explain", CURVES)
    most = float(shares[order[0]])
    words = printed(most).replace("-", "−")
    assert names[0].rpartition(" · x = ")[0].endswith(f" · {'+' if most > 0 else ''}{words}")
    shown.page.mouse.click(*shown.at("explain", "view.at('curves/0/1')", 0.5, 0.5))
    shown.until(lambda: shown.ask("explain", "view.scene().selected") == order[1], "the selection")
    function = view.explanation.target * 400 + order[1]
    shown.until(lambda: shown.ask("kernel-grid", "view.selected()") == function, "the grid")
    # There is no model to explain anything else.
    assert shown.page.locator(".kw-again").first.is_hidden()
    assert shown.page.locator("select[aria-label='class']").is_disabled()
    before = shown.pixels("explain")
    shown.choose("explain", "convs.0")
    shown.until(lambda: shown.ask("explain", "view.scene().part.layer") == "convs.0", "the layer")
    assert shown.pixels("explain") != before
    shown.screenshot(artifacts / "explain.png")


def test_a_drawing_is_cleared_below_it(open_page: Callable[..., Opened], tmp_path: Path) -> None:
    """What is cleared is offered once there is something, where no link runs."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        kw.nn.KANConv2d(1, 2, 3), torch.nn.Flatten(), kw.nn.KANLinear(2 * 26 * 26, 10)
    )
    live = kw.bind(model)
    digits = kw.data.mnist("embedded")
    live.probe(digits.test_images[:2], digits.test_labels[:2])
    shown = open_page(kw.Dashboard(live).save_html(tmp_path / "page.html"))
    shown.until(lambda: shown.ask("network-view", "view?.scene()?.verdict"), "the network")
    clear = shown.page.get_by_role("button", name="clear", exact=True)
    place = (
        "(id => {{ const {{x, y, width, height}} = view.scene().sites.box(id);"
        "const at = element.querySelector('canvas').getBoundingClientRect();"
        "return {{x: at.x + x, y: at.y + y, width, height}} }})('{}')"
    )
    tile = shown.ask("network-view", place.format("x:-1"))
    shown.page.mouse.click(tile["x"] + 8, tile["y"] + 8)
    shown.until(lambda: "drawn yet" in shown.ask("network-view", "view.scene().verdict"), "a blank")
    assert not clear.is_visible()
    pad = shown.ask("network-view", place.format("u:0:0"))
    middle = pad["x"] + pad["width"] / 2
    shown.page.mouse.move(middle, pad["y"] + 0.3 * pad["height"])
    shown.page.mouse.down()
    shown.page.mouse.move(middle, pad["y"] + 0.7 * pad["height"], steps=4)
    shown.page.mouse.up()
    shown.until(clear.is_visible, "the button")
    button = clear.bounding_box()
    assert button
    assert button["y"] >= pad["y"] + pad["height"]
    assert button["x"] + button["width"] <= pad["x"] + pad["width"]
    clear.click()
    shown.until(lambda: not clear.is_visible(), "the button to go")
