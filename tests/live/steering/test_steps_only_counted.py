"""Between two frames a step is only counted: whatever is wanted of it is heard all the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

import kan_widgets as kw
from kan_widgets.live import Binding, TrainingStopped
from kan_widgets.live.steering import counter as counter_module
from kan_widgets.live.steering.counter import stepping_of
from kan_widgets.live.watching.camera import Started


class Calm:
    """A training that no frame is due of; this thread makes its steps."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = kw.nn.KANLinear(3, 2)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01)
        self.live = kw.bind(self.model, self.optimizer, every=1_000_000)

    def step(self) -> None:
        self.optimizer.zero_grad()
        self.model(torch.ones(4, 3)).square().sum().backward()
        self.optimizer.step()

    def settle_down(self) -> None:
        """Train until steps are only counted."""
        for _ in range(3):
            self.step()
        assert self.live.feed.counter.only_counts


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calm]:
    # A machine that stalls between two steps must not pass for the end of the training.
    monkeypatch.setattr(counter_module, "_QUIET_SECONDS", 60.0)
    made = Calm()
    yield made
    made.live.close()


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


def elsewhere(call: Callable[[], Any]) -> None:
    thread = threading.Thread(target=call)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


def test_steps_are_counted_and_timed(calm: Calm) -> None:
    calm.settle_down()
    before, seconds = calm.live.stats, calm.live.feed.training.seconds
    training_seconds = calm.live.feed.counter.training_seconds
    for _ in range(40):
        calm.step()
    assert calm.live.feed.counter.only_counts
    after = calm.live.stats
    assert after.steps == before.steps + 40
    assert after.seconds > before.seconds
    spent = calm.live.feed.training.seconds - seconds
    assert spent > 0
    assert calm.live.feed.counter.training_seconds - training_seconds == pytest.approx(spent)
    assert calm.live.feed.training.timed_steps >= 40
    assert calm.live.progress.step == after.steps
    assert after.frames_taken == before.frames_taken


def test_a_frame_is_taken_where_one_is_due(calm: Calm) -> None:
    calm.settle_down()
    calm.live.feed.camera.throttle.is_open = lambda now: True  # type: ignore[method-assign]
    calm.live.every = 4
    shown = []
    for _ in range(12):
        calm.step()
        shown.append(calm.live.frame.step)
    assert shown == [4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12]


def test_a_step_listener_is_called_from_the_next_step_on(calm: Calm) -> None:
    calm.settle_down()
    seen: list[int] = []
    counter = calm.live.feed.counter
    elsewhere(lambda: counter.add_step_listener(lambda step, framed: seen.append(step)))
    calm.step()
    calm.step()
    assert seen == [4, 5]


def test_an_edit_is_written_after_the_next_step(calm: Calm) -> None:
    calm.settle_down()
    edits, (layer,) = calm.live.edits, calm.live.layers
    elsewhere(lambda: edits.set(layer, (1, 2, 0, 0), [7.0] * 9))
    assert edits.is_waiting
    calm.step()
    assert not edits.is_waiting
    assert calm.live.frame.step == 4
    assert (calm.live.frame.coefficients(layer)[1, 2] == 7).all()


@pytest.mark.parametrize("command", ["edit", "rate"])
def test_what_is_wanted_while_a_step_ends_is_done_after_the_one_that_follows(
    calm: Calm, command: str
) -> None:
    calm.settle_down()
    edits, (layer,) = calm.live.edits, calm.live.layers

    def once(step: int, framed: bool) -> None:
        stop()
        if command == "edit":
            elsewhere(lambda: edits.set(layer, (1, 2, 0, 0), [7.0] * 9))
        else:
            elsewhere(lambda: calm.live.set_learning_rate(0.5))

    stop = calm.live.feed.counter.add_step_listener(once)
    calm.step()
    assert edits.is_waiting is (command == "edit")
    assert calm.live.feed.learning_rates == [0.01]
    calm.step()
    assert not edits.is_waiting
    assert calm.live.feed.learning_rates == [0.5 if command == "rate" else 0.01]


def test_a_learning_rate_is_set_after_the_next_step(calm: Calm) -> None:
    calm.settle_down()
    elsewhere(lambda: calm.live.set_learning_rate(0.5))
    assert calm.live.feed.learning_rates == [0.01]
    calm.step()
    assert calm.live.feed.learning_rates == [0.5]


def test_a_stop_ends_the_loop_after_the_next_step(calm: Calm) -> None:
    calm.settle_down()
    elsewhere(calm.live.control.stop)
    with pytest.raises(TrainingStopped, match="after step 4"):
        calm.step()


def test_a_pause_holds_after_the_step_going_on(calm: Calm) -> None:
    made: list[int] = []

    def train() -> None:
        while not made:
            calm.step()

    thread = threading.Thread(target=train)
    thread.start()
    until(lambda: calm.live.feed.counter.only_counts)
    calm.live.control.pause()
    until(lambda: calm.live.control.is_holding)
    held_at = calm.live.stats.steps
    time.sleep(0.1)
    assert calm.live.stats.steps == held_at
    calm.live.control.step(3)
    until(lambda: calm.live.stats.steps == held_at + 3 and calm.live.control.is_holding)
    time.sleep(0.1)
    assert calm.live.stats.steps == held_at + 3
    made.append(held_at)
    calm.live.control.resume()
    thread.join(20)


def test_another_thread_that_trains_is_known_from_its_first_step(calm: Calm) -> None:
    calm.settle_down()
    found: list[threading.Thread | None] = []

    def train() -> None:
        calm.step()
        found.extend([threading.current_thread(), calm.live.feed.counter.trained_by])
        found.append(calm.live.control.bare_trainer)

    elsewhere(train)
    assert found == [found[0]] * 3
    assert calm.live.stats.steps == 4


