"""Frames of a model while it trains: bindings, recordings, and what they have in common.

A recording is read, replayed and drawn without torch; what watches a model is imported when it is
first used.
"""

import sys
from typing import TYPE_CHECKING

from kan_widgets.lazy_names import lazy
from kan_widgets.live.frames.feed import Feed, Listener, Selection
from kan_widgets.live.frames.frame import Frame, History
from kan_widgets.live.frames.layout import LayerLayout, Layout, Table
from kan_widgets.live.frames.progress import Progress, State, Stats
from kan_widgets.live.frames.scalars import Mark, Scalars
from kan_widgets.live.frames.source import Source
from kan_widgets.live.recordings.recorder import Recorder
from kan_widgets.live.recordings.replay import Replay, follow, replay
from kan_widgets.live.steering.control import Control, TrainingStopped

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from kan_widgets.live.steering.epochs import FitResult
    from kan_widgets.live.watching.bind import bind, binding_of
    from kan_widgets.live.watching.binding import Binding
    from kan_widgets.live.watching.fit import Run, fit


def is_binding(source: object) -> "TypeIs[Binding]":
    """Whether it is a binding; where nobody has bound a model, nothing is, and torch stays away."""
    watching = sys.modules.get("kan_widgets.live.watching.binding")
    return watching is not None and isinstance(source, watching.Binding)


__all__ = [
    "Binding",
    "Control",
    "Feed",
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
    "is_binding",
    "replay",
]

lazy(__name__, "steering.epochs watching.bind watching.binding watching.fit")
