"""A binding watches a model while it trains: a counter of steps, a camera, and who is told."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from torch import nn
from torch.optim import Optimizer

from kan_widgets.functions.given import Passes
from kan_widgets.live.budget import watching
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.history import History
from kan_widgets.live.frames.layout import Names
from kan_widgets.live.frames.progress import Stats
from kan_widgets.live.frames.source import Listener, State
from kan_widgets.live.reports import report
from kan_widgets.live.steering.cures import Cures
from kan_widgets.live.steering.edits import Edits
from kan_widgets.live.steering.training import Training
from kan_widgets.live.steering.watchdog import Watchdog
from kan_widgets.live.watching import quiet
from kan_widgets.live.watching.camera import Camera, Started
from kan_widgets.live.watching.counter import Counter
from kan_widgets.live.watching.errands import Errands
from kan_widgets.live.watching.gathering import Gathering
from kan_widgets.live.watching.guarding import Guarding
from kan_widgets.live.watching.last_batch import LastBatch
from kan_widgets.live.watching.layers import BoundLayers
from kan_widgets.live.watching.limits import check_every, check_max_fps
from kan_widgets.live.watching.naming import Naming
from kan_widgets.live.watching.probes import Probes
from kan_widgets.live.watching.steps import hooks_of
from kan_widgets.nn.life import changes


class Binding(Naming, Gathering, Guarding):
    """Frames of a model while it trains. Made by `bind`; see there."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer | None,
        *,
        every: int,
        max_fps: float,
        layers: tuple[str, ...] | None,
        history_mb: float,
        steps: int = 0,
        earlier: Binding | None = None,
        names: Mapping[str, Names] | None = None,
        named: Mapping[str, Any] | None = None,
        shown: Passes | None = None,
        proves: bool | None = None,
    ) -> None:
        # The binding must not keep the model: whoever trains it does.
        gone = partial(quiet.model_gone, weakref.WeakMethod(self._hold_last))
        self._model: weakref.ref[nn.Module] | None = weakref.ref(model, gone)
        self._optimizer = weakref.ref(optimizer) if optimizer is not None else None
        self._camera = Camera(
            BoundLayers(model, layers),
            history_bytes=int(history_mb * 1e6),
            max_fps=max_fps,
            earlier=earlier.history if earlier is not None else None,
            step=earlier.steps if earlier is not None else 0,
            first_step=steps,
            looking=earlier.looking if earlier is not None else None,
            names=names,
        )
        super().__init__(self._camera.history, self._camera.looking)
        self._named = dict(named or {})
        self._watchdog = Watchdog(self)
        self.cures = Cures(self)
        """Against alarms, with undo; see ``cure``."""
        continued = earlier if self._camera.goes_on else None
        self._training = continued.training if continued is not None else Training(self)
        self._counter = Counter(
            self,
            self._training,
            hooks_of(optimizer) if optimizer is not None else None,
            lock=self._sending,
            every=every,
            steps=continued.steps if continued is not None else steps,
        )
        self.edits = Edits(self)
        """Change functions by hand, with undo."""
        self.errands = Errands(self)
        """Run the model when that harms no training."""
        self.last_batch = LastBatch(self)
        """Observe the batch that ``live.track`` or `fit` gave last."""
        self._probes = Probes(self._camera.layers)
        self._sent = 0
        # The earlier one counts until this one takes its place.
        if continued is None:
            self._counter.start()
        for module in self._camera.layers.modules():
            changes.listen(module, self._after_change)
        self._is_made = True
        if proves is not None:
            self._learn(model, shown, proves)
        quiet.watch(self)

    # -- what it holds --------------------------------------------------------------

    @property
    def model(self) -> nn.Module | None:
        """The bound model; ``None`` once the binding is closed or the model is gone."""
        return self._model() if self._model is not None else None

    @property
    def every(self) -> int:
        """A frame is due each time this many steps have passed; may be changed."""
        return self._counter.every

    @every.setter
    def every(self, every: int) -> None:
        check_every(every)
        self._counter.every = every

    @property
    def max_fps(self) -> float:
        """Frames per second at most; may be changed."""
        return 1 / self._camera.throttle.interval

    @max_fps.setter
    def max_fps(self, max_fps: float) -> None:
        check_max_fps(max_fps)
        self._camera.throttle.interval = 1 / max_fps

    @property
    def stats(self) -> Stats:
        """Counts and costs so far."""
        counter, total = self._counter, self._counter.training_seconds
        share, probes = (
            min(1.0, seconds / total) if total > 0 else 0.0
            for seconds in (counter.seconds + counter.in_background, self._probes.in_steps)
        )
        return Stats(
            counter.steps,
            self._camera.taken,
            self._sent,
            counter.skipped,
            counter.seconds,
            share,
            probes,
            counter.in_background,
        )

    @property
    def state(self) -> State:
        """``live`` while steps come in, ``idle`` between, ``closed``, or ``fault``."""
        if self._state in ("live", "idle") and self.model is None:
            return "closed"
        return self._state

    @property
    def is_open(self) -> bool:
        """Whether it watches."""
        return self.state in ("live", "idle")

    @property
    def counts_steps(self) -> bool:
        """Whether the optimizer's steps are counted as they are made."""
        return self._counter.hooks is not None and self.is_open

    @property
    def is_quiet(self) -> bool:
        """Whether no step has come for clearly longer than steps take."""
        return self._counter.is_quiet

    def __repr__(self) -> str:
        model = self.model
        name = type(model).__name__ if model is not None else "no model"
        return (
            f"<Binding of {name}: {len(self.layers)} layers, step {self.steps}, "
            f"every {self.every}, {self.state}>"
        )

    def __enter__(self) -> Binding:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def glimpses(self) -> History:
        """Frames of what was looked at, where whole ones are taken seldom; see ``looking``."""
        return self._camera.glimpses

    def _beside(self, model: nn.Module) -> Binding:
        return Binding(
            model,
            None,
            every=1,
            max_fps=self.max_fps,
            layers=None,
            history_mb=self.history.max_bytes / 1e6,
            steps=self.steps,
        )

    # -- counting steps -------------------------------------------------------------

    def step(self) -> None:
        """Count one training step by hand, where no optimizer is bound.

        On a closed binding it does nothing: a training loop may outlive it.

        Raises
        ------
        RuntimeError
            If an optimizer counts the steps already.
        """
        if self._counter.hooks is not None:
            raise RuntimeError("the bound optimizer counts the steps: do not call step() as well")
        self._counter.step()

    def on_step(self, step: int, now: float) -> bool:
        """Do what is due after a step, in the thread that trains; called by the counter."""
        edited = self.edits.apply_waiting()
        if self._is_asked:
            self._do_what_is_asked(at_rest=False)
        self._see_if_due(now)
        if self._state == "idle":
            self._set_state("live")
            quiet.wake()
        camera = self._camera
        if step % self._counter.every == 0 or edited:
            if edited or self.is_due(now):
                if (frame := camera.take(step)) is not None:
                    self._show(frame, settled=False)
                camera.spent(now, seen=bool(self._listeners))
                self._watchdog.step_framed(step)
                self._follow_in_step(step)
                return True
            self._counter.skipped += 1
        elif camera.coming is not None and (frame := camera.arrived()) is not None:
            self._show(frame, settled=False)
        return False

    def is_due(self, now: float) -> bool:
        """Whether a frame may be taken at a time; asked by the counter."""
        return self._camera.throttle.is_open(now)

    def owe(self, seconds: float, *, whole: bool = False) -> None:
        """Note what a frame has cost in another thread."""
        self._camera.owe(seconds, whole=whole)

    def can_rest(self) -> bool:
        """Whether the next steps are only to be counted; asked by the counter."""
        return (
            self._state == "live"
            and self._camera.coming is None
            and not self.edits.any_waiting
            and not self._is_asked
        )

    def on_fault(self, error: Exception) -> None:
        """Say once that reading the model failed, and let go of it; training goes on."""
        self._message = f"{type(error).__name__}: {error}"
        report(f"kan_widgets stopped watching the model: {self._message}")
        self._release("fault")
        self.control.release()

    def while_held(self) -> None:
        """Do what came up while the training stands still, in the thread that trains."""
        try:
            if self._state == "live":
                self.settle()
            self._do_what_is_asked(at_rest=True)
            if self.edits.is_waiting and self.edits.apply_waiting() and self.is_open:
                self.refresh()
        except Exception as error:
            if self.is_open:
                self.on_fault(error)

    def waited(self, seconds: float) -> None:
        """Note a time between two steps that was not spent on training."""
        self._counter.waited(seconds)

    def loop_ended(self) -> None:
        """Do what waited for the end of a step, where there will be none."""
        self.while_held()

    def cell_over(self, error: BaseException | None) -> None:
        """Note how the notebook cell ended that ran in this thread."""
        self._training.cell_ended(error)

    # -- frames ---------------------------------------------------------------------

    def refresh(self) -> Frame:
        """Take a frame now, whatever the throttle says, and send it.

        Returns
        -------
        Frame
            The new latest frame.

        Raises
        ------
        RuntimeError
            If the binding is closed or its model is gone.
        """
        frame = self._refresh()
        self._counter.uncounted.steps = 0
        self._follow_at_rest()
        return frame

    def _refresh(self) -> Frame:
        self._check_open()
        started = self._begin_now()
        with self._sending:
            return self._show_started(started, settled=self._state != "live")

    def current(self) -> Frame:
        """Return a frame of the last step counted: the latest, or a new one if steps passed.

        A new one is kept and sent like any other. Once closed, the last there was.
        """
        self._take_last()
        if self.state == "live" and self.frame.step != self.steps:
            return self._refresh()
        return self.frame

    def settle(self) -> None:
        """Send the latest state of a model that is not training at the moment.

        Called when a cell ends and when no step has come for a while. Does nothing
        if the views have it already, during a step, or while a function is changed
        only to try it.
        """
        hooks = self._counter.hooks
        if not self._is_live() or (hooks is not None and hooks.is_stepping()):
            return
        if self.edits.trying.locked():
            return
        try:
            edited = self.edits.apply_waiting()
            with self.edits.trying:
                behind = edited or self.frame.step != self.steps
                started = self._begin_now() if behind else None
                with self._sending:
                    if not self._is_live():
                        return
                    if started is None:
                        self._emit(self.frame, settled=True)
                    else:
                        self._show_started(started, settled=True)
                    if self.frame.step == self.steps:
                        self._set_state("idle")
            self._follow_at_rest(settled=True)
        except Exception as error:
            if self.model is not None:
                self.on_fault(error)

    def _is_live(self) -> bool:
        return self.state == "live"

    def show_edited(self, layer: str) -> None:
        """Show a layer that was edited, without reading others where no step came meanwhile."""
        self._check_open()
        with self._sending:
            frame = self._camera.amend(layer, self.steps, self._counter.hooks)
            if frame is not None:
                self._show(frame, settled=self._state != "live")
        if frame is None:
            self._refresh()
        self._follow_at_rest()

    def _begin_now(self) -> Started:
        # Not while sending: the training thread may wait for that, inside a step.
        return self._camera.begin_now(lambda: self.steps, self._counter.hooks)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hand every frame from now on to ``listener``, which is held until then."""
        self._camera.seen()
        return super().subscribe(listener)

    def _show_started(self, started: Started, *, settled: bool) -> Frame:
        frame = self._camera.develop(started)
        if frame is None:
            self._emit(self.frame, settled=settled)
        else:
            self._show(frame, settled=settled)
        return self.frame

    def _show(self, frame: Frame, *, settled: bool) -> None:
        """Keep a new frame, and send it."""
        if frame.layout.is_cut:
            self._camera.keep(frame)
            if self._listeners:
                self._tell_glimpse(frame)
                self._sent += 1
            return
        if frame.layout is not self.layout:
            self.edits.forget_changed(self.layout, frame.layout)
            self._tell_layout(frame.layout)
        self._camera.keep(frame)
        self._emit(frame, settled=settled)

    def tell_edited(self) -> None:
        """Tell the views that something was edited."""
        self._tell("an edit", lambda each: each.on_edit(self.edits))

    def _emit(self, frame: Frame, *, settled: bool) -> None:
        if self._listeners:
            self._tell_frame(frame, settled=settled)
            self._sent += 1

    def _set_state(self, state: State) -> None:
        self._counter.need_care()
        watching.note(self._counter, is_live=state == "live")
        super()._set_state(state)

    def _after_change(self) -> None:
        """Show a layer whose grid was updated, or that was refined or pruned, between two steps."""
        if self._state not in ("live", "idle"):
            return
        try:
            with self._sending:
                # A frame still on its way from an accelerator was taken before the change.
                if (coming := self._camera.coming) is not None:
                    self._show_started(coming, settled=False)
            self.refresh()
        except Exception as error:
            self.on_fault(error)

    def _check_open(self) -> None:
        if self.state in ("closed", "fault"):
            why = f" ({self._message})" if self._message else ""
            raise RuntimeError(f"this binding is {self.state}{why}: bind the model again")

    # -- the end --------------------------------------------------------------------

    def close(self) -> None:
        """Stop watching: remove the hooks and let go of the model.

        Views keep the last frame. Closing again does nothing.
        """
        self._take_last()
        self.settle()
        if self._state not in ("closed", "fault"):
            self._release("closed")
            if self._training.belongs_to(self):
                self.control.release()
            self._tell("its end", lambda each: each.on_closed())

    def _hold_last(self) -> None:
        """Keep the layers of a model that is going, if steps were made since the last frame."""
        if self.frame.step != self._counter.steps:
            self._camera.layers.hold()

    def _take_last(self) -> None:
        """Take the last state of a model that has gone, if its layers are still there."""
        if self._state not in ("live", "idle") or self.model is not None:
            return
        if self.frame.step != self.steps:
            with suppress(RuntimeError):  # they are not: `standing` says so
                started = self._begin_now()
                with self._sending:
                    self._show_started(started, settled=True)

    def _release(self, state: State) -> None:
        self._counter.close()
        for module in self._camera.layers.modules():
            changes.ignore(module, self._after_change)
        self._model = None
        self._camera.close()
        self._see_no_more()
        self._probes.stop()
        quiet.unwatch(self)
        with self._sending:
            self._set_state(state)

    def replaces(self, earlier: Binding) -> None:
        """Take the place of an earlier binding of the same model."""
        if self._training is earlier.training:
            self._take_over(earlier)
            self.edits.inherit(earlier.edits)
        self._inherit_probes(earlier)
        self._inherit_alarms(earlier)
        earlier._hand_over(self)
        earlier.close()

    def _take_over(self, earlier: Binding) -> None:
        """Go on where the earlier one is by now."""
        with self._sending, earlier._sending:
            self._camera.take_over(earlier._camera)
            self._training.moves_to(self)
            self._counter.take_over(earlier._counter)
            if earlier._state == "live":
                self._set_state("live")
                quiet.wake()
