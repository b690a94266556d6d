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


@pytest.mark.parametrize("mode", ["ddp", "fsdp", "tensor"])
def test_four_processes_make_one_recording_of_the_whole_model(
    tmp_path: Path, alone: dict[int, dict[str, torch.Tensor]], mode: str
) -> None:
    truth = train(mode, tmp_path / "run")
    again = kw.replay(tmp_path / "run")
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
