"""The page in which a network trains, beside all others: ``playground/index.html``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from sphinx.application import Sphinx

import kan_widgets as kw


def write(app: Sphinx, exception: Exception | None) -> None:
    """Write it when all pages are there."""
    if exception is not None or app.builder.name != "html":
        return
    folder = Path(app.outdir) / "playground"
    folder.mkdir(exist_ok=True)
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        kw.playground(path=folder / "index.html")


def setup(app: Sphinx) -> dict[str, Any]:
    """Have it written."""
    app.connect("build-finished", write)
    return {"parallel_read_safe": True}
