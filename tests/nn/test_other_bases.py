"""RBF, Chebyshev and Fourier by compiled kernels: exact, on any number of threads, in any piece."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from numpy.polynomial import chebyshev

from kan_widgets.nn import (
    RBF,
    Chebyshev,
    Fourier,
    KANConv2d,
    KANLinear,
    SharedKANConv2d,
)
from kan_widgets.nn.compiled import local
from kan_widgets.nn.contraction import LayerCall, Product

BASES = [
    RBF(8, (-1.0, 1.0)),
    RBF(2, (0.0, 0.5)),
    RBF(40),
    Chebyshev(7, (-1.0, 1.0)),
    Chebyshev(0),
    Chebyshev(1, (2.0, 3.0)),
    Chebyshev(30),
    Fourier(4, (-1.0, 1.0)),
    Fourier(1, (-0.5, 2.0), constant=False),
    Fourier(20),
]


def by_numpy(basis, x):
    """Values and slopes of all functions, in float64."""
    lo, hi = basis.grid_range
    x = x[..., None]
    if isinstance(basis, RBF):
        width = (hi - lo) / (basis.n_centres - 1)
        distance = (x - np.linspace(lo, hi, basis.n_centres)) / width
        with np.errstate(over="ignore"):
            values = np.exp(-(distance**2))
        return values, np.where(values > 0, -2 * distance / width, 0) * values
    if isinstance(basis, Chebyshev):
        u = (x[..., 0] - (lo + hi) / 2) * 4 / (hi - lo)
        each = np.eye(basis.n_basis)
        values = np.moveaxis(chebyshev.chebval(np.tanh(u), each), 0, -1)
        slopes = np.moveaxis(chebyshev.chebval(np.tanh(u), chebyshev.chebder(each)), 0, -1)
        inner = 1 / np.cosh(np.clip(u, -300, 300)) ** 2 * 4 / (hi - lo)
        return values, slopes * inner[..., None]
    rate = 2 * np.pi / (hi - lo)
    values, slopes = [np.ones_like(x)], [np.zeros_like(x)]
    for n in range(1, basis.frequencies + 1):
        angle = n * ((x - (lo + hi) / 2) * rate)
        values += [np.cos(angle), np.sin(angle)]
        slopes += [-n * rate * np.sin(angle), n * rate * np.cos(angle)]
    first = not basis.constant
    return np.concatenate(values[first:], -1), np.concatenate(slopes[first:], -1)


def silu(x):
    with np.errstate(over="ignore"):
        gate = 1 / (1 + np.exp(-x))
    return x * gate, gate * (1 + x * (1 - gate))


def inputs(basis, n=1003):
    """Numbers all over the domain, at its ends, near its middle, and far away."""
    lo, hi = basis.domain
    random = torch.Generator().manual_seed(0)
    near = lo + (hi - lo) * (torch.rand(n, generator=random) * 2 - 0.5)
    middle = (lo + hi) / 2 + torch.tensor([0.0, 1e-30, -1e-4, 1e-3, 0.02])
    far = torch.tensor([30.0, 88.5, 1e3, 1e5, 1e7])
    return torch.cat([near, torch.tensor([lo, hi, -0.0]), middle, far, -far])


def each_alone(basis):
    """A layer of one input, each of whose outputs is one function; the first is the base."""
    layer = KANLinear(1, basis.n_basis + 1, basis=basis)
    with torch.no_grad():
        layer.base_weight.zero_()[0] = 1.0
        layer.spline_weight.zero_()[1:, 0] = torch.eye(basis.n_basis)
    return layer


def kernels(x, basis):
    layer = KANLinear(x.shape[-1], 2, basis=basis)
    weights = layer.base_weight, layer.spline_weight
    return local.kernels_for(LayerCall(x, None, *weights, basis, "silu", Product(), x.dtype))


def values(basis, x):
    """The kernels' functions, base first."""
    assert kernels(x[:, None], basis) is not None
    return each_alone(basis)(x[:, None]).detach()


def gradient(basis, x, grad):
    x = x[:, None].requires_grad_()
    return torch.autograd.grad(each_alone(basis)(x), x, grad)[0][:, 0]


@pytest.fixture(autouse=True)
def small_calls_too(monkeypatch):
    monkeypatch.setattr(local, "MIN_COLUMNS", 1)


