"""Read efficient-kan's ``KANLinear`` (Blealtan/efficient-kan), and copies of its file.

φ = base_weight·act + spline_scaler·Σ spline_weight_b·B_b, with a row of knots per input.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from kan_widgets.functions.activation import named_activation
from kan_widgets.functions.attributes import missing_knots, missing_tensors
from kan_widgets.functions.gradients import term_gradients
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.registry import register_adapter
from kan_widgets.functions.remembered import grid_bases
from kan_widgets.functions.terms import set_term, terms_of


def problem_of_linear(module: nn.Module) -> str:
    """Say what the module lacks to be efficient-kan's layer."""
    shapes: dict[str, tuple[int | str, ...]] = {
        "base_weight": ("out", "in"),
        "spline_weight": ("out", "in", "nb"),
        "grid": ("in", "knots"),
    }
    if getattr(module, "spline_scaler", None) is not None:
        shapes["spline_scaler"] = ("out", "in")
    return problem_of_splines(module, shapes)


def problem_of_splines(
    module: nn.Module,
    shapes: dict[str, tuple[int | str, ...]],
    sizes: dict[str, int] | None = None,
) -> str:
    """Say what the module lacks of efficient-kan's attributes in these shapes."""
    sizes = {} if sizes is None else sizes
    if missing := missing_tensors(module, shapes, sizes):
        return missing
    order = getattr(module, "spline_order", None)
    if not isinstance(order, int):
        return "spline_order is missing"
    if not callable(getattr(module, "base_activation", None)):
        return "base_activation is missing"
    scaled = bool(getattr(module, "enable_standalone_scale_spline", "spline_scaler" in shapes))
    if scaled != ("spline_scaler" in shapes):
        return "enable_standalone_scale_spline does not say whether there is a spline_scaler"
    return missing_knots(module, "grid", sizes, order)


def read_linear(module: Any) -> LayerFunctions:
    """Read efficient-kan's ``KANLinear``."""
    base, splines, scaler = terms(module)
    bases, index = grid_bases(
        module,
        [module.grid],
        module.spline_order,
        named_activation(module.base_activation),
        tuple(base.shape),
        lambda rows: rows,
    )
    return LayerFunctions(
        "linear",
        terms_of(base, splines, scaler),
        bases,
        index,
        write=partial(_write, module),
        gradient=partial(term_gradients, base, splines, scaler),
    )


def terms(module: Any) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return base weight, spline weight and, if there is one, spline scaler."""
    # The dictionaries are much quicker than the attributes, where there are many modules.
    parameters = module._parameters
    return (
        parameters["base_weight"],
        parameters["spline_weight"],
        parameters.get("spline_scaler"),
    )


def set_function(module: Any, place: tuple[int, ...], coefficients: Tensor) -> None:
    """Set the function at ``place`` of the module's own tensors."""
    base, splines, scaler = terms(module)
    scale = None if scaler is None else scaler.detach()[place]
    what = f"the spline scaler of function {place}"
    set_term(splines.detach()[place], coefficients[1:], scale, what)
    set_term(base.detach()[place], coefficients[0], None, "")


def _write(module: Any, index: tuple[int, ...], coefficients: Tensor) -> None:
    set_function(module, index, coefficients)


register_adapter("KANLinear", read_linear, library="efficient-kan", problem=problem_of_linear)
