"""A run that is steered by whoever follows its recording: see `kan_widgets.live.control_file`."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from kan_widgets.live import control_file
from kan_widgets.live.control_file import Wishes
from kan_widgets.live.frames.feed import Feed
from kan_widgets.live.recordings.format import Steered
from kan_widgets.live.reports import report
from kan_widgets.live.worker import Job, disk

_BEAT_SECONDS = 2.0
_GONE_SECONDS = 10.0
"""After so long without a beat another follower may take over."""
_LATE_SECONDS = 10.0


class Remote:
    """What a follower wants of a run; one follower at a time.

    Parameters
    ----------
    recording
        The file followed.
    run
        Its identity.
    """

    def __init__(self, recording: Path, run: str) -> None:
        self._place = control_file.place_of(recording)
        self._run = run
        self._own = f"{socket.gethostname()} {os.getpid()} {secrets.token_hex(8)}"
        self._holds = False
        self._beat = 0
        self._beat_at = float("-inf")
        self._waiting: list[dict[str, Any]] = []
        self._asked_at = 0.0
        self._said = Steered()
        self._other: tuple[object, float] = (None, time.monotonic())

    # -- what the run says --------------------------------------------------------------

    def take(self, said: Steered) -> None:
        """Take what the recording says: what was heard, and how the run stands."""
        self._said = said
        self._waiting = [each for each in self._waiting if each["number"] > said.heard]

    @property
    def state(self) -> Literal["running", "paused", "stopping"]:
        """How the run stands, or will when it has heard."""
        for command in reversed(self._waiting):
            if command["kind"] in ("pause", "advance"):
                return "paused"
            if command["kind"] in ("resume", "stop"):
                return "running" if command["kind"] == "resume" else "stopping"
        return self._said.control

    @property
    def is_holding(self) -> bool:
        """Whether the run stands still."""
        return self._said.holding

    @property
    def words(self) -> str:
        """What there is to say, in sentences."""
        parts = [
            "What is clicked is done in the run, between two steps; a pause ends by itself when "
            f"this has not been heard of for {self._said.lost_after:g} s."
        ]
        if self._waiting and time.monotonic() - self._asked_at > _LATE_SECONDS:
            kinds = ", ".join(str(each["kind"]) for each in self._waiting)
            parts.append(f"The run has not heard of this yet: {kinds}.")
        if self._said.refused:
            parts.append(f"It refused the last: {self._said.refused}")
        if self._said.message:
            parts.append(self._said.message)
        return " ".join(parts)

    def pause(self) -> None:
        """Hold the run after its current step. Raises as `send`, as those below do."""
        self.send({"kind": "pause"})

    def resume(self) -> None:
        """Let the run go on."""
        self.send({"kind": "resume"})

    def advance(self, steps: int = 1) -> None:
        """Let some steps through, then hold."""
        self.send({"kind": "advance", "steps": steps})

    def stop(self) -> None:
        """End the loop that trains after its current step."""
        self.send({"kind": "stop"})

    # -- what the run is told -----------------------------------------------------------

    def send(self, command: Mapping[str, Any]) -> int:
        """Ask for something; return the number by which the run says that it heard.

        Raises
        ------
        RuntimeError
            If another follower steers the run, or it is over.
        OSError
            If the file cannot be written, or belongs to another user.
        """
        known = self._known()
        if not self._holds:
            self._hold()
        self._check_held()
        unheard = [each["number"] for each in (*known.commands, *self._waiting)]
        number = 1 + int(max(unheard, default=self._said.heard))
        kept = {name: value for name, value in command.items() if name != "id"}
        self._waiting.append({**kept, "number": number})
        self._asked_at = time.monotonic()
        try:
            self._write()
        except OSError:
            self._waiting.pop()
            raise
        return number

    def beat(self) -> None:
        """Say that this follower is there; look whether another is. Never raises."""
        try:
            if not self._holds:
                known = self._known()
                if (sign := (known.writer, known.beat)) != self._other[0]:
                    self._other = sign, time.monotonic()
            elif time.monotonic() - self._beat_at >= min(_BEAT_SECONDS, self._said.lost_after / 4):
                self._check_held()
                self._write()
        except (OSError, ValueError, RuntimeError):
            pass  # said when something is asked for

    def release(self) -> None:
        """Let another follower steer. Does nothing if this one does not."""
        if self._holds:
            self._holds = False
            try:
                if control_file.read_own(self._lock) == self._own:
                    self._lock.unlink()
            except OSError:
                pass  # the run is over

    @property
    def _lock(self) -> Path:
        return control_file.lock_of(self._place)

    def _known(self) -> Wishes:
        try:
            known = control_file.read(self._place, self._said.heard)
        except FileNotFoundError:
            raise RuntimeError("the run is over, or is not steered from afar any more") from None
        except ValueError:
            return Wishes(self._run)  # what cannot be read is written anew
        if known.run != self._run:
            raise RuntimeError("another run is steered there now: follow it anew")
        return known

    def _hold(self) -> None:
        """Become the one that writes."""
        try:
            control_file.make_own(self._lock, self._own)
        except FileExistsError:
            other = control_file.read_own(self._lock)
            seen = time.monotonic() - self._other[1]
            if seen < _GONE_SECONDS:
                host, process, *_ = [*other.split(), "?", "?"]
                raise RuntimeError(
                    f"another follower steers this run (process {process} on {host}); it can be "
                    f"taken over {_GONE_SECONDS:g} s after that one has ended"
                ) from None
            self._lock.unlink()
            control_file.make_own(self._lock, self._own)
        self._holds = True

    def _check_held(self) -> None:
        try:
            held = control_file.read_own(self._lock) == self._own
        except FileNotFoundError:
            held = False
        if not held:
            self._holds = False
            raise RuntimeError("another follower has taken over, or the run is over")

    def _write(self) -> None:
        self._beat += 1
        self._beat_at = time.monotonic()
        wishes = Wishes(self._run, self._own, self._beat, tuple(self._waiting))
        control_file.write(self._place, wishes)


_LOOK_SECONDS = 0.2
_HOLDS = ("pause", "advance")


class RemoteControl:
    """Does what a follower writes into the file beside the recording, and says what it heard.

    What is meant for another run is not done. A pause that a follower asked for ends after
    ``lost_after`` seconds without a sign of it. ``steered`` gives the feed of the model that trains
    now, if there is one; ``news`` is called when something else is to be said. Raises `OSError` if
    the file cannot be made or one of another owner is in its place, `RuntimeError` where files have
    no owners.
    """

    def __init__(
        self,
        recording: Path,
        run: str,
        lost_after: float,
        steered: Callable[[], Feed | None],
        news: Callable[[], None],
    ) -> None:
        control_file.check_possible()
        self._place = control_file.place_of(recording)
        self._run = run
        self._lost_after = lost_after
        self._steered, self._news = steered, news
        control_file.clear(self._place)
        control_file.write(self._place, Wishes(run))
        self._heard = 0
        self._refused: dict[str, Any] | None = None
        self._message = ""
        self._was_lost = False
        self._sign: object = None  # of the follower: its writer and beat
        self._signed_at = time.monotonic()
        self._holds = False
        self._told = self.said()
        self._is_closed = False
        self._job = Job(disk, self._visit)
        self._job.wake()

    def said(self) -> dict[str, Any]:
        """Return what the recording says of it, as JSON.

        ``heard`` is the number of the last command, ``refused`` one that could not be done with
        the reason, ``message`` what else there is to say.
        """
        live = self._steered()
        return {
            "heard": self._heard,
            "refused": self._refused,
            "message": self._message,
            "control": "running" if live is None else live.control_state,
            "holding": live is not None and live.is_held,
            "lost_after": self._lost_after,
        }

    def close(self) -> None:
        """Be steered no more, and remove the files. A pause asked for from afar ends."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._holds and (live := self._steered()) is not None:
            live.steer({"kind": "resume"})
        for left in (self._place, control_file.lock_of(self._place)):
            try:
                left.unlink(missing_ok=True)
            except OSError as error:
                report(f"{left} could not be removed: {error}")

    def _visit(self) -> None:
        if self._is_closed:
            return
        try:
            self.look()
        finally:
            self._job.earliest = time.monotonic() + _LOOK_SECONDS
            self._job.wake()

    def look(self) -> None:
        """Look for what is wanted, and do it; called by the thread of all files."""
        live = self._steered()
        if live is None:
            return
        try:
            wishes = control_file.read(self._place, self._heard)
        except (PermissionError, NotImplementedError, ValueError) as error:
            self._say(str(error))
        except OSError:
            pass  # storage comes and goes
        else:
            if wishes.run == self._run:
                self._say("")
                self._take(live, wishes)
        if self._holds and time.monotonic() - self._signed_at > self._lost_after:
            self._holds, self._was_lost = False, True
            live.steer({"kind": "resume"})
            self._message = (
                f"The follower that paused the run has not been heard of for {self._lost_after:g} "
                "s, so the run goes on."
            )
        if self._told != (told := self.said()):
            self._told = told
            self._news()

    def _say(self, words: str) -> None:
        """Say something else; that a follower was lost is said until the next command."""
        if words or not self._was_lost:
            self._message = words

    def _take(self, live: Feed, wishes: Wishes) -> None:
        sign = wishes.writer, wishes.beat
        if sign != self._sign:
            self._sign, self._signed_at = sign, time.monotonic()
        for command in sorted(wishes.commands, key=lambda each: int(each["number"])):
            self._heard, self._refused, self._message = command["number"], None, ""
            self._was_lost = False
            try:
                live.steer(command)
            except Exception as error:
                self._refused = {"number": self._heard, "why": str(error)}
                continue
            if command.get("kind") in ("resume", "stop", *_HOLDS):
                self._holds = command["kind"] in _HOLDS
