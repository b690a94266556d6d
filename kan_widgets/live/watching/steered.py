"""The part of a binding that steers the training and keeps what is logged."""

from __future__ import annotations

import weakref
from abc import abstractmethod
from collections.abc import Callable, Iterable
from importlib import import_module
from threading import Thread, current_thread
from typing import Any, Protocol, TypeVar

from torch.optim import Optimizer

from kan_widgets.live.frames.progress import Progress, Stats
from kan_widgets.live.frames.scalars import Scalars, step_given
from kan_widgets.live.frames.standing import ENDED, Standing, behind, standing_of
from kan_widgets.live.recordings.saving import Savable
from kan_widgets.live.steering.control import Control
from kan_widgets.live.steering.learning_rate import learning_rates
from kan_widgets.live.steering.track import Track
from kan_widgets.live.steering.training import Training
from kan_widgets.live.watching import quiet
from kan_widgets.live.watching.counter import Counter
from kan_widgets.live.watching.errands import Errands
from kan_widgets.live.watching.last_batch import LastBatch
from kan_widgets.live.watching.limits import check_every, optimizer_of
from kan_widgets.live.watching.steps import hooks_of
from kan_widgets.live.watching.uncounted import Uncounted

Batch = TypeVar("Batch")

_BIND = "live = kw.bind(model, optimizer)"


class Sending(Protocol):
    """What sends how functions develop to a tracker. Made by ``live.send_to``; see there."""

    def close(self) -> None:
        """Send what is left, and the page. Closing again does nothing."""

    def __enter__(self) -> Sending: ...

    def __exit__(self, *exc_info: object) -> None: ...


