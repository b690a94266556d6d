"""Pictures of the views: from the buttons, from Python, and in the saved notebook."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.browser.lab import LabPage, LabServer

pytestmark = pytest.mark.browser

SVG = "{http://www.w3.org/2000/svg}"
VIEW = "application/vnd.jupyter.widget-view+json"
SETUP = """
import torch
import kan_widgets as kw

torch.manual_seed(0)
model = kw.nn.KANCNN.article()
optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
digits = kw.data.mnist()
images, labels = digits.train_images[:64], digits.train_labels[:64]
live = kw.bind(model, optimizer, every=1)

def train(steps):
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.nll_loss(model(images), labels).backward()
        optimizer.step()

train(3)
seen = live.observe(images)
live.select("convs.0", 1, 0, 1, 1)
"""
NOTED = """
for step in range(1, 21):
    live.log(step, loss=1 / step, accuracy=1 - 1 / step)
"""
VIEWS = {
    "kernel-grid": "kw.KernelGrid(live)",
    "spline-inspector": "kw.SplineInspector(live)",
    "meshgrid-view": "kw.MeshgridView(live, mode='ramp')",
    "explain": "kw.Explain(live, images[0])",
    "training-panel": "kw.TrainingPanel(live)",
    "layer-ranges": "kw.LayerRanges(live)",
}
# Heat maps and images are made of pixels, curves are not.
IMAGES = {
    "kernel-grid": 0,
    "spline-inspector": 0,
    "meshgrid-view": 45,
    "explain": 7,
    "training-panel": 0,
    "layer-ranges": 0,
}
CURVES = dict.fromkeys(VIEWS, 0) | {"kernel-grid": 45, "spline-inspector": 10, "training-panel": 2}


def open_views(lab: LabPage, server: LabServer) -> None:
    lab.page.set_viewport_size({"width": 1280, "height": 2600})
    cells = [f"view{k} = {made}\nview{k}" for k, made in enumerate(VIEWS.values())]
    lab.open(server.write_notebook([SETUP + NOTED, *cells]))
    for k in range(1 + len(cells)):
        lab.run_cell(k)
    assert lab.cell_errors() == []
    lab.until_shown(lambda: all(is_drawn(lab, name) for name in VIEWS), "all views to be drawn")


def is_drawn(lab: LabPage, name: str) -> bool:
    return bool(
        lab.page.evaluate(
            "(name) => { const view = document.querySelector(`.kw-${name}`);"
            "const probe = view?.kwGrid ?? view?.kwView ?? view?.kwRanges;"
            "if (view?.kwPanel) return view.kwPanel.values().length === 2;"
            "return probe ? probe.step() === 3 : !!view?.kwExplain?.content(); }",
            name,
        )
    )


def saved(lab: LabPage, name: str, kind: str) -> tuple[str, bytes]:
    """Click a button and return the file that comes: its name and what is in it."""
    button = lab.page.locator(f".kw-{name}").get_by_text(kind, exact=True)
    with lab.page.expect_download() as coming:
        button.click()
    return coming.value.suggested_filename, Path(coming.value.path()).read_bytes()


def box(lab: LabPage, name: str, selector: str = "") -> NDArray[np.float64]:
    """Return where a view is in the window, or a part of it: left, top, width, height."""
    found = lab.page.locator(f".kw-{name} {selector}").first.bounding_box()
    assert found is not None
    return np.array([found["x"], found["y"], found["width"], found["height"]])


def canvases(lab: LabPage, name: str) -> list[tuple[slice, slice]]:
    """Return the rows and columns that the canvases of a view cover, without their edges."""
    found: list[list[float]] = lab.page.evaluate(
        "(name) => { const root = document.querySelector(`.kw-${name}`);"
        "const page = root.getBoundingClientRect();"
        "return [...root.querySelectorAll('canvas')].map((part) => {"
        "const box = part.getBoundingClientRect();"
        "return [box.left - page.left, box.top - page.top, box.width, box.height]; })"
        ".filter(([, , width, height]) => width > 8 && height > 8); }",
        name,
    )
    return [
        (
            slice(max(0, round(y) + 2), round(y + height) - 2),
            slice(max(0, round(x) + 2), round(x + width) - 2),
        )
        for x, y, width, height in found
    ]


def rendered(lab: LabPage, svg: bytes) -> NDArray[np.uint8]:
    """Return what Chromium makes of an SVG."""
    page = lab.page.context.new_page()
    width, height = (float(ElementTree.fromstring(svg).attrib[n]) for n in ("width", "height"))
    page.set_viewport_size({"width": int(np.ceil(width)), "height": int(np.ceil(height))})
    code = base64.b64encode(svg).decode("ascii")
    page.set_content(
        f"<body style='margin:0'><img style='display:block' src='data:image/svg+xml;base64,{code}'>"
    )
    page.wait_for_function("document.images[0].complete")
    picture = decoded(page.screenshot())
    page.close()
    return picture


def decoded(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def numbers(path: ElementTree.Element) -> NDArray[np.float64]:
    """Return the points of a path."""
    found = [float(n) for n in re.findall(r"-?[\d.]+", path.attrib["d"])]
    return np.array(found).reshape(-1, 2)


def rectangle(element: ElementTree.Element) -> list[float]:
    return [float(element.attrib[name]) for name in ("x", "y", "width", "height")]


def strayed(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return the share of pixels whose like is not even next to their place in the other."""
    a, b = one.astype(int), np.pad(other.astype(int), ((1, 1), (1, 1), (0, 0)), mode="edge")
    height, width = a.shape[:2]
    least = np.full((height, width), 255)
    for down in range(3):
        for across in range(3):
            there = b[down : down + height, across : across + width]
            least = np.minimum(least, np.abs(a - there).max(axis=2))
    return float((least > 96).mean())


