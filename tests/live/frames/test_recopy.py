"""Frames of layers that are not read anew: they are the exact state, whatever changes."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize, prune

import kan_widgets as kw
from kan_widgets.live import Binding, Frame, Layout, Listener
from kan_widgets.nn.changes import listeners


class Last(Listener):
    """Keeps the last layout and frame that a binding has sent."""

    def __init__(self, binding: Binding) -> None:
        self.layout, self.frame = binding.feed.layout, binding.frame
        binding.feed.subscribe(self)

    def on_layout(self, layout: Layout) -> None:
        self.layout = layout

    def on_frame(self, frame: Frame, settled: bool) -> None:
        self.frame = frame


def bound(model: nn.Module, **options: object) -> tuple[Binding, Last, Callable[[], Frame]]:
    """Bind a model; return a function that makes a step with a frame, after two such steps."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    live = kw.bind(model, optimizer, every=1, **options)
    live.feed.camera.throttle.is_open = lambda now: True
    last = Last(live)

    def step() -> Frame:
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        assert live.frame.step == live.stats.steps
        assert last.frame is live.frame
        assert last.layout is last.frame.layout
        return last.frame

    step()
    step()
    return live, last, step


def expected(layer: kw.nn.KANLinear) -> np.ndarray:
    """Return what the coefficients of a layer are, (out, in, 1, 1, nb), by numpy."""
    splines = layer.spline_weight.detach().numpy()
    if layer.spline_scaler is not None:
        splines = splines * layer.spline_scaler.detach().numpy()[..., None]
    both = [layer.base_weight.detach().numpy()[..., None], splines]
    joined = np.concatenate(both, axis=-1).astype(np.float32)
    return joined[:, :, None, None]


def scaled() -> kw.nn.KANLinear:
    torch.manual_seed(0)
    return kw.nn.KANLinear(3, 2, spline_scaler=True)


def assert_shown(frame: Frame, layer: kw.nn.KANLinear, name: str = "KANLinear") -> None:
    np.testing.assert_array_equal(frame.coefficients(name), expected(layer))


class TrainedBasis(nn.Module):
    """One basis function, with a parameter."""

    n_basis, labels, domain = 1, ("W",), (-1.0, 1.0)

    def __init__(self) -> None:
        super().__init__()
        self.pitch = nn.Parameter(torch.ones(()))

    def expand(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(self.pitch * x).unsqueeze(-1)

    def derivative(self, x: torch.Tensor) -> torch.Tensor:
        return self.pitch * torch.cos(self.pitch * x).unsqueeze(-1)


class Mixed(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            kw.nn.KANConv2d(1, 2, 3, spline_scaler=True),
            nn.Conv2d(2, 3, 3),
            kw.nn.SharedKANConv2d(2, 3),
            nn.Linear(4, 2),
            kw.nn.KANLinear(3, 2, basis="rbf"),
        )


@pytest.mark.parametrize("chosen", [None, ["4", "0"]])
def test_frames_without_reading_anew_are_those_read_anew(monkeypatch, chosen):
    model = Mixed()
    live, _, step = bound(model, layers=chosen)
    read = live.feed.camera.layers.read

    def no_reading() -> None:
        raise AssertionError("read anew")

    for _ in range(3):
        monkeypatch.setattr(live.feed.camera.layers, "read", no_reading)
        frame = step()
        monkeypatch.setattr(live.feed.camera.layers, "read", read)
        for layer in kw.functions.read(model):
            if layer.name in frame.layout.names:
                shown = frame.coefficients(layer.name)
                np.testing.assert_array_equal(shown, layer.coefficients.reshape(shown.shape))


def test_the_first_step_already_takes_its_frame_without_reading_anew(monkeypatch):
    model = scaled()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    live = kw.bind(model, optimizer, every=1)
    monkeypatch.setattr(live.feed.camera.layers, "read", None)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    assert live.frame.step == 1
    assert_shown(live.frame, model)


def test_frames_own_their_data():
    live, _, step = bound(scaled())
    first = step()
    kept = first.data.copy()
    second = step()
    assert not np.shares_memory(first.data, second.data)
    assert not second.data.flags.writeable
    np.testing.assert_array_equal(first.data, kept)
    assert [frame.step for frame in live.history] == [0, 1, 2, 3, 4]


def test_a_model_whose_frames_are_followed_can_be_collected():
    model = scaled()
    watched = weakref.ref(model)
    live, _, step = bound(model)
    step()
    del model, step
    gc.collect()
    assert watched() is None
    assert live.state == "closed"


def test_a_layer_that_is_gone_is_not_written():
    layer = nn.Linear(3, 2)
    [functions] = kw.functions.read(layer)
    rewrite = functions.rewriter(torch.empty(2, 3, 1))
    with torch.no_grad():
        assert rewrite()
        del layer, functions
        gc.collect()
        assert not rewrite()


def masked() -> kw.nn.KANLinear:
    layer = kw.nn.KANLinear(3, 2)
    layer.mask = torch.ones(2, 3, dtype=torch.bool)
    return layer


@pytest.mark.parametrize(
    "layer",
    [
        masked(),
        kw.nn.KANLinear(3, 2).double(),
        kw.nn.KANLinear(3, 2, base_activation=nn.SiLU()),
        kw.nn.KANLinear(3, 2, basis=TrainedBasis()),
    ],
)
def test_what_may_change_in_more_than_values_is_not_followed(layer):
    [functions] = kw.functions.read(layer)
    assert functions.rewriter(torch.empty(functions.coefficients.shape)) is None


def test_memory_that_is_replaced_is_followed():
    layer = scaled()
    _, _, step = bound(layer)
    layer.spline_weight.data = torch.randn(2, 3, 8)
    layer.base_weight = nn.Parameter(torch.randn(2, 3))
    assert_shown(step(), layer)


def test_not_a_number_is_shown_as_it_is():
    layer = scaled()
    _, _, step = bound(layer)
    with torch.no_grad():
        layer.spline_weight[0, 0, 0] = float("nan")
        layer.spline_scaler[1, 1] = float("inf")
    assert_shown(step(), layer)


def test_another_precision_is_followed():
    layer = scaled()
    _, _, step = bound(layer)
    layer.double()
    with torch.no_grad():
        layer.base_weight.add_(1e-9)
    assert_shown(step(), layer)
    assert_shown(step(), layer)


@pytest.mark.filterwarnings("ignore:Complex modules:UserWarning")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda layer: layer.to(torch.complex64), "complex64"),
        (lambda layer: layer.to("meta"), "of type meta"),
    ],
)
def test_what_cannot_be_read_is_not_copied(change, message):
    layer = scaled()
    live, _, _ = bound(layer)
    change(layer)
    taken = live.stats.frames_taken
    with pytest.warns(RuntimeWarning, match=message):
        live.feed.counter.after_step()
    assert live.state == "fault"
    assert live.stats.frames_taken == taken


