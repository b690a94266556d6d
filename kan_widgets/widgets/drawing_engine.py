"""The browser's own drawing code, run here: what a view looks like is decided in one place.

The bundle that the streams carry is loaded into an embedded JavaScript engine. A runtime of it
must stay in one thread, so each thread that draws has one of its own, made when it first draws
(some 25 ms and 8 MB); a forked process inherits the one of the thread that forked.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import threading
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

from kan_widgets.live import Frame, Source
from kan_widgets.live.frames.frame import sliced
from kan_widgets.live.frames.structure import structure_dict
from kan_widgets.widgets.wire import (
    activations_dict,
    frame_dict,
    inputs_within,
    layout_dict,
    observation_dict,
    probe_dict,
    summaries_of,
    training_of,
)

_FOLDER = Path(__file__).parent / "static"

# A module that unpacks another one and stands for it.
_UNPACKING = """\
const packed = Uint8Array.from(atob("{packed}"), (letter) => letter.charCodeAt(0));
const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
const code = new Blob([await new Response(plain).arrayBuffer()], {{ type: "text/javascript" }});
const address = URL.createObjectURL(code);
const {{ default: main }} = await import(address);
URL.revokeObjectURL(address);
export default main;
"""


def bundle(name: str) -> str:
    """Return the text of a built file.

    The text and not its path: anywidget watches the file of each widget that was given a path, and
    keeps that widget for ever.
    """
    return (_FOLDER / name).read_text("utf-8")


@lru_cache
def packed_bundle(name: str) -> str:
    """Return a built module as a gzipped one that unpacks itself, less than two thirds as large."""
    # Without a date, so that a notebook saved twice has not changed.
    small = gzip.compress(bundle(name).encode("utf-8"), mtime=0)
    return _UNPACKING.format(packed=base64.b64encode(small).decode("ascii"))


_threads = threading.local()


def svg_of(pictures: Sequence[dict[str, Any]]) -> str:
    """Return one SVG of pictures, one below the other; js/src/still.ts says what is ``Asked``.

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
    """Return an image of so many pixels, red, green, blue and opacity in base64, as an address."""
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
    selection: Mapping[str, Any] | None = None,
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
        sliced(each if looking is None else looking.pictured(each, layers), layers)
        for each in frames
    )
    layouts = {each.layout.version: each.layout for each in (first, frame)}
    stream = {
        "layouts": [layout_dict(layout) for layout in layouts.values()],
        "initial": frame_dict(first),
        # Once where it is the first, which takes half the time.
        "frame": {} if _same(first, frame) else frame_dict(frame),
        "selection": dict(selection or {}),
        "summaries": summaries_of(frame.layout, frames[1], frames[0]),
        "training": dict(training or {}),
    }
    inputs = []
    if source is not None:
        seen = [one for name, one in source.feed.observed.items() if name in layers]
        inputs = [known for one in seen if (known := inputs_within(one, frame.layout))]
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
