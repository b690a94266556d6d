from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kan_widgets import __version__, cli
from kan_widgets.cli import lab
from kan_widgets.printed import progress

RUN = "import sys; from kan_widgets.cli import main; sys.exit(main())"

FAKE_JUPYTERLAB = """
import json, os, sys
from pathlib import Path
Path(os.environ["RECORD"]).write_text(json.dumps({"arguments": sys.argv[1:], "cwd": os.getcwd()}))
sys.exit(7)
"""


@pytest.fixture
def tutorials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tutorials"
    (folder / "pictures").mkdir(parents=True)
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / "01_quickstart.ipynb").write_text("first")
    (folder / "02_second.ipynb").write_text("second")
    (folder / "pictures" / "a.txt").write_text("a picture")
    (folder / ".ipynb_checkpoints" / "01_quickstart.ipynb").write_text("old")
    monkeypatch.setattr(lab, "_notebooks", lambda: folder)
    return folder


def names_in(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_copying_brings_every_tutorial_and_no_leftovers(tutorials: Path, tmp_path: Path) -> None:
    lab._copy(tutorials, tmp_path / "mine")
    assert names_in(tmp_path / "mine") == [
        "01_quickstart.ipynb",
        "02_second.ipynb",
        "pictures/a.txt",
    ]


def test_copying_keeps_a_file_that_is_there(tutorials: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "01_quickstart.ipynb").write_text("my notes")
    copied, kept = lab._copy(tutorials, mine)
    assert (mine / "01_quickstart.ipynb").read_text() == "my notes"
    assert kept == [Path("01_quickstart.ipynb")]
    assert copied == [Path("02_second.ipynb"), Path("pictures/a.txt")]


def test_lab_opens_jupyterlab_on_the_first_tutorial_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "fake" / "jupyterlab").mkdir(parents=True)
    (tmp_path / "fake" / "jupyterlab" / "__init__.py").touch()
    (tmp_path / "fake" / "jupyterlab" / "__main__.py").write_text(FAKE_JUPYTERLAB)
    mine = tmp_path / "deep" / "mine"
    path = os.pathsep.join([str(tmp_path / "fake"), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", RUN, "lab", str(mine), "--", "--no-browser", "--port=1"],
        env=os.environ | {"PYTHONPATH": path, "RECORD": str(tmp_path / "record.json")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 7, done.stderr
    record = json.loads((tmp_path / "record.json").read_text())
    assert Path(record["cwd"]) == mine.resolve()
    arguments = [a for a in record["arguments"] if a != "--allow-root"]
    address = "--LabApp.default_url=/lab/tree/01_quickstart.ipynb"
    assert arguments == ["01_quickstart.ipynb", address, "--no-browser", "--port=1"]
    assert ("--allow-root" in record["arguments"]) == (os.geteuid() == 0)
    assert {"01_quickstart.ipynb", "index.md"} <= set(names_in(mine))
    assert re.search(r"copied to .*mine: .*01_quickstart\.ipynb", done.stdout)


@pytest.mark.slow
def test_without_a_browser_lab_prints_the_address_of_the_first_tutorial(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUN, "lab", str(tmp_path), "--", "--no-browser", "--port=0"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as lab:
        assert lab.stdout is not None
        address = next(line for line in lab.stdout if re.search(r"http://\S*token=", line))
        lab.terminate()
    assert "/lab/tree/01_quickstart.ipynb?token=" in address


def test_lab_says_which_files_it_kept(
    tutorials: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(os, "execv", lambda *command: None)
    monkeypatch.setattr("subprocess.call", lambda *command, **options: 0)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["lab", str(tmp_path / "mine")]) == 0
    assert "kept" not in capsys.readouterr().out
    monkeypatch.chdir(tmp_path)
    assert cli.main(["lab", str(tmp_path / "mine")]) == 0
    assert "kept as they were in" in capsys.readouterr().out


def test_lab_without_jupyterlab_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli.main(["lab", str(tmp_path / "mine")]) == 1
    assert "pip install jupyterlab" in capsys.readouterr().err
    assert not (tmp_path / "mine").exists()


def test_lab_on_a_file_fails_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert cli.main(["lab", str(tmp_path / "file")]) == 1
    assert str(tmp_path / "file") in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["paint"], "paint"),
        (["runs", "--", "--no-browser"], "only 'lab' passes on arguments"),
    ],
)
def test_wrong_arguments_end_with_status_2_and_a_message(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"kan-widgets {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [["--version"], ["--help"], ["lab", "--help"], ["runs", "-h"]]
)
def test_what_needs_no_torch_imports_none(arguments: list[str]) -> None:
    code = """
import atexit, sys
from kan_widgets.cli import main
atexit.register(lambda: print("loaded:", *sys.modules))
main(sys.argv[1:])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split("loaded:")[1].split())
    assert "kan_widgets.cli" in loaded
    assert not loaded & {"torch", "numpy", "ipywidgets", "PIL", "kan_widgets.live"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_is_redrawn_in_place_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(progress(range(50), "steps", 0.0)) == list(range(50))
    text = terminal.getvalue()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert "50 of 50" in text.rsplit("\r", 1)[1]


def test_the_bar_takes_ten_lines_in_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    list(progress(range(937), "steps", 0.0))
    lines = log.getvalue().splitlines()
    assert len(lines) == 10
    assert "937 of 937" in lines[-1]
