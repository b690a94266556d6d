"""Read this package's own layers."""

from kan_widgets.functions.basis import LayerBasis
from kan_widgets.functions.recipes import tensor_adapter
from kan_widgets.nn import KANConv2d, KANLinear, SharedKANConv2d

for kind, kernel in ((KANLinear, ()), (KANConv2d, ("kh", "kw")), (SharedKANConv2d, ("kh", "kw"))):
    each = ("out", "in", *kernel)
    splines = {"spline_weight": (*each, "nb")}
    tensor_adapter(
        kind,
        {"base_weight": each, **splines, "spline_scaler?": each, "mask?": each},
        "spline_weight",
        lambda module: LayerBasis(module.basis, module.base_activation),
        base="base_weight",
        scale=("mask?", "spline_scaler?"),
        base_scale=("mask?",),
        conv=(lambda module: module) if kernel else None,
        shared=lambda module: isinstance(module, SharedKANConv2d),
        steady=("basis", "base_activation"),
        library="kan_widgets",
    )
