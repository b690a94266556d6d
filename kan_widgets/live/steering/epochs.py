"""Go through the batches of some epochs with one model, or several side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from kan_widgets.live.steering.loops import Loop
from kan_widgets.live.steering.training import Training
from kan_widgets.nn.ungraded import ungraded

Loss = Callable[[Any, Any], Tensor]


@dataclass
class FitResult:
    """What came of training one model."""

    steps: int = 0
    """Optimizer steps made."""
    epochs: int = 0
    """Epochs gone through to their end."""
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
    """One model with what trains it, and what came of it so far."""

    model: nn.Module
    optimizer: Optimizer
    training: Training
    result: FitResult = field(default_factory=FitResult)


@dataclass(frozen=True)
class Callbacks:
    """Called in the loop with the run; what they raise ends it."""

    on_step: Callable[[Any], object] = lambda run: None
    on_epoch: Callable[[Any], object] = lambda run: None
    on_end: Callable[[Any], object] = lambda run: None


def train(
    all_trained: Sequence[Trained],
    loop: Loop,
    loader: Iterable[Any],
    loss_fn: Loss,
    epochs: int,
    eval_loader: Iterable[Any] | None = None,
    callbacks: Sequence[Callbacks] = (),
    run: object = None,
) -> None:
    """Train until the last epoch is over, or the loop is told to stop.

    Each model gets every batch, one after the other.
    """
    for epoch in range(1, epochs + 1):
        for one in all_trained:
            one.model.train()
            one.training.epoch = epoch
        sums = [Sums() for _ in all_trained]
        for batch in loader:
            for one, its_sums in zip(all_trained, sums, strict=True):
                _step(one, batch, loss_fn, its_sums)
            for one in all_trained:
                one.training.batches_done += 1
            for each in callbacks:
                each.on_step(run)
            if loop.stop:
                break
        if loop.stop:
            break
        for one, its_sums in zip(all_trained, sums, strict=True):
            _end_epoch(one, its_sums, eval_loader, loss_fn)
        for each in callbacks:
            each.on_epoch(run)
    for one in all_trained:
        one.result.stopped = loop.stop
    for each in callbacks:
        each.on_end(run)
    for one in all_trained:
        one.training.end(loop, "stopped" if loop.stop else "finished")


def _step(one: Trained, batch: Any, loss_fn: Loss, sums: Sums) -> None:
    training, result, model = one.training, one.result, one.model
    steps = training.steps
    started = time.perf_counter() - training.clock.paused
    inputs, targets = _on_device(batch, model)
    training.saw(inputs)
    one.optimizer.zero_grad(set_to_none=True)
    outputs = model(inputs)
    loss = loss_fn(outputs, targets)
    loss.backward()
    sums.add(outputs, targets, loss)
    training.scalars.add(steps + 1, {"loss": loss})
    one.optimizer.step()
    if training.steps == steps:  # nobody watches any more
        training.steps += 1
        training.hold()
    seconds = time.perf_counter() - training.clock.paused - started
    result.seconds += seconds
    training.spend(seconds)
    result.steps += 1


def _end_epoch(one: Trained, sums: Sums, eval_loader: Iterable[Any] | None, loss_fn: Loss) -> None:
    result, training = one.result, one.training
    result.epochs += 1
    result.loss.append(sums.loss)
    logged: dict[str, float] = {}
    if sums.accuracy is not None:
        result.accuracy.append(sums.accuracy)
        logged["accuracy"] = sums.accuracy
    if eval_loader is not None:
        found = evaluate(one.model, eval_loader, loss_fn)
        result.eval_loss.append(found.loss)
        logged["eval_loss"] = found.loss
        if found.accuracy is not None:
            result.eval_accuracy.append(found.accuracy)
            logged["eval_accuracy"] = found.accuracy
    if logged:
        training.scalars.add(training.steps, logged)


@ungraded
def evaluate(model: nn.Module, loader: Iterable[Any], loss_fn: Loss) -> Sums:
    """Return loss and accuracy over all batches, in evaluation mode without gradients."""
    sums = Sums()
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


class Sums:
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
