"""``kan-widgets pause``, ``resume``, ``step``, ``stop`` and ``rate`` steer a run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
import pytest
import torch

import kan_widgets as kw
from kan_widgets import cli
from kan_widgets.live.recordings import control_folder
from kan_widgets.live.recordings.glance import Glance
from tests.live.recordings.test_control_folder import until

PATIENCE = 30.0


@contextmanager
def training(place: str, **options: Any) -> Iterator[kw.Binding]:
    """Train and record in a thread until the run is stopped, or the test is over."""
    model = kw.nn.KANLinear(2, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    live = kw.bind(model, optimizer, every=1)
    recorder = live.record(place, **options)
    is_over = threading.Event()

    def train() -> None:
        for _ in live.track(range(1_000_000)):
            if is_over.wait(0.005):
                break
            optimizer.zero_grad()
            model(torch.ones(4, 2)).sum().backward()
            optimizer.step()

    thread = threading.Thread(target=train)
    thread.start()
    try:
        until(lambda: live.stats.steps > 2, "it trains")
        yield live
    finally:
        is_over.set()
        live.control.resume()
        thread.join()
        recorder.close()
        live.close()


@pytest.fixture(params=["folder", "address"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Give where a run may be recorded: on this machine, and at an address."""
    monkeypatch.setattr(control_folder, "_FAR_SECONDS", 0.1)
    if request.param == "folder":
        yield str(tmp_path / "run")
        return
    yield "memory://steered/run"
    files = fsspec.filesystem("memory")
    left = [name for name in files.find("/steered") if ".control" in name]
    files.rm("/steered", recursive=True)
    assert left == []


def said(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    """Return what a command that succeeds says, without where the run is."""
    status = cli.main(list(command))
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    return out.partition(f"{command[1]}: ")[2].strip()


def test_commands_pause_step_resume_change_and_stop_a_run_wherever_it_is_recorded(
    place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with training(place, control=True) as live:
        assert re.fullmatch(r"paused at step \d+", said(capsys, "pause", place))
        step = live.stats.steps
        assert live.control.is_holding
        assert said(capsys, "step", place) == f"paused at step {step + 1}"
        assert said(capsys, "step", place, "4") == f"paused at step {step + 5}"
        assert live.stats.steps == step + 5
        rate = said(capsys, "rate", place, "0.25")
        assert rate == f"learning rate 0.5 → 0.25 at step {step + 5}"
        assert live.feed.learning_rates == [0.25]
        assert said(capsys, "resume", place).startswith("goes on from step ")
        until(lambda: live.stats.steps > step + 5, "it goes on")
        assert re.fullmatch(r"stopped, step \d+", said(capsys, "stop", place))
        assert live.progress.state == "stopped"


def test_a_pause_by_a_command_outlives_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(tmp_path / "run")
    with training(place, control=True, lost_after=0.3) as live:
        said(capsys, "pause", place)
        step = live.stats.steps
        time.sleep(1.0)
        assert (live.control.is_holding, live.stats.steps) == (True, step)


def refused(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    """Return what a command says that cannot be done."""
    status = cli.main(list(command))
    out, err = capsys.readouterr()
    assert (status, out) == (1, "")
    return err.removeprefix(f"kan-widgets {command[0]}: ").strip()


def test_a_command_that_cannot_be_done_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(tmp_path / "run")
    assert refused(capsys, "pause", place).startswith(f"{place} is not there")
    with training(place, control=True) as live:
        why = refused(capsys, "rate", place, "-1")
        assert why.startswith(f"{place} refused it: value=-1.0: expected")
        assert "expected a whole number ≥ 1" in refused(capsys, "step", place, "0")
        live.control.stop()
        until(lambda: live.progress.state == "stopped", "it stops")
        seen = Glance(place)
        until(lambda: seen.look() and seen.has_ended, "the recording says so")
        assert re.fullmatch(
            rf"{place}: the run is stopped, step \d+", refused(capsys, "pause", place)
        )
    assert "the run is stopped" in refused(capsys, "resume", place)
    with training(str(tmp_path / "other")):
        why = refused(capsys, "pause", str(tmp_path / "other"))
        assert why.endswith("its run was recorded without control=True")


def test_a_run_whose_writer_has_died_is_not_asked_and_the_last_sign_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "run"
    with training(str(place), control=True):
        index = place / "index.jsonl"
        long_ago = re.sub(r'"alive": [\d.]+', f'"alive": {time.time() - 190}', index.read_text())
        copied = tmp_path / "copied"
        copied.mkdir()
        for path in place.iterdir():
            (copied / path.name).write_bytes(path.read_bytes())
        (copied / "index.jsonl").write_text(long_ago)
        died = r"died: no sign of process \d+ on .+ for 3 min"
        assert re.search(rf"the run {died}, step \d+", refused(capsys, "stop", str(copied)))
        run = kw.follow(copied)
        assert re.match(died, run.feed.standing.words)
        with pytest.raises(RuntimeError, match=died):
            run.pause()
        run.close()


def test_what_is_not_heard_in_time_is_taken_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(tmp_path / "run")
    with training(place, control=True) as live:
        monkeypatch.setattr(control_folder.RunSide, "look", lambda _: None)
        why = refused(capsys, "stop", place, "--wait", "0.5")
        assert "no answer within 0.5 s, so it is asked no more: training, step" in why
        assert len(os.listdir(tmp_path / "run.control")) == 1
        assert live.control.state == "running"


def test_a_followed_run_is_steered_at_an_address(place: str) -> None:
    with training(place, control=True) as live:
        run = kw.follow(place, wait=PATIENCE, interval=0.05)
        until(lambda: run.feed.control, "the run allows control", run)
        run.pause()
        until(lambda: live.control.is_holding, "it is paused", run)
        step = live.stats.steps
        run.step()
        until(lambda: live.stats.steps == step + 1 and live.control.is_holding, "one step", run)
        with pytest.raises(ValueError, match="steps=0: expected a whole number ≥ 1"):
            run.step(0)
        run.set_learning_rate(0.125)
        until(lambda: live.feed.learning_rates == [0.125], "the rate is set", run)
        run.resume()
        run.stop()
        until(lambda: live.progress.state == "stopped", "it is stopped", run)
        run.close()


def test_a_lost_follower_at_an_address_does_not_leave_the_run_paused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(control_folder, "_FAR_SECONDS", 0.1)
    with training("memory://lost/run", control=True, lost_after=1.0) as live:
        run = kw.follow("memory://lost/run", wait=PATIENCE, interval=0.05)
        until(lambda: run.feed.control, "the run allows control", run)
        run.pause()
        until(lambda: live.control.is_holding, "it is paused", run)
        time.sleep(2.0)
        assert live.control.is_holding
        run.close()
        until(lambda: not live.control.is_holding, "it goes on")
    fsspec.filesystem("memory").rm("/lost", recursive=True)


def test_commanding_needs_no_torch(tmp_path: Path) -> None:
    place = str(tmp_path / "run")
    code = (
        "import sys\nfrom kan_widgets.cli import main\n"
        f"status = main(['stop', {place!r}])\n"
        "assert 'torch' not in sys.modules and 'ipywidgets' not in sys.modules\n"
        "raise SystemExit(status)\n"
    )
    with training(place, control=True):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "stopped, step" in done.stdout
