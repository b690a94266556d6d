"""A recorded run, shown by the same views as one that trains here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kan_widgets.live.frames.progress import Progress
from kan_widgets.live.frames.source import Source
from kan_widgets.live.recordings.following import Recorded
from kan_widgets.live.recordings.remote import Remote


class Replay(Source):
    """Frames, curves and numbers of a recorded run. Made by `replay` and `follow`; see there.

    What needs the model (editing, ``observe``) is not there: ask the run itself.
    """

    feed: Recorded
    _elsewhere = frozenset(
        "channel_names class_names edits feature_names gather log model observe probe read record "
        "refresh save send_to stats step track train_with watchdog".split()
    )
    _why_elsewhere = (
        "a recording holds no model. kan_widgets.bind(model) has it, in the process that trains; "
        "the inputs that it observes are recorded"
    )

    def __init__(self, feed: Recorded) -> None:
        super().__init__(feed, feed.scalars)
        self._is_made = True

    @property
    def path(self) -> Path:
        """The file."""
        return self.feed.path

    @property
    def info(self) -> dict[str, Any]:
        """What the file says of itself: ``model``, ``started``, ``kan_widgets``, ``version``."""
        header = self.feed.reader.header
        return {name: value for name, value in header.items() if name != "copy"}

    @property
    def frames(self) -> int:
        """How many were read: all that were recorded; ``history`` may hold fewer."""
        return self.feed.frames

    @property
    def is_complete(self) -> bool:
        """Whether the recording was closed: nothing more will come."""
        return self.feed.is_complete

    @property
    def is_following(self) -> bool:
        """Whether it looks for what else is written."""
        return self.feed.follows

    @property
    def parameters(self) -> dict[str, Any] | None:
        """How many parameters were trained, in which parts: what the file says of them."""
        return self.feed.reader.parameters

    @property
    def progress(self) -> Progress:
        """How far the training was when the last record was written."""
        return self.feed.progress

    @property
    def every(self) -> int:
        """Steps between two frames of the run."""
        return self.feed.status.every

    @property
    def data_source(self) -> str:
        """What the model was trained on, in words."""
        return self.progress.data_source

    @property
    def control(self) -> Remote:
        """Pause, resume, advance by single steps, or stop the run that is followed.

        Raises
        ------
        RuntimeError
            If it is not followed, or allows no control.
        """
        if (remote := self.feed.remote) is None:
            raise RuntimeError(self.words)
        return remote

    @property
    def words(self) -> str:
        """What this is, and how it stands, in one or two sentences."""
        return self.feed.words

    def __repr__(self) -> str:
        how = "following" if self.is_following else "complete" if self.is_complete else "cut off"
        return (
            f"<Replay of {self.path.name}: {len(self.layers)} layers, {len(self.history)} frames, "
            f"step {self.frame.step}, {how}>"
        )

    def poll(self) -> bool:
        """Read what has come since, and show it; return whether there was anything.

        Raises
        ------
        OSError
            If the file cannot be read at the moment.
        ValueError
            If what is there now is not this recording any more.
        """
        return self.feed.poll()

    def close(self) -> None:
        """Follow no more; what was read stays. Closing again does nothing."""
        self.feed.close()
