"""How a recorded run stands, and its newest frame, without reading all of it."""

from dataclasses import dataclass, field
from typing import Any

from kan_widgets.live.frames.progress import ENDED, Standing
from kan_widgets.live.recordings.format import Status, fields_of, status_from
from kan_widgets.live.recordings.places import PathLike, Place
from kan_widgets.live.recordings.ranks import JoinedRanks
from kan_widgets.live.recordings.reader import Reader
from kan_widgets.live.recordings.recorded_feed import RecordedFeed, Signs
from kan_widgets.live.recordings.replay import Replay, replay
from kan_widgets.live.recordings.segments import INDEX, Stored, json_bytes, read_index


@dataclass(frozen=True)
class _Latest:
    """The last frame, values and status that a recording has of its run."""

    frames: int = 0
    step: int = 0
    """Step of the last frame."""
    values: dict[str, float] = field(default_factory=dict)
    """The last of each series."""
    status: Status = field(default_factory=Status)


class Glance:
    """How a recorded run stands. A look at a folder is one small request; one file is read once."""

    def __init__(self, path: PathLike) -> None:
        self.place = Place(path)
        self.header: dict[str, Any] = {}
        """Header of the recording; empty before the first look."""
        self.latest = _Latest()
        self.nbytes = 0
        self.is_closed = False
        self._signs = Signs()

    def look(self) -> bool:
        """See how it stands by now; return whether there is news. Raises as `kan_widgets.replay`.

        What the index says is checked.
        """
        before = self.latest
        if (index := read_index(self.place)) is not None:
            reader = Reader(self.place.path)
            reader.begin(json_bytes(index.header))
            with reader.reading(INDEX):
                latest = reader.header["latest"]
                values = {str(name): float(v) for name, v in latest.get("values", {}).items()}
                self.latest = _Latest(
                    **fields_of(_Latest, latest, "values", "status"),
                    values=values,
                    status=status_from(latest.get("status", {})),
                )
                self._signs.hear(reader.header)
            self.header, self.is_closed = reader.header, index.ended
            self.nbytes = index.nbytes
        elif not (self.is_closed and self.nbytes == Stored(self.place).nbytes()):
            run = replay(self.place.path, history_mb=0.0)
            values = {name: run.scalars.latest(name) for name in run.scalars.names}
            self.latest = _Latest(run.frames, run.frame.step, values, run.feed.status)
            self.header, self.is_closed = run.feed.reader.header, run.is_complete
            self.nbytes = run.feed.reader.stored.nbytes()
            self._signs.hear(self.header)
        return self.latest != before

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is to come of this run."""
        return self.is_closed or self.latest.status.progress.state in ENDED

    @property
    def is_alive(self) -> bool:
        """Whether its writer was heard of."""
        return not self.has_ended and "alive" in self.header and not self._signs.died

    @property
    def standing(self) -> Standing:
        """How the run stands."""
        return self._signs.standing(self.latest.status.progress, self.is_closed)


def newest(path: PathLike) -> Replay:
    """Show a recorded run at its newest frame; of a folder hardly more is read.

    Raises as `kan_widgets.replay`.
    """
    reader = JoinedRanks(path)
    reader.stored = Stored(reader.place, ends=True)
    try:
        return Replay(RecordedFeed(reader, 0.0))
    except (FileNotFoundError, ValueError):  # what the newest frame refers to lies in between
        return replay(path, history_mb=0.0)