class Steered(Savable):
    """A source of frames whose training can be steered, and whose numbers can be logged."""

    _training: Training
    _counter: Counter
    errands: Errands
    last_batch: LastBatch
    _optimizer: weakref.ref[Optimizer] | None

    @property
    @abstractmethod
    def stats(self) -> Stats:
        """Counts and costs so far."""

    @property
    def optimizer(self) -> Optimizer | None:
        """The bound optimizer, while it exists."""
        return self._optimizer() if self._optimizer is not None else None

    @property
    def training(self) -> Training:
        """What is known of the loop that trains; most of it is reached by shorter names."""
        return self._training

    @property
    def steps(self) -> int:
        """Optimizer steps counted so far (or calls of ``step()``)."""
        return self._counter.steps

    @property
    def trained_by(self) -> Thread | None:
        """The thread that made the last step, while it is known."""
        return self._counter.trained_by

    def trains_elsewhere(self) -> bool:
        """Whether parameters may only be changed after the next step, by who trains."""
        going_on = self.state == "live" or self.control.is_holding
        elsewhere = self.trained_by not in (None, current_thread())
        return (going_on and elsewhere) or self._training.runs_elsewhere

    def need_care(self) -> None:
        """Have the next step look for what is wanted: an edit, a rate, a pause, a watcher."""
        self._counter.need_care()

    def train_with(self, optimizer: Optimizer) -> None:
        """Count the steps of another optimizer from now on; history, curves and steps go on.

        For a training that goes on with a new optimizer, as trainers make one at each ``fit``.

        Parameters
        ----------
        optimizer
            As `kan_widgets.bind` takes it.

        Raises
        ------
        TypeError, ValueError
            If it neither is nor wraps a torch optimizer, or holds none of the model's parameters.
        RuntimeError
            If the binding is closed, or this is called inside ``optimizer.step()``.
        """
        if not self.is_open or (model := self.model) is None:
            raise RuntimeError(f"this binding is {self.state}: bind the model again")
        inner = optimizer_of(model, optimizer)
        if inner is not self.optimizer:
            self._counter.move_to(hooks_of(inner))
            self._optimizer = weakref.ref(inner)
            self.tell_training()

    def watch_steps(self, watcher: Callable[[int, bool], None]) -> Callable[[], None]:
        """Call ``watcher(step, framed)`` in the thread that trains, after each step counted.

        ``framed`` says whether a frame was taken at this step. Gradients are still there. It
        must be quick; what it raises is a warning, once, and it is called at the next step again.

        Returns
        -------
        callable
            Call it to stop.
        """
        return self._counter.watch(watcher)

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
        return self.training.progress(self.steps, self.stats.share)

    @property
    def uncounted(self) -> Uncounted:
        """The steps that others have made with the model since the last one counted."""
        return self._counter.uncounted

    @property
    def standing(self) -> Standing:
        """How the run stands, as all views say it, and the line that mends it."""
        said = standing_of(self.progress)
        if self._state == "fault":
            return Standing("fault", f"no longer watched: {self._message}", _BIND)
        if self.state == "closed":
            before = f"{said.words}; " if said.state in ENDED else ""
            return Standing("closed", f"{before}closed{behind(self.steps, self.frame.step)}")
        if words := self.uncounted.words:
            return Standing("uncounted", words, _BIND)
        if said.state == "running" and self.control.state == "stopping":
            return Standing("stopping", "stopping")
        if said.state == "running" and self._stands_still():
            return Standing("still", "stands still")
        return said

    def _stands_still(self) -> bool:
        """Whether the thread that trained it trains another model now.

        A loop that nobody tracks ends without a word.
        """
        trainer = self.trained_by
        # It is idle itself: who is live is another.
        return (
            self.state == "idle"
            and trainer is not None
            and any(
                other.state == "live" and other.trained_by is trainer
                for other in quiet.all_watched()
            )
        )

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
            If a value is no number or has no name, or the step is not a whole number.
        ValueError
            If the step lies before the last one of a curve. Nothing has been added then.
        """
        at = step_given(step, unnamed, values)
        with self._counter.counted():
            self._training.scalars.add(self._counter.steps if at is None else at, values)

    def mark(self, text: str) -> None:
        """Mark this step on the curves with a short text."""
        self.scalars.mark(self.steps, str(text))

    def track(
        self, loader: Iterable[Batch], epochs: int = 1, seconds: float | None = None
    ) -> Track[Batch]:
        """Go through the batches of some epochs, so that the panel knows how far it is.

        ``for images, labels in live.track(loader, epochs=3): ...``; in asynchronous code
        ``async for``, which lets other tasks run between two batches. Stopping the
        training ends the loop after the current batch; no exception is raised.

        Parameters
        ----------
        loader
            A DataLoader, or any iterable of batches.
        epochs
            How many times to go through it, at least 1.
        seconds
            About how long all of it is to take, more than 0: it waits between batches, so that
            one can watch, and the panel says so. The weights are the same. A pause does not count,
            it and a stop end a wait, and where training alone takes longer, nothing waits.

        Raises
        ------
        TypeError, ValueError
            If the loader cannot be iterated that often, ``epochs`` is not a whole number ≥ 1, or
            ``seconds`` is not a number > 0 or the loader has no length.
        """
        return Track(self.training, loader, epochs, seconds)

    def send_to(self, writer: Any, every: int = 100, name: str = "kan_widgets") -> Sending:
        """Send how the functions develop to a tracker of experiments, for as long as it goes on.

        At each ``every`` steps numbers of each layer: how far its functions reach (the median and
        the largest max φ − min φ on the grid, ``reach`` and ``furthest``), the share of them that
        are ``constant``, how many are ``broken`` (not finite), and, once ``live.observe`` has seen
        a batch, the share of inputs ``outside`` the grid. With them a picture of each layer as
        `KernelGrid` draws it; these are left out where they would take more than a fiftieth of
        the time, and numbers come later where they would take more than a two-hundredth. At the
        end the last state, and a page with all of the history. A thread of its own draws and
        sends: training waits for neither, and does not change. In distributed training only the
        first process (rank 0) sends.

        Parameters
        ----------
        writer
            A ``SummaryWriter``; ``wandb``, ``mlflow`` or ``trackio``, or a run of one of these
            (the module stands for its active run); or a function, called with each
            `kan_widgets.integrations.trackers.Report`.
        every
            Steps between two reports, at least 1. They have frames: none come more often.
        name
            What stands before the names of all that is sent.

        Returns
        -------
        Sending
            With ``close()``, which sends what is left and the page; also a context manager. Closing
            the binding does it too, and so does the end of the process.

        Raises
        ------
        TypeError, ValueError
            If ``writer`` is none of these, or ``every`` is not a whole number ≥ 1.
        RuntimeError
            If the tracker has no active run, or the binding is closed.

        Examples
        --------
        >>> import kan_widgets as kw
        >>> model, reports = kw.nn.KANLinear(2, 3), []
        >>> live = kw.bind(model)
        >>> with live.send_to(reports.append):
        ...     live.step()
        >>> [report.step for report in reports], list(reports[-1].pictures)
        ([0, 1], ['KANLinear'])
        """
        check_every(every)
        if not self.is_open:
            raise RuntimeError(f"this binding is {self.state}: bind the model again to send it on")
        # By name: what draws and sends lies above this part, which imports nothing of it.
        sending: Sending = import_module("kan_widgets.integrations.trackers").Sending(
            self, writer, every, name
        )
        return sending

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
            If the value is no rate, or there is no such group.
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
        """Set the rates that were asked for, in the thread that trains."""
        if self.training.rates.waiting and (optimizer := self.optimizer) is not None:
            if change := self.training.rates.set(optimizer):
                self.mark(change)

    @property
    def _is_asked(self) -> bool:
        """Whether something waits for the thread that trains, other than an edit."""
        return bool(self._training.rates.waiting) or self.errands.are_waiting

    def _do_what_is_asked(self, *, at_rest: bool) -> None:
        """Set new rates, and run the model where that was asked for."""
        self._set_new_rates()
        if self.errands.are_waiting:
            self.errands.do(at_rest)

    def tell_batch(self) -> None:
        """Tell the views whether a batch could be observed, or why it could not."""
        batch = self.last_batch
        self._tell("a batch", lambda each: each.on_batch(batch.was_seen, batch.message))

    def tell_training(self) -> None:
        """Tell the views that something about the training changed, other than the model."""
        self._tell_training()