def test_the_buttons_save_what_is_on_screen(
    lab: LabPage, server: LabServer, artifacts: Path
) -> None:
    open_views(lab, server)
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.set_theme(theme)
        lab.page.mouse.move(0, 0)
        for name in VIEWS:
            view = lab.page.locator(f".kw-{name}")
            view.scroll_into_view_if_needed()
            lab.page.wait_for_timeout(200)  # hover and theme are drawn in the next frame
            folder = artifacts / theme
            folder.mkdir(exist_ok=True)
            shot = decoded(view.screenshot(path=folder / f"{name}-screen.png"))
            for kind in ("SVG", "PNG"):
                file, data = saved(lab, name, kind)
                lab.page.mouse.move(0, 0)
                assert re.fullmatch(rf"{name}-[\w.-]*step-3\.{kind.lower()}", file)
                (folder / file).write_bytes(data)
                picture = decoded(data) if kind == "PNG" else rendered(lab, data)
                Image.fromarray(picture).save(folder / f"{name}-{kind}.png")
                parts = canvases(lab, name)
                assert max(strayed(shot[part], picture[part]) for part in parts) == 0
                # The measure would notice a picture that is three pixels off.
                moved = np.roll(picture, (3, 3), (0, 1))
                assert max(strayed(shot[part], moved[part]) for part in parts) > 0.005
                if kind == "SVG":
                    root = ElementTree.fromstring(data)
                    words = " ".join(text.text or "" for text in root.iter(f"{SVG}text"))
                    assert ("loss" if name == "training-panel" else "convs.0") in words
                    assert "step 3" in words
                    assert len([*root.iter(f"{SVG}image")]) == IMAGES[name]
                    long = [p for p in root.iter(f"{SVG}path") if p.attrib["d"].count("L") > 8]
                    assert len(long) >= CURVES[name]


def drawing(lab: LabPage, code: str) -> ElementTree.Element:
    """Return an SVG that Python writes."""
    text = lab.evaluate("open(path, encoding='utf-8').read()", f"path = {code}")
    return ElementTree.fromstring(text)


def grouped(root: ElementTree.Element, tag: str, **style: str) -> list[ElementTree.Element]:
    """Return the elements in groups of a style."""
    return [
        element
        for group in root.iter(f"{SVG}g")
        if all(group.get(name.replace("_", "-")) == value for name, value in style.items())
        for element in group.findall(f"{SVG}{tag}")
    ]


