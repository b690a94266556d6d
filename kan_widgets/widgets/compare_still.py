"""The still picture of a comparison: kernels beside each other, curves, and numbers below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PIL import Image

from kan_widgets.widgets import comparison
from kan_widgets.widgets.chart_still import CURVES
from kan_widgets.widgets.comparison import Numbers
from kan_widgets.widgets.fonts import font_of, readable
from kan_widgets.widgets.paper import Paper
from kan_widgets.widgets.rasters import few_colours
from kan_widgets.widgets.sheet import DARK, LIGHT, Colour, Theme

PAD, GAP, LINE, TEXT = 8, 16, 20, 12
HEADING, SWATCH = 24, 11
NARROWEST = 280
LABEL, WIDEST = 150, 760


def column(width: int, count: int) -> int:
    """Return the width of one model's kernels, in CSS pixels."""
    columns = _columns(width, count)
    return (width - GAP * (columns - 1)) // columns


def render(
    models: Sequence[Numbers],
    kernels: Sequence[Image.Image],
    curves: Image.Image | None,
    *,
    width: int,
    pixel_ratio: float,
    theme: Literal["light", "dark"],
) -> Image.Image:
    """Put the pictures of several models together, and write their numbers below.

    Parameters
    ----------
    models
        The numbers of each.
    kernels
        A picture of each, ``column(width, len(models))`` wide.
    curves
        As wide as the whole; none where nothing was logged.
    width
        CSS pixels.
    pixel_ratio
        Picture pixels per CSS pixel, of the pictures too.
    theme
        Colours, of the pictures too.

    Returns
    -------
    PIL.Image.Image
        An RGB image, ``width * pixel_ratio`` pixels wide.
    """
    writing = _Writing(width, pixel_ratio, LIGHT if theme == "light" else DARK, CURVES[theme])
    columns = _columns(width, len(models))
    rows = [range(k, min(k + columns, len(models))) for k in range(0, len(models), columns)]
    tallest = [max(kernels[k].height for k in row) for row in rows]
    height = sum(tallest) / pixel_ratio + HEADING * len(rows)
    height += 0 if curves is None else curves.height / pixel_ratio
    height += writing.numbers(models, height, None)
    size = round(width * pixel_ratio), round(height * pixel_ratio)
    paper = Paper(size, writing.theme.surface, pixel_ratio)
    top = 0.0
    for row, high in zip(rows, tallest, strict=True):
        for place, k in enumerate(row):
            left = place * (column(width, len(models)) + GAP)
            writing.name(paper, models[k].name, k, left + PAD, top + HEADING - 7)
            at = round(left * pixel_ratio), round((top + HEADING) * pixel_ratio)
            paper.still(kernels[k], at)
        top += HEADING + high / pixel_ratio
    if curves is not None:
        paper.still(curves, (0, round(top * pixel_ratio)))
        top += curves.height / pixel_ratio
    writing.numbers(models, top, paper)
    return few_colours(paper.image)


def _powers(text: str) -> str:
    # The font that comes with Pillow has no superscripts.
    return text.replace("²", "^2")


def _columns(width: int, count: int) -> int:
    return max(1, min(count, (width + GAP) // (NARROWEST + GAP)))


class _Writing:
    """Words at places in CSS pixels."""

    def __init__(self, width: int, ratio: float, theme: Theme, colours: list[Colour]) -> None:
        self.width, self.ratio, self.theme, self.colours = width, ratio, theme, colours
        self.font = font_of(TEXT * ratio)

    def numbers(self, models: Sequence[Numbers], top: float, paper: Paper | None) -> float:
        """Write hints, table and layers, and return how high they are; without paper only that."""
        y = top + PAD
        for hint in comparison.hints(models):
            for line in self._wrapped(hint, self.width - 2 * PAD):
                y += LINE
                self._write(paper, line, PAD, y, self.theme.warn)
        right = min(self.width, WIDEST) - PAD
        room = (right - PAD - LABEL) / len(models)
        y += LINE
        for k, model in enumerate(models):
            end = right - room * (len(models) - 1 - k)
            shown = self._fitting(model.name, room - 30)
            self.name(paper, shown, k, end - SWATCH - 6 - self._length(shown), y)
        for row in comparison.rows(models):
            self._rule(paper, y + 6, right)
            y += LINE
            self._write(paper, row.label, PAD, y, self.theme.muted)
            for k, value in enumerate(row.values):
                end = right - room * (len(models) - 1 - k)
                shown = self._fitting(value, room - 12)
                self._write(paper, shown, end - self._length(shown), y, self.theme.ink)
        if note := comparison.data_sources(models):
            for line in self._wrapped(note, self.width - 2 * PAD):
                y += LINE
                self._write(paper, line, PAD, y, self.theme.muted)
        y += PAD
        for k, model in enumerate(models):
            y += LINE
            self.name(paper, model.name, k, PAD, y)
            start = PAD + SWATCH + 18 + self._length(model.name)
            self._write(paper, comparison.summary(model.growth), start, y, self.theme.muted)
            for name, _, formula, parameters in comparison.layer_words(model.growth):
                y += LINE
                words = f"{name}   {formula}"
                words += f" = {parameters}" if formula != parameters else ""
                words = self._fitting(words, self.width - 3 * PAD - SWATCH)
                self._write(paper, words, PAD + SWATCH + 6, y, self.theme.ink)
        return y + PAD - top

    def name(self, paper: Paper | None, name: str, number: int, x: float, y: float) -> None:
        """Write a model's name behind its colour."""
        if paper is not None:
            box = (x, y - SWATCH + 1, x + SWATCH, y + 1)
            paper.rectangle([round(side * self.ratio) for side in box], self.colours[number])
        self._write(paper, name, x + SWATCH + 6, y, self.theme.ink)

    def _write(self, paper: Paper | None, text: str, x: float, y: float, colour: Colour) -> None:
        if paper is not None:
            paper.write(_powers(text), (x * self.ratio, y * self.ratio), colour, TEXT)

    def _rule(self, paper: Paper | None, y: float, right: float) -> None:
        if paper is not None:
            thick = max(1, round(self.ratio)) - 1
            line = [round(side * self.ratio) for side in (PAD, y, right, y)]
            paper.rectangle([*line[:3], line[3] + thick], self.theme.zero)

    def _length(self, text: str) -> float:
        return float(self.font.getlength(readable(_powers(text)))) / self.ratio

    def _fitting(self, text: str, room: float) -> str:
        """Return as much of a text as there is room for."""
        if self._length(text) <= room:
            return text
        while text and self._length(text + "…") > room:
            text = text[:-1]
        return text + "…"

    def _wrapped(self, text: str, room: float) -> list[str]:
        lines = [""]
        for word in text.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and self._length(longer) > room:
                lines.append(word)
            else:
                lines[-1] = longer
        return lines
