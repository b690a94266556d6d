"""Widgets that draw a binding's stream in the notebook."""

from kan_widgets.widgets.compare import Compare
from kan_widgets.widgets.dashboard import Dashboard
from kan_widgets.widgets.explain import Explain
from kan_widgets.widgets.kernel_grid import KernelGrid
from kan_widgets.widgets.layer_ranges import LayerRanges
from kan_widgets.widgets.meshgrid_view import MeshgridView
from kan_widgets.widgets.network_view import NetworkView
from kan_widgets.widgets.pages.page import save_html
from kan_widgets.widgets.spline_inspector import SplineInspector
from kan_widgets.widgets.training_page import playground
from kan_widgets.widgets.training_panel import TrainingPanel
from kan_widgets.widgets.wire.stream import Stream, stream_of

__all__ = [
    "Compare",
    "Dashboard",
    "Explain",
    "KernelGrid",
    "LayerRanges",
    "MeshgridView",
    "NetworkView",
    "SplineInspector",
    "Stream",
    "TrainingPanel",
    "playground",
    "save_html",
    "stream_of",
]
