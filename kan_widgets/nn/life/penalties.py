"""The KAN paper's regularization: functions should be small, and few."""

from __future__ import annotations

import torch
from torch import Tensor

from kan_widgets.nn.core import LayerCore
from kan_widgets.nn.life.inputs import Inputs
from kan_widgets.nn.life.magnitude import mean_magnitudes, mean_magnitudes_on_the_domain
from kan_widgets.nn.life.pruning import all_seen

_POINTS = 64


def regularization(layer: LayerCore, batch: Inputs | None, l1: float, entropy: float) -> Tensor:
    """Return the weighted L1 norm and entropy of a layer; see `KANLayer.regularization`."""
    if batch is None:
        sizes = mean_magnitudes_on_the_domain(layer, _POINTS)
    else:
        sizes = mean_magnitudes(layer, all_seen(layer, batch))
    total = sizes.sum()
    # Of a layer that is 0 everywhere, or a function, neither value nor gradient is NaN.
    share = sizes / torch.where(total > 0, total, 1)
    present = share > 0
    surprise = torch.where(present, share, 1).log()
    return l1 * total - entropy * (share * surprise).sum()
