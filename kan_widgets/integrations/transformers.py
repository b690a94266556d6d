"""Hugging Face: ``Trainer(..., callbacks=[KANWidgets()])``."""

from __future__ import annotations

import math
from typing import Any

from transformers import TrainerCallback

from kan_widgets.integrations.trainer import Watcher


class KANWidgets(Watcher, TrainerCallback):
    """Shows the functions of a model while ``Trainer.train`` trains it.

    Numbers that the trainer logs become curves; the panel's pause and steps act on the loop, and
    its stop ends ``train`` by ``control.should_training_stop``, with the model as it is then. A
    model that is bound before, or trained again, goes on; a checkpoint keeps the number of steps.

    Parameters
    ----------
    views, on_bind, every, **options
        See `kan_widgets.integrations.trainer.Watcher`.
    """

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Bind, and begin."""
        self.attach(given["model"], [given["optimizer"]], [state.global_step])
        self.begin(math.ceil(state.num_train_epochs), state.max_steps)

    def on_step_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Note how far it is; Hugging Face counts steps, each of one batch or more."""
        # Epochs are counted with the step just made: 2.0 after the last one of the second.
        self.advance(max(1, math.ceil(state.epoch or 0)), state.global_step)
        if self.wants_stop(state.global_step):
            control.should_training_stop = True

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **given: Any
    ) -> None:
        """Take what was logged, without how far it is and how long it took."""
        ends = ("epoch", "_flos", "_per_second", "_runtime")
        self.add_numbers({k: v for k, v in (logs or {}).items() if not k.endswith(ends)})

    def on_train_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Note the end."""
        self.end()
