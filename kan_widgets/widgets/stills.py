"""The stills of the views that a cell shows, drawn at its end: the page has the views by then."""

from __future__ import annotations

import threading
from collections.abc import Callable

from kan_widgets.live import cells
from kan_widgets.widgets.lifetime import is_captured


class _Due(cells.CellListener):
    """What draws the stills that are waited for, by the thread that executes their cell."""

    def __init__(self) -> None:
        self._due: dict[threading.Thread, list[Callable[[], None]]] = {}

    def later(self, draw: Callable[[], None]) -> bool:
        """Return whether a view that is shown now can have its still later, by this call.

        Not where no cell runs, nor where an Output widget takes what is shown: what it has taken
        cannot be renewed.
        """
        cells.watch(self)
        thread = threading.current_thread()
        if not cells.runs_in(thread) or is_captured():
            return False
        due = self._due.setdefault(thread, [])
        if draw not in due:
            due.append(draw)
        return True

    def cell_ended(self) -> None:
        """Draw what waits, in the thread that ran the cell, before the cell is said to be over."""
        for draw in self._due.pop(threading.current_thread(), []):
            draw()


later = _Due().later
