"""A reader of a tutorial in JupyterLab: what the text says to click is there and does that."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Locator

from tests.browser.lab import Grid, LabPage, LabServer
from tests.notebooks.execution import ALARMS, FOLDER, Run

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
        self.lab, self.pictures, self.notebook_name = lab, pictures, name
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

    def number(self, name: str) -> int:
        """Give the place of a cell in the notebook."""
        return self._ids.index(name)

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
        self.lab.screenshot(self.pictures / f"{name}.png")

    def press(self, cell: str, button: str) -> None:
        """Press a button of the training panel or of the dashboard that a cell shows."""
        self.view(cell, "training-panel")
        self.cell(cell).get_by_role("button", name=button, exact=True).first.click()

    def pause(self, cell: str, training: str) -> None:
        """Pause a cell that trains, by the panel."""
        self.press(cell, "Pause")
        self.let_go(training)
        self.lab.until(lambda: self.stands(cell)[0] == "paused", "the pause")

        # The click is heard during a step, which is made and shown before the training holds.
        def holds() -> bool:
            before = self.stands(cell)
            self.lab.page.wait_for_timeout(500)
            return self.stands(cell) == before

        self.lab.until(holds, "the training to hold")

    def stands(self, cell: str) -> tuple[str, int]:
        """Give how the training stands, and its step, as a panel or a dashboard says it."""
        self.view(cell, "training-panel")
        board = self.cell(cell).locator(".kw-dashboard > .kw-caption .kw-status-text")
        words = board.first.inner_text() if board.count() else ""
        if not words:
            said = self.cell(cell).locator(".kw-training-panel .kw-remark")
            words = " · ".join(said.all_inner_texts()[:2])
        now = self.cell(cell).locator(".kw-time-step:visible")
        step = re.search(r"step ([\d,]+)", now.first.inner_text() if now.count() else words)
        return words.split(" · ")[0], int(step[1].replace(",", "")) if step else -1

    def run(self) -> Run:
        """Return the notebook as the walk has left it, and its facts."""
        cells = self.lab.script(
            "return panel.content.widgets.map(cell => cell.model.sharedModel.toJSON());"
        )
        about = {"metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        notebook = nbformat.from_dict({"cells": cells, **about})  # type: ignore[no-untyped-call]
        facts, alarms = self.lab.evaluate("[facts, _alarms()]", ALARMS)
        return Run(self.notebook_name, notebook, facts, {}, 0.0, alarms=alarms)


def shows(read: Callable[[], str], words: str) -> Callable[[], bool]:
    """Give a condition: what is read has these words in it."""
    return lambda: words in read()
