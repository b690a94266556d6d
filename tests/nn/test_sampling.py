"""Which patches are drawn: all images and positions alike, the same ones each time."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import torch

from kan_widgets.nn.changes.sampling import random_rows

CPU = torch.device("cpu")
SHAPES = [
    *((n, 28, 28) for n in (8, 500, 509, 512, 784, 1021, 1024, 4096, 10_000)),
    (1, 100, 90),
    (3, 200, 90),
    (70, 130),
    (9000,),
]


@pytest.mark.parametrize("count", [1, 1000, 4096])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_no_patch_comes_twice_and_all_are_equally_likely(shape, count):
    chosen, patches = random_rows(shape, count, CPU), math.prod(shape)
    assert len(chosen.unique()) == len(chosen) == count
    assert 0 <= chosen.min() <= chosen.max() < patches
    # Uniform numbers have this mean, within five of its standard errors.
    assert abs(chosen.double().mean() / patches - 0.5) < 5 / math.sqrt(12 * count)


def test_each_image_is_seen_at_places_all_over_it():
    chosen = random_rows((512, 28, 28), 4096, CPU)
    place = chosen % 784
    for axis in (place // 28, place % 28):
        assert axis.double().mean().item() == pytest.approx(13.5, abs=5 * 28 / math.sqrt(12 * 4096))
        assert len(axis.unique()) == 28
    times = (chosen // 784).bincount(minlength=512).double()
    assert times.std().item() == pytest.approx(math.sqrt(8), rel=0.15)  # as of random ones


def test_all_are_returned_in_order_where_there_are_no_more():
    for shape in ((), (5,), (3, 4, 5)):
        n = math.prod(shape)
        assert random_rows(shape, n, CPU).tolist() == list(range(n))
        assert random_rows(shape, n + 7, CPU).tolist() == list(range(n))
    assert random_rows((0, 3, 3), 5, CPU).tolist() == []
    assert random_rows((4, 3), 0, CPU).tolist() == []


def test_the_same_ones_each_time_and_no_other_generator_is_touched():
    torch.manual_seed(1)
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()  # noqa: NPY002
    first = random_rows((512, 28, 28), 4096, CPU)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    np.testing.assert_equal(np.random.get_state(), states[2])  # noqa: NPY002
    torch.manual_seed(2)
    assert torch.equal(random_rows((512, 28, 28), 4096, CPU), first)
