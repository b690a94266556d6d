"""Several processes that train together do what one of them is asked for after the same step."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch.distributed import HashStore

import kan_widgets as kw
from kan_widgets.live.recordings import same_step
from kan_widgets.live.recordings.same_step import SameStep
from kan_widgets.live.steering.loops import loops_of
from tests.live.recordings.test_control_folder import until

WORLD = 3


class Ranks:
    """Threads in the place of processes: none begins a step before all have made the last one."""

    def __init__(self, there: int) -> None:
        self.steps: list[list[int]] = [[] for _ in range(WORLD)]
        """Of each, at which steps something had changed."""
        self.models: list[torch.nn.Module] = []
        self.lives: list[kw.Binding] = []
        self.same_step: list[SameStep] = []
        self.errors: list[Exception] = []
        self._together, self._store = threading.Barrier(WORLD), HashStore()
        self.optimizers = [self._bound(rank, rank < there) for rank in range(WORLD)]
        self._threads = [
            threading.Thread(target=self._train, args=(rank, one))
            for rank, one in enumerate(self.optimizers)
        ]
        for thread in self._threads:
            thread.start()

    def _bound(self, rank: int, is_there: bool) -> torch.optim.Optimizer:
        self.models.append(model := kw.nn.KANLinear(2, 2))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        self.lives.append(kw.bind(model, optimizer))
        if is_there:
            self.same_step.append(SameStep(self.lives[-1].feed, self._store, rank, WORLD, "test"))
            self.same_step[-1].failed = self.errors.append
        return optimizer

    def _train(self, rank: int, optimizer: torch.optim.Optimizer) -> None:
        live, before = self.lives[rank], 0.5
        for _ in live.track(range(1_000_000)):
            try:
                self._together.wait(30.0)
            except threading.BrokenBarrierError:  # the test is over
                return
            optimizer.step()
            time.sleep(0.002)
            if before != (before := optimizer.param_groups[0]["lr"]):
                self.steps[rank].append(live.stats.steps)
        self.steps[rank].append(live.stats.steps)

    @property
    def held_at(self) -> set[int]:
        return {live.stats.steps for live in self.lives if live.control.is_holding}

    @property
    def is_holding(self) -> bool:
        return all(live.control.is_holding for live in self.lives)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(30.0)


@pytest.fixture
def ranks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Ranks]]:
    monkeypatch.setattr(same_step, "LOOK_SECONDS", 0.01)
    made: list[Ranks] = []

    def make(there: int) -> Ranks:
        made.append(Ranks(there))
        return made[-1]

    yield make
    for each in made:
        each._together.abort()
        for live in each.lives:
            live.control.stop()
        each.join()
        for live in each.lives:
            live.close()


def test_what_the_first_process_is_asked_for_all_do_after_the_same_step(
    ranks: Callable[[int], Ranks],
) -> None:
    made = ranks(WORLD)
    first = made.same_step[0]
    first.steer({"kind": "rate", "value": 0.25})
    until(lambda: all(made.steps), "all have the rate")
    first.steer({"kind": "pause"})
    until(lambda: made.is_holding, "all hold")
    [step] = made.held_at
    first.steer({"kind": "step", "steps": 3})
    until(lambda: made.is_holding and made.held_at == {step + 3}, "all hold three steps on")
    first.steer({"kind": "resume"})
    first.steer({"kind": "stop"})
    made.join()
    assert made.steps[0] == made.steps[1] == made.steps[2]
    assert len(made.steps[0]) == 2
    assert made.errors == []
    assert {one.param_groups[0]["lr"] for one in made.optimizers} == {0.25}


def test_a_rate_is_refused_where_not_all_would_have_it(ranks: Callable[[int], Ranks]) -> None:
    made = ranks(WORLD - 1)
    with pytest.raises(RuntimeError, match=r"2 of 3 processes .* control=True\) in all"):
        made.same_step[0].steer({"kind": "rate", "value": 0.25})
    with pytest.raises(RuntimeError, match="an alarm is of one process"):
        made.same_step[0].steer({"kind": "cure", "alarm": "diverged"})
    made.same_step[0].steer({"kind": "pause"})  # the others wait for it, as they always did
    until(lambda: made.lives[0].control.is_holding, "it holds")
    assert {one.param_groups[0]["lr"] for one in made.optimizers} == {0.5}


def test_a_stop_is_refused_where_others_would_wait_for_ever(ranks: Callable[[int], Ranks]) -> None:
    made = ranks(WORLD - 1)
    until(lambda: made.lives[0].stats.steps > 0, "it trains")
    with pytest.raises(RuntimeError, match=r"2 of 3 processes .* wait .* control=True\) in all"):
        made.same_step[0].steer({"kind": "stop"})
    step = made.lives[0].stats.steps
    until(lambda: made.lives[0].stats.steps > step + 10, "it trains on")
    [loop] = loops_of(made.lives[0].control)
    loop.asks_others = True  # as that of a trainer's callback
    made.same_step[0].steer({"kind": "stop"})
    until(lambda: made.lives[0].progress.state == "stopped", "it stops")


def test_what_cannot_be_done_is_said_and_the_next_command_is_heard(
    ranks: Callable[[int], Ranks],
) -> None:
    made = ranks(WORLD)
    commands: list[dict[str, Any]] = [{"kind": "step", "steps": 0}, {"kind": "stop"}]
    for command in commands:
        made.same_step[0].steer(command)
    made.join()
    assert [str(error)[:8] for error in made.errors] == ["steps=0:"] * WORLD
    assert made.steps[0] == made.steps[1] == made.steps[2]


def test_where_the_first_process_has_gone_the_others_train_on(
    ranks: Callable[[int], Ranks], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ranks(WORLD)

    def gone(*_: object) -> bool:
        raise RuntimeError("failed to recv")

    until(lambda: made.same_step[1]._work.earliest > 0, "it looks")
    monkeypatch.setattr(made.same_step[1], "_store", type("Gone", (), {"check": gone}))
    until(lambda: not made.same_step[1]._work.is_woken, "it looks no more")
    step = made.lives[1].stats.steps
    until(lambda: made.lives[1].stats.steps > step + 10, "it trains on")
    assert made.errors == []
