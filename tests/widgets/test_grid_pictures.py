"""KernelGrid's picture, where its functions are known: curves, cells, words, pixels."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

import kan_widgets as kw
from kan_widgets.live import Frame, Layout
from kan_widgets.live.frames.layout import LayerLayout, Table
from kan_widgets.widgets.shell.drawing_engine import image_of, picture_request, png_bytes, svg_of

SVG = "{http://www.w3.org/2000/svg}"
INSET, RATIO = 2, 2
LIGHT = {
    "surface": "#ffffff",
    "cell": "#f5f6f8",
    "outside": "#e9ecef",
    "zero": "#d3d8de",
    "ink": "#1b1f24",
    "muted": "#656d76",
    "ghost": "#9aa1a9",
    "accent": "#6f42c1",
    "warn": "#c4320a",
    "rise": "#5bbf9f",
    "fall": "#cc79a7",
}
DARK = {"surface": "#16181c", "cell": "#2a2f36", "ink": "#e6e9ec"}

Numbers = NDArray[np.float64]
Pixels = NDArray[np.int64]


def powers(low: float = -2, high: float = 2, points: int = 161, **rest: Any) -> Table:
    """Tabulate the basis 1, x, x²."""
    x = np.linspace(low, high, points)
    values = np.stack([x**0, x, x**2], axis=1)
    return Table(x.astype(np.float32), values.astype(np.float32), **rest)


def layer_of(shape: tuple[int, int, int, int], **changes: Any) -> LayerLayout:
    known = LayerLayout(
        name="conv",
        kind="conv",
        type="KANConv2d",
        shape=shape,
        nb=3,
        offset=0,
        labels=("1", "x", "x²"),
        is_base=(False, True, False),
        domain=(-1.0, 1.0),
        extent=(-2.0, 2.0),
        knots=(),
        variable="x",
        note="",
        conv=None,
        locked="",
        tables=(powers(),),
        table_of=None,
    )
    return replace(known, **changes)


def frame_of(layer: LayerLayout, coefficients: Any, step: int = 7, version: int = 1) -> Frame:
    data = np.zeros((layer.count, layer.nb), np.float32)
    data[: len(coefficients)] = np.reshape(coefficients, (-1, layer.nb))
    return Frame(step, Layout(version, (layer,)), data.ravel())


def draw(
    frame: Frame,
    initial: Frame | None = None,
    *,
    selection: dict[str, Any] | None = None,
    width: float = 400,
    most: float = 4000,
    theme: str = "light",
    **traits: Any,
) -> Drawn:
    """Draw a frame; without an initial one there is no ghost."""
    known = {"layer": frame.layout.names[0], "mode": "curves", "scores": {}}
    known["ghost"] = initial is not None
    first = frame if initial is None else initial
    svg = svg_of(
        [
            picture_request(
                (first, frame),
                frame.layout.names,
                selection=selection,
                kind="kernel_grid",
                traits=known | traits,
                width=width,
                height=480,
                most=most,
                theme=theme,
                ratio=RATIO,
            )
        ]
    )
    return Drawn(svg, ElementTree.fromstring(svg))


@dataclass(frozen=True)
class Drawn:
    """A picture, and what can be read from its SVG."""

    svg: str
    root: ElementTree.Element

    @property
    def body(self) -> ElementTree.Element:
        """What lies below the title and the caption."""
        found = self.root.find(f"{SVG}g[@transform]")
        assert found is not None
        return found

    @property
    def top(self) -> float:
        [shift] = re.findall(r"translate\(0 ([\d.]+)\)", self.body.attrib["transform"])
        return float(shift)

    @property
    def height(self) -> float:
        return float(self.root.attrib["height"])

    @property
    def texts(self) -> list[str]:
        return [text.text or "" for text in self.root.iter(f"{SVG}text")]

    @property
    def cells(self) -> list[tuple[float, float, float]]:
        """Return x, y and side of every cell, in the order in which they are read."""
        grounds = next(group for group in self.body if group.find(f"{SVG}rect") is not None)
        boxes = [[float(rect.attrib[n]) for n in ("x", "y", "width")] for rect in grounds]
        return [(x, y, side) for x, y, side in boxes]

    def curves(self, colour: str = LIGHT["ink"]) -> list[Numbers]:
        """Return the points of every curve of a colour, (n, 2)."""
        paths = [path for path in self.body.iter(f"{SVG}path") if path.get("stroke") == colour]
        lines = [line for path in paths for line in path.attrib["d"].split("M")]
        points = (re.findall(r"-?[\d.]+(?:e-?\d+)?", line) for line in lines if line)
        return [np.array(found, float).reshape(-1, 2) for found in points]

    def values(
        self, f: int, axis: float, x: tuple[float, float] = (-1, 1), colour: str = LIGHT["ink"]
    ) -> tuple[Numbers, Numbers]:
        """Read x and y along the only curve of a colour in a cell, by its axes."""
        left, top, side = self.cells[f]
        inside = [c for c in self.curves(colour) if self._holds(f, c)]
        assert len(inside) == 1
        share = (inside[0][:, 0] - left - INSET) / (side - 2 * INSET)
        rise = (top + side / 2 - inside[0][:, 1]) / (side / 2 - INSET)
        return x[0] + (x[1] - x[0]) * share, axis * rise

    def _holds(self, f: int, points: Numbers) -> bool:
        left, top, side = self.cells[f]
        middle = points.mean(axis=0) - (left, top)
        return bool((middle >= 0).all() and (middle <= side).all())

    def greys(self) -> list[int]:
        """Return the level of each cell that is one grey."""
        rects = [r for r in self.body.iter(f"{SVG}rect") if r.get("fill", "").startswith("rgb(")]
        levels = [set(map(int, re.findall(r"\d+", rect.attrib["fill"]))) for rect in rects]
        assert all(len(level) == 1 for level in levels)
        return [level.pop() for level in levels]

    def pixels(self) -> Pixels:
        return np.asarray(image_of(self.svg, RATIO)).astype(np.int64)

    def cell(self, pixels: Pixels, f: int) -> Pixels:
        x, y, side = self.cells[f]
        left, top = round(x * RATIO), round((y + self.top) * RATIO)
        return pixels[top : top + round(side * RATIO), left : left + round(side * RATIO)]


def rgb(colour: str) -> list[int]:
    return [int(colour[k : k + 2], 16) for k in (1, 3, 5)]


def is_colour(pixels: Pixels, colour: str, near: int = 0) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (abs(pixels - rgb(colour)) <= near).all(axis=-1)
    return found


def follows(
    found: tuple[Numbers, Numbers],
    phi: Callable[[Numbers], Numbers],
    axis: float,
    x: tuple[float, float] = (-1, 1),
) -> None:
    """Check that a curve is a function, over all of x and without gaps."""
    at, y = found
    # Numbers in the file have two decimals; a cell's half axis is some 26 pixels.
    np.testing.assert_allclose(y, phi(at), atol=1e-3 * axis)
    np.testing.assert_allclose([at[0], at[-1]], x, atol=2e-3)
    assert 0 < np.diff(at).min() <= np.diff(at).max() <= 0.051 * (x[1] - x[0])


CURVES = [(0.5, 0, 0), (0, 0.6, 0), (0, -0.6, 0), (0, 0, 0.79), (-0.7, 0, 0.7), (0.2, 0.3, -0.6)]

# ------------------------------------------------------------------ curves


def test_curves_pass_through_the_pixels_that_their_functions_predict() -> None:
    picture = draw(frame_of(layer_of((1, 1, 2, 3)), CURVES))
    pixels = picture.pixels()
    for f, (a, b, c) in enumerate(CURVES):
        cell = picture.cell(pixels, f)
        inked = is_colour(cell, LIGHT["ink"])
        rows = np.arange(len(cell)) + 0.5
        share = ((rows / RATIO) - INSET) / (len(cell) / RATIO - 2 * INSET)
        x = 2 * share - 1
        # The largest value there is is 0.79: the axis runs from -0.8 to 0.8.
        y = (a + b * x + c * x**2) / 0.8
        expected = len(cell) / 2 - y * (len(cell) / 2 - INSET * RATIO)
        for column in range(len(cell)):
            found = rows[inked[:, column]]
            # A steep line's end is cut at right angles to it.
            if 0.02 < share[column] < 0.98:
                assert abs(found.mean() - expected[column]) < 0.8
            elif not -0.02 < share[column] < 1.02:
                assert len(found) == 0


def test_x_runs_where_the_observed_inputs_are() -> None:
    model = torch.nn.Sequential(kw.nn.KANConv2d(1, 2, 3))
    live = kw.bind(model)
    grid = kw.KernelGrid(live)
    assert ", x from −1 to 1 (grid), φ ±" in grid.svg()
    ramp = torch.linspace(-0.5, 2.98, 9 * 9 * 8).reshape(8, 1, 9, 9)
    live.observe(ramp)
    # Not beyond the splines' support.
    assert ", x from −0.5 to 2.2 (inputs), φ ±" in grid.svg()


def test_the_ground_outside_the_grid_is_marked_where_inputs_lie_there() -> None:
    model = torch.nn.Sequential(kw.nn.KANConv2d(1, 2, 3))
    live = kw.bind(model)
    grid = kw.KernelGrid(live, ghost=False)
    assert LIGHT["outside"] not in grid.svg()
    live.observe(torch.linspace(-2, 2, 9 * 9 * 8).reshape(8, 1, 9, 9))
    svg = grid.svg(pixel_ratio=RATIO, width=400)
    picture = Drawn(svg, ElementTree.fromstring(svg))
    cell = picture.cell(picture.pixels(), 0)
    inner = len(cell) - 2 * INSET * RATIO
    left, right = (INSET * RATIO + round(inner * share) for share in (0.25, 0.75))
    bottom = cell[-1]
    assert is_colour(bottom[: left - 1], LIGHT["outside"]).all()
    assert is_colour(bottom[left + 1 : right - 1], LIGHT["cell"]).all()
    assert is_colour(bottom[right + 1 :], LIGHT["outside"]).all()


@pytest.mark.parametrize(
    ("scale", "axes"),
    [("layer", [2.0, 2.0, 2.0]), ("function", [0.25, 0.5, 2.0])],
)
def test_functions_that_share_an_axis_are_drawn_on_the_largest_one(
    scale: str, axes: list[float]
) -> None:
    slopes = (0.25, 0.5, 2.0)
    frame = frame_of(layer_of((2, 1, 1, 2)), [(0, slope, 0) for slope in slopes])
    picture = draw(frame, scale=scale)
    for f, (slope, axis) in enumerate(zip(slopes, axes, strict=True)):
        follows(picture.values(f, axis), lambda x, slope=slope: slope * x, axis)


def test_on_their_own_axes_functions_of_any_size_fill_their_cells() -> None:
    slopes = [1e-6, 1.0, 1e6]
    frame = frame_of(layer_of((1, 1, 1, 3)), [(0, slope, 0) for slope in slopes])
    picture = draw(frame, scale="function")
    for f, slope in enumerate(slopes):
        follows(picture.values(f, slope), lambda x, slope=slope: slope * x, slope)


def test_functions_with_tables_of_their_own_are_read_from_these() -> None:
    layer = layer_of(
        (2, 1, 1, 2),
        tables=(powers(), powers(-2, 2, 41), powers(-1, 1)),
        table_of=np.array([1, 0, 1, 2], np.uint32),
    )
    slopes = [0.5, -0.5, 0.25, 1.0]
    coefficients = [(0, slope, 0) for slope in slopes]
    picture = draw(frame_of(layer, coefficients), frame_of(layer, coefficients, 0))
    for f, slope in enumerate(slopes):
        for colour in (LIGHT["ink"], LIGHT["ghost"]):
            found = picture.values(f, 1.0, colour=colour)
            follows(found, lambda x, slope=slope: slope * x, 1.0)


def test_a_zero_function_is_a_line_in_the_middle() -> None:
    frame = frame_of(layer_of((1, 1, 1, 2)), [(0, 0, 0), (0, 1e-3, 0)])
    picture = draw(frame)
    follows(picture.values(0, 1.0), lambda x: 0 * x, 1.0)


# ------------------------------------------------------------------ not finite


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_function_that_is_not_finite_is_crossed_out_and_the_others_do_not_change(
    value: float,
) -> None:
    layer = layer_of((1, 1, 2, 3))
    good = draw(frame_of(layer, CURVES))
    bad = draw(frame_of(layer, [CURVES[0], (0, value, 0), *CURVES[2:]]))
    before, after = good.pixels(), bad.pixels()
    for f in (0, 2, 3, 4, 5):
        assert (good.cell(before, f) == bad.cell(after, f)).all()
    cell = bad.cell(after, 1)
    marked = is_colour(cell, LIGHT["warn"])
    middle = len(cell) // 2
    assert marked[middle - 1 : middle + 1, middle - 1 : middle + 1].all()
    rows, columns = np.nonzero(marked)
    reach = 5 * RATIO
    assert abs(rows - (middle - 0.5)).max() <= reach
    # Both diagonals, and nothing off them.
    off = np.minimum(abs(rows - columns), abs(rows + columns - 2 * middle + 1))
    assert off.max() <= 2
    assert (rows - columns == 0).sum() > reach
    assert (rows + columns == 2 * middle - 1).sum() > reach
    assert not is_colour(cell, LIGHT["ink"]).any()


@pytest.mark.parametrize("mode", ["curves", "pattern", "change"])
def test_of_infinite_functions_every_cell_has_a_cross(mode: str) -> None:
    frame = frame_of(layer_of((2, 1, 1, 2)), np.full((4, 3), np.inf))
    for scale in ("layer", "function"):
        picture = draw(frame, frame, mode=mode, scale=scale, sort="range")
        strokes = picture.curves(LIGHT["warn"])
        middles = [(x + side / 2, y + side / 2) for x, y, side in picture.cells]
        assert len(middles) == 4
        found = [stroke.mean(axis=0).tolist() for stroke in strokes]
        assert sorted(found) == sorted(list(middle) for middle in middles for _ in range(2))
        assert "4 functions not finite (×)" in picture.texts


# ------------------------------------------------------------------ the ghost


def test_one_function_alone_is_a_large_cell_with_its_initial_function_dashed() -> None:
    layer = layer_of((1, 1, 1, 1))
    picture = draw(frame_of(layer, [(0.5, 0, 0)]), frame_of(layer, [(0.4, 0.2, 0)], step=0))
    assert max(map(len, picture.curves(LIGHT["ghost"]))) > 2
    said = "".join(picture.root.itertext())
    assert "φ(x), x from −1 to 1 (grid), φ ±0.8" in said


def test_an_initial_function_that_is_not_finite_is_left_out() -> None:
    layer = layer_of((1, 1, 1, 2))
    initial = frame_of(layer, [(np.nan, 0, 0), (0, -0.5, 0)], step=0)
    picture = draw(frame_of(layer, [(0.5, 0, 0), (0, 0.5, 0)]), initial)
    assert len(picture.curves(LIGHT["ghost"])) == 1
    follows(picture.values(1, 0.5, colour=LIGHT["ghost"]), lambda x: -0.5 * x, 0.5)


def test_the_ghost_is_dashed_along_the_initial_function() -> None:
    layer = layer_of((1, 1, 1, 2))
    initial = frame_of(layer, [(0.4, 0.2, 0)] * 2, step=0)
    picture = draw(frame_of(layer, [(-0.79, 0, 0)] * 2), initial, width=600)
    follows(picture.values(0, 0.8, colour=LIGHT["ghost"]), lambda x: 0.4 + 0.2 * x, 0.8)
    cell = picture.cell(picture.pixels(), 1)
    columns = is_colour(cell[: len(cell) // 2], LIGHT["ghost"], near=12).any(axis=0)
    # 3 on, 2.5 off, along a line over a width of 256 pixels of CSS.
    assert len(cell) == 260 * RATIO
    assert (np.diff(columns.astype(int), prepend=0) == 1).sum() in (47, 48)
    assert not is_colour(cell[len(cell) // 2 + 2 :], LIGHT["ghost"], near=12).any()


def test_without_a_ghost_the_initial_function_is_not_drawn_and_the_scale_stays() -> None:
    layer = layer_of((1, 1, 1, 2))
    frame, initial = frame_of(layer, [(0, 0.5, 0)]), frame_of(layer, [(0, 5, 0)], step=0)
    without = draw(frame, initial, ghost=False)
    follows(without.values(0, 5.0), lambda x: 0.5 * x, 5.0)
    assert LIGHT["ghost"] not in without.svg
    follows(draw(frame, initial).values(0, 5.0), lambda x: 0.5 * x, 5.0)


# ------------------------------------------------------------------ change


def test_change_draws_now_minus_start_and_colours_rise_and_fall() -> None:
    layer = layer_of((1, 1, 1, 2))
    frame, initial = frame_of(layer, [(3, 1, 0)]), frame_of(layer, [(3, 0.21, 0)], step=0)
    picture = draw(frame, initial, mode="change")
    follows(picture.values(0, 0.8), lambda x: 0.79 * x, 0.8)
    cell = picture.cell(picture.pixels(), 0)
    half = len(cell) // 2
    rose, fell = (is_colour(cell, LIGHT[name], near=32) for name in ("rise", "fall"))
    # Between the line and zero: half of the upper right quarter, and of the lower left one.
    assert 0.35 < rose[:half, half:].mean() < 0.5
    assert 0.35 < fell[half:, :half].mean() < 0.5
    for area, column in ((rose, 3 * half // 2), (fell, half // 2)):
        assert area[:, column].sum() > half / 3
    assert rose.sum() == rose[: half + 1, half - 1 :].sum()
    assert fell.sum() == fell[half - 1 :, : half + 1].sum()
    assert {"rose", "fell"} <= set(picture.texts)


def test_change_compares_functions_even_if_the_grid_has_moved() -> None:
    layer = layer_of((1, 1, 1, 2))
    bends = np.array([-2, -0.3, 2], np.float32)
    other = layer_of(
        (1, 1, 1, 2),
        nb=1,
        labels=("x",),
        is_base=(True,),
        tables=(Table(bends, bends[:, None]),),
    )
    frame, initial = frame_of(layer, [(3, 1, 0)]), frame_of(other, [(0.2,)], step=0, version=2)
    picture = draw(frame, initial, mode="change")
    follows(picture.values(0, 4.0), lambda x: 3 + 0.8 * x, 4.0)


@pytest.mark.parametrize("missing", ["other name", "other shape"])
def test_without_a_start_to_compare_with_the_picture_says_so(missing: str) -> None:
    other = {
        "other name": layer_of((1, 1, 1, 2), name="fc"),
        "other shape": layer_of((1, 1, 1, 3)),
    }[missing]
    frame = frame_of(layer_of((1, 1, 1, 2)), [(0, 0.5, 0)])
    initial = frame_of(other, [(0, -1, 0)], step=0, version=2)
    picture = draw(frame, initial, mode="change", sort="change")
    follows(picture.values(0, 0.5), lambda x: 0.5 * x, 0.5)
    assert any("no first frame: φ itself is drawn" in text for text in picture.texts)


# ------------------------------------------------------------------ patterns


def test_a_pattern_is_the_whiter_the_more_a_function_rises_from_end_to_end() -> None:
    slopes = [-1.0, -0.5, 0.0, 0.5, 1.0, 0.1]
    frame = frame_of(layer_of((1, 1, 2, 3)), [(9.0, slope, 7.0) for slope in slopes])
    picture = draw(frame, mode="pattern")
    np.testing.assert_allclose(picture.greys(), [255 * (0.5 + 0.5 * s) for s in slopes], atol=1)
    pixels = picture.pixels()
    for f, level in enumerate(picture.greys()):
        assert (picture.cell(pixels, f)[4:-4, 4:-4] == level).all()
    assert any(text == "difference −2 … 2" for text in picture.texts)
    edges = f'stroke="{LIGHT["zero"]}"'
    assert picture.svg.count(edges) == 2  # of the cells, and of the key: white has one on white
    binary = draw(frame, mode="pattern", binarise=True)
    assert binary.greys() == [0 if slope < 0 else 255 for slope in slopes]


def test_a_pattern_compares_the_ends_of_each_functions_own_grid() -> None:
    tables = (powers(domain=(0.0, 1.0)), powers(domain=(-1.0, 2.0)))
    layer = layer_of((1, 1, 1, 2), tables=tables, table_of=np.array([0, 1], np.uint32))
    # x² rises by 1 from 0 to 1, by 3 from −1 to 2; from −1 to 1 it does not at all.
    picture = draw(frame_of(layer, [(0, 0, 1.0), (0, 0, 1.0)]), mode="pattern", width=800)
    np.testing.assert_allclose(picture.greys(), [127.5 + 127.5 / 3, 255], atol=1)
    said = "black: φ is larger at x = −1 … 0 · white: at x = 1 … 2"
    assert said in " ".join(picture.texts)  # in two lines


def test_a_pattern_of_zeros_is_grey() -> None:
    assert draw(frame_of(layer_of((1, 1, 1, 2)), []), mode="pattern").greys() == [128, 128]


def test_dark_and_bright_are_named_only_where_images_from_minus_one_to_one_were_observed() -> None:
    model = torch.nn.Sequential(kw.nn.KANConv2d(1, 2, 3), kw.nn.KANConv2d(2, 1, 3))
    live = kw.bind(model)
    grid = kw.KernelGrid(live, mode="pattern")
    images = torch.rand(2, 1, 9, 9)
    signs = 2 * (images > 0.5) - 1.0
    named = "larger for dark pixels (x = −1) · white: for bright (x = 1)"
    assert named not in grid.svg()
    for batch, known in ((signs, True), (images, False), (3 * images - 1, False)):
        live.observe(batch)
        assert (named in grid.svg()) is known
        assert named not in grid.svg(layer="1")


# ------------------------------------------------------------------ colours, selection, order


@pytest.mark.parametrize(("theme", "colours"), [("light", LIGHT), ("dark", DARK)])
def test_the_page_and_the_ink_follow_the_theme(theme: str, colours: dict[str, str]) -> None:
    picture = draw(frame_of(layer_of((1, 1, 1, 2)), [(0, 0.5, 0)]), theme=theme)
    pixels = picture.pixels()
    assert pixels[0, 0].tolist() == pixels[-1, -1].tolist() == rgb(colours["surface"])
    cell = picture.cell(pixels, 0)
    assert is_colour(cell, colours["ink"]).any()
    assert cell[2, 2].tolist() == rgb(colours["cell"])


def test_the_selected_function_is_framed_and_nothing_else() -> None:
    frame = frame_of(layer_of((2, 1, 1, 2)), [(0, 0.5, 0)] * 4)
    chosen = {"layer": "conv", "out": 1, "in": 0, "row": 0, "column": 1}
    picture = draw(frame, selection=chosen)
    x, y, side = picture.cells[3]
    rows, columns = np.nonzero(is_colour(picture.pixels(), LIGHT["accent"]))
    top = y + picture.top
    edges = [top - 2, top + side + 2, x - 2, x + side + 2]
    found = [rows.min(), rows.max() + 1, columns.min(), columns.max() + 1]
    assert found == [round(edge * RATIO) for edge in edges]
    plain = draw(frame).svg
    for other in ({**chosen, "layer": "x"}, {**chosen, "out": 2}, {**chosen, "row": None}, {}):
        assert draw(frame, selection=other).svg == plain


def test_sorted_kernels_follow_each_other_from_the_largest_to_the_smallest() -> None:
    layer = layer_of((2, 2, 1, 1))
    frame = frame_of(layer, [(0, 0.2, 0), (0, -0.9, 0), (0, 0.5, 0), (np.nan, 0, 0)])
    initial = frame_of(layer, [(0, 0.9, 0), (0, -0.8, 0), (0, 0.5, 0), (0, 0, 0)], step=0)
    for sort, labels, slopes in (
        ("range", ["0,1", "1,0", "0,0", "1,1"], [-0.9, 0.5, 0.2]),
        ("change", ["0,0", "0,1", "1,0", "1,1"], [0.2, -0.9, 0.5]),
    ):
        picture = draw(frame, initial, sort=sort)
        assert [text for text in picture.texts if text in ("0,0", "0,1", "1,0", "1,1")] == labels
        assert "out,in" in picture.texts
        assert f"sorted by {sort}, the largest first" in picture.texts
        for place, slope in enumerate(slopes):
            follows(picture.values(place, 1.0), lambda x, slope=slope: slope * x, 1.0)


# ------------------------------------------------------------------ words


def test_the_title_and_the_caption_tell_name_size_steps_and_both_ranges() -> None:
    layer = layer_of((2, 3, 1, 2), name="features.0", variable="tanh x", note="Scaled by 2.")
    frame = frame_of(layer, [(0, 0.0031, 0), (0, 0.0039, 0)], step=12345)
    picture = draw(frame, frame_of(layer, [], step=20), width=900)
    assert picture.texts[:6] == [
        "KernelGrid · features.0",
        "step 12,345",
        "each plot: φ(tanh x), tanh x from −1 to 1 (grid), φ ±0.004",
        "now",
        "step 20",
        "6 kernels of 1 × 2 functions. Scaled by 2.",
    ]


def test_own_axes_print_the_smallest_and_the_largest_range() -> None:
    layer = layer_of((1, 2, 1, 2), kind="linear")
    frame = frame_of(layer, [(0, 0.0031, 0), (0, 7, 0), (0, 1, 0), (0, 1, 0)])
    what, x = "φ(x)", "x from −1 to 1 (grid)"
    own = "each function has its own scale of φ: ±0.004 to ±8"
    assert f"each plot: {what}, {x}; {own}" in draw(frame, scale="function", width=900).texts
    changed = draw(frame, frame_of(layer, [], 0), scale="function", mode="change", width=900)
    own = "each function has its own scale of change: ±0.004 to ±8"
    assert f"each plot: the change of {what} since step 0, {x}; {own}" in changed.texts


# ------------------------------------------------------------------ what is too high


LINE_OF_A_CUT = 22


def shown_of(picture: Drawn) -> float:
    """Return the height of the drawing that is not cut off: all but head and last line."""
    return picture.height - picture.top - LINE_OF_A_CUT


def share_of(picture: Drawn) -> int:
    [words] = [text for text in picture.texts if text.startswith("the picture ends here")]
    [share] = re.findall(r"the top (\d+) %", words)
    return int(share)


def ends_of_rows(picture: Drawn) -> list[float]:
    return sorted({y + side for _, y, side in picture.cells})


@pytest.mark.parametrize(
    ("kernels", "asked", "expected"), [(1, 900, 520), (1, 400, 400), (8, 900, 900)]
)
def test_a_picture_of_few_cells_ends_beside_them_where_its_words_have_room(
    kernels: int, asked: int, expected: int
) -> None:
    layer = layer_of((kernels, 1, 3, 3))
    picture = draw(frame_of(layer, [(0, 1, 0)]), width=asked)
    assert float(picture.root.attrib["width"]) == expected
    assert max(x + side for x, _, side in picture.cells) > 0.8 * expected


def test_what_is_too_high_is_cut_at_a_whole_row_and_says_how_much_is_shown() -> None:
    layer = layer_of((10, 625, 1, 1), kind="linear", name="fc")
    frame = frame_of(layer, [(0, 1, 0)])
    whole, cut = draw(frame, width=900), draw(frame, width=900, most=900)
    rows = ends_of_rows(whole)
    assert cut.height <= 900 < whole.height
    shown = shown_of(cut)
    last = max(row for row in rows if row <= shown)
    # A little air below the last row, and room for none more.
    assert 0 <= shown - last <= 2
    assert min(row for row in rows if row > last) > shown + 900 - cut.height
    assert share_of(cut) == round(100 * shown / (whole.height - whole.top))
    assert cut.cells == whole.cells[: len(cut.cells)]
    assert ends_of_rows(cut)[-1] == last


def test_kernels_are_never_cut_through() -> None:
    layer = layer_of((64, 3, 3, 3))
    frame = frame_of(layer, [])
    for most in range(300, 560, 20):
        picture = draw(frame, most=most)
        assert picture.height <= most
        # Each row of kernels has three of cells.
        assert len(ends_of_rows(picture)) % 3 == 0
        assert 0 <= shown_of(picture) - ends_of_rows(picture)[-1] <= 2
        rows = len(ends_of_rows(picture)) // 3
        assert f"{rows - 1}" in picture.texts


def test_a_heat_map_is_never_cut_through() -> None:
    model = torch.nn.Conv2d(3, 64, 3)
    view = kw.MeshgridView(model)
    for most in range(300, 560, 40):
        svg = view.svg(width=400, max_height=most)
        picture = Drawn(svg, ElementTree.fromstring(svg))
        tiles = picture.body.iter(f"{SVG}image")
        # All but the key of colours below them.
        images = [image for image in tiles if float(image.attrib["height"]) > 9]
        ends = {float(image.attrib["y"]) + float(image.attrib["height"]) for image in images}
        assert len(ends) % 3 == 0
        assert 0 <= shown_of(picture) - max(ends) <= 2


def test_at_least_one_row_is_drawn() -> None:
    picture = draw(frame_of(layer_of((4, 2, 3, 3)), [(0, 0.5, 0)] * 72), most=10)
    assert len(picture.cells) == 18
    assert shown_of(picture) >= ends_of_rows(picture)[-1]
    last = picture.cell(picture.pixels(), 17)
    assert is_colour(last, LIGHT["ink"]).any()
    assert share_of(picture) < 50


def test_what_fits_is_not_cut() -> None:
    frame = frame_of(layer_of((4, 2, 3, 3)), [])
    whole = draw(frame)
    assert draw(frame, most=whole.height).svg == whole.svg
    assert "picture ends here" not in whole.svg
    assert "picture ends here" in draw(frame, most=whole.height - 1).svg


# ------------------------------------------------------------------ pixels


@pytest.mark.parametrize("ratio", [1, 1.5, 2, 3])
def test_the_image_has_the_pixels_asked_for(ratio: float) -> None:
    picture = draw(frame_of(layer_of((2, 1, 3, 3)), CURVES), width=500)
    image = image_of(picture.svg, ratio)
    assert image.width == round(500 * ratio)
    assert abs(image.height - picture.height * ratio) < 1
    x, y, side = picture.cells[17]
    pixels = np.asarray(image).astype(np.int64)
    row, column = round((y + picture.top + side) * ratio) - 2, round((x + side) * ratio) - 2
    assert pixels[row, column].tolist() == rgb(LIGHT["cell"])
    assert pixels[row + 3, column + 3].tolist() == rgb(LIGHT["surface"])


@pytest.mark.parametrize(
    ("shape", "kind", "most"),
    [((5, 1, 3, 3), "conv", 60_000), ((10, 625, 1, 1), "linear", 150_000)],
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_file_is_small_and_looks_like_the_image(
    shape: tuple[int, int, int, int], kind: str, most: int, theme: str
) -> None:
    layer = layer_of(shape, kind=kind)
    rng = np.random.default_rng(0)
    before = rng.normal(size=(layer.count, 3))
    frame = frame_of(layer, before + 0.3 * rng.normal(size=before.shape))
    frame.data[0] = np.nan  # a single cross
    picture = draw(frame, frame_of(layer, before, 0), width=900, most=900, theme=theme)
    image = image_of(picture.svg, RATIO)
    data = png_bytes(image)
    assert len(data) <= most
    with Image.open(io.BytesIO(data)) as small:
        there = np.asarray(small.convert("RGB")).astype(np.int64)
    assert np.abs(there - np.asarray(image)).max() <= 8
