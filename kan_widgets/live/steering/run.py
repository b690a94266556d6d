"""Parts of a run: its time, learning rates and last batch, its errors and what it prints."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from kan_widgets.live.checks import check_number
from kan_widgets.nn.life.torch_optimizer import torch_optimizer

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


def learning_rates(optimizer: Optimizer) -> list[float]:
    """Return the learning rate of each parameter group."""
    return [float(group["lr"]) for group in optimizer.param_groups]


def optimizer_of(model: nn.Module, given: object) -> Optimizer:
    """Return the torch optimizer that was given, or is inside what was, if it trains the model.

    Raises `TypeError` if there is none, `ValueError` if it holds none of the model's parameters.
    """
    optimizer = torch_optimizer(given)
    known = {id(parameter) for parameter in model.parameters()}
    if not any(id(p) in known for group in optimizer.param_groups for p in group["params"]):
        raise ValueError(
            f"the optimizer holds none of the parameters of {type(model).__name__}: give the "
            "one made from model.parameters() (made after the model was built or moved)"
        )
    return optimizer


class Rates:
    """Changes of the learning rates that wait for the end of a step."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, int | None]] = []
        """The rates asked for, each of a group or of all."""
        self._ratios: list[float] = []

    def want(self, optimizer: Optimizer, value: float, group: int | None) -> None:
        """Ask for a rate; see `Binding.set_learning_rate`."""
        check_number("value", value)
        count = len(optimizer.param_groups)
        if group is not None and not 0 <= group < count:
            raise IndexError(
                f"group={group}: the optimizer has {count} parameter group"
                f"{'s, 0 to ' + str(count - 1) if count > 1 else ', number 0'}"
            )
        self.waiting.append((float(value), group))

    def set(self, optimizer: Optimizer) -> str:
        """Set what was asked for; return what changed, in words."""
        wanted, self.waiting = self.waiting, []
        before = learning_rates(optimizer)
        for value, group in wanted:
            self._set(optimizer, value, group)
        after = learning_rates(optimizer)
        return _change(before, after) if before != after else ""

    def _set(self, optimizer: Optimizer, value: float, group: int | None) -> None:
        rates = learning_rates(optimizer)
        # One slider for all keeps the proportions between the groups, also from zero up.
        if rates[0] or len(self._ratios) != len(rates):
            self._ratios = [rate / rates[0] if rates[0] else 1.0 for rate in rates]
        for number, part in enumerate(optimizer.param_groups):
            if group not in (None, number):
                continue
            new = value * self._ratios[number] if group is None else value
            if isinstance(part["lr"], Tensor):
                part["lr"].fill_(new)
            else:
                part["lr"] = new


def _change(before: list[float], after: list[float]) -> str:
    if len(set(before)) == len(set(after)) == 1:
        return f"lr {before[0]:.3g} → {after[0]:.3g}"
    changed = [
        f"group {n}: {old:.3g} → {new:.3g}"
        for n, (old, new) in enumerate(zip(before, after, strict=True))
        if old != new
    ]
    return "lr of " + ", ".join(changed)


# What is kept beyond the end of a loop, when the batch itself is let go of.
_KEPT_ROWS = 64
_KEPT_BYTES = 1_000_000


class SeenBatch:
    """The inputs of the last batch, while somebody else holds them; a few of them afterwards.

    Examples
    --------
    >>> import torch
    >>> seen, images = SeenBatch(), torch.zeros(100, 1, 28, 28)
    >>> seen.see((images, torch.zeros(100)))
    True
    >>> seen.inputs is images
    True
    >>> seen.keep_some()
    >>> del images
    >>> tuple(seen.inputs.shape)
    (64, 1, 28, 28)
    """

    def __init__(self) -> None:
        self._inputs: weakref.ref[Tensor] | None = None
        self._kept: Tensor | None = None

    @property
    def inputs(self) -> Tensor | None:
        """The inputs, while there are any."""
        inputs = self._inputs() if self._inputs is not None else None
        return inputs if inputs is not None else self._kept

    def see(self, batch: Any) -> bool:
        """Remember a batch: a tensor, or a pair that begins with one; whether it is such."""
        first = batch[0] if isinstance(batch, tuple | list) and batch else batch
        if not isinstance(first, Tensor):
            return False
        self._inputs, self._kept = weakref.ref(first), None
        return True

    def keep_some(self) -> None:
        """Copy a few of the inputs, at most a megabyte, since nobody may hold them any longer."""
        inputs = self._inputs() if self._inputs is not None else None
        if inputs is None or not inputs.ndim or not inputs.numel():
            return
        row = inputs[:1].nelement() * inputs.element_size()
        rows = min(_KEPT_ROWS, _KEPT_BYTES // row)
        if rows:
            self._kept = inputs[:rows].detach().clone()


# By process and thread: a forked process has threads of the same numbers.
_takers: dict[tuple[int, int], Callable[[str], None]] = {}
_lock = threading.Lock()


class _ByThread:
    """A text stream that gives some threads' words to others than the stream it stands for."""

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
    here = _here()
    with _lock:
        if not isinstance(sys.stdout, _ByThread):
            sys.stdout = _ByThread(sys.stdout)
        if not isinstance(sys.stderr, _ByThread):
            sys.stderr = _ByThread(sys.stderr)
        _takers[here] = taker
    try:
        yield
    finally:
        with _lock:
            del _takers[here]
            if not _takers:
                # Somebody else may have put a stream of his own in between.
                if isinstance(sys.stdout, _ByThread):
                    sys.stdout = sys.stdout._stream
                if isinstance(sys.stderr, _ByThread):
                    sys.stderr = sys.stderr._stream
