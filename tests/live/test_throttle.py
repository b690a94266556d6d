"""When a frame may be taken."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest

from kan_widgets.live.watching.throttle import Throttle


def frames(
    throttle: Throttle, step: float, steps: int, cost: float | Iterable[float] = 0.0
) -> list[float]:
    """Give the times of the frames taken from a loop that makes a step every so often."""
    costs = itertools.repeat(cost) if isinstance(cost, float) else itertools.cycle(cost)
    taken = []
    for number in range(steps):
        now = number * step
        if throttle.is_open(now):
            throttle.spent(now, next(costs))
            taken.append(now)
    return taken


def test_the_rate_is_kept_although_steps_come_at_times_of_their_own():
    taken = frames(Throttle(30), 0.005, 2000)  # ten seconds
    assert len(taken) == pytest.approx(300, abs=2)
    gaps = [b - a for a, b in itertools.pairwise(taken)]
    assert max(gaps) < 1 / 30 + 0.005 + 1e-9


def test_steps_slower_than_the_rate_all_have_a_frame_and_are_not_made_up_for():
    throttle = Throttle(30)
    assert len(frames(throttle, 0.1, 20)) == 20
    start = 2.0
    opened = [k for k in range(20) if throttle.is_open(start + 0.001 * k)]
    throttle.spent(start, 0.0)
    assert opened
    assert not throttle.is_open(start + 0.03)


def test_costly_frames_are_taken_less_often():
    taken = frames(Throttle(30), 0.005, 2000, cost=0.02)
    assert len(taken) == pytest.approx(50, abs=1)


def test_a_frame_dear_by_chance_costs_no_rate_where_the_others_are_cheap():
    cheap_and_dear = [0.001] * 7 + [0.010]  # 2.1 ms on average: 6 % of the time at 30 a second
    taken = frames(Throttle(30), 0.005, 2000, cheap_and_dear)
    assert len(taken) == pytest.approx(300, abs=2)


def test_frames_dear_by_chance_take_no_larger_share_of_the_time_than_allowed():
    costs = [0.002] * 3 + [0.030]  # 9 ms on average: 11 frames a second are a tenth of the time
    taken = frames(Throttle(30), 0.005, 2000, costs)
    assert (
        sum(cost for _, cost in zip(taken, itertools.cycle(costs), strict=False)) < 1.05
    )  # of 10 s
    assert len(taken) == pytest.approx(111, abs=4)


def test_a_long_rest_is_not_saved_up_for_a_burst_of_dear_frames():
    throttle = Throttle(30)
    throttle.spent(0.0, 0.02)
    taken = [t for t in (k * 0.005 + 60 for k in range(200)) if _took(throttle, t, 0.02)]
    # A second's share is five of them, what was saved is one, and the last may overdraw.
    assert len(taken) <= 7


def _took(throttle: Throttle, now: float, cost: float) -> bool:
    taken = throttle.is_open(now)
    if taken:
        throttle.spent(now, cost)
    return taken


def test_frames_taken_out_of_turn_do_not_close_it_for_longer():
    throttle = Throttle(30)
    for k in range(120):  # two seconds of edits by hand, sixty a second
        throttle.spent(k / 60, 0.0)
    assert throttle.is_open(119 / 60 + 1 / 30)
