"""Curves of a training run: loss, accuracy and whatever else is logged, by step."""

import math
import operator
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kan_widgets.arrays import Float64, Int64
from kan_widgets.checks import is_tensor
from kan_widgets.live.reports import report

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Mark:
    """Something that happened at a step, such as a change of the learning rate."""

    step: int
    text: str


# This many values on a device are joined to one tensor.
_FOLD_SIZE = 1024


class Series:
    """One growing series of numbers over steps."""

    def __init__(self) -> None:
        self._steps = np.empty(256, dtype=np.int64)
        self._values = np.empty(256)
        self._count = 0
        self.waiting: list[tuple[list[int], Tensor]] = []
        """Values still on a device: their places, and a tensor of as many elements."""

    @property
    def last_step(self) -> int:
        return int(self._steps[self._count - 1])

    @property
    def steps(self) -> Int64:
        return self._steps[: self._count]

    @property
    def values(self) -> Float64:
        """All values, as a view; NaN where one is still on a device."""
        return self._values[: self._count]

    def append(self, step: int, value: "float | Tensor") -> None:
        """Add a value; a tensor stays on its device until it is asked for."""
        if is_tensor(value):
            self.waiting.append(([self._count], value.reshape(1)))
            self._fold()
            value = math.nan
        self._make_room(1)
        self._steps[self._count], self._values[self._count] = step, value
        self._count += 1

    def extend(self, steps: Int64, values: Float64) -> None:
        self._make_room(len(steps))
        count = self._count + len(steps)
        self._steps[self._count : count] = steps
        self._values[self._count : count] = values
        self._count = count

    def _make_room(self, more: int) -> None:
        if self._count + more > len(self._steps):
            room = max(len(self._steps), more)
            self._steps = np.concatenate([self.steps, np.empty(room, np.int64)])
            self._values = np.concatenate([self.values, np.empty(room)])

    def _fold(self) -> None:
        """Join many small tensors on their device, without waiting for it."""
        last = self.waiting[-_FOLD_SIZE:]
        devices = {tensor.device for _, tensor in last}
        if len(last) == _FOLD_SIZE and len(devices) == 1 and all(len(p) == 1 for p, _ in last):
            import torch

            places = [place for part, _ in last for place in part]
            joined = torch.cat([tensor.float() for _, tensor in last])
            self.waiting[-_FOLD_SIZE:] = [(places, joined)]

    def fill(self, waited: "tuple[list[int], Tensor]", values: Float64 | None) -> None:
        """Put values from a device in their places; with none they stay NaN."""
        if values is not None:
            self._values[waited[0]] = values
        self.waiting = [each for each in self.waiting if each is not waited]


class Scalars:
    """Named series of numbers over steps, and marks. Any thread may add and read.

    Parameters
    ----------
    changed
        Called after each change; must be cheap.

    Examples
    --------
    >>> scalars = Scalars()
    >>> for step in range(3):
    ...     scalars.add(step, {"loss": 1 / (step + 1)})
    >>> scalars.names, scalars.latest("loss")
    (('loss',), 0.3333333333333333)
    """

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._series: dict[str, Series] = {}
        self._marks: list[Mark] = []
        self._changed = changed
        self._lock = threading.RLock()
        self.version = 0
        """Grows with each change."""
        self._left_out: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """The series, in the order of their first values."""
        with self._lock:
            return tuple(self._series)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """All marks, in the order they were made."""
        with self._lock:
            return tuple(self._marks)

    def add(self, step: int, values: dict[str, Any]) -> None:
        """Add one value to each named series.

        A number on an accelerator is kept there until somebody reads it: logging does not
        make the training wait. One that cannot be read then is reported, and counts as NaN.

        Raises
        ------
        TypeError
            If a value is neither a number nor a tensor or array of one element.
        ValueError
            If ``step`` lies before a series' last one. Nothing has been added then.
        """
        if not -(2**63) <= step < 2**63:
            raise ValueError(f"step={step}: a step fits in 64 bits")
        numbers = {name: _number(name, value) for name, value in values.items()}
        with self._lock:
            for name in numbers:
                last = self._series[name].last_step if name in self._series else None
                if last is not None and step < last:
                    raise ValueError(
                        f"step={step}: {name!r} has been logged at step {last} already; steps "
                        "only grow"
                    )
            for name, number in numbers.items():
                self._series.setdefault(name, Series()).append(step, number)
            self.version += 1
        self._changed()

    def mark(self, step: int, text: str) -> None:
        """Mark a step with a short text."""
        with self._lock:
            self._marks.append(Mark(step, text))
            self.version += 1
        self._changed()

    def series(self, name: str) -> tuple[Int64, Float64]:
        """Return all steps and values of a series, as copies.

        Raises
        ------
        KeyError
            If nothing of that name was logged; the message lists the names.
        """
        found = self._find(name)
        with self._lock:
            return found.steps.copy(), found.values.copy()

    def after(self, name: str, count: int) -> tuple[Int64, Float64]:
        """Return the values of a series after the first ``count``. Raises as ``series``."""
        found = self._find(name)
        with self._lock:
            return found.steps[count:].copy(), found.values[count:].copy()

    def extend(self, name: str, steps: Int64, values: Float64) -> None:
        """Add many values to a series.

        Raises
        ------
        ValueError
            If the steps fall, or begin before the series' last one. Nothing has been added then.
        """
        if not len(steps):
            return
        with self._lock:
            series = self._series.get(name) or Series()
            last = series.last_step if name in self._series else int(steps[0])
            if steps[0] < last or (np.diff(steps) < 0).any():
                raise ValueError(f"{name!r}: steps only grow")
            self._series[name] = series
            series.extend(steps, values)
            self.version += 1
        self._changed()

    def cut(self, step: int) -> None:
        """Forget what came after a step."""
        with self._lock:
            for series in self._series.values():
                series._count = int(np.searchsorted(series.steps, step, "right"))
            self._series = {name: one for name, one in self._series.items() if one._count}
            self._marks = [mark for mark in self._marks if mark.step <= step]
            self.version += 1
        self._changed()

    def latest(self, name: str) -> float:
        """Return the last value of a series. Raises as ``series``."""
        found = self._find(name)
        with self._lock:
            return float(found.values[-1])

    def _find(self, name: str) -> Series:
        """Return a series, after reading its values that are still on a device."""
        with self._lock:
            if name not in self._series:
                known = ", ".join(map(repr, self._series)) or "nothing yet"
                raise KeyError(f"{name!r} was not logged; logged: {known}")
            series = self._series[name]
            waiting = list(series.waiting)
        # Reading waits for the device, so not while holding what `add` needs.
        for waited in waiting:
            values = None
            try:
                values = waited[1].cpu().double().numpy()
            except Exception as error:
                self._leave_out(name, series.steps[waited[0]], error)
            with self._lock:
                series.fill(waited, values)
        return series

    def _leave_out(self, name: str, steps: Int64, error: Exception) -> None:
        """Report, once for a series, that values stay NaN."""
        if name not in self._left_out:
            self._left_out |= {name}
            report(
                f"{name!r}, logged at step {steps[0]}, cannot be read: {error}. It is left out, "
                "and so is what else of it cannot be read"
            )


