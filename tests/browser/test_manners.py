"""How the views behave beside other things on a page: their width, the wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import LabPage, LabServer

pytestmark = pytest.mark.browser

SETUP = """
import ipywidgets
import torch
from IPython.display import display
import kan_widgets as kw

torch.manual_seed(0)
model = kw.nn.KANCNN.article()
optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
live = kw.bind(model, optimizer)
digits = kw.data.mnist("embedded")
live.observe(digits.train_images[:32])
for step in range(1, 60):
    live.log(step, loss=2 / step)

def views():
    return {
        "KernelGrid": kw.KernelGrid(live, height=200),
        "SplineInspector": kw.SplineInspector(live, height=200),
        "MeshgridView": kw.MeshgridView(live, height=200),
        "LayerRanges": kw.LayerRanges(live),
        "Explain": kw.Explain(live, digits.test_images[0]),
        "TrainingPanel": kw.TrainingPanel(live),
        "Compare": kw.Compare({"KAN": live}),
        "Dashboard": kw.Dashboard(live),
    }

def two():
    return kw.KernelGrid(live, height=200), kw.SplineInspector(live, height=200)

def slider():
    return ipywidgets.IntSlider(description="epoch")
"""
ROOTS = (
    ".kw-kernel-grid, .kw-spline-inspector, .kw-meshgrid-view, .kw-layer-ranges, .kw-explain, "
    ".kw-training-panel, .kw-compare"
)
# Of each view in a cell's output: what it is, its width, and the width of the output.
WIDTHS = f"""
const output = panel.content.widgets[arg].node.querySelector('.jp-Cell-outputArea');
const room = output.querySelector('.jp-OutputArea-output').clientWidth;
return [...output.querySelectorAll('{ROOTS}')]
  .filter((root) => root.offsetParent !== null)
  .filter((root) => !root.parentElement.closest('.kw-compare'))
  .map((root) => [root.className.match(/kw-(?!view|host)[a-z-]+/)[0], root.offsetWidth, room]);
"""
LEAST = 300


def widths(lab: LabPage, cell: int, count: int) -> list[tuple[str, float, float]]:
    """Wait for the views of a cell; give their names, widths and the width there is."""

    def settled() -> bool:
        found = lab.script(WIDTHS, cell)
        lab.page.wait_for_timeout(100)
        return len(found) == count and found == lab.script(WIDTHS, cell)

    lab.until_shown(settled, f"{count} views in cell {cell}")
    return [tuple(one) for one in lab.script(WIDTHS, cell)]


def narrow(found: list[tuple[str, float, float]]) -> list[Any]:
    """Give the views that are narrower than they need, and than there is room for."""
    return [one for one in found if one[1] < min(LEAST, one[2] - 20)]


def open_cells(lab: LabPage, server: LabServer, *cells: str) -> None:
    # All cells are there at once, so that scrolling moves by what the wheel says.
    tracker = server.home / "settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True, exist_ok=True)
    tracker.write_text('{"windowingMode": "none"}')
    lab.open(server.write_notebook([SETUP, *cells]))
    lab.run_all()
    assert lab.cell_errors() == []


@pytest.mark.parametrize("window", [600, 1600])
def test_views_beside_each_other_and_beside_a_slider_keep_a_width(
    lab: LabPage, server: LabServer, artifacts: Path, window: int
) -> None:
    names = ("KernelGrid", "SplineInspector", "MeshgridView", "LayerRanges", "Explain")
    names += ("TrainingPanel", "Compare", "Dashboard")
    lab.page.set_viewport_size({"width": window, "height": 900})
    open_cells(
        lab,
        server,
        "ipywidgets.HBox(two())",
        "ipywidgets.Box(two())",
        *(f"ipywidgets.HBox([views()[{name!r}], slider()])" for name in names),
        "ipywidgets.HBox([kw.KernelGrid(live, height=200), kw.TrainingPanel(live)])",
    )
    lab.script("app.commands.execute('application:toggle-left-area');")
    found = {}
    for cell, name in enumerate(["HBox", "Box", *names, "mixed"], start=1):
        lab.script("panel.content.widgets[arg].node.scrollIntoView();", cell)
        count = {"HBox": 2, "Box": 2, "mixed": 2, "Dashboard": 4}.get(name, 1)
        found[name] = widths(lab, cell, count)
        lab.screenshot(artifacts / f"{window}_{name}.png")
    print(found)
    assert {name: narrow(one) for name, one in found.items() if narrow(one)} == {}


CONTAINERS = {
    "VBox": "ipywidgets.VBox(two())",
    "Output": "out = ipywidgets.Output()\nwith out:\n    display(*two())\nout",
    "Grid": """
grid = ipywidgets.GridspecLayout(2, 2)
grid[0, 0], grid[0, 1] = two()
grid[1, :] = kw.TrainingPanel(live)
grid
""",
    "App": """
