"""Read the ``FastKANLayer`` of ZiyaoLi/fast-kan: Gaussians of LayerNorm(x), and a base of x.

The functions of the normalised x and those of x itself are read as two layers.
"""

from numbers import Real

from kan_widgets.functions.recipes import tensor_adapter
from kan_widgets.functions.smooth_bases import Gaussian

tensor_adapter(
    "FastKANLayer",
    {
        "rbf.denominator": Real,
        "use_base_update": bool,
        "rbf.grid": ("nb",),
        "spline_linear.weight": ("out", "in*nb"),
        "base_linear.weight?": ("out", "in"),
    },
    "spline_linear.weight",
    lambda module, centres: Gaussian(centres, float(module.rbf.denominator)),
    library="fast-kan",
    base="base_linear.weight?",
    bias="base_linear.bias",
    grid=("rbf.grid",),
    norm="layernorm",
    apart=("spline_linear", "base_linear"),
)
