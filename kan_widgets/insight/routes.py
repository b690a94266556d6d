"""A network as a chain of sums Σφ: what flows along a route of channels, and what cutting it does.

From the means of all first functions to what they give for an image is a straight line, and the
score's change along it is divided by the chain rule: the gradient is let through the channels of a
route alone, so that all routes add up to the change. That is integrated gradients (Sundararajan,
Taly and Yan, ICML 2017) over first functions, taken apart by the channels in between, their
conductance (Dhamdhere, Sundararajan and Yan, "How important is a neuron?", ICLR 2019).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from kan_widgets.arrays import Float64, Int64
from kan_widgets.functions.undisturbed import tapped
from kan_widgets.insight.kernels import kernel_maps, values_of
from kan_widgets.insight.tapped_pass import run, stages_of
from kan_widgets.live.model.observe import patches_of

# Values of kernels at a time, and images.
_VALUES, _AT_ONCE = 4_000_000, 128

Route = tuple[int | None, ...]
"""For each layer but the last a channel; ``None`` where any is meant, -1 where none is."""


class Batch(NamedTuple):
    """Images by their numbers, and what their layers take and give."""

    rows: Int64
    x: Tensor
    takes: list[Tensor]
    gives: list[Tensor]


class Chain:
    """A model whose layers run one after the other, and images; used within `undisturbed`.

    Raises `ValueError` if the layers do not run so.
    """

    def __init__(self, model: nn.Module, images: Tensor, points: int) -> None:
        self._model, self._images, self._points = model, images, points
        self._route: Route = ()
        stages = stages_of(model)
        record = run(model, images[:1], [tap for stage in stages for tap in stage.taps])
        self._stages = record.ran(stages)
        self.layers = [stage.parts[0] for stage in self._stages]
        for stage in self._stages:
            if len(stage.parts) > 1 or any(len(record.passed[tap]) > 1 for tap in stage.taps):
                raise ValueError(f"{stage.name}: expected one layer, in a module that runs once")
        self.depth, first = len(self.layers) - 1, self.layers[0]
        z = [record.at(stage.at) for stage in self._stages]
        if not self.depth or z[-1].ndim != 2 or first.shape[0] != z[0].shape[1]:
            raise ValueError("expected two layers or more, the last dense, the first not shared")
        self.classes = z[-1].shape[1]
        most = max(p[0].numel() * layer.shape[1] for p, layer in zip(z, self.layers, strict=True))
        self._at_once = max(1, min(_AT_ONCE, _VALUES // most))
        self.channel_of = np.arange(first.n_functions) // int(np.prod(first.shape[1:]))
        """``(functions,)``: the channel that each function of the first layer adds to."""
        # Means over images and places: of first functions, of kernels, and of channels.
        self._means = np.zeros(first.n_functions)
        self.of_kernels: list[Any] = [0.0] * len(z)
        self._of_channels: list[Any] = [0.0] * len(z)
        for batch in self.batches(np.arange(len(images))):
            for functions, values in self._first_values(batch):
                self._means[functions] += values.mean(axis=1).sum(axis=0) / len(images)
            for k, layer in enumerate(self.layers):
                maps = kernel_maps(layer, batch.takes[k])[0].mean(dim=(3, 4))
                self.of_kernels[k] += maps.sum(dim=0).numpy() / len(images)
                self._of_channels[k] += by_place(batch.gives[k]).mean(dim=2).sum(0) / len(images)
        batch = next(self.batches(np.arange(1)))
        for k in range(1, self.depth):
            route = tuple(-1 if j == k else None for j in range(self.depth))
            if bool(self.slopes(batch, slice(None), [route]).any()):
                raise ValueError(f"there is a way around {self.layers[k].name}")

    def batches(self, rows: Int64) -> Iterator[Batch]:
        """Run images by their numbers, a few at a time."""
        for some in np.split(rows, range(self._at_once, len(rows), self._at_once)):
            x = self._images[torch.from_numpy(some)]
            taps = [stage.inputs[0] for stage in self._stages], [stage.at for stage in self._stages]
            with torch.no_grad():
                record = run(self._model, x, [*taps[0], *taps[1]])
            yield Batch(some, x, *([record.at(t).double().cpu() for t in its] for its in taps))

    def sums(
        self, x: Tensor, put: Mapping[int, Tensor], clean: Sequence[Tensor] = (), route: Route = ()
    ) -> list[Tensor]:
        """Run the model and return what each layer gives; ``put`` says what it gives instead.

        With ``clean``, what layers gave before, all but the channels of a ``route`` give that.
        """
        given: list[Tensor] = []

        def see(_: object, value: Tensor) -> Tensor:
            k = len(given)
            if k in put:
                value = put[k].to(value)
            elif k < len(route):
                value = _mixed(clean[k].to(value), route[k], value)
            value = value.clone()
            if value.requires_grad and k < self.depth:
                value.register_hook(partial(self._let_through, k))
            given.append(value)
            return value.clone()  # the model may go on in place

        with tapped([stage.at for stage in self._stages], see):
            self._model(x)
        return given

    def _let_through(self, k: int, slope: Tensor) -> Tensor | None:
        """Stop the gradient but for the channel of the route."""
        node = self._route[k] if self._route else None
        return None if node is None else _mixed(torch.zeros_like(slope), node, slope)

    def way(self, batch: Batch) -> Tensor:
        """Return how far the first layer's sums are from those of the means of its functions."""
        means = torch.from_numpy(np.bincount(self.channel_of, self._means))
        total = self.layers[0].total(batch.takes[0])
        return total - means.reshape(-1, *[1] * (total.ndim - 2))

    def slopes(
        self, batch: Batch, target: int | slice, routes: Sequence[Route], k: int = 0
    ) -> Tensor:
        """Return mean gradients of a score, as first functions go from their means to an image.

        By what layer ``k`` gives, along each route: ``(n, routes, channels, places)``.
        """
        z, way, total = batch.gives[0], self.way(batch), torch.zeros(())
        for point in range(self._points):
            left = 1 - (point + 0.5) / self._points
            leaf = (z - left * way).to(batch.x).requires_grad_()
            given, slopes = self.sums(batch.x, {0: leaf}), []
            score, at = given[-1][:, target].sum(), given[k] if k else leaf
            for self._route in routes:
                [slope] = torch.autograd.grad(score, at, retain_graph=True)
                slopes.append(by_place(slope))
            self._route = ()
            total = total + torch.stack(slopes, dim=1) / self._points
        return total

    def shares(self, batch: Batch, target: int, routes: Sequence[Route]) -> Float64:
        """Return what first functions have of a change by routes, ``(n, routes, functions)``."""
        slopes = self.slopes(batch, target, routes).numpy()
        shares = np.zeros((*slopes.shape[:2], len(self._means)))
        for functions, values in self._first_values(batch):
            own, beyond = slopes[:, :, self.channel_of[functions]], values - self._means[functions]
            shares[:, :, functions] = np.einsum("nlf,nrfl->nrf", beyond, own, optimize=True)
        return shares

    def parts(self, batch: Batch, target: int, function: int, route: Route) -> Float64:
        """Return what a path and its edges have of a score's change, ``(3 + edges, n)``.

        First what all paths have together, then the path, its function, and each of its channels
        with the next one.
        """
        free: Route = (None,) * self.depth
        ends = [
            tuple(c if 0 < j and j in (k, k + 1) else None for j, c in enumerate(route))
            for k in range(self.depth)
        ]
        shares = self.shares(batch, target, [free, route, *ends])
        edges = shares[:, 2:].sum(axis=2)
        edges[:, 0] = shares[:, 2, self.channel_of == self.channel_of[function]].sum(axis=1)
        whole, alone = shares[:, 0].sum(axis=1), (shares[:, 1, function], shares[:, 0, function])
        return np.stack([whole, *alone, *edges.T])

    def _first_values(
        self, batch: Batch, chosen: Int64 | None = None
    ) -> Iterator[tuple[Int64, Float64]]:
        """Yield functions of the first layer and what they give, ``(n, places, k)``."""
        patches = patches_of(self.layers[0], batch.takes[0])[0]
        rows = patches.reshape(-1, patches.shape[-1]).numpy()
        for _, functions, values in values_of(self.layers[0], rows, chosen):
            # Where β is padded and not x, nothing comes from beyond the border.
            yield functions, np.nan_to_num(values).reshape(len(batch.x), -1, len(functions))

    def falls(self, batch: Batch, target: int, function: int, route: Route) -> Float64:
        """Return by how much a score falls as means are put in their place, in `parts`' order.

        Of a channel for the next one alone.
        """
        x, z = batch.x, batch.gives
        path = (int(self.channel_of[function]), *route[1:])
        [(_, values)] = self._first_values(batch, np.array([function]))
        beyond = torch.from_numpy(values[..., 0] - self._means[function])
        cut = z[0].clone()
        cut[:, path[0]] -= beyond.reshape(cut[:, 0].shape)
        with torch.no_grad():
            after = [self.sums(x, {0: z[0] - self.way(batch)})]
            after += [self.sums(x, {0: cut}, z, path), self.sums(x, {0: cut})]
            for k, channel in enumerate(path):
                flat = z[k].clone()
                flat[:, channel] = self._of_channels[k][channel]
                given = self.sums(x, {k: flat})
                if k + 1 < self.depth:
                    given = self.sums(x, {k + 1: _mixed(z[k + 1], path[k + 1], given[k + 1])})
                after.append(given)
        return torch.stack(
            [z[-1][:, target] - by_place(g[-1])[:, target, 0] for g in after]
        ).numpy()


def _mixed(values: Tensor, channel: int | None, own: Tensor) -> Tensor:
    """Return values with one channel of others; -1 is none, and ``None`` all of them."""
    if channel is None:
        return own
    mixed = values.clone()
    if channel >= 0:
        mixed[:, channel] = own[:, channel].to(mixed)
    return mixed


def by_place(values: Tensor) -> Tensor:
    """Return maps ``(n, channels, ...)`` as ``(n, channels, places)``, in double precision."""
    return values.detach().double().cpu().reshape(*values.shape[:2], -1)
