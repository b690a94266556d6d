"""Bases and networks as Python describes them, for what the playground builds by itself.

``python -m tests.nn.playground_cases`` writes them for the tests of the browser's side
(js/test/playground_networks.test.ts); test_playground.py holds that the file says what Python says.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

import kan_widgets as kw
from kan_widgets.live.frames.structure import structure_dict
from kan_widgets.widgets.pages.trainable import recipe_of
from kan_widgets.widgets.wire.messages import layout_dict
from tests.nn.page_cases import written

PATH = Path(__file__).parents[2] / "js/test/playground_cases.json"
BASES = ("bspline", "rbf", "chebyshev", "fourier")
# Grid size, order, range: those that networks of the playground begin with, and the ends.
SETTINGS = ((5, 3, -3.0, 3.0), (1, 1, -1.0, 1.0), (7, 4, -1.0, 1.0))


def _dense(
    inputs: int, *widths: int, classes: bool, flat: bool = False, basis: str = "bspline"
) -> nn.Module:
    """Layers one after the other, as the playground's code writes them."""
    sizes = [inputs, *widths]
    layers: list[tuple[str, nn.Module]] = [("flatten", nn.Flatten())] if flat else []
    for number, size in enumerate(sizes[:-1], 1):
        layers.append((f"layer{number}", kw.nn.KANLinear(size, sizes[number], basis=basis)))
    if classes:
        layers.append(("log_softmax", nn.LogSoftmax(-1)))
    return nn.Sequential(OrderedDict(layers))


# By the address that asks for it: the network and the shape of its input.
NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "": (kw.nn.KANCNN, (1, 28, 28)),
    "#network=article": (kw.nn.KANCNN.article, (1, 28, 28)),
    "#network=dense&widths=5": (lambda: _dense(784, 5, 10, classes=True, flat=True), (1, 28, 28)),
    "#problem=moons": (lambda: _dense(2, 4, 2, classes=True), (2,)),
    "#problem=moons&basis=fourier": (lambda: _dense(2, 4, 2, classes=True, basis="fourier"), (2,)),
    "#problem=product": (lambda: _dense(3, 4, 2, 1, classes=False), (3,)),
}


def basis_case(basis: str, grid: int, order: int, low: float, high: float) -> dict[str, Any]:
    """Return a layer of one function on a basis: its layout, its recipe, how splines begin."""
    layer = kw.nn.KANLinear(
        1, 1, basis=basis, grid_size=grid, spline_order=order, grid_range=(low, high)
    )
    found = {
        **{"basis": basis, "grid": grid, "order": order, "domain": (low, high)},
        "layout": _layout(layer, torch.zeros(1, 1)),
        "kernel": next(iter(recipe_of(layer).values()))["basis"],
    }
    if basis == "bspline":
        points = torch.linspace(low, high, grid + 1, dtype=torch.float64)
        points[-1] = high
        found["through"] = torch.linalg.pinv(layer.basis.expand(points)).T.numpy()
    return found


def network_case(make: Callable[[], nn.Module], shape: tuple[int, ...]) -> dict[str, Any]:
    """Return what does not depend on the numbers that a network begins with."""
    model = make()
    live = kw.bind(model, example=torch.zeros(2, *shape))
    assert live.feed.structure is not None
    recipe = recipe_of(model)
    for own in recipe.values():
        own["scaled"] = own.pop("scaler", None) is not None
    layout = _without_number(layout_dict(live.frame.layout))
    for layer in layout["layers"]:  # the tables are those of the bases
        layer.pop("tables"), layer.pop("table_of")
    found = {
        "structure": structure_dict(live.feed.structure),
        "layout": layout,
        "recipe": recipe,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "names": sorted(model.state_dict()),
    }
    live.close()
    return found


def cases() -> dict[str, Any]:
    """Return all of them as JSON."""
    bases = [basis_case(basis, *one) for basis in BASES for one in SETTINGS]
    networks = {name: network_case(*one) for name, one in NETWORKS.items()}
    return {"bases": written(bases), "networks": written(networks)}


def _layout(layer: nn.Module, example: torch.Tensor) -> dict[str, Any]:
    live = kw.bind(layer, example=example)
    layout = _without_number(layout_dict(live.frame.layout))
    live.close()
    return layout


def _without_number(layout: dict[str, Any]) -> dict[str, Any]:
    """Give a layout the number 1: it has its own in each process."""
    return {**layout, "version": 1}


if __name__ == "__main__":
    PATH.write_text(json.dumps(cases(), separators=(",", ":")) + "\n")
