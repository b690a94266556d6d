"""The loops over batches that are running, by thread."""

from __future__ import annotations

import dis
import sys
import threading
import weakref
from types import CodeType, FrameType

# The beginnings of the names of instructions that run code of others, or look something up.
_RAISING = tuple(
    "BINARY CALL COMPARE CONTAINS DELETE_ATTR DELETE_SUBSCR FOR_ITER FORMAT GET IMPORT INPLACE "
    "LOAD PRECALL RAISE RERAISE STORE_ATTR STORE_SUBSCR UNARY UNPACK WITH".split()
)

_open: list[Loop] = []
_lock = threading.Lock()


class Loop:
    """A loop over batches that looks for a stop between two of them.

    One that ``waits_itself`` holds between batches, letting other tasks of its thread go on,
    instead of inside ``optimizer.step()``; one that ``times_itself`` says how long each step took,
    else that is the time between two steps. The thread of one ``in_background`` does nothing else,
    so that others can always reach it.
    """

    def __init__(
        self,
        *,
        waits_itself: bool = False,
        times_itself: bool = False,
        in_background: bool = False,
    ) -> None:
        self.waits_itself = waits_itself
        self.times_itself = times_itself
        self.in_background = in_background
        self.stop = False
        """Whether to stop after the current batch."""
        self._thread: weakref.ref[threading.Thread] | None = None
        self._place: tuple[int, CodeType] | None = None

    def open(self) -> None:
        """Say that the loop begins; its thread is the one that calls `runs_here` first."""
        with _lock:
            _open.append(self)

    def close(self) -> None:
        """Say that it is over."""
        with _lock:
            if self in _open:
                _open.remove(self)

    def runs_here(self) -> None:
        """Say that this thread runs it."""
        self._thread = weakref.ref(threading.current_thread())

    def asked_from(self, frame: FrameType) -> None:
        """Note the frame whose ``for`` goes through this loop."""
        self._place = id(frame), frame.f_code

    @property
    def thread(self) -> threading.Thread | None:
        """The thread that runs it, while that lives; ``None`` before it has begun."""
        thread = self._thread() if self._thread is not None else None
        return thread if thread is not None and thread.is_alive() else None

    @property
    def is_open(self) -> bool:
        """Whether it runs, or is about to."""
        return self in _open and (self._thread is None or self.thread is not None)

    def is_asked_from(self, frame: FrameType) -> bool:
        """Whether the ``for`` of this frame goes through this loop."""
        return self._place == (id(frame), frame.f_code)

    def is_on_stack(self) -> bool:
        """Whether the ``for`` that goes through it is being executed in this thread."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if self.is_asked_from(frame):
                return True
            frame = frame.f_back
        return False


def raised_in(frame: FrameType) -> bool:
    """Whether a ``for`` that is being left in a frame is left by an error.

    ``break`` and ``return`` take the iterator off the stack by an instruction of their own; an
    error leaves the instruction that raised it as the last.
    """
    code, at = frame.f_code.co_code, frame.f_lasti
    while dis.opname[code[at]] == "CACHE":  # of the instruction before
        at -= 2
    return dis.opname[code[at]].startswith(_RAISING)


def loops_here() -> list[Loop]:
    """Return the open loops of this thread, the outermost first."""
    if not _open:
        return []
    mine = threading.current_thread()
    with _lock:
        return [loop for loop in _open if loop.thread is mine]
