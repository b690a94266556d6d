"""Who may record where: one writer for a file, and a file that is replaced as a whole or not."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import kan_widgets as kw
from kan_widgets.live.recordings.places import Place
from kan_widgets.live.recordings.recorder import open_recorders
from tests.live.recordings.test_recording_anywhere import Run

CHECKOUT = Path(__file__).parents[3]
LIMIT = 60.0


@pytest.fixture
def run() -> Iterator[Run]:
    made = Run()
    yield made
    made.live.close()


# Trains until it is told to end, or killed.
TRAINING = """
import sys, time, torch, kan_widgets as kw
model = kw.nn.KANLinear(3, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
live = kw.bind(model, optimizer, every=1, max_fps=1000)
print("ready", flush=True)
sys.stdin.readline()
try:
    recording = live.record(sys.argv[1], overwrite=sys.argv[2] == "overwrite")
except Exception as error:
    print("refused", type(error).__name__, error, flush=True)
    raise SystemExit
for step in range(20):
    optimizer.zero_grad()
    model(torch.ones(4, 3)).square().sum().backward()
    optimizer.step()
    live.refresh()
recording.flush()
print("records", flush=True)
sys.stdin.readline()
recording.close()
print("closed", recording.frames, flush=True)
"""


class Other:
    """Another process that records."""

    def __init__(self, path: Path, how: str = "") -> None:
        environment = os.environ | {
            "PYTHONPATH": str(CHECKOUT),
            "OMP_NUM_THREADS": "1",
            "KAN_WIDGETS_COMPILE": "0",
        }
        environment.pop("RANK", None)
        self.process = subprocess.Popen(
            [sys.executable, "-c", TRAINING, str(path), how],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.read() == "ready"

    def tell(self) -> None:
        """Have it go on."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate(timeout=LIMIT)


def test_a_second_process_is_told_who_records_there_and_since_when(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "run.npz"
    other = Other(path)
    try:
        other.tell()
        assert other.read() == "records"
        started = kw.replay(path).info["started"]
        who = f"process {other.process.pid} on {socket.gethostname()}, since {started}"
        for overwrite in (True, False):
            with pytest.raises(RuntimeError) as refused:
                run.live.record(path, overwrite=overwrite)
            assert f"{path} is being written by a recorder, {who}: close() that first" in str(
                refused.value
            )
        other.tell()
        assert other.read() == "closed 21"
    finally:
        other.kill()
    assert kw.replay(path).history.steps.tolist() == list(range(21))
    assert list(tmp_path.iterdir()) == [path]


def test_a_process_that_was_killed_keeps_nobody_from_its_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    other = Other(path)
    other.tell()
    assert other.read() == "records"
    other.kill()
    assert kw.replay(path).frame.step == 20
    run.live.record(path, overwrite=True).close()
    assert kw.replay(path).frame.step == 0


FORKING = """
import os, sys, time, kan_widgets as kw
live = kw.bind(model := kw.nn.KANLinear(3, 2))
recording = live.record(sys.argv[1])
if (child := os.fork()) == 0:
    os.close(1)
    time.sleep(60)
    os._exit(0)
print(child, flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_fork_that_lives_longer_than_the_process_keeps_nobody_either(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "run.npz"
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT), "KAN_WIDGETS_COMPILE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", FORKING, str(path)], env=environment, stdout=subprocess.PIPE
    )
    child = int(done.stdout)
    try:
        os.kill(child, 0)  # it lives
        run.live.record(path, overwrite=True).close()
    finally:
        os.kill(child, signal.SIGKILL)
    assert kw.replay(path).is_complete


def test_of_processes_that_begin_together_one_records(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    others = [Other(path, "overwrite") for _ in range(2)]
    try:
        for other in others:
            other.tell()
        said = [other.read() for other in others]
        assert sorted(words.split()[0] for words in said) == ["records", "refused"]
        records = said.index("records")
        assert said[1 - records].startswith(f"refused RuntimeError {path} is being written by a")
        others[records].tell()
        assert others[records].read() == "closed 21"
    finally:
        for other in others:
            other.kill()
    assert kw.replay(path).history.steps.tolist() == list(range(21))


def test_a_link_leads_to_the_file_that_is_recorded(run: Run, tmp_path: Path) -> None:
    path, link = tmp_path / "run.npz", tmp_path / "link.npz"
    link.symlink_to(path)
    other = Run()
    with run.live.record(link) as recording:
        assert recording.path == path
        assert run.live.record(path) is recording
        with pytest.raises(RuntimeError, match=f"process {os.getpid()} on "):
            other.live.record(link, overwrite=True)
    other.live.record(link, overwrite=True).close()
    assert link.is_symlink()
    assert kw.replay(path).is_complete


def test_a_thinned_recording_is_held_as_before(run: Run, tmp_path: Path) -> None:
    path, other = tmp_path / "run.npz", Run()
    with run.live.record(path, max_mb=0.005) as recording:
        run.train(60)
        recording.flush()
        assert recording._writer._header["copy"] > 0
        del open_recorders[str(path)]  # what another process does not know either
        with pytest.raises(RuntimeError, match="is being written by a recorder"):
            other.live.record(path, overwrite=True)


def test_what_is_replaced_is_as_it_was_until_the_new_run_is_there(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run"
    run.live.record(path).close()
    before = {each: each.read_bytes() for each in (path, *path.glob("*")) if each.is_file()}
    run.train(3)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as changed:
        changed.setattr(Place, "write", full)
        with pytest.raises(OSError, match="No space left"):
            run.live.record(path, overwrite=True)
        assert {each: each.read_bytes() for each in before} == before
        # Where there was none, there is none.
        with pytest.raises(OSError, match="No space left"):
            run.live.record(tmp_path / "new")
        assert list(tmp_path.iterdir()) == [path]
    run.live.record(path, overwrite=True).close()
    assert kw.replay(path).history.steps.tolist() == [0, 1, 2, 3]
    assert list(tmp_path.iterdir()) == [path]


def test_a_recording_that_cannot_be_steered_as_asked_is_not_begun(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.npz"

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as changed:
        changed.setattr(Path, "mkdir", full)
        with pytest.raises(OSError, match="No space left"):
            run.live.record(path, control=True)
    assert list(tmp_path.iterdir()) == []
    with run.live.record(path, control=True) as recording:
        assert recording.steering is not None
    assert kw.replay(path).is_complete


def test_a_fork_leaves_the_file_to_the_process_that_records(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    recording = run.live.record(path)
    run.train(2)
    recording.flush()
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        said = "nothing"
        try:
            # All that it could do to the file.
            run.optimizer.step()
            recording.flush()
            recording.close()
            said = f"{recording.is_active} {recording.is_open} {recording.frames}"
        finally:
            os.write(writer, said.encode())
            os._exit(0)
    os.close(writer)
    with open(reader) as pipe:
        assert pipe.read() == "False False 0"
    os.waitpid(child, 0)
    run.train(2)
    recording.close()
    assert kw.replay(path).history.steps.tolist() == [0, 1, 2, 3, 4]


def test_what_is_no_file_is_not_written(run: Run, tmp_path: Path) -> None:
    pipe = tmp_path / "run.npz"
    os.mkfifo(pipe)
    for call in (run.live.save, run.live.record):
        with pytest.raises(FileExistsError, match="is a device or a pipe: give another name"):
            call(pipe)
    file = run.live.save(tmp_path / "saved.npz")
    with pytest.raises(FileExistsError, match="is a file: give another name"):
        run.live.record(file, overwrite=True)
