"""Read layers of Chebyshev or Jacobi polynomials of tanh x, (in, out, nb).

ChebyKAN's, and the ``JacobiKANLayer`` of SpaceLearner/JacobiKAN and, with a base and a norm, of
torch-conv-kan.
"""

from numbers import Real
from typing import Any

from kan_widgets.functions.recipes import tensor_adapter
from kan_widgets.functions.smooth_bases import Jacobi
from kan_widgets.nn import Chebyshev

tensor_adapter(
    "ChebyKANLayer",
    {"cheby_coeffs": ("in", "out", "nb")},
    "cheby_coeffs",
    lambda module: Chebyshev(module.cheby_coeffs.shape[-1] - 1),
    library="torch-conv-kan",
)
known: dict[str, Any] = {"a": Real, "b": Real, "jacobi_coeffs": ("in", "out", "nb")}
for library, base, norm in (("JacobiKAN", "", ""), ("torch-conv-kan", "base_weights", "norm")):
    tensor_adapter(
        "JacobiKANLayer",
        known | ({base: ("out", "in"), "act": callable} if base else {}),
        "jacobi_coeffs",
        lambda module: Jacobi(module.jacobi_coeffs.shape[-1] - 1, float(module.a), float(module.b)),
        library=library,
        base=base,
        activation=lambda module: module.act,
        after=norm,
        needs=lambda module, base=base: (
            "" if base or not hasattr(module, "base_weights") else "it has a base term"
        ),
    )
