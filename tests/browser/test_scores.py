"""Scores in JupyterLab: given while a cell runs, sorted and shaded by from the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.browser.lab import Grid, LabPage, LabServer
from tests.palette import ARM, palette

pytestmark = pytest.mark.browser

SETUP = """
import time
from pathlib import Path
import numpy as np
import torch
import kan_widgets as kw

torch.manual_seed(0)
model = kw.nn.KANCNN.article()
live = kw.bind(model)
digits = kw.data.mnist("embedded")
seen = live.observe(digits.test_images[:64])
grid = kw.KernelGrid(live, ghost=False)
grid
"""
SCORE = """
found = [kw.insight.importance(layer, seen[layer.name]) for layer in live.read()]
numbers = found[0].spread.copy()
numbers[2, 0, 1, 1] = np.nan
grid.score("spread", {"convs.0": numbers}, units="of y")
grid.score("mean", {each.layer: each.mean for each in found})
while not Path("enough").exists():
    time.sleep(0.02)
"""


def grounds(grid: Grid) -> NDArray[np.int64]:
    """Give the colour that most of each cell of the first layer has."""
    found = []
    for f in range(45):
        pixels = grid.cell(f)[2:-2, 2:-2, :3].reshape(-1, 3)
        colours, counts = np.unique(pixels, axis=0, return_counts=True)
        found.append(colours[counts.argmax()])
    return np.array(found, dtype=np.int64)


def tints(numbers: NDArray[np.float64], theme: str) -> NDArray[np.int64]:
    # Half of the palette's arms: curves must stand out on the strongest tint.
    places = ARM + np.rint(0.5 * ARM * numbers / np.nanmax(np.abs(numbers))).astype(np.int64)
    return np.rint(palette(theme)[places]).astype(np.int64)


def test_scores_given_in_a_running_cell_sort_and_tint_the_kernels(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    lab.open(server.write_notebook([SETUP, SCORE]))
    lab.run_cell(0)
    grid = lab.grid()
    view = lab.page.locator(".kw-kernel-grid")
    shade = view.get_by_label("shade", exact=True)
    legend = view.locator(".kw-remark:has(.kw-swatch-ramp)")
    lab.until_shown(grid.is_ready, "the kernels")
    assert not shade.is_visible()
    plain = grounds(grid)
    assert len(np.unique(plain, axis=0)) == 1

    lab.run_cell(1, wait=False)
    lab.wait_cell_running(1)
    lab.until(
        lambda: shade.locator("option").all_inner_texts() == ["none", "spread", "mean"],
        "the menu of both scores",
    )
    assert shade.is_visible()
    shade.select_option("spread")
    view.get_by_label("sort", exact=True).select_option("spread")
    lab.until(lambda: len(np.unique(grounds(grid), axis=0)) > 20, "tints")
    assert lab.is_running(1)
    lab.let_go("enough")
    lab.wait_idle()
    assert lab.cell_errors() == []
    chosen = "[grid.sort, grid.shade]"
    lab.until(lambda: lab.evaluate(chosen) == ["spread", "spread"], "Python to hear of both")

    numbers = np.array(lab.evaluate("np.nan_to_num(numbers, nan=-1).ravel().tolist()"))
    known = numbers >= 0
    assert (grounds(grid)[~known] == plain[~known]).all()
    # Rounding of float32 may put a number on the next of 128 tints.
    off = np.abs(grounds(grid)[known] - tints(numbers[known], "light"))
    assert off.max() <= 2
    by_kernel = np.argsort(-numbers.reshape(5, 9).max(axis=1))
    places = [grid.rect(9 * int(kernel)) for kernel in by_kernel]
    assert places == sorted(places, key=lambda place: (round(place.y), place.x))
    most = float(legend.inner_text().split()[3])
    assert most == pytest.approx(numbers.max(), rel=5e-3)
    grid.hover(22)
    _, lines = grid.tip()
    assert "spread" not in lines
    grid.hover(int(numbers.argmax()))
    _, lines = grid.tip()
    assert lines["spread"] == f"{most:g} of y"
    lab.page.mouse.move(5, 5)
    view.screenshot(path=artifacts / "spread_light.png")

    lab.set_theme("JupyterLab Dark")
    shade.select_option("mean")
    lab.until(
        lambda: view.get_attribute("data-kw-theme") == "dark" and "mean −" in legend.inner_text(),
        "the other numbers on a dark page",
    )
    means = np.array(lab.evaluate("found[0].mean.ravel().tolist()"))
    assert (means < 0).any()
    assert (means > 0).any()
    lab.until(
        lambda: np.abs(grounds(grid) - tints(means, "dark")).max() <= 2, "tints of both signs"
    )
    view.screenshot(path=artifacts / "mean_dark.png")
    grid.choose("linear")
    lab.until(lambda: grid.layer() == "linear", "the other layer")
    lab.page.wait_for_timeout(300)
    view.screenshot(path=artifacts / "linear_dark.png")
    grid.choose("pattern")
    lab.until(lambda: not shade.is_visible(), "no menu where cells are grey")
