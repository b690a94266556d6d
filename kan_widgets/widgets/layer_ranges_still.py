"""The still picture of LayerRanges, for pages without a browser.

Lengths are CSS pixels where nothing else is said; the picture is the live view's without the
curves over time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from PIL import Image

from kan_widgets.insight import Spread
from kan_widgets.widgets.curves import log_ticks
from kan_widgets.widgets.fonts import font_of, readable
from kan_widgets.widgets.paper import Paper, check_ratio
from kan_widgets.widgets.range_figures import (
    DOTS_FROM,
    DOTS_TO,
    GRID_AT,
    HIGH,
    LOW,
    NAME_AT,
    ROW,
    SEEN_AT,
    range_axis,
    short,
    strip,
)
from kan_widgets.widgets.range_rows import Row, any_seen, aside, cells, heads, verdict
from kan_widgets.widgets.ranges import format_number
from kan_widgets.widgets.sheet import DARK, LIGHT, Colour

PAD, TOP, HEAD, FOOT = 12, 8, 40, 26
_TITLE, _TEXT, _SMALL = 12, 11, 10
_LEAST_WIDTH = 500
# Those of js/src/layer_ranges/style.css: quartiles, the inputs seen, base, splines.
_EXTRA: dict[str, dict[str, Colour]] = {
    "light": {
        "box": (197, 203, 210),
        "seen": (0, 121, 88),
        "seen_box": (160, 216, 197),
        "base": (230, 159, 0),
        "splines": (0, 114, 178),
        "row": (247, 248, 249),
    },
    "dark": {
        "box": (84, 92, 102),
        "seen": (79, 201, 160),
        "seen_box": (32, 92, 72),
        "base": (230, 159, 0),
        "splines": (86, 180, 233),
        "row": (28, 31, 36),
    },
}


def render(
    rows: Sequence[Row],
    *,
    step: int,
    threshold: float,
    width: int = 900,
    theme: Literal["light", "dark"] = "light",
    pixel_ratio: float = 2,
) -> Image.Image:
    """Draw the ranges of each layer with the table beside them, or below where there is no room.

    Raises
    ------
    ValueError
        If ``width`` or ``pixel_ratio`` is out of range.
    """
    check_ratio(pixel_ratio)
    if not width >= _LEAST_WIDTH:
        raise ValueError(f"width={width!r}: at least {_LEAST_WIDTH} pixels are taken")
    return _Drawing(rows, step, threshold, width, theme, pixel_ratio).image


class _Drawing:
    def __init__(
        self,
        rows: Sequence[Row],
        step: int,
        threshold: float,
        width: int,
        theme: Literal["light", "dark"],
        ratio: float,
    ) -> None:
        self.rows, self.ratio = rows, ratio
        self.colours = DARK if theme == "dark" else LIGHT
        self.extra = _EXTRA[theme]
        beside = width >= 820
        table_left = PAD + round((width - 2 * PAD) * 0.42) if beside else PAD
        words = self._wrap(verdict(rows), width - 2 * PAD)
        seen = any(row.summary.observed is not None for row in rows)
        top = TOP + 18 * (2 + len(words)) + 4
        plot = HEAD + ROW * len(rows) + FOOT
        height = top + plot + (0 if beside else HEAD + ROW * len(rows) + 8)
        size = round(width * ratio), round(height * ratio)
        self.paper = Paper(size, self.colours.surface, ratio)
        self.image = self.paper.image
        self._text(PAD, TOP + 12, "Ranges of functions", _TITLE, strong=True)
        x = PAD + self._length("Ranges of functions", _TITLE) + 10
        self._text(x, TOP + 12, f"step {step:,} · SiLU-shaped: R² ≥ {threshold:g}", _TITLE)
        self._legend(TOP + 30, seen, width)
        for k, line in enumerate(words):
            self._text(PAD, TOP + 48 + 18 * k, line, _TEXT)
        self._plot(top, PAD, (table_left - 14 if beside else width - PAD) - PAD)
        self._table(top if beside else top + plot, table_left, width - PAD, not beside)

    # -- the plot ---------------------------------------------------------------------

    def _plot(self, top: float, left: float, width: float) -> None:
        axis = range_axis(self.rows)

        def across(value: float) -> float:
            share = math.log(max(value, 1e-300) / axis[0]) / math.log(axis[1] / axis[0])
            return left + width * min(max(share, 0.0), 1.0)

        self._text(left, top + 22, "range of φ (max − min)", _TEXT)
        self._stripes(top + HEAD, left, width)
        bottom = top + HEAD + ROW * len(self.rows)
        for tick in log_ticks(axis, 6):
            self._line(across(tick), top + HEAD, across(tick), bottom, self.colours.zero, 1)
            label = format_number(tick)
            # The axis begins near the edge of the picture, which would cut the label.
            middle = max(across(tick), self._length(label, _SMALL) / 2 + 2)
            self._text(middle, bottom + 14, label, _SMALL, "ms")
        for k, row in enumerate(self.rows):
            y = top + HEAD + ROW * k
            self._start(row.summary.started, across, y)
            self._box(row.summary.grid, across, y + ROW * GRID_AT, "box", self.colours.ink)
            self._box(row.summary.observed, across, y + ROW * SEEN_AT, "seen_box", None)
            heights = strip(row.dots, axis)
            for value, at in zip(row.dots, heights, strict=True):
                if axis[0] <= value <= axis[1]:
                    self._dot(across(value), y + ROW * (DOTS_FROM + (DOTS_TO - DOTS_FROM) * at))
            name = short(row.layout.name or row.layout.type)
            self._text(left + 2, y + ROW * NAME_AT + 4, name, _TEXT, strong=True)

    def _start(self, spread: Spread | None, across: object, y: float) -> None:
        if spread is None or not spread.median > 0 or not callable(across):
            return
        x, place = across(spread.median), LOW
        while place < HIGH:
            self._line(x, y + ROW * place, x, y + ROW * (place + 0.06), self.colours.ghost, 1)
            place += 0.11

    def _box(
        self, spread: Spread | None, across: object, y: float, name: str, ink: Colour | None
    ) -> None:
        if spread is None or not spread.high > 0 or not callable(across):
            return
        colour = ink or self.extra["seen"]
        self._rectangle(
            across(spread.lower), y - 3.5, across(spread.upper), y + 3.5, self.extra[name]
        )
        self._line(across(spread.low), y, across(spread.high), y, colour, 1)
        if spread.median > 0:
            x = across(spread.median)
            self._rectangle(x - 1.2, y - 5, x + 1.2, y + 5, colour)

    # -- the table --------------------------------------------------------------------

    def _table(self, top: float, left: float, right: float, named: bool) -> None:
        seen = any_seen(self.rows)
        titles = heads(seen=seen)
        first = 110 if named else 0
        pitch = (right - left - first) / len(titles)
        self._stripes(top + HEAD, left, right - left)
        for k, lines in enumerate(titles):
            x = left + first + pitch * (k + 1) - 4
            for n, (line, size) in enumerate(zip(lines, (_SMALL, 8), strict=True)):
                self._text(x, top + 20 + 13 * n, line, size, "rs", strong=n == 0)
        for k, row in enumerate(self.rows):
            y = top + HEAD + ROW * k
            if named:
                self._text(left + 2, y + 18, short(row.layout.name or row.layout.type, 18), _SMALL)
            note = aside(row)
            if note:
                self._text(left + 2, y + ROW - 5, note, 9, colour=self.colours.warn)
            for n, lines in enumerate(cells(row, seen=seen)):
                x = left + first + pitch * (n + 1) - 4
                for m, line in enumerate(lines):
                    self._text(x, y + 21 + 15 * m, line, _SMALL, "rs", strong=m == 0)
                if n == 1 and row.summary.spline_share is not None:
                    self._share(row.summary.spline_share, x - pitch + 14, y + 29, pitch - 14)

    def _share(self, share: float, x: float, y: float, width: float) -> None:
        middle = x + width * (1 - share)
        self._rectangle(x, y, middle, y + 6, self.extra["base"])
        self._rectangle(middle, y, x + width, y + 6, self.extra["splines"])

    # -- signs ------------------------------------------------------------------------

    def _legend(self, y: float, seen: bool, width: float) -> None:
        x = float(PAD)
        entries: list[tuple[str, str]] = [("dot", "one φ"), ("box", "quartiles, on the grid")]
        entries.append(("seen", "over the inputs seen") if seen else ("", "no batch observed yet"))
        entries += [("start", "median at the start"), ("base", "base"), ("splines", "splines")]
        for sign, text in entries:
            if x + 18 + self._length(text, _TEXT) > width - PAD:
                break
            if sign == "dot":
                self._dot(x + 6, y - 4)
            elif sign in ("base", "splines"):
                self._rectangle(x, y - 8, x + 12, y - 1, self.extra[sign])
            elif sign == "start":
                for k in range(3):
                    self._line(x + 6, y - 10 + 4 * k, x + 6, y - 8 + 4 * k, self.colours.ghost, 1)
            elif sign:
                ink = self.colours.ink if sign == "box" else self.extra["seen"]
                fill = self.extra["box" if sign == "box" else "seen_box"]
                self._rectangle(x, y - 8, x + 14, y - 1, fill)
                self._rectangle(x + 6, y - 9, x + 8, y, ink)
            x += 19 if sign else 0
            self._text(x, y, text, _TEXT)
            x += self._length(text, _TEXT) + 14

    def _stripes(self, top: float, left: float, width: float) -> None:
        for k in range(1, len(self.rows), 2):
            y = top + ROW * k
            self._rectangle(left, y, left + width, y + ROW, self.extra["row"])

    def _dot(self, x: float, y: float) -> None:
        radius = 1.7 * self.ratio
        x, y = x * self.ratio, y * self.ratio
        grey = self.colours.muted
        self.paper.ellipse((x - radius, y - radius, x + radius, y + radius), fill=grey)

    def _line(
        self, x1: float, y1: float, x2: float, y2: float, colour: Colour, width: float
    ) -> None:
        ends = tuple(v * self.ratio for v in (x1, y1, x2, y2))
        self.paper.line(ends, fill=colour, width=max(1, round(width * self.ratio)))

    def _rectangle(self, x1: float, y1: float, x2: float, y2: float, colour: Colour) -> None:
        left, top, right, bottom = (round(v * self.ratio) for v in (x1, y1, x2, y2))
        if right > left and bottom > top:
            self.paper.rectangle((left, top, right - 1, bottom - 1), fill=colour)

    def _text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        anchor: str = "ls",
        strong: bool = False,
        colour: Colour | None = None,
    ) -> None:
        fill = colour or (self.colours.ink if strong else self.colours.muted)
        self.paper.write(text, (x * self.ratio, y * self.ratio), fill, size, anchor)

    def _length(self, text: str, size: float) -> float:
        return float(font_of(size * self.ratio).getlength(readable(text))) / self.ratio

    def _wrap(self, text: str, width: float) -> list[str]:
        lines: list[str] = []
        for word in text.split():
            if lines and self._length(f"{lines[-1]} {word}", _TEXT) <= width:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        return lines
