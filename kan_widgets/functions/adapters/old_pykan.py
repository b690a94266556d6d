"""Read pykan until 0.0.5 (KAN-GPT, KANbeFair): edges in a row, o·in + i, each with its grid.

Grids are extended as a layer runs; the ``biases`` of a network never run.
"""

from typing import Any

from kan_widgets.functions.grid_spline import GridSpline
from kan_widgets.functions.pykan_networks import register_network
from kan_widgets.functions.recipes import tensor_adapter


def _extended(module: Any, grid: tuple[float, ...]) -> GridSpline:
    """Return the splines on a grid and on as many steps beyond its ends as they need."""
    first, last, k = grid[0], grid[-1], module.k
    steps = [(last - first) / (len(grid) - 1) * j for j in range(1, k + 1)]
    return GridSpline((*(first - s for s in steps[::-1]), *grid, *(last + s for s in steps)), k)


_LAYER = tensor_adapter(
    "KANLayer",
    {
        "k": int,
        "base_fun": callable,
        **dict.fromkeys(("scale_base", "scale_sp", "mask"), ("out*in",)),
        "grid": ("out*in", "steps+1"),
        "coef": ("out*in", "steps+k"),
    },
    "coef",
    _extended,
    library="pykan ≤ 0.0.5",
    base="scale_base",
    activation=lambda module: module.base_fun,
    scale=("mask", "scale_sp"),
    base_scale=("mask",),
    grid=("grid",),
    sizes=lambda module: {"out": module.out_dim, "in": module.in_dim},
)
register_network("KAN", _LAYER, "pykan ≤ 0.0.5", lambda own: hasattr(own, "biases"))
