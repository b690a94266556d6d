"""Steps are counted once each, however they are made and however the ones before them ended."""

from __future__ import annotations

import dis
import functools
import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import StepLR

import kan_widgets as kw
from kan_widgets.live.steering.counter import Counter


class Twice(torch.optim.SGD):
    """Its step() calls its parent's: torch wraps both with hooks."""

    def step(self, closure: Any = None) -> Any:
        return super().step(closure)


class Thrice(Twice):
    def step(self, closure: Any = None) -> Any:
        return super().step(closure)


def bound(kind: type[torch.optim.Optimizer] = torch.optim.SGD, **how: Any) -> Any:
    """Return model, optimizer and binding; the optimizer's parents have hooks as well."""
    torch.manual_seed(0)
    model = kw.nn.KANLinear(3, 2)
    for parent in (torch.optim.SGD, Twice):
        parent(model.parameters(), lr=0.1)
    optimizer = kind(model.parameters(), **(how or {"lr": 0.001}))
    return model, optimizer, kw.bind(model, optimizer, every=1000)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.ones(4, 3)).square().sum().backward()
        optimizer.step()


def raiser(error: BaseException) -> Callable[..., Any]:
    def throw(*_: Any) -> Any:
        raise error

    return throw


@pytest.mark.parametrize("kind", [torch.optim.SGD, Twice, Thrice])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), FloatingPointError()])
def test_every_step_after_steps_that_raised_is_counted(
    kind: type[torch.optim.Optimizer], error: BaseException
) -> None:
    model, optimizer, live = bound(kind)
    kept = []  # tracebacks keep the frames of the steps that raised, as a notebook does
    for place in ("closure", "pre hook", "post hook"):
        register = {
            "pre hook": optimizer.register_step_pre_hook,
            "post hook": optimizer.register_step_post_hook,
        }.get(place)
        handle = register(raiser(error)) if register else None
        for _ in range(3):
            with pytest.raises(type(error)) as caught:
                optimizer.step(raiser(error) if handle is None else None)
            kept.append(caught)
        if handle is not None:
            handle.remove()
        before = live.stats.steps
        train(model, optimizer, 5)
        assert live.stats.steps == before + 5, place


def test_an_interrupt_inside_our_own_counting_stops_no_later_step_from_being_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, optimizer, live = bound(Twice)
    for name in ("_count", "hold_or_stop"):
        with monkeypatch.context() as patch:
            patch.setattr(Counter, name, raiser(KeyboardInterrupt()))
            live.feed.counter.request_full_step()
            with pytest.raises(KeyboardInterrupt):
                train(model, optimizer, 1)
        before = live.stats.steps
        train(model, optimizer, 5)
        assert live.stats.steps == before + 5


@functools.cache
def looks_for_signals(code: CodeType) -> set[int]:
    """Return before which instructions Python handles an interrupt: after a call or a jump back."""
    instructions = list(dis.get_instructions(code))
    calls = {
        after.offset
        for before, after in itertools.pairwise(instructions)
        if before.opname.startswith(("CALL", "RESUME"))
    }
    jumps = {one.argval for one in instructions if one.opname in ("JUMP_BACKWARD", "JUMP_ABSOLUTE")}
    return calls | jumps


def interrupted_at(
    place: int,
    step: Callable[[], Any],
    spared: Callable[[FrameType], bool] = lambda frame: False,
) -> bool:
    """Make a step, interrupted at a place of it or of what it calls; return whether so.

    Places in frames that are spared are not counted.
    """
    done = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal done
        frame.f_trace_opcodes = True
        looks = event == "opcode" and frame.f_lasti in looks_for_signals(frame.f_code)
        # Of what is raised while the dead are buried Python says only that it was ignored.
        if looks and not spared(frame) and not frame.f_code.co_filename.endswith("_weakrefset.py"):
            done += 1
            if done == place:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        step()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("kind", [torch.optim.SGD, Twice])
