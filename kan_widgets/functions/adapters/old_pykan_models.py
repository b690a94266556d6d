"""Read pykan's ``KAN`` until 0.0.5 (KAN-GPT, KANbeFair): its layers, and their symbolic edges.

Its ``biases`` are linear layers that only hold a bias for each node, and never run.
"""

from typing import Any

from kan_widgets.functions.adapters import old_pykan
from kan_widgets.functions.adapters.pykan import sums_of_model, with_symbolic_edges
from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.registry import register_adapter


def problem_of_model(module: Any) -> str:
    """Say what the module lacks to be this model."""
    if len(module.act_fun) != len(module.symbolic_fun) or not len(module.act_fun):
        return "act_fun and symbolic_fun have not as many layers"
    return next(filter(None, map(old_pykan.problem_of_layer, module.act_fun)), "")


def read_model(module: Any) -> list[LayerFunctions]:
    """Read every layer."""
    found = []
    for number, (layer, edges) in enumerate(zip(module.act_fun, module.symbolic_fun, strict=True)):
        own = old_pykan.read_layer(layer)
        if getattr(module, "symbolic_enabled", True) and bool(edges.mask.any()):
            own = with_symbolic_edges(layer, edges, own)
        name = f"act_fun.{number}"
        found.append(own.called(name=name, type="KANLayer", x_at=Tap((layer,))))
    return found


def _input_shape(module: Any) -> tuple[int, ...]:
    return (module.act_fun[0].in_dim,)


register_adapter(
    "KAN",
    read_model,
    library="pykan ≤ 0.0.5",
    problem=problem_of_model,
    resembles=lambda module: all(hasattr(module, n) for n in ("act_fun", "symbolic_fun", "biases")),
    sums=sums_of_model,
    input_shape=_input_shape,
)
