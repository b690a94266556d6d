"""MeshgridView in JupyterLab: its numbers are torch's, and it answers while a cell runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.browser.lab import WAIT_FOR, LabPage, LabServer, Rect, decode

pytestmark = pytest.mark.browser

SETUP = (
    WAIT_FOR
    + """
import itertools, time
from pathlib import Path
import torch
import kan_widgets as kw

torch.manual_seed(0)
model = torch.nn.Sequential(
    kw.nn.KANConv2d(1, 4, 3, stride=2, padding=1),
    kw.nn.KANConv2d(4, 6, 3, groups=2, padding=2, padding_mode="reflect"),
    torch.nn.Flatten(),
    kw.nn.KANLinear(6 * 16 * 16, 10),
)
optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
digits = kw.data.mnist("embedded")
batches = itertools.cycle(zip(digits.train_images.split(64), digits.train_labels.split(64)))

def train(steps):
    for images, labels in itertools.islice(batches, steps):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()

def output(layer, image):
    with torch.no_grad():
        return model[layer](torch.tensor(image))[0].tolist()

def phi(layer, function, x):
    read = kw.functions.read(model)[layer]
    x = torch.tensor(x, dtype=torch.float64)
    return read.evaluate(x).reshape(-1, len(x))[function].tolist()
