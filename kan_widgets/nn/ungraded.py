"""Compute without gradients, and leave no trace of that where Ctrl-C interrupts it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import torch

P = ParamSpec("P")
T = TypeVar("T")

#: A context manager whose end puts back the gradient mode there was, whatever came in between.
#: `torch.no_grad` is written in Python: interrupted while it begins or ends, it leaves gradients
#: off in the thread, and nothing trains any more. An interrupt comes before or after this one.
gradient_mode_restored: Any = functools.partial(torch._C._InferenceMode, False)


def ungraded(compute: Callable[P, T]) -> Callable[P, T]:
    """Let a function compute without gradients, as ``torch.no_grad()`` does."""

    @functools.wraps(compute)
    def computed(*args: P.args, **kwargs: P.kwargs) -> T:
        with gradient_mode_restored():
            torch._C._set_grad_enabled(False)
            return compute(*args, **kwargs)

    return computed
