"""The statement about depth, against permutations and networks whose complexity is known."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.insight import complexity, later_is_more_complex, untrained_networks
from kan_widgets.insight.depth import MEASURES, rising_share


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


def test_what_rises_beyond_untrained_networks_holds_and_says_by_how_much() -> None:
    torch.manual_seed(0)
    networks = untrained_networks(kw.nn.KANCNN.article, count=19)
    model = bent(kw.nn.KANCNN.article(), 0.02, 0.3, 3.0)
    found = later_is_more_complex(kw.functions.read(model), untrained=networks)
    assert found.holds
    assert found.p_untrained == 1 / 20
    bends = [complexity(layer).bend for layer in kw.functions.read(model)]
    assert [layer.spread.median for layer in found.layers if layer.spread] == [
        np.median(bend) for bend in bends
    ]
    assert found.steps[0] == pytest.approx(rising(bends[:2]) / (len(bends[0]) * len(bends[1])))
    assert 0.5 < found.between[0] < found.later < found.between[1]
    assert found.untrained[3] == later_is_more_complex(networks[3].layers).later
    assert "“later functions are more complex” holds: each layer" in str(found)
    assert "in 19 untrained networks" in str(found)


@pytest.mark.parametrize("make", [kw.nn.KANCNN, kw.nn.KANCNN.article])
def test_an_untrained_network_does_not_hold_however_clearly_it_rises(make) -> None:
    networks = untrained_networks(make, count=19)
    alone, beside, small = 0, 0, 0
    for seed in range(6):
        torch.manual_seed(1000 + seed)
        layers = kw.functions.read(make())
        alone += later_is_more_complex(layers).holds
        found = later_is_more_complex(layers, untrained=networks)
        beside += found.holds
        small += found.between[0] > 0.5
        assert "holds:" not in str(found) or found.holds
    # Of one in twenty, which a chance of 0.05 allows, none is among these.
    assert (alone, beside) == (0, 0)
    if make is kw.nn.KANCNN:
        assert small == 6


def test_without_untrained_networks_a_rise_is_told_and_nothing_claimed() -> None:
    found = later_is_more_complex(with_splines(3, 6, 12))
    assert (found.rises, found.holds, found.p_untrained) == (True, False, None)
    assert "is not decided: the medians rise from layer to layer" in str(found)
    assert "untrained=untrained_networks(make)" in str(found)


def test_a_fall_is_told_as_one() -> None:
    found, backwards = (later_is_more_complex(with_splines(*g)) for g in ((3, 6, 12), (12, 6, 3)))
    assert not backwards.rises
    assert backwards.later == pytest.approx(1 - found.later, abs=0.1)
    assert "does not hold: the medians fall from layer to layer" in str(backwards)


def test_alike_layers_do_not_bear_it_out() -> None:
    found = later_is_more_complex(with_splines(5, 5))
    assert not found.holds
    assert abs(found.later - 0.5) < 0.1
    assert found.between[0] < 0.5 < found.between[1]


def test_the_verdict_agrees_with_the_medians_beside_it() -> None:
    # Up, up, and down below the first, in few functions: the trend of all pairs still rises.
    torch.manual_seed(0)
    sizes = [(24, 24, 4), (24, 24, 8), (24, 24, 16), (24, 2, 3)]
    layers = [kw.nn.KANLinear(i, o, grid_size=g) for i, o, g in sizes]
    for layer in layers:
        nn.init.normal_(layer.spline_weight)
    networks = untrained_networks(
        lambda: nn.Sequential(*(kw.nn.KANLinear(i, o, grid_size=g) for i, o, g in sizes)), count=19
    )
    found = later_is_more_complex(kw.functions.read(nn.Sequential(*layers)), untrained=networks)
    medians = [layer.spread.median for layer in found.layers if layer.spread]
    assert medians[0] < medians[1] < medians[2]
    assert medians[3] < medians[0]
    assert found.between[0] > 0.5
    assert not found.rises
    assert not found.holds
    assert "does not hold: the median does not rise from 2 to 3" in str(found)


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
    with pytest.raises(
        ValueError, match=r"measure: expected one of 'bend', 'turns', .* got 'bends'"
    ):
        later_is_more_complex(layers, "bends")
    with pytest.raises(ValueError, match="functions that are not constant, got 1 of 1"):
        later_is_more_complex(layers[:1])
    with pytest.raises(TypeError, match="nothing was observed at 0"):
        later_is_more_complex(layers, observed={})
    other = untrained_networks(kw.nn.KANCNN.article, count=1)
    with pytest.raises(ValueError, match="untrained: layers of shapes"):
        later_is_more_complex(layers, untrained=other)


def test_untrained_networks_are_drawn_alike_each_time_and_draw_nothing_from_elsewhere() -> None:
    before = torch.random.get_rng_state()
    one, other = (untrained_networks(kw.nn.KANCNN.article, count=2) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    for a, b in zip(one, other, strict=True):
        for mine, same in zip(a.layers, b.layers, strict=True):
            assert torch.equal(mine.coefficients, same.coefficients)
    first, second = (network.layers[0].coefficients for network in one)
    assert not torch.equal(first, second)


def test_over_inputs_untrained_networks_meet_their_own() -> None:
    batch = 2 * torch.rand(64, 1, 28, 28) - 1
    torch.manual_seed(7)
    model = kw.nn.KANCNN.article()
    live = kw.bind(model)

    def observe(model: nn.Module) -> dict[str, kw.insight.Observed]:
        return dict(kw.bind(model).observe(batch))

    networks = untrained_networks(kw.nn.KANCNN.article, observe, count=3)
    seen = live.observe(batch)
    found = later_is_more_complex(live.read(), observed=seen, untrained=networks)
    own = later_is_more_complex(networks[1].layers, observed=networks[1].observed)
    assert found.untrained[1] == own.later
    with pytest.raises(ValueError, match=r"untrained_networks\(make, observe\)"):
        later_is_more_complex(live.read(), untrained=networks)


def normed() -> nn.Sequential:
    """Return layers between norms that keep statistics and have no weights."""
    sizes = [(8, 12), (12, 12), (12, 8)]
    parts = [
        (nn.BatchNorm1d(i, affine=False), kw.nn.KANLinear(i, o, grid_range=(-3, 3)))
        for i, o in sizes
    ]
    return nn.Sequential(*itertools.chain(*parts))


def filled(model: nn.Module, data: torch.Tensor) -> nn.Module:
    """Run 30 batches in training mode, and train nothing."""
    model.train()
    with torch.no_grad():
        for _ in range(30):
            model(data[torch.randperm(len(data))[:64]])
    return model.eval()


def over(data: torch.Tensor):
    return lambda model: dict(kw.bind(model, prove=False).observe(data))


def test_filled_statistics_alone_make_no_training_and_bent_splines_do() -> None:
    torch.manual_seed(5)
    data, batch = torch.randn(4000, 8), torch.randn(1000, 8)
    tested = []
    for seed in range(24):
        torch.manual_seed(1000 + seed)
        tested.append(filled(normed(), data))
    observe = over(batch)
    like_them = untrained_networks(normed, observe, like=tested[0], count=19)
    # Norms that have seen nothing ask for nothing: the networks stay as they were made.
    as_made = untrained_networks(normed, observe, like=normed(), count=19)

    def judged(model: nn.Module, networks: tuple[kw.insight.Untrained, ...]):
        layers = kw.functions.read(model)
        return later_is_more_complex(layers, "silu", observe(model), untrained=networks)

    fair = [judged(model, like_them) for model in tested]
    unfair = [judged(model, as_made) for model in tested[:8]]
    # Stated: 0.05 of them. Of 24 that is one; four or more such chances come once in 33 times.
    assert sum(found.holds for found in fair) <= 1
    assert sum(found.p_untrained == 1 / 20 for found in fair) <= 3
    assert all(found.p_untrained == 1 / 20 for found in unfair)
    for model in tested[:4]:
        with torch.no_grad():
            for layer, size in zip(model[1::2], (0.01, 0.1, 1.0), strict=True):
                layer.spline_weight.copy_(size * torch.randn_like(layer.spline_weight))
        assert judged(filled(model, data), like_them).holds


def test_statistics_are_those_that_as_many_training_batches_leave() -> None:
    torch.manual_seed(0)
    batch = 2 * torch.randn(50, 8) + 1
    trained = normed()
    for _ in range(7):
        trained(batch)
    trained[4].num_batches_tracked.zero_()  # a norm that was kept from training
    before = copy.deepcopy(trained.state_dict())
    made: list[nn.Module] = []

    def make() -> nn.Module:
        made.append(normed())
        return made[-1]

    untrained_networks(make, over(batch), like=trained, count=2)
    for number, network in enumerate(made):
        torch.manual_seed(number)
        expected = normed()
        for _ in range(7):
            expected(batch)
        for k in (0, 2):
            assert torch.allclose(network[k].running_mean, expected[k].running_mean)
            assert torch.allclose(network[k].running_var, expected[k].running_var)
        assert network[4].running_var.tolist() == [1.0] * 12
        assert {network[k].momentum for k in (0, 2, 4)} == {0.1}
    assert all(torch.equal(now, before[name]) for name, now in trained.state_dict().items())
    assert trained.training


def test_statistics_that_make_has_filled_stay_and_others_need_the_trained_network() -> None:
    torch.manual_seed(0)
    data = torch.randn(200, 8)
    kept: list[nn.Module] = []

    def make() -> nn.Module:
        kept.append(filled(normed(), data))
        return kept[-1]

    [network] = untrained_networks(make, over(data), count=1)
    torch.manual_seed(0)
    own = filled(normed(), data)
    assert torch.equal(kept[0][2].running_var, own[2].running_var)
    again = over(data)(own)
    assert np.array_equal(network.observed["3"].patches, again["3"].patches)
    for given, words in ((None, "got none"), (nn.Linear(1, 1), "got Linear")):
        with pytest.raises(ValueError, match=f"like: expected the trained network.*'0', .*{words}"):
            untrained_networks(normed, over(data), like=given, count=1)
    assert len(untrained_networks(normed, count=1)) == 1  # on the grids no statistics are met


@pytest.mark.parametrize(
    ("make", "options", "error", "words"),
    [
        (nn.Linear(1, 1), {}, TypeError, "make: expected a callable .* got Linear"),
        (lambda: 3, {}, TypeError, "to return a torch module, got int"),
        (
            kw.nn.KANCNN.article,
            {"count": 0},
            ValueError,
            "count: expected a whole number ≥ 1, got 0",
        ),
        (
            kw.nn.KANCNN.article,
            {"layers": ["conv"]},
            ValueError,
            "layers: expected some of 'convs.0', .* got 'conv'",
        ),
    ],
)
def test_what_makes_no_untrained_network_is_refused(make, options, error, words) -> None:
    with pytest.raises(error, match=words):
        untrained_networks(make, **options)
