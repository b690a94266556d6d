"""Pixels of an SVG that the drawing code made."""

from __future__ import annotations

import io
import pathlib
import re
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

_FONTS = pathlib.Path(__file__).parent / "font"
FONT_FILES = [str(_FONTS / f"kan-widgets-{weight}.otf") for weight in (400, 600)]


_MOST_PIXELS = 100e6
_APART = 6  # levels in one channel
_SIZE = re.compile(r' (?:width|height)="([\d.]+)"')


@cache
def _known() -> frozenset[str]:
    """Return the characters of the package's font, as its builder wrote them down beside it."""
    return frozenset((_FONTS / "characters.txt").read_text(encoding="utf-8"))


def _foreign(svg: str) -> bool:
    return not (set(svg) - {"\n"} <= _known())


def png_of(svg: str, pixel_ratio: float) -> bytes:
    """Return a PNG of ``pixel_ratio`` pixels per CSS pixel, written in the package's own font.

    Raises
    ------
    ValueError
        If ``pixel_ratio`` is not positive, or it would have more than 100 million pixels.
    ImportError
        If resvg-py is not installed.
    """
    if not pixel_ratio > 0:
        raise ValueError(f"expected a positive pixel_ratio, got {pixel_ratio!r}")
    width, height = (float(size) for size in _SIZE.findall(svg[: svg.index(">")]))
    pixels = width * height * pixel_ratio**2
    if pixels > _MOST_PIXELS:
        raise ValueError(
            f"expected a picture of at most 100 million pixels, got {width:g} × {height:g} at "
            f"pixel_ratio={pixel_ratio:g}, {pixels / 1e6:.0f} million: give a smaller width, "
            "max_height or pixel_ratio"
        )
    try:
        import resvg_py
    except ImportError as error:
        raise ImportError(
            "PNGs are made by resvg-py, which is not installed: pip install resvg-py"
        ) from error
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            zoom=pixel_ratio,
            font_files=FONT_FILES,
            # Looking through a machine's fonts takes longer than drawing: only for what ours lacks.
            skip_system_fonts=not _foreign(svg),
        )
    )


def image_of(svg: str, pixel_ratio: float) -> Image.Image:
    """Return a picture of ``pixel_ratio`` pixels per CSS pixel."""
    image = Image.open(io.BytesIO(png_of(svg, pixel_ratio)))
    image.load()
    return image.convert("RGB")


def few_colours(image: Image.Image, most: int = 64) -> Image.Image:
    """Return the image in its commonest colours that can be told apart, and so in a small file.

    A palette that is found by spread alone would shift the paper's own colours.
    """
    counted: list[tuple[int, Any]] = image.convert("RGB").getcolors(1 << 24) or []
    kept = np.empty((0, 3), dtype=np.int64)
    for _, colour in sorted(counted, key=lambda found: (-found[0], found[1])):
        if np.abs(kept - np.array(colour)).max(axis=1).min(initial=256) > _APART:
            kept = np.vstack([kept, np.array(colour)])
        if len(kept) == most:
            break
    palette = Image.new("P", (1, 1))
    filled = np.vstack([kept, np.repeat(kept[:1], 256 - len(kept), axis=0)])
    palette.putpalette(filled.astype(np.uint8).tobytes())
    small = image.quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB")
    small.info.update(image.info)
    return small
