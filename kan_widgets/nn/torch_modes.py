"""Whether torch is compiling, tracing or intercepting this call."""

from __future__ import annotations

import torch
from torch.autograd import forward_ad


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
