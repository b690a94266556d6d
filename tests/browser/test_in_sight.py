"""What trains is in sight: a person presses Shift+Enter, cell by cell, and never scrolls."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import CHECKOUT, LabPage, LabServer
from tests.browser.test_linked_views import visible_controls
from tests.browser.walk import GATE, Walk

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WINDOWS: list[Any] = [{"width": 1366, "height": 720}, {"width": 1400, "height": 900}]
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
# At each drawing of the page: whether what trains is in sight (of the views under a cell as much as
# can be, or the card), and texts in the colour of errors.
WATCH = """
const cell = panel.content.widgets[arg].node;
const outer = panel.node.querySelector('.jp-WindowedPanel-outer');
const shareOf = (one) => {
  const [seen, box] = [outer, one].map((each) => each.getBoundingClientRect());
  const [left, top] = [Math.max(seen.left, box.left), Math.max(seen.top, box.top)];
  const [right, bottom] = [Math.min(seen.right, box.right), Math.min(seen.bottom, box.bottom)];
  return Math.max(0, right - left) * Math.max(0, bottom - top) / (box.width * box.height || 1);
};
const isShown = () => {
  const card = document.querySelector('.kw-card:not([hidden])');
  if (card) return shareOf(card) >= 0.95;
  const all = [...cell.querySelectorAll('.kw-viewport')];
  const drawings = all.filter((one) => one.offsetHeight > 40);
  return drawings.length > 0 && drawings.every((one) => shareOf(one) >= 0.95);
};
const placesOf = (view) => {
  const [whole, drawing] = [view, view.querySelector('.kw-viewport')];
  const tops = [whole, drawing].map((one) => one.getBoundingClientRect().top);
  return `${whole.offsetHeight} high, drawn from ${Math.round(tops[1] - tops[0])} on`;
};
const watch = window.kwWatch = {
  frames: 0, shown: 0, red: new Set(), places: new Set(), on: true
};
const look = () => {
  if (!watch.on) return;
  watch.frames += 1;
  watch.shown += isShown();
  watch.places.add(placesOf(cell.querySelector('.kw-view')));
  for (const one of document.querySelectorAll(
    '.kw-tone-warn, [data-tone=warn]:not([hidden]), [data-warns], [data-mime-type*=stderr]'
  )) if (one.offsetHeight > 0 && one.innerText.trim()) watch.red.add(one.innerText);
  requestAnimationFrame(look);
};
look();
"""
WATCHED = """
const {frames, shown, red, places} = Object.assign(window.kwWatch, {on: false});
return {frames, share: shown / frames, red: [...red], places: [...places]};
"""
# Pixels by which a view reaches below what is seen of the notebook.
BELOW = """view => {
  const seen = document.querySelector('.jp-NotebookPanel-notebook');
  return view.getBoundingClientRect().bottom - seen.getBoundingClientRect().bottom;
}"""
# Pixels by which its head lies above that.
ABOVE = """view => {
  const seen = document.querySelector('.jp-NotebookPanel-notebook .jp-WindowedPanel-outer');
  return seen.getBoundingClientRect().top - view.getBoundingClientRect().top;
}"""
DIAGRAM = """view => {
  const {columns} = view.kwView.scene().diagram.graph;
  const last = view.kwView.scene().diagram.layout.columns.at(-1);
  return {maps: columns.map(({map, units}) => map ? [units, ...map] : units),
          bars: last.bars > 0 ? last.units.length : 0};
}"""

# Pixels of the notebook's panel, of the view under a cell, of the diagram in that, and of its plot.
HEIGHTS = """
const view = panel.content.widgets[arg].node.querySelector('.kw-view');
const network = view.matches('.kw-network-view') ? view : view.querySelector('.kw-network-view');
const scene = network.kwView?.scene();
const seen = scene && {x: 0, y: 0, width: scene.width, height: scene.height};
const frames = (scene?.sheets[6].marks(seen) ?? []).filter(({kind}) => kind === 'rects');
const [, , wide = 0, tall = 0] = frames.at(-1)?.boxes ?? [];
return [panel.node.querySelector('.jp-WindowedPanel-outer').clientHeight, view.offsetHeight,
        scene?.room.height ?? 0, wide, tall];
