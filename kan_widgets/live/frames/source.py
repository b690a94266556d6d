"""Where frames come from: what a binding and a recording have in common for their users."""

from typing import Any, ClassVar

from kan_widgets.checks import OtherNames, nearest_word, other_name_hint
from kan_widgets.live.frames.feed import Feed
from kan_widgets.live.frames.frame import Frame, History
from kan_widgets.live.frames.progress import Progress, State
from kan_widgets.live.frames.scalars import Scalars
from kan_widgets.live.not_copied import NotCopied


class Source(NotCopied, OtherNames):
    """Frames of the same layers over time, with curves and the control of what trains them.

    Parameters
    ----------
    feed
        What it shows.
    scalars
        What was logged.
    """

    _is_made = False
    """Whether it has all of its attributes."""
    _other_names: ClassVar = {
        "alarms": "Write live.watchdog.alarms.",
        "cure": "Write live.watchdog.cure(alarm).",
        "cures": "Write live.watchdog.cured.",
        "deselect": "Write live.select(None).",
        "learning_rate": "Write live.set_learning_rate(value).",
        "learning_rates": "Write live.feed.learning_rates.",
        "lr": "Write live.set_learning_rate(value).",
        "mark": "Write live.scalars.mark(step, text).",
        "max_fps": "Write kan_widgets.bind(model, optimizer, max_fps=...).",
        "observed": "Write live.feed.observed.",
        "selection": "Write live.select(layer, out, in_).",
        "steps": "Write live.stats.steps.",
        "subscribe": "Write live.feed.subscribe(listener).",
        "uncure": "Write live.watchdog.undo().",
    }

    def __init__(self, feed: Feed, scalars: Scalars) -> None:
        self.feed = feed
        """What views hear of and look at: frames as they come, selection, observed inputs."""
        self.scalars = scalars
        """What was logged: curves by step, and marks."""

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; a public one that is not there, a slip, would do nothing."""
        if self._is_made and not name.startswith("_"):
            kind = type(self)
            settable = [each for each in dir(kind) if getattr(getattr(kind, each), "fset", None)]
            if name not in settable:
                hint = other_name_hint(kind, name) or nearest_word(name, settable)
                text = " ".join(repr(value).split())
                raise AttributeError(
                    f"{name} = {text:.60}: a {kind.__name__} has no {name} that can be set."
                    f"{hint} What can be set: {', '.join(settable) or 'nothing'}"
                )
        super().__setattr__(name, value)

    @property
    def frame(self) -> Frame:
        """The latest frame taken."""
        return self.feed.frame

    @property
    def history(self) -> History:
        """The frames kept so far: the first, the latest, and evenly spread ones between."""
        return self.feed.history

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers."""
        return self.feed.layout.names

    @property
    def state(self) -> State:
        """``live`` while frames come in, ``idle`` between, ``closed``, ``fault``, ``recorded``."""
        return self.feed.state

    @property
    def progress(self) -> Progress:
        """How far the training is."""
        return self.feed.progress

    @property
    def every(self) -> int:
        """Steps between two frames."""
        return 1

    @property
    def data_source(self) -> str:
        """What the model is trained on, in words."""
        return self.progress.data_source

    def pause(self) -> None:
        """Hold the training after the current step. Raises as ``set_learning_rate``."""
        self.feed.steer({"kind": "pause"})

    def resume(self) -> None:
        """Let the training go on. Raises as ``set_learning_rate``."""
        self.feed.steer({"kind": "resume"})

    def stop(self) -> None:
        """End the loop that trains after the current step. Raises as ``set_learning_rate``."""
        self.feed.steer({"kind": "stop"})

    def set_learning_rate(self, value: float, group: int | None = None) -> None:
        """Change the learning rate between two steps, and mark the change on the curves.

        Parameters
        ----------
        value
            The new learning rate, at least 0.
        group
            Of which parameter group. By default of all: the first gets ``value``, the others
            change in proportion. A scheduler that sets the rate will overwrite it.

        Raises
        ------
        TypeError, ValueError, IndexError
            If the value is no rate, or there is no such group.
        RuntimeError
            If there is no optimizer; or of a recording, if it is not followed, or its run cannot
            be steered from here.
        OSError
            If the run is followed, and the file by which it is steered cannot be written.
        """
        self.feed.steer({"kind": "rate", "value": value, "group": group})

    def close(self) -> None:
        """Watch or follow no more; views keep the last frame. Closing again does nothing."""
        self.feed.close()

    def select(
        self, layer: str | None, out: int = 0, in_: int = 0, row: int = 0, column: int = 0
    ) -> None:
        """Select one function in all views; nothing with ``None``.

        Raises
        ------
        KeyError
            If there is no such layer; the message lists the names.
        IndexError
            If the layer has no such function; the message gives its shape.
        """
        place: Any = {"layer": layer, "out": out, "in": in_, "row": row, "column": column}
        self.feed.select(None if layer is None else place)
