"""Watch a model while it trains: count its steps, take frames between them, tell who listens."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

from torch import nn
from torch.optim import Optimizer

from kan_widgets.live.budget import watching
from kan_widgets.live.frames.feed import Listener, State
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import Layout, Names
from kan_widgets.live.frames.structure import Structure, untraced
from kan_widgets.live.model.layers import BoundLayers
from kan_widgets.live.model.model import BoundModel
from kan_widgets.live.reports import report
from kan_widgets.live.steering.training import Training
from kan_widgets.live.watching import quiet
from kan_widgets.live.watching.camera import Camera, Started
from kan_widgets.live.watching.counter import Counter
from kan_widgets.live.watching.steered import Steered
from kan_widgets.live.watching.steps import hooks_of
from kan_widgets.live.watching.watchdog import Watchdog
from kan_widgets.nn.life import changes


class Watch(Steered):
    """What a binding shows: it counts steps, takes frames of the model and keeps their history.

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
        self.camera = Camera(
            BoundLayers(model, layers),
            history_bytes=int(history_mb * 1e6),
            max_fps=max_fps,
            step=steps,
            names=names,
        )
        super().__init__(self.camera.history, self.camera.looking)
        self.glimpses = self.camera.glimpses
        self.training = Training(self, steps, optimizer)
        """The run: its curves, its progress, and what others want of it."""
        self.between = self.training.between
        """What waits for the end of a step."""
        self.counter = Counter(
            self,
            self.training,
            hooks_of(optimizer) if optimizer is not None else None,
            lock=self.sending,
            every=every,
            steps=steps,
        )
        last = weakref.WeakMethod(self._hold_last)
        layers_of = self.camera.layers
        self.model = BoundModel(
            model,
            layers_of,
            self,
            self.training,
            self.between,
            partial(quiet.model_gone, last),
        )
        """The model: its layers, edits, what reaches them, examples."""
        self.watchdog = Watchdog(self, self.model, self.training)
        self.sent = 0
        self.counter.start()
        for module in layers_of.modules():
            changes.listen(module, self._after_change)

    # -- what it is -------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """``live`` while steps come in, ``idle`` between, ``closed``, or ``fault``."""
        if self._state in ("live", "idle") and self.module is None:
            return "closed"
        return self._state

    def structure_of(self, layout: Layout) -> Structure:
        """Return what is known of how the layers of a layout are connected."""
        return self.found or untraced(layout, order=self.camera.layers.names_in_order())

    # -- in the thread that trains ----------------------------------------------------------

    def on_step(self, step: int, now: float) -> bool:
        """Do what is due after a step, in the thread that trains; called by the counter."""
        model, camera = self.model, self.camera
        edited = self.between.do(at_rest=False)
        model.see_if_due(now)
        if self._state == "idle":
            self.set_state("live")
            quiet.wake()
        if step % self.counter.every == 0 or edited:
            if edited or camera.throttle.is_open(now):
                if (frame := camera.take(step)) is not None:
                    self._show(frame, settled=False)
                camera.spent(now, seen=bool(self.listeners))
                self.watchdog.step_framed(step)
                if (module := self.module) is not None:
                    model.probing.follow_in_step(module, step)
                return True
            self.counter.skipped += 1
        elif camera.coming is not None and (frame := camera.arrived()) is not None:
            self._show(frame, settled=False)
        return False

    def is_due(self, now: float) -> bool:
        """Whether a frame may be taken at a time; asked by the counter."""
        return self.camera.throttle.is_open(now)

    def can_rest(self) -> bool:
        """Whether the next steps are only to be counted; asked by the counter."""
        return self._state == "live" and self.camera.coming is None and self.between.is_empty

    def fail(self, error: Exception) -> None:
        """Say once that reading the model failed, and let go of it; training goes on."""
        self.message = f"{type(error).__name__}: {error}"
        report(f"kan_widgets stopped watching the model: {self.message}")
        self._release("fault")
        self.training.control.release()

    def while_held(self) -> None:
        """Do what came up while the training stands still, in the thread that trains."""
        try:
            if self._state == "live":
                self.settle()
            if self.between.do(at_rest=True) and self.is_open:
                self.refresh()
        except Exception as error:
            if self.is_open:
                self.fail(error)

    def look(self) -> bool:
        """Show the latest state if training has gone quiet; whether to look again."""
        if self.state == "live" and self.counter.is_quiet:
            self.settle()
        return self.state == "live"

    # -- frames -----------------------------------------------------------------------------

    def owe(self, seconds: float, *, whole: bool = False) -> None:
        """Note what a frame has cost in another thread."""
        self.camera.owe(seconds, whole=whole)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hand every frame from now on to ``listener``, which is held until then."""
        self.camera.seen()
        return super().subscribe(listener)

    def refresh(self) -> Frame:
        """Take a frame now, whatever the throttle says, and send it."""
        frame = self._refresh()
        self.counter.uncounted.steps = 0
        self._follow_at_rest()
        return frame

    def _refresh(self) -> Frame:
        self._check_open()
        started = self._begin_now()
        with self.sending:
            return self._show_started(started, settled=self._state != "live")

    def current(self) -> Frame:
        """Return a frame of the last step counted: the latest, or a new one if steps passed.

        A new one is kept and sent like any other. Once closed, the last there was.
        """
        self._take_last()
        if self.state == "live" and self.frame.step != self.counter.steps:
            return self._refresh()
        return self.frame

    def settle(self) -> None:
        """Send the latest state of a model that is not training at the moment.

        Called when a cell ends and when no step has come for a while. Does nothing
        if the views have it already, during a step, or while a function is changed
        only to try it.
        """
        hooks, edits = self.counter.hooks, self.model.edits
        if self.state != "live" or (hooks is not None and hooks.is_stepping()):
            return
        if edits.trying.locked():
            return
        try:
            edited = edits.apply_waiting()
            with edits.trying:
                is_behind = edited or self.frame.step != self.counter.steps
                started = self._begin_now() if is_behind else None
                with self.sending:
                    if self._state != "live" or self.module is None:
                        return
                    if started is None:
                        self._emit(self.frame, settled=True)
                    else:
                        self._show_started(started, settled=True)
                    if self.frame.step == self.counter.steps:
                        self.set_state("idle")
            self._follow_at_rest(settled=True)
        except Exception as error:
            if self.module is not None:
                self.fail(error)

    def _follow_at_rest(self, *, settled: bool = False) -> None:
        if (module := self.module) is not None:
            self.model.probing.follow_at_rest(module, settled=settled)

    def show_edited(self, layer: str) -> None:
        """Show a layer that was edited, without reading others where no step came meanwhile."""
        self._check_open()
        with self.sending:
            frame = self.camera.amend(layer, self.counter.steps, self.counter.hooks)
            if frame is not None:
                self._show(frame, settled=self._state != "live")
        if frame is None:
            self._refresh()
        self._follow_at_rest()

    def read_anew(self) -> None:
        """Show the layers that can be read by now."""
        self.camera.read_anew()
        self.found = None  # it is found again
        with self.sending:
            if (frame := self.camera.take(self.counter.steps)) is not None:
                self._show(frame, settled=False)

    def _begin_now(self) -> Started:
        # Not while sending: the training thread may wait for that, inside a step.
        return self.camera.begin_now(lambda: self.counter.steps, self.counter.hooks)

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
                self.tell("a frame", lambda each: each.on_glimpse(frame))
                self.sent += 1
            return
        if layout is not self.layout:
            self.model.edits.forget_changed(self.layout, layout)
            self.tell_layout(layout)
        self.camera.keep(frame)
        self._emit(frame, settled=settled)

    def _emit(self, frame: Frame, *, settled: bool) -> None:
        if self.listeners:
            self.tell_frame(frame, settled=settled)
            self.sent += 1

    def set_state(self, state: State) -> None:
        """Be in another state, and tell of it."""
        self.request_full_step()
        watching.note(self.counter, is_live=state == "live")
        super().set_state(state)

    def tell_training(self) -> None:
        """Tell that something about the training changed, other than the model."""
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
        if self.state in ("closed", "fault"):
            why = f" ({self.message})" if self.message else ""
            raise RuntimeError(f"this binding is {self.state}{why}: bind the model again")

    # -- the end ----------------------------------------------------------------------------

    def close(self) -> None:
        """Stop watching: remove the hooks and let go of the model. Closing again does nothing."""
        self._take_last()
        self.settle()
        if self._state not in ("closed", "fault"):
            self._release("closed")
            self.training.control.release()
            self.tell("its end", lambda each: each.on_closed())

    def _hold_last(self) -> None:
        """Keep the layers of a model that is going, if steps were made since the last frame."""
        if self.frame.step != self.counter.steps:
            self.camera.layers.hold()

    def _take_last(self) -> None:
        """Take the last state of a model that has gone, if its layers are still there."""
        if self._state not in ("live", "idle") or self.module is not None:
            return
        if self.frame.step != self.counter.steps:
            with suppress(RuntimeError):  # they are not: `standing` says so
                started = self._begin_now()
                with self.sending:
                    self._show_started(started, settled=True)

    def _release(self, state: State) -> None:
        self.counter.close()
        for module in self.camera.layers.modules():
            changes.ignore(module, self._after_change)
        self.model.close()
        self.camera.close()
        quiet.unwatch(self)
        with self.sending:
            self.set_state(state)
