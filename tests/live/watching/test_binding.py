"""Binding: what is counted, what is sent, and that watching changes nothing."""

from __future__ import annotations

import asyncio
import copy
import gc
import re
import threading
import time
import warnings
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.live import Binding, Frame, Layout, Listener, Source
from kan_widgets.live.steering.counter import stepping_of
from kan_widgets.live.watching import step_hook
from kan_widgets.live.worker import Job, scheduler


class Recorder(Listener):
    """Keeps all that a binding says."""

    def __init__(self, binding: Binding | None = None) -> None:
        self.frames: list[tuple[int, bool]] = []
        self.layouts: list[Layout] = []
        self.states: list[str] = []
        self.rebound: list[Source] = []
        self.last: Frame | None = None
        if binding is not None:
            binding.feed.subscribe(self)

    def on_layout(self, layout: Layout) -> None:
        self.layouts.append(layout)

    def on_frame(self, frame: Frame, settled: bool) -> None:
        self.frames.append((frame.step, settled))
        self.last = frame

    def on_state(self, state: str, message: str) -> None:
        self.states.append(state)

    def on_replaced(self, source: Source) -> None:
        self.rebound.append(source)


def small() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = kw.nn.KANLinear(3, 2)
    return model, torch.optim.Adam(model.parameters(), lr=0.1)


def open_throttle(live: Binding) -> None:
    """Let every frame that is due be taken, however soon and costly."""
    live.feed.camera.throttle.is_open = lambda now: True


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


def counters(optimizer: torch.optim.Optimizer) -> int:
    return len(stepping_of(optimizer).counters)


@pytest.mark.usefixtures("never_quiet")
def test_frames_come_at_every_nth_step_and_the_last_state_always():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=3)
    open_throttle(live)
    recorder = Recorder(live)
    train(model, optimizer, 8)
    assert recorder.frames == [(3, False), (6, False)]
    live.feed.settle()
    assert recorder.frames[-1] == (8, True)
    np.testing.assert_array_equal(
        recorder.last.coefficients("KANLinear")[..., 0, 0, 0], model.base_weight.detach().numpy()
    )


@pytest.mark.usefixtures("never_quiet")
def test_a_closed_throttle_skips_and_counts_but_the_last_state_comes():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1, max_fps=1e-3)
    recorder = Recorder(live)
    train(model, optimizer, 10)
    assert [step for step, _ in recorder.frames] == [1]
    assert live.stats.frames_skipped == 9
    live.feed.settle()
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


@pytest.mark.usefixtures("never_quiet")
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


def run(watch: bool) -> tuple[dict[str, Any], dict[str, Any], torch.Tensor]:
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


def test_binding_again_with_another_optimizer_replaces_the_binding_and_its_listeners_follow():
    model, optimizer = small()
    first = kw.bind(model, optimizer)
    recorder = Recorder(first)
    other = torch.optim.SGD(model.parameters(), lr=0.1)
    second = kw.bind(model, other, every=1)
    assert (counters(optimizer), counters(other)) == (0, 1)
    assert first.state == "closed"
    assert recorder.rebound == [second]
    open_throttle(second)
    train(model, other, 1)
    assert recorder.frames[-1][0] == 1
    assert first.stats.steps == 0


def test_binding_again_with_other_options_gives_the_same_binding_and_these_options():
    model, optimizer = small()
    first = kw.bind(model, optimizer, every=5, max_fps=1.0, class_names=["a", "b"])
    recorder = Recorder(first)
    second = kw.bind(model, optimizer, every=1, max_fps=1e6, history_mb=1.0)
    assert second is first
    assert counters(optimizer) == 1
    assert recorder.rebound == []
    assert (second.every, second.class_names) == (1, None)
    assert second.history.max_bytes == 1_000_000
    assert recorder.layouts[-1].layers[0].names == ()
    open_throttle(second)
    train(model, optimizer, 3)
    assert [step for step, _ in recorder.frames[-3:]] == [1, 2, 3]
    assert kw.bind(model, optimizer, layers=["KANLinear"]) is not first


def test_binding_again_with_the_same_optimizer_goes_on_and_with_another_starts_anew():
    model, optimizer = small()
    first = kw.bind(model, optimizer)
    initial = first.history[0]
    train(model, optimizer, 5)
    second = kw.bind(model, optimizer)
    assert second.history[0] is initial
    assert second.frame.step == second.stats.steps == 5
    other = torch.optim.SGD(model.parameters(), 0.1)
    third = kw.bind(model, other)
    assert third.history.steps.tolist() == [0]
    assert counters(optimizer) == 0


