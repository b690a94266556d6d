"""Read pykan's ``MultKAN`` (also called ``KAN``) and its ``KANLayer`` (PyPI).

φ = mask·(scale_base·base + scale_sp·Σ coef_b·B_b), stored as (in, out), with a row of knots
per input; where an edge is symbolic, plus or instead c·f(a·x + b) + d.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.functions.activation import named_activation
from kan_widgets.functions.attributes import missing_knots, missing_tensors
from kan_widgets.functions.basis import Alike, ReadBasis
from kan_widgets.functions.gradients import gradient_of
from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.registry import Sum, register_adapter
from kan_widgets.functions.remembered import grid_bases, remembered
from kan_widgets.functions.terms import Part, Terms, set_term
from kan_widgets.nn.bases.basis import Interval
from kan_widgets.nn.ungraded import ungraded


@dataclass(frozen=True)
class SymbolicEdge:
    """The splines of a layer, and after them f(a·x + b) and the constant 1 for one edge.

    With ``function`` ``None`` those two are 0: an edge that has only splines.
    """

    splines: ReadBasis
    function: Callable[[Tensor], Tensor] | None = None
    a: float = 1.0
    b: float = 0.0
    name: str = field(default="", compare=False)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The splines' labels, then "f(a·x + b)" and "1"."""
        return (*self.splines.labels, "f(a·x + b)", "1")

    @cached_property
    def is_base(self) -> tuple[bool, ...]:
        """As for the splines; False for the symbolic function and its constant."""
        return (*self.splines.is_base, False, False)

    @property
    def domain(self) -> Interval:
        """The splines' domain."""
        return self.splines.domain

    @property
    def extent(self) -> Interval:
        """The splines' extent."""
        return self.splines.extent

    @property
    def knots(self) -> tuple[float, ...]:
        """The splines' knots."""
        return self.splines.knots

    @property
    def continuous(self) -> bool:
        """Whether the splines are continuous."""
        return self.splines.continuous

    @property
    def fixed(self) -> bool:
        """Whether the splines and their base are fixed."""
        return getattr(self.splines, "fixed", True)

    def __call__(self, x: Tensor) -> Tensor:
        """β at ``x``: ``(...)`` to ``(..., nb)``."""
        ones = torch.ones_like(x)
        if self.function is None:
            more = [0 * ones, 0 * ones]
        else:
            more = [self.function(self.a * x + self.b).to(x), ones]
        return torch.cat([self.splines(x), torch.stack(more, dim=-1)], dim=-1)


def problem_of_layer(module: nn.Module) -> str:
    """Say what the module lacks to be pykan's layer."""
    sizes: dict[str, int] = {}
    missing = missing_tensors(
        module,
        {
            "coef": ("in", "out", "nb"),
            "scale_base": ("in", "out"),
            "scale_sp": ("in", "out"),
            "mask": ("in", "out"),
            "grid": ("in", "knots"),
        },
        sizes,
    )
    if missing:
        return missing
    order = getattr(module, "k", None)
    if not isinstance(order, int):
        return "k is missing"
    if not callable(getattr(module, "base_fun", None)):
        return "base_fun is missing"
    return missing_knots(module, "grid", sizes, order)


def problem_of_model(module: Any) -> str:
    """Say what the module lacks to be pykan's model."""
    layers: Any = getattr(module, "act_fun", None)
    symbolic: Any = getattr(module, "symbolic_fun", None)
    if not all(isinstance(found, nn.ModuleList) for found in (layers, symbolic)):
        return "act_fun or symbolic_fun is missing"
    if len(layers) != len(symbolic) or len(layers) == 0:
        return f"there are {len(layers)} layers in act_fun and {len(symbolic)} in symbolic_fun"
    for number, (layer, edges) in enumerate(zip(layers, symbolic, strict=True)):
        if problem := problem_of_layer(layer):
            return f"in act_fun[{number}] {problem}"
        inputs, outputs = layer.mask.shape
        shapes = {"mask": (outputs, inputs), "affine": (outputs, inputs, 4)}
        if problem := missing_tensors(edges, shapes):
            return f"in symbolic_fun[{number}] {problem}"
        if not hasattr(edges, "funs"):
            return f"in symbolic_fun[{number}] funs is missing"
    if not hasattr(module, "width") or not hasattr(module, "symbolic_enabled"):
        return "width or symbolic_enabled is missing"
    return ""


