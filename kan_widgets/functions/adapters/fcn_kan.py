"""Read the ``KANInterpoLayer`` of Zhangyanbo/FCN-KAN: straight pieces between even points.

Beyond its points a function falls to 0 within one more piece. What the repository calls
``KANLayer``, a small network for each function, has no coefficients and is sampled.
"""

from typing import Any

from kan_widgets.functions.grid_spline import GridSpline
from kan_widgets.functions.recipes import tensor_adapter


def hats(module: Any, points: tuple[float, ...]) -> GridSpline:
    """Return the functions that are 1 at one of the points and 0 at all others."""
    width = points[1] - points[0]
    return GridSpline((points[0] - width, *points, points[-1] + width), 1)


tensor_adapter(
    "KANInterpoLayer",
    {"X": ("nb",), "Y": ("in", "out", "nb")},
    "Y",
    hats,
    library="FCN-KAN",
    grid=("X",),
    needs=lambda module: "X has a single point" if len(module.X) < 2 else "",
)
