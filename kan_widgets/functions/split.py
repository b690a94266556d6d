"""Where the functions of a layer lie that is split over several processes."""

from __future__ import annotations

from typing import NamedTuple


class Split(NamedTuple):
    """Which part of a layer a process has."""

    whole: tuple[int, int, int, int]
    """Out, in, kh, kw of the whole layer."""
    out: int
    """The first output that is here."""
    in_: int
    """The first input that is here."""
    words: str
    """The same for a person to read."""
