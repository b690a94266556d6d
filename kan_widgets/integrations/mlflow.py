"""MLflow: ``mlflow`` with an active run, or a run."""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric

from kan_widgets.integrations.trackers import Report, Tracker


def tracker(writer: Any) -> Tracker:
    """Return what sends reports to a run, by a client of its own: from any thread."""
    run = writer.active_run() if isinstance(writer, ModuleType) else writer
    if run is None:
        raise RuntimeError(
            "mlflow has no active run: call mlflow.start_run() before live.send_to(mlflow)"
        )
    client, key = MlflowClient(), run.info.run_id

    def send(report: Report) -> None:
        now = int(1000 * time.time())
        numbers = {_named(f"{report.name}/{name}"): one for name, one in report.numbers.items()}
        client.log_batch(
            key, metrics=[Metric(name, one, now, report.step) for name, one in numbers.items()]
        )
        for layer, picture in report.pictures.items():
            client.log_image(key, picture, key=_named(f"{report.name}/{layer}"), step=report.step)
        if report.page:
            with tempfile.TemporaryDirectory() as folder:
                page = Path(folder, f"{report.name}.html")
                page.write_bytes(report.page)
                client.log_artifact(key, str(page))

    return send


def _named(name: str) -> str:
    """Return a name with none but the characters that MLflow takes."""
    return re.sub(r"[^\w\-. /]", "_", name, flags=re.ASCII)
