"""Execute a tutorial from its first cell to its last, and read the `facts` it ends with."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

CHECKOUT = Path(__file__).parents[2]
FOLDER = CHECKOUT / "notebooks"
TUTORIALS = sorted(path.name for path in FOLDER.glob("*.ipynb"))

VIEW = "application/vnd.jupyter.widget-view+json"
# Pillow shows every picture as PNG and once more as JPEG.
JPEG = "image/jpeg"
ANSWER = "application/x-answer"
# The line by which a tutorial says what chance it rests on; `make claims` tries others.
SEED = re.compile(r"^seed = 0$", re.M)
# The bar of a long computation: a slow machine draws it, and a quick one does not.
BAR = re.compile(r"[^\r\n]+ [█░]{24} [\d,]+ of [\d,]+")

# What the watchdogs of the models bound at the end complain of.
ALARMS = """
def _alarms():
    from kan_widgets.live.watching.bind import _bindings

    dogs = [live.watchdog() for live in list(_bindings.values()) if live.feed.is_open]
    return [str(alarm) for dog in dogs for alarm in (dog.look(), dog.raised)[1]]
"""

# Runs after the last cell: the notebook's facts, each displayed widget's still picture as it has
# become by then, the state of the figures, of which only a page can make a picture, what a page of
# the views needs, and last what looking for it would bring onto that page: the alarms.
QUESTION = """
def _ask(shown, kind, page_mb):
    import json
    from IPython.display import display
    from ipywidgets.embed import dependency_state
    from ipywidgets.widgets.widget import _instances
    from kan_widgets.figures import colours
    from kan_widgets.widgets.pages.page import PageSavable, parts_of_page

    stills = {}
    for key in shown:
        if key in _instances:
            bundle = _instances[key]._repr_mimebundle_()
            data, about = bundle if isinstance(bundle, tuple) else (bundle, {})
            stills[key] = [data.get("image/png"), about.get("image/png")]
    known = [_instances[key] for key in stills]
    figures = [one for one in known if colours.CLASS in getattr(one, "_dom_classes", ())]
    state = {}
    if figures:
        state = dependency_state([*figures, colours._sheet], drop_defaults=False)
    views = [one for one in known if isinstance(one, PageSavable)] if page_mb else []
    places, filling = parts_of_page(views, page_mb) if views else ([], "")
    answer = {
        "facts": globals().get("facts"),
        "stills": stills,
        "figures": [figure.model_id for figure in figures],
        "state": state,
        "alarms": _alarms(),
        "places": dict(zip([view.model_id for view in views], places)),
        "filling": filling,
    }
    display({kind: json.dumps(answer, allow_nan=False)}, raw=True)
"""


@dataclass(frozen=True)
class Run:
    """An executed notebook.

    Attributes
    ----------
    name : str
        The file's name.
    notebook : nbformat.NotebookNode
        With the outputs of this run, errors among them.
    facts : dict
        What the notebook's own dict `facts` holds at the end; empty if there is none.
    stills : dict
        Widget id -> its still picture at the end (base64 of a PNG, or None) and its metadata.
    seconds : float
        How long it took, the kernel's start included.
    figures : list of str
        Widget ids of the bqplot figures shown.
    state : dict
        What a page needs to draw these as they are at the end: widget id -> state.
    alarms : list of str
        What the watchdogs of the models bound at the end have complained of.
    places : dict
        Widget id -> HTML of the place of a view in a page; where `execute` was told of a page.
    filling : str
        HTML of what fills these places.
    """

    name: str
    notebook: Any = field(repr=False)
    facts: dict[str, Any]
    stills: dict[str, tuple[str | None, dict[str, Any] | None]] = field(repr=False)
    seconds: float
    figures: list[str] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict, repr=False)
    alarms: list[str] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    filling: str = field(default="", repr=False)


def read(name: str) -> Any:
    """Return a tutorial as it lies in the checkout."""
    return nbformat.read(FOLDER / name, as_version=4)  # type: ignore[no-untyped-call]


def code_cells(notebook: Any) -> list[Any]:
    """Return the code cells that hold code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def errors(notebook: Any) -> list[str]:
    """Return what was raised, with the number of the cell."""
    return [
        f"cell {index}: {output.ename}: {output.evalue}"
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "error"
    ]


