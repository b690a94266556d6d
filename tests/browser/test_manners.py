"""How the views behave beside other things on a page: their width, the wheel."""

from __future__ import annotations

import re
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
    ".kw-panel, .kw-compare"
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
    lab.open(server.write_notebook([SETUP, *cells]))
    lab.run_all()
    assert lab.cell_errors() == []


@pytest.mark.parametrize("window", [600, 1000, 1600])
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
        count = {"HBox": 2, "Box": 2, "mixed": 2, "Dashboard": 3}.get(name, 1)
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


@pytest.mark.parametrize("window", [1000, 1600])
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
    kinds += ["panel", "compare", "kernel-grid"]
    for number, kind in enumerate(kinds):
        if number > 0 or name == "Accordion":
            heads.nth(number).click()

        def shown(kind: str = kind, count: int = 3 if number == 7 else 1) -> Any:
            found = lab.script(WIDTHS, 1)
            right = len(found) == count and found[0][0] == f"kw-{kind}"
            return right and narrow([tuple(one) for one in found]) == []

        lab.until_shown(shown, f"{kind} with a width")
        lab.screenshot(artifacts / f"{number}_{kind}.png")
    # bqplot draws while it is folded away, and says so.
    folded = re.compile(r"<rect> attribute (width|height): A negative value .*/bqplot/")
    lab.complaints[:] = [text for text in lab.complaints if not folded.search(text)]
