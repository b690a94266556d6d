"""update_grid and refine: the knots they choose, the functions they keep, what they refuse."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.interpolate import BSpline as SciPySpline
from scipy.interpolate import make_lsq_spline
from torch import nn

from kan_widgets.nn import (
    KANCNN,
    BSpline,
    KANConv2d,
    KANLinear,
    KnotSpline,
    SharedKANConv2d,
    refine,
    update_grid,
)
from tests.nn.reference import silu


def lively(layer):
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return layer


def phi(layer, x):
    """All functions at the points x by SciPy, from parameters and knots alone: (functions, n)."""
    basis, order = layer.basis, layer.basis.spline_order
    coefficients = layer.spline_weight.detach().double()
    if layer.spline_scaler is not None:
        coefficients = coefficients * layer.spline_scaler.detach().double().unsqueeze(-1)
    coefficients = coefficients.flatten(0, -2).numpy()
    # More knots on both sides make the whole support SciPy's base interval.
    more = np.arange(1, order + 1)
    knots = np.concatenate([basis.knots[0] - more[::-1], basis.knots, basis.knots[-1] + more])
    padded = np.pad(coefficients, ((0, 0), (order, order)))
    spline = np.nan_to_num(SciPySpline(knots, padded.T, order, extrapolate=False)(x)).T
    base = layer.base_weight.detach().double().flatten().numpy()
    return base[:, None] * silu(x) + spline


def skewed(n):
    """Inputs that crowd at their lower end."""
    return torch.from_numpy(np.random.default_rng(0).gamma(1.0, 1.0, n)).float()


def finely(low, high, *knots):
    """Return very many points of an interval, and both sides of each knot in it."""
    edges = np.unique(np.concatenate([[low, high], *knots]))
    edges = edges[(edges >= low) & (edges <= high)]
    width = 1e-9 * (high - low)
    return np.concatenate([np.linspace(low, high, 100_001), edges - width, edges + width]).clip(
        low + width / 2, high - width / 2
    )


# -- update_grid: knots ---------------------------------------------------------------


def test_an_even_grid_spans_the_inputs_with_a_margin_and_stays_uniform():
    layer = KANLinear(1, 2, grid_size=4)
    layer.update_grid(torch.tensor([[3.0], [5.0], [4.5]]), grid_eps=1.0, margin=0.1)
    assert isinstance(layer.basis, BSpline)
    assert layer.basis.grid_range == pytest.approx((2.8, 5.2))
    assert (layer.basis.grid_size, layer.basis.spline_order) == (4, 3)


def test_knots_are_mixed_from_even_ones_and_quantiles():
    x = skewed(999)
    layer = KANLinear(3, 2, grid_size=6)
    layer.update_grid(x.view(-1, 3), grid_eps=0.3, margin=0.0)
    low, high = x.min().item(), x.max().item()
    quantiles = np.quantile(np.unique(x.double().numpy()), np.arange(7) / 6)
    even = np.linspace(low, high, 7)
    knots = np.array(layer.basis.knots)
    np.testing.assert_allclose(knots[3:10], 0.3 * even + 0.7 * quantiles, rtol=1e-6)
    # Beyond the grid the steps are those beside, but not wider than the even ones.
    steps = np.diff(knots)
    np.testing.assert_allclose(steps[:3], steps[3], rtol=1e-6)
    np.testing.assert_allclose(steps[-3:], even[1] - even[0], rtol=1e-6)
    assert steps[3] < even[1] - even[0] < steps[-4]


def test_the_margin_is_a_share_of_the_outermost_intervals():
    x = skewed(999)
    layer = KANLinear(3, 2, grid_size=6)
    layer.update_grid(x.view(-1, 3), grid_eps=0.0, margin=0.05)
    quantiles = np.quantile(np.unique(x.double().numpy()), np.arange(7) / 6)
    low, high = layer.basis.grid_range
    assert quantiles[0] - low == pytest.approx(0.05 * 6 * (quantiles[1] - quantiles[0]))
    assert high - quantiles[-1] == pytest.approx(0.05 * 6 * (quantiles[-1] - quantiles[-2]))


def test_a_value_that_occurs_many_times_draws_no_crowd_of_knots():
    x = torch.cat([torch.full((900,), -1.0), torch.linspace(-0.9, 1, 100)]).view(-1, 1)
    layer = KANLinear(1, 1, grid_size=5)
    layer.update_grid(x, grid_eps=0.0)
    assert np.diff(layer.basis.knots).min() > 0.3


def test_padding_counts_as_input():
    for padding, low in ((1, 0.0), (0, 2.0)):
        layer = KANConv2d(1, 1, 3, padding=padding)
        layer.update_grid(2 + torch.rand(4, 1, 5, 5), margin=0.0)
        assert layer.basis.grid_range[0] == pytest.approx(low, abs=0.1)


def test_several_batches_of_different_sizes_count_together():
    layer = KANConv2d(1, 2, 3)
    small, large = torch.rand(2, 1, 4, 4), 3 + torch.rand(2, 1, 6, 6)
    layer.update_grid([small, large], margin=0.0)
    assert layer.basis.grid_range == pytest.approx((small.min().item(), large.max().item()))


# -- update_grid: functions -----------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("grid_eps", [0.02, 1.0])
def test_the_returned_error_is_the_largest_change_of_any_function_between_the_inputs(
    order, grid_eps
):
    layer = lively(KANLinear(3, 4, spline_order=order, grid_size=6, spline_scaler=True))
    x = skewed(300)
    old = copy.deepcopy(layer)
    error = layer.update_grid(x.view(-1, 3), grid_eps=grid_eps)
    points = finely(x.min().item(), x.max().item(), old.basis.knots, layer.basis.knots)
    largest = np.abs(phi(layer, points) - phi(old, points)).max()
    assert largest > 0.1
    assert error == pytest.approx(largest, rel=1e-5)


def splines(layer, x):
    """All functions without their base terms."""
    return phi(layer, x) - layer.base_weight.detach().double().flatten().numpy()[:, None] * silu(x)


def test_coefficients_are_the_least_squares_fit_over_inputs_and_a_little_over_the_grid():
    layer = lively(KANLinear(2, 3, grid_size=5)).double()
    x = skewed(2000).double().numpy()
    old = copy.deepcopy(layer)
    layer.update_grid(torch.from_numpy(x).view(-1, 2))
    knots, (low, high) = np.array(layer.basis.knots), layer.basis.grid_range
    # Midpoints of short steps in place of an integral.
    n = 200_000
    edges = np.linspace(low, high, n + 1)
    points = np.concatenate([x, (edges[:-1] + edges[1:]) / 2])
    scale = np.sqrt(np.concatenate([np.full(2000, 1 / 2000), np.full(n, 0.01 / n)]))[:, None]
    design = np.stack(
        [
            np.nan_to_num(SciPySpline.basis_element(knots[b : b + 5], extrapolate=False)(points))
            for b in range(8)
        ],
        axis=1,
    )
    best = np.linalg.lstsq(design * scale, splines(old, points).T * scale, rcond=None)[0]
    ours = layer.spline_weight.detach().flatten(0, 1).numpy().T
    np.testing.assert_allclose(ours, best, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("grid_eps", [0.0, 0.02, 0.5, 1.0])
def test_at_the_inputs_no_spline_on_the_new_knots_is_much_nearer(grid_eps, order):
    layer = lively(KANLinear(2, 3, spline_order=order, grid_size=5)).double()
    x = np.sort(np.random.default_rng(0).normal(size=3000))
    old = copy.deepcopy(layer)
    layer.update_grid(torch.from_numpy(x).view(-1, 2), grid_eps=grid_eps)
    wanted = splines(old, x)
    best = make_lsq_spline(x, wanted.T, np.array(layer.basis.knots), order)(x).T
    for was, ours, nearest in zip(wanted, splines(layer, x), best, strict=True):
        least = np.square(nearest - was).mean() ** 0.5
        assert least <= np.square(ours - was).mean() ** 0.5 <= 1.03 * least


INPUTS = {
    "even": np.linspace(-2.4, 2.4, 1000),
    "skewed": 4.8 * np.random.default_rng(0).random(300) ** 8 - 2.4,
    "two heaps": np.concatenate([np.linspace(-2.4, -2.39, 500), np.linspace(2.3, 2.31, 5)]),
    "seven": np.array([-2.3, -2.299, -2.0, 0.1, 0.11, 0.12, 2.4]),
    "two": np.array([0.5, 1.5]),
}


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("grid_eps", [0.0, 0.02, 0.5, 1.0])
@pytest.mark.parametrize("inputs", INPUTS)
def test_a_polynomial_stays_what_it_is_whatever_the_inputs(inputs, grid_eps, order):
    """Of the splines' degree: it lies in the space of any splines of that degree."""
    wide = np.linspace(-3, 3, 500)
    polynomial = np.polynomial.Polynomial([1.0, -1.0, -2.0, 1.0, 0.3, -0.2][: order + 1])
    layer = lively(KANLinear(1, 2, spline_order=order, grid_range=(-3, 3)))
    rows = layer.basis.expand(torch.from_numpy(wide)).numpy()
    coefficients = np.linalg.lstsq(rows, polynomial(wide), rcond=None)[0]
    with torch.no_grad():
        layer.spline_weight[1, 0] = torch.from_numpy(coefficients)
    base = layer.base_weight.detach().clone()
    x = torch.from_numpy(INPUTS[inputs]).float()
    # All is within the old grid: beyond it the function would fade and be no polynomial.
    layer.update_grid(x.view(-1, 1), grid_eps=grid_eps)
    low, high = layer.basis.grid_range
    assert -3 < low < high < 3
    at = np.linspace(low, high, 2001)[:-1]
    wanted = polynomial(at)
    np.testing.assert_allclose(splines(layer, at)[1], wanted, rtol=0, atol=1e-6 * np.ptp(wanted))
    assert torch.equal(layer.base_weight.detach(), base)


