"""Read torch-conv-kan's layers of splines and Gaussians."""

from numbers import Real

from kan_widgets.functions.adapters.efficient_kan import adapter
from kan_widgets.functions.adapters.torch_conv_kan import LIBRARY, convolution
from kan_widgets.functions.grid_spline import GridSpline
from kan_widgets.functions.smooth_bases import Gaussian

_CONV = "spline_conv.*.weight"
convolution(
    "KANConv2DLayer",
    {"spline_order": int, _CONV: ("groups*out", "in*nb", ...), "grid": ("nb+spline_order+1",)},
    _CONV,
    lambda module, knots: GridSpline(knots, module.spline_order),
    grid=("grid",),
)
convolution(
    "FastKANConv2DLayer",
    {"rbf.denominator": Real, "rbf.grid": ("nb",), _CONV: ("groups*out", "in*nb", ...)},
    _CONV,
    lambda module, centres: Gaussian(centres, float(module.rbf.denominator)),
    grid=("rbf.grid",),
    norm="layer_norm",
    apart=("spline_conv", "base_conv"),
    after="",
)
adapter(
    "KANLayer",
    "",
    lambda module: module,
    ("out", "in"),
    "in",
    library=LIBRARY,
    after="layer_norm",
)
