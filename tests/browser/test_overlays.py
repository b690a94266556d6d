"""Symbolic forms over φ in SplineInspector, in JupyterLab: drawn, hidden, removed, fixed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.lab import LabPage, LabServer

pytestmark = pytest.mark.browser

SETUP = """
import torch
import kan_widgets as kw

torch.manual_seed(0)
model = kw.nn.KANLinear(2, 1, grid_size=8)
torch.nn.init.normal_(model.spline_weight, std=0.3)
live = kw.bind(model)
[(name, seen)] = live.observe(torch.randn(400, 2).clamp(-1, 1) * 0.8).items()
found = kw.insight.symbolic(live.read()[0], seen)
fit = found.at((0, 1))[0]
inspector = kw.SplineInspector(live)
inspector
"""
OVER = "inspector.overlay(*found.at((0, 1))[:2])"
FIX = "inspector.overlays = inspector.overlays[:1]\nkw.insight.fix(live, fit)"
VIEW = "document.querySelector('.kw-spline-inspector')?.kwView"


def test_a_form_is_drawn_over_its_function_hidden_removed_and_put_in_its_place(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    lab.page.set_viewport_size({"width": 1300, "height": 900})
    lab.open(server.write_notebook([SETUP, OVER, FIX]))
    lab.run_cell(0)

    def curve(name: str) -> Any:
        return lab.page.evaluate(f"{VIEW}?.curve('{name}') ?? null")

    def press(site: str) -> None:
        """Click where a site of the drawing lies."""
        view.scroll_into_view_if_needed()
        box = lab.page.evaluate(f"{VIEW}.at('{site}')")
        lab.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    lab.until_shown(lambda: curve("phi") is not None, "the inspector")
    assert curve("overlay0") is None
    lab.run_cell(1)
    lab.until(lambda: curve("overlay1") is not None, "the overlays")
    drawn = curve("overlay0")
    x = np.asarray(drawn["x"])
    expected = lab.evaluate(f"fit(__import__('numpy').array({x[::64].tolist()})).tolist()")
    assert np.asarray(drawn["y"])[::64] == pytest.approx(expected, abs=1e-6)
    assert [x[0], x[-1]] == pytest.approx(lab.evaluate("[fit.low, fit.high]"))
    view = lab.page.locator(".kw-spline-inspector").first
    rows = view.locator("[data-site^='row:overlay:']")
    assert rows.count() == 2
    assert rows.first.get_attribute("aria-label").startswith(lab.evaluate("str(fit)"))
    view.screenshot(path=artifacts / "overlays.png")

    # Its switch, and its ×; Python knows, and the curve's bytes come through whole.
    samples = lab.evaluate("list(inspector.overlays[0]['samples'])")
    press("row:overlay:0")
    lab.until(lambda: curve("overlay0") is None, "the first curve to go")
    lab.until(lambda: lab.evaluate("inspector.overlays[0].get('shown')") is False, "Python to know")
    assert lab.evaluate("list(inspector.overlays[0]['samples'])") == samples
    press("row:overlay:0")
    lab.until(lambda: curve("overlay0") is not None, "the first curve to come back")
    press("remove:overlay:1")
    lab.until(lambda: rows.count() == 1, "the second curve to go")
    lab.until(lambda: lab.evaluate("len(inspector.overlays)") == 1, "Python to know")

    # φ becomes the form: the two curves are one where the form was found.
    before = np.asarray(curve("phi")["y"])
    lab.run_cell(2)
    lab.until(lambda: np.abs(np.asarray(curve("phi")["y"]) - before).max() > 1e-3, "another φ")
    phi, form = curve("phi"), curve("overlay0")
    there = np.interp(form["x"], phi["x"], phi["y"])
    assert np.abs(there - form["y"]).max() < 0.1 * np.ptp(form["y"])
    assert np.abs(phi["y"]).max() < 5  # beyond the inputs too
    lab.set_theme("JupyterLab Dark")
    lab.until(lambda: view.get_attribute("data-kw-theme") == "dark", "the dark theme")
    lab.page.wait_for_timeout(300)
    view.screenshot(path=artifacts / "overlays_dark.png")
    assert lab.cell_errors() == []
