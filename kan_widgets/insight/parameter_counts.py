"""How many parameters a model has, layer by layer, and how they grow with its width and grid."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

GrowthOrder = Literal["N²", "N²·G", "N²·n"]
# What the parameters of a layer depend on, see `parameters_of`.
LayerForm = Mapping[str, Any]


@dataclass(frozen=True)
class LayerGrowth:
    """The trainable parameters of one layer.

    With N channels or features on either side they grow as ``order``: G is the number of
    grid intervals of a spline, n the number of basis functions where there is no grid.
    """

    name: str
    type: str
    functions: int
    """How many φ the layer has."""
    parameters: int
    symbols: str
    """``"625·10·(G + k + 2)"``: k is the order of the splines."""
    numbers: str
    """``"6,250·(10 + 3 + 2)"``."""
    order: GrowthOrder

    @property
    def formula(self) -> str:
        """``"625·10·(G + k + 2) = 6,250·(10 + 3 + 2) = 93,750"``."""
        parts = dict.fromkeys((self.symbols, self.numbers, f"{self.parameters:,}"))
        return " = ".join(parts)


@dataclass(frozen=True)
class ModelGrowth:
    """The trainable parameters of a model."""

    layers: tuple[LayerGrowth, ...]
    """The layers whose functions can be read, in the model's order."""
    parameters: int
    """Trainable parameters, each counted once."""

    @property
    def order(self) -> GrowthOrder:
        """Order of the layer that grows fastest."""
        orders = {layer.order for layer in self.layers}
        return "N²·G" if "N²·G" in orders else "N²·n" if "N²·n" in orders else "N²"


def growth_of(parameters: Mapping[str, Any]) -> ModelGrowth:
    """Say what the trainable parameters of a model are made of, given what `parameters_of` says.

    A KAN layer of N inputs and N outputs has one function for each of the N² pairs, each
    with G + k spline coefficients (Liu et al. 2024, *KAN: Kolmogorov-Arnold Networks*,
    sec. 2.3: O(N²G)); a plain layer has one weight for each, O(N²).
    """
    layers = [
        _layer_growth(part["layers"], part["sizes"], part["name"]) for part in parameters["parts"]
    ]
    return ModelGrowth(tuple(layers), parameters["total"])


def _layer_growth(layers: Sequence[LayerForm], sizes: Mapping[str, int], name: str) -> LayerGrowth:
    functions = sum(math.prod(layer["shape"]) for layer in layers)
    local, intervals, order = _basis(layers)
    base = layers[0]["is_base"].count(True)
    per_phi = sum(
        size // functions
        for kind, size in sizes.items()
        if functions
        and size % functions == 0
        and size // functions in {1, base, local, local + base}
        and not re.search(r"bias|norm", kind)
    )
    parameters = sum(sizes.values())
    rest = parameters - per_phi * functions
    terms = [("", per_phi)] if per_phi > 1 else []
    grows: GrowthOrder = "N²"
    if local and per_phi >= local:
        grows = "N²·G" if intervals else "N²·n"
        terms = [("G", intervals), ("k", order)] if intervals else [("n", local)]
        terms = [(letter, value) for letter, value in [*terms, ("", per_phi - local)] if value]
    symbols = _product(_factors(layers), [letter or f"{value:,}" for letter, value in terms], rest)
    numbers = _product(f"{functions:,}", [f"{value:,}" for _, value in terms], rest)
    if not per_phi:  # frozen, or shared with a layer before
        symbols = numbers = f"{parameters:,}"
    return LayerGrowth(name, layers[0]["type"], functions, parameters, symbols, numbers, grows)


def _basis(layers: Sequence[LayerForm]) -> tuple[int, int, int]:
    """Return how many local functions a φ has, and their grid intervals and order; 0 for none."""
    kinds = {(*layer["is_base"], len(layer["knots"])) for layer in layers}
    if len(kinds) > 1:
        return 0, 0, 0
    local, knots = layers[0]["is_base"].count(False), len(layers[0]["knots"])
    order = knots - 1 - local
    intervals = local - order
    return (local, intervals, order) if knots and order >= 0 < intervals else (local, 0, 0)


def _factors(layers: Sequence[LayerForm]) -> str:
    """Return the sizes that make the number of functions: inputs, outputs, kernel."""
    if len({tuple(layer["shape"]) for layer in layers}) > 1:
        return f"{sum(math.prod(layer['shape']) for layer in layers):,}"
    out, in_, *kernel = layers[0]["shape"]
    sizes = [in_, out, *(kernel if layers[0]["kind"] == "conv" else [])]
    if layers[0]["shared"]:
        sizes.remove(in_)
    if len(layers) > 1:
        sizes.insert(0, len(layers))
    return "·".join(map(str, sizes))


def _product(factor: str, terms: list[str], rest: int) -> str:
    product = factor
    if len(terms) == 1:
        product = f"{factor}·{terms[0]}"
    elif terms:
        product = f"{factor}·({' + '.join(terms)})"
    return f"{product} + {rest:,}" if rest else product
