"""A convolution that gives patches to a linear layer: the functions of that are kernels."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.registry import Adapter, find_adapter
from kan_widgets.functions.sampling.ways import convolution_in
from kan_widgets.functions.terms import Part, Terms


def kernel_adapter(module: nn.Module, inner: str) -> Adapter | None:
    """Return an adapter that reads the linear layer ``inner`` of a module as kernels.

    ``None`` if the module has no settings of a convolution. Whether it is one, a proof tells.
    """
    adapter = find_adapter(module.get_submodule(inner))[0]
    if adapter is None or convolution_in(module)[0] is None:
        return None
    read = partial(_read, inner)
    return Adapter(adapter.library, type(module), read, lambda module: "", lambda module: True)


def _read(inner: str, module: nn.Module) -> LayerFunctions:
    part = module.get_submodule(inner)
    adapter, why = find_adapter(part)
    if adapter is None:
        raise ValueError(why)
    flat = adapter.read(part)
    if not isinstance(flat, LayerFunctions) or flat.kind != "linear" or flat.x_at is not None:
        raise ValueError(f"{inner} is not one layer of functions of its input")
    kernel, conv, _ = convolution_in(module)
    assert kernel is not None
    kh, kw = kernel
    out, inputs, nb = flat.sizes
    channels, rest = divmod(inputs, kh * kw)
    if rest:
        raise ValueError(f"{inputs} inputs are no patches of {kh}×{kw}")

    def make(wanted: Part) -> Tensor:
        chosen = torch.arange(channels)[wanted[1]]
        low, high = int(chosen[0]), int(chosen[-1]) + 1
        found = flat.part(wanted[0], slice(low * kh * kw, high * kh * kw))
        kernels: Tensor = found.unflatten(1, (high - low, kh, kw))
        return kernels[:, chosen - low]

    def write(index: tuple[int, ...], coefficients: Tensor) -> None:
        o, i, row, column = index
        assert flat.write is not None
        flat.write((o, (i * kh + row) * kw + column), coefficients)

    def gradient() -> Tensor:
        assert flat.gradient is not None
        found: Tensor = flat.gradient().unflatten(1, (channels, kh, kw))
        return found

    index = flat.basis_index
    return LayerFunctions(
        "conv",
        Terms(torch.Size([out, channels, kh, kw, nb]), flat.like, make),
        flat.bases,
        None if index is None else index.unflatten(1, (channels, kh, kw)),
        conv=conv,
        write=None if flat.write is None else write,
        locked=flat.locked,
        variable=flat.variable,
        note=flat.note,
        gradient=None if flat.gradient is None else gradient,
    )
