"""How the views behave beside other things on a page: their width, the wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import LabPage, LabServer
from tests.browser.test_spline_inspector import WINDOW
from tests.every_view import CALLS, all_but, calls, dashed

pytestmark = pytest.mark.browser

SETUP = f"""
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
image = digits.test_images[0]
for step in range(1, 60):
    live.log(step, loss=2 / step)

def views():
    return {calls(KernelGrid="height=200", SplineInspector="height=200", NetworkView="height=400")}

def slider():
    return ipywidgets.IntSlider(description="epoch")
"""
# Of each view in a cell's output: what it is, its width, and the width of the output.
WIDTHS = """
const output = panel.content.widgets[arg].node.querySelector('.jp-Cell-outputArea');
const room = output.querySelector('.jp-OutputArea-output').clientWidth;
return [...output.querySelectorAll('.kw-view')]
  .filter((root) => root.offsetParent !== null)
  .filter((root) => !root.parentElement.closest('.kw-view'))
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


def open_cells(lab: LabPage, server: LabServer, *cells: str, stills: bool = False) -> None:
    lab.open(server.write_notebook([SETUP, *cells], stills=stills))
    lab.run_all()
    assert lab.cell_errors() == []


EVERY = """
# Shown at several places.
every = list(views().values())

def pairs():
    # Those boxes write into the layout of what they hold: views of their own.
    own = list(views().values())
    return [*zip(own[::2], own[1::2]), (own[-1], slider())]
"""
BESIDE = "ipywidgets.VBox([ipywidgets.{}([view, slider()]) for view in every])"
PLACES = {
    "HBox": BESIDE.format("HBox"),
    "Box": BESIDE.format("Box"),
    "HBox of two": "ipywidgets.VBox([ipywidgets.HBox(pair) for pair in pairs()])",
    "VBox": "ipywidgets.VBox(every)",
    "Output": "out = ipywidgets.Output()\nwith out:\n    display(*every)\nout",
    "GridspecLayout": """
grid = ipywidgets.GridspecLayout(5, 2)
for row, pair in enumerate(pairs()):
    grid[row, 0], grid[row, 1] = pair
grid
""",
    "AppLayout": """
ipywidgets.VBox([
    ipywidgets.AppLayout(left_sidebar=left, center=centre, right_sidebar=slider())
    for left, centre in pairs()
])
""",
    "TwoByTwoLayout": """
ipywidgets.VBox([
    ipywidgets.TwoByTwoLayout(top_left=left, top_right=right, bottom_left=slider())
    for left, right in pairs()
])
""",
}
SIDECAR = """
from sidecar import Sidecar
beside = Sidecar(title="narrow", anchor="right")
with beside:
    display(ipywidgets.VBox(every))
"""
FOLDED = {"Tab": ".lm-TabBar-tab", "Accordion": ".jupyter-widget-Collapse-header"}
KINDS = [dashed(name) for name in CALLS]


