"""Kernels against the layers they were taken from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.insight import SeenPatches, check_observed
from kan_widgets.insight.kernels import kernel_terms

LAYERS = {
    "spline": lambda: kw.nn.KANConv2d(2, 4, 3, padding=1),
    "grouped": lambda: kw.nn.KANConv2d(4, 6, (3, 2), groups=2),
    "shared": lambda: kw.nn.SharedKANConv2d(5, 3, spline_scaler=True),
    "fourier": lambda: kw.nn.KANConv2d(2, 3, 3, basis="fourier"),
    "plain": lambda: nn.Conv2d(2, 3, 3, bias=False),
    "linear": lambda: kw.nn.KANLinear(7, 3),
}


def seen(layer: nn.Module, name: str) -> tuple[torch.Tensor, kw.insight.Observed]:
    torch.manual_seed(1)
    channels = {"grouped": 4, "shared": 1}.get(name, 2)
    x = torch.rand(3, 7) if name == "linear" else 2 * torch.rand(3, channels, 6, 6) - 1
    [observed] = kw.bind(layer).observe(x).values()
    return x, observed


@pytest.mark.parametrize("name", LAYERS)
def test_the_terms_of_a_kernel_add_up_to_what_the_layer_computes(name: str) -> None:
    torch.manual_seed(0)
    layer = LAYERS[name]()
    x, observed = seen(layer, name)
    with torch.no_grad():
        y = layer(x)
    [functions] = kw.functions.read(layer)
    patches = check_observed(functions, observed)
    for out in range(y.shape[1]):
        found = kernel_terms(functions, patches, out).sum(axis=1)
        assert found == pytest.approx(y[:, out].reshape(-1).numpy(), abs=2e-6)


def test_functions_with_grids_of_their_own_are_evaluated_on_those() -> None:
    torch.manual_seed(0)
    layer = kw.nn.KANLinear(5, 2)
    layer.update_grid(torch.randn(200, 5) * torch.tensor([0.1, 1.0, 3.0, 0.5, 2.0]))
    x = torch.randn(30, 5)
    with torch.no_grad():
        expected = layer(x)[:, 1].numpy()
    [functions] = kw.functions.read(layer)
    terms = kernel_terms(functions, x.double().numpy(), 1)
    assert terms.sum(axis=1) == pytest.approx(expected, abs=2e-6)
    alone = np.stack([functions.evaluate(x[:, e])[1, e].numpy() for e in range(5)], axis=1)
    assert alone == pytest.approx(terms, abs=2e-6)


def test_what_cannot_be_answered_is_refused_with_the_remedy() -> None:
    [functions] = kw.functions.read(nn.Sequential(nn.Conv2d(1, 2, 3)))
    patches = np.zeros((4, 9), dtype=np.float32)
    with pytest.raises(TypeError, match=r"nothing was observed at 0: .*live\.observe\(batch\)"):
        check_observed(functions, None)
    with pytest.raises(TypeError, match=r"observed of type ndarray: expected what live\.observe"):
        check_observed(functions, patches)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="observed at 3, but the functions are of 0"):
        check_observed(functions, SeenPatches("3", 4, patches))
    with pytest.raises(ValueError, match=r"patches of shape \(4, 8\): expected \(n, 9\) of 0"):
        check_observed(functions, SeenPatches("0", 4, patches[:, :8]))
    with pytest.raises(ValueError, match=r"patches of shape \(0, 9\)"):
        check_observed(functions, SeenPatches("0", 4, patches[:0]))
    with pytest.raises(ValueError, match="not all finite"):
        check_observed(functions, SeenPatches("0", 4, np.full_like(patches, np.nan)))
