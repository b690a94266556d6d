"""Sums and products in a diagram: of two stations, or of one and a constant of the model."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

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
            return _affine(call, "shift", shift=second, factor=factor)
        return _affine(call, "shift", scale=factor, shift=first)

    return added


def product(call: Call) -> Operation:
    """Say what a multiplication is."""
    if len(call.given) == 2:
        known = call.before[0] == call.before[1] == call.shape
        return Operation("multiply", "multiply", {"op": "multiply"} if known else None)
    first, second = call.of(0, "input"), call.of(1, "other")
    return _affine(call, "scale", scale=second if first is call.given[0] else first)


def quotient(call: Call) -> Operation:
    """Say what a division is."""
    first, second = call.of(0, "input"), call.of(1, "other")
    if len(call.given) == 2 or first is not call.given[0] or call.of(2, "rounding_mode"):
        return Operation("other", "quotient")
    return _affine(call, "scale", divisor=second)


def negative(call: Call) -> Operation:
    """Say what a change of sign is."""
    return _affine(call, "scale", scale=-1.0)


def rsub(call: Call) -> Operation:
    """Say what a subtraction from a constant is."""
    if len(call.given) > 1:
        return Operation("other", "difference")
    return _affine(call, "shift", scale=-1.0, shift=call.of(1, "other"))


def _affine(call: Call, label: str, *, factor: float = 1.0, **parts: Any) -> Operation:
    """Return scale·x / divisor + factor·shift, of numbers or tensors with one for each channel."""
    shape = call.shape
    if shape is None or shape != call.before[0] or not shape or not call.constants:
        return Operation("other", label)
    compute: dict[str, Any] = {"op": "affine", "factor": factor}
    extras = {}
    for name, value in parts.items():
        if isinstance(value, Tensor) and _fits(value, call.result):
            extras[name] = value.detach().reshape(-1)
        elif isinstance(value, int | float) and math.isfinite(value):
            compute[name] = float(value)
        else:
            return Operation("other", label)
    return Operation("other", label, compute, extras)


def _fits(value: Tensor, like: Tensor) -> bool:
    """Whether a constant is one number, or broadcasts as one for each channel."""
    sizes = [1] * (like.ndim - value.ndim) + list(value.shape)
    return len(sizes) == like.ndim and all(s == 1 for k, s in enumerate(sizes) if k != 1)
