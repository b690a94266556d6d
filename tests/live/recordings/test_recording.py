"""Recordings: what is in the file, what survives, and what training notices of it."""

from __future__ import annotations

import gc
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
import weakref
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.functions import LayerBasis, LayerFunctions, register_adapter
from kan_widgets.live.frames.observation import Observation
from kan_widgets.live.recordings import pending_writer
from kan_widgets.live.recordings.format import VERSION
from kan_widgets.live.recordings.places import Place
from kan_widgets.live.recordings.segments import OneFile, Stored, written_file
from kan_widgets.live.recordings.writer import Writer
from kan_widgets.live.reports import hear_reports
from kan_widgets.live.steering.counter import Counter
from kan_widgets.nn import BSpline
from tests.live.small_run import SmallRun

LIMIT = 60.0
CHECKOUT = Path(__file__).parents[3]
QUICK = {"OMP_NUM_THREADS": "1", "KAN_WIDGETS_COMPILE": "0"}


def wait_for(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


class Run(SmallRun):
    """A model of two layers, and what trains it."""

    def __init__(self, every: int = 1) -> None:
        torch.manual_seed(0)
        model = nn.Sequential(kw.nn.KANConv2d(1, 2, 3), nn.Flatten(), kw.nn.KANLinear(2 * 4 * 4, 3))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        super().__init__(model, torch.rand(4, 1, 6, 6), optimizer, every=every)


@pytest.fixture
def run() -> Iterator[Run]:
    made = Run()
    yield made
    made.live.close()


class Reports:
    """Hears what is reported."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        hear_reports(self)

    def on_report(self, message: str) -> None:
        self.heard.append(message)


@pytest.fixture
def reports() -> Iterator[Reports]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield Reports()


def assert_same_history(run: Any, live: Any) -> None:
    assert run.history.steps.tolist() == live.history.steps.tolist()
    for ours, theirs in zip(run.history, live.history, strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)
        assert ours.layout.names == theirs.layout.names
        for layer, other in zip(ours.layout.layers, theirs.layout.layers, strict=True):
            assert (layer.shape, layer.labels, layer.is_base) == (
                other.shape,
                other.labels,
                other.is_base,
            )
            assert (layer.domain, layer.extent, layer.knots, layer.conv) == (
                other.domain,
                other.extent,
                other.knots,
                other.conv,
            )
            for table, known in zip(layer.tables, other.tables, strict=True):
                np.testing.assert_array_equal(table.x, known.x)
                np.testing.assert_array_equal(table.values, known.values)


# -- what is kept -------------------------------------------------------------------------


def test_a_saved_run_comes_back_with_all_that_was_known(run: Run, tmp_path: Path) -> None:
    run.live.data_source = "noise"
    for batch in run.live.track([0] * 5, epochs=2):
        del batch
        run.train(1)
    run.live.scalars.mark(run.live.stats.steps, "here")
    run.live.log(**{"accuracy": float("nan"), "Test/α": 0.5})
    run.live.observe(run.x)
    again = kw.replay(run.live.save(tmp_path / "run.npz"))
    assert_same_history(again, run.live)
    assert again.scalars.names == ("loss", "accuracy", "Test/α")
    for name in again.scalars.names:
        for ours, theirs in zip(
            again.scalars.series(name), run.live.scalars.series(name), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)
    assert again.scalars.marks == run.live.scalars.marks
    progress, known = again.progress, run.live.progress
    assert (progress.state, progress.step, progress.epochs) == ("finished", 10, 2)
    assert (progress.batches_done, progress.elapsed) == (10, known.elapsed)
    assert (again.data_source, again.feed.learning_rates) == ("noise", [0.05])
    assert again.progress.epochs_done == 2
    assert list(again.feed.observed) == ["0", "2"]
    for layer, seen in run.live.feed.observed.items():
        np.testing.assert_array_equal(again.feed.observed[layer].counts, seen.counts)
        np.testing.assert_array_equal(again.feed.observed[layer].patches, seen.patches)
        assert again.feed.observed[layer].is_image == seen.is_image
    assert again.feed.observed["2"].maps is None
    assert again.info["model"] == "Sequential"
    assert (again.state, again.is_complete, again.is_following) == ("recorded", True, False)


def test_a_recorded_run_is_the_same_as_the_one_watched(run: Run, tmp_path: Path) -> None:
    run.train(3)
    with run.live.record(tmp_path / "run.npz") as recording:
        run.train(20)
        run.live.observe(run.x)
    again = kw.replay(recording.path)
    assert_same_history(again, run.live)
    assert again.scalars.latest("loss") == run.live.scalars.latest("loss")
    assert len(again.scalars.series("loss")[0]) == 23
    assert list(again.feed.observed) == ["0", "2"]
    run.train(1)
    assert kw.replay(recording.path).frame.step == 23


def test_the_functions_in_the_file_are_those_of_the_model(run: Run, tmp_path: Path) -> None:
    """By numpy alone, as the documentation of the file says it."""
    run.train(2)
    with np.load(run.live.save(tmp_path / "run.npz"), allow_pickle=False) as file:
        assert json.loads(file["kan_widgets.json"])["version"] == VERSION
        frame = file[[name for name in file if name.endswith("/frame")][-1]]
        layout = json.loads(file[f"{frame['layout']:08}/layout.json"])
        for layer, functions in zip(layout["layers"], kw.functions.read(run.model), strict=True):
            count = int(np.prod(layer["shape"]))
            end = layer["offset"] + count * layer["nb"]
            coefficients = frame["data"][layer["offset"] : end].reshape(count, layer["nb"])
            table = file[f"{layer['tables'][0]['record']:08}/table"]
            phi = coefficients @ table[:, 1:].T
            expected = functions.evaluate(torch.from_numpy(table[:, 0].copy()))
            np.testing.assert_allclose(phi, expected.reshape(count, -1).numpy(), atol=1e-5)
    assert frame["step"] == 2


def test_version_1_of_the_file_has_the_fields_it_is_documented_with(
    run: Run, tmp_path: Path
) -> None:
    run.live.log(loss=1.0)
    run.live.scalars.mark(run.live.stats.steps, "x")
    run.live.observe(run.x)
    with np.load(run.live.save(tmp_path / "run.npz"), allow_pickle=False) as file:
        kinds = {name.split("/")[-1]: name for name in file}
        layout = json.loads(file[kinds["layout.json"]])
        assert list(layout["layers"][0]) == [
            *("name", "kind", "type", "shape", "nb", "offset", "labels", "is_base", "domain"),
            *("extent", "knots", "variable", "note", "conv", "locked", "tables", "table_of"),
        ]
        assert list(layout["layers"][0]["tables"][0]) == ["record", "domain", "extent", "knots"]
        assert list(layout["parameters"]) == ["total", "parts"]
        fields = ("step", "layout", "seconds", "data", "beside")
        assert file[kinds["frame"]].dtype.names == fields
        assert file[kinds["values"]].dtype.names == ("series", "step", "value")
        assert list(kinds) == [
            *("kan_widgets.json", "table", "layout.json", "frame", "array", "observed.json"),
            *("series.json", "values", "mark.json", "status.json"),
        ]
        assert list(json.loads(file["kan_widgets.json"])) == [
            *("format", "version", "id", "copy", "model", "kan_widgets", "started"),
            *("host", "process", "since"),
        ]


def test_a_change_of_grid_is_in_the_recording(run: Run, tmp_path: Path) -> None:
    layer: Any = run.model[0]
    with run.live.record(tmp_path / "run.npz"):
        run.train(2)
        layer.basis = BSpline(5, 3, (-2.0, 2.0))
        run.train(2)
    again = kw.replay(tmp_path / "run.npz")
    assert_same_history(again, run.live)
    layouts = [frame.layout for frame in again.history]
    assert [layout.layer("0").domain for layout in layouts] == 3 * [(-1, 1)] + 2 * [(-2, 2)]
    assert layouts[0] is layouts[2]
    assert layouts[3].version > layouts[2].version
    assert layouts[3].layer("2").tables[0] is layouts[0].layer("2").tables[0]


class Grouped(nn.Module):
    """A layer with a grid for each of its inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.arange(24.0).reshape(2, 3, 4))


