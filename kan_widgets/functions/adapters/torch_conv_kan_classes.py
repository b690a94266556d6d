"""Recognise the convolutions of IvanDrokin/torch-conv-kan that `torch_conv_kan` reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from torch import nn

from kan_widgets.functions.adapters import torch_conv_kan as read
from kan_widgets.functions.adapters.torch_conv_kan_slices import read_slices, sums_of_slices
from kan_widgets.functions.attributes import missing_knots, missing_tensors
from kan_widgets.functions.layer import Tap
from kan_widgets.functions.registry import Sum, refuse_module, register_adapter

LIBRARY = "torch-conv-kan"
Shapes = dict[str, tuple[int | str, ...]]

_KERNEL = ("kh", "kw")
_BASE: Shapes = {"base_conv.*.weight": ("out", "in", *_KERNEL)}
_PROJECTIONS: Shapes = {
    "inner_proj.*.weight": ("inner", "in", 1, 1),
    "out_proj.*.weight": ("out", "inner", 1, 1),
}


def _problem(
    needs: tuple[str, ...],
    shapes: Shapes,
    nb: Callable[[Any], int],
    more: Callable[[Any], str] | None,
    module: Any,
) -> str:
    """Say what is missing; a path with ``*`` holds for each group."""
    for name in ("groups", "inputdim", "kernel_size", "layer_norm", *needs):
        if getattr(module, name, None) is None:
            return f"{name} is missing"
    numbers = ("groups", "degree", "grid_size", "spline_order", "g", "k")
    for name in numbers:
        if name in ("groups", *needs) and not isinstance(getattr(module, name), int):
            return f"{name} is no whole number"
    groups = module.groups
    each: Shapes = {}
    for path, shape in shapes.items():
        if "*" not in path:
            each[path] = shape
            continue
        parts = getattr(module, path.split(".")[0], None)
        if not isinstance(parts, nn.ModuleList) or len(parts) != groups:
            return f"{path.split('.')[0]} is no list of {groups}, one for each group"
        each.update({path.replace("*", str(g)): shape for g in range(groups)})
    sizes = {"groups": groups, "nb": nb(module)}
    return missing_tensors(module, each, sizes) or (more(module) if more is not None else "")


def _before_norm(*names: str) -> Callable[[Any], Sequence[Sum]]:
    """Say that the sum is what reaches the norm."""

    def sums(module: Any) -> Sequence[Sum]:
        norm = module.layer_norm
        parts = tuple(norm) if isinstance(norm, nn.ModuleList) else (norm,)
        return [Sum(names, Tap(parts))]

    return sums


def _around_projection(name: str) -> Callable[[Any], Sequence[Sum]]:
    """Say that one sum reaches the outer projection, and the other leaves the base."""

    def sums(module: Any) -> Sequence[Sum]:
        return [
            Sum((name,), Tap(tuple(module.out_proj))),
            Sum(("base_conv",), Tap(tuple(module.base_conv), "output")),
        ]

    return sums


def _fast_sums(module: Any) -> Sequence[Sum]:
    names = tuple(layer.name for layer in read.read_fast(module))
    return [Sum(names, Tap((getattr(module, "whole", module),), "output"))]


def _input_shape(module: Any) -> tuple[int, ...]:
    found = module.poly_conv if getattr(module, "base_conv", None) is None else module.base_conv
    conv: Any = found[0] if isinstance(found, nn.ModuleList) else found
    each = zip(conv.kernel_size, conv.dilation, conv.stride, strict=True)
    return (module.inputdim, *((k - 1) * d + 1 + 2 * s for k, d, s in each))


def _register(
    name: str,
    reader: Callable[[Any], Any],
    needs: tuple[str, ...],
    shapes: Shapes,
    nb: Callable[[Any], int],
    more: Callable[[Any], str] | None = None,
    sums: Callable[[Any], Sequence[Sum]] | None = None,
) -> None:
    own_sums = sums or _before_norm("")
    for dimensions in (1, 2, 3):
        flat = dimensions == 2
        own = {path: _over(dimensions, shape) for path, shape in shapes.items()}
        register_adapter(
            name.replace("2D", f"{dimensions}D"),
            reader if flat else partial(read_slices, reader),
            library=LIBRARY,
            problem=partial(_problem, needs, own, nb, more),
            sums=own_sums if flat else partial(sums_of_slices, reader, own_sums),
            input_shape=_input_shape,
        )


def _over(dimensions: int, shape: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Return the shape that a tensor has over another number of dimensions."""
    if shape[-2:] == _KERNEL:
        return (*shape[:-2], *("kd", *_KERNEL)[-dimensions:])
    return (*shape[:-2], *(1,) * dimensions) if shape[-2:] == (1, 1) else shape


