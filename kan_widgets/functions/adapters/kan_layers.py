"""Read this package's own layers."""

from typing import Any

from kan_widgets.functions.basis import LayerBasis
from kan_widgets.functions.recipes import Recipe
from kan_widgets.nn import KANConv2d, KANLayer, KANLinear, SharedKANConv2d


def refused(module: Any, index: tuple[int, ...]) -> str:
    """Say why a function cannot be set."""
    if module.mask is not None and not module.mask[index]:
        return f"function {index} was removed by prune: it is 0 until its entry of mask is True"
    if module.spline_scaler is not None and module.spline_scaler[index] == 0:
        return f"the spline scaler of function {index} is 0: its splines cannot be set"
    return ""


def overridden(module: Any) -> bool:
    """Say whether a layer computes its coefficients otherwise."""
    return type(module).coefficients is not KANLayer.coefficients or "coefficients" in vars(module)


for kind, kernel in ((KANLinear, ()), (KANConv2d, ("kh", "kw")), (SharedKANConv2d, ("kh", "kw"))):
    each = ("out", "in", *kernel)
    splines = {"spline_weight": (*each, "nb")}
    Recipe(
        {"base_weight": each, **splines, "spline_scaler?": each, "mask?": each},
        "spline_weight",
        lambda module: LayerBasis(module.basis, module.base_activation),
        base="base_weight",
        scale=("mask?", "spline_scaler?"),
        base_scale=("mask?",),
        conv=(lambda module: module) if kernel else None,
        shared=lambda module: isinstance(module, SharedKANConv2d),
        refused=refused,
        computed=lambda module: module.coefficients() if overridden(module) else None,
        steady=("basis", "base_activation"),
    ).register(kind, "kan_widgets")
