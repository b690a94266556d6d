"""The statement about depth, against permutations and networks whose complexity is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.insight import complexity, later_is_more_complex
from kan_widgets.insight.depth import MEASURES, _trend


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
def test_share_and_chance_are_those_of_permutations(ties: bool) -> None:
    generator = np.random.default_rng(0)
    groups = [generator.normal(0.15 * k, 1, size) for k, size in enumerate((9, 14, 11))]
    if ties:
        groups = [np.round(group) for group in groups]
    share, p = _trend(groups)
    pairs = 9 * 14 + 9 * 11 + 14 * 11
    own = rising(groups)
    assert share == pytest.approx(own / pairs)
    everything = np.concatenate(groups)
    beyond = 0
    for _ in range(2000):
        generator.shuffle(everything)
        beyond += rising(np.split(everything, [9, 23])) >= own
    # Three standard errors of the permutations, and what the normal approximation may be off.
    expected = beyond / 2000
    assert 0.01 < expected < 0.6
    assert p == pytest.approx(expected, abs=3 * np.sqrt(expected * (1 - expected) / 2000) + 0.005)


def test_finer_splines_in_later_layers_bear_the_claim_out_and_coarser_ones_reverse_it() -> None:
    found = later_is_more_complex(with_splines(3, 6, 12))
    assert found.holds
    assert found.at_every_step
    assert found.p < 1e-10
    bends = [complexity(layer).bend for layer in with_splines(3, 6, 12)]
    assert [layer.spread.median for layer in found.layers if layer.spread] == [
        np.median(bend) for bend in bends
    ]
    assert found.steps[0] == pytest.approx(rising(bends[:2]) / 64**2)
    assert "“later functions are more complex” holds at every step" in str(found)
    backwards = later_is_more_complex(with_splines(12, 6, 3))
    assert not backwards.holds
    assert backwards.later == pytest.approx(1 - found.later, abs=0.1)
    assert "does not hold, but the reverse does" in str(backwards)


def test_alike_layers_do_not_bear_it_out() -> None:
    found = later_is_more_complex(with_splines(5, 5))
    assert not found.holds
    assert abs(found.later - 0.5) < 0.1
    assert "is not borne out" in str(found)


def test_a_trend_may_hold_without_holding_at_every_step() -> None:
    found = later_is_more_complex(with_splines(3, 14, 9))
    assert found.holds
    assert not found.at_every_step
    assert found.steps[1] < 0.5


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


def test_with_a_batch_only_what_its_inputs_meet_counts() -> None:
    torch.manual_seed(0)
    layers = [kw.nn.KANLinear(4, 4, grid_size=12) for _ in range(2)]
    for layer in layers:
        nn.init.normal_(layer.spline_weight)
    model = nn.Sequential(layers[0], nn.Tanh(), Shrink(), layers[1])
    live = kw.bind(model)
    observed = live.observe(2 * torch.rand(500, 4) - 1)
    whole = later_is_more_complex(live.read())
    met = later_is_more_complex(live.read(), observed=observed)
    # The second layer sees a hundredth of its grid: there, every φ is nearly straight.
    assert abs(whole.later - 0.5) < 0.15
    assert met.later < 0.01
    assert met.layers[1].samples == 500
    low, high = met.layers[1].interval or (0, 0)
    assert (low, high) == pytest.approx(np.quantile(observed["3"].patches, (0.005, 0.995)))
    assert "where 500 samples lie" in str(met)


class Shrink(nn.Module):
    """x/100."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / 100


def test_constant_functions_are_counted_and_left_out() -> None:
    first, second = kw.nn.KANLinear(3, 2), kw.nn.KANLinear(2, 2)
    with torch.no_grad():
        nn.init.normal_(first.spline_weight)
        nn.init.normal_(second.spline_weight)
        second.base_weight[0, 1] = 0
        second.spline_weight[0, 1] = 0
    found = later_is_more_complex(kw.functions.read(nn.Sequential(first, second)))
    assert [(layer.functions, layer.left_out) for layer in found.layers] == [(6, 0), (3, 1)]


def test_what_cannot_be_compared_is_refused() -> None:
    layers = with_splines(3, 3)
    with pytest.raises(ValueError, match="measure='bends': one of 'bend', 'turns'"):
        later_is_more_complex(layers, "bends")
    with pytest.raises(ValueError, match="1 of 1 layers have functions that are not constant"):
        later_is_more_complex(layers[:1])
    with pytest.raises(TypeError, match="nothing was observed at 0"):
        later_is_more_complex(layers, observed={})
