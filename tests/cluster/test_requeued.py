"""A job that is killed and requeued fifty times, and object stores that are slow and fail."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import kan_widgets as kw
from kan_widgets.cli.board import Board
from kan_widgets.live.recordings import segments
from kan_widgets.live.recordings.glance import newest
from kan_widgets.live.recordings.places import Place
from kan_widgets.live.recordings.reader import Reader
from kan_widgets.live.recordings.recorder import open_recorders

KILLS = 50


def job(place: str, checkpoint: Path, begun: int) -> None:
    """Train on from the last checkpoint, if there is one, until somebody kills it."""
    os.environ["KAN_WIDGETS_COMPILE"] = "0"
    torch.manual_seed(os.getpid())
    model = kw.nn.KANLinear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    steps = 0
    if checkpoint.exists():
        steps, state = torch.load(checkpoint)
        model.load_state_dict(state)
    live = kw.bind(model, optimizer, every=1, max_fps=1000, steps=steps)
    live.record(place)
    os.write(begun, b"!")
    for step in range(steps + 1, 1_000_000):
        optimizer.zero_grad()
        model(torch.rand(4, 2)).square().sum().backward()
        optimizer.step()
        if step % 25 == 0:
            torch.save((step, model.state_dict()), checkpoint.with_suffix(".part"))
            os.replace(checkpoint.with_suffix(".part"), checkpoint)
        time.sleep(0.002)


def frames_of_segments(place: str) -> dict[int, bytes]:
    """Return the frames that count of the segments that the index names."""
    found: dict[int, bytes] = {}
    for record in Reader(place).read():
        step = getattr(record, "step", 0)
        if type(record).__name__ == "Seam":
            found = {one: data for one, data in found.items() if one <= step}
        elif type(record).__name__ == "Frame":
            found[step] = record.data.tobytes()  # type: ignore[union-attr]
    return found


def kill_again_and_again(place: str, folder: Path, kills: int, longest: float) -> None:
    """Kill a job at random times, and look that nothing is lost of what could be read before."""
    generator = random.Random(34)
    checkpoint, before, lost = folder / "last.pt", dict[int, bytes](), 0
    seams = set()
    torch.optim.SGD(kw.nn.KANLinear(2, 2).parameters())  # imports what takes seconds
    for _ in range(kills):
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            try:
                job(place, checkpoint, writing)
            finally:
                os._exit(1)
        os.close(writing)
        if generator.random() < 0.9:  # now and then it is killed before it begins, too
            assert os.read(reading, 1) == b"!"
        time.sleep(generator.uniform(0.0, longest))
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        try:
            now = frames_of_segments(place)
        except FileNotFoundError:
            continue  # it was killed before it began
        started = [r.step for r in Reader(place).read() if type(r).__name__ == "Seam"]
        again = started[-1] if len(started) > len(seams) else max(before, default=0)
        kept = {step: data for step, data in before.items() if step < again}
        lost += sum(now.get(step) != data for step, data in kept.items())
        before, seams = now, {*range(len(started))}
    assert lost == 0
    assert len(seams) > kills // 2
    film = kw.replay(place)
    assert (np.diff(film.history.steps) > 0).all()
    assert film.history.steps[0] == 0
    assert {f.step: f.data.tobytes() for f in film.history} == before
    assert len([mark for mark in film.scalars.marks if "goes on" in mark.text]) == len(seams)


def test_fifty_kills_are_one_film_and_no_frame_of_a_finished_segment_is_lost(
    tmp_path: Path,
) -> None:
    kill_again_and_again(str(tmp_path / "run"), tmp_path, KILLS, 1.0)


class Slow:
    """A storage that takes its time, and fails now and then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float, share: float) -> None:
        self.requests, self.failures = 0, 0
        generator, asked = random.Random(34), Place._asked

        def slowly(place: Place) -> Any:
            if not place.is_local:
                self.requests += 1
                time.sleep(generator.expovariate(1 / seconds))
                if generator.random() < share:
                    self.failures += 1
                    raise OSError("503 Slow Down")
            return asked(place)

        monkeypatch.setattr(Place, "_asked", slowly)


