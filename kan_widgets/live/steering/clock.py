"""Time spent in a run, and what is kept of its errors and of what it prints."""

from __future__ import annotations

import time
import traceback
from collections import deque

_RATE_SECONDS = 0.25


_RATE_SAMPLES = 12


_OUTPUT_LENGTH = 20_000


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
        """A `tick` before this moment, by `time.perf_counter`, notes nothing."""

    def start(self) -> None:
        """Begin a new run."""
        self.__init__()  # type: ignore[misc]
        self._started = self.begun = time.perf_counter()

    def pause(self) -> None:
        """Stand still."""
        if self._paused_at is None:
            self._paused_at = time.perf_counter()

    def resume(self) -> None:
        """Go on."""
        if self._paused_at is not None:
            pause = time.perf_counter() - self._paused_at
            self._paused, self.begun = self._paused + pause, self.begun + pause
            self._paused_at = None

    def end(self) -> None:
        """Stand still for good."""
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
        """Seconds in the run."""
        if self._started is None:
            return 0.0
        end = self._ended or self._paused_at or time.perf_counter()
        return end - self._started - self._paused

    @property
    def paused(self) -> float:
        """Seconds stood still so far."""
        now = time.perf_counter()
        return self._paused + (now - self._paused_at if self._paused_at is not None else 0.0)

    def rate(self, step: int) -> float:
        """Return steps per second up to ``step``, the last that was made."""
        if not self._samples:
            return 0.0
        then, first = self._samples[0]
        passed = self.elapsed - then
        return (step - first) / passed if passed > 0 else 0.0


def describe_error(error: BaseException) -> tuple[str, str]:
    """Return one line that says what went wrong, and the traceback."""
    line = traceback.format_exception_only(type(error), error)[-1].strip()
    return line, "".join(traceback.format_exception(type(error), error, error.__traceback__))


def last_output(text: str) -> str:
    """Return the end of a long text, from the beginning of a line."""
    if len(text) <= _OUTPUT_LENGTH:
        return text
    end = text[-_OUTPUT_LENGTH:]
    return end[end.find("\n") + 1 :]


def printed_over(text: str, more: str) -> str:
    r"""Return ``text`` with ``more`` printed after it; a carriage return starts the line again.

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
    return text
