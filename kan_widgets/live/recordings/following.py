"""Read a recording, as far as it is written, and follow it while it grows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from kan_widgets.live.frames.activations import ActivationHistory, Activations, Probe
from kan_widgets.live.frames.feed import Feed, State
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.history import History, spread
from kan_widgets.live.frames.layout import Layout
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.progress import ENDED, Progress, Standing, age, behind, standing_of
from kan_widgets.live.frames.scalars import Mark, Scalars
from kan_widgets.live.frames.structure import Structure, untraced
from kan_widgets.live.recordings.format import Status, Steered
from kan_widgets.live.recordings.reader import Observed, Probed, Reader, Record, Values
from kan_widgets.live.recordings.remote import Remote
from kan_widgets.live.reports import report
from kan_widgets.live.worker import Job, disk

# No news for so long: the training is quiet.
_QUIET_SECONDS = 2.0
# No news for so long is worth a word; of a run that makes steps earlier.
_SILENT_SECONDS = 60.0
_STUCK_SECONDS = 10.0
# Messages to a page at once; the frames between them are in the history.
_MOST_AT_ONCE = 30


class NoFrames(ValueError):
    """There is nothing to show yet."""


class Recorded(Feed):
    """What a recording shows: what was read of it, and what it says of its run.

    ``progress`` is called after each record with the bytes read, and those of the file when it was
    opened.
    """

    def __init__(
        self,
        reader: Reader,
        history_mb: float,
        progress: Callable[[int, int], object] | None = None,
    ) -> None:
        super().__init__(History(int(history_mb * 1e6)))
        self.reader = reader
        self.scalars = Scalars()
        self.frames = 0
        """How many were read; ``history`` may hold fewer."""
        self.status = Status()
        self.follows = False
        """Whether it looks for what else is written."""
        self._reading = threading.Lock()
        self._news_at = time.monotonic()
        self._is_silent = False
        self._trouble = ""
        self._interval = 0.5
        self._remote: Remote | None = None
        self._job = Job(disk, self._visit)
        # What was read, and is not shown yet.
        self._observed: dict[str, Observation] = {}
        self._structure: Structure | None = None
        self._probe: Probe | None = None
        self._activations = self.activations
        self._news: list[Activations] = []
        size = reader.path.stat().st_size if progress is not None else 0
        for _ in self._read(self.history.append):
            if progress is not None:
                progress(min(reader.place.offset, size), size)
        if progress is not None:
            progress(size, size)
        if not len(self.history):
            raise NoFrames(
                f"{reader.path} holds no frame yet: it was cut off at its beginning, or is still "
                "being written; kan_widgets.follow(path) waits for the first one"
            )
        self.observed = self._observed
        self._show_network()
        self._state = "recorded"

    # -- what it says -----------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The file."""
        return self.reader.path

    @property
    def is_complete(self) -> bool:
        """Whether the recording was closed: nothing more will come."""
        return self.reader.place.ended

    @property
    def learning_rates(self) -> list[float]:
        """The learning rate of each parameter group, as recorded last."""
        return list(self.status.rates)

    @property
    def control_state(self) -> Literal["running", "paused", "stopping"]:  # type: ignore[override]
        """How the run stands, or will when it has heard."""
        return "running" if self.remote is None else self.remote.state

    @property
    def is_held(self) -> bool:  # type: ignore[override]
        """Whether the run stands still."""
        return self.remote is not None and self.remote.is_holding

    @property
    def progress(self) -> Progress:
        """How far the training was when the last record was written."""
        said = self.status.progress
        said = replace(said, step=max(said.step, self.frame.step))
        if not self.follows and said.state in ("running", "paused"):
            said = replace(said, state="idle", remaining=None, steps_per_second=0.0)
        return said

    @property
    def standing(self) -> Standing:
        """How the run stands, as far as the recording has said, and for how long it has not.

        Of a recording that is not followed: how the run ended, ``"closed"`` where it was closed
        before that, or whether it grows.
        """
        if self._state == "fault":
            return Standing("fault", self.message)
        said = standing_of(self.progress)
        if self.follows:
            silent = time.monotonic() - self._news_at
            most = _STUCK_SECONDS if said.state == "running" else _SILENT_SECONDS
            if said.state in ENDED or silent < most:
                return said
            news = f"no news for {age(silent)}, last step {self.progress.step:,}"
            return Standing("silent", f"paused, {news}" if said.state == "paused" else news)
        state, how = said.state, said.words
        if state not in ENDED:
            state, how = "recorded", "closed" if self.is_complete else self._grown()
        return Standing(state, f"recorded: {how}{behind(self.progress.step, self.frame.step)}")

    def _grown(self) -> str:
        """Say whether it grows, or for how long it has not."""
        try:
            silent = time.time() - self.path.stat().st_mtime
        except OSError as error:
            return f"out of reach: {error}"
        return "still recording" if silent < _SILENT_SECONDS else f"silent for {age(silent)}"

    @property
    def remote(self) -> Remote | None:
        """By which the run is steered; ``None`` where it is not followed or allows no control."""
        return self._remote if self.follows else None

    def steer(self, command: Mapping[str, Any]) -> int:
        """Ask the run for something; return the number by which it says that it heard."""
        if (remote := self.remote) is None:
            raise RuntimeError(self.words)
        number = remote.send(command)
        self.tell_training()
        return number

    @property
    def words(self) -> str:
        """What this is, and how it stands, in one or two sentences."""
        name = self.path.name
        fault = self.status.message
        ended = f" It was not watched to its end: {fault}." if fault else ""
        if self.is_complete:
            return f"A recording ({name}): it shows a run, and cannot steer it.{ended}"
        if not self.follows:
            if self.reader.place.damage:
                return f"A recording: {damage_of(self.reader)}."
            return (
                f"A recording ({name}) that was not closed: its run had not ended, or was killed."
                f"{ended}"
            )
        if self._trouble:
            return f"Following {name}, which cannot be read at the moment: {self._trouble}."
        if self.reader.place.damage and self._is_silent:
            return f"Following {name}, but {damage_of(self.reader)}."
        if self._is_silent:
            return (
                f"Following {name}: nothing new for over a minute. The run stands still, has ended "
                "without closing its recording, or its storage is out of reach."
            )
        if self._remote is not None:
            return f"Following {name}. {self._remote.words}{ended}"
        return f"Following {name}: it shows a run elsewhere, and cannot steer it.{ended}"

    def close(self) -> None:
        """Follow no more; what was read stays. Closing again does nothing."""
        if self.follows:
            self.follows = False
            self._settle("recorded")
        if self._remote is not None:
            self._remote.release()

    # -- reading --------------------------------------------------------------------

    def _read(self, keep: Callable[[Frame], object]) -> Iterator[bool]:
        """Take what was written, record by record."""
        for record in self.reader.read():
            with self.reader.reading(str(self.reader.last)):
                if isinstance(record, Frame):
                    self.frames += 1
                    keep(record)
                else:
                    self._take(record)
            yield True

    def _take(self, record: Record) -> None:
        if isinstance(record, Values):
            self.scalars.extend(record.name, record.steps, record.values)
        elif isinstance(record, Mark):
            self.scalars.mark(record.step, record.text)
        elif isinstance(record, Observed):
            self._observed = record.layers
        elif isinstance(record, Status):
            self.status, self.notices = record, record.notices
            self._hear(record.steering)
        elif isinstance(record, Structure):
            self._structure = record
        elif isinstance(record, Probed):
            self._probe, self._news = record.probe, []
            self._activations = ActivationHistory()
        elif isinstance(record, Activations):
            self._activations.append(record)
            self._news = [*self._news, record][-_MOST_AT_ONCE:]

    def _hear(self, steering: Steered | None) -> None:
        """Take what the run says of being steered."""
        if steering is None:
            self._remote = None
            return
        if self._remote is None:
            self._remote = Remote(self.path, str(self.reader.header["id"]))
        self._remote.take(steering)

    def poll(self) -> bool:
        """Read what has come since, and show it; return whether there was anything.

        Called again and again by the thread of all files while it is followed. Raises as
        `Replay.poll`.
        """
        with self._reading:
            frames: list[Frame] = []
            has_news = any([*self._read(frames.append)])
            now = time.monotonic()
            if has_news:
                self._news_at = now
                self._show(frames)
            silent = now - self._news_at
            if self.reader.place.ended:
                self.follows = False
                self._settle("recorded")
            elif silent > _QUIET_SECONDS and self._state == "live":
                self._settle("idle")
            elif silent > _SILENT_SECONDS and not self._is_silent:
                self.tell_training()
            self._is_silent = silent > _SILENT_SECONDS
            if self._remote is not None and self.follows:
                self._remote.beat()
            return has_news

    def _show(self, frames: list[Frame]) -> None:
        shown: Collection[int] = range(len(frames))
        if len(frames) > _MOST_AT_ONCE:
            shown = set(spread([frame.step for frame in frames], _MOST_AT_ONCE))
        with self.sending:
            if frames:
                self.set_state("live")
            for place, frame in enumerate(frames):
                if frame.layout is not self.layout:
                    self.tell_layout(frame.layout)
                self.history.append(frame)
                if place in shown:
                    self.tell_frame(frame, settled=False)
            if self.observed is not self._observed:
                self.set_observed(self._observed)
            self._show_network()
        self.tell_training()

    def _show_network(self) -> None:
        """Show what was read of the network since the last time."""
        if self._structure is not self.found:
            self.set_structure(self._structure)
        if self._activations is not self.activations:
            self.set_probe(self._probe, self._activations)
        news, self._news = self._news, []
        for activations in news:
            self.tell_activations(activations)

    def structure_of(self, layout: Layout) -> Structure:
        """Return what is recorded of how the layers of a layout are connected."""
        return self.found or untraced(
            layout, "The order is that of the modules: no examples were recorded."
        )

    def _settle(self, state: State) -> None:
        with self.sending:
            self.tell_frame(self.frame, settled=True)
            self.set_state(state)
        self.tell_training()

    def follow(self, interval: float) -> None:
        """Look for what else is written, every ``interval`` seconds."""
        self.follows = not self.is_complete
        if self.follows:
            self._state = "idle"
            self._interval = interval
            self._rest()

    def _rest(self) -> None:
        self._job.earliest = time.monotonic() + self._interval
        self._job.wake()

    def _visit(self) -> None:
        """Look again, until the recording ends; called by the thread of all files."""
        if self.look():
            self._rest()

    def look(self) -> bool:
        """Poll once, whatever happens; return whether to go on."""
        if not self.follows:
            return False
        try:
            self.poll()
        except OSError as error:
            # Mounted storage comes and goes.
            if not self._trouble:
                self._trouble = str(error)
                self.tell_training()
        except ValueError as error:
            self.follows = False
            self.message = str(error)
            report(f"following has ended: {error}")
            self.set_state("fault")
            self.tell_training()
        else:
            if self._trouble:
                self._trouble = ""
                self.tell_training()
        return self.follows


def damage_of(reader: Reader) -> str:
    """Say where a recording is damaged."""
    place = reader.place
    return (
        f"{reader.path} is damaged at byte {place.offset:,} ({place.damage}): what comes after is "
        "left out"
    )
