"""What a binding is given: which numbers and which optimizer they may be."""

from __future__ import annotations

import math

from torch import nn
from torch.optim import Optimizer

from kan_widgets.nn.life.torch_optimizer import torch_optimizer


def check_every(every: int) -> None:
    """Raise unless it is a number of steps."""
    if isinstance(every, bool) or not isinstance(every, int):
        raise TypeError(f"every={every!r}: expected a whole number of steps")
    if every < 1:
        raise ValueError(f"every={every}: expected a whole number of steps ≥ 1")


def check_number(name: str, value: float) -> None:
    """Raise unless it is a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name}={value!r}: expected a number")


def check_max_fps(max_fps: float) -> None:
    """Raise unless it is a rate."""
    check_number("max_fps", max_fps)
    if not 0 < max_fps < math.inf:
        raise ValueError(f"max_fps={max_fps}: expected a finite number > 0")


def check_steps(steps: int) -> None:
    """Raise unless it is a number of steps made before."""
    if isinstance(steps, bool) or not isinstance(steps, int):
        raise TypeError(f"steps={steps!r}: expected a whole number of steps")
    if steps < 0:
        raise ValueError(f"steps={steps}: expected a whole number of steps ≥ 0")


def optimizer_of(model: nn.Module, given: object) -> Optimizer:
    """Return the torch optimizer that was given, or is inside what was, if it trains the model.

    Raises
    ------
    TypeError
        If there is none.
    ValueError
        If it holds none of the model's parameters.
    """
    optimizer = torch_optimizer(given)
    known = {id(parameter) for parameter in model.parameters()}
    if not any(id(p) in known for group in optimizer.param_groups for p in group["params"]):
        raise ValueError(
            f"the optimizer holds none of the parameters of {type(model).__name__}: give the "
            "one made from model.parameters() (made after the model was built or moved)"
        )
    return optimizer
