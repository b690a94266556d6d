"""Read `torch.nn.Conv2d` and `torch.nn.Linear`: every weight w is the line φ(x) = w·x."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from kan_widgets.functions.basis import IdentityBasis
from kan_widgets.functions.layer import ConvSettings, LayerFunctions
from kan_widgets.functions.registry import register_adapter


def read_conv2d(module: nn.Module) -> LayerFunctions:
    """Read the kernels of a convolution; the bias is not part of any φ."""
    assert isinstance(module, nn.Conv2d)
    settings = ConvSettings(
        stride=_pair(module.stride),
        padding=_padding(module),
        dilation=_pair(module.dilation),
        padding_mode=module.padding_mode,
        groups=module.groups,
    )
    return LayerFunctions(
        "conv",
        module.weight.detach().unsqueeze(-1),
        (IdentityBasis(),),
        conv=settings,
        write=partial(_write, module),
    )


def read_linear(module: nn.Module) -> LayerFunctions:
    """Read the weights of a linear layer; the bias is not part of any φ."""
    assert isinstance(module, nn.Linear)
    return LayerFunctions(
        "linear",
        module.weight.detach().unsqueeze(-1),
        (IdentityBasis(),),
        write=partial(_write, module),
    )


def _write(module: nn.Conv2d | nn.Linear, index: tuple[int, ...], coefficients: Tensor) -> None:
    with torch.no_grad():
        module.weight[index] = coefficients[0]


def _pair(value: tuple[int, ...]) -> tuple[int, int]:
    return value[0], value[1]


def _padding(module: nn.Conv2d) -> tuple[int, int, int, int]:
    """Return (left, right, top, bottom); "same" pads the odd pixel at the end, as torch does."""
    if module.padding == "valid":
        return (0, 0, 0, 0)
    if module.padding == "same":
        both = [
            (total // 2, total - total // 2)
            for total in (
                d * (k - 1) for d, k in zip(module.dilation, module.kernel_size, strict=True)
            )
        ]
        (top, bottom), (left, right) = both
        return (left, right, top, bottom)
    vertical, horizontal = (int(amount) for amount in module.padding)
    return (horizontal, horizontal, vertical, vertical)


register_adapter(nn.Conv2d, read_conv2d)
register_adapter(nn.Linear, read_linear)
