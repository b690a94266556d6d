"""Read the spline network ``KAN`` of 1ssb/torchkan: one module, with lists of weights."""

from functools import cache

from torch import nn

from kan_widgets.functions.grid_spline import GridSpline
from kan_widgets.functions.module_tensors import Recipe
from kan_widgets.functions.recipes import register_recipes


@cache
def layer(k: int) -> Recipe:
    """Return the recipe of layer ``k`` of the network."""
    base, splines, grid = f"base_weights.{k}", f"spline_weights.{k}", f"grid_{k}"
    return Recipe(
        {
            "spline_order": int,
            "base_activation": callable,
            base: ("out", "in"),
            splines: ("out", "in", "nb"),
            grid: ("in", "nb+spline_order+1"),
        },
        splines,
        lambda module, knots: GridSpline(knots, module.spline_order),
        base=base,
        grid=(grid,),
        name=splines,
        x_from=f"prelus.{k - 1}" if k else "",
        after=f"layer_norms.{k}",
    )


register_recipes(
    "KAN",
    lambda module: [layer(k) for k in range(len(module.spline_weights))],
    "torchkan",
    # Other networks of this name are made of layers.
    resembles=lambda own: isinstance(getattr(own, "spline_weights", None), nn.ParameterList),
)