def test_a_spline_of_which_all_knots_stay_is_reproduced():
    """The new grid has the old one's knots between the inputs, and others in place of the rest."""
    layer = lively(KANLinear(2, 3, grid_size=12, grid_range=(-3, 3)))
    old = copy.deepcopy(layer)
    x = torch.linspace(-1.5, 1.5, 500).view(-1, 2)
    layer.update_grid(x, grid_eps=1.0, margin=0.0)
    assert layer.basis.knots[3:16:2] == pytest.approx(old.basis.knots[6:13])
    at = np.linspace(-1.5, 1.5, 1001)[1:-1]
    wanted = phi(old, at)
    np.testing.assert_allclose(phi(layer, at), wanted, rtol=0, atol=1e-6 * np.ptp(wanted))


@pytest.mark.parametrize("grid_eps", [0.0, 0.02, 1.0])
@pytest.mark.parametrize("inputs", ["normal", "skewed", "two heaps"])
def test_functions_do_not_run_away_in_gaps_between_inputs(grid_eps, inputs):
    layer = lively(KANLinear(2, 3))
    torch.manual_seed(0)
    x = {
        "normal": torch.randn(1000),
        "skewed": skewed(1000),
        "two heaps": torch.cat([torch.rand(997) / 10, 3 + torch.rand(3) / 10]),
    }[inputs]
    before = np.abs(splines(layer, np.linspace(-3, 3, 2001))).max()
    layer.update_grid(x.view(-1, 2), grid_eps=grid_eps)
    within = np.linspace(*layer.basis.grid_range, 20001)[:-1]
    assert np.abs(splines(layer, within)).max() < 2 * before


