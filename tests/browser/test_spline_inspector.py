"""SplineInspector in JupyterLab: what it draws, how it reads, and that it edits the model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.browser.lab import LabPage, LabServer, decode
from tests.printed import printed

if TYPE_CHECKING:
    from tests.browser.conftest import Reference

pytestmark = pytest.mark.browser

SETUP = """
import itertools, time
from pathlib import Path
import torch
import kan_widgets as kw
from kan_widgets.widgets.spline_inspector import SplineInspector

torch.manual_seed(0)
model = torch.nn.Sequential(
    kw.nn.KANConv2d(1, 4, 3, stride=2),
    torch.nn.Flatten(),
    kw.nn.KANLinear(4 * 13 * 13, 10),
)
optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
digits = kw.data.mnist()
batches = itertools.cycle(zip(digits.train_images.split(64), digits.train_labels.split(64)))

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

def accuracy():
    images, labels = digits.test_images[:200], digits.test_labels[:200]
    return (model(images).argmax(1) == labels).float().mean().item()
"""
BIND = "live = kw.bind(model, optimizer, every=2)\nlive.select('0', 0, 0, 0, 0)"
SHOW = "view = SplineInspector(live, editable=True)\nview"
TRAIN = "while not Path('enough').exists():\n    train(5)"
OVERLAPS = """(() => {
  const parts = [...root.querySelectorAll(
    '.kw-header > *, .kw-caption, .kw-viewport, .kw-time-place, .kw-readout-row')]
    .filter((part) => part.offsetParent !== null && part.offsetWidth > 0);
  const boxes = parts.map((part) => part.getBoundingClientRect());
  const page = root.getBoundingClientRect();
  const found = [];
  boxes.forEach((a, i) => {
    if (a.right > page.right + 1) found.push(`${parts[i].className} sticks out`);
    boxes.slice(i + 1).forEach((b, k) => {
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 1 && down > 1)
        found.push(`${parts[i].className} on ${parts[i + 1 + k].className}`);
    });
  });
  return found;
})()"""


PHI = "view.scene().picture.phi"
READING = "((read) => ({...read, terms: Array.from(read.terms)}))(view.scene().reading)"
CONTROL_POINTS = """(({handles, phi: {coefficients}}) => handles.map(({label, x, b, rise}) => ({
  label, ...view.point(x, coefficients[b] * rise), value: coefficients[b],
})))(view.scene().picture)"""
# The ends of the axes of a view.
WINDOW = "(view) => ({x: view.scene().picture.x, y: view.scene().y})"


@dataclass(frozen=True)
class Inspector:
    """One SplineInspector on a page, seen through what it exports for tests (``kwView``)."""

    lab: LabPage
    index: int = 0

    def ask(self, expression: str, argument: Any = None) -> Any:
        return self.lab.page.evaluate(
            "([n, arg]) => { const root = document.querySelectorAll('.kw-spline-inspector')[n];"
            f"const view = root?.kwView; return {expression}; }}",
            [self.index, argument],
        )

    def is_ready(self) -> bool:
        return bool(self.ask("!!view && view.step() !== null && view.curve('phi') !== null"))

    def step(self) -> int:
        return int(self.ask("view.step()"))

    def curve(self, name: str = "phi") -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        found = self.ask("view.curve(arg)", name)
        return np.asarray(found["x"]), np.asarray(found["y"])

    def points(self) -> dict[str, dict[str, float]]:
        return {point["label"]: point for point in self.ask(CONTROL_POINTS)}

    def coefficients(self) -> list[float]:
        return cast("list[float]", self.ask(f"Array.from({PHI}.coefficients)"))

    def selection(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.ask("view.selection()"))

    def place(self, x: float, y: float) -> tuple[float, float]:
        found = self.ask("view.point(arg[0], arg[1])", [x, y])
        return found["x"], found["y"]

    def text(self, selector: str) -> str:
        return str(self.ask("root.querySelector(arg).textContent", selector))

    def caption(self) -> str:
        return str(
            self.ask(
                "[...root.querySelectorAll('.kw-remark')].map((p) => p.textContent).join('; ')"
            )
        )

    def press(self, site: str) -> None:
        """Click where a site of the drawing lies."""
        self.scroll_into_view()
        box = self.ask("view.at(arg)", site)
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.lab.page.mouse.click(x, y)

    def click(self, selector: str) -> None:
        view = self.lab.page.locator(".kw-spline-inspector").nth(self.index)
        view.locator(selector).first.click()

    def image(self) -> NDArray[np.uint8]:
        return decode(self.lab.page.locator(".kw-spline-inspector").nth(self.index).screenshot())

    def save(self, path: Path) -> None:
        self.lab.page.locator(".kw-spline-inspector").nth(self.index).screenshot(path=path)

    def scroll_into_view(self) -> None:
        page = self.lab.page
        page.locator(".kw-spline-inspector").nth(self.index).scroll_into_view_if_needed()

    def drag(self, label: str, value: float, *, release: bool = True) -> None:
        """Drag a control point to a value in some moves."""
        mouse = self.lab.page.mouse
        point = self.points()[label]
        mouse.move(point["x"], point["y"])
        mouse.down()
        _, target = self.place(0, value)
        for share in np.linspace(0, 1, 6)[1:]:
            mouse.move(point["x"], point["y"] + share * (target - point["y"]))
            self.lab.page.wait_for_timeout(15)
        if release:
            mouse.up()


def open_inspector(lab: LabPage, server: LabServer, *more: str, show: str = SHOW) -> Inspector:
    """Open a notebook with an inspector in its third cell; the cells after it have not run."""
    lab.open(server.write_notebook([SETUP, BIND, show, *more]))
    for index in range(3):
        lab.run_cell(index)
    assert lab.cell_errors() == []
    view = Inspector(lab)
    lab.until_shown(view.is_ready, "the inspector to be drawn")
    view.scroll_into_view()
    lab.page.wait_for_timeout(200)
    return view


def test_the_curve_and_its_terms_are_scipy_s_and_move_with_training(
    lab: LabPage, server: LabServer, reference: Reference, artifacts: Path
) -> None:
    view = open_inspector(lab, server, "live.select('0', 2, 0, 1, 1)", "train(30)")
    lab.run_cell(3)
    lab.until(lambda: view.selection()["out"] == 2, "the selection")
    f = 2 * 9 + 4

    def compare() -> None:
        weights = lab.evaluate("weights(model[0])")
        x, y = view.curve()
        assert np.abs(y - reference(weights, x)[f]).max() < 1e-5
        base, spline = view.curve("silu")[1], view.curve("spline")[1]
        nothing = weights | {"spline": (0 * np.asarray(weights["spline"])).tolist()}
        assert np.abs(base - reference(nothing, x)[f]).max() < 1e-5
        terms = sum(view.curve(f"B{b}")[1] for b in range(8))
        np.testing.assert_allclose(terms, spline, atol=1e-7)
        np.testing.assert_allclose(base + spline, y, atol=1e-7)

    compare()
    _, before = view.curve()
    lab.run_cell(4)
    lab.until(lambda: view.step() == 30, "step 30")
    compare()
    assert np.abs(view.curve()[1] - before).max() > 1e-3
    np.testing.assert_array_equal(view.curve("ghost")[1], before)
    view.save(artifacts / "trained.png")


def test_dragging_a_control_point_sets_the_parameter_and_undo_takes_it_back(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    view = open_inspector(lab, server, "train(10)")
    lab.run_cell(3)
    lab.until(lambda: view.step() == 10, "step 10")
    lab.page.wait_for_timeout(300)
    before = lab.evaluate("model[0].spline_weight[0, 0, 0, 0].tolist()")
    view.drag("B4", 0.1)
    view.save(artifacts / "dragged.png")
    lab.until(lambda: view.points()["B4"]["value"] == pytest.approx(0.1, abs=0.01), "the point")
    drawn = view.points()["B4"]["value"]
    weight = "model[0].spline_weight[0, 0, 0, 0].tolist()"
    lab.until(
        lambda: abs(lab.evaluate(weight)[4] - drawn) < 1e-6, "the parameter to have the value"
    )
    after = lab.evaluate(weight)
    assert after[:4] == pytest.approx(before[:4], abs=1e-6)
    assert after[5:] == pytest.approx(before[5:], abs=1e-6)
    assert lab.evaluate("len(live.edits.done)") == 1  # one gesture, one edit
    view.click(".kw-editing button:has-text('undo')")
    lab.until(lambda: abs(lab.evaluate(weight)[4] - before[4]) < 1e-6, "the undo")
    lab.until(lambda: abs(view.points()["B4"]["value"] - before[4]) < 1e-5, "the drawing")
    view.click(".kw-editing button:has-text('redo')")
    lab.until(lambda: abs(lab.evaluate(weight)[4] - drawn) < 1e-6, "the redo")
    view.click(".kw-editing button:has-text('zero')")
    lab.until(lambda: not any(lab.evaluate(weight)), "the pruning")
    lab.until(lambda: not view.curve()[1].any(), "a flat line")


def test_a_changed_parameter_redraws(lab: LabPage, server: LabServer, reference: Reference) -> None:
    change = (
        "with torch.no_grad():\n    model[0].spline_weight[0, 0, 0, 0, 3] = 0.5\nlive.refresh();"
    )
    view = open_inspector(lab, server, change)
    pixels = view.image()
    lab.run_cell(3)
    lab.until(lambda: view.points()["B3"]["value"] == pytest.approx(0.5), "the point")
    x, y = view.curve()
    assert np.abs(y - reference(lab.evaluate("weights(model[0])"), x)[0]).max() < 1e-5
    assert view.image().shape != pixels.shape or np.abs(view.image() - pixels).max() > 0


def test_an_edit_while_a_blocking_cell_trains_reaches_the_parameter_before_it_ends(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    loop = """
optimizer.param_groups[0]["lr"] = 1e-9  # only an edit moves a weight, in however many steps
weight = model[0].spline_weight[0, 0, 0, 0]
start, reached, step = weight[5].item(), None, 0
while not Path("stop").exists():
    images, labels = next(batches)
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(images), labels)
    held = weight.tolist()
    loss.backward()  # would raise had a weight been written since
    assert weight.tolist() == held
    optimizer.step()
    step += 1
    if reached is None and weight[5].item() > start + 0.02:
        reached = step
