"""A binding: what users hold of a model that is watched while it trains."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import nn
from torch.optim import Optimizer

from kan_widgets.functions import LayerFunctions
from kan_widgets.functions.forward_pass import ForwardPass
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.progress import Stats
from kan_widgets.live.frames.scalars import step_given
from kan_widgets.live.model.edits import Edits
from kan_widgets.live.model.layers import checked_names
from kan_widgets.live.recordings.saving import Savable
from kan_widgets.live.steering.control import Control
from kan_widgets.live.steering.epochs import Batch, Track
from kan_widgets.live.watching import step_hook
from kan_widgets.live.watching.model_feed import ModelFeed
from kan_widgets.live.watching.watchdog import Watchdog
from kan_widgets.nn.changes.torch_optimizer import optimizer_of


class Binding(Savable):
    """Frames of a model while it trains. Made by `bind`; see there."""

    feed: ModelFeed

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer | None,
        *,
        named: Mapping[str, Any] | None = None,
        shown: ForwardPass | None = None,
        proves: bool | None = None,
        **options: Any,
    ) -> None:
        self._named = dict(named or {})
        feed = ModelFeed(model, optimizer, names=checked_names(model, **self._named), **options)
        super().__init__(feed, feed.training.scalars)
        self._training, self._bound = feed.training, feed.bound
        self._is_made = True
        if proves is not None:
            self._bound.start_proving(shown, proves)
        step_hook.watch(self)

    def __repr__(self) -> str:
        name = type(self.model).__name__ if self.model is not None else "no model"
        return (
            f"<Binding of {name}: {len(self.layers)} layers, step {self.stats.steps}, "
            f"every {self.every}, {self.state}>"
        )

    def __enter__(self) -> "Binding":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def model(self) -> nn.Module | None:
        """The bound model; ``None`` once the binding is closed or the model is gone."""
        return self._bound.module

    @property
    def every(self) -> int:
        """A frame is due each time this many steps have passed; may be changed."""
        return self.feed.counter.every

    @every.setter
    def every(self, every: int) -> None:
        self.feed.steer({"kind": "every", "value": every})

    @property
    def stats(self) -> Stats:
        """Counts and costs so far."""
        return self.feed.stats

    @property
    def data_source(self) -> str:
        """What the model is trained on, in words for the panel; may be set."""
        return self._training.data_source

    @data_source.setter
    def data_source(self, words: str) -> None:
        self._training.data_source = str(words)
        self.feed.tell_training()

    @property
    def control(self) -> Control:
        """Pause, resume, make single steps, or stop the training, from any thread."""
        return self._training.control

    @property
    def watchdog(self) -> Watchdog:
        """What goes wrong at present, and what can be done; call it to set its limits."""
        return self.feed.watchdog

    def step(self) -> None:
        """Count one training step by hand, where no optimizer is bound.

        On a closed binding it does nothing: a training loop may outlive it.

        Raises
        ------
        RuntimeError
            If an optimizer counts the steps already.
        """
        if self.feed.counter.stepping is not None:
            raise RuntimeError("the bound optimizer counts the steps: do not call step() as well")
        self.feed.counter.step()

    def train_with(self, optimizer: Optimizer) -> None:
        """Count the steps of another optimizer from now on; history, curves and steps go on.

        As trainers make a new one at each ``fit``; it is given as to `kan_widgets.bind`.

        Raises
        ------
        TypeError, ValueError
            If it neither is nor wraps a torch optimizer, or holds none of the model's parameters.
        RuntimeError
            If the binding is closed.
        """
        model, _ = self._bound.present()
        inner = optimizer_of(model, optimizer)
        if inner is not self._training.optimizer:
            self.feed.counter.move_to(inner)
            self._training.train_with(inner)
            self.feed.tell_training()

    def log(self, step: int | None = None, *unnamed: Any, **values: Any) -> None:
        """Add numbers to the curves: ``live.log(loss=loss, accuracy=0.97)``.

        Parameters
        ----------
        step
            Where on the axis; the steps counted so far by default.
        **values
            Numbers, or tensors of one element; those on an accelerator are read later,
            without holding the training up.

        Raises
        ------
        TypeError
            If a value is no number or has no name, or the step is not a whole number.
        ValueError
            If the step lies before the last one of a curve. Nothing has been added then.
        """
        at = step_given(step, unnamed, values)
        with self.feed.counter.counted():
            self.scalars.add(self.feed.counter.steps if at is None else at, values)

    def track(
        self, loader: Iterable[Batch], epochs: int = 1, seconds: float | None = None
    ) -> Track[Batch]:
        """Go through the batches of some epochs, so that the panel knows how far it is.

        ``for images, labels in live.track(loader, epochs=3): ...``; in asynchronous code
        ``async for``, which lets other tasks run between two batches. Stopping the
        training ends the loop after the current batch; no exception is raised.

        Parameters
        ----------
        loader
            A DataLoader, or any iterable of batches.
        epochs
            How many times to go through it, at least 1.
        seconds
            About how long all of it is to take, more than 0: it waits between batches, so that
            one can watch, and the panel says so. The weights are the same. A pause does not count,
            it and a stop end a wait, and where training alone takes longer, nothing waits.

        Raises
        ------
        TypeError, ValueError
            If the loader cannot be iterated that often, ``epochs`` is not a whole number ≥ 1, or
            ``seconds`` is not a number > 0 or the loader has no length.
        """
        return Track(self._training, loader, epochs, seconds)

    @property
    def edits(self) -> Edits:
        """Change functions by hand, with undo."""
        return self._bound.edits

    def read(self) -> list[LayerFunctions]:
        """Read the bound layers as they are now, as `kan_widgets.functions.read` does.

        Raises a `RuntimeError` if the binding is closed or its model is gone.
        """
        return self._bound.layers.read()

    def refresh(self) -> Frame:
        """Take a frame now, whatever the throttle says, send it, and return it.

        Raises
        ------
        RuntimeError
            If the binding is closed or its model is gone.
        """
        return self.feed.refresh()

    def observe(self, batch: Any) -> dict[str, Observation]:
        """Run a batch through the model and keep what reaches each layer, for the views.

        Once, in evaluation mode without gradients, through temporary hooks; mode and
        random number generators are as before afterwards.

        Parameters
        ----------
        batch
            The model's input: a tensor, or a tuple of arguments.

        Returns
        -------
        dict
            By the name of each layer reached.

        Raises
        ------
        TypeError, ValueError
            If ``batch`` is not an input, is empty, or reaches no layer.
        RuntimeError
            If the binding is closed.

        Warns
        -----
        RuntimeWarning
            If inputs are NaN: how many, and at which layers.
        """
        return self._bound.observe(batch)

    def probe(self, images: Any = "observed", labels: Any = None) -> None:
        """Trace a few examples through the network from now on, for the views.

        One forward pass is made at once, or after the next step of another thread that trains; it
        finds how the network is put together (``live.feed.structure``). After that there is one
        with a frame, in at most 1 % of the training time (``stats.probe_share``), and one when
        training goes quiet, each in evaluation mode without gradients; modes, buffers, attributes
        of modules and random number generators are as before afterwards. Should it fail, or change
        a parameter or a buffer, that is said once and no more are made. If nothing was observed
        yet, they are observed too, and again in as small a share, unless `observe` was called.

        For the views outputs are rounded to 8 bits, maps larger than 32×32 are means over areas,
        and of more than 64 channels (of 4,096 features) there are the first; if that is more than
        1 MB, it is of fewer examples. Of what is taken 16 MB are kept, thinned as the history is.

        Parameters
        ----------
        images
            Examples of the model's input, ``(n, ...)``; of many the first 16, and at most 4 MB.
            By default the first 8 of the batch that was observed last. ``None`` ends it: only
            the structure stays.
        labels
            The number of the right class of each, for the views.

        Raises
        ------
        TypeError, ValueError
            If ``images`` is not an input, is empty, or reaches no layer; if none are given and
            nothing was observed; if ``labels`` has not a whole number for each.
        RuntimeError
            If the binding is closed, or running the model changes its parameters or buffers.
            Whatever the model raises passes through; nothing has changed then.

        Examples
        --------
        >>> import torch, kan_widgets as kw
        >>> live = kw.bind(model := kw.nn.KANCNN.article())
        >>> live.probe(torch.rand(4, 1, 28, 28), labels=[7, 2, 1, 0])
        >>> [station.label for station in live.feed.structure.stations][2:5]
        ['max pool 2×2', 'SharedKANConv2d 3×3', 'max pool 2×2']
        >>> live.feed.activations.at(step=0).values[1].data.shape
        (4, 5, 13, 13)
        """
        self._bound.probe(images, labels)

    @property
    def class_names(self) -> Sequence[str] | None:
        """What the outputs of the last layer are called; may be set, as `kan_widgets.bind` says."""
        return self._named.get("class_names")

    @class_names.setter
    def class_names(self, names: Sequence[str] | None) -> None:
        self._rename(class_names=names)

    @property
    def feature_names(self) -> Sequence[str] | None:
        """What the inputs of the first layer are called; may be set likewise."""
        return self._named.get("feature_names")

    @feature_names.setter
    def feature_names(self, names: Sequence[str] | None) -> None:
        self._rename(feature_names=names)

    @property
    def channel_names(self) -> Mapping[str, Sequence[str]] | None:
        """What the outputs of other layers are called, by the layer; may be set likewise."""
        return self._named.get("channel_names")

    @channel_names.setter
    def channel_names(self, names: Mapping[str, Sequence[str]] | None) -> None:
        self._rename(channel_names=names)

    def _rename(self, **changed: Any) -> None:
        model, _ = self._bound.present()
        named = self._named | changed
        self.feed.camera.rename(checked_names(model, **named))
        self._named = named
        self.refresh()

    def _take_over_from(self, earlier: "Binding") -> None:
        """Take the place of an earlier binding of the same model."""
        self._bound.probing.inherit(earlier._bound.probing, self.feed, earlier.feed)
        self._bound.last_examples = earlier._bound.last_examples
        self.watchdog.inherit(earlier.watchdog)
        earlier.feed.hand_over(self.feed, self)
        earlier.close()
