"""Which trainable parameters make up the layers that can be read."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.reading import ReadableModule, survey, unwrap


@dataclass(frozen=True, eq=False)
class Part:
    """A module that holds one layer, or several that share parameters."""

    name: str
    layers: tuple[LayerFunctions, ...]
    sizes: dict[str, int]
    """Trainable parameters by name without numbers, none that an earlier part has."""


def parts_of(model: nn.Module) -> tuple[list[Part], int]:
    """Return the parts of a model, and its total number of trainable parameters.

    The model is not run or changed.

    Raises
    ------
    TypeError
        If ``model`` is not a module.
    """
    counted: set[int] = set()
    found = [
        Part(name, tuple(layers), _sizes(module, counted))
        for entry in survey(model)[0]
        for layers, module, name in _parts(entry)
    ]
    return found, sum(_sizes(unwrap(model), set()).values())


def _parts(entry: ReadableModule) -> list[tuple[list[LayerFunctions], nn.Module, str]]:
    """Return a module's layers with the modules that hold them, if known."""
    layers = entry.read()
    if len(layers) > 1:
        inside = dict(entry.module.named_modules())
        start = len(entry.name) + 1 if entry.name else 0
        own = [inside.get(layer.name[start:]) for layer in layers]
        if all(module is not None for module in own) and len(set(own)) == len(own):
            return [
                ([layer], module, layer.name)
                for layer, module in zip(layers, own, strict=True)
                if module is not None
            ]
    name = layers[0].name if len(layers) == 1 else entry.name or type(entry.module).__name__
    return [(layers, entry.module, name)]


def _sizes(module: nn.Module, counted: set[int]) -> dict[str, int]:
    """Return the sizes of trainable parameters by name without numbers, each counted once."""
    sizes: dict[str, int] = {}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad and id(parameter) not in counted:
            counted.add(id(parameter))
            kind = ".".join(part for part in name.split(".") if not part.isdigit())
            sizes[kind] = sizes.get(kind, 0) + parameter.numel()
    return sizes
