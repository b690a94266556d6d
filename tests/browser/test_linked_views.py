"""Several views of one stream: what one does the others follow, and a frame crosses once."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import Grid, LabPage, LabServer
from tests.browser.test_time import SETUP

pytestmark = pytest.mark.browser

VIEWS = ("kernel-grid", "spline-inspector", "meshgrid-view")
BLOCK = "train(4)\nwait_for('go')"
DASHBOARD = "dashboard = kw.Dashboard(live, page='functions')\ndashboard"


def open_dashboard(
    lab: LabPage, server: LabServer, *more: str, show: str = DASHBOARD, width: int = 1680
) -> Grid:
    """Open a notebook with the three views in its second cell, drawn, in a window for them all."""
    lab.page.set_viewport_size({"width": width, "height": 1800})
    lab.open(server.write_notebook([SETUP, show, *more]))
    lab.run_cell(0)
    lab.run_cell(1)
    assert lab.cell_errors() == []
    grid = lab.grid()
    lab.until_shown(lambda: None not in steps(lab), "all three views to be drawn")
    return grid


def ask(lab: LabPage, name: str, expression: str) -> Any:
    """Ask the first view of a kind for something that it exports for tests."""
    return lab.page.evaluate(
        f"() => {{ const element = document.querySelector('.kw-{name}');"
        f"const view = element?.kwView; return {expression}; }}"
    )


def steps(lab: LabPage) -> list[int | None]:
    return [ask(lab, name, "view?.step() ?? null") for name in VIEWS]


def pixels(lab: LabPage, name: str) -> str:
    return str(
        ask(
            lab,
            name,
            "[...element.querySelectorAll('canvas')].map((c) => c.toDataURL()).join()",
        )
    )


def test_a_click_in_the_grid_moves_the_other_views_while_a_cell_runs(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    grid = open_dashboard(lab, server, BLOCK)
    lab.run_cell(2, wait=False)
    lab.until(lambda: steps(lab) == [4, 4, 4], "the frames of the cell")
    before = {name: pixels(lab, name) for name in VIEWS}
    grid.scroll_into_view()
    grid.click(13)
    chosen = {"layer": "0", "out": 1, "in": 0, "row": 1, "column": 1}
    lab.until(lambda: ask(lab, "spline-inspector", "view.selection()") == chosen, "the inspector")
    lab.page.mouse.move(0, 0)
    lab.until(
        lambda: all(pixels(lab, name) != before[name] for name in VIEWS), "all views to change"
    )
    assert lab.is_running(2)
    lab.let_go("go")
    lab.wait_idle()
    lab.until(lambda: lab.evaluate("live.feed.selection") == chosen, "the selection in Python")


def test_a_selection_from_python_moves_every_view_to_its_layer(
    lab: LabPage, server: LabServer
) -> None:
    open_dashboard(lab, server)
    lab.evaluate("0", "live.select('2', 2, 31)")
    chosen = {"layer": "2", "out": 2, "in": 31, "row": 0, "column": 0}
    lab.until(lambda: ask(lab, "spline-inspector", "view.selection()") == chosen, "the inspector")
    for name in ("kernel-grid", "meshgrid-view"):
        lab.until(lambda name=name: ask(lab, name, "view.layer()") == "2", f"the layer of {name}")
    lab.until(lambda: ask(lab, "kernel-grid", "view.selected()") == 2 * 32 + 31, "the grid")


def layers(lab: LabPage) -> list[str]:
    """Give the layer that each view shows."""
    asked = ("view.layer()", "view.selection()?.layer", "view.layer()")
    return [ask(lab, name, what) for name, what in zip(VIEWS, asked, strict=True)]


@pytest.mark.parametrize(
    "show",
    [
        DASHBOARD,
        # Another grid that shows the layer already, and views of which only one is seen.
        "from IPython.display import display\ndashboard = kw.Dashboard(live, page='functions')\n"
        "display(dashboard, kw.KernelGrid(live, layer=1))",
        "import ipywidgets\ndashboard = kw.Dashboard(live, page='functions')\n"
        "tab = ipywidgets.Tab([ipywidgets.VBox([view]) for view in dashboard.views[1:4]])\ntab",
    ],
    ids=["alone", "beside another grid", "in tabs"],
)
def test_a_layer_chosen_in_a_dashboard_is_shown_by_all_views_while_a_cell_runs(
    lab: LabPage, server: LabServer, artifacts: Path, show: str
) -> None:
    lab.page.set_viewport_size({"width": 1680, "height": 1800})
    lab.open(server.write_notebook([SETUP, show, BLOCK]))
    lab.run_cell(0)
    lab.run_cell(1)
    assert lab.cell_errors() == []
    lab.grid()
    lab.evaluate("0", "live.select('0', 1, 0, 1, 1)")
    lab.run_cell(2, wait=False)
    lab.grid().wait_step(4)
    folded = "tab" in show

    def bring(number: int) -> None:
        if folded:
            lab.page.locator(".jp-OutputArea-output .lm-TabBar-tab").nth(number).click()
        lab.until(lambda: steps(lab)[number] == 4, f"{VIEWS[number]} to be drawn")

    for number, (name, wanted) in enumerate(zip(VIEWS, ("2", "0", "2"), strict=True)):
        bring(number)
        view = lab.page.locator(f".kw-{name}" if folded else ".kw-dashboard > .kw-header").first
        tab = view.locator(".kw-segment", has_text=re.compile(f"^layer {wanted} "))
        menu = view.locator(".kw-layer-menu select")
        if tab.count() and tab.first.is_visible():
            tab.first.click()
        else:
            menu.select_option(wanted)
        for other in range(3):
            bring(other)
            lab.until(
                lambda other=other, wanted=wanted: layers(lab)[other] == wanted,
                f"layer {wanted} in {VIEWS[other]}, chosen in {name}",
            )
    lab.screenshot(artifacts / "linked.png")
    assert lab.is_running(2)
    lab.let_go("go")
    lab.wait_idle()
    chosen = "[view.layer for view in (dashboard.grid, dashboard.inspector, dashboard.meshgrid)]"
    lab.until(lambda: lab.evaluate(chosen) == ["2"] * 3, "the layer in Python")
    # From Python, of any of them.
    lab.evaluate("0", "dashboard.meshgrid.layer = '0'")
    assert lab.evaluate(chosen) == ["0"] * 3
    for number in range(3):
        bring(number)
        lab.until(lambda number=number: layers(lab)[number] == "0", f"layer 0 in {VIEWS[number]}")


def test_linking_the_cursors_of_two_streams_moves_both(lab: LabPage, server: LabServer) -> None:
    show = """
