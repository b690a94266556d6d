"""KAN layers and networks for PyTorch: the model core, without widgets.

Every layer is a coefficient tensor times one basis that all its functions share: B-splines, or
another family. `update_grid`, `refine`, `prune` and `regularization` are methods of the
layers, and functions for whole models.
"""

from kan_widgets.nn.bases.basis import Basis
from kan_widgets.nn.bases.bspline import BSpline
from kan_widgets.nn.bases.chebyshev import Chebyshev
from kan_widgets.nn.bases.fourier import Fourier
from kan_widgets.nn.bases.knot_spline import KnotSpline
from kan_widgets.nn.bases.rbf import RBF
from kan_widgets.nn.changes.pruning import Pruning
from kan_widgets.nn.changes.whole_models import prune, refine, regularization, update_grid
from kan_widgets.nn.compiled.native import kernels_info, use_compiled
from kan_widgets.nn.conv import KANConv2d, SharedKANConv2d
from kan_widgets.nn.conv_nd import KANConv1d, KANConv3d
from kan_widgets.nn.layer import KANLayer
from kan_widgets.nn.linear import KANLinear
from kan_widgets.nn.models import CNN, KANCNN, MLP, count_parameters

__all__ = [
    "CNN",
    "KANCNN",
    "MLP",
    "RBF",
    "BSpline",
    "Basis",
    "Chebyshev",
    "Fourier",
    "KANConv1d",
    "KANConv2d",
    "KANConv3d",
    "KANLayer",
    "KANLinear",
    "KnotSpline",
    "Pruning",
    "SharedKANConv2d",
    "count_parameters",
    "kernels_info",
    "prune",
    "refine",
    "regularization",
    "update_grid",
    "use_compiled",
]
