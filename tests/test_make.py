"""What `make` says and does where nothing is installed yet."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("target", ["lab", "demo", "lint"])
def test_installing_says_first_what_will_happen_and_then_how_far_it_is(
    target: str, tmp_path: Path
) -> None:
    command = ["make", "--dry-run", target, f"VENV={tmp_path / 'venv'}"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = told.splitlines()
    (announced,) = (k for k, line in enumerate(lines) if line.startswith("echo"))
    (made,) = (k for k, line in enumerate(lines) if line.endswith(f"-m venv {tmp_path / 'venv'}"))
    (installed,) = (k for k, line in enumerate(lines) if " pip install " in line)
    assert announced < made < installed
    assert "minutes" in lines[announced]
    assert "GB" in lines[announced]
    assert not {"--quiet", "-q", "-qq"} & set(shlex.split(lines[installed]))
