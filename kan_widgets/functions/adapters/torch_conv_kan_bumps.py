"""Read torch-conv-kan's layers of squared ReLU bumps, which may be trained, for each input."""

from numbers import Real
from typing import Any

from kan_widgets.functions.adapters.torch_conv_kan import LIBRARY, convolution
from kan_widgets.functions.recipes import tensor_adapter
from kan_widgets.functions.smooth_bases import Smooth, SquaredReLU

_PHASES = ("phase_low", "phase_high")
_CONV, _FLAT = "relukan_conv.*.weight", "equal_size_conv.weight"


def bumps(module: Any, low: tuple[float, ...], high: tuple[float, ...]) -> Smooth:
    """Return the bumps of an input."""
    return SquaredReLU(low, high, float(module.r))


for name, out, inputs, names in (
    ("ReLUKANConv2DLayer", "out", "in", ("", "")),
    ("BottleNeckReLUKANConv2DLayer", "out=inner", "in=inner", ("relukan_conv", "base_conv")),
):
    phases = dict.fromkeys(_PHASES, (1, inputs, "nb", "ones"))
    tensors = {"r": Real, **phases, _CONV: (f"groups*{out}", f"{inputs}*nb", ...)}
    convolution(name, tensors, _CONV, bumps, grid=_PHASES, apart=names)
tensor_adapter(
    "ReLUKANLayer",
    {"r": Real, _FLAT: ("out", 1, "nb", "in"), **dict.fromkeys(_PHASES, ("in", "nb"))},
    lambda get: get(_FLAT).flatten(1).unflatten(1, get(_PHASES[0]).shape),  # input by input
    bumps,
    library=LIBRARY,
    grid=_PHASES,
    bias="equal_size_conv.bias",
)
