"""Read torch-conv-kan's convolutions over one and three dimensions as those over two.

Over one dimension kernels are 1×k. Over three, each slice of a kernel in depth is a layer: it takes
in the planes that lie as deep, and what the slices add up to is the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.functions.layer import LayerFunctions, Tap, as_rows
from kan_widgets.functions.registry import Sum

_CONVOLUTIONS = ("base_conv", "spline_conv", "poly_conv", "relukan_conv")
_AROUND = "Beyond the first and last plane its functions add nothing."


class Slice:
    """A module whose kernels are one slice, (out, columns, kh, kw), of those of ``whole``."""

    def __init__(self, whole: Any, depth: int) -> None:
        self.whole, self._depth = whole, depth

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.whole, name)
        if name == "poly_weights":
            return self._cut(value, value.ndim - 3)
        if name not in _CONVOLUTIONS:
            return value
        return (
            [self._part(c) for c in value]
            if isinstance(value, nn.ModuleList)
            else self._part(value)
        )

    def _part(self, conv: Any) -> SimpleNamespace:
        return SimpleNamespace(
            whole=conv,
            weight=self._cut(conv.weight, conv.weight.ndim - 2),
            stride=(1, *conv.stride)[-2:],
            padding=(0, *conv.padding)[-2:],
            dilation=(1, *conv.dilation)[-2:],
            padding_mode=conv.padding_mode,
            groups=conv.groups,
        )

    def _cut(self, weight: Tensor, dimensions: int) -> Tensor:
        return weight.unsqueeze(-2) if dimensions == 1 else weight.select(-3, self._depth)


def read_slices(reader: Callable[[Any], Any], module: Any) -> list[LayerFunctions]:
    """Read a module with the reader of its form over two dimensions."""
    conv = _first(module)
    dimensions, depth = conv.weight.ndim - 2, conv.weight.shape[2]
    slices = 1 if dimensions == 1 else depth
    layers = []
    for d in range(slices):
        found = reader(Slice(module, d))
        for layer in [found] if isinstance(found, LayerFunctions) else found:
            tap = layer.x_at or Tap((module,))
            view = as_rows if dimensions == 1 else partial(planes, conv, d)
            name = [layer.name, f"slice{d}" if slices > 1 else ""]
            note = [layer.note, _AROUND if any(conv.padding) and slices > 1 else ""]
            layers.append(
                layer.called(
                    name=".".join(filter(None, name)),
                    note=" ".join(filter(None, note)),
                    x_at=replace(tap, view=view),
                )
            )
    return layers


def sums_of_slices(
    reader: Callable[[Any], Any], sums: Callable[[Any], Sequence[Sum]], module: Any
) -> list[Sum]:
    """Say that the slices add up where the form over two dimensions has its sum."""
    names = [layer.name for layer in read_slices(reader, module)]
    rows = _first(module).weight.ndim == 3
    found = []
    for place in sums(Slice(module, 0)):
        own = (
            tuple(name for name in names if name.rpartition("slice")[0].rstrip(".") in place.layers)
            or place.layers
        )
        at = replace(
            place.at,
            modules=tuple(getattr(part, "whole", part) for part in place.at.modules),
            view=as_rows if rows else all_planes,
        )
        found.append(Sum(own, at, place.bias))
    return found


def _first(module: Any) -> Any:
    found = getattr(module, "base_conv", None)
    found = module.poly_conv if found is None else found
    return found[0] if isinstance(found, nn.ModuleList) else found


def all_planes(x: Tensor) -> Tensor:
    """Return each plane of ``(n, channels, depth, height, width)`` as a map of its own."""
    return x.transpose(1, 2).flatten(0, 1)


def planes(conv: Any, d: int, x: Tensor) -> Tensor:
    """Return the planes that slice ``d`` takes in, NaN where there is none."""
    pad, stride, dilation = conv.padding[0], conv.stride[0], conv.dilation[0]
    x = F.pad(x, (0, 0, 0, 0, pad, pad), value=float("nan"))
    count = (x.shape[2] - dilation * (conv.kernel_size[0] - 1) - 1) // stride + 1
    first = d * dilation
    return all_planes(x[:, :, first : first + (count - 1) * stride + 1 : stride])
