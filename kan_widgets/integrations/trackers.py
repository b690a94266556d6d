"""Send to trackers of experiments how functions develop: numbers, pictures, and a page at the end.

A tracker is a function that takes a `Report`; `_tracker_of` makes one of what a tracker's own
package hands out: the module, with an active run, or a run. A package is imported when something is
sent to it. Used by ``live.send_to``.
"""

import atexit
import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from kan_widgets.insight.ranges import function_ranges
from kan_widgets.live import Binding, Frame, Listener, Source
from kan_widgets.live.budget import Throttle
from kan_widgets.live.recordings.places import is_first_process
from kan_widgets.live.reports import report
from kan_widgets.live.worker import Job, Worker
from kan_widgets.widgets.dashboard import Dashboard
from kan_widgets.widgets.kernel_grid import picture_of
from kan_widgets.widgets.pages.page import page_of


@dataclass(frozen=True)
class Report:
    """What is sent to a tracker for one step."""

    name: str
    """The prefix of all names."""
    step: int
    """The training step."""
    numbers: dict[str, float] = field(repr=False)
    """By names such as ``"conv1/reach"``, all finite; empty where they were sent before."""
    pictures: dict[str, Any] = field(repr=False, default_factory=dict)
    """Pictures of the layers (`PIL.Image.Image`) by name; empty where there was no time for any."""
    page: bytes = field(repr=False, default=b"")
    """With the last report: an HTML file with all of the history; else empty."""

    def row(self, image: Callable[[Any], object], html: Callable[..., object]) -> dict[str, Any]:
        """Return the report by full names, pictures and page made into what a tracker takes."""
        row = self.numbers | {name: image(value) for name, value in self.pictures.items()}
        row |= {"page": html(self.page.decode(), inject=False)} if self.page else {}
        return {f"{self.name}/{name}": value for name, value in row.items()}


Tracker = Callable[[Report], object]


def _tracker_of(writer: Any) -> Tracker:
    """Return a function that sends a `Report` to a tracker.

    Raises
    ------
    TypeError
        If it is no tracker that is known, no logger of Lightning's or accelerate's with one, and no
        function.
    RuntimeError
        If a module is given that has no active run.
    """
    if type(writer).__name__ == "MLFlowLogger":
        return mlflow(writer)
    if type(writer).__module__.startswith(("lightning.", "pytorch_lightning.", "accelerate.")):
        writer = getattr(writer, "experiment", None) or getattr(writer, "tracker", writer)
    home = writer.__name__ if isinstance(writer, ModuleType) else type(writer).__module__
    packages = {"mlflow": mlflow, "trackio": trackio, "wandb": wandb}
    tracker = tensorboard if hasattr(writer, "add_image") else packages.get(home.partition(".")[0])
    if tracker is not None:
        return tracker(writer)
    if callable(writer):
        function: Tracker = writer
        return function
    raise TypeError(
        f"writer={writer!r:.80}: expected a SummaryWriter, wandb, mlflow, trackio, a run or a "
        "trainer's logger of one of these, or a function of a report"
    )


def _check_run(run: object, package: str, start: str) -> None:
    if run is None:
        raise RuntimeError(
            f"{package} has no active run: call {package}.{start}() before live.send_to({package})"
        )


