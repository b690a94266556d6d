"""What stills are drawn on: pixels, and on request the same drawing as vectors beside them."""

from __future__ import annotations

import base64
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from kan_widgets.widgets.fonts import font_of, readable

_FAMILY = "'Helvetica Neue', Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
# A curve is drawn through as few points as bring it this near, in CSS pixels.
_NEAR = 0.03
# Colour bars of more colours are gradients.
_MOST_BANDS = 40
# XML 1.0, section 2.2: no other character may be written, not even as a reference.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST_PIXELS = 100_000_000

_recording: ContextVar[bool] = ContextVar("recording", default=False)


@contextmanager
def recording() -> Iterator[None]:
    """Within it, what is drawn on paper is noted as vectors too; `vectors_of` finds them."""
    token = _recording.set(True)
    try:
        yield
    finally:
        _recording.reset(token)


def vectors_of(image: Image.Image) -> Vectors:
    """Return the drawing of a still that was made while `recording`."""
    vectors: Vectors = image.info["vectors"]
    return vectors


class Paper:
    """An image to draw on, in its own pixels; arguments are those of ``PIL.ImageDraw``.

    Parameters
    ----------
    size
        Pixels.
    ground
        Colour of the empty paper.
    ratio
        Pixels per CSS pixel.

    Raises
    ------
    ValueError
        If the image would have more than 100 million pixels.
    """

    def __init__(self, size: tuple[int, int], ground: Any, ratio: float) -> None:
        width, height = max(1, size[0]), max(1, size[1])
        if width * height > _MOST_PIXELS:
            raise ValueError(
                f"the picture would have {width:,} × {height:,} pixels: "
                "at most 100 million are taken; give a smaller pixel_ratio"
            )
        self.ratio = ratio
        self.image = Image.new("RGB", (width, height), ground)
        self.image.info["dpi"] = (96 * ratio, 96 * ratio)
        self.vectors: Vectors | None = None
        if _recording.get():
            self.vectors = self.image.info["vectors"] = Vectors((width, height), ground, ratio)
        self._draw = ImageDraw.Draw(self.image)

    def rectangle(
        self, box: Sequence[float], fill: Any = None, outline: Any = None, width: int = 1
    ) -> None:
        """Draw a rectangle; the box includes its right and lower ends, as in Pillow."""
        left, top, right, bottom = box
        self._draw.rectangle((left, top, right, bottom), fill, outline, width)
        if self.vectors is not None:
            at = (left, top, right - left + 1, bottom - top + 1)
            if fill is not None:
                self.vectors.rectangle(at, fill)
            if outline is not None:
                self.vectors.frame(at, outline, width)

    def ellipse(self, box: Sequence[float], fill: Any) -> None:
        """Fill an ellipse."""
        left, top, right, bottom = box
        self._draw.ellipse((left, top, right, bottom), fill)
        if self.vectors is not None:
            self.vectors.ellipse((left, top, right, bottom), fill)

    def line(self, ends: Sequence[float], fill: Any, width: int) -> None:
        """Draw a straight line."""
        self._draw.line(list(ends), fill=fill, width=width)
        if self.vectors is not None:
            self.vectors.curve(np.reshape(np.array(ends, dtype=np.float64), (2, 2)), fill, width)

    def write(
        self, text: str, place: tuple[float, float], colour: Any, size: float, anchor: str = "ls"
    ) -> float:
        """Write a text whose size is in CSS pixels, and return its length in pixels.

        ``anchor`` is one of Pillow's. In pixels what the font lacks is spelled, as vectors it
        is kept.
        """
        font = font_of(size * self.ratio)
        shown = readable(text)
        self._draw.text(place, shown, colour, font, anchor=anchor)
        length = float(font.getlength(shown))
        if self.vectors is not None:
            ascent, descent = font.getmetrics()
            down = {"s": 0.0, "m": (ascent - descent) / 2, "a": float(ascent)}[anchor[1]]
            exact = length if shown == text else None
            self.vectors.write(text, (place[0], place[1] + down), colour, size, anchor[0], exact)
        return length

    def picture(
        self, pixels: NDArray[np.uint8], box: tuple[int, int, int, int], *, note: bool = True
    ) -> None:
        """Stretch a small picture into a box ``(left, top, width, height)``, with hard edges."""
        left, top, width, height = box
        stretched = Image.fromarray(pixels).resize((width, height), Image.Resampling.NEAREST)
        self.image.paste(stretched, (left, top))
        if note and self.vectors is not None:
            self.vectors.picture(pixels, box)

    def bar(self, colours: NDArray[np.uint8], box: tuple[int, int, int, int]) -> None:
        """Draw colours side by side into a box; ``colours`` is (any number, 3)."""
        self.picture(colours[None], box, note=False)
        if self.vectors is not None:
            self.vectors.bar(colours, box)

    def still(self, image: Image.Image, place: tuple[int, int]) -> None:
        """Put another still, of the same ratio, here."""
        self.image.paste(image, place)
        if self.vectors is not None:
            self.vectors.nest(vectors_of(image), place)


