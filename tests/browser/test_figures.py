"""Named lines in JupyterLab: moved by a running cell, in the colours of the theme."""

from __future__ import annotations

import pytest

from tests.browser.lab import WAIT_FOR, LabPage, LabServer

pytestmark = pytest.mark.browser

SETUP = "import torch\nimport kan_widgets as kw"
MADE = """figure = kw.figures.lines(
    {'one': ([0, 1, 2], [0, 1, 0]), 'two': ([0, 1, 2], [1, 1, 2])}, x='x', y='y'
)
figure"""
# How steeply the first line ends.
END = """() => {
  const line = document.querySelector('.kw-bqplot path.line');
  const length = line?.getTotalLength();
  return length ? line.getPointAtLength(length).y - line.getPointAtLength(length - 9).y : null;
}"""
LINES = """() => [...document.querySelectorAll('.kw-bqplot')[0].querySelectorAll('path.line')]
  .filter((node) => !node.closest('.g_legend') && node.getTotalLength() > 0)
  .map((node) => getComputedStyle(node).stroke)"""
COLOURS = """() => {
  const root = document.querySelectorAll('.kw-bqplot')[0];
  const style = (part) => getComputedStyle(root.querySelector(part));
  return {
    background: style('.svg-figure').backgroundColor,
    plot: style('.plotarea_background').fill,
    label: style('text.axislabel').fill,
  };
}"""


def test_a_line_that_a_cell_moves_moves_while_the_cell_runs(
    server: LabServer, lab: LabPage
) -> None:
    move = f"{WAIT_FOR}\nfigure.marks[0].y = torch.tensor([0, 1, 1]).numpy()\nwait_for('enough')"
    lab.open(server.write_notebook([SETUP, MADE, move]))
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
    lab.open(server.write_notebook([SETUP, MADE]))
    lab.run_all()
    seen = {}
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.set_theme(theme)
        lines = lab.page.evaluate(LINES)
        seen[theme] = lab.page.evaluate(COLOURS) | {"lines": lines}
    light, dark = seen.values()
    assert light["lines"] == ["rgb(16, 152, 173)", "rgb(152, 108, 58)"]
    assert dark["lines"] == ["rgb(127, 224, 240)", "rgb(192, 138, 94)"]
    for found in (light, dark):
        assert found["background"] == "rgba(0, 0, 0, 0)"
        assert found["plot"] in ("rgba(0, 0, 0, 0)", "none", "transparent")
    assert light["label"] != dark["label"]
