"""Read `torch.nn.Conv2d` and `torch.nn.Linear`: every weight w is the line φ(x) = w·x.

And `torch.nn.PReLU`, a learned activation.
"""

from __future__ import annotations

import weakref
from functools import partial

import torch
from torch import Tensor, nn

from kan_widgets.functions.attributes import attribute, missing_tensors, unreadable_state
from kan_widgets.functions.basis import Halves, IdentityBasis
from kan_widgets.functions.gradients import gradient_of
from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.plain import ConvSettings
from kan_widgets.functions.registry import Sum, register_adapter
from kan_widgets.functions.rewriting import terms_rewriter
from kan_widgets.nn.ungraded import ungraded

PLAIN = "A plain layer: each function is a straight line, w·x."


def read_conv2d(module: nn.Module) -> LayerFunctions:
    """Read the kernels of a convolution; the bias is not part of any φ."""
    assert isinstance(module, nn.Conv2d)
    return LayerFunctions(
        "conv",
        module.weight.detach().unsqueeze(-1),
        (IdentityBasis(),),
        conv=conv_settings(module),
        write=partial(_write, module),
        gradient=lambda: gradient_of(module.weight).unsqueeze(-1),
        rewriter=partial(terms_rewriter, weakref.ref(module), base="weight"),
        note=PLAIN,
    )


def read_linear(module: nn.Module) -> LayerFunctions:
    """Read the weights of a linear layer; the bias is not part of any φ."""
    assert isinstance(module, nn.Linear)
    return LayerFunctions(
        "linear",
        module.weight.detach().unsqueeze(-1),
        (IdentityBasis(),),
        write=partial(_write, module),
        gradient=lambda: gradient_of(module.weight).unsqueeze(-1),
        rewriter=partial(terms_rewriter, weakref.ref(module), base="weight"),
        note=PLAIN,
    )


def read_prelu(module: nn.Module) -> LayerFunctions:
    """Read a learned activation: one function, or one for each channel."""
    assert isinstance(module, nn.PReLU)
    weight = module.weight.detach()
    return LayerFunctions(
        "elementwise",
        torch.stack([torch.ones_like(weight), weight], dim=-1).unsqueeze(0),
        (Halves(),),
        write=partial(_write_prelu, weight),
        gradient=lambda: torch.stack(
            [torch.full_like(weight, torch.nan), gradient_of(module.weight)], dim=-1
        ).unsqueeze(0),
        axis=1,
    )


def _write_prelu(weight: Tensor, index: tuple[int, ...], coefficients: Tensor) -> None:
    if coefficients[0] != 1:
        raise ValueError("of a PReLU only the slope where x is negative can be set")
    weight[index[1]] = coefficients[1]


@ungraded
def _write(module: nn.Conv2d | nn.Linear, index: tuple[int, ...], coefficients: Tensor) -> None:
    module.weight[index] = coefficients[0]


def conv_settings(module: nn.Conv2d) -> ConvSettings:
    """Return how a torch convolution is applied."""
    return ConvSettings(
        stride=_pair(module.stride),
        padding=_padding(module),
        dilation=_pair(module.dilation),
        padding_mode=module.padding_mode,
        groups=module.groups,
    )


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


def problem_of_conv2d(module: nn.Module) -> str:
    """Say why a convolution is not a set of straight lines."""
    return _problem(module, nn.Conv2d, {"weight": ("out", "in", "rows", "columns")})


def problem_of_linear(module: nn.Module) -> str:
    """Say why a linear layer is not a set of straight lines."""
    return _problem(module, nn.Linear, {"weight": ("out", "in")})


def problem_of_prelu(module: nn.Module) -> str:
    """Say why a PReLU is none."""
    if type(module).forward is not nn.PReLU.forward:
        return f"{type(module).__name__} changes what PReLU computes"
    return unreadable_state(module) or missing_tensors(module, {"weight": ("channels",)})


def _problem(module: nn.Module, parent: type[nn.Module], shapes: dict[str, tuple[str, ...]]) -> str:
    methods = ("forward", "_conv_forward")
    if any(getattr(type(module), m, None) is not getattr(parent, m, None) for m in methods):
        return f"{type(module).__name__} changes what {parent.__name__} computes"
    # What is in a state that cannot be read is said elsewhere, and better.
    return unreadable_state(module) or missing_tensors(module, shapes)


def sum_with_bias(module: nn.Module) -> list[Sum]:
    """Say that the module returns Σφ plus its bias."""
    bias = getattr(module, "bias", None)
    return [Sum(("",), Tap((module,), "output"), bias)]


register_adapter(
    nn.Conv2d, read_conv2d, library="torch", problem=problem_of_conv2d, sums=sum_with_bias
)
register_adapter(
    nn.Linear, read_linear, library="torch", problem=problem_of_linear, sums=sum_with_bias
)
register_adapter(
    nn.PReLU,
    read_prelu,
    library="torch",
    problem=problem_of_prelu,
    input_shape=lambda module: (attribute(module, "weight").shape[0], 4),
    elementwise=True,
)
