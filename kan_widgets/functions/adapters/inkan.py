"""Read inkan's ``KANLayer`` (PyPI): splines and base packed in one weight, (out, in·nb + in)."""

from typing import Any

from torch import Tensor

from kan_widgets.functions.adapters.flashkan import KNOWN, cubic
from kan_widgets.functions.module_tensors import Get
from kan_widgets.functions.recipes import tensor_adapter


def sizes(module: Any) -> dict[str, int]:
    """Return the number of inputs."""
    if getattr(module, "dim", 1) != 1:
        raise ValueError("with dim=2 its functions are of two variables")
    return {"in": module.in_features}


def _unpacked_weight(get: Get) -> tuple[Tensor, Tensor]:
    """Return splines and base."""
    weight, nb = get("weight"), len(get("grid_starts"))
    n = weight.shape[1] // (nb + 1)
    return weight[:, :-n].unflatten(1, (n, nb)), weight[:, -n:]


tensor_adapter(
    "KANLayer",
    {**KNOWN, "in_features": int, "weight": ("out", "in_features*nb+in_features")},
    lambda get: _unpacked_weight(get)[0],
    cubic,
    library="inkan",
    base=lambda get: _unpacked_weight(get)[1],
    grid=("grid_starts",),
    sizes=sizes,
)
