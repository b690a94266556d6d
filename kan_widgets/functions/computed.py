"""Layers whose weights are computed from others before each pass: weight_norm, pruning and such.

They are read on a stand-in that has these weights as its own, because computing them in the module
itself may change it: spectral norm iterates.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.nn.ungraded import ungraded

_Reader = Callable[[nn.Module], LayerFunctions | Sequence[LayerFunctions]]
T = TypeVar("T", bound=Any)

_LOCKED = "Its weights are computed from others ({}): it cannot be edited from here."


def computing(module: nn.Module) -> str:
    """Say what computes weights of a module from others; empty if nothing does."""
    for part in module.modules():
        if is_parametrized(part):
            [*_, one] = part.parametrizations.values()  # type: ignore[operator]
            return type(one[0]).__name__.strip("_")
        for hook in _computing_hooks(part):
            return type(hook).__name__
    return ""


def with_weights(module: nn.Module) -> nn.Module:
    """Return a module to read and to copy: itself, or a stand-in with the weights as they are."""
    return _standing(module, {}) if computing(module) else module


def read_computed(reader: _Reader, what: str, module: nn.Module) -> list[LayerFunctions]:
    """Read a module by a stand-in; ``what`` computes its weights."""
    made: dict[nn.Module, nn.Module] = {}
    found = reader(_standing(module, made))
    return [
        layer.called(
            write=None,
            rewriter=None,
            gradient=None,
            locked=_LOCKED.format(what),
            x_at=None if layer.x_at is None else _tap(layer.x_at, made),
        )
        for layer in ([found] if isinstance(found, LayerFunctions) else found)
    ]


def taps_computed(sums: Callable[[nn.Module], Sequence[T]], module: nn.Module) -> list[T]:
    """Return where sums of a module appear, found by a stand-in."""
    made: dict[nn.Module, nn.Module] = {}
    return [replace(one, at=_tap(one.at, made)) for one in sums(_standing(module, made))]


def _tap(tap: Tap, made: dict[nn.Module, nn.Module]) -> Tap:
    real = {standing: module for module, standing in made.items()}
    return replace(tap, modules=tuple(real.get(each, each) for each in tap.modules))


def _computing_hooks(part: nn.Module) -> list[Any]:
    hooks = part._forward_pre_hooks.values()
    return [hook for hook in hooks if type(hook).__module__.startswith("torch.nn.utils.")]


@ungraded
def _standing(module: nn.Module, made: dict[nn.Module, nn.Module]) -> nn.Module:
    """Return a module with the same tensors, in evaluation mode, and weights that are its own."""
    if module in made:
        return made[module]
    kinds, is_computed = type(module).__mro__, is_parametrized(module)
    standing: nn.Module = object.__new__(kinds[1] if is_computed else kinds[0])
    made[module] = standing
    hooks = _computing_hooks(module)
    own = dict(module.__dict__, training=False)
    own["_parameters"], own["_buffers"] = dict(own["_parameters"]), dict(own["_buffers"])
    own["_forward_pre_hooks"] = OrderedDict(
        (key, hook) for key, hook in module._forward_pre_hooks.items() if hook not in hooks
    )
    standing.__dict__.update(own)
    parts = {
        name: None if child is None else _standing(child, made)
        for name, child in module._modules.items()
    }
    standing.__dict__["_modules"] = parts
    computed = parts.pop("parametrizations", None) if is_computed else None
    for name, chain in () if computed is None else computed.named_children():
        # In evaluation mode: it is a stand-in too.
        standing._parameters[name] = nn.Parameter(chain())
    for hook in hooks:
        hook(standing, ())
    for name in list(standing.__dict__):
        if f"{name}_orig" in standing._parameters or f"{name}_v" in standing._parameters:
            standing._parameters[name] = nn.Parameter(standing.__dict__.pop(name))
    return standing
