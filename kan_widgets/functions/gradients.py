"""The gradient of the loss with respect to the coefficients, from the parameters' ``grad``."""

from __future__ import annotations

import torch
from torch import Tensor

from kan_widgets.functions.terms import join_terms
from kan_widgets.nn.ungraded import ungraded


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


@ungraded
def term_gradients(base: Tensor | None, splines: Tensor, scale: Tensor | None = None) -> Tensor:
    """Return the gradients of base and scaled spline coefficients side by side.

    Where the scale is 0 nothing can be known of the splines': NaN.

    Parameters
    ----------
    base, splines, scale
        The parameters, or views of them, that `join_terms` joins.

    Examples
    --------
    >>> base, splines = torch.ones(1, requires_grad=True), torch.ones(1, 2, requires_grad=True)
    >>> (3 * base + 2 * (splines * 5).sum()).sum().backward()  # splines are scaled by 5
    >>> term_gradients(base, splines, torch.tensor([5.0]))
    tensor([[3., 2., 2.]])
    """
    own = gradient_of(splines)
    if scale is not None:
        own = own / scale.detach().unsqueeze(-1)
    return join_terms(None if base is None else gradient_of(base), own)
