"""Tutorials walked through in JupyterLab: what the text says to click is there and does that."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Locator

from tests.browser.lab import Grid, LabPage, LabServer

pytestmark = pytest.mark.browser

FOLDER = Path(__file__).parents[2] / "notebooks"
QUICKSTART = "01_quickstart.ipynb"
READING = "05_reading_kernels.ipynb"

# A cell that trains goes on for as long as the test clicks, however fast the machine: the batches
# stop coming until there is a file of the name that the test has set.
GATE = """
import pathlib, time

class KwTestGate:
    name = "go"

    def __init__(self, batches):
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        for number, batch in enumerate(self.batches):
            while number == 30 and not pathlib.Path(self.name).exists():
                time.sleep(0.02)
            yield batch

train_batches = KwTestGate(train_batches)
"""


class Walk:
    """A reader in one tutorial, who runs its cells from the top and looks at what they show."""

    def __init__(self, lab: LabPage, server: LabServer, name: str, pictures: Path) -> None:
        self.lab, self._pictures = lab, pictures
        self.folder = Path(tempfile.mkdtemp(prefix="tutorials", dir=server.root))
        shutil.copytree(FOLDER, self.folder, dirs_exist_ok=True)
        self.notebook: Any = nbformat.read(self.folder / name, as_version=4)  # type: ignore[no-untyped-call]
        self._ids = [cell.id for cell in self.notebook.cells]
        self._next = 0
        lab.open(f"{self.folder.name}/{name}")

    def cell(self, name: str) -> Locator:
        """Give a cell by its id."""
        index = self._ids.index(name)
        self.lab.script("panel.content.widgets[arg].node.id = `kw-test-cell-${arg}`;", index)
        return self.lab.page.locator(f"#kw-test-cell-{index}")

    def says(self, name: str, *words: str) -> None:
        """Assert that the text of a cell still names what the test is about to use."""
        text = self.notebook.cells[self._ids.index(name)].source
        assert [word for word in words if word not in text] == []

    def run_to(self, name: str) -> None:
        """Run the cells up to this one, from where the reader is."""
        last = self._ids.index(name)
        for index in range(self._next, last + 1):
            if self.notebook.cells[index].cell_type == "code":
                self.lab.run_cell(index)
        self._next = last + 1
        assert self.lab.cell_errors() == []

    @contextmanager
    def training(self, name: str) -> Iterator[None]:
        """Run up to a cell that trains; the test clicks while that one goes on."""
        index = self._ids.index(name)
        self.run_to(self._ids[index - 1])
        self.lab.evaluate("1", f"train_batches.name = {name!r}")
        self.lab.run_cell(index, wait=False)
        self.lab.wait_cell_running(index)
        yield
        self.let_go(name)
        self.lab.wait_idle()
        self._next = index + 1
        assert self.lab.cell_errors() == []

    def is_running(self, name: str) -> bool:
        return self.lab.is_running(self._ids.index(name))

    def let_go(self, name: str) -> None:
        """Let the batches come again in a cell that trains."""
        (self.folder / name).touch()

    def view(self, name: str, kind: str) -> Locator:
        """Give the view that a cell shows, in the window."""
        found = self.cell(name).locator(f".kw-{kind}").first
        self.lab.until_shown(lambda: found.count() == 1, f"{kind} under {name}")
        found.scroll_into_view_if_needed()
        return found

    def grid(self, name: str, number: int = 0) -> Grid:
        """Give a KernelGrid that a cell shows, in the window."""
        view = self.cell(name).locator(".kw-kernel-grid").nth(number)
        self.lab.until_shown(lambda: view.count() == 1, f"the grid under {name}")
        index = view.evaluate(
            "view => [...document.querySelectorAll('.kw-kernel-grid')].indexOf(view)"
        )
        grid = self.lab.grid(index)
        grid.scroll_into_view()
        return grid

    def look(self, name: str) -> None:
        self.lab.screenshot(self._pictures / f"{name}.png")


def test_a_saved_tutorial_shows_its_pictures_before_a_cell_has_run(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    walk = Walk(lab, server, QUICKSTART, artifacts)
    saved = [
        output
        for cell in walk.notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    pictures = lab.page.locator(".jp-Notebook .jp-OutputArea img")
    lab.until(lambda: pictures.count() == len(saved), "the pictures")
    walk.cell("bind").scroll_into_view_if_needed()
    walk.look("pictures")
    widths = pictures.evaluate_all("all => all.map(picture => picture.naturalWidth)")
    assert min(widths) > 500
    assert lab.page.locator(".jp-Notebook").get_by_text("Loading widget").count() == 0
    assert lab.grid_count() == 0


def test_the_first_tutorial_leads_to_the_index_and_the_index_to_every_tutorial(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    walk = Walk(lab, server, QUICKSTART, artifacts)
    walk.cell("title").get_by_role("link", name="an index page").click()
    page = lab.page.locator(".jp-MarkdownViewer")
    names = sorted(path.name for path in FOLDER.glob("*.ipynb"))
    lab.until(lambda: page.locator("li a").count() == len(names), "the list of tutorials")
    walk.look("index")
    for number, name in enumerate(names):
        lab.path = f"{walk.folder.name}/index.md"
        lab.script("app.shell.activateById(panel.id);")
        page.locator("li a").nth(number).click()
        lab.path = f"{walk.folder.name}/{name}"
        lab.wait("return panel !== undefined && panel.isVisible;", f"{name} to open")


def shows(read: Callable[[], str], words: str) -> Callable[[], bool]:
    """Give a condition: what is read has these words in it."""
    return lambda: words in read()


def press(walk: Walk, cell: str, button: str) -> None:
    """Press a button of the training panel that a cell shows."""
    panel = walk.view(cell, "training-panel")
    panel.get_by_role("button", name=button, exact=True).click()


def pause(walk: Walk, cell: str, training: str) -> None:
    """Pause a cell that trains, by the panel."""
    press(walk, cell, "Pause")
    walk.let_go(training)
    panel = walk.view(cell, "training-panel")
    state = panel.locator(".kw-remark").first
    walk.lab.until(lambda: state.inner_text() == "paused", "the pause")
    # The click is heard during a step, which is made and shown before the training holds.
    step = panel.locator(".kw-remark").nth(1)

    def holds() -> bool:
        before = step.inner_text()
        walk.lab.page.wait_for_timeout(500)
        return step.inner_text() == before

    walk.lab.until(holds, "the training to hold")


def walk_the_whole_network(walk: Walk) -> None:
    """Point at a map, select a kernel, choose another digit, and draw one while Python is busy."""
    lab = walk.lab
    walk.says("whole-text", "**Point**", "**Click**", "**draw**")
    walk.run_to("whole")
    network = walk.view("whole", "network-view")
    network.scroll_into_view_if_needed()

    def middle(part: str) -> tuple[float, float]:
        box = network.evaluate("(view, id) => view.kwNetwork.place(id)", part)
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    lab.until(lambda: "example 1: " in network.inner_text(), "what the network says")
    walk.look("whole")
    lab.page.mouse.move(*middle("u:1:2"))
    kind = "view => view.kwNetwork.scene().closeUp?.kind"
    lab.until(lambda: network.evaluate(kind) == "pixel", "a pixel taken apart")
    walk.look("pixel")
    lab.page.mouse.click(*middle("e:1:3"))
    lab.until(lambda: lab.evaluate("live.selection")["out"] == 3, "the kernel")
    lab.page.mouse.click(*middle("x:2"))
    lab.until(lambda: "example 3: 0" in network.inner_text(), "another digit")
    lab.page.mouse.click(*middle("x:-1"))
    kernel = "const {kernel} = panel.sessionContext.session;"
    wait = "while not pathlib.Path('drawn').exists(): time.sleep(0.02)"
    # What answers in between tells the page that the kernel is idle: so ask for this cell itself.
    lab.script(
        f"{kernel} window.kwDone = false;"
        "kernel.requestExecute({code: arg, silent: true}).done"
        ".then(() => { window.kwDone = true; });",
        wait,
    )
    lab.wait(f"{kernel} return kernel.status === 'busy';", "Python to be busy")
    network.evaluate("view => view.kwNetwork.drawLine([[14, 4], [14, 24]])")
    lab.until(lambda: "your drawing: " in network.inner_text(), "what the network says of it")
    assert lab.page.evaluate("window.kwDone") is False
    walk.let_go("drawn")
    walk.look("drawn")


def test_the_quickstart_walked(lab: LabPage, server: LabServer, artifacts: Path) -> None:
    walk = Walk(lab, server, QUICKSTART, artifacts)
    walk.run_to("setup")
    lab.evaluate("1", GATE)
    walk.says("train-text", "**Point**", "**Click**", "**change**", "**pattern**", "**convs.1**")
    with walk.training("train"):
        grid = walk.grid("bind")
        grid.wait_step(10)
        grid.hover(4)
        lab.until(lambda: "base" in grid.tip()[1], "the tip")
        assert {"φ(x)", "base", "splines"} <= set(grid.tip()[1])
        walk.look("point")
        grid.click(4)
        lab.until(lambda: "largest |φ|" in grid.text(), "what is said of the function clicked")
        walk.look("click")
        grid.choose("change")
        lab.until(lambda: "the change of a function" in grid.text(), "the changes")
        walk.look("change")
        grid.choose("pattern")
        lab.until(lambda: "black: φ is larger at" in grid.text(), "the pattern")
        walk.look("pattern")
        grid.choose("curves")
        for layer in ("convs.1", "linear"):
            grid.choose(layer)
            lab.until(shows(grid.layer, layer), f"layer {layer}")
            walk.look(layer)
        grid.choose("convs.0")
        assert walk.is_running("train")

    walk.run_to("data")
    assert "black: " in walk.grid("data").text()
    walk.look("data")

    walk.says("panel-text", "**Pause**", "**Resume**")
    with walk.training("fit"):
        pause(walk, "panel", "fit")
        walk.look("paused")
        step = walk.view("panel", "training-panel").locator(".kw-remark").nth(1)
        held = step.inner_text()
        lab.page.wait_for_timeout(500)
        assert step.inner_text() == held
        assert walk.is_running("fit")
        press(walk, "panel", "Resume")
        lab.until(lambda: step.inner_text() != held, "it to go on")
    walk.view("panel", "training-panel")
    walk.look("trained")

    walk_the_whole_network(walk)
    walk.run_to("facts")
    walk.cell("facts").scroll_into_view_if_needed()
    walk.look("facts")
    answers = walk.cell("exercises").locator("details")
    assert answers.locator("p").first.is_hidden()
    answers.locator("summary").first.click()
    assert answers.locator("p").first.is_visible()
    walk.cell("exercises").scroll_into_view_if_needed()
    walk.look("exercises")


def test_reading_kernels_walked(lab: LabPage, server: LabServer, artifacts: Path) -> None:
    lab.page.set_viewport_size({"width": 1280, "height": 1400})
    walk = Walk(lab, server, READING, artifacts)
    walk.run_to("reading-setup")
    lab.evaluate("1", GATE)
    walk.says("reading-live", "buttons of the panel pause the loop", "single steps")
    with walk.training("reading-train"):
        pause(walk, "reading-views", "reading-train")
        walk.look("paused")
        panel = walk.view("reading-views", "training-panel")
        step = panel.locator(".kw-remark").nth(1)
        held = int(step.inner_text().removeprefix("step "))
        press(walk, "reading-views", "One step")
        lab.until(lambda: step.inner_text() == f"step {held + 1}", "one more step")
        assert walk.is_running("reading-train")
        press(walk, "reading-views", "Resume")
    walk.view("reading-views", "layer-ranges")
    walk.look("after-the-epoch")

    walk.says("reading-ten", "Point at a function", "click it and it opens in the inspector")
    walk.run_to("reading-grids")
    grid = walk.grid("reading-grids")
    grid.hover(4)
    lab.until(lambda: "base" in grid.tip()[1], "the tip")
    grid.click(12)
    inspector = walk.view("reading-views", "spline-inspector")
    chosen = {"layer": "convs.0", "out": 1, "in": 0, "row": 1, "column": 0}
    lab.until(
        lambda: inspector.evaluate("view => view.kwView.selection()") == chosen, "the inspector"
    )
    walk.look("inspector")

    walk.says("reading-pattern", "Uncheck **binarise**")
    walk.run_to("reading-binarised")
    pattern = walk.grid("reading-binarised")
    assert "full at" not in pattern.text()
    walk.look("binarised")
    walk.view("reading-binarised", "kernel-grid").get_by_text("binarise", exact=True).click()
    lab.until(lambda: "full at φ(1) − φ(−1)" in pattern.text(), "the shades of grey")
    walk.look("pattern")

    walk.says("reading-meshgrid", "Choose another **ramp**", "vertical", "other limits")
    walk.says("reading-outside", "Set the limits to −1 and 1")
    walk.run_to("reading-ramp")
    maps = walk.view("reading-ramp", "meshgrid-view")
    walk.look("ramp")
    maps.locator("select[aria-label=ramp]").select_option("vertical")
    for end, value in (("from", "-1"), ("to", "1")):
        maps.get_by_label(f"ramp {end}").fill(value)
        maps.get_by_label(f"ramp {end}").press("Tab")
    lab.until(lambda: "from −1 to 1" in maps.inner_text(), "the other limits")
    walk.look("limits")

    walk.says("reading-puzzle", "Click a row", "over time", "splines", "**update**")
    walk.run_to("reading-ranges")
    ranges = walk.view("reading-ranges", "layer-ranges")
    ranges.scroll_into_view_if_needed()
    row = ranges.evaluate("view => view.kwRanges.place('2')")
    lab.page.mouse.click(row["x"] + 20, row["y"] + row["height"] / 2)
    lab.until(lambda: ranges.evaluate("view => view.kwRanges.chosen()") == 2, "the chosen row")
    assert ranges.evaluate("view => view.kwRanges.scene().content.rows[2].name") == "linear"
    for words in ("splines", "update"):
        ranges.get_by_label("over time").select_option(words)
        read = partial(ranges.evaluate, "view => view.kwShown().words.join(' · ')")
        lab.until(shows(read, words), words)
        walk.look(words)

    walk.run_to("reading-saw-more")
    walk.cell("reading-saw-more").scroll_into_view_if_needed()
    walk.look("saw")