class Vectors:
    """An SVG in the making. It is told pixels of the image, and writes CSS pixels."""

    def __init__(self, size: tuple[int, int], ground: Any, ratio: float) -> None:
        self.size, self.ratio, self.ground = size, ratio, ground
        self._parts: list[str] = []
        self._group = ""

    def svg(self, title: str) -> str:
        """Return the file's text."""
        self._gather("")
        width, height = (self._px(side) for side in self.size)
        name = _words(title)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-label={quoteattr(name)} '
            f'font-family="{_FAMILY}">\n<title>{escape(name)}</title>\n'
            f'<rect width="{width}" height="{height}" fill="{_colour(self.ground)}"/>\n'
            + "\n".join(self._parts)
            + "\n</svg>\n"
        )

    def rectangle(self, box: Sequence[float], fill: Any, opacity: float = 1.0) -> None:
        """Fill a box ``(left, top, width, height)``."""
        left, top, width, height = box
        self._gather(f'fill="{_colour(fill)}"{_share("fill-opacity", opacity)}')
        self._parts.append(
            f'<rect x="{self._px(left)}" y="{self._px(top)}" '
            f'width="{self._px(width)}" height="{self._px(height)}"/>'
        )

    def frame(self, box: Sequence[float], colour: Any, width: float) -> None:
        """Draw the edge of a box, all of it inside."""
        left, top, wide, high = box
        self._gather(f'fill="none" stroke="{_colour(colour)}" stroke-width="{self._px(width)}"')
        self._parts.append(
            f'<rect x="{self._px(left + width / 2)}" y="{self._px(top + width / 2)}" '
            f'width="{self._px(wide - width)}" height="{self._px(high - width)}"/>'
        )

    def ellipse(self, box: Sequence[float], fill: Any) -> None:
        """Fill an ellipse that reaches from one corner of a box to the other."""
        left, top, right, bottom = box
        self._gather(f'fill="{_colour(fill)}"')
        self._parts.append(
            f'<ellipse cx="{self._px((left + right) / 2)}" cy="{self._px((top + bottom) / 2)}" '
            f'rx="{self._px((right - left) / 2)}" ry="{self._px((bottom - top) / 2)}"/>'
        )

    def curve(
        self,
        points: NDArray[np.float64],
        colour: Any,
        width: float,
        *,
        dash: Sequence[float] = (),
        opacity: float = 1.0,
    ) -> None:
        """Draw a line through points, shape (n, 2); NaN makes a gap. ``dash`` is in pixels too."""
        path = self._path(points)
        if not path:
            return
        dashes = f' stroke-dasharray="{" ".join(map(self._px, dash))}"' if len(dash) else ""
        self._gather(
            f'fill="none" stroke="{_colour(colour)}" stroke-width="{self._px(width)}" '
            f'stroke-linejoin="round"{dashes}{_share("stroke-opacity", opacity)}'
        )
        self._parts.append(f'<path d="{path}"/>')

    def segments(self, ends: NDArray[np.float64], colour: Any, width: float, share: float) -> None:
        """Draw separate straight lines, shape (n, 2, 2), as one path."""
        if not len(ends):
            return
        self._gather(
            f'fill="none" stroke="{_colour(colour)}" stroke-width="{self._px(width)}"'
            f"{_share('stroke-opacity', share)}"
        )
        path = "".join(f"M{self._at(one)}L{self._at(other)}" for one, other in ends.tolist())
        self._parts.append(f'<path d="{path}"/>')

    def area(self, edges: tuple[NDArray[np.float64], ...], colour: Any, share: float) -> None:
        """Fill what lies between two lines, each (n, 2)."""
        top, bottom = edges
        if not (np.isfinite(top).all() and np.isfinite(bottom).all()):
            return
        outline = np.concatenate(
            [simplified(top, self._near), simplified(bottom, self._near)[::-1]]
        )
        self._gather(f'fill="{_colour(colour)}"{_share("fill-opacity", share)}')
        path = "L".join(map(self._at, outline.tolist()))
        self._parts.append(f'<path d="M{path}Z"/>')

    def write(
        self,
        text: str,
        place: tuple[float, float],
        colour: Any,
        size: float,
        side: str,
        length: float | None,
    ) -> None:
        """Write a text on a baseline; ``length`` pixels long in any font, if that is known."""
        words = _words(text)
        if not words.strip():
            return
        anchor = {"l": "", "m": ' text-anchor="middle"', "r": ' text-anchor="end"'}[side]
        if length is not None:
            anchor += f' textLength="{self._px(length)}" lengthAdjust="spacingAndGlyphs"'
        if words != " ".join(words.split()):
            anchor += ' xml:space="preserve"'
        self._gather(f'fill="{_colour(colour)}"')
        self._parts.append(
            f'<text x="{self._px(place[0])}" y="{self._px(place[1])}" '
            f'font-size="{size:g}"{anchor}>{escape(words)}</text>'
        )

    def picture(self, pixels: NDArray[np.uint8], box: Sequence[float]) -> None:
        """Put measured values, a heat map or an image, into a box: one pixel for each."""
        target = io.BytesIO()
        Image.fromarray(pixels).save(target, "PNG", optimize=True)
        code = base64.b64encode(target.getvalue()).decode("ascii")
        left, top, width, height = map(self._px, box)
        self._gather('style="image-rendering:optimizeSpeed;image-rendering:pixelated"')
        self._parts.append(
            f'<image x="{left}" y="{top}" width="{width}" height="{height}" '
            f'preserveAspectRatio="none" href="data:image/png;base64,{code}"/>'
        )

    def bar(self, colours: NDArray[np.uint8], box: Sequence[float]) -> None:
        """Draw colours side by side into a box."""
        left, top, width, height = box
        changes = np.flatnonzero((colours[1:] != colours[:-1]).any(axis=1)) + 1
        edges = [0, *changes.tolist(), len(colours)]
        if len(edges) > _MOST_BANDS:
            name = f"bar{len(self._parts)}"
            at = np.rint(np.linspace(0, len(colours) - 1, 33)).astype(int)
            stops = "".join(
                f'<stop offset="{k / 32:g}" stop-color="{_colour(colours[one].tolist())}"/>'
                for k, one in enumerate(at.tolist())
            )
            self._gather("")
            self._parts.append(f'<linearGradient id="{name}">{stops}</linearGradient>')
            x, y, w, h = map(self._px, box)
            rect = f'<rect x="{x}" y="{y}" width="{w}" height="{h}" fill="url(#{name})"/>'
            self._parts.append(rect)
            return
        for start, end in itertools.pairwise(edges):
            part = (
                left + width * start / len(colours),
                top,
                width * (end - start) / len(colours),
                height,
            )
            self.rectangle(part, colours[start].tolist())

    @contextmanager
    def within(self, box: Sequence[float]) -> Iterator[None]:
        """Cut off what is drawn beyond a box."""
        self._gather("")
        name = f"clip{len(self._parts)}"
        x, y, w, h = map(self._px, box)
        self._parts.append(
            f'<clipPath id="{name}"><rect x="{x}" y="{y}" width="{w}" height="{h}"/></clipPath>'
            f'<g clip-path="url(#{name})">'
        )
        yield
        self._gather("")
        self._parts.append("</g>")

    def nest(self, other: Vectors, place: Sequence[float]) -> None:
        """Put another drawing here."""
        other._gather("")
        self._gather("")
        x, y = map(self._px, place)
        width, height = (other._px(side) for side in other.size)
        # Names of gradients and clips count from zero in each drawing.
        prefix = f"n{len(self._parts)}"
        inside = "\n".join(other._parts)
        inside = re.sub(r'id="((?:n\d+)?(?:clip|bar)\d+)"', rf'id="{prefix}\1"', inside)
        inside = re.sub(r'"url\(#((?:n\d+)?(?:clip|bar)\d+)\)"', rf'"url(#{prefix}\1)"', inside)
        ground = f'<rect width="{width}" height="{height}" fill="{_colour(other.ground)}"/>'
        self._parts.append(f'<g transform="translate({x} {y})">\n{ground}\n{inside}\n</g>')

    @property
    def _near(self) -> float:
        return _NEAR * self.ratio

    def _gather(self, style: str) -> None:
        """Begin a group of one style, unless the last part belongs to one already."""
        if style == self._group:
            return
        if self._group:
            self._parts.append("</g>")
        if style:
            self._parts.append(f"<g {style}>")
        self._group = style

    def _path(self, points: NDArray[np.float64]) -> str:
        known = np.isfinite(points).all(axis=1)
        ends = np.flatnonzero(np.diff(known, prepend=False, append=False))
        runs = [
            simplified(points[start:end], self._near).tolist()
            for start, end in zip(ends[::2], ends[1::2], strict=True)
            if end - start > 1
        ]
        return "".join("M" + "L".join(map(self._at, run)) for run in runs)

    def _at(self, point: Sequence[float]) -> str:
        return f"{self._px(point[0])} {self._px(point[1])}"

    def _px(self, length: float) -> str:
        return f"{length / self.ratio:.2f}".rstrip("0").rstrip(".")


