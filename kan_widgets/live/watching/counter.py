"""Count the steps of a training, and know whether it has gone quiet."""

from __future__ import annotations

import statistics
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Thread, current_thread
from time import perf_counter
from typing import Any

from torch import nn
from torch.optim import Optimizer

from kan_widgets.live.reports import Callback
from kan_widgets.live.steering.training import Training
from kan_widgets.live.watching.steps import StepHooks

# Training counts as quiet after this long without a step, or this many step times.
_QUIET_SECONDS = 0.25
_QUIET_STEPS = 3.0
# Between two steps of the bound optimizer another one, of other parameters, may make some.
_MANY = 10


class Counter:
    """Counts steps, and the time that counting them costs.

    The owner is held weakly. After a step its ``on_step(step, now)`` does what is due, in the
    thread that trains, and tells whether a frame was taken; ``fail(error)`` lets go where that
    could not be done. ``is_due(now)`` tells whether a frame may be taken, after as many steps as
    there are to be between two, and ``can_rest()`` whether the next steps are only to be counted
    until then.

    Without ``hooks`` of an optimizer `step` counts. ``lock`` is held while a step is counted. A
    step between two of ``every`` may be counted and no more.
    """

    def __init__(
        self,
        owner: Any,
        training: Training,
        hooks: StepHooks | None = None,
        *,
        lock: AbstractContextManager[object] | None = None,
        every: int = 1,
        steps: int = 0,
    ) -> None:
        self._owner = weakref.ref(owner)
        self._training = training
        self.hooks = hooks
        self._lock = lock or threading.RLock()
        self.every = every
        self.steps = steps
        self.seconds = 0.0
        """What counting and what was done for the owner took, of the time of who trains."""
        self.in_background = 0.0
        """Processor time that other threads have taken meanwhile, for watching."""
        self.skipped = 0
        """Steps at which a frame was due, and none could be taken."""
        self.training_seconds = 0.0
        """Time between steps, pauses left out."""
        self.uncounted = Uncounted()
        """What other optimizers have done since the last step."""
        self.watchers: tuple[Callback[[int, bool]], ...] = ()
        self.is_calm = False
        """Whether the next step is only counted, if it is not due for a frame."""
        self._is_open = True
        self._last_step_at = 0.0
        self._intervals: deque[float] = deque(maxlen=5)
        # The thread that made the last step: not its identity, which is used again.
        self._trainer: Callable[[], Thread | None] = lambda: None
        # The thread that has the latest token here made it too; that is known at once.
        self._here, self._token = threading.local(), object()

    def start(self) -> None:
        """Count the optimizer's steps from now on."""
        if self.hooks is not None:
            self.hooks.add(self.after_step, self.between_steps)

    def move_to(self, hooks: StepHooks) -> None:
        """Count the steps of another optimizer from now on.

        Raises `RuntimeError` if called from inside its ``step()``; nothing has changed then.
        """
        before = self.hooks
        hooks.add(self.after_step, self.between_steps)
        self.hooks = hooks
        if before is not None:
            before.remove(self.after_step, self.between_steps)
        self.request_full_step()

    def close(self) -> None:
        """Count no more."""
        self._is_open = False
        self.request_full_step()
        if self.hooks is not None:
            self.hooks.remove(self.after_step, self.between_steps)

    @property
    def trained_by(self) -> Thread | None:
        """The thread that made the last step, while it is known."""
        return self._trainer()

    def request_full_step(self) -> None:
        """Have the next step do more than count: an edit, a rate, a pause or a watcher waits."""
        self.is_calm = False

    def step(self) -> None:
        """Count one step by hand."""
        self.after_step()
        self.between_steps()

    def after_step(self) -> bool:
        """Count a step, in the thread that trains; whether it was only counted. Never raises."""
        start = perf_counter()
        if self.is_calm:
            step, passed = self.steps + 1, start - self._last_step_at
            mine = getattr(self._here, "token", None) is self._token
            between = step % self.every != 0
            if mine and passed <= _QUIET_SECONDS and (between or self._is_too_soon(start)):
                with self._lock:
                    # Another thread may have changed it, or have made steps, meanwhile.
                    if self.is_calm and self.steps == step - 1:
                        self.steps = step
                        self.skipped += not between
                        self.uncounted.steps = 0
                        self.training_seconds += passed
                        self._intervals.append(passed)
                        self._training.stepped(step, start, passed)
                        self._last_step_at = end = perf_counter()
                        self.seconds += end - start
                        return True
            self.is_calm = False
        if not self._is_open:
            return False
        before = self.seconds
        with self._lock:
            if (owner := self._owner()) is not None:
                try:
                    self._count(owner, start)
                except Exception as error:
                    owner.fail(error)
        self._last_step_at = perf_counter()
        self.seconds = before + self._last_step_at - start  # what was counted inside is in it
        return False

    def _is_too_soon(self, now: float) -> bool:
        owner = self._owner()
        return owner is not None and not owner.is_due(now)

    def _count(self, owner: Any, now: float) -> None:
        self.steps += 1
        self.uncounted.steps = 0
        self._trainer = weakref.ref(current_thread())
        self._here.token = self._token = object()
        counted: float | None = None
        if self._last_step_at:
            passed = now - self._last_step_at
            # The patience is at least this long: mostly it need not be worked out.
            if not self._intervals or passed <= _QUIET_SECONDS or passed <= self._patience:
                counted = passed
                self.training_seconds += passed
            self._intervals.append(passed)
        self._training.stepped(self.steps, now, counted)
        framed = owner.on_step(self.steps, now)
        for watcher in self.watchers:
            watcher(self.steps, framed)

    def between_steps(self) -> None:
        """Hold, or stop the loop by raising `TrainingStopped`, if that was asked for."""
        if self.is_calm:
            self._last_step_at = perf_counter()  # another binding may have held before
            return
        if not self._is_open:
            return
        start = perf_counter()
        control = self._training.control
        held = not control.lets_pass() and self._training.hold()
        # Set before it is checked, and only ever unset then: a wish that comes meanwhile unsets it.
        self.is_calm = True
        owner = self._owner()
        if self.watchers or owner is None or not (owner.can_rest() and control.is_settled()):
            self.is_calm = False
        now = perf_counter()
        # Standing still was no training.
        if not held:
            self.seconds += now - start
        self._last_step_at = now

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what the thread that trains does for watching, between two steps or in one."""
        start, before = perf_counter(), self.seconds
        try:
            yield
        finally:
            if self._last_step_at and self._trainer() is current_thread():
                self.seconds = before + perf_counter() - start

    def waited(self, seconds: float) -> None:
        """Leave out a time between two steps: it was not spent on training."""
        if self._last_step_at:
            self._last_step_at += seconds

    def watch(self, watcher: Callable[[int, bool], None]) -> Callable[[], None]:
        """Call ``watcher(step, framed)`` in the thread that trains, after each step counted.

        ``framed`` says whether a frame was taken at it. Gradients are still there. It must be
        quick; what it raises is a warning, once.

        Returns
        -------
        callable
            Call it to stop.
        """
        called = Callback("live.feed.counter.watch", watcher)
        self.watchers = (*self.watchers, called)
        self.request_full_step()
        counter = weakref.ref(self)

        def stop() -> None:
            if (known := counter()) is not None:
                known.watchers = tuple(w for w in known.watchers if w is not called)

        return stop

    @property
    def _patience(self) -> float:
        usual = statistics.median(self._intervals) if self._intervals else 0.0
        return max(_QUIET_SECONDS, _QUIET_STEPS * usual)

    @property
    def is_quiet(self) -> bool:
        """Whether no step has come for clearly longer than steps take."""
        return perf_counter() - self._last_step_at > self._patience


class Uncounted:
    """Steps that were made since the last one that was counted."""

    def __init__(self) -> None:
        self.steps = 0
        self._by = ""
        self._trains: weakref.WeakKeyDictionary[Optimizer, bool]
        self._trains = weakref.WeakKeyDictionary()

    @property
    def words(self) -> str:
        """Say how many, if there are too many to be of a second optimizer; else empty."""
        if self.steps < _MANY:
            return ""
        return f"{self.steps:,} steps not counted, made by {self._by}, which is not bound"

    def note(self, optimizer: Optimizer, model: nn.Module | None, bound: Optimizer | None) -> bool:
        """Note a step of an optimizer that is not bound; whether they are too many by now."""
        trains = self._trains.get(optimizer)
        if trains is None:
            own = set() if model is None else {id(each) for each in model.parameters()}
            groups = optimizer.param_groups
            trains = any(id(each) in own for group in groups for each in group["params"])
            self._trains[optimizer] = trains
        if trains:
            self.steps += 1
            kind = type(optimizer)
            self._by = f"another {kind.__name__}" if type(bound) is kind else kind.__name__
        return trains and self.steps >= _MANY
