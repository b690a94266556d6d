"""The torch optimizer inside a training library's wrapper, and its state for what was changed."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

# Where accelerate, Lightning, fastai and others keep the optimizer that they wrap.
_ATTRIBUTES = ("optimizer", "opt", "_optimizer", "optim", "base_optimizer")
_MAX_DEPTH = 8


def torch_optimizer(wrapper: object, name: str = "optimizer") -> Optimizer:
    """Return ``wrapper`` if it is a torch optimizer, else the one that it wraps.

    A wrapper has a ``step()`` and holds the optimizer, or another wrapper, in an attribute such as
    ``optimizer``, ``opt`` or ``_optimizer``. Raises `TypeError` if there is no optimizer; the
    message calls the wrapper by ``name`` and says what to give.
    """
    optimizer = _inside(wrapper)
    if optimizer is None:
        raise TypeError(f"{name}={wrapper!r:.80}: {_remedy(wrapper)}")
    return optimizer


def steps_made(optimizer: object) -> int:
    """Return how many steps an optimizer has counted, as Adam and its like do; else 0."""
    states = torch_optimizer(optimizer).state.values()
    return max((int(state["step"]) for state in states if "step" in state), default=0)


def _inside(wrapper: object) -> Optimizer | None:
    """Return the first object in a chain of wrappers whose own step() calls torch's hooks."""
    inner: Any = wrapper
    for _ in range(_MAX_DEPTH):
        if isinstance(inner, type) or not hasattr(inner, "step") or _is_scheduler(inner):
            return None
        if isinstance(inner, Optimizer) and getattr(type(inner).step, "hooked", False):
            return inner
        # Some wrappers call themselves optimizers, but were never set up as one.
        held = (getattr(inner, attribute, None) for attribute in _ATTRIBUTES)
        further = next((value for value in held if hasattr(value, "step")), None)
        if further is None:
            hooks = hasattr(inner, "_optimizer_step_pre_hooks")
            return inner if isinstance(inner, Optimizer) and hooks else None
        inner = further
    return None


def _is_scheduler(candidate: object) -> bool:
    return hasattr(candidate, "get_last_lr") and not isinstance(candidate, Optimizer)


def _remedy(candidate: object) -> str:
    if isinstance(candidate, type):
        return "expected an optimizer, not a class: make one of it with model.parameters()"
    if hasattr(candidate, "unscale_"):
        return "a gradient scaler holds no optimizer: give the one that scaler.step(...) is given"
    holders = [name for name, held in getattr(candidate, "__dict__", {}).items() if _inside(held)]
    if _is_scheduler(candidate):
        where = f"scheduler.{holders[0]}" if holders else "the optimizer whose rate it sets"
        return f"expected an optimizer, not a learning rate scheduler: give {where}"
    if holders:
        return f"expected an optimizer; its attribute .{holders[0]} holds one: give that"
    if isinstance(candidate, (list, tuple)):
        return "expected one optimizer: give the one that trains the model"
    return "expected a torch.optim.Optimizer, or what wraps one"


def holds_any(optimizer: Optimizer, parameters: Iterable[nn.Parameter]) -> bool:
    """Whether an optimizer trains some of the parameters."""
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    return any(id(p) in held for p in parameters)


def check_optimizer(optimizer: Optimizer | None, parameters: Sequence[nn.Parameter]) -> None:
    """Check that an optimizer, if given, trains some of the parameters.

    Raises `TypeError` if it is not an optimizer, and `ValueError` if it holds none of the
    parameters.
    """
    if optimizer is not None and not holds_any(torch_optimizer(optimizer), parameters):
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


def optimizer_of(model: nn.Module, optimizer_or_wrapper: object) -> Optimizer:
    """Return a torch optimizer, or the one inside a wrapper, if it trains the model.

    Raises `TypeError` if there is none, `ValueError` if it holds none of the model's parameters.
    """
    optimizer = torch_optimizer(optimizer_or_wrapper)
    if not holds_any(optimizer, model.parameters()):
        raise ValueError(
            f"the optimizer holds none of the parameters of {type(model).__name__}: give the "
            "one made from model.parameters() (made after the model was built or moved)"
        )
    return optimizer
