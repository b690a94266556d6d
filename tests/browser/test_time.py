"""Time in JupyterLab: scrubbing, playing, pinning a ghost; the history after a reload."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.browser.lab import WAIT_FOR, Grid, LabPage, LabServer

if TYPE_CHECKING:
    from tests.browser.conftest import Reference

pytestmark = pytest.mark.browser

COUNT = 18

SETUP = (
    WAIT_FOR
    + """
import time
from pathlib import Path
import torch
import kan_widgets as kw
from kan_widgets.widgets.wire import outbox
outbox._LONG_WAITS = 1  # where processors are taken frames are left out, and here none may be

torch.manual_seed(0)
model = torch.nn.Sequential(
    kw.nn.KANConv2d(1, 2, 3), torch.nn.Flatten(), kw.nn.KANLinear(2 * 4 * 4, 3)
)
optimizer = torch.optim.AdamW(model.parameters(), 3e-2)
generator = torch.Generator().manual_seed(1)
x = torch.rand(16, 1, 6, 6, generator=generator) * 2 - 1
record = {}

def weights(layer):
    scaler = layer.spline_scaler
    return {
        "base": layer.base_weight.tolist(),
        "spline": layer.spline_weight.tolist(),
        "scaler": None if scaler is None else scaler.tolist(),
        "grid_size": layer.basis.grid_size,
        "order": layer.basis.spline_order,
        "range": layer.basis.grid_range,
    }

def train(steps):
    for _ in range(steps):
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()
        live.refresh()
        record[live.stats.steps] = weights(model[0])

live = kw.bind(model, optimizer, every=1000)
record[0] = weights(model[0])
"""
)
SHOW = "grid = kw.KernelGrid(live)\ngrid"
REGRID = """
def regrid(size, low, high):
    layer = model[0]
    before = layer.spline_weight
    layer.basis = kw.nn.BSpline(size, 3, (low, high))
    fresh = 0.3 * torch.randn(*before.shape[:-1], size + 3, generator=generator)
    layer.spline_weight = torch.nn.Parameter(fresh)
    optimizer.add_param_group({"params": [layer.spline_weight]})

train(6)
regrid(8, -1.0, 1.0)
train(6)
regrid(4, -2.0, 0.5)
train(6)
"""


class Time:
    """The scrubber of one view."""

    def __init__(self, lab: LabPage, index: int = 0) -> None:
        self.lab = lab
        self.element = lab.page.locator(".kw-scrubber").nth(index)
        self.track = self.element.locator(".kw-track")

    def shown(self) -> int:
        """Give the step that the scrubber says is shown."""
        return int(self.track.get_attribute("aria-valuenow") or -1)

    def press(self, key: str) -> None:
        self.track.press(key)

    def steps(self) -> Iterator[int]:
        """Go through the history with the keyboard, and give every step when it is shown."""
        first, last = self.ends()
        self.press("Home")
        self.lab.until(lambda: self.shown() == first, "the first step")
        step = first
        yield step
        while step != last:
            self.press("ArrowRight")
            self.lab.until(lambda step=step: self.shown() != step, f"a step after {step}")
            step = self.shown()
            yield step

    def ends(self) -> tuple[int, int]:
        """Give the first and the last step that the scrubber can show."""
        first, last = (self.track.get_attribute(f"aria-value{end}") for end in ("min", "max"))
        return int(first or -1), int(last or -1)

    def wait_kept(self, count: int) -> None:
        """Wait until the track leads over this many kept steps."""
        self.lab.until(
            lambda: self.track.get_attribute("data-steps") == str(count), f"{count} steps"
        )

    def drag(self, *shares: float) -> None:
        """Press the mouse on the track and move it over these shares of its length."""
        self.lab.until(self.element.locator(".kw-time").is_visible, "the scrubber")
        box = self.track.bounding_box()
        assert box is not None
        mouse = self.lab.page.mouse
        for number, share in enumerate(shares):
            mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
            if number == 0:
                mouse.down()
            self.lab.page.wait_for_timeout(50)
        mouse.up()
        # The step chosen is written in the next animation frame.
        self.lab.page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => done(null)))"
        )

    def click(self, name: str) -> None:
        self.element.locator(f".{name}").click()

    def is_live(self) -> bool:
        return self.element.get_attribute("data-newest") is not None


def open_notebook(
    lab: LabPage, server: LabServer, *more: str, show: str = SHOW
) -> tuple[Grid, Time]:
    """Open a notebook with a grid in its second cell, and cells after it that have not run."""
    lab.open(server.write_notebook([SETUP, show, *more]))
    lab.run_cell(0)
    lab.run_cell(1)
    assert lab.cell_errors() == []
    grid = lab.grid()
    grid.scroll_into_view()
    return grid, Time(lab)


def error_of(grid: Grid, reference: Reference, weights: dict[str, Any]) -> float:
    """Compare the curves drawn with φ computed by scipy from the layer's weights."""
    x, _ = grid.curve(0)
    assert (x[0], x[-1]) == pytest.approx(weights["range"])
    return float(np.abs(grid.curves(COUNT) - reference(weights, x)).max())


