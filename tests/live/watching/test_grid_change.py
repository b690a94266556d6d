"""A binding follows its layers through grid updates, refinement and pruning."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.functions.tensor_arrangement import Arrangement
from kan_widgets.live import Frame, Listener
from kan_widgets.nn.changes import listeners
from kan_widgets.widgets import stream_of


def brute_force(layer: Any, index: tuple[int, ...], x: torch.Tensor) -> torch.Tensor:
    """One function from the layer's own parameters and basis."""
    base = layer.base_weight[index] * nn.functional.silu(x)
    splines = layer.basis.expand(x) @ layer.spline_weight[index]
    value = base + splines
    return (value if layer.mask is None or layer.mask[index] else 0 * value).detach()


def assert_shows(frame: Frame, layers: dict[str, Any]) -> None:
    """Every function of a frame is that of the layer."""
    for name, layer in layers.items():
        x, y = frame.evaluate(name)
        assert x[0] <= layer.basis.support[0] + 1e-5
        assert x[-1] >= layer.basis.support[1] - 1e-5
        points = torch.from_numpy(x)
        for index in np.ndindex(*layer.base_weight.shape):
            place = index if len(index) == 4 else (*index, 0, 0)
            expected = brute_force(layer, index, points)
            np.testing.assert_allclose(y[place], expected, rtol=0, atol=1e-5)


def network() -> tuple[nn.Sequential, torch.optim.Optimizer, dict[str, Any]]:
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANConv2d(1, 2, 3), nn.Flatten(), kw.nn.KANLinear(8, 3))
    return model, torch.optim.Adam(model.parameters(), 0.05), {"0": model[0], "2": model[2]}


def step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    (model(torch.randn(8, 1, 4, 4)) - 1).square().mean().backward()
    optimizer.step()


def test_frames_are_right_at_every_step_of_a_life():
    model, optimizer, layers = network()
    x = 2 * torch.randn(64, 1, 4, 4)
    remembered: list[tuple[int, dict[str, Any]]] = []
    with kw.bind(model, optimizer, every=1) as live:
        live.feed.camera.throttle.is_open = lambda now: True

        def remember() -> None:
            assert_shows(live.frame, layers)
            for read, layer in zip(live.read(), layers.values(), strict=True):
                assert read.domain == layer.basis.domain
                points = torch.linspace(*read.extent, 50)
                values = read.evaluate(points)
                for index in np.ndindex(*layer.base_weight.shape):
                    expected = brute_force(layer, index, points)
                    torch.testing.assert_close(values[index], expected, rtol=0, atol=1e-5)
            remembered.append((live.stats.steps, copy.deepcopy(layers)))

        remember()
        versions = [live.feed.layout.version]
        for change in (
            lambda: kw.nn.update_grid(model, x, optimizer=optimizer),
            lambda: kw.nn.refine(model, 10, optimizer=optimizer),
            lambda: model[0].update_grid(x, grid_eps=1.0),
            lambda: model[2].refine(12, even=True, optimizer=optimizer),
        ):
            for _ in range(3):
                step(model, optimizer)
                remember()
            change()
            # The frame of the change is there at once, without a step.
            remember()
            versions.append(live.feed.layout.version)
        step(model, optimizer)
        remember()
        assert versions == sorted(set(versions))
        by_step = dict(remembered)
        assert live.history.steps.tolist() == list(range(14))
        for frame in live.history:
            assert_shows(frame, by_step[frame.step])
            assert live.history.at(frame.step) is frame


def test_pruning_shows_at_once_and_a_dry_run_does_not():
    model, _, layers = network()
    x = torch.randn(64, 1, 4, 4)
    with kw.bind(model) as live:
        before = live.frame
        kw.nn.prune(model, 0.05, x)
        assert live.frame is before
        done = kw.nn.prune(model, 0.05, x, dry_run=False)
        removed = [record for record in done.values() if record.removed]
        assert removed
        assert live.frame is not before
        assert_shows(live.frame, layers)
        assert live.feed.layout is before.layout
        name = next(name for name, record in done.items() if record.removed)
        index = done[name].removed[0]
        place = index if len(index) == 4 else (*index, 0, 0)
        assert not live.frame.coefficients(name)[place].any()


