"""The real trackers, each offline: what they have stored is read back."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import struct
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlflow
import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter
from wandb.proto.wandb_internal_pb2 import Record

import kan_widgets as kw
from tests.integrations.tiny import documented, network, run_documented, same, trained

CHECKOUT = Path(__file__).parents[2]
NAMES = {
    f"kan_widgets/{layer}/{name}"
    for layer in ("0", "1")
    for name in ("reach", "furthest", "constant", "broken")
}
# Of a picture of few cells, which fill it.
WIDTH = 900


def width_of(picture: Path) -> int:
    with Image.open(picture) as image:
        return image.width


def reach_at(steps: int) -> float:
    """Return the first layer's reach after some steps, from φ on a fine grid."""
    layer = network()[0]
    x = torch.linspace(-1, 1, 2001)
    phi = torch.stack([kw.functions.read(layer)[0].evaluate(x)])  # (1, out, in, 1, 1, points)
    spread = phi.amax(-1) - phi.amin(-1)
    return float(np.median(spread.detach().numpy()) * (1 + steps))


def test_a_function_gets_numbers_pictures_and_at_the_end_a_page() -> None:
    reports: list[Any] = []
    threads = set()

    def take(report: Any) -> None:
        threads.add(threading.current_thread())
        reports.append(report)

    trained(lambda live: live.send_to(take, every=2))
    assert reports[0].step == 0
    assert {report.step for report in reports} <= {0, 2, 4, 6}
    numbers = {report.step: report.numbers for report in reports if report.numbers}
    assert set(numbers) == {0, 2, 4, 6}
    for made, found in numbers.items():
        assert {f"kan_widgets/{name}" for name in found} == NAMES
        assert found["0/reach"] == pytest.approx(reach_at(made), rel=1e-3)
        assert found["1/reach"] == numbers[0]["1/reach"]
        assert (found["0/broken"], found["0/constant"]) == (0, 0)
    first, last = reports[0].pictures["0"], reports[-1].pictures["0"]
    assert first.size[0] == WIDTH
    assert np.asarray(first.convert("L")).std() > 5
    assert first.tobytes() != last.tobytes()
    assert [bool(report.page) for report in reports] == [False] * (len(reports) - 1) + [True]
    assert b"kw-saved" in reports[-1].page
    assert len(threads) == 2, "its own, and at the end that of who closes it"


def test_training_ends_with_the_weights_it_would_have_had() -> None:
    alone = trained(lambda live: SimpleNamespace(close=int))
    assert same(alone, trained(lambda live: live.send_to(lambda report: None, every=1)))


def test_health_is_among_the_numbers() -> None:
    model, reports = network(), []
    live = kw.bind(model)
    with torch.no_grad():
        model[0].base_weight[0, 0] = model[0].spline_weight[0, 0] = 0.0
        model[0].base_weight[1, 1] = torch.nan
    live.observe(torch.full((8, 2), 1.5))
    live.refresh()
    with live.send_to(reports.append):
        pass
    numbers = reports[0].numbers
    assert numbers["0/broken"] == 1
    assert numbers["0/constant"] == pytest.approx(1 / 5)  # of those that are finite
    assert numbers["0/outside"] == 1
    assert np.isfinite(numbers["0/reach"])


@pytest.mark.filterwarnings("ignore:live.send_to. step:RuntimeWarning")
def test_a_tracker_that_fails_is_reported_once_and_training_goes_on() -> None:
    calls = []

    def fail(report: Any) -> None:
        calls.append(report.step)
        raise OSError("no connection")

    with pytest.warns(RuntimeWarning, match="step 0 could not be sent.*no connection") as said:
        trained(lambda live: live.send_to(fail))
    assert len(calls) >= 2
    assert len([one for one in said if "could not be sent" in str(one.message)]) == 1


def test_closing_the_binding_sends_the_end_as_well() -> None:
    reports: list[Any] = []
    model = network()
    live = kw.bind(model)
    sending = live.send_to(reports.append)
    live.step()
    live.close()
    assert (reports[-1].step, bool(reports[-1].page), sending.is_open) == (1, True, False)
    with pytest.raises(RuntimeError, match="this binding is closed: bind the model again"):
        live.send_to(reports.append)


def test_a_binding_that_takes_the_place_goes_on_sending() -> None:
    reports: list[Any] = []
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    sending = kw.bind(model, optimizer).send_to(reports.append)
    again = kw.bind(model, optimizer, every=1)
    optimizer.step()
    again.close()
    assert reports[-1].step == 1
    assert not sending.is_open


@pytest.mark.parametrize(
    ("writer", "every", "error", "words"),
    [
        ("wandb", 1, TypeError, "writer='wandb': expected a SummaryWriter, wandb, mlflow"),
        (print, 0, ValueError, "every=0: expected a whole number of steps ≥ 1"),
        (mlflow, 1, RuntimeError, "mlflow has no active run: call mlflow.start_run()"),
    ],
)
def test_what_cannot_be_sent_to_is_refused(
    writer: Any, every: int, error: type[Exception], words: str
) -> None:
    model = network()
    live = kw.bind(model)
    with pytest.raises(error, match=re.escape(words)):
        live.send_to(writer, every=every)
    assert not live.feed.listeners