def read_layer(module: Any) -> LayerFunctions:
    """Read a ``KANLayer`` by itself."""
    return _read(module, None)


def read_model(module: Any) -> list[LayerFunctions]:
    """Read every layer of a ``MultKAN``."""
    return [
        _read(
            layer,
            symbolic if module.symbolic_enabled else None,
            name=f"act_fun.{number}",
            type="KANLayer",
            note=_multiplied(module, number),
            x_at=Tap((layer,)),
        )
        for number, (layer, symbolic) in enumerate(
            zip(module.act_fun, module.symbolic_fun, strict=True)
        )
    ]


@ungraded
def _read(module: Any, symbolic: Any, note: str = "", **more: Any) -> LayerFunctions:
    tensors = (module.mask, module.scale_base, module.scale_sp, module.coef)
    mask, base, scale, splines = (tensor.detach().transpose(0, 1) for tensor in tensors)
    outputs, inputs, nb = splines.shape

    def make(part: Part) -> Tensor:
        held: Tensor = mask[part]
        found: Tensor = splines.new_empty(*held.shape, 1 + nb)
        torch.mul(held, base[part], out=found[..., 0])
        torch.mul((held * scale[part]).unsqueeze(-1), splines[part], out=found[..., 1:])
        return found

    bases, index = grid_bases(
        module,
        [module.grid],
        module.k,
        named_activation(module.base_fun),
        (outputs, inputs),
        lambda rows: rows,
    )
    edges = _symbolic_edges(symbolic) if symbolic is not None else None
    found = LayerFunctions(
        "linear",
        Terms(torch.Size([outputs, inputs, 1 + nb]), splines, make),
        bases,
        index,
        write=partial(_write, module, symbolic),
        gradient=partial(_gradient, module, None if edges is None else symbolic),
        note=note,
        **more,
    )
    return found if edges is None else with_symbolic_edges(module, symbolic, found)


def with_symbolic_edges(
    module: nn.Module, symbolic: Any, numeric: LayerFunctions
) -> LayerFunctions:
    """Add to the functions of a layer c·f(a·x + b) + d of those edges that have one."""
    edges = _symbolic_edges(symbolic) or []

    def make(part: Part) -> Tensor:
        affine = symbolic.affine.detach()[part][..., 2:]
        own = symbolic.mask.detach()[part].unsqueeze(-1) * affine
        return torch.cat([numeric.part(*part), own.to(numeric.like)], dim=-1)

    bases, index = _with_edges(module, symbolic, edges, numeric.bases, numeric.basis_index)
    formulas = ", ".join(f"{i}→{o} {_formula(symbolic, o, i)}" for o, i in edges[:8])
    note = " ".join(filter(None, [f"Symbolic: {formulas}.", numeric.note]))
    size = torch.Size([*numeric.sizes[:-1], numeric.nb + 2])
    return replace(
        numeric,
        coefficients=Terms(size, numeric.like, make),
        bases=bases,
        basis_index=index,
        note=note,
    )


@ungraded
def _gradient(module: Any, symbolic: Any) -> Tensor:
    """Divide by the masks and scales that the parameters are multiplied with."""
    mask, scale = (t.detach().transpose(0, 1) for t in (module.mask, module.scale_sp))
    base, splines = (gradient_of(t).transpose(0, 1) for t in (module.scale_base, module.coef))
    parts = [(base / mask).unsqueeze(-1), splines / (mask * scale).unsqueeze(-1)]
    if symbolic is not None:
        affine = gradient_of(symbolic.affine)[..., 2:]
        parts.append(affine / symbolic.mask.detach().unsqueeze(-1))
    return torch.cat(parts, dim=-1)


