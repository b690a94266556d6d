"""Frames of a model while it trains: binding, throttle, history."""

from kan_widgets.live.binding import Binding, FrameListener, Stats, bind, binding_of
from kan_widgets.live.frame import Frame
from kan_widgets.live.history import History
from kan_widgets.live.layout import LayerLayout, Layout, Table

__all__ = [
    "Binding",
    "Frame",
    "FrameListener",
    "History",
    "LayerLayout",
    "Layout",
    "Stats",
    "Table",
    "bind",
    "binding_of",
]
