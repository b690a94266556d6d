from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kan_widgets import __version__, cli
from kan_widgets.cli import lab
from kan_widgets.insight.progress import progress

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


def demo(out: Path, *arguments: str) -> int:
    return cli.main(["demo", "--source", "embedded", "--out", str(out), "--steps", "3", *arguments])


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
    assert arguments == ["01_quickstart.ipynb", "--no-browser", "--port=1"]
    assert ("--allow-root" in record["arguments"]) == (os.geteuid() == 0)
    assert {"01_quickstart.ipynb", "index.md"} <= set(names_in(mine))
    assert re.search(r"copied to .*mine: .*01_quickstart\.ipynb", done.stdout)


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


def test_demo_prints_data_accuracy_loss_seconds_and_the_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo(tmp_path / "k.png") == 0
    out, err = capsys.readouterr()
    assert re.search(r"^data .*embedded MNIST subset \(4,000 train / 1,000 test\)$", out, re.M)
    assert re.search(r"^model .*KANCNN\.article\(\), 94,650 parameters$", out, re.M)
    assert re.search(r"^training +\d+\.\d s for 3 steps of 64 images$", out, re.M)
    assert re.search(r"^accuracy +\d+\.\d % .*embedded MNIST subset", out, re.M)
    assert re.search(r"^loss +\d\.\d{4} ", out, re.M)
    assert re.search(rf"^kernels +{re.escape(str(tmp_path / 'k.png'))}$", out, re.M)
    assert "3 of 3" in err


def test_demo_draws_different_kernels_after_more_steps(tmp_path: Path) -> None:
    pictures = []
    for steps in ("1", "4"):
        assert demo(tmp_path / f"{steps}.png", "--steps", steps) == 0
        with Image.open(tmp_path / f"{steps}.png") as image:
            pictures.append(np.asarray(image.convert("L")))
    assert pictures[0].shape == pictures[1].shape
    assert min(pictures[0].shape) > 300
    assert (np.abs(np.diff(np.array(pictures, float), axis=0)) > 100).sum() > 500


def test_demo_repeats_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = []
    for _ in range(2):
        assert demo(tmp_path / "k.png", "--force") == 0
        out = capsys.readouterr().out
        runs.append((re.findall("accuracy.*|loss.*", out), (tmp_path / "k.png").read_bytes()))
    assert runs[0] == runs[1]


def test_demo_learns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo(tmp_path / "k.png", "--steps", "40", "--model", "default") == 0
    found = re.search(r"accuracy +([\d.]+) %", capsys.readouterr().out)
    assert found is not None
    assert float(found[1]) > 70


def test_demo_keeps_a_picture_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "k.png").write_bytes(b"mine")
    (tmp_path / "k-2.png").write_bytes(b"mine too")
    assert demo(tmp_path / "k.png", "--steps", "1") == 0
    assert (tmp_path / "k.png").read_bytes() == b"mine"
    assert (tmp_path / "k-2.png").read_bytes() == b"mine too"
    assert (tmp_path / "k-3.png").read_bytes().startswith(b"\x89PNG")
    assert f"kernels   {tmp_path / 'k-3.png'}" in capsys.readouterr().out


def test_demo_replaces_a_picture_when_forced(tmp_path: Path) -> None:
    (tmp_path / "k.png").write_bytes(b"old")
    assert demo(tmp_path / "k.png", "--steps", "1", "--force") == 0
    assert names_in(tmp_path) == ["k.png"]
    assert (tmp_path / "k.png").read_bytes().startswith(b"\x89PNG")


def test_demo_refuses_a_missing_folder_before_it_trains(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo(tmp_path / "none" / "k.png") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert f"there is no folder {tmp_path / 'none'}" in err


def test_demo_explains_missing_data_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--source", "torchvision", "--root", str(tmp_path)]
    assert demo(tmp_path / "k.png", *arguments) == 1
    assert "train-images-idx3-ubyte is missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["paint"], "paint"),
        (["demo", "--epochs", "0"], "expected a whole number ≥ 1, got 0"),
        (["demo", "--", "--no-browser"], "only 'lab' passes on arguments"),
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
    "arguments", [["--version"], ["--help"], ["lab", "--help"], ["demo", "-h"]]
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
