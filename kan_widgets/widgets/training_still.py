"""The still picture of a TrainingPanel: its numbers above its curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from PIL import Image

from kan_widgets.widgets.fonts import font_of, readable
from kan_widgets.widgets.paper import Paper
from kan_widgets.widgets.ranges import format_number
from kan_widgets.widgets.rasters import few_colours
from kan_widgets.widgets.sheet import DARK, LIGHT, Colour

PAD, LINE, TEXT = 8, 20, 12
RUNNING: dict[str, Colour] = {"light": (26, 127, 55), "dark": (79, 191, 103)}


def render(
    status: Mapping[str, Any],
    curves: Image.Image,
    *,
    pixel_ratio: float,
    theme: Literal["light", "dark"],
) -> Image.Image:
    """Put the numbers of a training above a picture of its curves.

    Parameters
    ----------
    status
        As `training_panel.status_of` gives it.
    curves
        In the same theme and at the same ``pixel_ratio``; as wide as the result.
    pixel_ratio
        Picture pixels per CSS pixel.
    theme
        Colours.

    Returns
    -------
    PIL.Image.Image
        An RGB image.
    """
    colours = LIGHT if theme == "light" else DARK
    font = font_of(TEXT * pixel_ratio)
    gap, pad = 16 * pixel_ratio, PAD * pixel_ratio
    lines: list[list[tuple[float, str]]] = [[]]
    x = pad + 16 * pixel_ratio
    for text in [str(status["state"]), *numbers(status)]:
        length = font.getlength(readable(text))
        if lines[-1] and x + length > curves.width - pad:
            lines.append([])
            x = pad
        lines[-1].append((x, text))
        x += length + gap
    message = str(status["message"] or status["fault"])
    recording = str(status.get("recording", ""))
    said = (recording, colours.muted), (message, colours.warn)
    notes = [(text, colour) for text, colour in said if text]
    top = round((2 * PAD + LINE * (len(lines) + len(notes)) + 4) * pixel_ratio)
    paper = Paper((curves.width, top + curves.height), colours.surface, pixel_ratio)
    y = (PAD + TEXT) * pixel_ratio
    dot = round(8 * pixel_ratio)
    middle = y - 4 * pixel_ratio
    box = (pad, middle - dot / 2, pad + dot, middle + dot / 2)
    paper.ellipse(box, _dot(str(status["state"]), theme))
    for number, line in enumerate(lines):
        for k, (left, text) in enumerate(line):
            colour = colours.ink if number == k == 0 else colours.muted
            paper.write(text, (left, y), colour, TEXT)
        y += LINE * pixel_ratio
    for text, colour in notes:
        paper.write(text, (pad, y), colour, TEXT)
        y += LINE * pixel_ratio
    if status["total"]:
        share = min(1.0, status["done"] / status["total"])
        bar = top - round(6 * pixel_ratio)
        thick = max(1, round(3 * pixel_ratio)) - 1
        right = curves.width - pad
        paper.rectangle((pad, bar, right, bar + thick), colours.outside)
        paper.rectangle((pad, bar, pad + share * (right - pad), bar + thick), colours.accent)
    paper.still(curves, (0, top))
    return few_colours(paper.image)


def numbers(status: Mapping[str, Any]) -> list[str]:
    """Return the numbers of a training in words.

    Examples
    --------
    >>> numbers({"step": 1250, "epoch": 2, "epochs": 3, "rate": 84.2, "elapsed": 75.0,
    ...          "remaining": 20.0, "share": 0.012, "source": "MNIST", "rates": [1e-3]})[:3]
    ['step 1,250', 'epoch 2 of 3', '84.2 steps/s']
    """
    found = [f"step {status['step']:,}"]
    if status["epoch"] is not None:
        of = f" of {status['epochs']}" if status["epochs"] else ""
        found.append(f"epoch {status['epoch']}{of}")
    if status["rate"] > 0:
        found.append(f"{format_number(status['rate'])} steps/s")
    if status["elapsed"] > 0:
        found.append(f"elapsed {duration(status['elapsed'])}")
    if status["remaining"] is not None:
        found.append(f"remaining {duration(status['remaining'])}")
    if status["rates"]:
        found.append(f"learning rate {', '.join(map(format_number, status['rates']))}")
    if status["share"] > 0:
        found.append(f"watching takes {format_number(100 * status['share'])} %")
    if status["source"]:
        found.append(str(status["source"]))
    return found


def duration(seconds: float) -> str:
    """Return a time as minutes and seconds, or hours.

    Examples
    --------
    >>> duration(7.4), duration(75), duration(3723)
    ('0:07', '1:15', '1:02:03')
    """
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02}"
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _dot(state: str, theme: Literal["light", "dark"]) -> Colour:
    colours = LIGHT if theme == "light" else DARK
    if state == "running":
        return RUNNING[theme]
    return colours.warn if state == "failed" else colours.ghost
