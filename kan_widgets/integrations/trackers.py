"""Send to trackers of experiments how functions develop: numbers, pictures, and a page at the end.

A tracker is a function that takes a `Report`; the files beside this one make such functions of
what the trackers' own packages hand out. Used by ``live.send_to``.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

from kan_widgets.integrations.measured import numbers_of, page_of_run, picture_of
from kan_widgets.live import Binding, Frame, Listener, Source
from kan_widgets.live.budget import Throttle
from kan_widgets.live.recordings.destination import is_first_process
from kan_widgets.live.reports import report
from kan_widgets.live.worker import Job, Worker

# Of the time at most this goes into pictures, and into numbers.
_PICTURES, _NUMBERS = 0.02, 0.005
_MOST_PER_SECOND = 10.0
_MOST_WAITING = 64_000_000  # bytes of frames whose numbers are still to be sent
_TRACKERS = ("mlflow", "trackio", "wandb")


@dataclass(frozen=True)
class Report:
    """What is sent of one step."""

    name: str
    """What stands before the names of all that is sent."""
    step: int
    """The training step."""
    numbers: dict[str, float] = field(repr=False)
    """By names such as ``"conv1/reach"``, all finite; empty where they were sent before."""
    pictures: dict[str, Any] = field(repr=False, default_factory=dict)
    """Pictures of the layers (`PIL.Image.Image`) by name; empty where there was no time for any."""
    page: bytes = field(repr=False, default=b"")
    """With the last report: an HTML file with all of the history; else empty."""


Tracker = Callable[[Report], object]


def tracker_of(writer: Any) -> Tracker:
    """Return what sends reports to a tracker.

    Raises
    ------
    TypeError
        If it is no tracker that is known, and no function.
    RuntimeError
        If a module is given that has no active run.
    """
    home = writer.__name__ if isinstance(writer, ModuleType) else type(writer).__module__
    root = home.partition(".")[0]
    known = "tensorboard" if hasattr(writer, "add_image") else root if root in _TRACKERS else ""
    if known:
        made: Tracker = import_module(f"kan_widgets.integrations.{known}").tracker(writer)
        return made
    if callable(writer):
        function: Tracker = writer
        return function
    raise TypeError(
        f"writer={writer!r:.80}: expected a SummaryWriter, wandb, mlflow, trackio or a run of one "
        "of these, or a function of a report"
    )


class Sending(Listener):
    """Sends what a binding shows to a tracker. Made by ``live.send_to``; see there."""

    def __init__(self, live: Binding, writer: Any, every: int, name: str) -> None:
        self._tracker = tracker_of(writer)
        self._live, self._every, self._name = live, every, name
        self._scalars = live.scalars
        self._waiting: deque[Frame] = deque()
        self._due = 0
        self._measured = -1
        self._pictures = Throttle(_MOST_PER_SECOND, _PICTURES)
        self._numbers = Throttle(_MOST_PER_SECOND, _NUMBERS)
        self._sending = threading.RLock()
        self._job = Job(Worker("kan_widgets tracker"), self._visit)
        self._faults: set[type[Exception]] = set()
        self._process = os.getpid()
        self.is_open = is_first_process()
        """Whether it sends: until it is closed, and in the first process alone."""
        if self.is_open:
            _open.add(self)
            live.feed.subscribe(self)
            self.on_frame(live.frame, True)

    def __enter__(self) -> Sending:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def on_frame(self, frame: Frame, settled: bool) -> None:
        """Keep a frame that is due."""
        if frame.step >= self._due:
            self._due = (frame.step // self._every + 1) * self._every
            self._waiting.append(frame)
            while len(self._waiting) > 1 and len(self._waiting) * frame.nbytes > _MOST_WAITING:
                self._waiting.popleft()
            self._job.wake()

    def on_replaced(self, source: Source) -> None:
        """Go on with the binding that has taken the place, if its training goes on."""
        if isinstance(source, Binding) and source.scalars is self._scalars:
            self._live = source
        else:
            source.feed.unsubscribe(self)
            self._job.hurry()

    def on_closed(self) -> None:
        """Send what is left, and the page."""
        self.close()

    def _visit(self) -> None:
        with self._sending:
            if self.is_open and self._waiting:
                self._send_next()
        if self.is_open and self._waiting:
            self._job.wake()

    def _send_next(self) -> None:
        frame = self._waiting.popleft()
        draws = not self._waiting and self._pictures.is_open(time.perf_counter())
        self._send(frame, draws)

    def _send(self, frame: Frame, draws: bool, page: bool = False) -> None:
        """Measure, draw and send; what is raised is reported, each kind of error once."""
        try:
            now, start = time.perf_counter(), time.thread_time()
            numbers = numbers_of(self._live, frame) if frame.step != self._measured else {}
            began = time.thread_time()
            self._numbers.spent(now, began - start)
            self._job.earliest = time.monotonic() + self._numbers.due - now
            names = frame.layout.names if draws else ()
            pictures = {name: picture_of(self._live, frame, name) for name in names}
            if draws:
                self._pictures.spent(now, time.thread_time() - began)
            self._measured = frame.step
            html = page_of_run(self._live) if page else b""
            self._tracker(Report(self._name, frame.step, numbers, pictures, html))
        except Exception as error:
            if type(error) not in self._faults:
                self._faults.add(type(error))
                report(
                    f"live.send_to: step {frame.step} could not be sent: {error!r}. The training "
                    "goes on, and so does the sending"
                )

    def close(self) -> None:
        """Send what is left, the last state and the page. Closing again does nothing."""
        if not self.is_open or os.getpid() != self._process:
            return
        frame = self._live.feed.current()
        with self._sending:
            if self._waiting and self._waiting[-1].step == frame.step:
                self._waiting.pop()
            while self._waiting:
                self._send_next()
            if self.is_open:
                self.is_open = False
                self._send(frame, draws=True, page=True)
        self._live.feed.unsubscribe(self)
        _open.discard(self)


_open: set[Sending] = set()


@atexit.register
def _close_all() -> None:
    for sending in list(_open):
        sending.close()
