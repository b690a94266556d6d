"""What crosses to the browser of a network: its structure, examples and their activations."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import kan_widgets as kw
from kan_widgets.live.frames.activations import unpacked
from kan_widgets.live.frames.structure import structure_from
from kan_widgets.widgets.pages.page_frames import past_of, saved
from kan_widgets.widgets.shell.drawing_engine import network_of
from kan_widgets.widgets.wire import broadcast, outbox
from kan_widgets.widgets.wire.broadcast import drawn_at
from kan_widgets.widgets.wire.stream import Stream, stream_of

# Nobody else holds the models: a binding does not.
KEPT: list[torch.nn.Module] = []


@pytest.fixture(autouse=True)
def _seed() -> Iterator[None]:
    torch.manual_seed(0)
    yield
    KEPT.clear()


class Sent:
    """The messages of a stream."""

    def __init__(self, stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
        self.messages: list[tuple[dict[str, Any], list[Any]]] = []
        monkeypatch.setattr(stream, "send", lambda c, b=None: self.messages.append((c, b or [])))

    def of(self, kind: str) -> list[tuple[dict[str, Any], list[Any]]]:
        return [message for message in self.messages if message[0]["kind"] == kind]


def bound() -> tuple[torch.nn.Module, kw.live.Binding]:
    model = torch.nn.Sequential(
        kw.nn.KANConv2d(1, 2, 3), torch.nn.Flatten(), torch.nn.Linear(8, 2), torch.nn.ReLU()
    )
    KEPT.append(model)
    live = kw.bind(model)
    live.observe(torch.rand(2, 1, 4, 4))
    return model, live


def test_a_stream_has_the_order_of_the_modules_until_examples_are_followed() -> None:
    _, live = bound()
    stream = stream_of(live)
    assert structure_from(stream.structure) == live.feed.structure
    assert (stream.structure["traced"], stream.probe, stream.activations) == (False, {}, {})
    live.probe(torch.rand(3, 1, 4, 4), labels=[1, 0, 1])
    assert structure_from(stream.structure) == live.feed.structure
    assert stream.structure["traced"]
    assert (stream.probe["shape"], stream.probe["labels"]) == ([3, 1, 4, 4], [1, 0, 1])
    probed = live.feed.probed
    assert probed is not None
    assert stream.probe["inputs"] == probed.inputs.tobytes()
    again = Stream(live)  # as a page gets it after a reload
    for name in ("structure", "probe", "activations"):
        assert getattr(again, name) == getattr(stream, name)


def test_activations_are_one_message_with_all_values_and_all_extras(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, live = bound()
    sent = Sent(stream_of(live), monkeypatch)
    live.probe(torch.rand(3, 1, 4, 4))
    [(content, (data,))] = sent.of("activations")
    size = sum(math.prod(each["shape"]) for each in content["values"])
    values, extras = data[:size], data[size:]
    latest = live.feed.activations.latest
    assert latest is not None
    found = unpacked(content, np.frombuffer(values, np.uint8), np.frombuffer(extras, np.float32), 1)
    for one, other in zip(found.values, latest.values, strict=True):
        np.testing.assert_array_equal(one.decoded(), other.decoded())
    shapes = [(e.station, e.name, e.data.shape) for e in found.extras]
    assert shapes == [(k, "values", (3, 2 if k > 2 else 8)) for k in (2, 3, 4)]
    trait = stream_of(live).activations
    assert trait["data"] == bytes(values) + bytes(extras)
    assert trait["step"] == content["step"] == 0


def test_a_page_asks_for_the_activations_before_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    _, live = bound()
    live.probe(torch.rand(3, 1, 4, 4))
    for _ in range(3):
        live.step()
        live.feed.settle()
    stream = stream_of(live)
    sent = Sent(stream, monkeypatch)
    stream._answer(None, {"kind": "activations?"}, [])
    assert [(c["step"], c["past"]) for c, _ in sent.of("activations")] == [
        (step, True) for step in range(4)
    ]
    sent.messages.clear()
    stream._answer(None, {"kind": "activations?", "before": 2}, [])
    assert [c["step"] for c, _ in sent.of("activations")] == [0, 1]


def test_while_it_trains_in_a_kernel_another_thread_sends_activations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, live = bound()
    live.probe(torch.rand(3, 1, 4, 4))
    stream = stream_of(live)
    sent = Sent(stream, monkeypatch)
    monkeypatch.setattr(broadcast, "is_costly", lambda comm: True)
    with stream._outbox.lock:  # the scheduler does not send meanwhile
        monkeypatch.setattr(outbox.scheduler, "is_busy", lambda seconds: False)
        live.step()
        latest = live.feed.activations.latest
        assert latest is not None
        before = stream.activations
        stream.on_activations(latest)
        assert sent.of("activations") == []
        stream._outbox.flush()
    assert len(sent.of("activations")) == 1
    assert stream.activations is before


def test_other_examples_take_what_the_ones_before_made_from_the_page() -> None:
    _, live = bound()
    live.probe(torch.rand(3, 1, 4, 4))
    stream = stream_of(live)
    changes: list[Any] = []
    stream.observe(lambda change: changes.append(change["new"]), "activations")
    live.probe(torch.rand(2, 1, 4, 4))
    assert [change.get("step") for change in changes] == [None, 0]
    live.probe(None)
    assert (stream.probe, stream.activations) == ({}, {})


class Drawing(kw.KernelGrid):
    """A view that draws the network, as far as Python is concerned."""

    _draws_network = True


def test_a_still_gets_the_activations_of_the_frame_that_it_shows_or_those_before() -> None:
    _, live = bound()
    live.probe(torch.rand(3, 1, 4, 4))
    for _ in range(2):
        live.step()
        live.feed.settle()
    view = Drawing(live)
    with drawn_at(view._stream, live.history[1]):
        asked = view._picture_request(400, 300, 1, {})["stream"]
    assert asked["structure"]["traced"]
    assert asked["probe"]["shape"] == [3, 1, 4, 4]
    assert asked["activations"]["step"] == 1
    assert "structure" not in kw.KernelGrid(live)._picture_request(400, 300, 1, {})["stream"]
    assert network_of(live, live.history[0])["activations"]["step"] == 0


def test_a_page_with_a_view_of_the_network_keeps_it(tmp_path: Path) -> None:
    _, live = bound()
    live.probe(torch.rand(3, 1, 4, 4))
    for _ in range(3):
        live.step()
        live.feed.settle()
    stream = stream_of(live)
    past = past_of(stream)
    assert saved(stream, past.frames)["activations"] == []
    content = saved(stream, [live.history[0], live.history[2]], network=True)
    assert content["traits"]["structure"] == stream.structure
    assert content["traits"]["probe"] == stream.probe
    assert [each["step"] for each in content["activations"]] == [0, 2]
    assert content["activations"][0]["kind"] == "activations"
    without = kw.save_html(tmp_path / "without.html", kw.KernelGrid(live)).stat().st_size
    assert kw.save_html(tmp_path / "with.html", Drawing(live)).stat().st_size > without