@pytest.mark.parametrize("basis", BASES, ids=str)
def test_functions_are_numpys(basis):
    x = inputs(basis)
    exact, _ = by_numpy(basis, x.double().numpy())
    found = values(basis, x).double().numpy()
    np.testing.assert_allclose(found[:, 1:], exact, rtol=0, atol=2.5e-7 * (basis.n_basis + 1))
    np.testing.assert_allclose(found[:, 0], silu(x.double().numpy())[0], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("basis", BASES, ids=str)
def test_slopes_are_numpys_one_function_at_a_time(basis):
    x = inputs(basis, 301)
    _, exact = by_numpy(basis, x.double().numpy())
    exact = np.concatenate([silu(x.double().numpy())[1][:, None], exact], -1)
    for b in range(basis.n_basis + 1):
        grad = torch.zeros(x.numel(), basis.n_basis + 1)
        grad[:, b] = 1.0
        found = gradient(basis, x, grad).double().numpy()
        rounding = 2.5e-7 * (basis.n_basis + 4) * max(1.0, np.abs(exact).max())
        np.testing.assert_allclose(found, exact[:, b], rtol=0, atol=rounding)


@pytest.mark.parametrize("basis", BASES, ids=str)
@pytest.mark.parametrize("n", [1, 15, 16, 17, 5000])
def test_neither_threads_nor_neighbours_change_a_bit(basis, n):
    x = inputs(basis, 5000)[:n]
    grad = torch.randn(n, basis.n_basis + 1)
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            found.append((values(basis, x), gradient(basis, x, grad)))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(map(torch.equal, found[0], other))
    alone = values(basis, x[n // 2 :])
    assert torch.equal(alone, found[0][0][n // 2 :])


LAYERS = {
    "dense": (lambda **settings: KANLinear(7, 33, **settings), (300, 7)),
    "one row": (lambda **settings: KANLinear(7, 5, **settings), (1, 7)),
    "convolution": (lambda **settings: KANConv2d(3, 5, 3, padding=1, **settings), (7, 3, 9, 8)),
    "groups": (lambda **settings: KANConv2d(4, 6, 3, 2, groups=2, **settings), (5, 4, 9, 8)),
    "shared": (lambda **settings: SharedKANConv2d(2, 3, **settings), (5, 3, 6, 6)),
}


def take_the_kernels_for_float32(monkeypatch):
    """Fail where torch's operations would compute it."""
    for kind in (RBF, Chebyshev, Fourier):
        for name in ("expand", "derivative"):
            whole = getattr(kind, name)

            def only_double(self, x, whole=whole):
                assert x.dtype == torch.float64
                return whole(self, x)

            monkeypatch.setattr(kind, name, only_double)


@pytest.mark.parametrize("activation", ["silu", "gelu", torch.sin])
@pytest.mark.parametrize("basis", [BASES[0], BASES[2], BASES[3], BASES[7]], ids=str)
@pytest.mark.parametrize("case", LAYERS)
def test_layers_and_their_gradients_are_those_of_float64(case, basis, activation, monkeypatch):
    make, shape = LAYERS[case]
    torch.manual_seed(0)
    layer = make(basis=basis, base_activation=activation)
    exact = make(basis=basis, base_activation=activation, dtype=torch.float64)
    with torch.no_grad():
        layer.spline_weight.normal_()
        for own, other in zip(exact.parameters(), layer.parameters(), strict=True):
            own.copy_(other)
    take_the_kernels_for_float32(monkeypatch)
    x = torch.randn(shape, requires_grad=True)
    y = x.detach().double().requires_grad_()
    for each, given in ((layer, x), (exact, y)):
        each(given).square().sum().backward()
    torch.testing.assert_close(layer(x).double(), exact(y), rtol=1e-5, atol=1e-5)
    pairs = [(x, y), *zip(layer.parameters(), exact.parameters(), strict=True)]
    for own, other in pairs:
        assert own.grad.shape == other.grad.shape
        assert (own.grad - other.grad).abs().max() <= 1e-5 * other.grad.abs().max()


@pytest.mark.parametrize("case", ["dense", "convolution"])
def test_only_what_is_asked_for_is_computed_and_is_the_same(case):
    make, shape = LAYERS[case]
    torch.manual_seed(0)
    layer = make(basis="fourier", base_activation=torch.sin)
    x = torch.randn(shape)
    given = [x, *layer.parameters()]
    for tensor in given:
        tensor.requires_grad_()
    whole = torch.autograd.grad(layer(x).square().sum(), given)
    for wanted in itertools.product([True, False], repeat=len(given)):
        if not any(wanted):
            continue
        for tensor, wants in zip(given, wanted, strict=True):
            tensor.grad = None
            tensor.requires_grad_(wants)
        layer(x).square().sum().backward()
        for tensor, wants, all_of_it in zip(given, wanted, whole, strict=True):
            assert wants == (tensor.grad is not None)
            assert not wants or torch.equal(tensor.grad, all_of_it)


def test_a_class_of_its_own_has_its_own_functions():
    class Half(RBF):
        def expand(self, x):
            return super().expand(x) / 2

        def derivative(self, x):
            return super().derivative(x) / 2

    x = torch.randn(50, 6)
    assert kernels(x, RBF()) is not None
    assert kernels(x, Half()) is None
    torch.manual_seed(0)
    layer = KANLinear(6, 2, basis=RBF())
    with torch.no_grad():
        layer.base_weight.zero_()
    found = layer(x)
    layer.basis = Half()
    torch.testing.assert_close(layer(x), found / 2)


def test_other_types_than_float32_have_no_kernels():
    x = torch.randn(50, 6)
    assert kernels(x.double(), RBF()) is None
    assert kernels(x.bfloat16(), RBF()) is None
