"""fastai: ``Learner(..., cbs=[KANWidgets()])``."""

from typing import Any

from fastai.callback.core import Callback, CancelFitException

from kan_widgets.integrations.trainer import Watcher
from kan_widgets.nn.changes.torch_optimizer import torch_optimizer


class KANWidgets(Watcher, Callback):
    """Shows the functions of a Learner's model while ``fit`` trains it.

    fastai's optimizers are its own, so each batch counts as a step, and the panel does not set the
    rate, unless the learner has one of torch in an ``OptimWrapper``. Losses and metrics become
    curves; pause and steps act on the loop, and stop ends ``fit`` by ``CancelFitException``.
    ``record=True`` is in ``learn.path``.
    """

    order = 70  # after fastai's Recorder has the numbers

    def __init__(self, *args: Any, **options: Any) -> None:
        Watcher.__init__(self, *args, **options)
        Callback.__init__(self)

    def before_fit(self) -> None:
        """Bind, and begin."""
        learn = self.learn
        try:
            optimizer: Any = torch_optimizer(learn.opt)
        except TypeError:
            optimizer = None
        self.attach(learn.model, [optimizer], folder=learn.path)
        self.begin(learn.n_epoch, learn.n_epoch * len(learn.dls.train))

    def before_batch(self) -> None:
        """Note the batch."""
        if self.learn.training:
            self.saw((*self.learn.xb, *self.learn.yb))

    def after_batch(self) -> None:
        """Note the progress, and the loss."""
        learn = self.learn
        if learn.training and self.done(learn.epoch + 1, lambda: {"loss": learn.loss}):
            raise CancelFitException

    def after_epoch(self) -> None:
        """Take what the recorder has of the epoch: losses and metrics."""
        if (recorder := getattr(self.learn, "recorder", None)) is not None:
            names = (name for name in recorder.metric_names if name not in ("epoch", "time"))
            self.add_numbers(dict(zip(names, recorder.values[-1], strict=False)))

    after_fit = Watcher.over
