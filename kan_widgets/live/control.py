"""Pause, resume, single steps and stop, for a training loop that knows nothing of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Literal

# A thread that holds looks this often for what others want of it, and for Ctrl+C.
_POLL_SECONDS = 0.05

_UNREACHABLE = (
    "The pause was not held: while this cell runs, clicks cannot reach it here, so nothing could "
    "have ended it. Train with kw.fit(..., background=True) to pause."
)
_NOTHING_TO_STOP = "Nothing was training, so nothing was stopped."


class TrainingStopped(Exception):
    """Raised by ``optimizer.step()`` in a loop that was stopped from outside.

    Loops over ``live.track(...)`` and `kan_widgets.fit` end without it. The step that was
    going on has been made.
    """

    def __init__(self, step: int) -> None:
        super().__init__(f"training was stopped after step {step}")
        self.step = step

    def _render_traceback_(self) -> list[str]:
        # What IPython shows instead of a traceback: nothing went wrong.
        return [f"TrainingStopped: {self}"]


class Control:
    """What others want of the thread that trains. Reached as ``live.control``.

    Every wish can come from any thread and holds from the end of the step that is going on;
    the last one counts. A loop that begins after a stop, an interrupt or an error is not
    paused.

    Parameters
    ----------
    changed
        Called after each change; must be cheap.
    """

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._changed = changed
        self._condition = threading.Condition()
        self._paused = False
        self._steps_allowed = 0
        self._stop = False
        self._holding = False
        self._trainer: int | None = (
            None  # the thread that trains, until its loop is known to be over
        )
        self._callers: set[int] = set()
        self._loops: dict[int, Loop] = {}  # by thread
        self._message = ""

    @property
    def state(self) -> Literal["running", "paused", "stopping"]:
        """``paused`` from the wish on, also before the step that is going on has ended."""
        if self._stop:
            return "stopping"
        return "paused" if self._paused and not self._steps_allowed else "running"

    @property
    def is_holding(self) -> bool:
        """Whether the training stands still at this moment."""
        return self._holding

    @property
    def message(self) -> str:
        """What could not be done, in words; else empty."""
        return self._message

    @property
    def reachable(self) -> bool:
        """Whether a wish can arrive while this thread is busy: some came from another thread."""
        return bool((self._callers & _threads()) - {threading.get_ident()})

    def heard(self) -> None:
        """Note that a message from a page has arrived on this thread."""
        self._callers.add(threading.get_ident())

    # -- wishes -----------------------------------------------------------------------

    def pause(self) -> None:
        """Hold the training after the step that is going on."""
        self._wish(paused=True, steps=0)

    def resume(self) -> None:
        """Let the training go on."""
        self._wish(paused=False, steps=0)

    def advance(self, steps: int = 1) -> None:
        """Let some steps through, then hold.

        Raises
        ------
        TypeError, ValueError
            If ``steps`` is no whole number from 1.
        """
        if isinstance(steps, bool) or not isinstance(steps, int):
            raise TypeError(f"steps={steps!r}: a whole number is taken")
        if steps < 1:
            raise ValueError(f"steps={steps}: at least 1 is taken")
        self._wish(paused=True, steps=steps)

    def stop(self) -> None:
        """End the loop that is training after the step that is going on; a later one may run."""
        self.heard()
        with self._condition:
            self._stop = self._is_training()
            self._message = "" if self._stop else _NOTHING_TO_STOP
            self._condition.notify_all()
        self._changed()

    def _is_training(self) -> bool:
        return self._holding or bool({self._trainer, *self._loops} & _threads())

    def runs_in(self, thread: int) -> bool:
        """Whether a thread trains, as far as its loop is not known to be over."""
        return thread == self._trainer or thread in self._loops

    @property
    def trainer_is_gone(self) -> bool:
        """Whether the thread that trained has ended."""
        return self._trainer is not None and self._trainer not in _threads()

    def _wish(self, *, paused: bool, steps: int) -> None:
        self.heard()
        with self._condition:
            self._paused, self._steps_allowed = paused, steps
            self._stop = False
            self._message = ""
            self._condition.notify_all()
        self._changed()

    # -- what the loop that trains says -------------------------------------------------

    def begin(self, loop: Loop) -> None:
        """Say that this thread runs a loop that looks for a stop by itself."""
        self._loops[threading.get_ident()] = loop
        self._changed()

    def end(self, loop: Loop) -> None:
        """Say that a loop is over; nothing if another has taken its place."""
        for thread, known in list(self._loops.items()):
            if known is loop:
                del self._loops[thread]
                self.over()

    def over(self) -> None:
        """Say that the training is over, however it ended: the next is not paused or stopped."""
        with self._condition:
            if self._trainer is not None or self._holding:
                self._paused, self._steps_allowed = False, 0
            self._stop = self._holding = False
            self._trainer = None
            self._loops = {}
            self._condition.notify_all()
        self._changed()

    def take_stop(self) -> bool:
        """Return whether a stop was asked for; asked once only."""
        with self._condition:
            asked, self._stop = self._stop, False
        return asked

    def after_step(self, step: int, meanwhile: Callable[[], Any]) -> None:
        """Do what was asked for, in the thread that trains, after a step.

        Parameters
        ----------
        step
            The number of the step made.
        meanwhile
            Called again and again while it holds.

        Raises
        ------
        TrainingStopped
            If a stop was asked for and no loop here looks for it.
        KeyboardInterrupt
            As ever; the training is not paused afterwards.
        """
        self._trainer = threading.get_ident()
        if not (self._paused or self._stop):
            return
        loop = self._loops.get(threading.get_ident())
        if self._steps_allowed:
            self._steps_allowed -= 1
            if self._steps_allowed and not self._stop:
                return
            self._changed()
        if self._paused and not self._stop and not (loop is not None and loop.waits_itself):
            self._hold(meanwhile)
        if self._stop and loop is None:
            self.over()
            raise TrainingStopped(step)

    def _hold(self, meanwhile: Callable[[], Any]) -> None:
        if not self.reachable:
            self._paused, self._message = False, _UNREACHABLE
            self._changed()
            return
        self._holding = True
        self._changed()
        try:
            while self._must_hold():
                meanwhile()
                with self._condition:
                    if self._must_hold():
                        self._condition.wait(_POLL_SECONDS)
        except BaseException:
            self.over()
            raise
        finally:
            self._holding = False
            self._changed()

    def _must_hold(self) -> bool:
        return self._paused and not self._steps_allowed and not self._stop and self._holding

    async def hold_in(self, meanwhile: Callable[[], Any]) -> None:
        """Hold in an asynchronous loop: what else runs in its thread goes on."""
        import asyncio

        if not (self._paused and not self._steps_allowed and not self._stop):
            return
        self._holding = True
        self._changed()
        try:
            while self._must_hold():
                meanwhile()
                await asyncio.sleep(_POLL_SECONDS)
        finally:
            self._holding = False
            self._changed()


def _threads() -> set[int | None]:
    return {thread.ident for thread in threading.enumerate()}


class Loop:
    """A loop over batches that looks for a stop between two of them.

    Parameters
    ----------
    waits_itself
        Whether it holds between batches instead of inside ``optimizer.step()``.
    """

    def __init__(self, waits_itself: bool = False) -> None:
        self.waits_itself = waits_itself
