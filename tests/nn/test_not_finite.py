"""NaN and infinity spread alike, however large the batch and whichever way computes."""

from __future__ import annotations

import pytest
import torch

from kan_widgets.nn import (
    RBF,
    BSpline,
    Chebyshev,
    Fourier,
    KANConv2d,
    KANLinear,
    KnotSpline,
)
from kan_widgets.nn.compiled import local, native
from kan_widgets.nn.compiled.compile_options import OTHER_BASES

BAD = [torch.nan, torch.inf, -torch.inf]


def build(kind, order, activation="silu", even=True):
    knots = torch.linspace(-1.5, 1.5, 6 + 2 * order).pow(3).add(torch.arange(6 + 2 * order) * 0.1)
    basis = BSpline(5, order) if even else KnotSpline(tuple(knots.tolist()), order)
    torch.manual_seed(0)
    if kind == "linear":
        return KANLinear(6, 10, basis=basis, base_activation=activation)
    # 5 output channels lie tap by tap in the kernels, 40 do not.
    out = {"conv": 5, "wide conv": 40}[kind]
    return KANConv2d(2, out, 3, padding=1, basis=basis, base_activation=activation)


def batch(kind, n):
    generator = torch.Generator().manual_seed(1)
    # Well inside the grid's first half: the last splines are zero everywhere.
    shape = (n, 6) if kind == "linear" else (n, 2, 7, 6)
    return torch.rand(shape, generator=generator) * 0.5 - 0.9


def results(layer, x, grad=None):
    """Return the output and all gradients."""
    x = x.clone().requires_grad_()
    out = layer(x)
    gradient = torch.ones_like(out) if grad is None else grad(out)
    return out.detach(), *torch.autograd.grad(out, [x, *layer.parameters()], gradient)


def kinds(tensor):
    """Return 0 for what is finite, and a number each for NaN, infinity and minus infinity."""
    return tensor.isnan() + 2 * tensor.isposinf() + 3 * tensor.isneginf()


def assert_alike(layer, x, monkeypatch, grad=None):
    """Compare the compiled kernels with torch's operations."""
    monkeypatch.setattr(local, "MIN_COLUMNS", 1)
    monkeypatch.setattr(native, "_wanted", True)
    order = getattr(layer.basis, "spline_order", OTHER_BASES)
    assert (
        order == 0 or native.library(order) is not None
    )  # splines of order 0 take torch's operations
    compiled = results(layer, x, grad)
    monkeypatch.setattr(native, "_wanted", False)
    plain = results(layer, x, grad)
    for a, b in zip(compiled, plain, strict=True):
        assert torch.equal(kinds(a), kinds(b))
    return plain


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("n", [1, 64])
@pytest.mark.parametrize("order", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["linear", "conv", "wide conv"])
@pytest.mark.parametrize("where", ["coefficient", "base weight", "x"])
def test_what_is_not_finite_spreads_as_by_torchs_operations(
    where, kind, order, n, bad, monkeypatch
):
    layer, x = build(kind, order), batch(kind, n)
    with torch.no_grad():
        if where == "coefficient":  # of a spline that is zero at every x
            layer.spline_weight.flatten(0, -2)[7, -1] = bad
        elif where == "base weight":
            layer.base_weight.view(-1)[7] = bad
        else:
            x.view(-1)[5] = bad
    plain = assert_alike(layer, x, monkeypatch)
    assert not plain[0].isfinite().all()


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("activation", ["silu", "tanh", torch.sin])
@pytest.mark.parametrize("basis", ["even", "uneven", RBF(5), Chebyshev(3), Fourier(2)], ids=str)
@pytest.mark.parametrize("kind", ["linear", "conv"])
@pytest.mark.parametrize("where", ["coefficient", "x", "gradient", "base"])
def test_so_do_other_bases_and_gradients(where, kind, basis, activation, bad, monkeypatch):
    layer, x = build(kind, 3, activation, basis == "even"), batch(kind, 64)
    if not isinstance(basis, str):
        layer.basis = basis
        shape = (*layer.base_weight.shape, basis.n_basis)
        layer.spline_weight = torch.nn.Parameter(torch.randn(shape))
    grad = None
    if where == "coefficient":
        with torch.no_grad():
            layer.spline_weight.flatten(0, -2)[7, -1] = bad
    elif where == "x":
        x.view(-1)[5] = bad
    elif where == "base":
        layer.base_activation = lambda x: torch.where(x == x.detach().min(), bad, x)
    else:

        def grad(out):
            gradient = torch.ones_like(out)
            gradient.view(-1)[11] = bad
            return gradient

    assert_alike(layer, x, monkeypatch, grad)


@pytest.mark.parametrize("kind", ["linear", "conv"])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_coefficient_that_is_nan_is_nan_in_its_output_at_every_batch_size(
    kind, threads, monkeypatch
):
    layer = build(kind, 3)
    with torch.no_grad():
        layer.spline_weight[3, ..., -1] = torch.nan
    monkeypatch.setattr(native, "_wanted", True)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        for n in (1, 64, 3000):  # the last by the compiled kernels
            out = layer(batch(kind, n))
            assert out[:, 3].isnan().all()
            assert out[:, :3].isfinite().all()
    finally:
        torch.set_num_threads(before)
