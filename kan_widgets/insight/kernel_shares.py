"""How the kernels of one convolution share the score of a class.

In front of the last layer a score is no sum of functions, and a share needs a definition. Here the
kernels of a layer are taken from their usual response, the mean, to their response to this image
along a straight line, and the change of the score is divided along the way by its gradient:
integrated gradients (Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", ICML
2017) over the responses of one layer. The shares of a layer then add up to the whole change. What
they are not: the effect of removing a single kernel, which is computed beside them by actually
putting its mean in its place.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from kan_widgets.arrays import Float32, Float64
from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.kernels import (
    Observed,
    check_observed,
    columns_and_bases,
    kernel_maps,
    values_of,
)
from kan_widgets.insight.tapped_pass import Stage, TappedPass, run
from kan_widgets.nn.bases.basis import Ends

_POINTS = 48  # of a curve
_MAX_CURVES = 50  # of one layer's functions
_MIN_KERNELS = 12  # of a layer that are drawn, though that makes more curves
# How far a curve goes beyond an input outside the grid, relative to its way from the middle.
_EDGE = 0.1


def mean_responses(layer: LayerFunctions, observed: Observed) -> Float64:
    """Return the mean over observed inputs of each kernel, or function of a linear layer.

    ``(out, in)``; where kernels are shared ``in`` is 1. Raises as `check_observed`.
    """
    terms = mean_terms(layer, check_observed(layer, observed))
    result: Float64 = terms.reshape(*layer.shape[:2], -1).sum(axis=2)
    return result


def mean_terms(layer: LayerFunctions, x: Float64) -> Float64:
    """Return the mean of each φ over patches ``(n, columns)``: ``(out, entries)``."""
    means = np.empty(layer.n_functions)
    for _, functions, values in values_of(layer, x):
        means[functions] = values.mean(axis=0)
    return means.reshape(layer.shape[0], -1)


@dataclass(frozen=True, eq=False)
class Curves:
    """The functions with the largest shares, as they were when the score was divided."""

    which: tuple[int, ...]
    """Numbers of their shares, out·columns + in; of shared kernels, those of the kernels."""
    domain: Ends
    """The grid, over all functions of the layer."""
    x: Float64 = field(repr=False)
    """``(shares, points)``: over the grid, and beyond it as far as the function's input lies."""
    y: Float64 = field(repr=False)
    """``(shares, kh·kw, points)``."""
    at: Float64 = field(repr=False)
    """``(shares,)``: the input of each function; NaN for kernels, which move over many."""