def test_every_view_has_a_sane_width_in_every_box(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    lab.page.set_viewport_size({"width": 1300, "height": 900})
    folded = [f"ipywidgets.{name}(every)" for name in FOLDED]
    # As slow as with stills: anywidget complains of a model that is closed while its code loads.
    open_cells(lab, server, EVERY, *PLACES.values(), *folded, SIDECAR, stills=True)
    lab.script("app.commands.execute('application:toggle-left-area');")
    wrong: dict[str, Any] = {}

    def look(name: str, cell: int) -> None:
        lab.script("panel.content.widgets[arg].node.scrollIntoView();", cell)
        found = widths(lab, cell, len(KINDS))
        assert sorted(kind for kind, _, _ in found) == sorted(f"kw-{kind}" for kind in KINDS)
        lab.screenshot(artifacts / f"{name}.png")
        if narrow(found):
            wrong[name] = narrow(found)

    for cell, name in enumerate(PLACES, start=2):
        look(name, cell)
    for cell, (name, head) in enumerate(FOLDED.items(), start=2 + len(PLACES)):
        lab.script("panel.content.widgets[arg].node.scrollIntoView();", cell)
        place = lab.page.locator(".jp-Cell").nth(cell)
        for number, kind in enumerate(KINDS):
            if number > 0 or name == "Accordion":
                place.locator(head).nth(number).click()

            def shown(kind: str = kind, cell: int = cell) -> bool:
                found = lab.script(WIDTHS, cell)
                return [one[0] for one in found] == [f"kw-{kind}"] and not narrow(found)

            lab.until_shown(shown, f"{kind} with a width in {name}")
            lab.screenshot(artifacts / f"{name}_{kind}.png")
    assert lab.page.evaluate(BESIDE_NOTEBOOK, len(KINDS)) == []
    # As at 200 % zoom: half as many CSS pixels.
    lab.page.set_viewport_size({"width": 500, "height": 450})
    for name in ("HBox", "VBox"):
        look(f"{name} at 200 %", 2 + list(PLACES).index(name))
    assert wrong == {}


# What of the views in the side bar is cut off or wider than that.
BESIDE_NOTEBOOK = """(arg) => {
  const roots = [...document.querySelectorAll('#jp-right-stack .kw-view')];
  const views = roots.filter((root) => !root.parentElement.closest('.kw-view'));
  if (views.length !== arg) return [`${views.length} views`];
  const room = document.querySelector('#jp-right-stack').clientWidth;
  return views
    .map((view) => [view.className, view.offsetWidth, view.scrollWidth, room])
    .filter(([, width, inside]) => width < 200 || width > room || inside > width + 1);
}"""


# Notes, frame by frame, the height of each view that is seen, and where it lies in a dashboard.
NOTE_SIZES = """() => {
  const seen = window.kwSizes = {};
  const look = () => {
    for (const view of document.querySelectorAll('.kw-view')) {
      const {top, height} = view.getBoundingClientRect();
      if (height === 0) continue;
      const within = view.parentElement.closest('.kw-view');
      const kind = (one) => one?.className.match(/kw-(?!view)[a-z-]+/)[0] ?? '';
      const at = within ? top - within.getBoundingClientRect().top : 0;
      const noted = seen[`${kind(within)} ${kind(view)}`] ??= [];
      const now = [Math.round(at), Math.round(height)];
      if (`${noted.at(-1)}` !== `${now}`) noted.push(now);
    }
    if (window.kwSizes === seen) requestAnimationFrame(look);
  };
  look();
}"""


def test_a_view_has_its_final_height_at_once_and_says_when_its_model_is_gone(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    lab.page.set_viewport_size({"width": 700, "height": 900})
    # The inspector first: that anything was observed it is told after it is shown.
    names = ["SplineInspector", *all_but("SplineInspector")]
    lab.open(server.write_notebook([SETUP, *(f"views()[{name!r}]" for name in names)]))
    lab.script("app.commands.execute('application:toggle-left-area');")
    lab.run_cell(0)
    lab.page.evaluate(NOTE_SIZES)
    for cell in range(1, len(names) + 1):
        lab.run_cell(cell)
        widths(lab, cell, 1)
        lab.page.wait_for_timeout(500)
    assert lab.cell_errors() == []
    sizes = lab.page.evaluate("window.kwSizes")
    # The dashboard shows two of its own, the comparison a grid.
    assert len(sizes) == len(names) + 2 + 1
    spans = {
        name: [max(of) - min(of) for of in zip(*noted, strict=True)]
        for name, noted in sizes.items()
    }
    assert {name: sizes[name] for name, span in spans.items() if max(span) > 2} == {}

    lab.evaluate("0", "live.close()")
    # What is out of sight is drawn when it comes into sight.
    said = """const cell = panel.content.widgets[arg].node;
      cell.scrollIntoView();
      return cell.querySelector('.kw-status-text')?.textContent ?? '';"""
    for cell, name in enumerate(names, start=1):
        if name in ("KernelGrid", "LayerRanges", "Dashboard"):
            parts = ["step 0", "closed"]
            # Of several views the state is what is said first.
            gone = " · ".join(reversed(parts) if name == "Dashboard" else parts)
            lab.until(lambda cell=cell, gone=gone: lab.script(said, cell) == gone, name)
            lab.screenshot(artifacts / f"closed_{name}.png")


# Where the wheel is turned in each view.
PLOTS = {name: f".kw-{dashed(name)} canvas" for name in all_but("Dashboard")}
PLOTS["SplineInspector"] = ".kw-spline-inspector .kw-viewport"


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


def test_the_wheel_zooms_a_plot_with_ctrl_and_scrolls_the_page_without(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    high = "ipywidgets.HTML('<div style=\"height: 1500px\"></div>')"
    open_cells(lab, server, high, "kw.SplineInspector(live)", high)
    plot = lab.page.locator(".kw-spline-inspector .kw-viewport")
    lab.until_shown(lambda: plot.count() == 1 and plot.is_visible(), "the plot")
    plot.evaluate("node => node.scrollIntoView({block: 'center'})")
    lab.page.wait_for_timeout(300)
    scroller = "panel.node.querySelector('.jp-WindowedPanel-outer')"
    shown = f"({WINDOW})(document.querySelector('.kw-spline-inspector').kwView)"

    def turn() -> tuple[bool, bool]:
        """Turn the wheel by a notch; tell whether the page moved, and whether the plot did."""
        before = lab.script(f"return [{scroller}.scrollTop, {shown}];")
        lab.page.mouse.wheel(0, -100)
        lab.page.wait_for_timeout(500)
        after = lab.script(f"return [{scroller}.scrollTop, {shown}];")
        return before[0] != after[0], before[1] != after[1]

    plot.hover()
    assert turn() == (True, False)
    plot.evaluate("node => node.scrollIntoView({block: 'center'})")
    lab.page.wait_for_timeout(300)
    plot.click()
    lab.page.keyboard.down("Control")
    assert [turn() for _ in range(4)] == [(False, True)] * 4
    lab.page.keyboard.up("Control")
    lab.set_theme("JupyterLab Dark")
    lab.screenshot(artifacts / "zoomed_dark.png")
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
    assert "running the cell of this view again connects it" in note.first.inner_text()
    assert panel.locator('.kw-note[data-tone="warn"]').count() == 0
    assert not panel.locator(".kw-buttons").is_visible()
    assert panel.get_by_label("smooth").is_visible()  # the page smooths by itself


def test_a_panel_in_a_page_of_its_own_is_alive_and_has_nothing_that_steers(
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
    # What cannot be done there is not there, and nothing is said of it.
    assert "does not answer" not in text
    assert "kernel is connected" not in text
    panel = page.locator(".kw-training-panel")
    assert not panel.locator(".kw-buttons").is_visible()
    values = "document.querySelector('.kw-training-panel').kwView.values()"
    assert page.evaluate(values) == ["loss 0.05"]
    # What is read is the step under the mouse.
    plot = page.evaluate("document.querySelector('.kw-training-panel').kwView.plot(0)")
    page.mouse.move(plot["x"] + plot["width"] / 2, plot["y"] + plot["height"] / 2)
    page.wait_for_timeout(300)
    assert page.evaluate(values) == ["loss 0.1"]
    panel.locator("canvas").focus()
    page.keyboard.press("+")
    steps = "document.querySelector('.kw-training-panel').kwView.scene().layout.steps"
    page.wait_for_timeout(300)
    assert page.evaluate(steps) == {"from": 10, "to": 30}
