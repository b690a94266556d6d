"""Read the ``FasterKANLayer`` of AthanasiosDelis/faster-kan: switches of LayerNorm(x)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor

from kan_widgets.functions.attributes import missing_tensors
from kan_widgets.functions.basis import LayerBasis
from kan_widgets.functions.gradients import gradient_of
from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.registry import register_adapter
from kan_widgets.functions.remembered import floats, remembered
from kan_widgets.functions.smooth import ReflectionalSwitch
from kan_widgets.functions.terms import set_term


def problem_of_layer(module: Any) -> str:
    """Say what the module lacks to be faster-kan's layer."""
    sizes: dict[str, int] = {}
    missing = missing_tensors(
        module,
        {
            "rbf.grid": ("nb",),
            "rbf.inv_denominator": (),
            "spline_linear.weight": ("out", "columns"),
        },
        sizes,
    )
    if missing:
        return missing
    if sizes["columns"] % sizes["nb"]:
        return f"spline_linear.weight has {sizes['columns']} columns for {sizes['nb']} switches"
    if getattr(module.spline_linear, "bias", None) is not None:
        return "spline_linear has a bias"
    if getattr(module, "layernorm", None) is None:
        return "layernorm is missing"
    if getattr(module, "base_linear", None) is not None:
        return "its base_linear is not part of the layer that is known"
    return ""


def read_layer(module: Any) -> LayerFunctions:
    """Read faster-kan's layer."""
    # The inverse denominator only scales gradients: the layer's own forward pass ignores it.
    grid = module.rbf.grid
    basis = remembered(module, "rbf", [grid], None, lambda: ReflectionalSwitch(floats(grid)))
    return LayerFunctions(
        "linear",
        _coefficients(module),
        (LayerBasis(basis),),
        variable="LayerNorm(x)",
        write=partial(_write, module),
        gradient=lambda: _coefficients(module, gradient_of),
        x_at=Tap((module.rbf,)),
    )


def _coefficients(module: Any, of: Callable[[Tensor], Tensor] = Tensor.detach) -> Tensor:
    weight = of(module.spline_linear.weight)
    return weight.view(weight.shape[0], -1, module.rbf.grid.shape[0])


def _write(module: Any, index: tuple[int, ...], coefficients: Tensor) -> None:
    set_term(_coefficients(module)[index], coefficients, None, "")


register_adapter(
    "FasterKANLayer",
    read_layer,
    library="faster-kan",
    problem=problem_of_layer,
    input_shape=lambda module: (_coefficients(module).shape[1],),
)
