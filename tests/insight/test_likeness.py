"""Likeness against numpy's corrcoef, clusters against scipy's, redundancy against regressions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.cluster import hierarchy  # type: ignore[import-untyped]
from scipy.spatial.distance import squareform  # type: ignore[import-untyped]
from torch import nn

import kan_widgets as kw
from kan_widgets.insight import SeenPatches, likeness, redundancy
from kan_widgets.insight.linkage import agglomerate, cut


def lively() -> kw.functions.LayerFunctions:
    torch.manual_seed(0)
    layer = kw.nn.KANConv2d(2, 3, 2)
    nn.init.normal_(layer.spline_weight)
    return kw.functions.read(layer)[0]


def seen(layer: kw.functions.LayerFunctions, n: int = 64) -> SeenPatches:
    """Give as many inputs as there are points, so that each is its own point."""
    entries = int(np.prod(layer.shape[1:]))
    patches = np.random.default_rng(0).normal(0, 0.5, (n, entries))
    return SeenPatches(layer.name, n, patches)


def test_r_is_the_correlation_over_all_inputs_of_the_layer() -> None:
    layer = lively()
    observed = seen(layer)
    found = likeness(layer, observed)
    assert (found.samples, found.patches, found.points) == (64, 64, 64 * 8)
    with torch.no_grad():
        x = torch.from_numpy(observed.patches.ravel())
        phi = layer.evaluate(x.float()).reshape(layer.n_functions, -1).numpy()
    expected = np.corrcoef(phi)
    assert found.matrix() == pytest.approx(expected, abs=1e-5)
    assert found.correlation(3, 8) == pytest.approx(expected[3, 8], abs=1e-5)
    row = np.abs(expected[3])
    row[3] = 0
    order = np.argsort(-row)[:4]
    assert [f for f, _ in found.most_alike(3, 4)] == order.tolist()
    assert [r for _, r in found.most_alike(3, 4)] == pytest.approx(expected[3, order], abs=1e-5)


def test_few_points_stand_well_for_many_inputs() -> None:
    layer = lively()
    observed = seen(layer, 5000)
    with torch.no_grad():
        x = torch.from_numpy(observed.patches.ravel())
        phi = layer.evaluate(x.float()).reshape(layer.n_functions, -1).numpy()
    assert likeness(layer, observed).matrix() == pytest.approx(np.corrcoef(phi), abs=5e-3)


def test_multiples_and_shifts_are_alike_and_constants_are_like_nothing() -> None:
    layer = kw.nn.KANLinear(5, 1)
    torch.manual_seed(0)
    with torch.no_grad():
        nn.init.zeros_(layer.base_weight)
        nn.init.normal_(layer.spline_weight)
        layer.spline_weight[0, 1] = -0.01 * layer.spline_weight[0, 0]
        layer.spline_weight[0, 2] = 5 * layer.spline_weight[0, 0] + 3  # splines add up to 1
        layer.spline_weight[0, 3] = 2  # a constant
    [functions] = kw.functions.read(layer)
    patches = np.random.default_rng(0).uniform(-0.99, 0.99, (200, 5))
    found = likeness(functions, SeenPatches(functions.name, 200, patches))
    assert found.correlation(0, 1) == pytest.approx(-1)
    assert found.correlation(0, 2) == pytest.approx(1)
    assert abs(found.correlation(0, 4)) < 0.9
    assert np.isnan(found.correlation(0, 3))
    clusters = found.clusters()
    assert clusters.labels.ravel().tolist() == [0, 0, 0, -1, 1]
    assert clusters.sizes.tolist() == [3, 1]
    assert clusters.typical[1] == 4
    assert "5 functions in 2 shapes at |r| ≥ 0.98 (1 alone, 1 constant" in str(clusters)
    assert 3 not in [f for f, _ in found.most_alike(0, 9)]


def test_functions_on_different_grids_are_compared_at_the_same_inputs() -> None:
    from kan import KAN  # type: ignore[import-untyped]

    torch.manual_seed(0)
    model = KAN(width=[3, 2], grid=4, k=3, auto_save=False)
    x = torch.randn(60, 3) * torch.tensor([0.5, 1.0, 2.0])
    model.update_grid_from_samples(x)
    [layer] = kw.functions.read(model)
    assert len(layer.bases) > 1
    found = likeness(layer, SeenPatches(layer.name, 60, x.numpy()))
    with torch.no_grad():
        points = np.sort(x.numpy().ravel())
        phi = layer.evaluate(torch.from_numpy(points)).reshape(6, -1).numpy()
    assert found.points == 180
    assert found.matrix() == pytest.approx(np.corrcoef(phi), abs=1e-4)


@pytest.mark.parametrize("linkage", ["average", "single"])
@pytest.mark.parametrize("n", [2, 3, 30, 150])
def test_the_tree_and_its_cuts_are_scipys(linkage: str, n: int) -> None:
    vectors = np.random.default_rng(n).normal(size=(n, 4))
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    alike = np.abs(vectors @ vectors.T)
    distances = 1 - (alike + alike.T) / 2
    np.fill_diagonal(distances, 0)
    tree = agglomerate(alike.copy(), linkage)  # type: ignore[arg-type]
    expected = hierarchy.linkage(squareform(distances, checks=False), linkage)
    assert tree == pytest.approx(expected, abs=1e-12)
    for threshold in (0.0, 0.5, 0.8, 0.95):
        groups = cut(tree, threshold)
        theirs = hierarchy.fcluster(expected, 1 - threshold, "distance")
        assert ((groups[:, None] == groups) == (theirs[:, None] == theirs)).all()
        sizes = np.bincount(groups)
        assert (np.diff(sizes) <= 0).all()


def test_average_linkage_does_not_chain_where_single_does() -> None:
    angles = np.deg2rad(np.arange(0, 90, 8))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    alike = np.abs(vectors @ vectors.T)
    threshold = float(np.cos(np.deg2rad(9)))
    single = cut(agglomerate(alike.copy(), "single"), threshold)
    average = cut(agglomerate(alike.copy(), "average"), threshold)
    assert len(set(single)) == 1
    assert len(set(average)) > 3


def test_the_typical_function_is_the_one_most_like_the_others() -> None:
    layer = lively()
    found = likeness(layer, seen(layer))
    clusters = found.clusters(0.5)
    r = np.abs(found.matrix())
    assert clusters.sizes[0] > 2
    for k, typical in enumerate(clusters.typical):
        members = np.flatnonzero(clusters.labels.ravel() == k)
        totals = r[np.ix_(members, members)].sum(axis=1)
        assert typical in members
        assert totals[members == typical] == pytest.approx(totals.max())


def test_redundancy_is_what_regressions_on_the_other_kernels_say() -> None:
    torch.manual_seed(0)
    layer = kw.nn.KANLinear(6, 4)
    with torch.no_grad():
        nn.init.normal_(layer.spline_weight)
        # Kernel 3 is a combination of 0 and 1, and almost all of 0.
        for weight in (layer.base_weight, layer.spline_weight):
            weight[3] = 2 * weight[0] - 0.1 * weight[1]
    [functions] = kw.functions.read(layer)
    x = torch.rand(300, 6) * 2 - 1
    found = redundancy(functions, SeenPatches(functions.name, 300, x.numpy()))
    with torch.no_grad():
        y = layer(x).double().numpy()
    r = np.corrcoef(y.T)
    assert found.correlation == pytest.approx(r, abs=1e-6)
    assert found.nearest.tolist()[0] == 3
    assert found.nearest.tolist()[3] == 0
    one = np.ones(300)
    for k in range(4):
        # Kernel 3 says nothing that 0 and 1 do not.
        others = np.column_stack([y[:, [j for j in range(4) if j != k and (j, k) != (3, 2)]], one])
        best = others @ np.linalg.lstsq(others, y[:, k], rcond=None)[0]
        expected = 1 - ((y[:, k] - best) ** 2).sum() / ((y[:, k] - y[:, k].mean()) ** 2).sum()
        assert found.explained[k] == pytest.approx(expected, abs=1e-5)
    assert found.explained[3] == pytest.approx(1)
    assert found.explained[2] < 0.7
    eigenvalues = np.linalg.eigvalsh(r)
    assert found.effective == pytest.approx(eigenvalues.sum() ** 2 / (eigenvalues**2).sum())
    assert found.effective < 3.5


def test_kernels_of_groups_are_compared_on_the_same_patches() -> None:
    torch.manual_seed(0)
    layer = kw.nn.KANConv2d(4, 4, 2, groups=2)
    x = torch.randn(6, 4, 6, 6)
    [(_, observed)] = kw.bind(layer).observe(x).items()
    found = redundancy(kw.functions.read(layer)[0], observed)
    with torch.no_grad():
        y = layer(x).transpose(0, 1).reshape(4, -1).numpy()
    assert found.correlation == pytest.approx(np.corrcoef(y), abs=1e-5)


def test_too_few_patches_and_kernels_that_do_not_vary_say_nothing() -> None:
    linear = nn.Linear(3, 4)
    with torch.no_grad():
        linear.weight[2] = 0
    [functions] = kw.functions.read(linear)
    few = np.random.default_rng(0).normal(size=(20, 3))
    found = redundancy(functions, SeenPatches(functions.name, 20, few))
    assert np.isnan(found.explained).all()
    assert np.isnan(found.correlation[2]).all()
    assert found.nearest[2] == -1
    assert 1 <= found.effective <= 3
    enough = np.random.default_rng(0).normal(size=(30, 3))
    assert np.isfinite(
        redundancy(functions, SeenPatches(functions.name, 30, enough)).explained[[0, 1, 3]]
    ).all()
    nothing = redundancy(functions, SeenPatches(functions.name, 9, np.ones((9, 3))))
    assert np.isnan(nothing.effective)


def test_wrong_arguments_are_refused() -> None:
    layer = lively()
    with pytest.raises(TypeError, match="nothing was observed"):
        likeness(layer, None)
    with pytest.raises(TypeError, match="nothing was observed"):
        redundancy(layer, None)
    found = likeness(layer, seen(layer))
    with pytest.raises(ValueError, match=r"threshold: expected \|r\| from 0 to 1, got 98"):
        found.clusters(98)
    with pytest.raises(ValueError, match="linkage: expected 'average' or 'single', got 'ward'"):
        found.clusters(linkage="ward")  # type: ignore[arg-type]
