"""Lightning: ``Trainer(callbacks=[KANWidgets()])``, of ``lightning`` or ``pytorch_lightning``."""

import math
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from kan_widgets.integrations.trainer import Watcher

_HOMES = ("lightning.pytorch", "pytorch_lightning")


def _bases() -> tuple[type, ...]:
    """Return Lightning's class of callbacks: that of the package in use, of both if both are."""
    homes = [name for name in _HOMES if name in sys.modules]
    if not homes:
        installed = [name for name in _HOMES if find_spec(name.partition(".")[0]) is not None]
        homes = installed[:1] or list(_HOMES[:1])
    return tuple(import_module(name).Callback for name in homes)


Callback: Any = type("Callback", _bases(), {})


class KANWidgets(Watcher, Callback):
    """Shows the functions of a LightningModule while ``Trainer.fit`` trains it.

    Binds when the optimizers exist: the whole module with its one optimizer, or, of several (a
    GAN), the part that each trains. Numbers given to ``self.log`` become curves; the panel's
    pause and steps act on the loop, and its stop ends ``fit`` by ``trainer.should_stop``. A
    module that is bound before, or fitted again, goes on, and so does a checkpoint's number of
    steps. ``record=True`` is in ``trainer.log_dir``, ``send_to=True`` goes to ``trainer.loggers``.
    """

    _steps: tuple[int, ...] = ()

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"steps": [live.stats.steps for live in self.bindings]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take what a checkpoint has kept."""
        self._steps = tuple(state_dict["steps"])

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Bind, and begin."""
        done: tuple[int, ...] = self._steps
        if not done and len(trainer.optimizers) == 1:  # with several it counts all together
            done = (trainer.global_step,)
        folder = trainer.log_dir or trainer.default_root_dir
        self.attach(pl_module, trainer.optimizers, done, folder, trainer.loggers)
        epochs, batches = trainer.max_epochs, trainer.num_training_batches
        is_finite = epochs is not None and epochs > 0 and math.isfinite(batches)
        total = int(epochs * batches) if is_finite else None
        if trainer.max_steps > 0:  # optimizer steps, of which several batches may make one
            steps = trainer.max_steps * trainer.accumulate_grad_batches
            total = steps if total is None else min(total, steps)
        self.begin(epochs if epochs is not None and epochs > 0 else None, total)

    def on_train_batch_start(
        self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note the batch."""
        self.saw(batch)

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note the progress, and what was logged."""
        epoch, batches = trainer.current_epoch, batch_idx + 1
        if epoch and math.isfinite(per_epoch := trainer.num_training_batches):
            batches += epoch * int(per_epoch)
        loss = outputs.get("loss") if isinstance(outputs, dict) else None
        if self.done(epoch + 1, lambda: trainer.callback_metrics or {"loss": loss}, batches):
            trainer.should_stop = True

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Take what was logged for the epoch."""
        self.add_numbers(trainer.callback_metrics)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Take what was logged in validation."""
        if not trainer.sanity_checking:
            self.add_numbers(trainer.callback_metrics)

    on_train_end = Watcher.over

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Note which error has ended the training."""
        self.end(exception)