def _knots(module: Any) -> str:
    sizes = {"nb": module.grid_size + module.spline_order, "knots": len(module.grid)}
    return missing_knots(module, "grid", sizes, module.spline_order)


def _columns(module: Any) -> str:
    columns = module.poly_conv[0].weight.shape[1]
    if columns * module.groups == module.inputdim * (module.degree + 1):
        return ""
    return f"poly_conv has {columns} columns, not in·(degree + 1) in each group"


def _one_group(module: Any) -> str:
    if module.groups == 1:
        return ""
    return (
        f"with {module.groups} groups its polynomials are dealt out to the groups by degree, so "
        "that its outputs are no sums over the inputs of their own group"
    )


def _degrees(module: Any) -> int:
    return int(module.degree) + 1


_register(
    "KANConv2DLayer",
    read.read_spline,
    ("grid_size", "spline_order", "base_activation"),
    {**_BASE, "spline_conv.*.weight": ("out", "in*nb", *_KERNEL), "grid": ("knots",)},
    lambda module: int(module.grid_size + module.spline_order),
    _knots,
)
_register(
    "FastKANConv2DLayer",
    read.read_fast,
    ("rbf", "base_activation"),
    {**_BASE, "rbf.grid": ("nb",), "spline_conv.*.weight": ("out", "in*nb", *_KERNEL)},
    lambda module: len(getattr(module.rbf, "grid", ())),
    lambda module: "" if hasattr(module.rbf, "denominator") else "rbf.denominator is missing",
    _fast_sums,
)
_register(
    "KACNConv2DLayer",
    read.read_chebyshev,
    ("degree",),
    {"poly_conv.*.weight": ("out", "columns", *_KERNEL)},
    _degrees,
    _columns,
)
_POLYNOMIALS: Shapes = {"poly_weights": ("groups", "out", "in*nb", *_KERNEL)}
_register(
    "KAGNConv2DLayer",
    read.read_gram,
    ("degree", "base_activation"),
    {**_BASE, **_POLYNOMIALS, "beta_weights": ("nb",)},
    _degrees,
)
_register(
    "KAGNConv2DLayerV2",
    read.read_gram,
    ("degree", "base_activation"),
    {
        "base_conv.weight": ("out", "in", *_KERNEL),
        "beta_weights": ("nb",),
        "poly_conv.weight": ("out", "in*nb", *_KERNEL),
    },
    _degrees,
    _one_group,
)
_register(
    "KAJNConv2DLayer",
    read.read_jacobi,
    ("degree", "a", "b"),
    {**_BASE, **_POLYNOMIALS},
    _degrees,
)
_register(
    "ReLUKANConv2DLayer",
    read.read_relu,
    ("g", "k", "r", "base_activation"),
    {
        **_BASE,
        "phase_low": (1, "in", "nb", 1, 1),
        "phase_high": (1, "in", "nb", 1, 1),
        "relukan_conv.*.weight": ("out", "in*nb", *_KERNEL),
    },
    lambda module: int(module.g + module.k),
)
_register(
    "BottleNeckKAGNConv2DLayer",
    read.read_bottleneck_gram,
    ("degree", "base_activation"),
    {
        **_BASE,
        **_PROJECTIONS,
        "poly_weights": ("groups", "inner", "inner*nb", *_KERNEL),
        "beta_weights": ("nb",),
    },
    _degrees,
    sums=_around_projection("poly_weights"),
)
_register(
    "BottleNeckReLUKANConv2DLayer",
    read.read_bottleneck_relu,
    ("g", "k", "r", "base_activation"),
    {
        **_BASE,
        **_PROJECTIONS,
        "phase_low": (1, "inner", "nb", 1, 1),
        "phase_high": (1, "inner", "nb", 1, 1),
        "relukan_conv.*.weight": ("inner", "inner*nb", *_KERNEL),
    },
    lambda module: int(module.g + module.k),
    sums=_around_projection("relukan_conv"),
)


_RANGE = "it scales x by the smallest and largest value of each batch: no function of x alone"
_WAVELETS = "every function has a scale and a shift of its own, no basis that is shared"
_CONSTANT = "its Bernstein polynomials, as the library computes them, are 1 everywhere"
for _name, _reason in {
    "KALNConv2DLayer": _RANGE,
    "KABNConv2DLayer": _CONSTANT,
    "WavKANConv2DLayer": _WAVELETS,
    "KALNLayer": _RANGE,
    "BernsteinKANLayer": _CONSTANT,
    "WavKANLayer": _WAVELETS,
    "BottleNeckGRAMLayer": "no adapter reads its projections",
    "KAGNExpert": "no adapter reads the experts of a mixture",
}.items():
    for _dimensions in (1, 2, 3):
        refuse_module(_name.replace("2D", f"{_dimensions}D"), _reason, library=LIBRARY)
