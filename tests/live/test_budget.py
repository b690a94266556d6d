"""How often what is done to watch may be done, and who has how much of the time."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from threading import Thread, current_thread

import pytest

from kan_widgets.live.budget import TOTAL_SHARE, Budget, Throttle


class Training:
    """A training that goes on in a thread, or in one that is not known."""

    def __init__(self, trained_by: Thread | None = None) -> None:
        self.in_background = 0.0
        self.trained_by = trained_by


@pytest.fixture
def training() -> Training:
    return Training()


@pytest.fixture
def shared(training: Training) -> Budget:
    """Of a training that goes on."""
    budget = Budget()
    budget.note(training, is_live=True)
    return budget


def done(
    throttles: Sequence[Throttle],
    step: float,
    seconds: float,
    costs: Sequence[float | Iterable[float]],
) -> list[list[tuple[float, float]]]:
    """Give when each was done in a loop that makes a step every so often, and what that cost."""
    each = [itertools.repeat(c) if isinstance(c, float) else itertools.cycle(c) for c in costs]
    found: list[list[tuple[float, float]]] = [[] for _ in throttles]
    for number in range(round(seconds / step)):
        now = number * step
        for throttle, own, cost in zip(throttles, found, each, strict=True):
            if throttle.is_open(now):
                own.append((now, next(cost)))
                throttle.spent(*own[-1])
    return found


def often(budget: Budget, *costs: float, seconds: float = 10.0) -> list[float]:
    """Give the times of frames, thirty a second at most, that cost so much in turn."""
    [taken] = done([Throttle(30, TOTAL_SHARE, budget=budget)], 0.005, seconds, [costs])
    return [now for now, _ in taken]


def test_the_rate_is_kept_although_steps_come_at_times_of_their_own(shared: Budget) -> None:
    taken = often(shared, 0.0)
    assert len(taken) == pytest.approx(300, abs=2)
    gaps = [b - a for a, b in itertools.pairwise(taken)]
    assert max(gaps) < 1 / 30 + 0.005 + 1e-9


def test_steps_slower_than_the_rate_all_have_a_frame_and_are_not_made_up_for(
    shared: Budget,
) -> None:
    throttle = Throttle(30, budget=shared)
    assert len(done([throttle], 0.1, 2, [0.0])[0]) == 20
    assert throttle.is_open(2.0)
    throttle.spent(2.0, 0.0)
    assert not throttle.is_open(2.03)


def test_costly_frames_are_taken_less_often(shared: Budget) -> None:
    assert len(often(shared, 0.006)) == pytest.approx(50, abs=1)  # 3 % of ten seconds


def test_a_frame_dear_by_chance_costs_no_rate_where_the_others_are_cheap(shared: Budget) -> None:
    # 0.63 ms on average: 1.9 % of the time at thirty a second.
    taken = often(shared, *[0.0003] * 7, 0.003)
    assert len(taken) == pytest.approx(300, abs=2)


def test_frames_dear_by_chance_take_no_larger_share_of_the_time_than_allowed(
    shared: Budget,
) -> None:
    # 2.7 ms on average: 11 frames a second are 3 %.
    taken = often(shared, *[0.0006] * 3, 0.009)
    assert len(taken) == pytest.approx(111, abs=4)


def test_a_long_rest_is_not_saved_up_for_a_burst_of_dear_frames(shared: Budget) -> None:
    throttle = Throttle(30, TOTAL_SHARE, budget=shared)
    throttle.spent(-60.0, 0.006)
    [taken] = done([throttle], 0.005, 1, [0.006])
    # What is earned in a second is five of them, so much was saved up, and the last may overdraw.
    assert len(taken) <= 11


def test_frames_taken_out_of_turn_do_not_close_it_for_longer(shared: Budget) -> None:
    throttle = Throttle(30, budget=shared)
    for k in range(120):  # two seconds of edits by hand, sixty a second
        throttle.spent(k / 60, 0.0)
    assert throttle.is_open(119 / 60 + 1 / 30)


def test_what_other_threads_do_for_a_frame_makes_the_next_one_wait(shared: Budget) -> None:
    throttle = Throttle(30, TOTAL_SHARE, budget=shared)
    throttle.spent(0.0, 0.003)
    assert throttle.due == pytest.approx(0.1)
    throttle.owe(0.006)
    assert throttle.due == pytest.approx(0.3)


def test_what_is_owed_is_paid_with_the_share_that_it_may_have_now(shared: Budget) -> None:
    throttle = Throttle(30, most=0.002, budget=shared)
    throttle.spent(0.0, 0.006)
    assert not throttle.is_open(2.9)
    throttle.allow(TOTAL_SHARE)
    assert [throttle.is_open(now) for now in (0.19, 0.21)] == [False, True]


@pytest.mark.parametrize("kinds", [1, 3, 9])
def test_all_that_is_done_has_one_budget_however_much_it_is(shared: Budget, kinds: int) -> None:
    seconds = 60.0
    throttles = [Throttle(10, most=0.02, budget=shared) for _ in range(kinds)]
    found = done(throttles, 0.005, seconds, [0.004] * kinds)
    shares = [sum(cost for _, cost in own) / seconds for own in found]
    assert sum(shares) == pytest.approx(min(0.02 * kinds, TOTAL_SHARE), rel=0.1)
    assert max(shares) == pytest.approx(min(shares), rel=0.15)


def test_who_needs_little_has_that_and_who_weighs_more_has_more_of_the_rest(
    shared: Budget,
) -> None:
    little, one, two = (Throttle(5, most=1.0, weight=weight, budget=shared) for weight in (1, 1, 3))
    found = done([little, one, two], 0.005, 60, [0.0004, 0.02, 0.02])
    shares = [sum(cost for _, cost in own) / 60 for own in found]
    assert shares == pytest.approx([0.002, 0.007, 0.021], rel=0.1)


def test_what_is_done_no_more_leaves_its_part_to_the_others(shared: Budget) -> None:
    one, two = (Throttle(5, most=1.0, budget=shared) for _ in range(2))
    done([one, two], 0.005, 10, [0.02, 0.02])
    assert one.part == pytest.approx(TOTAL_SHARE / 2)
    for now in range(10, 30):
        one.spent(now, 0.02)
    assert one.part == pytest.approx(TOTAL_SHARE)


def test_at_rest_each_has_a_tenth_which_a_training_that_begins_does_not_pay_for(
    training: Training, shared: Budget
) -> None:
    throttle = Throttle(5, budget=shared)
    throttle.spent(0.0, 0.5)
    assert throttle.due == pytest.approx(50)
    shared.note(training, is_live=False)
    assert throttle.due == pytest.approx(0.2)
    throttle.spent(1.0, 0.5)
    assert throttle.due == pytest.approx(6)
    shared.note(training, is_live=True)
    assert throttle.due == pytest.approx(6)  # it does not pay for what was done at rest


def test_what_is_done_in_the_background_counts_for_the_trainings_that_go_on_elsewhere(
    training: Training, shared: Budget
) -> None:
    here, over = Training(current_thread()), Training()
    shared.note(here, is_live=True)
    shared.note(over, is_live=True)
    shared.note(over, is_live=False)
    shared.spent(0.5)
    shared.spent(0.25)
    assert training.in_background == 0.75
    assert here.in_background == 0  # that thread's own time is counted where it is spent
    assert over.in_background == 0


def test_a_training_that_is_gone_shares_nothing() -> None:
    budget, training = Budget(), Training()
    budget.note(training, is_live=True)
    assert budget.is_shared
    del training
    assert not budget.is_shared