"""


class Person:
    """Someone at a laptop, who runs one cell after the other."""

    def __init__(self, lab: LabPage, size: Any) -> None:
        self.lab = lab
        lab.page.set_viewport_size(size)
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

    def trains(self, views: int, batches: str) -> dict[str, Any]:
        """Run the loop under a cell of views from its start to its end, and give what was seen.

        It waits at its thirtieth batch until that is drawn.
        """
        self.lab.evaluate("1", GATE.replace("train_batches", batches))
        loop = self.lab.script("return panel.content.activeCellIndex;")
        self.lab.script(WATCH, views)
        self.goes_on()
        self.lab.wait_cell_running(loop)
        step = "[...document.querySelectorAll('.kw-status-text, .kw-time-step, .kw-card-words')]"
        step += ".map((one) => Number(/step (\\d+)/.exec(one.innerText)?.[1] ?? 0))"
        self.lab.until(lambda: max(self.lab.page.evaluate(step)) >= 20, "the training to show")
        self.lab.page.wait_for_timeout(2000)
        assert self.lab.is_running(loop)
        seen: dict[str, Any] = self.lab.script(WATCHED)
        print(seen)
        return seen


@pytest.mark.parametrize("size", WINDOWS, ids=lambda one: one["height"])
def test_the_readmes_two_cells_show_its_picture(
    size: Any, lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    assert len(README) == 2
    lab.open(server.write_notebook(README))
    person = Person(lab, size)
    person.goes_to(1)
    dashboard = lab.page.locator(".kw-dashboard")
    lab.until_shown(dashboard.is_visible, "the dashboard")
    # Before the first batch it is whole under its cell.
    lab.until(lambda: dashboard.evaluate(BELOW) <= 0, "all of it in the window")
    seen = person.trains(0, "batches")
    lab.screenshot(artifacts / "training.png")
    network = lab.page.locator(".kw-network-view")
    shown = network.evaluate(DIAGRAM)
    assert shown == {"maps": [[1, 28, 28], [5, 26, 26], [25, 11, 11], 10], "bars": 10}
    assert seen["share"] >= 0.9
    assert seen["red"] == []
    said = lab.page.locator(".kw-training-panel").evaluate("view => view.kwView.scene().words")
    assert re.search(r"loss \d", said)
    assert "loss" not in dashboard.locator("> .kw-caption").inner_text()  # one number, one place
    assert not lab.page.locator(".kw-card").is_visible()
    assert 4 <= visible_controls(lab) <= 12
    # Whoever goes on in the notebook has the card, with the same step and loss, until it is closed.
    lab.script("panel.content.widgets.at(-1).node.style.marginTop = '1200px';")
    lab.script("panel.node.querySelector('.jp-WindowedPanel-outer').scrollTop = 1e6;")
    card = lab.page.locator(".kw-card")
    lab.until(card.is_visible, "the card")
    lab.screenshot(artifacts / "card.png")
    assert re.match(r"step \d+ · training · loss \d", card.locator(".kw-card-words").inner_text())
    card.get_by_role("button", name="Back to the picture").click()
    lab.until(lambda: not card.is_visible(), "the picture in place of the card")
    lab.script("panel.node.querySelector('.jp-WindowedPanel-outer').scrollTop = 1e6;")
    lab.until(card.is_visible, "the card again")
    card.get_by_role("button", name="Close").click()
    lab.until(lambda: not card.is_visible(), "its end")
    lab.let_go("go")
    lab.wait_idle()
    assert lab.cell_errors() == []


@pytest.mark.parametrize("width", [600, 1000, 1366])
def test_a_dashboard_grows_once_as_its_loop_begins(
    width: int, lab: LabPage, server: LabServer
) -> None:
    lab.open(server.write_notebook(README))
    person = Person(lab, {"width": width, "height": 800})
    person.goes_to(1)
    lab.until_shown(lab.page.locator(".kw-dashboard").is_visible, "the dashboard")
    lab.page.wait_for_timeout(500)
    places = person.trains(0, "batches")["places"]
    lab.let_go("go")
    lab.wait_idle()
    assert len(places) == 2, places  # waiting for its first batch, and with what runs through it


@pytest.mark.parametrize("height", [720, 900])
def test_network_and_dashboard_are_no_higher_than_the_window(
    height: int, lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    examples = "images, labels = next(iter(batches))\nlive.probe(images[:8], labels[:8])"
    shown = [README[0], f"{examples}\nkw.NetworkView(live)"]
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
                room, view, diagram, wide, tall = lab.script(HEIGHTS, cell)
                return bool(view <= room and diagram >= 160 and wide >= 200 and tall >= 120)

            lab.until(fits, f"view {cell} to fit {width} × {height} pixels")
            lab.page.wait_for_timeout(500)
            assert fits()
            lab.screenshot(artifacts / f"{cell}_{width}.png")


@pytest.mark.parametrize("size", WINDOWS, ids=lambda one: one["height"])
@pytest.mark.parametrize("name", TUTORIALS)
def test_what_a_tutorials_loop_trains_is_in_sight_while_it_runs(
    name: str, size: Any, lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    walk = Walk(lab, server, name, artifacts)
    views, loop = map(walk.number, TUTORIALS[name])
    assert loop == views + 1
    assert len(walk.notebook.cells[loop].source.splitlines()) <= 6
    person = Person(lab, size)
    person.goes_to(loop)
    view = walk.cell(TUTORIALS[name][0]).locator(".kw-view").first
    # JupyterLab goes on to the loop; a reader is to see the view first.
    lab.until_shown(lambda: view.evaluate(ABOVE) <= 1, "the head of the view")
    walk.look("before")
    seen = person.trains(views, "train_batches")
    walk.look("training")
    assert view.evaluate(ABOVE) <= 1
    assert view.evaluate(BELOW) <= 1
    assert seen["share"] >= 0.9
    assert seen["red"] == []
