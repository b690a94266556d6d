"""Read torch-conv-kan's layers of Chebyshev and Jacobi polynomials of tanh x, and ChebyKAN's."""

from typing import Any

from kan_widgets.functions.adapters.torch_conv_kan import convolution
from kan_widgets.functions.smooth_bases import Jacobi
from kan_widgets.nn import Chebyshev

_CHEBY, _POLY = "poly_conv.*.weight", "poly_weights"


def degrees(module: Any) -> dict[str, int]:
    """Return how many polynomials a convolution has."""
    return {"nb": module.degree + 1}


convolution(
    "KACNConv2DLayer",
    {"degree": int, _CHEBY: ("groups*out", "in*nb", ...)},
    _CHEBY,
    lambda module: Chebyshev(module.degree),
    base="",
    sizes=degrees,
)
convolution(
    "KAJNConv2DLayer",
    {"degree": int, _POLY: ("groups", "out", "nb*in", ...)},
    _POLY,
    lambda module: Jacobi(module.degree, float(module.a), float(module.b)),
    activation=lambda module: "identity",
    sizes=degrees,
)
