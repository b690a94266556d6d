"""The functions that a model calls with its examples, and the structure made of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from kan_widgets.live.frames.activations import Extra
from kan_widgets.live.frames.layout import Layout
from kan_widgets.live.frames.structure import Station, Structure, untraced
from kan_widgets.live.model.layers import memory_of
from kan_widgets.live.model.operations import (
    Operation,
    TracedCall,
    is_transparent,
    operation,
    shape_of,
)

_MAX_EXTRA_BYTES = 1_000_000
_NAMES_IN_DIAGRAMS = {"__getitem__": "slice", "amax": "max", "amin": "min"}
_VALUE_READS = {"item", "tolist", "numpy", "__bool__", "__float__", "__int__", "__index__"}


@dataclass(eq=False)
class _Raw:
    """A station in the making; its sources are numbers of others."""

    station: Station
    extras: Mapping[str, Tensor]
    """Tensors that its ``compute`` needs beside the frame."""
    values: Tensor | None
    """``(n, *shape)``, perhaps reduced; a copy."""
    scope: tuple[int, ...]
    """The calls of modules that it lies in, the outermost first."""


@dataclass(eq=False)
class Trail:
    """The stations that some examples passed on their way through a model."""

    raw: list[_Raw] = field(default_factory=list)
    calls: list[tuple[str, nn.Module]] = field(default_factory=list)
    """The modules called, by their numbers in ``_Raw.scope``."""
    ends: list[int] = field(default_factory=list)
    """The stations that the model's output is from."""
    trouble: str = ""
    """Why stations could not be linked; else empty."""


