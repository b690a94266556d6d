"""Keras 3 on torch: ``model.fit(..., callbacks=[KANWidgets()])``."""

from __future__ import annotations

from typing import Any

import keras
from torch import nn

from kan_widgets.integrations.trainer import Watcher


class KANWidgets(Watcher, keras.callbacks.Callback):
    """Shows the functions of a Keras model while ``fit`` trains it, with the torch backend.

    Layers of torch are in a Keras model by `keras.layers.TorchModuleWrapper`. Keras's optimizers
    are its own, so each batch counts as a step, and the panel does not set the rate. Logs become
    curves; pause and steps act on the loop, and stop ends ``fit`` by ``model.stop_training``.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        if keras.backend.backend() != "torch":
            raise RuntimeError(
                f"Keras computes with {keras.backend.backend()}: its functions can be read with "
                "torch alone; set KERAS_BACKEND=torch before keras is imported"
            )
        Watcher.__init__(self, *args, **options)
        keras.callbacks.Callback.__init__(self)
        self._epoch = 0
        self._module: nn.Module | None = None  # a binding does not keep it

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Bind, and begin."""
        self._module = _torch_of(self.model, self._module)
        self.attach(self._module, [None])
        epochs, batches = self.params.get("epochs"), self.params.get("steps")
        self.begin(epochs, epochs * batches if epochs and batches else None)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch."""
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the progress, and what was logged."""
        if self.done(self._epoch, lambda: logs or {}):
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Take the logs of the epoch, those of validation among them."""
        self.add_numbers(
            {name: value for name, value in (logs or {}).items() if name.startswith("val_")}
        )

    on_train_end = Watcher.over


def _torch_of(model: Any, before: nn.Module | None) -> nn.Module:
    """Return the torch module in a Keras model; for several ``before``, if the same, or a dict."""
    wrapped = {
        layer.name: layer.module
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.TorchModuleWrapper)
    }
    if not wrapped:
        raise ValueError(
            f"{model.name} has no layers of torch, and the functions of others cannot be read: "
            "wrap them in keras.layers.TorchModuleWrapper"
        )
    if len(wrapped) == 1:
        module: nn.Module = next(iter(wrapped.values()))
        return module
    if isinstance(before, nn.ModuleDict) and dict(before.items()) == wrapped:
        return before
    return nn.ModuleDict(wrapped)
