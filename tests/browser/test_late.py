"""A page that is slow to start: anywidget gives a model up after 2 s, and its views live on."""

from __future__ import annotations

from tests.browser.lab import LabPage, LabServer

SETUP = """
import torch
import kan_widgets as kw
from kan_widgets.widgets.shell import view
from kan_widgets.widgets.wire import broadcast

LATE = "await new Promise((done) => setTimeout(done, 2600));\\n"
code = broadcast.packed_bundle("main.js")
broadcast.packed_bundle = lambda name: LATE + code
late_view = type("LateView", (kw.KernelGrid,), {"_esm": LATE + view.bundle("view.js")})
torch.manual_seed(0)
model = kw.nn.KANLinear(3, 2)
optimizer = torch.optim.SGD(model.parameters(), 0.1)
live = kw.bind(model, optimizer, every=1)

def train(steps):
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.rand(8, 3)).square().sum().backward()
        optimizer.step()
"""


def test_views_that_start_late_are_live_all_the_same(lab: LabPage, server: LabServer) -> None:
    cells = [SETUP, "grid = late_view(live); grid", "train(7)", "train(5); grid.mode = 'overview'"]
    lab.open(server.write_notebook(cells))
    lab.run_cell(0)
    lab.run_cell(1)
    # What is sent before the start is lost; it is asked for again.
    lab.run_cell(2)
    grid = lab.grid()
    grid.wait_step(7)
    lab.run_cell(3)
    grid.wait_step(12)
    lab.until(lambda: "largest |φ|" in grid.text(), "what Python chose")
