"""What the browser runs: the files that ``js`` is built into."""

from __future__ import annotations

import base64
import gzip
from functools import lru_cache
from pathlib import Path

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
def packed(name: str) -> str:
    """Return a built module as one of the same default export, and of less than two thirds."""
    # Without a date, so that a notebook saved twice has not changed.
    small = gzip.compress(bundle(name).encode("utf-8"), mtime=0)
    return _UNPACKING.format(packed=base64.b64encode(small).decode("ascii"))
