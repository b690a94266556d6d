"""Whether something is of torch, without importing it: where nobody has, nothing is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn
    from typing_extensions import TypeIs


def is_tensor(value: object) -> TypeIs[Tensor]:
    """Whether it is a tensor.

    Examples
    --------
    >>> is_tensor(0.5)
    False
    """
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_module(value: object) -> TypeIs[nn.Module]:
    """Whether it is a model, or a part of one.

    Examples
    --------
    >>> is_module("model")
    False
    """
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)
