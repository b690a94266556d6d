"""A line that says how far a long computation has come."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

Item = TypeVar("Item")
OnProgress = Callable[[int, int], object]
"""Called with how many are done, and of how many."""

_WIDTH = 24
_PATIENCE, _PERIOD = 2.0, 0.1


def progress(items: Collection[Item], what: str, patience: float = _PATIENCE) -> Iterator[Item]:
    """Yield the items; a bar is drawn once it has taken some seconds."""
    show = progress_line(what, patience)
    for done, item in enumerate(items):
        yield item
        show(done + 1, len(items))


def progress_line(what: str, patience: float = 0.0) -> OnProgress:
    """Return a `OnProgress` that draws a bar on standard error, which ends when all is done.

    It is drawn once ``patience`` seconds have passed, ten times a second at most. In a file or a
    log each tenth has a line of its own.
    """
    start, drawn, tenths = time.monotonic(), 0.0, 0

    def show(done: int, total: int) -> None:
        nonlocal drawn, tenths
        now, is_seen = time.monotonic(), _is_seen()
        tenth = 10 * done // max(1, total)
        is_due = now - drawn >= _PERIOD or done >= total if is_seen else tenth > tenths
        if (now - start < patience and not drawn) or not is_due:
            return
        drawn, tenths = now, tenth
        full = _WIDTH * done // max(1, total)
        bar = "█" * full + "░" * (_WIDTH - full)
        begin, end = ("\r" if is_seen else ""), ("\n" if not is_seen or done >= total else "")
        sys.stderr.write(f"{begin}{what} {bar} {done:,} of {total:,}{end}")
        sys.stderr.flush()

    return show


def _is_seen() -> bool:
    """Whether a line can be drawn over: on a terminal, and in a notebook."""
    return sys.stderr.isatty() or type(sys.stderr).__module__.startswith("ipykernel")
