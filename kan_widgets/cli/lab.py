"""``kan-widgets lab``: the tutorials in JupyterLab; and the tile there that opens the board."""

import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from kan_widgets.cli.serving import TOKEN

_FIRST_NOTEBOOK = "01_quickstart.ipynb"
# The environment variable that names the folder, by default the Jupyter server's own.
_RUNS = "KAN_WIDGETS_RUNS"


def _notebooks() -> Path:
    """Return the folder of the tutorials: in the package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if (folder / _FIRST_NOTEBOOK).is_file():
            return folder
    raise FileNotFoundError(f"the tutorials are missing from {package}; install kan-widgets again")


def _copy(source: Path, target: Path) -> tuple[list[Path], list[Path]]:
    """Copy the files of a folder, overwriting none; return those copied and those kept."""
    copied, kept = [], []
    for path in sorted(source.rglob("*")):
        place = path.relative_to(source)
        if path.is_dir() or any(part.startswith((".", "__")) for part in place.parts):
            continue
        if (target / place).exists():
            kept.append(place)
            continue
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / place)
        copied.append(place)
    return copied, kept


def lab(folder: Path, arguments: list[str]) -> int:
    """Copy the tutorials to a folder, and open them in JupyterLab."""
    if importlib.util.find_spec("jupyterlab") is None:
        print(
            "JupyterLab is not installed: pip install jupyterlab ipykernel sidecar",
            file=sys.stderr,
        )
        return 1
    folder = folder.expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    copied, kept = _copy(_notebooks(), folder)
    for paths, fate in ((copied, "copied to"), (kept, "kept as they were in")):
        if paths:
            print(f"{fate} {folder}: {', '.join(map(str, paths))}", flush=True)
    if hasattr(os, "geteuid") and os.geteuid() == 0 and "--allow-root" not in arguments:
        arguments = ["--allow-root", *arguments]
    # The address that it prints, where it opens no browser, is that of the notebook, too.
    address = f"--LabApp.default_url=/lab/tree/{_FIRST_NOTEBOOK}"
    command = [sys.executable, "-m", "jupyterlab", _FIRST_NOTEBOOK, address, *arguments]
    if os.name == "posix":
        # JupyterLab takes this process over, so that Ctrl-C and the exit status are its own.
        os.chdir(folder)
        os.execv(sys.executable, command)
    return subprocess.call(command, cwd=folder)


def board_tile() -> dict[str, Any]:
    """Return the settings for jupyter-server-proxy: how the board is started, and its tile.

    Jupyter checks its own token or login before it passes a request on, under the host name that
    the browser uses, which cannot be known here. The board has a token besides: other users of the
    machine can reach its port.
    """
    token = secrets.token_urlsafe(16)
    place = os.environ.get(_RUNS, ".").replace("{", "{{").replace("}", "}}")
    run = "from kan_widgets.cli import main; raise SystemExit(main())"
    options = ["--port", "{port}", "--allow-host", "*", "--no-browser"]
    return {
        "command": [sys.executable, "-c", run, "runs", place, *options],
        "environment": {TOKEN: token},
        "timeout": 60.0,
        "launcher_entry": {"title": "KAN runs", "path_info": f"kan-widgets/{token}/"},
    }
