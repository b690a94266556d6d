"""Widgets that draw a binding's stream in the notebook."""

from kan_widgets.widgets.kernel_grid import KernelGrid
from kan_widgets.widgets.stream import Stream, stream_of

__all__ = ["KernelGrid", "Stream", "stream_of"]
