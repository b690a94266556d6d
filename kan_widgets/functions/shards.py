"""Layers whose parameters are split over several processes (DTensor, as FSDP makes them)."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from torch import nn

from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.registry import Reader

_LOCKED = "Its parameters are split over several processes: they cannot be edited from here."


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
        "A copy of the model with gathered parameters shows all."
    )
    return [
        replace(
            layer,
            write=None,
            rewriter=None,
            gradient=None,
            locked=_LOCKED,
            note=" ".join(part for part in (note, layer.note) if part),
        )
        for layer in layers
    ]


def _is_shard(tensor: Any) -> bool:
    return hasattr(tensor, "to_local") and hasattr(tensor, "placements")


def _placements(parameter: Any) -> Any:
    return parameter.placements


def _local(module: nn.Module) -> nn.Module:
    """Return a stand-in with the parameters that lie here; nothing is copied."""
    standing = copy.copy(module)
    own = {name: _here(parameter) for name, parameter in module._parameters.items()}
    children = {
        name: child if child is None else _local(child) for name, child in module._modules.items()
    }
    standing.__dict__.update(_parameters=own, _modules=children)
    return standing


def _here(parameter: Any) -> Any:
    return parameter.to_local().detach() if _is_shard(parameter) else parameter
