"""Read pykan's ``KAN`` until 0.0.5: its layers with their symbolic edges.

Its ``biases`` are linear layers that hold a bias for each node and never run.
"""

from typing import Any

from kan_widgets.functions.adapters import old_pykan
from kan_widgets.functions.adapters.pykan import sums_of_model, with_symbolic_edges
from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.registry import register_adapter


def read_model(module: Any) -> list[LayerFunctions]:
    """Read every layer."""
    found = []
    for number, (layer, edges) in enumerate(zip(module.act_fun, module.symbolic_fun, strict=True)):
        own = old_pykan.read_layer(layer)
        if getattr(module, "symbolic_enabled", True) and bool(edges.mask.any()):
            own = with_symbolic_edges(layer, edges, own)
        own = own.called(name=f"act_fun.{number}", type="KANLayer", x_at=Tap((layer,)))
        found.append(own)
    return found


def _input_shape(module: Any) -> tuple[int, ...]:
    return (module.act_fun[0].in_dim,)


register_adapter(
    "KAN",
    read_model,
    library="pykan ≤ 0.0.5",
    problem=lambda own: next(filter(None, map(old_pykan.problem_of_layer, own.act_fun)), ""),  # type: ignore[arg-type]
    resembles=lambda own: all(hasattr(own, name) for name in ("act_fun", "symbolic_fun", "biases")),
    sums=sums_of_model,
    input_shape=_input_shape,
)
