"""A binding ties a model, and its optimizer, to a stream of frames."""

from __future__ import annotations

import threading
import time
import warnings
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import nn
from torch.optim import Optimizer

from kan_widgets.functions import LayerFunctions, find, read_module, unwrap
from kan_widgets.live import quiet
from kan_widgets.live.frame import Frame, pack
from kan_widgets.live.history import History
from kan_widgets.live.layout import Layout, build_layout, same_bases
from kan_widgets.live.steps import StepGate
from kan_widgets.live.throttle import Throttle

State = Literal["live", "idle", "closed", "fault"]

# Training counts as quiet after this long without a step, or this many step times.
_QUIET_SECONDS = 0.25
_QUIET_STEPS = 3.0
# Settling waits this long for an optimizer step to end; if it goes on, nothing is quiet.
_GATE_SECONDS = 0.05


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
    """Time the binding took of the training loop."""
    share: float
    """``seconds`` as a fraction of the time from the first step to the last."""


class FrameListener(Protocol):
    """What receives a binding's frames; a stream of views is one."""

    def on_layout(self, layout: Layout) -> None:
        """Take the layout of the frames that follow."""

    def on_frame(self, frame: Frame, settled: bool) -> None:
        """Take a frame; ``settled`` if training is quiet and it is the latest there is."""

    def on_state(self, state: State, message: str) -> None:
        """Take a change of the binding's state."""

    def on_rebind(self, binding: Binding) -> None:
        """Follow the binding that replaces this one."""


