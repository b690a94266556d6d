"""Networks of pykan: symbolic edges beside the splines, and what is made of a layer's sums."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.functions.basis import Alike, LayerBasis
from kan_widgets.functions.coefficients import Slices, Terms, gradient_of, remembered
from kan_widgets.functions.layer import LayerFunctions, Tap
from kan_widgets.functions.module_tensors import Recipe, missing_tensors
from kan_widgets.functions.recipes import lacking, layers_of
from kan_widgets.functions.registry import Sum, register_adapter
from kan_widgets.nn.torch_modes import ungraded


@dataclass(frozen=True)
class _SymbolicEdge(LayerBasis):
    """The splines of a layer, and after them f(a·x + b) and the constant 1 for one edge.

    With ``function`` ``None`` those two are 0: an edge that has only splines.
    """

    function: Callable[[Tensor], Tensor] | None = None
    a: float = 1.0
    b: float = 0.0
    name: str = field(default="", compare=False)

    @property
    def labels(self) -> tuple[str, ...]:
        return (*super().labels, "f(a·x + b)", "1")

    @property
    def is_base(self) -> tuple[bool, ...]:
        return (*super().is_base, False, False)

    def __call__(self, x: Tensor) -> Tensor:
        more = torch.zeros(*x.shape, 2).to(x)
        if self.function is not None:
            more[..., 0], more[..., 1] = self.function(self.a * x + self.b).to(x), 1
        return torch.cat([super().__call__(x), more], dim=-1)


def _with_symbolic_edges(symbolic: Any, numeric: LayerFunctions) -> LayerFunctions:
    """Add c·f(a·x + b) + d to the functions of those edges that have a formula."""
    mask = symbolic.mask
    edges = remembered(symbolic, "edges", [mask], None, lambda: mask.nonzero().tolist())
    if not edges:
        return numeric
    functions = tuple(symbolic.funs[o][i] for o, i in edges)

    def make() -> tuple[Alike, Tensor]:
        index = torch.zeros(mask.shape, dtype=torch.long)
        if numeric.basis_index is not None:
            index = numeric.basis_index.clone()
        plain: Any = [(basis.basis, basis.base_activation) for basis in numeric.bases]  # type: ignore[attr-defined]
        own = [_SymbolicEdge(*basis) for basis in plain]
        affine = symbolic.affine.detach().to("cpu", torch.float64).tolist()
        for (o, i), function in zip(edges, functions, strict=True):
            splines, base = plain[int(index[o, i])]
            a, b = affine[o][i][:2]
            index[o, i] = len(own)
            own.append(_SymbolicEdge(splines, base, function, a, b, symbolic.funs_name[o][i]))
        return Alike(own), index

    key = (tuple(map(tuple, edges)), functions, numeric.bases, id(numeric.basis_index))
    bases, index = remembered(symbolic, "symbolic", [symbolic.affine], key, make)

    def part(chosen: Slices) -> Tensor:
        own = mask.detach()[chosen].unsqueeze(-1) * symbolic.affine.detach()[chosen][..., 2:]
        return torch.cat([numeric.part(*chosen), own.to(numeric.like)], dim=-1)

    def write(place: tuple[int, ...], coefficients: Tensor) -> None:
        strength, wanted = mask.detach()[place], coefficients[-2:]
        if strength == 0 and bool(wanted.any()):
            raise ValueError(f"the symbolic mask of function {place} is 0, which holds this at 0")
        assert numeric.write is not None
        numeric.write(place, coefficients[:-2])
        if strength != 0:
            symbolic.affine.detach()[place][2:] = wanted / strength

    @ungraded
    def gradient() -> Tensor:
        assert numeric.gradient is not None
        affine = gradient_of(symbolic.affine)[..., 2:]
        return torch.cat([numeric.gradient(), affine / mask.detach().unsqueeze(-1)], dim=-1)

    named = ", ".join(f"{i}→{o} {symbolic.funs_name[o][i]}" for o, i in edges[:8])
    return replace(
        numeric,
        coefficients=Terms(torch.Size([*numeric.sizes[:-1], numeric.nb + 2]), numeric.like, part),
        bases=bases,
        basis_index=index,
        note=" ".join(filter(None, [f"Symbolic: {named}.", numeric.note])),
        write=write,
        gradient=gradient,
    )


@dataclass(frozen=True)
class _Nodes:
    """From a layer's sums to its nodes: scaled and shifted, multiplied, scaled and shifted."""

    before: tuple[tuple[float, float], ...]
    """Scale and bias of each sum."""
    products: tuple[tuple[int, ...], ...]
    """For each node, which sums are multiplied into it; a single one where it only adds."""
    after: tuple[tuple[float, float], ...]
    """Scale and bias of each node."""


