"""Recordings that engines of two processes make, each by one line."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch

import kan_widgets as kw
from kan_widgets.live.recordings.places import Place

CHECKOUT = Path(__file__).parents[2]
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
# Batches of 8 of 80 examples, half of them in either process, twenty times.
STEPS = 100


@pytest.mark.parametrize("engine", ["accelerate", "lightning", "ray"])
def test_an_engine_of_two_processes_makes_one_recording_of_its_training(
    tmp_path: Path, engine: str
) -> None:
    how = TORCHRUN if engine == "accelerate" else ()
    environment = {
        "PYTHONPATH": str(CHECKOUT),
        "OMP_NUM_THREADS": "1",
        "RAY_AUTH_MODE": "disabled",
        "RAY_num_prestart_python_workers": "0",
        "RAY_memory_monitor_refresh_ms": "0",  # what others take is no reason to end a worker
        # What a worker reports waits for the next look of Ray's at it: else for two seconds.
        "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.05",
    }
    # In a folder with a short name: those of the sockets that Ray makes have 107 bytes at most.
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        done = subprocess.run(
            [sys.executable, *how, "-m", "tests.cluster.engines", engine, str(tmp_path)],
            cwd=CHECKOUT,
            env=os.environ | environment | {"RAY_TMPDIR": short},
            capture_output=True,
            text=True,
            timeout=900,
        )
    assert done.returncode == 0, done.stderr[-4000:]
    [place] = Place(tmp_path).recordings()
    assert place.rpartition("/")[2] == "kan_widgets", "it lies where the engine keeps its own files"
    film = kw.replay(tmp_path / place)
    truth = torch.load(tmp_path / "truth.pt")
    assert sorted(truth) == list(range(STEPS + 1))
    assert (film.history.steps[0], film.history.steps[-1]) == (0, STEPS)
    for frame in film.history:
        for name, coefficients in zip(film.layers, truth[frame.step].values(), strict=True):
            shown = frame.coefficients(name)[:, :, 0, 0]
            np.testing.assert_array_equal(shown, coefficients.numpy())
    steps, values = film.scalars.series("loss")
    assert len(steps) == STEPS
    assert np.isfinite(values).all()
    assert film.is_complete
