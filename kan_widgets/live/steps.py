"""Count an optimizer's steps, and read its parameters only between steps.

One pair of hooks per optimizer serves all who want to know of its steps. torch
iterates over its hooks while it calls them, and a hook placed or removed meanwhile
would raise in the training loop; so the pair is placed and removed only while no
thread is inside ``step()``.
"""

from __future__ import annotations

import inspect
import sys
import threading
import time
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

from torch.optim import Optimizer

T = TypeVar("T")

# A step that takes longer than this was left by an exception.
_ABANDONED_SECONDS = 2.0
_TORCH_FILE = inspect.getfile(Optimizer)


class StepHooks:
    """The hooks on one optimizer. Use `hooks_of`."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = weakref.ref(optimizer)
        self._after_step: tuple[Callable[[], None], ...] = ()
        self._between: tuple[Callable[[], None], ...] = ()
        self._handles: list[Any] = []
        self._lock = threading.Lock()
        self._entered = 0
        self._entered_at = 0.0
        self._inside: int | None = None  # the thread inside step()
        self._outermost: int | None = None  # identity of torch's frame around that step

    def add(self, after_step: Callable[[], None], between: Callable[[], None]) -> None:
        """Call ``after_step``, then ``between``, in the training thread after each step.

        ``after_step`` must not raise. During ``between`` the step counts as over: it may wait,
        others may read the parameters meanwhile, and what it raises reaches the training loop.

        Raises
        ------
        RuntimeError
            If called from inside ``optimizer.step()``.
        """
        with self._lock:
            optimizer = self._optimizer()
            if not self._handles and optimizer is not None:
                _wait_until_outside(optimizer)
                self._handles = [
                    optimizer.register_step_pre_hook(self._pre),
                    optimizer.register_step_post_hook(self._post),
                ]
            self._after_step = (*self._after_step, after_step)
            self._between = (*self._between, between)

    def remove(self, after_step: Callable[[], None], between: Callable[[], None]) -> None:
        """Call these no more; take the hooks out with the last ones.

        If a thread is inside ``step()`` just now, they stay, empty.
        """
        with self._lock:
            self._after_step = tuple(call for call in self._after_step if call != after_step)
            self._between = tuple(call for call in self._between if call != between)
            optimizer = self._optimizer()
            if not self._after_step and (optimizer is None or not _threads_inside(optimizer)):
                for handle in self._handles:
                    handle.remove()
                self._handles = []

    def replace(
        self,
        known: tuple[Callable[[], None], Callable[[], None]],
        new: tuple[Callable[[], None], Callable[[], None]],
    ) -> None:
        """Call the new pair from now on where the known one was called: each step reaches one."""
        with self._lock:
            self._after_step = tuple(new[0] if c == known[0] else c for c in self._after_step)
            self._between = tuple(new[1] if c == known[1] else c for c in self._between)

    def _pre(self, *_: Any) -> None:
        frame = sys._getframe(1)
        if self._outermost is not None and _is_above(frame, self._outermost):
            return  # a step() that calls super().step(): still the same step
        self._outermost = id(frame)
        self._entered += 1
        self._entered_at = time.monotonic()
        self._inside = threading.get_ident()

    def _post(self, *_: Any) -> None:
        if id(sys._getframe(1)) != self._outermost:
            return
        self._outermost = None
        for call in self._after_step:
            call()
        self._inside = None
        for call in self._between:
            call()

    def is_stepping(self) -> bool:
        """Whether another thread is inside ``step()``."""
        inside = self._inside
        return (
            inside not in (None, threading.get_ident())
            and time.monotonic() - self._entered_at < _ABANDONED_SECONDS
        )

    def read_between_steps(self, read: Callable[[], T]) -> T:
        """Return ``read()``, called again if a step of another thread came in between.

        The training never waits for it.
        """
        end = time.monotonic() + _ABANDONED_SECONDS
        while True:
            entered = self._entered
            if self.is_stepping() and time.monotonic() < end:
                time.sleep(0.0005)
                continue
            value = read()
            mine = self._inside == threading.get_ident()
            if mine or self._entered == entered or time.monotonic() >= end:
                return value


_hooks: weakref.WeakKeyDictionary[Optimizer, StepHooks] = weakref.WeakKeyDictionary()


def hooks_of(optimizer: Optimizer) -> StepHooks:
    """Return the one pair of hooks of an optimizer; made, but not placed, when first asked for."""
    hooks = _hooks.get(optimizer)
    if hooks is None:
        hooks = _hooks[optimizer] = StepHooks(optimizer)
    return hooks


def _is_above(frame: FrameType, identity: int) -> bool:
    """Whether a frame of this identity called ``frame``, directly or not."""
    above = frame.f_back
    while above is not None:
        if id(above) == identity:
            return True
        above = above.f_back
    return False


def _threads_inside(optimizer: Optimizer) -> set[int]:
    """Return the threads that are inside ``optimizer.step()``, hooks included."""
    inside = set()
    frame: FrameType | None
    for thread, frame in sys._current_frames().items():
        while frame is not None:
            # torch wraps step() in a function of its own, which calls the hooks.
            if frame.f_code.co_filename == _TORCH_FILE and frame.f_locals.get("self") is optimizer:
                inside.add(thread)
                break
            frame = frame.f_back
    return inside


def _wait_until_outside(optimizer: Optimizer) -> None:
    end = time.monotonic() + _ABANDONED_SECONDS
    while inside := _threads_inside(optimizer):
        if threading.get_ident() in inside or time.monotonic() > end:
            raise RuntimeError(
                "kan_widgets.bind was called inside optimizer.step(): call it between two steps"
            )
        time.sleep(0.0005)
