"""What an SVG of the drawing code is made into: pixels, a PDF, and files."""

from __future__ import annotations

import io
import pathlib
import re
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from kan_widgets.checks import check_number

_FONTS = pathlib.Path(__file__).parent / "font"
FONT_FILES = [str(_FONTS / f"kan-widgets-{weight}.otf") for weight in (400, 600)]

_MAX_PIXELS = 100e6
# Of the pixels of an image: a colour of more is one of the paper, of a panel or of a band.
_AREA = 0.01
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
        If ``pixel_ratio`` is not 0.25 to 16, or it would have more than 100 million pixels.
    ImportError
        If resvg-py is not installed.
    """
    check_number("pixel_ratio", pixel_ratio, 0.25, 16)
    width, height = (float(size) for size in _SIZE.findall(svg[: svg.index(">")]))
    pixels = width * height * pixel_ratio**2
    if pixels > _MAX_PIXELS:
        raise ValueError(
            f"a picture of {width:g} × {height:g} at pixel_ratio={pixel_ratio:g}, "
            f"{pixels / 1e6:.0f} million pixels: expected at most 100 million; give a smaller "
            "width, max_height or pixel_ratio"
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


def png_bytes(image: Image.Image, *, soon: bool = False) -> bytes:
    """Return a PNG of 256 colours; ``soon`` takes half the time for 10 % more bytes."""
    # Maximum coverage keeps rare colours, such as a single cross; a median cut would lose them.
    image = image.convert("RGB")
    small = image.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small.putpalette(_with_common(image, small))
    target = io.BytesIO()
    dpi = image.info.get("dpi", (96, 96))
    small.save(target, "PNG", compress_level=6 if soon else 9, dpi=dpi)
    return target.getvalue()


def _with_common(image: Image.Image, small: Image.Image) -> bytes:
    """Return the palette found for an image, with the colours of whole areas as they are."""
    palette = np.array(small.getpalette(), dtype=np.uint8).reshape(-1, 3)
    indices = np.asarray(small)
    # A pixel as one number: red, green, blue and 255, a byte each.
    pixels = np.frombuffer(image.convert("RGBA").tobytes(), dtype="<u4")
    counted: list[tuple[int, Any]] = image.getcolors(1 << 16) or []  # 2²⁴ takes 0.1 s
    areas = [one for one in counted if one[0] > _AREA * indices.size]
    for _, colour in sorted(areas):  # the largest last, should two share an entry
        place = np.argmax(pixels == int.from_bytes(bytes([*colour, 255]), "little"))
        palette[indices.flat[place]] = colour
    return palette.tobytes()


def pdf_of(svg: str) -> bytes:
    """Return an SVG as a PDF of one page.

    Raises
    ------
    ImportError
        If CairoSVG is missing, or the system library that it draws with.
    """
    try:
        import cairosvg
    except (ImportError, OSError) as error:
        raise ImportError(
            "a PDF is made by CairoSVG, which could not be loaded: install it with "
            f"pip install cairosvg (and the system library cairo): {error}"
        ) from error
    made: bytes = cairosvg.svg2pdf(svg.encode())
    return made
