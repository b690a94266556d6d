"""Widgets that draw a binding's stream in the notebook."""

from kan_widgets.widgets.dashboard import Dashboard
from kan_widgets.widgets.kernel_grid import KernelGrid
from kan_widgets.widgets.meshgrid_view import MeshgridView
from kan_widgets.widgets.spline_inspector import SplineInspector
from kan_widgets.widgets.stream import Stream, stream_of

__all__ = ["Dashboard", "KernelGrid", "MeshgridView", "SplineInspector", "Stream", "stream_of"]
