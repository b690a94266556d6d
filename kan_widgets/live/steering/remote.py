"""A run that is steered by whoever follows its recording."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kan_widgets.live import control_file
from kan_widgets.live.control_file import Wishes
from kan_widgets.live.reports import report
from kan_widgets.live.steering.commands import Steerable, act
from kan_widgets.live.worker import Job, disk

_LOOK_SECONDS = 0.2
_HOLDS = ("pause", "advance")


class RemoteControl:
    """Does what a follower writes into the file beside the recording, and says what it heard.

    Parameters
    ----------
    recording
        The file recorded.
    run
        Its identity; what is meant for another run is not done.
    lost_after
        Seconds without a sign of a follower after which a pause that it asked for ends.
    steered
        Called for the binding that trains now, if there is one.
    news
        Called when something else is to be said.

    Raises
    ------
    OSError
        If the file cannot be made, or one of another owner is in its place.
    RuntimeError
        Where files have no owners.
    """

    def __init__(
        self,
        recording: Path,
        run: str,
        lost_after: float,
        steered: Callable[[], Steerable | None],
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
            "control": "running" if live is None else live.control.state,
            "holding": live is not None and live.control.is_holding,
            "lost_after": self._lost_after,
        }

    def close(self) -> None:
        """Be steered no more, and remove the files. A pause asked for from afar ends."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._holds and (live := self._steered()) is not None:
            live.control.resume()
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
            live.control.resume()
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

    def _take(self, live: Steerable, wishes: Wishes) -> None:
        sign = wishes.writer, wishes.beat
        if sign != self._sign:
            self._sign, self._signed_at = sign, time.monotonic()
        for command in sorted(wishes.commands, key=lambda each: int(each["number"])):
            self._heard, self._refused, self._message = command["number"], None, ""
            self._was_lost = False
            try:
                act(live, command)
            except Exception as error:
                self._refused = {"number": self._heard, "why": str(error)}
                continue
            if command.get("kind") in ("resume", "stop", *_HOLDS):
                self._holds = command["kind"] in _HOLDS
