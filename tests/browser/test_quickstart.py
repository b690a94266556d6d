"""The first tutorial, run as a newcomer runs it: the kernels change while the plain loop trains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.browser.lab import STARRED, LabPage, LabServer

if TYPE_CHECKING:
    from tests.browser.conftest import Reference

pytestmark = pytest.mark.browser

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_quickstart.ipynb"

# Notes each frame that the page shows while the notebook runs: its step, all its curves, a number
# made of the canvas's pixels, and the number of the cell that executes at that moment.
RECORDER = """
window.kwRecord = [];
const fingerprint = (text) => {
  let sum = 0;
  for (let i = 0; i < text.length; i += 1) sum = (Math.imul(sum, 31) + text.charCodeAt(i)) | 0;
  return sum;
};
setInterval(() => {
  const view = document.querySelector('.kw-kernel-grid');
  const step = view?.kwGrid?.step() ?? -1;
  if (step < 0 || window.kwRecord.at(-1)?.step === step) return;
  const shape = view.kwGrid.arrangement();
  const count = shape.out * shape.in * shape.kh * shape.kw;
  window.kwRecord.push({
    step,
    curves: Array.from({length: count}, (_, f) => Array.from(view.kwGrid.curve(f).y)),
    pixels: [...view.querySelectorAll('canvas')].map((canvas) => fingerprint(canvas.toDataURL())),
    cell: panel.content.widgets.findIndex(STARRED),
  });
}, 25);
""".replace("STARRED", STARRED)
WEIGHTS = """
def kw_test_weights(layer):
    scaler = getattr(layer, "spline_scaler", None)
    return {
        "base": layer.base_weight.tolist(),
        "spline": layer.spline_weight.tolist(),
        "scaler": None if scaler is None else scaler.tolist(),
        "grid_size": layer.basis.grid_size,
        "order": layer.basis.spline_order,
        "range": layer.basis.grid_range,
    }
"""


def test_the_quickstart_shows_kernels_changing_while_its_training_cell_executes(
    lab: LabPage, server: LabServer, reference: Reference, artifacts: Path
) -> None:
    lab.open(server.copy_notebook(NOTEBOOK))
    lab.script(RECORDER)
    cells = lab.script("return panel.content.widgets.map(cell => cell.model.sharedModel.toJSON());")
    code = [index for index, cell in enumerate(cells) if cell["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in cells]
    (training,) = [index for index in code if "optimizer.step()" in sources[index]]
    for index in code[: code.index(training)]:
        lab.run_cell(index)
    grid = lab.grid()
    grid.scroll_into_view()
    lab.until(lambda: lab.page.evaluate("window.kwRecord.length") > 0, "step 0 to be noted")
    for index in code[code.index(training) :]:
        lab.run_cell(index, wait=False)
    grid.scroll_into_view()
    grid.wait_step(1)
    lab.screenshot(artifacts / "training.png")
    lab.wait_idle()
    assert lab.cell_errors() == []
    last = lab.evaluate("live.stats.steps")
    grid.wait_step(last)
    grid.scroll_into_view()
    lab.screenshot(artifacts / "end.png")
    noted = "window.kwRecord.at(-1).step"
    lab.until(lambda: lab.page.evaluate(noted) == last, "the last step to be noted")

    record = lab.page.evaluate("window.kwRecord")
    assert record[0]["step"] == 0
    during = [shown for shown in record if shown["cell"] == training and shown["step"] > 0]
    assert len(during) >= 5
    middle = during[len(during) // 2]
    assert 0 < middle["step"] < last

    start, half, end = (np.asarray(shown["curves"]) for shown in (record[0], middle, record[-1]))
    for one, other in ((start, half), (half, end), (start, end)):
        assert np.abs(one - other).max(axis=1).min() > 1e-4  # every function moved
    pixels = {tuple(shown["pixels"]) for shown in (record[0], middle, record[-1])}
    assert len(pixels) == 3

    layer = f"dict(model.named_modules())[{grid.layer()!r}]"
    weights = lab.evaluate(f"kw_test_weights({layer})", WEIGHTS)
    x, _ = grid.curve(0)
    assert np.abs(end - reference(weights, x)).max() < 1e-5
