"""Watch a model while it trains: count its steps, take frames between them, tell who listens."""

import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from threading import current_thread

from torch import nn
from torch.optim import Optimizer

from kan_widgets.checks import check_whole
from kan_widgets.live.budget import overhead
from kan_widgets.live.frames.feed import Command, Listener, TrainingFeed, closed_error
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import Layout, Names
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.progress import (
    ENDED,
    Progress,
    Standing,
    State,
    Stats,
    behind,
    standing_of,
)
from kan_widgets.live.frames.structure import Structure, untraced
from kan_widgets.live.model.bound_model import BoundModel
from kan_widgets.live.model.layers import BoundLayers
from kan_widgets.live.reports import report
from kan_widgets.live.steering.control import Control
from kan_widgets.live.steering.counter import Counter
from kan_widgets.live.steering.training import Training
from kan_widgets.live.watching import step_hook
from kan_widgets.live.watching.camera import Camera, Started
from kan_widgets.live.watching.watchdog import Watchdog
from kan_widgets.nn.changes import listeners

_BIND_LINE = "live = kw.bind(model, optimizer)"


class ModelFeed(TrainingFeed):
    """The feed of a binding: counts steps, takes frames of the model and keeps their history.

    Its options are those of `kan_widgets.bind`. Neither model nor optimizer is kept.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer | None,
        *,
        every: int,
        max_fps: float,
        layers: tuple[str, ...] | None = None,
        history_mb: float,
        steps: int = 0,
        names: Mapping[str, Names] | None = None,
    ) -> None:
        read = BoundLayers(model, layers)
        self.camera = Camera(
            read, history_bytes=int(history_mb * 1e6), max_fps=max_fps, step=steps, names=names
        )
        super().__init__(self.camera.history, self.camera.looking)
        self.glimpses, self.model_class = self.camera.glimpses, type(model).__name__
        self.counter = Counter(self, optimizer, model.buffers(), every=every, steps=steps)
        self.training: Training = Training(self, self.counter, optimizer)
        """The run: its curves, its progress, and the commands it is given."""
        gone = partial(step_hook.model_gone, weakref.WeakMethod(self._keep_last))
        self.bound = BoundModel(model, read, self, self.training, gone)
        """The model: its layers, edits, what reaches them, examples."""
        self.watchdog = Watchdog(self, self.bound, self.training)
        self.sent = 0
        self.counter.start()
        for module in read.modules():
            listeners.listen(module, self._after_change)

    @property
    def module(self) -> nn.Module | None:
        return self.bound.module

    @property
    def control(self) -> Control:
        return self.training.control

    @property
    def state(self) -> State:
        if self._state in ("live", "idle") and self.module is None:
            return "closed"
        return self._state

    @property
    def learning_rates(self) -> list[float]:
        return self.training.learning_rates

    @property
    def stats(self) -> Stats:
        """Counts and costs so far."""
        counter, total = self.counter, self.counter.training_seconds
        share, probes = (
            min(1.0, seconds / total) if total > 0 else 0.0
            for seconds in (counter.seconds + counter.beside, self.bound.probing.in_steps)
        )
        return Stats(
            steps=counter.steps,
            frames_taken=self.camera.taken,
            frames_sent=self.sent,
            frames_skipped=counter.skipped,
            seconds=counter.seconds,
            share=share,
            probe_share=probes,
            in_background=counter.beside,
        )

    @property
    def progress(self) -> Progress:
        return self.training.progress(self.stats.share)

    @property
    def standing(self) -> Standing:
        loop = standing_of(self.progress)
        if self._state == "fault":
            return Standing("fault", f"no longer watched: {self.message}", _BIND_LINE)
        if self.state == "closed":
            before = f"{loop.words}; " if loop.state in ENDED else ""
            late = behind(self.counter.steps, self.frame.step)
            return Standing("closed", f"{before}closed{late}")
        if words := self.counter.uncounted.words:
            return Standing("uncounted", words, _BIND_LINE)
        if loop.state != "running":
            waits = loop.state == "paused" and self.training.waits_to_begin
            return Standing("ready", "ready to train") if waits else loop
        if self.control.state == "stopping":
            return Standing("stopping", "stopping")
        return Standing("still", "waiting for its turn") if step_hook.trains_another(self) else loop

    def structure_of(self, layout: Layout) -> Structure:
        return self.traced_structure or untraced(layout, order=self.camera.layers.names_in_order())

    def steer(self, command: Command) -> int:
        kind = command.get("kind")
        if kind == "every":
            check_whole("every", command["value"], of="steps")
            self.counter.every = int(command["value"])
            self.tell_training()
        elif kind == "cure":
            self.watchdog.cure(command["alarm"])
        elif kind == "uncure":
            self.watchdog.undo()
        else:
            self.training.steer(command)
        return 0

    # -- in the thread that trains ----------------------------------------------------------

    def on_step(self, step: int, now: float) -> bool:
        model, camera = self.bound, self.camera
        edited = self.training.queue.do(at_rest=False)
        model.hook_if_due(now)
        if self._state == "idle":
            self.set_state("live")
            step_hook.wake()
        if step % (self.counter.every * self.counter.stride) == 0 or edited:
            if edited or self.is_due(now):
                if (frame := camera.take(step)) is not None:
                    self._show(frame, settled=False)
                camera.spent(now, is_shown=any(each.shows_frames for each in self.listeners))
                self.watchdog.step_framed(step)
                if (module := self.module) is not None:
                    model.probing.trace_in_step(module, step)
                    model.observe_in_step(module)
                return True
            self.counter.skipped += 1
        elif camera.coming is not None and (frame := camera.arrived()) is not None:
            self._show(frame, settled=False)
        return False

    def is_due(self, now: float) -> bool:
        self.counter.stride = self.camera.stride(now, self.counter.stride)
        return self.camera.throttle.is_open(now)

    def may_only_count(self) -> bool:
        return self._state == "live" and self.camera.coming is None and self.training.queue.is_empty

    def fail(self, error: Exception) -> None:
        self.message = f"{type(error).__name__}: {error}"
        report(f"kan_widgets stopped watching the model: {self.message}")
        self._release("fault")
        self.control.release()

    def while_held(self) -> None:
        try:
            if self._state == "live":
                self.settle()
            if self.training.queue.do(at_rest=True) and self.is_open:
                self.refresh()
        except Exception as error:
            if self.is_open:
                self.fail(error)

    def settle_if_quiet(self) -> bool:
        """Show the latest state if training has gone quiet; return whether to ask again."""
        if self.state == "live" and self.counter.is_quiet:
            self.settle()
        return self.state == "live"

    def owe(self, seconds: float, *, whole: bool = False) -> None:
        self.camera.owe(seconds, whole=whole)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        if listener.shows_frames:
            self.camera.gain_viewer()
        return super().subscribe(listener)

    def refresh(self) -> Frame:
        frame = self._refresh()
        self.counter.uncounted.steps = 0
        self.bound.trace_at_rest()
        return frame

    def _refresh(self) -> Frame:
        self._check_open()
        self.counter.await_step()
        started = self._begin_now()
        with self.sending:
            return self._show_started(started, settled=self._state != "live")

    def current(self) -> Frame:
        """Return a frame of the last step counted, which is kept; once closed, the last one."""
        self._take_last()
        if self.is_open and self.frame.step != self.counter.steps:
            if self.state == "live" or self.counter.trained_by is current_thread():
                return self._refresh()
        return self.frame

    def settle(self) -> None:
        """Send the latest state of a model that is not training at the moment.

        Called when a cell ends and when no step has come for a while. Nothing is done if views
        have it already, during a step, or while another thread does it.
        """
        counter, resting = self.counter, self.bound.probing.resting
        if self.state != "live" or counter.may_be_within_step() or resting.locked():
            return
        try:
            edited = self.bound.edits.apply_waiting()
            with resting:
                is_behind = edited or self.frame.step != counter.steps
                started = self._begin_now() if is_behind else None
                if counter.may_be_within_step():
                    return  # it has begun meanwhile
                with self.sending:
                    if self._state != "live" or self.module is None:
                        return
                    if started is None:
                        self._emit(self.frame, settled=True)
                    else:
                        self._show_started(started, settled=True)
                    if self.frame.step == self.counter.steps:
                        self.set_state("idle")
            self.bound.trace_at_rest(settled=True)
        except Exception as error:
            if self.module is not None:
                self.fail(error)

    def show_edited(self) -> None:
        self._check_open()
        counter, frame = self.counter, None
        with self.sending:
            if counter.stepping is None or not counter.stepping.goes_on():
                frame = self.camera.take_whole(counter.steps)
            if frame is not None:
                self._show(frame, settled=self._state != "live")
        if frame is None:
            self._refresh()
        self.bound.trace_at_rest()

    def read_again(self) -> None:
        self.camera.read_again()
        self.traced_structure = None  # it is traced again
        with self.sending:
            if (frame := self.camera.take(self.counter.steps)) is not None:
                self._show(frame, settled=False)

    def _begin_now(self) -> Started:
        # Not while sending: the training thread may wait for that, inside a step.
        return self.camera.begin_now(lambda: self.counter.steps, self.counter.stepping)

    def _show_started(self, started: Started, *, settled: bool) -> Frame:
        frame = self.camera.develop(started)
        if frame is None:
            self._emit(self.frame, settled=settled)
        else:
            self._show(frame, settled=settled)
        return self.frame

    def _show(self, frame: Frame, *, settled: bool) -> None:
        """Keep a new frame, and send it."""
        layout = frame.layout
        if layout.is_cut:
            self.camera.keep(frame)
            if self.listeners:
                self.tell("glimpse", frame)
                self.sent += 1
            return
        if layout is not self.layout:
            self.bound.edits.forget_changed(self.layout, layout)
            self.tell("layout", layout)
        self.camera.keep(frame)
        self._emit(frame, settled=settled)

    def _emit(self, frame: Frame, *, settled: bool) -> None:
        if self.listeners:
            self.tell("frame", frame, settled)
            self.sent += 1

    def set_state(self, state: State) -> None:
        self.counter.request_full_step()
        overhead.note(self.counter, is_live=state == "live")
        super().set_state(state)

    def set_observed(self, observed: dict[str, Observation], *, again: bool = False) -> None:
        super().set_observed(observed, again=again)
        (self.watchdog.wake if again and self._state == "live" else self.watchdog.check)()

    def tell_training(self) -> None:
        self.watchdog.wake()
        super().tell_training()

    def _after_change(self) -> None:
        """Show a layer whose grid was updated, or that was refined or pruned, between two steps."""
        if self._state not in ("live", "idle"):
            return
        try:
            with self.sending:
                # A frame still on its way from an accelerator was taken before the change.
                if (coming := self.camera.coming) is not None:
                    self._show_started(coming, settled=False)
            self.refresh()
        except Exception as error:
            self.fail(error)

    def _check_open(self) -> None:
        if not self.is_open:
            raise closed_error(self)

    def close(self) -> None:
        """Stop watching: remove the hooks and let go of the model. Closing again does nothing."""
        self._take_last()
        self.settle()
        if self._state not in ("closed", "fault"):
            self._release("closed")
            self.control.release()
            self.tell("closed")

    def _keep_last(self) -> None:
        """Keep the layers of a model that is going, if steps were made since the last frame."""
        if self.frame.step != self.counter.steps:
            self.camera.layers.keep_alive()

    def _take_last(self) -> None:
        """Take the last state of a model that has gone, if its layers are still there."""
        is_watched = self._state in ("live", "idle") and self.module is None
        if is_watched and self.frame.step != self.counter.steps:
            with suppress(RuntimeError):  # they are not: `standing` says so
                started = self._begin_now()
                with self.sending:
                    self._show_started(started, settled=True)

    def _release(self, state: State) -> None:
        self.counter.close()
        for module in self.camera.layers.modules():
            listeners.ignore(module, self._after_change)
        self.bound.close()
        self.camera.close()
        step_hook.unwatch(self)
        with self.sending:
            self.set_state(state)
