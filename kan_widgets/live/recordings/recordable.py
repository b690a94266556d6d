"""What a recorder has to know of the run that it records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

from kan_widgets.live.frames.progress import Progress
from kan_widgets.live.frames.scalars import Scalars
from kan_widgets.live.frames.source import Source

if TYPE_CHECKING:
    from torch import nn


class Trained(Protocol):
    """A training: the same one while the bindings of its model replace each other."""

    @property
    def scalars(self) -> Scalars:
        """What was logged."""

    @property
    def epochs_done(self) -> float:
        """Epochs gone through, the last one in part."""

    @property
    def seconds(self) -> float:
        """Spent on steps of the model."""

    @property
    def timed_steps(self) -> int:
        """The steps that took them."""

    @property
    def output(self) -> str:
        """What it has printed."""


class Steering(Protocol):
    """By which a run is steered from afar."""

    def said(self) -> dict[str, Any]:
        """Return what the recording says of it, as JSON."""

    def close(self) -> None:
        """Be steered no more."""


class Recordable(Source, ABC):
    """A source of frames whose training goes on here."""

    @property
    @abstractmethod
    def model(self) -> nn.Module | None:
        """The model that trains, while it exists."""

    @property
    @abstractmethod
    def training(self) -> Trained:
        """The training."""

    @property
    @abstractmethod
    def progress(self) -> Progress:
        """How far the training is."""

    @property
    @abstractmethod
    def every(self) -> int:
        """Steps between frames; may be changed."""

    @every.setter
    @abstractmethod
    def every(self, every: int) -> None: ...

    @property
    @abstractmethod
    def learning_rates(self) -> list[float]:
        """The learning rate of each parameter group."""

    @property
    @abstractmethod
    def notices(self) -> dict[str, Any]:
        """What goes wrong, and what was done about it, as JSON for the panel."""

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether the training is watched."""