"""
)
BIND = "live = kw.bind(model, optimizer, every=2)\ntrain(20)"
OVERLAPS = """(() => {
  const shown = [...root.querySelectorAll(
    '.kw-segments, .kw-option, .kw-remark, .kw-status, .kw-canvas, .kw-scrubber, .kw-readout,'
    + ' .kw-save, .kw-button',
  )].filter((e) => e.offsetWidth > 0 && e.offsetHeight > 0);
  const found = [];
  shown.forEach((a, k) => shown.slice(k + 1).forEach((b) => {
    if (a.contains(b) || b.contains(a)) return;
    const [p, q] = [a.getBoundingClientRect(), b.getBoundingClientRect()];
    const across = Math.min(p.right, q.right) - Math.max(p.left, q.left);
    const down = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
    if (across > 1 && down > 1) found.push(`${a.className} over ${b.className}`);
  }));
  return found;
})()"""


# What a view shows: the values of a function from left to right, the image of a response and its
# maps, the pixel pointed at or kept, and the surface of a pair, whose y rises with the rows.
HEAT = """(({y, points}) => ({
  width: points, height: 1, data: Array.from(y.subarray(arg * points, (arg + 1) * points)),
}))(view.scene().curves)"""
INPUT = """(({width, height, channels, data}) => ({
  width, height, channels, data: Array.from(data),
}))(view.scene().response.image)"""
RESPONSE = """(({width, height, data}) => ({
  width, height, data: Array.from(data),
}))(view.scene().response.grids.get(arg))"""
HAS_RESPONSE = "(view.scene()?.response?.grids.has(0) ?? false)"
PROBE = """(({by, place, swept, grids, patch}) => by === 'itself' ? null : ({
  ...place, patch: Array.from(patch.inputs),
  value: grids.get(place.output).data[place.row * swept.width + place.column],
}))(view.scene().response)"""
PAIR = """(({functions: [i, j], surface, levels, density}) => ({
  i, j, levels, x: Array.from(surface.x), y: Array.from(surface.y),
  values: Array.from(surface.values),
  density: density && {most: density.most, outside: density.outside},
}))(view.scene().pair)"""
HAS_PAIR = "view.scene()?.mode === 'pair'"


@dataclass(frozen=True)
class Mesh:
    """One MeshgridView on a page, seen through what it exports for tests (``kwView``)."""

    lab: LabPage
    index: int = 0

    def ask(self, expression: str, argument: Any = None) -> Any:
        return self.lab.page.evaluate(
            "([n, arg]) => { const root = document.querySelectorAll('.kw-meshgrid-view')[n];"
            f"const view = root?.kwView; return {expression}; }}",
            [self.index, argument],
        )

    def ready(self) -> Mesh:
        self.lab.until_shown(lambda: self.ask("(view?.step() ?? -1) >= 0"), "the view")
        self.locator().scroll_into_view_if_needed()
        return self

    def locator(self) -> Any:
        return self.lab.page.locator(".kw-meshgrid-view").nth(self.index)

    def choose(self, label: str) -> None:
        self.locator().locator(".kw-segment", has_text=label).first.click()

    def mode(self, mode: str) -> None:
        self.locator().locator(f".kw-segment:has(input[value={mode}])").first.click()
        self.lab.until(lambda: self.ask("view.mode()") == mode, f"mode {mode}")

    def text(self) -> str:
        return str(self.ask("root.innerText"))

    def rect(self, expression: str, argument: Any = None) -> Rect:
        """Give where it stands once the page around it has done scrolling and growing."""
        found: Any = None
        brought: list[bool] = []
        tall = self.lab.page.evaluate("innerHeight")

        def still() -> bool:
            nonlocal found
            before, found = found, self.ask(f"view.{expression}", argument)
            # JupyterLab may scroll to the cell once more, after the view was scrolled to.
            if not 0 <= found["y"] + found["height"] / 2 <= tall and not brought:
                brought.append(True)
                self.locator().scroll_into_view_if_needed()
                return False
            return bool(before == found)

        self.lab.until(still, f"{expression} to stand still")
        return Rect(found["x"], found["y"], found["width"], found["height"])

    def array(self, expression: str, argument: Any = None) -> NDArray[np.float64]:
        """Give an image that the view exports: (height, width), or (channels, height, width)."""
        shown = {"heat(arg)": HEAT, "input()": INPUT, "response(arg)": RESPONSE}[expression]
        found = self.ask(shown, argument)
        shape = [found[key] for key in ("channels", "height", "width") if key in found]
        return np.asarray(found["data"], dtype=float).reshape(shape)

    def message(self) -> list[str]:
        """Give the words in place of a drawing."""
        return self.locator().locator(".kw-message:not([hidden])").all_inner_texts()

    def wait_response(self) -> None:
        self.lab.until(lambda: self.ask(HAS_RESPONSE), "a response")

    def pixels(self) -> str:
        return str(
            self.ask(
                "[...root.querySelectorAll('.kw-canvas')].filter((c) => c.offsetWidth > 0)"
                ".map((canvas) => canvas.toDataURL()).join()"
            )
        )

    def dark(self) -> None:
        """Change the theme and wait until the view has it."""
        self.lab.set_theme("JupyterLab Dark")
        theme = "root.getAttribute('data-kw-theme')"
        self.lab.until(lambda: self.ask(theme) == "dark", "the dark colours")
        self.lab.page.wait_for_timeout(600)

    def screenshot(self, path: Path) -> NDArray[np.uint8]:
        return decode(self.locator().screenshot(path=path))


def open_mesh(lab: LabPage, server: LabServer, *more: str, show: str) -> Mesh:
    """Open a notebook with a view in its third cell, and cells after it that have not run."""
    lab.open(server.write_notebook([SETUP, BIND, show, *more]))
    for index in range(3):
        lab.run_cell(index)
    assert lab.cell_errors() == []
    return Mesh(lab).ready()


def largest_difference(
    lab: LabPage, mesh: Mesh, layer: int, outputs: int, only: int | None = None
) -> float:
    """Compare the maps shown with what torch's layer makes of the input shown."""
    image = mesh.array("input()")
    expected = np.asarray(lab.evaluate(f"output({layer}, {image[None].tolist()})"))
    assert len(expected) == outputs
    drawn = range(outputs) if only is None else [only]
    found = np.stack([mesh.array("response(arg)", k) for k in drawn])
    expected = expected[drawn]
    assert found.shape == expected.shape
    assert np.abs(expected).max() > 0.05
    return float(np.abs(found - expected).max())