import ipywidgets
from kan_widgets.widgets.wire import outbox
outbox._LONG_WAITS = 1  # where processors are taken frames are left out, and here none may be
other_model = torch.nn.Sequential(kw.nn.KANConv2d(1, 1, 3), torch.nn.Flatten())
other_optimizer = torch.optim.SGD(other_model.parameters(), 0.1)
other = kw.bind(other_model, other_optimizer, every=1000)
grids = [kw.KernelGrid(live), kw.KernelGrid(other)]
link = ipywidgets.jslink((grids[0].stream, "cursor"), (grids[1].stream, "cursor"))
ipywidgets.VBox(grids)
"""
    both = """
train(10)
for _ in range(10):
    other_optimizer.zero_grad()
    other_model(x).sum().backward()
    other_optimizer.step()
    other.refresh()
wait_for("go")
"""
    lab.page.set_viewport_size({"width": 1280, "height": 1800})
    lab.open(server.write_notebook([SETUP, show, both]))
    lab.run_cell(0)
    lab.run_cell(1)
    grids = [lab.grid(0), lab.grid(1)]
    lab.run_cell(2, wait=False)
    for grid in grids:
        grid.wait_step(10)
    tracks = lab.page.locator(".kw-track")
    kept = "all => all.map((track) => track.dataset.steps)"
    lab.until(lambda: tracks.evaluate_all(kept) == ["11", "11"], "all steps in both histories")
    for _ in range(4):
        tracks.first.press("ArrowLeft")
    lab.until(lambda: [grid.step() for grid in grids] == [6, 6], "step 6 in both")
    assert lab.is_running(2)
    lab.let_go("go")
    lab.wait_idle()


def test_a_frame_crosses_the_wire_once_whatever_the_number_of_views(
    lab: LabPage, server: LabServer
) -> None:
    frame = "live.refresh();"
    cells = [frame, "kw.SplineInspector(live)", frame, "kw.MeshgridView(live)", frame]
    lab.open(server.write_notebook([SETUP, "kw.KernelGrid(live)", *cells]))
    lab.run_cell(0)
    lab.page.set_viewport_size({"width": 1280, "height": 2600})
    received = []
    for shown, index in itertools.product(range(3), range(2)):
        lab.run_cell(1 + 2 * shown + index)
        lab.until(
            lambda shown=shown: sum(step is not None for step in steps(lab)) == shown + 1,
            f"{shown + 1} views",
        )
    change = "with torch.no_grad(): model[0].base_weight.mul_(0.9)"
    for shown in (3, 1):
        if shown == 1:
            lab.clear_output(3)
            lab.clear_output(5)
            lab.until(lambda: steps(lab).count(None) == 2, "one view")
        # A message of something else may come in between: the least of several counts.
        without, sent = (
            min(traffic_of(lab, code) for _ in range(6))
            for code in (change, f"{change}\nlive.refresh()")
        )
        received.append((sent[0] - without[0], sent[1] - without[1]))
    assert lab.cell_errors() == []
    # Identifiers of messages, which are counted, get a digit more, and dates differ: that is some
    # characters a message, of which each has its own identifier and that of what it answers.
    (bytes_of_three, messages_of_three), (bytes_of_one, messages_of_one) = received
    assert messages_of_three == messages_of_one
    assert abs(bytes_of_three - bytes_of_one) <= 16 * messages_of_one
    size = lab.evaluate("live.frame.nbytes")
    # As all is quiet, it goes twice: as a message, and as the state for a reload.
    assert 2 * size < bytes_of_one < 3 * size


def traffic_of(lab: LabPage, code: str) -> tuple[int, int]:
    """Run code in the kernel, unseen; give the bytes and messages that the page then received."""
    lab.page.wait_for_timeout(500)
    before = lab.traffic.received_bytes, lab.traffic.received
    lab.script(
        """
        const kernel = panel.sessionContext.session.kernel;
        await kernel.requestExecute({code: arg, silent: true, store_history: false}).done;
        """,
        code,
    )
    lab.page.wait_for_timeout(500)
    return lab.traffic.received_bytes - before[0], lab.traffic.received - before[1]


def test_the_dashboard_fits_without_overlaps_or_scroll_bars(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    train = (
        "live.observe(x);\ntrain(12)\nlive.select('0', 1, 0, 1, 1)\n"
        "for k in range(12): live.log(k, loss=1 / (1 + k), accuracy=k / 12)"
    )
    show = DASHBOARD.replace("(live,", "(live, layout={'width': f'{width}px'},")
    lab.open(server.write_notebook([f"{SETUP}\nwidth = 600", show, train]))
    lab.run_cell(0)
    lab.script("await app.commands.execute('application:toggle-left-area');")
    for width, theme in (
        (600, "JupyterLab Light"),
        (1000, "JupyterLab Dark"),
        (1600, "JupyterLab Light"),
    ):
        tall = 1800 if width == 600 else 900
        lab.page.set_viewport_size({"width": width + 320, "height": tall})
        lab.set_theme(theme)
        lab.evaluate("0", f"width = {width}")
        lab.run_cell(1)
        lab.until_shown(lambda: None not in steps(lab), "all three views to be drawn")
        if width == 600:
            lab.run_cell(2)
        assert lab.cell_errors() == []
        lab.until(lambda: steps(lab) == [12, 12, 12], "the frames")
        check_fit(lab, width, artifacts / f"dashboard_{width}.png")


def check_fit(lab: LabPage, width: int, picture: Path) -> None:
    """Assert that a dashboard of that width has its panels where they belong."""
    lab.page.locator(".kw-kernel-grid").scroll_into_view_if_needed()
    if width >= 1600:  # beside the buttons of a training there is no room for tabs in less
        tabs = lab.page.locator(".kw-dashboard .kw-tabs").first
        lab.until(tabs.is_visible, "the header to be laid out")
    lab.page.wait_for_timeout(500)
    lab.screenshot(picture)
    boxes = lab.page.evaluate(
        """() => {
          const panels = [...document.querySelectorAll('.kw-dashboard .kw-panel:not([hidden])')];
          return panels.map((panel) => {
            const {left, top, right, bottom} = panel.getBoundingClientRect();
            return {left, top, right, bottom};
          });
        }"""
    )
    outside = lab.page.evaluate(
        """() => {
          const box = document.querySelector('.kw-dashboard');
          const output = box.closest('.jp-OutputArea-child, .jp-LinkedOutputView') ?? box;
          const {left, right, height} = box.getBoundingClientRect();
          const scrolls = [box, ...box.querySelectorAll('*')].filter((e) =>
            /auto|scroll/.test(getComputedStyle(e).overflow)
            && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1));
          return {left, right, height, more: output.scrollWidth - output.clientWidth,
                  scrolls: scrolls.map((e) => [e.className, e.closest('.kw-panel')?.dataset.panel,
                    e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight])};
        }"""
    )
    assert outside["more"] <= 1
    assert outside["scrolls"] == []
    for box in boxes:
        assert outside["left"] - 1 <= box["left"] < box["right"] <= outside["right"] + 1
    for a, b in itertools.combinations(boxes, 2):
        beside = a["right"] <= b["left"] or b["right"] <= a["left"]
        assert beside or a["bottom"] <= b["top"] or b["bottom"] <= a["top"]
    assert len({round(box["left"]) for box in boxes}) == 2
    kernels, function, response = boxes
    if width < 880:  # the kernels stand over both other panels, which are beside each other
        assert kernels["bottom"] <= function["top"] == pytest.approx(response["top"], abs=2)
        assert function["right"] < response["left"]
    else:  # all of it fits the window
        assert outside["height"] < 780
        assert kernels["top"] == pytest.approx(function["top"], abs=2)
        assert kernels["right"] < function["left"] == pytest.approx(response["left"], abs=2)
        assert max(kernels["bottom"], function["bottom"]) <= response["bottom"] + 2
    assert visible_controls(lab) <= 12
    choose_in_menu(lab, "all controls")
    lab.until(lambda: visible_controls(lab) > 20, "all controls")


def choose_in_menu(lab: LabPage, name: str) -> None:
    """Press a button of the dashboard's menu."""
    menu = lab.page.locator(".kw-dashboard .kw-menu").first
    button = menu.get_by_role("button", name=name, exact=True)

    def opens() -> bool:
        # The header may be laid out anew between the pointer's going down and up.
        if not button.is_visible():
            menu.locator("summary").click()
        return button.is_visible()

    lab.until(opens, f"the menu with {name!r}")
    button.click()
    menu.locator("summary").click()


