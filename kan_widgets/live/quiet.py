"""Notice when training goes quiet, so that the last frame is always sent.

Two watchmen: IPython's end of a cell, on the thread that ran it, and one
background thread that sleeps unless some binding is live.
"""

from __future__ import annotations

import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kan_widgets.live.binding import Binding

_POLL_SECONDS = 0.1

_watched: weakref.WeakSet[Binding] = weakref.WeakSet()
_lock = threading.Lock()
_awake = threading.Event()
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


def wake() -> None:
    """Say that a binding has become live."""
    _awake.set()


def _live() -> list[Binding]:
    with _lock:
        return [binding for binding in _watched if binding.state == "live"]


def _run() -> None:
    while True:
        _awake.wait()
        time.sleep(_POLL_SECONDS)
        live = _live()
        if not live:
            _awake.clear()
            # A binding may have become live between the look and the clear.
            if _live():
                _awake.set()
            continue
        for binding in live:
            if binding.is_quiet:
                binding.settle()
        del live


def _settle_all(*_: object) -> None:
    for binding in _live():
        binding.settle()


def _hook_into_ipython() -> None:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None and shell not in _shells:
        _shells.add(shell)
        shell.events.register("post_run_cell", _settle_all)
