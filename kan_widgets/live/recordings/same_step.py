"""What one of several processes is asked for, all of them do after the same step.

A process that stops alone leaves the others in a collective that never ends, and one with a
learning rate of its own trains another model. The store by which the processes have met carries
what is agreed on: there is no collective for it, and no training waits; see ``docs/recordings.md``.
"""

import json
import threading
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from typing import Any

from kan_widgets.live.frames.feed import Command, Feed
from kan_widgets.live.recordings.places import store_of_ranks
from kan_widgets.live.reports import report
from kan_widgets.live.worker import Job, disk

# Seconds between two looks for commands.
LOOK_SECONDS = 0.2
_numbers = count()
_known: "weakref.WeakKeyDictionary[Feed, SameStep]" = weakref.WeakKeyDictionary()


def same_step_of(feed: Feed, job: Mapping[str, int]) -> "SameStep | None":
    """Return the `SameStep` of a training whose processes have met, or ``None``."""
    if (store := store_of_ranks()) is None or not job:
        return None
    if feed not in _known:
        _known[feed] = SameStep(feed, store, job["rank"], job["world"], f"{next(_numbers)}")
    return _known[feed]


class SameStep:
    """Has what the first process is asked for done in all; each has one, of the same name."""

    def __init__(self, feed: Feed, store: Any, rank: int, world: int, name: str) -> None:
        self._feed_ref, self.failed = weakref.ref(feed), _refused
        """Called with what a command has raised."""
        self._store, self._is_first, self._world = store, rank == 0, world
        self._key = f"kan_widgets/same_step/{name}"
        self._waiting: list[dict[str, Any]] = []
        self._done = 0
        self._command: dict[str, Any] | None = None
        self._is_said, self._at = False, -1
        self._agreeing = threading.Lock()
        self._work = Job(disk, self._look)
        self._store.add(f"{self._key}/there", 1)
        self._work.wake()

    def steer(self, command: Command) -> None:
        """Have all processes do it; a pause this one alone where the others are not here.

        So with a stop, if they ask each other for one. Raises `RuntimeError` for what would make
        their models differ, or leave them waiting for this one.
        """
        kind, count = command.get("kind"), int(self._store.add(f"{self._key}/there", 0))
        if kind in ("cure", "uncure"):
            raise RuntimeError("an alarm is of one process: set the learning rate, which is of all")
        if count == self._world:
            self._waiting.append(dict(command))
            self._work.hurry()
        elif (feed := self._feed_ref()) is not None:
            harm = {"rate": "one with its own rate trains another model"}
            if not feed.control.asks_others:
                harm["stop"] = "the others would wait for one that stops"
            if kind in harm:
                raise RuntimeError(
                    f"{count} of {self._world} processes can be steered; {harm[kind]}: "
                    "call live.record(place, control=True) in all"
                )
            feed.steer(command)

    def _look(self) -> None:
        """Look for the next command; called by the thread ``disk``."""
        feed: Any = self._feed_ref()
        if feed is None or not feed.is_open:
            return
        name = f"{self._key}/{self._done}"
        with suppress(RuntimeError):  # the store has gone, and with it who could ask
            if self._command is None:
                if self._is_first and self._waiting:
                    self._store.set(name, json.dumps(self._waiting[0]))
                if self._store.check([name]):
                    self._command = json.loads(self._store.get(name))
                    feed.control.heard()
                    feed.counter.before_hold, feed.counter.only_counts = self._stepped, False
            elif feed.control.is_holding:
                self._agree(feed, is_between=False)
            self._work.earliest = time.monotonic() + LOOK_SECONDS
            self._work.wake()

    def _stepped(self) -> None:
        feed: Any = self._feed_ref()
        if feed is not None:
            try:
                self._agree(feed, is_between=True)
            except Exception as error:  # the store has gone
                feed.counter.before_hold = None
                self.failed(error)

    def _agree(self, feed: Any, is_between: bool) -> None:
        """Take the next step towards a command, after a step or while the training stands still."""
        if not self._agreeing.acquire(blocking=False):
            return  # the other thread is at it
        try:
            if (command := self._command) is None:
                return
            name, step = f"{self._key}/{self._done}", feed.counter.steps
            if is_between:
                _await_device(feed)
            if not self._is_said:
                self._store.add(f"{name}/known", 1)
                self._is_said = True
            if self._is_first and self._at < 0:
                if self._store.add(f"{name}/known", 0) == self._world:
                    self._store.set(f"{name}/at", str(step + is_between))
            if self._at < 0 and self._store.check([f"{name}/at"]):
                self._at = int(self._store.get(f"{name}/at"))
            if self._at < 0 or step < self._at:
                return
            feed.counter.before_hold = None
            self._done, self._command, self._at, self._is_said = self._done + 1, None, -1, False
            del self._waiting[:1]
        finally:
            self._agreeing.release()
        try:
            feed.steer(command)
        except Exception as error:
            self.failed(error)


def _await_device(feed: Any) -> None:
    """Wait until the device has made the step."""
    module = feed.module
    parameter = None if module is None else next(module.parameters(), None)
    if parameter is not None and parameter.device.type != "cpu":
        parameter.flatten()[:1].tolist()


def _refused(error: Exception) -> None:
    """Report the error of a command in a process other than the first."""
    report(f"what the first process was asked for could not be done here: {error!r}")