def test_binding_again_after_a_fault_works_and_the_listeners_follow():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1)
    recorder = Recorder(live)
    spline, model.spline_weight = model.spline_weight, None
    model.base_weight.grad = torch.zeros_like(model.base_weight)
    with pytest.warns(RuntimeWarning, match="stopped watching"):
        optimizer.step()
    model.spline_weight = spline
    again = kw.bind(model, optimizer, every=1)
    assert recorder.rebound == [again]
    assert again.state == "idle"
    train(model, optimizer, 1)
    assert again.stats.steps == 1


def test_closing_removes_the_hooks_and_says_so():
    model, optimizer = small()
    with kw.bind(model, optimizer) as live:
        recorder = Recorder(live)
        train(model, optimizer, 4)
    assert counters(optimizer) == 0
    assert recorder.frames[-1] == (4, True)
    assert recorder.states[-1] == "closed"
    train(model, optimizer, 1)
    assert live.stats.steps == 4
    live.close()
    with pytest.raises(RuntimeError, match="closed: bind the model again"):
        live.refresh()


def test_a_loop_that_counts_by_hand_outlives_its_binding():
    model, _ = small()
    live = kw.bind(model)
    live.step()
    live.close()
    live.step()
    assert live.stats.steps == 1


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


def test_closing_or_binding_inside_a_hook_never_stops_the_training():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1)
    handle = optimizer.register_step_post_hook(lambda *_: live.close())
    optimizer.register_step_post_hook(lambda *_: None)
    train(model, optimizer, 3)
    assert live.state == "closed"
    handle.remove()

    live = kw.bind(model, optimizer, every=1)
    again = []
    handle = optimizer.register_step_post_hook(
        lambda *_: again.append(kw.bind(model, optimizer, every=1))
    )
    optimizer.register_step_post_hook(lambda *_: None)
    train(model, optimizer, 2)
    handle.remove()
    assert again[-1].state != "closed"


@pytest.mark.parametrize("act", ["close", "bind"])
def test_closing_or_binding_while_another_thread_is_in_a_hook_never_stops_its_training(act):
    model, optimizer = small()
    inside, leave = threading.Event(), threading.Event()

    def hold(*_: Any) -> None:
        inside.set()
        leave.wait()

    first = optimizer.register_step_pre_hook(hold)
    live = kw.bind(model, optimizer, every=1)
    last = optimizer.register_step_post_hook(lambda *_: None)
    failed: list[BaseException] = []

    def loop() -> None:
        try:
            train(model, optimizer, 2)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=loop)
    thread.start()
    inside.wait()
    if act == "close":
        live.close()
    else:
        live = kw.bind(model, optimizer, every=1)
    leave.set()
    thread.join()
    assert failed == []
    first.remove()
    last.remove()
    if act == "bind":
        live.feed.settle()
        assert live.frame.step == 2
    live.close()
    kw.bind(model, optimizer).close()
    assert counters(optimizer) == 0


def test_many_bindings_place_one_hook_also_during_background_training():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1)
    thread = threading.Thread(target=train, args=(model, optimizer, 300))
    thread.start()
    for _ in range(10):
        live = kw.bind(model, optimizer, every=1)
    thread.join()
    assert counters(optimizer) == 1
    assert live.stats.steps == live.feed.training.steps == 300


def test_what_was_read_before_a_step_by_hand_is_not_shown_as_that_step(monkeypatch):
    model, _ = small()
    live = kw.bind(model, every=1)
    live.feed.camera.throttle.is_open = lambda now: False
    live.step()
    has_read, go_on = threading.Event(), threading.Event()
    read = live.feed.camera.layers.read

    def read_slowly() -> Any:
        layers = read()
        if threading.current_thread() is settler and not has_read.is_set():
            has_read.set()
            go_on.wait(20)
        return layers

    monkeypatch.setattr(live.feed.camera.layers, "read", read_slowly)
    settler = threading.Thread(target=live.feed.settle)
    settler.start()
    assert has_read.wait(20)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 1
    live.step()
    live.refresh()
    go_on.set()
    settler.join()
    assert live.frame.step == 2
    layer = kw.functions.read(model)[0]
    shown = live.frame.coefficients(layer.name)
    np.testing.assert_array_equal(shown, layer.coefficients.reshape(shown.shape))


