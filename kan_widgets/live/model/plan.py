"""Where in a running model the functions of its bound layers take something in, and add it up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn

from kan_widgets.functions import LayerFunctions, Sum, Tap
from kan_widgets.functions.adapters.pykan import problem_of_model
from kan_widgets.functions.registry import Reader, find_adapter


@dataclass(frozen=True)
class Bound:
    """A layer of frames, without its numbers."""

    name: str
    kind: str
    label: str
    is_plain: bool


@dataclass(frozen=True, eq=False)
class Closed:
    """A module that is not looked into."""

    module: nn.Module
    layers: tuple[Bound, ...]
    is_sum: bool = False
    """Whether it is one layer: its functions take in what it does, and it returns their sum."""
    bias: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Place:
    """Where the functions of some layers of a module add up."""

    layers: tuple[Bound, ...]
    inputs: tuple[Tap, ...]
    """Of each layer."""
    at: Tap
    bias: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Split:
    """A module with several layers, or with more than its layer: it is followed inside."""

    module: nn.Module
    places: tuple[Place, ...]


@dataclass(frozen=True, eq=False)
class Pykan:
    """A model of pykan: each layer's sums are made nodes by what `nodes_of` says."""

    module: Any
    layers: tuple[Bound, ...]


@dataclass(eq=False)
class Plan:
    """How to follow examples through a model with bound layers."""

    parts: tuple[Closed | Split | Pykan, ...]
    sums: dict[str, bool] = field(default_factory=dict)
    """By layer: whether its functions were found to add up to its output."""

    @property
    def layers(self) -> list[str]:
        """Names of the layers."""
        return [layer.name for part in self.parts for layer in _layers(part)]


class Paths:
    """A plan that does not keep the model: it has paths in the place of modules."""

    def __init__(self, plan: Plan, model: nn.Module) -> None:
        paths = {module: path for path, module in model.named_modules()}
        self._plan = _swapped(plan, paths.__getitem__)

    def of(self, model: nn.Module) -> Plan:
        """Return the plan for the model as it is.

        Raises `AttributeError` if a module is no longer part of it.
        """
        return _swapped(self._plan, model.get_submodule)


def _swapped(plan: Plan, swap: Callable[[Any], Any]) -> Plan:
    def tap(found: Tap) -> Tap:
        return replace(found, modules=tuple(map(swap, found.modules)))

    parts: list[Closed | Split | Pykan] = []
    for part in plan.parts:
        moved = replace(part, module=swap(part.module))
        if isinstance(moved, Split):
            places = (
                replace(place, inputs=tuple(map(tap, place.inputs)), at=tap(place.at))
                for place in moved.places
            )
            moved = replace(moved, places=tuple(places))
        parts.append(moved)
    return Plan(tuple(parts), plan.sums)


def _layers(part: Closed | Split | Pykan) -> tuple[Bound, ...]:
    if isinstance(part, Split):
        return tuple(layer for place in part.places for layer in place.layers)
    return part.layers


def plan_of(
    entries: Sequence[tuple[str, nn.Module, Reader]], layers: Sequence[LayerFunctions]
) -> Plan:
    """Return the plan for the layers of some modules, given with their names and readers.

    ``layers`` are those of their layers that are bound, as just read.
    """
    known = {layer.name: layer for layer in layers}
    parts = []
    for name, module, reader in entries:
        found = reader(module)
        own = {}
        for layer in [found] if isinstance(found, LayerFunctions) else found:
            full = ".".join(part for part in (name, layer.name) if part) or type(module).__name__
            # A learned activation adds nothing up: it is one of the operations between layers.
            if full in known and layer.kind != "elementwise":
                own[layer.name] = known[full]
        if own:
            parts.append(_part(module, own))
    return Plan(tuple(parts))


def _part(module: nn.Module, own: dict[str, LayerFunctions]) -> Closed | Split | Pykan:
    bound = {name: _bound(module, layer) for name, layer in own.items()}
    if not problem_of_model(module):
        if len(bound) == len(module.act_fun):  # type: ignore[arg-type]
            return Pykan(module, tuple(bound.values()))
        return Closed(module, tuple(bound.values()))
    adapter, _ = find_adapter(module)
    output = Tap((module,), "output")
    sums = [Sum(tuple(own), output)]
    if adapter is not None and adapter.sums is not None:
        sums = list(adapter.sums(module))
    places = []
    for found in sums:
        if any(name not in own for name in found.layers):
            return Closed(module, tuple(bound.values()))  # some are not bound
        inputs = tuple(own[name].x_at or Tap((module,)) for name in found.layers)
        layers = tuple(bound[name] for name in found.layers)
        places.append(Place(layers, inputs, found.at, found.bias))
    if any(len(tap.modules) > 1 or tap.view for p in places for tap in (p.at, *p.inputs)):
        return Closed(module, tuple(bound.values()))
    place = places[0]
    around = len(places) == 1 and len(place.layers) == 1 and _is(place.at, module, "output")
    if around and _is(place.inputs[0], module, "input"):
        return Closed(module, place.layers, True, place.bias)
    return Split(module, tuple(places))


def _is(tap: Tap, module: nn.Module, side: str) -> bool:
    return tap.modules == (module,) and tap.side == side


def _bound(module: nn.Module, layer: LayerFunctions) -> Bound:
    is_plain = isinstance(module, nn.Linear | nn.Conv2d)
    out, inputs, kh, kw = layer.shape
    size = f"{kh}×{kw}" if layer.kind == "conv" else f"{inputs} → {out}"
    return Bound(layer.name, layer.kind, f"{layer.type} {size}", is_plain)
