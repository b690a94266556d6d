"""Read the ``FastKANLayer`` of ZiyaoLi/fast-kan: Gaussians of LayerNorm(x), and a base of x.

What takes the normalised x and what takes x itself are two functions, read as two layers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor, nn

from kan_widgets.functions.activation import named_activation
from kan_widgets.functions.attributes import missing_tensors
from kan_widgets.functions.basis import BaseOnly, LayerBasis
from kan_widgets.functions.gradients import gradient_of
from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.registry import Sum, register_adapter
from kan_widgets.functions.remembered import floats, remembered
from kan_widgets.functions.smooth import Gaussian
from kan_widgets.functions.terms import join_terms, set_term, terms_of


def problem_of_layer(module: Any) -> str:
    """Say what the module lacks to be fast-kan's layer."""
    sizes: dict[str, int] = {}
    missing = missing_tensors(
        module, {"rbf.grid": ("nb",), "spline_linear.weight": ("out", "columns")}, sizes
    )
    if missing:
        return missing
    if not isinstance(getattr(module.rbf, "denominator", None), (int, float)):
        return "rbf.denominator is missing"
    if sizes["columns"] % sizes["nb"]:
        return f"spline_linear.weight has {sizes['columns']} columns for {sizes['nb']} Gaussians"
    if getattr(module.spline_linear, "bias", None) is not None:
        return "spline_linear has a bias"
    if not hasattr(module, "layernorm"):
        return "layernorm is missing"
    if not isinstance(getattr(module, "use_base_update", None), bool):
        return "use_base_update is missing"
    if not module.use_base_update:
        return ""
    if not callable(getattr(module, "base_activation", None)):
        return "base_activation is missing"
    sizes["in"] = sizes["columns"] // sizes["nb"]
    return missing_tensors(module, {"base_linear.weight": ("out", "in")}, sizes)


def gaussians(owner: nn.Module, rbf: Any) -> Gaussian:
    """Return the basis of a ``RadialBasisFunction`` module."""
    width = float(rbf.denominator)
    return remembered(owner, "rbf", [rbf.grid], width, lambda: Gaussian(floats(rbf.grid), width))


def read_layer(module: Any) -> list[LayerFunctions]:
    """Read fast-kan's layer: one set of functions, or two where they have different inputs."""
    splines = _splines(module)
    basis = gaussians(module, module.rbf)
    normed = module.layernorm is not None
    if not module.use_base_update:
        return [
            LayerFunctions(
                "linear",
                splines,
                (LayerBasis(basis),),
                variable="LayerNorm(x)" if normed else "x",
                write=partial(_write, module, None),
                gradient=lambda: _splines(module, gradient_of),
                x_at=Tap((module.rbf,)),
            )
        ]
    activation = named_activation(module.base_activation)
    base = module.base_linear.weight.detach()
    if not normed:
        return [
            LayerFunctions(
                "linear",
                terms_of(base, splines),
                (LayerBasis(basis, activation),),
                write=partial(_write, module, 0),
                gradient=lambda: join_terms(
                    gradient_of(module.base_linear.weight), _splines(module, gradient_of)
                ),
            )
        ]
    return [
        LayerFunctions(
            "linear",
            splines,
            (LayerBasis(basis),),
            name="spline_linear",
            variable="LayerNorm(x)",
            note="The base term, of x itself, is base_linear.",
            write=partial(_write, module, None),
            gradient=lambda: _splines(module, gradient_of),
            x_at=Tap((module.rbf,)),
        ),
        LayerFunctions(
            "linear",
            base.unsqueeze(-1),
            (BaseOnly(activation, basis.domain, basis.extent),),
            name="base_linear",
            note="The Gaussians, of LayerNorm(x), are spline_linear.",
            write=partial(_write_base, module),
            gradient=lambda: gradient_of(module.base_linear.weight).unsqueeze(-1),
        ),
    ]


def sums_of_layer(module: Any) -> list[Sum]:
    """Say that both sums and the bias of the base make the output."""
    names = tuple(layer.name for layer in read_layer(module))
    bias = module.base_linear.bias if module.use_base_update else None
    return [Sum(names, Tap((module,), "output"), bias)]


def _splines(module: Any, of: Callable[[Tensor], Tensor] = Tensor.detach) -> Tensor:
    nb = module.rbf.grid.shape[0]
    weight = of(module.spline_linear.weight)
    return weight.view(weight.shape[0], -1, nb)


def _write(module: Any, base: int | None, index: tuple[int, ...], coefficients: Tensor) -> None:
    if base is not None:
        _write_base(module, index, coefficients[:1])
        coefficients = coefficients[1:]
    set_term(_splines(module)[index], coefficients, None, "")


def _write_base(module: Any, index: tuple[int, ...], coefficients: Tensor) -> None:
    set_term(module.base_linear.weight.detach()[index], coefficients[0], None, "")


register_adapter(
    "FastKANLayer",
    read_layer,
    library="fast-kan",
    problem=problem_of_layer,
    sums=sums_of_layer,
    input_shape=lambda module: (_splines(module).shape[1],),
)
