"""Frames of a model while it trains: binding, throttle, history."""

from kan_widgets.live.binding import Binding, Stats, bind, binding_of
from kan_widgets.live.frame import Frame
from kan_widgets.live.history import History
from kan_widgets.live.layout import LayerLayout, Layout, Table
from kan_widgets.live.source import Listener, Selection, Source, State

__all__ = [
    "Binding",
    "Frame",
    "History",
    "LayerLayout",
    "Layout",
    "Listener",
    "Selection",
    "Source",
    "State",
    "Stats",
    "Table",
    "bind",
    "binding_of",
]
