"""A run is steered by who follows its recording, in another process and over slow storage."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import torch

import kan_widgets as kw
from kan_widgets.live.recordings.control_folder import ControlFolder, FollowerSide
from kan_widgets.live.recordings.recorder import FrameRecorder

PATIENCE = 30.0

RUN = """
import sys, time, torch, kan_widgets as kw
model = kw.nn.KANLinear(2, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
live = kw.bind(model, optimizer, every=1)
live.record(sys.argv[1], control=True, lost_after=float(sys.argv[2]))
x = torch.ones(4, 2)
for _ in live.track(range(100_000)):
    optimizer.zero_grad()
    model(x).sum().backward()
    optimizer.step()
    time.sleep(0.005)
print("ended", live.progress.state, live.stats.steps, optimizer.param_groups[0]["lr"], live.every)
live.close()
"""


def until(condition: Callable[[], Any], what: str, run: kw.Replay | None = None) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"{what} within {PATIENCE} s; {run and run.words}"
        time.sleep(0.02)


@contextmanager
def training(path: Path, lost_after: float = 60.0) -> Iterator[subprocess.Popen[str]]:
    """Give a process that trains and records."""
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(path), str(lost_after)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def followed(path: Path) -> kw.Replay:
    run = kw.follow(path, wait=PATIENCE, interval=0.05)
    until(lambda: run.feed.control, "the run allows control", run)
    return run


def stands(run: kw.Replay) -> bool:
    remote = run.feed.control
    return remote is not None and remote.is_holding


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with training(tmp_path / "run.npz") as running:
        yield running


@pytest.mark.slow
def test_another_process_pauses_steps_changes_and_stops_the_run(
    tmp_path: Path, process: subprocess.Popen[str]
) -> None:
    run = followed(tmp_path / "run.npz")
    until(lambda: run.progress.step > 3, "it trains", run)
    run.pause()
    assert run.feed.control is not None
    assert run.feed.control.state == "paused"  # wanted
    until(lambda: stands(run), "it stands still", run)
    step = run.progress.step
    run.step(2)
    until(lambda: run.progress.step == step + 2 and stands(run), "two steps were made", run)
    run.set_learning_rate(0.02)
    run.feed.steer({"kind": "every", "value": 3})
    until(
        lambda: run.every == 3 and run.feed.learning_rates == [0.02], "rate and every are set", run
    )
    run.resume()
    until(lambda: run.progress.step > step + 10, "it goes on", run)
    run.stop()
    assert process.wait(PATIENCE) == 0
    assert process.stdout is not None
    said = process.stdout.read().split()
    assert said[:2] == ["ended", "stopped"]
    assert [float(said[3]), int(said[4])] == [0.02, 3]
    until(lambda: run.is_complete, "the end was recorded", run)
    assert not list(tmp_path.glob("*.control*"))
    with pytest.raises(RuntimeError, match="A recording"):
        run.feed.steer({"kind": "pause"})


@pytest.mark.slow
def test_a_lost_follower_does_not_leave_the_run_paused(tmp_path: Path) -> None:
    with training(tmp_path / "run.npz", lost_after=1.0):
        run = followed(tmp_path / "run.npz")
        run.feed.steer({"kind": "pause"})
        until(lambda: stands(run), "it stands still", run)
        step = run.progress.step
        time.sleep(3)
        assert stands(run)  # as long as it is heard of
        assert run.feed.control is not None
        run.feed.control._beat_at = float("inf")  # lost: it says nothing any more
        until(lambda: run.progress.step > step + 5, "it goes on", run)
        assert "has not been heard of for 1 s, so the run goes on" in run.words
        run.close()


class Delayed:
    """Two views of one folder: what is written in one is seen in the other some time later."""

    def __init__(self, here: Path, there: Path, seconds: float) -> None:
        self._here, self._there = here, there
        self._seconds = seconds
        self._seen: dict[Path, tuple[int, int]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(self._seconds):
            # Each side owns its files: the run the recording, the follower its commands.
            with suppress(FileNotFoundError):  # it may not have begun, or have ended
                (self._there / "run.npz").mkdir(exist_ok=True)
                for path in sorted((self._here / "run.npz").iterdir()):
                    self._copy(path, self._there / "run.npz" / path.name)
                for path in (self._there / "run.npz.control").iterdir():
                    self._copy(path, self._here / "run.npz.control" / path.name)

    def _copy(self, path: Path, target: Path) -> None:
        about = path.stat()
        sign = about.st_mtime_ns, about.st_size
        if self._seen.get(path) != sign:
            part = target.with_name(f"{target.name}.part")
            shutil.copy2(path, part)
            os.replace(part, target)
            self._seen[path] = sign

    def close(self) -> None:
        self._over.set()
        self._thread.join()


@pytest.mark.slow
def test_it_works_over_a_folder_that_is_seen_late(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    with training(here / "run.npz") as process, closing(Delayed(here, there, seconds=1.0)):
        until((here / "run.npz" / "index.jsonl").exists, "the run has begun")
        shutil.copytree(here / "run.npz.control", there / "run.npz.control")
        run = followed(there / "run.npz")
        run.feed.steer({"kind": "pause"})
        run.feed.steer({"kind": "rate", "value": 0.05})
        until(lambda: stands(run) and run.feed.learning_rates == [0.05], "both were done", run)
        step = run.progress.step
        run.feed.steer({"kind": "step", "steps": 3})
        until(lambda: run.progress.step == step + 3, "exactly three steps", run)
        run.feed.steer({"kind": "stop"})
        assert process.wait(PATIENCE) == 0
        run.close()


class Recorded:
    """A run of this process that may be steered, looked after by hand."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.model = kw.nn.KANLinear(2, 1)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self.live = kw.bind(self.model, self.optimizer)
        self.recorder = self.live.record(path, control=True, **options)
        self.place = Path(ControlFolder(path).path)

    @property
    def said(self) -> dict[str, Any]:
        assert self.recorder.steering is not None
        self.recorder.steering.look()  # type: ignore[attr-defined]
        return self.recorder.steering.answer()

    def write_command(self, number: int | str, **command: Any) -> None:
        (self.place / f"{number:0>8}-follower.json").write_text(json.dumps(command))


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    """Give a run that looks for commands when a test asks what it says, and not by itself."""
    monkeypatch.setattr(FrameRecorder, "_visit", lambda _: None)
    made = Recorded(tmp_path / "run.npz")
    yield made
    made.recorder.close()


def test_the_folder_is_for_its_owner_alone_and_goes_with_the_recording(recorded: Recorded) -> None:
    assert recorded.place.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in recorded.place.iterdir()] == [recorded.recorder.run]
    recorded.recorder.close()
    assert not recorded.place.exists()


