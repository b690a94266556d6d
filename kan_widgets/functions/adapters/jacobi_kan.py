"""Read the ``JacobiKANLayer`` of SpaceLearner/JacobiKAN: Jacobi polynomials of tanh x."""

from __future__ import annotations

from kan_widgets.functions.recipes import tensor_adapter
from kan_widgets.functions.smooth import Jacobi

tensor_adapter(
    "JacobiKANLayer",
    {"jacobi_coeffs": ("in", "out", "nb")},
    lambda get: get("jacobi_coeffs").transpose(0, 1),
    lambda module: Jacobi(module.jacobi_coeffs.shape[-1] - 1, float(module.a), float(module.b)),
    library="JacobiKAN",
    needs=lambda module: (
        "it has a base term"
        if hasattr(module, "base_weights")
        else ""
        if hasattr(module, "a") and hasattr(module, "b")
        else "a or b is missing"
    ),
)
