"""Trace examples through the network of a bound model whenever that is due."""

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from threading import Lock, current_thread
from time import perf_counter
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.functions.module_tensors import attribute
from kan_widgets.functions.undisturbed import like_of, unchanged
from kan_widgets.live import cells
from kan_widgets.live.budget import Throttle
from kan_widgets.live.frames.activations import Activations, Extra, Probe, quantised
from kan_widgets.live.frames.feed import Feed
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import Layout
from kan_widgets.live.frames.structure import Structure, steady
from kan_widgets.live.model.edits import Edits
from kan_widgets.live.model.layers import BoundLayers, memory_of
from kan_widgets.live.model.traced_calls import Traced, assembled
from kan_widgets.live.model.tracing import TracedModule, plan_of, trace
from kan_widgets.live.reports import report
from kan_widgets.live.steering.training import Training

_MAX_PER_SECOND = 30.0
# While a function is dragged examples are traced at each move, unless that takes longer.
_QUICK_SECONDS = 0.1


class Probing:
    """Traces examples through a model, in a thread that may run it.

    The feed is told of what is found, and held weakly.
    """

    def __init__(self, feed: Feed, layers: BoundLayers, edits: Edits, training: Training) -> None:
        self._feed_ref = weakref.ref(feed)
        self._layers, self._edits, self._training = layers, edits, training
        self._plan: tuple[int, tuple[TracedModule, ...]] | None = None
        self.examples: Examples | None = None
        self.in_steps = 0.0
        """What tracing them has taken of the training's time."""
        self.traced_for: Frame | None = None
        """The frame that they were traced for last."""
        self.took = 0.0
        """What that took the last time."""
        self._throttle = Throttle(_MAX_PER_SECOND)
        self.resting = Lock()
        """Held while the last state of a quiet model is read, and while examples follow it."""

    def stop(self) -> None:
        """Trace none from now on."""
        self.examples = self._plan = None

    def forget_proofs(self) -> None:
        """Find out again which layers are proved to add up, when examples are traced next."""
        self._plan = None

    def inherit(self, earlier: "Probing", feed: Feed, before: Feed) -> None:
        """Trace what an earlier binding of the model has traced."""
        self.examples, feed.probed = earlier.examples, before.probed

    def begin(
        self, feed: Feed, frame: Frame, examples: "Examples", traced: tuple[Structure, Activations]
    ) -> None:
        """Trace other examples from now on, as they were for a frame already."""
        self.examples = examples
        with feed.sending:
            feed.set_probe(examples.shown)
            self._keep(feed, *traced)
        self.traced_for = frame

    def trace_in_step(self, model: nn.Module, step: int) -> None:
        """Trace the examples after a step with a frame, if they are due."""
        if self.is_due(perf_counter()) and (feed := self._feed_ref()) is not None:
            self._trace(model, feed, step)
            self.in_steps += self.took
            self.traced_for = feed.frame if feed.frame.step == step else None

    def trace_at_rest(
        self, model: nn.Module, settled: "Callable[[nn.Module, Examples], object] | None" = None
    ) -> None:
        """Trace the examples for the latest frame, where nothing trains.

        With ``settled``, which is called then, too, only in the thread that has trained, or where
        that one is gone: another one cannot know that it stands still.
        """
        if (feed := self._feed_ref()) is None:
            return
        frame, trainer = feed.frame, self._training.counter.trained_by
        if self.examples is None or frame.step != self._training.steps:
            return
        if frame is self.traced_for and not settled:
            return
        if settled and trainer not in (None, current_thread()) and trainer.is_alive():
            return
        edit = self._edits.latest
        often = edit is not None and not edit.final and self.took > _QUICK_SECONDS
        if (feed.state == "live" or often) and not self.is_due(perf_counter()):
            return
        with cells.none_starting() as free:
            if not free or self._training.trains_elsewhere():
                return
            if self.resting.acquire(blocking=False):
                try:
                    if frame is not self.traced_for:
                        self._trace(model, feed, frame.step)
                        self.traced_for = frame
                    if settled and self.examples is not None:
                        settled(model, self.examples)
                finally:
                    self.resting.release()

    def is_due(self, now: float) -> bool:
        """Whether they may be traced at time ``now`` (seconds)."""
        return self.examples is not None and self._throttle.is_open(now)

    def _trace(self, model: nn.Module, feed: Feed, step: int) -> None:
        """Trace the examples; never raises."""
        try:
            traced = self.trace(model, feed.layout, step)
        except Exception as error:
            self.stop()
            report(
                f"live.probe traces no more examples: {error!r}. The training goes on; "
                "live.probe(images) tries again"
            )
            return
        with feed.sending:
            self._keep(feed, *traced)

    def _keep(self, feed: Feed, structure: Structure, activations: Activations) -> None:
        """Keep a structure and activations, and tell the feed, whose ``sending`` is held."""
        structure = steady(structure, feed.traced_structure)
        if structure != feed.traced_structure:
            feed.set_structure(structure)
        feed.activations.append(activations)
        feed.tell("activations", activations)

    def trace(
        self, model: nn.Module, layout: Layout, step: int, examples: "Examples | None" = None
    ) -> tuple[Structure, Activations]:
        """Trace the examples, or others, through the model, in this thread.

        Raises `Disturbed` if that changes the model; its buffers are as before all the same.
        Whatever the model raises passes through.
        """
        start = perf_counter()
        examples = examples or self.examples
        assert examples is not None
        try:
            traced = self._traced(model, layout, examples.inputs)
            return traced.structure, _activations_of(traced, step, layout.version)
        finally:
            self.took = perf_counter() - start
            self._throttle.spent(start, self.took)

    def structure(
        self, run: nn.Module, model: nn.Module, layout: Layout, inputs: Tensor
    ) -> Structure:
        """Find the structure of a model with a copy that is run in its place."""
        return self._traced(model, layout, inputs, run).structure

    def _traced(
        self, model: nn.Module, layout: Layout, inputs: Tensor, run: nn.Module | None = None
    ) -> Traced:
        run = run or model
        if self._plan is None or self._plan[0] != layout.version:
            self._plan = layout.version, plan_of(model, self._layers.entries(), layout)
        plan = self._plan[1]
        with unchanged(run):
            trail = trace(run, plan, as_taken(inputs, run), reduced)
        names = {vector.name for vector in layout.beside}
        vectors = [pair for pair in self._layers.vectors().items() if pair[0] in names]
        paths = {memory_of(attribute(run, name)): name for name, _ in vectors}
        paths |= {memory_of(vector): name for name, vector in vectors}  # as the plan holds biases
        layers = [layer.name for part in plan for layer in part.layers]
        return assembled(trail, layers, layout, paths)


