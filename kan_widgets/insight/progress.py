"""A line that says how far a long computation has come."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

Item = TypeVar("Item")
Progress = Callable[[int, int], object]
"""Called with how many are done, and of how many."""

_WIDTH = 24
_PATIENCE = 2.0


def progress(items: Collection[Item], what: str, patience: float = _PATIENCE) -> Iterator[Item]:
    """Yield the items; a bar is drawn once it has taken some seconds.

    Examples
    --------
    >>> list(progress("ab", "letters"))
    ['a', 'b']
    """
    start, show, drawn = time.monotonic(), progress_line(what), False
    for done, item in enumerate(items):
        yield item
        if drawn or time.monotonic() - start > patience:
            drawn = True
            show(done + 1, len(items))


def progress_line(what: str) -> Progress:
    """Return a `Progress` that draws a bar on standard error, which ends when all is done.

    Examples
    --------
    >>> import contextlib, io
    >>> with contextlib.redirect_stderr(io.StringIO()) as drawn:
    ...     progress_line("forms")(5_000, 20_000)
    >>> drawn.getvalue().strip()
    'forms ██████░░░░░░░░░░░░░░░░░░ 5,000 of 20,000'
    """

    def show(done: int, total: int) -> None:
        full = _WIDTH if not total else _WIDTH * done // total
        bar = "█" * full + "░" * (_WIDTH - full)
        end = "\n" if done >= total else ""
        sys.stderr.write(f"\r{what} {bar} {done:,} of {total:,}{end}")
        sys.stderr.flush()

    return show