def mlflow(writer: Any) -> Tracker:
    """Send to a run of MLflow by a client of its own: from any thread."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    run = writer.active_run() if isinstance(writer, ModuleType) else writer
    _check_run(run, "mlflow", "start_run")
    if hasattr(run, "info"):
        client, key = MlflowClient(), run.info.run_id
    else:  # Lightning's logger
        client, key = run.experiment, run.run_id

    def named(name: str) -> str:
        """Return a name with none but the characters that MLflow takes."""
        return re.sub(r"[^\w\-. /]", "_", name, flags=re.ASCII)

    def send(report: Report) -> None:
        now = int(1000 * time.time())
        numbers = {named(f"{report.name}/{name}"): value for name, value in report.numbers.items()}
        client.log_batch(
            key, metrics=[Metric(name, value, now, report.step) for name, value in numbers.items()]
        )
        for layer, picture in report.pictures.items():
            client.log_image(key, picture, key=named(f"{report.name}/{layer}"), step=report.step)
        if report.page:
            client.log_text(key, report.page.decode(), f"{report.name}.html")

    return send


def tensorboard(writer: Any) -> Tracker:
    """Send to a `torch.utils.tensorboard.SummaryWriter`; the page lies beside the event files."""

    def send(report: Report) -> None:
        for name, value in report.numbers.items():
            writer.add_scalar(f"{report.name}/{name}", value, report.step)
        for layer, picture in report.pictures.items():
            pixels = np.asarray(picture.convert("RGB"))
            writer.add_image(f"{report.name}/{layer}", pixels, report.step, dataformats="HWC")
        if report.page:
            page = Path(writer.log_dir, f"{report.name}.html")
            page.write_bytes(report.page)
            writer.add_text(f"{report.name}/page", str(page), report.step)
            writer.flush()

    return send


def trackio(writer: Any) -> Tracker:
    """Send to a run of trackio.

    trackio counts on from the largest step there was: numbers that are logged beside these
    should say their step too.
    """
    import trackio

    # The run of this thread: in another one there is none.
    run = trackio.context_vars.current_run.get() if isinstance(writer, ModuleType) else writer
    _check_run(run, "trackio", "init")
    return lambda report: run.log(report.row(trackio.Image, trackio.Html), step=report.step)


def wandb(writer: Any) -> Tracker:
    """Send to a run of Weights & Biases, over an axis of their own: that of training steps.

    The run's own steps stay those of whoever logs to it otherwise: what is sent joins the row that
    is being filled. Where nobody does, each report has a row.
    """
    import wandb

    run = writer.run if isinstance(writer, ModuleType) else writer
    _check_run(run, "wandb", "init")
    at, pending, is_shared = run.step, -1, False

    def send(report: Report) -> None:
        nonlocal at, pending, is_shared
        axis = f"{report.name}/step"
        is_shared = is_shared or run.step != at
        if pending < 0:
            run.define_metric(axis, hidden=True)
            run.define_metric(f"{report.name}/*", step_metric=axis)
        elif not is_shared:
            run.log({axis: pending}, commit=True)
        run.log({axis: report.step} | report.row(wandb.Image, wandb.Html), commit=False)
        at, pending = run.step, report.step

    return send


__all__ = ["Report", "Sending", "numbers_of"]

# Largest shares of the time for pictures, and for numbers.
_PICTURES, _NUMBERS = 0.02, 0.005
_MAX_PER_SECOND = 10.0
# Most functions of a layer that are measured, evenly spread.
_MAX_FUNCTIONS = 20_000
_MAX_WAITING = 64_000_000  # bytes of frames whose numbers are still to be sent


def numbers_of(live: Binding, frame: Frame) -> dict[str, float]:
    """Return numbers of each layer, by names such as ``"conv1/reach"``; see ``live.send_to``."""
    numbers: dict[str, float] = {}
    observed = live.feed.observed
    for layer in frame.layout.layers:
        rows = frame.coefficients(layer.name).reshape(layer.count, layer.nb)
        if layer.table_of is None and layer.count > _MAX_FUNCTIONS:
            rows = rows[:: -(-layer.count // _MAX_FUNCTIONS)]
        ranges = function_ranges(layer, rows)
        finite = ranges.range[~ranges.broken]
        of_layer = {"broken": float(ranges.broken.sum()) * layer.count / len(rows)}
        if len(finite):
            of_layer["reach"] = float(np.median(finite))
            of_layer["furthest"] = float(finite.max())
            of_layer["constant"] = float(ranges.constant[~ranges.broken].mean())
        if (seen := observed.get(layer.name)) is not None and len(seen.outside_domain):
            of_layer["outside"] = float(np.mean(seen.outside_domain))
        numbers |= {f"{layer.name}/{name}": value for name, value in of_layer.items()}
    return numbers


def _page_of_run(live: Binding) -> bytes:
    """Return an HTML file in which all of the history can be looked at."""
    views = Dashboard(live)
    try:
        return page_of(views, title="")
    finally:
        views.close()


class Sending(Listener):
    """Sends what a binding shows to a tracker. Made by ``live.send_to``; see there."""

    def __init__(self, live: Binding, writer: Any, every: int, name: str) -> None:
        self._tracker = _tracker_of(writer)
        self._live, self._every, self._name = live, every, name
        self._scalars = live.scalars
        self._waiting: deque[Frame] = deque()
        self._due = 0
        self._measured = -1
        self._pictures = Throttle(_MAX_PER_SECOND, _PICTURES)
        self._numbers = Throttle(_MAX_PER_SECOND, _NUMBERS)
        self._sending = threading.RLock()
        self._job = Job(Worker("kan_widgets tracker"), self._visit)
        self._process = os.getpid()
        self.is_open = is_first_process()
        """Whether reports are sent: until this is closed, and in the first process alone."""
        if self.is_open:
            atexit.register(self.close)
            live.feed.subscribe(self)
            self.on_frame(live.frame, True)

    def __enter__(self) -> "Sending":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def on_frame(self, frame: Frame, settled: bool) -> None:
        if frame.step >= self._due:
            self._due = (frame.step // self._every + 1) * self._every
            self._waiting.append(frame)
            while len(self._waiting) > 1 and len(self._waiting) * frame.nbytes > _MAX_WAITING:
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
        """Measure, draw and send; errors are reported, each kind once."""
        try:
            now, start = time.perf_counter(), time.thread_time()
            numbers = numbers_of(self._live, frame) if frame.step != self._measured else {}
            began = time.thread_time()
            self._numbers.spent(now, began - start)
            self._job.earliest = time.monotonic() + self._numbers.due - now
            names = frame.layout.names if draws else ()
            pictures = {name: picture_of(self._live, frame, layer=name) for name in names}
            if draws:
                self._pictures.spent(now, time.thread_time() - began)
            self._measured = frame.step
            html = _page_of_run(self._live) if page else b""
            self._tracker(Report(self._name, frame.step, numbers, pictures, html))
        except Exception as error:
            if self.is_new_fault("report", error):
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
        atexit.unregister(self.close)
