"""An optimizer's state for parameters that were changed outside of its steps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.optim import Optimizer

from kan_widgets.nn.life.torch_optimizer import torch_optimizer


def check_optimizer(optimizer: Optimizer | None, parameters: Sequence[nn.Parameter]) -> None:
    """Check that an optimizer, if given, trains some of the parameters.

    Raises
    ------
    TypeError
        If it is not an optimizer.
    ValueError
        If it holds none of the parameters.
    """
    if optimizer is None:
        return
    held = {id(p) for group in torch_optimizer(optimizer).param_groups for p in group["params"]}
    if not any(id(p) in held for p in parameters):
        raise ValueError(
            "the optimizer holds none of the parameters that change: give the one that trains them"
        )


def forget(optimizer: Optimizer | None, parameters: Sequence[nn.Parameter]) -> None:
    """Drop an optimizer's state for some parameters, as if it had not taken a step yet.

    `torch.optim.LBFGS` remembers all its parameters in one vector and forgets them all.
    """
    if optimizer is None:
        return
    optimizer = torch_optimizer(optimizer)
    if isinstance(optimizer, torch.optim.LBFGS):
        optimizer.state.clear()
        optimizer._numel_cache = None
    for parameter in parameters:
        optimizer.state.pop(parameter, None)
