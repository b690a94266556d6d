"""skorch: ``NeuralNetClassifier(..., callbacks=[KANWidgets()])``."""

from typing import Any

from skorch.callbacks import Callback

from kan_widgets.integrations.trainer import Watcher


class KANWidgets(Watcher, Callback):
    """Shows the functions of a skorch net's module while ``fit`` trains it.

    What the net's history has of each epoch becomes curves, and the loss of the batches; the
    panel's pause and steps act on the loop, and its stop ends ``fit`` as skorch's own callbacks
    do. ``partial_fit`` goes on; ``fit`` begins again, unless the net has ``warm_start``.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        options = {"max_fps": 30.0, "layers": None, "history_mb": 64.0, "prove": True} | settings
        super().__init__(*args, **options)
        self.__dict__.update(self.options)
        self._epochs = 0

    def _get_param_names(self) -> list[str]:
        # The arguments for the callback of a copied net; skorch would take all attributes.
        return ["views", "on_bind", "every", "record", "send_to", *self.options]

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **_: Any) -> None:
        """Bind, and begin."""
        optimizers = [getattr(net, f"{name}_") for name in net._optimizers]
        modules = [getattr(net, f"{name}_") for name in net._modules]
        self.attach(modules[0], optimizers)
        self._epochs = len(net.history)
        self.begin(net.max_epochs)

    def on_batch_begin(self, net: Any, batch: Any = None, training: bool = False, **_: Any) -> None:
        """Note the batch."""
        if training:
            self.saw(batch)

    def on_batch_end(
        self, net: Any, batch: Any = None, training: bool = False, loss: Any = None, **_: Any
    ) -> None:
        """Note the progress, and the loss."""
        if training and self.done(len(net.history) - self._epochs, lambda: {"loss": loss}):
            raise KeyboardInterrupt  # by which skorch stops

    def on_epoch_end(self, net: Any, **_: Any) -> None:
        """Take what the history has of the epoch."""
        row = net.history[-1]
        counters = ("epoch", "dur", "batches", "train_batch_count", "valid_batch_count")
        self.add_numbers(
            {k: v for k, v in row.items() if k not in counters and not k.endswith("_best")}
        )

    on_train_end = Watcher.over
