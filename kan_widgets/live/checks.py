"""What a value is: of torch, without importing it, or a number in a range."""

from __future__ import annotations

import math
import sys
from numbers import Integral, Real
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


def check_whole(name: str, value: object, least: int = 1, *, of: str = "") -> None:
    """Raise unless it is a whole number, at least ``least``; ``of`` is what it counts.

    Examples
    --------
    >>> check_whole("every", 0, of=" of steps")
    Traceback (most recent call last):
    ValueError: every=0: expected a whole number of steps ≥ 1
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name}={value!r:.60}: expected a whole number{of}")
    if value < least:
        raise ValueError(f"{name}={value}: expected a whole number{of} ≥ {least}")


def check_number(
    name: str,
    value: object,
    least: float = 0,
    most: float = math.inf,
    *,
    above: bool = False,
    of: str = "",
) -> None:
    """Raise unless it is a finite number in a range; ``above`` leaves out the lower end."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}={value!r:.60}: expected a number{of}")
    is_low = value <= least if above else value < least
    if is_low or not value <= most or math.isinf(value):
        words = f"a finite number{of} {'>' if above else '≥'} {least:g}"
        if most < math.inf:
            words = f"a number{of} from {least:g} to {most:g}"
        raise ValueError(f"{name}={value}: expected {words}")
