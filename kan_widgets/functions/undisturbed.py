"""A model that is run beside its training, and left as it was."""

from __future__ import annotations

import copy
import random
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import nn

# Of each model that was run so. A thread takes one last of all, and holds it while it runs it.
_locks: weakref.WeakKeyDictionary[nn.Module, threading.RLock] = weakref.WeakKeyDictionary()
_making = threading.Lock()
_MOST_COPIED = 10_000_000


@contextmanager
def undisturbed(model: nn.Module, *, gradients: bool = False) -> Iterator[None]:
    """Run a model in evaluation mode as it is written, with or without gradients.

    Modules' modes and random number generators are as before afterwards, also if the run fails.
    One thread after the other: modes are put back in order, and a hook sees its own run alone.
    """
    with _making:
        lock = _locks.setdefault(model, threading.RLock())
    with lock, nullcontext() if gradients else torch.no_grad(), _evaluated(model):
        yield


@contextmanager
def _evaluated(model: nn.Module) -> Iterator[None]:
    training = {module: module.training for module in model.modules()}
    devices = sorted({p.device.index for p in model.parameters() if p.is_cuda})
    # The generators that a forward pass may draw from besides torch's.
    draws = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        model.eval()
        with torch.random.fork_rng(devices=devices), _as_written():
            yield
    finally:
        for module, mode in training.items():
            module.training = mode
        random.setstate(draws[0])
        np.random.set_state(draws[1])  # noqa: NPY002


def _as_written() -> Any:
    """Leave out `torch.compile`, which would compile once more for hooks and another mode."""
    # Whoever has compiled something has this module; importing it takes seconds.
    if "torch._dynamo" in sys.modules:
        return torch.compiler.set_stance("force_eager")
    return nullcontext()


@contextmanager
def stand_in(module: nn.Module) -> Iterator[tuple[nn.Module, bool]]:
    """Give something to run in a module's place, in evaluation mode without gradients.

    A copy without the hooks of others, and True: it may be changed. Where a module is too large
    to be copied or cannot be, itself without these hooks, and False; it is as before afterwards.
    """
    emptied: dict[int, Any] = {
        id(value): type(value)()
        for part in module.modules()
        for name, value in part.__dict__.items()
        if "_hooks" in name and isinstance(value, dict)
    }
    try:
        if sum(tensor.numel() for tensor in module.parameters()) > _MOST_COPIED:
            raise MemoryError
        with torch.no_grad():
            copied = copy.deepcopy(module, dict(emptied))
    except Exception:  # a lock, a tensor in the middle of a graph, whatever else it may hold
        with undisturbed(module), unchanged(module):
            for part in module.modules():
                for name, value in list(part.__dict__.items()):
                    if id(value) in emptied:
                        part.__dict__[name] = emptied[id(value)]
            yield module, False
    else:
        with undisturbed(copied):
            yield copied, True


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
    before = _Before(model)
    try:
        yield
    except BaseException:
        before.restore()
        raise
    if changed := before.restore():
        raise Disturbed(
            f"running the model changes {', '.join(map(repr, changed))}, in evaluation mode too"
        )


class _Before:
    """What a model holds."""

    def __init__(self, model: nn.Module) -> None:
        self._modules = dict(model.named_modules())
        self._attributes = {name: dict(module.__dict__) for name, module in self._modules.items()}
        self._held = {
            name: (dict(module._parameters), dict(module._buffers))
            for name, module in self._modules.items()
        }
        self._versions = [
            (f"{name}.{own}" if name else own, tensor, tensor._version)
            for name, both in self._held.items()
            for each in both
            for own, tensor in each.items()
            if tensor is not None and not tensor.is_inference()
        ]
        self._copies = {id(buffer): buffer.detach().clone() for buffer in model.buffers()}

    def restore(self) -> list[str]:
        """Put it back, and return which parameters and buffers were changed."""
        changed: list[str] = []
        for name, module in self._modules.items():
            own = module.__dict__
            for extra in own.keys() - self._attributes[name].keys():
                del own[extra]
            for each, value in self._attributes[name].items():
                if own.get(each) is not value:
                    own[each] = value
            for before, now in zip(
                self._held[name], (module._parameters, module._buffers), strict=True
            ):
                differ = {
                    each
                    for each in before.keys() | now.keys()
                    if before.get(each) is not now.get(each)
                }
                changed += [f"{name}.{each}" if name else each for each in sorted(differ)]
                if differ:
                    now.clear()
                    now.update(before)
        for name, tensor, version in self._versions:
            if tensor._version != version:
                changed.append(name)
                if id(tensor) in self._copies:
                    with torch.no_grad():
                        tensor.copy_(self._copies[id(tensor)])
        return list(dict.fromkeys(changed))
