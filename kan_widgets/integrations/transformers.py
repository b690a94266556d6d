"""Hugging Face: ``Trainer(..., callbacks=[KANWidgets()])``."""

import math
import os
from importlib import import_module
from typing import Any

from transformers import TrainerCallback

from kan_widgets.integrations.trainer import Watcher
from kan_widgets.live.recordings.places import is_first_process


class KANWidgets(Watcher, TrainerCallback):
    """Shows the functions of a model while ``Trainer.train`` trains it.

    Numbers that the trainer logs become curves; the panel's pause and steps act on the loop, and
    its stop ends ``train`` by ``control.should_training_stop``, with the model as it is then. A
    model that is bound before, or trained again, goes on; a checkpoint keeps the number of steps.
    ``record=True`` is in ``output_dir``, ``send_to=True`` goes where ``report_to`` says.
    """

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Bind, and begin."""
        loggers = _loggers(args) if self.send_to is True else ()
        steps, folder = [state.global_step], args.output_dir
        self.attach(kwargs["model"], [kwargs["optimizer"]], steps, folder, loggers)
        self.begin(math.ceil(state.num_train_epochs), state.max_steps)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Note the progress; Hugging Face counts steps, each of one batch or more."""
        # Epochs are counted with the step just made: 2.0 after the last one of the second.
        if self.done(max(1, math.ceil(state.epoch or 0)), dict, state.global_step):
            control.should_training_stop = True

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        """Take what was logged, without the progress and the times."""
        ends = ("epoch", "_flos", "_per_second", "_runtime")
        self.add_numbers({k: v for k, v in (logs or {}).items() if not k.endswith(ends)})

    on_train_end = Watcher.over


def _loggers(args: Any) -> list[Any]:
    """Return those loggers of the trainer that reports can be sent to."""
    names = [name for name in args.report_to if name in ("mlflow", "trackio", "wandb")]
    loggers: list[Any] = [import_module(name) for name in names]
    if "tensorboard" in args.report_to and is_first_process():
        from torch.utils.tensorboard import SummaryWriter

        loggers.append(SummaryWriter(os.path.join(args.output_dir, "runs", "kan_widgets")))
    return loggers
