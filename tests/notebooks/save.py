"""Execute tutorials and save them with their outputs: ``make notebooks``.

What depends on the machine or the hour does not stay: paths, timings, memory addresses, widget
state and widget ids. A live view is saved as its still picture, as it stands after the last cell;
a bqplot figure, which has none, as a photograph of it in a page.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from PIL import Image

from tests.notebooks.execution import (
    CHECKOUT,
    FOLDER,
    JPEG,
    TUTORIALS,
    VIEW,
    Run,
    code_cells,
    errors,
    execute,
    read,
)
from tests.notebooks.photographs import photographs

INDEX = "index.md"
HEADING = """\
# kan_widgets: the tutorials

Each runs by itself, cell by cell with Shift+Enter: training takes a minute or two; the digits come
with the package. The pictures saved in them become live views once their cells
have run. Begin with 1; who is short of time goes on with 3, 4 and 5c.
[Teaching](https://kan-widgets.github.io/kan-widgets/teaching.html) says how long each takes.
Without a notebook, a network trains in the browser:
[the playground](https://kan-widgets.github.io/kan-widgets/playground/).
"""
TITLE = re.compile(r"^# (.+)$", re.M)
GOAL = re.compile(r"^\*\*You will\*\*(.+)$", re.M)
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# The beginnings of absolute paths of this and of usual machines.
ABSOLUTE = re.compile(
    r"(?<![\w.:/])/(?:home|root|Users|tmp|usr|opt|var|private|mnt|work)/|\b[A-Z]:\\+(?:Users|Windows|Program)\b|site-packages"
)
ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def main(arguments: Sequence[str] | None = None) -> int:
    """Save the tutorials named, or all; return 1 if one was refused."""
    parser = argparse.ArgumentParser(description="Execute tutorials and save their outputs.")
    parser.add_argument("names", nargs="*", metavar="NOTEBOOK", help="file names; default: all")
    names = [Path(name).name for name in parser.parse_args(arguments).names] or TUTORIALS
    if unknown := sorted(set(names) - set(TUTORIALS)):
        parser.error(f"no such tutorial: {', '.join(unknown)}; there are {', '.join(TUTORIALS)}")
    refused = 0
    for name in names:
        run = execute(name)
        if faults := errors(run.notebook):
            refused += 1
            print(f"{name}: not saved:", *faults, sep="\n  ", file=sys.stderr)
            continue
        if run.figures:
            run.stills.update(photographs(run.figures, run.state))
        try:
            clean(run)
        except ValueError as fault:
            refused += 1
            print(f"{name}: not saved: {fault}", file=sys.stderr)
            continue
        path = FOLDER / name
        nbformat.write(run.notebook, path)  # type: ignore[no-untyped-call]
        print(f"{name}: {run.seconds:.0f} s, {os.path.getsize(path):,} bytes", flush=True)
    try:
        (FOLDER / INDEX).write_text(index())
    except ValueError as fault:
        refused += 1
        print(f"{INDEX}: not saved: {fault}", file=sys.stderr)
    return min(refused, 1)


def index() -> str:
    """Return the page that lists the tutorials: their titles, and what the reader will do."""
    lines = [HEADING]
    for name in TUTORIALS:
        opening = read(name).cells[0].source
        title, goals = TITLE.search(opening), GOAL.findall(opening)
        if title is None or not goals:
            raise ValueError(f"{name} must begin with a title and with what the reader will do")
        goal = "; you will".join([*(g.rstrip(" .") for g in goals[:-1]), goals[-1]])
        number = name.split("_")[0].lstrip("0")  # 5, 5b, 5c: pages that belong together
        lines.append(f"- {number} **[{title[1]}]({name})**: you will{goal}\n")
    return "\n".join(lines)


def clean(run: Run) -> None:
    """Leave of a run's notebook what it is to be saved with.

    Raises
    ------
    ValueError
        If a widget shown has no still picture, or an output names a path of this machine.
    """
    notebook = run.notebook
    notebook.metadata = nbformat.from_dict(METADATA)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    for number, cell in enumerate(code_cells(notebook), 1):
        for output in cell.outputs:
            _clean_output(output, run, f"code cell {number} ({cell.id})")


def _clean_output(output: Any, run: Run, where: str) -> None:
    if output.output_type == "stream":
        output.text = _text(output.text, where)
        return
    data = output.data
    if VIEW in data:
        # With it, JupyterLab would say "Loading widget…" until the cell has run.
        key = data.pop(VIEW)["model_id"]
        picture, about = run.stills.get(key, (None, None))
        picture = picture or data.get("image/png")
        if picture is None:
            raise ValueError(
                f"{where} shows a widget without a still picture: {data.get('text/plain')}; GitHub"
                " would show nothing, so show views and figures of kan_widgets one below another"
            )
        data["image/png"] = picture
        if about:
            output.metadata["image/png"] = about
    if "image/png" in data:
        data.pop(JPEG, None)
        data["image/png"] = lighter(data["image/png"])
    for kind in data:
        if kind.startswith("text/"):
            data[kind] = _text(data[kind], where)


def lighter(picture: str) -> str:
    """Return a PNG, in base64, with the same pixels in the fewest bytes.

    A still is compressed in haste, since somebody waits for it: a tenth of it can go.
    """
    again = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        image.save(
            again, "PNG", optimize=True, **{k: image.info[k] for k in image.info if k == "dpi"}
        )
    return min(base64.b64encode(again.getvalue()).decode(), picture.replace("\n", ""), key=len)


def _text(text: str, where: str) -> str:
    text = ADDRESS.sub("", text.replace(f"{CHECKOUT}{os.sep}", ""))
    if found := ABSOLUTE.search(text):
        line = next(line for line in text.splitlines() if found[0] in line)
        raise ValueError(f"{where} shows a path of this machine: {line.strip()}")
    return text


if __name__ == "__main__":
    sys.exit(main())
