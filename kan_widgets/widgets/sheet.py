"""A sheet that functions are drawn on: antialiased curves, cells, marks and words with Pillow.

Lengths are CSS pixels where nothing else is said; ``pixel_ratio`` turns them into pixels of the
image. Sizes and colours are those of ``js/src/kernel_grid``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kan_widgets.widgets.fonts import font_of, readable
from kan_widgets.widgets.geometry import BAND_GAP, COL_LABEL, PAD, Arrangement
from kan_widgets.widgets.paper import Paper
from kan_widgets.widgets.ranges import Functions

Window: TypeAlias = tuple[float, float]
Colour: TypeAlias = tuple[int, int, int]
Float64: TypeAlias = NDArray[np.float64]
Int64: TypeAlias = NDArray[np.int64]
Bytes: TypeAlias = NDArray[np.uint8]

TITLE_SIZE, LABEL_SIZE = 12, 10
TITLE_TOP, TITLE_LINE, FOOT_LINE = 6, 18, 22
SYMBOL_GAP = 5
SYMBOL_WIDTH = {"dashes": 20, "cross": 8, "bar": 60, "ends": 24, "rise": 9, "fall": 9, "ramp": 60}
INSET = 2  # between a curve and the edge of its cell
SMALL_CELL = 28  # below, lines are finer
INK_SMALL, INK = 1.1, 1.35
GHOST_WIDTH = 1.0
DASH_SMALL, DASH = (2.0, 2.0), (3.0, 2.5)  # length and gap
CROSS_WIDTH = 1.5
FILL_SHARE = 0.8  # opacity of what lies between a change and zero
FLAT = 1e-6  # a function that moves less than this share of its size is constant
SHADES = 8  # grades of a line's edge; more cannot be told apart and make the file larger
BATCH = 4_000_000  # pixels of coverage worked on at a time


@dataclass(frozen=True)
class Theme:
    """The colours of one theme, each an RGB triple."""

    surface: Colour
    cell: Colour
    outside: Colour
    zero: Colour
    ghost: Colour
    ink: Colour
    muted: Colour
    warn: Colour
    accent: Colour
    rise: Colour
    fall: Colour


LIGHT = Theme(
    surface=(255, 255, 255),
    cell=(245, 246, 248),
    outside=(233, 236, 239),
    zero=(211, 216, 222),
    ghost=(154, 161, 169),
    ink=(27, 31, 36),
    muted=(101, 109, 118),
    warn=(196, 50, 10),
    accent=(10, 102, 194),
    rise=(91, 191, 159),
    fall=(204, 121, 167),
)
DARK = Theme(
    surface=(22, 24, 28),
    cell=(42, 47, 54),
    outside=(54, 60, 69),
    zero=(66, 73, 83),
    ghost=(139, 147, 157),
    ink=(230, 233, 236),
    muted=(155, 163, 172),
    warn=(255, 138, 102),
    accent=(90, 169, 248),
    rise=(47, 158, 125),
    fall=(179, 96, 143),
)


@dataclass(frozen=True)
class Sign:
    """A piece of writing above the drawing: a text, perhaps with a symbol before it."""

    text: str
    symbol: str = ""
    strong: bool = False
    ramp: tuple[Colour, ...] = ()
    """Colours of the symbol "ramp", from left to right."""


class Sheet:
    """An image with the places of a layer on it.

    Everything is drawn at the image's own pixels; the edge of a curve is shaded by how much of
    each pixel it covers.
    """

    def __init__(
        self,
        places: Arrangement,
        theme: Theme,
        ratio: float,
        title: list[Sign],
        legend: list[Sign],
        max_height: int,
    ) -> None:
        self.places, self.theme, self.ratio = places, theme, ratio
        self.hair = max(1, self._px(1))
        self.cell = self._px(places.cell)
        self.inset = self._px(INSET)
        self.inner = self.cell - 2 * self.inset
        self.across = max(4, round(8 / ratio))
        """Points of a curve per pixel."""
        lines = self._wrap(title, " · ") + self._wrap(legend, "     ")
        top = TITLE_TOP + TITLE_LINE * len(lines) if lines else 0
        limit, foot = places.height, 0
        if top + limit > max_height:
            limit, foot = cut(places, max_height - top - FOOT_LINE), FOOT_LINE
        if limit == places.height:
            foot = 0
        size = self._px(places.width), self._px(top + limit + foot)
        self.paper = Paper(size, theme.surface, ratio)
        self.image = self.paper.image

        origins = places.cell_origins()
        self.functions: Int64 = np.flatnonzero(origins[:, 1] < limit - PAD)
        """The functions that are not cut off."""
        self._origins = np.rint((origins + np.array([0, top])) * ratio).astype(np.int64)
        for number, line in enumerate(lines):
            self._write_line(line, TITLE_TOP + TITLE_LINE * number + TITLE_SIZE)
        for labels, anchor in (
            (places.column_labels(), "ms"),
            (places.row_labels(), "rm"),
            (places.corner_labels(), "rs"),
        ):
            for label in labels:
                if label.y < limit:
                    self._write(label.text, label.x, label.y + top, LABEL_SIZE, anchor)
        if foot:
            hidden = places.count - len(self.functions)
            text = f"{hidden:,} of {places.count:,} functions are not shown"
            self._write(text, PAD, top + limit + TITLE_SIZE, TITLE_SIZE)

    def draw_cells(
        self,
        functions: Int64,
        x: Window,
        grid: Window,
        zero: bool = True,
        ground: Colour | None = None,
    ) -> None:
        """Draw the ground of cells, fainter outside the grid's range, and the zero line."""
        tile = np.empty((self.cell, self.cell, 3), np.uint8)
        tile[:] = self.theme.cell if ground is None else ground
        if x[0] < grid[0]:
            tile[:, : self._across(x, grid[0])] = self.theme.outside
        if grid[1] < x[1]:
            tile[:, self._across(x, grid[1]) :] = self.theme.outside
        if zero:
            first = (self.cell - self.hair) // 2
            tile[first : first + self.hair] = self.theme.zero
        picture = Image.fromarray(tile)
        for left, top in self._origins[functions].tolist():
            self.image.paste(picture, (left, top))
        if self.paper.vectors is not None:
            self._note_cells(functions, tile)

    def _note_cells(self, functions: Int64, tile: Bytes) -> None:
        """Note cells as rectangles: from left to right one for each ground, and the zero line."""
        vectors = self.paper.vectors
        assert vectors is not None
        origins = self._origins[functions].tolist()
        row, column = tile[0], tile[:, 0]
        edges = [0, *(np.flatnonzero((np.diff(row.astype(int), axis=0) != 0).any(axis=1)) + 1)]
        for start, end in zip(edges, [*edges[1:], self.cell], strict=True):
            for left, top in origins:
                box = (left + start, top, end - start, self.cell)
                vectors.rectangle(box, row[start].tolist())
        lined = np.flatnonzero((column != column[0]).any(axis=1))
        for left, top in origins if len(lined) else ():
            box = (left, top + int(lined[0]), self.cell, len(lined))
            vectors.rectangle(box, self.theme.zero)

    def _note_curves(
        self,
        functions: Int64,
        y: Float64,
        colour: Colour,
        width: float,
        dash: tuple[float, ...] = (),
    ) -> None:
        """Note curves as lines."""
        vectors = self.paper.vectors
        assert vectors is not None
        x = self.inset + (np.arange(y.shape[1]) + 0.5) / self.across
        for (left, top), heights in zip(self._origins[functions].tolist(), y, strict=True):
            points = np.stack([left + x, top + heights], axis=1)
            vectors.curve(points, colour, width * self.ratio, dash=dash)

    def _note_areas(
        self, functions: Int64, first: Float64, second: Float64, colour: Colour
    ) -> None:
        """Note what lies between curves."""
        vectors = self.paper.vectors
        assert vectors is not None
        x = self.inset + (np.arange(first.shape[1]) + 0.5) / self.across
        origins = self._origins[functions].tolist()
        for (left, top), one, other in zip(origins, first, second, strict=True):
            if (one != other).any():
                edges = (np.stack([left + x, top + y], axis=1) for y in (one, other))
                vectors.area(tuple(edges), colour, FILL_SHARE)

    def draw_ghosts(self, curves: Functions, functions: Int64, x: Window, axes: Float64) -> None:
        """Draw functions as dashed lines, each on the axis from -M to M."""
        dash, gap = DASH_SMALL if self.places.cell < SMALL_CELL else DASH
        dash, gap = dash * self.ratio, gap * self.ratio
        mask, radius = self._mask(), self._radius(GHOST_WIDTH)
        for some, y in self._heights(curves, functions, x, axes):
            cover = _dashed(y, self.across, self.cell, radius, dash, gap)
            self._place(mask, some, cover)
            if self.paper.vectors is not None:
                self._note_curves(some, y, self.theme.ghost, GHOST_WIDTH, (dash, gap))
        self._ink(self.theme.ghost, mask)

    def draw_curves(
        self, curves: Functions, functions: Int64, x: Window, axes: Float64, filled: bool
    ) -> None:
        """Draw functions as lines, each on the axis from -M to M, perhaps filled to zero."""
        thickness = INK_SMALL if self.places.cell < SMALL_CELL else INK
        radius = self._radius(thickness)
        lines, rises, falls = self._mask(), self._mask(), self._mask()
        zero = self.cell / 2
        flat: list[int] = []
        for some, y in self._heights(curves, functions, x, axes):
            self._place(lines, some, stroke(y, self.across, self.cell, radius))
            if filled:
                level = np.full_like(y, zero)
                for mask, top, bottom, colour in (
                    (rises, np.minimum(y, level), level, self.theme.rise),
                    (falls, level, np.maximum(y, level), self.theme.fall),
                ):
                    self._place(mask, some, _cover(top, bottom, self.across, self.cell))
                    if self.paper.vectors is not None:
                        self._note_areas(some, top, bottom, colour)
            if self.paper.vectors is not None:
                self._note_curves(some, y, self.theme.ink, thickness)
            least, most = y.min(axis=1), y.max(axis=1)
            size = np.maximum(np.abs(least - zero), np.abs(most - zero))
            flat += some[most - least <= FLAT * size].tolist()
        if filled:
            for colour, mask in ((self.theme.rise, rises), (self.theme.fall, falls)):
                mask[:] = np.rint(mask * FILL_SHARE)
                self._ink(colour, mask)
        self._ink(self.theme.ink, lines)
        # So that a constant function is not taken for one that is merely small.
        for left, top in self._origins[flat].tolist():
            corner, size = self._px(self.places.cell - 5), self._px(3)
            self._rectangle(left + corner, top + self.inset, size, size, self.theme.muted)

    def draw_greys(self, functions: Int64, greys: Bytes) -> None:
        """Fill cells with greys; a hairline keeps them apart from a page of the same grey."""
        size, hair = self.cell, self.hair
        origins = self._origins[functions].tolist()
        for (left, top), grey in zip(origins, greys.tolist(), strict=True):
            self._rectangle(left, top, size, size, self.theme.zero)
            inner = size - 2 * hair
            self._rectangle(left + hair, top + hair, inner, inner, (grey, grey, grey))

    def draw_crosses(self, functions: Int64) -> None:
        """Mark functions that cannot be drawn."""
        size = 2 * self._px(min(5.0, self.places.cell / 5))
        inset = (self.cell - size) // 2
        for left, top in self._origins[functions].tolist():
            self._cross(left + inset, top + inset, size)

    def draw_selection(self, function: int) -> None:
        """Frame one function."""
        left, top = self._origins[function].tolist()
        for outset, width, colour in ((3, 4, self.theme.surface), (2, 2, self.theme.accent)):
            out = self._px(outset)
            box = (left - out, top - out, left + self.cell + out - 1, top + self.cell + out - 1)
            self.paper.rectangle(box, outline=colour, width=self._px(width))

    def _px(self, length: float) -> int:
        return round(length * self.ratio)

    def _radius(self, width: float) -> float:
        return width * self.ratio / 2

    def _across(self, x: Window, value: float) -> int:
        """Return the pixel of a cell at which an x lies."""
        return self.inset + round((value - x[0]) / (x[1] - x[0]) * self.inner)

    def _heights(
        self, curves: Functions, functions: Int64, x: Window, axes: Float64
    ) -> list[tuple[Int64, Float64]]:
        """Return functions in batches, with their heights within a cell at the points drawn."""
        count = self.inner * self.across
        points = x[0] + (x[1] - x[0]) * (np.arange(count) + 0.5) / count
        step = max(1, BATCH // self.cell**2)
        batches = []
        for first in range(0, len(functions), step):
            some = functions[first : first + step]
            share = curves.evaluate(points, some) / axes[first : first + step, None]
            batches.append((some, self.cell / 2 - self.inner / 2 * share))
        return batches

    def _mask(self) -> Bytes:
        return np.zeros((self.image.height, self.image.width), np.uint8)

    def _place(self, mask: Bytes, functions: Int64, cover: Bytes) -> None:
        """Put the coverage of each cell where the cell is."""
        for (left, top), one in zip(self._origins[functions].tolist(), cover, strict=True):
            start = left + self.inset
            mask[top : top + self.cell, start : start + self.inner] = one

    def _ink(self, colour: Colour, mask: Bytes) -> None:
        self.image.paste(colour, mask=Image.fromarray(mask))

    def _rectangle(self, left: int, top: int, width: int, height: int, colour: Colour) -> None:
        self.paper.rectangle((left, top, left + width - 1, top + height - 1), colour)

    def _cross(self, left: int, top: int, size: int) -> None:
        fall = (np.arange(size * self.across) + 0.5)[None] / self.across
        both = np.concatenate([fall, size - fall])
        cover = stroke(both, self.across, size, self._radius(CROSS_WIDTH)).max(axis=0)
        self.image.paste(self.theme.warn, (left, top), Image.fromarray(cover))
        if self.paper.vectors is not None:
            low, high = np.array([left, top]), np.array([left + size, top + size])
            arms = np.array([[low, high], [[low[0], high[1]], [high[0], low[1]]]])
            self.paper.vectors.segments(arms, self.theme.warn, CROSS_WIDTH * self.ratio, 1)

    def _write(
        self,
        text: str,
        x: float,
        y: float,
        size: int,
        anchor: str = "ls",
        strong: bool = False,
    ) -> None:
        colour = self.theme.ink if strong else self.theme.muted
        self.paper.write(text, (x * self.ratio, y * self.ratio), colour, size, anchor)

    def _length(self, text: str) -> float:
        return font_of(TITLE_SIZE * self.ratio).getlength(readable(text)) / self.ratio

    def _wrap(self, signs: list[Sign], separator: str) -> list[list[tuple[float, Sign]]]:
        """Break signs into lines; each comes with its x."""
        lines: list[list[tuple[float, Sign]]] = []
        gap, x = self._length(separator), 0.0
        for sign in signs:
            length = self._length(sign.text)
            if sign.symbol:
                length += SYMBOL_WIDTH[sign.symbol] + SYMBOL_GAP
            if not lines or x + gap + length > self.places.width - PAD:
                lines.append([])
                x = PAD
            else:
                lines[-1].append((x, Sign(separator)))
                x += gap
            lines[-1].append((x, sign))
            x += length
        return lines

    def _write_line(self, line: list[tuple[float, Sign]], y: float) -> None:
        for start, sign in line:
            x = start
            if sign.ramp:
                self._draw_ramp(sign.ramp, self._px(x), self._px(y - 9))
            elif sign.symbol:
                self._draw_symbol(sign.symbol, self._px(x), self._px(y - 9))
            if sign.symbol:
                x += SYMBOL_WIDTH[sign.symbol] + SYMBOL_GAP
            self._write(sign.text, x, y, TITLE_SIZE, strong=sign.strong)

    def _draw_ramp(self, colours: tuple[Colour, ...], left: int, top: int) -> None:
        """Draw the colours of a scale side by side."""
        width, height, hair = self._px(SYMBOL_WIDTH["ramp"]), self._px(9), self.hair
        self._rectangle(
            left - hair, top - hair, width + 2 * hair, height + 2 * hair, self.theme.zero
        )
        chosen = np.arange(width) * len(colours) // width
        self.paper.bar(np.array(colours, np.uint8)[chosen], (left, top, width, height))

    def _draw_symbol(self, symbol: str, left: int, top: int) -> None:
        """Draw a symbol into a box as high as a capital letter."""
        width, height = self._px(SYMBOL_WIDTH[symbol]), self._px(9)
        if symbol == "cross":
            self._cross(left, top + self.hair // 2, width)
        elif symbol == "dashes":
            y = np.full((1, width * self.across), height / 2)
            radius = self._radius(GHOST_WIDTH)
            dash, gap = (length * self.ratio for length in DASH)
            cover = _dashed(y, self.across, height, radius, dash, gap)[0]
            self.image.paste(self.theme.ghost, (left, top), Image.fromarray(cover))
            if self.paper.vectors is not None:
                middle = top + height / 2
                ends = np.array([[left, middle], [left + width, middle]])
                self.paper.vectors.curve(
                    ends, self.theme.ghost, GHOST_WIDTH * self.ratio, dash=(dash, gap)
                )
        elif symbol in ("rise", "fall"):
            colour = self.theme.rise if symbol == "rise" else self.theme.fall
            share = Image.new("L", (width, height), round(255 * FILL_SHARE))
            self.image.paste(colour, (left, top), share)
            if self.paper.vectors is not None:
                self.paper.vectors.rectangle((left, top, width, height), colour, FILL_SHARE)
        else:
            ramp = np.linspace(0, 255, width)
            ramp = np.where(ramp < 128, 0, 255) if symbol == "ends" else ramp
            greys = np.repeat(ramp.astype(np.uint8)[:, None], 3, axis=1)
            hair = self.hair
            self._rectangle(
                left - hair, top - hair, width + 2 * hair, height + 2 * hair, self.theme.zero
            )
            self.paper.bar(greys, (left, top, width, height))


def cut(places: Arrangement, height: int) -> int:
    """Return the height of as many whole bands, or else rows, as fit; at least of one row."""
    bands = (height - 2 * PAD + BAND_GAP) // places.band_height
    if bands >= 1:
        return 2 * PAD + min(bands, places.bands) * places.band_height - BAND_GAP
    pitch = places.block_height + places.kernel_gap
    rows = max(1, (height - 2 * PAD - COL_LABEL + places.kernel_gap) // pitch)
    return 2 * PAD + COL_LABEL + min(rows, places.rows) * pitch - places.kernel_gap


def stroke(y: Float64, across: int, height: int, radius: float) -> Bytes:
    """Return how much of each pixel a line covers.

    The line is what a disc sweeps whose centre follows the curve, so it is equally thick at any
    slope. In a column that is the interval from the highest to the lowest point of any disc.

    Parameters
    ----------
    y
        Heights of the curves in pixels, downwards, shape (curves, across · width); NaN is a gap.
    across
        Points per pixel.
    height
        Height of the result; what lies outside is cut off.
    radius
        Half the thickness.

    Returns
    -------
    ndarray
        0 to 255, shape (curves, height, width).
    """
    length = y.shape[1]
    reach = int(radius * across)
    centres = np.pad(y, ((0, 0), (reach, reach)), constant_values=np.nan)
    top, bottom = np.full(y.shape, np.nan), np.full(y.shape, np.nan)
    for shift in range(-reach, reach + 1):
        rise = np.sqrt(radius**2 - (shift / across) ** 2)
        centre = centres[:, reach + shift : reach + shift + length]
        np.fmin(top, centre - rise, out=top)
        np.fmax(bottom, centre + rise, out=bottom)
    return _cover(np.nan_to_num(top), np.nan_to_num(bottom), across, height)


def _dashed(y: Float64, across: int, height: int, radius: float, dash: float, gap: float) -> Bytes:
    """Return the same as `stroke` for a dashed line; dashes are equally long at any slope."""
    rise = np.diff(y, axis=1, prepend=y[:, :1])
    along = np.cumsum(np.hypot(rise, 1 / across), axis=1) / (dash + gap)
    number, place = np.divmod(along, 1.0)
    on = place < dash / (dash + gap)
    # Every other dash apart: where a curve is steep, neighbours would run into each other.
    odd, even = (np.where(on & (number % 2 == rest), y, np.nan) for rest in (1, 0))
    return np.maximum(stroke(odd, across, height, radius), stroke(even, across, height, radius))


def _cover(top: Float64, bottom: Float64, across: int, height: int) -> Bytes:
    """Return how much of each pixel lies between two curves, in the same shapes as `stroke`."""
    count, length = top.shape
    width = length // across
    # The covered share of pixel i is clip(bottom - i, 0, 1) - clip(top - i, 0, 1). Down a column
    # it changes in four pixels only: gather the changes there, then sum them up.
    columns = np.arange(count)[:, None] * (height + 2) * width + np.arange(length) // across
    places, changes = [], []
    for edge, sign in ((bottom, 1.0), (top, -1.0)):
        inside = np.clip(edge, 0, height)
        whole = np.floor(inside)
        share = inside - whole
        at = columns + whole.astype(np.int64) * width
        places += [at.ravel(), (at + width).ravel()]
        changes += [(sign * (share - 1)).ravel(), (-sign * share).ravel()]
    size = count * (height + 2) * width
    total = np.bincount(np.concatenate(places), np.concatenate(changes), minlength=size)
    cover = total.reshape(count, height + 2, width).cumsum(axis=1)[:, :height] / across
    shades = np.rint(np.clip(cover, 0, 1) * SHADES) * (255 / SHADES)
    return shades.astype(np.uint8)
