"""Read pykan's ``KANLayer`` until 0.0.5 (KAN-GPT, KANbeFair): edges in a row, o·in + i.

φ = mask·(scale_base·base + scale_sp·Σ coef_b·B_b), on a grid that it extends as it runs.
"""

from typing import Any

import torch

from kan_widgets.functions.activation import named_activation
from kan_widgets.functions.attributes import missing_tensors
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.registry import register_adapter
from kan_widgets.functions.remembered import grid_bases
from kan_widgets.functions.terms import terms_of


def problem_of_layer(module: Any) -> str:
    """Say what the module lacks to be this layer."""
    rows = {name: ("edges",) for name in ("scale_base", "scale_sp", "mask")}
    tensors = {"coef": ("edges", "nb"), "grid": ("edges", "knots"), **rows}
    if missing := missing_tensors(module, tensors):
        return missing
    return "" if module.coef.shape[1] == module.grid.shape[1] - 1 + module.k else "wrong k"


def read_layer(module: Any) -> LayerFunctions:
    """Read the layer."""
    shape, k, grid = (module.out_dim, module.in_dim), module.k, module.grid.detach()
    base, splines, mask = (t.detach() for t in (module.scale_base, module.scale_sp, module.mask))
    step = (grid[:, -1:] - grid[:, :1]) / (grid.shape[1] - 1)
    steps = step * torch.arange(1, k + 1).to(grid)
    knots = torch.cat([grid[:, :1] - steps.flip(1), grid, grid[:, -1:] + steps], dim=1)
    activation = named_activation(module.base_fun)
    bases, index = grid_bases(module, [knots], k, activation, shape, lambda r: r.view(shape))
    rows = (t.unflatten(0, shape) for t in (mask * base, module.coef, mask * splines))
    return LayerFunctions("linear", terms_of(*rows), bases, index)


register_adapter("KANLayer", read_layer, library="pykan ≤ 0.0.5", problem=problem_of_layer)