def test_an_update_that_finds_the_same_grid_changes_no_function():
    layer = lively(KANLinear(1, 3)).double()
    before = layer.spline_weight.detach().clone()
    x = torch.linspace(-1, 1, 100, dtype=torch.float64).view(-1, 1)
    assert layer.update_grid(x, grid_eps=1.0, margin=0.0) < 1e-12
    assert layer.basis == BSpline()
    torch.testing.assert_close(layer.spline_weight.detach(), before)


def test_the_parameter_changes_in_place_and_the_optimizers_state_can_be_forgotten():
    layer = KANLinear(2, 3)
    optimizer = torch.optim.Adam(layer.parameters(), 1e-2)
    weight = layer.spline_weight
    x = torch.randn(100, 2)
    layer(x).square().sum().backward()
    optimizer.step()
    layer.update_grid(x)
    assert layer.spline_weight is weight
    assert optimizer.state[weight]["exp_avg"].any()
    layer.update_grid(x, optimizer=optimizer)
    assert weight not in optimizer.state
    assert optimizer.state[layer.base_weight]["exp_avg"].any()
    layer(x).square().sum().backward()
    optimizer.step()


def state(layer):
    parameters = {name: p.clone() for name, p in layer.named_parameters()}
    return parameters, layer.basis, layer.mask


