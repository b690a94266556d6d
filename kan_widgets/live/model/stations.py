"""Make a structure of what was found on the way of examples through a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from kan_widgets.live.frames.activations import Extra
from kan_widgets.live.frames.layout import Layout
from kan_widgets.live.frames.structure import Station, Structure, untraced
from kan_widgets.live.model.layers import place_in_memory
from kan_widgets.live.model.operations import Operation
from kan_widgets.live.model.plan import Plan
from kan_widgets.live.model.tracing import Raw, Trail

MOST_EXTRA_BYTES = 1_000_000


@dataclass(frozen=True, eq=False)
class Followed:
    """A structure, and what the examples made of it."""

    structure: Structure
    values: Mapping[int, Tensor]
    """By station: ``(n, *shape)``, perhaps reduced."""
    extras: tuple[Extra, ...]


def assembled(
    trail: Trail, plan: Plan, layout: Layout, paths: Mapping[tuple[int, int], str]
) -> Followed:
    """Return the structure of a trail: without side tracks, blocks as one station each.

    ``paths`` are those of what frames have beside coefficients, by `place_in_memory`.
    """
    if trail.trouble:
        return _in_order(trail, plan, layout)
    kept = _reached(trail)
    replaced = _blocks(trail, kept)
    numbers = {old: new for new, old in enumerate(sorted(kept))}
    stations, values, extras = [], {}, {}
    for old, number in numbers.items():
        raw = replaced.get(old, trail.raw[old])
        found = raw.operation
        needed = found.extras if found.compute is not None else {}
        beside = {name: paths.get(place_in_memory(data)) for name, data in needed.items()}
        stations.append(
            Station(
                found.kind,
                raw.name,
                found.label,
                raw.layer,
                tuple(numbers[source] for source in raw.sources),
                raw.shape,
                found.compute,
                raw.sums,
                beside,
            )
        )
        if raw.values is not None and number:
            values[number] = raw.values
        others = {name: data for name, data in needed.items() if beside[name] is None}
        if others:
            extras[number] = [Extra(number, name, _float32(data)) for name, data in others.items()]
    _drop_largest(stations, extras)
    ran = {raw.layer for raw in trail.raw}
    blocks = tuple(f"{raw.name}." for raw in replaced.values())
    missing = [n for n in plan.layers if n not in ran and not n.startswith(blocks)]
    note = f"{', '.join(missing)} did not run for these examples." if missing else ""
    structure = Structure(tuple(stations), True, note)
    return Followed(structure, values, tuple(e for each in extras.values() for e in each))


def _in_order(trail: Trail, plan: Plan, layout: Layout) -> Followed:
    """Return the layers in the order of the modules, with what they returned."""
    note = f"The order is that of the modules: {trail.trouble}."
    structure = untraced(layout, note, plan.layers)
    first = {raw.layer: raw for raw in reversed(trail.raw) if raw.layer is not None}
    stations, values = list(structure.stations), {}
    for number, station in enumerate(stations):
        raw = first.get(station.layer) if station.layer is not None else None
        if raw is not None and raw.values is not None:
            stations[number] = replace(station, label=raw.operation.label, shape=raw.shape)
            values[number] = raw.values
    stations[0] = replace(stations[0], shape=trail.raw[0].shape)
    return Followed(replace(structure, stations=tuple(stations)), values, ())


def _reached(trail: Trail) -> set[int]:
    """Return the stations that the output or a layer depends on, and the input."""
    kept = {0}
    open_ = [*trail.ends, *(k for k, raw in enumerate(trail.raw) if raw.layer is not None)]
    while open_:
        station = open_.pop()
        if station not in kept:
            kept.add(station)
            open_ += trail.raw[station].sources
    return kept


def _blocks(trail: Trail, kept: set[int]) -> dict[int, Raw]:
    """Put modules without KAN layers that do what has no name into one station each.

    Returns what takes the place of some stations; others of ``kept`` are taken out.
    """
    raws = trail.raw
    calls = sorted(
        {
            (len(raws[k].scope), raws[k].scope[-1])
            for k in kept
            if raws[k].scope
            and raws[k].operation.kind in ("other", "reshape")
            and raws[k].operation.compute is None
        }
    )
    replaced: dict[int, Raw] = {}
    for _, call in calls:
        path, module = trail.calls[call]
        inside = {k for k in kept if call in raws[k].scope}
        if not path or not inside or any(raws[k].operation.kind == "kan" for k in inside):
            continue
        outside = [k for k in kept if k not in inside]
        exits = {s for k in outside for s in replaced.get(k, raws[k]).sources if s in inside}
        exits |= inside.intersection(trail.ends)
        if len(exits) != 1:
            continue
        [last] = exits
        sources = [s for k in sorted(inside) for s in replaced.get(k, raws[k]).sources]
        replaced[last] = replace(
            raws[last],
            operation=Operation("block", type(module).__name__),
            name=path,
            layer=None,
            sums=None,
            sources=tuple(dict.fromkeys(s for s in sources if s not in inside)),
        )
        kept -= inside - {last}
    return replaced


def _drop_largest(stations: list[Station], extras: dict[int, list[Extra]]) -> None:
    """Leave to the model what takes too many numbers to compute elsewhere."""
    sizes = {number: sum(e.data.nbytes for e in each) for number, each in extras.items()}
    for number in sorted(sizes, key=lambda number: sizes[number], reverse=True):
        if sum(sizes[each] for each in extras) <= MOST_EXTRA_BYTES:
            break
        del extras[number]
        stations[number] = replace(stations[number], compute=None)


def _float32(data: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.ascontiguousarray(data.detach().float().cpu().numpy())
