"""Look for faults of a training now and then, beside it; cure them, and undo the cure."""

import threading
import time
import weakref
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from kan_widgets.functions import LayerFunctions
from kan_widgets.live.budget import Throttle
from kan_widgets.live.frames.feed import Feed
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.scalars import diverged_since
from kan_widgets.live.model.bound_model import BoundModel
from kan_widgets.live.model.probing import as_taken
from kan_widgets.live.not_copied import NotCopied
from kan_widgets.live.reports import Callback, report
from kan_widgets.live.steering import alarms
from kan_widgets.live.steering.alarms import GRID, RATE, Alarm, Limits
from kan_widgets.live.steering.training import Training
from kan_widgets.live.worker import Job, scheduler
from kan_widgets.nn.changes import listeners
from kan_widgets.nn.changes.torch_optimizer import holds_any
from kan_widgets.nn.changes.whole_models import update_grid
from kan_widgets.nn.core import LayerCore
from kan_widgets.nn.torch_modes import ungraded

_IN_STEPS, _IN_BACKGROUND = 0.001, 0.005
"""The most that looking at gradients, and at the rest, may take of the training time."""
_MIN_LOOKS, _MAX_RAISED = 10, 100


class Watchdog(NotCopied):
    """The alarms of a training. Reached as ``live.watchdog``; calling it sets the limits.

    Frames, curves and observed inputs are looked at by the thread `scheduler`, about once a
    second. Gradients are looked at in the thread that trains, when it has taken a frame, in at
    most a thousandth of its time. Nothing is changed, and no forward pass made.
    """

    def __init__(self, feed: Feed, model: BoundModel, training: Training) -> None:
        self._feed_ref = weakref.ref(feed)
        self._model, self._training = model, training
        self.limits = Limits()
        self.tell: Callable[[Alarm], object] | None = None
        """Called with each new alarm, by the thread that finds it."""
        self.raised: tuple[Alarm, ...] = ()
        """The latest hundred alarms, those that are over included."""
        self.alarms: tuple[Alarm, ...] = ()
        """Alarms of the present, the oldest first."""
        self._done: list[tuple[str, Callable[[], object]]] = []  # in words, and what undoes it
        self._not_done = ""
        self._job = Job(scheduler, self.check, Throttle(per_second=1, most=_IN_BACKGROUND))
        self._in_steps = Throttle(per_second=5, most=_IN_STEPS)
        self._before: Frame | None = None
        self._gradients: _Gradients | None = None
        # Alarms found the last time that enough steps had passed.
        self._dead: list[Alarm] = []
        self._still: list[Alarm] = []
        self._looking = threading.Lock()
        self._is_broken = False

    def __call__(
        self,
        *,
        outside: float = 0.5,
        dead: float = 0.1,
        exploding: float = 100.0,
        steps: int = 100,
        tell: Callable[[Alarm], object] | None = None,
    ) -> "Watchdog":
        """Set from when on something counts as wrong, and who is told.

        A binding looks by itself, about once a second, in 0.6 % of the time at most. What it finds
        is shown in `TrainingPanel`, with its likely cause and its cure, and recorded. It finds

        - a loss (a curve called so) that is not finite;
        - coefficients that are not finite;
        - a layer more than ``outside`` of whose observed inputs lie outside its grid;
        - functions on a grid that have had no gradient for ``steps`` steps, where they are more
          than ``dead`` of their layer. Functions that are 0 were pruned, and do not count;
        - splines that have not moved for ``steps`` steps while other layers change, unless their
          parameters are frozen;
        - a layer whose φ reaches more than ``exploding`` times as far as any did at first, and as
          far as ``exploding``. Once a loss, coefficients or φ do so, it looks for nothing else.

        Parameters
        ----------
        outside, dead
            Shares, 0 to 1.
        exploding
            A factor above 1.
        steps
            At least 1.
        tell
            Called with each new `Alarm`, by a thread in the background: a function, or what sends
            it to a tracker. What it raises is a warning.

        Returns
        -------
        Watchdog
            With ``alarms``: what goes wrong at present.

        Raises
        ------
        TypeError, ValueError
            If a limit is out of range, or ``tell`` cannot be called. Nothing has changed then.

        Examples
        --------
        >>> import kan_widgets as kw
        >>> live = kw.bind(model := kw.nn.KANLinear(2, 3))
        >>> live.log(loss=float("nan"))
        >>> [alarm] = live.watchdog(tell=print).look()  # doctest: +ELLIPSIS
        loss is not a number since step 0. Usually the learning rate is too high, ...
        """
        limits = Limits(outside, dead, exploding, steps)
        if tell is not None and not callable(tell):
            raise TypeError(f"tell={tell!r:.80}: expected a function of an alarm")
        self.limits = limits
        self.tell = None if tell is None else Callback("live.watchdog", tell)
        self.wake()
        return self

    def inherit(self, earlier: "Watchdog") -> None:
        """Take over the limits and the listener of an earlier binding of the model."""
        self.limits, self.tell = earlier.limits, earlier.tell

    def __repr__(self) -> str:
        said = "; ".join(alarm.what for alarm in self.alarms) or "nothing goes wrong"
        return f"<Watchdog: {said}>"

    # -- in the thread that trains ----------------------------------------------------

    def wake(self) -> None:
        """Note that there is news; quick."""
        self._job.wake()

    def step_framed(self, step: int) -> None:
        """Look at the gradients of a step at which a frame was taken, in the thread that trains."""
        self._job.wake()
        start = time.perf_counter()
        feed = self._feed_ref()
        if self._is_broken or not self._in_steps.is_open(start) or feed is None:
            return
        if self._training.counter.trained_by is not threading.current_thread():
            return
        try:
            layers = self._model.layers.read()
            if self._gradients is None or not self._gradients.fit(layers):
                self._gradients = _Gradients(step, [(one.name, one.sizes) for one in layers])
            self._gradients.note(step, layers)
        except Exception as error:
            self._give_up(error)
        self._in_steps.spent(start, time.perf_counter() - start)

    # -- in the background --------------------------------------------------------------

    def check(self) -> None:
        """Look, unless that has failed before or the binding is closed; never raises."""
        feed = self._feed_ref()
        if self._is_broken or feed is None or not feed.is_open:
            return
        try:
            self.look()
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Report once that looking failed; the training and its views go on."""
        self._is_broken = True
        report(f"the watchdog looks no more: {error!r}")

    def look(self) -> tuple[Alarm, ...]:
        """Look at what there is now, in the calling thread; return the alarms."""
        feed = self._feed_ref()
        if feed is None:
            return self.alarms
        with self._looking:
            before, by_id = self.alarms, {alarm.id: alarm for alarm in self.alarms}
            # An alarm that persists keeps the step at which it was first seen.
            active = [
                replace(alarm, since=by_id[alarm.id].since, what=by_id[alarm.id].what)
                if alarm.id in by_id and alarm.kind != "outside"
                else alarm
                for alarm in self._found(feed)
            ]
            self.alarms = tuple(sorted(active, key=lambda alarm: alarm.since))
            fresh = [alarm for alarm in self.alarms if alarm.id not in by_id]
            self.raised = (*self.raised, *fresh)[-_MAX_RAISED:]
        if before != self.alarms:
            self._tell_panel()
        if self.tell is not None:
            for alarm in fresh:
                self.tell(alarm)
        return self.alarms

    def _found(self, feed: Feed) -> list[Alarm]:
        frame, limits, observed = feed.frame, self.limits, feed.observed
        rate = next(iter(self._training.learning_rates), None)
        active = [*alarms.bad_losses(self._training.scalars, rate), *alarms.not_finite(frame, rate)]
        active = active or [*alarms.exploding(frame, feed.history[0], limits, rate)]
        if active or diverged_since(self._training.scalars) is not None:
            return active  # all else that is wrong follows from that
        before, gradients = self._before, self._gradients
        if before is None or before.layout is not frame.layout or frame.step < before.step:
            self._before, self._still = frame, []
        elif frame.step - before.step >= limits.steps:
            self._before = frame
            self._still = [*alarms.still(frame, before, self._trained_layers())]
        if gradients is not None and gradients.looks >= _MIN_LOOKS:
            if gradients.last - gradients.first >= limits.steps:
                self._gradients = None  # the next frame begins again
                alive = {name: now.cpu().numpy() for name, now in gradients.alive.items()}
                self._dead = [*alarms.dead(frame, alive, gradients.first, observed, limits)]
        return [*alarms.outside_grid(observed, frame.layout, limits), *self._still, *self._dead]

    def _trained_layers(self) -> Mapping[str, bool | None]:
        """Return of each layer whether the optimizer has its parameters; ``None`` if frozen."""
        optimizer = self._training.optimizer
        trained: dict[str, bool | None] = {}
        for name, module in self._model.layers.owners().items():
            free = [each for each in module.parameters() if each.requires_grad]
            is_held = optimizer is not None and holds_any(optimizer, free)
            trained[name] = is_held if free else None
        return trained

    def _tell_panel(self) -> None:
        """Show alarms and cures on the panel."""
        if (feed := self._feed_ref()) is None:
            return
        cured = {"text": self._done[-1][0], "undo": True} if self._done else None
        if self._not_done:
            cured = {"text": self._not_done, "undo": False}
        as_dicts = [
            {
                "id": alarm.id,
                "kind": alarm.kind,
                "text": alarm.what,
                "more": alarm.cause,
                "call": alarm.cure,
                "button": alarm.button,
            }
            for alarm in self.alarms
        ]
        feed.notices = {"alarms": as_dicts, "cured": cured}
        feed.tell_training()

    def cure(self, alarm: str) -> None:
        """Do what the button of an alarm says, between two steps; `undo` undoes it.

        Parameters
        ----------
        alarm
            Its ``id``.

        Raises
        ------
        ValueError
            If there is no such alarm now, or nothing can be done about it from here.
        RuntimeError
            If there is no optimizer, or no batch to go by.
        """
        by_id = {each.id: each for each in self.alarms}
        if (target := by_id.get(alarm)) is None:
            words = ", ".join(map(repr, by_id)) or "there is none"
            raise ValueError(f"alarm={alarm!r:.80}: the alarms now are: {words}")
        self._not_done = ""
        if target.button == RATE:
            before = self._training.learning_rates
            first = next(iter(before), 0.0)
            self._training.set_learning_rate(first / 10)  # raises without an optimizer
            what = f"The learning rate was lowered from {first:.3g} to {first / 10:.3g}."
            self._note_done(what, lambda: self._set_rates(before))
        elif target.button == GRID:
            if self._model.last_inputs is None:
                raise RuntimeError(
                    "no batch has been seen, so nothing tells where the inputs are: call "
                    "live.observe(batch), or loop over live.track(loader)"
                )
            self._training.queue.request("update the grid", self._update_grid)
        else:
            raise ValueError(f"{target.what} Nothing can be done about it from here. {target.cure}")

    def undo(self) -> None:
        """Undo the last cure, between two steps.

        Of a grid update: knots and coefficients of all splines become what they were before it.

        Raises
        ------
        ValueError
            If there is none.
        """
        if not self._done:
            raise ValueError("nothing was done that could be undone")
        self._done.pop()[1]()
        self._tell_panel()

    @property
    def cured(self) -> tuple[str, ...]:
        """The cures done, in a sentence each; the last is the first to be undone."""
        return tuple(what for what, _ in self._done)

    def _note_done(self, what: str, undo: Callable[[], object]) -> None:
        self._done.append((what, undo))
        self._tell_panel()

    def _set_rates(self, rates: list[float]) -> None:
        for group, rate in enumerate(rates):
            self._training.set_learning_rate(rate, group)

    def _update_grid(self, at_rest: bool) -> None:
        """Move all knots to the inputs seen last."""
        model, inputs, training = self._model.module, self._model.last_inputs, self._training
        if model is None or inputs is None:
            return
        kept = [
            _Splines.of(layer, training.optimizer)
            for layer in model.modules()
            if isinstance(layer, LayerCore) and bool(getattr(layer.basis, "knots", ()))
        ]
        try:
            update_grid(model, as_taken(inputs, model), optimizer=training.optimizer)
        except Exception as error:
            self._not_done = f"The grid was not updated: {error}"
            self._tell_panel()
            return
        training.scalars.mark(training.steps, "grid updated")
        self._note_done(
            f"The grids were moved to the inputs at step {training.steps:,}; undoing it brings "
            "back the knots and the splines as they were before.",
            lambda: training.queue.request("restore the grid", self._restore, kept),
        )

    def _restore(self, at_rest: bool, kept: "list[_Splines]") -> None:
        for each in kept:
            each.restore(self._training.optimizer)
        listeners.tell([each.layer for each in kept])
        self._training.scalars.mark(self._training.steps, "grid as before")


@dataclass
class _Gradients:
    """Which functions had a gradient at some of the steps; tensors stay on the model's device."""

    first: int
    sizes: list[tuple[str, tuple[int, ...]]]
    """Names and shapes of the layers that are looked at."""
    last: int = 0
    looks: int = 0
    alive: dict[str, Tensor] = field(default_factory=dict)
    """``(functions,)`` by the layer."""

    def fit(self, layers: list[LayerFunctions]) -> bool:
        """Whether these are the layers that were looked at."""
        return [(one.name, one.sizes) for one in layers] == self.sizes

    def note(self, step: int, layers: list[LayerFunctions]) -> None:
        for layer in layers:
            gradient = layer.gradient() if layer.gradient is not None else None
            if gradient is not None:
                now = (gradient != 0).any(-1).reshape(-1)  # NaN is not 0
                self.alive.setdefault(layer.name, now).logical_or_(now)
        self.last, self.looks = step, self.looks + 1


@dataclass(frozen=True)
class _Splines:
    """A layer's splines as they were, with what the optimizer knew of them."""

    layer: Any
    basis: Any
    weight: Tensor
    state: Any

    @classmethod
    def of(cls, layer: Any, optimizer: Optimizer | None) -> "_Splines":
        weight = layer.spline_weight
        state = None if optimizer is None else deepcopy(optimizer.state.get(weight))
        return cls(layer, layer.basis, weight.detach().clone(), state)

    @ungraded
    def restore(self, optimizer: Optimizer | None) -> None:
        with listeners.together:
            self.layer.spline_weight.copy_(self.weight)
            self.layer.basis = self.basis
        if optimizer is not None and self.state is not None:
            optimizer.state[self.layer.spline_weight] = deepcopy(self.state)
