"""Frames of a model while it trains: binding, throttle, history."""

from kan_widgets.live.bind import bind, binding_of
from kan_widgets.live.binding import Binding, Stats
from kan_widgets.live.control import Control, TrainingStopped
from kan_widgets.live.fit import FitResult, Run, fit
from kan_widgets.live.frame import Frame
from kan_widgets.live.history import History
from kan_widgets.live.layout import LayerLayout, Layout, Table
from kan_widgets.live.progress import Progress
from kan_widgets.live.recorder import Recorder
from kan_widgets.live.replay import Replay, follow, replay
from kan_widgets.live.scalars import Mark, Scalars
from kan_widgets.live.source import Listener, Selection, Source, State

__all__ = [
    "Binding",
    "Control",
    "FitResult",
    "Frame",
    "History",
    "LayerLayout",
    "Layout",
    "Listener",
    "Mark",
    "Progress",
    "Recorder",
    "Replay",
    "Run",
    "Scalars",
    "Selection",
    "Source",
    "State",
    "Stats",
    "Table",
    "TrainingStopped",
    "bind",
    "binding_of",
    "fit",
    "follow",
    "replay",
]
