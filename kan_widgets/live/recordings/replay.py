"""A recorded run, shown by the same views as one that trains here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kan_widgets.live.frames.activations import ActivationHistory, Activations, Probe
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.history import History
from kan_widgets.live.frames.layout import Layout
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.frames.progress import Progress
from kan_widgets.live.frames.scalars import Mark, Scalars
from kan_widgets.live.frames.source import Source, State
from kan_widgets.live.frames.standing import ENDED, Standing, age, behind, standing_of
from kan_widgets.live.frames.structure import Structure, untraced
from kan_widgets.live.frames.thinning import spread
from kan_widgets.live.recordings.reader import (
    Observed,
    Probed,
    Reader,
    Record,
    Values,
)
from kan_widgets.live.recordings.remote import Remote
from kan_widgets.live.recordings.status import RecordedTraining, Status, Steered
from kan_widgets.live.reports import report
from kan_widgets.live.worker import Job, disk

NEEDS_MODEL = frozenset(
    "alarms can_rest cell_over channel_names class_names control counts_steps cure cures "
    "edits feature_names first_frame gather "
    "is_due is_open is_quiet last_inputs log loop_ended mark max_fps model modules need_care "
    "observe on_fault on_step optimizer place_of probe read read_layer record refresh "
    "replaces run_example save send_to set_learning_rate settle show_edited stats step steps "
    "tell_batch tell_edited tell_training track train_with trained_by trained_layers uncounted "
    "trains_elsewhere waited watch_steps watchdog while_held".split()
)
"""What a binding has, and a recording has not."""

# No news for so long: the training is quiet.
_QUIET_SECONDS = 2.0
# No news for so long is worth a word; of a run that makes steps earlier.
_SILENT_SECONDS = 60.0
_STUCK_SECONDS = 10.0
# Messages to a page at once; the frames between them are in the history.
_MOST_AT_ONCE = 30


@dataclass
class _Network:
    """What was read of the network and its examples."""

    structure: Structure | None = None
    probe: Probe | None = None
    activations: ActivationHistory = field(default_factory=ActivationHistory)
    news: list[Activations] = field(default_factory=list)
    """Those not told of yet."""


class NoFrames(ValueError):
    """There is nothing to show yet."""


class Replay(Source):
    """Frames, curves and numbers of a recorded run. Made by `replay` and `follow`; see there.

    What needs the model (editing, ``observe``, steering) is not there: ask the run itself.
    """

    def __init__(
        self,
        reader: Reader,
        history_mb: float,
        progress: Callable[[int, int], object] | None = None,
    ) -> None:
        self._reader = reader
        self._reading = threading.Lock()
        self._status = Status()
        self._news_at = time.monotonic()
        self._follows = False
        self._is_silent = False
        self._trouble = ""
        self._seen: dict[str, Observation] = {}
        self._network = _Network()
        self._interval = 0.5
        self._remote: Remote | None = None
        self._job = Job(disk, self._visit)
        self.scalars = Scalars()
        """What was logged: curves by step, and marks."""
        self.frames = 0
        """How many were read: all that were recorded; ``history`` may hold fewer."""
        history = History(int(history_mb * 1e6))
        size = reader.path.stat().st_size if progress is not None else 0
        for _ in self._read(history.append):
            if progress is not None:
                progress(min(reader.place.offset, size), size)
        if progress is not None:
            progress(size, size)
        if not len(history):
            raise NoFrames(
                f"{reader.path} holds no frame yet: it was cut off at its beginning, or is still "
                "being written; kan_widgets.follow(path) waits for the first one"
            )
        super().__init__(history)
        self._observed = self._seen
        self._show_network()
        self._state: State = "recorded"
        self._is_made = True

    # -- what it holds --------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The file."""
        return self._reader.path

    @property
    def info(self) -> dict[str, Any]:
        """What the file says of itself: ``model``, ``started``, ``kan_widgets``, ``version``."""
        return {name: value for name, value in self._reader.header.items() if name != "copy"}

    @property
    def is_complete(self) -> bool:
        """Whether the recording was closed: nothing more will come."""
        return self._reader.place.ended

    @property
    def is_following(self) -> bool:
        """Whether it looks for what else is written."""
        return self._follows

    @property
    def parameters(self) -> dict[str, Any] | None:
        """How many parameters were trained, in which parts: what the file says of them."""
        return self._reader.parameters

    @property
    def training(self) -> RecordedTraining:
        """What is known of the loop that trained."""
        return self._status.training

    @property
    def progress(self) -> Progress:
        """How far the training was when the last record was written."""
        said = self._status.progress
        said = replace(said, step=max(said.step, self.frame.step))
        if not self.is_following and said.state in ("running", "paused"):
            said = replace(said, state="idle", remaining=None, steps_per_second=0.0)
        return said

    @property
    def standing(self) -> Standing:
        """How the run stands, as far as the recording has said, and for how long it has not.

        Of a recording that is not followed: how the run ended, ``"closed"`` where it was closed
        before that, or whether it grows.
        """
        if self._state == "fault":
            return Standing("fault", self._message)
        said = standing_of(self.progress)
        if self._follows:
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
    def every(self) -> int:
        """Steps between two frames of the run."""
        return self._status.every

    @property
    def learning_rates(self) -> list[float]:
        """The learning rate of each parameter group, as recorded last."""
        return list(self._status.rates)

    @property
    def notices(self) -> dict[str, Any]:
        """What went wrong when the last record was written, for the panel."""
        return self._status.notices

    @property
    def remote(self) -> Remote | None:
        """By which the run is steered; ``None`` where it is not followed or allows no control."""
        return self._remote if self._follows else None

    def steer(self, command: Mapping[str, Any]) -> int:
        """Ask the run for something, as its training panel would.

        Parameters
        ----------
        command
            See `kan_widgets.live.steering.commands.act`: ``{"kind": "pause"}``.

        Returns
        -------
        int
            The number of the command; the recording says when it was heard.

        Raises
        ------
        RuntimeError
            If the run allows no control, is over, or is steered by another follower.
        OSError
            If the file beside the recording cannot be written, or belongs to another user.
        """
        if (remote := self.remote) is None:
            raise RuntimeError(self.words)
        number = remote.send(command)
        self._tell_training()
        return number

    @property
    def data_source(self) -> str:
        """What the model was trained on, in words."""
        return self.progress.data_source

    @property
    def words(self) -> str:
        """What this is, and how it stands, in one or two sentences."""
        name = self.path.name
        fault = self._status.message
        ended = f" It was not watched to its end: {fault}." if fault else ""
        if self.is_complete:
            return f"A recording ({name}): it shows a run, and cannot steer it.{ended}"
        if not self._follows:
            if self._reader.place.damage:
                return f"A recording: {damage_of(self._reader)}."
            return (
                f"A recording ({name}) that was not closed: its run had not ended, or was killed."
                f"{ended}"
            )
        if self._trouble:
            return f"Following {name}, which cannot be read at the moment: {self._trouble}."
        if self._reader.place.damage and self._is_silent:
            return f"Following {name}, but {damage_of(self._reader)}."
        if self._is_silent:
            return (
                f"Following {name}: nothing new for over a minute. The run stands still, has ended "
                "without closing its recording, or its storage is out of reach."
            )
        if self._remote is not None:
            return f"Following {name}. {self._remote.words}{ended}"
        return f"Following {name}: it shows a run elsewhere, and cannot steer it.{ended}"

    def __repr__(self) -> str:
        how = "following" if self.is_following else "complete" if self.is_complete else "cut off"
        return (
            f"<Replay of {self.path.name}: {len(self.layers)} layers, {len(self.history)} frames, "
            f"step {self.frame.step}, {how}>"
        )

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Say why a recording has not what a binding has."""
            if name in NEEDS_MODEL:
                raise AttributeError(
                    f"{name}: a recording holds no model. kan_widgets.bind(model) has it, in the "
                    "process that trains; the inputs that it observes are recorded"
                )
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def close(self) -> None:
        """Follow no more; what was read stays. Closing again does nothing."""
        if self._follows:
            self._follows = False
            self._settle("recorded")
        if self._remote is not None:
            self._remote.release()

    # -- reading --------------------------------------------------------------------

    def _read(self, keep: Callable[[Frame], object]) -> Iterator[bool]:
        """Take what was written, record by record."""
        for record in self._reader.read():
            with self._reader.reading(str(self._reader.last)):
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
            self._seen = record.layers
        elif isinstance(record, Status):
            self._status = record
            self._hear(record.steering)
        elif isinstance(record, Structure):
            self._network.structure = record
        elif isinstance(record, Probed):
            self._network.probe, self._network.news = record.probe, []
            self._network.activations = ActivationHistory()
        elif isinstance(record, Activations):
            self._network.activations.append(record)
            self._network.news = [*self._network.news, record][-_MOST_AT_ONCE:]

    def _hear(self, steering: Steered | None) -> None:
        """Take what the run says of being steered."""
        if steering is None:
            self._remote = None
            return
        if self._remote is None:
            self._remote = Remote(self.path, str(self._reader.header["id"]))
        self._remote.take(steering)

    def poll(self) -> bool:
        """Read what has come since, and show it; return whether there was anything.

        Called again and again by the thread of all files while it is followed.

        Raises
        ------
        OSError
            If the file cannot be read at the moment.
        ValueError
            If what is there now is not this recording any more.
        """
        with self._reading:
            frames: list[Frame] = []
            has_news = any([*self._read(frames.append)])
            now = time.monotonic()
            if has_news:
                self._news_at = now
                self._show(frames)
            silent = now - self._news_at
            if self._reader.place.ended:
                self._follows = False
                self._settle("recorded")
            elif silent > _QUIET_SECONDS and self._state == "live":
                self._settle("idle")
            elif silent > _SILENT_SECONDS and not self._is_silent:
                self._tell_training()
            self._is_silent = silent > _SILENT_SECONDS
            if self._remote is not None and self._follows:
                self._remote.beat()
            return has_news

    def _show(self, frames: list[Frame]) -> None:
        shown: Collection[int] = range(len(frames))
        if len(frames) > _MOST_AT_ONCE:
            shown = set(spread([frame.step for frame in frames], _MOST_AT_ONCE))
        with self._sending:
            if frames:
                self._set_state("live")
            for place, frame in enumerate(frames):
                if frame.layout is not self.layout:
                    self._tell_layout(frame.layout)
                self._history.append(frame)
                if place in shown:
                    self._tell_frame(frame, settled=False)
            if self._observed is not self._seen:
                self._observed = self._seen
                self._tell_observed()
            self._show_network()
        self._tell_training()

    def _show_network(self) -> None:
        """Show what was read of the network since the last time."""
        read = self._network
        if read.structure is not self._structure:
            self._structure = read.structure
            self._tell_structure()
        if read.activations is not self._activations:
            self._probed, self._activations = read.probe, read.activations
            self._tell_probe()
        news, read.news = read.news, []
        for activations in news:
            self._tell_activations(activations)

    def structure_of(self, layout: Layout) -> Structure:
        """Return what is recorded of how the layers of a layout are connected."""
        return self._structure or untraced(
            layout, "The order is that of the modules: no examples were recorded."
        )

    def _settle(self, state: State) -> None:
        with self._sending:
            self._tell_frame(self.frame, settled=True)
            self._set_state(state)
        self._tell_training()

    def follow(self, interval: float) -> None:
        """Look for what else is written, every ``interval`` seconds."""
        self._follows = not self.is_complete
        if self._follows:
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
        if not self.is_following:
            return False
        try:
            self.poll()
        except OSError as error:
            # Mounted storage comes and goes.
            if not self._trouble:
                self._trouble = str(error)
                self._tell_training()
        except ValueError as error:
            self._follows = False
            self._message = str(error)
            report(f"following has ended: {error}")
            self._set_state("fault")
            self._tell_training()
        else:
            if self._trouble:
                self._trouble = ""
                self._tell_training()
        return self.is_following


def damage_of(reader: Reader) -> str:
    """Say where a recording is damaged."""
    place = reader.place
    return (
        f"{reader.path} is damaged at byte {place.offset:,} ({place.damage}): what comes after is "
        "left out"
    )
