"""The gradient of the loss with respect to the coefficients, from the parameters' ``grad``."""

from __future__ import annotations

import torch
from torch import Tensor


def gradient_of(parameter: Tensor) -> Tensor:
    """Return the gradient that the last backward pass left on a parameter or a view, detached.

    NaN where it left nothing. It lies in memory as the parameter does, and may share that of
    the gradient.
    """
    owner = parameter._base if parameter._is_view() else parameter
    if owner is None or owner.grad is None:
        return torch.full_like(parameter.detach(), float("nan"))
    gradient = owner.grad.detach()
    if gradient.layout != torch.strided:
        gradient = gradient.to_dense()
    if gradient.stride() != owner.stride():
        gradient = torch.empty_like(owner.detach()).copy_(gradient)
    if owner is parameter:
        return gradient
    return gradient.as_strided(parameter.size(), parameter.stride(), parameter.storage_offset())
