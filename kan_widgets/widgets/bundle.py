"""What the browser runs: the files that ``js`` is built into."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "static"


def bundle(name: str) -> str:
    """Return the text of a built file, for a widget class: read once, when that is made.

    Not the path: anywidget watches a file for each widget that was given one, and holds the widget
    for ever.
    """
    return (_FOLDER / name).read_text("utf-8")
