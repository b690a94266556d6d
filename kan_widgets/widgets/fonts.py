"""The font of stills, and what stands for the characters that it lacks."""

from __future__ import annotations

import unicodedata
from functools import cache

from PIL import ImageFont

# The font that comes with Pillow has Latin letters and ± · … only.
SPELLED = {"−": "-", "–": "-", "—": "-", "×": "x", "→": "->", "∞": "inf", "∘": "of", "≥": ">="}
_SIZE = 10


@cache
def font_of(size: float) -> ImageFont.FreeTypeFont:
    """Return the font that comes with Pillow, at a size in pixels."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("this Pillow was built without FreeType; install one of its wheels")
    return font


def readable(text: str) -> str:
    """Return a text in characters that the font has."""
    return "".join(map(_spelled, text))


@cache
def _spelled(character: str) -> str:
    """Return a character, or what stands for it: its Latin base, the name of a Greek letter, ?."""
    if character in SPELLED:
        return SPELLED[character]
    font = font_of(_SIZE)
    if character.isspace() or bytes(font.getmask(character)) != bytes(font.getmask("\uffff")):
        return character
    greek = unicodedata.name(character, "").partition("GREEK SMALL LETTER ")[2]
    bare = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return greek.lower() or bare or "?"
