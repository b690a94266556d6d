"""Recordings of networks whose examples are followed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.live import Listener, Replay
from kan_widgets.live.frames.activations import Activations
from kan_widgets.live.recordings.reader import Reader
from kan_widgets.live.recordings.recorded_feed import RecordedFeed

# What looks whether a training has gone quiet would trace a step in its own thread, or, where the
# next one has come meanwhile, not at all.
pytestmark = pytest.mark.usefixtures("never_quiet")

# Nobody else holds the models: a binding does not.
KEPT: list[torch.nn.Module] = []


@pytest.fixture(autouse=True)
def _seed() -> Iterator[None]:
    torch.manual_seed(0)
    yield
    KEPT.clear()


def probed_run() -> tuple[nn.Module, kw.live.Binding]:
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANLinear(3, 4), nn.Linear(4, 2))
    KEPT.append(model)
    live = kw.bind(model)
    live.probe(torch.rand(5, 3), labels=[0, 1, 1, 0, 1])
    return model, live


def go_on(live: kw.live.Binding, steps: int) -> None:
    for _ in range(steps):
        live.step()
        live.feed.settle()


def assert_same_network(found: kw.live.Source, live: kw.live.Binding) -> None:
    assert found.feed.structure == live.feed.structure
    assert found.feed.probed is not None
    assert live.feed.probed is not None
    assert found.feed.probed.labels == live.feed.probed.labels
    np.testing.assert_array_equal(found.feed.probed.inputs, live.feed.probed.inputs)
    latest, expected = found.feed.activations.latest, live.feed.activations.latest
    assert latest is not None
    assert expected is not None
    assert (latest.step, latest.layout_version) == (expected.step, found.feed.layout.version)
    for one, other in zip(latest.values, expected.values, strict=True):
        np.testing.assert_array_equal(one.decoded(), other.decoded())
    for extra, expected_extra in zip(latest.extras, expected.extras, strict=True):
        np.testing.assert_array_equal(extra.data, expected_extra.data)


def test_a_recording_keeps_the_network_and_its_examples(tmp_path: Path) -> None:
    _, live = probed_run()
    with live.record(tmp_path / "recorded.npz"):
        go_on(live, 4)
        live.probe(torch.rand(2, 3), labels=[1, 0])
        go_on(live, 3)
    live.save(tmp_path / "saved.npz")
    for name in ("recorded.npz", "saved.npz"):
        found = kw.replay(tmp_path / name)
        assert_same_network(found, live)
        assert [each.step for each in found.feed.activations] == [4, 5, 6, 7]


def test_a_recording_without_examples_is_read_in_the_order_of_its_modules(tmp_path: Path) -> None:
    live = kw.bind(model := kw.nn.KANLinear(2, 3))
    found = kw.replay(live.save(tmp_path / "run.npz"))
    assert (found.feed.structure.traced, found.feed.probed, len(found.feed.activations)) == (
        False,
        None,
        0,
    )
    assert found.feed.structure.note == (
        "The order is that of the modules: no examples were recorded."
    )
    assert [s.layer for s in found.feed.structure.stations] == [None, "KANLinear"]
    assert model is live.model


def test_who_follows_a_recording_sees_its_examples_come(tmp_path: Path) -> None:
    model = nn.Sequential(kw.nn.KANLinear(3, 4), nn.Linear(4, 2))
    live = kw.bind(model)
    recording = live.record(tmp_path / "run.npz")
    recording.flush()
    found = Replay(RecordedFeed(Reader(tmp_path / "run.npz"), 1.0))
    heard: list[int] = []

    class Heard(Listener):
        def on_activations(self, activations: Activations) -> None:
            heard.append(activations.step)

    listener = Heard()
    found.feed.subscribe(listener)
    live.probe(torch.rand(5, 3))
    go_on(live, 2)
    recording.flush()
    assert found.feed.poll()
    assert heard == [0, 1, 2]
    assert_same_network(found, live)
    recording.close()


def test_a_recording_that_is_thinned_keeps_activations_of_the_frames_that_stay(
    tmp_path: Path,
) -> None:
    _, live = probed_run()
    recording = live.record(tmp_path / "run.npz", max_mb=0.12)
    for _step in range(60):
        go_on(live, 1)
        recording.flush()
    recording.close()
    found = kw.replay(tmp_path / "run.npz")
    steps = found.history.steps.tolist()
    assert (steps[0], steps[-1]) == (0, 60)
    assert len(steps) < 40
    assert {each.step for each in found.feed.activations} == set(steps)
    assert_same_network(found, live)
    assert (tmp_path / "run.npz").stat().st_size < 120_000
