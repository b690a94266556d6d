"""Read ``KAN_Convolutional_Layer`` of AntonioTepsich/Convolutional-KANs, in both its forms.

In that of 2024 (Bodner et al.), ``n_convs`` kernels are each applied to every input channel; in the
one of 2025 there is a kernel for every pair of channels, ``convs[o·in_channels + i]``.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.functions.activation import named_activation
from kan_widgets.functions.adapters.efficient_kan import problem_of_linear, set_function, terms
from kan_widgets.functions.gradients import term_gradients
from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.plain import ConvSettings
from kan_widgets.functions.registry import register_adapter
from kan_widgets.functions.remembered import grid_bases
from kan_widgets.functions.terms import join_terms
from kan_widgets.nn.ungraded import ungraded


def problem_of_layer(module: Any) -> str:
    """Say what the module lacks to be one of the two layers."""
    convs: Any = getattr(module, "convs", None)
    if not (isinstance(convs, nn.ModuleList) and len(convs) > 0):
        return "convs is no list of kernels"
    kernels: list[Any] = [getattr(conv, "conv", None) for conv in convs]
    kernel_size = getattr(module, "kernel_size", None)
    if not isinstance(kernel_size, (tuple, list)) or len(kernel_size) != 2:
        return "kernel_size is no pair of numbers"
    for number, kernel in enumerate(kernels):
        if not isinstance(kernel, nn.Module):
            return f"convs[{number}].conv is missing"
        if problem := problem_of_linear(kernel):
            return f"in convs[{number}].conv {problem}"
    shapes = {
        tuple(None if term is None else term.shape for term in terms(kernel)) for kernel in kernels
    }
    if len(shapes) > 1:
        return "its kernels do not have the same shape"
    kh, kw = kernel_size
    shape = tuple(kernels[0].base_weight.shape)
    if kh != kw or shape != (1, kh * kw):
        return f"base_weight has shape {shape}, but the kernels are {kh}×{kw}"
    expected = getattr(module, "n_convs", None)
    if expected is None:
        if not (hasattr(module, "in_channels") and hasattr(module, "out_channels")):
            return "neither n_convs nor in_channels and out_channels are there"
        expected = module.in_channels * module.out_channels
    if expected != len(convs):
        return f"convs has {len(convs)} kernels, not {expected}"
    return ""


@dataclass(frozen=True, eq=False)
class _Kernels:
    """The kernels of a layer, with the dictionaries that hold their tensors.

    Going through a thousand modules by their attributes takes longer than reading them. The
    dictionaries are a module's own: a tensor or kernel put in the place of another is seen.
    """

    convs: tuple[Any, ...]
    submodules: tuple[dict[str, Any], ...]
    kernels: list[Any]
    parameters: tuple[dict[str, Tensor], ...]
    buffers: tuple[dict[str, Tensor], ...]


_found: weakref.WeakKeyDictionary[nn.Module, _Kernels] = weakref.WeakKeyDictionary()
_kernel_of = itemgetter("conv")


def _kernels(module: Any) -> _Kernels:
    """Return the kernels, searched for again only if they were replaced."""
    convs = tuple(module.convs._modules.values())
    known = _found.get(module)
    if known is None or known.convs != convs:
        submodules = tuple(conv._modules for conv in convs)
    elif list(map(_kernel_of, known.submodules)) == known.kernels:
        return known
    else:
        submodules = known.submodules
    kernels = list(map(_kernel_of, submodules))
    _found[module] = known = _Kernels(
        convs,
        submodules,
        kernels,
        tuple(kernel._parameters for kernel in kernels),
        tuple(kernel._buffers for kernel in kernels),
    )
    return known


def _joined(name: str, owners: Sequence[dict[str, Tensor]]) -> Tensor:
    # cat, not stack: a thousand kernels are usual, and stack makes a view of each.
    return torch.cat(list(map(itemgetter(name), owners)))


@ungraded
def read_layer(module: Any) -> LayerFunctions:
    """Read the layer; ``n_convs`` tells which of the two it is."""
    found = _kernels(module)
    first = found.kernels[0]
    base, splines = (_joined(n, found.parameters) for n in ("base_weight", "spline_weight"))
    scaled = found.parameters[0].get("spline_scaler") is not None
    scaler = _joined("spline_scaler", found.parameters) if scaled else None
    shared = hasattr(module, "n_convs")
    kh, kw = module.kernel_size
    shape = (len(found.kernels), 1) if shared else (module.out_channels, module.in_channels)
    shape = (*shape, kh, kw)
    bases, index = grid_bases(
        module,
        list(map(itemgetter("grid"), found.buffers)),
        first.spline_order,
        named_activation(first.base_activation),
        shape,
        lambda rows: rows.reshape(shape),
    )
    top, left = module.padding
    return LayerFunctions(
        "conv",
        join_terms(base, splines, scaler).reshape(*shape, -1),
        bases,
        index,
        conv=ConvSettings(
            stride=tuple(module.stride),
            padding=(left, left, top, top),
            dilation=tuple(module.dilation),
            shared=shared,
        ),
        write=partial(_write, module),
        gradient=lambda: torch.cat(
            [term_gradients(*terms(kernel)) for kernel in _kernels(module).kernels]
        ).reshape(*shape, -1),
        note="Each kernel is used on every input channel." if shared else "",
    )


def _write(module: Any, index: tuple[int, ...], coefficients: Tensor) -> None:
    o, i, r, c = index
    channels = 1 if hasattr(module, "n_convs") else module.in_channels
    kernel = module.convs[o * channels + i].conv
    set_function(kernel, (0, r * module.kernel_size[1] + c), coefficients)


register_adapter(
    "KAN_Convolutional_Layer", read_layer, library="Convolutional-KANs", problem=problem_of_layer
)