def test_every_function_over_the_ramp_is_phi(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    mesh = open_mesh(lab, server, show="view = kw.MeshgridView(live, limits=(-2, 2))\nview")
    x = np.linspace(-2, 2, 64)
    for function in (0, 17, 35):
        heat = mesh.array("heat(arg)", function)
        assert heat.shape == (1, 64)
        expected = lab.evaluate(f"phi(0, {function}, {x.tolist()})")
        assert np.abs(heat[0] - expected).max() < 1e-5
    light = mesh.screenshot(artifacts / "ramp_light.png")

    # The colour on the page is that of the value: orange above zero, blue below.
    scale = mesh.ask("view.scene().most")
    seen = 0
    for function in range(36):
        heat = mesh.array("heat(arg)", function)[0]
        r = mesh.rect("at(String(arg))", function)
        window = lab.image()
        for k in (6, 57):
            if abs(heat[k]) < 0.25 * scale:
                continue
            at_x, at_y = r.at((k + 0.5) / 64, 0.5)
            red, _, blue = window[int(at_y), int(at_x)].astype(int)
            assert (red > blue) == (heat[k] > 0)
            seen += 1
    assert seen > 10

    cell = mesh.rect("at(String(arg))", 13)
    lab.page.mouse.move(*cell.at(0.75, 0.5))
    lab.until(lambda: mesh.ask("view.scene()?.hovered") == 13, "the hovered function")
    tip = mesh.ask("root.querySelector('.kw-tip').innerText")
    assert "kernel 1 · row 1, column 1" in tip
    assert "φ(x)" in tip

    mesh.dark()
    dark = mesh.screenshot(artifacts / "ramp_dark.png")
    assert light.mean() > 200
    assert dark.mean() < 100


def test_a_digit_drawn_with_the_mouse_gets_torchs_response_during_a_cell(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    show = "view = kw.MeshgridView(live, mode='response', input='drawn')\nview"
    mesh = open_mesh(lab, server, "wait_for('half')", show=show)
    mesh.wait_response()
    assert (mesh.array("input()") == -1).all()
    assert mesh.array("input()").shape == (1, 28, 28)
    empty = mesh.pixels()
    lab.run_cell(3, wait=False)
    lab.wait_cell_running(3)
    paper = mesh.rect("at('input')")
    lab.page.mouse.move(*paper.at(0.3, 0.25))
    lab.page.mouse.down()
    for across, down in [(0.68, 0.25), (0.55, 0.5), (0.4, 0.8)]:
        lab.page.mouse.move(*paper.at(across, down), steps=6)
    lab.page.mouse.up()
    lab.until(lambda: mesh.pixels() != empty, "the drawing")
    assert lab.is_running(3)
    drawn = mesh.array("input()")
    assert (drawn > 0.9).sum() > 30
    assert drawn.max() <= 1
    assert drawn[0, 7, 14] == 1
    lab.screenshot(artifacts / "drawing.png")
    lab.let_go("half")
    lab.wait_idle()
    assert largest_difference(lab, mesh, 0, 4) < 1e-4
    lab.until(lambda: lab.evaluate("view.drawing is not None"), "the drawing in Python")
    assert np.abs(np.asarray(lab.evaluate("view.drawing.tolist()")) - drawn[0]).max() < 1e-6

    # Shift erases, and the button begins again.
    lab.page.keyboard.down("Shift")
    lab.page.mouse.move(*paper.at(0.3, 0.25))
    lab.page.mouse.down()
    lab.page.mouse.move(*paper.at(0.68, 0.25), steps=6)
    lab.page.mouse.up()
    lab.page.keyboard.up("Shift")
    assert mesh.array("input()")[0, 7, 14] == -1
    mesh.locator().get_by_role("button", name="clear").click()
    lab.until(lambda: (mesh.array("input()") == -1).all(), "a blank")


def test_a_digit_of_the_data_set_gets_torchs_response_and_a_pixel_its_patch(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    observed = "live.observe(digits.test_images[:2])\n"
    show = observed + "view = kw.MeshgridView(live, mode='response')\nview"
    mesh = open_mesh(lab, server, show=show)
    mesh.wait_response()
    lab.page.mouse.click(*mesh.rect("at('image/0/4')").at(0.5, 0.5))
    four = np.asarray(lab.evaluate("view.images[4, 0].tolist()"))
    lab.until(lambda: np.allclose(mesh.array("input()")[0], four), "the fourth image")
    lab.until(lambda: lab.evaluate("view.sample") == 4, "Python to hear of it")
    assert largest_difference(lab, mesh, 0, 4) < 1e-4

    # The pixel under the mouse: its patch, by the definition of the convolution.
    target = mesh.rect("at('map/2')")
    lab.page.mouse.move(*target.at(6.5 / 14, 7.5 / 14))
    lab.until(lambda: mesh.ask(f"{PROBE}?.output === 2"), "the probe")
    probe = mesh.ask(PROBE)
    assert (probe["row"], probe["column"]) == (7, 6)
    padded = np.pad(four, 1)  # stride 2, padding 1
    assert np.allclose(np.reshape(probe["patch"], (3, 3)), padded[14:17, 12:15], atol=1e-6)
    total = sum(
        lab.evaluate(f"phi(0, {2 * 9 + k}, [{x}])")[0] for k, x in enumerate(probe["patch"])
    )
    assert probe["value"] == pytest.approx(total, abs=1e-4)
    assert "map 2 · row 7, column 6" in mesh.text()

    # A click keeps the pixel and selects the kernel; a click on its φ selects that.
    lab.page.mouse.click(*target.at(6.5 / 14, 7.5 / 14))
    lab.page.mouse.click(*mesh.rect("at('cell/1/2')").at(0.5, 0.5))
    place = {"layer": "0", "out": 2, "in": 0, "row": 1, "column": 2}
    lab.until(lambda: lab.evaluate("view.selection") == place, "the selection")
    assert mesh.ask(f"{PROBE}.column") == 6
    mesh.screenshot(artifacts / "response_light.png")
    mesh.dark()
    assert mesh.screenshot(artifacts / "response_dark.png").mean() < 100


def test_the_second_layer_asks_for_observed_maps_and_then_shows_their_response(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    mesh = open_mesh(
        lab,
        server,
        "live.observe(digits.test_images[:5])",
        show="kw.MeshgridView(live, layer=1, mode='response')",
    )
    lab.until(lambda: "Press “observe a batch”" in mesh.text(), "the words")
    assert not mesh.ask(HAS_RESPONSE)
    assert "not known yet" in mesh.text()
    lab.run_cell(3)
    assert lab.cell_errors() == []
    mesh.wait_response()
    maps = mesh.array("input()")
    assert maps.shape == (4, 14, 14)
    expected = np.asarray(lab.evaluate("output(0, digits.test_images[:1].tolist())"))
    assert np.abs(maps - expected).max() < 1e-5
    assert largest_difference(lab, mesh, 1, 6) < 1e-4
    mesh.screenshot(artifacts / "second_layer.png")
    mesh.choose("draw")
    lab.until(lambda: mesh.array("input()").shape == (1, 14, 14), "a blank of the maps' size")
    assert "the same image in all 4 channels" in mesh.text()


def test_a_linear_layer_says_that_it_has_no_response_map(lab: LabPage, server: LabServer) -> None:
    mesh = open_mesh(
        lab, server, show="kw.MeshgridView(live, layer='3', mode='response', height=200)"
    )
    lab.until(lambda: "no response map" in str(mesh.message()), "the words")
    mesh.mode("ramp")
    lab.until(lambda: not mesh.message(), "the ramp")
    assert mesh.array("heat(arg)", 9).shape == (1, 64)


def test_a_pair_is_the_sum_of_the_two_functions_clicked_on_the_kernel(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    mesh = open_mesh(
        lab,
        server,
        "live.observe(digits.test_images[:50])",
        show="view = kw.MeshgridView(live, mode='pair')\nview",
    )
    lab.until(lambda: mesh.ask(HAS_PAIR), "the surface")
    before = mesh.pixels()
    lab.page.mouse.click(*mesh.rect("at('kernel/0/1')").at(0.5, 0.7))
    lab.until(lambda: mesh.ask(f"{PAIR}.i") == 1, "the first entry")
    lab.page.mouse.click(*mesh.rect("at('kernel/2/1')").at(0.5, 0.3))
    lab.until(lambda: mesh.ask(f"{PAIR}.j") == 7, "the second entry")
    entries = "view.selection and [view.selection[k] for k in ('row', 'column')] + [view.other]"
    lab.until(lambda: lab.evaluate(entries) == [0, 1, 7], "Python to hear of both")
    pair = mesh.ask(PAIR)
    x, y = np.asarray(pair["x"]), np.asarray(pair["y"])
    assert (x[0], x[-1], y[0], y[-1]) == (-1, 1, -1, 1)
    across = np.asarray(lab.evaluate(f"phi(0, 1, {x.tolist()})"))
    up = np.asarray(lab.evaluate(f"phi(0, 7, {y.tolist()})"))
    surface = np.reshape(pair["values"], (len(y), len(x)))
    assert np.abs(surface - (across + up[:, None])).max() < 1e-5
    assert pair["density"] is None
    assert mesh.pixels() != before
    lab.run_cell(3)
    lab.until(lambda: mesh.ask(f"{PAIR}.density !== null"), "the density")
    assert 0.3 < mesh.ask(f"{PAIR}.density.most") <= 1  # background beside background
    lab.page.mouse.move(*mesh.rect("at('plot')").at(0.7, 0.3))
    lab.until(lambda: mesh.ask("!root.querySelector('.kw-tip').hidden"), "the tooltip")
    assert "φ₂(y)" in mesh.ask("root.querySelector('.kw-tip').innerText")
    mesh.screenshot(artifacts / "pair_light.png")
    mesh.dark()
    assert mesh.screenshot(artifacts / "pair_dark.png").mean() < 100

    # Without a mouse.
    mesh.locator().locator(".kw-canvas").focus()
    for key in ("ArrowLeft", "x"):
        lab.page.keyboard.press(key)
    lab.until(lambda: mesh.ask(f"{PAIR}.i") == 6, "the entry chosen by keys")


def test_two_copies_follow_a_blocking_cell_and_keep_their_own_modes(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    show = (
        "live.observe(digits.test_images[:2])\n"
        "first = kw.MeshgridView(live, mode='ramp')\n"
        "second = kw.MeshgridView(live, mode='response', output=1)\n"
        "from IPython.display import display\n"
        "display(first, first, second)"
    )
    lab.open(server.write_notebook([SETUP, BIND, show, "train(20)\nwait_for('half')\ntrain(10)"]))
    for index in range(3):
        lab.run_cell(index)
    assert lab.cell_errors() == []
    views = [Mesh(lab, index).ready() for index in range(3)]
    assert [view.ask("view.mode()") for view in views] == ["ramp", "ramp", "response"]
    start = views[0].array("heat(arg)", 4)
    lab.run_cell(3, wait=False)
    # A view that is not on the screen is not drawn.
    for view in views:
        view.locator().scroll_into_view_if_needed()
        lab.until(lambda view=view: view.ask("view.step()") == 40, "step 40 everywhere")
    assert lab.is_running(3)
    views[0].locator().scroll_into_view_if_needed()
    middle = views[0].array("heat(arg)", 4)
    assert np.abs(middle - start).max() > 1e-4
    assert np.array_equal(middle, views[1].array("heat(arg)", 4))
    # A choice in one copy shows in the other, and only there.
    views[0].locator().get_by_text("sum of two", exact=True).click()
    lab.until(lambda: views[1].ask("view.mode()") == "pair", "the other way of looking")
    assert views[2].ask("view.mode()") == "response"
    assert lab.is_running(3)
    lab.let_go("half")
    lab.wait_idle()
    views[2].locator().scroll_into_view_if_needed()
    lab.until(lambda: views[2].ask("view.step()") == 50, "the last step")
    assert largest_difference(lab, views[2], 0, 4, only=1) < 1e-4
    lab.screenshot(artifacts / "copies.png")


@pytest.mark.parametrize("mode", ["ramp", "pair", "response"])
def test_nothing_overlaps_on_a_narrow_page(
    lab: LabPage, server: LabServer, artifacts: Path, mode: str
) -> None:
    show = (
        "live.observe(digits.test_images[:2])\n"
        f"view = kw.MeshgridView(live, mode='{mode}', layout={{'width': '330px'}})\n"
        "view"
    )
    mesh = open_mesh(lab, server, show=show)
    lab.page.wait_for_timeout(300)
    fits = "root.clientWidth <= 330 && root.scrollWidth <= root.clientWidth"
    lab.until(lambda: mesh.ask(fits), "all of it in 330 pixels")
    lab.until(lambda: mesh.ask(OVERLAPS) == [], "no part to overlap another")
    boxes = "[...root.querySelectorAll('.kw-segments')]"
    assert mesh.ask(f"{boxes}.every((box) => box.scrollWidth <= box.clientWidth)")
    mesh.screenshot(artifacts / f"narrow_{mode}.png")
