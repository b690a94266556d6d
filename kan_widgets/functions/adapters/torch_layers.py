"""Read `torch.nn.Conv2d` and `torch.nn.Linear`: every weight w is the line φ(x) = w·x."""

from __future__ import annotations

from torch import nn

from kan_widgets.functions.basis import IdentityBasis
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.registry import register_adapter


def read_conv2d(module: nn.Module) -> LayerFunctions:
    """Read the kernels of a convolution; the bias is not part of any φ."""
    assert isinstance(module, nn.Conv2d)
    weight = module.weight.detach().unsqueeze(-1)
    return LayerFunctions("conv", weight, (IdentityBasis(),), groups=module.groups)


def read_linear(module: nn.Module) -> LayerFunctions:
    """Read the weights of a linear layer; the bias is not part of any φ."""
    assert isinstance(module, nn.Linear)
    return LayerFunctions("linear", module.weight.detach().unsqueeze(-1), (IdentityBasis(),))


register_adapter(nn.Conv2d, read_conv2d)
register_adapter(nn.Linear, read_linear)
