"""Read `torch.nn.PReLU`, a learned activation: one function, or one for each channel."""

import torch
from torch import Tensor, nn

from kan_widgets.functions.adapters.torch_layers import changed
from kan_widgets.functions.attributes import unreadable_state
from kan_widgets.functions.basis import Halves
from kan_widgets.functions.coefficients import gradient_of
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.registry import register_adapter


def read(module: nn.PReLU) -> LayerFunctions:
    """Read it: φ(x) = max(x, 0) + w·min(x, 0)."""
    weight = module.weight

    def beside(value: float, slopes: Tensor) -> Tensor:
        return torch.stack([torch.full_like(slopes, value), slopes], dim=-1).unsqueeze(0)

    def write(index: tuple[int, ...], coefficients: Tensor) -> None:
        if coefficients[0] != 1:
            raise ValueError("of a PReLU only the slope where x is negative can be set")
        weight.detach()[index[1]] = coefficients[1]

    def gradient() -> Tensor:
        return beside(torch.nan, gradient_of(weight))

    now, bases = beside(1.0, weight.detach()), (Halves(),)
    return LayerFunctions("elementwise", now, bases, write=write, gradient=gradient, axis=1)


register_adapter(
    nn.PReLU,
    read,  # type: ignore[arg-type]
    library="torch",
    problem=lambda module: changed(module, nn.PReLU) or unreadable_state(module),
    input_shape=lambda module: (len(module.weight), 4),  # type: ignore[arg-type]
    elementwise=True,
)
