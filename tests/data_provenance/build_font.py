"""Make the font of all pictures, and its widths, from Inter 4.1.

Needs fonttools and brotli, and a folder with Inter-Regular.otf and Inter-SemiBold.otf (the
release at rsms.me/inter, or a distribution's package). Its result is committed; run this only
to change the characters::

    python tests/data_provenance/build_font.py FOLDER

Of each weight the subset is kept that the views write with. Digits are all of one width, so that
numbers do not move while they change, and there is no kerning, so that the width of a text is the
sum of its characters' widths wherever it is drawn. Signs that Inter lacks are drawn here.
"""

from __future__ import annotations

import json
import pathlib
import sys

from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

ROOT = pathlib.Path(__file__).parents[2]
LATIN = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x100)])).replace("\xad", "")
GREEK = "ΓΔΘΛΞΠΣΦΨΩαβγδεζηθικλμνξοπρστυφχψωϕ"
SIGNS = (
    "–—‘’“”•…′″‹›←↑→↓↻∂∆∏∑−√∞∫≈≠≤≥⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺₀₁₂₃₄₅₆₇₈₉½¼¾■▲▼●○▶✓"
    "\N{LATIN CAPITAL LIGATURE OE}\N{LATIN SMALL LIGATURE OE}"
)
WEIGHTS = {"Regular": 400, "SemiBold": 600}

# Box-drawing: from the middle of a cell to its left, right, top, bottom.
BOXES = {
    "─": "lr", "│": "tb", "┌": "rb", "┐": "lb", "└": "rt", "┘": "lt",
    "├": "rtb", "┤": "ltb", "┬": "lrb", "┴": "lrt", "┼": "lrtb",
}  # fmt: skip