def execute(
    name: str,
    timeout: int = 1800,
    first: str = "",
    kernels: str = "",
    seed: int = 0,
    page_mb: float = 0,
) -> Run:
    """Execute a tutorial in a copy of its folder, with one thread and no settings of the user.

    A cell that raises does not end it: `check_runs` and `errors` tell.

    Parameters
    ----------
    name : str
        The file's name in the folder of the tutorials.
    timeout : int
        Seconds that one cell may take, before it counts as hanging: tutorial 11 trains a network
        of plain torch, and a busy machine gives it a tenth of a core.
    first : str
        Python that is run before the first cell.
    kernels : str
        Folder with a kernel ``python3`` to take instead of the one that is installed.
    seed : int
        What the notebook's line ``seed = 0`` is to say.
    page_mb : float
        How many megabytes a page of its views may take; 0 for none.

    Raises
    ------
    ValueError
        If another seed is asked of a notebook that does not have that line exactly once.
    """
    with tempfile.TemporaryDirectory(prefix="kan-widgets-") as home:
        folder = Path(home) / "notebooks"
        shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        notebook = nbformat.read(folder / name, as_version=4)  # type: ignore[no-untyped-call]
        for cell in code_cells(notebook):
            cell.outputs, cell.execution_count = [], None
        if seed:
            set_seed(notebook, name, seed)
        # Sockets in a folder of its own: a free port may be taken before the kernel binds it. Their
        # path must stay short, about 100 characters.
        sockets = {"transport": "ipc", "connection_file": str(Path(home) / "kernel.json")}
        client = NotebookClient(
            notebook,
            config=Config({"KernelManager": sockets}),
            timeout=timeout,
            kernel_name="python3",
            allow_errors=True,
            coalesce_streams=True,
            record_timing=False,
            store_widget_state=False,
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
            resources={"metadata": {"path": str(folder)}},
        )
        start = time.perf_counter()
        environment = _environment(Path(home)) | ({"JUPYTER_PATH": kernels} if kernels else {})
        with patch.dict(os.environ, environment):
            with client.setup_kernel():
                if first:
                    _run(client, notebook, first)
                for index, cell in enumerate(notebook.cells):
                    client.execute_cell(cell, index)
                answer = _ask(client, notebook, page_mb)
        seconds = time.perf_counter() - start
        without_bars(notebook)
        return Run(name, notebook, answer.pop("facts") or {}, seconds=seconds, **answer)


def without_bars(notebook: Any) -> None:
    """Take away what is on standard error for as long as a computation takes: its bar."""
    for cell in code_cells(notebook):
        kept = []
        for output in cell.outputs:
            if output.get("name") == "stderr" and BAR.search(output.text):
                output.text = BAR.sub("", output.text).replace("\r", "").lstrip("\n")
                if not output.text.strip():
                    continue
            kept.append(output)
        cell.outputs = kept


def check_runs(run: Run, alarm: str | tuple[str, ...] | None = None) -> None:
    """Assert that every cell ran without an error or an alarm, left what was saved, and facts.

    The outputs in the checkout are compared by kind only: numbers may differ by machine. `alarm` is
    the beginning of the alarm, or of those, that the notebook itself speaks of.
    """
    assert errors(run.notebook) == []
    assert [one for one in run.alarms if alarm is None or not one.startswith(alarm)] == []
    assert run.facts, f"{run.name} ends without a dict `facts`"
    counts = [cell.execution_count for cell in code_cells(run.notebook)]
    assert counts == list(range(1, len(counts) + 1))
    now, saved = kinds(run.notebook), kinds(read(run.name))
    assert now == saved, f"{run.name} has changed since it was saved: run `make notebooks`"


def kinds(notebook: Any) -> list[list[str]]:
    """Return the kinds of output of every code cell: streams by name, the rest by mime types.

    A widget counts as the picture that it is saved as.
    """

    def mimes(data: Any) -> list[str]:
        shown = {"image/png" if mime == VIEW else mime for mime in data}
        return sorted(shown - {JPEG})

    return [
        [
            f"stream {output.name}"
            if output.output_type == "stream"
            else f"{output.output_type} {mimes(output.get('data', {}))}"
            for output in cell.outputs
        ]
        for cell in code_cells(notebook)
    ]


def has_seed(name: str) -> bool:
    """Say whether a tutorial has the line that `execute` sets another seed by."""
    return _seeds(read(name)) == 1


def set_seed(notebook: Any, name: str, seed: int) -> None:
    """Let the line ``seed = 0`` of a notebook say another seed; `execute` says what is raised."""
    if _seeds(notebook) != 1:
        raise ValueError(f"{name}: expected exactly one line `seed = 0` to set to {seed}")
    for cell in code_cells(notebook):
        cell.source = SEED.sub(f"seed = {seed}", cell.source)


def _seeds(notebook: Any) -> int:
    return sum(len(SEED.findall(cell.source)) for cell in code_cells(notebook))


def _environment(home: Path) -> dict[str, str]:
    private = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    # The kernel imports this checkout, installed or not.
    paths = [str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {name: str(home / name.lower()) for name in private} | {
        "PYTHONPATH": os.pathsep.join(paths),
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


def _ask(client: NotebookClient, notebook: Any, page_mb: float) -> dict[str, Any]:
    shown = [
        output.data[VIEW]["model_id"]
        for cell in code_cells(notebook)
        for output in cell.outputs
        if VIEW in output.get("data", {})
    ]
    cell = _run(client, notebook, f"{ALARMS}{QUESTION}\n_ask({shown!r}, {ANSWER!r}, {page_mb!r})")
    for output in cell.outputs:
        if output.output_type == "error":
            raise ValueError(f"the facts must be plain numbers: {output.ename}: {output.evalue}")
        if ANSWER in output.get("data", {}):
            answer: dict[str, Any] = json.loads(output.data[ANSWER])
            return answer
    raise RuntimeError("the kernel did not answer what the notebook's facts are")


def _run(client: NotebookClient, notebook: Any, code: str) -> Any:
    """Run code that is no cell of the notebook; return it as a cell with its outputs."""
    cell = nbformat.v4.new_code_cell(code)  # type: ignore[no-untyped-call]
    notebook.cells.append(cell)
    try:
        client.execute_cell(cell, len(notebook.cells) - 1)
    finally:
        notebook.cells.pop()
    return cell