def simplified(points: NDArray[np.float64], near: float) -> NDArray[np.float64]:
    """Return some of the points of a line over x; those left out are ``near`` pixels from it.

    Douglas and Peucker's algorithm, with distances measured upright.

    Examples
    --------
    >>> simplified(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 0.0]]), 0.1).tolist()
    [[0.0, 0.0], [2.0, 2.0], [3.0, 0.0]]
    """
    x, y = points[:, 0], points[:, 1]
    kept = np.zeros(len(points), bool)
    kept[[0, -1]] = True
    open_ = [(0, len(points) - 1)]
    while open_:
        first, last = open_.pop()
        if last - first < 2:
            continue
        inside = slice(first + 1, last)
        wide = x[last] - x[first]
        share = (x[inside] - x[first]) / wide if wide else np.zeros(last - first - 1)
        off = np.abs(y[inside] - y[first] - share * (y[last] - y[first]))
        worst = int(off.argmax())
        if off[worst] > near:
            middle = first + 1 + worst
            kept[middle] = True
            open_ += [(first, middle), (middle, last)]
    return points[kept]


def check_ratio(pixel_ratio: float) -> None:
    """Refuse a ``pixel_ratio`` that is not at least 0.25 and at most 16.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not 0.25 <= pixel_ratio <= 16:
        raise ValueError(f"pixel_ratio is {pixel_ratio!r}; it must be between 0.25 and 16")


def _colour(colour: Any) -> str:
    red, green, blue = (int(part) for part in colour)
    return f"#{red:02x}{green:02x}{blue:02x}"


def _share(name: str, share: float) -> str:
    return "" if share == 1 else f' {name}="{share:g}"'


def _words(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
