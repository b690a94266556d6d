"""How large the functions of a layer are, |φ|₁, the mean of |φ(x)|; and the penalty on that."""

from __future__ import annotations

import torch
from torch import Tensor

from kan_widgets.nn.activation import resolve_activation
from kan_widgets.nn.core import LayerCore

#: Numbers computed at once.
_PIECE = 4_000_000
#: Points that the domain is measured at.
_POINTS = 64


def mean_magnitudes(layer: LayerCore, seen: Tensor) -> Tensor:
    """Return the mean of |φ(x)| for every function, differentiably.

    Parameters
    ----------
    layer
        The layer.
    seen
        ``(n, groups, *base_weight.shape[1:])``: what the functions see, see `KANLayer.seen`.

    Returns
    -------
    Tensor
        Of the shape of ``base_weight``.
    """
    n, groups = seen.shape[:2]
    coefficients = layer.coefficients()
    nb = coefficients.shape[-1]
    grouped = coefficients.reshape(groups, -1, seen[0, 0].numel(), nb)
    places = grouped.shape[2]
    total = coefficients.new_zeros(grouped.shape[:-1])
    each = max(1, _PIECE // max(1, grouped[..., 0].numel()))
    for part in seen.reshape(n, groups, places).split(each):
        phi = torch.einsum("ngkb,gokb->ngok", _columns(layer, part), grouped)
        total = total + phi.abs().sum(0)
    return (total / n).reshape(layer.base_weight.shape)


def _columns(layer: LayerCore, x: Tensor) -> Tensor:
    base = resolve_activation(layer.base_activation)(x).unsqueeze(-1)
    return torch.cat([base, layer.basis.expand(x)], dim=-1)


def regularization(layer: LayerCore, seen: Tensor | None, l1: float, entropy: float) -> Tensor:
    """Return the weighted L1 norm and entropy of a layer; see `KANLayer.regularization`.

    ``seen`` is what the functions see; without it they are measured over the basis's domain.
    """
    if seen is None:
        weight = layer.coefficients()
        low, high = layer.basis.domain
        x = torch.linspace(low, high, _POINTS, dtype=weight.dtype, device=weight.device)
        sizes = (weight @ _columns(layer, x).T).abs().mean(-1)
    else:
        sizes = mean_magnitudes(layer, seen)
    total = sizes.sum()
    # Of a layer that is 0 everywhere, or a function, neither value nor gradient is NaN.
    share = sizes / torch.where(total > 0, total, 1)
    present = share > 0
    surprise = torch.where(present, share, 1).log()
    return l1 * total - entropy * (share * surprise).sum()
