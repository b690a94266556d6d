"""Go through the batches of some epochs: in a loop of the user's, or training models by them."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from torch import Tensor, nn
from torch.optim import Optimizer

from kan_widgets.checks import check_number, check_whole
from kan_widgets.live.steering.control import POLL_SECONDS
from kan_widgets.live.steering.loops import Loop
from kan_widgets.live.steering.training import Training
from kan_widgets.nn.torch_modes import ungraded

Batch = TypeVar("Batch")
Loss = Callable[[Any, Any], Tensor]


class Track(Generic[Batch]):
    """Batches of some epochs. Made by ``live.track``; see there."""

    def __init__(
        self,
        training: Training,
        loader: Iterable[Batch],
        epochs: int,
        seconds: float | None = None,
    ) -> None:
        check_whole("epochs", epochs)
        check_loader("loader", loader, epochs)
        if seconds is not None:
            check_number("seconds", seconds, above=True)
            if batches_in(loader, epochs) is None:
                raise TypeError(
                    f"seconds={seconds}: the loader does not know how many batches it gives, so "
                    "nothing tells how long to wait: give one with a length, or leave seconds out"
                )
        self.training, self.loader = training, loader
        self.epochs, self.seconds = epochs, seconds

    def __len__(self) -> int:
        """Batches over all epochs; ``TypeError`` if the loader does not know."""
        return self.epochs * len(self.loader)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches; hold and stop as the control says."""
        return _Batches(self, Loop())

    def __aiter__(self) -> AsyncIterator[Batch]:
        """Yield the batches; other tasks go on between two batches, and while the loop is held."""
        return _Batches(self, Loop(waits_itself=True))