def assert_unchanged(layer, before):
    parameters, basis, mask = before
    assert layer.basis is basis
    assert layer.mask is mask
    for name, value in layer.named_parameters():
        assert torch.equal(value, parameters[name])


@pytest.mark.parametrize(
    ("batch", "arguments", "error", "words"),
    [
        (
            torch.full((5, 2), 3.0),
            {},
            ValueError,
            "all 10 inputs are 3: expected inputs over a range",
        ),
        (
            torch.tensor([[0.0, torch.nan]]),
            {},
            ValueError,
            "batch with 1 of 2 numbers NaN",
        ),
        (torch.tensor([[0.0, torch.inf]]), {}, ValueError, "NaN or infinite"),
        (
            torch.zeros(0, 2),
            {},
            ValueError,
            r"shape \(0, 2\): expected at least one input",
        ),
        (torch.zeros(5, 3), {}, ValueError, r"shape \(5, 3\): expected \(\.\.\., 2\)"),
        (
            torch.zeros(5, 2, dtype=torch.long),
            {},
            TypeError,
            "batch of type torch.int64: expected a floating-point",
        ),
        (None, {}, TypeError, "batch=None: expected a floating-point tensor of the layer's inputs"),
        (1000 + 1e-3 * torch.rand(9, 2), {}, ValueError, "too close together for a grid in torch."),
        (
            torch.rand(9, 2),
            {"grid_eps": 1.5},
            ValueError,
            "grid_eps=1.5: expected a number from 0 to 1",
        ),
        (torch.rand(9, 2), {"margin": -1}, ValueError, "margin=-1: expected a finite number ≥ 0"),
        (torch.rand(9, 2), {"optimizer": 3}, TypeError, "optimizer=3: expected a torch.optim"),
        (
            torch.rand(9, 2),
            {"optimizer": torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.1)},
            ValueError,
            "holds none of the parameters that change",
        ),
    ],
)
def test_what_makes_no_grid_raises_and_changes_nothing(batch, arguments, error, words):
    layer = lively(KANLinear(2, 3))
    before = state(layer)
    with pytest.raises(error, match=words):
        layer.update_grid(batch, **arguments)
    assert_unchanged(layer, before)


def test_a_basis_without_knots_says_so():
    for change in (
        lambda layer: layer.update_grid(torch.rand(9, 2)),
        lambda layer: layer.refine(9),
    ):
        with pytest.raises(TypeError, match=r"the basis is Fourier\(.*, which has none"):
            change(KANLinear(2, 3, basis="fourier"))


def test_gradients_on_an_adapted_grid():
    layer = lively(KANConv2d(2, 2, 2)).double()
    layer.update_grid(torch.randn(9, 2, 4, 4, dtype=torch.float64))
    assert isinstance(layer.basis, KnotSpline)
    x = torch.randn(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, x)
    assert torch.autograd.gradgradcheck(layer, x)


# -- refine ---------------------------------------------------------------------------


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize("scaler", [False, True])
def test_a_finer_grid_with_all_old_knots_keeps_every_function_everywhere(order, scaler):
    layer = lively(KANLinear(3, 4, grid_size=5, spline_order=order, spline_scaler=scaler))
    x = np.linspace(-6, 6, 1001) + 1e-4
    before = phi(layer, x)
    for grid_size in (10, 30):
        error = layer.refine(grid_size)
        assert layer.basis.grid_size == grid_size
        assert error <= 1e-5
        np.testing.assert_allclose(phi(layer, x), before, rtol=0, atol=1e-5)


