"""What each module of a model is given in a forward pass, and what such a pass can see of it."""

from __future__ import annotations

import dis
import functools
import hashlib
import itertools
import threading
import weakref
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kan_widgets.functions.undisturbed import stand_in, undisturbed
from kan_widgets.nn.ungraded import ungraded

# Numbers that are kept of what passes a module, and of what passes all of them.
_MOST_NUMBERS, _MOST_OF_ALL = 200_000, 20_000_000
_MOST_EXAMPLES = 8
# Py_TPFLAGS_HEAPTYPE: the class was defined in Python.
_HEAP_TYPE = 1 << 9

_MOST_OBJECTS = 20_000
_PLAIN = (bool, int, float, complex, str, bytes, type(None), range, torch.dtype, torch.device)
# A pass in evaluation mode sees neither of these; hooks are looked at by themselves.
_UNSEEN = frozenset({"training", "_is_full_backward_hook", "_non_persistent_buffers_set"})


@dataclass(frozen=True, eq=False)
class Given:
    """The first examples of what a module was given, and what it made of them; copies."""

    x: Tensor
    y: Tensor | None = None
    training: bool = True
    """Whether it was in training mode."""
    weights: Mapping[str, Tensor] = field(default_factory=dict)
    """Its parameters as they were when it made y: until it is looked at, a step may move them."""


class Passes:
    """Sees one forward pass through the modules of a model, by hooks that then leave.

    Seen is the first pass that computes gradients. A loop that calls parts of the model and never
    the whole is seen until `end` is called. Nothing is kept of what is traced or recorded by a
    compiler.

    Parameters
    ----------
    model
        Any module. It is not kept.
    graded
        Whether passes without gradients are left out.
    """

    def __init__(self, model: nn.Module, *, graded: bool = True) -> None:
        self.given: weakref.WeakKeyDictionary[nn.Module, Given] = weakref.WeakKeyDictionary()
        self.inputs: Tensor | None = None
        """The first few inputs of the whole model, if it took one tensor of examples."""
        self._model, self._graded, self._is_over = weakref.ref(model), graded, False
        self._thread: int | None = None
        self._kept = 0
        # What these return tells what hooks of others do.
        self._hooked = weakref.WeakSet(part for part in model.modules() if hook_in(part, any_=True))
        self._handles: list[Any] = []
        try:
            self._place(model, _Hook(self._before), _Hook(self._after))
        except BaseException:  # Ctrl-C, perhaps between a hook and its handle
            self.end()
            for module in model.modules():
                for hooks in (module._forward_pre_hooks, module._forward_hooks):
                    for key in [key for key, hook in hooks.items() if isinstance(hook, _Hook)]:
                        hooks.pop(key, None)
            raise

    def _place(self, model: nn.Module, before: _Hook, after: _Hook) -> None:
        for module in model.modules():
            own = not type(module).__module__.startswith("torch.nn.")
            own = own or module is model or may_hold(module) or module in self._hooked
            if own and not isinstance(module, torch.jit.ScriptModule):
                handle = module.register_forward_pre_hook(before, with_kwargs=True)
                self._handles += [handle, module.register_forward_hook(after)]

    def end(self) -> None:
        """Take the hooks away."""
        self._is_over = True
        while self._handles:  # interrupted, it can be called again
            self._handles[-1].remove()
            self._handles.pop()

    def _is_seen(self) -> bool:
        if self._is_over or _is_recorded() or (self._graded and not torch.is_grad_enabled()):
            return False
        self._thread = self._thread or threading.get_ident()
        return self._thread == threading.get_ident()

    def _before(self, module: nn.Module, given: Any, named: Any) -> None:
        if not self._is_seen() or module in self.given:
            return
        x = next((each for each in (*given, *named.values()) if _is_numbers(each)), None)
        if x is None:
            return
        if self._kept < _MOST_OF_ALL or may_hold(module):
            self.given[module] = Given(_first(x), training=module.training)
            self._kept += self.given[module].x.numel()
        if module is self._model() and len(given) + len(named) == 1:
            self.inputs = x.detach()[:_MOST_EXAMPLES].clone()

    def _after(self, module: nn.Module, given: Any, out: Any) -> None:
        if not self._is_seen():
            return
        y = out[0] if isinstance(out, tuple) and out else out
        known = self.given.get(module)
        is_new = known is not None and known.y is None and module in self._hooked
        if known is not None and is_new and _is_numbers(y) and len(y) >= len(known.x):
            own = dict(module.named_parameters())
            if sum(p.numel() for p in own.values()) <= _MOST_OF_ALL:
                kept = y.detach()[: len(known.x)].clone()
                weights = {name: p.detach().clone() for name, p in own.items()}
                self.given[module] = Given(known.x, kept, known.training, weights)
        if module is self._model():
            self.end()


