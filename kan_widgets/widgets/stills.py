"""The stills of the views that a cell shows, drawn at its end: the page has the views by then."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from kan_widgets.live import cells
from kan_widgets.widgets.lifetime import is_captured

if TYPE_CHECKING:
    from kan_widgets.widgets.pictured import Pictured


class _Due(cells.CellListener):
    """The views that wait for their still, by the thread that executes their cell."""

    def __init__(self) -> None:
        self._due: dict[threading.Thread, list[Pictured]] = {}

    def later(self, view: Pictured) -> bool:
        """Return whether the output of a view that is shown now can have its still later.

        Not where no cell runs, nor where an Output widget takes what is shown: what it has taken
        cannot be renewed.
        """
        cells.watch(self)
        thread = threading.current_thread()
        if not cells.runs_in(thread) or is_captured():
            return False
        due = self._due.setdefault(thread, [])
        if view not in due:
            due.append(view)
        return True

    def cell_ended(self) -> None:
        """Draw what waits, in the thread that ran the cell, before the cell is said to be over."""
        for view in self._due.pop(threading.current_thread(), []):
            if view.comm is not None:
                view.snapshot()


later = _Due().later
