"""Count the steps of a training, read its parameters between two of them, and know if it is quiet.

Which threads are inside ``step()`` is read from their stacks, never noted down: Ctrl-C can end
a step at any point of it, even in a hook, and nobody would correct the note.
"""

import statistics
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Thread, current_thread
from time import perf_counter
from types import FrameType
from typing import TypeVar

from torch import Tensor
from torch.optim import Optimizer

from kan_widgets.live.frames.feed import TrainingFeed
from kan_widgets.live.reports import Callback
from kan_widgets.live.steering.optimizers import Uncounted

T = TypeVar("T")

# Training counts as quiet after this long without a step, or this many step times.
_QUIET_SECONDS = 0.25
_QUIET_STEPS = 3.0
# How long to wait for the end of a step; there are steps that take minutes.
_PATIENCE_SECONDS = 2.0
# A thread that moved buffers but made no step for this long will make none.
_MAX_STEP_SECONDS = 10.0
_AWAIT_SECONDS = 0.5

# torch wraps each class's step() in a function of its own, which calls the hooks. Where
# step() calls super().step(), one is inside the other.
_TORCH_STEP = Optimizer.profile_hook_step(lambda self: None).__code__
_exchanging = threading.Lock()


class Counter:
    """Counts steps, and the time that counting them costs.

    The ``feed`` is held weakly, and its ``sending`` while a step is counted. Without an
    ``optimizer`` `step` counts. What a pass moves before the step is over, as the statistics of
    norms, is in ``buffers``. A step between two of ``every`` may be counted and no more.
    """

    def __init__(
        self,
        feed: TrainingFeed,
        optimizer: Optimizer | None = None,
        buffers: Iterable[Tensor] = (),
        *,
        every: int = 1,
        steps: int = 0,
    ) -> None:
        self._feed_ref = weakref.ref(feed)
        # Other tensors may not count versions: a change would go unnoticed.
        plain = (each for each in buffers if type(each) is Tensor and not each.is_inference())
        self._buffers, self._moved = tuple(plain), 0
        self.stepping = None if optimizer is None else stepping_of(optimizer)
        """The steps of the optimizer that are counted."""
        self._lock = feed.sending
        self.every = every
        self.stride = 1
        """Every n-th of the steps at which ``every`` makes a frame due gets one."""
        self.steps = steps
        self.seconds = 0.0
        """Time that counting, and work for the feed, took of the training thread."""
        self.in_background = 0.0
        """Processor time that other threads have taken since the start, for watching."""
        self.beside = 0.0
        """The part of ``in_background`` that fell into ``training_seconds``."""
        self._noted = 0.0  # of in_background, at the last step or pause
        self.skipped = 0
        """Steps at which a frame was due, and none could be taken."""
        self.training_seconds = 0.0
        """Time between steps, pauses left out."""
        self.uncounted = Uncounted()
        """Steps of other optimizers since the last step."""
        self.step_listeners: tuple[Callback[[int, bool]], ...] = ()
        self.only_counts = False
        """Whether the next step is only counted, if it is not due for a frame."""
        self.before_hold: Callable[[], object] | None = None
        """Called after each step, with no lock held, before a pause holds."""
        self._is_open = True
        self._last_step_at = 0.0
        self._intervals: deque[float] = deque(maxlen=5)
        # The thread that made the last step: not its identity, which is used again.
        self._trainer: Callable[[], Thread | None] = lambda: None
        # Quicker to check: the thread that made the last step has the latest token.
        self._here, self._token = threading.local(), object()

    def start(self) -> None:
        """Count the optimizer's steps from now on."""
        if self.stepping is not None:
            self.stepping.count(self)

    def move_to(self, optimizer: Optimizer) -> None:
        """Count the steps of another optimizer from now on."""
        before, self.stepping = self.stepping, stepping_of(optimizer)
        self.stepping.count(self)
        if before is not None:
            before.forget(self)
        self.request_full_step()

    def close(self) -> None:
        self._is_open, self._buffers = False, ()
        self.request_full_step()
        if self.stepping is not None:
            self.stepping.forget(self)

    @property
    def trained_by(self) -> Thread | None:
        """The thread that made the last step, while it is known."""
        return self._trainer()

    def request_full_step(self) -> None:
        """Have the next step do more than count: an edit, a rate, a pause or a listener waits."""
        self.only_counts = False

    def step(self) -> None:
        self.after_step()
        self.hold_or_stop()

    def after_step(self) -> bool:
        """Count a step, in the thread that trains; whether it was only counted. Never raises."""
        start = perf_counter()
        if self._buffers:
            self._moved = self._moves()
        if self.only_counts:
            step, passed = self.steps + 1, start - self._last_step_at
            mine = getattr(self._here, "token", None) is self._token
            between = step % (self.every * self.stride) != 0
            feed = self._feed_ref() if mine and passed <= _QUIET_SECONDS else None
            if feed is not None and (between or not feed.is_due(start)):
                with self._lock:
                    # Another thread may have changed it, or have made steps, meanwhile.
                    if self.only_counts and self.steps == step - 1:
                        self.steps = step
                        self.skipped += not between
                        self.uncounted.steps = 0
                        self._spend(passed)
                        self._intervals.append(passed)
                        feed.training.stepped(step, start, passed)
                        self._last_step_at = end = perf_counter()
                        self.seconds += end - start
                        return True
            self.only_counts = False
        if not self._is_open:
            return False
        before = self.seconds
        with self._lock:
            if (feed := self._feed_ref()) is not None:
                try:
                    self._count(feed, start)
                except Exception as error:
                    feed.fail(error)
        self._last_step_at = perf_counter()
        self.seconds = before + self._last_step_at - start  # what was counted inside is in it
        return False

    def _count(self, feed: TrainingFeed, now: float) -> None:
        self.steps += 1
        self.uncounted.steps = 0
        self._trainer = weakref.ref(current_thread())
        self._here.token = self._token = object()
        counted: float | None = None
        if self._last_step_at:
            passed = now - self._last_step_at
            # Patience is at least this long, so it rarely has to be computed.
            if not self._intervals or passed <= _QUIET_SECONDS or passed <= self._patience:
                counted = passed
            self._intervals.append(passed)
        self._spend(counted)
        feed.training.stepped(self.steps, now, counted)
        framed = feed.on_step(self.steps, now)
        for listener in self.step_listeners:
            listener(self.steps, framed)

    def _spend(self, passed: float | None) -> None:
        """Count seconds of training, with what others did meanwhile; None where it was a break."""
        noted, self._noted = self._noted, self.in_background
        if passed is not None:
            self.training_seconds += passed
            self.beside += self._noted - noted

    def hold_or_stop(self) -> None:
        """Hold, or stop the loop by raising `TrainingStopped`, if that was asked for."""
        if self.only_counts:
            self._last_step_at = perf_counter()  # another binding may have held before
            return
        feed = self._feed_ref()
        if not self._is_open or feed is None:
            return
        start = perf_counter()
        if self.before_hold is not None:
            self.before_hold()
        control = feed.training.control
        held = not control.only_counts() and feed.training.hold()
        # Set first, then only ever unset: a request that comes in between unsets it too.
        self.only_counts = True
        if (
            self.step_listeners
            or self.before_hold
            or not (feed.may_only_count() and control.may_only_count())
        ):
            self.only_counts = False
        now = perf_counter()
        # Time spent paused is not time spent training.
        if held:
            self._spend(None)
        else:
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
        """Leave out time between two steps that was not spent on training."""
        if self._last_step_at:
            self._last_step_at += seconds
            self._spend(None)

    def add_step_listener(self, listener: Callable[[int, bool], None]) -> Callable[[], None]:
        """Call ``listener(step, framed)`` in the thread that trains, after each step counted.

        ``framed`` says whether a frame was taken at it. Gradients are still there. It must be
        quick; what it raises is a warning, once.

        Returns
        -------
        callable
            Call it to stop.
        """
        called = Callback("live.feed.counter.add_step_listener", listener)
        self.step_listeners = (*self.step_listeners, called)
        self.request_full_step()
        counter = weakref.ref(self)

        def stop() -> None:
            if (known := counter()) is not None:
                known.step_listeners = tuple(c for c in known.step_listeners if c is not called)

        return stop

    @property
    def _patience(self) -> float:
        usual = statistics.median(self._intervals) if self._intervals else 0.0
        return max(_QUIET_SECONDS, _QUIET_STEPS * usual)

    def _moves(self) -> int:
        return sum(buffer._version for buffer in self._buffers)

    def may_be_within_step(self) -> bool:
        """Whether another thread is inside ``step()``, or has moved buffers since its last one.

        What is read then is of no step: the functions of one, the norms of the next.
        """
        if self.stepping is not None and self.stepping.goes_on():
            return True
        trainer = self._trainer()
        return (
            trainer not in (None, current_thread())
            and self._moves() != self._moved
            and perf_counter() - self._last_step_at < _MAX_STEP_SECONDS
        )

    def await_step(self) -> None:
        """Wait a little for the end of a step that another thread makes."""
        end = perf_counter() + _AWAIT_SECONDS
        while self.may_be_within_step() and perf_counter() < end:
            time.sleep(0.002)

    @property
    def is_quiet(self) -> bool:
        """Whether no step has come for clearly longer than steps take."""
        return perf_counter() - self._last_step_at > self._patience


