"""Read the ``FlashKAN`` of dinesh110598/FlashKAN: splines that end, with a jump, with the grid.

φ = Σ_b w[b]·B_b + w[-1]·act, where the first and the last knot of the splines are k-fold.
"""

from kan_widgets.functions.grid_spline import GridSpline
from kan_widgets.functions.recipes import tensor_adapter

tensor_adapter(
    "FlashKAN",
    {"k": int, "act": callable, "w": ("nb+1", "in", "out"), "t": ("nb+k",)},
    lambda get: get("w")[:-1].permute(2, 1, 0),
    lambda module, knots: GridSpline(knots, module.k - 1),
    library="FlashKAN",
    base=lambda get: get("w")[-1].T,
    activation=lambda module: module.act,
    grid=("t",),
)
