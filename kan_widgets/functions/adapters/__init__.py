"""One short file per library; importing this package registers them all."""

from kan_widgets.functions.adapters import kan_layers, torch_layers

__all__ = ["kan_layers", "torch_layers"]
