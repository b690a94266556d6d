"""What a thread prints goes to the run it belongs to, not under an unrelated cell."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_takers: dict[int, Callable[[str], None]] = {}
_lock = threading.Lock()


class _ByThread:
    """A text stream that gives some threads' words to others than the stream it stands for."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        taker = _takers.get(threading.get_ident())
        if taker is None:
            return int(self._stream.write(text) or 0)
        taker(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if threading.get_ident() not in _takers:
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def printed_to(taker: Callable[[str], None]) -> Iterator[None]:
    """Give ``taker`` what this thread prints to stdout and stderr, for the time of a block."""
    thread = threading.get_ident()
    with _lock:
        if not _takers:
            sys.stdout, sys.stderr = _ByThread(sys.stdout), _ByThread(sys.stderr)
        _takers[thread] = taker
    try:
        yield
    finally:
        with _lock:
            del _takers[thread]
            if not _takers:
                # Somebody else may have put a stream of his own in between.
                if isinstance(sys.stdout, _ByThread):
                    sys.stdout = sys.stdout._stream
                if isinstance(sys.stderr, _ByThread):
                    sys.stderr = sys.stderr._stream
