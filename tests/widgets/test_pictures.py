"""Pictures that Python makes without a browser: PNG at any scale, SVG, animations."""

from __future__ import annotations

import itertools
import re
import sys
import threading
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nbformat
import numpy as np
import pytest
import torch
from nbclient import NotebookClient
from PIL import Image

import kan_widgets as kw
from kan_widgets.widgets.shell import pictures
from kan_widgets.widgets.shell.drawing_engine import film
from tests.every_view import CALLS, make_all

SVG = "{http://www.w3.org/2000/svg}"
ODD = "a<b> & \"c\" 'd' \x07]]> φ"


@pytest.fixture(scope="module")
def live() -> Any:
    """Give a trained binding, which no test changes: ten steps, each kept."""
    torch.manual_seed(0)
    model = kw.nn.KANCNN.article()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    binding = kw.bind(model, optimizer, every=1)
    images = torch.randn(8, 1, 28, 28)
    for _ in range(10):
        optimizer.zero_grad()
        torch.nn.functional.nll_loss(model(images), torch.arange(8)).backward()
        optimizer.step()
        binding.refresh()
    binding.observe(images)
    binding.select("convs.0", 1, 0, 1, 1)
    yield binding
    binding.close()


def views(live: Any) -> dict[str, Any]:
    return dict(zip(CALLS, make_all(live, torch.randn(1, 28, 28)), strict=True))


def read(path: Path) -> ElementTree.Element:
    return ElementTree.parse(path).getroot()


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def test_every_view_has_an_svg_whose_words_are_text(live: Any, tmp_path: Path) -> None:
    for name, view in views(live).items():
        root = read(view.to_svg(tmp_path / f"{name}.svg", width=500))
        width, height = view.image(width=500, pixel_ratio=1).size
        # A length that is no whole number of pixels is cut otherwise at each ratio.
        assert float(root.attrib["width"]) == width, name
        assert abs(float(root.attrib["height"]) - height) <= 1, name
        assert any("step 10" in text for text in texts(root)), name


def test_curves_are_paths_and_not_pixels(live: Any, tmp_path: Path) -> None:
    grid, inspector = kw.KernelGrid(live), kw.SplineInspector(live)
    for mode in ("curves", "change", "pattern"):
        assert not [*read(grid.to_svg(tmp_path / "a.svg", mode=mode)).iter(f"{SVG}image")]
    assert not [*read(inspector.to_svg(tmp_path / "b.svg")).iter(f"{SVG}image")]
    root = read(grid.to_svg(tmp_path / "c.svg", ghost=False))
    inked = [path for path in root.iter(f"{SVG}path") if path.get("stroke-width") == "1.35"]
    assert sum(path.attrib["d"].count("M") for path in inked) == 45


def test_heat_maps_have_a_pixel_for_each_value(live: Any, tmp_path: Path) -> None:
    mesh = kw.MeshgridView(live, mode="ramp")
    # And one for the key of their colours.
    assert len([*read(mesh.to_svg(tmp_path / "a.svg")).iter(f"{SVG}image")]) == 45 + 1


def test_any_name_of_a_layer_is_well_formed(tmp_path: Path) -> None:
    model = torch.nn.ModuleDict({ODD: kw.nn.KANConv2d(1, 2, 3)})
    live = kw.bind(model)
    for view in (kw.KernelGrid(live), kw.SplineInspector(live), kw.MeshgridView(live)):
        found = texts(read(view.to_svg(tmp_path / "odd.svg")))
        assert any(ODD.replace("\x07", "\ufffd") in text for text in found)
    live.close()


