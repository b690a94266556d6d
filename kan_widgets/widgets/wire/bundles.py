"""The JavaScript that the front end is built into, plain and packed."""

import base64
import zlib
from functools import lru_cache
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "static"

# JavaScript that turns a text of `deflated` into the stream ``plain``.
UNPACKING = """\
const packed = Uint8Array.from(atob({text}), (letter) => letter.charCodeAt(0));
const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
"""

# The rest of a module that unpacks another one and stands for it.
_STANDING_IN = """\
const code = new Blob([await new Response(plain).arrayBuffer()], { type: "text/javascript" });
const address = URL.createObjectURL(code);
const { default: main } = await import(address);
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
    """Return a built module as a packed one that unpacks itself, less than two thirds as large."""
    return UNPACKING.format(text=f'"{deflated(bundle(name).encode())}"') + _STANDING_IN


def deflated(data: bytes) -> str:
    """Return bytes packed, as text."""
    return base64.b64encode(zlib.compress(data, 6)).decode("ascii")