def test_a_step_interrupted_anywhere_stops_no_later_step_from_being_counted(
    kind: type[torch.optim.Optimizer],
) -> None:
    model, optimizer, live = bound(kind)
    train(model, optimizer, 1)
    place = 1
    while interrupted_at(place, optimizer.step):
        torch.set_grad_enabled(True)  # torch itself leaves it off, interrupted at the wrong place
        before = live.stats.steps
        train(model, optimizer, 2)
        assert live.stats.steps == before + 2, f"interrupted at place {place}"
        assert not live.feed.counter.stepping.inside()
        place += 1
    assert place > 100
    # A lock that was left locked is this thread's: only another one would wait for it.
    thread = threading.Thread(target=live.refresh, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


REAL_INTERRUPTS = """
import json, random, signal, sys, threading
import torch
import kan_widgets as kw

class Twice(torch.optim.SGD):
    def step(self, closure=None):
        return super().step(closure)

random.seed(0)
torch.manual_seed(0)
model = kw.nn.KANLinear(3, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
if sys.argv[1] == "Twice":
    optimizer = Twice(model.parameters(), lr=0.001)
live = kw.bind(model, optimizer, every=7)
data = torch.ones(4, 3)
signal.signal(signal.SIGALRM, signal.default_int_handler)

# Functions of many sizes: the frame of one or the other takes the place of a step's that has died.
RUN = '''
def run(steps, after=None):
    {locals} = None
    torch.set_grad_enabled(True)  # torch itself leaves it off, interrupted at the wrong place
    for _ in live.track(range(steps)):
        optimizer.zero_grad()
        model(data).square().sum().backward()
        if after is not None:
            signal.setitimer(signal.ITIMER_REAL, after)
        optimizer.step()
'''
runs = []
for size in range(1, 17):
    exec(RUN.format(locals=" = ".join(f"x{k}" for k in range(size))))
    runs.append(run)

run(20)
interrupts = incomplete = 0
while interrupts < 200:
    try:
        random.choice(runs)(1000, random.uniform(1e-6, 5e-4))
    except KeyboardInterrupt:
        signal.setitimer(signal.ITIMER_REAL, 0)
        interrupts += 1
        if interrupts % 2:
            sys.last_traceback = sys.exc_info()[2]  # as IPython keeps it
    before = live.stats.steps
    random.choice(runs)(5)
    incomplete += live.stats.steps != before + 5
before = live.stats.steps
run(200)
counted = live.stats.steps - before
# A lock that was left locked is this thread's: only another one would wait for it.
thread = threading.Thread(target=live.close, daemon=True)
thread.start()
thread.join(20)
print(json.dumps([interrupts, incomplete, counted, live.state]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["SGD", "Twice"])
def test_after_two_hundred_real_interrupts_every_step_is_counted(kind: str) -> None:
    command = [sys.executable, "-c", REAL_INTERRUPTS, kind]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [200, 0, 200, "closed"], done.stderr


@pytest.mark.parametrize("kind", [torch.optim.SGD, Twice, Thrice])
def test_a_step_is_counted_once_whatever_wraps_it(kind: type[torch.optim.Optimizer]) -> None:
    model, optimizer, live = bound(kind)
    scheduler = StepLR(optimizer, 1)  # replaces step() on the instance
    for _ in range(3):
        train(model, optimizer, 1)
        scheduler.step()
    assert live.stats.steps == 3


def test_a_step_that_evaluates_a_closure_many_times_is_counted_once() -> None:
    model, optimizer, live = bound(torch.optim.LBFGS, lr=0.1, max_iter=4)
    calls = []

    def closure() -> torch.Tensor:
        calls.append(live.stats.steps)
        optimizer.zero_grad()
        loss: torch.Tensor = model(torch.ones(4, 3)).square().sum()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    assert live.stats.steps == 3
    assert len(calls) > 3


def test_steps_of_a_grad_scaler_are_counted_and_those_it_leaves_out_are_not() -> None:
    model, optimizer, live = bound(Twice)
    scaler = torch.amp.GradScaler("cpu")
    for factor in (1.0, float("inf"), 1.0):
        optimizer.zero_grad()
        scaler.scale(model(torch.ones(4, 3)).square().sum() * factor).backward()
        scaler.step(optimizer)
        scaler.update()
    assert live.stats.steps == 2


@pytest.mark.parametrize("kind", [torch.optim.SGD, Twice])
def test_steps_in_several_threads_at_once_are_all_counted(
    kind: type[torch.optim.Optimizer],
) -> None:
    model, optimizer, live = bound(kind)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    threads = [
        threading.Thread(target=lambda: [optimizer.step() for _ in range(200)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert live.stats.steps == 800


def test_a_thread_that_ended_in_a_step_does_not_pass_for_one_that_is_inside() -> None:
    model, optimizer, live = bound(Twice)

    def leave_a_step() -> None:
        with pytest.raises(FloatingPointError):
            optimizer.step(raiser(FloatingPointError()))

    thread = threading.Thread(target=leave_a_step)
    thread.start()
    thread.join()
    assert not live.feed.counter.stepping.goes_on()
    train(model, optimizer, 2)
    assert live.stats.steps == 2


def test_nobody_reads_parameters_in_the_midst_of_a_step_however_long_it_takes() -> None:
    _, optimizer, live = bound(Twice)
    inside, leave = threading.Event(), threading.Event()

    def closure() -> float:
        inside.set()
        assert leave.wait(60)
        return 0.0

    thread = threading.Thread(target=optimizer.step, args=(closure,))
    thread.start()
    assert inside.wait(60)
    stepping = live.feed.counter.stepping
    assert stepping.goes_on()
    read: list[int] = []
    reader = threading.Thread(
        target=lambda: read.append(stepping.read_between_steps(lambda: live.stats.steps))
    )
    reader.start()
    leave.set()
    reader.join()
    thread.join()
    assert read == [1]
    assert not stepping.goes_on()
