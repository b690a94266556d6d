"""Execute a tutorial and write it as a page with live views: what ``make site`` does to each.

The views of the page play what this run has recorded; a bqplot figure, which needs a notebook,
stays the picture that the tutorial was saved with.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat

from tests.notebooks.execution import TUTORIALS, VIEW, Run, code_cells, errors, execute, read
from tests.notebooks.save import clean

# With the script of all pages, style sheets and pictures a page stays below 3 MB.
PAGE_MB = 2.1


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a tutorial; return 1 if a cell of it raised."""
    parser = argparse.ArgumentParser(description="Execute a tutorial and make its views live.")
    parser.add_argument("name", choices=TUTORIALS)
    parser.add_argument("path", type=Path, help="where to write it")
    asked = parser.parse_args(arguments)
    run = execute(asked.name, page_mb=room_for_views(asked.name))
    if faults := errors(run.notebook):
        print(f"{asked.name}: not written:", *faults, sep="\n  ", file=sys.stderr)
        return 1
    enliven(run)
    asked.path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(run.notebook, asked.path)  # type: ignore[no-untyped-call]
    print(f"{asked.name}: {run.seconds:.0f} s, {len(run.filling) / 1e6:.1f} MB of live views")
    return 0


def room_for_views(name: str) -> float:
    """Return the megabytes that the views of a page may take, beside the pictures that stay.

    These are charts, which say how wide they are to be shown, and films.
    """
    outputs = [output for cell in code_cells(read(name)) for output in cell.outputs]
    stay = [
        picture
        for output in outputs
        for kind, picture in output.get("data", {}).items()
        if kind == "image/gif" or "width" in output.metadata.get(kind, {})
    ]
    return PAGE_MB - sum(len(picture) for picture in stay) / 1e6


def enliven(run: Run) -> None:
    """Put places of live views where its widgets were, and what fills them at its end."""
    for cell, before in zip(code_cells(run.notebook), code_cells(read(run.name)), strict=True):
        for output, saved in zip(cell.outputs, before.outputs, strict=True):
            shown = output.get("data", {}).get(VIEW)
            if shown and (place := run.places.get(shown["model_id"])):
                output.data = nbformat.from_dict({"text/html": place})  # type: ignore[no-untyped-call]
            elif shown:
                about = saved.metadata.get("image/png", {})
                run.stills[shown["model_id"]] = (saved.data["image/png"], about)
    clean(run)
    if run.filling:
        # An empty cell would be passed over.
        end = nbformat.v4.new_code_cell("...", metadata={"tags": ["remove-input"]})  # type: ignore[no-untyped-call]
        end.outputs = [
            nbformat.v4.new_output("display_data", {"text/html": run.filling})  # type: ignore[no-untyped-call]
        ]
        run.notebook.cells.append(end)


if __name__ == "__main__":
    sys.exit(main())
