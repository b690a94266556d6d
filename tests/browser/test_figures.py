"""Figures of kan_widgets.figures in JupyterLab: alive while a cell trains, linked, in its theme."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import WAIT_FOR, LabPage, LabServer

pytestmark = pytest.mark.browser

SETUP = """
from pathlib import Path
import torch
import kan_widgets as kw

torch.manual_seed(0)
model = kw.nn.KANLinear(2, 3)
optimizer = torch.optim.SGD(model.parameters(), 1e-3)
live = kw.bind(model, optimizer, every=2)

def train_until(name):
    while not Path(name).exists():
        optimizer.zero_grad()
        loss = model(torch.rand(256, 2)).square().mean()
        loss.backward()
        optimizer.step()
        live.log(loss=loss)
"""
CURVES = "kw.figures.curves(live, 'loss')"
FUNCTIONS = "kw.figures.functions(live, 0, [(0, 0), (2, 1)])"
CHOSEN = "[live.feed.selection[part] for part in ('out', 'in')]"
# The middle of an element of a figure on the screen; of a path a point on it.
PLACE = """([figure, mark, element]) => {
  const root = document.querySelectorAll('.kw-bqplot')[figure];
  const nodes = [...(root?.querySelectorAll(mark) ?? [])];
  const node = nodes.filter((one) => !one.closest('.g_legend'))[element];
  if (!node) return null;
  node.scrollIntoView({block: 'center'});
  if (node.tagName === 'path' && node.classList.contains('line')) {
    const at = node.getPointAtLength(0.8 * node.getTotalLength());
    const there = new DOMPoint(at.x, at.y).matrixTransform(node.getScreenCTM());
    return [there.x, there.y];
  }
  const box = node.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
}"""
LENGTH = """() => document.querySelectorAll('.kw-bqplot')[0]
  ?.querySelector('path.line')?.getAttribute('d')?.length ?? 0"""
# How steeply the first line ends.
END = """() => {
  const line = document.querySelector('.kw-bqplot path.line');
  const length = line?.getTotalLength();
  return length ? line.getPointAtLength(length).y - line.getPointAtLength(length - 9).y : null;
}"""
LINES = """() => [...document.querySelectorAll('.kw-bqplot')[1].querySelectorAll('path.line')]
  .filter((node) => !node.closest('.g_legend') && node.getTotalLength() > 0)
  .map((node) => getComputedStyle(node).stroke)"""
COLOURS = """() => {
  const root = document.querySelectorAll('.kw-bqplot')[1];
  const style = (part) => getComputedStyle(root.querySelector(part));
  return {
    background: style('.svg-figure').backgroundColor,
    plot: style('.plotarea_background').fill,
    label: style('text.axislabel').fill,
  };
}"""


def click(lab: LabPage, figure: int, mark: str, element: int) -> None:
    lab.until(lambda: lab.page.evaluate(PLACE, [figure, mark, element]), mark)
    place: Any = lab.page.evaluate(PLACE, [figure, mark, element])
    lab.page.mouse.click(*place)


def test_curves_grow_and_clicks_select_while_a_cell_trains(
    server: LabServer, lab: LabPage, artifacts: Path
) -> None:
    lab.open(server.write_notebook([SETUP, CURVES, FUNCTIONS, "train_until('enough')"]))
    for cell in range(3):
        lab.run_cell(cell)
    lab.run_cell(3, wait=False)
    lab.wait_cell_running(3)
    length = lab.until(lambda: lab.page.evaluate(LENGTH), "a curve of the loss")
    lab.until(lambda: lab.page.evaluate(LENGTH) > length, "a longer curve")
    assert len(lab.page.evaluate(LINES)) == 2
    click(lab, 1, "path.line", 1)
    lab.until(lambda: len(lab.page.evaluate(LINES)) == 3, "the band under the line clicked")
    assert lab.is_running(3)
    lab.screenshot(artifacts / "figures.png")
    lab.let_go("enough")
    lab.wait_idle()
    assert not lab.cell_errors()
    assert lab.evaluate(CHOSEN) == [2, 1]


def test_a_line_that_a_cell_moves_moves_while_the_cell_runs(
    server: LabServer, lab: LabPage
) -> None:
    made = "figure = kw.figures.lines({'one': ([0, 1, 2], [0, 1, 0])}, x='x', y='y')\nfigure"
    move = f"{WAIT_FOR}\nfigure.marks[0].y = torch.tensor([0, 1, 1]).numpy()\nwait_for('enough')"
    lab.open(server.write_notebook([SETUP, made, move]))
    for cell in range(2):
        lab.run_cell(cell)
    lab.until(lambda: (lab.page.evaluate(END) or 0) > 1, "the line that falls at its end")
    lab.run_cell(2, wait=False)
    lab.wait_cell_running(2)
    lab.until(lambda: abs(lab.page.evaluate(END)) < 0.1, "the line to end flat")
    assert lab.is_running(2)
    lab.let_go("enough")
    lab.wait_idle()
    assert not lab.cell_errors()


def test_figures_have_the_colours_of_the_theme(server: LabServer, lab: LabPage) -> None:
    lab.open(server.write_notebook([SETUP, CURVES, FUNCTIONS]))
    lab.run_all()
    seen = {}
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.set_theme(theme)
        lines = lab.page.evaluate(LINES)
        seen[theme] = lab.page.evaluate(COLOURS) | {"lines": lines}
    light, dark = seen.values()
    assert light["lines"] == ["rgb(0, 114, 178)", "rgb(213, 94, 0)"]
    assert dark["lines"] == ["rgb(86, 180, 233)", "rgb(230, 159, 0)"]
    for found in (light, dark):
        assert found["background"] == "rgba(0, 0, 0, 0)"
        assert found["plot"] in ("rgba(0, 0, 0, 0)", "none", "transparent")
    assert light["label"] != dark["label"]
