"""Frames of a model while it trains: binding, throttle, history."""

from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.history import History
from kan_widgets.live.frames.layout import LayerLayout, Layout, Table
from kan_widgets.live.frames.progress import Progress, Stats
from kan_widgets.live.frames.scalars import Mark, Scalars
from kan_widgets.live.frames.source import Listener, Selection, Source, State
from kan_widgets.live.recordings.opening import follow, replay
from kan_widgets.live.recordings.recorder import Recorder
from kan_widgets.live.recordings.replay import Replay
from kan_widgets.live.steering.control import Control, TrainingStopped
from kan_widgets.live.steering.epochs import FitResult
from kan_widgets.live.watching.bind import bind, binding_of
from kan_widgets.live.watching.binding import Binding
from kan_widgets.live.watching.fit import Run, fit

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