def test_two_models_of_one_optimizer_are_both_counted():
    one, other = kw.nn.KANLinear(3, 2), kw.nn.KANLinear(3, 2)
    optimizer = torch.optim.SGD([*one.parameters(), *other.parameters()], 0.1)
    lives = [kw.bind(model, optimizer, every=1) for model in (one, other)]
    train(one, optimizer, 2)
    assert [live.stats.steps for live in lives] == [2, 2]
    lives[0].close()
    train(one, optimizer, 1)
    assert [live.stats.steps for live in lives] == [2, 3]


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
    live.feed.settle()
    assert live.history[-1].step == live.stats.steps == 10


@pytest.mark.usefixtures("never_quiet")
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
    live.feed.settle()
    assert recorder.frames == []
    leave.set()
    thread.join()
    live.feed.settle()
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
    live.feed.settle()
    assert live.history[-1].step == 2
    live.close()
    assert counters(optimizer) == 0


def test_after_a_step_that_raised_in_a_thread_the_last_state_still_comes():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1000)
    recorder = Recorder(live)

    def closure() -> float:
        raise FloatingPointError

    def loop() -> None:
        train(model, optimizer, 1)
        with pytest.raises(FloatingPointError):
            optimizer.step(closure)

    thread = threading.Thread(target=loop)
    thread.start()
    thread.join()
    assert live.refresh().step == 1
    wait_for(lambda: (1, True) in recorder.frames)


def test_a_listener_may_call_back_into_the_binding():
    class Refresher(Recorder):
        def on_state(self, state: str, message: str) -> None:
            super().on_state(state, message)
            if state == "idle":
                live.refresh()

    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1000)
    recorder = Refresher(live)
    train(model, optimizer, 2)
    wait_for(lambda: "idle" in recorder.states)
    train(model, optimizer, 1)
    wait_for(lambda: live.frame.step == 3)


def test_a_subclass_that_calls_its_parents_step_is_counted_once():
    class Mine(torch.optim.SGD):
        def step(self, closure: Any = None) -> Any:
            return super().step(closure)

    model, _ = small()
    torch.optim.SGD(model.parameters(), 0.1)
    optimizer = Mine(model.parameters(), 0.1)
    live = kw.bind(model, optimizer, every=1)
    train(model, optimizer, 3)
    assert live.stats.steps == 3


def test_slow_steps_keep_to_every_and_stay_live():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=3)
    recorder = Recorder(live)
    for _ in range(6):
        train(model, optimizer, 1)
        time.sleep(0.4)
    assert [step for step, settled in recorder.frames if not settled] == [3, 6]
    assert len([step for step, settled in recorder.frames if settled]) <= 2


def test_a_hundred_steps_in_no_time_give_few_frames():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1, max_fps=2)
    recorder = Recorder(live)
    start = time.monotonic()
    train(model, optimizer, 100)
    allowed = 1 + 2 * (time.monotonic() - start)
    # On a machine that stalls, training goes quiet in between: such frames are settled ones.
    assert 1 <= len([step for step, settled in recorder.frames if not settled]) <= allowed


def test_costly_frames_are_taken_less_often():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1, max_fps=1000)

    class Slow(Recorder):
        def on_frame(self, frame: Frame, settled: bool) -> None:
            super().on_frame(frame, settled)
            time.sleep(0.05)

    recorder = Slow(live)
    start = time.monotonic()
    while time.monotonic() - start < 1.2:
        train(model, optimizer, 1)
    # 50 ms each at a tenth of the time: one in 500 ms.
    assert len([step for step, settled in recorder.frames if not settled]) <= 4


@pytest.mark.usefixtures("never_quiet")
def test_every_can_be_changed_but_not_to_nonsense():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1000)
    open_throttle(live)
    recorder = Recorder(live)
    live.every = 2
    train(model, optimizer, 4)
    assert [step for step, _ in recorder.frames] == [2, 4]
    with pytest.raises(ValueError, match="every=0: expected a whole number of steps ≥ 1"):
        live.every = 0
    assert live.every == 2


def test_history_keeps_to_its_budget():
    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1, history_mb=0.02)
    open_throttle(live)
    train(model, optimizer, 200)
    assert len(live.history) < 60
    assert live.history.nbytes <= 20_000 + live.frame.nbytes
    assert live.history.steps[0] == 0
    assert live.history.steps[-1] == 200