def test_an_svg_has_what_the_png_has_at_the_same_places(live: Any, tmp_path: Path) -> None:
    grid = kw.KernelGrid(live)
    png = np.asarray(grid.image(pixel_ratio=2, mode="pattern")).astype(int)
    svg = grid.to_svg(tmp_path / "a.svg", mode="pattern").read_text("utf-8")
    moved = float(re.findall(r"translate\(0 ([\d.]+)\)", svg)[0])
    cells = [
        (int(rect.attrib["fill"][4:-1].split(",")[0]), rect)
        for rect in ElementTree.fromstring(svg).iter(f"{SVG}rect")
        # Those of the key are lower than a cell.
        if rect.get("fill", "").startswith("rgb(") and float(rect.attrib["height"]) > 20
    ]
    assert len(cells) == 45
    for grey, rect in cells:
        left, top, width = (float(rect.attrib[n]) for n in ("x", "y", "width"))
        left, top, width = round(2 * left), round(2 * (top + moved)), round(2 * width)
        # The selected cell has a frame over its edge.
        inside = png[top + 4 : top + width - 4, left + 4 : left + width - 4]
        assert (inside == grey).all()
        assert (png[top + width // 2, left - 1] != grey).any()
        assert (png[top - 1, left + width // 2] != grey).any()


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [0.25, 1.5])
def test_a_png_has_any_scale(live: Any, tmp_path: Path, ratio: float) -> None:
    for name, view in views(live).items():
        path = view.to_png(tmp_path / f"{name}.png", width=400, pixel_ratio=ratio)
        with Image.open(path) as image:
            assert image.width == round(400 * ratio), name
            assert len(image.convert("RGB").getcolors(1 << 24) or []) > 4, name


def test_a_picture_goes_to_a_path_or_back_as_bytes(live: Any, tmp_path: Path) -> None:
    grid = kw.KernelGrid(live)
    for write, head in ((grid.to_png, b"\x89PNG"), (grid.to_svg, b"<svg")):
        suffix = write.__name__.removeprefix("to_")
        data = write(width=300)
        assert data.startswith(head)
        path = write(str(tmp_path / f"a.{suffix}"), width=300)
        assert path == tmp_path / f"a.{suffix}"
        assert path.read_bytes() == data
        with pytest.raises(ValueError, match=rf"path='a\.jpg': expected .* ends in \.{suffix}"):
            write("a.jpg")
        with pytest.raises(TypeError, match="not int"):
            write(3)


def test_a_picture_that_would_fill_the_memory_is_refused(live: Any) -> None:
    with pytest.raises(ValueError, match="at most 100 million"):
        kw.KernelGrid(live).image(width=20_000, pixel_ratio=16)


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_an_animation_has_a_frame_for_each_step_and_they_differ(
    live: Any, tmp_path: Path, kind: str
) -> None:
    path = kw.KernelGrid(live).animate(tmp_path / f"run.{kind}", fps=10, width=500, quiet=True)
    with Image.open(path) as animation:
        assert animation.n_frames == 11  # type: ignore[attr-defined]
        seen, durations = [], []
        for number in range(11):
            animation.seek(number)
            seen.append(np.asarray(animation.convert("RGB")))
            durations.append(animation.info["duration"])
        assert animation.info["loop"] == 0
    assert all((a != b).any() for a, b in itertools.pairwise(seen))
    assert durations[:-1] == [100] * 10
    assert durations[-1] > 1000


def test_an_animation_shows_the_frames_of_the_history(live: Any, tmp_path: Path) -> None:
    grid = kw.KernelGrid(live)
    path = grid.animate(tmp_path / "run.webp", steps=[0, 4, 10], width=600, quiet=True)
    with Image.open(path) as animation:
        assert animation.n_frames == 3  # type: ignore[attr-defined]
        animation.seek(2)
        last = np.asarray(animation.convert("RGB")).astype(int)
    now = np.asarray(grid.image(width=600, pixel_ratio=1).convert("RGB")).astype(int)
    # All frames share one palette, so shades are a little off, but what is grey stays grey.
    assert np.abs(last - now).max() <= 32
    grey = np.ptp(now, axis=2) == 0
    assert (np.ptp(last, axis=2)[grey] == 0).all()
    assert (last[(now == 255).all(2)] == 255).all()
    assert live.frame.step == 10
    assert grid._stream.cursor == -1


def test_a_picture_of_a_film_keeps_to_the_path_of_the_one_before_it() -> None:
    torch.manual_seed(0)
    view = kw.NetworkView(kw.bind(layer := kw.nn.KANLinear(2, 1)))

    def drawn(number: int, weights: list[float]) -> str:
        """Draw functions of these sizes as a picture of the film of this number."""
        with torch.no_grad():
            layer.spline_weight.zero_()
            layer.base_weight.copy_(torch.tensor([weights]))
        view.live.refresh()
        token = film.set(number)
        try:
            return view.svg()
        finally:
            film.reset(token)

    first, rival = [1.0, 0.99], [1.0, 1.01]
    drawn(1, first)
    followed = drawn(1, rival)
    alone = drawn(2, rival)
    assert drawn(0, rival) == alone
    assert followed != alone


def test_many_steps_are_thinned_with_both_ends_kept(live: Any, tmp_path: Path) -> None:
    drawn: list[int] = []
    grid = kw.KernelGrid(live)
    image = grid.image

    def noted(**options: Any) -> Image.Image:
        drawn.append(grid._stream.frames()[1].step)
        return image(**options)

    grid.image = noted  # type: ignore[method-assign]
    grid.animate(tmp_path / "run.gif", most=3, width=400, quiet=True)
    assert drawn[-3:] == [0, 5, 10]


def test_a_progress_bar_is_drawn_unless_quiet(
    live: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inspector = kw.SplineInspector(live)
    inspector.animate(tmp_path / "run.gif", steps=[0, 10], width=400, quiet=True)
    assert capsys.readouterr().err == ""
    inspector.animate(tmp_path / "run.gif", steps=[0, 10], width=400)
    assert "run.gif ████████████████████████ 2 of 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("run.mp4", {}, r"path='run\.mp4': expected .*\.gif or \.webp"),
        ("run.gif", {"fps": 0}, "fps=0: expected a number > 0 and ≤ 50"),
        ("run.gif", {"most": 1}, "most=1: expected a whole number ≥ 2"),
        ("run.gif", {"steps": []}, "steps is empty: expected at least one step"),
    ],
)
def test_what_cannot_be_animated_is_refused(
    live: Any, tmp_path: Path, name: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        kw.KernelGrid(live).animate(tmp_path / name, **options)


def test_an_explanation_has_no_history(live: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="no history"):
        kw.Explain(live, torch.randn(1, 28, 28)).animate(tmp_path / "run.gif")


def test_whoever_asks_only_for_the_form_of_a_view_gets_it(live: Any) -> None:
    grid = kw.KernelGrid(live)
    assert not pictures._is_displayed()
    with pytest.raises(NotImplementedError):
        grid._ipython_display_()


THREE = """
import torch
import kan_widgets as kw

torch.manual_seed(0)
model = kw.nn.KANCNN.article()
optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
live = kw.bind(model, optimizer)
for _ in range(3):
    optimizer.zero_grad()
    model(torch.randn(8, 1, 28, 28)).square().sum().backward()
    optimizer.step()
"""


@pytest.mark.slow
def test_a_notebook_with_the_three_views_is_small() -> None:
    shown = ["kw.KernelGrid(live)", "kw.SplineInspector(live)", "kw.MeshgridView(live)"]
    cells = [nbformat.v4.new_code_cell(code) for code in [THREE, *shown]]  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=300, store_widget_state=True).execute()
    outputs = [output.data for cell in cells[1:] for output in cell.outputs]
    assert ["image/png" in data for data in outputs] == [True] * 3
    [kept] = notebook.metadata["widgets"].values()
    frames = sum(
        len(buffer["data"])
        for model in kept["state"].values()
        for buffer in model.get("buffers", [])
        if buffer["path"] in (["frame", "data"], ["initial", "data"])
    )
    size = len(nbformat.writes(notebook).encode())  # type: ignore[no-untyped-call]
    # The coefficients of 94,650 parameters, first and last; and all else, the code once.
    assert frames > 2 * 4 * 94_650 * 0.9
    assert size - frames < 650_000
    # As JupyterLab saves it, unless told to save the state of widgets too.
    del notebook.metadata["widgets"]
    assert len(nbformat.writes(notebook).encode()) < 300_000  # type: ignore[no-untyped-call]


class Told(NotebookClient):
    """Executes a notebook, and keeps of each message what kind it is and whether it has a still."""

    told: list[tuple[str, bool]]

    def process_message(self, message: Any, cell: Any, cell_index: int) -> Any:
        data = message["content"].get("data", {})
        if message["msg_type"] in ("display_data", "update_display_data", "stream"):
            self.told.append((message["msg_type"], "image/png" in data))
        return super().process_message(message, cell, cell_index)


@pytest.mark.slow
def test_a_view_is_sent_before_its_still_which_shows_what_the_cell_has_come_to() -> None:
    shown = "grid = kw.KernelGrid(live)\ndisplay(grid)\nprint('after it')\noptimizer.step()\ngrid"
    then = (
        "import base64\nfrom kan_widgets.widgets.shell.drawing_engine import png_bytes\n"
        "print(base64.b64encode(png_bytes(grid.image(), soon=True)).decode())"
    )
    cells = [nbformat.v4.new_code_cell(code) for code in (THREE, shown, then)]  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    client = Told(notebook, timeout=300)
    client.told = []
    client.execute()
    assert client.told[:-1] == [
        ("display_data", False),
        ("stream", False),
        ("display_data", False),
        ("update_display_data", True),
    ]
    views = [output for output in cells[1].outputs if "data" in output]
    assert len(views) == 2
    for output in views:
        assert output.data["image/png"].replace("\n", "") == cells[2].outputs[0].text.strip()


@pytest.mark.parametrize(
    ("module", "package"), [("quickjs", "quickjs-ng"), ("resvg_py", "resvg-py")]
)
def test_without_what_draws_them_a_view_shows_and_pictures_say_what_to_install(
    live: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr("kan_widgets.widgets.shell.drawing_engine._threads", threading.local())
    grid = kw.KernelGrid(live)
    with pytest.raises(ImportError, match=f"pip install {package}"):
        grid.to_png(tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()
    with pytest.warns(RuntimeWarning, match=f"no still picture beside it.*pip install {package}"):
        data, _ = grid._bundle()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "image/png" not in data
