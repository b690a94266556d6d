"""``kan-widgets view``, ``runs`` and ``info``, and how quickly the command answers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import webbrowser
from pathlib import Path

import comm
import pytest
import torch

import kan_widgets as kw
from kan_widgets import cli
from kan_widgets.cli.hub import made_for
from kan_widgets.live.recordings.places import Place
from kan_widgets.live.recordings.segments import Stored, written_file


def recorded(path: Path, *, steps: int = 4, loss: float = 0.5) -> Path:
    torch.manual_seed(0)
    model = kw.nn.KANLinear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    live = kw.bind(model, optimizer, every=1, max_fps=1000)
    live.data_source = "three numbers"
    for _ in live.track(range(steps)):
        optimizer.zero_grad()
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()
        live.refresh()
        live.log(loss=loss)
    live.feed.training.clock.trained = 106.0
    live.save(path)
    live.close()
    return path


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the addresses that a browser was asked to open."""
    addresses: list[str] = []

    def open_address(address: str) -> bool:
        addresses.append(address)
        return True

    monkeypatch.setattr(webbrowser, "open", open_address)
    return addresses


def test_view_opens_the_page_of_a_recording(
    tmp_path: Path, opened: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run = recorded(tmp_path / "run.npz")
    assert cli.main(["view", str(run), "--out", str(tmp_path / "page.html"), "--dark"]) == 0
    assert opened == [(tmp_path / "page.html").as_uri()]
    assert "page.html: " in capsys.readouterr().out
    text = (tmp_path / "page.html").read_text()
    assert "<title>KANLinear · run.npz</title>" in text
    assert '"theme":"dark"' in text


def test_view_writes_a_page_of_its_own_where_none_is_named(
    tmp_path: Path, opened: list[str]
) -> None:
    assert cli.main(["view", str(recorded(tmp_path / "run.npz"))]) == 0
    [address] = opened
    assert address.startswith("file:///")
    assert address.endswith("/run.html")
    assert not list(tmp_path.glob("*.html"))


def test_view_says_that_packing_takes_a_while(
    tmp_path: Path,
    opened: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = recorded(tmp_path / "run.npz")
    assert cli.main(["view", str(run)]) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("kan_widgets.cli.recordings._SLOW_BYTES", 100)
    assert cli.main(["view", str(run)]) == 0
    assert "packing 0 MB of frames into a page …" in capsys.readouterr().err


def test_a_browser_that_cannot_be_opened_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    out = tmp_path / "page.html"
    assert cli.main(["view", str(recorded(tmp_path / "run.npz")), "--out", str(out)]) == 0
    assert f"open {out.as_uri()} in one" in capsys.readouterr().err


def test_info_says_what_is_in_a_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["info", str(recorded(tmp_path / "run.npz"))]) == 0
    said = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "KANLinear, 54 parameters" in said["model"]
    assert "5, steps 0 to 4" in said["frames"]
    assert "loss 0.5" in said["latest"]
    assert said["trained"].endswith("4 steps, training time 1:46")
    assert "three numbers" in said["data"]
    assert "2 × 3 × 1 × 1" in said["KANLinear"]
    assert "6 functions" in said["KANLinear"]


def test_runs_lists_the_latest_first_with_loss_step_and_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "deep").mkdir()
    recorded(tmp_path / "a.npz", steps=2, loss=0.25)
    recorded(tmp_path / "deep" / "b.npz", steps=3, loss=0.125)
    (tmp_path / "other.npz").write_bytes(b"no recording")
    assert cli.main(["runs", str(tmp_path), "--table"]) == 0
    said = capsys.readouterr()
    table = [re.split(r"  +", line) for line in said.out.splitlines()[:3]]
    assert table[0][:6] == ["run", "model", "step", "latest loss", "training time", "state"]
    rows = {row[0]: row[1:6] for row in table[1:]}
    assert rows == {
        "a": ["KANLinear", "2", "loss 0.25", "1:46", "finished"],
        "deep/b": ["KANLinear", "3", "loss 0.125", "1:46", "finished"],
    }
    assert "other.npz is not a recording" in said.err