class Tracer(TorchFunctionMode):
    """Sees each function that is called with data of ``n`` examples, and notes what it is.

    ``reduce`` copies what is kept of a station's output.
    """

    def __init__(self, n: int, reduce: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.trail = Trail()
        self._n, self._reduce = n, reduce
        # Stations by the identity of the tensors that come from them, which are held meanwhile.
        self._station: dict[int, int] = {}
        self._held: list[Tensor] = []
        self._lost: set[int] = set()
        self._inside = 0  # modules that are not looked into
        self._notes = False  # whether a hook runs, which calls functions of its own
        self._scope: list[int] = []
        self._constants = True

    def add(
        self,
        operation: Operation,
        name: str,
        sources: Iterable[int],
        values: Tensor | None,
        **more: Any,
    ) -> int:
        """Add a station, and return its number; ``more`` is as `Station` takes it."""
        shape = None if values is None else shape_of(values, self._n)
        kept = None
        if shape is not None and values is not None and self.trail.raw:
            kept = self._reduce(values)
        own = {"shape": shape or (), "compute": operation.compute, **more}
        station = Station(operation.kind, name, operation.label, sources=tuple(sources), **own)
        self.trail.raw.append(_Raw(station, operation.extras, kept, tuple(self._scope)))
        return len(self.trail.raw) - 1

    def link(self, values: Tensor, station: int) -> None:
        """Note which station some values come from."""
        self._station[id(values)] = station
        self._lost.discard(id(values))
        self._held.append(values)

    def _from(self, values: Iterable[Tensor]) -> tuple[int, ...]:
        stations = []
        for tensor in values:
            if id(tensor) in self._lost:
                self._complain("a tensor is changed in place and used again under another name")
            elif id(tensor) in self._station:
                stations.append(self._station[id(tensor)])
        return tuple(stations)

    def _complain(self, trouble: str) -> None:
        self.trail.trouble = self.trail.trouble or trouble

    def end(self, output: Any) -> None:
        """Note what the model returned."""
        ends = self._from(tensors(output))
        if not ends:
            self._complain("nothing that it returns comes from the input by functions of torch")
        self.trail.ends = list(ends)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the function, and note its output as a station."""
        kwargs = kwargs or {}
        if self._inside or self._notes:
            return func(*args, **kwargs)
        data = [t for t in tensors((args, kwargs)) if id(t) in self._station or id(t) in self._lost]
        before = tuple(shape_of(each, self._n) for each in data)
        result = func(*args, **kwargs)
        if not data:
            return result
        name = _NAMES_IN_DIAGRAMS.get(name := getattr(func, "__name__", ""), name)
        if name in ("__get__", "__set__"):
            name = getattr(func.__self__, "__name__", name)  # type: ignore[attr-defined]
        outputs = [args[0]] if name == "__setitem__" else list(tensors(result))
        if not outputs:
            if name in _VALUE_READS:
                self._constants = False
            return result
        inputs = tuple(data)
        call = TracedCall(
            func, name, args, kwargs, inputs, before, outputs[0], self._n, self._constants
        )
        self._note(call, outputs)
        return result

    def _note(self, call: TracedCall, outputs: list[Tensor]) -> None:
        sources = self._from(call.data)
        if not sources:
            return
        changed = [tensor for tensor in outputs if any(tensor is x for x in call.data)]
        if is_transparent(call):
            station = sources[0]
        elif len(outputs) > 1:
            name = call.name.strip("_")
            station = self.add(Operation("other", name.replace("_", " ")), name, sources, None)
        else:
            station = self.add(operation(call), self._name(call), sources, call.result)
        for tensor in outputs:
            self.link(tensor, station)
        for tensor in changed or (outputs if call.name == "__setitem__" else []):
            self._lose_aliases(tensor)

    def _name(self, call: TracedCall) -> str:
        """Return the path of the module of torch that calls the function, or its own name."""
        if self._scope:
            path, module = self.trail.calls[self._scope[-1]]
            if type(module).__module__.startswith("torch.nn") and not any(module.children()):
                return path
        return call.name.strip("_")

    def _lose_aliases(self, changed: Tensor) -> None:
        """Forget the stations of other tensors that share memory with a changed one."""
        memory = changed.untyped_storage().data_ptr()
        own = self._station[id(changed)]
        for each in self._held:
            if each is not changed and each.untyped_storage().data_ptr() == memory:
                if self._station.get(id(each)) != own:
                    self._station.pop(id(each), None)
                    self._lost.add(id(each))


def tensors(value: Any) -> Iterable[Tensor]:
    """List the tensors in nested tuples, lists and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from tensors(each)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from tensors(each)


@dataclass(frozen=True, eq=False)
class Traced:
    """A structure, and what the examples made of it."""

    structure: Structure
    values: Mapping[int, Tensor]
    """By station: ``(n, *shape)``, perhaps reduced."""
    extras: tuple[Extra, ...]


def assembled(
    trail: Trail, layers: Sequence[str], layout: Layout, paths: Mapping[tuple[int, int], str]
) -> Traced:
    """Return the structure of a trail: without side tracks, blocks as one station each.

    ``layers`` are the names of those that were to be traced; ``paths`` those of what frames have
    beside coefficients, by `memory_of`.
    """
    if trail.trouble:
        return _in_order(trail, layers, layout)
    kept = _reached(trail)
    replaced = _blocks(trail, kept)
    numbers = {old: new for new, old in enumerate(sorted(kept))}
    stations, values, extras = [], {}, {}
    for old, number in numbers.items():
        raw = replaced.get(old, trail.raw[old])
        needed = raw.extras if raw.station.compute is not None else {}
        beside = {name: paths.get(memory_of(data)) for name, data in needed.items()}
        sources = tuple(numbers[source] for source in raw.station.sources)
        stations.append(replace(raw.station, sources=sources, beside=beside))
        if raw.values is not None and number:
            values[number] = raw.values
        others = {name: data for name, data in needed.items() if beside[name] is None}
        if others:
            extras[number] = [Extra(number, name, _float32(data)) for name, data in others.items()]
    _drop_largest(stations, extras)
    ran = {raw.station.layer for raw in trail.raw}
    blocks = tuple(f"{raw.station.name}." for raw in replaced.values())
    missing = [n for n in layers if n not in ran and not n.startswith(blocks)]
    note = f"{', '.join(missing)} did not run for these examples." if missing else ""
    structure = Structure(tuple(stations), True, note)
    return Traced(structure, values, tuple(e for each in extras.values() for e in each))


def _in_order(trail: Trail, layers: Sequence[str], layout: Layout) -> Traced:
    """Return the layers in the order of the modules, with what they returned."""
    note = f"The order is that of the modules: {trail.trouble}."
    structure = untraced(layout, note, layers)
    first = {raw.station.layer: raw for raw in reversed(trail.raw)}
    stations, values = list(structure.stations), {}
    for number, station in enumerate(stations):
        raw = first.get(station.layer) if station.layer is not None else None
        if raw is not None and raw.values is not None:
            own = raw.station
            stations[number] = replace(station, label=own.label, shape=own.shape)
            values[number] = raw.values
    stations[0] = replace(stations[0], shape=trail.raw[0].station.shape)
    return Traced(replace(structure, stations=tuple(stations)), values, ())


def _reached(trail: Trail) -> set[int]:
    """Return the stations that the output or a layer depends on, and the input."""
    kept = {0}
    open_ = [*trail.ends, *(k for k, raw in enumerate(trail.raw) if raw.station.layer)]
    while open_:
        station = open_.pop()
        if station not in kept:
            kept.add(station)
            open_ += trail.raw[station].station.sources
    return kept


def _blocks(trail: Trail, kept: set[int]) -> dict[int, _Raw]:
    """Make one station of each module without KAN layers that has calls without a name.

    Returns what takes the place of some stations; others of ``kept`` are taken out.
    """
    raws = trail.raw
    calls = sorted(
        {
            (len(raws[k].scope), raws[k].scope[-1])
            for k in kept
            if raws[k].scope
            and raws[k].station.kind in ("other", "reshape")
            and raws[k].station.compute is None
        }
    )
    replaced: dict[int, _Raw] = {}
    for _, call in calls:
        path, module = trail.calls[call]
        inside = {k for k in kept if call in raws[k].scope}
        if not path or not inside or any(raws[k].station.kind == "kan" for k in inside):
            continue
        outside = [k for k in kept if k not in inside]
        exits = {s for k in outside for s in replaced.get(k, raws[k]).station.sources}
        exits = exits.intersection(inside) | inside.intersection(trail.ends)
        if len(exits) != 1:
            continue
        [last] = exits
        found = [s for k in sorted(inside) for s in replaced.get(k, raws[k]).station.sources]
        sources = tuple(dict.fromkeys(s for s in found if s not in inside))
        shape, kind = raws[last].station.shape, type(module).__name__
        block = Station("block", path, kind, sources=sources, shape=shape)
        replaced[last] = replace(raws[last], station=block)
        kept -= inside - {last}
    return replaced


def _drop_largest(stations: list[Station], extras: dict[int, list[Extra]]) -> None:
    """Leave stations to the model that take too many numbers to compute elsewhere."""
    sizes = {number: sum(e.data.nbytes for e in each) for number, each in extras.items()}
    for number in sorted(sizes, key=lambda number: sizes[number], reverse=True):
        if sum(sizes[each] for each in extras) <= _MAX_EXTRA_BYTES:
            break
        del extras[number]
        stations[number] = replace(stations[number], compute=None)


def _float32(data: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.ascontiguousarray(data.detach().float().cpu().numpy())
