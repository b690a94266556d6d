"""The browser's own drawing code, run here: what a view looks like is decided in one place.

The bundle that the streams carry is loaded into an embedded JavaScript engine. A runtime of it
must stay in one thread, so each thread that draws has one of its own, made when it first draws
(some 25 ms and 8 MB); a forked process inherits the one of the thread that forked.
"""

from __future__ import annotations

import base64
import json
import pathlib
import threading
from collections.abc import Sequence
from typing import Any

_BUNDLE = pathlib.Path(__file__).parent / "static" / "main.js"
_threads = threading.local()


def drawn(pictures: Sequence[dict[str, Any]]) -> str:
    """Return one SVG of pictures, one below the other.

    Parameters
    ----------
    pictures
        Each as ``Asked`` in ``js/src/still.ts`` says; bytes may stand anywhere in it.

    Raises
    ------
    ImportError
        If quickjs-ng is not installed.
    """
    svg: str = _context().get("kwStill")(
        json.dumps(list(pictures), default=_bytes, allow_nan=False)
    )
    return svg


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
        context.module(_BUNDLE.read_text(encoding="utf-8"))
        _threads.context = context
    return context


def _bytes(value: Any) -> Any:
    if isinstance(value, (bytes, memoryview)):
        return {"base64": base64.b64encode(value).decode("ascii")}
    raise TypeError(f"{value!r:.80} cannot be handed to the drawing code")
