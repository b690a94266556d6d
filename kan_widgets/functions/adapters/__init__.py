"""One short file per library; importing this package registers them all."""

from kan_widgets.functions.adapters import (
    convkan,
    convolutional_kans,
    efficient_kan,
    fast_kan,
    faster_kan,
    flashkan,
    inkan,
    kan_layers,
    pykan,
    torch_conv_kan,
    torch_conv_kan_classes,
    torch_conv_kan_linear,
    torch_layers,
    torchkan,
)

__all__ = [
    "convkan",
    "convolutional_kans",
    "efficient_kan",
    "fast_kan",
    "faster_kan",
    "flashkan",
    "inkan",
    "kan_layers",
    "pykan",
    "torch_conv_kan",
    "torch_conv_kan_classes",
    "torch_conv_kan_linear",
    "torch_layers",
    "torchkan",
]
