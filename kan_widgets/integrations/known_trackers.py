"""The trackers that are known: what sends reports to a run of each.

Each function takes what the tracker's own package hands out: the module, with an active run, or a
run. A package is imported when something is sent to it.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np


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
    known = {"mlflow": mlflow, "trackio": trackio, "wandb": wandb}
    made = tensorboard if hasattr(writer, "add_image") else known.get(home.partition(".")[0])
    if made is not None:
        return made(writer)
    if callable(writer):
        function: Tracker = writer
        return function
    raise TypeError(
        f"writer={writer!r:.80}: expected a SummaryWriter, wandb, mlflow, trackio or a run of one "
        "of these, or a function of a report"
    )


def mlflow(writer: Any) -> Tracker:
    """Send to a run of MLflow by a client of its own: from any thread."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    run = writer.active_run() if isinstance(writer, ModuleType) else writer
    if run is None:
        raise RuntimeError(
            "mlflow has no active run: call mlflow.start_run() before live.send_to(mlflow)"
        )
    client, key = MlflowClient(), run.info.run_id

    def named(name: str) -> str:
        """Return a name with none but the characters that MLflow takes."""
        return re.sub(r"[^\w\-. /]", "_", name, flags=re.ASCII)

    def send(report: Report) -> None:
        now = int(1000 * time.time())
        numbers = {named(f"{report.name}/{name}"): one for name, one in report.numbers.items()}
        client.log_batch(
            key, metrics=[Metric(name, one, now, report.step) for name, one in numbers.items()]
        )
        for layer, picture in report.pictures.items():
            client.log_image(key, picture, key=named(f"{report.name}/{layer}"), step=report.step)
        if report.page:
            with tempfile.TemporaryDirectory() as folder:
                page = Path(folder, f"{report.name}.html")
                page.write_bytes(report.page)
                client.log_artifact(key, str(page))

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

    # Of this thread: another one would find none.
    run = trackio.context_vars.current_run.get() if isinstance(writer, ModuleType) else writer
    if run is None:
        raise RuntimeError("trackio has no run: call trackio.init() before live.send_to(trackio)")

    def send(report: Report) -> None:
        row: dict[str, Any] = {f"{report.name}/{key}": one for key, one in report.numbers.items()}
        for layer, picture in report.pictures.items():
            row[f"{report.name}/{layer}"] = trackio.Image(picture)
        if report.page:
            row[f"{report.name}/page"] = trackio.Html(report.page.decode(), inject=False)
        run.log(row, step=report.step)

    return send


def wandb(writer: Any) -> Tracker:
    """Send to a run of Weights & Biases, over an axis of their own: that of training steps.

    The run's own steps stay those of whoever logs to it otherwise: what is sent joins the row that
    is being filled. Where nobody does, each report has a row.
    """
    import wandb

    run = writer.run if isinstance(writer, ModuleType) else writer
    if run is None:
        raise RuntimeError("wandb has no active run: call wandb.init() before live.send_to(wandb)")
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
        row: dict[str, Any] = {axis: report.step}
        row |= {f"{report.name}/{key}": value for key, value in report.numbers.items()}
        row |= {f"{report.name}/{key}": wandb.Image(one) for key, one in report.pictures.items()}
        if report.page:
            row[f"{report.name}/page"] = wandb.Html(report.page.decode(), inject=False)
        run.log(row, commit=False)
        at, pending = run.step, report.step

    return send