@pytest.mark.usefixtures("never_quiet")
def test_the_end_of_a_cell_settles_what_its_thread_trained():
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    try:
        model, optimizer = small()
        live = kw.bind(model, optimizer, every=1000)
        recorder = Recorder(live)
        train(model, optimizer, 2)
        shell.events.trigger("post_run_cell", None)
        assert recorder.frames == [(2, True)]

        thread = threading.Thread(target=train, args=(model, optimizer, 1))
        thread.start()
        thread.join()
        assert live.state == "live"
        shell.events.trigger("post_run_cell", None)
        assert live.frame.step == 2
    finally:
        InteractiveShell.clear_instance()


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
    live.feed.settle()
    assert live.history[-1].step == 3
    np.testing.assert_array_equal(
        live.frame.coefficients("0")[..., 0, 0, 0], model[0].weight.detach().numpy()
    )


def test_a_listener_that_raises_is_named_once_told_again_and_training_goes_on():
    class Broken(Recorder):
        def on_frame(self, frame: Frame, settled: bool) -> None:
            super().on_frame(frame, settled)
            raise OSError("the canvas is gone")

    model, optimizer = small()
    live = kw.bind(model, optimizer, every=1)
    open_throttle(live)
    broken = Broken(live)
    well = Recorder(live)
    with pytest.warns(RuntimeWarning, match="failed on a new frame.*canvas") as caught:
        train(model, optimizer, 3)
    live.feed.settle()
    assert len(caught) == 1
    assert live.stats.steps == 3
    assert well.frames == broken.frames == [(1, False), (2, False), (3, False), (3, True)]


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
    assert live.feed.message
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
    np.testing.assert_array_equal(
        live.frame.coefficients(names[0])[:, 0, ..., 0],
        live.model.convs[0].base_weight.detach().numpy().reshape(5, 3, 3),
    )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"every": 0}, ValueError, "expected a whole number of steps ≥ 1"),
        ({"every": 2.5}, TypeError, "whole number"),
        ({"every": True}, TypeError, "whole number"),
        ({"max_fps": 0}, ValueError, "expected a finite number > 0"),
        ({"max_fps": float("nan")}, ValueError, "expected a finite number > 0"),
        ({"max_fps": "fast"}, TypeError, "expected a number"),
        ({"history_mb": -1}, ValueError, "expected a finite number of megabytes ≥ 0"),
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
    assert counters(optimizer) == 1
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
    assert counters(optimizer) == 0


def test_functions_are_selected_by_their_place_in_all_views():
    model, _ = small()
    live = kw.bind(model)
    live.select("KANLinear", 1, 2)
    assert live.feed.selection == {"layer": "KANLinear", "out": 1, "in": 2, "row": 0, "column": 0}
    with pytest.raises(IndexError, match="2 × 3 × 1 × 1"):
        live.select("KANLinear", 2, 0)
    with pytest.raises(KeyError, match="the layers are"):
        live.select("conv")
    assert live.feed.selection["out"] == 1
    live.select(None)
    assert live.feed.selection is None


def test_a_trained_activation_gives_new_tables_and_a_fixed_one_does_not():
    model = kw.nn.KANLinear(2, 1, base_activation=nn.PReLU())
    live = kw.bind(model)
    recorder = Recorder(live)
    live.refresh()
    assert recorder.layouts == []
    with torch.no_grad():
        model.base_activation.weight.fill_(0.9)
    live.refresh()
    assert len(recorder.layouts) == 1
    x, y = live.frame.evaluate("KANLinear")
    expected = kw.functions.read(model)[0].evaluate(torch.tensor(x))
    np.testing.assert_allclose(y[..., 0, 0, :], expected.numpy(), atol=1e-6)


def test_optimizers_and_models_can_still_be_copied_while_bound():
    model, optimizer = small()
    kw.bind(model, optimizer, every=1)
    train(model, optimizer, 1)
    copy.deepcopy(model)
    copied = copy.deepcopy(optimizer)
    assert same(copied.state_dict(), optimizer.state_dict())


