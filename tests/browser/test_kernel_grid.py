"""KernelGrid in JupyterLab: what it draws, what it answers, and what it survives."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.browser.lab import WAIT_FOR, Grid, LabPage, LabServer

if TYPE_CHECKING:
    from tests.browser.conftest import Reference

pytestmark = pytest.mark.browser

# The functions of the first layer, 1 → 4 channels with 3×3 kernels.
COUNT = 36

SETUP = (
    WAIT_FOR
    + """
import itertools, time
import re
import textwrap
from pathlib import Path
import torch
import kan_widgets as kw

torch.manual_seed(0)
model = torch.nn.Sequential(
    kw.nn.KANConv2d(1, 4, 3, stride=2),
    kw.nn.KANConv2d(4, 3, 3, stride=2),
    torch.nn.Flatten(),
    kw.nn.KANLinear(3 * 6 * 6, 10),
)
optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
digits = kw.data.mnist()
batches = itertools.cycle(zip(digits.train_images.split(64), digits.train_labels.split(64)))
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
    for images, labels in itertools.islice(batches, steps):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
"""
)
BIND = "live = kw.bind(model, optimizer, every=2)"
SHOW = "grid = kw.KernelGrid(live)\ngrid"
HALVES = """
train(20)
record["half"] = weights(model[0])
wait_for("half")
train(20)
"""


def open_grid(lab: LabPage, server: LabServer, *more: str, show: str = SHOW) -> Grid:
    """Open a notebook with a grid in its third cell, and cells after it that have not run."""
    lab.open(server.write_notebook([SETUP, BIND, show, *more]))
    for index in range(3):
        lab.run_cell(index)
    assert lab.cell_errors() == []
    grid = lab.grid()
    grid.scroll_into_view()
    return grid


def largest_difference(
    reference: Reference, weights: dict[str, Any], grid: Grid, count: int = COUNT
) -> float:
    """Compare the curves drawn with φ computed by scipy from the layer's weights."""
    x, _ = grid.curve(0)
    drawn = grid.curves(count)
    expected = reference(weights, x)
    assert drawn.shape == expected.shape
    return float(np.abs(drawn - expected).max())


def test_curves_change_during_a_blocking_cell_and_equal_scipy_at_every_stop(
    lab: LabPage, server: LabServer, reference: Reference, artifacts: Path
) -> None:
    grid = open_grid(lab, server, HALVES)
    x, _ = grid.curve(0)
    assert x[0] == pytest.approx(-1.0)
    assert x[-1] == pytest.approx(1.0)
    assert len(x) >= 16
    start, start_pixels = grid.curves(COUNT), grid.pixels()
    assert grid.step() == 0
    assert largest_difference(reference, lab.evaluate("weights(model[0])"), grid) < 1e-5
    lab.screenshot(artifacts / "start.png")

    lab.run_cell(3, wait=False)
    grid.wait_step(20)
    assert lab.is_running(3)
    middle, middle_pixels = grid.curves(COUNT), grid.pixels()
    assert grid.step() == 20
    lab.screenshot(artifacts / "middle.png")
    assert lab.is_running(3)

    lab.let_go("half")
    lab.wait_idle()
    grid.wait_step(40)
    end, end_pixels = grid.curves(COUNT), grid.pixels()
    lab.screenshot(artifacts / "end.png")
    assert lab.cell_errors() == []
    assert len({start_pixels, middle_pixels, end_pixels}) == 3
    for one, other in ((start, middle), (middle, end), (start, end)):
        assert np.abs(one - other).max(axis=1).min() > 1e-4  # every one of them moved
    assert np.abs(middle - reference(lab.evaluate("record['half']"), x)).max() < 1e-5
    assert largest_difference(reference, lab.evaluate("weights(model[0])"), grid) < 1e-5


def test_hovering_reads_out_phi_as_scipy_computes_it(
    lab: LabPage, server: LabServer, reference: Reference, artifacts: Path
) -> None:
    grid = open_grid(lab, server, "train(30)")
    lab.run_cell(3)
    grid.wait_step(30)
    weights = lab.evaluate("weights(model[0])")
    only_base = weights | {"spline": (0 * np.asarray(weights["spline"])).tolist()}
    for out, row, column, across in [(0, 0, 0, 0.5), (1, 0, 2, 0.2), (3, 2, 1, 0.9)]:
        function = 9 * out + 3 * row + column
        grid.hover(function, across)
        place = f"kernel {out} · row {row}, column {column}"
        title, read = grid.tip()
        assert title.endswith(place)
        assert grid.tip_rows() == [1] * 4
        x = np.asarray([number(read["x"])])
        # The curve ends two pixels before the cell does; a pixel is about 0.04.
        assert x[0] == pytest.approx(2 * across - 1, abs=0.1)
        phi = reference(weights, x)[function, 0]
        base = reference(only_base, x)[function, 0]
        # Numbers are printed to three digits, x among them.
        assert number(read["φ(x)"]) == pytest.approx(phi, rel=0.006, abs=0.001)
        assert number(read["base"]) == pytest.approx(base, rel=0.006, abs=0.001)
        assert number(read["splines"]) == pytest.approx(phi - base, rel=0.006, abs=0.001)
    lab.screenshot(artifacts / "hover.png")


