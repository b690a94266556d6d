"""What a panel asks of a training, here or from afar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from kan_widgets.live.steering.control import Control


class Undoable(Protocol):
    """What was done against alarms."""

    def undo(self) -> None:
        """Take the last back."""


class Steerable(Protocol):
    """A training that can be steered: a binding."""

    every: int
    """Steps between frames."""

    @property
    def control(self) -> Control:
        """Pause, resume, steps and stop."""

    @property
    def cures(self) -> Undoable:
        """What was done against alarms."""

    def set_learning_rate(self, value: float, group: int | None = None) -> None:
        """Change a rate between two steps."""

    def cure(self, alarm: str) -> None:
        """Do what the button of an alarm says."""

    def tell_training(self) -> None:
        """Tell the views that something changed."""


def act(live: Steerable, content: Mapping[str, Any]) -> None:
    """Do what is asked, between two steps.

    Parameters
    ----------
    live
        The training.
    content
        Its ``kind`` is ``pause``, ``resume``, ``advance`` (``steps``), ``stop``, ``every``
        (``value``), ``rate`` (``value``, ``group``), ``cure`` (``alarm``), ``uncure``, or
        ``hello``, which asks for nothing.

    Raises
    ------
    LookupError, TypeError, ValueError, RuntimeError
        If that cannot be; nothing has changed then.
    """
    kind, control = content.get("kind"), live.control
    if kind == "pause":
        control.pause()
    elif kind == "resume":
        control.resume()
    elif kind == "advance":
        control.advance(content["steps"])
    elif kind == "stop":
        control.stop()
    elif kind == "every":
        live.every = content["value"]
        live.tell_training()
    elif kind == "rate":
        live.set_learning_rate(content["value"], content.get("group"))
    elif kind == "cure":
        live.cure(content["alarm"])
    elif kind == "uncure":
        live.cures.undo()
    elif kind != "hello":
        raise ValueError(f"kind={kind!r:.40}: the training knows no such command")