def test_an_adapted_grid_is_refined_within_its_intervals():
    layer = lively(KANLinear(3, 4))
    layer.update_grid(skewed(300).view(-1, 3))
    old = layer.basis
    x = np.linspace(-6, 12, 1001)
    before = phi(layer, x)
    assert layer.refine(15) <= 1e-5
    np.testing.assert_allclose(phi(layer, x), before, rtol=0, atol=2e-5)
    assert set(old.knots) <= set(layer.basis.knots)


def test_an_even_refinement_stays_uniform_and_keeps_the_functions_on_the_grid():
    layer = lively(KANConv2d(2, 3, 3))
    x = np.linspace(-1, 1, 501)
    before = phi(layer, x)
    assert layer.refine(20, even=True) <= 1e-5
    assert layer.basis == BSpline(20)
    np.testing.assert_allclose(phi(layer, x), before, rtol=0, atol=1e-5)


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize("adapted", [False, True])
@pytest.mark.parametrize(("grid_size", "even"), [(7, False), (3, False), (8, True)])
def test_other_sizes_return_the_largest_deviation(grid_size, even, adapted, order):
    layer = lively(KANLinear(3, 4, grid_size=5, spline_order=order, spline_scaler=True)).double()
    if adapted:
        layer.update_grid(skewed(300).double().view(-1, 3))
    old = copy.deepcopy(layer)
    error = layer.refine(grid_size, even=even)
    low, high = old.basis.grid_range if even else old.basis.support
    points = finely(low, high, old.basis.knots, layer.basis.knots)
    largest = np.abs(phi(layer, points) - phi(old, points)).max()
    assert largest > 1e-3
    assert error == pytest.approx(largest, rel=1e-5)


def test_the_deviation_of_a_function_that_is_not_a_number_is_none():
    layer = lively(KANLinear(3, 4))
    with torch.no_grad():
        layer.spline_weight[1, 2, 0] = torch.nan
    assert np.isnan(layer.refine(7))


def test_the_same_size_changes_nothing():
    layer = lively(KANLinear(2, 3))
    before = state(layer)
    assert layer.refine(5) == 0
    assert_unchanged(layer, before)


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.Adam(p, 1e-2),
        lambda p: torch.optim.SGD(p, 1e-2, momentum=0.9),
        lambda p: torch.optim.LBFGS(p, 1e-2),
    ],
    ids=["Adam", "SGD", "LBFGS"],
)
def test_training_goes_on_with_the_optimizer_given(make):
    layer = KANLinear(2, 3)
    optimizer = make(layer.parameters())
    x = torch.randn(50, 2)
    losses = []

    def closure():
        optimizer.zero_grad()
        loss = (layer(x) - x.sum(1, keepdim=True).sin()).square().mean()
        loss.backward()
        losses.append(loss)  # the graph stays alive, as that of a notebook's last loss does
        return loss

    weight = layer.spline_weight
    for _ in range(3):
        optimizer.step(closure)
    layer.refine(10, optimizer=optimizer)
    assert layer.spline_weight is weight
    assert weight.grad is None
    before = weight.detach().clone()
    for _ in range(3):
        optimizer.step(closure)
    assert weight.shape == (3, 2, 13)
    assert (weight != before).any()
    assert losses[-1] < losses[0]


def test_without_the_optimizer_its_next_step_raises():
    layer = KANLinear(2, 3)
    optimizer = torch.optim.Adam(layer.parameters())
    for grid_size in (5, 10):
        layer.refine(grid_size)
        layer(torch.randn(5, 2)).sum().backward()
        if grid_size == 5:
            optimizer.step()
    with pytest.raises(RuntimeError, match="size"):
        optimizer.step()


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"grid_size": 0}, ValueError, "grid_size=0: expected a whole number ≥ 1"),
        ({"grid_size": 2.0}, TypeError, "grid_size=2.0: expected a whole number ≥ 1"),
        ({"grid_size": 9, "optimizer": "adam"}, TypeError, "optimizer='adam': expected"),
    ],
)
def test_wrong_sizes_raise_and_change_nothing(arguments, error, words):
    layer = lively(KANLinear(2, 3))
    before = state(layer)
    with pytest.raises(error, match=words):
        layer.refine(**arguments)
    with pytest.raises(error, match=words):
        refine(nn.Sequential(layer), **arguments)
    assert_unchanged(layer, before)