class Binding:
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
    ) -> None:
        # The binding must not keep the model: whoever trains it does.
        self._model: Callable[[], nn.Module | None] = weakref.ref(model)
        self._modules = [
            (entry.name, weakref.ref(entry.module), entry.reader) for entry in find(model)
        ]
        self._chosen = layers
        self.every = every
        """A frame is due each time this many steps have passed."""
        self.max_fps = max_fps
        """Frames per second at most."""
        self._throttle = Throttle(max_fps)
        self._listeners: list[FrameListener] = []
        self._state: State = "idle"
        self._message = ""
        self._sender = threading.RLock()
        self._steps = 0
        self._taken = self._sent = self._skipped = 0
        self._seconds = 0.0
        self._first_step_at = self._last_step_at = self._step_seconds = 0.0
        self._read: list[LayerFunctions] = self._read_layers()
        self._layout = build_layout(self._read)
        self._history = History(int(history_mb * 1e6))
        self._frame = Frame(0, self._layout, pack(self._read, self._layout.size))
        self._history.append(self._frame)
        self._taken = 1
        self._settled = True
        self._gate = StepGate(optimizer, self._count_step)
        self._finalizer = weakref.finalize(model, _model_gone, weakref.ref(self))
        self._finalizer.atexit = False
        quiet.watch(self)

    # -- what it holds --------------------------------------------------------------

    @property
    def model(self) -> nn.Module | None:
        """The bound model; ``None`` once it is closed or the model is gone."""
        return self._model()

    @property
    def layout(self) -> Layout:
        """What it takes to read the latest frame."""
        return self._layout

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the bound layers."""
        return self._layout.names

    @property
    def frame(self) -> Frame:
        """The latest frame taken."""
        return self._frame

    def current(self) -> Frame:
        """Return a frame of the last step counted: the latest, or a new one if steps passed.

        A new one is kept and sent like any other. Once closed, the last there was.
        """
        if self._state == "live" and self._frame.step != self._steps:
            return self.refresh()
        return self._frame

    @property
    def history(self) -> History:
        """The frames kept so far: the first, the latest, and evenly spread ones between."""
        return self._history

    @property
    def stats(self) -> Stats:
        """Counts and costs so far."""
        elapsed = self._last_step_at - self._first_step_at
        share = self._seconds / elapsed if elapsed > 0 else 0.0
        return Stats(
            self._steps, self._taken, self._sent, self._skipped, self._seconds, min(1.0, share)
        )

    @property
    def state(self) -> State:
        """``live`` while steps come in, ``idle`` between, ``closed``, or ``fault``."""
        return self._state

    @property
    def message(self) -> str:
        """What went wrong, in state ``fault``."""
        return self._message

    def __repr__(self) -> str:
        model = self._model()
        name = type(model).__name__ if model is not None else "no model"
        return (
            f"<Binding of {name}: {len(self.layers)} layers, step {self._steps}, "
            f"every {self.every}, {self._state}>"
        )

    def __enter__(self) -> Binding:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # -- counting steps -------------------------------------------------------------

    def step(self) -> None:
        """Count one training step by hand, where no optimizer is bound.

        Raises
        ------
        RuntimeError
            If the binding is closed, or an optimizer counts the steps already.
        """
        self._require_open()
        if self._gate.hooked:
            raise RuntimeError("the bound optimizer counts the steps: do not call step() as well")
        self._count_step()

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
        self._require_open()
        with self._gate.between_steps(), self._sender:
            frame = self._take()
            self._emit(frame, settled=self._state != "live")
        return frame

    def _require_open(self) -> None:
        if self._state in ("closed", "fault"):
            why = f" ({self._message})" if self._message else ""
            raise RuntimeError(f"this binding is {self._state}{why}: bind the model again")

    def _count_step(self) -> None:
        start = time.perf_counter()
        try:
            self._steps += 1
            if self._steps == 1:
                self._first_step_at = start
            elif self._state == "live":
                passed = start - self._last_step_at
                self._step_seconds += 0.2 * (passed - self._step_seconds)
            self._settled = False
            due = self._steps % self.every == 0
            if due and self._throttle.is_open(start):
                with self._sender:
                    self._emit(self._take(), settled=False)
                self._throttle.spent(start, time.perf_counter() - start)
            elif due:
                self._skipped += 1
            if self._state == "idle":
                self._set_state("live")
                quiet.wake()
        except Exception as error:
            self._fail(error)
        end = time.perf_counter()
        self._last_step_at = end
        self._seconds += end - start

    # -- frames ---------------------------------------------------------------------

    def _read_layers(self) -> list[LayerFunctions]:
        layers: list[LayerFunctions] = []
        for name, ref, reader in self._modules:
            module = ref()
            if module is None:
                raise RuntimeError(f"module {name!r} is no longer part of a living model")
            layers += read_module(name, module, reader)
        if self._chosen is not None:
            by_name = {layer.name: layer for layer in layers}
            layers = [by_name[name] for name in self._chosen]
        return layers

    def _take(self) -> Frame:
        """Read the model into a new latest frame."""
        read = self._read_layers()
        if not same_bases(self._read, read):
            self._layout = build_layout(read)
            for listener in list(self._listeners):
                self._tell(listener, "on_layout", self._layout)
        self._read = read
        self._frame = Frame(self._steps, self._layout, pack(read, self._layout.size))
        self._taken += 1
        self._history.append(self._frame)
        return self._frame

    def _emit(self, frame: Frame, *, settled: bool) -> None:
        if not self._listeners:
            return
        for listener in list(self._listeners):
            self._tell(listener, "on_frame", frame, settled)
        self._sent += 1

    def _tell(self, listener: FrameListener, method: str, *arguments: Any) -> None:
        """Call a listener; one that raises is dropped, training goes on."""
        try:
            getattr(listener, method)(*arguments)
        except Exception as error:
            if listener in self._listeners:
                self._listeners.remove(listener)
            report(f"a view stopped following the training: {error!r}")

    def _fail(self, error: Exception) -> None:
        """Say once that reading the model failed, and let go of it; training goes on."""
        self._message = f"{type(error).__name__}: {error}"
        report(f"kan_widgets stopped watching the model: {self._message}")
        self._release("fault")

    @property
    def is_quiet(self) -> bool:
        """Whether no step has come for clearly longer than steps take."""
        waited = time.perf_counter() - self._last_step_at
        return waited > max(_QUIET_SECONDS, _QUIET_STEPS * self._step_seconds)

    def settle(self) -> None:
        """Send the latest state of a model that is not training at the moment.

        Called when a cell ends and when no step has come for a while; does
        nothing if the views have it already or a step is going on.
        """
        if self._state != "live":
            return
        with self._gate.between_steps(_GATE_SECONDS) as entered, self._sender:
            if not entered or self._settled or self._model() is None:
                return
            try:
                behind = self._frame.step != self._steps
                frame = self._take() if behind else self._frame
                self._settled = True
                self._emit(frame, settled=True)
                self._set_state("idle")
            except Exception as error:
                self._fail(error)

    # -- listeners ------------------------------------------------------------------

    def subscribe(self, listener: FrameListener) -> Callable[[], None]:
        """Hand every frame from now on to ``listener``.

        Returns
        -------
        callable
            Call it to end the subscription.
        """
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def _set_state(self, state: State) -> None:
        self._state = state
        for listener in list(self._listeners):
            self._tell(listener, "on_state", state, self._message)

    def replaced_by(self, successor: Binding) -> None:
        """Hand the listeners over to ``successor`` and close."""
        listeners, self._listeners = self._listeners, []
        self.close()
        successor._listeners += listeners
        for listener in listeners:
            successor._tell(listener, "on_rebind", successor)

    def close(self) -> None:
        """Stop watching: remove the hooks and let go of the model.

        Views keep the last frame. Closing again does nothing.
        """
        self.settle()
        if self._state not in ("closed", "fault"):
            self._release("closed")
        self._gate.detach()

    def _release(self, state: State) -> None:
        self._gate.detach()
        self._finalizer.detach()
        self._model = _no_model
        self._modules = []
        self._read = []
        quiet.unwatch(self)
        self._set_state(state)


def report(message: str) -> None:
    """Warn without ever raising, even where warnings are errors."""
    try:
        warnings.warn(message, RuntimeWarning, stacklevel=3)
    except Warning:
        pass


def _no_model() -> None:
    return None


def _model_gone(binding: weakref.ref[Binding]) -> None:
    if (alive := binding()) is not None:
        alive._release("closed")


_bindings: weakref.WeakKeyDictionary[nn.Module, weakref.ref[Binding]] = weakref.WeakKeyDictionary()


def binding_of(model: nn.Module) -> Binding | None:
    """Return the open binding of a model, if there is one."""
    ref = _bindings.get(unwrap(model))
    binding = ref() if ref is not None else None
    return binding if binding is not None and binding.state in ("live", "idle") else None


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
    earlier one follow the new one. The binding does not keep the model alive.

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
    if isinstance(every, bool) or not isinstance(every, int):
        raise TypeError(f"every={every!r}: a whole number of steps is taken")
    if every < 1:
        raise ValueError(f"every={every}: at least 1 step between frames")
    for name, value in (("max_fps", max_fps), ("history_mb", history_mb)):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError(f"{name}={value!r}: a number is taken")
    if not 0 < max_fps < float("inf"):
        raise ValueError(f"max_fps={max_fps}: a finite number above 0 is taken")
    if not 0 <= history_mb < float("inf"):
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

    with torch.no_grad():
        binding = Binding(
            inner, optimizer, every=every, max_fps=max_fps, layers=chosen, history_mb=history_mb
        )
    earlier = binding_of(inner)
    _bindings[inner] = weakref.ref(binding)
    if earlier is not None:
        earlier.replaced_by(binding)
    return binding