def largest_curves(
    layer: LayerFunctions, shares: Float64, output: int = 0, inputs: Float64 | None = None
) -> Curves:
    """Return curves of the largest ``shares``, ``(out, in)``, of outputs from ``output`` on."""
    order, columns = np.argsort(-np.abs(shares.ravel()), kind="stable"), shares.shape[1]
    if layer.conv is not None and layer.conv.shared:
        order, columns = order // columns, 1
    entries = math.prod(layer.shape[2:])
    which = tuple(dict.fromkeys(order.tolist()))[: max(_MIN_KERNELS, _MAX_CURVES // entries)]
    at = np.full(len(which), np.nan) if inputs is None else inputs[list(which)]
    low, high = layer.domain
    edges = _EDGE * np.abs(at - (low + high) / 2)
    x = np.linspace(np.fmin(low, at - edges), np.fmax(high, at + edges), _POINTS, axis=1)
    first = [(share // columns + output) * layer.shape[1] + share % columns for share in which]
    numbers = np.add.outer(np.array(first) * entries, np.arange(entries))
    of_each, _ = columns_and_bases(layer)
    points = np.zeros((_POINTS, int(of_each.max()) + 1))
    points[:, of_each[numbers]] = x.T[:, :, None]
    chosen, place = np.unique(numbers, return_inverse=True)
    values = np.empty((len(chosen), _POINTS))
    for _, functions, its in values_of(layer, points, chosen):
        values[np.searchsorted(chosen, functions)] = its.T
    return Curves(which, layer.domain, x, values[place.reshape(numbers.shape)], at)


Score = Callable[[Tensor], Tensor]

_FIRST_POINTS = 32  # of the path from the means to the image; doubled until the shares add up
_MAX_POINTS = 512
_MAX_MISSING = 0.005
# Images that run through the model at a time.
_IMAGES_AT_ONCE = 64
# Kernels of a layer that are really replaced by their means, those with the largest shares.
_MAX_ABLATIONS = 512


@dataclass(frozen=True, eq=False)
class KernelShares:
    """How the kernels of one convolution share the change of the score from their means.

    score = ``baseline`` + Σ ``contributions`` + ``missing``. A kernel is (out, in); where kernels
    are shared by all channels, (kernel, channel it is applied to).
    """

    layer: str
    kernel: tuple[int, int]
    """(height, width) of a kernel."""
    shared: bool
    """Whether kernels are shared by all channels."""
    contributions: Float64 = field(repr=False)
    """``(out, in)``."""
    maps: Float32 = field(repr=False)
    """``(out, in, height, width)``: the places that the contributions come from."""
    ablated: Float64 = field(repr=False)
    """``(out, in)``: by how much the score falls when this kernel alone gives its mean everywhere.
    NaN where it was not tried."""
    means: Float64 = field(repr=False)
    """``(out, in)``: the usual response of each kernel."""
    baseline: float
    """The score when all kernels of the layer give their means."""
    missing: float
    """What the contributions leave out of the change, by numerical integration."""
    points: int
    """Points of the path that the gradient was taken at."""
    samples: int
    """Images that the means are of; 0: they are over the places of this image alone."""
    patches: int
    """Patches that the means are of."""
    curves: Curves = field(repr=False)


class NotDivided(Exception):
    """Why the score is not divided among the kernels of a layer."""


def kernel_shares(
    model: nn.Module,
    x: Tensor,
    stage: Stage,
    last: Stage,
    record: TappedPass,
    target: int,
    against: int | None,
    observed: Mapping[str, Observed] | None,
) -> list[KernelShares]:
    """Divide the change of the score of a class, ``target``, among the kernels of a stage.

    With ``against`` it is that of the difference from the score of that class.

    ``x`` is the image as a batch of one, ``record`` what passed at the taps of the convolution and
    of the ``last`` layer, which gives the scores, when the model ran on it in evaluation mode;
    ``observed`` as for `explain`.

    Raises
    ------
    NotDivided
        If the kernels' sums are not what passes at the stage.
    """
    place = stage.at
    pieces = record.passed[place]
    if place.joined != "cat" or not record.once(place):
        raise NotDivided("its module ran several times")
    if any(part.conv is None for part in stage.parts):
        raise NotDivided("it is not known how they move over the image")
    z = record.at(place).double().cpu()
    if z.ndim != 4:
        raise NotDivided(f"it gave {tuple(z.shape)}")
    with torch.no_grad():
        inputs = [record.at(tap).double().cpu() for tap in stage.inputs]
        rest = z - sum(part.total(its) for part, its in zip(stage.parts, inputs, strict=True))
        off = rest - rest.mean(dim=(2, 3), keepdim=True)
        if float(off.abs().max()) > 1e-3 * max(1.0, float(z.abs().max())):
            raise NotDivided("they do not add up to what it gave")
        swept, start = [], z.clone()
        for part, its in zip(stage.parts, inputs, strict=True):
            (maps,), channels = kernel_maps(part, its)
            means, seen = maps.mean(dim=(2, 3)), (observed or {}).get(part.name)
            if seen is not None:
                means = torch.from_numpy(mean_responses(part, seen)).expand_as(means)
            beyond = maps - means[:, :, None, None]
            swept.append((part, channels, means, beyond, seen))
            # From the means to the image; what is added to the sums, such as a bias, stays.
            start[0].index_add_(0, channels.flatten(), -beyond.flatten(0, 1))

    def score(values: Tensor) -> Tensor:
        """Return the score for ``(n, channels, h, w)`` in place of z."""
        split = iter(values.to(x).split([piece.shape[1] for piece in pieces], dim=1))
        batch = x.expand(len(values), *x.shape[1:])
        again = run(
            model, batch, [last.at, place], lambda t, *_: next(split) if t == place else None
        )
        scores = again.at(last.at)
        return scores[:, target] - (0 if against is None else scores[:, against])

    gradient, baseline, end, points = _integrate(score, start, z)
    missing = end - baseline - float(((z - start)[0] * gradient).sum())
    shares = []
    for part, channels, means, beyond, seen in swept:
        attributed = beyond * gradient[channels]
        totals = attributed.sum(dim=(2, 3))
        shares.append(
            KernelShares(
                layer=part.name,
                kernel=part.shape[2:],
                shared=bool(part.conv and part.conv.shared),
                contributions=totals.numpy(),
                maps=attributed.float().numpy(),
                ablated=_ablate(score, z, end, beyond, channels, totals),
                means=means.numpy(),
                baseline=baseline,
                missing=missing,
                points=points,
                samples=0 if seen is None else seen.samples,
                patches=beyond[0, 0].numel() if seen is None else len(seen.patches),
                curves=largest_curves(part, totals.numpy()),
            )
        )
    return shares


def _integrate(score: Score, start: Tensor, z: Tensor) -> tuple[Tensor, float, float, int]:
    """Return the mean gradient of the score from start to z, the scores there, and the points."""
    with torch.no_grad():
        baseline, end = score(torch.cat([start, z])).double().tolist()
    points = _FIRST_POINTS
    while True:
        total = torch.zeros_like(z[0])
        for some in torch.split((torch.arange(points) + 0.5) / points, _IMAGES_AT_ONCE):
            share = some.double()[:, None, None, None]
            path = (start + share * (z - start)).requires_grad_()
            with torch.enable_grad():
                [slope] = torch.autograd.grad(score(path).sum(), path)
            total += slope.sum(0)
        gradient = total / points
        missing = abs(end - baseline - float(((z - start)[0] * gradient).sum()))
        if missing <= _MAX_MISSING * max(abs(end - baseline), 1e-3) or points >= _MAX_POINTS:
            return gradient, baseline, end, points
        points *= 2


def _ablate(
    score: Score, z: Tensor, end: float, beyond: Tensor, channels: Tensor, totals: Tensor
) -> Float64:
    """Return by how much the score falls without each kernel, NaN where it is not tried."""
    falls = torch.full_like(totals, torch.nan).flatten()
    order = totals.abs().flatten().argsort(descending=True, stable=True)[:_MAX_ABLATIONS]
    with torch.no_grad():
        for some in order.split(_IMAGES_AT_ONCE):
            batch = z.repeat(len(some), 1, 1, 1)
            batch[torch.arange(len(some)), channels.flatten()[some]] -= beyond.flatten(0, 1)[some]
            falls[some] = end - score(batch).double()
    return falls.reshape(totals.shape).numpy()