def test_runs_as_json_say_all_that_is_known_of_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(tmp_path / "a.npz", loss=float("nan"))
    (tmp_path / "empty.npz").touch()
    assert cli.main(["runs", str(tmp_path), "--json"]) == 0

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    known, empty = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert {name: known[name] for name in ("run", "path", "model", "step", "frames")} == {
        "run": "a",
        "path": str(tmp_path / "a.npz"),
        "model": "KANLinear",
        "step": 4,
        "frames": 5,
    }
    assert (known["state"], known["alive"], known["loss"]) == ("finished", False, "nan")
    assert known["values"] == {"loss": "nan"}
    # Looked for where there is time; the loss is not a number from the first step on.
    assert {*known["alarms"]} <= {"loss is not a number since step 1."}
    assert known["bytes"] == (tmp_path / "a.npz").stat().st_size
    assert (empty["run"], empty["state"], empty["alive"]) == ("empty", "unreadable", False)
    assert "holds no frame yet" in empty["problem"]
    (tmp_path / "none").mkdir()
    assert cli.main(["runs", str(tmp_path / "none"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_runs_lists_what_cannot_be_read_beside_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(tmp_path / "a.npz")
    damaged = tmp_path / "damaged.npz"
    with written_file(Place(damaged)) as file:
        for name, data in Stored(Place(tmp_path / "a.npz")).read():
            file.append(name, b"[" * 100_000 if name.endswith("layout.json") else data)
    (tmp_path / "empty.npz").touch()
    os.mkfifo(tmp_path / "pipe.npz")
    assert cli.main(["runs", str(tmp_path), "--table"]) == 0
    said = capsys.readouterr()
    rows = [re.split(r"  +", line) for line in said.out.splitlines()]
    assert [row[0] for row in rows] == ["run", "a", "damaged", "empty"]
    assert [row[1] for row in rows[2:]] == ["unreadable", "unreadable"]
    assert f"unreadable: {damaged}: record " in said.err
    assert "empty.npz holds no frame yet" in said.err
    assert (
        f"left out: {tmp_path / 'pipe.npz'} is not a recording: it is a device or a pipe"
        in said.err
    )
    (tmp_path / "a.npz").unlink()
    assert cli.main(["runs", str(tmp_path), "--table"]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ["info", "{run}"],
        ["runs", "{folder}", "--table"],
        ["view", "{run}", "--out", "{folder}/página.html", "--no-browser"],
        ["info", "--system"],
        ["follow", "--help"],
    ],
    ids=" ".join,
)
def test_a_terminal_that_knows_only_ascii_is_written_to(
    arguments: list[str], tmp_path: Path
) -> None:
    run = recorded(tmp_path / "läuft.npz")
    given = [each.format(folder=tmp_path, run=run) for each in arguments]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from kan_widgets.cli import main; raise SystemExit(main())",
            *given,
        ],
        env=os.environ | {"PYTHONIOENCODING": "ascii", "KAN_WIDGETS_COMPILE": "0"},
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["view", "{folder}/none.npz"], "is not there: give what live.save"),
        (["info", "{folder}"], "holds no index.jsonl: give the name of a recording in it"),
        (["runs", "{folder}", "--table"], "holds no recording"),
        (["runs", "{folder}/none"], "is not a folder"),
        (["follow", "{folder}/none.npz", "--wait", "0"], "no such file after 0 s"),
        (["view", "{run}", "--out", "{folder}/none/page.html"], "there is no folder"),
        (["view", "{run}", "--max-mb", "0.1"], "give max_mb="),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    run = recorded(tmp_path / "run.npz")
    given = [each.format(folder=tmp_path / "empty", run=run) for each in arguments]
    before = comm.create_comm
    assert cli.main(given) == 1
    made_there = comm.create_comm is not before or made_for.get(None) is not None
    assert not made_there, "widgets made from now on talk to a page that is not there"
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(f"kan-widgets {arguments[0]}: ")
    assert words in said


def test_a_recording_that_is_written_is_told_from_one_whose_writer_has_died(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = kw.nn.KANLinear(2, 1)
    recorder = kw.bind(model).record(tmp_path / "run.npz")
    recorder.flush()
    cli.main(["runs", str(tmp_path), "--table"])
    assert " recording " in capsys.readouterr().out
    index = tmp_path / "run.npz" / "index.jsonl"
    said = re.sub(r'"alive": [\d.]+', f'"alive": {time.time() - 7200}', index.read_text("utf-8"))
    index.write_text(said, "utf-8")
    cli.main(["runs", str(tmp_path), "--table"])
    assert re.search(r" died: no sign of process \d+ on .+ for 2 h ", capsys.readouterr().out)
    recorder.close()


COMMANDS = (["--version"], ["--help"], ["view", "--help"], ["follow", "--help"])


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_what_the_command_says_of_itself_needs_no_numpy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom kan_widgets.cli import main\n"
        "try:\n    main(sys.argv[1:])\nfinally:\n"
        "    slow = {'torch', 'numpy', 'ipywidgets', 'IPython'}\n"
        "    print(*slow & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == ""
    assert ("kan-widgets " + kw.__version__ in done.stdout) == (arguments == ["--version"])


def test_viewing_and_listing_recordings_needs_no_torch(tmp_path: Path) -> None:
    run = recorded(tmp_path / "run.npz")
    page = tmp_path / "page.html"
    code = (
        "import sys\nfrom kan_widgets.cli import main\n"
        f"main(['view', {str(run)!r}, '--out', {str(page)!r}, '--no-browser'])\n"
        f"main(['runs', {str(tmp_path)!r}, '--json'])\n"
        "from kan_widgets.cli.board import Board\n"
        "from kan_widgets.cli.serving import Server\n"
        "from kan_widgets.live.recordings.places import Place\n"
        f"server = Server()\nboard = Board(Place({str(tmp_path)!r}), server)\n"
        "assert server.hub.page()\n[run] = board.runs\n"
        "assert server.picture(run.id, 'light')\nassert server.opened(run.id).page()\n"
        f"main(['info', {str(run)!r}])\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_info_of_the_system_says_which_kernels_run_and_with_what(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["info", "--system"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"kan-widgets {kw.__version__}"
    assert lines[1] == f"kernels     {kw.nn.kernels_info()}"
    assert f"torch {torch.__version__.partition('+')[0]}" in "\n".join(lines)


@pytest.mark.parametrize("given", [[], ["run.npz", "--system"]])
def test_info_takes_a_recording_or_the_system(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["info", *given])
    assert "--system" in capsys.readouterr().err
