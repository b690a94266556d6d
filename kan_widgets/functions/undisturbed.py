"""A model that is run beside its training, and left as it was."""

import copy
import random
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from kan_widgets.functions.layer import Tap
from kan_widgets.functions.stand_ins import with_weights
from kan_widgets.nn.torch_modes import gradient_mode_restored, ungraded

T = TypeVar("T")

# A lock for each model run so: the last but one in the table of ``docs/architecture.md``.
_locks: weakref.WeakKeyDictionary[nn.Module, threading.RLock] = weakref.WeakKeyDictionary()
_making = threading.Lock()
# What `torch.compile` did before the first of the runs that go on now. That holds for the process:
# runs of several models may be in several threads at once, and end in any order.
_stances: "dict[_StateBefore, Any]" = {}
_MAX_COPIED = 10_000_000


def undisturbed(
    model: nn.Module,
    run: Callable[[], T],
    *,
    gradients: bool = False,
    draws: bool = True,
    function_mode: TorchFunctionMode | None = None,
) -> T:
    """Run a model in evaluation mode as it is written, with or without gradients.

    Modules' modes and random number generators are as before afterwards, also if the run fails or
    Ctrl-C interrupts it. Threads take turns, so that modes are put back in order and a hook sees
    its own run alone. A ``function_mode`` sees the functions that are called. Without ``draws`` the
    run draws no random numbers, and generators that another thread uses meanwhile are left alone.
    """
    with _making:
        lock = _locks.setdefault(model, threading.RLock())
    # All in one function: Ctrl-C could strike between the two calls of a context manager.
    with lock, gradient_mode_restored():
        before = _StateBefore(model, draws)
        try:
            torch._C._set_grad_enabled(gradients)
            for module in model.modules():  # not eval(): pykan's networks train() on a data set
                module.training = False
            before.compile_nothing()
            if function_mode is not None:
                # Pushed, not entered by `with`: after an interrupt torch might pop it twice.
                torch._C._push_on_torch_function_stack(function_mode)
            result = run()
        except KeyboardInterrupt:
            before.remove_new_hooks()
            raise
        finally:
            try:
                before.restore()
            except KeyboardInterrupt:
                before.restore()
                raise
        return result


class _StateBefore:
    """What a run changes of a model and of the process, to be put back."""

    def __init__(self, model: nn.Module, draws: bool) -> None:
        self._is_drawing = draws
        self._modes = {module: module.training for module in model.modules()}
        self._hooks = [
            (hooks, set(hooks))
            for module in self._modes
            for hooks in (module._forward_pre_hooks, module._forward_hooks)
        ]
        # The generators that a forward pass may draw from.
        devices = {p.device.index for p in model.parameters() if p.is_cuda}
        self._draws = random.getstate(), np.random.get_state()  # noqa: NPY002
        self._torch_draws = torch.get_rng_state()
        self._cuda_draws = {device: torch.cuda.get_rng_state(device) for device in devices}
        self._modes_of_functions = torch._C._len_torch_function_stack()
        # Whoever has compiled something has this module; importing it takes seconds.
        self._compiling: Any = sys.modules.get("torch._dynamo.eval_frame")

    def compile_nothing(self) -> None:
        """Switch `torch.compile` off, which would compile once more for hooks and another mode."""
        if self._compiling is None:
            return
        with _making:
            _stances[self] = next(iter(_stances.values()), self._compiling._stance)
            torch.compiler.set_stance("force_eager")

    def restore(self) -> None:
        """Put everything back; it may be called again."""
        while torch._C._len_torch_function_stack() > self._modes_of_functions:
            torch._C._pop_torch_function_stack()
        with _making:
            if self in _stances:
                if len(_stances) == 1:
                    self._compiling._set_stance(_stances[self])
                del _stances[self]
        for module, mode in self._modes.items():
            module.training = mode
        if not self._is_drawing:
            return
        random.setstate(self._draws[0])
        np.random.set_state(self._draws[1])  # noqa: NPY002
        torch.set_rng_state(self._torch_draws)
        for device, state in self._cuda_draws.items():
            torch.cuda.set_rng_state(state, device)

    def remove_new_hooks(self) -> None:
        """Take out hooks whose handles an interrupt has lost."""
        for hooks, keys in self._hooks:
            for key in hooks.keys() - keys:
                hooks.pop(key, None)


