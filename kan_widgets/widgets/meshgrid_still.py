"""The still picture of MeshgridView, for pages without a browser.

Lengths are CSS pixels where nothing else is said; sizes, colours and words are those of
``js/src/meshgrid_view``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kan_widgets.live.frame import Frame
from kan_widgets.live.layout import LayerLayout
from kan_widgets.widgets.geometry import PAD, Arrangement, Label, arrange
from kan_widgets.widgets.heat import evaluate, ramp, response
from kan_widgets.widgets.palette import colourise, palette
from kan_widgets.widgets.paper import check_ratio
from kan_widgets.widgets.ranges import format_number, format_range, nice_ceil
from kan_widgets.widgets.sheet import (
    DARK,
    LABEL_SIZE,
    LIGHT,
    Float64,
    Int64,
    Sheet,
    Sign,
)
from kan_widgets.widgets.sheet import Theme as Colours
from kan_widgets.widgets.still import _count, _selected, _title

LARGEST_PLOT = 400
AXIS_LEFT, AXIS_BOTTOM = 46, 34
LARGEST_MAP = 150
MAP_GAP, MAP_LABEL = 8, 15
MOST_MAPS = 64
# So many small pictures of so few points keep the file small.
MANY, COARSE = 500, 8


def render(
    frame: Frame,
    layer: LayerLayout,
    *,
    mode: str,
    limits: tuple[float, float],
    direction: str,
    resolution: int,
    scale: str,
    output: int,
    other: int,
    shown: Float64 | None,
    problem: str,
    selection: Mapping[str, object] | None,
    theme: str,
    width: int,
    max_height: int,
    pixel_ratio: float,
) -> Image.Image:
    """Draw one layer in one of the three ways of MeshgridView.

    Parameters
    ----------
    shown
        The image that ``"response"`` is to, ``(channels, height, width)``; where there is
        none, ``problem`` says why.

    The others are the traits of the view and the options of its ``image``.

    Raises
    ------
    ValueError
        If ``pixel_ratio`` is not between 0.25 and 16.
    """
    check_ratio(pixel_ratio)
    if mode == "ramp":
        if layer.count > MANY and direction in ("diagonal", "radial"):
            resolution = min(resolution, COARSE)
        matrix = ramp(direction, limits, resolution)
        words = f"{layer.variable} {_between(*limits)}, {direction}"
        return _ramps(
            frame, layer, matrix, words, scale, selection, theme, width, max_height, pixel_ratio
        )
    page = _Page(width, theme, pixel_ratio)
    if mode == "pair":
        return _pair(page, frame, layer, other, selection)
    if layer.kind == "linear":
        problem = "A linear layer has no response map: its inputs have no places."
    elif layer.conv is None:
        problem = "How this layer moves its kernels is not known, so it has no response map."
    maps = None
    if shown is not None and not problem:
        try:
            maps = response(frame, layer, shown)
        except ValueError as error:
            problem = f"{str(error)[:1].upper()}{str(error)[1:]}."
    return _response(page, frame, layer, shown, maps, problem, scale, output, max_height)


class _HeatSheet(Sheet):
    """A sheet whose colour bar and cells have the diverging palette."""

    def __init__(self, name: str, *arguments: Any) -> None:
        self._name = name
        super().__init__(*arguments)

    def draw_tiles(self, functions: Int64, tiles: NDArray[np.uint8]) -> None:
        """Fill cells with small pictures, stretched to their size."""
        origins = self._origins[functions].tolist()
        for (left, top), tile in zip(origins, tiles, strict=True):
            self.paper.picture(tile, (left, top, self.cell, self.cell))

    def _draw_symbol(self, symbol: str, left: int, top: int) -> None:
        if symbol != "bar":
            super()._draw_symbol(symbol, left, top)
            return
        height, hair = self._px(9), self.hair
        width = self._px(60)
        self._rectangle(
            left - hair, top - hair, width + 2 * hair, height + 2 * hair, self.theme.zero
        )
        colours = palette(self._name)
        places = np.rint(np.linspace(0, len(colours) - 1, width)).astype(int)
        self.paper.bar(colours[places], (left, top, width, height))


def _colours(theme: str) -> Colours:
    return LIGHT if theme == "light" else DARK


def _between(low: float, high: float) -> str:
    return f"{format_number(low)} … {format_number(high)}"


def _reach(values: Float64) -> str:
    finite = values[np.isfinite(values)]
    return _between(float(finite.min()), float(finite.max())) if finite.size else "nothing finite"


def _most(values: Float64) -> float:
    finite = values[np.isfinite(values)]
    return float(np.abs(finite).max(initial=0.0))


def _ramps(
    frame: Frame,
    layer: LayerLayout,
    matrix: Float64,
    words: str,
    scale: str,
    selection: Mapping[str, object] | None,
    theme: str,
    width: int,
    max_height: int,
    ratio: float,
) -> Image.Image:
    out, in_, kh, kw = layer.shape
    places = arrange(layer.kind, out, in_, kh, kw, width)
    distinct, index = np.unique(matrix, return_inverse=True)
    values = evaluate(frame, layer, distinct)
    finite = np.isfinite(values)
    largest = np.where(finite, np.abs(values), 0.0).max(axis=1)
    size = {"layer": layer.count, "kernel": kh * kw, "function": 1}[scale]
    axes = np.array([nice_ceil(float(m)) for m in largest.reshape(-1, size).max(axis=1)])
    text = f"{format_range(float(axes.max()))} · φ reaches {_reach(values)}"
    if scale != "layer":
        own = _between(float(axes.min()), float(axes.max()))
        text = f"own scale per {scale}: ±({own}) · φ reaches {_reach(values)}"
    legend = [Sign(text, "bar")]
    broken = ~finite.all(axis=1)
    if broken.any():
        legend.append(Sign(f"{_count(int(broken.sum()), 'function')} not finite", "cross"))
    if layer.note:
        legend.append(Sign(layer.note))
    title = [*_title(layer, frame.step), Sign(words)]
    sheet = _HeatSheet(theme, places, _colours(theme), ratio, title, legend, max_height)
    drawn = sheet.functions
    cells = values[drawn][:, index.reshape(-1)].reshape(len(drawn), *matrix.shape)
    most = np.repeat(axes, size)[drawn][:, None, None]
    sheet.draw_tiles(drawn, colourise(cells, most, theme))
    sheet.draw_crosses(drawn[~finite[drawn].any(axis=1)])
    chosen = _selected(layer, selection)
    if chosen in drawn:
        sheet.draw_selection(chosen)
    return sheet.image


class _Page:
    """A sheet without cells: title and legend above, and room of a height that is told later."""

    def __init__(self, width: int, theme: str, ratio: float) -> None:
        self.width, self.theme, self.ratio = width, theme, ratio
        self.colours = _colours(theme)

    def open(self, title: list[Sign], legend: list[Sign], height: int) -> _HeatSheet:
        """Make the sheet; ``self.top`` is where the room begins."""
        places = cast(Arrangement, _NoPlaces(self.width, height))
        sheet = _HeatSheet(self.theme, places, self.colours, self.ratio, title, legend, 1 << 20)
        self.top = round(sheet.image.height / self.ratio) - height
        return sheet

    def paste(
        self,
        sheet: Sheet,
        picture: NDArray[np.uint8],
        x: float,
        y: float,
        w: float,
        h: float,
        *,
        note: bool = True,
    ) -> None:
        """Put a picture into a box, with hard edges, and a hairline around it."""
        left, top, right, bottom = (round(v * self.ratio) for v in (x, y, x + w, y + h))
        hair = max(1, round(self.ratio))
        edge = (left - hair, top - hair, right + hair - 1, bottom + hair - 1)
        if note or sheet.paper.vectors is None:
            sheet.paper.rectangle(edge, fill=self.colours.zero)
        sheet.paper.picture(picture, (left, top, right - left, bottom - top), note=note)


class _NoPlaces:
    """Stands in for the places of a layer on a page that has none."""

    cell = 1
    count = 0

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height

    def cell_origins(self) -> Int64:
        return np.empty((0, 2), dtype=np.int64)

    def column_labels(self) -> list[Label]:
        return []

    row_labels = corner_labels = column_labels


def _pair(
    page: _Page,
    frame: Frame,
    layer: LayerLayout,
    other: int,
    selection: Mapping[str, object] | None,
) -> Image.Image:
    _, in_, kh, kw = layer.shape
    i = max(0, _selected(layer, selection))
    count = kh * kw if kh * kw > 1 else in_
    first, entry = i - i % count, i % count
    opposite = count - 1 - entry
    if not 0 <= other < count:
        other = opposite if opposite != entry else min(count - 1, entry + 1)
    j = first + other
    names = [_entry_name(layer, e) for e in (entry, other)]

    size = min(LARGEST_PLOT, page.width - AXIS_LEFT - 2 * PAD)
    points = round(size * page.ratio)
    share = (np.arange(points) + 0.5) / points
    ranges = [_domain(layer, f) for f in (i, j)]
    x, y = (low + (high - low) * share for low, high in ranges)
    across = evaluate(frame, layer, x, np.array([i]))[0]
    up = evaluate(frame, layer, y, np.array([j]))[0]
    surface = across[None, :] + up[::-1, None]
    most = nice_ceil(_most(surface))
    step = _round_step(surface)
    legend = [
        Sign(f"{format_range(most)} · the sum reaches {_reach(surface)}", "bar"),
        Sign(f"contours every {format_number(step)}"),
    ]
    where = f"φ({names[0]}) over x + φ({names[1]}) over y"
    out, kernel_in = first // (kh * kw) // in_, first // (kh * kw) % in_
    kernel = f"out {out}" if kh * kw == 1 else f"out {out} · in {kernel_in}"
    title = [*_title(layer, frame.step), Sign(kernel), Sign(where)]
    sheet = page.open(title, legend, size + AXIS_BOTTOM + 2 * PAD)
    picture = colourise(surface, most, page.theme)
    left, top = PAD + AXIS_LEFT, page.top + PAD
    noted = sheet.paper.vectors
    if noted is not None:
        # Half as many points do for colours; contours are lines there.
        box = tuple(round(v * page.ratio) for v in (left, top, size, size))
        noted.rectangle((box[0] - 1, box[1] - 1, box[2] + 2, box[3] + 2), page.colours.zero)
        noted.picture(picture[::2, ::2], box)
        pitch = size * page.ratio / len(surface)
        lines_ = contours(surface[::2, ::2], step) * 2 + 0.5
        origin = np.array([left * page.ratio, top * page.ratio])
        noted.segments(origin + lines_ * pitch, page.colours.ink, page.ratio, 0.55)
    # A contour runs where neighbours lie on either side of a level.
    with np.errstate(invalid="ignore"):
        band = np.floor(surface / step)
    lines = np.zeros(surface.shape, bool)
    lines[:, 1:] |= band[:, 1:] != band[:, :-1]
    lines[1:] |= band[1:] != band[:-1]
    lines &= np.isfinite(surface)
    ink = np.array(page.colours.ink, dtype=np.float64)
    picture[lines] = np.rint(0.45 * picture[lines] + 0.55 * ink).astype(np.uint8)
    page.paste(sheet, picture, left, top, size, size, note=False)
    for (low, high), vertical in zip(ranges, (False, True), strict=True):
        for tick in _ticks(low, high):
            at = size * (tick - low) / (high - low)
            text = format_number(tick)
            if vertical:
                sheet._write(text, left - 6, top + size - at, LABEL_SIZE, "rm")
            else:
                sheet._write(text, left + at, top + size + 14, LABEL_SIZE, "ms")
    sheet._write(f"x: {names[0]}", left + size / 2, top + size + 28, LABEL_SIZE, "ms")
    sheet._write("y", PAD, top + size / 2, LABEL_SIZE, "lm")
    return sheet.image


def contours(surface: Float64, step: float) -> Float64:
    """Return straight pieces of the lines on which a surface is a multiple of a step.

    Each grid square is taken as two triangles, on which the surface is flat.

    Parameters
    ----------
    surface
        ``(height, width)``; squares with a corner that is not finite have no lines.
    step
        Above 0.

    Returns
    -------
    ndarray
        ``(pieces, 2, 2)``: the x and y of both ends, in grid squares.

    Examples
    --------
    >>> contours(np.array([[0.0, 0.0], [1.0, 1.0]]) + 0.25, 0.5)[:, :, 1].tolist()
    [[0.25, 0.25], [0.75, 0.75], [0.25, 0.25], [0.75, 0.75]]
    """
    height, width = surface.shape
    down, across = np.mgrid[: height - 1, : width - 1].reshape(2, -1)
    found = [np.empty((0, 2, 2))]
    for corners in (((0, 0), (0, 1), (1, 0)), ((1, 1), (0, 1), (1, 0))):
        rows, columns = (
            np.stack([start + corner[axis] for corner in corners])
            for axis, start in ((0, down), (1, across))
        )
        values = surface[rows, columns] / step
        finite = np.isfinite(values).all(axis=0)
        rows, columns, values = rows[:, finite], columns[:, finite], values[:, finite]
        # Corner by rising value: a level leaves by the longest edge and by one of the others.
        order = np.argsort(values, axis=0)
        v = np.take_along_axis(values, order, axis=0)
        places = np.stack([np.take_along_axis(a, order, axis=0) for a in (columns, rows)], axis=-1)
        # Above the lowest corner, so that no edge that is cut is level.
        low, high = np.floor(v[0]) + 1, np.floor(v[2])
        for extra in range(int((high - low).max(initial=-1.0)) + 1):
            level = low + extra
            some = level <= high
            w, p, at = v[:, some], places[:, some], level[some]
            if not len(at):
                break

            def cut(a: Int64, b: Int64, w: Any = w, p: Any = p, at: Any = at) -> Float64:
                n = np.arange(len(at))
                share = (at - w[a, n]) / (w[b, n] - w[a, n])
                ends: Float64 = p[a, n] + share[:, None] * (p[b, n] - p[a, n])
                return ends

            first, last = np.zeros(len(at), np.int64), np.full(len(at), 2)
            upper = (at > w[1]).astype(np.int64)
            found.append(np.stack([cut(first, last), cut(upper, upper + 1)], axis=1))
    pieces: Float64 = np.concatenate(found)
    # Where a level only touches a corner there is no line.
    long: NDArray[np.bool_] = (pieces[:, 0] != pieces[:, 1]).any(axis=1)
    kept: Float64 = pieces[long]
    return kept


def _entry_name(layer: LayerLayout, entry: int) -> str:
    kh, kw = layer.shape[2:]
    if kh * kw == 1:
        return f"input {entry}"
    return f"row {entry // kw}, column {entry % kw}"


def _domain(layer: LayerLayout, function: int) -> tuple[float, float]:
    table = layer.tables[0 if layer.table_of is None else int(layer.table_of[function])]
    low, high = table.domain
    return (low, high) if low < high else layer.domain


def _round_step(surface: Float64) -> float:
    finite = surface[np.isfinite(surface)]
    span = float(finite.max() - finite.min()) if finite.size else 0.0
    if not span > 0:
        return 1.0
    raw = span / 8
    decade = 10.0 ** np.floor(np.log10(raw))
    return float(next(n * decade for n in (1, 2, 2.5, 5, 10) if n * decade >= raw * 0.999))


def _ticks(low: float, high: float) -> list[float]:
    step = _round_step(np.array([low, high]) * 1.6)
    return [
        float(np.round(k * step, 12))
        for k in range(int(np.ceil(low / step)), 1000)
        if k * step <= high + 1e-9
    ]


def _response(
    page: _Page,
    frame: Frame,
    layer: LayerLayout,
    shown: Float64 | None,
    maps: Float64 | None,
    problem: str,
    scale: str,
    output: int,
    max_height: int,
) -> Image.Image:
    title = _title(layer, frame.step)
    if maps is None:
        sheet = page.open(title, [Sign(problem)], 20)
        return sheet.image
    assert shown is not None
    chosen = [output] if 0 <= output < len(maps) else list(range(min(len(maps), MOST_MAPS)))
    side = min(2 * LARGEST_MAP, (page.width - 3 * PAD) // 3)
    left = PAD + side + 3 * MAP_GAP
    room = page.width - left - PAD
    shape = maps.shape[1] / maps.shape[2]
    size = float(min(room, side)) if len(chosen) == 1 else 0.0
    columns = 1
    while size == 0.0 or columns < len(chosen):
        fits = (room - (columns - 1) * MAP_GAP) / columns
        size = min(LARGEST_MAP, fits)
        rows = -(-len(chosen) // columns)
        if rows * (size * shape + MAP_LABEL + 4) <= max(side, max_height / 2) or size < 44:
            break
        columns += 1
    most = np.array([nice_ceil(_most(maps[k])) for k in chosen])
    if scale == "layer":
        most[:] = most.max()
    text = format_range(float(most.max())) if scale == "layer" else "each map its own scale"
    values = maps[chosen]
    low, high = _range(shown)
    legend = [
        Sign(f"{text} · response reaches {_reach(values)}", "bar"),
        Sign(f"input {format_number(low)} (black) … {format_number(high)} (white)"),
    ]
    if (broken := int((~np.isfinite(values)).sum())) > 0:
        legend.append(Sign(f"{_count(broken, 'pixel')} not finite (grey)"))
    if len(chosen) < len(maps) and output < 0:
        legend.append(Sign(f"the first {len(chosen)} of {len(maps)} outputs"))
    if layer.note:
        legend.append(Sign(layer.note))
    rows = -(-len(chosen) // columns)
    pitch = size * shape + MAP_LABEL + 4
    tall = side * shown.shape[1] / shown.shape[2] + MAP_LABEL
    sheet = page.open(title, legend, round(max(rows * pitch, tall)) + 2 * PAD)
    share = np.nan_to_num((shown[0] - low) / (high - low), nan=0.5)
    greys = np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8)
    picture = np.repeat(greys[..., None], 3, axis=-1)
    top = page.top + PAD + MAP_LABEL
    words = "input" if len(shown) == 1 else "input, channel 0"
    sheet._write(words, PAD, top - 4, LABEL_SIZE)
    page.paste(sheet, picture, PAD, top, side, side * picture.shape[0] / picture.shape[1])
    for number, (k, limit) in enumerate(zip(chosen, most, strict=True)):
        x = left + number % columns * (size + MAP_GAP)
        y = top + number // columns * pitch
        sheet._write(f"out {k}", x, y - 4, LABEL_SIZE)
        page.paste(sheet, colourise(maps[k], float(limit), page.theme), x, y, size, size * shape)
    return sheet.image


def _range(image: Float64) -> tuple[float, float]:
    finite = image[np.isfinite(image)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (-1.0, 1.0)
    return (low, high) if low < high else (-1.0, 1.0)
