"""A thread that works in the background for as long as the process lives."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Background:
    """One daemon thread, started when it is first needed, and again in a forked process.

    Parameters
    ----------
    name
        Of the thread.
    run
        What it does; must not return.
    """

    def __init__(self, name: str, run: Callable[[], None]) -> None:
        self._name = name
        self._run = run
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread unless it runs; cheap if it does."""
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                    self._thread.start()
