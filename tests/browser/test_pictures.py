"""Pictures of the views: from the buttons, from Python, and in the saved notebook."""

from __future__ import annotations

import base64
import io
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.browser.lab import WAIT_FOR, LabPage, LabServer
from tests.every_view import CALLS, all_but, dashed

pytestmark = pytest.mark.browser

FONTS = Path(__file__).parents[2] / "js" / "font"
FAMILY = "kan-widgets"
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
# A page knows the frames between the first and the last, a picture made by Python does not.
live = kw.bind(model, optimizer, every=3)

def train(steps):
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.nll_loss(model(images), labels).backward()
        optimizer.step()

train(3)
seen = live.observe(images)
image = images[0]
live.select("convs.0", 1, 0, 1, 1)
"""
NOTED = """
for step in range(1, 21):
    live.log(step, loss=1 / step, accuracy=1 - 1 / step)
"""
NAMES = all_but("Compare", "NetworkView", "Dashboard")
VIEWS = {dashed(name): CALLS[name] for name in NAMES}
VIEWS["meshgrid-view"] = "kw.MeshgridView(live, mode='ramp')"
# Heat maps and images are made of pixels, curves are not.
IMAGES = {
    "kernel-grid": 0,
    "spline-inspector": 0,
    "meshgrid-view": 45 + 1,  # with the key of colours
    "explain": 8,
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
            "const scene = view?.kwView?.scene();"
            "if (name === 'training-panel') return scene && view.kwView.values().length === 2;"
            "if (name === 'explain') return !!scene;"
            "return (view?.kwView?.step?.() ?? scene?.content?.step) === 3; }",
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


def canvas(lab: LabPage, name: str) -> tuple[slice, slice]:
    """Return the rows and columns of a view's screenshot with its canvas, without the edges."""
    x, y, width, height = box(lab, name, "canvas.kw-canvas")
    # A screenshot begins with the pixel that a view begins in; a canvas lies on whole pixels.
    left, top = np.floor([x + 0.5, y + 0.5]) - np.floor(box(lab, name)[:2])
    ends = np.floor([x + width + 0.5, y + height + 0.5]) - np.floor(box(lab, name)[:2])
    return slice(int(top) + 2, int(ends[1]) - 2), slice(int(left) + 2, int(ends[0]) - 2)


def rendered(lab: LabPage, svg: bytes) -> NDArray[np.uint8]:
    """Return what Chromium makes of an SVG, in the package's font as a view has it."""
    page = lab.page.context.new_page()
    width, height = (float(ElementTree.fromstring(svg).attrib[n]) for n in ("width", "height"))
    page.set_viewport_size({"width": int(np.ceil(width)), "height": int(np.ceil(height))})
    faces = ""
    for weight in (400, 600):
        font = base64.b64encode((FONTS / f"kan-widgets-{weight}.woff2").read_bytes()).decode()
        source = f"url(data:font/woff2;base64,{font})"
        faces += f"@font-face{{font-family:'{FAMILY}';font-weight:{weight};src:{source}}}"
    page.set_content(
        f"<style>{faces} body {{margin: 0}} svg {{display: block}}</style>{svg.decode()}"
    )
    page.evaluate("() => document.fonts.ready.then(() => true)")
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
    a, b = one.astype(np.int16), other.astype(np.int16)
    height, width = a.shape[:2]
    # Few pixels are unlike the one in their own place: only for them is it looked around.
    down, across = np.nonzero(np.abs(a - b).max(axis=2) > 96)
    found = np.zeros(len(down), dtype=bool)
    for y in (-1, 0, 1):
        for x in (-1, 0, 1):
            there = b[np.clip(down + y, 0, height - 1), np.clip(across + x, 0, width - 1)]
            found |= np.abs(a[down, across] - there).max(axis=1) <= 96
    return float((~found).sum() / (height * width))


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
                if kind == "SVG":
                    head = round(float(re.findall(rb"translate\(0 ([\d.]+)\)", data)[0]))
                rows, columns = canvas(lab, name)
                screen = shot[rows, columns]
                # In the picture the drawing begins under its title and caption, at the left.
                picture = picture[head + 2 :, 2:]
                height, width = screen.shape[:2]
                far = strayed(screen, picture[:height, :width])
                assert far == 0, (theme, name, kind)
                # The measure would notice a picture that is three pixels off.
                moved = np.roll(picture, (3, 3), (0, 1))
                assert strayed(screen, moved[:height, :width]) > 0.005
                if kind == "SVG":
                    root = ElementTree.fromstring(data)
                    words = " ".join(text.text or "" for text in root.iter(f"{SVG}text"))
                    assert ("loss" if name == "training-panel" else "convs.0") in words
                    assert "step 3" in words
                    assert len([*root.iter(f"{SVG}image")]) == IMAGES[name]
                    paths = [path.attrib["d"] for path in root.iter(f"{SVG}path")]
                    # Many curves may be one path.
                    long = [
                        part for path in paths for part in path.split("M") if part.count("L") > 8
                    ]
                    assert len(long) >= CURVES[name]


