"""The loops over batches that are running, by thread, and the time spent in them."""

import dis
import sys
import threading
import time
import weakref
from collections import deque
from dataclasses import dataclass, field
from traceback import walk_stack
from types import CodeType, FrameType

# Prefixes of bytecode instructions that run other code, or look something up.
_RAISING_OPCODES = tuple(
    "BINARY CALL COMPARE CONTAINS DELETE_ATTR DELETE_SUBSCR FOR_ITER FORMAT GET IMPORT INPLACE "
    "LOAD PRECALL RAISE RERAISE STORE_ATTR STORE_SUBSCR UNARY UNPACK WITH".split()
)

_RATE_SECONDS = 0.25
_RATE_SAMPLES = 12

_open: "list[Loop]" = []
_lock = threading.Lock()


@dataclass(eq=False, kw_only=True)
class Loop:
    """A loop over batches that looks for a stop between two of them.

    One that ``waits_itself`` holds between batches, letting other tasks of its thread go on,
    instead of inside ``optimizer.step()``; one that ``times_itself`` says how long each step took,
    else that is the time between two steps. The thread of one ``in_background`` does nothing else,
    so that others can always reach it. One that ``asks_others`` stops with all of its processes.
    """

    waits_itself: bool = False
    times_itself: bool = False
    in_background: bool = False
    asks_others: bool = False
    stop: bool = field(default=False, init=False)
    """Whether to stop after the current batch."""

    def __post_init__(self) -> None:
        self._thread: weakref.ref[threading.Thread] | None = None
        self._place: tuple[int, CodeType] | None = None
        self._controls: weakref.WeakSet[object] = weakref.WeakSet()  # the controls of who it trains

    def open(self, control: object) -> None:
        """Say that the loop begins; its thread is the one that calls `runs_here` first."""
        with _lock:
            self._controls.add(control)
            if self not in _open:
                _open.append(self)

    def close(self, control: object) -> None:
        """Report its end for this control; with the last control the loop is over."""
        with _lock:
            self._controls.discard(control)
            if not self._controls and self in _open:
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
        return self in _open and (self._thread is None or self.thread is not None)

    def is_asked_from(self, frame: FrameType) -> bool:
        """Whether the ``for`` of this frame goes through this loop."""
        return self._place == (id(frame), frame.f_code)

    def is_on_stack(self) -> bool:
        """Whether the ``for`` that goes through it is being executed in this thread."""
        return any(self.is_asked_from(frame) for frame, _ in walk_stack(sys._getframe(1)))


def loops_of(control: object) -> list[Loop]:
    """Return the open loops that train what a control steers, the outermost first."""
    return [loop for loop in list(_open) if control in loop._controls and loop.is_open]


def raised_in(frame: FrameType) -> bool:
    """Whether a ``for`` that is being left in a frame is left by an error.

    ``break`` and ``return`` take the iterator off the stack by an instruction of their own; an
    error leaves the instruction that raised it as the last.
    """
    code, at = frame.f_code.co_code, frame.f_lasti
    while dis.opname[code[at]] == "CACHE":  # of the instruction before
        at -= 2
    return dis.opname[code[at]].startswith(_RAISING_OPCODES)


def loops_here() -> list[Loop]:
    """Return the open loops of this thread, the outermost first."""
    if not _open:
        return []
    mine = threading.current_thread()
    with _lock:
        return [loop for loop in _open if loop.thread is mine]


class Clock:
    """Time spent in a run, pauses left out, and the rate of its steps."""

    def __init__(self) -> None:
        self._started: float | None = None
        self._paused_at: float | None = None
        self._paused = 0.0
        self.begun = float("inf")
        """When the run would have begun without the pauses, by `time.perf_counter`."""
        self._ended: float | None = None
        self._samples: deque[tuple[float, int]] = deque(maxlen=_RATE_SAMPLES)
        self.trained = 0.0
        """Seconds in the run up to the last step, which sets it."""
        self.due = float("-inf")
        """A `tick` before this time, by `time.perf_counter`, is ignored."""

    def start(self) -> None:
        """Begin a new run."""
        self.__init__()  # type: ignore[misc]
        self._started = self.begun = time.perf_counter()

    def pause(self) -> None:
        if self._paused_at is None:
            self._paused_at = time.perf_counter()

    def resume(self) -> None:
        if self._paused_at is not None:
            pause = time.perf_counter() - self._paused_at
            self._paused, self.begun = self._paused + pause, self.begun + pause
            self._paused_at = None

    def end(self) -> None:
        """Stop the clock for good."""
        self.resume()
        if self._ended is None:
            self._ended = time.perf_counter()

    def tick(self, step: int) -> None:
        """Note a step, for the rate."""
        now = self.elapsed
        if not self._samples or now - self._samples[-1][0] >= _RATE_SECONDS:
            self._samples.append((now, step))
        self.due = time.perf_counter() + _RATE_SECONDS - (now - self._samples[-1][0])

    @property
    def elapsed(self) -> float:
        if self._started is None:
            return 0.0
        end = self._ended or self._paused_at or time.perf_counter()
        return end - self._started - self._paused

    @property
    def paused(self) -> float:
        """Seconds held so far."""
        now = time.perf_counter()
        return self._paused + (now - self._paused_at if self._paused_at is not None else 0.0)

    def rate(self, step: int) -> float:
        """Return steps per second up to ``step``, the last that was made."""
        if not self._samples:
            return 0.0
        then, first = self._samples[0]
        passed = self.elapsed - then
        return (step - first) / passed if passed > 0 else 0.0
