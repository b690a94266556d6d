"""Recordings of trainings by four processes, that torchrun starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import kan_widgets as kw
from kan_widgets.cli import main
from tests.cluster.training import RATE, descend, network, weights
from tests.live.recordings.test_control_folder import until

CHECKOUT = Path(__file__).parents[2]
STEPS = 120
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "4")


def train(mode: str, place: Path) -> dict[int, dict[str, torch.Tensor]]:
    """Train, and return what the weights were after each step."""
    how = () if mode == "alone" else TORCHRUN
    done = subprocess.run(
        [sys.executable, *how, "-m", "tests.cluster.training", mode, str(place), str(STEPS)],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return dict(torch.load(f"{place}.pt"))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, torch.Tensor]]:
    return train("alone", tmp_path_factory.mktemp("alone") / "run")


@pytest.mark.parametrize("mode", ["ddp", "fsdp", "tensor", "accelerate", "accelerate-ddp"])
def test_four_processes_make_one_recording_of_the_whole_model(
    tmp_path: Path, alone: dict[int, dict[str, torch.Tensor]], mode: str
) -> None:
    truth = train(mode, tmp_path / "run")
    # Engines name a folder in that of the trainer.
    again = kw.replay(tmp_path / "run" / ("kan_widgets" if mode == "accelerate" else ""))
    shapes = [(layer.name, layer.shape[:2]) for layer in again.feed.layout.layers]
    assert shapes == [("0", (8, 3)), ("1", (8, 8)), ("2", (8, 8)), ("3", (4, 8))]
    assert all("rank" not in layer.note for layer in again.feed.layout.layers)
    assert (again.history.steps[0], again.history.steps[-1]) == (0, STEPS)
    assert len(again.history) > 3
    for frame in again.history:
        for name in again.layers:
            shown = frame.coefficients(name)[:, :, 0, 0]
            np.testing.assert_array_equal(shown, truth[frame.step][name].numpy())
            if mode == "tensor":  # where sums are made in another order
                np.testing.assert_allclose(shown, alone[frame.step][name].numpy(), atol=1e-6)
            else:
                np.testing.assert_array_equal(shown, alone[frame.step][name].numpy())
    # Each process saw four inputs of its own, but where all compute together.
    seen, inputs = again.feed.observed["0"], [-0.5, -0.375, -0.25, -0.125]
    expected = (4, inputs[:1]) if mode == "tensor" else (16, inputs)
    assert (seen.samples, sorted(set(seen.patches[:, 0]))) == expected
    assert seen.counts.sum() == 3 * seen.samples
    assert len(again.scalars.series("loss")[0]) == STEPS
    assert again.is_complete


def test_what_a_run_is_asked_for_all_its_processes_do_after_the_same_step(tmp_path: Path) -> None:
    place = tmp_path / "run"
    training = subprocess.Popen(
        [sys.executable, *TORCHRUN, "-m", "tests.cluster.training", "steered", str(place)],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1"},
    )
    try:
        run = kw.follow(place, wait=120, interval=0.05)
        until(lambda: run.feed.control, "the run allows control")
        until(lambda: run.progress.step > 20, "it trains")
        run.set_learning_rate(0.25)
        until(lambda: run.feed.learning_rates == [0.25], "another rate")
        run.pause()
        until(lambda: run.control.is_holding, "it holds")
        held = run.progress.step
        run.step(3)
        until(lambda: run.control.is_holding and run.progress.step == held + 3, "three steps")
        until(lambda: steps(place) == {held + 2}, "all stand after the same step")
        run.resume()
        until(lambda: run.progress.step > held + 20, "it goes on")
        run.stop()
        assert training.wait(120) == 0
    finally:
        training.kill()
    changed, ended, models = zip(*(torch.load(f"{place}.{r}.pt") for r in range(4)), strict=True)
    assert len(changed[0]) == 1
    assert len({str(each) for each in changed}) == len(set(ended)) == 1
    for theirs in models[1:]:
        for name, coefficients in theirs.items():
            np.testing.assert_array_equal(coefficients.numpy(), models[0][name].numpy())


@pytest.mark.parametrize("loop", ["bare", "by hand"])
def test_a_stop_ends_a_loop_in_all_processes_after_the_same_step(
    tmp_path: Path, loop: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "run"
    how = (*TORCHRUN[:-1], "2", "-m", "tests.cluster.training", loop, str(place))
    training = subprocess.Popen(
        [sys.executable, *how],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT), "OMP_NUM_THREADS": "1"},
    )
    try:
        run = kw.follow(place, wait=120, interval=0.05)
        until(lambda: run.feed.control and run.progress.step > 50, "it trains")
        if loop == "bare":
            assert main(["stop", str(place)]) == 0
            assert "stopped, step" in capsys.readouterr().out
        else:
            run.stop()
        assert training.wait(60) == 0
    finally:
        training.kill()
    (ended, ours), (other, theirs) = (torch.load(f"{place}.{rank}.pt") for rank in range(2))
    assert ended == other > 50
    # Nothing else is changed: it is what so many steps make without anybody watching.
    torch.set_num_threads(1)
    plain, generator = network(), torch.Generator().manual_seed(1)
    optimizer = torch.optim.SGD(plain.parameters(), lr=RATE)
    for _ in range(ended):
        descend(plain, optimizer, generator)
    for name, coefficients in weights(plain).items():
        np.testing.assert_array_equal(ours[name].numpy(), coefficients.numpy())
        np.testing.assert_array_equal(theirs[name].numpy(), coefficients.numpy())


def steps(place: Path) -> set[int]:
    """Return which steps the processes have behind them; each writes it once it goes on."""
    return {int(Path(f"{place}.{rank}.step").read_text() or 0) for rank in range(4)}
