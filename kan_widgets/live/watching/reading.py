"""The part of a binding that reads the model, and what reaches its layers."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from kan_widgets.functions import LayerFunctions
from kan_widgets.live.frames.edit import Index
from kan_widgets.live.frames.layout import Layout
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.source import Source
from kan_widgets.live.frames.structure import Structure, untraced
from kan_widgets.live.reports import report
from kan_widgets.live.steering.entries import Place
from kan_widgets.live.watching.camera import Camera
from kan_widgets.live.watching.counter import Counter
from kan_widgets.live.watching.observe import nan_in_words, observe
from kan_widgets.live.watching.probes import first_examples


class Reading(Source):
    """A source of frames whose model can be read and run."""

    _camera: Camera
    _counter: Counter
    _seen: Tensor | None = None
    """A few examples of what was observed last."""

    @property
    @abstractmethod
    def model(self) -> nn.Module | None:
        """The model, while it exists."""

    def read(self) -> list[LayerFunctions]:
        """Read the bound layers as they are now, as `kan_widgets.functions.read` does.

        Raises
        ------
        RuntimeError
            If the binding is closed or its model is gone.
        """
        return self._camera.layers.read()

    def read_layer(self, name: str) -> LayerFunctions:
        """Read one layer as it is now. Raises as ``read`` does."""
        return self._camera.layers.read_one(name)

    def place_of(self, layer: str, index: Index) -> Place:
        """Say where a function is in the model. Raises as ``read`` does."""
        return self._camera.layers.place(layer, index)

    def modules(self) -> list[nn.Module]:
        """Return the modules that hold the bound layers."""
        return self._camera.layers.modules()

    def structure_of(self, layout: Layout) -> Structure:
        """Return what is known of how the layers of a layout are connected."""
        return self._structure or untraced(layout, order=self._camera.layers.names_in_order())

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
            An `Observation` for each layer reached, by name.

        Raises
        ------
        TypeError, ValueError
            If ``batch`` is not an input, is empty, or reaches no layer.

        Warns
        -----
        RuntimeWarning
            If inputs are NaN: how many, and at which layers.
        RuntimeError
            If the binding is closed.
        """
        model, layers = self.model, self.read()
        if model is None:
            raise RuntimeError("this binding is closed: bind the model again")
        with self._counter.counted():
            found = observe(model, self._camera.layers.owners(), layers, batch)
            if words := nan_in_words(found):
                report(words)
            found = {name: replace(seen, step=self._counter.steps) for name, seen in found.items()}
            self._observed = found
            self._seen = first_examples(batch)
            self._tell_observed()
        return dict(found)