def nodes_of(model: Any, number: int) -> _Nodes:
    """Return what happens to the sums of a layer of a ``MultKAN``.

    Versions before 0.2.6 have neither scales nor multiplication, but a bias for each node.
    """
    products = _products(model, number)
    before = _pairs(model, "subnode", number, sum(map(len, products)))
    after = _pairs(model, "node", number, len(products))
    if not hasattr(model, "node_bias") and hasattr(model, "biases"):
        bias = model.biases[number].weight.detach().double().flatten().tolist()
        after = tuple((1.0, b) for b in bias)
    return _Nodes(before, products, after)


def _products(model: Any, number: int) -> tuple[tuple[int, ...], ...]:
    """Return the sums that are multiplied into each node."""
    width = model.width[number + 1]
    adding, multiplying = (width, 0) if isinstance(width, int) else width
    arity = model.mult_arity if multiplying else 0
    arities = [arity] * multiplying if isinstance(arity, int) else list(arity[number + 1])
    products: list[tuple[int, ...]] = [(k,) for k in range(adding)]
    first = adding
    for factors in arities:
        products.append(tuple(range(first, first + factors)))
        first += factors
    return tuple(products)


def _pairs(model: Any, of: str, number: int, count: int) -> tuple[tuple[float, float], ...]:
    if not hasattr(model, f"{of}_scale"):
        return ((1.0, 0.0),) * count
    scale, bias = (getattr(model, f"{of}_{what}")[number] for what in ("scale", "bias"))
    return tuple(
        zip(scale.detach().double().tolist(), bias.detach().double().tolist(), strict=True)
    )


def problem_of_network(layer: Recipe, module: Any) -> str:
    """Say what a module lacks to be a network of such layers; empty if nothing."""
    lists: list[Any] = [getattr(module, name, None) for name in ("act_fun", "symbolic_fun")]
    if not all(isinstance(parts, nn.ModuleList) for parts in lists):
        return "act_fun or symbolic_fun is missing"
    if len(lists[0]) != len(lists[1]) or len(lists[0]) == 0:
        return f"there are {len(lists[0])} layers in act_fun and {len(lists[1])} in symbolic_fun"
    edges: dict[str, Any] = {"funs": list, "mask": ("out", "in"), "affine": ("out", "in", 4)}
    for number, (numeric, symbolic) in enumerate(zip(*lists, strict=True)):
        if problem := lacking(layer, numeric):
            return f"in act_fun[{number}] {problem}"
        if problem := missing_tensors(symbolic, edges):
            return f"in symbolic_fun[{number}] {problem}"
    if not hasattr(module, "width") or not hasattr(module, "symbolic_enabled"):
        return "width or symbolic_enabled is missing"
    return ""


def _read_network(layer: Recipe, module: Any) -> list[LayerFunctions]:
    """Read every layer, with its symbolic edges."""
    layers = []
    for number, numeric in enumerate(module.act_fun):
        [own] = layers_of(layer, numeric)
        words = [
            f"{'·'.join(map(str, factors))} into node {node}"
            for node, factors in enumerate(_products(module, number))
            if len(factors) > 1
        ]
        note = f"Multiplication nodes: outputs {', '.join(words)}." if words else ""
        at = Tap((numeric,))
        own = own.called(name=f"act_fun.{number}", type="KANLayer", note=note, x_at=at)
        if module.symbolic_enabled:
            own = _with_symbolic_edges(module.symbolic_fun[number], own)
        layers.append(own)
    return layers


def _sums_of_network(module: Any) -> list[Sum]:
    """Say that the numeric and the symbolic half of each layer add up to Σφ."""
    halves = [module.act_fun, *([module.symbolic_fun] if module.symbolic_enabled else [])]
    return [
        Sum((f"act_fun.{number}",), Tap(of_layer, "output", "add"))
        for number, of_layer in enumerate(zip(*halves, strict=True))
    ]


def register_network(name: str, layer: Recipe, library: str, own: Callable[[Any], bool]) -> None:
    """Register networks of such layers; ``own`` tells them from others of the same class name."""
    register_adapter(
        name,
        partial(_read_network, layer),
        library=library,
        problem=partial(problem_of_network, layer),
        resembles=own,
        sums=_sums_of_network,
        n_inputs=_n_inputs,
    )


def _n_inputs(module: Any) -> int:
    ids: Tensor | None = getattr(module, "input_id", None)
    return int(module.width[0] if ids is None else ids.max() + 1)