def test_a_whole_model_changes_in_one_frame_per_binding():
    model, _, _ = network()

    class Counter(Listener):
        frames = layouts = 0

        def on_frame(self, frame: Frame, settled: bool) -> None:
            self.frames += 1

        def on_layout(self, layout: Any) -> None:
            self.layouts += 1

    with kw.bind(model) as live:
        counter = Counter()
        live.feed.subscribe(counter)
        kw.nn.update_grid(model, torch.randn(32, 1, 4, 4))
        assert (counter.frames, counter.layouts) == (1, 1)


def test_a_failed_update_shows_nothing_new():
    model, _, layers = network()
    with kw.bind(model) as live:
        before, layout = live.frame, live.feed.layout
        with pytest.raises(ValueError, match="NaN"):
            kw.nn.update_grid(model, torch.full((4, 1, 4, 4), torch.nan))
        assert live.frame is before
        assert live.refresh().layout is layout
        assert_shows(live.frame, layers)


def test_the_page_gets_new_tables_before_the_frame():
    layer = kw.nn.KANLinear(2, 3)
    with kw.bind(layer) as live:
        stream = stream_of(live)
        kinds: list[str] = []
        stream.send = lambda content, buffers=None: kinds.append(content["kind"])
        layer.refine(10)
        assert kinds == ["layout", "frame"]
        described = stream.layouts[-1]["layers"][0]
        assert described["nb"] == 14
        assert len(described["knots"]) == 17
        assert described["labels"][-1] == "B12"
        # The initial frame keeps the tables it was taken with.
        assert stream.layouts[0]["layers"][0]["nb"] == 9
        assert stream.initial["layout"] == stream.layouts[0]["version"]


def test_a_change_that_cannot_be_read_ends_the_watching_and_not_the_change(monkeypatch):
    layer = kw.nn.KANLinear(2, 3)
    live = kw.bind(layer)

    def broken() -> list[Any]:
        raise RuntimeError("unreadable")

    monkeypatch.setattr(live.feed.camera.layers, "read", broken)
    with pytest.warns(RuntimeWarning, match="stopped watching the model: RuntimeError: unreadable"):
        assert layer.refine(10) < 1e-5
    assert live.state == "fault"
    assert layer.basis.grid_size == 10


def test_edits_from_before_a_change_of_the_grid_are_not_taken_back_onto_it():
    model = nn.Sequential(kw.nn.KANLinear(2, 3), kw.nn.KANLinear(3, 1))
    with kw.bind(model) as live:
        live.edits.zero("0", (1, 1))
        live.edits.zero("1", (0, 2))
        model[0].update_grid(torch.randn(50, 2), grid_eps=1.0)
        before = model[0].spline_weight.detach().clone()
        assert [edit.layer for edit in live.edits.done] == ["1"]
        assert live.edits.undo().layer == "1"
        assert live.edits.undo() is None
        assert torch.equal(model[0].spline_weight, before)
        with pytest.raises(ValueError, match="the basis of 0 has changed since step 0"):
            live.edits.reset("0", (1, 1))


def test_a_grid_that_changes_while_the_layer_is_read_waits_for_the_reader(monkeypatch):
    layer = kw.nn.KANLinear(2, 3)
    [entry] = kw.functions.find(layer)
    change = threading.Thread(target=lambda: layer.refine(10))
    take = Arrangement.functions

    def slowly(arranged: Arrangement) -> kw.functions.LayerFunctions:
        found = take(arranged)
        assert found.coefficients.any()
        change.start()
        change.join(0.5)
        return found

    monkeypatch.setattr(Arrangement, "functions", slowly)
    [functions] = entry.read()
    change.join()
    assert functions.coefficients.shape == (3, 2, 9)
    assert functions.basis_labels[-1] == "B7"
    assert layer.basis.grid_size == 10


def test_a_closed_binding_hears_nothing():
    layer = kw.nn.KANLinear(2, 3)
    live = kw.bind(layer)
    live.close()
    frame = live.frame
    layer.refine(10)
    assert live.frame is frame
    assert not listeners._listeners[layer]


def test_copies_of_a_bound_layer_are_not_watched_and_it_is_not_kept():
    layer = kw.nn.KANLinear(2, 3)
    live = kw.bind(layer)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        twin.refine(20)
    assert live.feed.layout.layers[0].nb == 9
    seen = weakref.ref(layer)
    del layer
    gc.collect()
    assert seen() is None