def test_scrubbing_needs_no_kernel_and_shows_each_step_as_it_was(
    lab: LabPage, server: LabServer, reference: Reference, artifacts: Path
) -> None:
    block = "train(20)\nwait_for('go')"
    grid, scrubber = open_notebook(lab, server, block)
    lab.run_cell(2, wait=False)
    grid.wait_step(20)
    drawn = {}
    scrubber.wait_kept(21)
    for step in scrubber.steps():
        grid.wait_at(step)
        drawn[step] = grid.curves(COUNT), *grid.curve(0)
    # As well without a look at the steps between.
    scrubber.press("Home")
    for _ in range(13):
        scrubber.press("ArrowRight")
    grid.wait_at(13)
    assert np.array_equal(grid.curves(COUNT), drawn[13][0])
    lab.screenshot(artifacts / "back.png")
    assert lab.is_running(2)
    assert list(drawn) == list(range(21))
    lab.let_go("go")
    lab.wait_idle()
    record = lab.evaluate("record")
    for step, (curves, x, _) in drawn.items():
        assert np.abs(curves - reference(record[str(step)], x)).max() < 1e-5


def test_dragging_moves_all_views_of_the_stream_while_a_cell_runs(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    show = "kw.Dashboard(live, page='functions')"
    lab.page.set_viewport_size({"width": 1680, "height": 1800})
    grid, _ = open_notebook(lab, server, "train(30)\nwait_for('go')", show=show)
    lab.until(lambda: lab.page.locator(".kw-scrubber").count() == 1, "the one scrubber")
    scrubber = Time(lab, 0)
    lab.run_cell(2, wait=False)
    grid.wait_step(30)
    scrubber.element.scroll_into_view_if_needed()
    for where in (0.1, 0.3, 0.5):
        scrubber.drag(0.9, 0.5, where)
        step = scrubber.shown()
        assert 0 < step < 30
        lab.until(lambda step=step: views_steps(lab) == [step] * 3, f"step {step} in all views")
    lab.screenshot(artifacts / "all.png")
    scrubber.click("kw-newest")
    lab.until(lambda: views_steps(lab) == [30] * 3, "the newest step in all views")
    assert scrubber.is_live()
    assert lab.is_running(2)
    lab.let_go("go")
    lab.wait_idle()
    assert lab.evaluate("live.stats.steps") == 30


def views_steps(lab: LabPage) -> list[int]:
    """Give the step that each kind of view on the page has drawn."""
    found = lab.page.evaluate(
        "() => ['kernel-grid', 'spline-inspector', 'meshgrid-view'].map((name) => {"
        "const view = document.querySelector(`.kw-${name}`);"
        "return view?.kwView?.step() ?? null; })"
    )
    return list(found)


def test_a_scrubbed_view_stands_still_while_training_goes_on(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    grid, scrubber = open_notebook(lab, server, "train(20)", "train(20)")
    lab.run_cell(2)
    grid.wait_step(20)
    scrubber.drag(0.5)
    step = scrubber.shown()
    grid.wait_at(step)
    before, pixels = grid.curves(COUNT), grid.pixels()
    lab.run_cell(3)
    lab.until(lambda: scrubber.track.get_attribute("aria-valuemax") == "40", "the newer steps")
    assert (scrubber.shown(), grid.step()) == (step, step)
    np.testing.assert_array_equal(grid.curves(COUNT), before)
    assert grid.pixels() == pixels
    assert lab.evaluate("grid.stream.cursor") == step
    assert lab.evaluate("grid.stream.cursor", "grid.stream.cursor = 3") == 3
    grid.wait_at(3)
    scrubber.press("Escape")
    grid.wait_at(40)
    lab.until(lambda: lab.evaluate("grid.stream.cursor") == -1, "the cursor in Python")


def test_the_history_plays_and_pauses(lab: LabPage, server: LabServer) -> None:
    grid, scrubber = open_notebook(lab, server, "train(30)")
    lab.run_cell(2)
    grid.wait_step(30)
    scrubber.click("kw-play")
    seen: list[int] = []

    def halfway() -> bool:
        seen.append(grid.step())
        return 10 < seen[-1] < 30

    lab.until(halfway, "the history to play to its middle")
    scrubber.click("kw-play")
    lab.page.wait_for_timeout(400)
    paused = grid.step()
    lab.page.wait_for_timeout(600)
    assert grid.step() == paused < 30
    moving = seen[seen.index(min(seen)) :]
    assert moving == sorted(moving)
    scrubber.click("kw-play")
    grid.wait_at(30)
    assert scrubber.is_live()  # the run is over, so its end is the newest step


def test_a_pinned_step_is_the_ghost_in_every_view_and_in_python(
    lab: LabPage, server: LabServer, reference: Reference, artifacts: Path
) -> None:
    grid, scrubber = open_notebook(lab, server, "train(30)", show=f"{SHOW}\nkw.KernelGrid(live)")
    lab.run_cell(2)
    grid.wait_step(30)
    ghost = "(view => { const {step, x, y} = grid.ghost(0); return [step, x, y]; })()"
    assert grid._ask(ghost)[0] == 0
    scrubber.drag(0.4)
    step = scrubber.shown()
    scrubber.click("kw-pin")
    scrubber.press("Escape")
    lab.until(lambda: grid._ask(ghost)[0] == step, "the pinned ghost")
    grid.wait_at(30)
    _, x, y = grid._ask(ghost)
    record = lab.evaluate("record")
    expected = reference(record[str(step)], np.asarray(x))[0]
    assert np.abs(np.asarray(y) - expected).max() < 1e-5
    said = lab.page.evaluate("document.querySelector('.kw-kernel-grid').kwView.words()")
    assert f"step {step}" in said
    assert "now" in said
    lab.screenshot(artifacts / "pinned.png")
    lab.until(lambda: lab.evaluate("grid.stream.ghost_step") == step, "the step in Python")
    lab.evaluate("0", "grid.stream.ghost_step = 7")
    lab.until(lambda: grid._ask(ghost)[0] == 7, "the ghost set from Python")
    scrubber.click("kw-pin")
    lab.until(lambda: grid._ask(ghost)[0] == 0, "the initial ghost")


def test_the_scrubber_comes_without_moving_the_page(lab: LabPage, server: LabServer) -> None:
    grid, scrubber = open_notebook(lab, server, "train(5)")
    bar = scrubber.element.locator(".kw-time")
    assert not bar.is_visible()
    before = places(grid)
    lab.run_cell(2)
    grid.wait_step(5)
    lab.until(bar.is_visible, "the scrubber")
    assert places(grid) == before


def places(grid: Grid) -> tuple[float, ...]:
    """Give where a grid draws within its view, and the view's size.

    Not where they are in the window: JupyterLab scrolls to a cell that is run below its edge.
    """
    view = grid.lab.page.locator(".kw-kernel-grid").bounding_box()
    assert view is not None
    cell = grid.rect(0)
    return cell.x - view["x"], cell.y - view["y"], view["width"], view["height"]


def test_the_history_comes_back_after_a_reload(
    lab: LabPage, server: LabServer, reference: Reference, artifacts: Path
) -> None:
    grid, scrubber = open_notebook(lab, server, "train(25)")
    lab.run_cell(2)
    grid.wait_step(25)
    kept = lab.evaluate("live.history.steps.tolist()")
    lab.save()
    lab.reload()
    grid = lab.grid()
    grid.scroll_into_view()
    scrubber = Time(lab)
    grid.wait_at(25)
    scrubber.wait_kept(len(kept))
    assert list(scrubber.steps()) == kept
    record = lab.evaluate("record")
    for share in (0.2, 0.5, 0.8):
        scrubber.drag(share)
        step = scrubber.shown()
        grid.wait_at(step)
        assert error_of(grid, reference, record[str(step)]) < 1e-5
    lab.screenshot(artifacts / "after_reload.png")


@pytest.mark.parametrize("reload", [False, True], ids=["live", "after_a_reload"])
def test_a_change_of_grid_is_shown_at_every_step(
    lab: LabPage, server: LabServer, reference: Reference, artifacts: Path, reload: bool
) -> None:
    grid, scrubber = open_notebook(lab, server, REGRID)
    lab.run_cell(2)
    assert lab.cell_errors() == []
    grid.wait_step(18)
    if reload:
        lab.save()
        lab.reload()
        grid = lab.grid()
        grid.scroll_into_view()
        scrubber = Time(lab)
    record = lab.evaluate("record")
    scrubber.wait_kept(19)
    assert list(scrubber.steps()) == list(range(19))
    # Else the page's last step might come after the first that Python sets.
    lab.until(lambda: lab.evaluate("grid.stream.cursor") == -1, "the cursor in Python")
    for step in [18, 0, 5, 6, 7, 11, 12, 13, 6]:
        lab.evaluate("0", f"grid.stream.cursor = {step}")
        grid.wait_at(step)
        weights = record[str(step)]
        assert weights["grid_size"] == (5 if step <= 6 else 8 if step <= 12 else 4)
        assert error_of(grid, reference, weights) < 1e-5
        if step == 13:
            lab.screenshot(artifacts / "regridded.png")
