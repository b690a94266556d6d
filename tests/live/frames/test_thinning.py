"""Which steps stay when there are too many."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from kan_widgets.live.frames.thinning import evenly_spaced, fitting


def test_steps_that_stay_are_at_least_the_gap_apart_and_none_more_would_fit() -> None:
    steps = sorted({int(step) for step in np.random.default_rng(0).integers(0, 200, 60)})
    places, gap = fitting(steps, lambda places: len(places) <= 15)
    kept = [steps[place] for place in places]
    assert kept[0] == steps[0]
    assert (np.diff(kept[:-1]) >= gap).all()
    for step in set(steps) - set(kept):
        before = max(known for known in kept if known < step)
        assert step - before < gap


def test_a_wider_gap_halves_even_steps() -> None:
    steps = list(range(0, 1000, 10))
    assert len(fitting(steps, lambda places: len(places) < 100, gap=10)[0]) == 51


@pytest.mark.parametrize("most", [2, 3, 10, 99])
def test_what_fits_has_the_first_and_the_last_and_is_even_between(most: int) -> None:
    steps = list(range(0, 500, 5))
    kept, gap = fitting(steps, lambda places: len(places) <= most)
    assert (kept[0], kept[-1]) == (0, 99)
    assert most / 3 < len(kept) <= most
    assert len(set(np.diff(kept)[:-1])) <= 1
    assert all(steps[b] - steps[a] >= gap for a, b in itertools.pairwise(kept[:-1]))


def test_the_first_and_the_last_stay_though_they_do_not_fit() -> None:
    assert fitting([3, 3, 3], lambda places: False)[0] == [0, 2]
    assert fitting([3], lambda places: False)[0] == [0]


def test_spread_steps_are_those_nearest_to_even_ones() -> None:
    assert evenly_spaced([0, 1, 2, 3, 50, 98, 100], 3) == [0, 4, 6]
    assert evenly_spaced(range(101), 11) == list(range(0, 101, 10))
    assert evenly_spaced([5, 5, 5], 2) == [0]
