"""Read flashkan's ``KANLayer`` (PyPI): cubic splines on even knots, whatever its order says."""

from typing import Any

from kan_widgets.functions.grid_spline import GridSpline
from kan_widgets.functions.recipes import tensor_adapter

KNOWN: dict[str, Any] = {"inv_h": float, "base_activation": callable, "grid_starts": ("nb",)}


def cubic(module: Any, starts: tuple[float, ...]) -> GridSpline:
    """Return the cubic splines of an input, of which a layer keeps where each starts."""
    step = 1 / module.inv_h
    return GridSpline(tuple(starts[0] + step * j for j in range(len(starts) + 4)), 3)


tensor_adapter(
    "KANLayer",
    {**KNOWN, "spline_weight": ("out", "in", "nb"), "base_weight": ("out", "in")},
    "spline_weight",
    cubic,
    library="flashkan",
    base="base_weight",
    grid=("grid_starts",),
    note=lambda module: (
        ""
        if module.spline_order == 3
        else f"The splines are cubic although spline_order is {module.spline_order}."
    ),
)
