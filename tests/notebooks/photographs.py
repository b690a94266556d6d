"""Pictures of bqplot figures, which only a page can draw: JupyterLab shows their saved state."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
from nbformat.sign import NotebookNotary
from PIL import Image
from playwright.sync_api import sync_playwright

from kan_widgets.figures.colours import CLASS
from tests.browser.lab import CHROMIUM_ARGUMENTS, LabPage, LabServer, find_chromium

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
NAME = "figures.ipynb"
WIDTH, DENSITY, COLOURS = 720, 2, 64
# JupyterLab marks widgets without a kernel.
STYLE = ".jupyter-widgets-disconnected::before { content: none !important; }"
DRAWN = f"""() => [...document.querySelectorAll('.{CLASS}')].filter((figure) =>
  figure.querySelector('.mark, path.line') && figure.querySelectorAll('.tick text').length > 2
).length"""
Still = tuple[str, dict[str, Any]]


def photographs(figures: Sequence[str], state: Mapping[str, Any]) -> dict[str, Still]:
    """Return widget id -> a PNG in base64 and its metadata, as the light page shows the figure.

    Parameters
    ----------
    figures
        Widget ids.
    state
        Of these and of all that they are made of, as `ipywidgets.embed.dependency_state` has it.
    """
    with LabServer() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), headless=True, args=CHROMIUM_ARGUMENTS
        )
        window: Any = {"width": 1280, "height": 900}
        page = browser.new_page(viewport=window, device_scale_factor=DENSITY)
        lab = LabPage(page, server)
        _write(figures, state, server)
        lab.open(NAME)
        page.add_style_tag(content=STYLE)
        lab.until_shown(lambda: page.evaluate(DRAWN) == len(figures), "the figures")
        taken = {}
        for number, figure in enumerate(figures):
            shown = page.locator(f".{CLASS}").nth(number)
            shown.scroll_into_view_if_needed()
            page.wait_for_timeout(1000)  # bqplot moves lines and axes to their places
            taken[figure] = _still(shown.screenshot())
        browser.close()
    return taken


def _write(figures: Sequence[str], state: Mapping[str, Any], server: LabServer) -> None:
    """Write a notebook that has the figures as outputs; unsigned, it would not show them.

    Each is as wide as its picture is to be, whatever JupyterLab leaves of its window.
    """
    state = deepcopy(dict(state))
    for figure in figures:
        layout = state[figure]["state"]["layout"].removeprefix("IPY_MODEL_")
        state[layout]["state"]["width"] = f"{WIDTH}px"
    view = {"version_major": 2, "version_minor": 0}
    data = [{VIEW: view | {"model_id": figure}, "text/plain": ""} for figure in figures]
    cell = nbformat.v4.new_code_cell("")  # type: ignore[no-untyped-call]
    cell.outputs = [nbformat.v4.new_output("display_data", one) for one in data]  # type: ignore[no-untyped-call]
    widgets = {STATE: view | {"state": state}}
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "widgets": widgets}
    content = nbformat.v4.new_notebook(cells=[cell], metadata=metadata)  # type: ignore[no-untyped-call]
    path: Path = server.root / NAME
    nbformat.write(content, path)  # type: ignore[no-untyped-call]
    notary = NotebookNotary(data_dir=str(server.home / "data"))  # type: ignore[no-untyped-call]
    notary.sign(nbformat.read(path, as_version=4))  # type: ignore[no-untyped-call]


def _still(picture: bytes) -> Still:
    file = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").quantize(COLOURS).save(file, "PNG")
        about = {"width": image.width // DENSITY, "height": image.height // DENSITY}
    return base64.b64encode(file.getvalue()).decode(), about
