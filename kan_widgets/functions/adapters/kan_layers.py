"""Read this package's own layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kan_widgets.functions.basis import SplineBasis
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.registry import register_adapter
from kan_widgets.nn import KANConv2d, KANLinear, SharedKANConv2d

SplineLayer = KANConv2d | KANLinear | SharedKANConv2d


def _coefficients(module: SplineLayer) -> Tensor:
    """Return base and (scaled) spline coefficients side by side, ``(..., nb)``."""
    with torch.no_grad():
        spline = module.spline_weight.detach()
        if module.spline_scaler is not None:
            spline = spline * module.spline_scaler.unsqueeze(-1)
        return torch.cat([module.base_weight.unsqueeze(-1), spline], dim=-1)


def read_linear(module: nn.Module) -> LayerFunctions:
    """Read a `KANLinear`."""
    assert isinstance(module, KANLinear)
    basis = SplineBasis(module.basis, module.base_activation)
    return LayerFunctions("linear", _coefficients(module), (basis,))


def read_conv(module: nn.Module) -> LayerFunctions:
    """Read a `KANConv2d`."""
    assert isinstance(module, KANConv2d)
    basis = SplineBasis(module.basis, module.base_activation)
    return LayerFunctions("conv", _coefficients(module), (basis,), groups=module.groups)


def read_shared_conv(module: nn.Module) -> LayerFunctions:
    """Read a `SharedKANConv2d`: ``num_kernels`` kernels, one input channel."""
    assert isinstance(module, SharedKANConv2d)
    basis = SplineBasis(module.basis, module.base_activation)
    coefficients = _coefficients(module)
    if coefficients.ndim == 4:
        coefficients = coefficients.unsqueeze(1)
    note = "Every kernel is applied to each input channel."
    return LayerFunctions("conv", coefficients, (basis,), note=note)


register_adapter(KANLinear, read_linear)
register_adapter(KANConv2d, read_conv)
register_adapter(SharedKANConv2d, read_shared_conv)