def drawn(units: int) -> dict[str, tuple[int, list[list[tuple[int, int]]]]]:
    """Return width and outlines of the signs that Inter lacks."""
    cell, low, high, line = round(0.6 * units), round(-0.25 * units), round(0.95 * units), 90
    middle = (low + high) // 2
    found: dict[str, tuple[int, list[list[tuple[int, int]]]]] = {}

    def rectangle(x0: int, y0: int, x1: int, y1: int) -> list[tuple[int, int]]:
        return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]

    centre, half = cell // 2, line // 2
    arms = {
        "l": rectangle(0, middle - half, centre + half, middle + half),
        "r": rectangle(centre - half, middle - half, cell, middle + half),
        "t": rectangle(centre - half, middle - half, centre + half, high),
        "b": rectangle(centre - half, low, centre + half, middle + half),
    }
    for sign, sides in BOXES.items():
        found[sign] = cell, [arms[side] for side in sides]
    found["█"] = cell, [rectangle(0, low, cell, high)]
    dot = cell // 4
    for sign, every in (("░", 4), ("▒", 2)):
        found[sign] = (
            cell,
            [
                rectangle(x, y, x + dot // 2, y + dot // 2)
                for row, y in enumerate(range(low, high - dot // 2, dot // 2))
                for column, x in enumerate(range(0, cell - dot // 2 + 1, dot // 2))
                if (column + row * (1 if every == 2 else 2)) % every == 0
            ],
        )
    foot, top, wide, thick = round(-0.15 * units), round(0.8 * units), round(0.28 * units), 170
    tip = (foot + top) // 2
    left = [
        (60, tip), (wide - 20, foot), (wide - 20 + thick // 2, foot),
        (60 + thick, tip), (wide - 20 + thick // 2, top), (wide - 20, top),
    ]  # fmt: skip
    width = wide + 140
    found["⟨"] = width, [left]
    found["⟩"] = width, [[(width - x, y) for x, y in reversed(left)]]
    return found


def ring(pen: T2CharStringPen, x: int, y: int, radius: int, clockwise: bool) -> None:
    """Draw a circle of four curves."""
    k = round(0.5523 * radius)
    sign = -1 if clockwise else 1
    pen.moveTo((x + radius, y))
    pen.curveTo((x + radius, y + sign * k), (x + k, y + sign * radius), (x, y + sign * radius))
    pen.curveTo((x - k, y + sign * radius), (x - radius, y + sign * k), (x - radius, y))
    pen.curveTo((x - radius, y - sign * k), (x - k, y - sign * radius), (x, y - sign * radius))
    pen.curveTo((x + k, y - sign * radius), (x + radius, y - sign * k), (x + radius, y))
    pen.closePath()


def add(font: TTFont, sign: str, width: int, pen: T2CharStringPen) -> None:
    """Put a drawn sign into a font with PostScript outlines."""
    name = f"uni{ord(sign):04X}"
    top = font["CFF "].cff.topDictIndex[0]
    char = pen.getCharString(top.Private, font["CFF "].cff.GlobalSubrs)
    font.setGlyphOrder([*font.getGlyphOrder(), name])
    strings = top.CharStrings
    strings.charStringsIndex.append(char)
    strings.charStrings[name] = len(strings.charStringsIndex) - 1
    top.charset.append(name) if name not in top.charset else None
    font["hmtx"][name] = (width, 0)
    for table in font["cmap"].tables:
        if table.isUnicode():
            table.cmap[ord(sign)] = name


def build(source: pathlib.Path, name: str, weight: int) -> dict[str, int]:
    """Write one weight as OTF for Python and as WOFF2 for browsers; return its widths."""
    font = TTFont(source / f"Inter-{name}.otf")
    options = Options()
    options.layout_features = ["tnum"]
    options.hinting = False
    options.name_IDs = [0, 1, 2, 3, 4, 6, 13, 14]
    options.notdef_outline = True
    subsetter = Subsetter(options)
    subsetter.populate(text=LATIN + GREEK + SIGNS)
    subsetter.subset(font)
    swaps = {}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for part in lookup.SubTable:
            swaps |= getattr(getattr(part, "ExtSubTable", part), "mapping", {})
    for table in font["cmap"].tables:
        for code, glyph in list(table.cmap.items()):
            if chr(code) in "0123456789" and glyph in swaps:
                table.cmap[code] = swaps[glyph]
    del font["GSUB"]
    units = font["head"].unitsPerEm
    for sign, (width, outlines) in drawn(units).items():
        pen = T2CharStringPen(width, None)
        for outline in outlines:
            pen.moveTo(outline[0])
            for point in outline[1:]:
                pen.lineTo(point)
            pen.closePath()
        add(font, sign, width, pen)
    pen = T2CharStringPen(round(0.5 * units), None)
    middle, radius = round(0.36 * units), round(0.17 * units)
    ring(pen, round(0.25 * units), middle, radius, False)
    ring(pen, round(0.25 * units), middle, radius - (200 if weight == 600 else 150), True)
    add(font, "∘", round(0.5 * units), pen)
    for record in font["name"].names:
        if record.nameID in (1, 3, 4, 6):
            record.string = "kan-widgets" if record.nameID in (1, 6) else f"kan-widgets {name}"
    font["OS/2"].usWeightClass = weight
    font.recalcBBoxes = True
    font.save(ROOT / f"kan_widgets/widgets/font/kan-widgets-{weight}.otf")
    font.flavor = "woff2"
    font.save(ROOT / f"js/font/kan-widgets-{weight}.woff2")
    widths = font["hmtx"]
    return {
        chr(code): round(1000 * widths[glyph][0] / units)
        for code, glyph in sorted(font.getBestCmap().items())
    }


def main() -> None:
    """Build both weights."""
    found = {w: build(pathlib.Path(sys.argv[1]), name, w) for name, w in WEIGHTS.items()}
    signs = list(found[400])
    assert signs == list(found[600])
    beside = ROOT / "kan_widgets/widgets/font/characters.txt"
    beside.write_text("".join(signs), encoding="utf-8")
    widths = {f"widths{w}": [*found[w].values()] for w in WEIGHTS.values()}
    text = json.dumps({"characters": "".join(signs), **widths}, ensure_ascii=False, indent=2)
    # `npm --prefix js run format` then puts many numbers in a line.
    (ROOT / "js/src/scene/widths.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
