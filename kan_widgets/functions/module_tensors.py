"""Tensors and settings of a module by path and shape, and the recipe that says how they lie."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.nn.activation import BaseActivation

Dimension = int | str
Needed = tuple[Dimension, ...] | type | Callable[[Any], bool]
Get = Callable[[str], Tensor]
Order = str | Callable[[Get], Tensor]

_AXES = ("groups", "out", "in", "kd", "kh", "kw")
_REGISTRIES = ("_parameters", "_buffers", "_modules")
_NO_SHAPE = "its parameters have no shape yet: run the model once"


def attribute(module: Any, path: str) -> Any:
    """Return the attribute at a dotted path, ``"spline_conv.0.weight"``, or ``None``."""
    for part in path.split("."):
        module = _member(module, part)
    return module


def members(module: Any, path: str) -> list[Any]:
    """Return the values at a path: of ``"convs.*.weight"`` one for each module of the list.

    None at all if one is missing or ``None``.
    """
    before, star, after = path.rstrip("?").partition(".*.")
    items = [attribute(module, before)]
    if star:
        items = list(getattr(items[0], "_modules", {}).values())
        for part in after.split("."):
            held = next((h for h in _REGISTRIES if items and part in getattr(items[0], h, ())), "")
            try:  # the fast way, as there may be a thousand
                items = [vars(owner)[held][part] for owner in items]
            except KeyError:
                items = [_member(owner, part) for owner in items]
    return [] if any(item is None for item in items) else items


def _member(owner: Any, name: str) -> Any:
    for held in _REGISTRIES if isinstance(owner, nn.Module) else ():
        if name in owner.__dict__[held]:
            return owner.__dict__[held][name]
    return getattr(owner, name, None)


def missing_tensors(
    module: nn.Module, needed: Mapping[str, Needed], sizes: dict[str, int] | None = None
) -> str:
    """Say which tensors or settings ``module`` lacks, or which do not fit; empty if none.

    ``needed`` is shapes by dotted path. A dimension is a number, or a name that stands for the same
    size throughout, or a formula such as ``"in*nb"`` or ``"nb+spline_order+1"`` of which at most
    one name is new. The tensors of a list of modules, ``"convs.*.weight"``, are taken as one, below
    each other. One whose path ends in ``"?"`` may be missing. A setting has its type, or
    ``callable``; a whole number gives the last part of its path a size. ``sizes`` is filled with
    those found, by name.

    Examples
    --------
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
            for setting in owned:
                if not (isinstance(setting, need) if isinstance(need, type) else need(setting)):
                    return f"{path} is no {need.__name__} but {type(setting).__name__}"
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
        whole = stacked(tensors) if tensors else ()
        pairs = [(str(dimension), size) for dimension, size in zip(shape, whole, strict=False)]
        fits = len(shape) == len(whole) and all(_solved(*pair, sizes) for pair in pairs)
        if tensors and not fits:
            names = sorted({n for d in shape if isinstance(d, str) for n in re.split(r"[*+=]", d)})
            held = ", ".join(f"{name} = {sizes[name]}" for name in names if name in sizes)
            form = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
            return f"{path} has shape {whole}, not {form}" + (f" with {held}" if held else "")
    return ""


def stacked(tensors: Sequence[Tensor]) -> tuple[int, ...]:
    """Return the shape of tensors of one shape, joined along the first axis."""
    shape = tuple(tensors[0].shape)
    return shape if len(tensors) == 1 else (len(tensors) * shape[0], *shape[1:])


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


class Axes:
    """What the axes of tensors of certain shapes count, and where they go."""

    def __init__(self, tensors: Mapping[str, Any], sizes: dict[str, int]) -> None:
        self.sizes = sizes
        self.cached: dict[Any, Any] = {}
        self.shapes = {path: need for path, need in tensors.items() if isinstance(need, tuple)}
        self.rows: dict[str, int] = {}
        """The axis that counts outputs and nothing else, of tensors that have one."""
        for path, shape in self.shapes.items() if sizes.get("groups", 1) == 1 else ():
            for axis, name in enumerate(shape):
                if str(name).split("=")[0].removeprefix("groups*") == "out":
                    self.rows[path] = axis

    def axes(self, path: str, shape: Sequence[int]) -> list[tuple[str, int]]:
        """Return what each axis of a tensor counts, and its length; products are split."""
        pairs: list[tuple[str, int]] = []
        for dimension, size in zip(self.shapes[path], shape, strict=True):
            parts = [part.split("=") for part in str(dimension).split("*")]
            sizes = {part[0]: self.sizes.get(part[-1], 1) for part in parts}
            if len(parts) == 1 or "+" in str(dimension):
                sizes = {parts[0][0]: size}
            elif "out" in sizes:  # there may be only some
                sizes["out"] = sizes["out"] * size // prod(sizes.values())
            pairs += sizes.items()
        return pairs

    def placed(self, path: str, tensor: Tensor) -> tuple[Tensor, tuple[int, ...]]:
        """Return a view of a tensor with sorted axes, and the sizes of `_AXES`, 1 without."""
        layout = self.cached.get((path, tensor.shape))
        if layout is None:
            axes = self.axes(path, tensor.shape)
            names, lengths = [name for name, _ in axes], dict(axes)
            order = [names.index(name) for name in _AXES if name in lengths]
            order += [axis for axis, name in enumerate(names) if name not in _AXES]
            lead = tuple(lengths.get(name, 1) for name in _AXES)
            layout = tuple(length for _, length in axes), order, lead
            self.cached[path, tensor.shape] = layout
        split, order, lead = layout
        if split != tensor.shape:
            tensor = tensor.reshape(split)
        return tensor.permute(order), lead


