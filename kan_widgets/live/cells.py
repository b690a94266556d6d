"""Know whether a notebook cell is executing, so that nothing reaches into a training loop.

A message of a widget may be handled on a thread of its own while a cell runs (a
subshell). Until the first optimizer step nobody can tell a cell that trains from one
that does not; so what changes or runs a model waits for a step or for the cell's end.
"""

import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kan_widgets.live.reports import report


class CellListener:
    """Is told when cells begin and end. Override what is of interest."""

    def cell_started(self, cell: str | None) -> None:
        """Note that a cell begins; ``cell`` is its id, where the notebook gives one."""

    def before_cell_end(self) -> None:
        """Do what had to wait; called in the thread of the cell, which still counts as running."""

    def after_cell_end(self, error: BaseException | None) -> None:
        """Note the error that ended the cell, if any; called in the same thread, after the cell."""


_listeners: weakref.WeakSet[CellListener] = weakref.WeakSet()
_shells: weakref.WeakSet[object] = weakref.WeakSet()
# The threads that execute a cell, and which one if the notebook tells it. Threads, not their
# identities: those are used again.
_running: dict[threading.Thread, str | None] = {}
_starting = threading.RLock()
# Those that have executed a cell.
_have_executed: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def add_listener(listener: CellListener) -> None:
    """Tell ``listener`` of each cell, for as long as it lives."""
    _listeners.add(listener)
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None and shell not in _shells:
        _shells.add(shell)
        # This is called by a cell that has begun already.
        parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
        _have_executed.add(threading.current_thread())
        _running[threading.current_thread()] = parent.get("metadata", {}).get("cellId")
        shell.events.register("pre_run_cell", _cell_started)
        shell.events.register("post_run_cell", _cell_ended)


def run_elsewhere() -> bool:
    """Whether another thread than this one is executing a cell."""
    return any(thread.is_alive() for thread in _running.keys() - {threading.current_thread()})


def runs_in(thread: threading.Thread) -> bool:
    """Whether this thread is executing a cell."""
    return thread in _running


def is_over_in(thread: threading.Thread | None) -> bool:
    """Whether it is known that a thread does nothing before a cell starts, or that it has ended.

    ``None`` is no thread in particular: whether all that is done is done by cells.
    """
    if not _have_executed:
        return False
    return (
        thread is None
        or not thread.is_alive()
        or (thread in _have_executed and not runs_in(thread))
    )


def here() -> str | None:
    """Return which cell this thread is executing; ``None`` if none, or if nobody tells."""
    return _running.get(threading.current_thread())


@contextmanager
def none_starting() -> Iterator[bool]:
    """Yield whether no cell runs elsewhere; one about to start waits until the block is left."""
    with _starting:
        yield not run_elsewhere()


def _cell_started(info: Any = None) -> None:
    cell = getattr(info, "cell_id", None)
    with _starting:
        _have_executed.add(threading.current_thread())
        _running[threading.current_thread()] = cell
    _tell("the start of a cell", lambda each: each.cell_started(cell))


def _cell_ended(result: Any = None) -> None:
    error = getattr(result, "error_in_exec", None)
    try:
        _tell("the end of a cell", lambda each: each.before_cell_end())
    finally:
        _running.pop(threading.current_thread(), None)
    ended_by = error if isinstance(error, BaseException) else None
    _tell("the end of a cell", lambda each: each.after_cell_end(ended_by))


def _tell(event: str, call: Callable[[CellListener], None]) -> None:
    for listener in list(_listeners):
        try:
            call(listener)
        except Exception as error:
            report(f"{type(listener).__name__} failed at {event}: {error!r}")