def seen(svg: str) -> str:
    """Put the pixels of images in place of their files, which each writes in its own way."""

    def pixels(found: re.Match[str]) -> str:
        return sha256(decoded(base64.b64decode(found[1])).tobytes()).hexdigest()

    return re.sub(r"data:image/png;base64,([\w+/=]+)", pixels, svg)


def test_python_and_the_page_write_the_same_svg(lab: LabPage, server: LabServer) -> None:
    open_views(lab, server)
    for k, name in enumerate(VIEWS):
        if name in ("explain", "training-panel"):
            continue  # one layer of all in the page; times that go on
        # A page has one function of a grid large as well, but not beside a pattern.
        mode = "; view0.mode = 'pattern'" if name == "kernel-grid" else ""
        lab.evaluate("True", f"view{k}.theme = 'light'{mode}")
        width = box(lab, name, "canvas.kw-canvas")[2]
        code = f"view{k}.svg(width={width}, pixel_ratio=1, max_height=1e5)"

        def same(name: str = name, code: str = code) -> bool:
            return seen(saved(lab, name, "SVG")[1].decode()) == seen(str(lab.evaluate(code)))

        lab.until(same, f"one SVG of {name}")


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
    lab.open(
        server.write_notebook([SETUP, *shown, "train(2)\ngrid.snapshot()\ntrain(2)"], stills=True)
    )
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
        "import base64\nfrom kan_widgets.widgets.wire.broadcast import drawn_at\n"
        "from kan_widgets.widgets.shell.drawing_engine import png_bytes\n"
        "with drawn_at(grid._stream, live.history.at(5)):\n"
        "    png = png_bytes(grid.image(), soon=True)",
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


def test_a_view_is_seen_before_its_still_and_stays_what_it_is_when_that_comes(
    lab: LabPage, server: LabServer
) -> None:
    shown = "grid = kw.KernelGrid(live)\ndisplay(grid)\nwait_for('seen')\ntrain(3)"
    lab.page.set_viewport_size({"width": 1280, "height": 1200})
    lab.open(server.write_notebook([SETUP, WAIT_FOR + shown, "train(3)"], stills=True))
    lab.run_cell(0)
    lab.run_cell(1, wait=False)
    lab.until_shown(lambda: lab.grid_count() == 1 and lab.grid().is_ready(), "the grid")
    assert ["image/png" in output["data"] for output in lab.outputs(1)] == [False]
    lab.script(
        """
        const view = document.querySelector('.kw-kernel-grid');
        const place = view.closest('.jp-OutputArea');
        view.dataset.mark = 'seen';
        window.emptied = 0;
        const look = () => {
            if (!place.querySelector('.kw-kernel-grid canvas')) window.emptied++;
            window.looking = requestAnimationFrame(look);
        };
        look();
        """
    )
    lab.let_go("seen")
    lab.wait_idle()
    lab.until(lambda: "image/png" in lab.outputs(1)[0]["data"], "the still")
    lab.run_cell(2)
    lab.until(lambda: lab.grid().step() == 9, "the last frame")
    assert lab.grid_count() == 1
    assert lab.script("return document.querySelector('.kw-kernel-grid').dataset.mark") == "seen"
    assert lab.script("cancelAnimationFrame(window.looking); return window.emptied;") == 0
    lab.grid().click(20)
    lab.until(lambda: lab.grid().selected() == 20, "it to be as alive as it was")
    lab.clear_output(1)
    lab.until(lambda: lab.grid_count() == 0, "it to go with its output")
