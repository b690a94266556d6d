"""Ignite: ``KANWidgets(model, optimizer).attach_to(trainer)``."""

from collections.abc import Mapping
from typing import Any

from ignite.engine import Engine, Events
from torch import nn

from kan_widgets.integrations.trainer import Watcher


class KANWidgets(Watcher):
    """Shows the functions of a model while an `ignite.engine.Engine` trains it.

    The engine's output (a number, or numbers by name) and its metrics become curves; the panel's
    pause and steps act on the loop, and its stop ends ``run`` by ``terminate()``.

    Parameters
    ----------
    model, optimizer
        What the engine's function trains; of several optimizers a list.
    """

    def __init__(self, model: nn.Module, optimizer: Any, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._model = model
        several = isinstance(optimizer, list | tuple)
        self._optimizers = list(optimizer) if several else [optimizer]

    def attach_to(self, engine: Engine) -> "KANWidgets":
        """Have the engine call this callback from now on, and return the callback."""
        engine.add_event_handler(Events.STARTED, self._started)
        engine.add_event_handler(Events.ITERATION_STARTED, self._iteration_started)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._iteration_completed)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._epoch_completed)
        engine.add_event_handler(Events.COMPLETED, self.over)
        return self

    def _started(self, engine: Engine) -> None:
        state = engine.state
        self.attach(self._model, self._optimizers, [state.iteration])
        epochs, batches = state.max_epochs, state.epoch_length
        self.begin(epochs, epochs * batches if epochs and batches else None)

    def _iteration_started(self, engine: Engine) -> None:
        self.saw(engine.state.batch)

    def _iteration_completed(self, engine: Engine) -> None:
        state, output = engine.state, engine.state.output
        numbers = output if isinstance(output, Mapping) else {"loss": output}
        if self.done(state.epoch, lambda: numbers, state.iteration):
            engine.terminate()

    def _epoch_completed(self, engine: Engine) -> None:
        self.add_numbers(engine.state.metrics)
