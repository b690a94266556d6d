"""Pause, resume, single steps and stop, for a training loop that knows nothing of them."""

import asyncio
import queue
import sys
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from traceback import walk_stack

from kan_widgets.checks import check_whole
from kan_widgets.live.frames.progress import ControlState
from kan_widgets.live.not_copied import NotCopied
from kan_widgets.live.steering.loops import Clock, Loop, loops_here, loops_of

# A paused thread looks this often for new commands, and for Ctrl+C.
POLL_SECONDS = 0.05

_UNREACHABLE = (
    "The pause was not held: while this cell runs, clicks cannot reach it here, so nothing could "
    "have ended it. Train with kw.fit(..., background=True) to pause."
)
_PAUSED_EARLY = "kan_widgets: paused before it began; press ▶ on the training panel to go on"
_NOTHING_TO_STOP = "Nothing was training, so nothing was stopped."


class TrainingStopped(Exception):
    """Raised by ``optimizer.step()`` in a loop that was stopped from outside.

    Loops over ``live.track(...)`` and `kan_widgets.fit` end without it. The step during which it
    was raised has been made.
    """

    def __init__(self, step: int) -> None:
        super().__init__(f"training was stopped after step {step}")
        self.step = step

    def _render_traceback_(self) -> list[str]:
        # What IPython shows instead of a traceback: nothing went wrong.
        return [f"TrainingStopped: {self}"]


