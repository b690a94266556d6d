"""Read the ``FasterKANLayer`` of AthanasiosDelis/faster-kan: switches of LayerNorm(x).

Its inverse denominator only scales gradients: the forward pass ignores it. The one in Vision-KAN's
file acts, and is a plain number.
"""

from torch import Tensor

from kan_widgets.functions.recipes import tensor_adapter
from kan_widgets.functions.smooth_bases import ReflectionalSwitch

for library, kind in (("faster-kan", Tensor), ("Vision-KAN", float)):
    tensor_adapter(
        "FasterKANLayer",
        {
            "rbf.inv_denominator": kind,
            "rbf.grid": ("nb",),
            "spline_linear.weight": ("out", "in*nb"),
        },
        "spline_linear.weight",
        lambda module, centres, kind=kind: ReflectionalSwitch(
            centres, 1 / module.rbf.inv_denominator if kind is float else 1.0
        ),
        library=library,
        grid=("rbf.grid",),
        norm="layernorm",
    )
