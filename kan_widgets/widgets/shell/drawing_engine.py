"""The browser's own drawing code, run here, and pixels of its SVG: views look alike everywhere.

The bundle that the streams carry is loaded into an embedded JavaScript engine. A runtime of it
must stay in one thread, so each thread that draws has one of its own, made when it first draws
(some 25 ms and 8 MB); a forked process inherits the one of the thread that forked.
"""

import base64
import io
import json
import pathlib
import re
import threading
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from kan_widgets.checks import check_number
from kan_widgets.live import Frame, Source
from kan_widgets.live.frames.frame import sliced
from kan_widgets.live.frames.structure import structure_dict
from kan_widgets.widgets.wire.bundles import bundle
from kan_widgets.widgets.wire.messages import (
    activations_dict,
    frame_dict,
    inputs_within,
    layout_dict,
    observation_dict,
    probe_dict,
    summaries_of,
    training_of,
)

_threads = threading.local()


def svg_of(pictures: Sequence[dict[str, Any]]) -> str:
    """Return one SVG of pictures, one below the other: each a ``StillRequest`` of js/src/still.ts.

    Bytes may stand anywhere in them. Raises `ImportError` if quickjs-ng is not installed.
    """
    svg: str = _context().get("kwStill")(
        json.dumps(list(pictures), default=_bytes, allow_nan=False), film.get()
    )
    return svg


film: ContextVar[int] = ContextVar("film", default=0)
"""The number of the film that pictures belong to, so that each chooses as the last did; or 0."""


def _context() -> Any:
    context = getattr(_threads, "context", None)
    if context is None:
        try:
            import quickjs
        except ImportError as error:
            raise ImportError(
                "pictures are drawn by quickjs-ng, which is not installed: pip install quickjs-ng"
            ) from error
        context = quickjs.Context()
        context.add_callable("kwPng", _png)
        context.module(bundle("main.js"))
        _threads.context = context
    return context


def _png(width: int, height: int, pixels: str) -> str:
    """Return an image as an address; its pixels are red, green, blue and opacity in base64."""
    image = Image.frombytes("RGBA", (int(width), int(height)), base64.b64decode(pixels))
    target = io.BytesIO()
    image.save(target, "PNG")
    return "data:image/png;base64," + base64.b64encode(target.getvalue()).decode("ascii")


def _bytes(value: Any) -> Any:
    if isinstance(value, (bytes, memoryview)):
        return {"base64": base64.b64encode(value).decode("ascii")}
    raise TypeError(f"{value!r:.80} cannot be handed to the drawing code")


def picture_request(
    frames: Sequence[Frame],
    layers: Sequence[str],
    *,
    source: Source | None = None,
    ensemble: Mapping[str, Any] | None = None,
    selection: Mapping[str, Any] | None = None,
    held: Mapping[str, Any] | None = None,
    network: bool = False,
    training: Mapping[str, Any] | None = None,
    **picture: Any,
) -> dict[str, Any]:
    """Return what `svg_of` takes for one picture: see js/src/still.ts.

    ``frames`` are the first of the run and the one to draw, ``layers`` those of which it needs the
    functions, and ``source`` is where they come from, while it exists. What is asked beside these,
    ``kind``, ``traits``, ``theme`` and sizes, goes as it is.
    """
    looking = None if source is None else source.feed.looking
    first, frame = (
        sliced(drawn if looking is None else looking.for_picture(drawn, layers), layers)
        for drawn in frames
    )
    layouts = {drawn.layout.version: drawn.layout for drawn in (first, frame)}
    stream = {
        "layouts": [layout_dict(layout) for layout in layouts.values()],
        "initial": frame_dict(first),
        # Sent once if it is the first, which takes half the time.
        "frame": {} if _same(first, frame) else frame_dict(frame),
        "selection": dict(selection or {}),
        "held": dict(held or {}),
        "summaries": summaries_of(frame.layout, frames[1]),
        "training": dict(training or {}),
    }
    if ensemble:
        drawn_of = {name: bands for name, bands in ensemble["layers"].items() if name in layers}
        stream["ensemble"] = {"count": ensemble["count"], "layers": drawn_of}
    inputs = []
    if source is not None:
        seen = [one for name, one in source.feed.observed.items() if name in layers]
        inputs = [within for one in seen if (within := inputs_within(one, frame.layout))]
        stream["training"] = training_of(source)
        stream |= network_of(source, frame) if network else {}
    return {**picture, "stream": stream, "messages": list(map(observation_dict, inputs))}


def network_of(source: Source, frame: Frame) -> dict[str, Any]:
    """Return a stream's traits of the network, for a picture of one frame."""
    return {
        "structure": structure_dict(source.feed.structure),
        "probe": probe_dict(source.feed.probed),
        "activations": activations_dict(source.feed.activations.at(frame.step)),
    }


def _same(first: Frame, frame: Frame) -> bool:
    return (
        first.step == frame.step
        and first.layout.version == frame.layout.version
        and first.data.tobytes() == frame.data.tobytes()
    )


_FONTS = pathlib.Path(__file__).parents[1] / "font"
_FONT_FILES = [str(_FONTS / f"kan-widgets-{weight}.otf") for weight in (400, 600)]

_MAX_PIXELS = 100e6
# Share of an image's pixels: a colour with more belongs to the paper, a panel or a band.
_AREA = 0.01
_SIZE = re.compile(r' (?:width|height)="([\d.]+)"')


@cache
def _known() -> frozenset[str]:
    """Return the characters of the package's font, as its builder wrote them down beside it."""
    return frozenset((_FONTS / "characters.txt").read_text(encoding="utf-8"))


def _png_of(svg: str, pixel_ratio: float) -> bytes:
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
            font_files=_FONT_FILES,
            # Looking through a machine's fonts takes longer than drawing: only for what ours lacks.
            skip_system_fonts=set(svg) - {"\n"} <= _known(),
        )
    )


def image_of(svg: str, pixel_ratio: float) -> Image.Image:
    """Return a picture of ``pixel_ratio`` pixels per CSS pixel."""
    image = Image.open(io.BytesIO(_png_of(svg, pixel_ratio)))
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
    areas = [area for area in counted if area[0] > _AREA * indices.size]
    for _, colour in sorted(areas):  # the largest last, should two share an entry
        place = np.argmax(pixels == int.from_bytes(bytes([*colour, 255]), "little"))
        palette[indices.flat[place]] = colour
    return palette.tobytes()
