"""The trend over depth, against permutations and networks whose complexity is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.insight import complexity, later_is_more_complex, untrained_networks
from kan_widgets.insight.complexity import MEASURES, rising_share


def rising(groups: list[np.ndarray]) -> float:
    """Count the pairs in which the later is larger, one by one."""
    found = 0.0
    for earlier, later in itertools.combinations(groups, 2):
        for a, b in itertools.product(earlier, later):
            found += 1.0 if b > a else 0.5 if b == a else 0.0
    return found


def with_splines(*grid_sizes: int, width: int = 8) -> list[kw.functions.LayerFunctions]:
    torch.manual_seed(0)
    layers = [kw.nn.KANLinear(width, width, grid_size=size) for size in grid_sizes]
    for layer in layers:
        nn.init.normal_(layer.spline_weight)
    return kw.functions.read(nn.Sequential(*layers))


@pytest.mark.parametrize("ties", [False, True])
def test_the_share_is_that_of_all_pairs(ties: bool) -> None:
    generator = np.random.default_rng(0)
    groups = [generator.normal(0.15 * k, 1, size) for k, size in enumerate((9, 14, 11))]
    if ties:
        groups = [np.round(group) for group in groups]
    pairs = 9 * 14 + 9 * 11 + 14 * 11
    assert rising_share(groups) == pytest.approx(rising(groups) / pairs)


def bent(model: kw.nn.KANCNN, *sizes: float) -> kw.nn.KANCNN:
    """Give the splines of each layer random coefficients of a size, as training may."""
    layers = [*model.convs, model.linear]
    with torch.no_grad():
        for layer, size in zip(layers, sizes, strict=True):
            layer.spline_weight.copy_(size * torch.randn_like(layer.spline_weight))
    return model


def test_a_bent_network_rises_beyond_untrained_ones_by_the_numbers_of_its_functions() -> None:
    torch.manual_seed(0)
    networks = untrained_networks(kw.nn.KANCNN.article, count=19)
    model = bent(kw.nn.KANCNN.article(), 0.02, 0.3, 3.0)
    found = later_is_more_complex(kw.functions.read(model))
    bends = {layer.name: complexity(layer).bend for layer in kw.functions.read(model)}
    assert found.medians == {name: np.median(bend) for name, bend in bends.items()}
    pairs = sum(len(a) * len(b) for a, b in itertools.combinations(bends.values(), 2))
    assert found.later == pytest.approx(rising(list(bends.values())) / pairs)
    assert 0.5 < found.between[0] < found.later < found.between[1]
    others = [later_is_more_complex(kw.functions.read(network)).later for network in networks]
    assert found.later > max(others)


def test_untrained_networks_rise_clearly_too() -> None:
    for network in untrained_networks(kw.nn.KANCNN, count=6, seed=1000):
        assert later_is_more_complex(kw.functions.read(network)).between[0] > 0.5


def test_layers_in_the_other_order_fall_as_they_rose() -> None:
    found, backwards = (later_is_more_complex(with_splines(*g)) for g in ((3, 6, 12), (12, 6, 3)))
    assert found.between[0] > 0.5 > backwards.between[1]
    assert backwards.later == pytest.approx(1 - found.later, abs=0.1)


def test_of_alike_layers_depth_tells_nothing() -> None:
    found = later_is_more_complex(with_splines(5, 5))
    assert abs(found.later - 0.5) < 0.1
    assert found.between[0] < 0.5 < found.between[1]


def test_shapes_do_not_depend_on_scale_and_sizes_do() -> None:
    layers = with_splines(5, 5)
    larger = [kw.nn.KANLinear(8, 8), kw.nn.KANLinear(8, 8)]
    with torch.no_grad():
        for own, layer, factor in zip(larger, layers, (100, 1), strict=True):
            own.base_weight.copy_(factor * layer.coefficients[..., 0])
            own.spline_weight.copy_(factor * layer.coefficients[..., 1:])
    scaled = kw.functions.read(nn.Sequential(*larger))
    for measure in MEASURES:
        before, after = (later_is_more_complex(given, measure) for given in (layers, scaled))
        if measure in ("bend", "turns", "line", "silu"):
            assert after.later == pytest.approx(before.later, abs=2e-3)
        else:
            assert after.later < 0.01 < before.later


def test_constant_functions_are_left_out() -> None:
    first, second = kw.nn.KANLinear(3, 2), kw.nn.KANLinear(2, 2)
    with torch.no_grad():
        nn.init.normal_(first.spline_weight)
        nn.init.normal_(second.spline_weight)
        second.base_weight[0, 1] = 0
        second.spline_weight[0, 1] = 0
    found = later_is_more_complex(kw.functions.read(nn.Sequential(first, second)))
    assert found.functions == {"0": 6, "1": 3}


def test_what_cannot_be_compared_is_refused() -> None:
    layers = with_splines(3, 3)
    with pytest.raises(ValueError, match=r"measure='bends': expected one of 'bend', 'turns', "):
        later_is_more_complex(layers, "bends")
    with pytest.raises(
        ValueError,
        match=r"1 of 1 layers .* not constant: expected at least two",
    ):
        later_is_more_complex(layers[:1])


def test_untrained_networks_are_drawn_alike_each_time_and_draw_nothing_from_elsewhere() -> None:
    before = torch.random.get_rng_state()
    one, other = (untrained_networks(kw.nn.KANCNN.article, count=2) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    for a, b in zip(one, other, strict=True):
        for mine, same in zip(a.parameters(), b.parameters(), strict=True):
            assert torch.equal(mine, same)
    assert not torch.equal(*(network.convs[0].spline_weight for network in one))


@pytest.mark.parametrize(
    ("make", "options", "error", "words"),
    [
        (nn.Linear(1, 1), {}, TypeError, r"make=Linear\(.*: expected a function"),
        (lambda: 3, {}, TypeError, r"make\(\)=3: expected a torch.nn.Module"),
        (
            kw.nn.KANCNN.article,
            {"count": 0},
            ValueError,
            "count=0: expected a whole number ≥ 1",
        ),
    ],
)
def test_what_makes_no_untrained_network_is_refused(make, options, error, words) -> None:
    with pytest.raises(error, match=words):
        untrained_networks(make, **options)
