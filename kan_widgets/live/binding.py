"""A binding watches a model while it trains."""

from __future__ import annotations

import math
import statistics
import threading
import time
import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from kan_widgets.functions import LayerFunctions, find, read_module, unwrap
from kan_widgets.live import observe, quiet
from kan_widgets.live.edit import Edits
from kan_widgets.live.frame import Copy, Frame
from kan_widgets.live.history import History
from kan_widgets.live.layout import Fingerprint, Layout, build_layout
from kan_widgets.live.source import Source, State, report
from kan_widgets.live.steps import StepHooks, hooks_of
from kan_widgets.live.throttle import Throttle
from kan_widgets.nn import changes

# Training counts as quiet after this long without a step, or this many step times.
_QUIET_SECONDS = 0.25
_QUIET_STEPS = 3.0


@dataclass(frozen=True)
class Stats:
    """What a binding has done so far, and what it cost."""

    steps: int
    """Optimizer steps counted (or calls of ``step()``)."""
    frames_taken: int
    """Frames read from the model."""
    frames_sent: int
    """Frames handed to at least one listener, such as a stream of views."""
    frames_skipped: int
    """Steps where a frame was due but came too soon after the last one."""
    seconds: float
    """Time that counting steps and taking frames added to the training loop."""
    share: float
    """``seconds`` as a fraction of the time spent training, pauses left out."""