@pytest.mark.parametrize(
    ("given", "named", "words"),
    [
        (({"loss": 0.3},), {}, "got a dict: write live.log(**numbers), not live.log(numbers)"),
        ((0.3,), {}, "every number needs a name: write live.log(loss=0.3)"),
        ((torch.tensor(0.3),), {}, "every number needs a name: write live.log(loss=0.3)"),
        ((3,), {}, "every number needs a name"),
        ((3, 0.3), {}, "every number needs a name"),
        ((None, 0.3), {"accuracy": 1}, "every number needs a name"),
        (("loss", 0.3), {}, "live.log('loss', ...): write live.log(loss=...)"),
        (("train/loss", 0.3), {}, "write live.log(**{'train/loss': ...})"),
        ((0.3,), {"accuracy": 1}, "step=0.3: expected a whole number"),
    ],
)
def test_logging_a_number_without_a_name_says_what_to_write(given, named, words):
    model, optimizer = small()
    live = kw.bind(model, optimizer)
    with pytest.raises(TypeError, match=re.escape(words)):
        live.log(*given, **named)
    assert live.scalars.names == ()


def test_a_step_to_log_at_may_be_any_whole_number():
    model, optimizer = small()
    live = kw.bind(model, optimizer)
    for step in (1, np.int64(2), torch.tensor(3)):
        live.log(step, loss=0.5)
    live.log(**{"train/loss": 1.0})
    live.log()
    assert live.scalars.series("loss")[0].tolist() == [1, 2, 3]
    assert live.scalars.names == ("loss", "train/loss")


def test_a_binding_whose_model_has_gone_is_kept_until_its_end_can_be_drawn(monkeypatch):
    monkeypatch.setattr(step_hook, "_KEPT_SECONDS", 1e9)
    monkeypatch.setattr(step_hook, "_ended", [])
    model, _ = small()
    live = weakref.ref(kw.bind(model))
    del model
    gc.collect()
    # Others of earlier tests may end at the same time: wait for this one.
    wait_for(lambda: any(ended is live() for _, ended in list(step_hook._ended)))
    gc.collect()
    kept = live()
    assert kept is not None
    assert kept.state == "closed"
    del kept
    # Only the scheduler's thread writes this list.
    Job(scheduler, lambda: step_hook._ended.clear()).wake()
    wait_for(lambda: gc.collect() >= 0 and live() is None)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("class_name", "no class_name that can be set. Did you mean 'class_names'?"),
        ("evry", "no evry that can be set. Did you mean 'every'?"),
        ("history_mb", "What can be set: channel_names, class_names, data_source, every"),
        ("max_fps", "Write kan_widgets.bind(model, optimizer, max_fps=...)"),
        ("selection", "Write live.select(layer, out, in_)"),
    ],
)
def test_what_a_binding_does_not_have_cannot_be_set_on_it(name: str, said: str) -> None:
    live = kw.bind(model := kw.nn.KANLinear(2, 1))
    with pytest.raises(AttributeError, match=re.escape(said)):
        setattr(live, name, 3)
    assert not hasattr(live, name)
    live.every, live.data_source = 3, "moons"
    assert (live.every, live.data_source) == (3, "moons")
    assert live.model is model


def test_what_a_recording_does_not_have_cannot_be_set_on_it(tmp_path: Path) -> None:
    live = kw.bind(model := kw.nn.KANLinear(2, 1))
    run = kw.replay(live.save(tmp_path / "run.npz"))
    with pytest.raises(AttributeError, match="a Replay has no class_names that can be set"):
        run.class_names = ["a"]
    assert live.model is model


def test_a_binding_has_few_public_names_and_each_is_documented() -> None:
    live = kw.bind(model := kw.nn.KANLinear(2, 1))
    names = [name for name in dir(live) if not name.startswith("_")]
    print(len(names), "public names:", *names)
    assert len(names) <= 35
    kept = {"feed", "scalars"}  # attributes, whose docstrings stand in the source
    bare = [name for name in names if name not in kept and not getattr(Binding, name).__doc__]
    assert not bare
    assert live.model is model


def test_a_name_that_is_tried_first_says_what_to_write() -> None:
    live = kw.bind(model := kw.nn.KANLinear(2, 1))
    for name, said in {
        "steps": "Write live.stats.steps",
        "observed": "Write live.feed.observed",
        "cures": "Write live.watchdog.cured",
        "uncure": r"Write live.watchdog.undo\(\)",
        "learning_rate": r"Write live.set_learning_rate\(value\)",
    }.items():
        with pytest.raises(AttributeError, match=f"no attribute '{name}'. {said}"):
            getattr(live, name)
        assert name not in dir(live)
    with pytest.raises(AttributeError) as raised:
        live.histry  # noqa: B018
    assert (raised.value.name, raised.value.obj) == ("histry", live)  # Python says what is near
    with pytest.raises(AttributeError, match=r"Write live.set_learning_rate\(value\)"):
        live.learning_rate = 0.1
    assert live.model is model
