"""Which entries of its module's parameters make one function."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kan_widgets.functions import LayerFunctions, read_module
from kan_widgets.functions.registry import Reader
from kan_widgets.nn.ungraded import ungraded

Index = tuple[int, int, int, int]
Entries = dict[str, Tensor]
"""By the name of a parameter, which entries of it, counted in its flat order."""

_POINTS = 33
# What is put in place of a parameter to see what depends on it.
_FACTOR, _ADDED = 1.37, 0.11


@dataclass(frozen=True, eq=False)
class Place:
    """Where a function is: the module that holds it, how it is read, and its index."""

    module: nn.Module
    name: str
    reader: Reader
    layer: str
    index: Index

    def functions(self) -> LayerFunctions:
        """Read its layer as it is now."""
        layers = read_module(self.name, self.module, self.reader)
        [found] = [layer for layer in layers if layer.name == self.layer]
        return found


@ungraded
def entries_of(place: Place) -> Entries:
    """Return the entries of trainable parameters that a function depends on.

    They are found by trying: what changes with a parameter depends on it. Afterwards all
    parameters are as before, to the bit.

    Raises
    ------
    ValueError
        If other functions depend on them as well.
    """
    found: Entries = {}
    with _unchanged(place.module) as before:
        functions = place.functions()
        low, high = functions.extent
        x = torch.linspace(low, high, _POINTS, dtype=torch.float64)
        if functions.write is not None:
            own = functions.at(_at(functions, place.index))
            with suppress(ValueError):  # a mask that holds a part at 0: there is nothing to move
                functions.write(_at(functions, place.index), own * _FACTOR + _ADDED)
        # From here on nothing that is multiplied with a scale is 0.
        present = _values(place, x)
        for name, parameter in place.module.named_parameters():
            if not parameter.requires_grad or not parameter.numel():
                continue
            flat, kept = parameter.reshape(-1), before[name].reshape(-1)
            every = torch.arange(parameter.numel(), device=parameter.device)
            differs = (flat != kept) & ~(flat.isnan() & kept.isnan())
            mine = _depended(place, parameter, every[~differs], x, present.own)
            entries = torch.cat([every[differs], mine])
            if not len(entries):
                continue
            with _moved(parameter, entries):
                if not _same(_values(place, x).others, present.others):
                    raise ValueError(
                        f"φ {place.index} of {place.layer} cannot be held: its parameter {name} "
                        "is shared with other functions, which would be held with it"
                    )
            found[name] = entries
    return found


@dataclass(frozen=True, eq=False)
class _Values:
    own: Tensor
    """φ at some points."""
    others: Tensor
    """All other functions of its layer there."""


def _values(place: Place, x: Tensor) -> _Values:
    functions = place.functions()
    at = _at(functions, place.index)
    values = functions.evaluate(x.to(functions.like.device))
    own = values[at].clone()
    values[at] = 0
    return _Values(own, values)


def _depended(place: Place, parameter: Tensor, entries: Tensor, x: Tensor, own: Tensor) -> Tensor:
    """Return those entries that φ changes with, by halving."""
    if not len(entries):
        return entries
    with _moved(parameter, entries):
        if _same(_values(place, x).own, own):
            return entries[:0]
    if len(entries) == 1:
        return entries
    middle = len(entries) // 2
    parts = (entries[:middle], entries[middle:])
    return torch.cat([_depended(place, parameter, part, x, own) for part in parts])


def _same(one: Tensor, other: Tensor) -> bool:
    return torch.equal(one.nan_to_num(nan=1e30), other.nan_to_num(nan=1e30))


@contextmanager
def _moved(parameter: Tensor, entries: Tensor) -> Iterator[None]:
    """Let some entries of a parameter be others for the time of a ``with`` block."""
    kept = parameter.detach().clone()
    flat = parameter.detach().clone().reshape(-1)
    flat[entries] = flat[entries] * _FACTOR + _ADDED
    try:
        parameter.copy_(flat.reshape(parameter.shape))
        yield
    finally:
        parameter.copy_(kept)


@contextmanager
def _unchanged(module: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Put all parameters and buffers back afterwards; yields what they were."""
    tensors = dict([*module.named_parameters(), *module.named_buffers()])
    kept = {name: tensor.detach().clone() for name, tensor in tensors.items()}
    try:
        yield kept
    finally:
        for name, tensor in tensors.items():
            if not _same(tensor, kept[name]):
                tensor.detach().copy_(kept[name])


def _at(functions: LayerFunctions, index: Index) -> tuple[int, ...]:
    return index if functions.kind == "conv" else index[:2]