class Control(NotCopied):
    """Pauses, steps and stops the thread that trains. Reached as ``live.control``.

    Every command can come from any thread and holds from the end of the current step;
    the last one counts. A loop that begins after a stop, an interrupt or an error is not
    paused.

    ``changed`` is called after each change, which `may_only_count` relies on, and must be
    cheap. ``bare_loop_runs`` is given the thread that made the last step outside any tracked loop,
    and tells whether its loop may still be going on. While the training is held ``clock`` stands
    still, and ``while_held`` is called again and again.
    """

    def __init__(
        self,
        changed: Callable[[], None],
        bare_loop_runs: Callable[[threading.Thread], bool],
        while_held: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._changed = changed
        self._bare_loop_runs = bare_loop_runs
        self._while_held, self._clock = while_held, clock
        # A plain lock and a queue: an interrupt cannot leave them half taken.
        self._lock = threading.Lock()
        self._news: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._paused = False
        self._steps_allowed = 0
        self._stop = False  # of a bare loop
        self.is_holding = False
        """Whether the training stands still at this moment."""
        self._early = False  # paused while nothing trained
        self._trainer: weakref.ref[threading.Thread] | None = None  # of a bare loop
        self._callers: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
        self.message = ""
        """Why a command was refused, in words; else empty."""

    @property
    def state(self) -> ControlState:
        """``paused`` from the command on, also before the current step has ended."""
        if self._stop or any(loop.stop for loop in loops_of(self)):
            return "stopping"
        return "paused" if self._paused and not self._steps_allowed else "running"

    @property
    def asks_others(self) -> bool:
        """Whether a stop ends the loop in all processes of its training."""
        return any(loop.asks_others for loop in loops_of(self))

    @property
    def reachable(self) -> bool:
        """Whether a command can arrive while this thread is busy: some came from another one."""
        if any(loop.in_background for loop in loops_here()):
            return True
        mine = threading.current_thread()
        return any(caller is not mine and caller.is_alive() for caller in list(self._callers))

    def heard(self) -> None:
        """Note that a message from a page has arrived on this thread."""
        self._callers.add(threading.current_thread())

    def pause(self) -> None:
        """Hold the training after the current step."""
        self._set_wanted(paused=True, steps=0)

    def resume(self) -> None:
        """Let the training go on."""
        self._set_wanted(paused=False, steps=0)

    def step(self, steps: int = 1) -> None:
        """Let some steps through, then hold.

        Raises
        ------
        TypeError, ValueError
            If ``steps`` is not a whole number ≥ 1.
        """
        check_whole("steps", steps)
        self._set_wanted(paused=True, steps=int(steps))

    def stop(self) -> None:
        """End the loop that is training after the current step; a later one may run."""
        self.heard()
        with self._lock:
            loops = loops_of(self)
            for loop in loops:
                loop.stop = True
            trainer = self.bare_trainer
            if not loops and trainer is not None:
                self._stop = self.is_holding or self._bare_loop_runs(trainer)
            self.message = "" if loops or self._stop else _NOTHING_TO_STOP
        self._tell()

    def _set_wanted(self, *, paused: bool, steps: int) -> None:
        self.heard()
        with self._lock:
            self._paused, self._steps_allowed = paused, steps
            self._early = paused and not self._trains()
            self._stop = False
            for loop in loops_of(self):
                loop.stop = False
            self.message = ""
        self._tell()

    def _trains(self) -> bool:
        trainer = self.bare_trainer
        bare = trainer is not None and self._bare_loop_runs(trainer)
        return bare or bool(loops_of(self))

    def _tell(self) -> None:
        self._news.put(None)
        self._changed()

    # -- what the loop that trains says -------------------------------------------------

    def begin(self, loop: Loop) -> None:
        """Say that a loop begins."""
        self._stop = False
        loop.open(self)
        self._changed()

    def end(self, loop: Loop) -> None:
        """Say that a loop is over. The last one takes a pause with it."""
        loop.close(self)
        with self._lock:
            if not loops_of(self):
                self._paused, self._steps_allowed = False, 0
        self._tell()

    def bare_over(self) -> None:
        """Say that a loop that is not tracked is over, and a pause with it."""
        with self._lock:
            if self._trainer is not None and not loops_of(self):
                self._paused, self._steps_allowed = False, 0
            self._stop = False
            self._trainer = None
        self._tell()

    def release(self) -> None:
        """Release a thread that is held: nobody watches any more."""
        with self._lock:
            self._paused, self._steps_allowed = False, 0
        self._tell()

    @property
    def bare_trainer(self) -> threading.Thread | None:
        """The thread of a bare loop that may still be running."""
        return self._trainer() if self._trainer is not None else None

    @property
    def trainer_is_gone(self) -> bool:
        """Whether the thread of a bare loop has ended."""
        trainer = self.bare_trainer
        return self._trainer is not None and (trainer is None or not trainer.is_alive())

    def only_counts(self) -> bool:
        """Whether this step is only counted: `after_step` has nothing to do here. Quick."""
        trainer = self._trainer
        return (
            not (self._paused or self._stop)
            and trainer is not None
            and trainer() is threading.current_thread()
        )

    def may_only_count(self) -> bool:
        """Whether `after_step` may be left out in this thread until ``changed`` is called."""
        if self.only_counts():
            return True
        mine = threading.current_thread()
        in_loop = any(loop.thread is mine for loop in loops_of(self))
        return in_loop and not (self._paused or self._stop)

    def after_step(self, step: int) -> bool:
        """Do what was asked for, in the thread that trains, after a step.

        Returns whether it may have held.
        Raises `TrainingStopped` if a stop was asked for and no loop of this thread looks for it,
        and `KeyboardInterrupt` as usual; the training is not paused afterwards.
        """
        mine = threading.current_thread()
        if self._trainer is None or self._trainer() is not mine:
            # A loop that tracks another model's batches does not tell when training this one ends.
            if not any(loop.thread is mine for loop in loops_of(self)):
                self._trainer = weakref.ref(mine)
        if not (self._paused or self._stop):
            return False
        loops = loops_here()
        if self._steps_allowed:
            with self._lock:
                self._steps_allowed = max(0, self._steps_allowed - 1)
            if self._steps_allowed:
                return False
            self._changed()
        if not any(loop.waits_itself for loop in loops):
            self._hold(loops)
        if self._stop:
            with self._lock:
                self._stop = False
            if loops:  # of another model, trained in the same loop
                loops[-1].stop = True
                return True
            self.bare_over()
            _leave_grad_scaler()
            raise TrainingStopped(step)
        return True

    @property
    def is_stepping(self) -> bool:
        """Whether it lets single steps through."""
        return self._steps_allowed > 0

    def wait(self, seconds: float) -> None:
        """Wait between two batches, at most this long: a request ends it, a pause holds here."""
        loops = loops_here()
        if self._must_hold(loops):
            self._hold(loops)
        else:
            with suppress(queue.Empty):
                self._news.get(timeout=seconds)

    def _must_hold(self, loops: list[Loop]) -> bool:
        stopped = self._stop or any(loop.stop for loop in loops)
        return self._paused and not self._steps_allowed and not stopped

    def keep_holding(self, loops: list[Loop]) -> bool:
        """Do what has come up while it is held; return whether it still is."""
        if not self._must_hold(loops):
            return False
        if not self.is_holding:
            if not (self.reachable or any(loop.waits_itself for loop in loops)):
                with self._lock:
                    self._paused, self.message = False, _UNREACHABLE
                self._changed()
                return False
            self.is_holding = True
            self._changed()
            if self._early:  # asked for before the cell began, which says so
                self._early = False
                with suppress(Exception):  # whatever stands in for stdout
                    print(_PAUSED_EARLY, flush=True)
        self._clock.pause()
        self._while_held()
        return True

    def go_on(self) -> None:
        """Report that it is no longer held."""
        self._clock.resume()
        if self.is_holding:
            self.is_holding = False
            self._changed()

    def _hold(self, loops: list[Loop]) -> None:
        try:
            while self.keep_holding(loops):
                with suppress(queue.Empty):
                    self._news.get(timeout=POLL_SECONDS)
        except BaseException:
            self.bare_over()
            self.release()
            _leave_grad_scaler()
            raise
        finally:
            self.go_on()

    async def hold_in(self, loop: Loop) -> None:
        """Hold an asynchronous loop; other tasks of its thread go on."""
        try:
            while self.keep_holding([loop]):
                await asyncio.sleep(POLL_SECONDS)
        finally:
            self.go_on()


def _leave_grad_scaler() -> None:
    """Bring a GradScaler to the end of its step, if an exception is about to leave it inside.

    Left as it is, it would not unscale the gradients of the next step. ``update()`` is what a
    loop calls after ``scaler.step()``.
    """
    for frame, _ in walk_stack(sys._getframe(1)):
        code = frame.f_code
        if code.co_name == "step" and code.co_filename.endswith("grad_scaler.py"):
            frame.f_locals["self"].update()
            return
