"""What edits have to know of the model that they change."""

from __future__ import annotations

import threading
from typing import Protocol

from torch import nn

from kan_widgets.functions import LayerFunctions
from kan_widgets.live.frames.edit import Index
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.history import History
from kan_widgets.live.frames.layout import Layout
from kan_widgets.live.frames.progress import Stats
from kan_widgets.live.frames.source import State
from kan_widgets.live.steering.entries import Place
from kan_widgets.live.steering.training import Training


class Editable(Protocol):
    """A live model whose functions are edited: a binding."""

    @property
    def layout(self) -> Layout:
        """The layers."""

    @property
    def history(self) -> History:
        """The frames kept."""

    @property
    def state(self) -> State:
        """``live`` while steps come in."""

    @property
    def is_open(self) -> bool:
        """Whether it watches."""

    @property
    def stats(self) -> Stats:
        """Steps and frames so far."""

    @property
    def training(self) -> Training:
        """The training."""

    @property
    def trained_by(self) -> threading.Thread | None:
        """The thread that made the last step, while it is known."""

    def trains_elsewhere(self) -> bool:
        """Whether parameters may only be changed after the next step, by who trains."""

    def need_care(self) -> None:
        """Have the next step look for what waits."""

    def tell_edited(self) -> None:
        """Tell the views that something was edited."""

    def refresh(self) -> Frame:
        """Take a frame now."""

    def show_edited(self, layer: str) -> None:
        """Show a layer that was edited."""

    def read_layer(self, name: str) -> LayerFunctions:
        """Read one layer as it is now."""

    def place_of(self, layer: str, index: Index) -> Place:
        """Say where a function is in the model."""

    def modules(self) -> list[nn.Module]:
        """Return the modules that hold layers."""
