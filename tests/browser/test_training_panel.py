"""TrainingPanel in JupyterLab: its buttons act on a training in a cell, a thread, a coroutine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator

from tests.browser.lab import LabPage, LabServer, Rect, decode

pytestmark = pytest.mark.browser

SETUP = """
import time
from pathlib import Path
import torch
import kan_widgets as kw

torch.manual_seed(0)
model = kw.nn.KANLinear(8, 3)
optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
live = kw.bind(model, optimizer, every=2)
x = torch.rand(16, 8)
y = torch.zeros(16, 3)
made = 0

def step():
    global made
    optimizer.zero_grad()
    loss = model(x).square().mean()
    loss.backward()
    live.log(loss=loss)
    made += 1
    # Known from outside while this cell runs and the step holds.
    Path("made").write_text(str(made))
    optimizer.step()
    time.sleep(0.005)
"""
SHOW = "panel = kw.TrainingPanel(live)\npanel"
BARE = "while True:\n    step()"
TRACKED = "for _ in live.track(range(100_000), epochs=50):\n    step()\nprint('after the loop')"
FINITE = "for _ in live.track(range(20)):\n    step()"


class Panel:
    """The one panel on a page, and the number of steps that the loop itself has counted."""

    def __init__(self, lab: LabPage, server: LabServer) -> None:
        self.lab = lab
        self.element: Locator = lab.page.locator(".kw-training-panel").first
        self._made = server.root / Path(lab.path).parent / "made"

    def state(self) -> str:
        """Give the state, nothing as long as nothing is drawn."""
        return (self.facts() or [""])[0]

    def facts(self) -> list[str]:
        """Give what the line over the curves says, the state first."""
        return [text.strip() for text in self.element.locator(".kw-remark").all_inner_texts()]

    def fact(self, name: str) -> str:
        return next(fact.removeprefix(name).strip() for fact in self.facts() if name in fact)

    def step(self) -> int:
        return int(self.fact("step").replace(",", ""))

    def made(self) -> int:
        text = self._made.read_text() if self._made.exists() else ""
        return int(text or 0)

    def click(self, name: str) -> None:
        self.element.get_by_role("button", name=name, exact=True).click()

    def notes(self) -> str:
        return self.element.locator(".kw-notes").inner_text()

    def wait_state(self, state: str) -> None:
        self.lab.until(lambda: self.state() == state, f"the state {state}")

    def wait_steps(self, more: int = 3) -> None:
        """Wait until the loop has made some more steps."""
        before = self.made()
        self.lab.until(lambda: self.made() >= before + more, f"{more} more steps")

    def held(self) -> int:
        """Give the steps made, once none has come for a while and the panel shows as many.

        The panel says paused from the command on, before the step that is going on has ended.
        """
        self.wait_state("paused")

        def holds() -> bool:
            before = self.made()
            self.lab.page.wait_for_timeout(600)
            return self.made() == before == self.step()

        self.lab.until(holds, "the training to hold")
        return self.made()


def open_panel(lab: LabPage, server: LabServer, *cells: str, setup: str = SETUP) -> Panel:
    """Open a notebook with a panel in its second cell, and cells after it that have not run."""
    lab.open(server.write_notebook([setup, SHOW, *cells]))
    lab.run_cell(0)
    lab.run_cell(1)
    assert lab.cell_errors() == []
    panel = Panel(lab, server)
    ready = "not training"
    lab.until_shown(lambda: panel.element.count() == 1 and panel.state() == ready, "the panel")
    return panel


def curve(lab: LabPage) -> list[list[float]]:
    """Give the corners of the first curve as the saved picture draws it."""
    svg = lab.page.evaluate(
        "document.querySelector('.kw-training-panel .kw-save')?.kwSave.svg() ?? ''"
    )
    paths: list[list[list[float]]] = [
        [[float(n) for n in pair] for pair in re.findall(r"([-\d.]+)[ ,]([-\d.]+)", path)]
        for path in re.findall(r'<path[^>]* d="([^"]*)"', svg)
        # Grid lines are many lines in one.
        if path.count("M") == 1
    ]
    return next((path for path in paths if len(path) > 2), [])


def picture_words(lab: LabPage) -> list[str]:
    """Give the words in the picture of the panel."""
    svg: str = lab.page.evaluate(
        "document.querySelector('.kw-training-panel .kw-save').kwSave.svg() ?? ''"
    )
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_in_a_blocking_cell_a_pause_holds_steps_are_counted_out_and_a_stop_ends_the_cell(
    lab: LabPage, server: LabServer
) -> None:
    panel = open_panel(lab, server, BARE)
    lab.run_cell(2, wait=False)
    panel.wait_steps()
    panel.click("Pause")
    held = panel.held()
    panel.click("One step")
    lab.until(lambda: panel.step() == held + 1, "one step")
    assert panel.held() == held + 1
    panel.click("Several steps")
    lab.until(lambda: panel.step() == held + 11, "ten steps")
    assert panel.held() == held + 11
    panel.click("Resume")
    panel.wait_steps()
    panel.wait_state("training")
    assert lab.is_running(2)
    panel.click("Stop")
    lab.wait_idle()
    (error,) = lab.cell_errors()
    assert "TrainingStopped: training was stopped after step" in error
    panel.wait_state("stopped")
    lab.until(lambda: panel.step() == panel.made(), "the panel to show the last step")
    assert lab.evaluate("[live.stats.steps, made]") == [panel.made()] * 2


def test_in_a_tracked_loop_twelve_quick_clicks_leave_the_right_state_and_a_stop_ends_it_cleanly(
    lab: LabPage, server: LabServer
) -> None:
    panel = open_panel(lab, server, TRACKED)
    lab.run_cell(2, wait=False)
    panel.wait_steps()
    hold = panel.element.locator(".kw-button").first
    for clicks, state in ((12, "training"), (11, "paused")):
        hold.evaluate(
            "async (button, clicks) => { for (let k = 0; k < clicks; k++) {"
            " button.click(); await new Promise((done) => setTimeout(done, 60)); } }",
            clicks,
        )
        if state == "training":
            panel.wait_state("training")
            panel.wait_steps(20)
            panel.wait_state("training")
        else:
            panel.held()
    assert panel.fact("epoch") == "1 of 50"
    panel.click("Stop")
    lab.wait_idle()
    panel.wait_state("stopped")
    assert lab.cell_errors() == []
    assert "after the loop" in str(lab.outputs(2))


def test_learning_rate_and_every_change_while_a_cell_trains_and_leave_a_mark(
    lab: LabPage, server: LabServer
) -> None:
    panel = open_panel(lab, server, "while not Path('go').exists():\n    step()")
    lab.run_cell(2, wait=False)
    panel.wait_steps()
    field = panel.element.get_by_label("learning rate", exact=True)
    for rate in ("0.008", "0.006", "0.004"):
        field.fill(rate)
        field.press("Enter")
    every = panel.element.get_by_label("draw every")
    every.fill("7")
    every.press("Enter")
    lab.until(
        lambda: any("lr 0.01 →" in text for text in picture_words(lab)), "a mark on the curve"
    )
    assert lab.is_running(2)
    lab.let_go("go")
    lab.wait_idle()
    # Three rates were sent, each of which is set after a step.
    lab.until(lambda: lab.evaluate("live.every") == 7, "Python to hear of all that was sent")

    def agree() -> bool:
        (rate,), marked = lab.evaluate(
            "[live.feed.learning_rates, [mark.text for mark in live.scalars.marks]]"
        )
        shown = float(field.input_value())
        return bool(
            shown == pytest.approx(rate, rel=0.01)
            and rate < 0.01
            and marked[-1].endswith(f"→ {rate:.3g}")
        )

    lab.until(agree, "the last rate in the field and on the curve")


def test_training_in_the_background_is_steered_and_a_reload_restores_panel_and_curves(
    lab: LabPage, server: LabServer
) -> None:
    run = (
        "class Steps:\n"
        "    def on_step(self, run):\n"
        "        Path('made').write_text(str(live.stats.steps))\n"
        "        if live.stats.steps == 3:\n            print('printed by the training')\n"
        "        time.sleep(0.005)\n"
        "loss = torch.nn.functional.mse_loss\n"
        "run = kw.fit(model, [(x, y)] * 100000, optimizer, loss, background=True,"
        " callbacks=[Steps()])"
    )
    panel = open_panel(lab, server, run)
    lab.run_cell(2)
    panel.wait_steps()
    panel.click("Pause")
    panel.wait_state("paused")
    lab.until(lambda: lab.evaluate("live.control.is_holding"), "the training to hold")
    held = lab.evaluate("live.stats.steps")
    panel.click("One step")
    lab.until(lambda: panel.step() == held + 1, "one step")
    holding = "[live.control.is_holding, live.stats.steps]"
    lab.until(lambda: lab.evaluate(holding) == [True, held + 1], "the training to hold again")
    panel.click("Resume")
    panel.wait_steps()
    lab.until(lambda: len(curve(lab)) > 2, "the curve")
    assert "printed by the training" in panel.element.locator(".kw-output pre").inner_text()
    assert lab.outputs(2) == []

    lab.save()
    lab.reload()
    lab.until_shown(lambda: panel.element.count() == 1, "the panel after the reload")
    panel.wait_state("training")
    lab.until(lambda: len(curve(lab)) > 2, "the curve after the reload")
    before = panel.step()
    lab.until(lambda: panel.step() > before, "the numbers to move after the reload")
    panel.click("Pause")
    panel.wait_state("paused")
    assert "printed by the training" in panel.element.locator(".kw-output pre").inner_text()
    panel.click("Stop")
    panel.wait_state("stopped")
    assert lab.evaluate("[run.wait(60).stopped, run.state, run.error]") == [True, "stopped", None]


def test_a_coroutine_that_trains_is_paused_and_stopped_while_other_cells_run(
    lab: LabPage, server: LabServer
) -> None:
    code = (
        "import asyncio\n"
        "async def train():\n"
        "    async for _ in live.track(range(100000)):\n"
        "        step()\n"
        "task = asyncio.ensure_future(train())"
    )
    panel = open_panel(lab, server, code)
    lab.run_cell(2)
    panel.wait_steps()
    panel.click("Pause")
    held = panel.held()
    assert lab.evaluate("[made, task.done()]") == [held, False]
    panel.click("Resume")
    panel.wait_steps()
    panel.click("Stop")
    panel.wait_state("stopped")
    assert lab.evaluate("[task.done(), task.exception()]") == [True, None]


def test_an_error_in_the_loop_in_a_callback_and_in_a_view_is_shown_and_nothing_is_lost(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    in_loop = "for k in live.track(range(9)):\n    step()\n    if k == 5:\n        1 / 0"
    in_callback = (
        "def callback(run):\n    raise LookupError('from a callback')\n"
        "run = kw.fit(model, [(x, y)] * 4, optimizer, torch.nn.functional.mse_loss,"
        " background=True, callbacks=[callback])"
    )
    in_view = (
        "class Broken(kw.live.Listener):\n"
        "    def on_frame(self, frame, settled):\n        raise KeyError('from a view')\n"
        "stop = live.feed.subscribe(Broken())\n" + FINITE
    )
    panel = open_panel(lab, server, in_loop, in_callback, in_view)
    trace = panel.element.locator(".kw-traceback pre")
    lab.run_cell(2)
    panel.wait_state("stopped by ZeroDivisionError: division by zero")
    # The traceback is a trait of its own, and comes after the words.
    lab.until(lambda: "1 / 0" in trace.inner_text(), "where the loop raised")
    assert panel.step() == 6
    lab.run_cell(3)
    panel.wait_state("stopped by LookupError: from a callback")
    lab.until(lambda: "in callback" in trace.inner_text(), "where the callback raised")
    lab.until(lambda: panel.step() == 10, "the last step")
    lab.screenshot(artifacts / "failed.png")
    lab.run_cell(4)
    panel.wait_state("finished")
    lab.until(lambda: "KeyError('from a view')" in panel.notes(), "what a view raised")
    assert not trace.is_visible()
    lab.until(lambda: panel.step() == 30, "the last step")
    assert lab.evaluate("len(live.scalars.series('loss')[0])") == 30
    (loop_error,) = lab.cell_errors()
    assert "ZeroDivisionError" in loop_error


def test_an_interrupt_while_paused_ends_the_cell_and_the_next_loop_runs(
    lab: LabPage, server: LabServer
) -> None:
    panel = open_panel(lab, server, TRACKED, FINITE)
    lab.run_cell(2, wait=False)
    panel.wait_steps()
    panel.click("Pause")
    held = panel.held()
    lab.script("await panel.sessionContext.session.kernel.interrupt();")
    lab.wait_idle()
    (error,) = lab.cell_errors()
    assert "KeyboardInterrupt" in error
    panel.wait_state("interrupted")
    lab.run_cell(3)
    # The traceback has pushed it out of sight, where nothing is drawn.
    panel.element.scroll_into_view_if_needed()
    panel.wait_state("finished")
    lab.until(lambda: panel.step() == held + 20, "the steps of the next loop")


def test_where_clicks_cannot_get_through_the_panel_says_so_and_they_act_at_the_end(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    # Messages are handled on the main thread, which the cell holds. ipykernel's own choice is the
    # thread that published last: the stream's answer to the page may have been the last.
    deaf = (
        "import kan_widgets.widgets.wire.lifetime as module\n"
        "def deafen(widget):\n"
        "    widget.comm._reply_subshell_for = lambda data, asked: None\n"
        "module.answer_during_cells = deafen\n"
    )
    cell = "while not Path('go').exists():\n    step()"
    panel = open_panel(lab, server, cell, setup=SETUP + deaf)
    lab.run_cell(2, wait=False)
    panel.wait_steps()
    panel.click("Pause")
    words = "clicks take effect when the running cell ends."
    said = panel.element.locator(".kw-readout")
    lab.until(lambda: words in said.inner_text(), "the panel to say that clicks wait")
    panel.wait_steps()
    assert lab.is_running(2)
    lab.screenshot(artifacts / "deaf.png")
    lab.let_go("go")
    lab.wait_idle()
    lab.until(lambda: words not in said.inner_text(), "the words to go")
    assert lab.evaluate("live.control.state") == "paused"


class Curves:
    """The curves of the panel."""

    def __init__(self, lab: LabPage) -> None:
        self.lab = lab
        self.element = lab.page.locator(".kw-training-panel canvas")

    def _ask(self, what: str) -> Any:
        return self.lab.page.evaluate(f"document.querySelector('.kw-training-panel').kwView.{what}")

    def values(self) -> list[str]:
        return list(self._ask("values()"))

    def plot(self, index: int = 0) -> Rect:
        return Rect(**self._ask(f"plot({index})"))

    def steps(self) -> tuple[float, float]:
        found = self._ask("scene().layout.steps")
        return found["from"], found["to"]


def ground(image: Any) -> Any:
    """Give the commonest colour of a picture."""
    colours, counts = np.unique(image.reshape(-1, 3), axis=0, return_counts=True)
    return colours[counts.argmax()]


def test_curves_give_their_values_zoom_and_follow_the_theme_while_a_cell_runs(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    cell = (
        "for k in range(1, 2001):\n"
        "    live.log(k, loss=k / 1000, val_accuracy=1 - 1 / k)\n"
        "live.scalars.mark(1000, 'halfway')\n"
        "while not Path('go').exists():\n    time.sleep(0.01)"
    )
    panel = open_panel(lab, server, cell)
    lab.run_cell(2, wait=False)
    curves = Curves(lab)
    lab.until_shown(lambda: len(curves.values()) == 2, "two panels of curves")
    curves.element.scroll_into_view_if_needed()
    panel.element.get_by_label("smooth").select_option("0")
    panel.element.get_by_label("y axis").select_option("linear")
    lab.until(lambda: curves.values() == ["loss 2", "val_accuracy >99.9 %"], "the last values")
    lab.until(lambda: len(curve(lab)) > 500, "the curve in full")

    # The curve drawn is the straight line that was logged.
    points = np.array(curve(lab))
    slope, height = np.polyfit(points[:, 0], points[:, 1], 1)
    assert slope < 0
    assert np.abs(np.polyval((slope, height), points[:, 0]) - points[:, 1]).max() < 1.0

    plot = curves.plot()
    lab.page.mouse.move(*plot.at(0.5, 0.5))
    lab.until(lambda: curves.values()[0] != "loss 2", "the values under the mouse")
    loss, accuracy = (float(text.split()[1].lstrip(">")) for text in curves.values())
    assert loss == pytest.approx(1.0, abs=0.025)
    assert accuracy == pytest.approx(100 * (1 - 1 / 1000), abs=0.1)

    lab.page.mouse.down()
    lab.page.mouse.move(*plot.at(0.75, 0.5), steps=4)
    lab.page.mouse.up()
    lab.until(lambda: curves.steps()[0] > 0, "the zoom")
    assert curves.steps() == pytest.approx((1000, 1500), abs=25)
    lab.until(lambda: len(curve(lab)) > 450, "every step of the zoom")
    lab.page.get_by_role("button", name="all steps").click()
    lab.until(lambda: curves.steps()[0] == 0, "all steps")
    lab.page.mouse.move(5, 5)
    assert lab.is_running(2)

    lab.page.wait_for_timeout(600)
    lab.screenshot(artifacts / "light.png")
    light = curves.element.screenshot()
    lab.set_theme("JupyterLab Dark")
    lab.until(lambda: panel.element.get_attribute("data-kw-theme") == "dark", "the theme")
    lab.page.wait_for_timeout(600)
    lab.screenshot(artifacts / "dark.png")
    dark = curves.element.screenshot()
    assert ground(decode(light)).min() > 230
    assert ground(decode(dark)).max() < 60
    # The curve itself, in its colour of either theme.
    for picture, colour in ((light, (16, 152, 173)), (dark, (127, 224, 240))):
        assert (np.abs(decode(picture).astype(int) - colour).max(axis=2) < 12).sum() > 100
    lab.let_go("go")
    lab.wait_idle()
    assert lab.cell_errors() == []
    assert panel.state() == "not training"