def may_hold(module: nn.Module) -> bool:
    """Say whether a plain layer may only hold numbers, as the biases of pykan and DropKAN do."""
    return type(module) is nn.Linear and 1 in (module.in_features, module.out_features)


class _Hook:
    """Calls a method while it is in its model; in a copy of that, or once unpickled, nothing."""

    def __init__(self, call: Callable[..., None]) -> None:
        self._call = call

    def __call__(self, *given: Any) -> None:
        self._call(*given)

    def __reduce__(self) -> Any:
        return functools.partial, (_nothing,)


def _nothing(*given: Any) -> None:
    return None


def given_in(model: nn.Module, example: Any) -> Passes:
    """Run an example through a copy of a model, or where that cannot be through itself.

    Parameters
    ----------
    model
        It is as before afterwards.
    example
        Its input: a tensor, or a tuple of arguments.
    """
    arguments = example if isinstance(example, tuple) else (example,)

    def seen(run: nn.Module, copied: bool) -> Passes:
        passes = Passes(run, graded=False)
        own = dict(zip(run.modules(), model.modules(), strict=True))  # the pass may make more
        try:
            run(*arguments)
        finally:
            passes.end()
        found = {own[module]: given for module, given in passes.given.items()}
        passes.given = weakref.WeakKeyDictionary(found)
        return passes

    if not hook_in(model):
        return stand_in(model, seen)
    return undisturbed(model, lambda: seen(model, False))  # hooks may be part of what it computes


def _is_recorded() -> bool:
    """Whether a compiler traces what happens, or an accelerator records it, for another time."""
    if torch.compiler.is_compiling() or torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
        return True
    return torch.cuda.is_available() and torch.cuda.is_current_stream_capturing()


def _is_numbers(value: Any) -> bool:
    """Whether a value is a tensor of examples that can be kept."""
    return (
        type(value) in (Tensor, nn.Parameter)
        and value.ndim > 1
        and value.numel() > 0
        and value.is_floating_point()
        and not torch._C._functorch.is_functorch_wrapped_tensor(value)
    )


def _first(x: Tensor) -> Tensor:
    return x.detach()[: max(1, _MOST_NUMBERS // max(1, x[0].numel()))].clone()


def hook_in(module: nn.Module, *, any_: bool = False) -> str:
    """Name a forward hook that returns something, or ``any_``; empty if there is none."""
    for part in module.modules():
        for hook in (*part._forward_pre_hooks.values(), *part._forward_hooks.values()):
            own = getattr(hook, "__module__", "") or ""
            if own.startswith(("kan_widgets.", "torch.nn.utils.")):
                continue
            if any_ or not _is_silent(hook):
                name: str = getattr(hook, "__qualname__", type(hook).__name__)
                return name.replace("<locals>.", "")
    return ""


def _is_silent(hook: Any) -> bool:
    """Whether a hook surely returns nothing: it may change what passes in place alone."""
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
        is_python = bool(kind.__flags__ & _HEAP_TYPE)
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
