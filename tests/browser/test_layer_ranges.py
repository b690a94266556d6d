"""LayerRanges in JupyterLab: redrawn while a cell trains, and clicks select then too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import LabPage, LabServer

pytestmark = pytest.mark.browser

SETUP = """
import time
from pathlib import Path
import torch
import kan_widgets as kw

torch.manual_seed(0)
model = kw.nn.KANCNN.article()
optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
live = kw.bind(model, optimizer, every=2)
digits = kw.data.mnist("embedded")
live.observe(digits.test_images[:64])

def train(steps):
    images, labels = digits.train_images.split(64), digits.train_labels.split(64)
    for k in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.nll_loss(model(images[k % 60]), labels[k % 60]).backward()
        optimizer.step()

def train_until(name):
    while not Path(name).exists():
        train(5)
"""
SHOW = "ranges = kw.LayerRanges(live)\nranges"
MANY = """
import collections
parts = collections.OrderedDict()
for k in range(6):
    parts[f"encoder_of_some_length_block_{k}_kan_layer"] = kw.nn.KANLinear(12, 12)
    parts[f"plain_{k}"] = torch.nn.Linear(12, 12)
deep = torch.nn.Sequential(parts)
with torch.no_grad():
    deep[0].base_weight[0, 0] = float("nan")
    deep[0].base_weight[1, 1] = 0
    deep[0].spline_weight[1, 1] = 0
many = kw.LayerRanges(deep, over_time="splines", layout={"width": "600px"})
many
"""
HUNDRED = """
stack = torch.nn.Sequential(*(kw.nn.KANLinear(4, 4) for _ in range(100)))
start = time.perf_counter()
tall = kw.LayerRanges(stack)
seconds = time.perf_counter() - start
tall
"""
PROBE = "document.querySelectorAll('.kw-layer-ranges')[{}]?.kwView"


class Ranges:
    """One view on the page, asked by its probe."""

    def __init__(self, lab: LabPage, index: int = 0) -> None:
        self.lab, self.index = lab, index
        self.root = lab.page.locator(".kw-layer-ranges").nth(index)

    def ask(self, question: str) -> Any:
        return self.lab.page.evaluate(f"{PROBE.format(self.index)}?.{question}")

    def rows(self) -> int:
        return int(self.ask("scene()?.content.rows.length") or 0)

    def step(self) -> int:
        return int(self.ask("scene().content.step"))

    def drawn(self) -> str:
        """Give the places of boxes and curves as they are drawn."""
        return str(
            self.ask(
                "scene()?.sheets.slice(1, 3).map((sheet) => JSON.stringify(sheet.marks("
                "{x: 0, y: 0, width: 2000, height: 2000}).map((mark) => mark.xy ?? mark.boxes)))"
            )
        )

    def click(self, site: str, right: float = 0.5) -> None:
        box = self.ask(f"at('{site}')")
        self.lab.page.mouse.click(box["x"] + right * box["width"], box["y"] + 0.5 * box["height"])


def test_it_is_redrawn_and_answers_clicks_while_a_cell_trains(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    lab.page.set_viewport_size({"width": 1360, "height": 900})
    lab.open(
        server.write_notebook(
            [SETUP, SHOW, "train_until('enough')", MANY, HUNDRED, "kw.KernelGrid(live)"]
        )
    )
    lab.script("await app.commands.execute('application:toggle-left-area');")
    for index in (0, 1):
        lab.run_cell(index)
    view = Ranges(lab)
    lab.until_shown(lambda: view.rows() == 3, "the rows")
    start, drawn = view.step(), view.drawn()

    lab.run_cell(2, wait=False)
    lab.wait_cell_running(2)
    lab.until(lambda: view.step() > start + 10, "later numbers")
    lab.until(lambda: view.drawn() != drawn, "later boxes and curves")
    assert lab.is_running(2)

    # A row: the page itself selects the layer.
    view.click("2", right=0.97)
    lab.until(lambda: view.ask("scene().chosen") == 2, "the chosen row")
    # A dot: its own function.
    view.click("0.3")
    lab.until(lambda: view.ask("scene().chosen") == 0, "the layer of the dot clicked")
    # Other curves over time.
    view.root.locator("select[aria-label='lines show']").select_option("update")
    lab.until(lambda: view.ask("scene().times.measure") == "update", "the other curves")
    # The inputs were seen when the model was another; their column keeps its place.
    assert view.ask("scene().layout.cells.length") == 4
    assert "on the grid" in view.ask("scene().layout.cells[3].column.about")
    assert lab.is_running(2)
    view.root.screenshot(path=artifacts / "during_a_cell.png")

    lab.let_go("enough")
    lab.wait_idle()
    selection = lab.evaluate("dict(live.feed.selection)")
    assert selection["layer"] == "convs.0"
    assert 0 <= selection["out"] < 5
    last = lab.evaluate("live.stats.steps")
    lab.until(lambda: view.step() == last, "the last step")
    table = lab.evaluate("ranges.table()")
    first = "scene().layout.cells[0].column.lines({0}.scene().content.rows[0].numbers)"
    shown = view.ask(first.format(PROBE.format(view.index)))[0]
    assert float(shown) == float(f"{table[0]['range']:.2g}")

    lab.page.set_viewport_size({"width": 1360, "height": 1900})
    lab.run_cell(3)
    many = Ranges(lab, 1)
    lab.until_shown(lambda: many.rows() == 12, "twelve rows")
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.set_theme(theme)
        lab.page.wait_for_timeout(600)
        for one, wide in ((view, "1200"), (many, "600")):
            one.root.scroll_into_view_if_needed()
            one.root.screenshot(path=artifacts / f"{wide}_{theme.split()[-1]}.png")

    # A hundred layers scroll inside, under a head that stays; the keyboard's row is never under it.
    lab.run_cell(4)
    tall = Ranges(lab, 2)
    lab.until_shown(lambda: tall.rows() == 100, "a hundred rows")
    assert tall.root.bounding_box()["height"] < 800
    canvas = tall.root.locator("canvas")
    canvas.focus()
    lab.page.keyboard.press("End")
    scrolled = "view => view.querySelector('.kw-viewport').scrollTop"
    lab.until(lambda: tall.root.evaluate(scrolled) > 3500, "the last rows")
    for _ in range(9):
        lab.page.keyboard.press("ArrowUp")
    head = tall.ask("scene().stuck")
    top = canvas.bounding_box()["y"]
    lab.until(lambda: tall.ask("at('90').y") >= top + head - 1, "the row under the head")
    tall.root.screenshot(path=artifacts / "hundred.png")
