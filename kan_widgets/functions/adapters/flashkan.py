"""Read flashkan's ``KANLayer`` (PyPI): cubic splines on even knots, whatever its order says."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from kan_widgets.functions.activation import named_activation
from kan_widgets.functions.attributes import missing_tensors
from kan_widgets.functions.basis import LayerBasis, ReadBasis
from kan_widgets.functions.gradients import term_gradients
from kan_widgets.functions.grid_spline import GridSpline
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.registry import register_adapter
from kan_widgets.functions.remembered import floats, remembered
from kan_widgets.functions.terms import set_term, terms_of


def problem_of_layer(module: nn.Module) -> str:
    """Say what the module lacks to be flashkan's layer."""
    missing = missing_tensors(
        module,
        {
            "spline_weight": ("out", "in", "nb"),
            "base_weight": ("out", "in"),
            "grid_starts": ("nb",),
        },
    )
    return missing or problem_of_settings(module)


def problem_of_settings(module: nn.Module) -> str:
    """Say which of the settings that flashkan and inkan share is missing."""
    if not isinstance(getattr(module, "inv_h", None), float):
        return "inv_h is missing"
    if not callable(getattr(module, "base_activation", None)):
        return "base_activation is missing"
    return ""


def cubic_basis(module: Any) -> ReadBasis:
    """Return the basis of a layer with ``grid_starts`` and ``inv_h``."""
    activation = named_activation(module.base_activation)

    def make() -> ReadBasis:
        start, *others = floats(module.grid_starts)
        step, nb = 1 / module.inv_h, 1 + len(others)
        knots = tuple(start + step * j for j in range(nb + 4))
        return LayerBasis(GridSpline(knots, 3), activation)

    return remembered(module, "grid", [module.grid_starts], (module.inv_h, activation), make)


def read_layer(module: Any) -> LayerFunctions:
    """Read flashkan's ``KANLayer``."""
    order = module.spline_order
    return LayerFunctions(
        "linear",
        terms_of(module.base_weight, module.spline_weight),
        (cubic_basis(module),),
        write=partial(_write, module),
        gradient=lambda: term_gradients(module.base_weight, module.spline_weight),
        note="" if order == 3 else f"The splines are cubic although spline_order is {order}.",
    )


def _write(module: Any, index: tuple[int, ...], coefficients: Tensor) -> None:
    set_term(module.base_weight.detach()[index], coefficients[0], None, "")
    set_term(module.spline_weight.detach()[index], coefficients[1:], None, "")


register_adapter("KANLayer", read_layer, library="flashkan", problem=problem_of_layer)
