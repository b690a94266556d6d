"""What the browser runs: the files that ``js`` is built into."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "static"


def bundle(name: str) -> str:
    """Return the text of a built file, for a widget class; read once, when the class is made.

    The text and not its path: anywidget watches the file of each widget that was given a path, and
    keeps that widget for ever.
    """
    return (_FOLDER / name).read_text("utf-8")
