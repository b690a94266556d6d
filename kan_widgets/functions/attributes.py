"""Whether a module has the tensors that a reader needs, with consistent shapes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Dimension = int | str


def attribute(module: Any, path: str) -> Any:
    """Return the attribute at a dotted path, ``"spline_conv.0.weight"``, or ``None``."""
    for part in path.split("."):
        if isinstance(module, (nn.ModuleList, nn.Sequential)) and part.isdigit():
            module = module[int(part)] if int(part) < len(module) else None
        else:
            module = getattr(module, part, None)
    return module


def missing_tensors(
    module: nn.Module,
    shapes: Mapping[str, tuple[Dimension, ...]],
    sizes: dict[str, int] | None = None,
) -> str:
    """Say which tensors ``module`` lacks, or which do not fit; empty if none.

    Parameters
    ----------
    module
        The module.
    shapes
        Dotted attribute path to shape. A dimension is a number, or a name that stands for
        the same size throughout, or a product such as ``"in*nb"`` of names met before.
    sizes
        Filled with the sizes found, by name.

    Examples
    --------
    >>> missing_tensors(nn.Linear(3, 2), {"weight": ("out", "in"), "bias": ("out",)})
    ''
    >>> missing_tensors(nn.Linear(3, 2), {"weight": ("out", "in"), "grid": ("in", "knots")})
    'grid is missing'
    >>> missing_tensors(nn.Linear(3, 2), {"weight": ("out", "out")})
    'weight has shape (2, 3), not (out, out) with out = 2'
    """
    sizes = {} if sizes is None else sizes
    for path, shape in shapes.items():
        tensor = attribute(module, path)
        if tensor is None:
            return f"{path} is missing"
        if not isinstance(tensor, Tensor):
            return f"{path} is no tensor but {type(tensor).__name__}"
        fits = tensor.ndim == len(shape)
        for size, dimension in zip(tensor.shape, shape, strict=False):
            if isinstance(dimension, str) and "*" not in dimension:
                fits = fits and sizes.setdefault(dimension, size) == size
            elif isinstance(dimension, str):
                fits = fits and math.prod(sizes[part] for part in dimension.split("*")) == size
            else:
                fits = fits and dimension == size
        if not fits:
            names = sorted({part for d in shape if isinstance(d, str) for part in d.split("*")})
            known = ", ".join(f"{name} = {sizes[name]}" for name in names if name in sizes)
            form = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
            return f"{path} has shape {tuple(tensor.shape)}, not {form}" + (
                f" with {known}" if known else ""
            )
    return ""


def missing_knots(module: nn.Module, path: str, sizes: Mapping[str, int], order: int) -> str:
    """Say why a grid of ``knots`` knots does not make ``nb`` splines of this order."""
    needed = sizes["nb"] + order + 1
    if sizes["knots"] == needed:
        return ""
    return (
        f"{path} has {sizes['knots']} knots, but {sizes['nb']} splines of order {order} "
        f"need {needed}"
    )


# How people call the number of inputs of a layer.
INPUT_NAMES = (
    "in_features in_channels input_dim inputdim in_dim input_size in_size indim n_in d_in "
    "num_inputs input_features inputs in_planes in_chans dim"
).split()

# How people call layers of learned functions, and the tensors and settings of such layers.
_KAN_NAME = re.compile(r"KAN|Kan(?![a-z])|(^|_)kan(_|$)")
_KAN_PART = re.compile(
    r"grid|knot|cent(er|re)s?|coef|spline|poly|basis|wavelet|cheby|fourier|phase|degree|rbf"
)
_FEW = 4


def called_kan(module: nn.Module) -> bool:
    """Say whether a module has the name of a KAN."""
    return bool(_KAN_NAME.search(type(module).__name__))


def computes_more(
    module: nn.Module,
    name: str,
    plain: Sequence[nn.Module],
    activations: Sequence[nn.Module] = (),
) -> bool:
    """Say whether a module is a KAN layer of which ``plain`` are only a part.

    ``activations`` are learned activations in it, which are read by themselves.

    Nobody can tell from outside what a module computes. Taken for such a layer is one that has
    at most a few plain layers in it, and the name of a KAN or tensors and settings that are named
    after those of one; a whole model only by the latter, or if it has nothing in it.
    """
    if type(module).__module__.startswith("torch.nn."):
        return False
    parts = [
        child
        for key, child in module.named_children()
        if _KAN_PART.search(key.lower()) and child not in activations
    ]
    if len(plain) > _FEW:
        # A list that a forward pass goes through, such as ``poly_weights``: one for each layer.
        lists = [part for part in parts if isinstance(part, nn.ModuleList)]
        if any(inner in plain for part in lists for inner in part):
            return True
        weights = any(p.ndim > 1 for p in module.parameters(recurse=False))
        return weights and called_kan(module) and "Layer" in type(module).__name__
    own = [*module._parameters, *module._buffers]
    own += [key for key, value in vars(module).items() if type(value) is int]
    named = bool(parts) or any(_KAN_PART.search(key.lower()) for key in own)
    called = called_kan(module)
    if not plain:
        weights = any(
            p.requires_grad and not nn.parameter.is_lazy(p) and p.ndim > 1
            for p in module.parameters()
        )
        return (named or called) and weights
    return named or (called and bool(name))


def unreadable_kind(module: nn.Module) -> str:
    """Say why no module of this class can be read; empty if it can."""
    if isinstance(module, torch.jit.ScriptModule):
        return "it is compiled to TorchScript: read the Python module it was made from"
    if type(module).__module__.startswith(("torch.ao.nn.", "torch.nn.quantized", "torchao.")):
        return "its weights are quantised: read the model before it is quantised"
    return ""


def unreadable_state(module: nn.Module) -> str:
    """Say why the parameters of ``module`` cannot be read as they are; empty if they can."""
    if kind := unreadable_kind(module):
        return kind
    tensors = [*module.parameters(), *module.buffers()]
    if any(nn.parameter.is_lazy(tensor) for tensor in tensors):
        return "its parameters have no shape yet: run the model once"
    if any(tensor.is_meta for tensor in tensors):
        return (
            "its parameters are meta tensors without values: load the weights first, or bring "
            "those back that are offloaded"
        )
    numbers = [parameter for parameter in tensors if isinstance(parameter, nn.Parameter)]
    whole = any(not (one.is_floating_point() or one.is_complex()) for one in numbers)
    if whole or any(tensor.is_quantized for tensor in tensors):
        return "its weights are quantised: read the model before it is quantised"
    return ""
