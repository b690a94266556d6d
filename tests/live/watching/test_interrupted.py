"""Ctrl-C while a binding works, in the thread that trains, leaves nothing switched."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.functions.forward_pass import ForwardPass
from kan_widgets.functions.undisturbed import undisturbed
from kan_widgets.live import Binding
from kan_widgets.live.watching.updates import updates_of
from kan_widgets.nn.changes.listeners import together
from tests.live.steering.test_steps import interrupted_at


def bound(folder: Path | None = None) -> tuple[nn.Module, torch.optim.Optimizer, Binding]:
    """Return a model with a mode and draws of its own, and a binding that takes all frames."""
    torch.manual_seed(0)
    model = nn.Sequential(kw.nn.KANLinear(3, 4), nn.Dropout(0.5), kw.nn.KANLinear(4, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    live = kw.bind(model, optimizer, every=1)
    live.feed.camera.throttle.is_open = lambda now: True
    return model, optimizer, live


def step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    model(torch.linspace(-1, 1, 12).view(4, 3)).square().sum().backward()
    optimizer.step()


def elsewhere(want: Callable[[], object]) -> None:
    """Want something in another thread, as a page does: the one that trains has to do it."""
    thread = threading.Thread(target=want)
    thread.start()
    thread.join()


@pytest.fixture(autouse=True)
def no_lock_is_left_held() -> Iterator[None]:
    """Ask another thread: the one that was interrupted would get the lock again."""
    yield
    free: list[bool] = []
    elsewhere(lambda: free.append(together.acquire(timeout=5) and not together.release()))
    assert free == [True]


class Observing:
    """Wants the model to be run on a batch."""

    def __init__(self, live: Binding) -> None:
        self.live = live

    def observe(self, at_rest: bool) -> None:
        self.live.observe(torch.linspace(-1, 1, 12).view(4, 3))


SWITCHES = ("no_grad", "enable_grad", "set_grad_enabled", "inference_mode")


@pytest.mark.usefixtures("never_quiet")
def test_nothing_that_a_binding_does_in_a_loop_uses_torchs_own_switches_of_gradients(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model, optimizer, live = bound()
    live.feed.bound.forward_pass.end()
    live.feed.bound.forward_pass = None  # copying a module uses them, and is `ungraded` as a whole
    updates, observing = updates_of(live), Observing(live)
    live.record(tmp_path / "run.npz")
    live.watchdog(steps=1)
    counted = live.feed.counter.after_step
    used: list[str] = []

    def watched() -> bool:
        with monkeypatch.context() as patch:
            for name in SWITCHES:
                real = getattr(torch, name)
                patch.setattr(torch, name, lambda *a, n=name, r=real: (used.append(n), r(*a))[1])
            return counted()

    monkeypatch.setattr(live.feed.counter, "after_step", watched)
    for k in range(10):
        step(model, optimizer)
        if k == 1:
            elsewhere(lambda: live.probe(torch.linspace(-1, 1, 6).view(2, 3)))
            assert not live.feed.training.queue.is_empty
        if k == 3:
            elsewhere(lambda: live.edits.fix("0", (0, 0), [0.25] * 9))
            assert live.edits.is_waiting
        if k == 5:
            model[0].refine(7, optimizer=optimizer)
        if k == 7:
            elsewhere(lambda: live.feed.training.queue.request("observe", observing.observe))
            assert not live.feed.training.queue.is_empty
    assert used == []
    assert live.state == "live"
    assert live.feed.bound.probing.examples is not None
    assert live.edits.held
    assert set(live.feed.observed) == {"0", "2"}
    assert live.feed.layout.layer("0").nb == 11
    assert updates.latest("0") is not None
    live.close()


def state_of(model: nn.Module) -> list[Any]:
    """Return all that may be switched in the process and the model, to be compared."""
    numbers = np.random.get_state()  # noqa: NPY002
    return [
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.get_rng_state().tolist(),
        random.getstate(),
        (numbers[0], numbers[1].tolist(), *numbers[2:]),
        torch._C._len_torch_function_stack(),
        torch.get_default_dtype(),
        torch.is_autocast_enabled("cpu"),
        [module.training for module in model.modules()],
        [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()],
    ]


@pytest.mark.slow
def test_a_frame_interrupted_anywhere_leaves_nothing_switched() -> None:
    model, optimizer, live = bound()
    updates = updates_of(live)
    for _ in range(3):
        step(model, optimizer)
    live.feed.bound.next_proof = None  # it would place hooks, of which the next test asks
    before, place, taken = state_of(model), 1, live.stats.frames_taken
    # Places where Python looks for Ctrl-C, every one of them: some two hundred.
    while interrupted_at(place, live.feed.counter.after_step):
        assert state_of(model) == before, f"interrupted at place {place}"
        place += 1
    assert place > 100
    assert live.stats.frames_taken > taken
    assert live.feed.is_open
    assert updates is not None


def test_hooks_interrupted_anywhere_while_they_are_placed_are_gone_after_the_next_pass() -> None:
    model, _, live = bound()
    live.close()
    before, place = state_of(model)[-1], 1
    made: list[ForwardPass] = []
    while interrupted_at(place, lambda: made.append(ForwardPass(model))):
        model(torch.zeros(2, 3))
        assert state_of(model)[-1] == before, f"interrupted at place {place}"
        place += 1
    assert place > 100
    place = 1
    while interrupted_at(place, made[-1].end):
        made[-1].end()
        assert state_of(model)[-1] == before, f"interrupted at place {place}"
        made.append(ForwardPass(model))
        place += 1
    assert place > 5


def of_torchs_modes(frame: FrameType | None) -> bool:
    """Whether it is where torch takes a mode of functions out and puts it back, by a generator.

    Interrupted in between, it puts it back when the traceback is forgotten, whatever is done here.
    """
    for _ in range(3):
        if frame is None or frame.f_code.co_name == "handle_torch_function":
            return frame is not None
        frame = frame.f_back
    return False


@pytest.mark.slow
@pytest.mark.parametrize("first", range(3))
def test_a_forward_pass_of_a_binding_interrupted_anywhere_leaves_nothing_switched(
    first: int,
) -> None:
    model, optimizer, live = bound()
    step(model, optimizer)
    examples = torch.linspace(-1, 1, 6).view(2, 3)
    live.observe(examples)
    live.probe(examples)
    ways: list[Callable[[], Any]] = [
        lambda: live.observe(examples),
        lambda: live.feed.bound.probing.trace(model, live.feed.layout, live.stats.steps),
        lambda: undisturbed(model, lambda: model(examples)),
    ]
    before, place = state_of(model), 1
    # All places of the shortest; of the others one in 29, which meets each part of the code.
    while interrupted_at(place, ways[first], of_torchs_modes):
        assert state_of(model) == before, f"interrupted at place {place}"
        place += 1 if first == 2 else 29
    assert place > 100
    assert live.feed.is_open


def test_runs_of_two_models_that_overlap_leave_compiling_as_it_was() -> None:
    torch.compile(nn.Linear(1, 1), backend="eager")(torch.zeros(1, 1))
    frames = sys.modules["torch._dynamo.eval_frame"]
    before, inside, over = frames._stance.stance, threading.Event(), threading.Event()

    def slowly() -> None:
        inside.set()
        assert over.wait(10)

    first = threading.Thread(target=undisturbed, args=(nn.Linear(1, 1), slowly))
    first.start()
    assert inside.wait(10)

    def then() -> None:
        over.set()
        first.join(10)
        assert frames._stance.stance == "force_eager"

    undisturbed(nn.Linear(1, 1), then)
    assert frames._stance.stance == before
