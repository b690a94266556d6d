"""When a frame may be taken."""

from __future__ import annotations

import itertools

import pytest

from kan_widgets.live.throttle import Throttle


def frames(throttle: Throttle, step: float, steps: int, cost: float = 0.0) -> list[float]:
    """Give the times of the frames taken from a loop that makes a step every so often."""
    taken = []
    for number in range(steps):
        now = number * step
        if throttle.is_open(now):
            throttle.spent(now, cost)
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
