"""LayerRanges in JupyterLab: redrawn while a cell trains, and clicks select then too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
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
# Rectangles that text of the figures and the table takes, by what it says.
TEXTS = """n => {
  const root = document.querySelectorAll('.kw-layer-ranges')[n];
  const parts = '.bqplot > svg text, .kw-ranges-table .kw-line, .kw-ranges-bar > *';
  return [...root.querySelectorAll(parts)].map((node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    const frame = node.closest('td, th, svg')?.getBoundingClientRect() ?? box;
    return [node.textContent, Math.max(box.left, frame.left), box.top,
            Math.min(box.right, frame.right), box.bottom];
  }).filter(([text, x, y, right, bottom]) => text.trim() && right > x && bottom > y);
}"""


def ranges_on(lab: LabPage, index: int = 0) -> Any:
    return lab.page.locator(".kw-layer-ranges").nth(index)


def step_of(lab: LabPage) -> int:
    text = lab.page.locator(".kw-layer-ranges .kw-step").first.inner_text()
    return int(text.removeprefix("step ").replace(",", ""))


def medians(lab: LabPage) -> str:
    """Give the path of the curves and boxes that bqplot has drawn."""
    return str(
        lab.page.evaluate(
            "[...document.querySelectorAll('.kw-layer-ranges path.line')]"
            ".map((path) => path.getAttribute('d')).join()"
        )
    )


def overlaps(lab: LabPage, index: int) -> list[str]:
    texts = lab.page.evaluate(TEXTS, index)
    found = []
    for k, (a, left, top, right, bottom) in enumerate(texts):
        for b, x, y, to_x, to_y in texts[k + 1 :]:
            if min(right, to_x) - max(left, x) > 1 and min(bottom, to_y) - max(top, y) > 3:
                found.append(f"{a} over {b}")
    return found


def rests_without_overlaps(lab: LabPage, index: int) -> bool:
    """Tell whether no text overlaps another, and none has moved for a while.

    bqplot lays a figure out anew 300 ms after the last change of its size.
    """
    before = lab.page.evaluate(TEXTS, index)
    lab.page.wait_for_timeout(600)
    return overlaps(lab, index) == [] and bool(lab.page.evaluate(TEXTS, index) == before)


def test_it_is_redrawn_and_answers_clicks_while_a_cell_trains(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    lab.page.set_viewport_size({"width": 1360, "height": 900})
    lab.open(
        server.write_notebook([SETUP, SHOW, "train_until('enough')", MANY, "kw.KernelGrid(live)"])
    )
    lab.script("await app.commands.execute('application:toggle-left-area');")
    for index in (0, 1):
        lab.run_cell(index)
    view = ranges_on(lab)
    lab.until_shown(lambda: view.locator("tbody tr").count() == 3, "the rows")
    lab.until(lambda: view.locator(".bargroup rect").count() == 6, "the figures")
    lab.until(lambda: rests_without_overlaps(lab, 0), "texts that do not overlap")
    start, drawn = step_of(lab), medians(lab)

    lab.run_cell(2, wait=False)
    lab.wait_cell_running(2)
    lab.until(lambda: step_of(lab) > start + 10, "later numbers")
    lab.until(lambda: medians(lab) != drawn, "later boxes and curves")
    assert lab.is_running(2)

    # A row of the table: the page itself selects the layer.
    view.locator("tbody tr").nth(2).click()
    lab.until(lambda: view.locator("tbody tr.kw-chosen").count() == 1, "the chosen row")
    chosen = view.locator("tbody tr.kw-chosen .kw-line").first
    assert chosen.text_content() == "linear"
    # A row of the figure: by way of Python, on a thread of its own.
    figure = view.locator(".kw-ranges-now")
    bars = figure.locator(".bargroup rect")
    box = bars.nth(1).bounding_box()
    assert box is not None
    lab.page.mouse.click(box["x"] + 0.02 * box["width"], box["y"] + 0.5 * box["height"])
    lab.until(lambda: chosen.text_content() == "convs.1", "the layer clicked in the figure")
    lab.until(
        lambda: "chosen" in (bars.nth(1).get_attribute("style") or ""), "the bar to be marked"
    )
    # A dot: its own function.
    figure.locator(".object_grp .element").nth(3).click(force=True)
    lab.until(lambda: chosen.text_content() == "convs.0", "the layer of the dot clicked")
    # Another curve over time, and another threshold.
    view.locator("select[aria-label='over time']").select_option("update")
    title = view.locator(".kw-ranges-times .mainheading")
    lab.until(lambda: (title.text_content() or "").startswith("update"), "the other curves")
    shaped = view.locator("tbody td:nth-of-type(4) .kw-line:first-child")
    assert "over the inputs" in view.locator("thead").inner_text()
    assert set(shaped.all_text_contents()) != {"100 %"}
    view.locator(".kw-number").fill("0")
    view.locator(".kw-number").press("Enter")
    lab.until(lambda: set(shaped.all_text_contents()) == {"100 %"}, "the other threshold")
    assert lab.is_running(2)
    lab.page.wait_for_timeout(500)
    view.screenshot(path=artifacts / "during_a_cell.png")

    (lab.server.root / lab.path).with_name("enough").touch()
    lab.wait_idle()
    selection = lab.evaluate("dict(live.selection)")
    ranges = np.array(
        lab.evaluate(
            "kw.insight.function_ranges(live.layout.layer('convs.0'), "
            "live.frame.coefficients('convs.0')).range.tolist()"
        )
    )
    assert selection["layer"] == "convs.0"
    assert 0 <= selection["out"] < 5
    assert ranges.shape == (45,)
    last = lab.evaluate("live.stats.steps")
    lab.until(lambda: step_of(lab) == last, "the last step")
    table = lab.evaluate("ranges.table()")
    shown = view.locator("tbody tr").nth(0).locator("td").nth(0).inner_text().split()[0]
    assert float(shown) == pytest.approx(table[0]["range"], rel=5e-3)

    lab.page.set_viewport_size({"width": 1360, "height": 1900})
    lab.run_cell(3)
    many = ranges_on(lab, 1)
    lab.until_shown(lambda: many.locator("tbody tr").count() == 12, "twelve rows")
    lab.until(lambda: many.locator(".bargroup rect").count() == 24, "the figures")
    lab.page.wait_for_timeout(1500)
    lab.until(lambda: rests_without_overlaps(lab, 1), "texts that do not overlap")
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.set_theme(theme)
        lab.page.wait_for_timeout(600)
        for number, wide in ((0, "1200"), (1, "600")):
            ranges_on(lab, number).scroll_into_view_if_needed()
            ranges_on(lab, number).screenshot(path=artifacts / f"{wide}_{theme.split()[-1]}.png")
    assert lab.page.evaluate(
        "getComputedStyle(document.querySelector('.kw-layer-ranges .bqplot text')).fill"
        " !== 'rgb(0, 0, 0)'"
    )