class Stepping:
    """The steps of one optimizer: who counts them, and whether one goes on. Use `stepping_of`."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = weakref.ref(optimizer)
        self.counters: tuple[Counter, ...] = ()
        """They are told of each step, in the thread that made it."""
        self._ended = 0
        # Most optimizers have one step(): no need to look at the stack after each step.
        steps = [kind for kind in type(optimizer).__mro__ if "step" in vars(kind)]
        self._may_nest = len(steps) > 2  # the last is that of Optimizer, which nobody calls

    def count(self, counter: Counter) -> None:
        """Tell ``counter`` of each step from now on.

        Its ``after_step`` must not raise, and returns whether the step was only counted; then
        ``hold_or_stop`` is left out where nobody else counts. During that the step counts as over:
        it may wait, others may read the parameters meanwhile, and what it raises reaches the
        training loop.
        """
        with _exchanging:
            self.counters = (*self.counters, counter)

    def forget(self, counter: Counter) -> None:
        with _exchanging:
            self.counters = tuple(known for known in self.counters if known is not counter)

    def ended(self, optimizer: Optimizer) -> None:
        """Tell those who count that a step has been made; called by the hook of all optimizers."""
        self._ended += 1
        frame, steps = sys._getframe(1) if self._may_nest else None, 0
        while frame is not None:
            steps += _is_step_of(optimizer, frame)
            if steps > 1:
                return  # a step() that called super().step(): still the same step
            frame = frame.f_back
        only_counts = False
        for counter in self.counters:
            only_counts = counter.after_step()
        if not only_counts or len(self.counters) > 1:
            self._hold_or_stop()

    def _hold_or_stop(self) -> None:
        for counter in self.counters:
            counter.hold_or_stop()

    def goes_on(self) -> bool:
        """Whether another thread is inside ``step()``."""
        me = threading.get_ident()
        return any(not over for thread, over in self.inside().items() if thread != me)

    def read_between_steps(self, read: Callable[[], T]) -> T:
        """Return ``read()``, called again if a step of another thread came in between.

        The training never waits for it.
        """
        end = time.monotonic() + _PATIENCE_SECONDS
        while True:
            ended, inside = self._ended, self.inside()
            trains_here = threading.get_ident() in inside
            if not trains_here and not all(inside.values()) and time.monotonic() < end:
                time.sleep(0.0005)
                continue
            value = read()
            is_as_before = self._ended == ended and not self.goes_on()
            if trains_here or is_as_before or time.monotonic() >= end:
                return value

    def inside(self) -> dict[int, bool]:
        """Return the threads inside ``step()``, hooks included.

        With each, whether its step is over and it has come to ``hold_or_stop``.
        """
        inside: dict[int, bool] = {}
        optimizer = self._optimizer()
        if optimizer is None:
            return inside
        frame: FrameType | None
        for thread, frame in sys._current_frames().items():
            over = False
            while frame is not None:
                if frame.f_code is Stepping._hold_or_stop.__code__:
                    over = over or frame.f_locals.get("self") is self
                elif _is_step_of(optimizer, frame):
                    inside[thread] = over
                    break
                frame = frame.f_back
        return inside


steppings: weakref.WeakKeyDictionary[Optimizer, Stepping] = weakref.WeakKeyDictionary()


def stepping_of(optimizer: Optimizer) -> Stepping:
    """Return the counts of an optimizer's steps."""
    stepping = steppings.get(optimizer)
    if stepping is None:
        stepping = steppings[optimizer] = Stepping(optimizer)
    return stepping


def _is_step_of(optimizer: Optimizer, frame: FrameType) -> bool:
    return frame.f_code is _TORCH_STEP and frame.f_locals.get("self") is optimizer