def step_given(step: Any, unnamed: tuple[Any, ...], values: dict[str, Any]) -> int | None:
    """Return the step of a call ``live.log(step, *unnamed, **values)``, ``None`` for the latest.

    Raises `TypeError` if a number has no name, or the step is not a whole number; it says what to
    write.
    """
    if isinstance(step, Mapping):
        raise TypeError("live.log got a dict: write live.log(**numbers), not live.log(numbers)")
    if isinstance(step, str):
        how = f"{step}=..." if step.isidentifier() else f"**{{{step!r}: ...}}"
        raise TypeError(f"live.log({step!r:.60}, ...): write live.log({how})")
    if unnamed or (step is not None and not values):
        raise TypeError("live.log: every number needs a name: write live.log(loss=0.3)")
    if step is None:
        return None
    try:
        return operator.index(step)
    except TypeError:
        raise TypeError(
            f"step={step!r:.60}: expected a whole number; other numbers need a name, such as "
            "live.log(loss=0.3)"
        ) from None


def _number(name: str, value: Any) -> "float | Tensor":
    if is_tensor(value):
        if value.numel() != 1 or value.is_complex():
            raise TypeError(
                f"{name} of shape {tuple(value.shape)}: expected a number or a tensor of one "
                "element"
            )
        value = value.detach().reshape(())
        return float(value) if value.device.type == "cpu" else value.clone()
    if isinstance(value, np.ndarray | np.generic) and value.size == 1:
        value = value.item()
    if isinstance(value, bool | int | float):
        try:
            return float(value)
        except OverflowError:
            raise ValueError(f"{name}: a number too large for a float") from None
    raise TypeError(f"{name}={value!r:.60}: expected a number or a tensor of one element")


# Words that say on which data a quantity was measured, not what it is.
_EVAL_WORDS = {"val", "valid", "validation", "eval", "evaluation", "test", "dev", "holdout"}
_TRAIN_WORDS = {"train", "training", "batch", "running"}


def belongs_to(name: str) -> tuple[str, str]:
    """Return the quantity of a curve of this name, and its data: "held out" or "trained on".

    Examples
    --------
    >>> belongs_to("loss"), belongs_to("val_loss"), belongs_to("acc/test")
    (('loss', 'trained on'), ('loss', 'held out'), ('acc', 'held out'))
    """
    parts = [part for part in re.split(r"[\s_./:-]+", name) if part]
    what = [part for part in parts if part.lower() not in _EVAL_WORDS | _TRAIN_WORDS]
    held_out = any(part.lower() in _EVAL_WORDS for part in parts)
    return " ".join(what) or name, "held out" if held_out else "trained on"


def loss_of(names: Iterable[str]) -> str:
    """Return which series is the loss: that of the training before one of held-out data."""
    losses = [name for name in names if belongs_to(name)[0].lower() == "loss"]
    return min(losses, key=lambda name: belongs_to(name)[1] != "trained on", default="")


# Rises are relative to a loss's first value, or to 1 where that was less.
_LASTING_RISE = 10.0  # a loss has diverged that exceeds this for long
_LASTING = 5  # values in a row
_SUDDEN_RISE = 100.0  # or exceeds this once, or is no number


def diverged_since(scalars: Scalars) -> int | None:
    """Return since when the loss has been far above its first value, and not come back to it."""
    if not (name := loss_of(scalars.names)):
        return None
    steps, losses = scalars.series(name)
    if not len(losses):
        return None
    rises = np.nan_to_num(losses / max(1.0, abs(float(losses[0]))), nan=np.inf)
    whole = np.flatnonzero(rises <= 1.0).max(initial=-1) + 1  # until then it was as at first
    turns = np.flatnonzero(np.diff(rises[whole:] > _LASTING_RISE, prepend=False, append=False))
    for begin, end in zip(whole + turns[::2], whole + turns[1::2], strict=True):
        if end - begin >= _LASTING or rises[begin:end].max() > _SUDDEN_RISE:
            return int(steps[begin])
    return None
