"""Read convkan's ``ConvKAN`` (PyPI), and its ``KANLinear`` with a leading group dimension."""

from typing import Any

from kan_widgets.functions.adapters.efficient_kan import adapter, unsure


def sizes(module: Any) -> dict[str, int]:
    """Return how a convolution's linear layer is divided."""
    kh, kw = module.kernel_size
    return {"groups": module.groups, "kh": kh, "kw": kw}


def _grouped(module: Any) -> str:
    """Say why a linear layer by itself is not read."""
    groups = len(module.base_weight)
    return unsure(module) if groups == 1 else f"it has {groups} groups outside a convolution"


adapter(
    "ConvKAN",
    "kan_layer.",
    lambda module: module.kan_layer,
    ("groups", "out", "in*kh*kw"),
    "groups",
    "in*kh*kw",
    library="convkan",
    sizes=sizes,
    conv=lambda module: module,
)
adapter(
    "KANLinear",
    "",
    lambda module: module,
    ("groups", "out", "in"),
    "groups",
    "in",
    library="convkan",
    needs=_grouped,
)
