"""What the page prints of an example is what the model made of it at the step that is drawn."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from tests.browser.lab import WAIT_FOR, LabPage, LabServer

pytestmark = pytest.mark.browser

SETUP = (
    WAIT_FOR
    + """
import copy
import torch
import kan_widgets as kw

torch.manual_seed(0)
torch.set_num_threads(1)
model = kw.nn.KANCNN()
optimizer = torch.optim.AdamW(model.parameters(), 7e-3)
live = kw.bind(model, optimizer, every=1, max_fps=1e6)
digits = kw.data.mnist("embedded")
images, labels = digits.train_images, digits.train_labels
example = digits.test_images[:1]
live.probe(example, digits.test_labels[:1])
models = [copy.deepcopy(model)]

def train(steps):
    for _ in range(steps):
        some = torch.arange(32) + 32 * (live.stats.steps % 8)
        optimizer.zero_grad()
        torch.nn.functional.nll_loss(model(images[some]), labels[some]).backward()
        optimizer.step()
        models.append(copy.deepcopy(model))

def expected():
    with torch.no_grad():
        return [one.eval()(example)[0].exp().tolist() for one in models]
"""
)
TRAINING = """
train(5)
wait_for("seen once")
train(3)
wait_for("seen twice")
train(2)
"""

READ = """view => {
    const scene = view.kwView?.scene();
    if (!scene) return null;
    return { moment: scene.moment, verdict: scene.verdict, words: view.kwView.words() };
}"""


def printed(lab: LabPage) -> tuple[int, int, list[str]] | None:
    """Give the step that is drawn, that which the numbers are said to be of, and the words."""
    found: dict[str, Any] | None = lab.page.locator(".kw-network-view").evaluate(READ)
    if found is None or "predicted" not in found["verdict"]:
        return None
    step = found["moment"].removeprefix("step ")
    then = re.search(r"as of step ([\d,]+)", found["verdict"])
    of = then[1] if then else step
    return int(step.replace(",", "")), int(of.replace(",", "")), found["words"]


def assert_right(words: list[str], expected: list[float]) -> None:
    said = [re.fullmatch(r"([<>]?)([\d.]+) %", word) for word in words]
    ends = {"<": 0.0005, ">": 0.9995}
    shares = [ends[one[1]] if one[1] else float(one[2]) / 100 for one in said if one]
    np.testing.assert_allclose(shares, expected, rtol=0, atol=1e-3)


def test_during_a_training_after_it_and_at_each_step_of_its_past(
    lab: LabPage, server: LabServer
) -> None:
    lab.open(server.write_notebook([SETUP, "kw.NetworkView(live)", TRAINING]))
    lab.run_cell(0)
    lab.run_cell(1)
    lab.until(lambda: printed(lab), "the network with an example")
    lab.run_cell(2, wait=False)
    read: list[tuple[int, int, list[str]]] = []
    seen: list[int] = []

    def at(step: int, below: bool = False) -> bool:
        if (here := printed(lab)) is None:
            return False
        read.append(here)
        if here[0] != here[1] or (here[0] >= step if below else here[0] != step):
            return False
        seen.append(here[0])
        return True

    for steps, name in ((5, "seen once"), (8, "seen twice")):
        lab.until(lambda steps=steps: at(steps), f"step {steps}, while the cell runs")  # type: ignore[misc]
        lab.let_go(name)
    lab.wait_idle()
    lab.until(lambda: at(10), "the last step")
    track = lab.page.locator(".kw-network-view [role=slider]")
    while (step := seen[-1]) > 0:
        track.press("ArrowLeft")
        lab.until(lambda step=step: at(step, below=True), f"a step before {step}")  # type: ignore[misc]
    expected = lab.evaluate("expected()")
    assert len(expected) == 11
    for _, step, words in read:
        assert_right(words, expected[step])
    assert seen[:3] == [5, 8, 10]
    assert len(seen) > 6
    assert lab.cell_errors() == []
