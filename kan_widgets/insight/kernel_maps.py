"""What each kernel of a convolution gives at each place, and on average."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from kan_widgets.functions import ConvSettings, LayerFunctions
from kan_widgets.functions.basis import ReadBasis
from kan_widgets.insight.kernels import Observed, check_observed
from kan_widgets.insight.tables import Float64

# Inputs whose basis functions are computed at a time.
_AT_ONCE = 50_000


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
    entries = in_ * kh * kw
    own = np.arange(outs) // max(1, outs // groups)  # the group of each output
    index = None if layer.basis_index is None else layer.basis_index.reshape(outs, -1).cpu().numpy()
    means = np.zeros((outs, entries))
    betas = [_mean_beta(basis, x).reshape(groups, entries, -1) for basis in layer.bases]
    for some, part in layer.pieces():
        for number, beta in enumerate(betas):
            mine = summed(part, beta[own[some]] if groups > 1 else beta)
            means[some] += mine if index is None else np.where(index[some] == number, mine, 0.0)
    result: Float64 = means.reshape(outs, in_, kh * kw).sum(axis=2)
    return result


def summed(coefficients: Tensor, beta: Float64) -> Float64:
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
    some = max(1, _AT_ONCE // max(1, len(x)))
    with torch.no_grad():
        means = [
            basis(part.contiguous()).to(torch.float64).mean(dim=0).nan_to_num()
            for part in torch.from_numpy(x).split(some, dim=1)
        ]
    mean: Float64 = torch.cat(means).numpy()
    return mean