def read_grouped(module: Any) -> LayerFunctions:
    return LayerFunctions(
        "linear",
        module.weight.detach(),
        tuple(LayerBasis(BSpline(2, 2, (-1.0, high)), None) for high in (1.0, 2.0, 3.0)),
        torch.arange(3).expand(2, 3),
    )


def test_a_table_for_each_group_of_functions_comes_back(tmp_path: Path) -> None:
    register_adapter(Grouped, read_grouped)
    model = Grouped()
    live = kw.bind(model, prove=False)  # it computes nothing
    assert live.feed.layout.layers[0].table_of is not None
    again = kw.replay(live.save(tmp_path / "run.npz"))
    assert_same_history(again, live)
    for ours, theirs in zip(again.feed.layout.layers, live.feed.layout.layers, strict=True):
        np.testing.assert_array_equal(ours.table_of, theirs.table_of)


def test_an_edit_at_one_step_replaces_what_was_there(run: Run, tmp_path: Path) -> None:
    with run.live.record(tmp_path / "run.npz"):
        run.train(3)
        run.live.edits.zero("2", (0, 0, 0, 0))
    again = kw.replay(tmp_path / "run.npz")
    assert again.history.steps.tolist() == [0, 1, 2, 3]
    assert not again.frame.coefficients("2")[0, 0].any()


