"""Base activations as other people's modules hold them: names where possible."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.nn.activation import NAMED, BaseActivation, resolve_activation

_MODULES: dict[type[nn.Module], str] = {
    nn.SiLU: "silu",
    nn.ReLU: "relu",
    nn.Tanh: "tanh",
    nn.Identity: "identity",
}
_FUNCTIONS: dict[Callable[..., Tensor], str] = {
    F.silu: "silu",
    F.gelu: "gelu",
    F.relu: "relu",
    F.tanh: "tanh",
    torch.relu: "relu",
    torch.tanh: "tanh",
}


def named_activation(activation: Callable[[Tensor], Tensor]) -> BaseActivation:
    """Return the name of a well-known activation, or the activation itself, of a class an instance.

    Two layers have their own ``nn.SiLU()``; by name their bases compare equal.

    Examples
    --------
    >>> named_activation(nn.SiLU()), named_activation(F.gelu)
    ('silu', 'gelu')
    >>> named_activation(nn.Softplus())
    Softplus(beta=1.0, threshold=20.0)
    """
    if isinstance(activation, type):
        activation = activation()
    if isinstance(activation, nn.GELU):
        return "gelu" if activation.approximate == "none" else activation
    if isinstance(activation, nn.Module):
        return _MODULES.get(type(activation), activation)
    return _FUNCTIONS.get(activation, activation)


def activation_label(activation: BaseActivation) -> str:
    """Return a short name to show."""
    if isinstance(activation, str):
        return activation
    if isinstance(activation, nn.Module):
        return type(activation).__name__.lower()
    name: str = getattr(activation, "__name__", "base")
    return "base" if name == "<lambda>" else name


def activation_is_fixed(activation: BaseActivation) -> bool:
    """Return False for a module with parameters, which training changes."""
    return not isinstance(activation, nn.Module) or next(activation.parameters(), None) is None


def activate(activation: BaseActivation, x: Tensor) -> Tensor:
    """Apply ``activation`` in its parameters' dtype and device, if it has any."""
    if isinstance(activation, str):
        return NAMED[activation][0](x)
    parameter = next(activation.parameters(), None) if isinstance(activation, nn.Module) else None
    found = resolve_activation(activation)(x if parameter is None else x.to(parameter))
    return found.to(x)