_MAX_EXAMPLES = 16
_DEFAULT_EXAMPLES = 8
_MAX_INPUT_BYTES = 4_000_000
_MAX_BYTES = 1_000_000
_MAX_CHANNELS = 64
_MAX_SIDE = 32
_MAX_FEATURES = 4096
# Up to this many numbers of an example at a station, such as class scores, are kept exactly too.
_MAX_EXACT_VALUES = 64


@dataclass(frozen=True, eq=False)
class Examples:
    """Examples to trace: as the model takes them in, and as they are shown."""

    inputs: Tensor
    shown: Probe


def examples_of(images: Any, labels: Any = None) -> Examples:
    """Return up to 16 examples, copied, up to 4 MB of them.

    Raises `TypeError` if ``images`` is no tensor or array of numbers or the labels are no whole
    numbers, and `ValueError` if there is no example or not one label for each.
    """
    if isinstance(images, tuple | list | str) or not hasattr(images, "shape"):
        raise TypeError(
            f"images={type(images).__name__}: expected a tensor or an array of inputs, "
            "(n, ...); from a loader, take the images of one batch"
        )
    inputs = images.detach() if isinstance(images, Tensor) else torch.from_numpy(np.array(images))
    if inputs.is_complex() or inputs.ndim < 2 or not inputs.numel():
        raise ValueError(
            f"images of shape {tuple(inputs.shape)}: expected (n, ...), at least one input"
        )
    numbers = None if labels is None else _labels_of(labels, len(inputs))
    inputs = _first(inputs, _MAX_EXAMPLES)
    kept = len(inputs)
    shown = np.ascontiguousarray(inputs.float().cpu().numpy())
    shown.flags.writeable = False
    return Examples(inputs, Probe(shown, None if numbers is None else numbers[:kept]))


