"""The numbers a binding is given: what they may be."""

from __future__ import annotations

import math


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
