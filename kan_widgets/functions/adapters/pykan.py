"""Read pykan's ``KANLayer`` and ``MultKAN``, also called ``KAN`` (PyPI).

φ = mask·(scale_base·base + scale_sp·Σ coef_b·B_b), with a row of knots per input; where an edge of
a network is symbolic, plus or instead c·f(a·x + b) + d.
"""

from functools import partial

from kan_widgets.functions.grid_spline import GridSpline
from kan_widgets.functions.pykan_networks import problem_of_network, register_network
from kan_widgets.functions.recipes import tensor_adapter

_EDGES = ("in", "out")
_LAYER = tensor_adapter(
    "KANLayer",
    {
        "k": int,
        "base_fun": callable,
        "coef": (*_EDGES, "nb"),
        **dict.fromkeys(("scale_base", "scale_sp", "mask"), _EDGES),
        "grid": ("in", "nb+k+1"),
    },
    "coef",
    lambda module, knots: GridSpline(knots, module.k),
    library="pykan",
    base="scale_base",
    activation=lambda module: module.base_fun,
    scale=("mask", "scale_sp"),
    base_scale=("mask",),
    grid=("grid",),
)
problem_of_model = partial(problem_of_network, _LAYER)
register_network("MultKAN", _LAYER, "pykan", lambda module: True)
