"""A cell that is run again and again in JupyterLab, and what a reload of the page brings back."""

from __future__ import annotations

import pytest

from tests.browser.lab import LabPage, LabServer

pytestmark = pytest.mark.browser

SETUP = """
import gc, json, weakref
import torch
import ipywidgets
import kan_widgets as kw
from IPython.display import display
from ipywidgets.widgets.widget import _instances

torch.manual_seed(0)
model = torch.nn.Sequential(kw.nn.KANConv2d(1, 2, 3), torch.nn.Flatten(), kw.nn.KANLinear(72, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
made = []

def note(view):
    made.append(weakref.ref(view))
    return view

def step():
    optimizer.zero_grad()
    model(torch.rand(2, 1, 8, 8)).square().sum().backward()
    optimizer.step()
"""
VIEWS = """
live = kw.bind(model, optimizer, every=1)
grid = note(kw.KernelGrid(live))
display(grid, note(kw.SplineInspector(live)), note(kw.TrainingPanel(live)))
note(kw.LayerRanges(live))
"""
BOX = "box = ipywidgets.VBox([kw.KernelGrid(live), kw.LayerRanges(live)])\nbox"
COUNTS = "[len(live.feed.listeners), len(_instances), sum(ref() is not None for ref in made)]"
SHOWN = (".kw-kernel-grid", ".kw-spline-inspector", ".kw-training-panel", ".kw-layer-ranges")


def shown(lab: LabPage) -> list[int]:
    return [lab.page.locator(name).count() for name in SHOWN]


def test_a_cell_run_again_shows_its_views_and_leaves_none_and_a_reload_brings_all_back(
    lab: LabPage, server: LabServer
) -> None:
    lab.page.set_viewport_size({"width": 1400, "height": 3600})  # what is not seen is not drawn
    lab.open(server.write_notebook([SETUP, VIEWS, BOX, "for _ in range(5):\n    step()"]))
    lab.run_cell(0)
    for _ in range(2):
        lab.run_cell(1)
    # A view that draws in the background just then is held until it has drawn.
    lab.until(lambda: lab.evaluate(COUNTS)[-1] == 4, "the views of the first run to be gone")
    counts = lab.evaluate(COUNTS)
    for _ in range(4):
        lab.run_cell(1)
        lab.until(lambda: shown(lab) == [1, 1, 1, 1], "the views of the last run alone")
    lab.until(lambda: lab.evaluate(COUNTS) == counts, "nothing else to be left")
    # Views that no cell shows by themselves, in a box of somebody else's.
    lab.run_cell(2)
    lab.until(lambda: shown(lab) == [2, 1, 1, 2], "the views in the box")
    lab.run_cell(3)
    grid = lab.grid()
    lab.until(lambda: grid.step() == 5, "the last step")
    assert lab.cell_errors() == []

    lab.save()
    lab.reload()
    lab.until(lambda: shown(lab) == [2, 1, 1, 2], "all views after the reload")
    lab.run_cell(3)
    lab.until(lambda: [lab.grid(n).step() for n in (0, 1)] == [10, 10], "frames after the reload")
