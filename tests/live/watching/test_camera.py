"""The camera alone: frames of layers, without a training."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.live import History, Listener
from kan_widgets.live.budget import TOTAL_SHARE, UNSEEN_SHARE, overhead
from kan_widgets.live.frames.large_layers import Looking
from kan_widgets.live.model.layers import BoundLayers
from kan_widgets.live.watching.camera import Camera


@pytest.fixture
def model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(kw.nn.KANLinear(3, 2), kw.nn.KANLinear(2, 2), kw.nn.KANLinear(2, 1))


@pytest.fixture
def camera(model: nn.Sequential) -> Camera:
    return Camera(BoundLayers(model), history_bytes=10**6)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the names of the modules that are read from now on."""
    from kan_widgets.live.model import layers

    names: list[str] = []
    read_module = layers.read_module

    def counted(name: str, *others: Any) -> Any:
        names.append(name)
        return read_module(name, *others)

    monkeypatch.setattr(layers, "read_module", counted)
    return names


def assert_shows(camera: Camera, model: nn.Module) -> None:
    for layer in kw.functions.read(model):
        shown = camera.history.latest.coefficients(layer.name)
        np.testing.assert_array_equal(shown, layer.coefficients.reshape(shown.shape))


def change(layer: nn.Module) -> None:
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter += 1


def keep(camera: Camera, step: int) -> None:
    frame = camera.take(step)
    assert frame is not None
    camera.keep(frame)