def test_the_last_state_is_recorded_whatever_the_throttle_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a machine that stalls, training would go quiet in between.
    monkeypatch.setattr("kan_widgets.live.steering.counter._QUIET_SECONDS", 60.0)
    run = Run(every=1000)
    with run.live.record(tmp_path / "run.npz"):
        for _ in range(7):
            run.optimizer.step()
    again = kw.replay(tmp_path / "run.npz")
    assert again.history.steps.tolist() == [0, 7]
    np.testing.assert_array_equal(again.frame.data, run.live.frame.data)


def test_a_replay_holds_as_much_as_it_may(run: Run, tmp_path: Path) -> None:
    run.train(40)
    path = run.live.save(tmp_path / "run.npz")
    budget = 10 * run.live.frame.nbytes + run.live.feed.layout.nbytes
    again = kw.replay(path, history_mb=budget / 1e6)
    steps = again.history.steps.tolist()
    assert (steps[0], steps[-1]) == (0, 40)
    assert 5 <= len(steps) <= 11
    for frame in again.history:
        np.testing.assert_array_equal(frame.data, run.live.history.at(frame.step).data)


def test_a_recording_that_grows_too_large_is_thinned_evenly(run: Run, tmp_path: Path) -> None:
    most = 30 * run.live.frame.nbytes + 40_000
    path = tmp_path / "run.npz"
    with run.live.record(path, max_mb=most / 1e6) as recording:
        for _ in range(12):
            run.train(10)
            recording.flush()
    assert sum(each.stat().st_size for each in path.iterdir()) < most + 25_000
    again = kw.replay(path)
    steps = again.history.steps
    assert (steps[0], steps[-1]) == (0, 120)
    assert np.diff(steps).max() <= 4 * np.median(np.diff(steps))
    for frame in again.history:
        np.testing.assert_array_equal(frame.data, run.live.history.at(frame.step).data)
    assert len(again.scalars.series("loss")[0]) == 120
    assert recording._writer._header["copy"] > 0