class _Batches(Generic[Batch]):
    """One way through the batches.

    Not a generator: as soon as a ``for`` is left, by ``break`` or by an error, nothing holds
    this any more, and it can tell.
    """

    def __init__(self, track: Track[Batch], loop: Loop) -> None:
        self._training, self._loop = track.training, loop
        self._loader, self._epochs, self._seconds = track.loader, track.epochs, track.seconds
        self._batches: Iterator[Batch] | None = None
        self._epoch = 1
        self._began = 0.0  # by the clock of the run, which stands still while it is paused
        self._done = 0
        self._total: int | None = None
        self._state: Literal["new", "open", "over"] = "new"
        self._is_counted = False
        self._steps_before = 0

    def __iter__(self) -> _Batches[Batch]:
        return self

    def __next__(self) -> Batch:
        self._loop.asked_from(sys._getframe(1))
        try:
            if self._state == "open":
                self._count()
                if not self._training.counts_by_itself:
                    self._hold()
                with self._waits():
                    while (left := self._early()) > 0 and not self._loop.stop:
                        self._training.control.wait(left)
            return self._next_batch()
        except StopIteration:
            raise
        except BaseException as error:
            self._fail(error)
            raise

    def __aiter__(self) -> _Batches[Batch]:
        return self

    async def __anext__(self) -> Batch:
        try:
            if self._state == "open":
                self._count()
                await asyncio.sleep(0)
                await self._training.control.hold_in(self._loop)
                with self._waits():
                    while (left := self._early()) > 0 and not self._loop.stop:
                        await asyncio.sleep(min(left, POLL_SECONDS))
                        await self._training.control.hold_in(self._loop)
            return self._next_batch()
        except StopIteration:
            raise StopAsyncIteration from None
        except asyncio.CancelledError:
            self._fail(KeyboardInterrupt())
            raise
        except BaseException as error:
            self._fail(error)
            raise

    def _hold(self) -> None:
        if self._training.steps == self._steps_before:  # nothing else counts here
            self._training.hold()

    def _count(self) -> None:
        self._done += 1
        if self._is_counted:
            self._training.batches_done += 1

    @contextmanager
    def _waits(self) -> Iterator[None]:
        """Leave the time between two batches out of the training time."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._training.counter.waited(time.perf_counter() - begun)

    def _early(self) -> float:
        """Return by how many seconds the next batch would come too early."""
        if self._seconds is None or not self._total or self._training.control.is_stepping:
            return 0.0
        return self._began + self._seconds * self._done / self._total - self._training.clock.elapsed

    def _next_batch(self) -> Batch:
        """Return the next batch; raises StopIteration at the end, or where it was stopped."""
        if self._state == "over":
            raise StopIteration
        if self._state == "new":
            self._loop.runs_here()
            self._total = batches_in(self._loader, self._epochs)
            self._is_counted = self._training.begin(self._loop, self._epochs, self._total)
            if self._is_counted:
                self._training.paced = self._seconds
            self._began = self._training.clock.elapsed
            self._state = "open"
        while not self._loop.stop:
            if self._batches is None:
                if self._is_counted:
                    self._training.epoch = self._epoch
                self._batches = iter(self._loader)
            try:
                batch = next(self._batches)
            except StopIteration:
                self._batches = None
                if self._epoch == self._epochs:
                    break
                self._epoch += 1
                continue
            self._steps_before = self._training.steps
            self._training.saw(batch)
            return batch
        self._batches, self._state = None, "over"
        self._training.end(self._loop, "stopped" if self._loop.stop else "finished")
        raise StopIteration

    def _fail(self, error: BaseException) -> None:
        if self._state == "open":
            self._state = "over"
            self._training.fail(error, self._loop)

    def __del__(self) -> None:
        if self._state == "open":
            self._state = "over"
            self._training.left(self._loop, sys._getframe(1))


def batches_in(loader: Iterable[object], epochs: int) -> int | None:
    """Return how many batches a loader gives over some epochs, if it knows."""
    try:
        return epochs * len(loader)  # type: ignore[arg-type]
    except TypeError:
        return None


def check_loader(name: str, loader: object, epochs: int) -> None:
    """Raise unless it can be iterated that many times."""
    if not isinstance(loader, Iterable):
        raise TypeError(f"{name}={loader!r:.60}: expected a DataLoader or another iterable")
    # A loader with a length starts again, even if it is its own iterator.
    if isinstance(loader, Iterator) and not hasattr(loader, "__len__") and epochs > 1:
        raise TypeError(
            f"{name}={loader!r:.60} can be iterated only once, and epochs={epochs}: give a "
            "DataLoader or a list of batches"
        )


@dataclass
class FitResult:
    """The result of training one model."""

    steps: int = 0
    """Optimizer steps made."""
    epochs: int = 0
    """Completed epochs."""
    seconds: float = 0.0
    """Spent on this model: forward, backward and step; without evaluation and pauses."""
    stopped: bool = False
    """Whether it was stopped before its end."""
    loss: list[float] = field(default_factory=list)
    """Mean training loss of each epoch."""
    accuracy: list[float] = field(default_factory=list)
    """Share of training examples classified right in each epoch, while it went on."""
    eval_loss: list[float] = field(default_factory=list)
    """Loss on ``eval_loader`` after each epoch."""
    eval_accuracy: list[float] = field(default_factory=list)
    """Accuracy on ``eval_loader`` after each epoch."""


@dataclass(eq=False)
class Trained:
    """One model with its optimizer and training, and what came of it so far."""

    model: nn.Module
    optimizer: Optimizer
    training: Training
    result: FitResult = field(default_factory=FitResult)


def train(
    all_trained: Sequence[Trained],
    loop: Loop,
    loader: Iterable[Any],
    loss_fn: Loss,
    epochs: int,
    eval_loader: Iterable[Any] | None = None,
    tell: Callable[[str], object] = lambda event: None,
) -> None:
    """Train until the last epoch is over, or the loop is told to stop.

    Each model gets every batch, one after the other. ``tell`` is called with ``"on_step"``,
    ``"on_epoch"`` and ``"on_end"``; what it raises ends the loop.
    """
    for epoch in range(1, epochs + 1):
        for run in all_trained:
            run.model.train()
            run.training.epoch = epoch
        sums = [_Sums() for _ in all_trained]
        for batch in loader:
            for run, its_sums in zip(all_trained, sums, strict=True):
                _step(run, batch, loss_fn, its_sums)
            for run in all_trained:
                run.training.batches_done += 1
            tell("on_step")
            if loop.stop:
                break
        if loop.stop:
            break
        for run, its_sums in zip(all_trained, sums, strict=True):
            _end_epoch(run, its_sums, eval_loader, loss_fn)
        tell("on_epoch")
    for run in all_trained:
        run.result.stopped = loop.stop
    tell("on_end")
    for run in all_trained:
        run.training.end(loop, "stopped" if loop.stop else "finished")


def _step(run: Trained, batch: Any, loss_fn: Loss, sums: _Sums) -> None:
    training, result, model = run.training, run.result, run.model
    steps = training.steps
    started = time.perf_counter() - training.clock.paused
    inputs, targets = _on_device(batch, model)
    training.saw((inputs, targets))
    run.optimizer.zero_grad(set_to_none=True)
    outputs = model(inputs)
    loss = loss_fn(outputs, targets)
    loss.backward()
    sums.add(outputs, targets, loss)
    training.scalars.add(steps + 1, {"loss": loss})
    run.optimizer.step()
    if training.steps == steps:  # nobody watches any more
        training.counter.steps += 1
        training.hold()
    seconds = time.perf_counter() - training.clock.paused - started
    result.seconds += seconds
    training.spend(seconds)
    result.steps += 1


def _end_epoch(run: Trained, sums: _Sums, eval_loader: Iterable[Any] | None, loss_fn: Loss) -> None:
    result, training = run.result, run.training
    result.epochs += 1
    result.loss.append(sums.loss)
    logged: dict[str, float] = {}
    if sums.accuracy is not None:
        result.accuracy.append(sums.accuracy)
        logged["accuracy"] = sums.accuracy
    if eval_loader is not None:
        scores = evaluate(run.model, eval_loader, loss_fn)
        result.eval_loss.append(scores.loss)
        logged["eval_loss"] = scores.loss
        if scores.accuracy is not None:
            result.eval_accuracy.append(scores.accuracy)
            logged["eval_accuracy"] = scores.accuracy
    if logged:
        training.scalars.add(training.steps, logged)


@ungraded
def evaluate(model: nn.Module, loader: Iterable[Any], loss_fn: Loss) -> _Sums:
    """Return loss and accuracy over all batches, in evaluation mode without gradients."""
    sums = _Sums()
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        for batch in loader:
            inputs, targets = _on_device(batch, model)
            outputs = model(inputs)
            sums.add(outputs, targets, loss_fn(outputs, targets))
    finally:
        for module, training in modes.items():
            module.training = training
    return sums


class _Sums:
    """Loss and right answers, added up over batches where they are."""

    def __init__(self) -> None:
        self._loss: Tensor | float = 0.0
        self._right: Tensor | int = 0
        self._count = 0
        self._classified = 0

    def add(self, outputs: Any, targets: Any, loss: Tensor) -> None:
        """Add a batch and its mean loss."""
        size = len(targets) if isinstance(targets, Tensor) and targets.ndim else 1
        value = loss.detach()
        # Not every device has float64.
        self._loss = self._loss + (value.double() if value.device.type != "mps" else value) * size
        self._count += size
        if (
            isinstance(outputs, Tensor)
            and isinstance(targets, Tensor)
            and outputs.ndim == 2
            and targets.ndim == 1
            and not targets.is_floating_point()
            and outputs.shape[1] > 1
        ):
            self._right = self._right + (outputs.detach().argmax(1) == targets).sum()
            self._classified += len(targets)

    @property
    def loss(self) -> float:
        """Mean over the examples; NaN without any."""
        return float(self._loss) / self._count if self._count else float("nan")

    @property
    def accuracy(self) -> float | None:
        """Share of right answers, where that means something."""
        return int(self._right) / self._classified if self._classified else None


def _on_device(batch: Any, model: nn.Module) -> tuple[Any, Any]:
    if not isinstance(batch, tuple | list) or len(batch) != 2:
        raise TypeError(
            f"a batch of the loader is {type(batch).__name__}: expected a pair (inputs, targets)"
        )
    parameter = next(model.parameters(), None)
    if parameter is None:
        return batch[0], batch[1]
    inputs, targets = (
        part.to(parameter.device) if isinstance(part, Tensor) else part for part in batch
    )
    return inputs, targets