def test_a_command_is_done_once_and_what_cannot_be_is_refused_in_words(recorded: Recorded) -> None:
    recorded.write_command(1, kind="rate", value=0.5)
    assert recorded.said["heard"] == 1
    assert recorded.live.feed.learning_rates == [0.5]
    recorded.live.set_learning_rate(0.25)
    assert recorded.said["heard"] == 1
    assert recorded.live.feed.learning_rates == [0.25]
    recorded.write_command(3, kind="every", value=7)
    recorded.write_command(2, kind="rate", value=-1)
    recorded.write_command(4, kind="dance")
    said = recorded.said
    assert said["heard"] == 4
    assert "'dance'" in said["refused"]
    assert recorded.live.every == 7
    assert recorded.live.feed.learning_rates == [0.25]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("00005000-follower.json", '{"kind": "every", "value": 7}'),
        ("1-follower.json", '{"kind": "every", "value": 7}'),
        ("00000001-follower", '{"kind": "every", "value": 7}'),
        ("-0000001-follower.json", '{"kind": "every", "value": 7}'),
    ],
)
def test_a_number_out_of_order_does_not_make_a_run_deaf(
    recorded: Recorded, name: str, text: str
) -> None:
    (recorded.place / name).write_text(text)
    assert recorded.said["heard"] == 0
    assert recorded.live.every != 7
    recorded.recorder.flush()
    remote = kw.follow(recorded.recorder.path).feed.control
    assert remote is not None
    assert remote.send({"kind": "every", "value": 8}) == 1
    assert recorded.said["heard"] == 1
    assert recorded.live.every == 8
    assert recorded.recorder.problem == ""


@pytest.mark.parametrize("text", ["", "[" * 40_000, "[]", '{"kind": 7}', "\x80"])
def test_what_is_no_command_is_refused_and_the_next_one_done(recorded: Recorded, text: str) -> None:
    (recorded.place / "00000001-follower.json").write_text(text, encoding="latin-1")
    recorded.write_command(2, kind="every", value=8)
    assert recorded.said["heard"] == 2
    assert recorded.live.every == 8
    assert [path.name for path in recorded.place.iterdir()] == [recorded.recorder.run]


