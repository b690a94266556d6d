"""Read efficient-kan's ``KANLinear`` (Blealtan/efficient-kan), and copies of its file.

φ = base_weight·act + spline_scaler·Σ spline_weight_b·B_b, with a row of knots per input.
"""

from typing import Any

from kan_widgets.functions.grid_spline import GridSpline
from kan_widgets.functions.module_tensors import Recipe
from kan_widgets.functions.recipes import tensor_adapter


def unsure(module: Any) -> str:
    """Say what is wrong if a layer does not say whether its splines are scaled."""
    scaled = getattr(module, "spline_scaler", None) is not None
    if bool(getattr(module, "enable_standalone_scale_spline", scaled)) == scaled:
        return ""
    return "enable_standalone_scale_spline does not say whether there is a spline_scaler"


def adapter(name: str, at: str, of: Any, axes: tuple[str, ...], *rows: str, **how: Any) -> Recipe:
    """Register a layer whose tensors lie ``at`` a path: weights by ``axes``, knots by ``rows``."""
    needed: dict[str, Any] = {"spline_order": int, "base_activation": callable, "base_weight": axes}
    needed |= {"spline_weight": (*axes, "nb"), "spline_scaler?": axes}
    needed |= {"grid": (*rows, "nb+spline_order+1")}
    return tensor_adapter(
        name,
        {at + path: need for path, need in needed.items()},
        at + "spline_weight",
        lambda module, knots: GridSpline(knots, of(module).spline_order),
        base=at + "base_weight",
        activation=lambda module: of(module).base_activation,
        scale=(at + "spline_scaler?",),
        grid=(at + "grid",),
        **{"needs": lambda module: unsure(of(module)), **how},
    )


adapter("KANLinear", "", lambda own: own, ("out", "in"), "in", library="efficient-kan")
