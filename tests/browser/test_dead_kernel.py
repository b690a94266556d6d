"""A kernel that dies while it trains: the page says so, and no view goes on saying "training"."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.browser.lab import LabPage, LabServer

pytestmark = pytest.mark.browser

SETUP = """
import os, time
from pathlib import Path
import torch
import kan_widgets as kw

torch.manual_seed(0)
model = torch.nn.Sequential(kw.nn.KANLinear(4, 3), kw.nn.KANLinear(3, 2))
optimizer = torch.optim.SGD(model.parameters(), 1e-2)
live = kw.bind(model, optimizer, every=2)
x = torch.rand(16, 4)
live.probe(x[:2])
Path("pid").write_text(str(os.getpid()))

def step():
    optimizer.zero_grad()
    loss = model(x).square().mean()
    loss.backward()
    live.log(loss=loss)
    optimizer.step()
"""
TRAIN = "for _ in live.track(range(100_000)):\n    step()\n    time.sleep(0.05)"
# No step for longer than the page waits for a sign.
SLOW = "for _ in live.track(range(2)):\n    step()\n    time.sleep(15)"
VIEWS = ["kw.TrainingPanel(live)", 'kw.Compare({"KAN": live})', "kw.NetworkView(live)"]
SAID = {
    ".kw-training-panel": ".kw-remark",
    ".kw-compare": ".kw-model-step",
    ".kw-network-view": ".kw-status-text",
}


def said(lab: LabPage) -> list[str]:
    """Give what the panel, Compare and NetworkView say of the run."""
    found = []
    for view, place in SAID.items():
        # What is out of sight is not drawn.
        lab.page.locator(view).first.scroll_into_view_if_needed()
        words = "([view, place]) => document.querySelector(`${view} ${place}`)?.textContent ?? ''"
        found.append(lab.page.evaluate(words, [view, place]))
    return found


def test_every_view_says_when_the_kernel_gives_no_sign_any_more(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    lab.page.set_viewport_size({"width": 1280, "height": 2400})
    lab.open(server.write_notebook([SETUP, *VIEWS, TRAIN]))
    for cell in range(4):
        lab.run_cell(cell)
    assert lab.cell_errors() == []
    lab.run_cell(4, wait=False)
    lab.until_shown(lambda: all("training" in words for words in said(lab)), "views of a training")
    lab.until(
        lambda: "steps/s" in lab.page.locator(".kw-training-panel").inner_text(), "steps a second"
    )
    pid = int((server.root / Path(lab.path).parent / "pid").read_text())
    os.kill(pid, signal.SIGKILL)

    def noticed() -> bool:
        words = said(lab)
        return all(
            "not connected" in each or re.search(r"no sign from Python for \d+ s", each)
            for each in words
        )

    lab.until(noticed, "what is said of a dead kernel")
    panel = lab.page.locator(".kw-training-panel").inner_text()
    assert "steps/s" not in panel
    assert "remaining" not in panel
    lab.screenshot(artifacts / "light.png")
    lab.set_theme("JupyterLab Dark")
    lab.screenshot(artifacts / "dark.png")
    assert noticed()
    lab.complaints.clear()  # of JupyterLab, about its kernel


def test_a_kernel_that_hangs_is_silent_until_it_goes_on(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    lab.page.set_viewport_size({"width": 1280, "height": 2400})
    lab.open(server.write_notebook([SETUP, *VIEWS, TRAIN]))
    for cell in range(4):
        lab.run_cell(cell)
    lab.run_cell(4, wait=False)
    lab.until_shown(lambda: all("training" in words for words in said(lab)), "a training")
    pid = int((server.root / Path(lab.path).parent / "pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        silent = r"no sign from Python for \d+ s"
        lab.until(lambda: all(re.search(silent, each) for each in said(lab)), "the silence")
        panel = lab.page.locator(".kw-training-panel").inner_text()
        assert "steps/s" not in panel
        assert "Python has died, is cut off from this page" in panel
        lab.screenshot(artifacts / "light.png")
        lab.set_theme("JupyterLab Dark")
        lab.screenshot(artifacts / "dark.png")
    finally:
        os.kill(pid, signal.SIGCONT)
    lab.until(lambda: all("training" in words for words in said(lab)), "the training again")


def test_a_long_step_is_no_silence(lab: LabPage, server: LabServer) -> None:
    lab.page.set_viewport_size({"width": 1280, "height": 1500})
    lab.open(server.write_notebook([SETUP, *VIEWS, SLOW]))
    for cell in range(4):
        lab.run_cell(cell)
    heard: list[str] = []
    lab.run_cell(4, wait=False)
    lab.until_shown(lambda: said(lab)[0] == "training", "the training")

    def over() -> bool:
        heard.extend(said(lab))
        return heard[-3] == "finished"

    lab.until(over, "the end of two long steps")
    assert not [words for words in heard if "no sign" in words or "not connected" in words]
