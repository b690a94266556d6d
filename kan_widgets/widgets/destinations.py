"""Where a picture goes: a file that is named, one that is open, or nowhere but back as bytes."""

from __future__ import annotations

import os
import pathlib
from typing import BinaryIO, TypeVar

To = str | os.PathLike[str] | BinaryIO | None
Written = TypeVar("Written", pathlib.Path, BinaryIO)


def check_suffix(to: To, suffix: str) -> None:
    """Raise a ``ValueError`` for the name of a file that does not end in ``suffix``."""
    if isinstance(to, str | os.PathLike) and not os.fspath(to).lower().endswith(suffix):
        raise ValueError(f"path: expected a name that ends in {suffix}, got {os.fspath(to)!r}")
    if not (to is None or isinstance(to, str | os.PathLike) or hasattr(to, "write")):
        raise TypeError(
            "path: expected the name of a file, a binary file that is open for writing, or nothing "
            f"for the bytes, got {to!r:.80}"
        )


def written(data: bytes, to: To) -> bytes | pathlib.Path | BinaryIO:
    """Write ``data`` where it goes, and return the file, or the bytes where that is nowhere."""
    if to is None:
        return data
    if isinstance(to, str | os.PathLike):
        path = pathlib.Path(to)
        path.write_bytes(data)
        return path
    to.write(data)
    return to


def pdf_of(svg: str) -> bytes:
    """Return an SVG as a PDF of one page.

    Raises
    ------
    ImportError
        If CairoSVG is missing, or the system library that it draws with.
    """
    try:
        import cairosvg
    except (ImportError, OSError) as error:
        raise ImportError(
            "a PDF is made by CairoSVG, which could not be loaded: install it with "
            f"pip install cairosvg (and the system library cairo): {error}"
        ) from error
    made: bytes = cairosvg.svg2pdf(svg.encode())
    return made
