"""A run that is steered by whoever follows its recording, through the folder ``run.control``.

It lies beside the recording, and goes with it: see ``docs/recordings.md``.
"""

import json
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from kan_widgets.live.frames.feed import Command, Feed
from kan_widgets.live.frames.progress import ControlState
from kan_widgets.live.recordings.format import Steered
from kan_widgets.live.recordings.places import PathLike, Place
from kan_widgets.live.recordings.same_step import SameStep
from kan_widgets.live.reports import report

_MAX_AHEAD = 1000  # commands that were not heard
_BEAT_SECONDS = 2.0
_LATE_SECONDS = 10.0
_FAR_SECONDS = 2.0  # between two looks of a run whose folder lies at an address
_HOLDS = ("pause", "step")
_COMMAND = re.compile(r"(\d{8})-\w+\.json")
_OURS = re.compile(r"([0-9a-f]{16}|\d{8}-\w+\.json)(\.part)?")
_MAX_BYTES = 100_000


class ControlFolder(Place):
    """The folder of a recording. See above for who may use it; all may raise `OSError`."""

    def __init__(self, recording: PathLike) -> None:
        super().__init__(recording)  # a link leads to the same, and is followed no further
        self.path = type(self.path)(f"{self.path}.control")
        self._root += ".control"

    def check(self) -> None:
        """Raise if no run can be steered by it, or it is not this user's alone.

        Raises `RuntimeError` where files have no owners, `PermissionError`.
        """
        if not self.is_local:
            return
        if not hasattr(os, "geteuid"):
            raise RuntimeError(
                "control=True needs files with owners, as Linux and macOS have them: record "
                "without control here, or at an address such as s3://bucket/run"
            )
        with suppress(FileNotFoundError):
            about = os.lstat(self.path)
            if not stat.S_ISDIR(about.st_mode):
                raise PermissionError(f"{self} is a link or a file, not a folder: remove it")
            self._check_owner(about)
            if about.st_mode & 0o077:
                raise PermissionError(
                    f"{self} may be read or written by others ({stat.filemode(about.st_mode)}): "
                    "expected drwx------"
                )

    def _check_owner(self, about: os.stat_result) -> None:
        if about.st_uid != os.geteuid():
            raise PermissionError(
                f"{self} belongs to user {about.st_uid}, and this process to user "
                f"{os.geteuid()}: a run is steered by its own user alone"
            )

    def make(self, run: str) -> None:
        """Make it for a run, without what an earlier one has left."""
        self.check()
        with suppress(FileNotFoundError):
            self.clear()
        if isinstance(self.path, Path):
            self.path.mkdir(0o700)
        self.write(run, b"")

    def clear(self) -> None:
        """Remove it, with what runs and followers put there; what else is there stays."""
        for name in filter(_OURS.fullmatch, self.names()):
            self.remove(name)
        if isinstance(self.path, Path):
            os.rmdir(self.path)

    def read(self, name: str) -> bytes:
        with self._asked(), self.files.open(self.of(name), "rb") as file:
            if self.is_local:  # who may write above it might have put another in its place
                self._check_owner(os.fstat(file.fileno()))
            return bytes(file.read(_MAX_BYTES))

    def sign(self, run: str) -> None:
        """Say that a follower of the run is there. Raises `FileNotFoundError` if that is not."""
        if run not in self.names():
            raise FileNotFoundError(run)
        with self._asked():  # not by way of another name, as several may sign at once
            self.files.pipe_file(self.of(run), secrets.token_bytes(8))

    def commands(self) -> dict[str, int]:
        """Return the files of commands and their numbers, in the order in which they are done."""
        found = filter(None, map(_COMMAND.fullmatch, sorted(self.names())))
        return {match[0]: int(match[1]) for match in found}


class FollowerSide:
    """The follower's side: puts commands for a run into the folder.

    Parameters
    ----------
    recording
        The file followed.
    run
        Its identity.
    """

    def __init__(self, recording: PathLike, run: str) -> None:
        self._folder = ControlFolder(recording)
        self._run = run
        self._steers = False
        self._beat_at = float("-inf")
        self._waiting: list[dict[str, Any]] = []
        self._last = ""  # the file of what was asked for last
        self._asked_at = 0.0
        self._answer = Steered()

    def take(self, answer: Steered) -> None:
        """Take what the recording says: what was heard, and how the run stands."""
        self._answer = answer
        self._waiting = [each for each in self._waiting if each["number"] > answer.heard]

    @property
    def state(self) -> ControlState:
        """How the run stands, or will when it has heard."""
        for command in reversed(self._waiting):
            if command["kind"] in _HOLDS:
                return "paused"
            if command["kind"] in ("resume", "stop"):
                return "running" if command["kind"] == "resume" else "stopping"
        return self._answer.control

    @property
    def is_holding(self) -> bool:
        """Whether the run stands still."""
        return self._answer.holding

    @property
    def words(self) -> str:
        """How steering stands, in sentences."""
        parts = [
            "What is clicked is done in the run, between two steps; a pause ends by itself when "
            f"this page is silent for {self._answer.lost_after:g} s."
        ]
        if self._waiting and time.monotonic() - self._asked_at > _LATE_SECONDS:
            kinds = ", ".join(str(each["kind"]) for each in self._waiting)
            parts.append(f"The run has not heard of this yet: {kinds}.")
        if self._answer.refused:
            parts.append(f"It refused the last: {self._answer.refused}")
        if self._answer.message:
            parts.append(self._answer.message)
        return " ".join(parts)

    def send(self, command: Mapping[str, Any]) -> int:
        """Ask for something; return the number by which the run says that it heard.

        Raises
        ------
        RuntimeError
            If the run is over.
        OSError
            If the folder cannot be written, or belongs to another user.
        """
        kept = {name: value for name, value in command.items() if name != "id"}
        try:
            self._sign()
            unheard = [*self._folder.commands().values(), *(one["number"] for one in self._waiting)]
            number = 1 + max(unheard, default=self._answer.heard)
            self._last = f"{number:08}-{secrets.token_hex(4)}.json"
            self._folder.write(self._last, json.dumps(kept).encode())
        except FileNotFoundError:
            raise RuntimeError(
                "the run is over, is not steered from afar any more, or another one is recorded "
                "there now: follow it again"
            ) from None
        self._waiting.append({**kept, "number": number})
        self._asked_at, self._steers = time.monotonic(), True
        return number

    def take_back(self) -> None:
        """Ask no more for what was asked for last, unless the run has taken it."""
        if self._last:
            with suppress(OSError):
                self._folder.remove(self._last)

    def _sign(self) -> None:
        self._folder.check()
        self._folder.sign(self._run)
        self._beat_at = time.monotonic()

    def beat(self) -> None:
        """Say that this follower is there, if it has asked for anything. Never raises."""
        pause = min(_BEAT_SECONDS, self._answer.lost_after / 4)
        if self._steers and time.monotonic() - self._beat_at >= pause:
            with suppress(OSError):
                self._sign()

    def release(self) -> None:
        """Leave no more signs: a pause that was asked for ends then."""
        self._steers = False


