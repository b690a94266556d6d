"""Preferred patches and Explain in JupyterLab: their numbers, while a cell runs, and linked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.lab import LabPage, LabServer

pytestmark = pytest.mark.browser

SETUP = """
from pathlib import Path
import numpy as np
import torch
import kan_widgets as kw

torch.manual_seed(0)
model = kw.nn.KANCNN(channels=(8, 16), padding=0)
optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
live = kw.bind(model, optimizer, every=2)
digits = kw.data.mnist("embedded")
images, labels = digits.train_images.split(64), digits.train_labels.split(64)

def train(steps):
    for k in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.nll_loss(model(images[k % 60]), labels[k % 60]).backward()
        optimizer.step()

def train_until(name):
    while not Path(name).exists():
        train(5)

train(60)
_ = live.observe(digits.test_images[:64])
"""
# The words of all sites of a kind, row by row.
SITES = """
const sites = (name, found = []) => {
  const words = (row, column) => view.scene().sites.words(`${name}/${row}/${column}`);
  for (let row = 0; words(row, 0); row++) {
    for (let column = 0; words(row, column); column++) found.push(words(row, column));
  }
  return found;
};
"""
EXPLAIN = "view = kw.Explain(live, digits.test_images[3])\nview"


def probe(lab: LabPage, expression: str, argument: Any = None) -> Any:
    return lab.page.evaluate(
        "arg => { const root = document.querySelector('.kw-explain');"
        f"const view = root?.kwView; {SITES} return {expression}; }}",
        argument,
    )


def click(lab: LabPage, site: str) -> None:
    """Click in the middle of a bar, a small map, a class or a place of the map."""
    lab.page.mouse.click(*middle(lab, site))


def middle(lab: LabPage, site: str) -> tuple[float, float]:
    box = probe(lab, "view.at(arg)", site)
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_an_explanation_is_linked_and_made_again_while_a_cell_trains(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    lab.page.set_viewport_size({"width": 1280, "height": 1500})
    lab.open(
        server.write_notebook([SETUP, EXPLAIN, "kw.KernelGrid(live)", "train_until('enough')"])
    )
    for index in range(3):
        lab.run_cell(index)
    assert lab.cell_errors() == []
    lab.until_shown(lambda: probe(lab, "!!view?.scene()"), "the explanation")
    view = lab.page.locator(".kw-explain")
    grid = lab.grid()

    # The numbers are the record's, and the bars add up with what is said of the rest.
    part = probe(lab, "Array.from(view.scene().part.values)")
    expected = lab.evaluate(
        "view.explanation.functions[0].contributions[view.explanation.target].tolist()"
    )
    np.testing.assert_allclose(part, expected, atol=1e-6)
    score = lab.evaluate("view.explanation.score")
    assert sum(part) == pytest.approx(score, abs=1e-4)
    names = probe(lab, "sites('curves')")
    assert len(names) == 10
    shown = [float(name.split(" · ")[4].replace("−", "-")) for name in names]
    largest = sorted(part, key=abs, reverse=True)[:10]
    np.testing.assert_allclose(shown, largest, rtol=5e-3)
    groups = [name.split(" · ") for name in probe(lab, "sites('groups')")]
    # Eight channels, what the others add by their sign, and the whole.
    assert len(groups) in (10, 11)
    assert groups[-1][1] == "all 400 functions together"
    channels = [float(group[2].replace("−", "-")) for group in groups]
    assert sum(channels[:-1]) == pytest.approx(score, rel=5e-2)
    assert channels[-1] == pytest.approx(score, rel=5e-3)
    view.screenshot(path=artifacts / "functions.png")

    # A curve selects its function everywhere.
    click(lab, "curves/0/2")
    # What was clicked is in the scene that is drawn next.
    lab.until(lambda: probe(lab, "view.scene().selected") >= 0, "the function to be selected")
    number = probe(lab, "view.scene().selected")
    lab.until(lambda: lab.evaluate("live.feed.selection is not None"), "the selection in Python")
    target = lab.evaluate("view.explanation.target")
    assert lab.evaluate("dict(live.feed.selection)") == {
        "layer": "linear",
        "out": target,
        "in": number,
        "row": 0,
        "column": 0,
    }
    grid.scroll_into_view()
    lab.until(lambda: grid.layer() == "linear", "the grid to follow")
    assert grid.selected() == target * 400 + number
    view.scroll_into_view_if_needed()
    lab.page.mouse.move(5, 5)
    assert view.locator(".kw-readout[data-selected]").inner_text() == names[2].rsplit(" · ", 2)[0]

    # A kernel selected in Python is marked; the large map stays that of all.
    lab.evaluate("live.select('convs.1', 3, 2, 0, 1)")
    lab.until(lambda: probe(lab, "view.scene().part.layer") == "convs.1", "the layer of the kernel")
    lab.until(lambda: probe(lab, "view.scene().selected") == 3 * 8 + 2, "the kernel")
    described = view.locator("canvas").get_attribute("aria-label") or ""
    assert "Map of layer convs.1, all kernels, 11 × 11, from " in described
    sentence = view.locator(".kw-remark").nth(1).inner_text()
    assert "what they make of this image adds" in sentence
    method = view.locator(".kw-remark").nth(1).get_attribute("title") or ""
    assert "over 64 examples" in method
    assert "integrated gradients" in method
    view.screenshot(path=artifacts / "kernels.png")
    canvas = "document.querySelector('.kw-explain canvas').toDataURL()"
    one = lab.page.evaluate(canvas)
    click(lab, "bars/0/0")
    lab.until(lambda: lab.page.evaluate(canvas) != one, "the map of another kernel")
    lab.until(lambda: lab.evaluate("live.feed.selection['layer']") == "convs.1", "its selection")

    # The pointer reads the map.
    lab.page.mouse.move(*middle(lab, "map/4/6"))
    place = re.compile(r"row 4 · column 6 of the map: [+−]?\d")
    lab.until(lambda: place.match(view.locator(".kw-readout").inner_text()), "the place's share")

    # Another class, while a cell trains: explained between two steps.
    lab.run_cell(3, wait=False)
    lab.wait_cell_running(3)
    before = probe(lab, "view.scene().part.step")
    view.locator("select[aria-label='class']").select_option("3")
    lab.until(lambda: probe(lab, "view.scene().part.target") == 3, "the other class")
    assert lab.is_running(3)
    assert probe(lab, "view.scene().part.step") > before
    # The last layer costs one pass: it follows by itself while the cell trains.
    view.locator(".kw-tabs .kw-segment", has_text="linear").click()
    lab.until(lambda: probe(lab, "view.scene().part.layer") == "linear", "the last layer")
    then = probe(lab, "view.scene().part.step")
    lab.until(
        lambda: (
            probe(lab, "view.scene().part.layer") == "linear"
            and probe(lab, "view.scene().part.step") > then + 5
        ),
        "a later step",
    )
    assert lab.is_running(3)
    lab.let_go("enough")
    lab.wait_idle()
    last = lab.evaluate("live.stats.steps")
    lab.until(lambda: probe(lab, "view.scene().part.step") == last, "the last step")
    # The others are explained when they are chosen.
    tabs = view.locator(".kw-tabs .kw-segment")
    tabs.last.click()
    lab.until(
        lambda: (
            probe(lab, "view.scene().part.layer") != "linear"
            and probe(lab, "view.scene().part.step") == last
        ),
        "the last step of another layer",
    )
    tabs.filter(has_text="linear").click()
    lab.until(lambda: probe(lab, "view.scene().part.layer") == "linear", "the last layer again")
    assert view.locator(".kw-again").is_hidden()
    assert lab.evaluate("model.training")
    view.scroll_into_view_if_needed()
    click(lab, "classes/5/0")
    lab.until(lambda: probe(lab, "view.scene().part.target") == 5, "the class that was clicked")
    lab.set_theme("JupyterLab Dark")
    lab.page.wait_for_timeout(500)
    view.screenshot(path=artifacts / "dark.png")
    lab.page.set_viewport_size({"width": 620, "height": 1500})
    lab.page.wait_for_timeout(500)
    view.screenshot(path=artifacts / "narrow.png")
    assert probe(lab, "root.scrollWidth <= root.clientWidth + 1")
    assert probe(lab, "root.querySelector('.kw-viewport').scrollWidth <= root.clientWidth")