def number(text: str) -> float:
    """Read the first number of a text that writes a true minus sign."""
    found = re.match(r"-?[\d.]+(e-?\d+)?", text.replace("−", "-"))
    assert found is not None, text
    return float(found[0])


def test_a_click_selects_and_calls_python_while_a_cell_runs(
    lab: LabPage, server: LabServer
) -> None:
    grid = open_grid(
        lab,
        server,
        "chosen = []\n"
        "def hear(selection):\n"
        "    chosen.append(selection)\n"
        "    Path('heard').touch()\n"
        "grid.on_select(hear);",
        "wait_for('half')",
    )
    lab.run_cell(3)
    lab.run_cell(4, wait=False)
    lab.wait_cell_running(4)
    grid.click(2 * 9 + 5)
    lab.until(lambda: grid.selected() == 2 * 9 + 5, "the selection on the page")
    heard = (server.root / lab.path).with_name("heard")
    lab.until(heard.exists, "Python to hear of it")
    assert lab.is_running(4)
    lab.let_go("half")
    lab.wait_idle()
    place = {"layer": "0", "out": 2, "in": 0, "row": 1, "column": 2}
    assert lab.evaluate("[grid.selection, *chosen]") == [place, place]
    assert grid.selected() == 2 * 9 + 5


def test_arrows_and_enter_select_without_a_mouse(lab: LabPage, server: LabServer) -> None:
    grid = open_grid(lab, server)
    grid.click(0)
    # The keys are the grid's alone: the notebook neither moves on nor starts to edit a cell.
    cell = lab.script("return [panel.content.mode, panel.content.activeCellIndex];")
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        lab.page.keyboard.press(key)
    # Three to the right leaves the 3×3 kernel of output 0 for that of output 1.
    place = {"layer": "0", "out": 1, "in": 0, "row": 1, "column": 0}
    lab.until(lambda: lab.evaluate("grid.selection") == place, "the selection in Python")
    assert lab.script("return [panel.content.mode, panel.content.activeCellIndex];") == cell