def test_a_thread_with_the_identity_of_one_that_has_ended_is_another(calm: Calm) -> None:
    trainers: list[bool] = []

    def train() -> None:
        calm.step()
        trainers.append(calm.live.control.bare_trainer is threading.current_thread())

    for _ in range(20):  # most get the identity of the one before
        elsewhere(train)
    assert trainers == [True] * 20


def test_what_is_wanted_while_it_is_found_that_nothing_is_is_not_missed(
    calm: Calm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settled() -> bool:
        calm.live.feed.counter.request_full_step()
        return True

    calm.step()
    monkeypatch.setattr(calm.live.control, "may_only_count", settled)
    calm.live.feed.counter.request_full_step()
    calm.step()
    assert not calm.live.feed.counter.only_counts


@pytest.mark.parametrize("every", [1, 1_000_000])
def test_time_that_others_take_is_not_counted(
    calm: Calm, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    now = [1000.0]
    monkeypatch.setattr(counter_module, "perf_counter", lambda: now[0])
    calm.live.close()
    stepping = stepping_of(calm.optimizer)

    class Other:
        def after_step(self) -> bool:
            now[0] += 0.2
            return False

        hold_or_stop = after_step

    stepping.count(other := Other())  # type: ignore[arg-type]
    with kw.bind(calm.model, calm.optimizer, every=every) as live:
        live.feed.camera.throttle.is_open = lambda now: False  # type: ignore[method-assign]
        for _ in range(11):
            now[0] += 0.03
            calm.step()
        assert live.stats.seconds == 0
        assert live.feed.counter.training_seconds == pytest.approx(
            10 * (0.03 + 0.2)
        )  # after_step of others
    stepping.forget(other)  # type: ignore[arg-type]


def test_a_rate_set_through_a_binding_that_was_replaced_is_set_after_the_next_step(
    calm: Calm,
) -> None:
    with kw.bind(calm.model, calm.optimizer, every=1_000_000) as live:
        for number in live.track(range(5)):
            calm.step()
            if number == 2:
                assert live.feed.counter.only_counts
                elsewhere(lambda: calm.live.set_learning_rate(0.5))
                assert live.feed.learning_rates == [0.01]
            if number == 3:
                assert live.feed.learning_rates == [0.5]


def test_a_step_after_a_rest_makes_it_live_again(
    calm: Calm, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm.settle_down()
    with monkeypatch.context() as rest:
        rest.setattr(counter_module, "_QUIET_SECONDS", 0.25)
        until(lambda: calm.live.state == "idle")
    assert calm.live.frame.step == 3
    calm.step()
    assert calm.live.state == "live"


def test_a_step_right_after_the_end_of_a_cell_makes_it_live_again(calm: Calm) -> None:
    calm.settle_down()
    calm.live.feed.settle()
    assert calm.live.state == "idle"
    calm.step()
    assert calm.live.state == "live"


def test_a_step_that_waits_while_training_is_found_quiet_makes_it_live_again(calm: Calm) -> None:
    calm.settle_down()
    holds, stepping = threading.Event(), threading.Event()

    def find_quiet() -> None:
        with calm.live.feed.sending:
            holds.set()
            stepping.wait(20)
            time.sleep(0.05)
            calm.live.feed.set_state("idle")

    thread = threading.Thread(target=find_quiet)
    thread.start()
    holds.wait(20)
    calm.live.feed.counter._last_step_at = time.perf_counter()
    stepping.set()
    calm.live.feed.counter.after_step()
    thread.join(20)
    assert calm.live.state == "live"
    assert calm.live.stats.steps == 4


def test_a_frame_on_its_way_from_an_accelerator_is_sent_when_it_has_arrived(calm: Calm) -> None:
    class Late:
        def __init__(self) -> None:
            self.ready, self.values = False, calm.live.frame.data + 1

        def is_ready(self) -> bool:
            return self.ready

        def data(self) -> Any:
            return self.values

    calm.settle_down()
    late = Late()
    calm.live.feed.camera.coming = Started(3, calm.live.feed.layout, late)
    calm.live.feed.counter.request_full_step()
    calm.step()
    calm.step()
    assert calm.live.frame.step == 0
    late.ready = True
    calm.step()
    assert calm.live.frame.step == 3
    assert calm.live.frame.data is late.values


def test_a_loop_that_ends_leaves_the_next_step_to_a_bare_one(calm: Calm) -> None:
    for _ in calm.live.track(range(4)):
        calm.step()
    assert calm.live.progress.state == "finished"
    assert calm.live.control.bare_trainer is None
    calm.step()
    assert calm.live.progress.state == "running"
    assert calm.live.control.bare_trainer is threading.current_thread()


def test_in_a_tracked_loop_too_steps_are_only_counted(calm: Calm) -> None:
    seen = []
    for _ in calm.live.track(range(5)):
        calm.step()
        seen.append(calm.live.feed.counter.only_counts)
    assert seen == [True] * 5
    assert calm.live.control.bare_trainer is None


def test_the_steps_after_a_binding_is_closed_are_not_counted(calm: Calm) -> None:
    calm.settle_down()
    hook: Callable[[], None] = calm.live.feed.counter.after_step
    elsewhere(calm.live.close)
    hook()
    assert calm.live.stats.steps == 3


def test_a_model_that_is_bound_again_elsewhere_counts_on(calm: Calm) -> None:
    calm.settle_down()
    later: list[Binding] = []
    elsewhere(lambda: later.append(kw.bind(calm.model, calm.optimizer, every=1_000_000)))
    calm.step()
    calm.step()
    assert later == [calm.live]
    assert calm.live.stats.steps == calm.live.feed.training.steps == 5
