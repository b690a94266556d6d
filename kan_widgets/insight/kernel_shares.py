"""How the kernels of one convolution share the score of a class.

In front of the last layer a score is no sum of functions, and a share needs a definition. Here the
kernels of a layer are taken from their usual response, the mean, to their response to this image
along a straight line, and the change of the score is divided along the way by its gradient:
integrated gradients (Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", ICML
2017) over the responses of one layer. The shares of a layer then add up to the whole change. What
they are not: the effect of removing a single kernel, which is computed beside them by actually
putting its mean in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from kan_widgets.functions import ConvSettings, LayerFunctions
from kan_widgets.functions.basis import ReadBasis
from kan_widgets.insight.kernels import Observed, check_observed
from kan_widgets.insight.running import Run, Stage, run
from kan_widgets.insight.tables import Float64

# Inputs whose basis functions are computed at a time.
_INPUTS_AT_ONCE = 50_000


@dataclass(frozen=True, eq=False)
class KernelMaps:
    """The responses of the kernels of a layer to one image.

    A kernel is (out, in); where kernels are shared by all channels, (kernel, channel it is
    applied to).
    """

    maps: Tensor
    """``(out, in, height, width)``."""
    shared: bool

    def channel(self, out: int, in_: int) -> int:
        """Return the output channel that a kernel adds to."""
        return in_ * self.maps.shape[0] + out if self.shared else out

    def sum_to_channels(self, maps: Tensor) -> Tensor:
        """Return what kernels of such maps give together: ``(1, channels, height, width)``."""
        if self.shared:
            return maps.transpose(0, 1).flatten(0, 1)[None]
        return maps.sum(dim=1)[None]

    def of_channels(self, values: Tensor) -> Tensor:
        """Give each kernel the values, ``(channels, height, width)``, of its output channel."""
        out, in_ = self.maps.shape[:2]
        if self.shared:
            return values.reshape(in_, out, *values.shape[1:]).transpose(0, 1)
        return values[:, None].expand(-1, in_, -1, -1)

    def spread(self, means: Tensor) -> Tensor:
        """Give each kernel its mean, ``(out, in)``, where kernels are shared on each channel."""
        return means.expand(-1, self.maps.shape[1]) if self.shared else means


def kernel_maps(layer: LayerFunctions, x: Tensor) -> KernelMaps:
    """Sweep every kernel of a convolution over one image.

    Parameters
    ----------
    layer
        With ``conv`` known.
    x
        ``(1, channels, height, width)``, what the functions take.
    """
    settings = layer.conv or ConvSettings()
    coefficients = layer.coefficients.detach().to("cpu", torch.float64)
    index = None if layer.basis_index is None else layer.basis_index.cpu()
    mode = "constant" if settings.padding_mode == "zeros" else settings.padding_mode
    if not settings.pads_basis:
        x = F.pad(x, settings.padding, mode=mode)
    channels, groups = x.shape[1], settings.groups
    total: Tensor | None = None
    for number, basis in enumerate(layer.bases):
        chosen = coefficients
        if index is not None:
            chosen = coefficients * (index == number).unsqueeze(-1)
        # Each channel by itself: a group of the convolution, with the kernels that see it.
        if settings.shared:
            kernels = chosen[None, :, 0].expand(channels, *chosen[:, 0].shape)
        else:
            kernels = chosen.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)
        with torch.no_grad():
            values = basis(x).to(torch.float64).movedim(-1, 2).flatten(1, 2)
            if settings.pads_basis:
                values = F.pad(values, settings.padding, mode=mode)
            weight = kernels.movedim(-1, 2).flatten(0, 1)
            moves = settings.stride, 0, settings.dilation, channels
            maps = F.conv2d(values, weight, None, *moves)[0].unflatten(0, (channels, -1))
        total = maps if total is None else total + maps
    assert total is not None
    if settings.shared:
        return KernelMaps(total.transpose(0, 1), True)
    return KernelMaps(total.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1), False)


def mean_responses(layer: LayerFunctions, observed: Observed) -> Float64:
    """Return the mean over observed inputs of each kernel, or function of a linear layer.

    ``(out, in)``; where kernels are shared ``in`` is 1.

    Raises
    ------
    TypeError, ValueError
        As `check_observed`.
    """
    x = check_observed(layer, observed)
    outs, in_, kh, kw = layer.shape
    groups = layer.conv.groups if layer.conv is not None else 1
    betas = [_mean_beta(basis, x).reshape(groups, in_ * kh * kw, -1) for basis in layer.bases]
    result: Float64 = contracted(layer, betas).reshape(outs, in_, kh * kw).sum(axis=2)
    return result


def contracted(layer: LayerFunctions, betas: Sequence[Float64]) -> Float64:
    """Return φ at one β of each entry, ``(out, entries)``, some outputs at a time.

    Parameters
    ----------
    layer
        The functions.
    betas
        Of each basis ``(groups, entries, nb)``.
    """
    outs = layer.shape[0]
    groups, entries, _ = betas[0].shape
    own = np.arange(outs) // max(1, outs // groups)  # the group of each output
    index = None if layer.basis_index is None else layer.basis_index.reshape(outs, -1).cpu().numpy()
    found = np.zeros((outs, entries))
    for some, part in layer.pieces():
        for number, beta in enumerate(betas):
            mine = _summed(part, beta[own[some]] if groups > 1 else beta)
            found[some] += mine if index is None else np.where(index[some] == number, mine, 0.0)
    return found


def _summed(coefficients: Tensor, beta: Float64) -> Float64:
    """Return Σ_b C_b·β_b in double precision: of ``(outs, ..., nb)`` what is ``(outs, entries)``.

    Parameters
    ----------
    coefficients
        Of some outputs.
    beta
        ``(outs or 1, entries, nb)``, or without the first axis.
    """
    nb = coefficients.shape[-1]
    with torch.no_grad():
        own = coefficients.to("cpu", torch.float64).reshape(len(coefficients), -1, nb)
        # A product with ones: several times as quick as a sum over an axis as short as this one.
        products = (own * torch.from_numpy(beta)).reshape(-1, nb)
        total: Float64 = torch.mv(products, products.new_ones(nb)).reshape(own.shape[:2]).numpy()
    return total


def _mean_beta(basis: ReadBasis, x: Float64) -> Float64:
    """Return the mean of β over the rows of x, ``(columns, nb)``."""
    some = max(1, _INPUTS_AT_ONCE // max(1, len(x)))
    with torch.no_grad():
        means = [
            basis(part.contiguous()).to(torch.float64).mean(dim=0).nan_to_num()
            for part in torch.from_numpy(x).split(some, dim=1)
        ]
    mean: Float64 = torch.cat(means).numpy()
    return mean


Float32 = NDArray[np.float32]
Score = Callable[[Tensor], Tensor]

# Points of the path from the means to the image; doubled until the shares add up.
_FIRST_POINTS, _MOST_POINTS = 32, 512
_MISSING = 0.005
# Images that run through the model at a time.
_IMAGES_AT_ONCE = 64
# Kernels of a layer that are really replaced by their means, those with the largest shares.
_MOST_ABLATIONS = 512


@dataclass(frozen=True, eq=False)
class KernelShares:
    """How the kernels of one convolution share the change of the score from their means.

    score = ``baseline`` + Σ ``contributions`` + ``missing``. A kernel is (out, in); where kernels
    are shared by all channels, (kernel, channel it is applied to).
    """

    layer: str
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


class NotDivided(Exception):
    """Why the score is not divided among the kernels of a layer."""


def kernel_shares(
    model: nn.Module,
    x: Tensor,
    stage: Stage,
    last: Stage,
    found: Run,
    target: int,
    observed: Mapping[str, Observed] | None,
) -> list[KernelShares]:
    """Divide the change of the score of one class among the kernels of a stage.

    Parameters
    ----------
    model, x
        In evaluation mode, and the image as a batch of one.
    stage, last
        The convolution, and the layer that gives the scores.
    found
        What passed at their taps when the model ran on ``x``.
    target
        The class.
    observed
        The inputs that usual responses are means over, by layer name; see `explain`.

    Raises
    ------
    NotDivided
        If the kernels' sums are not what passes at the stage.
    """
    place = stage.at
    pieces = found.passed[place]
    if place.joined != "cat" or len(pieces) != len(dict.fromkeys(place.modules)):
        raise NotDivided("its module ran several times")
    if any(part.conv is None for part in stage.parts):
        raise NotDivided("it is not known how they move over the image")
    z = found.input(place).double().cpu()
    if z.ndim != 4:
        raise NotDivided(f"it gave {tuple(z.shape)}")
    maps, means, seen = [], [], []
    for part, tap in zip(stage.parts, stage.inputs, strict=True):
        maps.append(kernel_maps(part, found.input(tap).double().cpu()))
        inputs = None if observed is None else observed.get(part.name)
        seen.append(inputs)
        if inputs is None:
            means.append(maps[-1].maps.mean(dim=(2, 3)))
        else:
            means.append(maps[-1].spread(torch.from_numpy(mean_responses(part, inputs))))
    total = sum(m.sum_to_channels(m.maps) for m in maps)
    assert isinstance(total, Tensor)
    rest = z - total
    off = rest - rest.mean(dim=(2, 3), keepdim=True)
    if float(off.abs().max()) > 1e-3 * max(1.0, float(z.abs().max())):
        raise NotDivided("they do not add up to what it gave")
    # From the means to the image; what is added to the sums, such as a bias, stays.
    start = sum(
        m.sum_to_channels(mean[:, :, None, None].expand_as(m.maps))
        for m, mean in zip(maps, means, strict=True)
    )
    assert isinstance(start, Tensor)
    start = start + rest

    def score(values: Tensor) -> Tensor:
        """Return the score for ``(n, channels, h, w)`` in place of z."""
        split = values.to(x).split([piece.shape[1] for piece in pieces], dim=1)
        batch = x.expand(len(values), *x.shape[1:])
        again = run(model, batch, [last.at], (place, list(split)))
        scores = again.at(last.at)
        assert scores is not None
        return scores[:, target]

    gradient, baseline, end, points = _integrate(score, start, z)
    missing = end - baseline - float(((z - start)[0] * gradient).sum())
    shares = []
    for part, m, mean, inputs in zip(stage.parts, maps, means, seen, strict=True):
        attributed = (m.maps - mean[:, :, None, None]) * m.of_channels(gradient)
        totals = attributed.sum(dim=(2, 3))
        shares.append(
            KernelShares(
                layer=part.name,
                contributions=totals.numpy(),
                maps=attributed.float().numpy(),
                ablated=_ablate(score, z, end, m, mean, totals),
                means=mean.numpy(),
                baseline=baseline,
                missing=missing,
                points=points,
                samples=0 if inputs is None else inputs.samples,
                patches=m.maps[0, 0].numel() if inputs is None else len(inputs.patches),
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
        added = float(((z - start)[0] * gradient).sum())
        if abs(end - baseline - added) <= _MISSING * max(abs(end - baseline), 1e-3):
            return gradient, baseline, end, points
        if points >= _MOST_POINTS:
            return gradient, baseline, end, points
        points *= 2


def _ablate(
    score: Score, z: Tensor, end: float, m: KernelMaps, mean: Tensor, totals: Tensor
) -> Float64:
    """Return by how much the score falls without each kernel, NaN where it is not tried."""
    falls: Float64 = np.full(totals.shape, np.nan)
    order = totals.abs().flatten().argsort(descending=True, stable=True)[:_MOST_ABLATIONS]
    with torch.no_grad():
        for some in order.split(_IMAGES_AT_ONCE):
            batch = z.repeat(len(some), 1, 1, 1)
            places = []
            for k, number in enumerate(some.tolist()):
                out, in_ = divmod(number, totals.shape[1])
                channel = m.channel(out, in_)
                batch[k, channel] += mean[out, in_] - m.maps[out, in_]
                places.append((out, in_))
            for (out, in_), value in zip(places, score(batch).double().tolist(), strict=True):
                falls[out, in_] = end - value
    return falls
