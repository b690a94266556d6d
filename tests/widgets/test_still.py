"""The still picture, pixel by pixel where its functions are known."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import kan_widgets as kw
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import LayerLayout, Layout, Table
from kan_widgets.widgets.fonts import readable
from kan_widgets.widgets.geometry import arrange
from kan_widgets.widgets.pattern import pattern_text, sees_pixels
from kan_widgets.widgets.sheet import DARK, LIGHT, stroke
from kan_widgets.widgets.still import png_bytes, render

INSET, RATIO = 2, 2
Pixels = NDArray[np.int64]


def powers(low: float = -2, high: float = 2, points: int = 161) -> Table:
    """Tabulate the basis 1, x, x²."""
    x = np.linspace(low, high, points)
    return Table(x.astype(np.float32), np.stack([x**0, x, x**2], axis=1).astype(np.float32))


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


def frame_of(layer: LayerLayout, coefficients: Any, step: int = 7) -> Frame:
    data = np.zeros((layer.count, layer.nb), np.float32)
    data[: len(coefficients)] = np.reshape(coefficients, (-1, layer.nb))
    return Frame(step, Layout(1, (layer,)), data.ravel())


def draw(frame: Frame, **options: Any) -> Pixels:
    """Draw without a title, so that the arrangement starts at the image's corner."""
    options = {"title": False, "width": 400, "pixel_ratio": RATIO, **options}
    return np.asarray(render(frame.layout, frame, **options)).astype(np.int64)


def cell_of(pixels: Pixels, layer: LayerLayout, f: int, width: int = 400) -> Pixels:
    out, in_, kh, kw = layer.shape
    x, y, size = arrange(layer.kind, out, in_, kh, kw, width).rect_of(f)
    return pixels[y * RATIO : (y + size) * RATIO, x * RATIO : (x + size) * RATIO]


