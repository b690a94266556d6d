"""Stand-ins for modules, with other tensors: where weights are computed, and where they are split.

Weights that are computed from others before each pass (weight_norm, spectral_norm, pruning) are
read on a stand-in that has them as its own: computing them in the module itself may change it.
Parameters that are split over several processes (DTensor, as FSDP makes them) are read as far as
they lie here, or on a stand-in that has all of them.
"""

import math
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from kan_widgets.checks import check_module
from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.layer_settings import Split
from kan_widgets.nn.torch_modes import ungraded

_Reader = Callable[[nn.Module], LayerFunctions | Sequence[LayerFunctions]]
S = TypeVar("S", bound=Any)

_COMPUTED_NOTE = "Its weights are computed from others ({}): it cannot be edited from here."
_SPLIT_NOTE = "Its parameters are split over several processes: they cannot be edited from here."


def read_by(module: nn.Module, reader: _Reader) -> list[LayerFunctions]:
    """Read a module: the part that this process has, without asking the others.

    Raises `ValueError` if its parameters are split neither by outputs nor by inputs, so that no
    function is whole here.
    """
    if not is_sharded(module):
        result = reader(module)
        return [result] if isinstance(result, LayerFunctions) else list(result)
    if any(_is_shard(tensor) and 0 in tensor.to_local().shape for tensor in module.parameters()):  # type: ignore[attr-defined]
        return []  # there are more processes than outputs
    try:
        layers = read_by(_with(module, _here, {}), reader)
        splits = [
            _split_of(module, layer, whole)
            for layer, whole in zip(layers, _whole_shapes(module, reader), strict=True)
        ]
    except Exception as error:
        cut = {str(tensor.placements) for tensor in module.parameters() if _is_shard(tensor)}  # type: ignore[attr-defined]
        raise ValueError(
            f"its parameters are split as {', '.join(sorted(cut))}: only splits by outputs or by "
            f"inputs can be shown ({error})"
        ) from error
    return [
        _locked(layer, _SPLIT_NOTE, split.words if split else "", split=split)
        for layer, split in zip(layers, splits, strict=True)
    ]


_wholes: weakref.WeakKeyDictionary[nn.Module, Any] = weakref.WeakKeyDictionary()


def _whole_shapes(module: nn.Module, reader: _Reader) -> list[tuple[int, int, int, int]]:
    """Return the whole shapes of a module's layers, over all processes."""

    def empty(tensor: Any) -> Any:
        if not _is_shard(tensor):
            return tensor
        return torch.zeros(tensor.shape, dtype=tensor.dtype, device=tensor.device)

    sizes = [parameter.shape for parameter in module.parameters()]
    cached = _wholes.get(module)
    if cached is None or cached[0] != sizes:
        shapes = [layer.shape for layer in read_by(_with(module, empty, {}), reader)]
        cached = _wholes[module] = sizes, shapes
    return list(cached[1])


def _split_of(
    module: nn.Module, layer: LayerFunctions, whole: tuple[int, int, int, int]
) -> Split | None:
    """Say which part of a layer lies here; ``None`` if all of it does."""
    cut = [axis for axis in range(4) if layer.shape[axis] != whole[axis]]
    if not cut:
        return None
    chunks = [
        (parameter.shape, parameter.__create_chunk_list__()[0])  # type: ignore[attr-defined]
        for parameter in module.parameters()
        if _is_shard(parameter)
    ]
    [axis] = cut
    [start] = {
        start * whole[axis] / most
        for shape, chunk in chunks
        for most, start, size in zip(shape, chunk.offsets, chunk.sizes, strict=True)
        if size != most
    }
    if axis > 1 or start % 1:
        raise ValueError(f"a part of shape {layer.shape} of {whole}")
    rank, world = torch.distributed.get_rank(), torch.distributed.get_world_size()
    words = (
        f"{layer.n_functions:,} of {math.prod(whole):,} functions: rank {rank} of {world}. Called "
        "in every process, live.record(place) joins them in a recording, and "
        "kan_widgets.functions.gathered(model) is a copy of all."
    )
    return Split(whole, *((int(start), 0) if axis == 0 else (0, int(start))), words)


def _locked(layer: LayerFunctions, why: str, note: str = "", **fields: Any) -> LayerFunctions:
    note = " ".join(part for part in (note, layer.note) if part)
    return layer.called(write=None, rewriter=None, gradient=None, locked=why, note=note, **fields)


# -- weights that are computed ------------------------------------------------------


def computing(module: nn.Module) -> str:
    """Say what computes weights of a module from others; empty if nothing does."""
    for part in module.modules():
        if is_parametrized(part):
            [*_, chain] = part.parametrizations.values()  # type: ignore[operator]
            return type(chain[0]).__name__.strip("_")
        for hook in _computing_hooks(part).values():
            return type(hook).__name__
    return ""


