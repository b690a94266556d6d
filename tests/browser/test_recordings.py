"""A recording in JupyterLab: replayed and scrubbed, and followed while another process trains."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.conftest import Reference
from tests.browser.lab import CHECKOUT, LabPage, LabServer
from tests.browser.test_time import COUNT, Time

pytestmark = pytest.mark.browser

# Says what its weights were after each step, in a file beside the recording.
JOB = """
import json, pathlib, sys, time, torch
import kan_widgets as kw

folder = pathlib.Path(sys.argv[1])
torch.manual_seed(0)
model = torch.nn.Sequential(
    kw.nn.KANConv2d(1, 2, 3), torch.nn.Flatten(), kw.nn.KANLinear(2 * 4 * 4, 3)
)
optimizer = torch.optim.AdamW(model.parameters(), 3e-2)
x = torch.rand(16, 1, 6, 6) * 2 - 1
live = kw.bind(model, optimizer, every=1000)
live.data_source = "noise"
recording = live.record(folder / "run.npz")
weights = []

def note():
    layer = model[0]
    scaler = layer.spline_scaler
    weights.append({
        "base": layer.base_weight.tolist(),
        "spline": layer.spline_weight.tolist(),
        "scaler": None if scaler is None else scaler.tolist(),
        "grid_size": layer.basis.grid_size,
        "order": layer.basis.spline_order,
        "range": layer.basis.grid_range,
    })
    (folder / "weights.tmp").write_text(json.dumps(weights))
    (folder / "weights.tmp").rename(folder / "weights.json")

note()
for number, _ in enumerate(live.track(range(20))):
    while number == 10 and not (folder / "go").exists():
        time.sleep(0.02)
    optimizer.zero_grad()
    loss = model(x).square().sum()
    loss.backward()
    optimizer.step()
    live.log(loss=loss)
    live.refresh()
    note()
live.observe(x)
recording.close()
"""


class Job:
    """Another process that trains and records, as far as it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._process = subprocess.Popen(
            [sys.executable, "-c", JOB, str(folder)],
            env=os.environ
            | {
                "PYTHONPATH": str(CHECKOUT),
                "OMP_NUM_THREADS": "1",
                "KAN_WIDGETS_COMPILE": "0",
            },
        )

    def go_on(self) -> None:
        (self.folder / "go").touch()

    def wait(self) -> None:
        assert self._process.wait(240) == 0

    def weights(self) -> list[dict[str, Any]]:
        import json

        found: list[dict[str, Any]] = json.loads((self.folder / "weights.json").read_text())
        return found

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def job(server: LabServer, tmp_path: Path) -> Iterator[Job]:
    made = Job(tmp_path / "job")
    yield made
    made.end()


def said(lab: LabPage) -> tuple[str, str]:
    """Give how the grid's stream stands, and the step that is shown."""
    grid = lab.page.locator(".kw-kernel-grid")
    return (
        grid.locator(".kw-status-text").inner_text(),
        grid.locator(".kw-time-step").inner_text(),
    )


def test_a_recording_is_replayed_and_scrubbed(
    lab: LabPage, server: LabServer, job: Job, reference: Reference, artifacts: Path
) -> None:
    job.go_on()
    job.wait()
    lab.page.set_viewport_size({"width": 1280, "height": 1500})
    lab.open(
        server.write_notebook(
            [
                f"import kan_widgets as kw\nrun = kw.replay({str(job.folder / 'run.npz')!r})\n"
                "grid = kw.KernelGrid(run)\ngrid",
                "kw.SplineInspector(run, editable=True)",
                "panel = kw.TrainingPanel(run)\npanel",
            ]
        )
    )
    lab.run_all()
    assert lab.cell_errors() == []
    grid, scrubber = lab.grid(), Time(lab)
    grid.scroll_into_view()
    grid.wait_at(20)
    lab.until(scrubber.element.locator(".kw-time").is_visible, "the scrubber")
    scrubber.wait_kept(21)
    assert list(scrubber.steps()) == list(range(21))
    weights = job.weights()
    for share in (0.1, 0.5, 0.8):
        scrubber.drag(share)
        step = scrubber.shown()
        grid.wait_at(step)
        x, _ = grid.curve(0)
        assert np.abs(grid.curves(COUNT) - reference(weights[step], x)).max() < 1e-5
    lab.screenshot(artifacts / "scrubbed.png")
    assert said(lab) == ("earlier", "step 16")
    scrubber.press("Escape")
    grid.wait_at(20)
    lab.until(lambda: said(lab) == ("recorded: finished", "step 20"), "the word for a recording")
    inspector = lab.page.locator(".kw-spline-inspector")
    lab.until(
        lambda: "This is a recording: there is no model to change." in inspector.inner_text(),
        "why nothing can be edited",
    )
    panel = lab.page.locator(".kw-training-panel")
    panel.scroll_into_view_if_needed()
    assert "A recording (run.npz): it shows a run, and cannot steer it." in panel.inner_text()
    assert panel.locator(".kw-remark").first.inner_text() == "recorded: finished"
    assert panel.locator(".kw-buttons").is_hidden()
    lab.screenshot(artifacts / "panel.png")


def test_a_run_is_followed_while_another_process_records_it(
    lab: LabPage, server: LabServer, job: Job, reference: Reference, artifacts: Path
) -> None:
    path = job.folder / "run.npz"
    lab.page.set_viewport_size({"width": 1280, "height": 1500})
    lab.open(
        server.write_notebook(
            [
                f"import kan_widgets as kw\nrun = kw.follow({str(path)!r}, wait=240)\n"
                "kw.KernelGrid(run)",
                "kw.TrainingPanel(run)",
            ]
        )
    )
    lab.run_all()
    assert lab.cell_errors() == []
    grid, panel = lab.grid(), lab.page.locator(".kw-training-panel")
    grid.scroll_into_view()
    grid.wait_at(10)
    x, _ = grid.curve(0)
    assert np.abs(grid.curves(COUNT) - reference(job.weights()[10], x)).max() < 1e-5
    lab.until(lambda: panel.locator(".kw-remark").first.inner_text() == "training", "the state")
    assert "Following run.npz" in panel.inner_text()
    lab.screenshot(artifacts / "followed.png")
    job.go_on()
    grid.wait_at(20)
    job.wait()
    lab.until(lambda: said(lab) == ("recorded: finished", "step 20"), "the end of the recording")
    assert np.abs(grid.curves(COUNT) - reference(job.weights()[20], x)).max() < 1e-5
    scrubber = Time(lab)
    scrubber.wait_kept(21)
    assert list(scrubber.steps()) == list(range(21))
    ended = "recorded: finished"
    lab.until(lambda: panel.locator(".kw-remark").first.inner_text() == ended, "the state")
    lab.screenshot(artifacts / "ended.png")
