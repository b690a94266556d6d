"""Looks now and then whether a training goes wrong, beside it."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor

from kan_widgets.functions import LayerFunctions
from kan_widgets.live.budget import Throttle
from kan_widgets.live.frames.feed import Feed
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.model.model import BoundModel
from kan_widgets.live.reports import Callback, report
from kan_widgets.live.stationary import Stationary
from kan_widgets.live.steering import alarms
from kan_widgets.live.steering.alarms import Alarm, Limits
from kan_widgets.live.steering.training import Training
from kan_widgets.live.watching.cures import BUTTONS, Cures
from kan_widgets.live.worker import Job, scheduler

_IN_STEPS, _IN_BACKGROUND = 0.001, 0.005
"""Of the time of a training, looking at gradients takes no more, and looking at the rest."""
_FEWEST_LOOKS = 10
_MOST_RAISED = 100


class Watchdog(Stationary):
    """The alarms of a training. Reached as ``live.watchdog``; calling it sets the limits.

    Frames, curves and observed inputs are looked at by the thread `scheduler`, about once a
    second. Gradients are looked at in the thread that trains, when it has taken a frame, in at
    most a thousandth of its time. Nothing is changed, and no forward pass made.
    """

    def __init__(self, feed: Feed, model: BoundModel, training: Training) -> None:
        self._of = weakref.ref(feed)
        self._model, self._training = model, training
        self._cures = Cures(model, training, self._say)
        self.limits = Limits()
        self.tell: Callable[[Alarm], object] | None = None
        """Called with each new alarm, by the thread that finds it."""
        self.raised: tuple[Alarm, ...] = ()
        """All alarms there were, the latest hundred: also those that are over."""
        self._alarms: tuple[Alarm, ...] = ()
        self._job = Job(scheduler, self._look, Throttle(per_second=1, most=_IN_BACKGROUND))
        self._in_steps = Throttle(per_second=5, most=_IN_STEPS)
        self._before: Frame | None = None
        self._gradients: _Gradients | None = None
        self._dead: dict[str, Alarm] = {}
        self._still: dict[str, Alarm] = {}
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
    ) -> Watchdog:
        """Say from when on something counts as wrong, and who is told.

        A binding looks by itself, about once a second, in 0.6 % of the time at most: at the
        frames it takes, the losses logged, the inputs that were observed, and the gradients at
        steps with a frame. It makes no forward pass and changes nothing. What it finds is shown
        in `TrainingPanel`, with its likely cause and its cure, and is in the recording. It finds

        - a loss (a curve called so) that is not finite;
        - coefficients that are not finite;
        - a layer more than ``outside`` of whose observed inputs lie outside its grid;
        - functions on a grid that have had no gradient for ``steps`` steps, where they are more
          than ``dead`` of their layer. Functions that are 0 were pruned, and do not count;
        - splines that have not moved for ``steps`` steps while other layers change, unless their
          parameters are frozen;
        - a layer whose φ reaches more than ``exploding`` times as far as any did at first, and as
          far as ``exploding``.

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
        loss is nan since step 0. Mostly the steps are too large, ...
        """
        limits = Limits(outside, dead, exploding, steps)
        if tell is not None and not callable(tell):
            raise TypeError(f"tell={tell!r:.80}: expected a function of an alarm")
        self.limits = limits
        self.tell = None if tell is None else Callback("live.watchdog", tell)
        self.wake()
        return self

    def inherit(self, earlier: Watchdog) -> None:
        """Go by the limits of an earlier binding of the model, and tell whom it told."""
        self.limits, self.tell = earlier.limits, earlier.tell

    def cure(self, alarm: str) -> None:
        """Do what the button of an alarm says, between two steps; `undo` takes it back.

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
        known = {each.id: each for each in self._alarms}
        if alarm not in known:
            words = ", ".join(map(repr, known)) or "there is none"
            raise ValueError(f"alarm={alarm!r:.80}: the alarms now are: {words}")
        self._cures.apply(known[alarm])

    def undo(self) -> None:
        """Take the last cure back, between two steps.

        Of a grid update: knots and coefficients of all splines become what they were before it.

        Raises
        ------
        ValueError
            If there is none.
        """
        self._cures.undo()

    @property
    def cured(self) -> tuple[str, ...]:
        """What was done against alarms, in a sentence each: the last is the first to be undone."""
        return tuple(cured.what for cured in self._cures.done)

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """What goes wrong at present, the oldest first."""
        return self._alarms

    def __repr__(self) -> str:
        said = "; ".join(alarm.what for alarm in self._alarms) or "nothing goes wrong"
        return f"<Watchdog: {said}>"

    # -- in the thread that trains ----------------------------------------------------

    def wake(self) -> None:
        """Note that there is news; quick."""
        self._job.wake()

    def step_framed(self, step: int) -> None:
        """Look at the gradients of a step at which a frame was taken, in the thread that trains."""
        self._job.wake()
        start = time.perf_counter()
        feed = self._of()
        if self._is_broken or not self._in_steps.is_open(start) or feed is None:
            return
        if feed.trained_by is not threading.current_thread():
            return
        try:
            layers = self._model.layers.read()
            gradients = self._gradients
            if gradients is None or not gradients.fit(layers):
                gradients = _Gradients(step, layers)
            gradients.look(step, layers)
            self._gradients = gradients
        except Exception as error:
            self._give_up(error)
        self._in_steps.spent(start, time.perf_counter() - start)

    # -- in the background --------------------------------------------------------------

    def _look(self) -> None:
        feed = self._of()
        if self._is_broken or feed is None or not feed.is_open:
            return
        try:
            self.look()
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Say once that looking failed; the training and its views go on."""
        self._is_broken = True
        report(f"the watchdog looks no more: {error!r}")

    def look(self) -> tuple[Alarm, ...]:
        """Look at what there is now, in the calling thread; return the alarms."""
        feed = self._of()
        if feed is None:
            return self._alarms
        with self._looking:
            found = self._found(feed)
            known = {alarm.id: alarm for alarm in self._alarms}
            # What goes on began when it was seen first.
            lasting = [
                replace(alarm, since=known[alarm.id].since, what=known[alarm.id].what)
                if alarm.id in known and alarm.kind != "outside"
                else alarm
                for alarm in found
            ]
            lasting.sort(key=lambda alarm: alarm.since)
            before, self._alarms = self._alarms, tuple(lasting)
            fresh = [alarm for alarm in lasting if alarm.id not in known]
            self.raised = (*self.raised, *fresh)[-_MOST_RAISED:]
        if before != self._alarms:
            self._say()
        if self.tell is not None:
            for alarm in fresh:
                self.tell(alarm)
        return self._alarms

    def _say(self) -> None:
        """Have the panel say what goes wrong, and what was done about it."""
        if (feed := self._of()) is None:
            return
        cured, done = None, self.cured
        if self._cures.message:
            cured = {"text": self._cures.message, "undo": False}
        elif done:
            cured = {"text": done[-1], "undo": True}
        said: list[dict[str, Any]] = [
            {
                "id": alarm.id,
                "text": alarm.what,
                "more": f"{alarm.cause} {alarm.cure}",
                "button": BUTTONS.get(alarm.button, ""),
            }
            for alarm in self._alarms
        ]
        feed.notices = {"alarms": said, "cured": cured}
        feed.tell_training()

    def _found(self, feed: Feed) -> list[Alarm]:
        frame, limits = feed.frame, self.limits
        rate = next(iter(self._training.learning_rates), None)
        found = [*alarms.bad_losses(self._training.scalars, rate), *alarms.not_finite(frame)]
        if not any(alarm.kind == "not finite" for alarm in found):
            found += alarms.exploding(frame, feed.history[0], limits, rate)
        layers = {layer.name: layer for layer in frame.layout.layers}
        found += alarms.outside_grid(feed.observed, layers, limits)
        found += self._found_still(frame)
        found += self._found_dead(feed, frame)
        return found

    def _found_still(self, frame: Frame) -> list[Alarm]:
        before = self._before
        if before is None or before.layout is not frame.layout or frame.step < before.step:
            self._before, self._still = frame, {}
        elif frame.step - before.step >= self.limits.steps:
            self._before = frame
            trained = self._trained_layers()
            now = {a.id: a for a in alarms.still(frame, before, self.limits, trained)}
            self._still = {key: self._still.get(key, alarm) for key, alarm in now.items()}
        return list(self._still.values())

    def _trained_layers(self) -> Mapping[str, bool | None]:
        """Return of each layer whether the optimizer has its parameters; ``None`` if frozen."""
        optimizer = self._training.optimizer
        groups = [] if optimizer is None else optimizer.param_groups
        held = {id(parameter) for group in groups for parameter in group["params"]}
        found: dict[str, bool | None] = {}
        for name, module in self._model.layers.owners().items():
            free = [each for each in module.parameters() if each.requires_grad]
            found[name] = any(id(each) in held for each in free) if free else None
        return found

    def _found_dead(self, feed: Feed, frame: Frame) -> list[Alarm]:
        gradients = self._gradients
        if gradients is None:
            self._dead = {}
        elif gradients.looks >= _FEWEST_LOOKS and gradients.steps >= self.limits.steps:
            self._gradients = None  # the next frame begins anew
            observed = feed.observed
            self._dead = {}
            for layer in frame.layout.layers:
                alive = gradients.alive(layer.name)
                if alive is None or len(alive) != layer.count:
                    continue
                steps, seen = (gradients.first, gradients.last), observed.get(layer.name)
                for alarm in alarms.dead(layer, alive, frame.rows(layer), steps, self.limits, seen):
                    self._dead[alarm.id] = alarm
        return list(self._dead.values())


class _Gradients:
    """Which functions had a gradient at one of some steps; it stays where the model is."""

    def __init__(self, step: int, layers: list[LayerFunctions]) -> None:
        self.first = self.last = step
        self.looks = 0
        self._sizes = [(one.name, one.sizes) for one in layers]
        self._alive: dict[str, Tensor] = {}

    @property
    def steps(self) -> int:
        """Steps between the first look and the last."""
        return self.last - self.first

    def fit(self, layers: list[LayerFunctions]) -> bool:
        """Whether these are the layers that were looked at."""
        return [(one.name, one.sizes) for one in layers] == self._sizes

    def look(self, step: int, layers: list[LayerFunctions]) -> None:
        """Look at the gradients of a step."""
        for layer in layers:
            gradient = layer.gradient() if layer.gradient is not None else None
            if gradient is not None:
                now = (gradient != 0).any(-1).reshape(-1)  # NaN is not 0
                known = self._alive.setdefault(layer.name, now)
                known.logical_or_(now)
        self.last, self.looks = step, self.looks + 1

    def alive(self, name: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]] | None:
        """Return of each function of a layer whether it had a gradient."""
        known = self._alive.get(name)
        return None if known is None else known.cpu().numpy()
