"""The still picture of Explain, for pages without a browser.

Lengths are CSS pixels where nothing else is said; colours and words are those of
``js/src/explain``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from kan_widgets.insight import Explanation
from kan_widgets.widgets.explained import Part
from kan_widgets.widgets.geometry import PAD
from kan_widgets.widgets.heat_sheet import HeatSheet, Page
from kan_widgets.widgets.palette import ARM, palette
from kan_widgets.widgets.paper import check_ratio
from kan_widgets.widgets.ranges import format_number
from kan_widgets.widgets.sheet import LABEL_SIZE, TITLE_SIZE, Bytes, Float64, Sign

LARGEST_PICTURE = 190
GAP, LABEL, BAR, LINE = 16, 15, 15, 16
VALUE_WIDTH, NAME_SHARE = 52, 0.42
MORE = {"light": (196, 106, 28), "dark": (232, 163, 92)}
LESS = {"light": (47, 116, 181), "dark": (106, 174, 240)}
# How far the greys of an image under a map stand out from the page.
FAINT = 0.3
GROUND = {"light": 255, "dark": 32}


def title_of(found: Explanation, step: int) -> list[Sign]:
    """Return what is explained, in words."""
    highest = "the highest" if found.target == found.predicted else f"highest is {found.predicted}"
    return [
        Sign("Explain", strong=True),
        Sign(f"class {found.target}"),
        Sign(f"score {format_number(found.score)}, {highest}"),
        Sign(f"step {step:,}"),
    ]


def render(
    image: Float64,
    parts: Sequence[Part],
    *,
    title: list[Sign],
    notes: Sequence[str],
    target: int,
    selection: Mapping[str, Any] | None,
    top: int,
    theme: str,
    width: int,
    max_height: int,
    pixel_ratio: float,
) -> Image.Image:
    """Draw an image, and for each layer a map over it and the largest shares.

    Parameters
    ----------
    image
        ``(channels, height, width)``; anything else has no maps.
    parts
        From the last layer to the first; those that do not fit ``max_height`` are left out.
    top
        How many shares have a bar, if there is room beside the map.

    The others are the traits of the view and the options of its ``image``.

    Raises
    ------
    ValueError
        If ``pixel_ratio`` is not between 0.25 and 16.
    """
    check_ratio(pixel_ratio)
    pictured = image.ndim == 3
    side = min(LARGEST_PICTURE, (width - 4 * PAD) // 4) if pictured else 0
    page = Page(width, theme, pixel_ratio)
    high = side * image.shape[1] / image.shape[2] if pictured else 0
    block = max(LABEL + high + 40, 170)
    most = max(1, int((max_height - 60) // (block + 2 * LINE)))
    shown = list(parts[:most])
    legend = [Sign(note) for note in notes]
    if len(shown) < len(parts):
        legend.append(Sign(f"{len(shown)} of {len(parts)} layers are shown"))
    if pictured and any(part.total is not None for part in shown):
        legend.append(Sign("below zero … above, over the image", "bar"))
    rows = int((block - 40) // BAR)
    heights = [block + LINE * len(_lines(part.sentence, width)) for part in shown]
    sheet = page.open(title, legend, round(sum(heights)) + PAD)
    top_of = float(page.top)
    greys = _greys(image) if pictured else None
    for number, (part, height) in enumerate(zip(shown, heights, strict=True)):
        y = top_of + 14
        for line in _lines(part.sentence, width):
            sheet._write(line, PAD, y, TITLE_SIZE)
            y += LINE
        left = float(PAD)
        chosen = part.number(selection, target)
        if greys is not None:
            _pictures(page, sheet, greys, part, chosen, number == 0, y, side)
            left += 2 * (side + GAP)
        _bars(sheet, part, chosen, min(top, rows), left, y, width - PAD - left, theme)
        top_of += height
    return sheet.image


def _lines(text: str, width: int) -> list[str]:
    """Break a sentence where a line is full, by the mean advance of a character."""
    room = max(20, int((width - 2 * PAD) / 6.2))
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _pictures(
    page: Page,
    sheet: HeatSheet,
    greys: Bytes,
    part: Part,
    chosen: int,
    first: bool,
    y: float,
    side: float,
) -> None:
    """Draw two pictures: the image or the whole map, and one map, or the whole."""
    pictures: list[tuple[str, Bytes, float]] = []
    if first:
        pictures.append(("image", greys, 0.0))
    maps = [] if part.total is None else [(part.total, _whole(part))]
    if part.total is not None and (chosen >= 0 or not first):
        one = chosen if chosen >= 0 else part.order()[0]
        maps.append(_map(part, one, "" if chosen >= 0 else "largest: "))
    for values, words in maps[len(pictures) - 2 :]:
        most = float(np.abs(values).max(initial=0.0))
        pictures.append((f"{part.layer}, {words}", overlay(greys, values, most, page.theme), most))
    high = side * greys.shape[0] / greys.shape[1]
    for column, (words, picture, most) in enumerate(pictures):
        x = PAD + column * (side + GAP)
        sheet._write(_fitting(sheet, words, side), x, y + 9, LABEL_SIZE)
        page.paste(sheet, picture, x, y + LABEL, side, high)
        if most > 0:
            sheet._write(f"±{format_number(most)}", x, y + LABEL + high + 14, LABEL_SIZE)


def _whole(part: Part) -> str:
    return "all kernels" if part.kind == "kernels" else "all channels"


def _map(part: Part, number: int, before: str) -> tuple[Float64, str]:
    """Return the map of a kernel, or of the channel that a function comes from."""
    if part.maps is not None:
        row, column = divmod(number, part.values.shape[1])
        return part.maps[row, column].astype(np.float64), before + part.name(number)
    assert part.places is not None
    channel = number // (part.places[1] * part.places[2])
    laid: Float64 = part.values.reshape(part.places)[channel]
    return laid, f"{before}channel {channel}"


def _greys(image: Float64) -> Bytes:
    """Return the image as bytes; three channels are red, green and blue, of others the first."""
    shown = image if len(image) == 3 else np.repeat(image[:1], 3, axis=0)
    low, high = float(image.min()), float(image.max())
    if not low < high:
        low, high = low - 1, low + 1
    share = np.clip(np.nan_to_num((shown - low) / (high - low)), 0, 1)
    greys: Bytes = np.rint(255 * share).astype(np.uint8).transpose(1, 2, 0)
    return greys


def overlay(greys: Bytes, values: Float64, most: float, theme: str) -> Bytes:
    """Return a map over an image, which shows through faintly where the map is near zero."""
    height, width = greys.shape[:2]
    rows = np.arange(height) * values.shape[0] // height
    columns = np.arange(width) * values.shape[1] // width
    share = values[rows][:, columns] / most if most > 0 else np.zeros((height, width))
    place = np.floor(ARM * np.clip(share, -1, 1) + 0.5).astype(np.int64)
    cover = (np.minimum(np.abs(place) / ARM, 1.0) ** 0.6)[..., None]
    ground = GROUND[theme] * (1 - FAINT) + greys * FAINT
    mixed: Bytes = np.rint(ground * (1 - cover) + palette(theme)[ARM + place] * cover).astype(
        np.uint8
    )
    return mixed


def _bars(
    sheet: HeatSheet,
    part: Part,
    chosen: int,
    count: int,
    x: float,
    y: float,
    width: float,
    theme: str,
) -> None:
    """Draw the largest shares, and what belongs to each beside it as a stroke."""
    values = part.values.ravel()
    numbers = part.order()[:count]
    if chosen >= 0 and chosen not in numbers:
        numbers[-1:] = [chosen]
    beside = None if part.beside is None else part.beside.ravel()
    if beside is not None:
        _box(sheet, x, y + 1, 1.5, 9, sheet.theme.ink)
        words = _fitting(sheet, part.beside_label, width - 7)
        sheet._write(words, x + 7, y + 9, LABEL_SIZE)
    known = values[numbers] if beside is None else np.append(values[numbers], beside[numbers])
    low, high = float(np.nanmin(known, initial=0.0)), float(np.nanmax(known, initial=0.0))
    name_width = min(160.0, NAME_SHARE * width)
    unit = (width - name_width - VALUE_WIDTH - 16) / (high - low or 1.0)
    middle = x + name_width + 8 - low * unit
    start = y + LABEL
    _box(sheet, middle - 0.5, start, 1, BAR * len(numbers) - 2, sheet.theme.zero)
    for line, number in enumerate(numbers):
        top = start + BAR * line
        value = float(values[number])
        length = unit * abs(value)
        colour = (LESS if value < 0 else MORE)[theme]
        _box(sheet, middle - length if value < 0 else middle, top + 2, length, 9, colour)
        if beside is not None and np.isfinite(beside[number]):
            at = middle + unit * float(beside[number])
            _box(sheet, at - 0.75, top + 1, 1.5, 11, sheet.theme.ink)
        name = _fitting(sheet, part.name(number), name_width)
        sheet._write(name, x, top + 10, LABEL_SIZE, strong=number == chosen)
        text = ("+" if value > 0 else "") + format_number(value)
        sheet._write(text, x + width, top + 10, LABEL_SIZE, "rs", strong=number == chosen)
        if number == chosen:
            ends = (x - 3, top, x + width + 3, top + BAR - 2)
            box = tuple(round(v * sheet.ratio) for v in ends)
            sheet.paper.rectangle(box, outline=sheet.theme.accent, width=sheet.hair)
    rest = len(values) - len(numbers)
    if rest:
        others = "1 other" if rest == 1 else f"{rest:,} others together"
        total = float(values.sum() - values[numbers].sum())
        text = f"{others} {'+' if total > 0 else ''}{format_number(total)}"
        words = _fitting(sheet, text, width)
        sheet._write(words, x, start + BAR * len(numbers) + 11, LABEL_SIZE)


def _fitting(sheet: HeatSheet, text: str, room: float) -> str:
    """Return a label, shortened where it would be wider than its place."""
    share = TITLE_SIZE / LABEL_SIZE
    if sheet._length(text) <= room * share:
        return text
    while text and sheet._length(f"{text}…") > room * share:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _box(sheet: HeatSheet, x: float, y: float, w: float, h: float, colour: Any) -> None:
    left, top = round(x * sheet.ratio), round(y * sheet.ratio)
    wide, high = max(1, round(w * sheet.ratio)), max(1, round(h * sheet.ratio))
    if w > 0:
        sheet._rectangle(left, top, wide, high, colour)
