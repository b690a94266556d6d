"""The still picture of a chart, for pages without a browser.

Lengths are CSS pixels where nothing else is said; ``pixel_ratio`` turns them into pixels of
the image. Colours are those of ``js/src/chart``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kan_widgets.widgets.curves import Float64, Range, log_ticks, ticks
from kan_widgets.widgets.figure import FAINT, FEW, LINE, THIN
from kan_widgets.widgets.fonts import font_of, readable
from kan_widgets.widgets.paper import Paper, check_ratio
from kan_widgets.widgets.ranges import format_number
from kan_widgets.widgets.sheet import DARK, LIGHT, Colour, Theme, stroke

# Okabe and Ito's colours, blue and orange first; on each ground those that stand out from it.
CURVES: dict[str, list[Colour]] = {
    "light": [
        (0, 114, 178),
        (213, 94, 0),
        (0, 158, 115),
        (204, 121, 167),
        (230, 159, 0),
        (86, 180, 233),
        (101, 109, 118),
    ],
    "dark": [
        (86, 180, 233),
        (230, 159, 0),
        (47, 199, 155),
        (227, 159, 196),
        (240, 228, 66),
        (240, 138, 69),
        (122, 130, 139),
    ],
}
TOP, BOTTOM, LEFT, RIGHT, GAP = 26, 22, 46, 22, 8
TEXT, SMALL = 12, 10
DOT = 2.2


@dataclass(frozen=True)
class Line:
    """One curve; without a name it is not in the key."""

    colour: int
    steps: NDArray[Any]
    values: Float64
    name: str = ""
    latest: str = ""
    """The value in the key."""
    faint: bool = False
    thin: bool = False


@dataclass(frozen=True)
class Panel:
    """One quantity."""

    title: str
    lines: tuple[Line, ...]
    steps: Range
    values: Range
    log: bool
    marks: tuple[tuple[int, str], ...] = ()


def render(
    panels: Sequence[Panel],
    *,
    width: int,
    height: int,
    narrowest: int = 280,
    pixel_ratio: float,
    theme: Literal["light", "dark"],
) -> Image.Image:
    """Draw panels beside and below each other.

    Parameters
    ----------
    panels
        What to draw.
    width, height
        Of the picture and of one panel, in CSS pixels.
    narrowest
        Width of a panel at least, unless the picture is narrower.
    pixel_ratio
        Picture pixels per CSS pixel, from 0.25 to 16.
    theme
        Colours.

    Returns
    -------
    PIL.Image.Image
        An RGB image, ``width * pixel_ratio`` pixels wide.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    check_ratio(pixel_ratio)
    if width < 200:
        raise ValueError(f"width={width!r}: at least 200 pixels are taken")
    colours = LIGHT if theme == "light" else DARK
    columns = max(1, min(len(panels), (width + GAP) // (narrowest + GAP)))
    rows = -(-len(panels) // columns)
    size = round(width * pixel_ratio), max(1, round(rows * height * pixel_ratio))
    paper = Paper(size, colours.surface, pixel_ratio)
    wide = (width - GAP * (columns - 1)) / columns
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        left, top = column * (wide + GAP), row * height
        _Drawing(paper, panel, (left, top, wide, height), pixel_ratio, colours, theme).draw()
    return paper.image


class _Drawing:
    """One panel on the picture."""

    def __init__(
        self,
        paper: Paper,
        panel: Panel,
        box: tuple[float, float, float, float],
        ratio: float,
        theme: Theme,
        name: str,
    ) -> None:
        self.paper, self.panel, self.ratio, self.theme = paper, panel, ratio, theme
        self.colours = CURVES[name]
        left, top, width, height = box
        self.left, self.top = round((left + LEFT) * ratio), round((top + TOP) * ratio)
        self.wide = max(20, round((width - LEFT - RIGHT) * ratio))
        self.tall = max(20, round((height - TOP - BOTTOM) * ratio))
        self.hair = max(1, round(ratio))

    def draw(self) -> None:
        """Draw grid, marks, curves and words."""
        self._axes()
        self._marks()
        for line in self.panel.lines:
            self._line(line)
        self._key()

    def _across(self, step: float) -> float:
        low, high = self.panel.steps
        return self.left + (step - low) / (high - low) * self.wide

    def _down(self, values: Float64) -> Float64:
        """Return pixels from the top of the drawing."""
        low, high = self.panel.values
        if self.panel.log:
            with np.errstate(all="ignore"):
                values = np.log10(values)
            low, high = np.log10(low), np.log10(high)
        return (high - values) / (high - low) * self.tall

    def _axes(self) -> None:
        panel = self.panel
        if panel.log:
            up = [(value, format_number(value)) for value in log_ticks(panel.values, 4)]
        else:
            up = ticks(panel.values, 4)
        for value, text in up:
            at = self.top + round(float(self._down(np.array(value))))
            self._bar(self.left, at, self.wide, self.hair, self.theme.zero)
            self._write(text, self.left - 6 * self.ratio, at, "rm")
        for value, _ in ticks(panel.steps, max(2, self.wide / self.ratio / 90)):
            if value == round(value):
                below = self.top + self.tall + 5 * self.ratio
                self._write(f"{value:,.0f}", self._across(value), below, "ma")

    def _marks(self) -> None:
        free = -np.inf
        for step, text in self.panel.marks:
            if not self.panel.steps[0] <= step <= self.panel.steps[1]:
                continue
            at = round(self._across(step))
            dash = max(2, round(3 * self.ratio))
            for top in range(self.top, self.top + self.tall, 2 * dash):
                self._bar(at, top, self.hair, dash, self.theme.ghost)
            length = font_of(SMALL * self.ratio).getlength(readable(text))
            start = at + 3 * self.ratio
            if start >= free and start + length <= self.left + self.wide:
                self._write(text, start, self.top + 2 * self.ratio, "la")
                free = start + length + 6 * self.ratio

    def _line(self, line: Line) -> None:
        per_pixel = max(2, round(4 / self.ratio))
        low, high = self.panel.steps
        x = low + (high - low) * (np.arange(self.wide * per_pixel) + 0.5) / (self.wide * per_pixel)
        steps, values = line.steps.astype(np.float64), line.values
        if not len(steps):
            return
        with np.errstate(invalid="ignore"):
            heights = self._down(values)
        y = np.interp(x, steps, heights, np.nan, np.nan)
        # Between two points of a steep curve there may be no x: what lies there is drawn too.
        place = np.clip(
            np.floor((steps - low) / (high - low) * len(x)).astype(np.int64), -1, len(x)
        )
        inside = (place >= 0) & (place < len(x))
        y[place[inside]] = heights[inside]
        if np.isnan(y).all():
            return
        thick = (THIN if line.thin else LINE) * self.ratio
        cover = stroke(y[None], per_pixel, self.tall, thick / 2)[0]
        if line.faint:
            cover = np.rint(cover * FAINT).astype(np.uint8)
        colour = self.colours[line.colour % len(self.colours)]
        self.paper.image.paste(colour, (self.left, self.top), Image.fromarray(cover))
        if self.paper.vectors is not None:
            points = np.stack(
                [self.left + (steps - low) / (high - low) * self.wide, self.top + heights], axis=1
            )
            share = FAINT if line.faint else 1.0
            with self.paper.vectors.within((self.left, self.top, self.wide, self.tall)):
                self.paper.vectors.curve(points, colour, thick, opacity=share)
        if len(steps) <= FEW and not line.faint and not line.thin:
            at = self.left + (steps - low) / (high - low) * self.wide
            for across, down in zip(at[inside], self.top + heights[inside], strict=True):
                if np.isfinite(down):
                    self._dot(across, down, colour)

    def _dot(self, x: float, y: float, colour: Colour) -> None:
        size = DOT * self.ratio
        self.paper.ellipse((x - size, y - size, x + size, y + size), colour)

    def _key(self) -> None:
        x, y = self.left - 38 * self.ratio, self.top - 9 * self.ratio
        x = self._word(self.panel.title, x, y, self.theme.ink, TEXT) + 10 * self.ratio
        for line in self.panel.lines:
            if not line.name:
                continue
            colour = self.colours[line.colour % len(self.colours)]
            name = "" if line.name == self.panel.title else f"{line.name} "
            length = font_of(SMALL * self.ratio).getlength(readable(name + line.latest))
            if x + 16 * self.ratio + length > self.left + self.wide:
                return
            thick = max(2, round(2 * self.ratio))
            self._bar(round(x), round(y - 4 * self.ratio), round(10 * self.ratio), thick, colour)
            x = self._word(name, x + 14 * self.ratio, y, self.theme.muted, SMALL)
            x = self._word(line.latest, x, y, self.theme.ink, SMALL) + 10 * self.ratio

    def _word(self, text: str, x: float, y: float, colour: Colour, size: int) -> float:
        return x + self.paper.write(text, (x, y), colour, size)

    def _write(self, text: str, x: float, y: float, anchor: str) -> None:
        self.paper.write(text, (x, y), self.theme.muted, SMALL, anchor)

    def _bar(self, left: int, top: int, width: int, height: int, colour: Colour) -> None:
        self.paper.rectangle((left, top, left + width - 1, top + height - 1), colour)