def test_frames_are_kept_where_the_rest_takes_all_the_room(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    with run.live.record(path, max_mb=0.001) as recording:
        for _ in range(5):
            run.train(8)
            recording.flush()
    steps = kw.replay(path).history.steps
    assert (steps[0], steps[-1]) == (0, 40)
    assert len(steps) > 6


# -- what training notices ----------------------------------------------------------------


def test_weights_and_random_numbers_are_bit_identical_while_recording(tmp_path: Path) -> None:
    def trained(path: Path | None) -> torch.Tensor:
        run = Run(every=2)
        recording = run.live.record(path) if path is not None else None
        for _ in range(30):
            run.optimizer.zero_grad()
            loss = run.model(torch.rand(4, 1, 6, 6)).square().mean()
            loss.backward()
            run.optimizer.step()
            run.live.log(loss=loss)
        if recording is not None:
            recording.close()
            assert recording.frames > 1
        run.live.close()
        return torch.cat([p.detach().flatten() for p in run.model.parameters()] + [torch.rand(3)])

    assert torch.equal(trained(tmp_path / "run.npz"), trained(None))


class Disk:
    """Fails, or hangs, when told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = False
        self.answers = threading.Event()
        self.answers.set()
        disk = self

        def answering(write: Callable[..., None]) -> Callable[..., None]:
            def write_or_fail(*given: Any) -> None:
                assert disk.answers.wait(LIMIT)
                if disk.is_full:
                    raise OSError(28, "No space left on device")
                write(*given)

            return write_or_fail

        monkeypatch.setattr(Place, "write", answering(Place.write))
        monkeypatch.setattr(OneFile, "append", answering(OneFile.append))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_a_full_disk_is_reported_once_and_training_and_then_recording_go_on(
    run: Run, tmp_path: Path, disk: Disk, reports: Reports
) -> None:
    recording = run.live.record(tmp_path / "run.npz")
    run.train(3)
    recording.flush()
    disk.is_full = True
    for _ in range(3):
        run.train(1)
        recording.flush()
    assert run.live.stats.steps == 6
    assert "No space left" in recording.problem
    assert [m for m in reports.heard if "No space left" in m] == reports.heard
    assert len(reports.heard) == 1
    assert "The training goes on" in reports.heard[0]
    # Nothing torn is left behind.
    assert kw.replay(recording.path).frame.step == 3
    disk.is_full = False
    recording.flush()
    assert recording.problem == ""
    assert "goes on" in reports.heard[-1]
    recording.close()
    again = kw.replay(recording.path)
    assert again.is_complete
    assert_same_history(again, run.live)
    assert len(again.scalars.series("loss")[0]) == 6


def test_a_disk_that_hangs_makes_no_step_wait_and_keeps_memory_bounded(
    run: Run, tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending_writer, "_MAX_BYTES", 5 * run.live.frame.nbytes)
    recording = run.live.record(tmp_path / "run.npz")
    disk.answers.clear()
    try:
        run.train(40)  # comes back
        assert recording._pending.nbytes <= pending_writer._MAX_BYTES
    finally:
        disk.answers.set()
    recording.close()
    again = kw.replay(recording.path)
    assert again.frame.step == 40
    assert len(again.history) < len(run.live.history)
    np.testing.assert_array_equal(again.frame.data, run.live.frame.data)


def test_a_disk_that_stays_full_ends_with_a_file_that_can_be_read(
    run: Run, tmp_path: Path, disk: Disk, reports: Reports
) -> None:
    recording = run.live.record(tmp_path / "run.npz")
    run.train(3)
    recording.flush()
    disk.is_full = True
    run.train(3)
    recording.close()
    assert any("does not say that it has ended" in message for message in reports.heard)
    again = kw.replay(recording.path)
    assert (again.frame.step, again.is_complete) == (3, False)


def test_a_recorder_keeps_neither_model_nor_binding(tmp_path: Path) -> None:
    run = Run()
    recording = run.live.record(tmp_path / "run.npz")
    run.train(2)
    gone = [weakref.ref(run.model), weakref.ref(run.live)]
    del run
    wait_for(lambda: gc.collect() >= 0 and [ref() for ref in gone] == [None, None])
    wait_for(lambda: not recording.is_open)
    again = kw.replay(tmp_path / "run.npz")
    assert (again.frame.step, again.is_complete) == (2, True)


def test_closing_the_binding_ends_the_recording(run: Run, tmp_path: Path) -> None:
    recording = run.live.record(tmp_path / "run.npz")
    run.train(2)
    run.live.close()
    wait_for(lambda: not recording.is_open)
    again = kw.replay(tmp_path / "run.npz")
    assert (again.frame.step, again.is_complete) == (2, True)
    recording.close()


def test_why_a_run_was_not_watched_to_its_end_is_in_its_recording(tmp_path: Path) -> None:
    run = Run()
    recording = run.live.record(tmp_path / "run.npz")
    layer: Any = run.model[2]
    run.train(1)
    layer.spline_weight = None

    def watching_has_stopped() -> bool:
        run.optimizer.step()
        return run.live.state == "fault"

    with pytest.warns(RuntimeWarning, match="stopped watching"):
        wait_for(watching_has_stopped)  # at the first step at which a frame is due
    wait_for(lambda: not recording.is_open)
    again = kw.replay(tmp_path / "run.npz")
    assert (again.frame.step, again.is_complete) == (1, True)
    assert f"It was not watched to its end: {run.live.feed.message}" in again.words


def test_a_recording_goes_on_when_the_same_training_is_bound_again(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "run.npz"
    recording = run.live.record(path)
    run.train(2)
    run.live = kw.bind(run.model, run.optimizer, every=1)
    assert run.live.record(path) is recording
    run.train(2)
    recording.close()
    assert kw.replay(path).history.steps.tolist() == [0, 1, 2, 3, 4]
    assert len(kw.replay(path).scalars.series("loss")[0]) == 4


def test_a_recording_ends_when_another_training_of_the_model_begins(
    run: Run, tmp_path: Path
) -> None:
    recording = run.live.record(tmp_path / "run.npz")
    run.train(2)
    run.optimizer = torch.optim.Adam(run.model.parameters(), lr=0.05)
    run.live = kw.bind(run.model, run.optimizer, every=1)
    run.train(1)
    wait_for(lambda: not recording.is_open)
    assert kw.replay(tmp_path / "run.npz").history.steps.tolist() == [0, 1, 2]


# -- bad files ----------------------------------------------------------------------------


def test_what_is_no_name_or_number_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="path=3: expected the name of a recording"):
        run.live.save(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="path=3: expected the name of a recording"):
        kw.replay(3)  # type: ignore[arg-type]
    with pytest.raises(IsADirectoryError, match="is a folder: give the name of a file in it"):
        run.live.save(tmp_path)
    with pytest.raises(IsADirectoryError, match="is a folder"):
        kw.replay(tmp_path)
    with pytest.raises(FileNotFoundError, match="is not a folder: make it first"):
        run.live.record(tmp_path / "no" / "run.npz")
    with pytest.raises(ValueError, match="max_mb=0: expected a finite number of megabytes > 0"):
        run.live.record(tmp_path / "run.npz", max_mb=0)
    with pytest.raises(TypeError, match=r"max_mb='9': expected a number"):
        run.live.record(tmp_path / "run.npz", max_mb="9")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"history_mb=-1: expected a finite number of mega"):
        kw.replay(tmp_path / "run.npz", history_mb=-1)
    with pytest.raises(FileNotFoundError, match=r"run.npz is not there: give what live"):
        kw.replay(tmp_path / "run.npz")
    assert list(tmp_path.iterdir()) == []


def test_a_recording_is_not_overwritten_unless_that_is_asked_for(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    run.train(1)
    run.live.record(path).close()
    with pytest.raises(FileExistsError, match="give another name, or overwrite=True"):
        run.live.record(path)
    assert kw.replay(path).frame.step == 1
    run.train(1)
    recording = run.live.record(path, overwrite=True)
    other = Run()
    with pytest.raises(RuntimeError, match="being written by a recorder"):
        other.live.record(path, overwrite=True)
    with pytest.raises(IsADirectoryError, match="is a folder"):
        run.live.save(path)
    recording.close()
    assert kw.replay(path).frame.step == 2
    run.live.close()
    with pytest.raises(RuntimeError, match="this binding is closed: bind the model again"):
        run.live.record(tmp_path / "other.npz")


def test_a_save_that_fails_leaves_the_file_that_was_there(
    run: Run, tmp_path: Path, disk: Disk
) -> None:
    path = run.live.save(tmp_path / "run.npz")
    before = path.read_bytes()
    disk.is_full = True
    run.train(1)
    with pytest.raises(OSError, match="No space left"):
        run.live.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no frame yet"),
        (b"step,loss\n1,0.5\n", "is not a recording: it begins with b'step'"),
        (b"\x80\x04\x95\x10", "is not a recording"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "run.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        kw.replay(path)


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "arrays.npz", weights=np.ones(3))
    with pytest.raises(ValueError, match=r"it is an archive that begins with 'weights\.npy'"):
        kw.replay(tmp_path / "arrays.npz")
    torch.save({"a": 1}, tmp_path / "model.pt")
    with pytest.raises(ValueError, match="is not a recording: it is an archive"):
        kw.replay(tmp_path / "model.pt")


def rewritten(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """Give a copy with other contents, whose checksums are right."""
    copy = path.with_name("changed.npz")
    with written_file(Place(copy)) as file:
        for name, data in Stored(Place(path)).read():
            file.append(name, change(name, data))
    return copy


def test_a_recording_of_a_later_version_is_refused_with_the_remedy(
    run: Run, tmp_path: Path
) -> None:
    def later(name: str, data: bytes) -> bytes:
        return data.replace(b'"version": 1', b'"version": 7')

    path = rewritten(run.live.save(tmp_path / "run.npz"), later)
    with pytest.raises(
        ValueError, match=r"version 7, written by kan_widgets .*up to version 1.*install a later"
    ):
        kw.replay(path)


def test_records_of_kinds_to_come_are_passed_over(run: Run, tmp_path: Path) -> None:
    with written_file(Place(tmp_path / "more.npz")) as made:
        for name, data in Stored(Place(run.live.save(tmp_path / "run.npz"))).read():
            made.append(name, data)
        made.append("00000099/hologram.json", b"{}")
        made.append("notes.txt", b"by hand")
    assert_same_history(kw.replay(tmp_path / "more.npz"), run.live)


def bad(kind: str, data: bytes) -> Callable[[str, bytes], bytes]:
    return lambda name, before: data if name.endswith(kind) else before


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("layout.json", b"{}"),
        ("layout.json", b"[1"),
        ("table.npy", npy(np.ones(3, dtype=np.float32))),
        ("table.npy", npy(np.ones((9, 2), dtype=np.float32))),
        ("frame.npy", npy(np.ones(3, dtype=np.float32))),
        ("frame.npy", npy(np.array([{"a": 1}], dtype=object))),
        ("frame.npy", b"nonsense"),
        ("frame.npy", b"\x93NUMPY\x01\x00\x20\x00{'descr': '<f4', 'shape': (3,      "),
        ("layout.json", b"[" * 100_000),
        ("status.json", b"[]"),
        ("status.json", b'{"every": []}'),
        ("status.json", b'{"progress": {"step": "ten"}}'),
        ("status.json", b'{"progress": {"seconds": NaN}}'),
        ("status.json", b'{"notices": {"alarms": [1]}}'),
        ("status.json", b'{"steering": {"heard": "all"}}'),
        ("values.npy", npy(np.array([(5, 2, 0.5), (5, 1, 0.5)], "<i4,<i8,<f8"))),
        ("observed.json", b'{"layers": [{"layer": "0", "samples": 4, "arrays": {}}]}'),
        (
            "frame.npy",
            npy(np.zeros((), [("step", "<i8"), ("layout", "<i4"), ("data", "<f4", (3,))])),
        ),
    ],
)
def test_a_record_that_does_not_fit_is_named(
    run: Run, tmp_path: Path, kind: str, data: bytes
) -> None:
    run.train(1)
    run.live.observe(run.x)
    path = rewritten(run.live.save(tmp_path / "run.npz"), bad(kind, data))
    with pytest.raises(
        ValueError, match=r"changed.npz: record \d+/\w+\.\w+ is damaged: .*Copy it again"
    ):
        kw.replay(path)


def test_numbers_that_do_not_fit_those_before_are_damage(run: Run, tmp_path: Path) -> None:
    def falling(name: str, data: bytes) -> bytes:
        if not name.endswith("values.npy"):
            return data
        rows = np.array(np.load(io.BytesIO(data)))
        rows["step"] = rows["step"][::-1]
        return npy(rows)

    def apart(name: str, data: bytes) -> bytes:
        return re.sub(rb'"offset": 0\b', b'"offset": 7', data) if "layout" in name else data

    def cut(name: str, data: bytes) -> bytes:
        is_patches = name.endswith("array.npy") and np.load(io.BytesIO(data)).ndim == 2
        return npy(np.load(io.BytesIO(data))[:, :-1]) if is_patches else data

    run.train(3)
    run.live.observe(run.x)
    path = run.live.save(tmp_path / "run.npz")
    for change in (falling, apart, cut):
        with pytest.raises(ValueError, match=r"changed.npz: record .* is damaged: ValueError"):
            kw.replay(rewritten(path, change))


@pytest.mark.parametrize("head", [b"[" * 100_000, b"[]", b"3", b'{"version": []}', b"\xff"])
def test_a_beginning_that_says_nothing_is_that_of_no_recording(
    run: Run, tmp_path: Path, head: bytes
) -> None:
    path = rewritten(run.live.save(tmp_path / "run.npz"), bad("kan_widgets.json", head))
    with pytest.raises(ValueError, match=r"changed.npz is not a recording: .*live.save"):
        kw.replay(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "run.npz")
    with pytest.raises(ValueError, match=r"run.npz is not a recording: it is a device or a pipe"):
        kw.replay(tmp_path / "run.npz")


def test_a_logged_value_that_cannot_be_read_is_left_out_and_reported_once(
    run: Run, tmp_path: Path, reports: Reports
) -> None:
    with run.live.record(tmp_path / "run.npz") as recording:
        for _ in range(3):
            run.train(1)
            run.live.log(lost=torch.tensor(1.0, device="meta"), kept=torch.tensor(2.0))
            recording.flush()
        assert recording.is_open
        assert recording.problem == ""
    [said] = [message for message in reports.heard if "lost" in message]
    assert "'lost', logged at step 1, cannot be read: " in said
    again = kw.replay(tmp_path / "run.npz")
    assert again.history.steps.tolist() == [0, 1, 2, 3]
    assert again.scalars.series("kept")[1].tolist() == [2.0] * 3
    assert np.isnan(again.scalars.series("lost")[1]).all()


@pytest.mark.parametrize("share", [0.0001, 0.5, 0.999])
def test_a_file_that_was_cut_off_is_said_to_be(run: Run, tmp_path: Path, share: float) -> None:
    run.train(5)
    whole = run.live.save(tmp_path / "run.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match="holds no frame yet: it was cut off"):
        kw.replay(tmp_path / "cut.npz")


def test_a_damaged_byte_is_reported_and_what_comes_before_is_shown(
    run: Run, tmp_path: Path, reports: Reports
) -> None:
    run.train(5)
    path = run.live.save(tmp_path / "run.npz")
    with zipfile.ZipFile(path) as file:
        info = [info for info in file.infolist() if info.filename.endswith("frame.npy")][3]
    content = bytearray(path.read_bytes())
    content[info.header_offset + 500] ^= 1
    path.write_bytes(content)
    assert kw.replay(path).history.steps.tolist() == [0, 1, 2]
    assert f"damaged at byte {info.header_offset:,} (Bad CRC-32 for file" in reports.heard[0]


# -- other processes ----------------------------------------------------------------------

TRAINING = """
import sys, time, torch, kan_widgets as kw
torch.manual_seed(0)
model = kw.nn.KANLinear(3, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
live = kw.bind(model, optimizer, every=1, max_fps=1000)
live.record(sys.argv[1])
for step in range(int(sys.argv[2])):
    optimizer.zero_grad()
    loss = model(torch.ones(4, 3)).square().sum()
    loss.backward()
    optimizer.step()
    live.log(loss=loss)
    time.sleep(0.002)
print(live.stats.steps)
"""


def start(path: Path, steps: int) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT), **QUICK}
    environment.pop("RANK", None)
    return subprocess.Popen(
        [sys.executable, "-c", TRAINING, str(path), str(steps)],
        env=environment,
        stdout=subprocess.PIPE,
    )


def test_a_process_without_notebook_is_followed_and_survives_being_killed(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    process = start(path, 10**9)
    try:
        run = kw.follow(path, wait=LIMIT, interval=0.05)
        assert run.history[0].step == 0
        wait_for(lambda: run.frame.step > 50)
        wait_for(lambda: run.scalars.names == ("loss",))
        assert (run.state, run.is_following) == ("live", True)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    wait_for(lambda: not run.feed.poll())
    again = kw.replay(path)
    assert again.frame.step == run.frame.step
    np.testing.assert_array_equal(again.frame.data, run.frame.data)
    assert (again.is_complete, again.progress.state) == (False, "idle")
    # Each frame is what one more step of the same training makes of the one before.
    torch.manual_seed(0)
    model = kw.nn.KANLinear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    live = kw.bind(model, optimizer, every=1)
    for _ in range(20):
        optimizer.zero_grad()
        model(torch.ones(4, 3)).square().sum().backward()
        optimizer.step()
        frame = again.history.at(live.stats.steps)
        if frame.step == live.stats.steps:
            np.testing.assert_array_equal(frame.data, live.refresh().data)
    run.close()


def test_a_process_that_ends_leaves_a_closed_recording_with_its_last_state(
    tmp_path: Path,
) -> None:
    process = start(tmp_path / "run.npz", 40)
    out, _ = process.communicate(timeout=LIMIT)
    assert (process.returncode, out) == (0, b"40\n")
    again = kw.replay(tmp_path / "run.npz")
    assert (again.frame.step, again.is_complete) == (40, True)
    assert again.scalars.series("loss")[0].tolist() == list(range(1, 41))


DISTRIBUTED = """
import os, pathlib, sys, time, torch, kan_widgets as kw
from torch.nn.parallel import DistributedDataParallel
meet = f"file://{sys.argv[2]}"
rank = int(os.environ["RANK"])
torch.distributed.init_process_group("gloo", init_method=meet, rank=rank, world_size=2)
torch.manual_seed(0)
model = DistributedDataParallel(kw.nn.KANLinear(3, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
live = kw.bind(model, optimizer, every=1)
folder = pathlib.Path(sys.argv[1])
# A name of its own for each: what the second one wrote would be seen.
recording = live.record(folder / f"run{rank}.npz")
live.save(folder / f"saved{rank}.npz")
for step in range(10):
    optimizer.zero_grad()
    model(torch.ones(4, 3) * (rank + 1)).square().sum().backward()
    optimizer.step()
    live.refresh()
while not (folder / "go").exists():
    time.sleep(0.02)
for step in range(10):
    optimizer.zero_grad()
    model(torch.ones(4, 3) * (rank + 1)).square().sum().backward()
    optimizer.step()
    live.refresh()
recording.close()
print(rank, recording.is_active, recording.frames, "another process" in repr(recording))
torch.distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_of_two_processes_that_train_together_the_first_records_and_a_third_follows(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    common = os.environ | {"PYTHONPATH": str(CHECKOUT), **QUICK, "WORLD_SIZE": "2"}
    meet = tmp_path_factory.mktemp("meet") / "store"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", DISTRIBUTED, str(tmp_path), str(meet)],
            env=common | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
        )
        for rank in range(2)
    ]
    try:
        run = kw.follow(tmp_path / "run0.npz", wait=LIMIT, interval=0.05)
        wait_for(lambda: run.frame.step == 10)
        assert run.is_following
        (tmp_path / "go").touch()
        wait_for(lambda: run.is_complete)
        said = [process.communicate(timeout=LIMIT)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert said == [b"0 True 21 False\n", b"1 False 0 True\n"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["go", "run0.npz", "saved0.npz"]
    assert run.history.steps.tolist() == list(range(21))
    assert (run.state, run.is_following) == ("recorded", False)


@pytest.mark.parametrize(
    ("rank", "size", "records"),
    [("1", "2", False), ("0", "2", True), ("1", "1", True), ("1", "", True), ("x", "2", True)],
)
def test_before_the_processes_have_met_torchruns_rank_counts(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rank: str,
    size: str,
    records: bool,
) -> None:
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", size)
    with run.live.record(tmp_path / "run.npz") as recording:
        run.train(1)
        recording.flush()
    assert recording.is_active is records
    assert (tmp_path / "run.npz").exists() is records


def test_a_binding_that_is_closed_leaves_a_recording_that_is(run: Run, tmp_path: Path) -> None:
    recording = run.live.record(tmp_path / "run")
    run.live.close()  # its process may be killed now
    assert not recording.is_open
    assert kw.replay(tmp_path / "run").is_complete


def test_inputs_that_are_observed_again_and_again_are_few_in_a_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = nn.Sequential(kw.nn.KANLinear(3, 2), nn.BatchNorm1d(2), kw.nn.KANLinear(2, 1))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    live = kw.bind(model, optimizer, every=1, max_fps=1e6)
    view = kw.NetworkView(live)
    for throttle in (live.feed.bound._observing, live.feed.camera.throttle):
        monkeypatch.setattr(throttle, "is_open", lambda now: True)
    monkeypatch.setattr(Counter, "is_quiet", False)  # however long a step takes here
    written: list[int | None] = []

    def note(self: Writer, observed: Mapping[str, Observation]) -> None:
        written.append(observed["0"].step)
        put(self, observed)

    put = Writer.observed
    monkeypatch.setattr(Writer, "observed", note)
    recorder = live.record(tmp_path / "run")
    for step in range(1, 101):
        optimizer.zero_grad()
        model(torch.rand(16, 3)).square().mean().backward()
        optimizer.step()
        assert live.feed.observed["0"].step == step
        recorder.flush()
    assert written == [1, 2, 4, 8, 16, 32, 64]
    live.close()
    # At rest, perhaps before that is observed once more, with all of its rows.
    assert written[:7] == [1, 2, 4, 8, 16, 32, 64]
    assert written[7:] in ([100], [100, 100])
    assert kw.replay(tmp_path / "run").feed.observed["0"].step == 100
    view.close()