@dataclass(frozen=True, eq=False)
class Recipe:
    """How the functions of a layer lie in its tensors.

    Parameters
    ----------
    tensors
        Which tensors and settings a module has, by dotted path: shapes of numbers and names, which
        stand for the same size in all of them; see `missing_tensors`. The names
        ``groups``, ``out``, ``in``, ``kd``, ``kh`` and ``kw`` say what an axis counts, also as
        ``"in=inner"`` where its size has another name; all other axes count basis functions.
    coefficients
        Path of the tensor that holds them. Or ``coefficients(get)`` puts one or several tensors,
        ``get("path")``, into the order ``(out, in[, kh, kw], nb)``: it may only move numbers, as
        ``permute``, ``flatten`` and ``cat`` do. Empty where there is only a base.
    basis
        Takes the module, returns its `kan_widgets.nn.Basis`, with ``nb`` functions; or a
        `ReadBasis`, base included. With ``grid`` it takes the numbers of each of these too.
    base
        As ``coefficients``, the weights ``(out, in[, kh, kw])`` of a base term, if there is one.
    activation
        Takes the module, returns the activation of the base term.
    scale, base_scale
        Paths of what multiplies coefficients and base; they are not set by an edit.
    grid
        Paths of the tensors that the basis is made from, a row of numbers for each function or
        one for all.
    sizes
        Takes the module, returns sizes that its tensors do not tell, by name.
    conv
        Takes the module, returns what has the settings of a torch convolution, for one.
    shared
        Takes the module, returns whether each kernel is used on every input channel.
    pads_basis
        As in `ConvSettings`.
    elementwise
        Whether it is a learned activation, with a function for each ``in``.
    bias
        Path of what the layer adds to the sum, ``(out,)`` or ``(1, out)``; where it is ``None`` or
        missing, nothing is.
    name
        Name of the layer inside its module.
    x_from
        Path of what returns x, where that is not the module's own input.
    norm
        Path of what the input passes first, if it is not ``None``.
    apart
        Names of coefficients and base as layers of their own, where only the former take in what
        has passed ``norm``.
    after
        Path of what the sum passes first, a norm or an activation.
    base_at
        Path of what returns the sum of the base alone, where it is apart and not mixed with them.
    note
        Takes the module, returns what is to be said of the layer.
    needs
        Takes the module, returns what else is missing.
    locked
        Takes the module, returns why it cannot be edited, if so.
    steady
        Names of attributes of the module. While they are the same objects, all but the numbers in
        ``base``, ``coefficients`` and ``scale`` is as it was, and these are written to frames
        without being read again.
    """

    tensors: Mapping[str, Needed]
    coefficients: Order
    basis: Callable[..., Any]
    base: Order = ""
    activation: Callable[[Any], BaseActivation] = lambda module: module.base_activation
    scale: tuple[str, ...] = ()
    base_scale: tuple[str, ...] = ()
    grid: tuple[str, ...] = ()
    sizes: Callable[[Any], dict[str, int]] = lambda module: {}
    conv: Callable[[Any], Any] | None = None
    shared: Callable[[Any], bool] = lambda module: False
    pads_basis: bool = False
    elementwise: bool = False
    bias: str = ""
    name: str = ""
    x_from: str = ""
    norm: str = ""
    apart: tuple[str, str] = ("", "")
    after: str = ""
    base_at: str = ""
    note: Callable[[Any], str] = lambda module: ""
    needs: Callable[[Any], str] = lambda module: ""
    locked: Callable[[Any], str] = lambda module: ""
    steady: tuple[str, ...] | None = None
    cached: dict[Any, Axes] = field(default_factory=dict, init=False, repr=False)


# -- what cannot be read ------------------------------------------------------------------


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
    whole = any(not (value.is_floating_point() or value.is_complex()) for value in numbers)
    if whole or any(tensor.is_quantized for tensor in tensors):
        return "its weights are quantised: read the model before it is quantised"
    return ""
