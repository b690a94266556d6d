"""``kan-widgets lab``: the tutorials in JupyterLab."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

FIRST_NOTEBOOK = "01_quickstart.ipynb"


def _notebooks() -> Path:
    """Return the folder of the tutorials: in the package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if (folder / FIRST_NOTEBOOK).is_file():
            return folder
    raise FileNotFoundError(f"the tutorials are missing from {package}; install kan-widgets again")


def _copy(source: Path, target: Path) -> tuple[list[Path], list[Path]]:
    """Copy the files of a folder, over none that is there; return those copied and those kept."""
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
    for paths, what in ((copied, "copied to"), (kept, "kept as they were in")):
        if paths:
            print(f"{what} {folder}: {', '.join(map(str, paths))}", flush=True)
    if hasattr(os, "geteuid") and os.geteuid() == 0 and "--allow-root" not in arguments:
        arguments = ["--allow-root", *arguments]
    command = [sys.executable, "-m", "jupyterlab", FIRST_NOTEBOOK, *arguments]
    if os.name == "posix":
        # JupyterLab takes this process over, so that Ctrl-C and the exit status are its own.
        os.chdir(folder)
        os.execv(sys.executable, command)
    return subprocess.call(command, cwd=folder)
