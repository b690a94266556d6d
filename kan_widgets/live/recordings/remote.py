"""Steer the run of a recording that is followed; see `kan_widgets.live.control_file`."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from kan_widgets.live import control_file
from kan_widgets.live.control_file import Wishes
from kan_widgets.live.recordings.status import Steered

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