def test_the_dark_theme_changes_paper_cells_and_ink(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    grid = open_grid(lab, server, "train(10)")
    lab.run_cell(3)
    grid.wait_step(10)
    grid.scroll_into_view()

    def looks() -> list[float]:
        """Paper and ink of the whole view, then those of one function's cell."""
        lab.page.mouse.move(0, 0)
        cell, window = grid.rect(4), lab.image()
        inside = window[
            round(cell.y) : round(cell.y + cell.height), round(cell.x) : round(cell.x + cell.width)
        ]
        return [*shades(grid.image()), *shades(inside)]

    light = looks()
    lab.screenshot(artifacts / "light.png")
    lab.set_theme("JupyterLab Dark")
    lab.until(lambda: max(looks()[::2]) < 80, "dark paper and cells")
    dark = looks()
    lab.screenshot(artifacts / "dark.png")
    for paper, ink in (light[:2], light[2:]):
        assert paper > 200
        assert ink < 100
    for paper, ink in (dark[:2], dark[2:]):
        assert paper < 80
        assert ink > 160


def shades(image: NDArray[np.uint8]) -> tuple[float, float]:
    """Give the brightness of the paper (the commonest) and of the ink (farthest from it)."""
    gray = image.mean(axis=2).round().astype(int)
    counts = np.bincount(gray.ravel(), minlength=256)
    paper = int(counts.argmax())
    seen = np.flatnonzero(counts >= 5)
    ink = int(seen[np.abs(seen - paper).argmax()])
    return float(paper), float(ink)


def test_a_view_goes_on_when_another_view_of_the_widget_is_removed(
    lab: LabPage, server: LabServer, reference: Reference
) -> None:
    open_grid(lab, server, "grid", "train(10)", "train(10)")
    lab.run_cell(3)
    first, second = lab.grid(0), lab.grid(1)
    lab.run_cell(4)
    first.wait_step(10)
    second.wait_step(10)
    np.testing.assert_array_equal(first.curves(COUNT), second.curves(COUNT))
    lab.clear_output(2)
    lab.until(lambda: lab.grid_count() == 1, "the first view to go")
    left = lab.grid(0)
    assert left.step() == 10
    pixels = left.pixels()
    lab.run_cell(5)
    left.wait_step(20)
    assert left.pixels() != pixels
    assert largest_difference(reference, lab.evaluate("weights(model[0])"), left) < 1e-5


def test_a_frame_and_the_code_cross_the_wire_once_for_two_views(
    lab: LabPage, server: LabServer
) -> None:
    change = "with torch.no_grad():\n    model[0].base_weight += 0.1\nlive.refresh();"
    open_grid(lab, server, change, "kw.KernelGrid(live)", change)

    def bytes_of_a_refresh(cell: int) -> int:
        before = lab.traffic.received_bytes
        lab.run_cell(cell)
        lab.page.wait_for_timeout(1000)
        return lab.traffic.received_bytes - before

    one = bytes_of_a_refresh(3)
    lab.run_cell(4)
    lab.grid(1)
    lab.page.wait_for_timeout(1000)
    two = bytes_of_a_refresh(5)
    frame = 4 * lab.evaluate("live.frame.data.size")
    assert one >= frame
    assert abs(two - one) < frame / 2
    assert lab.traffic.codes == 1


def test_each_of_two_grids_shows_its_own_mode_and_layer(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    open_grid(lab, server, "other = kw.KernelGrid(live, layer='1', mode='pattern')\nother")
    lab.run_cell(3)
    first, second = lab.grid(0), lab.grid(1)
    second.scroll_into_view()
    lab.screenshot(artifacts / "two.png")
    assert [first.checked(), second.checked()] == [
        ["layer 0 · conv", "curves"],
        ["layer 1 · conv", "pattern"],
    ]
    second.choose("change")
    first.choose("layer 3")
    lab.until(lambda: lab.evaluate("[grid.layer, other.mode]") == ["3", "change"], "Python")
    assert [first.checked(), second.checked()] == [
        ["layer 3 · linear", "curves"],
        ["layer 1 · conv", "change"],
    ]
    lab.until(lambda: [first.layer(), second.layer()] == ["3", "1"], "both to be drawn")
    assert lab.evaluate("[grid.mode, other.layer]") == ["auto", "1"]


def test_the_ink_lies_where_scipy_says(
    lab: LabPage, server: LabServer, reference: Reference, artifacts: Path
) -> None:
    grid = open_grid(lab, server, "train(30)", show="grid = kw.KernelGrid(live, ghost=False)\ngrid")
    lab.run_cell(3)
    grid.wait_step(30)
    lab.page.mouse.move(0, 0)
    lab.screenshot(artifacts / "ink.png")
    x, _ = grid.curve(0)
    phi = reference(lab.evaluate("weights(model[0])"), x)
    limit = grid.y_scale()
    assert np.abs(phi).max() <= limit <= 2 * np.abs(phi).max()
    assert f"φ ±{limit:g}" in grid.text()
    window = lab.image().mean(axis=2)
    for function in range(COUNT):
        cell = grid.rect(function)
        top, left, size = round(cell.y), round(cell.x), round(cell.width)
        high = round(cell.height)
        darkest = window[top : top + high, left : left + size].argmin(axis=0)
        for column in range(4, size - 4):
            at = 2 * (column + 0.5) / size - 1
            expected = high / 2 * (1 - np.interp(at, x, phi[function]) / limit)
            # Curves keep two pixels from the cell's edge in both directions; steep ones are
            # several pixels high within one column.
            slope = high / size * abs(np.gradient(phi[function], x)).max() / limit
            assert abs(darkest[column] + 0.5 - expected) < 3.5 + 2 * slope


def test_the_pattern_s_greys_are_phi_at_bright_minus_phi_at_dark(
    lab: LabPage, server: LabServer, reference: Reference, artifacts: Path
) -> None:
    grid = open_grid(
        lab, server, "train(30)", show="grid = kw.KernelGrid(live, mode='pattern')\ngrid"
    )
    lab.run_cell(3)
    grid.wait_step(30)
    lab.page.mouse.move(0, 0)
    lab.screenshot(artifacts / "pattern.png")
    weights = lab.evaluate("weights(model[0])")
    dark, bright = reference(weights, np.asarray([-1.0, 1.0])).T
    expected = 255 * (0.5 + 0.5 * (bright - dark) / np.abs(bright - dark).max())

    def middles() -> NDArray[np.float64]:
        window = lab.image().mean(axis=2)
        points = [grid.rect(function).at(0.5, 0.5) for function in range(COUNT)]
        return np.asarray([window[int(y), int(x)] for x, y in points])

    np.testing.assert_allclose(middles(), expected, atol=1.0)
    lab.evaluate("0", "grid.binarise = True")
    lab.until(lambda: set(middles()) == {0.0, 255.0}, "black and white")
    np.testing.assert_array_equal(middles() > 128, bright >= dark)


def test_ten_thousand_functions_are_drawn_by_the_part_that_is_seen(
    lab: LabPage, server: LabServer, reference: Reference, artifacts: Path
) -> None:
    large = """
    large = kw.nn.KANLinear(100, 100)
    grid = kw.KernelGrid(large, mode="curves")
    grid
    """
    grid = open_grid(lab, server, show=textwrap.dedent(large))
    box = grid.viewport()
    window = lab.page.viewport_size
    assert window is not None
    assert box.height < window["height"]
    last = grid.rect(9999)
    assert last.y > box.y + box.height
    lab.screenshot(artifacts / "top.png")
    lab.page.mouse.move(*box.at(0.5, 0.5))
    lab.page.mouse.wheel(0, 100_000)
    lab.until(lambda: grid.rect(9999).y < box.y + box.height, "the last function in sight")
    assert grid.viewport() == box
    grid.click(9999)
    lab.until(lambda: grid.selected() == 9999, "the selection")
    lab.screenshot(artifacts / "bottom.png")
    x, y = grid.curve(9999)
    phi = reference(lab.evaluate("weights(large)"), x)[9999]
    assert np.abs(y - phi).max() < 1e-5
    chosen = "grid.selection and [grid.selection['out'], grid.selection['in']]"
    lab.until(lambda: lab.evaluate(chosen) == [99, 99], "the selection in Python")


def test_a_reload_restores_the_view_and_it_goes_on(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    grid = open_grid(lab, server, "train(20)", "train(10)")
    lab.run_cell(3)
    grid.wait_step(20)
    before = grid.curves(COUNT)
    lab.save()
    lab.reload()
    restored = lab.grid()
    assert restored.step() == 20
    np.testing.assert_array_equal(restored.curves(COUNT), before)
    restored.scroll_into_view()
    lab.screenshot(artifacts / "restored.png")
    lab.run_cell(4)
    restored.wait_step(30)
    assert np.abs(restored.curves(COUNT) - before).max() > 1e-4


def test_binding_again_keeps_one_hook_and_earlier_views_go_on(
    lab: LabPage, server: LabServer, reference: Reference
) -> None:
    grid = open_grid(lab, server, "train(10)", "train(12)")
    lab.run_cell(3)
    grid.wait_step(10)
    counted = "len(stepping_of(optimizer).counters)"
    lab.evaluate("0", "from kan_widgets.live.steering.counter import stepping_of")
    assert lab.evaluate(counted) == 1
    lab.run_cell(1)
    assert lab.evaluate(counted) == 1
    assert lab.evaluate("grid.live is live")
    lab.run_cell(4)
    grid.wait_step(22)
    assert lab.evaluate("live.stats.steps") == 22
    assert largest_difference(reference, lab.evaluate("weights(model[0])"), grid) < 1e-5


def test_binding_another_optimizer_starts_earlier_views_anew(
    lab: LabPage, server: LabServer, reference: Reference
) -> None:
    grid = open_grid(
        lab,
        server,
        "train(10)",
        "first, optimizer = optimizer, torch.optim.Adam(model.parameters(), 1e-2)\n" + BIND,
        "train(6)",
    )
    lab.run_cell(3)
    grid.wait_step(10)
    lab.run_cell(4)
    lab.until(lambda: grid.step() == 0, "the view to start anew")
    lab.evaluate("0", "from kan_widgets.live.steering.counter import stepping_of")
    assert lab.evaluate("len(stepping_of(first).counters)") == 0
    lab.run_cell(5)
    lab.until(lambda: grid.step() == 6, "the steps of the second optimizer")
    assert largest_difference(reference, lab.evaluate("weights(model[0])"), grid) < 1e-5


def test_the_drawing_follows_the_window_and_its_container(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    grid = open_grid(lab, server)

    def still() -> float:
        before = grid.rect(0).width
        lab.page.wait_for_timeout(300)
        return before if before == grid.rect(0).width else 0

    # JupyterLab may still be giving the notebook its scroll bar.
    wide = lab.until(still, "cells that stand still")
    curves = grid.curves(COUNT)
    lab.page.set_viewport_size({"width": 760, "height": 900})
    lab.until(lambda: grid.rect(0).width < wide, "smaller cells")
    grid.scroll_into_view()
    lab.screenshot(artifacts / "narrow.png")
    for function in range(COUNT):
        cell = grid.rect(function)
        assert 0 <= cell.x
        assert cell.x + cell.width <= 760

    def wide_in_all() -> float:
        cells = [grid.rect(function) for function in range(COUNT)]
        return max(cell.x + cell.width for cell in cells) - min(cell.x for cell in cells)

    narrow = wide_in_all()
    lab.script("await app.commands.execute('application:toggle-left-area');")
    lab.until(lambda: wide_in_all() > narrow, "a wider drawing beside a closed side bar")
    lab.script("await app.commands.execute('application:toggle-left-area');")
    lab.page.set_viewport_size({"width": 1280, "height": 900})
    lab.until(lambda: grid.rect(0).width == wide, "the cells' first size")
    np.testing.assert_array_equal(grid.curves(COUNT), curves)


def test_a_function_that_is_not_finite_is_marked_and_the_others_stay(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    grid = open_grid(
        lab,
        server,
        "with torch.no_grad():\n"
        "    model[0].base_weight[1, 0, 0, 2] = float('nan')\n"
        "    model[0].base_weight[3, 0, 2, 2] = float('inf')\n"
        "live.refresh();",
    )
    before = grid.curves(COUNT)
    pixels = grid.pixels()
    cells = [grid.cell(f) for f in range(COUNT)]
    lab.run_cell(3)
    lab.until(
        lambda: grid.pixels() != pixels and "2 functions not finite" in grid.text(),
        "the new frame",
    )
    lab.screenshot(artifacts / "not_finite.png")
    bad = [11, 35]
    good = [f for f in range(COUNT) if f not in bad]
    after = grid.curves(COUNT)
    assert not np.isfinite(after[bad]).any()
    np.testing.assert_array_equal(after[good], before[good])
    # Curves are stroked many at once, so the smoothing of a line's edge may move by a few levels
    # out of 255; a line that comes or goes moves by more than a hundred.
    shifts = [np.abs(grid.cell(f).astype(int) - cells[f]).max() for f in range(COUNT)]
    assert [f for f in range(COUNT) if shifts[f] > 60] == bad
    for f in bad:  # a cross of a warm colour in a grey drawing
        red, green = grid.cell(f)[..., 0].astype(int), grid.cell(f)[..., 1].astype(int)
        assert (red - green > 60).sum() >= 10
    grid.hover(11)
    assert grid.tip()[1]["φ"] == "not finite"


LARGE = """
torch.manual_seed(0)
net = torch.nn.Sequential(
    kw.nn.KANConv2d(1, 12, 3, stride=2), torch.nn.Flatten(), kw.nn.KANLinear(12 * 13 * 13, 10)
)
big = kw.bind(net)
grid = kw.KernelGrid(big, "2")
grid
"""


def test_many_functions_open_in_an_overview_folded_to_the_map_that_was_seen(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    lab.page.set_viewport_size({"width": 1400, "height": 900})
    lab.open(server.write_notebook([SETUP, LARGE, "_ = big.observe(digits.train_images[:8])"]))
    for index in range(2):
        lab.run_cell(index)
    grid = lab.grid()
    grid.scroll_into_view()
    assert grid.checked() == ["layer 2 · linear", "overview"]
    assert "rows: 10 outputs · columns: 2,028 inputs" in grid.text()
    # All of it is in sight.
    last = 20_279
    box, cell = grid.viewport(), grid.rect(last)
    assert cell.y + cell.height <= box.y + box.height
    assert cell.x + cell.width <= box.x + box.width

    lab.run_cell(2)
    words = "columns: 12 maps, 13 × 13 blocks"
    lab.until(lambda: words in grid.text(), "the layer to be folded")
    lab.screenshot(artifacts / "folded.png")
    function = 2028 * 3 + 169 * 2 + 13 * 5 + 4
    right = grid.rect(function + 13)
    assert right.y > grid.rect(function).y
    assert right.x == pytest.approx(grid.rect(function).x)
    grid.hover(function)
    title, lines = grid.tip()
    assert title.endswith("output 3 · input 407 (map 2, row 5, column 4)")
    assert list(lines) == ["largest |φ|"]
    grid.choose("curves")
    lab.until(lambda: "each plot: φ" in grid.text(), "curves")
    assert grid.rect(function).width >= 16
    assert lab.cell_errors() == []
