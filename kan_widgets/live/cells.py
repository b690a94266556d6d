"""Know whether a notebook cell is executing, so that nothing reaches into a training loop.

A message of a widget may be handled on a thread of its own while a cell runs (a
subshell). Until the first optimizer step nobody can tell a cell that trains from one
that does not; so what changes or runs a model waits for a step or for the cell's end.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class CellListener(Protocol):
    """What wants to know of the end of a cell."""

    def cell_ended(self) -> None:
        """Do what had to wait, in the thread that ran the cell."""


_listeners: weakref.WeakSet[CellListener] = weakref.WeakSet()
_shells: weakref.WeakSet[object] = weakref.WeakSet()
# Threads, not their identities: those are used again.
_running: set[threading.Thread] = set()
_starting = threading.RLock()


def watch(listener: CellListener) -> None:
    """Call ``listener.cell_ended()`` after each cell, for as long as it lives."""
    _listeners.add(listener)
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None and shell not in _shells:
        _shells.add(shell)
        # This is called by a cell that has begun already.
        _running.add(threading.current_thread())
        shell.events.register("pre_run_cell", _cell_started)
        shell.events.register("post_run_cell", _cell_ended)


def run_elsewhere() -> bool:
    """Whether another thread than this one is executing a cell."""
    return any(thread.is_alive() for thread in _running - {threading.current_thread()})


def runs_in(thread: threading.Thread) -> bool:
    """Whether this thread is executing a cell."""
    return thread in _running


@contextmanager
def between() -> Iterator[bool]:
    """Give whether no cell runs elsewhere; one that is about to start waits until this is left."""
    with _starting:
        yield not run_elsewhere()


def _cell_started(*_: object) -> None:
    with _starting:
        _running.add(threading.current_thread())


def _cell_ended(*_: object) -> None:
    try:
        for listener in list(_listeners):
            listener.cell_ended()
    finally:
        _running.discard(threading.current_thread())
