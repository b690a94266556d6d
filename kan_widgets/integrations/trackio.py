"""trackio: ``trackio`` after ``trackio.init()``, or the run that it returns."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import trackio

from kan_widgets.integrations.trackers import Report, Tracker


def tracker(writer: Any) -> Tracker:
    """Return what sends reports to a run.

    trackio counts on from the largest step there was: numbers that are logged beside these
    should say their step too.
    """
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
