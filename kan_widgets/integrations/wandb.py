"""Weights & Biases: ``wandb`` with an active run, or a run."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import wandb

from kan_widgets.integrations.trackers import Report, Tracker


def tracker(writer: Any) -> Tracker:
    """Return what sends reports to a run, over an axis of their own: that of training steps.

    The run's own steps stay those of whoever logs to it otherwise: what is sent joins the row that
    is being filled. Where nobody does, each report has a row.
    """
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