def train(live: kw.Binding, model: torch.nn.Module, steps: int) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.ones(4, 3)).square().sum().backward()
        optimizer.step()
        live.step()
        live.refresh()
        time.sleep(0.01)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # they say 503
def test_a_bucket_that_is_slow_and_fails_gets_every_frame(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = kw.nn.KANLinear(3, 2)
    live = kw.bind(model)
    recording = live.record(f"{bucket}/run")
    with monkeypatch.context() as slow:
        storage = Slow(slow, seconds=0.05, share=0.2)
        train(live, model, 300)
        end = time.monotonic() + 60
        while storage.failures < 3 and time.monotonic() < end:
            train(live, model, 10)
    recording.close()
    assert storage.failures >= 3
    again = kw.replay(f"{bucket}/run")
    assert again.is_complete
    assert again.history.steps.tolist() == live.history.steps.tolist()
    for ours, theirs in zip(again.history, live.history, strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)
    print(f"{storage.requests} requests, {storage.failures} failed")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # they say 503
def test_a_follower_of_a_bucket_that_fails_reads_on(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = kw.nn.KANLinear(3, 2)
    live = kw.bind(model)
    with live.record(f"{bucket}/run") as recording:
        followed = kw.follow(f"{bucket}/run", interval=0.1)
        with monkeypatch.context() as slow:
            Slow(slow, seconds=0.02, share=0.3)
            train(live, model, 100)
            recording.flush()
    end = time.monotonic() + 60
    while followed.frame.step < live.frame.step and time.monotonic() < end:
        time.sleep(0.1)
    assert followed.history.steps.tolist() == live.history.steps.tolist()


def test_a_job_that_is_requeued_goes_on_in_a_bucket(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "LOST_SECONDS", 0.5)
    models, place = [], f"{bucket}/run"
    for begin in (0, 20, 35):
        model = kw.nn.KANLinear(3, 2)
        live = kw.bind(model, steps=begin)
        recording = live.record(place)
        train(live, model, 30)
        recording.flush()
        recording._leave()
        open_recorders.pop(place, None)
        models.append(live)
    film = kw.replay(place)
    assert film.history.steps.tolist() == list(range(66))
    for frame in film.history:
        live = models[(frame.step >= 20) + (frame.step >= 35)]
        np.testing.assert_array_equal(frame.data, live.history.at(frame.step).data)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # they say 503
def test_the_board_of_a_bucket_that_is_slow_and_fails_shows_every_run_as_it_stands(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = []
    for number in range(5):
        model = kw.nn.KANLinear(3, 2)
        live = kw.bind(model)
        with live.record(f"{bucket}/runs/{number}"):
            live.log(loss=number / 8)
            train(live, model, 5 + number)
        trained.append((model, live))
    board = Board(Place(f"{bucket}/runs"))
    with monkeypatch.context() as slow:
        storage = Slow(slow, seconds=0.02, share=0.3)
        end = time.monotonic() + 60
        while len([run for run in board.runs if run.facts.get("frames")]) < 5 or not (
            storage.failures
        ):
            assert time.monotonic() < end, [run.problem for run in board.runs]
            board._list_at = float("-inf")
            for run in board.runs:
                run.due = float("-inf")
            with suppress(OSError):  # the list of the folder itself
                board.look()
    found = {run.name: run.facts for run in board.runs}
    assert sorted(found) == [str(number) for number in range(5)]
    for number in range(5):
        facts = found[str(number)]
        assert (facts["step"], facts["loss"]) == (5 + number, number / 8)
        assert (facts["state"], facts["alive"]) == ("closed", False)
        assert newest(f"{bucket}/runs/{number}").frame.step == 5 + number
