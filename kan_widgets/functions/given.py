"""What each module of a model is given in a forward pass that somebody else makes, and gives."""

from __future__ import annotations

import dis
import functools
import itertools
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.functions.undisturbed import stand_in, undisturbed

# Numbers that are kept of what passes a module, and of what passes all of them.
_MOST_NUMBERS, _MOST_OF_ALL = 200_000, 20_000_000
_MOST_EXAMPLES = 8


@dataclass(frozen=True, eq=False)
class Given:
    """The first examples of what a module was given, and what it made of them; copies."""

    x: Tensor
    y: Tensor | None = None
    training: bool = True
    """Whether it was in training mode."""


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
        self._hooked = weakref.WeakSet(part for part in model.modules() if hook_in(part))
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
            if (module is model or own) and not isinstance(module, torch.jit.ScriptModule):
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
        if self._kept < _MOST_OF_ALL:
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
            kept = y.detach()[: len(known.x)].clone()
            self.given[module] = Given(known.x, kept, known.training)
        if module is self._model():
            self.end()


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
        try:
            run(*arguments)
        finally:
            passes.end()
        own = dict(zip(run.modules(), model.modules(), strict=True))
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