def test_another_basis_of_the_same_size_gives_a_new_layout():
    layer = scaled()
    live, _, step = bound(layer)
    before = live.feed.layout
    layer.basis = kw.nn.BSpline(grid_range=(-2.0, 3.0))
    frame = step()
    assert frame.layout is not before
    assert frame.layout.layers[0].domain == (-2.0, 3.0)


def test_a_basis_that_comes_back_gives_a_new_layout_again():
    layer = scaled()
    live, last, step = bound(layer)
    first, other = layer.basis, kw.nn.BSpline(grid_range=(-2.0, 3.0))
    layer.basis = other
    live.refresh()
    assert last.layout.layers[0].domain == (-2.0, 3.0)
    layer.basis = first
    assert step().layout.layers[0].domain == (-1.0, 1.0)


def test_another_base_activation_gives_a_new_layout():
    layer = scaled()
    _, _, step = bound(layer)
    layer.base_activation = "relu"
    assert step().layout.layers[0].labels[0] == "relu"


def test_an_activation_that_is_trained_later_is_followed():
    layer = kw.nn.KANLinear(3, 2, base_activation=nn.SiLU())
    live, _, step = bound(layer)
    before = live.feed.layout
    layer.base_activation.register_parameter("slope", nn.Parameter(torch.ones(())))
    layer.base_activation.forward = lambda x: layer.base_activation.slope * x
    assert step().layout is not before


def test_functions_that_are_pruned_by_hand_are_zero_and_come_back():
    layer = scaled()
    _, _, step = bound(layer)
    layer.mask = torch.ones(2, 3, dtype=torch.bool)
    layer.mask[1, 2] = False
    assert not step().coefficients("KANLinear")[1, 2].any()
    layer.mask = None
    assert_shown(step(), layer)


def test_a_scaler_that_comes_or_goes_is_followed():
    layer = kw.nn.KANLinear(3, 2)
    _, _, step = bound(layer)
    layer.spline_scaler = nn.Parameter(torch.full((2, 3), 5.0))
    assert_shown(step(), layer)
    assert_shown(step(), layer)
    layer.spline_scaler = None
    assert_shown(step(), layer)


def test_a_parameter_of_another_shape_gives_a_new_layout():
    layer = nn.Linear(3, 2, bias=False)
    _, _, step = bound(layer)
    layer.weight = nn.Parameter(torch.randn(1, 3))
    frame = step()
    assert frame.layout.layers[0].shape == (1, 3, 1, 1)
    np.testing.assert_array_equal(frame.data, layer.weight.detach().numpy().ravel())


@pytest.mark.parametrize("pruned", [True, False])
def test_a_weight_that_is_no_longer_a_parameter_is_followed(pruned):
    class Doubled(nn.Module):
        def forward(self, weight: torch.Tensor) -> torch.Tensor:
            return 2 * weight

    layer = nn.Linear(3, 2, bias=False)
    _, _, step = bound(layer)
    if pruned:
        prune.l1_unstructured(layer, "weight", 4)
        layer(torch.ones(1, 3))
    else:
        parametrize.register_parametrization(layer, "weight", Doubled())
    frame = step()
    layer.eval()(torch.ones(1, 3))  # a pruned weight is computed in the next pass
    np.testing.assert_array_equal(frame.data, layer.weight.detach().numpy().ravel())


def test_a_frame_waits_for_what_is_done_to_a_layer_as_a_whole():
    layer = scaled()
    _, _, step = bound(layer)
    begun, go_on, finished = threading.Event(), threading.Event(), []

    def exchange() -> None:
        with listeners.together:
            begun.set()
            go_on.wait(20)
            finished.append(True)

    thread = threading.Thread(target=exchange)
    thread.start()
    begun.wait(20)
    threading.Timer(0.2, go_on.set).start()
    step()
    assert finished
    thread.join()
