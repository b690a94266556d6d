"""What a thread prints: taken from the standard streams, and kept as a terminal shows it."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_OUTPUT_LENGTH = 20_000


def printed_over(text: str, more: str) -> str:
    r"""Return the end of ``text`` with ``more`` printed after it, from the beginning of a line.

    A carriage return starts the line again.

    Examples
    --------
    >>> printed_over("epoch 1\n 10 %", "\r 20 %\r 30 %\n")
    'epoch 1\n 30 %\n'
    """
    first, *rest = more.replace("\r\n", "\n").split("\r")
    text += first
    for part in rest:
        if part:
            text = text[: text.rfind("\n") + 1] + part
    if len(text) > _OUTPUT_LENGTH:
        text = text[-_OUTPUT_LENGTH:].partition("\n")[2]
    return text


# Keyed by process and thread: a forked process has threads of the same numbers.
_takers: dict[tuple[int, int], Callable[[str], None]] = {}
_lock = threading.Lock()


class _ByThread:
    """A text stream that hands the text of some threads to takers, not to the stream inside."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        taker = _taker()
        if taker is None:
            return int(self._stream.write(text) or 0)
        taker(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if _taker() is None:
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        if name == "_stream":  # a copy that is being made
            raise AttributeError(name)
        return getattr(self._stream, name)


def _here() -> tuple[int, int]:
    return os.getpid(), threading.get_ident()


def _taker() -> Callable[[str], None] | None:
    return _takers.get(_here())


@contextmanager
def printed_to(taker: Callable[[str], None]) -> Iterator[None]:
    """Give ``taker`` what this thread writes to `sys.stdout` and `sys.stderr` in a ``with`` block.

    What was bound to the streams before, such as a logging handler, goes on as it was.
    """
    thread = _here()
    with _lock:
        if not isinstance(sys.stdout, _ByThread):
            sys.stdout = _ByThread(sys.stdout)
        if not isinstance(sys.stderr, _ByThread):
            sys.stderr = _ByThread(sys.stderr)
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
