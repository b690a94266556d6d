"""Read ``KAN_Convolutional_Layer`` of AntonioTepsich/Convolutional-KANs, in both its forms.

In that of 2024 (Bodner et al.), ``n_convs`` kernels are each applied to every input channel; in the
one of 2025 there is a kernel for every pair of channels, ``convs[o·in_channels + i]``.
"""

from typing import Any

from kan_widgets.functions.adapters.efficient_kan import adapter


def sizes(module: Any) -> dict[str, int]:
    """Return how many kernels there are, and of what size."""
    shared = hasattr(module, "n_convs")
    out, inputs = (module.n_convs, 1) if shared else (module.out_channels, module.in_channels)
    kh, kw = module.kernel_size
    return {"out": out, "in": inputs, "kh": kh, "kw": kw}


adapter(
    "KAN_Convolutional_Layer",
    "convs.*.conv.",
    lambda module: module.convs[0].conv,
    ("out*in", "kh*kw"),
    "out*in*kh*kw",
    library="Convolutional-KANs",
    sizes=sizes,
    conv=lambda module: module,
    shared=lambda module: hasattr(module, "n_convs"),
)
