"""The training run behind a binding."""

import threading
import traceback
import weakref
from pathlib import PurePath
from types import CodeType, FrameType
from typing import Any

from torch.optim import Optimizer

from kan_widgets.live import cells
from kan_widgets.live.frames.feed import Command, TrainingFeed
from kan_widgets.live.frames.progress import Phase, Progress
from kan_widgets.live.frames.scalars import Scalars
from kan_widgets.live.steering.captured_output import printed_over
from kan_widgets.live.steering.control import Control, TrainingStopped
from kan_widgets.live.steering.counter import Counter
from kan_widgets.live.steering.last_batch import LastBatch
from kan_widgets.live.steering.loops import Clock, Loop, loops_here, loops_of, raised_in
from kan_widgets.live.steering.optimizers import Rates, learning_rates
from kan_widgets.live.steering.step_queue import StepQueue

_SETTLED = 3.0  # seconds: most of the first ones is the first batch


class Training:
    """The run of a bound model: its curves, its progress, and the commands it is given."""

    def __init__(
        self, feed: TrainingFeed, counter: Counter, optimizer: Optimizer | None = None
    ) -> None:
        self._feed_ref = weakref.ref(feed)
        self.counter = counter
        """Counts its steps."""
        self.train_with(optimizer)
        self.clock = Clock()
        self.control = Control(self._on_change, self._bare_loop_runs, self._while_held, self.clock)
        self.queue = StepQueue(weakref.ref(feed), counter, self.trains_elsewhere)
        """Tasks that wait for the end of a step."""
        self.scalars = Scalars(self._tell)
        self._rates = Rates()
        self.batch = LastBatch()
        self.batch_seen = False
        """Whether a loop has given a batch of inputs."""
        self.data_source = ""
        self.epoch: int | None = None
        self.epochs: int | None = None
        self.batches_done = 0
        self.batches_total: int | None = None
        self.paced: float | None = None
        """Seconds that the loop was asked to take."""
        self.seconds = 0.0
        """Spent on steps of this model in all runs; see `spend`."""
        self.timed_steps = 0
        """The steps that took ``seconds``; the first after a break is none of them."""
        self._epochs_before = self._trained_before = 0.0  # in the runs before this one
        self.waits_to_begin = False
        """Whether a loop is to make its first step only when somebody says so."""
        self._loop: Loop | None = None  # the outermost
        self._left_at: tuple[CodeType, int] | None = None
        self._phase: Phase = "idle"
        self._message = self._traceback = self._output = ""
        self._lock = threading.RLock()

    def train_with(self, optimizer: Optimizer | None) -> None:
        """Steer the rates of another optimizer from now on."""
        self._optimizer = None if optimizer is None else weakref.ref(optimizer)

    @property
    def steps(self) -> int:
        return self.counter.steps

    @property
    def optimizer(self) -> Optimizer | None:
        """The bound optimizer, while it exists."""
        return None if self._optimizer is None else self._optimizer()

    def _tell(self) -> None:
        if (feed := self._feed_ref()) is not None:
            feed.tell_training()

    def _on_change(self) -> None:
        self.counter.request_full_step()
        self._tell()

    def trains_elsewhere(self) -> bool:
        """Whether parameters may only be changed after the next step, by the training thread."""
        if (feed := self._feed_ref()) is None:
            return False
        going_on = feed.state == "live" or self.control.is_holding
        elsewhere = self.counter.trained_by not in (None, threading.current_thread())
        return (going_on and elsewhere) or self.runs_elsewhere

    def steer(self, command: Command) -> None:
        """Do what concerns the training alone; see `Feed.steer`."""
        kind, control = command.get("kind"), self.control
        if kind == "rate":
            self.set_learning_rate(command["value"], command.get("group"))
        elif kind == "step":
            control.step(command["steps"])
        elif kind in ("pause", "resume", "stop"):
            {"pause": control.pause, "resume": control.resume, "stop": control.stop}[kind]()
        else:
            raise ValueError(f"kind={kind!r:.40}: the training knows no such command")

    def set_learning_rate(self, value: float, group: int | None = None) -> None:
        """Change the learning rate between two steps; see `Source.set_learning_rate`."""
        if (optimizer := self.optimizer) is None:
            raise RuntimeError("no optimizer is bound: bind(model, optimizer) to steer its rate")
        self._rates.request(optimizer, value, group)
        self.queue.request("set the learning rate", self._set_rates)

    def _set_rates(self, at_rest: bool) -> None:
        if (optimizer := self.optimizer) is not None and (change := self._rates.set(optimizer)):
            self.scalars.mark(self.steps, change)

    @property
    def learning_rates(self) -> list[float]:
        """The learning rate of each parameter group of the optimizer; empty without one."""
        optimizer = self.optimizer
        return [] if optimizer is None else learning_rates(optimizer)

    def _while_held(self) -> None:
        if (feed := self._feed_ref()) is not None:
            feed.while_held()

    def _bare_loop_runs(self, thread: threading.Thread) -> bool:
        feed = self._feed_ref()
        if feed is not None and feed.state == "live":
            return True
        if thread is threading.main_thread():
            return cells.runs_in(thread)
        return thread.is_alive()

    @property
    def is_in_loop(self) -> bool:
        """Whether a tracked loop other than the caller's runs, or is about to."""
        loop = self._loop
        if loop is None or not loop.is_open:
            return False
        return loop.thread is not threading.current_thread() or loop.is_on_stack()

    @property
    def runs_elsewhere(self) -> bool:
        """Whether another thread is in a tracked loop."""
        loop = self._loop
        if loop is None or not loop.is_open:
            return False
        return loop.thread is not None and loop.thread is not threading.current_thread()

    def begin(self, loop: Loop, epochs: int | None, batches: int | None) -> bool:
        """Begin a loop over batches; return whether it is the outermost, which is counted."""
        with self._lock:
            outer = self._loop
            inside = outer is not None and outer in loops_here() and outer.is_on_stack()
            if not inside:
                if outer is not None and outer in loops_here():
                    self.control.end(outer)  # abandoned
                self._restart()
                self._loop = loop
                self.epoch, self.epochs, self.batches_total = 1, epochs, batches
        self.control.begin(loop)
        return not inside

    def end(self, loop: Loop, phase: Phase) -> None:
        """End a loop; a second call does nothing."""
        with self._lock:
            if self._loop is loop:
                # A loop inside this one may go on, where this one was left irregularly.
                others = [each for each in loops_of(self.control) if each is not loop]
                self._loop = others[-1] if others else None
                if self._loop is None:
                    self._phase = phase
                    self.clock.end()
        if loop.is_open:
            self.batch.keep_some()
            self.control.end(loop)
            self._while_held()

    def saw(self, batch: Any) -> None:
        """Note the batch that a loop gives, or the inputs of one."""
        if self.batch.note(batch) and not self.batch_seen:
            self.batch_seen = True
            if (feed := self._feed_ref()) is not None:
                feed.tell("batch", True, "")

    def left(self, loop: Loop, frame: FrameType) -> None:
        """Note that a loop was left before its end, by ``break`` or by an error there."""
        if loop.is_open:
            self._left_at = frame.f_code, frame.f_lineno
            raised = loop.is_asked_from(frame) and raised_in(frame)
            self.end(loop, "failed" if raised else "finished")
            if raised:  # the end of the cell or program may tell which error
                in_cell = cells.here() is not None and frame.f_code.co_name == "<module>"
                file = "the cell" if in_cell else PurePath(frame.f_code.co_filename).name
                self._message = f"an error in line {frame.f_lineno} of {file}"

    def fail(self, error: BaseException, loop: Loop | None = None) -> None:
        """Note the error that ended the loop."""
        with self._lock:
            self._left_at = None
            if isinstance(error, TrainingStopped):
                self._phase = "stopped"
            elif isinstance(error, KeyboardInterrupt):
                self._phase = "interrupted"
            else:
                self._phase = "failed"
                self._message = traceback.format_exception_only(error)[-1].strip()
                self._traceback = "".join(traceback.format_exception(error))
            self.clock.end()
            loop = loop or self._loop
            if loop is not None and loop is self._loop:
                self._loop = None
        if loop is not None:
            self.batch.keep_some()
            self.control.end(loop)
        self.control.bare_over()

    def note_cell_error(self, error: BaseException | None) -> None:
        """Note the end of a notebook cell that has run in this thread."""
        with self._lock:
            loop, left_at = self._loop, self._left_at
            tracked = loop is not None and not loop.waits_itself and loop in loops_here()
            bare = self.control.bare_trainer is threading.current_thread()
            if not (tracked or bare or left_at is not None):
                return
            self._left_at = None
        if error is not None and (tracked or bare or _passed(error, left_at)):
            self.fail(error)
            return
        if tracked and loop is not None:
            self.end(loop, "finished")
        if bare:
            with self._lock:
                if self._phase == "running" and self._loop is None:
                    self._phase = "finished"
                    self.clock.end()
            self.control.bare_over()

    def printed(self, text: str) -> None:
        """Keep what a training in the background prints."""
        with self._lock:
            self._output = printed_over(self._output, text)
        self._tell()

    def _restart(self) -> None:
        self._epochs_before = self.epochs_done
        self._trained_before += self.clock.trained
        self._phase = "running"
        self._left_at = None
        self._message = self._traceback = self._output = ""
        self.epoch = self.epochs = self.batches_total = self.paced = None
        self.batches_done = 0
        self.clock.start()

    @property
    def epochs_done(self) -> float:
        """Epochs completed in all runs, the current one in part; 0 where no loop tells."""
        if self.epochs is None or self.epoch is None:
            return self._epochs_before
        if self.batches_total:
            return self._epochs_before + self.epochs * self.batches_done / self.batches_total
        return self._epochs_before + self.epoch - (0 if self._phase == "finished" else 1)

    def spend(self, seconds: float) -> None:
        """Add the time of one step; where several models are trained, its own share."""
        self.seconds += seconds
        self.timed_steps += 1

    def stepped(self, step: int, now: float, passed: float | None) -> None:
        """Note a step that was counted at ``now``, by `time.perf_counter`.

        ``passed`` are the seconds since the step before; ``None`` where they were not spent on
        training.
        """
        if self._phase != "running":
            with self._lock:
                self._restart()
        # As few calls as possible: after a step none of them is in a cache.
        clock = self.clock
        clock.trained = max(0.0, now - clock.begun)
        if now >= clock.due:
            clock.tick(step)
        if passed is not None and (self._loop is None or not self._loop.times_itself):
            self.seconds += passed
            self.timed_steps += 1

    @property
    def counts_by_itself(self) -> bool:
        """Whether the steps of the optimizer are counted as they are made."""
        feed = self._feed_ref()
        return feed is not None and feed.is_open and self.optimizer is not None

    def hold(self) -> bool:
        """Wait, or raise, as the control wants it; see `Control.after_step`."""
        try:
            return self.control.after_step(self.steps)
        except BaseException as error:
            self.fail(error)
            raise

    def progress(self, share: float) -> Progress:
        with self._lock:
            step, phase = self.steps, self._phase
            if phase == "running" and self._loop is None and self.control.trainer_is_gone:
                phase = "finished"
            feed = self._feed_ref()
            open_ = self._loop is not None or (feed is not None and feed.is_open)
            if phase != "failed" and open_ and self.control.state == "paused":
                phase = "paused"
            remaining = None
            elapsed, goes_on = self.clock.elapsed, phase in ("running", "paused")
            if self.batches_total and self.batches_done and goes_on and elapsed >= _SETTLED:
                left = self.batches_total - self.batches_done
                remaining = elapsed / self.batches_done * left
            return Progress(
                state=phase,
                step=step,
                epoch=self.epoch,
                epochs=self.epochs,
                batches_done=self.batches_done,
                batches_total=self.batches_total,
                steps_per_second=self.clock.rate(step),
                elapsed=self._trained_before + self.clock.trained,
                remaining=remaining,
                share=share,
                data_source=self.data_source,
                paced=self.paced,
                message=self._message or self.control.message,
                traceback=self._traceback,
                output=self._output,
                epochs_done=self.epochs_done,
                seconds=self.seconds,
                timed_steps=self.timed_steps,
            )


def _passed(error: BaseException, place: tuple[CodeType, int] | None) -> bool:
    """Whether an error passed through this frame."""
    frames = traceback.walk_tb(error.__traceback__)
    return any((frame.f_code, line) == place for frame, line in frames)
