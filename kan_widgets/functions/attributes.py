"""Whether a module has the tensors and settings that a reader needs, of shapes that agree."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Dimension = int | str
Needed = tuple[Dimension, ...] | type | Callable[[Any], bool]


def attribute(module: Any, path: str) -> Any:
    """Return the attribute at a dotted path, ``"spline_conv.0.weight"``, or ``None``."""
    for part in path.split("."):
        module = _part(module, part)
    return module


def members(module: Any, path: str) -> list[Any]:
    """Return what stands at a path, of ``"convs.*.weight"`` in each module of the list.

    Nothing, if it is missing or ``None`` in one of them.
    """
    before, star, after = path.rstrip("?").partition(".*.")
    found = [attribute(module, before)]
    if star:
        found = list(getattr(found[0], "_modules", {}).values())
        for part in after.split("."):
            held = next((h for h in _HELD if found and part in getattr(found[0], h, ())), "")
            try:  # there may be a thousand
                found = [vars(owner)[held][part] for owner in found]
            except KeyError:
                found = [_part(owner, part) for owner in found]
    return [] if any(one is None for one in found) else found


_HELD = ("_parameters", "_buffers", "_modules")
_NO_SHAPE = "its parameters have no shape yet: run the model once"


def _part(owner: Any, name: str) -> Any:
    for held in _HELD if isinstance(owner, nn.Module) else ():
        if name in owner.__dict__[held]:
            return owner.__dict__[held][name]
    return getattr(owner, name, None)


def missing_tensors(
    module: nn.Module, needed: Mapping[str, Needed], sizes: dict[str, int] | None = None
) -> str:
    """Say which tensors or settings ``module`` lacks, or which do not fit; empty if none.

    Parameters
    ----------
    module
        The module.
    needed
        Dotted attribute path to shape. A dimension is a number, or a name that stands for the
        same size throughout, or a formula such as ``"in*nb"`` or ``"nb+spline_order+1"`` of which
        at most one name is new. The tensors of a list of modules, ``"convs.*.weight"``, are taken
        as one, below each other. One whose path ends in ``"?"`` may be missing. Of a setting
        its type, or ``callable``; a whole number gives the last
        part of its path a size.
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
    >>> missing_tensors(nn.Linear(3, 2), {"weight": ("out", "out+2"), "in_features": float})
    'in_features is no float but int'
    """
    sizes = {} if sizes is None else sizes
    for path, need in needed.items():
        if not isinstance(need, tuple):
            if not (owned := members(module, path)):
                return f"{path} is missing"
            for found in owned:
                if not (isinstance(found, need) if isinstance(need, type) else need(found)):
                    return f"{path} is no {need.__name__} but {type(found).__name__}"
            if type(owned[0]) is int:
                sizes[path.rpartition(".")[2]] = owned[0]
    for path, shape in needed.items():
        if not isinstance(shape, tuple):
            continue
        tensors = members(module, path)
        if not tensors and not path.endswith("?"):
            return f"{path} is missing"
        wrong = next((t for t in tensors if not isinstance(t, Tensor)), None)
        if wrong is not None:
            return f"{path} is no tensor but {type(wrong).__name__}"
        if any(nn.parameter.is_lazy(tensor) for tensor in tensors):
            return _NO_SHAPE
        if len({tensor.shape for tensor in tensors}) > 1:
            return f"the tensors {path} do not have the same shape"
        if tensors and not _fits(whole := stacked(tensors), shape, sizes):
            names = sorted({n for d in shape if isinstance(d, str) for n in re.split(r"[*+=]", d)})
            known = ", ".join(f"{name} = {sizes[name]}" for name in names if name in sizes)
            form = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
            return f"{path} has shape {whole}, not {form}" + (f" with {known}" if known else "")
    return ""


def stacked(tensors: Sequence[Tensor]) -> tuple[int, ...]:
    """Return the shape of tensors of one shape below each other."""
    shape = tuple(tensors[0].shape)
    return shape if len(tensors) == 1 else (len(tensors) * shape[0], *shape[1:])


def _fits(size: Sequence[int], shape: Sequence[Dimension], sizes: dict[str, int]) -> bool:
    return len(size) == len(shape) and all(
        _solved(str(dimension), length, sizes)
        for dimension, length in zip(shape, size, strict=True)
    )


def _solved(formula: str, size: int, sizes: dict[str, int]) -> bool:
    """Say whether a dimension has its size; a name that is new in it gets one."""
    total, new, factor = 0, "", 1
    for term in formula.split("+"):
        product, unknown = 1, ""
        for name in term.split("*"):
            name = name.split("=")[-1]
            if name.isdigit() or name in sizes:
                product *= sizes.get(name) or int(name)
            else:
                unknown = name
        if unknown:
            new, factor = unknown, product
        else:
            total += product
    if not new:
        return total == size
    sizes[new], rest = divmod(size - total, factor)
    return rest == 0 and sizes[new] > 0


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
        return _NO_SHAPE
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
