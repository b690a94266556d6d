"""Sums and products in a diagram: of two stations, or of one and a constant of the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from kan_widgets.live.watching.calls import Call, Operation


def sum_of(sign: float) -> Callable[[Call], Operation]:
    """Return what an addition (``sign`` 1) or subtraction (-1) is."""

    def added(call: Call) -> Operation:
        factor = sign * float(call.of(2, "alpha", 1))
        if len(call.given) == 2:
            known = call.before[0] == call.before[1] == call.shape and factor == 1
            if sign < 0:
                return Operation("other", "difference")
            return Operation("add", "add", {"op": "add"} if known else None)
        first, second = call.of(0, "input"), call.of(1, "other")
        if first is call.given[0]:
            return _affine(call, "shift", 1.0, second, factor)
        return _affine(call, "shift", factor, first, 1.0)

    return added


def product(call: Call) -> Operation:
    """Say what a multiplication is."""
    if len(call.given) == 2:
        known = call.before[0] == call.before[1] == call.shape
        return Operation("multiply", "multiply", {"op": "multiply"} if known else None)
    first, second = call.of(0, "input"), call.of(1, "other")
    return _affine(call, "scale", second if first is call.given[0] else first, 0.0, 1.0)


def quotient(call: Call) -> Operation:
    """Say what a division is."""
    first, second = call.of(0, "input"), call.of(1, "other")
    if len(call.given) == 2 or first is not call.given[0] or call.of(2, "rounding_mode"):
        return Operation("other", "quotient")
    return _affine(call, "scale", 1 / second, 0.0, 1.0)


def negative(call: Call) -> Operation:
    """Say what a change of sign is."""
    return _affine(call, "scale", -1.0, 0.0, 1.0)


def rsub(call: Call) -> Operation:
    """Say what a subtraction from a constant is."""
    if len(call.given) > 1:
        return Operation("other", "difference")
    return _affine(call, "shift", -1.0, call.of(1, "other"), 1.0)


def _affine(call: Call, label: str, scale: Any, shift: Any, factor: float) -> Operation:
    """Return scale·x + factor·shift, where both are numbers or have one for each channel."""
    shape = call.shape
    if shape is None or shape != call.before[0] or not shape or not call.constants:
        return Operation("other", label)
    found = [_per_channel(value, call.result) for value in (scale, shift)]
    if found[0] is None or found[1] is None:
        return Operation("other", label)
    extras = {"scale": found[0], "shift": factor * found[1]}
    return Operation("other", label, {"op": "affine"}, extras)


def _per_channel(value: Any, like: Tensor) -> Tensor | None:
    """Return numbers (C,) that broadcast as a constant does; ``None`` where they do not."""
    channels = like.shape[1]
    if isinstance(value, Tensor):
        sizes = [1] * (like.ndim - value.ndim) + list(value.shape)
        if len(sizes) != like.ndim or any(s != 1 for k, s in enumerate(sizes) if k != 1):
            return None
        return value.detach().double().reshape(-1).expand(channels)
    if isinstance(value, int | float):
        return torch.full((channels,), float(value), dtype=torch.float64)
    return None
