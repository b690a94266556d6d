"""Ensembles: planted copies are matched exactly, others as well as by trying every order."""

from __future__ import annotations

import copy
import pickle
import random
from itertools import pairwise, permutations, product
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.insight.networks.matching import Units, compared, matched
from kan_widgets.insight.networks.members import common_points, matched_layers, read_member


def dense(*widths: int, seed: int = 0) -> nn.Sequential:
    """Return dense layers with functions of a usual size."""
    torch.manual_seed(seed)
    layers = [kw.nn.KANLinear(*pair) for pair in pairwise(widths)]
    with torch.no_grad():
        for layer in layers:
            layer.spline_weight.normal_()
    return nn.Sequential(*layers)


def moved(layer: Any, rows: Any = slice(None), columns: Any = slice(None)) -> None:
    """Put outputs and inputs of a layer in another order."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(parameter.clone()[rows][:, columns])


def parts(*models: nn.Module) -> list[Any]:
    read = [read_member(model) for model in models]
    return [matched_layers(*pair) for pair in zip(read, common_points(read), strict=True)]


def test_a_copy_with_its_units_in_another_order_is_matched_exactly() -> None:
    model = dense(3, 6, 5, 2)
    other, first, second = copy.deepcopy(model), torch.randperm(6), torch.randperm(5)
    moved(other[0], first)
    moved(other[1], second, first)
    moved(other[2], columns=second)
    x = torch.randn(50, 3)
    assert torch.allclose(model(x), other(x), atol=1e-5)
    for batch in (None, x):
        found = kw.ensemble([model, other], batch=batch)
        assert found.distance == pytest.approx(0, abs=1e-10)
        assert (found.unmatched > 0.1).all()
        assert found.p == 1 / 40
        for units, order in zip(found.units[1 - found.typical], (first, second), strict=True):
            assert (units.signs == 1).all()
            own = torch.argsort(order) if found.typical == 0 else order
            assert units.order.tolist() == own.tolist()
        for name in found.layers:
            low, middle, high = found.band(name)
            assert high - low == pytest.approx(0, abs=1e-5)
            assert middle == pytest.approx(found.values[name][0], abs=1e-5)
            assert found.varies(name) == pytest.approx(0, abs=1e-10)


def test_a_unit_with_the_other_sign_is_matched_with_that_sign() -> None:
    model = dense(2, 4, 1)
    with torch.no_grad():
        for layer in model:
            layer.base_weight.zero_()  # SiLU is not odd: splines on an even grid can be turned
    other = copy.deepcopy(model)
    with torch.no_grad():
        other[0].spline_weight[1] *= -1
        other[1].spline_weight[:, 1] = other[1].spline_weight[:, 1].flip(-1)
    x = torch.rand(30, 2) - 0.5
    assert torch.allclose(model(x), other(x), atol=1e-5)
    found = kw.ensemble([model, other])
    assert found.distance == pytest.approx(0, abs=1e-8)
    [units] = found.units[1 - found.typical]
    assert units.order.tolist() == [0, 1, 2, 3]
    assert units.signs.tolist() == [1, -1, 1, 1]


def test_it_is_the_best_of_all_orders_and_signs() -> None:
    reached = 0
    for seed in range(10):
        one, other = parts(dense(2, 3, 1, seed=seed), dense(2, 3, 1, seed=100 + seed))
        every = [
            compared(one, other, [Units(np.array(order), np.array(signs))]).distance
            for order in permutations(range(3))
            for signs in product((1.0, -1.0), repeat=3)
        ]
        distance = matched(one, other).distance
        assert distance >= min(every) - 1e-12
        reached += distance <= min(every) + 1e-12
    assert reached == 10  # of one hidden layer the best is found by one assignment


@pytest.mark.parametrize("kind", ["conv", "shared"])
def test_channels_of_convolutions_take_their_maps_along(kind: str) -> None:
    torch.manual_seed(0)
    model: Any
    if kind == "conv":
        model = kw.nn.KANCNN(channels=(4, 3), image_size=12)
    else:
        model = kw.nn.KANCNN.article()
    layers = [*model.convs, model.linear]
    with torch.no_grad():
        for layer in layers:
            layer.spline_weight.normal_()
    other: Any = copy.deepcopy(model)
    first, second, last = [*other.convs, other.linear]
    one, two = (torch.randperm(layer.base_weight.shape[0]) for layer in other.convs)
    with torch.no_grad():
        moved(first, one)
        if kind == "conv":
            moved(second, two, one)
            channels = two
        else:
            moved(second, two)
            channels = (one[:, None] * 5 + two).flatten()
        block = last.base_weight.shape[1] // len(channels)
        moved(last, columns=(channels[:, None] * block + torch.arange(block)).flatten())
    model.eval(), other.eval()
    x = torch.rand(4, *model.input_shape)
    assert torch.allclose(model(x), other(x), atol=1e-4)
    found = kw.ensemble([model, other])
    assert found.distance == pytest.approx(0, abs=1e-8)


def test_units_of_unrelated_networks_are_matched_no_better_than_by_chance() -> None:
    chances = [
        kw.ensemble([dense(3, 6, 2, seed=10 * k), dense(3, 6, 2, seed=10 * k + 5)]).p
        for k in range(8)
    ]
    assert sum(p <= 0.05 for p in chances) <= 2
    assert max(chances) > 0.2


def make() -> nn.Module:
    return nn.Sequential(kw.nn.KANLinear(1, 1))


def train(model: nn.Module) -> None:
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=60)
    x = torch.rand(200, 1) * 2 - 1

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss: torch.Tensor = (model(x) - torch.sin(3 * x)).square().mean()
        loss.backward()
        return loss

    optimizer.step(closure)


def test_what_is_trained_has_the_form_in_so_many_networks() -> None:
    before = torch.random.get_rng_state()
    found = kw.ensemble(make, train, seeds=3)
    assert torch.equal(torch.random.get_rng_state(), before)
    [row] = found.table()
    assert row["forms"] == {"sin": "3 of 3"}
    assert row["varies"] < 1e-3
    assert row["size"] == 1
    said = found.formula(torch.rand(100, 1) * 2 - 1, names=["x"])
    assert said.networks == 3
    assert said.terms == {"sin of x": 3}


def noisy(model: nn.Module) -> None:
    """Draw from all generators that a training may use."""
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.rand(()) + np.random.rand() + random.random())  # noqa: NPY002


def test_a_seed_gives_the_same_network_each_time_and_leaves_generators_as_they_were() -> None:
    def states(found: kw.insight.Ensemble) -> list[Any]:
        assert found.training is not None
        members: Any = found.members
        weights = [torch.cat([w.flatten() for w in m.parameters()]).tolist() for m in members]
        return [*zip(found.training.seeds, weights, strict=True)]

    before = random.getstate(), np.random.get_state()[1]  # noqa: NPY002
    some = states(kw.ensemble(make, noisy, seeds=3, seed=5))
    assert random.getstate() == before[0]
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert [seed for seed, _ in some] == [5, 6, 7]
    assert some[0][1] != some[1][1]
    assert states(kw.ensemble(make, noisy, seeds=[7, 2, 5]))[::2] == [some[2], some[0]]
    assert states(kw.ensemble(make, noisy, seeds=6))[5] == some[0]
    given = kw.ensemble([make(), make()])
    assert given.training is None
    assert pickle.loads(pickle.dumps(kw.ensemble(make, noisy, seeds=2))).training is None


def test_seeds_that_are_no_seeds_are_refused_before_anything_trains() -> None:
    def refused(error: type[Exception], words: str, **seeds: Any) -> None:
        with pytest.raises(error, match=words):
            kw.ensemble(make, lambda _: pytest.fail("it trains"), **seeds)

    refused(ValueError, r"seeds=\[3, 3\]: expected two or more, all different", seeds=[3, 3])
    refused(ValueError, r"seeds=\[3\]: expected two or more", seeds=[3])
    refused(ValueError, "seeds=-1: expected a whole number from 0", seeds=[0, -1])
    refused(TypeError, "seeds='a': expected a whole number", seeds="ab")
    refused(TypeError, "seeds=2.5: expected a whole number", seeds=2.5)
    refused(ValueError, "seed=-1: expected a whole number from 0", seed=-1)
    refused(TypeError, "seed=4 beside a list of seeds", seeds=[1, 2], seed=4)


def test_what_a_view_asks_for_again_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = kw.ensemble([dense(2, 3, 1, seed=seed) for seed in (0, 1, 2)])
    first, forms = found.around("1").copy(), found.forms("1", 0, 2, 0)
    members: Any = found.members
    with torch.no_grad():
        for weight in members[found.typical].parameters():
            weight.mul_(3)
    for name in ("read_member", "values_at"):
        monkeypatch.setattr(kw.insight.networks.ensemble, name, lambda *_: pytest.fail("again"))
    assert np.array_equal(found.around("1"), first)
    forms["changed by whoever asked"] += 1
    assert found.forms("1", 0, 2, 0).total() == 3


def test_processes_train_what_one_trains() -> None:
    here, there = (kw.ensemble(make, train, seeds=2, processes=n) for n in (1, 2))
    assert there.values["0"] == pytest.approx(here.values["0"], abs=1e-4)
    with pytest.raises(ValueError, match="put them into a file"):
        kw.ensemble(lambda: make(), train, seeds=2, processes=2)


def test_recordings_are_matched_as_their_networks(tmp_path: Any) -> None:
    models = [dense(2, 3, 1, seed=seed) for seed in (0, 1)]
    runs = []
    for k, model in enumerate(models):
        kw.bind(model).save(tmp_path / f"{k}.kan")
        runs.append(kw.replay(tmp_path / f"{k}.kan"))
    own, recorded = kw.ensemble(models), kw.ensemble(runs)
    assert recorded.distance == pytest.approx(own.distance, rel=1e-3)
    assert recorded.members == tuple(runs)
    with pytest.raises(ValueError, match="give models"):
        recorded.formula(torch.rand(9, 2))
    with pytest.raises(ValueError, match="recordings cannot be run"):
        kw.ensemble(runs, batch=torch.rand(9, 2))


@pytest.mark.parametrize("with_batch", [False, True])
def test_the_band_around_a_function_has_the_network_shown_in_it(with_batch: bool) -> None:
    models = [dense(2, 3, 1, seed=seed) for seed in (0, 1, 2)]
    found = kw.ensemble(models, batch=torch.rand(99, 2) * 2 - 1 if with_batch else None)
    assert found.shown is models[found.typical]
    layers = kw.functions.read(models[found.typical])
    for name, layer in zip(found.layers, layers, strict=True):
        x, low, middle, high = found.around(name)
        assert x.shape == (*layer.shape[:2], 1, 41)
        for out, in_ in product(*map(range, layer.shape[:2])):
            own = layer.evaluate(torch.tensor(x[out, in_, 0]))[out, in_].numpy()
            assert (low[out, in_, 0] <= own + 2e-3).all()
            assert (own <= high[out, in_, 0] + 2e-3).all()
            assert (low[out, in_] <= middle[out, in_]).all()
    x, *_, high = found.around("1")
    others = [kw.functions.read(models[k])[1] for k in range(3)]
    if not with_batch:
        # At the same places, and about the same mean: the largest of the three.
        moved = []
        for k, layer in enumerate(others):
            units, at = found.units[k][0].order, torch.tensor(x[0, 0, 0])
            values = layer.evaluate(at)[0, units].numpy()
            values = np.where(found.units[k][0].signs[:, None] < 0, values[:, ::-1], values)
            moved.append(values - values.mean(-1, keepdims=True))
        own = others[found.typical].evaluate(torch.tensor(x[0, 0, 0]))[0, :].numpy()
        most = own.mean(-1, keepdims=True) + np.max(moved, axis=0)
        assert high[0, :, 0] == pytest.approx(most, abs=1e-4)


def test_what_cannot_be_one_is_refused() -> None:
    with pytest.raises(ValueError, match="expected the same"):
        kw.ensemble([dense(2, 3, 1), dense(2, 4, 1)])
    with pytest.raises(ValueError, match="1 given: expected two or more"):
        kw.ensemble([dense(2, 3, 1)])
    with pytest.raises(TypeError, match="a function that trains"):
        kw.ensemble(make)
    with pytest.raises(TypeError, match="expected a function that makes one"):
        kw.ensemble([make, make])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="seeds=1: expected a whole number ≥ 2"):
        kw.ensemble(make, train, seeds=1)
    branched = nn.ModuleList([kw.nn.KANLinear(2, 3), kw.nn.KANLinear(2, 3)])
    with pytest.raises(ValueError, match="a chain of layers"):
        kw.ensemble([branched, copy.deepcopy(branched)])