def with_copy(module: nn.Module, use: Callable[[nn.Module, bool], T], *, draws: bool = True) -> T:
    """Run a copy of a module in its place, in evaluation mode without gradients or autocast.

    ``use`` gets a copy without the hooks of others, and True: the copy may be changed. A module
    that is too large or cannot be copied is passed itself, without these hooks, and False; it is as
    before afterwards. Returns what ``use`` returns. ``draws`` is as in `undisturbed`.
    """
    device = next(module.parameters(), torch.zeros(())).device.type
    device = device if torch.amp.is_autocast_available(device) else "cpu"
    emptied: dict[int, Any] = {
        id(value): type(value)()
        for part in module.modules()
        for name, value in part.__dict__.items()
        if "_hooks" in name and isinstance(value, dict)
    }

    def itself() -> T:
        with unchanged(module):
            for part in module.modules():
                for name, value in list(part.__dict__.items()):
                    if id(value) in emptied:
                        part.__dict__[name] = emptied[id(value)]
            return use(module, False)

    with torch.autocast(device, enabled=False):
        try:
            if sum(tensor.numel() for tensor in module.parameters()) > _MAX_COPIED:
                raise MemoryError
            copied = ungraded(copy.deepcopy)(with_weights(module), dict(emptied))
        except Exception:  # a lock, a tensor in the middle of a graph, whatever else it may hold
            return undisturbed(module, itself, draws=draws)
        return undisturbed(copied, lambda: use(copied, True), draws=draws)


@contextmanager
def removed(handles: list[Any]) -> Iterator[None]:
    """Take hooks away at the end."""
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def tapped(taps: Iterable[Tap], see: Callable[[Tap, Tensor], Tensor | None]) -> Iterator[None]:
    """Call ``see`` with a tap and the first tensor that passes it, each time one does.

    A tensor that ``see`` returns passes in its place.
    """

    def exchanged(tap: Tap, values: Sequence[Any]) -> list[Any] | None:
        for k, value in enumerate(values):
            if isinstance(value, Tensor):
                new = see(tap, value)
                return None if new is None else [*values[:k], new, *values[k + 1 :]]
        return None

    def before(tap: Tap, _: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        passed = exchanged(tap, (*args, *kwargs.values()))
        if passed is not None:
            return tuple(passed[: len(args)]), dict(zip(kwargs, passed[len(args) :], strict=True))

    def after(tap: Tap, _: nn.Module, __: Any, result: Any) -> Any:
        several = isinstance(result, tuple | list)
        passed = exchanged(tap, result if several else (result,))
        if passed is not None:
            return tuple(passed) if several else passed[0]

    with removed(
        [
            module.register_forward_pre_hook(partial(before, tap), with_kwargs=True)
            if tap.side == "input"
            else module.register_forward_hook(partial(after, tap))
            for tap in dict.fromkeys(taps)
            for module in dict.fromkeys(tap.modules)
        ]
    ):
        yield


def like_of(run: nn.Module) -> Tensor:
    """Return a tensor of the type that a module computes in, on its device."""
    tensors = (*run.parameters(), *run.buffers())
    return next((tensor for tensor in tensors if tensor.is_floating_point()), torch.zeros(()))


class Disturbed(RuntimeError):
    """Running the model changes it, in evaluation mode too."""


@contextmanager
def unchanged(model: nn.Module) -> Iterator[None]:
    """Put back what a run changes of a model: attributes and buffers.

    Raises
    ------
    Disturbed
        At the end, if a parameter or buffer was changed. Buffers are as before all the same.
    """
    held = [
        (name, own, dict(own), own is not vars(module))
        for name, module in model.named_modules()
        for own in (vars(module), module._parameters, module._buffers)
    ]
    buffers = dict(model.named_buffers())
    copies = {name: buffer.detach().clone() for name, buffer in buffers.items()}
    tensors = {**dict(model.named_parameters()), **buffers}
    versions = {name: t._version for name, t in tensors.items() if not t.is_inference()}
    changed: list[str] = []
    try:
        yield
    finally:
        for name, now, before, is_state in held:
            for key in sorted(now.keys() | before.keys()):
                if now.get(key, now) is not before.get(key, before):
                    changed += [".".join(filter(None, [name, key]))] * is_state
                    if key in before:
                        now[key] = before[key]
                    else:
                        del now[key]
        for name, version in versions.items():
            if tensors[name]._version != version:
                changed.append(name)
                if name in copies:
                    tensors[name].detach().copy_(copies[name])
    if changed:
        names = ", ".join(map(repr, dict.fromkeys(changed)))
        raise Disturbed(f"running the model changes {names}, in evaluation mode too")
