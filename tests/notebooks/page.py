"""Run the quickstart and save its views as a page: ``make page`` writes build/quickstart.html."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import kan_widgets as kw
from tests.notebooks.execution import CHECKOUT, code_cells, read

NOTEBOOK = "01_quickstart.ipynb"
TITLE = "See a KAN-CNN learn"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(description="Save the quickstart's views as a page.")
    default = CHECKOUT / "build" / "quickstart.html"
    parser.add_argument("path", nargs="?", type=Path, default=default, help="default: %(default)s")
    path = parser.parse_args(arguments).path
    path.parent.mkdir(parents=True, exist_ok=True)
    names: dict[str, Any] = {}
    for cell in code_cells(read(NOTEBOOK)):
        exec(compile(cell.source, NOTEBOOK, "exec"), names)
    live = names["live"]
    images, _ = next(iter(names["test_batches"]))
    live.observe(images)
    dashboard = kw.Dashboard(live)
    dashboard.meshgrid.mode = "response"
    dashboard.save_html(path, title=TITLE)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