"""
    view = open_inspector(lab, server, loop)
    before = view.points()["B5"]["value"]
    wanted = before + 0.05
    lab.run_cell(3, wait=False)
    lab.wait_cell_running(3)
    lab.until(lambda: view.step() > 20, "some steps")
    view.drag("B5", wanted)
    lab.until(lambda: view.points()["B5"]["value"] == pytest.approx(wanted, abs=2e-3), "the drag")
    # Long after the page has stopped drawing its own value, frames of the model have it.
    step = view.step()
    lab.page.wait_for_timeout(2500)
    lab.until(lambda: view.step() > step + 20, "more steps")
    assert view.points()["B5"]["value"] == pytest.approx(wanted, abs=2e-3)
    assert lab.is_running(3)
    view.save(artifacts / "training.png")
    lab.let_go("stop")
    lab.wait_idle()
    assert lab.cell_errors() == []
    assert lab.evaluate("reached is not None and reached < step")
    assert lab.evaluate("weight[5].item()") == pytest.approx(wanted, abs=2e-3)
    assert lab.evaluate("len(live.edits.done)") == 1


def test_the_pointer_reads_what_python_says(
    lab: LabPage, server: LabServer, reference: Reference, artifacts: Path
) -> None:
    view = open_inspector(lab, server, "train(20)")
    lab.run_cell(3)
    lab.until(lambda: view.step() == 20, "step 20")
    weights = lab.evaluate("weights(model[0])")
    for wanted in (-0.87, -0.33, 0.0, 0.81):
        px, py = view.place(wanted, 0)
        lab.page.mouse.move(px, py + 37)
        lab.until(
            lambda wanted=wanted: (
                view.ask("view.scene().reading?.x ?? 99") == pytest.approx(wanted, abs=0.01)
            ),
            "the readout",
        )
        read = view.ask(READING)
        x = np.asarray([read["x"]])
        phi = reference(weights, x)[0, 0]
        h = 1e-4
        slope = (reference(weights, x + h) - reference(weights, x - h))[0, 0] / (2 * h)
        assert read["phi"] == pytest.approx(phi, abs=2e-6)
        assert read["slope"] == pytest.approx(slope, abs=2e-4)
        assert sum(read["terms"]) == pytest.approx(read["phi"], abs=1e-12)
        assert view.ask("view.scene().legend.rows[0].row.value") == printed(read["phi"])
    view.save(artifacts / "reading.png")


def test_the_wheel_with_control_zooms_about_the_pointer_and_a_double_click_shows_all(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    view = open_inspector(lab, server)
    whole = view.ask(f"({WINDOW})(view)")
    px, py = view.place(0.5, 0.02)
    lab.page.mouse.move(px, py)
    lab.page.keyboard.down("Control")
    lab.page.mouse.wheel(0, -400)
    lab.page.keyboard.up("Control")
    lab.until(lambda: view.ask(f"({WINDOW})(view)") != whole, "a closer look")
    closer = view.ask(f"({WINDOW})(view)")
    assert closer["x"][1] - closer["x"][0] < 0.7 * (whole["x"][1] - whole["x"][0])
    # The mouse is at a whole pixel.
    before = view.place(0.5, 0.02)
    assert before[0] == pytest.approx(px, abs=1)
    view.save(artifacts / "zoomed.png")
    lab.page.mouse.down()
    lab.page.mouse.move(px + 60, py - 20, steps=4)
    lab.page.mouse.up()
    moved = pytest.approx(before[0] + 60, abs=1)
    lab.until(lambda: view.place(0.5, 0.02)[0] == moved, "the plane to move")
    lab.page.mouse.dblclick(px, py)
    lab.until(lambda: view.ask(f"({WINDOW})(view)") == whole, "all of it again")


def test_keys_walk_through_functions_and_move_a_point(lab: LabPage, server: LabServer) -> None:
    view = open_inspector(lab, server)
    cell = lab.script("return [panel.content.mode, panel.content.activeCellIndex];")
    view.ask("root.querySelector('.kw-canvas').focus()")
    lab.page.keyboard.press("]")
    lab.page.keyboard.press("]")
    place = {"layer": "0", "out": 0, "in": 0, "row": 0, "column": 2}
    lab.until(lambda: lab.evaluate("view.selection") == place, "the selection in Python")
    lab.until(lambda: view.selection() == place, "the function to be drawn")
    before = lab.evaluate("model[0].spline_weight[0, 0, 0, 2].tolist()")
    low, high = view.ask("view.scene().y")
    view.ask("root.querySelector('.kw-place[aria-label*=\"B2 \"]').focus()")
    lab.page.keyboard.press("ArrowUp")
    weight = "model[0].spline_weight[0, 0, 0, 2, 2].item()"
    wanted = before[2] + 0.01 * (high - low)
    lab.until(lambda: lab.evaluate(weight) == pytest.approx(wanted, abs=1e-6), "the parameter")
    assert lab.script("return [panel.content.mode, panel.content.activeCellIndex];") == cell


def test_inputs_that_were_observed_are_drawn_and_told(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    view = open_inspector(lab, server, "live.observe(digits.test_images[:64]);")
    pixels = view.image()
    assert "live.observe(batch) shows its inputs" in view.caption()
    lab.run_cell(3)
    lab.until(lambda: "64 samples" in view.caption(), "the share of inputs")
    share = lab.evaluate(
        "(lambda x: ((x < -1) | (x > 1)).float().mean().item())"
        "(digits.test_images[:64, :, 0:26:2, 0:26:2])"
    )
    [words] = [part for part in view.caption().split("; ") if "samples" in part]
    if share == 0:
        assert words == "all inputs seen (64 samples) lie on the grid"
    else:
        assert float(words.split(" ")[0]) == pytest.approx(100 * share, abs=0.1)
    assert view.image().shape != pixels.shape or np.abs(view.image() - pixels).max() > 0
    view.save(artifacts / "observed.png")


def test_it_follows_the_theme_and_keeps_its_place_from_320_pixels_up(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    view = open_inspector(lab, server, "train(20)\nlive.observe(digits.test_images[:64]);")
    lab.run_cell(3)
    lab.until(lambda: view.step() == 20, "step 20")

    def paper() -> int:
        return int(view.image()[2, 2].astype(int).sum())

    lab.page.mouse.move(0, 0)
    assert paper() > 600
    view.save(artifacts / "light.png")
    lab.set_theme("JupyterLab Dark")
    lab.until(lambda: paper() < 240, "dark paper")
    lab.page.wait_for_timeout(300)
    view.save(artifacts / "dark.png")
    lab.set_theme("JupyterLab Light")
    for width in (320, 480, 760):
        lab.page.evaluate(
            "width => { document.querySelector('.kw-spline-inspector').parentElement"
            ".style.width = `${width}px`; }",
            width,
        )
        lab.page.wait_for_timeout(300)
        lab.until(lambda: view.ask(OVERLAPS) == [], f"order at {width} pixels")
        view.save(artifacts / f"width_{width}.png")


def test_nothing_jumps_while_training_goes_on(lab: LabPage, server: LabServer) -> None:
    view = open_inspector(lab, server, TRAIN)
    lab.run_cell(3, wait=False)
    lab.until_shown(lambda: view.step() > 0, "the first step")
    first, ends = view.step(), []

    def has_looked() -> bool:
        ends.append(view.ask("root.querySelector('.kw-viewport').getBoundingClientRect().top"))
        return len(ends) >= 20 and view.step() >= first + 200

    lab.until_shown(has_looked, "200 steps and 20 looks")
    lab.let_go("enough")
    lab.wait_idle()
    assert lab.cell_errors() == []
    assert max(ends) - min(ends) < 0.5


def test_two_views_of_one_widget_and_a_reload(lab: LabPage, server: LabServer) -> None:
    view = open_inspector(lab, server, "view", "train(10)")
    lab.run_cell(3)
    other = Inspector(lab, 1)
    lab.until_shown(other.is_ready, "the second view")
    lab.run_cell(4)
    lab.until(lambda: view.step() == other.step() == 10, "step 10 in both")
    np.testing.assert_array_equal(view.curve()[1], other.curve()[1])
    before = view.curve()[1]
    view.press("row:base")
    lab.until(lambda: "base" not in lab.evaluate("view.show"), "the trait")
    lab.save()
    lab.reload()
    lab.until_shown(view.is_ready, "the view after a reload")
    lab.until(lambda: view.step() == 10, "step 10")
    np.testing.assert_array_equal(view.curve()[1], before)
    row = "root.querySelector('[data-site=\"row:base\"]')"
    assert view.ask(f"{row}.getAttribute('aria-pressed')") == "false"


def test_frames_are_drawn_one_after_the_other_while_training_goes_on(
    lab: LabPage, server: LabServer
) -> None:
    view = open_inspector(lab, server, TRAIN)
    before = view.ask("view.drawn().frames")
    lab.run_cell(3, wait=False)
    lab.until_shown(lambda: view.ask("view.drawn().frames") > before + 3, "frames to be drawn")
    lab.let_go("enough")
    lab.wait_idle()
    assert lab.cell_errors() == []
    last = lab.evaluate("live.stats.steps")
    lab.until(lambda: view.step() == last, "the last step")
    drawn = view.ask("view.drawn()")
    print(f"{drawn['frames']} frames drawn; the last drawing took {drawn['milliseconds']:.1f} ms")