def with_weights(module: nn.Module) -> nn.Module:
    """Return the module to read and to copy, or a stand-in with its weights as they are."""
    return _computed(module, {}) if computing(module) else module


def read_computed(reader: _Reader, by: str, module: nn.Module) -> list[LayerFunctions]:
    """Read a module by a stand-in; its note says that its weights are computed ``by`` what."""
    twins: dict[nn.Module, nn.Module] = {}
    layers = read_by(_computed(module, twins), reader)
    return [
        _locked(x, _COMPUTED_NOTE.format(by), x_at=None if x.x_at is None else _tap(x.x_at, twins))
        for x in layers
    ]


def taps_computed(sums: Callable[[nn.Module], Sequence[S]], module: nn.Module) -> list[S]:
    """Return where sums of a module appear, found by a stand-in."""
    twins: dict[nn.Module, nn.Module] = {}
    return [replace(place, at=_tap(place.at, twins)) for place in sums(_computed(module, twins))]


def _tap(tap: Tap, twins: dict[nn.Module, nn.Module]) -> Tap:
    real = {standing: module for module, standing in twins.items()}
    return replace(tap, modules=tuple(real.get(part, part) for part in tap.modules))


def _computing_hooks(part: nn.Module) -> dict[int, Any]:
    hooks = part._forward_pre_hooks.items()
    return {k: hook for k, hook in hooks if type(hook).__module__.startswith("torch.nn.utils.")}


@ungraded
def _computed(module: nn.Module, twins: dict[nn.Module, nn.Module]) -> nn.Module:
    """Return a stand-in in evaluation mode, with the same tensors and weights that are its own."""
    standing = _with(module, lambda tensor: tensor, twins)
    for part in twins.values():
        part.training = False
    for part in list(standing.modules()):
        if is_parametrized(part):
            chains: Any = part._modules.pop("parametrizations")
            part.__class__ = type(part).__mro__[1]
            for name, chain in chains.named_children():
                part._parameters[name] = nn.Parameter(chain())
        for key, hook in _computing_hooks(part).items():
            del part._forward_pre_hooks[key]
            hook(part, ())
        for name in list(part.__dict__):
            if f"{name}_orig" in part._parameters or f"{name}_v" in part._parameters:
                part._parameters[name] = nn.Parameter(part.__dict__.pop(name))
    return standing


# -- parameters that are split over processes ---------------------------------------


def is_sharded(module: nn.Module) -> bool:
    """Whether parameters of a module are shards of a DTensor."""
    return any(_is_shard(parameter) for parameter in module.parameters())


def gathered(model: nn.Module) -> nn.Module:
    """Return a copy of a model whose parameters are split over several processes, with all of them.

    All processes must call it, between two steps: each sends its part to the others, and each has
    the whole afterwards, in memory of the CPU. The copy can be read, bound and run as a model that
    was never split; the model is as before.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> model = kw.nn.KANLinear(2, 3)  # of one process, as it happens
    >>> torch.equal(kw.functions.gathered(model).base_weight, model.base_weight)
    True
    """
    check_module(model)
    # A parameter that is used twice is one in the copy too, and is sent once.
    whole: dict[Any, Any] = {}
    tensor: Any
    for tensor in (*model.parameters(), *model.buffers()):
        # If it is sharded, all processes must come here.
        copied = (tensor.full_tensor() if _is_shard(tensor) else tensor).detach().cpu().clone()
        is_trained = isinstance(tensor, nn.Parameter)
        whole[tensor] = nn.Parameter(copied, tensor.requires_grad) if is_trained else copied
    return _with(model, whole.__getitem__, {})


def _with(
    module: nn.Module, tensor: Callable[[Any], Any], twins: dict[nn.Module, nn.Module]
) -> nn.Module:
    """Return a stand-in for a module, with other tensors and, after FSDP, its own class again."""
    if module in twins:
        return twins[module]
    kinds, own = type(module).__mro__, dict(module.__dict__)
    split = "FSDPModule" in (kind.__name__ for kind in kinds[:2])
    for place in ("_forward_hooks", "_forward_pre_hooks"):
        own[place] = OrderedDict(() if split else own[place])
    for place in ("_parameters", "_buffers"):
        items = own[place].items()
        own[place] = {name: None if value is None else tensor(value) for name, value in items}
    # Not by the class: FSDP's would call __init__.
    standing: nn.Module = object.__new__(kinds[2] if split else kinds[0])
    twins[module] = standing
    standing.__dict__.update(own)
    standing.__dict__["_modules"] = {
        name: None if child is None else _with(child, tensor, twins)
        for name, child in module._modules.items()
    }
    return standing


def _is_shard(tensor: Any) -> bool:
    return hasattr(tensor, "to_local") and hasattr(tensor, "placements")


def _here(parameter: Any) -> Any:
    """Return this process's part of a tensor; nothing is copied."""
    return parameter.to_local().detach() if _is_shard(parameter) else parameter
