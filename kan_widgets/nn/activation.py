"""Base activations: the fixed function beside the splines."""

import math
from collections.abc import Callable
from typing import Union

import torch
import torch.nn.functional as F
from torch import Tensor

# What ``base_activation`` accepts: a name, or any elementwise function of a tensor.
BaseActivation = Union[str, Callable[[Tensor], Tensor]]  # noqa: UP007  (evaluated on Python 3.10)


def _silu_slope(x: Tensor) -> Tensor:
    gate = torch.sigmoid(x)
    return gate * (1 + x * (1 - gate))


def _gelu_slope(x: Tensor) -> Tensor:
    density = torch.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    return 0.5 * (1 + torch.erf(x / math.sqrt(2))) + x * density


# Name -> (function, its derivative).
ACTIVATIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "silu": (F.silu, _silu_slope),
    "gelu": (F.gelu, _gelu_slope),
    "relu": (F.relu, lambda x: (x > 0).to(x.dtype)),
    "tanh": (torch.tanh, lambda x: 1 - torch.tanh(x) ** 2),
    "identity": (lambda x: x, torch.ones_like),
}


def resolve_activation(activation: BaseActivation) -> Callable[[Tensor], Tensor]:
    """Return the function that a name or a callable stands for.

    Raises `ValueError` if the name is not known, and `TypeError` if it is neither a name nor
    callable, or a module's class in place of an instance.

    Parameters
    ----------
    activation
        ``"silu"``, ``"gelu"``, ``"relu"``, ``"tanh"``, ``"identity"``, or an elementwise callable.
    """
    if isinstance(activation, str):
        if activation not in ACTIVATIONS:
            names = ", ".join(repr(name) for name in ACTIVATIONS)
            raise ValueError(
                f"base_activation={activation!r}: expected one of {names} or a callable"
            )
        return ACTIVATIONS[activation][0]
    if isinstance(activation, type):
        raise TypeError(
            f"base_activation={activation.__name__}: expected a function, not a class; pass an "
            f"instance: {activation.__name__}()"
        )
    if not callable(activation):
        raise TypeError(f"base_activation={activation!r}: expected a name or a callable")
    return activation


def applied(activation: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Apply a callable to ``x`` and check the result; in the dtype of ``x``.

    Raises `ValueError` if the result has another shape.
    """
    value = activation(x)
    if not isinstance(value, Tensor) or value.shape != x.shape:
        got = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(
            f"base_activation that makes {got} of an input of shape {tuple(x.shape)}: expected an "
            "elementwise function"
        )
    return value.to(x.dtype)
