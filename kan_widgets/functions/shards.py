"""Layers whose parameters are split over several processes (DTensor, as FSDP makes them)."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.registry import Reader

_LOCKED = "Its parameters are split over several processes: they cannot be edited from here."
_GATHERED = "Gathered from all processes, as it was then; live.gather() does so anew."

# Stand-ins for models, with whole parameters.
_whole: weakref.WeakSet[nn.Module] = weakref.WeakSet()


def is_sharded(module: nn.Module) -> bool:
    """Whether parameters of a module are shards of a DTensor."""
    return any(_is_shard(parameter) for parameter in module.parameters())


def read_share(module: nn.Module, reader: Reader) -> list[LayerFunctions]:
    """Read what this process has of a layer, without a word to the others.

    Raises
    ------
    ValueError
        If its parameters are not split by outputs, so that no function is whole here.
    """
    for name, parameter in module.named_parameters():
        if _is_shard(parameter):
            cut = [each for each in _placements(parameter) if not each.is_replicate()]
            if any(not each.is_shard(0) for each in cut):
                raise ValueError(f"{name} is split as {cut}: only splits by outputs can be shown")
    found = reader(_local(module))
    layers = [found] if isinstance(found, LayerFunctions) else list(found)
    first = next(module.parameters())
    note = (
        f"What this process has of it: {layers[0].shape[0]} of {first.shape[0]} outputs. "
        "live.gather(), called in every process, shows all."
    )
    return [_noted(layer, note) for layer in layers]


def gathered(model: nn.Module) -> nn.Module:
    """Return a stand-in for a model with whole parameters, copied from all processes.

    All processes have to call it, at the same place of their program: each waits for the others.

    Parameters
    ----------
    model
        Some of its parameters are split over processes.

    Returns
    -------
    torch.nn.Module
        Of the same structure, without hooks; changing it changes nothing of the model.

    Raises
    ------
    ValueError
        If no parameter is split.
    """
    if not is_sharded(model):
        raise ValueError(
            f"model: expected one with parameters split over processes, got a "
            f"{type(model).__name__} that has all of its own: there is nothing to gather"
        )
    with torch.no_grad():
        found = _standing(model, _gathered)
    for module in found.modules():
        module.__dict__.update({name: type(hooks)() for name, hooks in _hooks_of(module)})
        _whole.add(module)
    return found


def gather_again(whole: nn.Module, model: nn.Module) -> None:
    """Copy the parameters of a model as they are now to its stand-in; as `gathered`."""
    with torch.no_grad():
        for mine, theirs in (
            *zip(whole.parameters(), model.parameters(), strict=True),
            *zip(whole.buffers(), model.buffers(), strict=True),
        ):
            mine.copy_(_all_of(theirs))


def is_gathered(module: nn.Module) -> bool:
    """Whether a module is of a stand-in that `gathered` made."""
    return module in _whole


def read_gathered(module: nn.Module, reader: Reader) -> list[LayerFunctions]:
    """Read a layer of a stand-in, and say what it is."""
    found = reader(module)
    layers = [found] if isinstance(found, LayerFunctions) else list(found)
    return [_noted(layer, _GATHERED) for layer in layers]


def _noted(layer: LayerFunctions, note: str) -> LayerFunctions:
    return replace(
        layer,
        write=None,
        rewriter=None,
        gradient=None,
        locked=_LOCKED,
        note=" ".join(part for part in (note, layer.note) if part),
    )


def _is_shard(tensor: Any) -> bool:
    return hasattr(tensor, "to_local") and hasattr(tensor, "placements")


def _placements(parameter: Any) -> Any:
    return parameter.placements


def _local(module: nn.Module) -> nn.Module:
    """Return a stand-in with the parameters that lie here; nothing is copied."""
    return _standing(module, _here)


def _standing(module: nn.Module, of: Callable[[Any], Any]) -> nn.Module:
    """Return a stand-in with what is made of each parameter and buffer."""
    standing = copy.copy(module)
    standing.__dict__.update(
        _parameters={name: of(each) for name, each in module._parameters.items()},
        _buffers={name: of(each) for name, each in module._buffers.items()},
        _modules={
            name: child if child is None else _standing(child, of)
            for name, child in module._modules.items()
        },
    )
    return standing


def _here(parameter: Any) -> Any:
    return parameter.to_local().detach() if _is_shard(parameter) else parameter


def _gathered(tensor: Any) -> Any:
    if tensor is None:
        return None
    whole = _all_of(tensor).detach().clone()
    return nn.Parameter(whole, False) if isinstance(tensor, nn.Parameter) else whole


def _all_of(tensor: Any) -> Tensor:
    """Return a whole tensor; of a shard all processes have to ask for it."""
    whole: Tensor = tensor.full_tensor() if _is_shard(tensor) else tensor
    return whole


def _hooks_of(module: nn.Module) -> list[tuple[str, Any]]:
    own = module.__dict__.items()
    return [(name, each) for name, each in own if "_hooks" in name and isinstance(each, dict)]
