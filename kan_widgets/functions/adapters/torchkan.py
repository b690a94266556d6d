"""Read the spline network ``KAN`` of 1ssb/torchkan: one module, a list of weights per layer.

φ = base_weights[l]·act + Σ spline_weights[l]_b·B_b, with a row of knots per input in the buffer
``grid_l``; a LayerNorm and a PReLU come after each sum.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from kan_widgets.functions.activation import named_activation
from kan_widgets.functions.attributes import missing_knots, missing_tensors
from kan_widgets.functions.gradients import term_gradients
from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.registry import Sum, refuse_module, register_adapter
from kan_widgets.functions.remembered import grid_bases
from kan_widgets.functions.terms import set_term, terms_of


def resembles(module: nn.Module) -> bool:
    """Say whether a ``KAN`` may be this one: others are networks of layers of their own."""
    return isinstance(getattr(module, "spline_weights", None), nn.ParameterList)


def problem_of_network(module: Any) -> str:
    """Say what the module lacks to be torchkan's network."""
    lists = ("base_weights", "layer_norms", "prelus")
    number = len(module.spline_weights)
    for name in lists:
        found = getattr(module, name, None)
        if not isinstance(found, (nn.ParameterList, nn.ModuleList)) or len(found) != number:
            return f"{name} is no list of {number}, one for each layer"
    if not isinstance(getattr(module, "spline_order", None), int):
        return "spline_order is missing"
    if not callable(getattr(module, "base_activation", None)):
        return "base_activation is missing"
    sizes: dict[str, int] = {}
    for layer in range(number):
        sizes["in"] = sizes.get("out", module.spline_weights[0].shape[1])
        sizes.pop("out", None)
        shapes: dict[str, tuple[int | str, ...]] = {
            f"base_weights.{layer}": ("out", "in"),
            f"spline_weights.{layer}": ("out", "in", "nb"),
            f"grid_{layer}": ("in", "knots"),
        }
        if problem := missing_tensors(module, shapes, sizes) or missing_knots(
            module, f"grid_{layer}", sizes, module.spline_order
        ):
            return problem
    return ""


def read_network(module: Any) -> list[LayerFunctions]:
    """Read every layer of the network."""
    found = []
    for layer, (base, splines) in enumerate(_terms(module)):
        bases, index = grid_bases(
            module.layer_norms[layer],  # the one module that each layer has for itself
            [module._buffers[f"grid_{layer}"]],
            module.spline_order,
            named_activation(module.base_activation),
            tuple(base.shape),
            lambda rows: rows,
        )
        found.append(
            LayerFunctions(
                "linear",
                terms_of(base, splines),
                bases,
                index,
                name=f"spline_weights.{layer}",
                write=partial(_write, module, layer),
                gradient=partial(
                    term_gradients, module.base_weights[layer], module.spline_weights[layer]
                ),
                note="LayerNorm and PReLU come after the sum.",
                x_at=Tap((module.prelus[layer - 1],), "output") if layer else None,
            )
        )
    return found


def _terms(module: Any) -> list[tuple[Tensor, Tensor]]:
    return [
        (base.detach(), splines.detach())
        for base, splines in zip(module.base_weights, module.spline_weights, strict=True)
    ]


def _write(module: Any, layer: int, index: tuple[int, ...], coefficients: Tensor) -> None:
    base, splines = _terms(module)[layer]
    set_term(splines[index], coefficients[1:], None, "")
    set_term(base[index], coefficients[0], None, "")


def _input_shape(module: Any) -> tuple[int, ...]:
    return (int(module.base_weights[0].shape[1]),)


def sums_of_network(module: Any) -> list[Sum]:
    """Say that the sums are what reaches the norms."""
    return [
        Sum((f"spline_weights.{layer}",), Tap((norm,)))
        for layer, norm in enumerate(module.layer_norms)
    ]


register_adapter(
    "KAN",
    read_network,
    library="torchkan",
    problem=problem_of_network,
    resembles=resembles,
    sums=sums_of_network,
    input_shape=_input_shape,
)
for _name in ("KAL_Net", "KAC_Net"):
    refuse_module(
        _name,
        "it scales x by its smallest and largest value: no function of x alone",
        library="torchkan",
    )
