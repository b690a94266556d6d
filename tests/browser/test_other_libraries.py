"""Models of other libraries in JupyterLab: what is drawn is what their own modules compute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.browser.lab import WAIT_FOR, Grid, LabPage, LabServer
from tests.browser.test_linked_views import ask, steps

pytestmark = pytest.mark.browser

LOOP = (
    WAIT_FOR
    + """
import copy, time
from pathlib import Path
import torch
import kan_widgets as kw

torch.compiler.set_stance("force_eager")  # some packages compile themselves when imported
torch.manual_seed(0)
record = {}

def train(count):
    for _ in range(count):
        optimizer.zero_grad()
        (model(inputs) - targets).square().mean().backward()
        optimizer.step()
"""
)

# A layer with a grid for each input, symbolic edges and multiplication nodes.
PYKAN = """
from kan import KAN

model = KAN(
    [4, [3, 2], 2], mult_arity=[[], [2, 3], []], grid=5, k=3, seed=1, auto_save=False
)
inputs, targets = torch.randn(200, 4) * torch.arange(1, 5), torch.randn(200, 2)
model.update_grid(inputs)
quiet = {"fit_params_bool": False, "log_history": False}
model.fix_symbolic(0, 1, 2, "sin", **quiet)
model.fix_symbolic(0, 3, 0, "tanh", **quiet)
model.set_mode(0, 3, 0, "ns")  # both halves at once
optimizer = torch.optim.Adam(model.parameters(), 2e-2)

def parts():
    # Not the model itself, which keeps tensors of its last pass that cannot be copied.
    return torch.nn.ModuleDict({"act_fun": model.act_fun, "symbolic_fun": model.symbolic_fun})

def activations(model, layer, places):
    '''pykan's own value of each edge at its own points, edge o·in + i.'''
    numeric, symbolic = model.act_fun[layer], model.symbolic_fun[layer]
    found = []
    with torch.no_grad():
        for edge, x in enumerate(places):
            o, i = divmod(edge, numeric.in_dim)
            x = torch.tensor(x).unsqueeze(1).expand(-1, numeric.in_dim)
            found.append((numeric(x)[2] + symbolic(x)[1])[:, o, i].tolist())
    return found
"""
DASHBOARD = """
live = kw.bind(model, optimizer, every=2)
dashboard = kw.Dashboard(live, page="functions")
dashboard
"""
HALVES = """
train(20)
record["half"] = copy.deepcopy(parts())
wait_for("go")
train(20)
"""

# A linear layer's φ, or a kernel's, apart from a constant: what one varied input changes.
ONE_BY_ONE = """
def responses(places):
    shape = model_input
    found = []
    with torch.no_grad():
        for function, x in enumerate(places):
            o, entry = divmod(function, torch.Size(shape).numel())
            given = torch.zeros(len(x), torch.Size(shape).numel(), dtype=inputs.dtype)
            given[:, entry] = torch.tensor(x)
            found.append(model(given.reshape(-1, *shape)).reshape(len(x), -1)[:, o].tolist())
    return found
"""
OTHERS = {
    "convkan": """
import convkan
model_input = (2, 3, 3)
model = convkan.ConvKAN(2, 3, 3)
inputs, targets = torch.randn(32, 2, 3, 3), torch.randn(32, 3, 1, 1)
""",
    # In double precision: its truncated powers cancel to 1e-3 in single.
    "flashkan": """
import flashkan
model_input = (5,)
model = flashkan.KANLayer(5, 3).double()
inputs, targets = torch.randn(32, 5).double(), torch.randn(32, 3).double()
""",
    "inkan": """