def test_python_draws_with_the_geometry_of_the_screen(lab: LabPage, server: LabServer) -> None:
    open_views(lab, server)

    # The grid: all cells, and every curve in them.
    grid = lab.grid()
    x, y, width, _ = box(lab, "kernel-grid", ".kw-viewport")
    root = drawing(lab, f"view0.to_svg('grid.svg', width={width}, ghost=False)")
    cells = np.array([rectangle(cell) for cell in grouped(root, "rect", fill="#f5f6f8")])
    rects = [grid.rect(f) for f in range(45)]
    seen = np.array([[r.x - x, r.y - y, r.width, r.height] for r in rects])
    # Title and legend of the still are as high as its font wants them.
    shift = cells[0, 1] - seen[0, 1]
    assert cells.shape == (45, 4)
    assert np.abs(cells - [0, shift, 0, 0] - seen).max() <= 1
    curves = grouped(root, "path", fill="none", stroke="#1b1f24")
    assert len(curves) == 45
    for f, path in enumerate(curves):
        points = numbers(path)
        at, values = grid.curve(f)
        left, top, wide, high = seen[f]
        across = left + 2 + (at - at[0]) / (at[-1] - at[0]) * (wide - 4)
        down = top + high / 2 - (high / 2 - 2) / grid.y_scale() * values
        off = points[:, 1] - shift - np.interp(points[:, 0], across, down)
        assert np.abs(off).max() <= 1
        assert np.abs(points[[0, -1], 0] - across[[0, -1]]).max() <= 1

    # The inspector: φ on the plane.
    x, y, width, _ = box(lab, "spline-inspector", ".kw-canvas")
    root = drawing(lab, f"view1.to_svg('phi.svg', width={width})")
    [path] = [
        line
        for line in root.iter(f"{SVG}path")
        if (line.get("stroke"), line.get("stroke-width")) == ("#1b1f24", "2.5")
        and len(numbers(line)) > 100
    ]
    points = numbers(path)
    found = lab.page.evaluate(
        "() => { const view = document.querySelector('.kw-spline-inspector').kwView;"
        "const curve = view.curve('phi');"
        "return curve.x.map((x, k) => view.place(x, curve.y[k])); }"
    )
    across = np.array([place["x"] for place in found]) - x
    down = np.array([place["y"] for place in found]) - y
    off = points[:, 1] - np.interp(points[:, 0], across, down)
    assert np.abs(off).max() <= 1
    assert np.abs(points[[0, -1], 0] - across[[0, -1]]).max() <= 1

    # The meshgrid: the place of every heat map.
    x, y, width, _ = box(lab, "meshgrid-view", ".kw-viewport")
    root = drawing(lab, f"view2.to_svg('mesh.svg', width={width})")
    tiles = np.array([rectangle(tile) for tile in root.iter(f"{SVG}image")])
    rects = lab.page.evaluate(
        "() => { const view = document.querySelector('.kw-meshgrid-view').kwView;"
        "return [...Array(45).keys()].map((f) => view.rectOf(f)); }"
    )
    seen = np.array([[r["x"] - x, r["y"] - y, r["width"], r["height"]] for r in rects])
    assert tiles.shape == (45, 4)
    assert np.abs(tiles - seen - [0, tiles[0, 1] - seen[0, 1], 0, 0]).max() <= 1


def read_saved(lab: LabPage, cell: int) -> list[dict[str, Any]]:
    """Save the notebook; return what a cell's outputs are in the file."""
    lab.save()
    cells = json.loads((lab.server.root / lab.path).read_text())["cells"]
    return [output["data"] for output in cells[cell]["outputs"] if "data" in output]


def test_a_snapshot_renews_the_still_of_the_saved_notebook_and_the_view_stays(
    lab: LabPage, server: LabServer
) -> None:
    shown = [
        "grid = kw.KernelGrid(live)\ngrid",
        "from IPython.display import display\ndisplay(grid)",
    ]
    lab.page.set_viewport_size({"width": 1280, "height": 2000})
    lab.open(server.write_notebook([SETUP, *shown, "train(2)\ngrid.snapshot()\ntrain(2)"]))
    for cell in range(3):
        lab.run_cell(cell)
    lab.until_shown(lambda: lab.grid_count() == 2 and lab.grid().is_ready(), "the two grids")
    before = [read_saved(lab, cell) for cell in (1, 2)]
    lab.run_cell(3)
    assert lab.cell_errors() == []
    lab.until_shown(lambda: lab.grid_count() == 2 and lab.grid().is_ready(), "the grids to stay")
    lab.until(lambda: lab.grid().step() == 7 and lab.grid(1).step() == 7, "the last frame")
    expected = lab.evaluate(
        "base64.b64encode(png).decode('ascii')",
        "import base64\nfrom kan_widgets.widgets.stream import pictured\n"
        "from kan_widgets.widgets.rasters import png_bytes\n"
        "with pictured(grid._stream, live.history.at(5)):\n    png = png_bytes(grid.image())",
    )
    for cell, (old,) in zip((1, 2), before, strict=True):
        (new,) = read_saved(lab, cell)
        assert old["image/png"] != new["image/png"]
        assert new["image/png"].replace("\n", "") == expected
        assert old[VIEW] == new[VIEW]
    assert read_saved(lab, 3) == []
    # The views that the page made anew are as alive as the old ones.
    lab.grid(1).scroll_into_view()
    lab.grid(1).click(20)
    lab.until(lambda: lab.grid().selected() == 20, "the other grid to follow")