def visible_controls(lab: LabPage) -> int:
    """Count what can be operated in the dashboard: each of several tabs or pages, too."""
    return int(
        lab.page.evaluate(
            """() => {
              const operated = 'button, select, input, summary, [role=slider], [role=button]';
              const all = document.querySelectorAll(`.kw-dashboard :is(${operated})`);
              const how = {visibilityProperty: true};
              return [...all].filter((e) =>
                e.checkVisibility(how) && !e.closest('.kw-places')).length;
            }"""
        )
    )


def test_the_dashboard_takes_the_whole_screen_and_gives_it_back(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    open_dashboard(lab, server)
    whole = "document.fullscreenElement?.classList.contains('kw-dashboard') ?? false"
    choose_in_menu(lab, "full screen")
    lab.until(lambda: lab.page.evaluate(whole), "the whole screen")
    lab.screenshot(artifacts / "whole.png")
    choose_in_menu(lab, "leave full screen")
    lab.until(lambda: not lab.page.evaluate(whole), "the notebook")


def test_the_dashboard_docks_beside_the_notebook(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    dock = "dashboard = kw.Dashboard(live, page='functions')\ndashboard.dock('right')"
    open_dashboard(lab, server, BLOCK, show=dock)
    # What is out of sight is not drawn.
    lab.page.set_viewport_size({"width": 1680, "height": 2600})
    assert lab.page.locator(".jp-Notebook .kw-kernel-grid").count() == 0
    lab.run_cell(2, wait=False)
    lab.until(lambda: steps(lab)[:2] == [4, 4], "frames during the cell")
    # The panels stand one below the other: the last is drawn when it is scrolled to.
    lab.page.locator(".kw-meshgrid-view").first.scroll_into_view_if_needed()
    lab.until(lambda: steps(lab) == [4, 4, 4], "the frame in the last panel")
    lab.page.wait_for_timeout(300)
    lab.screenshot(artifacts / "docked.png")
    assert lab.is_running(2)
    lab.let_go("go")
    lab.wait_idle()
    lab.evaluate("0", "dashboard.dock('split-bottom')")
    lab.until(lambda: lab.grid_count() == 1 and None not in steps(lab), "the moved dashboard")
    lab.evaluate("0", "dashboard.close()")
    lab.until(lambda: lab.grid_count() == 0, "the end of the dashboard")


LINKED = """
import ipywidgets
from IPython.display import display
other = torch.nn.Sequential(
    kw.nn.KANConv2d(1, 2, 3), torch.nn.Flatten(), kw.nn.KANLinear(2 * 4 * 4, 3)
)
one, two = kw.KernelGrid(live), kw.KernelGrid(kw.bind(other, class_names=["cat", "dog", "emu"]))
step = ipywidgets.IntSlider(value=-1, min=-1, max=9)
for name in ("selection", "layer"):
    ipywidgets.jslink((one, name), (two, name))
ipywidgets.jslink((one, "cursor"), (step, "value"))
display(one, two, step)
"""


def test_views_of_two_models_are_linked_in_the_page_and_say_the_names(
    lab: LabPage, server: LabServer
) -> None:
    lab.page.set_viewport_size({"width": 1680, "height": 1800})
    lab.open(server.write_notebook([SETUP, LINKED, BLOCK]))
    lab.run_cell(0)
    lab.run_cell(1)
    assert lab.cell_errors() == []
    grid = lab.grid()
    second = "document.querySelectorAll('.kw-kernel-grid')[1]"
    lab.until(lambda: lab.grid_count() == 2 and grid.is_ready(), "both grids")
    lab.run_cell(2, wait=False)
    lab.until(lambda: grid.step() == 4, "the frames of the cell")
    grid.click(13)
    lab.until(lambda: lab.page.evaluate(f"{second}.kwView.selected()") == 13, "the other grid")
    assert lab.is_running(2)
    lab.let_go("go")
    lab.wait_idle()
    chosen = {"layer": "0", "out": 1, "in": 0, "row": 1, "column": 1}
    lab.until(lambda: lab.evaluate("[one.selection, two.selection]") == [chosen] * 2, "Python")
    assert lab.evaluate("two.live.feed.selection") == chosen
    lab.evaluate("0", "step.value = 2")
    lab.until(lambda: grid.step() == 2, "the step of the slider")
    lab.until(lambda: lab.evaluate("[one.cursor, one.stream.cursor]") == [2, 2], "the cursor")
    lab.evaluate("0", "one.layer = 1")
    words = f"{second}.kwView.words()"
    lab.until(lambda: {"cat", "dog", "emu"} <= set(lab.page.evaluate(words)), "the names")
    assert lab.evaluate("two.layer") == "2"


def test_python_hears_of_each_selection_once_whichever_layer_it_is_in(
    lab: LabPage, server: LabServer
) -> None:
    show = (
        "live.probe(x[:8])\ndashboard = kw.Dashboard(live)\nheard = []\n"
        "dashboard.network.on_select(lambda at: heard.append((at['layer'], at['out'])))\ndashboard"
    )
    lab.page.set_viewport_size({"width": 1680, "height": 1200})
    lab.open(server.write_notebook([SETUP, show, "train(4)"]))
    lab.run_all()
    assert lab.cell_errors() == []
    lab.page.locator(".kw-network-view .kw-viewport").scroll_into_view_if_needed()
    clicked = {"u:1:0": ["0", 0], "u:2:1": ["2", 1], "u:1:1": ["0", 1]}
    for unit in clicked:
        place = f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])(view.at('{unit}'))"
        lab.until(lambda unit=unit: ask(lab, "network-view", f"view?.at('{unit}')"), unit)
        lab.page.mouse.click(*ask(lab, "network-view", place))
        now = clicked[unit]
        lab.until(lambda now=now: lab.evaluate("heard[-1:]") == [now], f"{now} in Python")
    lab.wait_idle()
    assert lab.evaluate("heard") == list(clicked.values())
