"""Trainers in JupyterLab: their callback shows views below the cell, and the panel steers them."""

from __future__ import annotations

import pytest

from tests.browser.lab import LabPage, LabServer
from tests.integrations.tiny import documented

pytestmark = pytest.mark.browser

ENDLESS = "epochs=3", "epochs=100_000"


def facts(lab: LabPage) -> list[str]:
    """Give what the line over the panel's curves says, the state first."""
    return [
        text.strip() for text in lab.page.locator(".kw-training-panel .kw-remark").all_inner_texts()
    ]


def step(lab: LabPage) -> int:
    said = next(fact for fact in facts(lab) if fact.startswith("step"))
    return int(said.removeprefix("step").replace(",", ""))


def click(lab: LabPage, name: str) -> None:
    lab.page.locator(".kw-training-panel").get_by_role("button", name=name, exact=True).click()


def held(lab: LabPage) -> int:
    """Give the step at which it stands still."""

    def holds() -> bool:
        before = step(lab)
        lab.page.wait_for_timeout(600)
        return facts(lab)[0] == "paused" and step(lab) == before

    lab.until(holds, "the training to hold")
    return step(lab)


@pytest.mark.parametrize("trainer", ["Lightning"])
def test_a_trainer_shows_its_views_holds_at_a_pause_and_ends_at_a_stop(
    trainer: str, lab: LabPage, server: LabServer
) -> None:
    code = documented(trainer).replace(*ENDLESS)
    lab.page.set_viewport_size({"width": 1280, "height": 2000})  # what is not seen is not drawn
    lab.open(server.write_notebook([code]))
    lab.run_cell(0, wait=False)
    lab.until_shown(lambda: lab.page.locator(".kw-training-panel").count() == 1, "the panel")
    lab.until(lambda: facts(lab)[0] == "training" and step(lab) > 20, "steps")
    lab.until(lambda: lab.grid().step() > 20, "frames")
    click(lab, "Pause")
    at = held(lab)
    click(lab, "One step")
    lab.until(lambda: step(lab) == at + 1, "one step")
    assert held(lab) == at + 1
    click(lab, "Resume")
    lab.until(lambda: step(lab) > at + 20, "more steps")
    assert any("of 100,000" in fact or "of 100000" in fact for fact in facts(lab)), facts(lab)
    assert lab.is_running(0)
    click(lab, "Stop")
    lab.wait_idle()
    assert lab.cell_errors() == []
    lab.until(lambda: facts(lab)[0] == "stopped", "the end")
    made = lab.evaluate("[callback.live.stats.steps, len(callback.live.scalars.names) > 0]")
    assert made == [step(lab), True]
    assert lab.grid().step() == step(lab)
