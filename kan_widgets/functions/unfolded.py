"""A convolution that gives patches to a linear layer: the functions of that are kernels."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.registry import Adapter, find_adapter
from kan_widgets.functions.sampling.ways import convolution_in
from kan_widgets.functions.standing import read_by
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
    [flat] = read_by(part, adapter.read)
    kernel, conv, _ = convolution_in(module)
    if kernel is None or flat.kind != "linear" or flat.x_at is not None:
        raise ValueError(f"{inner} is not one layer of functions of patches")
    out, inputs, nb = flat.sizes
    sizes = (inputs // kernel[0] // kernel[1], *kernel)
    own_write, own_gradient, index = flat.write, flat.gradient, flat.basis_index

    def make(wanted: Part) -> Tensor:
        found: Tensor = flat.part(wanted[0]).unflatten(1, sizes)
        return found[:, wanted[1]]

    def write(at: tuple[int, ...], coefficients: Tensor) -> None:
        o, i, row, column = at
        assert own_write is not None
        own_write((o, (i * kernel[0] + row) * kernel[1] + column), coefficients)

    def gradient() -> Tensor:
        assert own_gradient is not None
        found: Tensor = own_gradient().unflatten(1, sizes)
        return found

    return replace(
        flat,
        kind="conv",
        coefficients=Terms(torch.Size([out, *sizes, nb]), flat.like, make),
        basis_index=None if index is None else index.unflatten(1, sizes),
        conv=conv,
        write=None if own_write is None else write,
        gradient=None if own_gradient is None else gradient,
        rewriter=None,
    )
