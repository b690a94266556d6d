"""What trains is in sight: a person presses Shift+Enter, cell by cell, and never scrolls."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import CHECKOUT, LabPage, LabServer
from tests.browser.walk import GATE, Walk

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LAPTOP: Any = {"width": 1366, "height": 720}
README = re.findall(r"```python\n(.*?)\n```", (CHECKOUT / "README.md").read_text(), re.S)
# The cell that shows what trains, and the cell of the loop, which comes right after it.
TUTORIALS = {
    "01_quickstart.ipynb": ("network", "train"),
    "04_convolution_with_functions.ipynb": ("convolution-pupils", "convolution-training"),
    "05_reading_kernels.ipynb": ("reading-views", "reading-train"),
}
AT_THE_TOP = """
app.shell.activateById(panel.id);
Object.assign(panel.content, {activeCellIndex: 0, mode: 'command'});
panel.content.activate();
"""
# Of all drawings under a cell, the share of their area that is within the notebook's panel.
SHARE = """
const drawings = [...panel.content.widgets[arg].node.querySelectorAll('.kw-viewport')];
const seen = panel.node.querySelector('.jp-WindowedPanel-outer').getBoundingClientRect();
const within = (a, b, low, high) => Math.max(0, Math.min(b, high) - Math.max(a, low));
let [all, part] = [0, 0];
for (const {left, right, top, bottom} of drawings.map((one) => one.getBoundingClientRect())) {
  all += (right - left) * (bottom - top);
  part += within(left, right, seen.left, seen.right) * within(top, bottom, seen.top, seen.bottom);
}
return all && part / all;
"""
DIAGRAM = """view => {
  const {columns} = view.kwNetwork.scene().diagram.graph;
  const last = view.kwNetwork.scene().diagram.layout.columns.at(-1);
  return {maps: columns.map(({map, units}) => map ? [units, ...map] : units),
          bars: last.bars > 0 ? last.units.length : 0};
}"""

# Pixels of the notebook's panel, of the view under a cell, and of the diagram in that.
HEIGHTS = """
const view = panel.content.widgets[arg].node.querySelector('.kw-view');
const network = view.matches('.kw-network-view') ? view : view.querySelector('.kw-network-view');
return [panel.node.querySelector('.jp-WindowedPanel-outer').clientHeight, view.offsetHeight,
        network.kwNetwork?.scene()?.room.height ?? 0];
"""


class Person:
    """Someone at a laptop, who runs one cell after the other."""

    def __init__(self, lab: LabPage) -> None:
        self.lab = lab
        lab.page.set_viewport_size(LAPTOP)
        lab.script(AT_THE_TOP)

    def goes_on(self) -> None:
        """Press Shift+Enter."""
        self.lab.page.keyboard.press("Shift+Enter")
        self.lab.page.wait_for_timeout(300)

    def goes_to(self, cell: int) -> None:
        """Run all cells before one, each when the one before has run and shows."""
        while self.lab.script("return panel.content.activeCellIndex;") < cell:
            self.goes_on()
            self.lab.wait_idle()
        assert self.lab.cell_errors() == []

    def trains(self, batches: str) -> None:
        """Run the loop, which stops at its thirtieth batch, and wait until that is drawn."""
        self.lab.evaluate("1", GATE.replace("train_batches", batches))
        loop = self.lab.script("return panel.content.activeCellIndex;")
        self.goes_on()
        self.lab.wait_cell_running(loop)
        step = "[...document.querySelectorAll('.kw-status-text, .kw-remark')].map((one) =>"
        step += " Number(/step (\\d+)/.exec(one.innerText)?.[1] ?? 0))"
        self.lab.until(lambda: max(self.lab.page.evaluate(step)) >= 20, "the training to show")
        self.lab.page.wait_for_timeout(500)
        assert self.lab.is_running(loop)

    def sees(self, cell: int) -> float:
        """Give the share of what is drawn under a cell that is in sight."""
        return float(self.lab.script(SHARE, cell))


def test_the_readmes_two_cells_show_its_picture(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    assert len(README) == 2
    lab.open(server.write_notebook(README))
    person = Person(lab)
    person.goes_to(1)
    dashboard = lab.page.locator(".kw-dashboard")
    lab.until_shown(dashboard.is_visible, "the dashboard")
    person.trains("batches")
    lab.screenshot(artifacts / "training.png")
    network = lab.page.locator(".kw-network-view")
    shown = network.evaluate(DIAGRAM)
    assert shown == {"maps": [[1, 28, 28], [5, 26, 26], [25, 11, 11], 10], "bars": 10}
    assert person.sees(0) >= 0.9
    assert re.search(r"loss \d", dashboard.locator("> .kw-caption").inner_text())
    assert "Nothing was logged" not in dashboard.inner_text()
    assert dashboard.locator(".kw-tone-warn").count() == 0
    lab.let_go("go")
    lab.wait_idle()
    assert lab.cell_errors() == []


@pytest.mark.parametrize("height", [720, 900])
def test_network_and_dashboard_are_no_higher_than_the_window(
    height: int, lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    shown = [README[0], "kw.NetworkView(live)"]
    lab.page.set_viewport_size({"width": 1366, "height": height})
    lab.open(server.write_notebook(shown))
    lab.script("app.shell.collapseLeft();")
    for cell in range(len(shown)):
        lab.run_cell(cell)
    for width in (1366, 600, 1000, 1600):  # one page, which is made larger and smaller
        lab.page.set_viewport_size({"width": width, "height": height})
        for cell in range(len(shown)):
            lab.script("await panel.content.scrollToItem(arg, 'start');", cell)

            def fits(cell: int = cell) -> bool:
                room, view, diagram = lab.script(HEIGHTS, cell)
                return bool(view <= room and diagram >= 160)

            lab.until(fits, f"view {cell} to fit {width} × {height} pixels")
            lab.page.wait_for_timeout(500)
            assert fits()
            lab.screenshot(artifacts / f"{cell}_{width}.png")


@pytest.mark.parametrize("name", TUTORIALS)
def test_what_a_tutorials_loop_trains_is_in_sight_while_it_runs(
    name: str, lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    walk = Walk(lab, server, name, artifacts)
    views, loop = map(walk.number, TUTORIALS[name])
    assert loop == views + 1
    assert len(walk.notebook.cells[loop].source.splitlines()) <= 6
    person = Person(lab)
    person.goes_to(loop)
    person.trains("train_batches")
    walk.look("training")
    assert person.sees(views) >= 0.9