def test_that_it_stands_still_is_told_when_it_does(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = recorded.live.control
    steering: Any = recorded.recorder.steering
    recorded.write_command(1, kind="pause")
    assert steering.look()
    assert (steering.answer()["heard"], steering.answer()["holding"]) == (1, False)
    assert not steering.look()
    monkeypatch.setattr(control, "is_holding", True)
    assert steering.look()
    assert (steering.answer()["heard"], steering.answer()["holding"]) == (1, True)
    assert not steering.look()


def test_what_is_meant_for_another_run_is_refused(recorded: Recorded) -> None:
    recorded.recorder.flush()
    run = followed(recorded.recorder.path)
    (recorded.place / recorded.recorder.run).rename(recorded.place / "another")
    with pytest.raises(RuntimeError, match="another one is recorded there now"):
        run.feed.steer({"kind": "every", "value": 7})
    assert [path.name for path in recorded.place.iterdir()] == ["another"]
    run.close()


def test_a_folder_of_another_owner_is_ignored(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded.write_command(1, kind="every", value=7)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    said = recorded.said
    assert said["heard"] == 0
    assert "to user 12345: a run is steered by its own user alone" in said["message"]


@pytest.mark.parametrize("mode", [0o744, 0o770, 0o702])
def test_a_folder_that_others_may_touch_is_ignored(recorded: Recorded, mode: int) -> None:
    recorded.write_command(1, kind="every", value=7)
    recorded.place.chmod(mode)
    said = recorded.said
    assert said["heard"] == 0
    assert "may be read or written by others" in said["message"]
    recorded.place.chmod(0o700)
    assert recorded.said["heard"] == 1
    assert recorded.said["message"] == ""


def test_a_link_is_ignored(recorded: Recorded, tmp_path: Path) -> None:
    recorded.write_command(1, kind="every", value=7)
    os.replace(recorded.place, tmp_path / "elsewhere")
    recorded.place.symlink_to(tmp_path / "elsewhere")
    assert "is a link" in recorded.said["message"]
    assert recorded.said["heard"] == 0
    recorded.place.unlink()
    os.replace(tmp_path / "elsewhere", recorded.place)


def test_several_followers_are_heard_one_after_the_other(recorded: Recorded) -> None:
    recorded.recorder.flush()
    first, second = followed(recorded.recorder.path), followed(recorded.recorder.path)
    assert first.feed.steer({"kind": "every", "value": 7}) == 1
    assert second.feed.steer({"kind": "rate", "value": 0.5}) == 2
    assert first.feed.steer({"kind": "every", "value": 9}) == 3
    assert recorded.said["heard"] == 3
    assert recorded.live.every == 9
    assert recorded.live.feed.learning_rates == [0.5]
    first.close()
    second.close()


def test_a_follower_that_has_asked_for_nothing_has_nothing_to_take_back(recorded: Recorded) -> None:
    run = str(recorded.recorder.run)
    follower = FollowerSide(recorded.place.with_suffix(""), run)
    follower.take_back()
    assert [path.name for path in recorded.place.iterdir()] == [run]
    follower.send({"kind": "pause"})
    assert len(list(recorded.place.iterdir())) == 2
    follower.take_back()
    assert [path.name for path in recorded.place.iterdir()] == [run]


def test_a_run_that_allows_no_control_is_not_steered(tmp_path: Path) -> None:
    model = kw.nn.KANLinear(2, 1)
    recorder = kw.bind(model).record(tmp_path / "run.npz")
    recorder.flush()
    run = kw.follow(tmp_path / "run.npz", interval=0.05)
    with pytest.raises(RuntimeError, match="cannot steer it"):
        run.feed.steer({"kind": "pause"})
    assert not list(tmp_path.glob("*.control*"))
    run.close()
    recorder.close()


def test_a_control_folder_of_somebody_else_stops_a_recording_before_it_begins(
    tmp_path: Path,
) -> None:
    place = tmp_path / "run.npz.control"
    place.mkdir()
    place.chmod(0o777)
    model = kw.nn.KANLinear(2, 1)
    live = kw.bind(model)
    with pytest.raises(PermissionError, match="may be read or written by others"):
        live.record(tmp_path / "run.npz", control=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz.control"]
    with pytest.raises(ValueError, match="lost_after=0: expected a finite number of seconds > 0"):
        live.record(tmp_path / "run.npz", control=True, lost_after=0)


def test_the_panel_of_a_follower_steers(recorded: Recorded) -> None:
    recorded.recorder.flush()
    run = followed(recorded.recorder.path)
    panel = kw.TrainingPanel(run)
    assert panel.status["steered"]
    answers: list[dict[str, Any]] = []
    stream = panel._stream
    stream.tell_page = answers.append
    stream._answer(stream, {"kind": "rate", "value": 0.5, "group": None, "id": "x:1"}, [])
    assert recorded.said["heard"] == 1
    assert recorded.live.feed.learning_rates == [0.5]
    recorded.recorder.flush()
    assert [one["refused"] for one in answers if one["kind"] == "heard"] == [""]
    until(lambda: run.feed.learning_rates == [0.5], "the panel is told")
    run.close()


def test_a_folder_that_somebody_put_in_the_place_of_the_control_folder_loses_nothing(
    tmp_path: Path,
) -> None:
    model = kw.nn.KANLinear(2, 3)
    live = kw.bind(model)
    recorder = live.record(tmp_path / "run", control=True)
    control = Path(ControlFolder(tmp_path / "run").path)
    control.rename(tmp_path / "moved")
    control.mkdir(0o700)  # of the same user, who has something else in it
    (control / "letters").mkdir()
    (control / "letters/dear").write_text("…")
    with pytest.warns(RuntimeWarning, match="could not be removed"):
        recorder.close()
    assert (control / "letters/dear").read_text() == "…"
