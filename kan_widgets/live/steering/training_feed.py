"""The feed of a model that trains here."""

from abc import ABC, abstractmethod
from typing import Protocol

from kan_widgets.live.frames.feed import Feed
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.steering.control import Control


class _Steppable(Protocol):
    """The training, as the counter of steps knows it."""

    control: Control

    def stepped(self, step: int, now: float, passed: float | None) -> None:
        """Note a step that was counted."""

    def hold(self) -> bool:
        """Wait, or raise, as the control wants it."""


class TrainingFeed(Feed, ABC):
    """What the run, the counter and the edits know of it."""

    training: _Steppable

    @abstractmethod
    def on_step(self, step: int, now: float) -> bool:
        """Do what is due after a step, in the thread that trains; whether a frame was taken."""

    @abstractmethod
    def is_due(self, now: float) -> bool:
        """Whether a frame may be taken at a time, after as many steps as lie between two."""

    @abstractmethod
    def may_only_count(self) -> bool:
        """Whether the next steps are only to be counted until a frame is due."""

    @abstractmethod
    def fail(self, error: Exception) -> None:
        """Say once that reading the model failed, and let go of it; training goes on."""

    @abstractmethod
    def while_held(self) -> None:
        """Do what came up while the training is held, in the thread that trains."""

    @abstractmethod
    def refresh(self) -> Frame:
        """Take a frame now, and send it."""

    @abstractmethod
    def show_edited(self) -> None:
        """Show a function that was edited."""

    @abstractmethod
    def read_again(self) -> None:
        """Show the layers that can be read by now."""
