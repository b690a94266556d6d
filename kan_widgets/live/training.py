"""The training run behind a binding: its curves, its progress, and what others want of it."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

from torch import Tensor
from torch.optim import Optimizer

from kan_widgets.live.control import Control, Loop, TrainingStopped
from kan_widgets.live.progress import Clock, Phase, Progress, describe_error, last_output
from kan_widgets.live.scalars import Scalars

if TYPE_CHECKING:
    from kan_widgets.live.binding import Binding


class Training:
    """What a binding knows of the loop that trains its model.

    Survives a binding that is replaced by another of the same model and optimizer.
    """

    def __init__(self, binding: Binding) -> None:
        self._binding = weakref.ref(binding)
        self.control = Control(self._tell)
        self.scalars = Scalars(self._tell)
        self.clock = Clock()
        self.data_source = ""
        self.epoch: int | None = None
        self.epochs: int | None = None
        self.batches_done = 0
        self.batches_total: int | None = None
        self._loop: Loop | None = None
        self._phase: Phase = "idle"
        self._message = self._traceback = self._output = ""
        self._new_rates: list[tuple[float, int | None]] = []
        self._lock = threading.RLock()

    def belongs_to(self, binding: Binding) -> bool:
        """Whether it is the training of this binding, and of no later one."""
        return self._binding() is binding

    def moves_to(self, binding: Binding) -> None:
        """Go on with another binding of the same model and optimizer."""
        self._binding = weakref.ref(binding)

    def _tell(self) -> None:
        if (binding := self._binding()) is not None:
            binding.tell_training()

    def _meanwhile(self) -> None:
        self.clock.pause()
        if (binding := self._binding()) is not None:
            binding.while_held()

    # -- how it goes ------------------------------------------------------------------

    @property
    def is_in_loop(self) -> bool:
        """Whether a tracked loop is going on."""
        return self._loop is not None

    def begin(self, loop: Loop, epochs: int, batches: int | None) -> None:
        """Begin a loop over batches in this thread."""
        with self._lock:
            self._restart()
            self._loop = loop
            self.epoch, self.epochs, self.batches_total = 1, epochs, batches
        self.control.begin(loop)

    def end(self, loop: Loop, phase: Phase) -> None:
        """End a loop; nothing if that is known already, or another has begun since."""
        with self._lock:
            if self._loop is not loop:
                return
            self._loop = None
            self._phase = phase
            self.clock.end()
        self.control.end(loop)

    def fail(self, error: BaseException) -> None:
        """Note the error that ended the loop."""
        with self._lock:
            self._loop = None
            if isinstance(error, TrainingStopped):
                self._phase = "stopped"
            elif isinstance(error, KeyboardInterrupt):
                self._phase = "interrupted"
            else:
                self._phase = "failed"
                self._message, self._traceback = describe_error(error)
            self.clock.end()
        self.control.over()

    def finish(self) -> None:
        """Note that a loop has come to its end, in a cell that ended without an error."""
        with self._lock:
            self._loop = None
            if self._phase == "running":
                self._phase = "finished"
                self.clock.end()
        self.control.over()

    def printed(self, text: str) -> None:
        """Keep what training in the background prints."""
        with self._lock:
            self._output = last_output(self._output + text)
        self._tell()

    def _restart(self) -> None:
        self._phase = "running"
        self._message = self._traceback = self._output = ""
        self.epoch = self.epochs = self.batches_total = None
        self.batches_done = 0
        self.clock.start()

    def stepped(self, step: int) -> None:
        """Note a step."""
        if self._phase != "running":
            with self._lock:
                self._restart()
        self.clock.tick(step)

    def hold(self, step: int) -> None:
        """Wait, or raise, as the control wants it; see `Control.after_step`."""
        try:
            self.control.after_step(step, self._meanwhile)
        except BaseException as error:
            self.fail(error)
            raise
        finally:
            self.clock.resume()

    async def hold_in(self) -> None:
        """Wait in an asynchronous loop; see `Control.hold_in`."""
        try:
            await self.control.hold_in(self._meanwhile)
        finally:
            self.clock.resume()

    def progress(self, step: int, share: float) -> Progress:
        """Return how far it has come."""
        with self._lock:
            phase = self._phase
            if phase == "running" and self._loop is None and self.control.trainer_is_gone:
                phase = "finished"
            if phase != "failed" and self.control.state == "paused":
                phase = "paused"
            elapsed = self.clock.elapsed
            remaining = None
            if self.batches_total and self.batches_done and phase in ("running", "paused"):
                left = self.batches_total - self.batches_done
                remaining = elapsed / self.batches_done * left
            return Progress(
                state=phase,
                step=step,
                epoch=self.epoch,
                epochs=self.epochs,
                batches_done=self.batches_done,
                batches_total=self.batches_total,
                steps_per_second=self.clock.rate(step),
                elapsed=elapsed,
                remaining=remaining,
                share=share,
                data_source=self.data_source,
                message=self._message or self.control.message,
                traceback=self._traceback,
                output=self._output,
            )

    # -- the learning rate ---------------------------------------------------------------

    def want_rate(self, optimizer: Optimizer, value: float, group: int | None) -> None:
        """Set a learning rate after the next step; see `Binding.set_learning_rate`."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"value={value!r}: a number is taken")
        if not 0 <= value < float("inf"):
            raise ValueError(f"value={value}: a finite learning rate from 0 is taken")
        count = len(optimizer.param_groups)
        if group is not None and not 0 <= group < count:
            raise IndexError(
                f"group={group}: the optimizer has {count} parameter group"
                f"{'s, 0 to ' + str(count - 1) if count > 1 else ', number 0'}"
            )
        with self._lock:
            self._new_rates.append((float(value), group))

    @property
    def has_new_rates(self) -> bool:
        """Whether a learning rate is still to be set."""
        return bool(self._new_rates)

    def set_rates(self, optimizer: Optimizer, step: int) -> None:
        """Set the learning rates asked for, between two steps, and mark the change."""
        with self._lock:
            wanted, self._new_rates = self._new_rates, []
            before = learning_rates(optimizer)
            for value, group in wanted:
                _set_rate(optimizer, value, group)
            after = learning_rates(optimizer)
        if before != after:
            self.scalars.mark(step, _change(before, after))


def learning_rates(optimizer: Optimizer) -> list[float]:
    """Return the learning rate of each parameter group."""
    return [float(group["lr"]) for group in optimizer.param_groups]


def _set_rate(optimizer: Optimizer, value: float, group: int | None) -> None:
    rates = learning_rates(optimizer)
    for number, part in enumerate(optimizer.param_groups):
        if group is None:
            # One slider for all keeps the proportions between the groups.
            new = value * rates[number] / rates[0] if rates[0] else value
        elif number == group:
            new = value
        else:
            continue
        if isinstance(part["lr"], Tensor):
            part["lr"].fill_(new)
        else:
            part["lr"] = new


def _change(before: list[float], after: list[float]) -> str:
    if len(set(before)) == len(set(after)) == 1:
        return f"lr {before[0]:.3g} → {after[0]:.3g}"
    changed = [
        f"group {n}: {old:.3g} → {new:.3g}"
        for n, (old, new) in enumerate(zip(before, after, strict=True))
        if old != new
    ]
    return "lr of " + ", ".join(changed)
