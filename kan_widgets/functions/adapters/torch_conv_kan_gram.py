"""Read torch-conv-kan's layers of activated Gram polynomials of tanh x, with trained shifts."""

from typing import Any

from kan_widgets.functions.adapters.torch_conv_kan import LIBRARY, convolution
from kan_widgets.functions.basis import named_activation
from kan_widgets.functions.recipes import tensor_adapter
from kan_widgets.functions.smooth_bases import Gram, Smooth


def gram(module: Any, beta: tuple[float, ...]) -> Smooth:
    """Return the Gram polynomials of a layer."""
    orders = range(1, len(beta) - 1)
    shifts = ((2 * n + 1) * n**2 * (4 * n**2 - 1) / (n + 1) ** 2 * beta[n] for n in orders)
    activation = module.act if hasattr(module, "act") else module.base_activation
    return Gram(tuple(shifts), named_activation(activation))


_POLY, _BETA = "poly_weights", {"beta_weights": ("nb",)}
grouped = {_POLY: ("groups", "out", "nb*in", ...)}
inner = {_POLY: ("groups", "out=inner", "nb*in=inner", ...)}
single = {"base_conv.weight": ("out", "in", ...), "poly_conv.weight": ("out", "nb*in", ...)}
for name, tensors, poly, base, names in (
    ("KAGNConv2DLayer", grouped, _POLY, "base_conv.*.weight", ("", "")),
    ("KAGNConv2DLayerV2", single, "poly_conv.weight", "base_conv.weight", ("", "")),
    ("BottleNeckKAGNConv2DLayer", inner, _POLY, "base_conv.*.weight", (_POLY, "base_conv")),
):
    how: Any = {"base": base, "grid": ("beta_weights",), "apart": names}
    convolution(name, tensors | _BETA, poly, gram, **how)
tensor_adapter(
    "GRAMLayer",
    _BETA | {"base_weights": ("out", "in"), "grams_basis_weights": ("in", "out", "nb")},
    "grams_basis_weights",
    gram,
    library=LIBRARY,
    base="base_weights",
    activation=lambda module: module.act,
    grid=("beta_weights",),
    after="norm",
)
