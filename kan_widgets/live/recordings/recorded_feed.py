"""The feed of a recording: what was read of it, and what comes while it grows."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from kan_widgets.live.frames.activations import Activations
from kan_widgets.live.frames.feed import Feed
from kan_widgets.live.frames.frame import Frame, History
from kan_widgets.live.frames.layout import Layout
from kan_widgets.live.frames.progress import (
    ENDED,
    Progress,
    RunState,
    Standing,
    State,
    age,
    behind,
    standing_of,
)
from kan_widgets.live.frames.scalars import Mark, Scalars
from kan_widgets.live.frames.source import Source
from kan_widgets.live.frames.structure import Structure, untraced
from kan_widgets.live.frames.thinning import evenly_spaced
from kan_widgets.live.recordings.control_folder import FollowerSide
from kan_widgets.live.recordings.format import Status, Steered
from kan_widgets.live.recordings.reader import Logged, ObservedInputs, Probed, Reader, Record, Seam
from kan_widgets.live.recordings.segments import LOST_SECONDS
from kan_widgets.live.reports import report
from kan_widgets.live.worker import Job, disk

# No news for so long: the training is quiet.
_QUIET_SECONDS = 2.0
# No news for so long is worth a word; of a run that makes steps earlier.
_SILENT_SECONDS = 60.0
_STUCK_SECONDS = 10.0
# Between two looks where nothing comes.
_LONGEST_PAUSE = 10.0
# Messages to a page at once; the frames between them are in the history.
_MAX_AT_ONCE = 30
Taken = TypeVar("Taken", Frame, Activations)


class NoFrames(ValueError):
    """There is nothing to show yet."""


class Signs:
    """When the writer of a recording said last that it is there, and how its run stands, then."""

    def __init__(self) -> None:
        self._header: Mapping[str, Any] = {}
        self._at = time.monotonic()

    def hear(self, header: Mapping[str, Any]) -> None:
        """Take the header as it was read last."""
        alive = float(header.get("alive", 0.0))
        if alive != self._header.get("alive"):
            # Only at the first look two clocks are compared.
            late = 0.0 if self._header else max(0.0, time.time() - alive)
            self._at = time.monotonic() - late
        self._header = header

    @property
    def died(self) -> str:
        """Say that the writer has died; empty if it has not, or nobody can tell."""
        head, silent = self._header, time.monotonic() - self._at
        if "alive" not in head or silent < LOST_SECONDS:
            return ""
        return f"died: no sign of process {head['process']} on {head['host']} for {age(silent)}"

    def standing(self, progress: Progress, is_closed: bool) -> Standing:
        """Return how the run stands by its loop, or where that does not say by its recording."""
        loop = standing_of(progress)
        if loop.state in ENDED:
            return loop
        if is_closed or "alive" not in self._header:
            how: RunState = "closed" if is_closed else "not closed"
        elif died := self.died:
            return Standing("died", died)
        elif loop.state == "idle":
            how = "still recording"
        else:
            return loop
        return Standing(how, how)


class RecordedFeed(Feed):
    """The feed of a recording: the records read so far, and the status of its run."""

    def __init__(self, reader: Reader, history_mb: float) -> None:
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
        self._signs = Signs()
        # What was read before storage failed is shown once it answers again.
        self._unshown: list[tuple[int, Record]] = []
        self._is_cut = False  # some that were shown do not count any more
        self.shown_by: Callable[[], Source | None] = lambda: None
        self._trouble = ""
        self._interval = self._pause = 0.5
        self._remote: FollowerSide | None = None
        self._job = Job(disk, self._visit)
        for record in reader.read():
            self._take(reader.last, record)
        if not len(self.history):
            raise NoFrames(
                f"{reader.place} holds no frame yet: it was cut off, or is still "
                "being written; kan_widgets.follow(path) waits for the first one"
            )
        self._signs.hear(self.reader.header)
        self.model_class = str(self.reader.header.get("model", ""))
        self._state = "recorded"

    @property
    def learning_rates(self) -> list[float]:
        return list(self.status.rates)

    @property
    def control(self) -> FollowerSide | None:
        """By which the run is steered; ``None`` where it is not followed or allows no control."""
        return self._remote if self.follows else None

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
        progress = self.progress
        if self.follows:
            if died := self._signs.died:
                return Standing("silent", f"{died}, last step {progress.step:,}")
            most = _STUCK_SECONDS if progress.state == "running" else _SILENT_SECONDS
            if progress.state in ENDED or self._silent < most:
                return standing_of(progress)
            news = f"no news for {age(self._silent)}, last step {progress.step:,}"
            return Standing("silent", f"paused, {news}" if progress.state == "paused" else news)
        stands = self._signs.standing(progress, self.reader.stored.ended)
        state = stands.state if stands.state in ENDED else "recorded"
        return Standing(state, f"recorded: {stands.words}{behind(progress.step, self.frame.step)}")

    @property
    def _silent(self) -> float:
        """Seconds since the last record came."""
        return time.monotonic() - self._news_at

    def steer(self, command: Mapping[str, Any]) -> int:
        if (remote := self.control) is None:
            raise RuntimeError(self.words)
        if died := self._signs.died:
            raise RuntimeError(f"{self.reader.place.name} {died}: its run hears nothing")
        number = remote.send(command)
        self.tell_training()
        return number

    @property
    def words(self) -> str:
        """How the recording stands, in one or two sentences."""
        name, fault, control = self.reader.place.name, self.status.message, self.control
        words = f"Following {name}" if self.follows else f"A recording ({name})"
        is_open, damage = not self.reader.stored.ended, self.reader.stored.damage
        is_silent = self.follows and self._silent > _SILENT_SECONDS
        if self._trouble:
            words += f", which cannot be read at the moment: {self._trouble}."
        elif is_open and (died := self._signs.died):
            words += f" that was not closed. Its run {died}."
        elif damage and (is_silent or not self.follows):
            words += f": {damage_of(self.reader)}."
        elif not self.follows and is_open:
            words += " that was not closed: its run had not ended, or was killed."
        elif is_silent:
            words += (
                ": nothing new for over a minute. The run stands still, has ended without closing "
                "its recording, or its storage is out of reach."
            )
        elif control is not None:
            words += f". {control.words}"
        else:
            words += f": it shows a run{' elsewhere' if is_open else ''}, and cannot steer it."
        return f"{words} It was not watched to its end: {fault}." if fault else words

    def close(self) -> None:
        """Follow no more; what was read stays. Closing again does nothing."""
        if self.follows:
            self.follows = False
            self._settle("recorded")
        if self._remote is not None:
            self._remote.release()

    def _take(self, number: int, record: Record, is_shown: bool = True) -> None:
        """Take a record, and show it."""
        with self.reader.reading(str(number)):
            if isinstance(record, Frame):
                self.frames += 1
                if len(self.history) and record.layout is not self.layout:
                    self.tell("layout", record.layout)
                self.history.append(record)
                if is_shown:
                    self.tell("frame", record, False)
            elif isinstance(record, Logged):
                self.scalars.extend(record.name, record.steps, record.values)
            elif isinstance(record, Seam):
                self._is_cut = True
                self.history.cut(record.step)
                self.scalars.cut(record.step)
                self.scalars.mark(record.step, record.words)
            elif isinstance(record, Mark):
                self.scalars.mark(record.step, record.text)
            elif isinstance(record, ObservedInputs):
                self.set_observed(record.layers)
            elif isinstance(record, Status):
                self.status, self.notices = record, record.notices
                self._hear(record.steering)
            elif isinstance(record, Structure):
                self.traced_structure = record
                self.tell("structure", record)
            elif isinstance(record, Probed):
                self.set_probe(record.probe)
            elif isinstance(record, Activations):
                self.activations.append(record)
                if is_shown:
                    self.tell("activations", record)

    def _hear(self, steering: Steered | None) -> None:
        """Take how the run is steered."""
        if steering is None:
            self._remote = None
            return
        if self._remote is None:
            self._remote = FollowerSide(self.reader.place.path, str(self.reader.header["id"]))
        self._remote.take(steering)

    def poll(self) -> bool:
        """Read what has come since, and show it; return whether there was anything.

        Called again and again by the thread ``disk`` while it is followed. Raises
        `OSError` if it cannot be read at the moment, `ValueError` if another run is there now.
        """
        with self._reading:
            for record in self.reader.read():
                self._unshown.append((self.reader.last, record))
            self._signs.hear(self.reader.header)
            if news := self._unshown:
                self._unshown, self._news_at = [], time.monotonic()
                self._show(news)
            if self.reader.stored.ended:
                self.follows = False
                self._settle("recorded")
            elif self._silent > _QUIET_SECONDS and self._state == "live":
                self._settle("idle")
            elif self._silent > _SILENT_SECONDS:
                self.tell_training()
            if self._remote is not None and self.follows:
                self._remote.beat()
            return bool(news)

    def _show(self, news: list[tuple[int, Record]]) -> None:
        records = [record for _, record in news]
        frames = [record for record in records if isinstance(record, Frame)]
        activations = [record for record in records if isinstance(record, Activations)]
        shown = {id(each) for each in (*_few(frames), *_few(activations))}
        self._is_cut = False
        with self.sending:
            if frames:
                self.set_state("live")
            for number, record in news:
                self._take(number, record, id(record) in shown)
            if self._is_cut and frames and (source := self.shown_by()) is not None:
                # Views forget the frames that do not count any more.
                self.tell("replaced", source)
        self.tell_training()

    def structure_of(self, layout: Layout) -> Structure:
        return self.traced_structure or untraced(
            layout, "The order is that of the modules: no examples were recorded."
        )

    def _settle(self, state: State) -> None:
        with self.sending:
            self.tell("frame", self.frame, True)
            self.set_state(state)
        self.tell_training()

    def follow(self, interval: float) -> None:
        """Look for what else is written, every ``interval`` seconds."""
        self.follows = not self.reader.stored.ended
        if self.follows:
            self._state = "idle"
            self._interval = self._pause = interval
            self._rest()

    def _rest(self) -> None:
        self._pause = min(self._pause, max(_LONGEST_PAUSE, self._interval))
        self._job.earliest = time.monotonic() + self._pause
        self._job.wake()

    def _visit(self) -> None:
        """Look again, until the recording ends; called by the thread ``disk``."""
        if self.look():
            is_quiet = self._silent >= _QUIET_SECONDS
            self._pause = self._pause * 1.3 if is_quiet else self._interval
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
        except Exception as error:  # a page is to say so, not to wait for what never comes
            self.follows = False
            self.message = str(error) if isinstance(error, ValueError) else repr(error)
            report(f"following has ended: {self.message}")
            self.set_state("fault")
            self.tell_training()
        else:
            if self._trouble:
                self._trouble = ""
                self.tell_training()
        return self.follows


def damage_of(reader: Reader) -> str:
    """Say where a recording is damaged."""
    stored = reader.stored
    return (
        f"{reader.place} is damaged at byte {stored.offset:,} ({stored.damage}): what comes after "
        "is left out"
    )


def _few(taken: list[Taken]) -> list[Taken]:
    """Return as many as a page is sent at once, spread over the steps."""
    if len(taken) <= _MAX_AT_ONCE:
        return taken
    return [taken[place] for place in evenly_spaced([each.step for each in taken], _MAX_AT_ONCE)]
