"""What each module of a model is given in a forward pass, and whether hooks change it."""

import functools
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.functions.undisturbed import undisturbed, with_copy

# Most numbers kept of the input of one module, and of the inputs of all modules.
_MAX_NUMBERS, _MAX_OF_ALL = 200_000, 20_000_000
_LEAST_EXAMPLES = 8


@dataclass(frozen=True, eq=False)
class ModuleInput:
    """A copy of the first examples that a module was given."""

    x: Tensor
    altered: bool = False
    """Whether hooks of others changed the module's input or output."""


class ForwardPass:
    """Keeps the inputs of all modules in one forward pass, by hooks that then remove themselves.

    That is the first pass that computes gradients or, if not ``graded``, the first at all. Where a
    loop calls parts of the model and never the whole, all calls until `end` are one pass. Neither
    the model is kept, nor anything of calls that a compiler traces or records.
    """

    def __init__(self, model: nn.Module, *, graded: bool = True) -> None:
        self.module_inputs = weakref.WeakKeyDictionary[nn.Module, ModuleInput]()
        self.inputs: Tensor | None = None
        """The first inputs of the whole model, if it took one tensor of examples."""
        self._model, self._graded, self._is_over = weakref.ref(model), graded, False
        self._thread: int | None = None
        self._kept = 0
        self._hooked = weakref.WeakSet(part for part in model.modules() if hook_in(part))
        # By module the tensor that passes it, before hooks of others see that.
        self._unaltered = weakref.WeakKeyDictionary[nn.Module, Tensor | None]()
        self._handles: list[Any] = []
        try:
            self._place(model)
        except BaseException:  # Ctrl-C, perhaps between a hook and its handle
            self.end()
            for module in model.modules():
                for hooks in (module._forward_pre_hooks, module._forward_hooks):
                    for key in [key for key, hook in hooks.items() if isinstance(hook, _Hook)]:
                        hooks.pop(key, None)
            raise

    def _place(self, model: nn.Module) -> None:
        for module in model.modules():
            own = not type(module).__module__.startswith("torch.nn.")
            own = own or module is model or may_hold(module) or module in self._hooked
            if not own or isinstance(module, torch.jit.ScriptModule):
                continue
            self._hook(module, self._takes_input, self._made_by)
            if module in self._hooked:
                self._hook(module, self._arrives, self._leaves, first=True)

    def _hook(self, module: nn.Module, before: Any, after: Any, first: bool = False) -> None:
        how: Any = {"with_kwargs": True, "prepend": first}
        self._handles.append(module.register_forward_pre_hook(_Hook(before), **how))
        self._handles.append(module.register_forward_hook(_Hook(after), prepend=first))

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

    def _arrives(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        if self._is_seen():
            x = _numbers_in((*args, *kwargs.values()))
            self._unaltered[module] = None if x is None else _first(x)

    def _takes_input(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        if not self._is_seen() or module in self.module_inputs:
            return
        given = (*args, *kwargs.values())
        if module is self._model() and len(given) == 1 and _is_numbers(given[0], whole=True):
            self.inputs = _first(given[0], _LEAST_EXAMPLES)
        if (x := _numbers_in(given)) is None:
            return
        if self._kept < _MAX_OF_ALL or may_hold(module) or module in self._hooked:
            self.module_inputs[module] = ModuleInput(_first(x), self._is_altered(module, x))
            self._kept += self.module_inputs[module].x.numel()

    def _leaves(self, module: nn.Module, args: Any, out: Any) -> None:
        if self._is_seen():
            y = _numbers_in(out if isinstance(out, tuple) else (out,))
            self._unaltered[module] = None if y is None else _first(y)

    def _made_by(self, module: nn.Module, args: Any, out: Any) -> None:
        if not self._is_seen():
            return
        y = _numbers_in(out if isinstance(out, tuple) else (out,))
        if module in self.module_inputs and self._is_altered(module, y):
            self.module_inputs[module] = ModuleInput(self.module_inputs[module].x, True)
        if module is self._model():
            self.end()

    def _is_altered(self, module: nn.Module, now: Tensor | None) -> bool:
        """Say whether hooks of others have changed the tensor that passes a module."""
        before = self._unaltered.pop(module, None)
        if before is None or now is None:
            return before is not now and module in self._hooked
        now = _first(now)
        return before.shape != now.shape or not torch.equal(before.nan_to_num(), now.nan_to_num())


def may_hold(module: nn.Module) -> bool:
    """Say whether a plain layer may only hold numbers, as the biases of pykan and DropKAN do."""
    return type(module) is nn.Linear and 1 in (module.in_features, module.out_features)


class _Hook:
    """Calls a method while in its own model; in a copy, or once unpickled, does nothing."""

    def __init__(self, call: Callable[..., None]) -> None:
        self._call = call

    def __call__(self, *args: Any) -> None:
        self._call(*args)

    def __reduce__(self) -> Any:
        return functools.partial, (_nothing,)


def _nothing(*args: Any) -> None:
    return None


def pass_of_example(model: nn.Module, example: Any) -> ForwardPass:
    """Run an example, a tensor or a tuple of arguments, through a copy of a model.

    A model that cannot be copied is run itself, and is as before afterwards.
    """
    arguments = example if isinstance(example, tuple) else (example,)

    def run_copy(run: nn.Module, copied: bool) -> ForwardPass:
        passes = ForwardPass(run, graded=False)
        own = dict(zip(run.modules(), model.modules(), strict=True))  # the pass may make more
        try:
            run(*arguments)
        finally:
            passes.end()
        inputs_of = {own[module]: inputs for module, inputs in passes.module_inputs.items()}
        passes.module_inputs = weakref.WeakKeyDictionary(inputs_of)
        return passes

    if not hook_in(model):
        return with_copy(model, run_copy)
    return undisturbed(model, lambda: run_copy(model, False))  # hooks may be part of the model


def _is_recorded() -> bool:
    """Whether a compiler traces the call, or an accelerator records it, to run it later."""
    if torch.compiler.is_compiling() or torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
        return True
    return torch.cuda.is_available() and torch.cuda.is_current_stream_capturing()


def _numbers_in(values: tuple[Any, ...]) -> Tensor | None:
    """Return the first of some values that is a tensor of examples and can be kept, or None."""
    return next(filter(_is_numbers, values), None)


def _is_numbers(value: Any, whole: bool = False) -> bool:
    return (
        type(value) in (Tensor, nn.Parameter)
        and value.ndim > 1
        and value.numel() > 0
        and (whole or value.is_floating_point())
        and not torch._C._functorch.is_functorch_wrapped_tensor(value)
    )


def _first(x: Tensor, least: int = 1) -> Tensor:
    return x.detach()[: max(least, _MAX_NUMBERS // max(1, x[0].numel()))].clone()


def hook_in(module: nn.Module) -> str:
    """Name a forward hook of others on a module or on one inside it; empty if there is none."""
    for part in module.modules():
        for hook in (*part._forward_pre_hooks.values(), *part._forward_hooks.values()):
            own = getattr(hook, "__module__", "") or ""
            if not own.startswith(("kan_widgets.", "torch.nn.utils.")):
                name: str = getattr(hook, "__qualname__", type(hook).__name__)
                return name.replace("<locals>.", "")
    return ""
