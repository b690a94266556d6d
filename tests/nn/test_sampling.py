"""Which patches are drawn: all images and positions alike, the same ones each time."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import torch

from kan_widgets.nn.life.sampling import random_rows

CPU = torch.device("cpu")
SHAPES = [
    *((n, 28, 28) for n in (8, 500, 509, 512, 784, 1021, 1024, 4096, 10_000)),
    (1, 100, 90),
    (3, 200, 90),
    (70, 130),
    (9000,),
]


def by_image_and_place(shape, chosen):
    places = math.prod(shape[1:])
    return (
        (chosen // places).bincount(minlength=shape[0]),
        (chosen % places).bincount(minlength=places),
    )


@pytest.mark.parametrize("count", [1, 1000, 4096])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_image_and_every_position_comes_equally_often_and_no_patch_twice(shape, count):
    chosen = random_rows(shape, count, CPU)
    assert len(chosen.unique()) == len(chosen) == count
    assert 0 <= chosen.min() <= chosen.max() < math.prod(shape)
    for times in by_image_and_place(shape, chosen):
        assert times.max() - times.min() <= 1


@pytest.mark.parametrize("n", [1, 2, 3, 509, 512, 1024, 4096])
def test_every_region_comes_equally_often(n):
    """56×84 positions, more than are drawn: they cannot all come, but all regions can."""
    height, width, count = 56, 84, 4096
    _, place = by_image_and_place((n, height, width), random_rows((n, height, width), count, CPU))
    for rows, columns in ((2, 2), (4, 6), (7, 7)):
        regions = place.view(rows, height // rows, columns, width // columns).sum((1, 3))
        wanted = count / (rows * columns)
        # Regions of which the border cuts through a stretch may differ by what lies along it.
        assert (regions - wanted).abs().max() <= 0.5 * math.sqrt(wanted)


def test_the_extra_ones_come_from_all_regions():
    """Of 784 positions 4,096 % 784 = 176 come once more than the others."""
    _, place = by_image_and_place((512, 28, 28), random_rows((512, 28, 28), 4096, CPU))
    more = (place == place.max()).float()
    assert more.sum() == 176
    quarters = more.view(2, 14, 2, 14).sum((1, 3))
    assert (quarters - 44).abs().max() <= 4


def test_each_image_is_seen_at_places_all_over_it():
    chosen = random_rows((512, 28, 28), 4096, CPU)
    places = torch.stack([chosen[chosen // 784 == image] % 784 for image in range(512)])
    assert places.shape == (512, 8)
    # The mean of eight places of 28 rows scatters by 28 / √12 / √8 = 2.9; a stride leaves none.
    for mean in ((places // 28).double().mean(1), (places % 28).double().mean(1)):
        assert mean.mean().item() == pytest.approx(13.5, abs=0.1)
        assert mean.std().item() == pytest.approx(28 / math.sqrt(12 * 8), rel=0.15)


def test_any_first_part_is_balanced_too():
    shape = (509, 28, 28)
    for part in (509, 784, 2000):
        for times in by_image_and_place(shape, random_rows(shape, 4096, CPU)[:part]):
            assert times.max() - times.min() <= 1


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
