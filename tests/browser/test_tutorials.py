"""Tutorials in JupyterLab before a cell has run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.lab import LabPage, LabServer
from tests.browser.walk import Walk
from tests.notebooks.execution import FOLDER

pytestmark = pytest.mark.browser

QUICKSTART = "01_quickstart.ipynb"


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
    lab.restores = True  # kernels of nine tutorials are still starting at the end: it is not kept
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