class Binding(Source):
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
        earlier: Binding | None = None,
    ) -> None:
        # The binding must not keep the model: whoever trains it does.
        self._model: weakref.ref[nn.Module] | None = weakref.ref(model)
        self._modules = [
            (entry.name, weakref.ref(entry.module), entry.reader) for entry in find(model)
        ]
        self._chosen = layers
        self._every = every
        self._throttle = Throttle(max_fps)
        self._optimizer = weakref.ref(optimizer) if optimizer is not None else None

        read = self._read_layers()
        layout = build_layout(read, earlier.layout if earlier is not None else None)
        continues = earlier is not None and layout is earlier.layout
        self._steps = earlier.stats.steps if earlier is not None and continues else 0
        history = History(int(history_mb * 1e6))
        if earlier is not None and continues:
            for frame in earlier.history:
                history.append(frame)
        history.append(Frame(self._steps, layout, Copy(read).data()))
        super().__init__(history)

        self._fingerprint = Fingerprint.of(read)
        self.edits = Edits(self)
        """Change functions by hand, with undo."""
        self._coming: tuple[int, Layout, Copy] | None = None
        self._taken, self._sent, self._skipped = 1, 0, 0
        self._seconds = self._training_seconds = 0.0
        self._last_step_at = 0.0
        self._intervals: deque[float] = deque(maxlen=5)
        self._trained_by: int | None = None
        self._hooks: StepHooks | None = None
        if optimizer is not None:
            self._hooks = hooks_of(optimizer)
            self._hooks.add(self._after_step)
        for _, module, _ in self._modules:
            if (watched := module()) is not None:
                changes.listen(watched, self._after_change)
        weakref.finalize(model, quiet.wake).atexit = False
        quiet.watch(self)

    # -- what it holds --------------------------------------------------------------

    @property
    def model(self) -> nn.Module | None:
        """The bound model; ``None`` once the binding is closed or the model is gone."""
        return self._model() if self._model is not None else None

    @property
    def every(self) -> int:
        """A frame is due each time this many steps have passed; may be changed."""
        return self._every

    @every.setter
    def every(self, every: int) -> None:
        _check_every(every)
        self._every = every

    @property
    def max_fps(self) -> float:
        """Frames per second at most; may be changed."""
        return 1 / self._throttle.interval

    @max_fps.setter
    def max_fps(self, max_fps: float) -> None:
        _check_max_fps(max_fps)
        self._throttle.interval = 1 / max_fps

    @property
    def stats(self) -> Stats:
        """Counts and costs so far."""
        total = self._training_seconds
        share = min(1.0, self._seconds / total) if total > 0 else 0.0
        return Stats(self._steps, self._taken, self._sent, self._skipped, self._seconds, share)

    @property
    def state(self) -> State:
        """``live`` while steps come in, ``idle`` between, ``closed``, or ``fault``."""
        if self._state in ("live", "idle") and self.model is None:
            return "closed"
        return self._state

    @property
    def trained_by(self) -> int | None:
        """The thread that made the last step."""
        return self._trained_by

    def __repr__(self) -> str:
        model = self.model
        name = type(model).__name__ if model is not None else "no model"
        return (
            f"<Binding of {name}: {len(self.layers)} layers, step {self._steps}, "
            f"every {self.every}, {self.state}>"
        )

    def __enter__(self) -> Binding:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # -- counting steps -------------------------------------------------------------

    def step(self) -> None:
        """Count one training step by hand, where no optimizer is bound.

        On a closed binding it does nothing: a training loop may outlive it.

        Raises
        ------
        RuntimeError
            If an optimizer counts the steps already.
        """
        if self._hooks is not None:
            raise RuntimeError("the bound optimizer counts the steps: do not call step() as well")
        self._after_step()

    def _after_step(self) -> None:
        if self._state not in ("live", "idle"):
            return
        start = time.perf_counter()
        with self._sending:
            try:
                self._count(start)
            except Exception as error:
                self._fail(error)
        self._last_step_at = time.perf_counter()
        self._seconds += self._last_step_at - start

    def _after_change(self) -> None:
        """Show a layer whose grid was updated, or that was refined or pruned, between two steps."""
        if self._state not in ("live", "idle"):
            return
        try:
            with self._sending:
                # A frame still on its way from an accelerator was taken before the change.
                if self._coming is not None:
                    self._emit(self._finish_frame(self._coming), settled=False)
            self.refresh()
        except Exception as error:
            self._fail(error)

    def _count(self, now: float) -> None:
        self._steps += 1
        self._trained_by = threading.get_ident()
        edited = self.edits.apply_waiting()
        if self._last_step_at:
            passed = now - self._last_step_at
            if not self._intervals or passed <= self._patience:
                self._training_seconds += passed
            self._intervals.append(passed)
        if self._state == "idle":
            self._set_state("live")
            quiet.wake()
        if self._steps % self._every == 0 or edited:
            if edited or self._throttle.is_open(now):
                self._coming = self._start_frame(self._read_layers())
                self._send_arrived()
                self._throttle.spent(now, time.perf_counter() - now)
            else:
                self._skipped += 1
        elif self._coming is not None:
            self._send_arrived()

    def _send_arrived(self) -> None:
        if self._coming is not None and self._coming[2].is_ready():
            self._emit(self._finish_frame(self._coming), settled=False)

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
        if self.state in ("closed", "fault"):
            why = f" ({self._message})" if self._message else ""
            raise RuntimeError(f"this binding is {self.state}{why}: bind the model again")
        started = self._start_now()
        with self._sending:
            frame = self._finish_frame(started)
            self._emit(frame, settled=self._state != "live")
        return frame

    def current(self) -> Frame:
        """Return a frame of the last step counted: the latest, or a new one if steps passed.

        A new one is kept and sent like any other. Once closed, the last there was.
        """
        if self.state == "live" and self._frame.step != self._steps:
            return self.refresh()
        return self._frame

    def read(self) -> list[LayerFunctions]:
        """Read the bound layers as they are now, as `kan_widgets.functions.read` does.

        Raises
        ------
        RuntimeError
            If the binding is closed or its model is gone.
        """
        return self._read_layers()

    def trains_elsewhere(self) -> bool:
        """Whether parameters may only be changed after the next step, by who trains."""
        return self.state == "live" and self._trained_by != threading.get_ident()

    def tell_edited(self) -> None:
        """Tell the views that something was edited."""
        self._tell_all("on_edit", self.edits)

    def observe(self, batch: Any) -> dict[str, observe.Observation]:
        """Run a batch through the model and keep what reaches each layer, for the views.

        Once, in evaluation mode without gradients, through temporary hooks; mode and
        random number generators are as before afterwards.

        Parameters
        ----------
        batch
            The model's input: a tensor, or a tuple of arguments.

        Returns
        -------
        dict
            An `Observation` for each layer reached, by name.

        Raises
        ------
        TypeError, ValueError
            If ``batch`` is no input or reaches no layer.
        RuntimeError
            If the binding is closed.
        """
        model, layers = self.model, self._read_layers()
        modules: dict[str, nn.Module] = {}
        for name, ref, reader in self._modules:
            module = ref()
            if module is not None:
                modules.update((f.name, module) for f in read_module(name, module, reader))
        if model is None:
            raise RuntimeError("this binding is closed: bind the model again")
        found = observe.observe(model, modules, layers, batch)
        self._observed = found
        self._tell_all("on_observed", found)
        return dict(found)

    def _read_layers(self) -> list[LayerFunctions]:
        layers: list[LayerFunctions] = []
        for name, ref, reader in self._modules:
            module = ref()
            if module is None:
                raise RuntimeError(f"module {name!r} is no longer part of the model")
            layers += read_module(name, module, reader)
        if not layers:
            raise RuntimeError("this binding is closed: bind the model again")
        if self._chosen is not None:
            by_name = {layer.name: layer for layer in layers}
            layers = [by_name[name] for name in self._chosen]
        return layers

    def _start_frame(self, read: list[LayerFunctions]) -> tuple[int, Layout, Copy]:
        layout = self.layout
        fingerprint = Fingerprint.of(read)
        if not self._fingerprint.fits(fingerprint):
            layout = build_layout(read, layout)
            self._fingerprint = fingerprint
        return self._steps, layout, Copy(read)

    def _finish_frame(self, started: tuple[int, Layout, Copy]) -> Frame:
        step, layout, copy = started
        if started is self._coming:
            self._coming = None
        if step < self._frame.step:  # another thread was faster
            return self._frame
        if layout is not self.layout:
            self.edits.follow(self.layout, layout)
            self._tell_all("on_layout", layout)
        self._frame = Frame(step, layout, copy.data())
        self._history.append(self._frame)
        self._taken += 1
        return self._frame

    def _start_now(self) -> tuple[int, Layout, Copy]:
        """Start a frame of the present, between two steps if another thread is training.

        Not while sending: the training thread may wait for that, inside a step.
        """

        def start() -> tuple[int, Layout, Copy]:
            return self._start_frame(self._read_layers())

        return start() if self._hooks is None else self._hooks.read_between_steps(start)

    def _emit(self, frame: Frame, *, settled: bool) -> None:
        if self._listeners:
            self._tell_all("on_frame", frame, settled)
            self._sent += 1

    @property
    def _patience(self) -> float:
        usual = statistics.median(self._intervals) if self._intervals else 0.0
        return max(_QUIET_SECONDS, _QUIET_STEPS * usual)

    @property
    def is_quiet(self) -> bool:
        """Whether no step has come for clearly longer than steps take."""
        return time.perf_counter() - self._last_step_at > self._patience

    def settle(self) -> None:
        """Send the latest state of a model that is not training at the moment.

        Called when a cell ends and when no step has come for a while. Does nothing
        if the views have it already, or while a step is going on.
        """
        if not self._is_live() or (self._hooks is not None and self._hooks.is_stepping()):
            return
        try:
            edited = self.edits.apply_waiting()
            behind = edited or self._frame.step != self._steps
            started = self._start_now() if behind else None
            with self._sending:
                if not self._is_live():
                    return
                frame = self._frame if started is None else self._finish_frame(started)
                self._emit(frame, settled=True)
                if frame.step == self._steps:
                    self._set_state("idle")
        except Exception as error:
            if self.model is not None:
                self._fail(error)

    def _is_live(self) -> bool:
        return self.state == "live"

    def _fail(self, error: Exception) -> None:
        """Say once that reading the model failed, and let go of it; training goes on."""
        self._message = f"{type(error).__name__}: {error}"
        report(f"kan_widgets stopped watching the model: {self._message}")
        self._release("fault")

    # -- the end --------------------------------------------------------------------

    def close(self) -> None:
        """Stop watching: remove the hooks and let go of the model.

        Views keep the last frame. Closing again does nothing.
        """
        self.settle()
        if self._state not in ("closed", "fault"):
            self._release("closed")

    def _release(self, state: State) -> None:
        if self._hooks is not None:
            self._hooks.remove(self._after_step)
        for _, module, _ in self._modules:
            if (watched := module()) is not None:
                changes.ignore(watched, self._after_change)
        self._model = None
        self._modules = []
        quiet.unwatch(self)
        with self._sending:
            self._set_state(state)

    def _replaces(self, earlier: Binding) -> None:
        """Take the place of an earlier binding of the same model."""
        earlier._hand_over(self)
        earlier.close()


