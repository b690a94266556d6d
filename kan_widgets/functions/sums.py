"""What the functions of a layer add up to at its inputs, Σφ, in double precision."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from kan_widgets.functions.basis import ReadBasis
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.plain import ConvSettings


def total_of(layer: LayerFunctions, x: Tensor, rows: slice = slice(None)) -> Tensor:
    """Return Σφ for each output, or some of a linear layer's, in double precision on the CPU."""
    x = x.to("cpu", torch.float64)
    coefficients = layer.part(rows).detach().to("cpu", torch.float64)
    index = None if layer.basis_index is None else layer.basis_index.to("cpu")[rows]
    if layer.kind == "elementwise":
        # The function of each group is applied to every value of its channels.
        along = x.movedim(layer.axis, 0).unflatten(0, (layer.shape[1], -1))
        numbers = [0] * len(along) if index is None else index[0].tolist()
        parts = [layer.bases[b](along[g]) @ coefficients[0, g] for g, b in enumerate(numbers)]
        return torch.cat(parts).movedim(0, layer.axis)
    if index is None:
        return _summed(layer, layer.bases[0], coefficients, x)
    total = torch.zeros((), dtype=torch.float64)
    for g, basis in enumerate(layer.bases):
        chosen = index == g
        own = coefficients * chosen.unsqueeze(-1)
        if layer.kind == "linear":
            # Only the inputs that have a function with this basis: there may be one for each.
            inputs = chosen.any(0)
            values = basis(x[..., inputs]).nan_to_num()
            total = total + torch.einsum("...ib,oib->...o", values, own[:, inputs])
        else:
            total = total + _summed(layer, basis, own, x)
    return total


def _summed(layer: LayerFunctions, basis: ReadBasis, coefficients: Tensor, x: Tensor) -> Tensor:
    if layer.kind == "linear":
        return torch.einsum("...ib,oib->...o", basis(x), coefficients)
    settings = layer.conv or ConvSettings()
    n, channels = x.shape[:2]
    if settings.shared:
        x = x.reshape(n * channels, 1, *x.shape[2:])
    mode = "constant" if settings.padding_mode == "zeros" else settings.padding_mode
    if not settings.pads_basis:
        x = F.pad(x, settings.padding, mode=mode)
    values = basis(x)
    if settings.pads_basis:  # NaN: planes beyond the border
        values = values.masked_fill(x.isnan().unsqueeze(-1), 0)
    values = values.movedim(-1, 2).flatten(1, 2)
    if settings.pads_basis:
        values = F.pad(values, settings.padding, mode=mode)
    weight = coefficients.movedim(-1, 2).flatten(1, 2)
    out = F.conv2d(values, weight, None, settings.stride, 0, settings.dilation, settings.groups)
    return out.reshape(n, -1, *out.shape[2:]) if settings.shared else out