def first_examples(batch: Any) -> Tensor | None:
    """Return copies of a few examples of a batch; ``None`` if it is not one tensor of them."""
    if isinstance(batch, tuple | list) and len(batch) == 1:
        [batch] = batch
    if not isinstance(batch, Tensor) or batch.ndim < 2 or not batch.numel():
        return None
    return _first(batch.detach(), _DEFAULT_EXAMPLES)


def _first(inputs: Tensor, most: int) -> Tensor:
    each = 4 * inputs[0].numel()
    return inputs[: max(1, min(most, len(inputs), _MAX_INPUT_BYTES // each))].clone()


def _labels_of(labels: Any, n: int) -> tuple[int, ...]:
    listed = labels.tolist() if hasattr(labels, "tolist") else list(labels)
    if not isinstance(listed, list) or len(listed) != n:
        count = len(listed) if isinstance(listed, list) else "one"
        raise ValueError(f"{count} labels: expected one for each of {n} examples")
    if any(isinstance(each, bool) or not isinstance(each, Integral) for each in listed):
        raise TypeError("labels: expected the number of the right class of each example")
    return tuple(int(each) for each in listed)


def as_taken(inputs: Tensor, model: nn.Module) -> Tensor:
    """Return inputs where the model is, numbers with a point as its parameters are."""
    like = like_of(model)
    return inputs.to(like) if inputs.is_floating_point() else inputs.to(like.device)


def reduced(values: Tensor) -> Tensor:
    """Return a copy of bounded size of a station's output ``(n, *shape)``.

    Of channels (or rows, as of tokens) the first 64, of features the first 4096; maps larger than
    32×32 as means over areas.
    """
    values = values.detach()
    if values.ndim == 2:
        values = values[:, :_MAX_FEATURES]
    elif values.ndim == 3:
        values = values[:, :_MAX_CHANNELS, :_MAX_FEATURES]
    elif values.ndim > 3:
        values = values[:, :_MAX_CHANNELS]
    values = values.float()
    if values.ndim == 4:
        size = min(values.shape[2], _MAX_SIDE), min(values.shape[3], _MAX_SIDE)
        if tuple(values.shape[2:]) != size:
            return F.adaptive_avg_pool2d(values, size)
    return values.clone()


def _activations_of(traced: Traced, step: int, layout_version: int) -> Activations:
    """Return the outputs of all stations, eight bits a number, at most 1 MB of values."""
    n = max((len(values) for values in traced.values.values()), default=1)
    sizes = {station: values[0].numel() for station, values in traced.values.items()}
    # Should one example be too much already, the largest stations are left out.
    for station in sorted(sizes, key=lambda station: sizes[station], reverse=True):
        if sum(sizes.values()) <= _MAX_BYTES:
            break
        del sizes[station]
    kept = max(1, min(n, _MAX_BYTES // max(1, sum(sizes.values()))))
    taken = {
        station: values[:kept].cpu().numpy()
        for station, values in traced.values.items()
        if station in sizes
    }
    few = [
        Extra(station, "values", np.ascontiguousarray(values, dtype=np.float32))
        for station, values in taken.items()
        if values.ndim == 2 and sizes[station] <= _MAX_EXACT_VALUES
    ]
    quantities = tuple(quantised(station, values) for station, values in taken.items())
    return Activations(step, layout_version, quantities, (*traced.extras, *few))