class RunSide:
    """Does what followers put into the folder beside the recording, and says what it heard.

    A pause that a follower asked for ends after ``lost_after`` seconds without a sign of any.
    ``steered`` gives the feed of the model that trains now, if there is one; ``same_step`` steers
    other processes, too. Raises `OSError` if the folder cannot be made or one of another owner is
    in its place, `RuntimeError` where files have no owners.
    """

    def __init__(
        self,
        recording: PathLike,
        run: str,
        lost_after: float,
        steered: Callable[[], Feed | None],
        same_step: SameStep | None = None,
    ) -> None:
        self._folder = ControlFolder(recording)
        self._run = run
        self._lost_after = lost_after
        self._steered, self._same_step = steered, same_step
        if same_step is not None:
            same_step.failed = self._refuse
        self._folder.make(run)
        self._heard = 0
        self._refused = ""
        self._trouble = ""  # with the folder
        self._lost = ""  # that a follower was lost is said until the next command
        self._sign: bytes = b""  # of a follower
        self._signed_at = time.monotonic()
        self._holds = False
        self._last_answer = self.answer()
        self._due = float("-inf")  # of the next look

    def answer(self) -> dict[str, Any]:
        """Return the fields of `Steered` for the recording."""
        live = self._steered()
        control = None if live is None else live.control
        state: Any = "running" if control is None else control.state
        is_holding = control is not None and control.is_holding
        message = self._trouble or self._lost
        return asdict(
            Steered(self._heard, self._refused, message, state, is_holding, self._lost_after)
        )

    def close(self) -> None:
        """Be steered no more, and remove the folder. A pause asked for from afar ends."""
        if self._holds and (live := self._steered()) is not None:
            (self._same_step or live).steer({"kind": "resume"})
        try:
            self._folder.clear()
        except OSError as error:
            report(f"{self._folder} could not be removed: {error}")

    def look(self) -> bool:
        """Look for what is wanted, and do it; return whether there is something else to say.

        Called by the thread ``disk``, five times a second; an address is asked less often.
        """
        if (live := self._steered()) is None:
            return False
        if (began := time.monotonic()) >= self._due:
            self._take(live)
            now = time.monotonic()
            self._due = now + self._folder.pause(0.0, _FAR_SECONDS, now - began)
        if self._holds and time.monotonic() - self._signed_at > self._lost_after:
            self._holds = False
            (self._same_step or live).steer({"kind": "resume"})
            self._lost = (
                f"The follower that paused the run has not been heard of for {self._lost_after:g} "
                "s, so the run goes on."
            )
        before, self._last_answer = self._last_answer, self.answer()
        return self._last_answer != before

    def _take(self, live: Feed) -> None:
        """Do the commands in the folder, and note whether a follower has signed."""
        self._trouble = ""
        try:
            self._folder.check()
            sign = self._folder.read(self._run) if self._holds else self._sign
            for name, number in self._folder.commands().items():
                self._do(live, name, number)
        except PermissionError as error:
            self._trouble = str(error)
        except OSError:
            pass  # storage comes and goes
        else:
            if sign != self._sign:
                self._sign, self._signed_at = sign, time.monotonic()

    def _refuse(self, error: Exception) -> None:
        self._refused = str(error)

    def _do(self, live: Feed, name: str, number: int) -> None:
        """Do the command of one file, and remove the file."""
        text = self._folder.read(name)
        self._folder.remove(name)
        if number > self._heard + _MAX_AHEAD:
            return  # what is numbered on from there would never be heard
        self._heard, self._refused = max(self._heard, number), ""
        self._lost, self._signed_at = "", time.monotonic()
        try:
            command = dict(json.loads(text))
            (self._same_step or live).steer(cast("Command", command))
        except Exception as error:
            self._refuse(error)
        else:
            if command.get("kind") in ("resume", "stop", *_HOLDS):
                # A pause with `stays` ends on request only, not when followers fall silent.
                self._holds = command["kind"] in _HOLDS and not command.get("stays")
