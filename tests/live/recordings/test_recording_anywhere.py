"""Recordings as folders of segments at any place: what is written, read, and gone on with."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import torch

import kan_widgets as kw
from kan_widgets import cli
from kan_widgets.functions.layer_settings import Split
from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import build_layout
from kan_widgets.live.frames.observation import joined
from kan_widgets.live.frames.thinning import aligned
from kan_widgets.live.recordings import segments
from kan_widgets.live.recordings.glance import Glance
from kan_widgets.live.recordings.places import Place, is_first_process
from kan_widgets.live.recordings.ranks import JoinedRanks, place_of_rank
from kan_widgets.live.recordings.reader import Reader
from kan_widgets.live.recordings.recorded_feed import RecordedFeed
from kan_widgets.live.recordings.recorder import open_recorders
from kan_widgets.live.recordings.writer import Writer
from tests.live.small_run import SmallRun

CHECKOUT = Path(__file__).parents[3]


class Run(SmallRun):
    """One layer, and what trains it from a step on."""

    def __init__(self, steps: int = 0, outputs: int = 2) -> None:
        torch.manual_seed(steps)
        model = kw.nn.KANLinear(3, outputs)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        super().__init__(model, torch.ones(4, 3), optimizer, every=1, steps=steps)


@pytest.fixture
def run() -> Iterator[Run]:
    made = Run()
    yield made
    made.live.close()


@pytest.fixture
def memory() -> Iterator[str]:
    """An address in memory, of which nothing stays."""
    address = f"memory://{uuid.uuid4().hex}"
    yield f"{address}/run"
    files = fsspec.filesystem("memory")
    if files.exists(address):
        files.rm(address, recursive=True)


def assert_equal_frames(again: kw.Replay, live: kw.Binding) -> None:
    assert again.history.steps.tolist() == live.history.steps.tolist()
    for ours, theirs in zip(again.history, live.history, strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)


def cut_off(recording: Any) -> None:
    """Leave a recording as a process does that is killed."""
    recording.flush()
    recording._leave()
    open_recorders.pop(str(recording.path), None)


def test_a_run_is_recorded_and_replayed_exactly_at_an_address(run: Run, memory: str) -> None:
    with run.live.record(memory) as recording:
        run.train(40)
        recording.flush()
        assert_equal_frames(kw.replay(memory), run.live)  # while it is written
        run.train(3)
    again = kw.replay(memory)
    assert_equal_frames(again, run.live)
    assert (again.is_complete, again.path) == (True, memory)
    assert len(again.scalars.series("loss")[0]) == 43


def test_a_file_is_saved_to_an_address_and_read_there(run: Run, memory: str) -> None:
    run.train(3)
    assert run.live.save(f"{memory}.npz") == f"{memory}.npz"
    assert_equal_frames(kw.replay(f"{memory}.npz"), run.live)


def test_many_small_segments_become_few_and_none_is_written_over(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    write = Place.write

    def noted(place: Place, name: str, data: bytes) -> None:
        written.append(name)
        write(place, name, data)

    monkeypatch.setattr(Place, "write", noted)
    with run.live.record(tmp_path / "run") as recording:
        for _ in range(40):
            run.train(1)
            recording.flush()
    objects = [name for name in written if name != "index.jsonl"]
    assert len(objects) == len(set(objects)) > 40
    assert len(list((tmp_path / "run").glob("*.npz"))) < 20
    with np.load(next(iter(sorted((tmp_path / "run").glob("*.npz"))))) as file:
        assert "00000001/table" in file.files
    assert_equal_frames(kw.replay(tmp_path / "run"), run.live)


def test_a_look_at_what_has_not_changed_is_one_request(
    run: Run, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run.live.record(memory) as recording:
        run.train(5)
        recording.flush()
        feed = RecordedFeed(Reader(memory), 10.0)
        asked: list[str] = []
        read = Place.read

        def noted(place: Place, name: str) -> bytes:
            asked.append(name)
            return read(place, name)

        monkeypatch.setattr(Place, "read", noted)
        assert not feed.poll()
        assert asked == ["index.jsonl"]
        run.train(1)
        recording.flush()
        asked.clear()
        assert feed.poll()
        assert len(asked) == 2  # the index, and the one segment that is new


def test_looks_come_less_often_while_nothing_comes(run: Run, memory: str) -> None:
    with run.live.record(memory):
        found = kw.follow(memory, interval=0.05)
        end = time.monotonic() + 60
        while found.feed._pause < 1:
            assert time.monotonic() < end
            time.sleep(0.05)
        found.close()


def test_one_file_holds_the_same(run: Run, tmp_path: Path) -> None:
    with run.live.record(tmp_path / "run"):
        run.train(20)
    assert cli.main(["pack", str(tmp_path / "run")]) == 0
    stands = []
    for name in ("run", "run.npz"):
        assert_equal_frames(kw.replay(tmp_path / name), run.live)
        assert kw.replay(tmp_path / name).is_complete
        glance = Glance(tmp_path / name)
        glance.look()
        stands.append((glance.latest.frames, glance.latest.step, glance.standing))
    assert stands[0][:2] == (21, 20)
    assert stands == stands[:1] * 2
    assert cli.main(["pack", str(tmp_path / "run")]) == 1  # is there already


@pytest.mark.parametrize("place", ["folder", "address"])
def test_a_run_that_was_killed_goes_on_and_the_newer_steps_count(
    tmp_path: Path, memory: str, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(segments, "LOST_SECONDS", 1.0)
    path = tmp_path / "run" if place == "folder" else memory
    first = Run()
    recording = first.live.record(path)
    first.train(10)
    cut_off(recording)
    follower = RecordedFeed(Reader(path), 10.0)
    second = Run(steps=6)
    with second.live.record(path):
        second.train(9)
    again = kw.replay(path)
    assert again.history.steps.tolist() == list(range(16))
    for frame in again.history:
        live = first.live if frame.step < 6 else second.live
        np.testing.assert_array_equal(frame.data, live.history.at(frame.step).data)
    assert again.scalars.series("loss")[0].tolist() == list(range(1, 16))
    assert [(mark.step, "goes on" in mark.text) for mark in again.scalars.marks] == [(6, True)]
    follower.poll()
    assert follower.history.steps.tolist() == list(range(16))
    first.live.close()
    second.live.close()


def test_a_run_that_went_on_is_thinned_with_its_older_branch_first(tmp_path: Path) -> None:
    first = Run()
    recording = first.live.record(tmp_path / "run")
    first.train(50)
    cut_off(recording)
    second = Run(steps=20)
    with second.live.record(tmp_path / "run", max_mb=0.02) as recording:
        second.train(100)
        recording.flush()
    again = kw.replay(tmp_path / "run")
    assert (again.history.steps[0], again.history.steps[-1]) == (0, 120)
    for frame in again.history:
        live = first.live if frame.step < 20 else second.live
        np.testing.assert_array_equal(frame.data, live.history.at(frame.step).data)
    first.live.close()
    second.live.close()


def test_what_has_ended_or_is_of_another_model_is_not_gone_on_with(
    run: Run, tmp_path: Path
) -> None:
    run.live.record(tmp_path / "run").close()
    again, other = Run(), Run(steps=3, outputs=5)
    with pytest.raises(FileExistsError, match=r"give another name, or overwrite=True; to go on"):
        again.live.record(tmp_path / "run")
    with pytest.raises(FileExistsError, match="is of a model with other layers"):
        other.live.record(tmp_path / "run")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").touch()
    with pytest.raises(FileExistsError, match=r"holds 'thesis\.tex', and no recording"):
        run.live.record(tmp_path / "other", overwrite=True)


def test_where_nothing_can_be_locked_a_second_writer_is_told_of_the_first(
    run: Run, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = Run()
    with run.live.record(memory) as recording:
        monkeypatch.setattr(segments, "SIGN_SECONDS", 0.0)

        def signs(_: float) -> None:
            recording.flush()

        monkeypatch.setattr(time, "sleep", signs)
        with pytest.raises(RuntimeError, match=f"process {os.getpid()} on .*, since "):
            second.live.record(memory)


def test_a_writer_that_was_taken_for_dead_writes_no_more(
    run: Run, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = run.live.record(memory)
    second = Run(steps=1)
    recording.flush()

    def take_over() -> Any:
        with monkeypatch.context() as changed:
            changed.setattr(segments, "LOST_SECONDS", 0.0)
            later = second.live.record(memory)
        recording._segments._written_at -= 60
        run.train(5)
        recording.flush()
        return later

    with pytest.warns(RuntimeWarning, match="is another process's now"):
        later = take_over()
    assert not recording.is_open
    second.train(1)
    later.close()
    assert kw.replay(memory).frame.step == 2
    second.live.close()


def test_that_a_writer_has_died_is_said(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = run.live.record(tmp_path / "run")
    followed = RecordedFeed(Reader(tmp_path / "run"), 10.0)
    followed.follows = True
    cut_off(recording)
    assert kw.replay(tmp_path / "run").feed.standing.words == "recorded: still recording"
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 55)
    followed._signs._at -= 55
    died = f"died: no sign of process {os.getpid()} on "
    again = kw.replay(tmp_path / "run")
    assert died in again.feed.standing.words
    assert died in followed.standing.words
    assert died in again.words
    assert died in followed.words


@pytest.mark.parametrize("names", [("RANK", "WORLD_SIZE"), ("SLURM_PROCID", "SLURM_NTASKS")])
def test_of_ranks_that_have_not_met_the_first_records(
    monkeypatch: pytest.MonkeyPatch, names: tuple[str, str]
) -> None:
    for name in ("RANK", "WORLD_SIZE", "SLURM_PROCID", "SLURM_NTASKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(names[1], "2")
    for rank in (0, 1):
        monkeypatch.setenv(names[0], str(rank))
        assert is_first_process() == (rank == 0)


def test_a_rank_whose_recording_is_closed_writes_no_more_inputs(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    recording = run.live.record(tmp_path / "run")
    run.live.observe(torch.zeros(4, 3))
    recording.close()
    written = (tmp_path / "run" / "rank-1").read_bytes()
    run.live.observe(torch.ones(4, 3))
    recording._visit()
    recording.close()
    assert (tmp_path / "run" / "rank-1").read_bytes() == written


def test_a_fork_that_closes_a_ranks_recording_writes_nothing_and_waits_for_no_lock(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    recording = run.live.record(tmp_path / "run")
    run.live.observe(torch.zeros(4, 3))
    with recording._writing:  # as ``disk`` may have held it when the process forked
        monkeypatch.setattr("os.getpid", lambda: -1)
        recording.close()
    assert not (tmp_path / "run" / "rank-1").exists()


def test_one_thread_at_a_time_writes_the_inputs_of_a_rank(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing: list[int] = []
    most = []

    @contextmanager
    def slow(place: Place) -> Iterator[segments.OneFile]:
        writing.append(1)
        most.append(len(writing))
        time.sleep(0.3)
        with segments.written_file(place) as file:
            yield file
        writing.pop()

    monkeypatch.setattr("kan_widgets.live.recordings.recorder.written_file", slow)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    run.live.observe(torch.zeros(4, 3))
    recording = run.live.record(tmp_path / "run")
    end = time.monotonic() + 20
    while not writing:
        assert time.monotonic() < end
        time.sleep(0.01)
    run.live.observe(torch.ones(4, 3))
    recording.close()
    assert most == [1, 1]


JOB = """
import os, sys, torch, kan_widgets as kw
folder = sys.argv[1]
model = kw.nn.KANLinear(2, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
steps = 0
if os.path.exists(folder + "/last.pt"):
    steps, state = torch.load(folder + "/last.pt")
    model.load_state_dict(state)
live = kw.bind(model, optimizer, every=1, max_fps=1000, steps=steps)
live.record(folder + "/run")
for step in range(steps + 1, 100_000):
    optimizer.zero_grad()
    model(torch.ones(4, 2)).square().sum().backward()
    optimizer.step()
    if step % 20 == 0:
        torch.save((step, model.state_dict()), folder + "/part.pt")
        os.replace(folder + "/part.pt", folder + "/last.pt")
        print(step, flush=True)
"""


@pytest.mark.slow
def test_a_job_that_is_killed_and_requeued_again_and_again_is_one_film(tmp_path: Path) -> None:
    generator = random.Random(0)
    reached = 0
    for _ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", JOB, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ
            | {"PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1", "KAN_WIDGETS_COMPILE": "0"},
        ) as job:
            assert job.stdout is not None
            for _ in range(5):
                reached = int(job.stdout.readline())
            time.sleep(generator.random())
            job.send_signal(signal.SIGKILL)
    again = kw.replay(tmp_path / "run")
    steps = again.history.steps
    assert (np.diff(steps) > 0).all()
    assert steps[0] == 0
    assert len([mark for mark in again.scalars.marks if "goes on" in mark.text]) <= 3
    assert again.info["host"]
    assert steps[-1] > reached - 2000


def split_frame(step: int, rank: int, job: int) -> Frame:
    """A frame of the outputs 2·rank and 2·rank + 1 of a layer of four, all numbers its own."""
    layer = kw.functions.read(kw.nn.KANLinear(3, 2))[0]
    part = layer.called(split=Split((4, 3, 1, 1), 2 * rank, 0, f"6 of 12: rank {rank} of 2."))
    layout = LAYOUTS.setdefault(rank, build_layout([part]))
    numbers = np.arange(layout.size, dtype=np.float32) + 1000 * rank + 10_000 * step + job % 10
    return Frame(step, layout, numbers)


LAYOUTS: dict[int, Any] = {}


def write_part(place: Path, rank: int, job: int, steps: list[int], goes_on: bool = False) -> None:
    """Record what one of two processes has, at some steps."""
    stored = segments.Segments(place_of_rank(Place(place), rank))
    writer = Writer(stored, None, {"rank": rank, "world": 2, "job": job})
    if goes_on:
        writer.go_on(stored, split_frame(steps[0], rank, job))
    writer.write_ranks()
    for step in steps:
        writer.frame(split_frame(step, rank, job), 0.0)
    stored.commit()
    stored.unlock()


def assert_whole(frame: Frame, job: int) -> None:
    [layer] = frame.layout.layers
    assert (layer.shape, layer.split, layer.note) == ((4, 3, 1, 1), None, "")
    for rank in range(2):
        theirs = split_frame(frame.step, rank, job).data.reshape(2, 3, -1)
        np.testing.assert_array_equal(frame.rows(layer).reshape(4, 3, -1)[2 * rank :][:2], theirs)


def test_what_two_processes_have_is_one_frame_where_both_have_one(tmp_path: Path) -> None:
    write_part(tmp_path / "run", 0, 1, [0, 1, 2, 4, 5])
    write_part(tmp_path / "run", 1, 1, [0, 2, 3, 4])
    frames = list(kw.replay(tmp_path / "run").history)
    assert [frame.step for frame in frames] == [0, 2, 4]  # of 5 nothing has come from the other
    for frame in frames:
        assert_whole(frame, 1)
    assert [place.rpartition("/")[2] for place in Place(tmp_path).recordings()] == ["run"]


def test_what_is_read_is_joined_while_both_write(tmp_path: Path) -> None:
    now = int(time.time()) * 1000
    write_part(tmp_path / "run", 0, now + 1, [0])
    write_part(tmp_path / "run", 1, now + 1, [0])
    feed = RecordedFeed(JoinedRanks(tmp_path / "run"), 10.0)
    write_part(tmp_path / "run", 0, now + 2, [0, 1, 2], goes_on=True)
    assert not feed.history.steps.tolist()[1:]
    feed.poll()
    assert feed.history.steps.tolist() == [0]
    write_part(tmp_path / "run", 1, now + 2, [0, 1], goes_on=True)
    feed.poll()
    assert feed.history.steps.tolist() == [0, 1]
    assert_whole(feed.frame, 2)


def test_jobs_of_which_one_process_recorded_nothing_are_not_mixed_with_others(
    tmp_path: Path,
) -> None:
    write_part(tmp_path / "run", 0, 1, [0, 1, 2, 3])
    write_part(tmp_path / "run", 1, 1, [0, 1, 2, 3])
    write_part(tmp_path / "run", 0, 2, [2, 3, 4, 5], goes_on=True)  # the other was killed before
    write_part(tmp_path / "run", 0, 3, [2, 3], goes_on=True)
    write_part(tmp_path / "run", 1, 3, [2, 3], goes_on=True)
    frames = list(kw.replay(tmp_path / "run").history)
    assert [frame.step for frame in frames] == [0, 1, 2, 3]
    for frame in frames:
        assert_whole(frame, 1 if frame.step < 2 else 3)


def test_where_others_write_elsewhere_a_part_is_said_to_be_one(tmp_path: Path) -> None:
    write_part(tmp_path / "run", 0, 1, [0, 1])
    again = kw.replay(tmp_path / "run")
    [layer] = again.feed.layout.layers
    assert (again.frame.step, layer.shape) == (1, (2, 3, 1, 1))
    assert layer.split is not None
    assert layer.split.words == "6 of 12: rank 0 of 2."


def test_processes_that_thin_each_for_itself_keep_the_same_steps() -> None:
    steps = list(range(0, 4000, 10))
    many, gap = aligned(steps, lambda places: len(places) <= 90)
    few, wider = aligned(steps, lambda places: len(places) <= 20)
    assert wider > gap > 10
    assert 10 < len(few) < len(many)
    assert set(few) <= set(many)


def test_what_several_processes_saw_is_together_what_one_would_have_seen() -> None:
    live = kw.bind(model := kw.nn.KANLinear(3, 2))
    batches = [torch.rand(n, 3) * 4 - 2 for n in (5, 7)]
    whole = live.observe(torch.cat(batches))["KANLinear"]
    parts = [live.observe(batch)["KANLinear"] for batch in batches]
    found = joined([*parts, parts[0]])  # who saw the same counts once
    assert model is live.model
    assert (found.samples, found.nan_inputs) == (12, 0)
    np.testing.assert_array_equal(found.counts, whole.counts)
    np.testing.assert_array_equal(found.patches, whole.patches)
    np.testing.assert_array_equal(found.images, whole.images)
    np.testing.assert_allclose(found.outside_domain, whole.outside_domain, rtol=1e-6)
    np.testing.assert_allclose(found.outside_extent, whole.outside_extent, rtol=1e-6)
    live.close()


def test_of_a_job_that_begins_again_at_its_beginning_the_first_frame_is_the_newer_one(
    tmp_path: Path,
) -> None:
    first, model = Run(), kw.nn.KANLinear(3, 2)
    other = kw.bind(model)
    recording = first.live.record(tmp_path / "run")
    first.train(3)
    cut_off(recording)
    other.record(tmp_path / "run").flush()
    cut_off(open_recorders[str((tmp_path / "run").resolve())])
    begun = kw.replay(tmp_path / "run").history
    assert begun.steps.tolist() == [0]
    np.testing.assert_array_equal(begun[0].data, other.history[0].data)
    assert model is other.model
    first.live.close()
    other.close()


def test_what_several_processes_recorded_is_packed_as_the_film_that_is_read(
    tmp_path: Path,
) -> None:
    write_part(tmp_path / "run", 0, 1, [0, 1, 2, 3])
    write_part(tmp_path / "run", 1, 1, [0, 1, 2, 3])
    write_part(tmp_path / "run", 0, 2, [2, 3, 4], goes_on=True)
    write_part(tmp_path / "run", 1, 2, [2, 3, 4], goes_on=True)
    assert cli.main(["pack", f"{tmp_path}/run"]) == 0
    film = kw.replay(tmp_path / "run")
    again = kw.replay(tmp_path / "run.npz")
    assert again.history.steps.tolist() == film.history.steps.tolist() == [0, 1, 2, 3, 4]
    for ours, theirs in zip(again.history, film.history, strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)
        assert_whole(ours, 1 if ours.step < 2 else 2)
    assert again.scalars.marks == film.scalars.marks
    assert {n: one for n, one in again.info.items() if n != "since"}.items() <= film.info.items()
    assert "rank" not in again.info
