"""Notice when training goes quiet, so that the last frame is always sent.

Two watchmen: IPython's end of a cell, on the thread that ran it, and one
background thread that sleeps unless some binding is live.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kan_widgets.live.binding import Binding

_POLL_SECONDS = 0.1

# A binding lives as long as its model: once that is gone, it is closed and let go of.
_watched: set[Binding] = set()
_lock = threading.Lock()
# A SimpleQueue, because put() may be called by the garbage collector anywhere.
_calls: queue.SimpleQueue[None] = queue.SimpleQueue()
_thread: threading.Thread | None = None
_shells: weakref.WeakSet[object] = weakref.WeakSet()


def watch(binding: Binding) -> None:
    """Settle ``binding`` whenever its training goes quiet, until `unwatch`."""
    global _thread
    with _lock:
        _watched.add(binding)
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_run, name="kan_widgets quiet", daemon=True)
            _thread.start()
    _hook_into_ipython()


def unwatch(binding: Binding) -> None:
    """Forget a binding."""
    with _lock:
        _watched.discard(binding)


def wake(*_: object) -> None:
    """Say that a binding has become live, or that a model is gone."""
    _calls.put(None)


def _bindings() -> list[Binding]:
    with _lock:
        return list(_watched)


def _run() -> None:
    while True:
        _calls.get()
        while _look():
            time.sleep(_POLL_SECONDS)


def _look() -> bool:
    """Settle what is quiet, release what has lost its model; return whether any is live."""
    live = False
    for binding in _bindings():
        if binding.model is None:
            binding.close()
        elif binding.state == "live":
            if binding.is_quiet:
                binding.settle()
            live = live or binding.state == "live"
    return live


def _cell_ended(result: Any = None) -> None:
    """Settle what this thread was training, and note how that ended."""
    error = getattr(result, "error_in_exec", None)
    for binding in _bindings():
        if binding.state == "live" and binding.trained_by is threading.current_thread():
            binding.settle()
        binding.training.cell_ended(error if isinstance(error, BaseException) else None)


def _hook_into_ipython() -> None:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None and shell not in _shells:
        _shells.add(shell)
        shell.events.register("post_run_cell", _cell_ended)
