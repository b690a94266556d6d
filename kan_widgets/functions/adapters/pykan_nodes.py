"""What pykan does with the sums of a layer's functions, and its symbolic edges in symbols."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any


@dataclass(frozen=True)
class Nodes:
    """From a layer's sums to its nodes: scaled and shifted, multiplied, scaled and shifted.

    It takes numbers, arrays or expressions.
    """

    before: tuple[tuple[float, float], ...]
    """Scale and bias of each sum."""
    products: tuple[tuple[int, ...], ...]
    """For each node, which sums are multiplied into it; a single one where it only adds."""
    after: tuple[tuple[float, float], ...]
    """Scale and bias of each node."""

    def __call__(self, sums: Sequence[Any]) -> list[Any]:
        """Return the nodes of the sums."""
        moved = [_affine(*of, value) for of, value in zip(self.before, sums, strict=True)]
        return [
            _affine(*of, prod(moved[k] for k in factors))
            for of, factors in zip(self.after, self.products, strict=True)
        ]


def nodes_of(model: Any, number: int) -> Nodes:
    """Return what happens to the sums of a layer of a ``MultKAN``.

    Versions before 0.2.6 have neither scales nor multiplication, but a bias for each node.
    """
    sums = model.act_fun[number].mask.shape[1]
    width = model.width[number + 1]
    adding, multiplying = (width, 0) if isinstance(width, int) else width
    arity = model.mult_arity if multiplying else 0
    arities = [arity] * multiplying if isinstance(arity, int) else list(arity[number + 1])
    products: list[tuple[int, ...]] = [(k,) for k in range(adding)]
    first = adding
    for factors in arities[:multiplying]:
        products.append(tuple(range(first, first + factors)))
        first += factors
    before = _pairs(model, "subnode", number, sums)
    after = _pairs(model, "node", number, len(products))
    if not hasattr(model, "node_bias") and hasattr(model, "biases"):
        bias = model.biases[number].weight.detach().double().flatten().tolist()
        after = tuple((1.0, b) for b in bias)
    return Nodes(before, tuple(products), after)


def _pairs(model: Any, of: str, number: int, count: int) -> tuple[tuple[float, float], ...]:
    if not hasattr(model, f"{of}_scale"):
        return ((1.0, 0.0),) * count
    scale, bias = (getattr(model, f"{of}_{what}")[number] for what in ("scale", "bias"))
    return tuple(
        zip(scale.detach().double().tolist(), bias.detach().double().tolist(), strict=True)
    )


def symbols_of(model: Any, number: int) -> dict[tuple[int, int], Callable[[Any], Any]]:
    """Return the symbolic half of each edge (out, in) that has one, as a function of expressions.

    Left out are edges whose function has no symbol: one of one's own that sympy cannot take.
    """
    if not model.symbolic_enabled:
        return {}
    layer = model.symbolic_fun[number]
    found: dict[tuple[int, int], Callable[[Any], Any]] = {}
    for o, i in layer.mask.nonzero().tolist():
        strength = float(layer.mask[o, i])
        a, b, c, d = layer.affine[o, i].detach().double().tolist()

        def edge(
            x: Any,
            shape: Callable[[Any], Any] = layer.funs_sympy[o][i],
            numbers: tuple[float, ...] = (a, b, strength * c, strength * d),
        ) -> Any:
            a, b, c, d = numbers
            return _affine(c, d, shape(_affine(a, b, x)))

        if _takes_symbols(edge):
            found[o, i] = edge
    return found


def _takes_symbols(edge: Callable[[Any], Any]) -> bool:
    import sympy  # type: ignore[import-untyped]

    try:
        return isinstance(edge(sympy.Symbol("x")), sympy.Expr)
    except Exception:
        return False


def _affine(scale: float, bias: float, value: Any) -> Any:
    scaled = value if scale == 1 else scale * value
    return scaled + bias if bias else scaled
