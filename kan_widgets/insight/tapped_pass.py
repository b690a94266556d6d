"""A model run with its sums Σφ watched, or replaced, and left as it was."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from kan_widgets.arrays import Float64, Int64
from kan_widgets.functions import LayerFunctions, Tap, find
from kan_widgets.functions.reading import named_parts
from kan_widgets.functions.registry import find_adapter, module_sums
from kan_widgets.functions.undisturbed import tapped, undisturbed
from kan_widgets.insight.kernels import kernel_maps, kernel_terms
from kan_widgets.live.model.observe import patches_of

# Values of kernels at a time, and images; examples of a classifier.
_VALUES, _AT_ONCE, _EXAMPLES = 4_000_000, 128, 250

Route = Mapping[int, int]
"""By layer the channel that is gone through, where not any will do; -1 is none."""


@dataclass(frozen=True, eq=False)
class Stage:
    """Layers whose functions add up to what passes at one place of a running model."""

    parts: tuple[LayerFunctions, ...]
    inputs: tuple[Tap, ...]
    """Where the input of each part passes."""
    at: Tap
    """Where the sum passes."""
    bias: Tensor | None
    """``(out,)``, what is added to the sum there."""

    @property
    def kind(self) -> str:
        """``"conv"`` or ``"linear"``."""
        return self.parts[0].kind

    @property
    def taps(self) -> tuple[Tap, ...]:
        """Where the sum passes, and the inputs."""
        return self.at, *self.inputs

    @property
    def name(self) -> str:
        """Names of the layers."""
        return ", ".join(part.name for part in self.parts)


class TappedPass:
    """The tensors that passed some taps while a model ran once."""

    def __init__(self) -> None:
        self.passed: dict[Tap, list[Tensor]] = {}
        self.times: dict[Tap, int] = {}
        self.output: Any = None
        self.clock = count()

    def ran(self, stages: Sequence[Stage]) -> list[Stage]:
        """Return the stages that ran, in that order."""
        ran = (stage for stage in stages if stage.at in self.times)
        return sorted(ran, key=lambda stage: self.times[stage.at])

    def once(self, tap: Tap) -> bool:
        """Say whether all that passed at a tap did so in one call of its modules."""
        return len(self.passed[tap]) == len(dict.fromkeys(tap.modules))

    def at(self, tap: Tap) -> Tensor:
        """Return what passed at a tap of a stage that ran, joined."""
        return tap.join(self.passed[tap])


def stages_of(model: nn.Module) -> list[Stage]:
    """List the sums of functions in a model, in the order its modules were added.

    Raises
    ------
    TypeError, ValueError
        As `kan_widgets.functions.read`.
    """
    stages = []
    for entry in find(model):
        if entry.elementwise:
            continue
        adapter, _ = find_adapter(entry.module)
        # Not read twice: what is read may be a copy.
        named = named_parts(entry.name, entry.module, entry.reader)
        for place in module_sums(entry.module, adapter, named):
            parts = tuple(named[name] for name in place.layers)
            taps = tuple(part.x_at or Tap((entry.module,)) for part in parts)
            if any(tap.view for tap in taps):
                continue  # over one or three dimensions there are no maps to follow
            stages.append(Stage(parts, taps, place.at, place.bias))
    return stages


def run(
    model: nn.Module,
    x: Tensor,
    taps: Sequence[Tap],
    put: Callable[[Tap, Tensor, TappedPass], Tensor | None] | None = None,
) -> TappedPass:
    """Run a model on a batch, in the mode it is in, and keep what passes at some taps.

    ``put`` gets a tap, what comes there and what has passed so far, and returns what is to pass
    instead, or ``None``.
    """
    record = TappedPass()

    def keep(tap: Tap, value: Tensor) -> Tensor | None:
        record.times[tap] = next(record.clock)
        new = None if put is None else put(tap, value, record)
        # Copies, because the model may go on in place.
        passed = (value if new is None else new).clone()
        record.passed.setdefault(tap, []).append(passed)
        return None if new is None else passed.clone()

    with tapped(taps, keep):
        record.output = model(x)
    return record


def log_probabilities(
    model: nn.Module, images: Tensor, stages: list[Stage], more: dict[str, LayerFunctions]
) -> Float64:
    """Return log-probabilities ``(n, classes)`` of a network with functions added to layers."""
    adding = {stage.at: stage for stage in stages if any(p.name in more for p in stage.parts)}
    for tap, stage in adding.items():
        if len(tap.modules) > 1 and tap.joined == "cat":
            raise ValueError(f"{stage.name}: its output is of several modules")
    taps = [tap for stage in adding.values() for tap in (*stage.inputs, stage.at)]

    def added(tap: Tap, value: Tensor, record: TappedPass) -> Tensor | None:
        if tap not in adding or tap in record.passed:
            return None
        stage = adding[tap]
        for part, its in zip(stage.parts, stage.inputs, strict=True):
            if part.name in more:
                value = value + more[part.name].total(record.at(its)).to(value)
        return value

    def scores() -> Iterator[Tensor]:
        for some in images.split(_EXAMPLES):
            record = run(model, some, taps, added)
            if any(len(passed) > len(tap.modules) for tap, passed in record.passed.items()):
                raise ValueError("a layer runs more than once: its functions cannot be told apart")
            yield torch.log_softmax(record.output.double(), dim=1).cpu()

    return undisturbed(model, lambda: torch.cat(list(scores()))).numpy()


class Batch(NamedTuple):
    """Images by their numbers, and what their layers take and give."""

    rows: Int64
    x: Tensor
    takes: list[Tensor]
    gives: list[Tensor]
    beyond: Float64
    """``(n, places, out, entries)``: how far each first function is from its mean."""


class LayerChain:
    """A model whose layers run one after the other, and images; used within `undisturbed`.

    From the means of all first functions to what they give for an image is a straight line, and
    the score's change along it is divided by the chain rule: the gradient is let through the
    channels of a route alone, so that all routes add up to the change. That is integrated gradients
    (Sundararajan, Taly and Yan, ICML 2017) over first functions, taken apart by the channels in
    between, their conductance (Dhamdhere, Sundararajan and Yan, ICLR 2019).
    """

    def __init__(self, model: nn.Module, images: Tensor, points: int) -> None:
        self._model, self._images, self._points = model, images, points
        stages = stages_of(model)
        record = run(model, images[:1], [tap for stage in stages for tap in stage.taps])
        stages = record.ran(stages)
        for stage in stages:
            if len(stage.parts) > 1 or any(len(record.passed[tap]) > 1 for tap in stage.taps):
                raise ValueError(f"{stage.name}: expected one layer, in a module that runs once")
        self.layers = [stage.parts[0] for stage in stages]
        self._into, self.at = [stage.inputs[0] for stage in stages], [stage.at for stage in stages]
        self.depth, first = len(stages) - 1, self.layers[0]
        z = [by_place(record.at(tap)) for tap in self.at]
        if not self.depth or stages[-1].kind != "linear" or first.shape[0] != z[0].shape[1]:
            raise ValueError(
                f"model of {len(z)} layers in a row: expected two layers or more, the last dense, "
                "the first not shared"
            )
        self.classes = z[-1].shape[1]
        sizes = [its[0].numel() * layer.shape[1] for its, layer in zip(z, self.layers, strict=True)]
        most = max(*sizes, first.n_functions * z[0].shape[2])
        self._at_once = max(1, min(_AT_ONCE, _VALUES // most))
        # Means over images and places: of first functions, of kernels, and of channels.
        self._means: Any = 0.0
        means: Any = 0.0
        self.of_kernels, self._of_channels = [means] * len(z), [means] * len(z)
        for batch in self.batches(np.arange(len(images))):
            means += batch.beyond.mean(axis=1).sum(axis=0) / len(images)
            for k, layer in enumerate(self.layers):
                maps = kernel_maps(layer, batch.takes[k])[0].mean(dim=(3, 4))
                self.of_kernels[k] += maps.sum(dim=0) / len(images)
                self._of_channels[k] += by_place(batch.gives[k]).mean(dim=2).sum(0) / len(images)
        self._means = means
        self.start = self._of_channels[0].reshape(-1, *[1] * (record.at(self.at[0]).ndim - 2))
        """What the first layer gives with all its functions at their means."""
        alone = next(self.batches(np.arange(1)))
        for k in range(1, self.depth):
            past = self.run(alone, 0, self.start, {k: -1}, still=True).at(self.at[-1])
            if not torch.allclose(past, alone.gives[-1].to(past)):
                raise ValueError(f"there is a way around {self.layers[k].name}")

    def batches(self, rows: Int64) -> Iterator[Batch]:
        """Run images by their numbers, a few at a time."""
        first = self.layers[0]
        for some in np.split(rows, range(self._at_once, len(rows), self._at_once)):
            x = self._images[torch.from_numpy(some)]
            with torch.no_grad():
                record = run(self._model, x, [*self._into, *self.at])
            takes, gives = (
                [record.at(tap).double().cpu() for tap in its] for its in (self._into, self.at)
            )
            patches = patches_of(first, takes[0])[0].flatten(0, -2).numpy()
            terms = [kernel_terms(first, patches, out) for out in range(first.shape[0])]
            # Where β is padded and not x, nothing comes from beyond the border.
            values = np.nan_to_num(np.stack(terms, axis=1))
            beyond = values.reshape(len(x), -1, *values.shape[1:]) - self._means
            yield Batch(some, x, takes, gives, beyond)

    def over(self, rows: Int64, measure: Callable[..., Float64], *of: Any) -> Float64:
        """Return a measure of all batches of some images, ``(n, …)``."""
        return np.concatenate([measure(each, *of) for each in self.batches(rows)])

    def run(
        self, batch: Batch, k: int, new: Tensor, route: Route, still: bool = False
    ) -> TappedPass:
        """Run the model on what layer ``k`` is to give instead.

        Behind it the channels of a route alone pass on what changes: a gradient, or with
        ``still`` the values as well; other channels then give what they gave before.
        """

        def put(tap: Tap, value: Tensor, _: TappedPass) -> Tensor:
            j = self.at.index(tap)
            if j == k:
                return new.to(value).expand_as(value)
            if j < k or j not in route:
                return value
            mixed = (batch.gives[j].to(value) if still else value.detach()).clone()
            if route[j] >= 0:
                mixed[:, route[j]] = value[:, route[j]]
            return mixed

        return run(self._model, batch.x, self.at, put)

    def slopes(self, batch: Batch, target: int, route: Route, k: int = 0) -> Tensor:
        """Return mean gradients of a score, as first functions go from their means to an image.

        By what layer ``k`` gives, along a route: ``(n, channels, places)``.
        """
        total = torch.zeros(())
        for share in (np.arange(self._points) + 0.5) / self._points:
            leaf = self.start + share * (batch.gives[0] - self.start)
            record = self.run(batch, 0, leaf.requires_grad_(), route)
            score = record.at(self.at[-1])[:, target].sum()
            [slope] = torch.autograd.grad(score, record.passed[self.at[k]])
            total = total + by_place(slope) / self._points
        return total

    def shares(self, batch: Batch, target: int, route: Route) -> Float64:
        """Return what first functions have of a change by a route, ``(n, out, entries)``."""
        slopes = self.slopes(batch, target, route).numpy()
        shares: Float64 = np.einsum("nloe,nol->noe", batch.beyond, slopes, optimize=True)
        own = route.get(0)
        return shares if own is None else shares * (np.arange(shares.shape[1]) == own)[:, None]

    def parts(self, batch: Batch, target: int, entry: int, route: Route) -> Float64:
        """Return what all paths, a path and its edges have of a change, ``(n, 2 + edges)``.

        The path is from an ``entry`` of the first layer's functions to the route's channel there.
        """
        links = [{j: route[j] for j in route if j in (k, k + 1)} for k in route]
        free, own, *ends = (self.shares(batch, target, its) for its in ({}, route, *links))
        parts = [free.sum(axis=(1, 2)), own[:, route[0], entry], free[:, route[0], entry]]
        return np.stack(parts + [its.sum(axis=(1, 2)) for its in ends], axis=1)

    def falls(self, batch: Batch, target: int, entry: int, route: Route) -> Float64:
        """Return by how much a score falls as means are put in place of these, in that order.

        Of a channel for the next one alone.
        """
        z, cut = batch.gives, batch.gives[0].clone()
        beyond = torch.from_numpy(batch.beyond[:, :, route[0], entry])
        cut[:, route[0]] -= beyond.reshape(cut[:, 0].shape)
        puts: list[tuple[int, Tensor, Route]] = [(0, self.start, {}), (0, cut, route), (0, cut, {})]
        for k, channel in route.items():
            flat = z[k].clone()
            flat[:, channel] = self._of_channels[k][channel]
            puts.append((k, flat, {j: route[j] for j in route if j == k + 1}))
        with torch.no_grad():
            after = [self.run(batch, *put, still=True).at(self.at[-1]) for put in puts]
        return torch.stack([(z[-1] - y.cpu())[:, target] for y in after], dim=1).numpy()


def by_place(values: Tensor) -> Tensor:
    """Return maps ``(n, channels, ...)`` as ``(n, channels, places)``, in double precision."""
    return values.detach().double().cpu().reshape(*values.shape[:2], -1)
