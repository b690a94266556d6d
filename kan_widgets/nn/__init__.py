"""KAN layers and networks for PyTorch: the model core, without widgets.

Every layer is a coefficient tensor times one B-spline basis that all its functions share.
"""

from __future__ import annotations

from kan_widgets.nn.bspline import BSpline
from kan_widgets.nn.conv import KANConv2d, SharedKANConv2d
from kan_widgets.nn.linear import KANLinear
from kan_widgets.nn.models import CNN, KANCNN, MLP, count_parameters

__all__ = [
    "CNN",
    "KANCNN",
    "MLP",
    "BSpline",
    "KANConv2d",
    "KANLinear",
    "SharedKANConv2d",
    "count_parameters",
]
