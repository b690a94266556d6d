"""Following a recording: what arrives, in which order, and what happens when something is odd."""

from __future__ import annotations

import gc
import os
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import kan_widgets as kw
from kan_widgets.live import Frame, Layout, Listener, replay
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.recordings.places import Place
from kan_widgets.live.recordings.reader import Reader
from kan_widgets.live.recordings.recorded_feed import RecordedFeed
from kan_widgets.live.recordings.replay import Replay
from kan_widgets.live.worker import disk
from kan_widgets.nn import BSpline
from tests.live.small_run import SmallRun

LIMIT = 60.0


def wait_for(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


class Run(SmallRun):
    """One layer that is recorded, and that can be followed look by look."""

    def __init__(self, path: Path, **options: Any) -> None:
        torch.manual_seed(0)
        model = kw.nn.KANLinear(3, 2)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        super().__init__(model, torch.ones(4, 3), optimizer, every=1)
        self.path = path
        self.recording = self.live.record(path, **options)

    def train(self, steps: int) -> None:
        super().train(steps)
        self.recording.flush()

    def follow(self) -> Replay:
        """Follow it by hand: nothing is read but by ``look``."""
        found = Replay(RecordedFeed(Reader(self.path), 64.0))
        found.feed.follows, found.feed._state = True, "idle"
        return found


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    made = Run(tmp_path / "run.npz")
    yield made
    made.recording.close()


class Heard(Listener):
    """Notes what a source says."""

    def __init__(self, source: Replay) -> None:
        self.said: list[Any] = []
        source.feed.subscribe(self)

    def on_layout(self, layout: Layout) -> None:
        self.said.append(("layout", layout.layers[0].domain))

    def on_frame(self, frame: Frame, settled: bool) -> None:
        self.said.append(("frame", frame.step, settled))

    def on_state(self, state: str, message: str) -> None:
        self.said.append(("state", state))

    def on_observed(self, observed: dict[str, Observation]) -> None:
        self.said.append(("observed", *observed))

    def take(self) -> list[Any]:
        said, self.said = self.said, []
        return said


def test_what_is_written_arrives_in_order(run: Run) -> None:
    found = run.follow()
    heard = Heard(found)
    assert found.feed.look()
    assert heard.take() == []
    run.train(2)
    run.live.observe(torch.ones(4, 3))
    run.recording.flush()
    assert found.feed.look()
    assert heard.take() == [
        ("state", "live"),
        ("frame", 1, False),
        ("frame", 2, False),
        ("observed", "KANLinear"),
    ]
    assert found.scalars.series("loss")[0].tolist() == [1, 2]
    run.model.basis = BSpline(5, 3, (-2.0, 2.0))
    run.train(1)
    found.feed.look()
    assert heard.take() == [("layout", (-2.0, 2.0)), ("frame", 3, False)]
    np.testing.assert_array_equal(found.frame.data, run.live.frame.data)
    assert found.history.steps.tolist() == [0, 1, 2, 3]
    run.recording.close()
    assert not found.feed.look()
    assert heard.take() == [("frame", 3, True), ("state", "recorded")]


def test_when_nothing_comes_the_last_frame_is_sent_for_good(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run.follow()
    heard = Heard(found)
    run.train(1)
    found.feed.look()
    heard.take()
    monkeypatch.setattr(replay_module(), "_QUIET_SECONDS", -1.0)
    found.feed.look()
    assert heard.take() == [("frame", 1, True), ("state", "idle")]
    found.feed.look()
    assert heard.take() == []


def replay_module() -> Any:
    """Give the module, which has a function of the same name."""
    import sys

    assert callable(replay)
    return sys.modules["kan_widgets.live.recordings.recorded_feed"]


def test_a_burst_is_thinned_for_the_page_but_not_in_the_history(run: Run) -> None:
    found = run.follow()
    heard = Heard(found)
    run.train(100)
    found.feed.look()
    steps = [said[1] for said in heard.take() if said[0] == "frame"]
    assert steps[-1] == 100
    assert 20 <= len(steps) <= 30
    assert len(found.history) == 101


def test_silence_is_put_into_words(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    found = run.follow()
    assert found.words.startswith("Following run.npz: it shows a run elsewhere")
    monkeypatch.setattr(replay_module(), "_SILENT_SECONDS", -1.0)
    found.feed.look()
    assert "nothing new for over a minute" in found.words


def test_a_recording_that_is_thinned_meanwhile_is_followed_on(tmp_path: Path) -> None:
    run = Run(tmp_path / "run.npz", max_mb=0.03)
    found = run.follow()
    for _ in range(12):
        run.train(10)
        found.feed.look()
    run.train(1)
    run.recording.close()
    found.feed.look()
    assert run.recording._writer._header["copy"] > 0
    assert len(found.history) > run.recording.frames  # what it had read, it has kept
    assert found.is_complete
    assert found.history.steps.tolist()[-1] == 121
    assert found.scalars.series("loss")[0].tolist() == list(range(1, 122))
    np.testing.assert_array_equal(found.frame.data, run.live.frame.data)
    for frame in found.history:
        np.testing.assert_array_equal(frame.data, run.live.history.at(frame.step).data)
    steps = np.array(found.history.steps)
    assert (np.diff(steps) > 0).all()


def test_storage_that_goes_away_is_waited_for(run: Run, tmp_path: Path) -> None:
    found = run.follow()
    heard = Heard(found)
    aside = tmp_path / "aside.npz"
    run.path.rename(aside)
    assert found.feed.look()
    assert "cannot be read at the moment" in found.words
    assert "No such file" in found.words
    aside.rename(run.path)
    run.train(1)
    assert found.feed.look()
    assert "cannot be read" not in found.words
    assert ("frame", 1, False) in heard.take()


def test_what_was_read_before_storage_failed_is_shown_once_it_answers(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, read = run.follow(), Place.read
    for _ in range(3):
        run.train(1)  # a segment each
    asked: list[str] = []

    def failing(place: Place, name: str) -> bytes:
        asked.append(name)
        if len(asked) == 4:  # after the index and the first segments
            raise OSError("the storage is away")
        return read(place, name)

    monkeypatch.setattr(Place, "read", failing)
    found.feed.look()
    assert "the storage is away" in found.words
    assert found.frame.step == 0
    found.feed.look()
    assert found.history.steps.tolist() == [0, 1, 2, 3]
    assert found.scalars.series("loss")[0].tolist() == run.live.scalars.series("loss")[0].tolist()


def test_a_file_that_was_emptied_is_said_and_followed_on(run: Run) -> None:
    found = run.follow()
    heard = Heard(found)
    run.train(1)
    found.feed.look()
    heard.take()
    index = run.path / "index.jsonl"
    whole = index.read_bytes()
    os.truncate(index, 0)
    assert found.feed.look()
    assert "which cannot be read at the moment" in found.words
    assert "run.npz was emptied; what comes is read on" in found.words
    run.recording.close()
    index.write_bytes(whole[:-100])  # half copied back
    found.feed.look()
    index.write_bytes(whole)
    assert found.feed.look()
    assert "cannot be read" not in found.words
    assert found.frame.step == 1
    assert found.state != "fault"


def test_another_run_in_its_place_ends_the_following_in_words(run: Run) -> None:
    found = run.follow()
    run.train(2)
    found.feed.look()
    run.recording.close()
    with run.live.record(run.path, overwrite=True):
        with pytest.warns(RuntimeWarning, match="another run is recorded there now"):
            assert not found.feed.look()
    assert found.state == "fault"
    assert "call follow or replay again" in found.feed.message
    assert found.frame.step == 2


@pytest.mark.parametrize("fault", [KeyError("process"), TypeError("no index"), MemoryError()])
def test_whatever_ends_the_following_is_said(
    run: Run, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fails(_: Place, __: str) -> bytes:
        raise fault

    found = run.follow()
    monkeypatch.setattr(Place, "read", fails)
    with pytest.warns(RuntimeWarning, match=type(fault).__name__):
        assert not found.feed.look()
    assert (found.is_following, found.state) == (False, "fault")
    assert type(fault).__name__ in found.feed.standing.words


def test_a_folder_with_another_kind_of_index_is_no_recording(run: Run) -> None:
    found = run.follow()
    run.recording.close()
    (run.path / "index.jsonl").write_text('{"id": "another"}\n{"of": "another kind"}\n')
    with pytest.warns(RuntimeWarning, match=r"is not a recording: its index\.jsonl: "):
        assert not found.feed.look()
    with pytest.raises(ValueError, match=r"is not a recording: its index\.jsonl: "):
        kw.replay(run.path)


def test_it_waits_for_a_file_to_come_and_for_a_first_frame(tmp_path: Path) -> None:
    path = tmp_path / "later.npz"
    made: list[Run] = []

    def later() -> None:
        time.sleep(0.1)
        path.write_bytes(b"PK")  # as far as a slow storage shows it
        time.sleep(0.1)
        path.unlink()
        made.append(Run(path))

    thread = threading.Thread(target=later)
    thread.start()
    found = kw.follow(path, wait=LIMIT, interval=0.02)
    thread.join()
    made[0].train(3)
    wait_for(lambda: found.frame.step == 3)
    made[0].recording.close()
    wait_for(lambda: not found.is_following)
    assert found.state == "recorded"


def test_waiting_has_an_end(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError, match=r"no such file after 0 s. Start live.record\(path\)"):
        kw.follow(tmp_path / "run.npz", wait=0)
    (tmp_path / "run.npz").touch()
    with pytest.raises(TimeoutError, match="no frame in it after 0 s"):
        kw.follow(tmp_path / "run.npz", wait=0)
    (tmp_path / "run.npz").write_text("something else")
    with pytest.raises(ValueError, match="is not a recording: it begins with"):
        kw.follow(tmp_path / "run.npz", wait=0)
    with pytest.raises(ValueError, match="interval=0: expected a finite number of seconds > 0"):
        kw.follow(tmp_path / "run.npz", interval=0)
    with pytest.raises(TypeError, match="wait='5': expected a number"):
        kw.follow(tmp_path / "run.npz", wait="5")  # type: ignore[arg-type]


def test_a_recording_that_is_closed_already_needs_no_following(run: Run) -> None:
    run.train(1)
    run.recording.close()
    found = kw.follow(run.path)
    assert (found.state, found.is_following, found.frame.step) == ("recorded", False, 1)


def test_following_ends_when_nobody_holds_it_or_it_is_closed(run: Run) -> None:
    first, second = kw.follow(run.path, interval=0.02), kw.follow(run.path, interval=0.02)
    gone = weakref.ref(first)
    del first
    second.close()
    second.close()
    wait_for(lambda: gc.collect() >= 0 and gone() is None)
    wait_for(lambda: second.feed._job not in disk._pending)
    assert second.state == "recorded"


def test_what_needs_the_model_says_where_it_is(run: Run) -> None:
    found = kw.replay(run.path)
    mine = {name for name in [*dir(run.live), "edits"] if not name.startswith("_")}
    for name in mine - {*dir(found)}:
        with pytest.raises(AttributeError, match=f"{name!r}. A recording holds no model"):
            getattr(found, name)
    with pytest.raises(AttributeError, match="has no attribute 'colour'"):
        found.colour  # noqa: B018
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not hasattr(found, "observe")