def test_who_begins_to_look_does_not_wait_for_what_frames_cost_that_nobody_saw(
    model: nn.Sequential, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = kw.bind(model, every=1)
    throttle = live.feed.camera.throttle
    live.step()
    assert throttle.most == UNSEEN_SHARE
    # Bindings that other tests left have no part of the time here.
    monkeypatch.setattr(overhead, "part", TOTAL_SHARE)
    throttle.owe(0.09)  # 45 s of a training that nobody sees
    now = throttle.due
    assert live.feed.is_due(now)
    assert not live.feed.is_due(now - 20)
    live.feed.subscribe(Listener())
    assert throttle.most == TOTAL_SHARE
    assert live.feed.is_due(now - 20)


def test_frames_are_taken_and_kept(camera: Camera, model: nn.Sequential) -> None:
    for step in (1, 2):
        change(model)
        keep(camera, step)
        assert_shows(camera, model)
    assert camera.history.steps.tolist() == [0, 1, 2]
    assert camera.taken == 3


def test_a_frame_that_a_later_one_has_overtaken_is_not_developed(camera: Camera) -> None:
    slow = camera.begin_now(lambda: 1)
    keep(camera, 2)
    assert camera.develop(slow) is None


def test_a_new_basis_is_a_new_layout(camera: Camera, model: nn.Sequential) -> None:
    before = camera.layout
    first = model[0]
    assert isinstance(first, kw.nn.KANLinear)
    first.refine(10)
    frame = camera.take(1)
    assert frame is not None
    assert frame.layout is not before
    assert camera.layout is before
    camera.keep(frame)
    assert camera.layout is frame.layout
    assert_shows(camera, model)


def test_what_is_read_while_steps_are_counted_by_hand_is_read_again(
    camera: Camera, read: list[str]
) -> None:
    counts = iter([0, 1, 1, 1])
    started = camera.begin_now(lambda: next(counts))
    assert started.step == 1
    # Twice, each time with a look whether a grid has moved.
    assert read == ["0", "1", "2"] * 4


def test_what_is_looked_at_has_the_budget_where_no_whole_frame_fits(
    model: nn.Sequential, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Camera(BoundLayers(model), history_bytes=10**6).layout
    room = 2 * 4 * layout.size  # a whole frame takes half of it
    for budget, shares in ((room, (room // 2, room // 2)), (room - 2, (0, room - 2))):
        with monkeypatch.context() as patched:
            patched.setattr("kan_widgets.live.watching.camera.Looking", lambda: Looking(budget=400))
            camera = Camera(BoundLayers(model), history_bytes=budget)
        assert (camera.history.max_bytes, camera.glimpses.max_bytes) == shares
    whole = Camera(BoundLayers(model), history_bytes=room)
    assert whole.history.max_bytes == room


def test_a_closed_camera_takes_no_more_and_keeps_what_it_has(camera: Camera) -> None:
    keep(camera, 1)
    camera.close()
    with pytest.raises(RuntimeError, match="bind the model again"):
        camera.take(2)
    assert camera.history.steps.tolist() == [0, 1]


def test_an_empty_history_has_no_latest_frame() -> None:
    with pytest.raises(LookupError, match="empty"):
        _ = History(1).latest


def test_a_frame_of_the_present_is_read_again_where_a_grid_has_moved_meanwhile(
    model, camera, monkeypatch
):
    own, moved = camera.layers.read, []

    def read():
        layers = own()
        if not moved:  # as another thread may do, before the coefficients are copied
            moved.append(model[0].update_grid(5 * torch.rand(64, 3) + 1))
        return layers

    monkeypatch.setattr(camera.layers, "read", read)
    frame = camera.develop(camera.begin_now(lambda: 5))
    [now, *_] = kw.functions.read(model)
    assert frame.layout.layer("0").domain == now.domain
    np.testing.assert_array_equal(frame.coefficients("0")[:, :, 0, 0], now.coefficients)


def test_a_frame_has_what_stands_between_the_layers_as_it_is_at_its_step() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), kw.nn.KANLinear(12, 2)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    live = kw.bind(model, optimizer, max_fps=1e6)

    def held(frame: kw.live.Frame) -> dict[str, list[float]]:
        ends = np.cumsum([vector.size for vector in frame.layout.beside])
        parts = np.split(frame.beside, ends[:-1])
        return {
            vector.name: part.tolist()
            for vector, part in zip(frame.layout.beside, parts, strict=True)
        }

    names = "1.running_mean", "1.running_var", "1.weight", "1.bias", "0.bias"
    for step in range(4):
        state = model.state_dict()
        assert held(live.refresh()) == {name: state[name].tolist() for name in held(live.frame)}
        assert set(held(live.frame)) == set(names)
        assert live.frame.step == step
        optimizer.zero_grad()
        model(step + torch.rand(5, 1, 4, 4)).square().mean().backward()
        optimizer.step()
    # Also where a function is changed, for which no other layer is read.
    model(torch.rand(5, 1, 4, 4))
    live.edits.set("3", (0, 0), [0.0] * 9)
    assert held(live.frame)["1.running_mean"] == model[1].running_mean.tolist()
    # And where something else has taken its place: in frames of another layout.
    before = live.feed.layout
    model[1].bias = None
    model[1].running_mean = None
    now = live.refresh()
    assert now.layout is not before
    assert set(held(now)) == {"1.running_var", "1.weight", "0.bias"}
    assert live.history[0].layout is before


class Normed:
    """A network with a norm, bound and trained by this thread."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        layers = kw.nn.KANConv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), kw.nn.KANLinear(72, 3)
        self.model = nn.Sequential(*layers)
        self.optimizer = torch.optim.SGD(self.model.parameters(), 0.1)
        self.live = kw.bind(self.model, self.optimizer, every=1000)

    def forward(self) -> torch.Tensor:
        return self.model(torch.rand(4, 1, 8, 8)).square().sum()

    def step(self, loss: torch.Tensor) -> None:
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


def elsewhere(call: Any) -> None:
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


def test_another_thread_shows_no_state_between_a_forward_pass_and_its_step() -> None:
    normed = Normed()
    live = normed.live
    for _ in range(3):
        normed.step(normed.forward())
    begun = normed.forward()  # which moves the norm
    elsewhere(live.feed.settle)
    assert live.feed.frame.step < 3
    normed.step(begun)
    elsewhere(live.feed.settle)
    frame = live.feed.frame
    assert frame.step == 4
    [mean] = [v for v in frame.layout.beside if v.name == "1.running_mean"]
    before = frame.layout.beside[: frame.layout.beside.index(mean)]
    start = frame.layout.coefficients + sum(vector.size for vector in before)
    shown = frame.data[start : start + mean.size]
    np.testing.assert_array_equal(shown, normed.model[1].running_mean.numpy())


def test_buffers_that_do_not_say_when_they_move_stop_no_training() -> None:
    with torch.inference_mode():
        frozen = torch.zeros(3)
    model = nn.Sequential(kw.nn.KANLinear(3, 2))
    model.register_buffer("frozen", frozen)
    model.register_module("lazy", nn.LazyBatchNorm1d())
    model.lazy.forward = lambda x: x
    optimizer = torch.optim.SGD(model[0].parameters(), 0.1)
    live = kw.bind(model, optimizer)
    model[0](torch.rand(4, 3)).sum().backward()
    optimizer.step()
    assert live.stats.steps == 1