def _symbolic_edges(symbolic: Any) -> list[tuple[int, int]] | None:
    """Return (out, in) of each edge with a symbolic function, or ``None`` without any."""
    mask = symbolic.mask
    found: list[tuple[int, int]] | None = remembered(
        symbolic,
        "edges",
        [mask],
        None,
        lambda: [(o, i) for o, i in mask.nonzero().tolist()] or None,
    )
    return found


def _with_edges(
    module: nn.Module,
    symbolic: Any,
    edges: list[tuple[int, int]],
    bases: tuple[ReadBasis, ...],
    index: Tensor | None,
) -> tuple[tuple[ReadBasis, ...], Tensor]:
    """Give each symbolic edge a basis of its own."""
    functions = tuple(symbolic.funs[o][i] for o, i in edges)

    def make() -> tuple[tuple[ReadBasis, ...], Tensor]:
        rows = torch.zeros(symbolic.mask.shape, dtype=torch.long)
        if index is not None:
            rows = index.clone()
        own: list[ReadBasis] = [SymbolicEdge(basis) for basis in bases]
        affine = symbolic.affine.detach().to("cpu", torch.float64).tolist()
        for (o, i), function in zip(edges, functions, strict=True):
            a, b = affine[o][i][:2]
            basis = bases[int(rows[o, i])]
            rows[o, i] = len(own)
            own.append(SymbolicEdge(basis, function, a, b, symbolic.funs_name[o][i]))
        return Alike(own), rows

    key = (tuple(edges), functions, bases, id(index))
    return remembered(module, "symbolic", [symbolic.affine], key, make)


def _formula(symbolic: Any, o: int, i: int) -> str:
    return str(symbolic.funs_name[o][i])


def _multiplied(module: Any, number: int) -> str:
    """Say which outputs of a layer are multiplied with each other into a node."""
    width = module.width[number + 1]
    if isinstance(width, int) or width[1] == 0:
        return ""
    first, nodes = width
    arity = module.mult_arity
    arities = [arity] * nodes if isinstance(arity, int) else list(arity[number + 1])
    words = []
    for node, factors in enumerate(arities):
        outputs = "·".join(str(first + f) for f in range(factors))
        words.append(f"{outputs} into node {width[0] + node}")
        first += factors
    return f"Multiplication nodes: outputs {', '.join(words)}."


def _write(module: Any, symbolic: Any, index: tuple[int, ...], coefficients: Tensor) -> None:
    o, i = index
    mask, base, scale, splines = (
        tensor.detach()[i, o]
        for tensor in (module.mask, module.scale_base, module.scale_sp, module.coef)
    )
    nb = len(splines)
    what = f"the mask or scale_sp of edge {i}→{o}"
    if symbolic is not None and len(coefficients) == nb + 3:
        strength, affine = symbolic.mask.detach()[o, i], symbolic.affine.detach()[o, i]
        set_term(affine[2:], coefficients[-2:], strength, f"the symbolic mask of edge {i}→{o}")
    set_term(splines, coefficients[1 : 1 + nb], mask * scale, what)
    set_term(base, coefficients[0], mask, f"the mask of edge {i}→{o}")


def sums_of_model(module: Any) -> list[Sum]:
    """Say that the numeric and the symbolic half of each layer add up to Σφ."""
    found = []
    for number, (layer, symbolic) in enumerate(
        zip(module.act_fun, module.symbolic_fun, strict=True)
    ):
        halves = (layer, symbolic) if module.symbolic_enabled else (layer,)
        found.append(Sum((f"act_fun.{number}",), Tap(halves, "output", "add")))
    return found


def _input_shape(module: Any) -> tuple[int, ...]:
    return (int(module.input_id.max()) + 1,)


register_adapter("KANLayer", read_layer, library="pykan", problem=problem_of_layer)
register_adapter(
    "MultKAN",
    read_model,
    library="pykan",
    problem=problem_of_model,
    sums=sums_of_model,
    input_shape=_input_shape,
)