import inkan
model_input = (5,)
model = inkan.KANLayer(5, 3, compile_basis=False)
inputs, targets = torch.randn(32, 5), torch.randn(32, 3)
""",
}
OPTIMIZER = "optimizer = torch.optim.Adam(model.parameters(), 2e-2)"


def open_dashboard(lab: LabPage, server: LabServer, model: str, *more: str) -> Grid:
    """Open a notebook with the three views of a model in its second cell, drawn."""
    lab.page.set_viewport_size({"width": 1680, "height": 1800})
    lab.open(server.write_notebook([LOOP + model, DASHBOARD, *more]))
    lab.run_cell(0)
    lab.run_cell(1)
    assert lab.cell_errors() == []
    grid = lab.grid()
    lab.until_shown(lambda: None not in steps(lab), "all three views to be drawn")
    return grid


def drawn(grid: Grid, count: int) -> tuple[list[list[float]], list[NDArray[np.float64]]]:
    """Give the points of the first curves of a grid, and φ drawn there.

    Without the two ends of the axis: they may fall between two points of a function's table,
    where its curve is a straight line.
    """
    curves = [grid.curve(function) for function in range(count)]
    assert min(len(x) for x, _ in curves) > 16
    return [x[1:-1].tolist() for x, _ in curves], [y[1:-1] for _, y in curves]


def largest_difference(found: list[NDArray[np.float64]], expected: Any) -> float:
    """Give the largest difference of some curves, each relative to its own largest value."""
    differences = []
    for y, other in zip(found, expected, strict=True):
        scale = np.abs(y).max()
        assert scale > 1e-3  # a flat line would show nothing
        differences.append(np.abs(y - np.asarray(other)).max() / scale)
    return float(max(differences))


def test_what_is_drawn_of_a_pykan_model_is_its_own_activations_during_a_blocking_cell(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    grid = open_dashboard(lab, server, PYKAN, HALVES)
    titles = "remarks => remarks.map(({ title }) => title)"
    said = lab.page.locator(".kw-dashboard .kw-remark").evaluate_all(titles)
    assert sum("outputs 3·4 into node 3" in text for text in said) == 1
    before, start = drawn(grid, 32)
    own = lab.evaluate(f"activations(model, 0, {before})")
    assert largest_difference(start, own) < 1e-5

    lab.run_cell(2, wait=False)
    lab.until(lambda: steps(lab) == [20, 20, 20], "the frames of the cell")
    assert lab.is_running(2)
    places, middle = drawn(grid, 32)
    lab.screenshot(artifacts / "middle.png")
    assert lab.is_running(2)
    lab.let_go("go")
    lab.wait_idle()
    assert lab.cell_errors() == []
    own = lab.evaluate(f"activations(record['half'], 0, {places})")
    assert largest_difference(middle, own) < 1e-5
    # Cells have other widths since there is a line of time, and curves other points.
    earlier = [np.interp(*three) for three in zip(places, before, start, strict=True)]
    assert largest_difference(middle, earlier) > 1e-2

    lab.until(lambda: steps(lab) == [40, 40, 40], "the last frame")
    lab.page.locator(".kw-dashboard > .kw-header .kw-segment", has_text="act_fun.1").click()
    lab.until(lambda: grid.layer() == "act_fun.1", "the second layer")
    places, end = drawn(grid, 10)
    own = lab.evaluate(f"activations(model, 1, {places})")
    assert largest_difference(end, own) < 1e-5
    lab.screenshot(artifacts / "end.png")

    # The inspector takes the same edge apart: its terms add up to it.
    lab.evaluate("0", "live.select('act_fun.0', 0, 3)")
    chosen = {"layer": "act_fun.0", "out": 0, "in": 3, "row": 0, "column": 0}
    lab.until(lambda: ask(lab, "spline-inspector", "view.selection()") == chosen, "the inspector")
    lab.page.wait_for_timeout(300)
    lab.screenshot(artifacts / "symbolic.png")
    curve = ask(lab, "spline-inspector", "view.curve('phi')")
    edges = [[0.0]] * 3 + [curve["x"]]
    own = lab.evaluate(f"activations(model, 0, {edges})")[3]
    assert largest_difference([np.asarray(curve["y"])], [own]) < 1e-5


@pytest.mark.parametrize("library", OTHERS)
def test_what_is_drawn_of_a_layer_is_what_its_own_output_changes_by_with_one_input(
    library: str, lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    cells = [OTHERS[library] + OPTIMIZER + ONE_BY_ONE, "train(30)"]
    grid = open_dashboard(lab, server, *cells)
    before = grid.pixels()
    lab.run_cell(2)
    lab.until(lambda: steps(lab) == [30, 30, 30], "the last frame")
    lab.page.wait_for_timeout(300)
    lab.screenshot(artifacts / f"{library}.png")
    assert grid.pixels() != before
    places, found = drawn(grid, 15)
    own = [np.asarray(y) for y in lab.evaluate(f"responses({places})")]
    assert largest_difference([y - y[0] for y in found], [y - y[0] for y in own]) < 1e-5
