"""Read the layers of Boris-73-TA/OrthogPolyKANs and X-KANeRF: classical polynomials of tanh x."""

from typing import Any

from kan_widgets.functions.module_tensors import attribute
from kan_widgets.functions.recipes import tensor_adapter
from kan_widgets.functions.smooth_bases import Smooth, ThreeTerm

# By family: its letter, and p_n = (a·t + b)·p_(n−1) + c·p_(n−2) for a parameter α.
_POLYNOMIALS: dict[str, Any] = {
    "cheby2": ("U", lambda n, al: (2, 0, -1)),
    "legendre": ("P", lambda n, al: ((2 * n - 1) / n, 0, (1 - n) / n)),
    "hermite": ("H", lambda n, al: (2, 0, 2 - 2 * n)),
    "laguerre": ("L", lambda n, al: (-1 / n, (2 * n - 1 + al) / n, (1 - n - al) / n)),
    "bessel": ("y", lambda n, al: (2 * n - 1, 0, 1)),
    "fib": ("F", lambda n, al: (1, 0, 1)),
    "lucas": ("L", lambda n, al: (1, 0, 1)),
    "gegenbauer": ("C", lambda n, al: (2 * (n - 1 + al) / n, 0, (2 - n - 2 * al) / n)),
}
# p_0, and the factor and the constant of p_1, where they do not follow from p_0 = 1.
_FIRST: dict[str, Any] = {"bessel": (1, (1, 1)), "fib": (0, (0, 1)), "lucas": (2, (1, 0))}


def basis(name: str, module: Any) -> Smooth:
    """Return the polynomials of a layer."""
    letter, step = _POLYNOMIALS[name]
    alpha = float(getattr(module, "alpha_param", getattr(module, "alpha", 0)))
    steps = [step(n, alpha) for n in range(1, attribute(module, f"{name}_coeffs").shape[-1])]
    first, second = _FIRST.get(name, (1, steps[0][:2]))
    return ThreeTerm(letter, first, second, tuple(steps[1:]))


for key in _POLYNOMIALS:
    tensor_adapter(
        f"{'fibonacci' if key == 'fib' else key}KANLayer".capitalize(),
        {f"{key}_coeffs": ("in", "out", "nb")},
        f"{key}_coeffs",
        lambda module, key=key: basis(key, module),
        library="OrthogPolyKANs",
    )
