"""Layers whose parameters are split over several processes (DTensor, as FSDP makes them)."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.registry import Reader
from kan_widgets.nn.ungraded import ungraded

_LOCKED = "Its parameters are split over several processes: they cannot be edited from here."
_GATHERED = "Gathered from all processes, as it was then; live.gather() does so anew."

# Modules of copies that are shown in place of a model.
_shown: weakref.WeakSet[nn.Module] = weakref.WeakSet()


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
    found = reader(_with(module, _here, {}))
    layers = [found] if isinstance(found, LayerFunctions) else list(found)
    first = next(module.parameters())
    note = (
        f"What this process has of it: {layers[0].shape[0]} of {first.shape[0]} outputs. "
        "live.gather(), called in every process, shows all."
    )
    return [_noted(layer, note) for layer in layers]


def gathered(model: nn.Module) -> nn.Module:
    """Return a copy of a model whose parameters are split over several processes, with all of them.

    All processes must call it, between two steps: each sends its part to the others, and each has
    the whole afterwards, in memory of the CPU. The model is as before.

    Parameters
    ----------
    model
        As ``fully_shard`` or ``distribute_tensor`` left it. Other parameters are copied too.

    Returns
    -------
    torch.nn.Module
        It can be read, bound and run as a model that was never split.

    Raises
    ------
    TypeError
        If ``model`` is not a module.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> model = kw.nn.KANLinear(2, 3)  # of one process, as it happens
    >>> torch.equal(kw.functions.gathered(model).base_weight, model.base_weight)
    True
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model={model!r:.80}: expected a torch.nn.Module")
    # A parameter that is used twice is one in the copy too, and is sent once.
    whole: dict[Any, Any] = {}
    tensors: list[Any] = [*model.parameters(), *model.buffers()]
    for tensor in tensors:
        copied = _all_of(tensor).detach().cpu().clone()
        if isinstance(tensor, nn.Parameter):
            copied = nn.Parameter(copied, tensor.requires_grad)
        whole[tensor] = copied
    return _with(model, whole.__getitem__, {})


def shown_whole(model: nn.Module) -> nn.Module:
    """Return a copy as `gathered` makes it, without hooks, whose layers say what they are."""
    whole = gathered(model)
    for module in whole.modules():
        own = module.__dict__.items()
        hooks = [(name, each) for name, each in own if "_hooks" in name and isinstance(each, dict)]
        module.__dict__.update({name: type(each)() for name, each in hooks})
        _shown.add(module)
    return whole


@ungraded
def gather_again(whole: nn.Module, model: nn.Module) -> None:
    """Copy the parameters of a model as they are now to its copy; all processes must call it."""
    for mine, theirs in (
        *zip(whole.parameters(), model.parameters(), strict=True),
        *zip(whole.buffers(), model.buffers(), strict=True),
    ):
        mine.copy_(_all_of(theirs))


def is_gathered(module: nn.Module) -> bool:
    """Whether a module is of a copy that is shown in place of its model."""
    return module in _shown


def read_gathered(module: nn.Module, reader: Reader) -> list[LayerFunctions]:
    """Read a layer of such a copy, and say what it is."""
    found = reader(module)
    layers = [found] if isinstance(found, LayerFunctions) else list(found)
    return [_noted(layer, _GATHERED) for layer in layers]


def _noted(layer: LayerFunctions, note: str) -> LayerFunctions:
    return layer.called(
        write=None,
        rewriter=None,
        gradient=None,
        locked=_LOCKED,
        note=" ".join(part for part in (note, layer.note) if part),
    )


def _with(
    module: nn.Module, tensor: Callable[[Any], Any], made: dict[nn.Module, nn.Module]
) -> nn.Module:
    """Return a stand-in for a module, with other tensors; what FSDP made of its class is undone."""
    if module in made:
        return made[module]
    kinds, attributes = type(module).__mro__, dict(module.__dict__)
    split = "FSDPModule" in (kind.__name__ for kind in kinds[:2])
    for place in ("_forward_hooks", "_forward_pre_hooks"):
        attributes[place] = OrderedDict(() if split else attributes[place])
    for place in ("_parameters", "_buffers"):
        known = attributes[place].items()
        attributes[place] = {name: None if one is None else tensor(one) for name, one in known}
    # Not copy.copy: FSDP's classes make an object by calling its __init__.
    standing: nn.Module = object.__new__(kinds[2] if split else kinds[0])
    made[module] = standing
    standing.__dict__.update(attributes)
    standing.__dict__["_modules"] = {
        name: None if child is None else _with(child, tensor, made)
        for name, child in module._modules.items()
    }
    return standing


def _is_shard(tensor: Any) -> bool:
    return hasattr(tensor, "to_local") and hasattr(tensor, "placements")


def _placements(parameter: Any) -> Any:
    return parameter.placements


def _here(parameter: Any) -> Any:
    """Return what of a tensor lies here; nothing is copied."""
    return parameter.to_local().detach() if _is_shard(parameter) else parameter


def _all_of(tensor: Any) -> Tensor:
    """Return a whole tensor; of a shard all processes have to ask for it."""
    whole: Tensor = tensor.full_tensor() if _is_shard(tensor) else tensor
    return whole
