"""A binding watches a model while it trains."""

from __future__ import annotations

import math
import statistics
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Thread, current_thread
from time import perf_counter
from typing import Any, TypeVar

from torch import nn
from torch.optim import Optimizer

from kan_widgets.functions import LayerFunctions, find, read_module
from kan_widgets.live import observe, quiet
from kan_widgets.live.control import Control
from kan_widgets.live.edit import Edits
from kan_widgets.live.frame import Copy, Followed, Frame, follow
from kan_widgets.live.history import History
from kan_widgets.live.layout import Fingerprint, Float32, Layout, build_layout
from kan_widgets.live.learning_rate import learning_rates
from kan_widgets.live.progress import Progress
from kan_widgets.live.recorder import PathLike, Recorder, record, save
from kan_widgets.live.scalars import Scalars, step_given
from kan_widgets.live.source import Callback, Source, State, report
from kan_widgets.live.steps import StepHooks, hooks_of
from kan_widgets.live.throttle import Throttle
from kan_widgets.live.track import Track
from kan_widgets.live.training import Training
from kan_widgets.nn.life import changes

Batch = TypeVar("Batch")

# Training counts as quiet after this long without a step, or this many step times.
_QUIET_SECONDS = 0.25
_QUIET_STEPS = 3.0

# Where steps are counted by hand: how long to try to read between two of them.
_PATIENCE_TO_READ = 2.0


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
        self._model: weakref.ref[nn.Module] | None = weakref.ref(model, quiet.wake)
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
        self.training: Training = (
            earlier.training if earlier is not None and continues else Training(self)
        )
        """What is known of the loop that trains; most of it is reached by shorter names."""
        self._step_watchers: tuple[Callback[[int, bool]], ...] = ()
        self._coming: tuple[int, Layout, Copy] | None = None
        self._followed: Followed | None = follow(read, layout)  # only for the thread that trains
        self._taken, self._sent, self._skipped = 1, 0, 0
        self._seconds = self._training_seconds = 0.0
        self._last_step_at = 0.0
        self._intervals: deque[float] = deque(maxlen=5)
        # The thread that made the last step: not its identity, which is used again.
        self._trainer: Callable[[], Thread | None] = lambda: None
        self._is_calm = False  # whether a step is only counted
        self._hooks: StepHooks | None = None
        self._successor: weakref.ref[Binding] | None = None
        if optimizer is not None:
            self._hooks = hooks_of(optimizer)
            # The earlier one counts until this one takes its place.
            if not continues:
                self._hooks.add(self._after_step, self._between_steps)
        for _, module, _ in self._modules:
            if (watched := module()) is not None:
                changes.listen(watched, self._after_change)
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
        check_every(every)
        self._every = every

    @property
    def max_fps(self) -> float:
        """Frames per second at most; may be changed."""
        return 1 / self._throttle.interval

    @max_fps.setter
    def max_fps(self, max_fps: float) -> None:
        check_max_fps(max_fps)
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
    def trained_by(self) -> Thread | None:
        """The thread that made the last step, while it is known."""
        return self._trainer()

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

    @property
    def optimizer(self) -> Optimizer | None:
        """The bound optimizer, while it exists."""
        return self._optimizer() if self._optimizer is not None else None

    # -- steering it ----------------------------------------------------------------

    @property
    def control(self) -> Control:
        """Pause, resume, advance by single steps, or stop the training, from any thread."""
        return self.training.control

    @property
    def scalars(self) -> Scalars:
        """What was logged: curves by step, and marks."""
        return self.training.scalars

    @property
    def progress(self) -> Progress:
        """How far the training is."""
        return self.training.progress(self._steps, self.stats.share)

    @property
    def data_source(self) -> str:
        """What the model is trained on, in words for the panel; may be set."""
        return self.training.data_source

    @data_source.setter
    def data_source(self, words: str) -> None:
        self.training.data_source = str(words)
        self.tell_training()

    def log(self, step: int | None = None, *unnamed: Any, **values: Any) -> None:
        """Add numbers to the curves: ``live.log(loss=loss, accuracy=0.97)``.

        Parameters
        ----------
        step
            Where on the axis; the steps counted so far by default.
        *unnamed
            None: every number needs a name.
        **values
            Numbers, or tensors of one element; those on an accelerator are read later,
            without holding the training up.

        Raises
        ------
        TypeError
            If a value is no number or has no name, or the step is no whole number.
        ValueError
            If the step lies before the last one of a curve. Nothing has been added then.
        """
        at = step_given(step, unnamed, values)
        self.scalars.add(self._steps if at is None else at, values)

    def mark(self, text: str) -> None:
        """Mark this step on the curves with a short text."""
        self.scalars.mark(self._steps, str(text))

    def track(self, loader: Iterable[Batch], epochs: int = 1) -> Track[Batch]:
        """Go through the batches of some epochs, so that the panel knows how far it is.

        ``for images, labels in live.track(loader, epochs=3): ...``; in asynchronous code
        ``async for``, which lets other tasks run between two batches. Stopping the
        training ends the loop after the batch that is going on; no exception is raised.

        Parameters
        ----------
        loader
            A DataLoader, or any iterable of batches.
        epochs
            How many times to go through it, at least 1.

        Raises
        ------
        TypeError, ValueError
            If the loader cannot be gone through so often, or ``epochs`` is no whole number from 1.
        """
        return Track(self, loader, epochs)

    @property
    def learning_rates(self) -> list[float]:
        """The learning rate of each parameter group of the optimizer; empty without one."""
        optimizer = self.optimizer
        return learning_rates(optimizer) if optimizer is not None else []

    def set_learning_rate(self, value: float, group: int | None = None) -> None:
        """Change the learning rate between two steps, and mark the change on the curves.

        Parameters
        ----------
        value
            The new learning rate, at least 0.
        group
            Of which parameter group. By default of all: the first gets ``value``, the others
            change in proportion. A scheduler that sets the rate will overwrite it.

        Raises
        ------
        TypeError, ValueError, IndexError
            If the value or the group is none that can be.
        RuntimeError
            If there is no optimizer.
        """
        optimizer = self.optimizer
        if optimizer is None:
            raise RuntimeError("no optimizer is bound: bind(model, optimizer) to steer its rate")
        self.training.rates.want(optimizer, value, group)
        self.training.need_care()
        if not self.trains_elsewhere():
            self._set_new_rates()

    def _set_new_rates(self) -> None:
        if self.training.rates.waiting and (optimizer := self.optimizer) is not None:
            if change := self.training.rates.set(optimizer):
                self.mark(change)

    def tell_training(self) -> None:
        """Tell the views that something about the training changed, other than the model."""
        self._tell_training()

    def while_held(self) -> None:
        """Do what came up while the training stands still, in the thread that trains."""
        try:
            if self._state == "live":
                self.settle()
            self._set_new_rates()
            self._apply_edits()
        except Exception as error:
            if self.is_open:
                self._fail(error)

    def loop_ended(self) -> None:
        """Do what waited for the end of a step, where there will be none."""
        self.while_held()

    def _apply_edits(self) -> None:
        if self.edits.is_waiting and self.edits.apply_waiting() and self.is_open:
            self.refresh()

    @property
    def is_open(self) -> bool:
        """Whether it watches."""
        return self.state in ("live", "idle")

    @property
    def counts_steps(self) -> bool:
        """Whether the optimizer's steps are counted as they are made."""
        return self._hooks is not None and self.is_open

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
        self._between_steps()

    def _between_steps(self) -> None:
        """Hold, or stop the loop, if that was asked for."""
        if self._is_calm:
            self._last_step_at = perf_counter()  # another binding may have held before
            return
        if self._state not in ("live", "idle"):
            return
        start = perf_counter()
        control = self.training.control
        held = not control.lets_pass() and self.training.hold()
        # Set before it is checked, and only ever unset then: a wish that comes meanwhile unsets it.
        if self._every > 1:
            self._is_calm = True
            if not (self._nothing_waits() and control.is_settled()):
                self._is_calm = False
        now = perf_counter()
        # Standing still was no training.
        if not held:
            self._seconds += now - start
        self._last_step_at = now

    def _nothing_waits(self) -> bool:
        """Whether the next steps are only to be counted, until a frame is due."""
        return (
            self._state == "live"
            and not self._step_watchers
            and self._coming is None
            and not self.edits.any_waiting
            and not self.training.rates.waiting
        )

    def need_care(self) -> None:
        """Have the next step look for what is wanted: an edit, a rate, a pause, a watcher."""
        self._is_calm = False

    def _set_state(self, state: State) -> None:
        self._is_calm = False
        super()._set_state(state)

    def _after_step(self) -> None:
        start = perf_counter()
        if self._is_calm:
            step, passed = self._steps + 1, start - self._last_step_at
            mine = self._trainer() is current_thread()
            if mine and step % self._every and passed <= _QUIET_SECONDS:
                with self._sending:
                    if self._is_calm:  # another thread may have changed it meanwhile
                        self._steps = step
                        self._training_seconds += passed
                        self._intervals.append(passed)
                        self.training.stepped(step, start, passed)
                        self._last_step_at = end = perf_counter()
                        self._seconds += end - start
                        return
            self._is_calm = False
        if self._successor is None and self._state not in ("live", "idle"):
            return
        with self._sending:
            taken_over = self._successor
            if taken_over is None:
                try:
                    self._count(start)
                except Exception as error:
                    self._fail(error)
        if taken_over is not None:
            # This step had begun to be counted here.
            if (successor := taken_over()) is not None:
                successor._after_step()
            return
        self._last_step_at = perf_counter()
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
        self._trainer = weakref.ref(current_thread())
        edited = self.edits.apply_waiting()
        training = self.training
        counted: float | None = None
        if self._last_step_at:
            passed = now - self._last_step_at
            # The patience is at least this long: mostly it need not be worked out.
            if not self._intervals or passed <= _QUIET_SECONDS or passed <= self._patience:
                counted = passed
                self._training_seconds += passed
            self._intervals.append(passed)
        training.stepped(self._steps, now, counted)
        if training.rates.waiting:
            self._set_new_rates()
        if self._state == "idle":
            self._set_state("live")
            quiet.wake()
        framed = False
        if self._steps % self._every == 0 or edited:
            if edited or self._throttle.is_open(now):
                framed = True
                self._take_frame()
                self._throttle.spent(now, perf_counter() - now)
            else:
                self._skipped += 1
        elif self._coming is not None:
            self._send_arrived()
        for watcher in self._step_watchers:
            watcher(self._steps, framed)

    def _take_frame(self) -> None:
        """Copy the coefficients in the thread that trains; read the layers anew if they changed."""
        followed = self._followed
        if followed is not None and followed.layout is self.layout:
            if (data := followed.data()) is not None:
                self._coming = None
                self._emit(self._keep(self._steps, followed.layout, data), settled=False)
                return
        layers = self._read_layers()
        self._coming = started = self._start_frame(layers)
        self._send_arrived()
        self._followed = follow(layers, started[1])

    def _forget_watcher(self, watcher: Callback[[int, bool]]) -> None:
        self._step_watchers = tuple(w for w in self._step_watchers if w is not watcher)

    def watch_steps(self, watcher: Callable[[int, bool], None]) -> Callable[[], None]:
        """Call ``watcher(step, framed)`` in the thread that trains, after each step counted.

        ``framed`` says whether a frame was taken at this step. Gradients are still there. It
        must be quick; what it raises is a warning, once, and it is called at the next step again.

        Returns
        -------
        callable
            Call it to stop.
        """
        called = Callback("live.watch_steps", watcher)
        self._step_watchers = (*self._step_watchers, called)
        self.need_care()
        binding = weakref.ref(self)

        def stop() -> None:
            if (known := binding()) is not None:
                known._forget_watcher(called)

        return stop

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
        going_on = self.state == "live" or self.control.is_holding
        elsewhere = self.trained_by not in (None, current_thread())
        return (going_on and elsewhere) or self.training.runs_elsewhere

    def tell_edited(self) -> None:
        """Tell the views that something was edited."""
        self._tell("an edit", lambda each: each.on_edit(self.edits))

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
            If ``batch`` is no input, is empty, or reaches no layer.

        Warns
        -----
        RuntimeWarning
            If inputs are NaN: how many, and at which layers.
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
        if words := observe.nan_in_words(found):
            report(words)
        self._observed = found
        self._tell_observed()
        return dict(found)

    # -- keeping it -----------------------------------------------------------------

    def save(self, path: PathLike) -> Path:
        """Write all that is known of this run into a file, for `kan_widgets.replay`.

        The frames kept, what was logged, the inputs observed last and how the training
        went; `kan_widgets.live.recording` documents the file. A file of that name is replaced
        once the new one is complete. In distributed training only the first process (rank 0)
        writes.

        Parameters
        ----------
        path
            Where to; its folder must exist. ``numpy.load`` opens names that end in ``.npz``.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        TypeError
            If ``path`` is no name of a file.
        OSError
            If the file cannot be written; one that was there is unchanged.
        RuntimeError
            If it is being written by ``record``.
        """
        return save(self, path)

    def record(
        self, path: PathLike, *, max_mb: float = 1000.0, overwrite: bool = False
    ) -> Recorder:
        """Append this run to a file while it goes on, for `kan_widgets.follow` and ``replay``.

        It begins with what is known already, and ends with ``close()`` of what is returned, of
        the binding, or of the process. A process that is killed leaves a file that can be
        read up to the last record. A thread of its own writes, about five times a second;
        training waits for nothing and does not change. A disk that cannot be written
        is reported and tried again. In distributed training only the first process (rank 0)
        records. Called again for the same file, it returns the recorder that is at work.

        Parameters
        ----------
        path
            Where to; its folder must exist. ``numpy.load`` opens names that end in ``.npz``.
        max_mb
            Megabytes (10⁶ bytes), above 0. When the file grows beyond, frames are left out
            evenly until it is half as large; the first and the last stay.
        overwrite
            Whether a file of that name is replaced.

        Returns
        -------
        Recorder
            With ``frames``, ``nbytes``, ``problem``, ``flush()`` and ``close()``; also a
            context manager.

        Raises
        ------
        TypeError, ValueError
            If ``path`` is no name of a file or ``max_mb`` no number above 0.
        FileExistsError
            If there is such a file, and ``overwrite`` is false.
        OSError
            If the file cannot be made.
        RuntimeError
            If the binding is closed, or another one records into that file.

        Examples
        --------
        >>> import pathlib, tempfile, torch, kan_widgets as kw
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "run.npz"
        >>> model = kw.nn.KANLinear(2, 3)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> live = kw.bind(model, optimizer, every=1)
        >>> with live.record(path):
        ...     for _ in range(3):
        ...         optimizer.zero_grad()
        ...         model(torch.ones(1, 2)).sum().backward()
        ...         optimizer.step()
        >>> run = kw.replay(path)
        >>> run.history[0].step, run.frame.step, run.is_complete
        (0, 3, True)
        """
        return record(self, path, max_mb, overwrite=overwrite)

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
            self._tell_layout(layout)
        return self._keep(step, layout, copy.data())

    def _keep(self, step: int, layout: Layout, data: Float32) -> Frame:
        self._frame = Frame(step, layout, data)
        self._history.append(self._frame)
        self._taken += 1
        return self._frame

    def _start_now(self) -> tuple[int, Layout, Copy]:
        """Start a frame of the present, between two steps if another thread is training.

        Not while sending: the training thread may wait for that, inside a step.
        """

        def start() -> tuple[int, Layout, Copy]:
            return self._start_frame(self._read_layers())

        if self._hooks is not None:
            return self._hooks.read_between_steps(start)
        end = perf_counter() + _PATIENCE_TO_READ
        while True:
            counted = self._steps
            step, layout, copy = start()
            # A step counted meanwhile may have changed what was read before.
            if step == counted or perf_counter() > end:
                return counted, layout, copy

    def _emit(self, frame: Frame, *, settled: bool) -> None:
        if self._listeners:
            self._tell_frame(frame, settled=settled)
            self._sent += 1

    @property
    def _patience(self) -> float:
        usual = statistics.median(self._intervals) if self._intervals else 0.0
        return max(_QUIET_SECONDS, _QUIET_STEPS * usual)

    @property
    def is_quiet(self) -> bool:
        """Whether no step has come for clearly longer than steps take."""
        return perf_counter() - self._last_step_at > self._patience

    def settle(self) -> None:
        """Send the latest state of a model that is not training at the moment.

        Called when a cell ends and when no step has come for a while. Does nothing
        if the views have it already, while a step is going on, or while a function is changed
        only to try it.
        """
        if not self._is_live() or (self._hooks is not None and self._hooks.is_stepping()):
            return
        if self.edits.trying.locked():
            return
        try:
            edited = self.edits.apply_waiting()
            with self.edits.trying:
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
        self.control.release()

    # -- the end --------------------------------------------------------------------

    def close(self) -> None:
        """Stop watching: remove the hooks and let go of the model.

        Views keep the last frame. Closing again does nothing.
        """
        self.settle()
        if self._state not in ("closed", "fault"):
            self._release("closed")
            if self.training.belongs_to(self):
                self.control.release()

    def _release(self, state: State) -> None:
        if self._hooks is not None:
            self._hooks.remove(self._after_step, self._between_steps)
        for _, module, _ in self._modules:
            if (watched := module()) is not None:
                changes.ignore(watched, self._after_change)
        self._model = None
        self._modules = []
        self._followed = None
        quiet.unwatch(self)
        with self._sending:
            self._set_state(state)

    def replaces(self, earlier: Binding) -> None:
        """Take the place of an earlier binding of the same model."""
        if self.training is earlier.training:
            self._take_over(earlier)
            self.edits.inherit(earlier.edits)
        earlier._hand_over(self)
        earlier.close()

    def _take_over(self, earlier: Binding) -> None:
        """Go on counting where the earlier one is by now: each step is counted once."""
        with self._sending, earlier._sending:
            self._steps = earlier._steps
            self._trainer = earlier._trainer
            self._last_step_at = earlier._last_step_at
            self._intervals.extend(earlier._intervals)
            for frame in earlier.history:
                if frame.step > self._frame.step and frame.layout is self.layout:
                    self._history.append(frame)
                    self._frame = frame
            self.training.moves_to(self)
            earlier.need_care()
            if self._hooks is not None:
                earlier._successor = weakref.ref(self)
                self._hooks.replace(
                    (earlier._after_step, earlier._between_steps),
                    (self._after_step, self._between_steps),
                )
            if earlier._state == "live":
                self._set_state("live")
                quiet.wake()


def check_every(every: int) -> None:
    """Raise unless it is a number of steps."""
    if isinstance(every, bool) or not isinstance(every, int):
        raise TypeError(f"every={every!r}: a whole number of steps is taken")
    if every < 1:
        raise ValueError(f"every={every}: at least 1 step between frames")


def check_number(name: str, value: float) -> None:
    """Raise unless it is a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name}={value!r}: a number is taken")


def check_max_fps(max_fps: float) -> None:
    """Raise unless it is a rate."""
    check_number("max_fps", max_fps)
    if not 0 < max_fps < math.inf:
        raise ValueError(f"max_fps={max_fps}: a finite number above 0 is taken")
