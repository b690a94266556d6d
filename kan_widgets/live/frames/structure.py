"""How a network is put together: its stations in the order in which they run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from kan_widgets.functions.layer_settings import STRAIGHT
from kan_widgets.live.frames.layout import Layout

StationKind = Literal[
    "input",
    "kan",
    "plain",
    "norm",
    "pool",
    "activation",
    "reshape",
    "add",
    "multiply",
    "join",
    "block",
    "other",
]

_UNTRACED = "The order is that of the modules: live.probe(images) finds how they are connected."


@dataclass(frozen=True)
class Station:
    """One place that data pass on their way through a network.

    Parameters
    ----------
    kind
        ``"kan"`` and ``"plain"`` are layers; ``"block"`` is a module that is shown as a whole,
        ``"other"`` a function that has no kind of its own, ``"join"`` is ``cat`` or ``stack``.
    name
        The module's path in the model, or the function's name.
    label
        Short, for people: ``"max pool 2×2"``.
    layer
        The layer of frames that it is; ``None`` for others.
    sources
        Which stations' outputs it takes in, in the order of the arguments.
    shape
        Of its output for one example, without the batch: ``(C, H, W)``, ``(F,)``, …; ``()`` where
        that is not known.
    compute
        How its output follows from its sources: ``"op"`` and the operation's settings; ``None``
        where only the model can compute it. Numbers that the operation needs beside functions are
        its extras. ``docs/recordings.md`` lists the operations.
    sums
        Whether its output is proved to be the sum of the layer's φ (and a bias); ``None`` where it
        has no φ.
    beside
        Its extras: the paths in ``Layout.beside`` of those that each frame has. Others are ``None``
        and among ``Activations.extras``: they hold at their own step alone. ``None`` where it is
        not known which there are, as in older recordings.
    """

    kind: StationKind
    name: str
    label: str
    layer: str | None = None
    sources: tuple[int, ...] = ()
    shape: tuple[int, ...] = ()
    compute: Mapping[str, Any] | None = None
    sums: bool | None = None
    beside: Mapping[str, str | None] | None = None


@dataclass(frozen=True)
class Structure:
    """The stations of a network, in the order in which they run; the first one is the input.

    Parameters
    ----------
    stations
        Each takes in only earlier ones.
    traced
        Whether examples were traced through the model; else the layers stand in the order of
        the modules, each after the one before.
    note
        A sentence for people; empty where all is as it should be.
    """

    stations: tuple[Station, ...]
    traced: bool
    note: str = ""

    def __repr__(self) -> str:
        how = "traced" if self.traced else "in the order of the modules"
        return f"Structure({len(self.stations)} stations, {how})"


def untraced(layout: Layout, note: str = _UNTRACED, order: Sequence[str] = ()) -> Structure:
    """Return the layers of a layout one after the other, and the input before them.

    With ``order``, names of layers, in that order.
    """
    stations = [Station("input", "input", "input")]
    places = {name: place for place, name in enumerate(order)}
    for layer in sorted(layout.layers, key=lambda each: places.get(each.name, len(places))):
        if layer.kind == "elementwise":
            continue
        plain = layer.labels == STRAIGHT
        stations.append(
            Station(
                "plain" if plain else "kan",
                layer.name,
                layer.name,
                layer.name,
                (len(stations) - 1,),
                (layer.shape[0],) if layer.kind == "linear" else (),
            )
        )
    return Structure(tuple(stations), False, note)


def steady(now: Structure, before: Structure | None) -> Structure:
    """Leave to the model what computed otherwise when examples were traced the last time.

    So does what takes a number that is no parameter and that the training changes: how it was at
    other steps is not known.
    """

    def places(structure: Structure) -> list[tuple[object, ...]]:
        return [(station.name, station.sources, station.shape) for station in structure.stations]

    if before is None or not before.traced or places(before) != places(now):
        return now
    stations = (
        station if station.compute == was.compute else replace(station, compute=None)
        for station, was in zip(now.stations, before.stations, strict=True)
    )
    return replace(now, stations=tuple(stations))


def structure_dict(structure: Structure) -> dict[str, Any]:
    """Return a structure as JSON, for the browser and for recordings."""
    found: dict[str, Any] = json.loads(json.dumps(asdict(structure)))
    return found


def structure_from(raw: Mapping[str, Any]) -> Structure:
    """Return the structure that `structure_dict` has made JSON of.

    Raises `LookupError`, `TypeError` or `ValueError` if it is not such a structure.
    """
    stations = []
    for number, entry in enumerate(raw["stations"]):
        sources = tuple(int(source) for source in entry["sources"])
        if any(not 0 <= source < number for source in sources):
            raise ValueError(f"station {number} takes in {sources}: expected earlier ones")
        shape = tuple(int(size) for size in entry["shape"])
        known = {field.name: entry[field.name] for field in fields(Station) if field.name in entry}
        found = Station(**{**known, "sources": sources, "shape": shape})
        if not all(isinstance(words, str) for words in (found.kind, found.name, found.label)):
            raise TypeError(f"station {number} is called {found.name!r:.60}: expected words")
        stations.append(found)
    return Structure(tuple(stations), bool(raw["traced"]), str(raw["note"]))
