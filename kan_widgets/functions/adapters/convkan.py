"""Read convkan's ``ConvKAN`` (PyPI), and its ``KANLinear`` with a leading group dimension."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from torch import Tensor, nn

from kan_widgets.functions.activation import named_activation
from kan_widgets.functions.adapters.efficient_kan import problem_of_splines, set_function, terms
from kan_widgets.functions.gradients import term_gradients
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.plain import ConvSettings
from kan_widgets.functions.registry import register_adapter
from kan_widgets.functions.remembered import grid_bases
from kan_widgets.functions.terms import terms_of


def problem_of_linear(module: nn.Module, sizes: dict[str, int] | None = None) -> str:
    """Say what the module lacks to be convkan's linear layer."""
    shapes: dict[str, tuple[int | str, ...]] = {
        "base_weight": ("groups", "out", "in"),
        "spline_weight": ("groups", "out", "in", "nb"),
        "grid": ("groups", "in", "knots"),
    }
    if getattr(module, "spline_scaler", None) is not None:
        shapes["spline_scaler"] = ("groups", "out", "in")
    return problem_of_splines(module, shapes, sizes)


def problem_of_ungrouped(module: nn.Module) -> str:
    """Say why a linear layer by itself is not read."""
    sizes: dict[str, int] = {}
    if problem := problem_of_linear(module, sizes):
        return problem
    groups = sizes["groups"]
    return "" if groups == 1 else f"it has {groups} groups outside a convolution"


def problem_of_conv(module: Any) -> str:
    """Say what the module lacks to be convkan's convolution."""
    sizes: dict[str, int] = {}
    if not isinstance(getattr(module, "kan_layer", None), nn.Module):
        return "kan_layer is missing"
    if problem := problem_of_linear(module.kan_layer, sizes):
        return f"in kan_layer {problem}"
    for name in ("kernel_size", "stride", "padding", "dilation"):
        value = getattr(module, name, None)
        if not isinstance(value, tuple) or len(value) != 2:
            return f"{name} is no pair of numbers"
    if module.groups != sizes["groups"]:
        return f"kan_layer has {sizes['groups']} groups, not {module.groups}"
    for name, wanted in (
        ("out", module.out_channels // module.groups),
        ("in", module.in_channels // module.groups * math.prod(module.kernel_size)),
    ):
        if sizes[name] != wanted:
            return f"kan_layer has {sizes[name]} {name}puts in each group, not {wanted}"
    return ""


def read_linear(module: Any) -> LayerFunctions:
    """Read convkan's ``KANLinear`` with one group."""
    return LayerFunctions(
        "linear",
        *_functions(module, tuple(module.base_weight.shape[1:])),
        write=lambda index, coefficients: set_function(module, (0, *index), coefficients),
        gradient=lambda: term_gradients(*terms(module))[0],
    )


def read_conv(module: Any) -> LayerFunctions:
    """Read a ``ConvKAN``."""
    groups, out, _ = module.kan_layer.base_weight.shape
    shape = (groups * out, module.in_channels // groups, *module.kernel_size)
    top, left = module.padding
    return LayerFunctions(
        "conv",
        *_functions(module.kan_layer, shape),
        conv=ConvSettings(
            stride=module.stride,
            padding=(left, left, top, top),
            dilation=module.dilation,
            padding_mode=module.padding_mode,
            groups=groups,
        ),
        write=partial(_write, module),
        gradient=lambda: term_gradients(*terms(module.kan_layer)).reshape(*shape, -1),
    )


def _functions(module: Any, shape: tuple[int, ...]) -> tuple[Any, Any, Tensor | None]:
    base, splines, scaler = terms(module)
    coefficients = terms_of(
        base.reshape(shape),
        splines.reshape(*shape, -1),
        None if scaler is None else scaler.reshape(shape),
    )
    groups, out, _ = module.base_weight.shape

    def arrange(rows: Tensor) -> Tensor:
        by_group = rows.reshape(groups, 1, *shape[1:]).expand(groups, out, *shape[1:])
        return by_group.reshape(shape)

    activation = named_activation(module.base_activation)
    bases, index = grid_bases(
        module, [module.grid], module.spline_order, activation, shape, arrange
    )
    return coefficients, bases, index


def _write(module: Any, index: tuple[int, ...], coefficients: Tensor) -> None:
    o, i, r, c = index
    out = module.kan_layer.base_weight.shape[1]
    kh, kw = module.kernel_size
    set_function(module.kan_layer, (o // out, o % out, (i * kh + r) * kw + c), coefficients)


def input_shape_of_conv(module: Any) -> tuple[int, ...]:
    """Return the shape of one input that reaches every entry of a kernel."""
    size = (
        (k - 1) * d + 1 + s
        for k, d, s in zip(module.kernel_size, module.dilation, module.stride, strict=True)
    )
    return (module.in_channels, *size)


register_adapter("ConvKAN", read_conv, library="convkan", problem=problem_of_conv)
register_adapter("KANLinear", read_linear, library="convkan", problem=problem_of_ungrouped)
