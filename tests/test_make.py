"""What `make` says and does where nothing is installed yet."""

from __future__ import annotations

import fnmatch
import os
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = Path(__file__).parent
GIVEN = ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "PYTEST_ARGS", "PYTEST_WORKERS")


def told(target: str, folder: Path) -> list[str]:
    """Return the lines that a target would run where nothing is installed."""
    command = ["make", "--dry-run", target, f"VENV={folder / 'venv'}"]
    # What the make that runs these tests was given is none of its business.
    own = {name: value for name, value in os.environ.items() if name not in GIVEN}
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("target", ["lab", "lint"])
def test_installing_says_first_what_will_happen_and_then_how_far_it_is(
    target: str, tmp_path: Path
) -> None:
    lines = told(target, tmp_path)
    (announced,) = (k for k, line in enumerate(lines) if line.startswith("echo"))
    (made,) = (k for k, line in enumerate(lines) if line.endswith(f"-m venv {tmp_path / 'venv'}"))
    newer, installed = (k for k, line in enumerate(lines) if " pip install " in line)
    assert announced < made < newer < installed
    assert "pip>=25.1" in shlex.split(lines[newer])  # before it said nothing while it copied
    assert "minutes" in lines[announced]
    assert "GB" in lines[announced]
    for words in (shlex.split(lines[newer]), shlex.split(lines[installed])):
        assert not {"--quiet", "-q", "-qq"} & set(words)
        assert words[0] == "PYTHONUNBUFFERED=1"  # or a pipe holds back what pip says


@pytest.mark.parametrize(
    ("target", "which"),
    [("test-python", "not browser"), ("test-fast", "not browser and not slow")],
)
def test_the_python_tests_are_all_but_browser_executed_notebooks_and_pages(
    target: str, which: str, tmp_path: Path
) -> None:
    lines = told(target, tmp_path)
    (line,) = (line for line in lines if " -m pytest " in line)
    whole = next(line for line in told("test", tmp_path) if " -m pytest " in line)
    assert line.startswith(whole.strip())
    options = shlex.split(line.removeprefix(whole.strip()))
    assert options[:2] == ["-m", which]
    browser, glob, docs = options[3::2]
    assert options[2::2] == ["--ignore", "--ignore-glob", "--ignore"]
    assert (browser, docs) == ("tests/browser", "tests/docs")
    executed = {path for path in TESTS.glob("notebooks/test_*.py") if "run_of(" in path.read_text()}
    # As pytest does: a pattern is a path from where it runs.
    pattern = str(ROOT / glob)
    ignored = {path for path in TESTS.rglob("*.py") if fnmatch.fnmatch(str(path), pattern)}
    assert executed == ignored
    assert executed
