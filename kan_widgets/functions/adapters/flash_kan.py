"""Read the ``FlashKAN`` of dinesh110598/FlashKAN: splines that end, with a jump, with the grid.

φ = Σ_b w[b]·B_b + w[-1]·act, where the first and the last knot of the splines are k-fold.
"""

from kan_widgets.functions.grid_spline import GridSpline
from kan_widgets.functions.recipes import tensor_adapter
from kan_widgets.functions.remembered import floats

tensor_adapter(
    "FlashKAN",
    {"w": ("rows", "in", "out"), "t": ("knots",)},
    lambda get: get("w")[:-1].permute(2, 1, 0),
    lambda module: GridSpline(tuple(floats(module.t)), module.k - 1),
    library="FlashKAN",
    base=lambda get: get("w")[-1].T,
    activation=lambda module: module.act,
    depends=("t",),
    needs=lambda module: (
        ""
        if len(module.t) - getattr(module, "k", 0) == len(module.w) - 1
        else "t does not have as many knots as w has splines of order k"
    ),
)
