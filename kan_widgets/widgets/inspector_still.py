"""The still picture of SplineInspector, for pages without a browser.

Lengths are CSS pixels where nothing else is said; ``pixel_ratio`` turns them into pixels of
the image. Colours and words are those of ``js/src/spline_inspector``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kan_widgets.live.frame import Frame
from kan_widgets.live.layout import LayerLayout, Table
from kan_widgets.live.observe import Observation
from kan_widgets.widgets.fonts import font_of, readable
from kan_widgets.widgets.paper import Paper, check_ratio
from kan_widgets.widgets.ranges import format_number
from kan_widgets.widgets.sheet import DARK, LIGHT, Colour, Float64, Theme, stroke

Range: TypeAlias = tuple[float, float]

LEFT, RIGHT, TOP, BOTTOM, STRIP, GAP = 58, 10, 46, 34, 34, 3
EDGE = 8  # above the drawing, in the live view
TEXT, SMALL = 12, 10
_APART = 6  # levels in one channel
BASE: Colour = (230, 159, 0)
SPLINE: dict[str, Colour] = {"light": (0, 114, 178), "dark": (86, 180, 233)}
# Stops of viridis; on a light page without its palest end, on a dark one without its darkest.
STOPS = np.array(
    [
        [72, 21, 104],
        [69, 55, 129],
        [51, 99, 141],
        [38, 130, 142],
        [31, 158, 137],
        [74, 193, 109],
        [149, 216, 64],
        [220, 227, 25],
    ],
    dtype=np.float64,
)
PART: dict[str, Range] = {"light": (0.0, 0.78), "dark": (0.3, 1.0)}
PINS: dict[str, list[Colour]] = {
    "light": [
        (204, 121, 167),
        (0, 158, 115),
        (213, 94, 0),
        (86, 180, 233),
        (90, 70, 0),
        (122, 81, 149),
    ],
    "dark": [
        (227, 159, 196),
        (47, 199, 155),
        (240, 138, 69),
        (143, 208, 247),
        (240, 228, 66),
        (180, 138, 214),
    ],
}
# Dashed over φ, so they may be pins' colours too.
OVERLAYS: dict[str, list[Colour]] = {
    "light": [(213, 94, 0), (0, 158, 115), (204, 121, 167)],
    "dark": [(240, 138, 69), (47, 199, 155), (227, 159, 196)],
}


@dataclass(frozen=True)
class Terms:
    """One function of one frame, taken apart."""

    layer: LayerLayout
    number: int
    table: Table
    coefficients: Float64

    @classmethod
    def of(cls, frame: Frame, selection: Mapping[str, Any]) -> Terms:
        """Take the function that a selection names."""
        layer = frame.layout.layer(selection["layer"])
        index = tuple(int(selection[name]) for name in ("out", "in", "row", "column"))
        number = int(np.ravel_multi_index(index, layer.shape))
        group = 0 if layer.table_of is None else int(layer.table_of[number])
        coefficients = frame.coefficients(layer.name)[index].astype(np.float64)
        return cls(layer, number, layer.tables[group], coefficients)

    @property
    def is_base(self) -> NDArray[np.bool_]:
        """Which terms make up the base."""
        return np.array(self.layer.is_base)

    @property
    def whole(self) -> Range:
        """As far as the picture goes: grid and support, as far as the table has them."""
        first, last = float(self.table.x[0]), float(self.table.x[-1])
        low = max(first, min(self.table.domain[0], self.table.extent[0]))
        high = min(last, max(self.table.domain[1], self.table.extent[1]))
        return (low, high) if low < high else (first, last)

    def at(self, x: Float64) -> Float64:
        """Return every term at x, shape (basis functions, len(x)); NaN beyond the table."""
        points, values = self.table.x.astype(np.float64), self.table.values
        beta = np.stack(
            [
                np.interp(x, points, values[:, b].astype(np.float64), np.nan, np.nan)
                for b in range(self.layer.nb)
            ]
        )
        return self.coefficients[:, None] * beta


@dataclass(frozen=True)
class _Line:
    y: Float64
    colour: Colour
    width: float
    dashed: bool = False
    base: Float64 | None = None
    fill: float = 0.0


def render(
    frame: Frame,
    selection: Mapping[str, Any],
    *,
    ghost: Frame | None = None,
    observed: Observation | None = None,
    pins: Sequence[Mapping[str, Any]] = (),
    overlays: Sequence[Mapping[str, Any]] = (),
    show: Collection[str] = ("phi", "base", "spline", "basis", "ghost", "knots"),
    hidden: Collection[str] = (),
    stacked: bool = False,
    width: int = 900,
    height: int = 380,
    pixel_ratio: float = 2,
    theme: Literal["light", "dark"] = "light",
) -> Image.Image:
    """Draw one function.

    Parameters
    ----------
    frame
        The coefficients.
    selection
        ``{"layer", "out", "in", "row", "column"}`` of the function; it must exist.
    ghost
        An earlier frame, drawn behind; left out where it has no such function.
    observed
        The inputs of its layer.
    pins
        Functions to compare with, like ``selection``.
    overlays
        Curves over this function, as `SplineInspector` has them.
    show, hidden, stacked
        As in `SplineInspector`.
    width, height
        Of the picture and of the drawing in it, in CSS pixels.
    pixel_ratio
        Picture pixels per CSS pixel, from 0.25 to 16.
    theme
        Colours.

    Returns
    -------
    PIL.Image.Image
        ``width * pixel_ratio`` pixels wide.
    """
    check_ratio(pixel_ratio)
    if width < 200:
        raise ValueError(f"width={width!r}: at least 200 pixels are taken")
    colours = LIGHT if theme == "light" else DARK
    terms = Terms.of(frame, selection)
    sheet = _Sheet(width, height, pixel_ratio, colours, terms.whole, "density" in show)
    x = sheet.points()
    own = terms.at(x)
    phi = own.sum(axis=0)
    is_base = terms.is_base
    base, spline = own[is_base].sum(axis=0), own[~is_base].sum(axis=0)
    ramp = basis_colours(int((~is_base).sum()), theme)
    both = bool(is_base.any() and not is_base.all())

    lines: list[_Line] = []
    legend: list[tuple[str, Colour, bool]] = []
    then = _matching(ghost, frame, selection)
    if then is not None and "ghost" in show and ghost is not None:
        lines.append(_Line(then.at(x).sum(axis=0), colours.ghost, 1.5, dashed=True))
    others = np.flatnonzero(~is_base)
    drawn = [int(b) for b in others if "basis" in show and terms.layer.labels[b] not in set(hidden)]
    colour_of = {int(b): ramp[k] for k, b in enumerate(others)}
    zero = np.zeros_like(x)
    if stacked:
        bases = [int(b) for b in np.flatnonzero(is_base)] if "base" in show else []
        top = zero
        for b in [*bases, *drawn]:
            low, top = top, top + own[b]
            lines.append(_Line(top, colour_of.get(b, BASE), 1.0, base=low, fill=0.34))
        if "basis" not in show and "spline" in show and len(others):
            lines.append(_Line(top + spline, SPLINE[theme], 1.0, base=top, fill=0.34))
    else:
        lines += [_Line(own[b], colour_of[b], 1.25, base=zero, fill=0.1) for b in drawn]
        if both and "spline" in show:
            lines.append(_Line(spline, SPLINE[theme], 2.0))
        if both and "base" in show:
            lines.append(_Line(base, BASE, 2.0))
    for k, pin in enumerate(pins):
        colour = PINS[theme][k % len(PINS[theme])]
        lines.append(_Line(Terms.of(frame, pin).at(x).sum(axis=0), colour, 2.0))
    if "phi" in show:
        lines.append(_Line(phi, colours.ink, 2.5))
        legend.append(("φ", colours.ink, False))
    for k, curve in enumerate(overlays):
        colour = OVERLAYS[theme][k % len(OVERLAYS[theme])]
        if curve.get("shown", True):
            lines.append(_Line(_overlay(curve, x), colour, 2.0, dashed=True))
            legend.append((_powers(curve["label"]), colour, True))
    if both and "base" in show:
        legend.append(("base", BASE, False))
    if both and "spline" in show and not stacked:
        legend.append((_together(terms.layer.labels, others), SPLINE[theme], False))
    legend += [(terms.layer.labels[b], colour_of[b], False) for b in drawn]
    if then is not None and "ghost" in show and ghost is not None:
        legend.append((f"step {ghost.step:,}", colours.ghost, True))
    for k, pin in enumerate(pins):
        text = f"{pin['layer']} {pin['out']},{pin['in']} {pin['row']},{pin['column']}"
        legend.append((text, PINS[theme][k % len(PINS[theme])], False))

    sheet.y = roomy([line.y for line in lines])
    sheet.ground(terms.table, knots="knots" in show)
    for line in lines:
        if line.base is not None:
            sheet.area(line.y, line.base, line.colour, line.fill)
    for line in lines:
        sheet.line(line.y, line.colour, line.width, dashed=line.dashed)
    if "density" in show:
        sheet.density(observed, entry_of(terms), terms.table.domain)
    sheet.axes(terms.layer.variable)
    sheet.titles(_title(terms.layer, selection, frame.step, phi), legend)
    return few_colours(sheet.image)


def few_colours(image: Image.Image, most: int = 64) -> Image.Image:
    """Return the image in its commonest colours that can be told apart, and so in a small file.

    A palette that is found by spread alone would shift the paper's own colours.
    """
    pixels = np.asarray(image).reshape(-1, 3)
    codes = pixels.astype(np.int64) @ np.array([65536, 256, 1])
    found, counts = np.unique(codes, return_counts=True)
    kept = np.empty((0, 3), dtype=np.int64)
    for code in found[np.argsort(-counts, kind="stable")].tolist():
        colour = np.array([code >> 16, code >> 8 & 255, code & 255])
        if np.abs(kept - colour).max(axis=1).min(initial=256) > _APART:
            kept = np.vstack([kept, colour])
        if len(kept) == most:
            break
    palette = Image.new("P", (1, 1))
    filled = np.vstack([kept, np.repeat(kept[:1], 256 - len(kept), axis=0)])
    palette.putpalette(filled.astype(np.uint8).tobytes())
    small = image.quantize(palette=palette, dither=Image.Dither.NONE).convert("RGB")
    small.info.update(image.info)
    return small


class _Sheet:
    """The paper: maps x and y to pixels and draws antialiased lines."""

    def __init__(
        self, width: int, height: int, ratio: float, theme: Theme, x: Range, strip: bool
    ) -> None:
        self.ratio, self.theme, self.x, self.y = ratio, theme, x, (-1.0, 1.0)
        foot = BOTTOM + (STRIP + GAP if strip else 0)
        self.left, self.top = round(LEFT * ratio), round(TOP * ratio)
        self.wide = round((width - LEFT - RIGHT) * ratio)
        self.tall = round(max(40, height - EDGE - foot) * ratio)
        self.across = max(2, round(4 / ratio))
        size = round(width * ratio), self.top + self.tall + round(foot * ratio)
        self.paper = Paper(size, theme.surface, ratio)
        self.image = self.paper.image
        self.hair = max(1, round(ratio))
        self.strip = strip

    def points(self) -> Float64:
        """Return the x of every point of a line."""
        count = self.wide * self.across
        return self.x[0] + (self.x[1] - self.x[0]) * (np.arange(count) + 0.5) / count

    def across_at(self, x: float) -> float:
        """Return the pixel of an x."""
        return self.left + (x - self.x[0]) / (self.x[1] - self.x[0]) * self.wide

    def down_at(self, y: Any) -> Any:
        """Return the pixel of a y, from the top of the drawing."""
        return (self.y[1] - y) / (self.y[1] - self.y[0]) * self.tall

    def ground(self, table: Table, knots: bool) -> None:
        """Draw paper, grid range, knots and the zero line."""
        right, bottom = self.left + self.wide - 1, self.top + self.tall - 1
        self.paper.rectangle((self.left, self.top, right, bottom), self.theme.outside)
        low = max(self.left, round(self.across_at(table.domain[0])))
        high = min(right, round(self.across_at(table.domain[1])))
        if high > low:
            self.paper.rectangle((low, self.top, high, bottom), self.theme.cell)
        for knot in table.knots if knots else ():
            if self.x[0] <= knot <= self.x[1]:
                at = min(right, round(self.across_at(knot)))
                self._bar(at, self.top, self.hair, self.tall, self.theme.zero)
                end = any(math.isclose(knot, edge, abs_tol=1e-6) for edge in table.domain)
                long = round((9 if end else 5) * self.ratio)
                self._bar(at, bottom - long, self.hair, long, self.theme.ink)
        if self.y[0] <= 0 <= self.y[1]:
            zero = self.top + round(float(self.down_at(0.0)))
            self._bar(self.left, zero, self.wide, self.hair, self.theme.ghost)

    def line(self, y: Float64, colour: Colour, width: float, *, dashed: bool) -> None:
        """Draw a curve; what is not finite is a gap."""
        heights = self.down_at(np.where(np.isfinite(y), y, np.nan))
        if self.paper.vectors is not None:
            dash = (6 * self.ratio, 4 * self.ratio) if dashed else ()
            with self.paper.vectors.within((self.left, self.top, self.wide, self.tall)):
                points = self._places(heights)
                self.paper.vectors.curve(points, colour, width * self.ratio, dash=dash)
        if dashed:
            rise = np.nan_to_num(np.diff(heights, prepend=heights[:1]))
            along = np.cumsum(np.hypot(rise, 1 / self.across)) / (10 * self.ratio)
            heights = np.where(along % 1.0 < 0.6, heights, np.nan)
        if np.isnan(heights).all():
            return
        cover = stroke(heights[None], self.across, self.tall, width * self.ratio / 2)[0]
        self.image.paste(colour, (self.left, self.top), Image.fromarray(cover))

    def area(self, y: Float64, base: Float64, colour: Colour, share: float) -> None:
        """Fill what lies between two curves."""
        if self.paper.vectors is not None:
            with self.paper.vectors.within((self.left, self.top, self.wide, self.tall)):
                edges = (self._places(self.down_at(edge)) for edge in (y, base))
                self.paper.vectors.area(tuple(edges), colour, share)
        middle = self.across // 2
        one, other = (
            self.down_at(y[middle :: self.across]),
            self.down_at(base[middle :: self.across]),
        )
        if not (np.isfinite(one).all() and np.isfinite(other).all()):
            return
        rows = np.arange(self.tall)[:, None]
        top, bottom = np.minimum(one, other), np.maximum(one, other)
        inside = np.clip(np.minimum(bottom, rows + 1) - np.maximum(top, rows), 0, 1)
        cover = np.rint(inside * share * 255).astype(np.uint8)
        self.image.paste(colour, (self.left, self.top), Image.fromarray(cover))

    def _places(self, heights: Float64) -> Float64:
        """Return the points of a line in pixels of the picture."""
        x = self.left + (np.arange(len(heights)) + 0.5) / self.across
        return np.stack([x, self.top + heights], axis=1)

    def density(self, observed: Observation | None, entry: int, domain: Range) -> None:
        """Draw how many inputs fell where, or how to find out."""
        top = self.top + self.tall + round(GAP * self.ratio)
        tall = round(STRIP * self.ratio)
        self._bar(self.left, top + tall, self.wide, self.hair, self.theme.outside)
        if observed is None or entry >= len(observed.counts):
            hint = "live.observe(batch) shows the inputs"
            self._write(hint, self.left + self.wide / 2, top + tall / 2, SMALL, "mm")
            return
        counts = observed.counts[entry]
        most = float(counts.max())
        for k in np.flatnonzero(counts):
            low, high = observed.edges[k], observed.edges[k + 1]
            if high < self.x[0] or low > self.x[1]:
                continue
            left = max(self.left, round(self.across_at(float(low))))
            right = min(self.left + self.wide, round(self.across_at(float(high))))
            inside = domain[0] <= (low + high) / 2 <= domain[1]
            size = max(1, round(float(counts[k]) / most * (tall - 2)))
            colour = self.theme.muted if inside else self.theme.ghost
            self._bar(left, top + tall - size, max(1, right - left - self.hair), size, colour)

    def axes(self, variable: str) -> None:
        """Draw ticks and their numbers."""
        floor = self.top + self.tall
        floor += round((GAP + STRIP) * self.ratio) + self.hair if self.strip else 0
        for value, text in ticks(self.x, max(2, self.wide / self.ratio / 70)):
            at = min(self.left + self.wide - 1, round(self.across_at(value)))
            self._bar(at, floor, self.hair, round(4 * self.ratio), self.theme.ghost)
            self._write(text, at, floor + 5 * self.ratio, SMALL, "ma")
        middle = self.left + self.wide / 2
        self._write(variable, middle, floor + 18 * self.ratio, SMALL, "ma")
        for value, text in ticks(self.y, max(2, self.tall / self.ratio / 40)):
            at = self.top + round(float(self.down_at(value)))
            short = round(5 * self.ratio)
            self._bar(self.left - short, at, short, self.hair, self.theme.ghost)
            self._write(text, self.left - 8 * self.ratio, at, SMALL, "rm")

    def titles(self, title: list[tuple[str, bool]], legend: list[tuple[str, Colour, bool]]) -> None:
        """Write what it is, and the key of the lines; what does not fit is left out."""
        x, limit = 8 * self.ratio, self.image.width - 8 * self.ratio
        for text, strong in title:
            length = font_of(TEXT * self.ratio).getlength(readable(text))
            if x + length > limit:
                break
            self._write(text, x, 16 * self.ratio, TEXT, "ls", strong=strong)
            x += length + 14 * self.ratio
        x, y = 8 * self.ratio, 34 * self.ratio
        for text, colour, dashed in legend:
            length = font_of(SMALL * self.ratio).getlength(readable(text))
            if x + 20 * self.ratio + length > limit:
                break
            mark = round(14 * self.ratio)
            thick = max(2, round(2 * self.ratio))
            top = round(y - 4 * self.ratio)
            if dashed:
                self._bar(round(x), top, round(mark * 0.4), thick, colour)
                self._bar(round(x + mark * 0.6), top, round(mark * 0.4), thick, colour)
            else:
                self._bar(round(x), top, mark, thick, colour)
            self._write(text, x + 19 * self.ratio, y, SMALL, "ls")
            x += 31 * self.ratio + length

    def _bar(self, left: int, top: int, width: int, height: int, colour: Colour) -> None:
        self.paper.rectangle((left, top, left + width - 1, top + height - 1), colour)

    def _write(
        self, text: str, x: float, y: float, size: int, anchor: str, *, strong: bool = False
    ) -> None:
        colour = self.theme.ink if strong else self.theme.muted
        self.paper.write(text, (x, y), colour, size, anchor)


def basis_colours(count: int, theme: str) -> list[Colour]:
    """Return one colour for each of ``count`` basis functions, in order."""
    first, last = PART[theme]
    shares = np.linspace(0, 1, count) if count > 1 else np.full(count, 0.5)
    at = (first + shares * (last - first)) * (len(STOPS) - 1)
    mixed = [np.interp(at, np.arange(len(STOPS)), STOPS[:, c]) for c in range(3)]
    red, green, blue = (np.rint(channel).astype(int).tolist() for channel in mixed)
    return list(zip(red, green, blue, strict=True))


def round_step(length: float, count: float) -> float:
    """Return a round step of which at most about ``count`` cover a length.

    Examples
    --------
    >>> round_step(1.0, 8), round_step(0.003, 5)
    (0.2, 0.001)
    """
    rough = length / max(1.0, count)
    power = math.floor(math.log10(rough))
    for digit in ("1", "2", "5"):
        step = float(f"{digit}e{power}")
        if step >= rough * (1 - 1e-9):
            return step
    return float(f"1e{power + 1}")


def ticks(window: Range, count: float) -> list[tuple[float, str]]:
    """Return round values in a window, with their texts.

    Examples
    --------
    >>> ticks((-1.0, 1.0), 4)
    [(-1.0, '−1.0'), (-0.5, '−0.5'), (0.0, '0.0'), (0.5, '0.5'), (1.0, '1.0')]
    """
    low, high = window
    step = round_step(high - low, count)
    numbers = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    values = [float(f"{k * step:.12g}") + 0.0 for k in numbers]
    largest = max(map(abs, values), default=0.0)
    if largest >= 1e5 or 0 < largest < 1e-4:
        return [(value, format_number(value)) for value in values]
    places = max(0, min(12, -math.floor(math.log10(step) + 1e-9)))
    return [(value, f"{value:.{places}f}".replace("-", "−")) for value in values]


def roomy(rows: Sequence[Float64]) -> Range:
    """Return a range that holds all finite values and zero, with round ends."""
    held = [row[np.isfinite(row)] for row in rows]
    values = np.concatenate([*held, np.zeros(1)])
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-30:
        return -1.0, 1.0
    air = 0.06 * (high - low)
    step = round_step(high - low + 2 * air, 8)
    return math.floor((low - air) / step) * step, math.ceil((high + air) / step) * step


def entry_of(terms: Terms) -> int:
    """Return which input of its layer reaches a function, as `Observation` numbers them."""
    layer = terms.layer
    out, in_, kh, kw = layer.shape
    o, i, row, column = (int(n) for n in np.unravel_index(terms.number, layer.shape))
    if layer.kind == "linear":
        return i
    settings = layer.conv
    group = 0 if settings is None else o // (out // settings.groups)
    channel = 0 if settings is not None and settings.shared else group * in_ + i
    return (channel * kh + row) * kw + column


def _overlay(curve: Mapping[str, Any], x: Float64) -> Float64:
    """Return a curve at x, straight between its samples; NaN beyond them."""
    samples = np.frombuffer(curve["samples"], dtype="<f4").astype(np.float64)
    at = np.linspace(curve["low"], curve["high"], len(samples))
    found: Float64 = np.interp(x, at, samples, np.nan, np.nan)
    return found


def _powers(label: str) -> str:
    """Write powers out: the font has no raised figures."""
    return re.sub("(?<!R)²", "^2", label).replace("³", "^3")


def _matching(ghost: Frame | None, frame: Frame, selection: Mapping[str, Any]) -> Terms | None:
    if ghost is None or ghost is frame:
        return None
    name = selection["layer"]
    shape = frame.layout.layer(name).shape
    if not any(its.name == name and its.shape == shape for its in ghost.layout.layers):
        return None
    return Terms.of(ghost, selection)


def _title(
    layer: LayerLayout, selection: Mapping[str, Any], step: int, phi: Float64
) -> list[tuple[str, bool]]:
    parts = [(layer.name or layer.type, True)]
    if layer.name:
        parts.append((layer.type, False))
    place = f"out {selection['out']} · in {selection['in']}"
    if layer.kind == "conv":
        place += f" · row {selection['row']} · column {selection['column']}"
    parts += [(place, True), (f"step {step:,}", False)]
    finite = phi[np.isfinite(phi)]
    if len(finite) == 0 or np.isnan(phi).all():
        return [*parts, ("not finite", False)]
    low, high = (_in_full(float(value)) for value in (finite.min(), finite.max()))
    return [*parts, (f"φ from {low} to {high}", False)]


def _in_full(value: float) -> str:
    """Return a number in seven significant digits, all that a float32 holds."""
    return f"{value:.7g}".replace("-", "−", 1) if value < 0 else f"{value:.7g}"


def _together(labels: Sequence[str], others: Iterable[int]) -> str:
    """Return what the legend calls all terms but the base, as in the live view."""
    names = [labels[b] for b in others]
    if names == [f"B{j}" for j in range(len(names))]:
        return "splines"
    return f"{names[0]} … {names[-1]}"
