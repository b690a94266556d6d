"""TensorBoard: a ``SummaryWriter``. The page lies beside the event files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from kan_widgets.integrations.trackers import Report, Tracker


def tracker(writer: Any) -> Tracker:
    """Return what sends reports to a `torch.utils.tensorboard.SummaryWriter`."""

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