left, centre = two()
ipywidgets.AppLayout(left_sidebar=left, center=centre, right_sidebar=slider())
""",
    "Square": """
left, right = two()
ipywidgets.TwoByTwoLayout(top_left=left, top_right=right, bottom_left=slider())
""",
    "Asked": """
left, right = two()
left.layout.width = "400px"
ipywidgets.HBox([left, right])
""",
}
FOLDED = {
    "Tab": "ipywidgets.Tab(list(views().values()))",
    "Accordion": "ipywidgets.Accordion(list(views().values()))",
}
HEADS = {"Tab": ".lm-TabBar-tab", "Accordion": ".jupyter-widget-Collapse-header"}


@pytest.mark.parametrize("window", [1000])
def test_views_in_other_boxes_keep_a_width(
    lab: LabPage, server: LabServer, artifacts: Path, window: int
) -> None:
    lab.page.set_viewport_size({"width": window, "height": 900})
    open_cells(lab, server, *CONTAINERS.values())
    lab.script("app.commands.execute('application:toggle-left-area');")
    found = {}
    for cell, name in enumerate(CONTAINERS, start=1):
        lab.script("panel.content.widgets[arg].node.scrollIntoView();", cell)
        found[name] = widths(lab, cell, 3 if name == "Grid" else 2)
        lab.screenshot(artifacts / f"{name}.png")
    print(found)
    assert {name: narrow(one) for name, one in found.items() if narrow(one)} == {}
    (_, asked, _), (_, other, room) = found["Asked"]
    assert asked == pytest.approx(400, abs=2)
    assert other > min(400, room - 420)


@pytest.mark.parametrize("name", list(FOLDED))
def test_views_that_are_unfolded_later_keep_a_width(
    lab: LabPage, server: LabServer, artifacts: Path, name: str
) -> None:
    lab.page.set_viewport_size({"width": 1000, "height": 900})
    open_cells(lab, server, FOLDED[name])
    heads = lab.page.locator(f".jp-OutputArea-output {HEADS[name]}")
    lab.until_shown(lambda: heads.count() == 8, "the heads")
    kinds = ["kernel-grid", "spline-inspector", "meshgrid-view", "layer-ranges", "explain"]
    kinds += ["training-panel", "compare", "kernel-grid"]
    for number, kind in enumerate(kinds):
        if number > 0 or name == "Accordion":
            heads.nth(number).click()

        def shown(kind: str = kind, count: int = 3 if number == 7 else 1) -> Any:
            found = lab.script(WIDTHS, 1)
            right = len(found) == count and found[0][0] == f"kw-{kind}"
            return right and narrow([tuple(one) for one in found]) == []

        lab.until_shown(shown, f"{kind} with a width")
        lab.screenshot(artifacts / f"{number}_{kind}.png")


# Where the wheel is turned in each view.
PLOTS = {
    "KernelGrid": ".kw-kernel-grid canvas",
    "SplineInspector": ".kw-spline-inspector .kw-viewport",
    "MeshgridView": ".kw-meshgrid-view canvas",
    "LayerRanges": ".kw-layer-ranges canvas",
    "Explain": ".kw-explain canvas",
    "TrainingPanel": ".kw-training-panel canvas",
    "Compare": ".kw-compare canvas",
}


def test_the_wheel_over_a_view_scrolls_the_page(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    lab.page.set_viewport_size({"width": 1000, "height": 800})
    # Room to scroll above and below.
    high = "ipywidgets.HTML('<div style=\"height: 1500px\"></div>')"
    shown = ", ".join(f"views()[{name!r}]" for name in PLOTS)
    open_cells(lab, server, high, f"display({shown})", high)
    scroller = "panel.node.querySelector('.jp-WindowedPanel-outer')"
    taken = {}
    for name, plot in PLOTS.items():
        place = lab.page.locator(f".jp-Cell-outputArea {plot}").first
        lab.until_shown(lambda place=place: place.count() == 1 and place.is_visible(), name)
        place.evaluate("node => node.scrollIntoView({block: 'center'})")
        lab.page.wait_for_timeout(300)
        box = place.bounding_box()
        assert box is not None
        # Of a view higher than the window, a place in sight.
        y = max(box["y"] + min(80, box["height"] / 2), 250)
        lab.page.mouse.move(box["x"] + box["width"] / 2, y)
        for turn in (-60, 60):
            before = lab.script(f"return {scroller}.scrollTop;")
            lab.page.mouse.wheel(0, turn)
            lab.page.wait_for_timeout(400)
            moved = lab.script(f"return {scroller}.scrollTop;") - before
            if moved * turn <= 0:
                taken[name] = (turn, moved)
        lab.screenshot(artifacts / f"{name}.png")
    assert taken == {}


def test_a_click_into_the_plot_takes_the_wheel_and_escape_gives_it_back(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    high = "ipywidgets.HTML('<div style=\"height: 1500px\"></div>')"
    open_cells(lab, server, high, "kw.SplineInspector(live)", high)
    plot = lab.page.locator(".kw-spline-inspector .kw-viewport")
    lab.until_shown(lambda: plot.count() == 1 and plot.is_visible(), "the plot")
    plot.evaluate("node => node.scrollIntoView({block: 'center'})")
    lab.page.wait_for_timeout(300)
    scroller = "panel.node.querySelector('.jp-WindowedPanel-outer')"
    shown = "document.querySelector('.kw-spline-inspector').kwView.window()"

    def turn() -> tuple[bool, bool]:
        """Turn the wheel by a notch; tell whether the page moved, and whether the plot did."""
        before = lab.script(f"return [{scroller}.scrollTop, {shown}];")
        lab.page.mouse.wheel(0, -100)
        lab.page.wait_for_timeout(500)
        after = lab.script(f"return [{scroller}.scrollTop, {shown}];")
        return before[0] != after[0], before[1] != after[1]

    hint = plot.locator(".kw-wheel-hint")
    plot.hover()
    assert turn() == (True, False)
    assert "wheel to zoom, or click" in hint.inner_text()
    lab.screenshot(artifacts / "hint.png")
    plot.evaluate("node => node.scrollIntoView({block: 'center'})")
    lab.page.wait_for_timeout(300)
    # It goes by itself, perhaps before it could be read here.
    hint.evaluate(
        "node => { node.said = []; new MutationObserver(() => node.said.push(node.textContent))"
        ".observe(node, {childList: true, characterData: true, subtree: true}); }"
    )
    plot.click()
    assert [turn() for _ in range(4)] == [(False, True)] * 4
    assert any("Escape" in words for words in hint.evaluate("node => node.said"))
    lab.set_theme("JupyterLab Dark")
    lab.screenshot(artifacts / "entered_dark.png")
    plot.locator("canvas").focus()
    lab.page.keyboard.press("Escape")
    plot.hover()
    assert turn() == (True, False)


def test_a_panel_of_a_saved_notebook_says_that_no_kernel_is_behind_it(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    open_cells(lab, server, "kw.TrainingPanel(live)")
    panel = lab.page.locator(".kw-training-panel")
    lab.until_shown(lambda: panel.locator(".kw-buttons").is_visible(), "the buttons")
    state = "@jupyter-widgets/jupyterlab-manager:saveWidgetState"
    lab.script("await app.commands.execute(arg);", state)
    lab.save()
    server.shut_kernels()
    lab.open(lab.path)
    note = panel.locator(".kw-note")
    lab.until(lambda: note.count() > 0, "what the panel says")
    lab.page.wait_for_timeout(3000)  # longer than the panel waits for an answer
    lab.screenshot(artifacts / "saved.png")
    assert "No kernel is connected" in note.first.inner_text()
    assert panel.locator('.kw-note[data-tone="warn"]').count() == 0
    assert not panel.locator(".kw-buttons").is_visible()
    assert panel.get_by_label("smooth").is_disabled()


def test_a_panel_in_a_page_of_its_own_is_alive_and_says_why_nothing_can_be_steered(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    # Kept: anywidget complains in the console of a model that is closed while its code loads.
    saving = "kept = kw.TrainingPanel(own), kw.KernelGrid(live)\nkw.save_html('page.html', *kept);"
    log = (
        "other = kw.nn.KANLinear(2, 1)\nown = kw.bind(other)\n"
        "for k in range(1, 41):\n    own.log(k, loss=2 / k)"
    )
    open_cells(lab, server, f"{log}\n{saving}")
    page = lab.page.context.new_page()
    page.goto((server.root / lab.path).with_name("page.html").as_uri())
    page.wait_for_timeout(3000)
    page.screenshot(path=artifacts / "page.png")
    text = page.locator("body").inner_text()
    assert "does not answer" not in text
    assert "No kernel is connected" in text
    panel = page.locator(".kw-training-panel")
    assert not panel.locator(".kw-buttons").is_visible()
    values = "document.querySelector('.kw-training-panel').kwPanel.values()"
    assert page.evaluate(values) == ["loss 0.05"]
    # What is read is the step under the mouse.
    plot = page.evaluate("document.querySelector('.kw-training-panel').kwPanel.plot(0)")
    page.mouse.move(plot["x"] + plot["width"] / 2, plot["y"] + plot["height"] / 2)
    page.wait_for_timeout(300)
    assert page.evaluate(values) == ["loss 0.1"]
    panel.get_by_role("button", name="Show half as many steps").click()
    steps = "document.querySelector('.kw-training-panel').kwPanel.scene().layout.steps"
    page.wait_for_timeout(300)
    assert page.evaluate(steps) == {"from": 10, "to": 30}
