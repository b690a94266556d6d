"""Hooks on an optimizer's step, and the gate that keeps others out while it runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch.optim import Optimizer


class StepGate:
    """Calls back after each optimizer step; lets others in only between steps.

    Parameters change inside ``optimizer.step()``. Whoever reads or edits them from
    another thread does so ``with gate.between_steps()``.

    Parameters
    ----------
    optimizer
        The optimizer to hook into, or ``None``: then nothing is hooked and
        the gate is a plain lock.
    after_step
        Called in the training thread after each step, inside the gate. It must
        not raise.
    """

    def __init__(self, optimizer: Optimizer | None, after_step: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._after_step: Callable[[], None] | None = after_step
        self._stepping: int | None = None  # the thread inside optimizer.step()
        self._thread: int | None = None  # the thread that stepped last
        self._in_hook = False
        self._handles: list[Any] = []
        if optimizer is not None:
            self._handles = [
                optimizer.register_step_pre_hook(self._pre),
                optimizer.register_step_post_hook(self._post),
            ]

    @property
    def hooked(self) -> bool:
        """Whether an optimizer's steps are counted."""
        return bool(self._handles) and self._after_step is not None

    def _pre(self, *_: Any) -> None:
        if self._after_step is None:
            return
        # After a step that raised, the lock is still held: keep it.
        if self._stepping is None:
            self._lock.acquire()
        self._stepping = self._thread = threading.get_ident()

    def _post(self, *_: Any) -> None:
        after_step = self._after_step
        self._in_hook = True
        try:
            if after_step is not None:
                after_step()
        finally:
            self._in_hook = False
            if self._stepping is not None:
                self._stepping = None
                self._lock.release()

    @contextmanager
    def between_steps(self, timeout: float = -1) -> Iterator[bool]:
        """Hold off the next step; yields False if ``timeout`` seconds were not enough.

        In the thread that is stepping itself (in a hook, or after a step that
        raised) it is open at once.
        """
        if self._stepping == threading.get_ident():
            yield True
            return
        entered = self._lock.acquire(timeout=timeout)
        try:
            yield entered
        finally:
            if entered:
                self._lock.release()

    def detach(self) -> None:
        """Call back no more, and take the hooks out.

        torch iterates over its hooks while it calls them, and taking one out
        meanwhile would raise in the training loop. So from inside a hook, or from
        a thread other than the stepping one, they only become empty; calling
        again from the stepping thread takes them out.
        """
        self._after_step = None
        if not self._in_hook and self._thread in (None, threading.get_ident()):
            for handle in self._handles:
                handle.remove()
            self._handles = []
            if self._stepping is not None:
                self._stepping = None
                self._lock.release()
