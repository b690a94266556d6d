"""Whether torch is compiling, tracing or intercepting a call, and computing without gradients."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import torch
from torch.autograd import forward_ad

P = ParamSpec("P")
T = TypeVar("T")


def transformed() -> bool:
    """Whether torch must see each operation: it compiles, traces, exports, or transforms.

    So it is within ``torch.compile``, ``torch.export``, ``torch.jit.trace``, ``torch.func`` and
    forward-mode differentiation.
    """
    return (
        torch.compiler.is_compiling()
        or traced()
        or torch._C._are_functorch_transforms_active()
        or forward_ad._current_level >= 0
    )


def watched() -> bool:
    """Whether a mode sees each operation: fake tensors, ``make_fx``, counters of operations."""
    return torch._C._len_torch_dispatch_stack() > 0


def traced() -> bool:
    """Whether ``torch.jit.trace`` or the older ONNX exporter runs a call.

    Sizes are tensors then, and torch warns of each that is looked at.
    """
    return bool(torch.jit.is_tracing())  # type: ignore[attr-defined,no-untyped-call]


def inspected() -> bool:
    """Whether something sees a call operation by operation, in a memory layout of its own."""
    if torch.compiler.is_compiling():
        return True
    return traced() or watched() or torch._C._len_torch_function_stack() > 0


# A context manager whose end puts back the gradient mode there was, whatever came in between.
# `torch.no_grad` is written in Python: interrupted while it begins or ends, it leaves gradients
# off in the thread, and nothing trains any more. An interrupt comes before or after this one.
gradient_mode_restored: Any = functools.partial(torch._C._InferenceMode, False)


def ungraded(compute: Callable[P, T]) -> Callable[P, T]:
    """Let a function compute without gradients, as ``torch.no_grad()`` does, however it ends."""

    @functools.wraps(compute)
    def computed(*args: P.args, **kwargs: P.kwargs) -> T:
        with gradient_mode_restored():
            torch._C._set_grad_enabled(False)
            return compute(*args, **kwargs)

    return computed
