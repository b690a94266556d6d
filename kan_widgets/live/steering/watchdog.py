"""Looks now and then whether a training goes wrong, beside it."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from kan_widgets.functions import LayerFunctions
from kan_widgets.live.budget import Throttle
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.scalars import Scalars
from kan_widgets.live.reports import report
from kan_widgets.live.stationary import Stationary
from kan_widgets.live.steering import alarms
from kan_widgets.live.steering.alarms import Alarm, Limits
from kan_widgets.live.worker import Job, scheduler

_IN_STEPS, _IN_BACKGROUND = 0.001, 0.005
"""Of the time of a training, looking at gradients takes no more, and looking at the rest."""
_FEWEST_LOOKS = 10
_MOST_RAISED = 100


class Guarded(Protocol):
    """A training that is watched: a binding."""

    @property
    def is_open(self) -> bool:
        """Whether it watches."""

    @property
    def frame(self) -> Frame:
        """The latest frame."""

    @property
    def scalars(self) -> Scalars:
        """What was logged."""

    @property
    def observed(self) -> dict[str, Observation]:
        """The inputs of the layers for a batch."""

    @property
    def learning_rates(self) -> list[float]:
        """Of each parameter group; empty without an optimizer."""

    @property
    def trained_by(self) -> threading.Thread | None:
        """The thread that made the last step."""

    def first_frame(self) -> Frame:
        """Return the first frame."""

    def trained_layers(self) -> Mapping[str, bool | None]:
        """Return of each layer whether the optimizer has it; ``None`` where it is frozen."""

    def read(self) -> list[LayerFunctions]:
        """Read the layers as they are now."""

    def tell_training(self) -> None:
        """Tell the views that something changed."""


class Watchdog(Stationary):
    """The alarms of a training. Made by ``live.watchdog``; see there.

    Frames, curves and observed inputs are looked at by the thread `scheduler`, about once a
    second. Gradients are looked at in the thread that trains, when it has taken a frame, in at
    most a thousandth of its time. Nothing is changed, and no forward pass made.
    """

    def __init__(self, binding: Guarded) -> None:
        self._of = weakref.ref(binding)
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
        binding = self._of()
        if self._is_broken or not self._in_steps.is_open(start) or binding is None:
            return
        if binding.trained_by is not threading.current_thread():
            return
        try:
            layers = binding.read()
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
        binding = self._of()
        if self._is_broken or binding is None or not binding.is_open:
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
        binding = self._of()
        if binding is None:
            return self._alarms
        with self._looking:
            found = self._found(binding)
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
            binding.tell_training()
        if self.tell is not None:
            for alarm in fresh:
                self.tell(alarm)
        return self._alarms

    def _found(self, binding: Guarded) -> list[Alarm]:
        frame, limits = binding.frame, self.limits
        rate = next(iter(binding.learning_rates), None)
        found = [*alarms.bad_losses(binding.scalars, rate), *alarms.not_finite(frame)]
        if not any(alarm.kind == "not finite" for alarm in found):
            found += alarms.exploding(frame, binding.first_frame(), limits, rate)
        layers = {layer.name: layer for layer in frame.layout.layers}
        found += alarms.outside_grid(binding.observed, layers, limits)
        found += self._found_still(binding, frame)
        found += self._found_dead(binding, frame)
        return found

    def _found_still(self, binding: Guarded, frame: Frame) -> list[Alarm]:
        before = self._before
        if before is None or before.layout is not frame.layout or frame.step < before.step:
            self._before, self._still = frame, {}
        elif frame.step - before.step >= self.limits.steps:
            self._before = frame
            trained = binding.trained_layers()
            now = {a.id: a for a in alarms.still(frame, before, self.limits, trained)}
            self._still = {key: self._still.get(key, alarm) for key, alarm in now.items()}
        return list(self._still.values())

    def _found_dead(self, binding: Guarded, frame: Frame) -> list[Alarm]:
        gradients = self._gradients
        if gradients is None:
            self._dead = {}
        elif gradients.looks >= _FEWEST_LOOKS and gradients.steps >= self.limits.steps:
            self._gradients = None  # the next frame begins anew
            observed = binding.observed
            self._dead = {}
            for layer in frame.layout.layers:
                alive = gradients.alive(layer.name)
                if alive is None or len(alive) != layer.count:
                    continue
                part = frame.data[layer.offset : layer.offset + layer.length]
                for alarm in alarms.dead(
                    layer,
                    alive,
                    part.reshape(layer.count, layer.nb),
                    (gradients.first, gradients.last),
                    self.limits,
                    observed.get(layer.name),
                ):
                    self._dead[alarm.id] = alarm
        return list(self._dead.values())


@dataclass
class _Layer:
    name: str
    shape: torch.Size
    alive: Tensor | None


class _Gradients:
    """Which functions had a gradient at one of some steps; it stays where the model is."""

    def __init__(self, step: int, layers: list[LayerFunctions]) -> None:
        self.first = self.last = step
        self.looks = 0
        self._layers = [_Layer(one.name, one.sizes, None) for one in layers]

    @property
    def steps(self) -> int:
        """Steps between the first look and the last."""
        return self.last - self.first

    def fit(self, layers: list[LayerFunctions]) -> bool:
        """Whether these are the layers that were looked at."""
        return [(one.name, one.sizes) for one in layers] == [
            (known.name, known.shape) for known in self._layers
        ]

    def look(self, step: int, layers: list[LayerFunctions]) -> None:
        """Look at the gradients of a step."""
        for known, layer in zip(self._layers, layers, strict=True):
            gradient = layer.gradient() if layer.gradient is not None else None
            if gradient is None:
                continue
            # NaN is not 0.
            now = (gradient != 0).any(-1).reshape(-1)
            known.alive = now if known.alive is None else known.alive.logical_or_(now)
        self.last, self.looks = step, self.looks + 1

    def alive(self, name: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]] | None:
        """Return of each function of a layer whether it had a gradient."""
        for known in self._layers:
            if known.name == name and known.alive is not None:
                found: np.ndarray[tuple[int], np.dtype[np.bool_]] = known.alive.cpu().numpy()
                return found
        return None