_bindings: weakref.WeakKeyDictionary[nn.Module, Binding] = weakref.WeakKeyDictionary()


def binding_of(model: nn.Module) -> Binding | None:
    """Return the open binding of a model, if there is one."""
    binding = _bindings.get(unwrap(model))
    return binding if binding is not None and binding.state in ("live", "idle") else None


def _check_every(every: int) -> None:
    if isinstance(every, bool) or not isinstance(every, int):
        raise TypeError(f"every={every!r}: a whole number of steps is taken")
    if every < 1:
        raise ValueError(f"every={every}: at least 1 step between frames")


def _check_number(name: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name}={value!r}: a number is taken")


def _check_max_fps(max_fps: float) -> None:
    _check_number("max_fps", max_fps)
    if not 0 < max_fps < math.inf:
        raise ValueError(f"max_fps={max_fps}: a finite number above 0 is taken")


def bind(
    model: nn.Module,
    optimizer: Optimizer | None = None,
    *,
    every: int = 10,
    max_fps: float = 30.0,
    layers: Sequence[str] | None = None,
    history_mb: float = 64.0,
) -> Binding:
    """Watch a model while it trains.

    With an optimizer, its steps are counted through torch's own hook: any loop,
    trainer, gradient scaler or closure works as it is. Every ``every`` steps a
    frame (a copy of the coefficients) is taken, unless one was taken less than
    1/``max_fps`` seconds ago; when training goes quiet, or the notebook cell
    ends, the last state is always taken. Watching changes nothing: no forward
    pass, no gradient, no random number, no mode switch. Should reading the model
    ever fail, training goes on and a warning says what happened.

    Binding a model again replaces its earlier binding, and views that showed the
    earlier one follow the new one. With the same optimizer and layers, history and
    step count go on; otherwise they start anew. The binding does not keep the model
    alive, and lives as long as it.

    Parameters
    ----------
    model
        Any module with readable layers; see `kan_widgets.functions.read`.
    optimizer
        The optimizer that trains it. Without one, call ``step()`` on the
        returned binding after each training step.
    every
        Steps between frames, at least 1.
    max_fps
        Frames per second at most, above 0.
    layers
        Names of the layers to watch (see ``read(model)``); all by default.
    history_mb
        Megabytes (10⁶ bytes) of frames to keep, at least 0. The first and the
        latest frame are always kept.

    Returns
    -------
    Binding
        With ``frame``, ``history``, ``stats``, ``refresh()`` and ``close()``;
        also a context manager.

    Raises
    ------
    TypeError
        If ``model`` is no module, ``optimizer`` no torch optimizer, or a number
        is of the wrong type.
    ValueError
        If a number is out of range, the model has no parameters or no readable
        layer, the optimizer holds none of the model's parameters, or a layer
        name is unknown. Nothing has been attached to the model then.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> model = kw.nn.KANLinear(2, 3)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> with kw.bind(model, optimizer, every=1) as live:
    ...     for _ in range(3):
    ...         optimizer.zero_grad()
    ...         model(torch.ones(1, 2)).sum().backward()
    ...         optimizer.step()
    >>> live.stats.steps, live.history[0].step, live.history[-1].step
    (3, 0, 3)
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model={model!r:.80}: a torch.nn.Module is taken")
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer={optimizer!r:.80}: a torch.optim.Optimizer or None is taken")
    _check_every(every)
    _check_max_fps(max_fps)
    _check_number("history_mb", history_mb)
    if not 0 <= history_mb < math.inf:
        raise ValueError(f"history_mb={history_mb}: a finite number of megabytes from 0 is taken")

    inner = unwrap(model)
    parameters = list(inner.parameters())
    if not parameters:
        raise ValueError(f"{type(inner).__name__} has no parameters: there is nothing to watch")
    if optimizer is not None:
        known = {id(p) for p in parameters}
        if not any(id(p) in known for group in optimizer.param_groups for p in group["params"]):
            raise ValueError(
                f"the optimizer holds none of the parameters of {type(inner).__name__}: give the "
                "one made from model.parameters() (made after the model was built or moved)"
            )
    chosen = None
    if layers is not None:
        if isinstance(layers, str):
            raise TypeError(f"layers={layers!r}: a list of names is taken, such as [{layers!r}]")
        chosen = tuple(layers)
        present = [layer.name for entry in find(inner) for layer in entry.read()]
        unknown = [name for name in chosen if name not in present]
        if unknown or not chosen:
            raise ValueError(
                f"layers={list(chosen)!r}: "
                + (f"unknown {', '.join(map(repr, unknown))}; " if unknown else "none chosen; ")
                + f"the layers are {', '.join(map(repr, present))}"
            )
        if len(set(chosen)) < len(chosen):
            raise ValueError(f"layers={list(chosen)!r}: a name is given twice")

    earlier = _bindings.get(inner)
    continued = binding_of(inner)
    if continued is not None and _optimizer_of(continued) is not optimizer:
        continued = None
    with torch.no_grad():
        binding = Binding(
            inner,
            optimizer,
            every=every,
            max_fps=max_fps,
            layers=chosen,
            history_mb=history_mb,
            earlier=continued,
        )
    _bindings[inner] = binding
    if earlier is not None:
        binding._replaces(earlier)
    return binding


def _optimizer_of(binding: Binding) -> Optimizer | None:
    return binding._optimizer() if binding._optimizer is not None else None
