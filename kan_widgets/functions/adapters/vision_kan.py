"""Read the ``FasterKANLayer`` that Vision-KAN has: switches of a width of LayerNorm(x)."""

from __future__ import annotations

from kan_widgets.functions.recipes import tensor_adapter
from kan_widgets.functions.remembered import floats
from kan_widgets.functions.smooth import ReflectionalSwitch

tensor_adapter(
    "FasterKANLayer",
    {"rbf.grid": ("nb",), "spline_linear.weight": ("out", "columns")},
    lambda get: get("spline_linear.weight").unflatten(1, (-1, len(get("rbf.grid")))),
    lambda module: ReflectionalSwitch(floats(module.rbf.grid), 1 / module.rbf.inv_denominator),
    library="Vision-KAN",
    depends=("rbf.grid",),
    norm="layernorm",
    needs=lambda module: (
        ""
        if isinstance(getattr(module.rbf, "inv_denominator", None), float)
        else "rbf.inv_denominator is no number"
    ),
)
