"""All that the forward pass of a module can see: what it takes for two to compute the same."""

from __future__ import annotations

import dis
import functools
import hashlib
import itertools
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
    try:
        return _Sight().key(module)
    except Exception:  # of what raises when it is looked at
        return object()


class _Sight:
    """Goes through what a module holds, each object once."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._held: list[Any] = []

    def key(self, value: Any) -> Hashable:
        kind = type(value)
        if kind in _PLAIN or isinstance(value, type | Enum | BuiltinFunctionType | torch.Size):
            return kind, value
        if (number := self._numbers.get(id(value))) is not None:
            return "again", number
        self._numbers[id(value)] = len(self._numbers)
        self._held.append(value)
        if len(self._held) > _MOST_OBJECTS:
            return object()
        if isinstance(value, Tensor):
            return _of_tensor(value)
        if isinstance(value, np.ndarray):
            return value.dtype.str, value.shape, _digest(value)
        return kind, self._parts(value)

    def _parts(self, value: Any) -> Hashable:
        if isinstance(value, FunctionType):
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            named = value.__module__, value.__code__
            return named, self.key([cells, value.__defaults__, value.__kwdefaults__])
        if isinstance(value, MethodType):
            return self.key(value.__func__), self.key(value.__self__)
        if isinstance(value, functools.partial):
            return self.key([value.func, value.args, value.keywords])
        own = getattr(value, "__dict__", None)
        more = self._entries(own) if own is not None else ()
        if isinstance(value, Mapping):
            return self._entries(value), more
        if isinstance(value, list | tuple):
            return tuple(map(self.key, value)), more
        if isinstance(value, set | frozenset):
            return frozenset(map(self.key, value)), more
        # What is kept beside its attributes, in slots or in another language, is not known.
        slots = any("__slots__" in vars(each) for each in type(value).__mro__[:-1])
        is_python = bool(type(value).__flags__ & (1 << 9))
        return more if own is not None and is_python and not slots else object()

    def _entries(self, own: Mapping[Any, Any]) -> Hashable:
        return tuple(
            (self.key(name), self.key(value))
            for name, value in own.items()
            if not isinstance(name, str) or not ("_hooks" in name or name in _UNSEEN)
        )


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


def hook_in(module: nn.Module) -> str:
    """Name a forward hook that may change what a module takes in or returns; empty if none may."""
    for part in module.modules():
        for hook in (*part._forward_pre_hooks.values(), *part._forward_hooks.values()):
            own = getattr(hook, "__module__", "") or ""
            if not own.startswith(("kan_widgets.", "torch.nn.utils.")) and not _is_silent(hook):
                name: str = getattr(hook, "__qualname__", type(hook).__name__)
                return name.replace("<locals>.", "")
    return ""


def _is_silent(hook: Any) -> bool:
    """Whether a hook surely returns nothing, which leaves what passes as it is."""
    while isinstance(hook, functools.partial | MethodType):
        hook = hook.func if isinstance(hook, functools.partial) else hook.__func__
    if not isinstance(hook, FunctionType):
        return False
    codes = list(dis.get_instructions(hook))
    return all(
        before.opname == "LOAD_CONST" and before.argval is None
        if code.opname == "RETURN_VALUE"
        else code.opname != "RETURN_CONST" or code.argval is None
        for before, code in itertools.pairwise(codes)
    )
