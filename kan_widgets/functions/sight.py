"""All that the forward pass of a module can see: what it takes for two to compute the same."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Hashable, Mapping
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kan_widgets.nn.ungraded import ungraded

_MOST_OBJECTS = 20_000
_PLAIN = (bool, int, float, complex, str, bytes, type(None), range, torch.dtype, torch.device)
# A pass in evaluation mode sees neither of these; hooks are looked at by themselves.
_UNSEEN = frozenset({"training", "_is_full_backward_hook", "_non_persistent_buffers_set"})


@ungraded
def seen_by(module: nn.Module) -> Hashable:
    """Return a key that two modules share only if all that their forward passes see is equal.

    That is every attribute of the module and of what it holds, by value. Of parameters that are
    trained only shape and type count: a proof moves them. What cannot be compared is equal to
    nothing, not even to itself a second time.
    """
    numbers: dict[int, int] = {}
    held: list[Any] = []

    def key(value: Any) -> Hashable:
        kind = type(value)
        if kind in _PLAIN or isinstance(value, type | Enum | BuiltinFunctionType | torch.Size):
            return kind, value
        if (number := numbers.get(id(value))) is not None:
            return "again", number
        numbers[id(value)] = len(numbers)
        held.append(value)
        if len(held) > _MOST_OBJECTS:
            return object()
        if isinstance(value, Tensor):
            return _of_tensor(value)
        if isinstance(value, np.ndarray):
            return value.dtype.str, value.shape, _digest(value)
        if isinstance(value, FunctionType):
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            inside = key([cells, value.__defaults__, value.__kwdefaults__])
            return kind, value.__module__, value.__code__, inside
        if isinstance(value, MethodType):
            return kind, key(value.__func__), key(value.__self__)
        if isinstance(value, functools.partial):
            return kind, key([value.func, value.args, value.keywords])
        own = getattr(value, "__dict__", None)
        more = entries(own) if own is not None else ()
        if isinstance(value, Mapping):
            return kind, entries(value), more
        if isinstance(value, list | tuple):
            return kind, tuple(map(key, value)), more
        if isinstance(value, set | frozenset):
            return kind, frozenset(map(key, value)), more
        # What is kept beside its attributes, in slots or in another language, is not known.
        slots = any("__slots__" in vars(each) for each in kind.__mro__[:-1])
        is_python = bool(kind.__flags__ & (1 << 9))
        return (kind, more) if own is not None and is_python and not slots else object()

    def entries(own: Mapping[Any, Any]) -> Hashable:
        return tuple(
            (key(name), key(value))
            for name, value in own.items()
            if not isinstance(name, str) or not ("_hooks" in name or name in _UNSEEN)
        )

    try:
        return key(module)
    except Exception:  # of what raises when it is looked at
        return object()
    finally:
        held.clear()  # in a circle with these functions it would outlive the call


def _of_tensor(tensor: Tensor) -> Hashable:
    kind = type(tensor), tuple(tensor.shape), tensor.dtype, tensor.device.type
    if isinstance(tensor, nn.Parameter) and tensor.requires_grad:
        return kind
    try:
        values = tensor.detach().to("cpu").contiguous().reshape(-1).view(torch.uint8)
        return *kind, _digest(values.numpy())
    except Exception:  # of a subclass, or without values
        return object()


def _digest(values: np.ndarray[Any, Any]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(values).tobytes(), digest_size=16).digest()