def test_tensorboard_has_curves_pictures_and_the_page_beside_them(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path)) as writer:
        trained(lambda live: live.send_to(writer, every=2))
    events = EventAccumulator(str(tmp_path)).Reload()
    assert set(events.Tags()["scalars"]) == NAMES
    curve = events.Scalars("kan_widgets/0/reach")
    assert [event.step for event in curve] == [0, 2, 4, 6]
    assert curve[-1].value == pytest.approx(reach_at(6), rel=1e-3)
    assert set(events.Tags()["images"]) == {"kan_widgets/0", "kan_widgets/1"}
    pictures = events.Images("kan_widgets/0")
    assert (pictures[0].step, pictures[-1].step) == (0, 6)
    assert pictures[0].width == WIDTH
    assert "kw-saved" in (tmp_path / "kan_widgets.html").read_text("utf-8")


def test_mlflow_has_curves_pictures_and_the_page_as_an_artifact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(tmp_path.as_uri())
    try:
        with mlflow.start_run(experiment_id=mlflow.create_experiment("tiny")) as run:
            trained(lambda live: live.send_to(mlflow, every=2))
        client = mlflow.MlflowClient()
        curve = client.get_metric_history(run.info.run_id, "kan_widgets/0/reach")
        assert [metric.step for metric in curve] == [0, 2, 4, 6]
        assert curve[-1].value == pytest.approx(reach_at(6), rel=1e-3)
        assert {one.path for one in client.list_artifacts(run.info.run_id)} == {
            "images",
            "kan_widgets.html",
        }
        page = mlflow.artifacts.download_artifacts(
            run_id=run.info.run_id, artifact_path="kan_widgets.html"
        )
        assert "kw-saved" in Path(page).read_text("utf-8")
        images = client.list_artifacts(run.info.run_id, "images")
        last = [one.path for one in images if re.search(r"~0.step.6\b.*png", one.path)]
        folder = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path=last[0])
        assert width_of(Path(folder)) == WIDTH
    finally:
        mlflow.set_tracking_uri(before)


WANDB = """
import wandb
from tests.integrations.tiny import trained
with wandb.init(project="tiny"):
    trained(lambda live: live.send_to(wandb, every=2))
"""


def run_apart(code: str, folder: Path, **environment: str) -> None:
    """Run what leaves threads and files behind in a process and a home of its own."""
    own = {"PYTHONPATH": str(CHECKOUT), "HOME": str(folder), "KAN_WIDGETS_COMPILE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | environment | own,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_trackio_has_curves_pictures_and_the_page_as_media(tmp_path: Path) -> None:
    run_apart(documented("trackio"), tmp_path, TRACKIO_DIR=str(tmp_path))
    with closing(sqlite3.connect(tmp_path / "kan.db")) as base:
        rows = base.execute("select step, metrics from metrics order by id").fetchall()
    numbers = [(step, json.loads(row)) for step, row in rows]
    steps = [step for step, row in numbers if "kan_widgets/1/reach" in row]
    assert (steps[0], steps[-1]) == (0, 48)
    assert [step for step, row in numbers if "loss" in row] == list(range(1, 49))
    ((step, last),) = [(step, row) for step, row in numbers if "kan_widgets/page" in row]
    assert step == 48
    media = tmp_path / "media"
    assert width_of(media / last["kan_widgets/0"]["file_path"]) == WIDTH
    page = media / last["kan_widgets/page"]["file_path"]
    assert "kw-saved" in page.read_text("utf-8")


def history(path: Path) -> list[dict[str, Any]]:
    """Return the rows of an offline run of wandb: records in blocks, as LevelDB's log has them."""
    data, at, part, rows = path.read_bytes(), 7, b"", []
    while at + 7 <= len(data):
        if (left := 32768 - at % 32768) < 7:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + 7])
        part += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            record, part = Record.FromString(part), b""
            if record.HasField("history"):
                items = record.history.item
                rows.append(
                    {"/".join(i.nested_key) or i.key: json.loads(i.value_json) for i in items}
                )
    return rows


@pytest.mark.slow
def test_wandb_has_curves_pictures_and_the_page_and_who_logs_keeps_the_steps(
    tmp_path: Path,
) -> None:
    run_apart(WANDB + documented("Weights & Biases"), tmp_path, WANDB_MODE="offline")
    alone, shared = sorted((tmp_path / "wandb").glob("offline-run-*"), key=os.path.getctime)
    rows = history(next(alone.glob("*.wandb")))
    name = "kan_widgets/0/reach"
    curve = {row["kan_widgets/step"]: row[name] for row in rows if name in row}
    assert list(curve) == [0, 2, 4, 6]
    assert curve[6] == pytest.approx(reach_at(6), rel=1e-3)
    rows = history(next(shared.glob("*.wandb")))
    assert [row["_step"] for row in rows if "loss" in row] == list(range(1, 49))
    assert max(row.get("kan_widgets/step", 0) for row in rows) == 48
    for folder in (alone, shared):
        (page,) = folder.rglob("page_*.html")
        assert "kw-saved" in page.read_text("utf-8")
        assert width_of(next(folder.rglob("0_*.png"))) == WIDTH


@pytest.mark.parametrize("heading", ["TensorBoard", "MLflow", "A function"])
def test_the_documented_example_runs(
    heading: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)  # the example sets it
    before = mlflow.get_tracking_uri()
    try:
        assert run_documented(heading)["live"].stats.steps == 48
    finally:
        mlflow.set_tracking_uri(before)
    kept = {
        "TensorBoard": "runs/kan/kan_widgets.html",
        "MLflow": "mlruns/0/*/artifacts/kan_widgets.html",
        "A function": "1-48.png",
    }
    assert len(list(tmp_path.glob(kept[heading]))) == 1
