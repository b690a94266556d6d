"""A heavy dense layer reads its weight once for a few rows: no copy of it is made."""

from __future__ import annotations

import pytest
import torch

from kan_widgets.functions import check
from kan_widgets.nn import KANLinear, dense


@pytest.fixture
def layer():
    torch.manual_seed(0)
    layer = KANLinear(400, 330)
    assert layer.spline_weight.numel() >= dense.MIN_WEIGHTS
    return layer


@pytest.mark.parametrize("rows", [1, 7, dense.MAX_ROWS])
def test_few_rows_are_what_the_functions_add_up_to_and_no_weight_is_packed(
    layer, rows, monkeypatch
):
    monkeypatch.setattr(dense, "packed_weight", None)
    monkeypatch.setattr("kan_widgets.nn.expansion._kernels", None)
    x = 2 * torch.randn(rows, 400)
    assert check(layer, inputs=x).error < 1e-5


def test_more_rows_and_light_layers_go_the_usual_way(layer):
    assert dense.few(torch.zeros(dense.MAX_ROWS, 400), layer.spline_weight)
    assert not dense.few(torch.zeros(dense.MAX_ROWS + 1, 400), layer.spline_weight)
    assert not dense.few(torch.zeros(1, 400), KANLinear(400, 20).spline_weight)


def test_the_gradients_of_few_rows_are_those_of_double_precision(layer):
    x = torch.randn(5, 400, requires_grad=True)
    layer(x).square().sum().backward()
    exact = KANLinear(400, 330, dtype=torch.float64)
    with torch.no_grad():
        for own, other in zip(exact.parameters(), layer.parameters(), strict=True):
            own.copy_(other)
    # Written out with torch's operations alone.
    y = x.detach().double().requires_grad_()
    columns = torch.cat([torch.nn.functional.silu(y).unsqueeze(-1), exact.basis.expand(y)], -1)
    out = torch.einsum("nib,oib->no", columns, exact.coefficients())
    out.square().sum().backward()
    pairs = [(x, y), *zip(layer.parameters(), exact.parameters(), strict=True)]
    for own, other in pairs:
        scale = float(other.grad.abs().max())
        assert float((own.grad - other.grad).abs().max()) < 1e-5 * scale
