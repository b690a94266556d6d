"""Binding: what is counted, what is sent, and that watching changes nothing."""

from __future__ import annotations

import asyncio
import copy
import gc
import threading
import time
import warnings
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.live import Binding, Frame, Layout


class Recorder:
    """Keeps all that a binding says."""

    def __init__(self, binding: Binding | None = None) -> None:
        self.frames: list[tuple[int, bool]] = []
        self.layouts: list[Layout] = []
        self.states: list[str] = []
        self.rebound: list[Binding] = []
        self.last: Frame | None = None
        if binding is not None:
            binding.subscribe(self)

    def on_layout(self, layout: Layout) -> None:
        self.layouts.append(layout)

    def on_frame(self, frame: Frame, settled: bool) -> None:
        self.frames.append((frame.step, settled))
        self.last = frame

    def on_state(self, state: str, message: str) -> None:
        self.states.append(state)

    def on_rebind(self, binding: Binding) -> None:
        self.rebound.append(binding)


def small() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = kw.nn.KANLinear(3, 2)
    return model, torch.optim.Adam(model.parameters(), lr=0.1)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
    for step in range(steps):
        optimizer.zero_grad()
        model(torch.full((4, 3), step / 10)).square().sum().backward()
        optimizer.step()


def wait_for(condition: Any, seconds: float = 20.0) -> None:
    """Wait until ``condition()`` holds; fail after ``seconds``."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def hooks(optimizer: torch.optim.Optimizer) -> int:
    return len(optimizer._optimizer_step_pre_hooks) + len(optimizer._optimizer_step_post_hooks)


def test_frames_come_at_every_nth_step_and_the_last_state_always():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=3, max_fps=1e9)
    live._throttle.interval = 0.0
    recorder = Recorder(live)
    train(model, optimizer, 8)
    seen = [step for step, _ in recorder.frames]
    assert set(seen) <= {3, 6}
    live.settle()
    assert recorder.frames[-1] == (8, True)
    np.testing.assert_array_equal(
        recorder.last.coefficients("KANLinear")[..., 0, 0, 0], model.base_weight.detach().numpy()
    )


def test_a_closed_throttle_skips_and_counts_but_the_last_state_comes():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1, max_fps=1e-3)
    recorder = Recorder(live)
    train(model, optimizer, 10)
    assert [step for step, _ in recorder.frames] == [1]
    assert live.stats.frames_skipped == 9
    live.settle()
    assert [step for step, _ in recorder.frames] == [1, 10]
    stats = live.stats
    assert (stats.steps, stats.frames_taken, stats.frames_sent) == (10, 3, 2)
    assert 0 < stats.seconds
    assert 0 < stats.share <= 1


def test_when_training_goes_quiet_the_last_state_comes_by_itself():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1000)
    recorder = Recorder(live)
    train(model, optimizer, 7)
    wait_for(lambda: recorder.frames)
    assert recorder.frames == [(7, True)]
    wait_for(lambda: recorder.states == ["live", "idle"])


def test_steps_by_hand_are_counted_where_no_optimizer_is_bound():
    model, optimizer = small()
    live = kw.bind(model, every=2)
    recorder = Recorder(live)
    for _ in range(2):
        train(model, optimizer, 1)
        live.step()
    assert live.stats.steps == 2
    assert recorder.frames[0][0] == 2


def test_steps_by_hand_are_refused_beside_an_optimizer():
    model, optimizer = small()
    with pytest.raises(RuntimeError, match="optimizer counts"):
        kw.bind(model, optimizer).step()


def test_refresh_takes_the_present_state_whatever_the_throttle():
    model, _ = small()
    live = kw.bind(model, max_fps=1e-3)
    recorder = Recorder(live)
    model.base_weight.data.fill_(7.0)
    frame = live.refresh()
    assert frame.coefficients("KANLinear")[0, 0, 0, 0, 0] == 7.0
    assert recorder.last is frame
    assert live.history[0].coefficients("KANLinear")[0, 0, 0, 0, 0] != 7.0


def run(watch: bool, threads: bool = False) -> tuple[dict[str, Any], dict[str, Any], torch.Tensor]:
    """Train a small article-like network with random batches; return all of its state."""
    torch.manual_seed(3)
    model = kw.nn.KANCNN.article()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    if watch:
        live = kw.bind(model, optimizer, every=1)
        grid = kw.KernelGrid(live, mode="change")
        grid.image(width=300)
    for _ in range(6):
        images, labels = torch.randn(8, 1, 28, 28), torch.randint(0, 10, (8,))
        optimizer.zero_grad()
        nn.functional.nll_loss(model(images), labels).backward()
        optimizer.step()
        if watch:
            live.refresh()
    if watch:
        assert live.stats.frames_sent >= 6
    return model.state_dict(), optimizer.state_dict(), torch.get_rng_state()


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def test_watching_leaves_weights_optimizer_and_random_numbers_bit_identical():
    with_view, without = run(watch=True), run(watch=False)
    for watched, alone in zip(with_view, without, strict=True):
        assert same(watched, alone)


def test_watching_leaves_mode_and_gradients_alone():
    model, optimizer = small()
    model.eval()
    live = kw.bind(model, optimizer, every=1)
    train(model, optimizer, 2)
    gradient = model.base_weight.grad.clone()
    live.refresh()
    assert not model.training
    assert torch.equal(gradient, model.base_weight.grad)


def test_binding_again_replaces_the_earlier_binding_and_its_listeners_follow():
    model, optimizer = small()
    first = kw.bind(model, optimizer)
    recorder = Recorder(first)
    second = kw.bind(model, optimizer, every=1)
    assert hooks(optimizer) == 2
    assert first.state == "closed"
    assert recorder.rebound == [second]
    train(model, optimizer, 1)
    assert recorder.frames[-1][0] == 1
    assert first.stats.steps == 0


def test_closing_removes_the_hooks_and_says_so():
    model, optimizer = small()
    with kw.bind(model, optimizer) as live:
        recorder = Recorder(live)
        train(model, optimizer, 4)
    assert hooks(optimizer) == 0
    assert recorder.frames[-1] == (4, True)
    assert recorder.states[-1] == "closed"
    train(model, optimizer, 1)
    assert live.stats.steps == 4
    live.close()
    for act in (live.refresh, live.step):
        with pytest.raises(RuntimeError, match="closed: bind the model again"):
            act()


@pytest.mark.parametrize("closed", [True, False])
def test_a_bound_model_can_be_collected(closed):
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1)
    grid = kw.KernelGrid(live)
    train(model, optimizer, 2)
    if closed:
        live.close()
    gone = weakref.ref(model)
    del model, optimizer
    gc.collect()
    assert gone() is None
    assert live.state == "closed"
    assert live.model is None
    assert grid.image(width=300).size == (600, grid.image(width=300).size[1])


def test_closing_from_a_hook_or_another_thread_never_stops_the_training():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1)
    optimizer.register_step_post_hook(lambda *_: live.close())
    train(model, optimizer, 3)
    assert live.state == "closed"

    model, optimizer = small()
    for _ in range(20):
        live = kw.bind(model, optimizer, every=1)
        closer = threading.Thread(target=live.close)
        trainer = threading.Thread(target=train, args=(model, optimizer, 20))
        trainer.start()
        closer.start()
        closer.join()
        trainer.join()
        assert live.state == "closed"
    train(model, optimizer, 1)


def test_training_in_another_thread_and_in_async_code_is_followed():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1)
    thread = threading.Thread(target=train, args=(model, optimizer, 5))
    thread.start()
    thread.join()
    assert live.stats.steps == 5

    async def loop() -> None:
        for _ in range(5):
            train(model, optimizer, 1)
            await asyncio.sleep(0)

    asyncio.run(loop())
    live.settle()
    assert live.history[-1].step == live.stats.steps == 10


def test_settling_waits_for_no_step_that_is_going_on():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1000)
    recorder = Recorder(live)
    train(model, optimizer, 1)
    inside, leave = threading.Event(), threading.Event()
    optimizer.register_step_pre_hook(lambda *_: (inside.set(), leave.wait(), None)[-1])
    thread = threading.Thread(target=train, args=(model, optimizer, 1))
    thread.start()
    inside.wait()
    live.settle()
    assert recorder.frames == []
    leave.set()
    thread.join()
    live.settle()
    assert recorder.frames == [(2, True)]


def test_a_step_that_raises_leaves_the_binding_working():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1)

    def closure() -> float:
        raise FloatingPointError

    for _ in range(2):
        with pytest.raises(FloatingPointError):
            optimizer.step(closure)
    train(model, optimizer, 2)
    live.settle()
    assert live.history[-1].step == 2
    live.close()
    assert hooks(optimizer) == 0


def test_closures_and_gradient_scalers_are_counted():
    model, _ = small()
    lbfgs = torch.optim.LBFGS(model.parameters(), max_iter=3)

    def closure() -> torch.Tensor:
        lbfgs.zero_grad()
        loss = model(torch.ones(2, 3)).square().sum()
        loss.backward()
        return loss

    live = kw.bind(model, lbfgs, every=1)
    lbfgs.step(closure)
    assert live.stats.steps == 1

    sgd = torch.optim.SGD(model.parameters(), 0.1)
    live = kw.bind(model, sgd, every=1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0)
    sgd.zero_grad()
    scaler.scale(model(torch.ones(2, 3)).sum()).backward()
    scaler.step(sgd)
    assert live.stats.steps == 1


# Importing torch.compile itself warns of the scripting that torch still uses inside.
@pytest.mark.filterwarnings("ignore:.*script_method:DeprecationWarning")
def test_a_compiled_model_is_followed_under_its_own_names():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    compiled = torch.compile(model, backend="eager")
    optimizer = torch.optim.SGD(compiled.parameters(), 0.1)
    live = kw.bind(compiled, optimizer, every=1)
    train(compiled, optimizer, 3)
    assert live.layers == ("0", "2")
    live.settle()
    assert live.history[-1].step == 3
    np.testing.assert_array_equal(
        live.frame.coefficients("0")[..., 0, 0, 0], model[0].weight.detach().numpy()
    )


def test_a_listener_that_raises_is_dropped_with_one_warning_and_training_goes_on():
    class Broken(Recorder):
        def on_frame(self, frame: Frame, settled: bool) -> None:
            raise OSError("the canvas is gone")

    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1)
    live._throttle.interval = 0.0
    live.subscribe(Broken())
    well = Recorder(live)
    with pytest.warns(RuntimeWarning, match="canvas is gone") as caught:
        train(model, optimizer, 3)
    live.settle()
    assert len(caught) == 1
    assert live.stats.steps == 3
    assert well.frames[-1] == (3, True)


def test_a_model_that_can_no_longer_be_read_ends_the_binding_and_not_the_training():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1)
    recorder = Recorder(live)
    spline, model.spline_weight = model.spline_weight, None
    model.base_weight.grad = torch.zeros_like(model.base_weight)
    with pytest.warns(RuntimeWarning, match="stopped watching"):
        optimizer.step()
    optimizer.step()  # without a further warning, which would be an error
    model.spline_weight = spline
    assert (live.state, recorder.states[-1]) == ("fault", "fault")
    assert live.message
    train(model, optimizer, 2)


def test_warnings_as_errors_do_not_reach_the_training_loop():
    model, optimizer = small()
    kw.bind(model, optimizer, every=1)
    model.spline_weight, spline = None, model.spline_weight
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.base_weight.grad = torch.zeros_like(model.base_weight)
        optimizer.step()
    model.spline_weight = spline


def test_a_grid_that_changes_sends_a_new_layout_before_the_frame():
    from kan_widgets.nn import BSpline

    model, _ = small()
    live = kw.bind(model)
    recorder = Recorder(live)
    model.basis = BSpline(5, 3, (-2.0, 2.0))
    live.refresh()
    assert recorder.layouts == [recorder.last.layout]
    assert recorder.last.layout.version > live.history[0].layout.version
    assert recorder.last.layout.layers[0].domain == (-2.0, 2.0)
    assert live.history[0].layout.layers[0].domain == (-1.0, 1.0)


def test_layers_can_be_chosen():
    model = kw.nn.KANCNN.article()
    names = kw.bind(model).layers
    live = kw.bind(model, layers=[names[2], names[0]])
    assert live.layers == (names[2], names[0])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"every": 0}, ValueError, "at least 1"),
        ({"every": 2.5}, TypeError, "whole number"),
        ({"every": True}, TypeError, "whole number"),
        ({"max_fps": 0}, ValueError, "above 0"),
        ({"max_fps": float("nan")}, ValueError, "above 0"),
        ({"max_fps": "fast"}, TypeError, "a number is taken"),
        ({"history_mb": -1}, ValueError, "from 0"),
        ({"layers": ["conv9"]}, ValueError, r"unknown 'conv9'; the layers are 'KANLinear'"),
        ({"layers": []}, ValueError, "none chosen"),
        ({"layers": "KANLinear"}, TypeError, r"\['KANLinear'\]"),
        ({"layers": ["KANLinear", "KANLinear"]}, ValueError, "twice"),
        ({"optimizer": "adam"}, TypeError, r"torch\.optim\.Optimizer"),
    ],
)
def test_bad_arguments_raise_before_any_hook_is_placed(arguments, error, message):
    model, optimizer = small()
    live = kw.bind(model, optimizer)
    with pytest.raises(error, match=message):
        kw.bind(model, **{"optimizer": optimizer, **arguments})
    assert hooks(optimizer) == 2
    assert live.state == "idle"


def test_bad_models_and_foreign_optimizers_raise_before_any_hook_is_placed():
    _, optimizer = small()
    other = kw.nn.KANLinear(3, 2)
    with pytest.raises(ValueError, match="none of the parameters"):
        kw.bind(other, optimizer)
    with pytest.raises(ValueError, match="no parameters"):
        kw.bind(nn.Sequential(nn.ReLU()))
    with pytest.raises(ValueError, match="no readable functions"):
        kw.bind(nn.BatchNorm1d(3))
    with pytest.raises(TypeError, match="Module"):
        kw.bind([1, 2])
    assert hooks(optimizer) == 0


def test_optimizers_and_models_can_still_be_copied_while_bound():
    model, optimizer = small()
    kw.bind(model, optimizer, every=1)
    train(model, optimizer, 1)
    copy.deepcopy(model)
    copied = copy.deepcopy(optimizer)
    assert same(copied.state_dict(), optimizer.state_dict())
