"""Count an optimizer's steps, and read its parameters only between steps.

One hook per optimizer serves everyone who counts its steps. torch iterates over its
hooks while it calls them, and a hook placed or removed meanwhile would raise in the
training loop; so it is placed and removed only while no thread is inside ``step()``.

Which threads are inside is read from their stacks, never noted down: Ctrl-C can end
a step at any point of it, even in a hook, and nobody would correct the note.
"""

from __future__ import annotations

import sys
import threading
import time
import weakref
from collections.abc import Callable, Collection
from types import FrameType
from typing import Any, TypeVar

import torch
from torch.optim import Optimizer

T = TypeVar("T")

# How long to wait for the end of a step; there are steps that take minutes.
_PATIENCE_SECONDS = 2.0
_PATIENCE_TO_LISTEN = 0.2

# torch wraps each class's step() in a function of its own, which calls the hooks. Where
# step() calls super().step(), one is inside the other.
_TORCH_STEP = Optimizer.profile_hook_step(lambda self: None).__code__


class StepHooks:
    """The hook on one optimizer, and whom it calls. Use `hooks_of`."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = weakref.ref(optimizer)
        self._after_step: tuple[Callable[[], bool], ...] = ()
        self._between: tuple[Callable[[], None], ...] = ()
        self._handle: Any = None
        self._lock = threading.Lock()
        self._ended = 0
        # Most optimizers have one step(): no need to look at the stack after each step.
        steps = [kind for kind in type(optimizer).__mro__ if "step" in vars(kind)]
        self._may_nest = len(steps) > 2  # the last is that of Optimizer, which nobody calls

    def add(self, after_step: Callable[[], bool], between: Callable[[], None]) -> None:
        """Call ``after_step``, then ``between``, in the training thread after each step.

        ``after_step`` must not raise. It says whether the step was only counted: then ``between``
        is called only if somebody else's is. During ``between`` the step counts as over: it may
        wait, others may read the parameters meanwhile, and what it raises reaches the training
        loop. Raises `RuntimeError` if called from inside ``optimizer.step()``.
        """
        with self._lock:
            optimizer = self._optimizer()
            if self._handle is None and optimizer is not None:
                if not _come_outside(self._inside, _PATIENCE_SECONDS):
                    raise RuntimeError(
                        "kan_widgets.bind was called inside optimizer.step(): call it between two "
                        "steps"
                    )
                # Where the step is compiled, what is called here is left out of that.
                post = torch.compiler.disable(self._post)
                self._handle = optimizer.register_step_post_hook(post)
            self._after_step = (*self._after_step, after_step)
            self._between = (*self._between, between)

    def remove(self, after_step: Callable[[], bool], between: Callable[[], None]) -> None:
        """Call these no more; take the hook out with the last ones.

        If a thread is inside ``step()`` just now, it stays, and calls nobody.
        """
        with self._lock:
            self._after_step = tuple(call for call in self._after_step if call != after_step)
            self._between = tuple(call for call in self._between if call != between)
            if self._handle is not None and not self._after_step and not self._inside():
                self._handle.remove()
                self._handle = None

    def _post(self, optimizer: Optimizer, *_: Any) -> None:
        self._ended += 1
        frame, steps = sys._getframe(1) if self._may_nest else None, 0
        while frame is not None:
            steps += _is_step_of(optimizer, frame)
            if steps > 1:
                return  # a step() that called super().step(): still the same step
            frame = frame.f_back
        only_counted = False
        for call in self._after_step:
            only_counted = call()
        if not only_counted or len(self._between) > 1:
            self._call_between()

    def _call_between(self) -> None:
        for call in self._between:
            call()

    def is_stepping(self) -> bool:
        """Whether another thread is inside ``step()``."""
        me = threading.get_ident()
        return any(not over for thread, over in self._inside().items() if thread != me)

    def read_between_steps(self, read: Callable[[], T]) -> T:
        """Return ``read()``, called again if a step of another thread came in between.

        The training never waits for it.
        """
        end = time.monotonic() + _PATIENCE_SECONDS
        while True:
            ended, inside = self._ended, self._inside()
            trains_here = threading.get_ident() in inside
            if not trains_here and not all(inside.values()) and time.monotonic() < end:
                time.sleep(0.0005)
                continue
            value = read()
            if trains_here or self._is_as_after(ended) or time.monotonic() >= end:
                return value

    def read_undisturbed(self, read: Callable[[], T]) -> T | None:
        """Return ``read()``, or ``None`` if a step of another thread goes on or came in between."""
        ended = self._ended
        if self.is_stepping():
            return None
        value = read()
        return value if self._is_as_after(ended) else None

    def _is_as_after(self, ended: int) -> bool:
        """Whether no step of another thread has begun since so many had ended."""
        return self._ended == ended and not self.is_stepping()

    def _inside(self) -> dict[int, bool]:
        """Return the threads inside ``step()``, hooks included.

        With each, whether its step is over and it has come to ``between``.
        """
        inside: dict[int, bool] = {}
        optimizer = self._optimizer()
        if optimizer is None:
            return inside
        frame: FrameType | None
        for thread, frame in sys._current_frames().items():
            over = False
            while frame is not None:
                if frame.f_code is StepHooks._call_between.__code__:
                    over = over or frame.f_locals.get("self") is self
                elif _is_step_of(optimizer, frame):
                    inside[thread] = over
                    break
                frame = frame.f_back
        return inside


def wait_until_outside() -> bool:
    """Wait until no thread is inside a step of any optimizer; whether that has come about."""
    return _come_outside(
        lambda: [each for each, at in sys._current_frames().items() if _is_inside(at)],
        _PATIENCE_TO_LISTEN,
    )


def _come_outside(inside: Callable[[], Collection[int]], seconds: float) -> bool:
    """Wait until no thread is inside a step; whether that has come about in time."""
    end = time.monotonic() + seconds
    while found := inside():
        if threading.get_ident() in found or time.monotonic() > end:
            return False
        time.sleep(0.0005)
    return True


def _is_inside(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code is _TORCH_STEP:
            return True
        frame = frame.f_back
    return False


_hooks: weakref.WeakKeyDictionary[Optimizer, StepHooks] = weakref.WeakKeyDictionary()


def hooks_of(optimizer: Optimizer) -> StepHooks:
    """Return the one hook of an optimizer; made, but not placed, when first asked for."""
    hooks = _hooks.get(optimizer)
    if hooks is None:
        hooks = _hooks[optimizer] = StepHooks(optimizer)
    return hooks


def _is_step_of(optimizer: Optimizer, frame: FrameType) -> bool:
    return frame.f_code is _TORCH_STEP and frame.f_locals.get("self") is optimizer