def test_a_refined_layer_is_trained_exported_and_copied_like_any_other():
    layer = lively(KANConv2d(2, 3, 3, padding=1))
    layer.refine(10)
    x = torch.randn(2, 2, 6, 6)
    exported = torch.export.export(layer, (x,)).module()
    torch.testing.assert_close(exported(x), layer(x))
    assert torch.equal(copy.deepcopy(layer)(x), layer(x))


# -- whole models ---------------------------------------------------------------------


def test_each_layer_of_a_network_gets_the_grid_of_what_reaches_it():
    torch.manual_seed(0)
    model = KANCNN(channels=(3,), norm=None).eval()
    x = torch.randn(8, 1, 28, 28)
    errors = model.update_grid(x, margin=0.0)
    assert set(errors) == {"convs.0", "linear"}
    # By hand, with the first layer on its new grid.
    hidden = F.max_pool2d(model.convs[0](x), 2).flatten(1)
    assert model.convs[0].basis.grid_range == pytest.approx((x.min().item(), x.max().item()))
    low, high = hidden.min().item(), hidden.max().item()
    assert model.linear.basis.grid_range == pytest.approx((low, high), rel=1e-5)


def test_batch_norm_and_generators_are_as_before_and_the_mode_decides():
    model = KANCNN(channels=(3,))
    x = 5 + 2 * torch.randn(8, 1, 28, 28)
    norms = dict(model.norms.named_buffers()) | dict(model.linear_norm.named_buffers())
    before = {name: buffer.clone() for name, buffer in norms.items()}
    torch.manual_seed(3)
    model.update_grid(x)
    assert torch.equal(torch.rand(3), torch.rand(3, generator=torch.Generator().manual_seed(3)))
    assert model.training
    for name, buffer in norms.items():
        assert torch.equal(buffer, before[name])
    # In training mode the first layer sees normalised inputs, in evaluation mode raw ones.
    assert model.convs[0].basis.grid_range[1] < 5
    model.eval()
    model.update_grid(x)
    assert model.convs[0].basis.grid_range[1] > 9


def test_a_layer_called_twice_gets_the_inputs_of_both_calls():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = KANLinear(2, 2)

        def forward(self, x):
            return self.layer(x) + self.layer(x + 10)

    model = Twice()
    update_grid(model, torch.rand(50, 2), margin=0.0)
    low, high = model.layer.basis.grid_range
    assert low < 1
    assert high > 10


def test_bad_data_changes_no_layer_of_a_network():
    torch.manual_seed(0)
    model = nn.Sequential(KANLinear(2, 3), nn.ReLU(), KANLinear(3, 1))
    with torch.no_grad():
        model[0].base_weight.fill_(-1.0)
        model[0].spline_weight.zero_()
    before = [state(model[0]), state(model[2])]
    with pytest.raises(ValueError, match="layer '2': all 60 inputs are 0"):
        update_grid(model, torch.rand(20, 2))
    assert_unchanged(model[0], before[0])
    assert_unchanged(model[2], before[1])
    with pytest.raises(ValueError, match=r"layer '0': .* NaN"):
        update_grid(model, torch.full((4, 2), torch.nan))
    with pytest.raises(TypeError, match="Linear has none"):
        update_grid(nn.Linear(2, 2), torch.rand(4, 2))
    with pytest.raises(TypeError, match="no layer of Sequential has them"):
        update_grid(nn.Sequential(KANLinear(2, 2, basis="rbf")), torch.rand(4, 2))


def test_a_network_keeps_its_output_when_refined_and_trains_on():
    torch.manual_seed(0)
    model = lively(KANCNN.article())
    assert isinstance(model.convs[0], SharedKANConv2d)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    x = torch.randn(4, 1, 28, 28)

    def step():
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()

    step()
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(0.1)
    before = model(x)
    errors = model.refine(20, optimizer=optimizer)
    assert max(errors.values()) <= 1e-5
    assert {layer.basis.grid_size for layer in (*model.convs, model.linear)} == {20}
    torch.testing.assert_close(model(x), before, rtol=1e-4, atol=1e-4)
    old = [p.detach().clone() for p in model.parameters()]
    step()
    for p, value in zip(model.parameters(), old, strict=True):
        assert not torch.equal(p, value)