def is_colour(pixels: Pixels, colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (pixels == colour).all(axis=-1)
    return found


def heights(cell: Pixels, colour: tuple[int, int, int] = LIGHT.ink) -> NDArray[np.float64]:
    """Return the middle of the pixels of a colour in each column, in pixels; NaN without any."""
    rows = np.arange(len(cell)) + 0.5
    marked = is_colour(cell, colour)
    found = [rows[marked[:, c]].mean() if marked[:, c].any() else np.nan for c in range(len(cell))]
    return np.array(found)


def predicted(
    phi: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    axis: float,
    size: int,
    x: tuple[float, float] = (-1, 1),
) -> NDArray[np.float64]:
    """Return where a function must be, for the middle of each column of a cell."""
    column = (np.arange(size) + 0.5) / RATIO
    side = size / RATIO
    share = (column - INSET) / (side - 2 * INSET)
    y = phi(x[0] + (x[1] - x[0]) * share)
    found = (side / 2 - y / axis * (side / 2 - INSET)) * RATIO
    return np.where((share > 0) & (share < 1), found, np.nan)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect all that is written into pictures."""
    texts: list[str] = []
    write = ImageDraw.ImageDraw.text

    def text(self: ImageDraw.ImageDraw, xy: Any, text: str, *rest: Any, **options: Any) -> None:
        texts.append(text)
        write(self, xy, text, *rest, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", text)
    return texts


CURVES = [(0.5, 0, 0), (0, 0.6, 0), (0, -0.6, 0), (0, 0, 0.79), (-0.7, 0, 0.7), (0.2, 0.3, -0.6)]


@pytest.mark.parametrize("f", range(len(CURVES)))
def test_a_curve_passes_through_the_pixels_that_its_function_predicts(f: int) -> None:
    layer = layer_of((1, 1, 2, 3))
    # The largest value there is is 0.79: the axis runs from -0.8 to 0.8.
    cell = cell_of(draw(frame_of(layer, CURVES)), layer, f)
    a, b, c = CURVES[f]
    expected = predicted(lambda x: a + b * x + c * x**2, 0.8, len(cell))
    found = heights(cell)
    inner = np.isfinite(expected)
    np.testing.assert_allclose(found[inner], expected[inner], atol=0.8)
    assert np.isnan(found[~inner]).all()


def test_a_line_is_as_thick_as_it_should_be_at_any_slope() -> None:
    layer = layer_of((1, 1, 1, 3))
    pixels = draw(frame_of(layer, [(0.5, 0, 0), (0, 0.5, 0), (0, 1.0, 0)]), width=400)
    ground = np.array(LIGHT.cell)[0]
    for f, slope in enumerate((0.0, 0.5, 1.0)):
        cell = cell_of(pixels, layer, f)[..., 0]
        middle = cell[:, 20:40] if f == 0 else cell[:, 70:90]
        darkness = (ground - middle) / (ground - LIGHT.ink[0])
        # Without the zero line's own darkness.
        zero = (ground - LIGHT.zero[0]) / (ground - LIGHT.ink[0])
        thickness = darkness.sum(axis=0).mean() - RATIO * zero
        assert thickness == pytest.approx(1.35 * RATIO * np.hypot(1, slope), rel=0.06)


def test_the_line_covers_what_a_disc_along_the_curve_covers() -> None:
    across, height, width, radius = 8, 40, 40, 1.3
    x = (np.arange(width * across) + 0.5) / across
    curves = np.stack(
        [20 + 12 * np.sin(x / 4), 5 + 0.8 * x, np.where(x < 20, 8.0, 30.0), 20 + 15 * np.sin(x)]
    )
    got = stroke(curves, across, height, radius) / 255
    # By brute force: the distance of 6 × 6 points of each pixel to the finely divided curve.
    fine = np.linspace(x[0], x[-1], 12_000)
    places = (np.arange(height * 6) + 0.5) / 6
    for curve, cover in zip(curves, got, strict=True):
        y = np.interp(fine, x, curve)
        inside = np.zeros((height * 6, width * 6), bool)
        for column, left in enumerate(places):
            near = np.abs(fine - left) <= radius
            half = np.sqrt(radius**2 - (fine[near] - left) ** 2)
            inside[:, column] = (np.abs(places[:, None] - y[near][None]) <= half[None]).any(axis=1)
        expected = inside.reshape(height, 6, width, 6).mean(axis=(1, 3))
        assert np.abs(cover - expected).mean() < 0.012
        assert np.abs(cover - expected).max() < 0.3


def test_with_a_wide_x_the_curve_is_drawn_as_far_as_the_splines_reach() -> None:
    layer = layer_of((1, 1, 1, 2), extent=(-1.75, 2.0))
    cell = cell_of(draw(frame_of(layer, [(0, 0.5, 0)]), x_range="wide"), layer, 0)
    expected = predicted(lambda x: 0.5 * x, 1.0, len(cell), (-1.75, 2.0))
    inner = np.isfinite(expected)
    np.testing.assert_allclose(heights(cell)[inner], expected[inner], atol=0.8)


def test_with_a_wide_x_the_ground_outside_the_grid_is_marked() -> None:
    layer = layer_of((1, 1, 1, 2))
    cell = cell_of(draw(frame_of(layer, [(0.5, 0, 0)]), x_range="wide"), layer, 0)
    size = len(cell)
    inner = size - 2 * INSET * RATIO
    left, right = (INSET * RATIO + round(inner * share) for share in (0.25, 0.75))
    bottom = cell[-1]
    assert is_colour(bottom[:left], LIGHT.outside).all()
    assert is_colour(bottom[left:right], LIGHT.cell).all()
    assert is_colour(bottom[right:], LIGHT.outside).all()


def test_over_the_domain_nothing_is_marked_as_outside() -> None:
    layer = layer_of((1, 1, 1, 2))
    assert not is_colour(draw(frame_of(layer, [(0.5, 0, 0)])), LIGHT.outside).any()


@pytest.mark.parametrize(
    ("scale", "axes"), [("layer", [2.0, 2.0, 2.0]), ("kernel", [0.5, 0.5, 2.0])]
)
def test_functions_that_share_an_axis_are_drawn_on_the_largest_one(
    scale: str, axes: list[float]
) -> None:
    layer = layer_of((2, 1, 1, 2))
    pixels = draw(frame_of(layer, [(0, 0.1, 0), (0, 0.5, 0), (0, 2.0, 0)]), scale=scale)
    for f, (slope, axis) in enumerate(zip((0.1, 0.5, 2.0), axes, strict=True)):
        cell = cell_of(pixels, layer, f)
        expected = predicted(partial(np.multiply, slope), axis, len(cell))
        found = heights(cell)
        inner = np.isfinite(expected) & np.isfinite(found)
        assert inner.sum() > 60
        np.testing.assert_allclose(found[inner], expected[inner], atol=0.8)


def test_on_their_own_axes_functions_of_any_size_fill_their_cells() -> None:
    layer = layer_of((1, 1, 1, 3))
    slopes = [1e-6, 1.0, 1e6]
    pixels = draw(frame_of(layer, [(0, s, 0) for s in slopes]), scale="function")
    cells = [cell_of(pixels, layer, f) for f in range(3)]
    assert (cells[0] == cells[1]).all()
    assert (cells[1] == cells[2]).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_function_that_is_not_finite_is_crossed_out_and_the_others_do_not_change(
    value: float,
) -> None:
    layer = layer_of((1, 1, 2, 3))
    good = draw(frame_of(layer, CURVES))
    bad_curves = [*CURVES]
    bad_curves[1] = (0, value, 0)
    bad = draw(frame_of(layer, bad_curves))
    for f in range(len(CURVES)):
        before, after = cell_of(good, layer, f), cell_of(bad, layer, f)
        if f != 1:
            assert (before == after).all()
            continue
        marked = is_colour(after, LIGHT.warn)
        middle = len(after) // 2
        assert marked[middle - 1 : middle + 1, middle - 1 : middle + 1].all()
        rows, columns = np.nonzero(marked)
        reach = 5 * RATIO
        assert abs(rows - (middle - 0.5)).max() <= reach
        # Both diagonals, and nothing off them.
        off = np.minimum(abs(rows - columns), abs(rows + columns - 2 * middle + 1))
        assert off.max() <= 2
        assert (rows - columns == 0).sum() > reach
        assert (rows + columns == 2 * middle - 1).sum() > reach
        assert not is_colour(after, LIGHT.ink).any()


def test_a_picture_of_nothing_but_infinite_functions_has_a_cross_in_every_cell(
    written: list[str],
) -> None:
    layer = layer_of((2, 1, 1, 2))
    frame = frame_of(layer, np.full((4, 3), np.inf))
    for mode in ("curves", "pattern", "change"):
        for scale in ("layer", "kernel", "function"):
            pixels = draw(frame, initial=frame, mode=mode, scale=scale, sort="range", title=True)
            assert is_colour(pixels, LIGHT.warn).any()
    assert written.count("4 functions not finite") == 9


def test_an_initial_function_that_is_not_finite_is_left_out() -> None:
    layer = layer_of((1, 1, 1, 2))
    frame = frame_of(layer, [(0.5, 0, 0), (0, 0.5, 0)])
    initial = frame_of(layer, [(np.nan, 0, 0), (0, -0.5, 0)], step=0)
    pixels = draw(frame, initial=initial)
    assert not is_colour(cell_of(pixels, layer, 0), LIGHT.ghost).any()
    assert is_colour(cell_of(pixels, layer, 1), LIGHT.ghost).any()


def test_the_ghost_is_dashed_along_the_initial_function() -> None:
    layer = layer_of((1, 1, 1, 2))
    frame = frame_of(layer, [(-0.79, 0, 0)])
    initial = frame_of(layer, [(0.4, 0.2, 0)], step=0)
    cell = cell_of(draw(frame, initial=initial), layer, 0)
    expected = predicted(lambda x: 0.4 + 0.2 * x, 0.8, len(cell))
    found = heights(cell, LIGHT.ghost)
    drawn = np.isfinite(found)
    np.testing.assert_allclose(found[drawn], expected[drawn], atol=1.1)
    # 3 on, 2.5 off, over a width of 52 pixels of CSS: nine dashes or ten.
    dashes = (np.diff(drawn.astype(int)) == 1).sum()
    assert 8 <= dashes <= 10
    assert 0.35 < drawn[np.isfinite(expected)].mean() < 0.7


def test_without_a_ghost_the_initial_function_is_not_drawn_and_does_not_widen_the_axis() -> None:
    layer = layer_of((1, 1, 1, 2))
    frame, initial = frame_of(layer, [(0, 0.5, 0)]), frame_of(layer, [(0, 5, 0)], step=0)
    alone = draw(frame)
    assert (draw(frame, initial=initial, ghost=False) == alone).all()
    assert (draw(frame, initial=initial) != alone).any()


def test_change_draws_now_minus_start_and_colours_rise_and_fall() -> None:
    layer = layer_of((1, 1, 1, 2))
    frame, initial = frame_of(layer, [(3, 1, 0)]), frame_of(layer, [(3, 0.21, 0)], step=0)
    cell = cell_of(draw(frame, initial=initial, mode="change"), layer, 0)
    expected = predicted(lambda x: 0.79 * x, 0.8, len(cell))
    inner = np.isfinite(expected)
    np.testing.assert_allclose(heights(cell)[inner], expected[inner], atol=0.8)
    near = abs(cell - np.array(LIGHT.rise)).max(axis=-1) < 32
    assert near[40:55, 85:95].any()
    assert not near[:, :50].any()
    near = abs(cell - np.array(LIGHT.fall)).max(axis=-1) < 32
    assert near[58:70, 15:25].any()
    assert not near[:, 60:].any()


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
    frame, initial = frame_of(layer, [(3, 1, 0)]), frame_of(other, [(0.2,)], step=0)
    same = frame_of(layer, [(0, 0.2, 0)], step=0)
    assert (
        draw(frame, initial=initial, mode="change") == draw(frame, initial=same, mode="change")
    ).all()


def test_functions_with_tables_of_their_own_are_read_from_these() -> None:
    table_of = np.array([1, 0, 1, 2], np.uint32)
    layer = layer_of(
        (2, 1, 1, 2), tables=(powers(), powers(-2, 2, 41), powers(-1, 1)), table_of=table_of
    )
    slopes = [0.5, -0.5, 0.25, 1.0]
    coefficients = [(0, s, 0) for s in slopes]
    pixels = draw(frame_of(layer, coefficients), initial=frame_of(layer, coefficients, 0))
    for f, slope in enumerate(slopes):
        cell = cell_of(pixels, layer, f)
        expected = predicted(partial(np.multiply, slope), 1.0, len(cell))
        inner = np.isfinite(expected)
        np.testing.assert_allclose(heights(cell)[inner], expected[inner], atol=0.8)


def test_a_pattern_is_the_whiter_the_more_a_function_rises_from_end_to_end() -> None:
    layer = layer_of((1, 1, 2, 3))
    slopes = [-1.0, -0.5, 0.0, 0.5, 1.0, 0.1]
    frame = frame_of(layer, [(9.0, s, 7.0) for s in slopes])
    pixels = draw(frame, mode="pattern")
    middles = [cell_of(pixels, layer, f)[40, 40] for f in range(6)]
    expected = [round(255 * (0.5 + 0.5 * s)) for s in slopes]
    np.testing.assert_allclose(middles, np.repeat(np.c_[expected], 3, axis=1), atol=1)
    pixels = draw(frame, mode="pattern", binarise=True)
    found = [cell_of(pixels, layer, f)[40, 40].tolist() for f in range(6)]
    assert found == [[0] * 3 if s < 0 else [255] * 3 for s in slopes]


def test_a_pattern_compares_the_ends_of_each_functions_own_grid() -> None:
    tables = (replace(powers(), domain=(0.0, 1.0)), replace(powers(), domain=(-1.0, 2.0)))
    layer = layer_of((1, 1, 1, 2), tables=tables, table_of=np.array([0, 1], np.uint32))
    # x² rises by 1 from 0 to 1, by 3 from −1 to 2; from −1 to 1 it does not at all.
    pixels = draw(frame_of(layer, [(0, 0, 1.0), (0, 0, 1.0)]), mode="pattern")
    middles = [cell_of(pixels, layer, f)[40, 40, 0] for f in range(2)]
    np.testing.assert_allclose(middles, [127.5 + 127.5 / 3, 255], atol=1)
    assert pattern_text(layer, False, 3.0, False) == (
        "black: φ is larger at the low end, x = −1 … 0 · white: at the high end, 1 … 2 "
        "· full at a difference of ±3"
    )


def test_dark_and_bright_are_named_only_where_images_from_minus_one_to_one_were_observed() -> None:
    model = torch.nn.Sequential(kw.nn.KANConv2d(1, 2, 3), kw.nn.KANConv2d(2, 1, 3))
    live = kw.bind(model)
    first, second = live.layout.layers
    assert not sees_pixels(first, None)
    images = torch.rand(2, 1, 9, 9)
    signs = 2 * (images > 0.5) - 1.0
    for batch, known in ((signs, True), (images, False), (3 * images - 1, False)):
        seen = live.observe(batch)
        assert sees_pixels(first, seen["0"]) is known
        assert not sees_pixels(second, seen["1"])
    seen = live.observe(signs)
    assert not sees_pixels(replace(first, variable="tanh x"), seen["0"])
    moved = tuple(replace(table, domain=(0.0, 1.0)) for table in first.tables)
    assert not sees_pixels(replace(first, tables=moved), seen["0"])
    assert pattern_text(first, True, 0.5, True) == (
        "black: prefers dark (−1) · white: prefers bright (+1)"
    )
    assert pattern_text(first, False, 0.5, False) == (
        "black: φ is larger at x = −1 · white: at x = 1 · full at φ(1) − φ(−1) = ±0.5"
    )
    zero_to_one = replace(first, tables=moved)
    assert pattern_text(zero_to_one, False, 0.5, True) == (
        "black: φ is larger at x = 0 · white: at x = 1"
    )


def test_a_pattern_of_zeros_is_grey() -> None:
    layer = layer_of((1, 1, 1, 2))
    pixels = draw(frame_of(layer, []), mode="pattern")
    assert abs(cell_of(pixels, layer, 0)[40, 40] - 127.5).max() <= 0.5


def test_a_zero_function_is_a_line_in_the_middle_and_marked_as_constant() -> None:
    layer = layer_of((1, 1, 1, 2))
    frame = frame_of(layer, [(0, 0, 0), (0, 1e-3, 0)])
    cell = cell_of(draw(frame), layer, 0)
    found = heights(cell)
    np.testing.assert_allclose(found[np.isfinite(found)], len(cell) / 2, atol=0.6)
    mark = is_colour(cell, LIGHT.muted)
    assert mark[2 * RATIO : 5 * RATIO, -5 * RATIO : -2 * RATIO].all()
    assert mark.sum() == (3 * RATIO) ** 2
    assert not is_colour(cell_of(draw(frame), layer, 1), LIGHT.muted).any()


@pytest.mark.parametrize(("theme", "colours"), [("light", LIGHT), ("dark", DARK)])
def test_the_page_and_the_ink_follow_the_theme(theme: str, colours: Any) -> None:
    layer = layer_of((1, 1, 1, 2))
    pixels = draw(frame_of(layer, [(0, 0.5, 0)]), theme=theme)
    assert tuple(pixels[0, 0]) == tuple(pixels[-1, -1]) == colours.surface
    assert is_colour(cell_of(pixels, layer, 0), colours.ink).any()


def test_the_selected_function_is_framed_and_nothing_else() -> None:
    layer = layer_of((2, 1, 1, 2))
    frame = frame_of(layer, [(0, 0.5, 0)] * 4)
    chosen = {"layer": "conv", "out": 1, "in": 0, "row": 0, "column": 1}
    marked = is_colour(draw(frame, selection=chosen), LIGHT.accent)
    x, y, size = arrange("conv", 2, 1, 1, 2, 400).rect_of(3)
    rows, columns = np.nonzero(marked)
    assert (rows.min(), rows.max() + 1) == ((y - 2) * RATIO, (y + size + 2) * RATIO)
    assert (columns.min(), columns.max() + 1) == ((x - 2) * RATIO, (x + size + 2) * RATIO)
    plain = draw(frame)
    for other in ({**chosen, "layer": "x"}, {**chosen, "out": 2}, {**chosen, "row": None}, {}):
        assert (draw(frame, selection=other) == plain).all()


def test_sorted_kernels_follow_each_other_from_the_largest_to_the_smallest(
    written: list[str],
) -> None:
    layer = layer_of((2, 2, 1, 1))
    frame = frame_of(layer, [(0, 0.2, 0), (0, -0.9, 0), (0, 0.5, 0), (np.nan, 0, 0)])
    initial = frame_of(layer, [(0, 0.9, 0), (0, -0.8, 0), (0, 0.5, 0), (0, 0, 0)], step=0)
    for sort, expected in (
        ("range", ["0,1", "1,0", "0,0", "1,1"]),
        ("change", ["0,0", "0,1", "1,0", "1,1"]),
    ):
        written.clear()
        draw(frame, initial=initial, sort=sort)
        assert written == [*expected, "out,in"]


def test_the_title_tells_name_size_step_and_both_ranges(written: list[str]) -> None:
    layer = layer_of((2, 3, 1, 2), name="features.0", variable="tanh x", note="Scaled by 2.")
    frame = frame_of(layer, [(0, 0.0031, 0), (0, 0.0039, 0)], step=12345)
    draw(frame, initial=frame_of(layer, [], step=20), title=True, width=900)
    signs = [text for text in written if text.strip() not in ("", "·")]
    assert signs[:8] == [
        "features.0",
        "KANConv2d",
        "6 kernels 1 x 2, 12 functions",
        "step 12,345",
        "y ±0.004",
        "tanh x -1 … 1",
        "step 20",
        "Scaled by 2.",
    ]


def test_own_axes_print_the_smallest_and_the_largest_range(written: list[str]) -> None:
    layer = layer_of((1, 2, 1, 2), kind="linear")
    frame = frame_of(layer, [(0, 0.0031, 0), (0, 7, 0), (0, 1, 0), (0, 1, 0)])
    draw(frame, title=True, scale="function")
    assert "y, own scale per function: ±0.004 … ±8" in written
    draw(frame, title=True, scale="kernel", mode="change", initial=frame_of(layer, []))
    assert "change, own scale per kernel: ±1 … ±8" in written


@pytest.mark.parametrize("missing", ["none", "other name", "other shape"])
def test_without_a_start_to_compare_with_the_picture_says_so(
    written: list[str], missing: str
) -> None:
    layer = layer_of((1, 1, 1, 2))
    other = {
        "none": None,
        "other name": frame_of(layer_of((1, 1, 1, 2), name="fc"), []),
        "other shape": frame_of(layer_of((1, 1, 1, 3)), []),
    }[missing]
    frame = frame_of(layer, [(0, 0.5, 0)])
    pixels = draw(frame, initial=other, mode="change", sort="change")
    assert (pixels == draw(frame)).all()
    draw(frame, initial=other, mode="change", title=True)
    assert "no first frame to compare with: the functions themselves" in written


def test_what_is_too_high_is_cut_at_whole_bands_and_counted(written: list[str]) -> None:
    layer = layer_of((10, 625, 1, 1), kind="linear", name="fc")
    pixels = draw(frame_of(layer, [(0, 1, 0)]), width=900, max_height=900, title=True)
    places = arrange("linear", 10, 625, 1, 1, 900)
    assert len(pixels) <= 900 * RATIO
    # Four bands of 204 fit, with 45 columns of 10 functions in each.
    assert (places.band_height, places.per_band) == (204, 45)
    assert "4,450 of 6,250 functions are not shown" in written
    assert "in 175" in written
    assert "in 180" not in written


def test_what_is_too_high_for_a_single_band_is_cut_at_whole_rows(written: list[str]) -> None:
    layer = layer_of((64, 3, 3, 3))
    pixels = draw(frame_of(layer, []), max_height=500)
    assert len(pixels) <= 500 * RATIO
    # 500 hold, beside margins, heads and the line below, three rows of 107 + 12.
    assert arrange("conv", 64, 3, 3, 3, 400).block_height == 107
    assert "1,647 of 1,728 functions are not shown" in written
    assert "out 2" in written
    assert "out 3" not in written


def test_rows_close_to_each_other_leave_the_line_below_free(written: list[str]) -> None:
    layer = layer_of((40, 3, 1, 1), kind="linear")
    pixels = draw(frame_of(layer, []), max_height=260)
    [line] = [text for text in written if "not shown" in text]
    hidden = int(line.split()[0])
    rows = arrange("linear", 40, 3, 1, 1, 400)
    # The rows that are shown, counted by their cells' ground in the first column of cells.
    x, _, size = rows.rect_of(0)
    ground = is_colour(pixels, LIGHT.cell)[:, round((x + size / 2) * RATIO)]
    starts = int((np.diff(ground.astype(int), prepend=0) == 1).sum())
    assert ground[-round(20 * RATIO) :].sum() == 0
    assert hidden % 3 == 0
    assert starts >= (120 - hidden) // 3 > 0


def test_at_least_one_row_is_drawn(written: list[str]) -> None:
    layer = layer_of((4, 2, 3, 3))
    pixels = draw(frame_of(layer, [(0, 0.5, 0)] * 72), max_height=10)
    assert is_colour(pixels, LIGHT.ink).any()
    assert "54 of 72 functions are not shown" in written


def test_what_fits_is_not_cut(written: list[str]) -> None:
    layer = layer_of((4, 2, 3, 3))
    height = arrange("conv", 4, 2, 3, 3, 400).height
    assert len(draw(frame_of(layer, []), max_height=height)) == height * RATIO
    assert not [text for text in written if "not shown" in text]


@pytest.mark.parametrize("ratio", [1, 1.5, 2, 3])
def test_the_image_has_the_pixels_asked_for(ratio: float) -> None:
    layer = layer_of((2, 1, 3, 3))
    frame = frame_of(layer, CURVES)
    image = render(frame.layout, frame, width=500, pixel_ratio=ratio, initial=frame)
    assert image.width == round(500 * ratio)
    places = arrange("conv", 2, 1, 3, 3, 500)
    top = image.height / ratio - places.height
    x, y, size = places.rect_of(17)
    pixels = np.asarray(image).astype(np.int64)
    corner = round((y + top + size) * ratio) - 1, round((x + size) * ratio) - 1
    assert tuple(pixels[corner]) == LIGHT.cell
    assert tuple(pixels[corner[0] + 2, corner[1] + 2]) == LIGHT.surface


def test_an_unknown_layer_is_refused_with_the_names_of_those_there_are() -> None:
    frame = frame_of(layer_of((1, 1, 1, 2)), [])
    with pytest.raises(KeyError, match=r"'fc'.*'conv'"):
        render(frame.layout, frame, layer="fc")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("mode", "curve"),
        ("scale", "all"),
        ("x_range", "wider"),
        ("sort", ""),
        ("theme", "auto"),
        ("pixel_ratio", 0),
    ],
)
def test_an_option_that_there_is_not_is_refused(option: str, value: object) -> None:
    frame = frame_of(layer_of((1, 1, 1, 2)), [])
    with pytest.raises(ValueError, match=f"{option} is {value!r}; it must be"):
        render(frame.layout, frame, **{option: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("conv1 ±0.3 · a … b", "conv1 ±0.3 · a … b"),
        ("φ(−1)", "phi(-1)"),
        ("3 × 3", "3 x 3"),
        ("Gemälde é", "Gemalde e"),
        ("漢", "?"),
    ],
)
def test_what_the_font_has_not_is_spelled_out(text: str, spelled: str) -> None:
    assert readable(text) == spelled


def random_frames(layer: LayerLayout) -> tuple[Frame, Frame]:
    rng = np.random.default_rng(0)
    before = rng.normal(size=(layer.count, 3))
    after = before + 0.3 * rng.normal(size=before.shape)
    return frame_of(layer, before, 0), frame_of(layer, after)


@pytest.mark.parametrize(
    ("shape", "kind", "most"),
    [((5, 1, 3, 3), "conv", 60_000), ((10, 625, 1, 1), "linear", 150_000)],
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_file_is_small_and_looks_like_the_image(
    shape: tuple[int, int, int, int], kind: str, most: int, theme: Any
) -> None:
    initial, frame = random_frames(layer_of(shape, kind=kind))
    frame.data[0] = np.nan  # a single cross
    image = render(frame.layout, frame, initial=initial, theme=theme, max_height=900)
    data = png_bytes(image)
    assert len(data) <= most
    with Image.open(io.BytesIO(data)) as small:
        assert small.info["dpi"] == pytest.approx((192, 192), abs=0.1)
        there = np.asarray(small.convert("RGB")).astype(np.int64)
    assert np.abs(there - np.asarray(image)).max() <= 8
