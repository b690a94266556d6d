"""The functions that a model calls with its examples: its stations, and what connects them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from kan_widgets.live.model.operations import (
    Call,
    Operation,
    Shape,
    is_transparent,
    operation,
    shape_of,
)

_READ_OFF = {"item", "tolist", "numpy", "__bool__", "__float__", "__int__", "__index__"}


@dataclass(eq=False)
class Raw:
    """A station in the making; its sources are numbers of others."""

    operation: Operation
    name: str
    sources: tuple[int, ...] = ()
    shape: Shape = ()
    layer: str | None = None
    sums: bool | None = None
    values: Tensor | None = None
    """``(n, *shape)``, perhaps reduced; a copy."""
    scope: tuple[int, ...] = ()
    """The calls of modules that it lies in, the outermost first."""


@dataclass(eq=False)
class Trail:
    """What was found on the way of some examples through a model."""

    raw: list[Raw] = field(default_factory=list)
    calls: list[tuple[str, nn.Module]] = field(default_factory=list)
    """The modules called, by their numbers in ``Raw.scope``."""
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

    # -- stations -------------------------------------------------------------------

    def add(
        self,
        operation: Operation,
        name: str,
        sources: Iterable[int],
        values: Tensor | None,
        layer: str | None = None,
    ) -> int:
        """Add a station, and return its number."""
        shape = None if values is None else shape_of(values, self._n)
        kept = None
        if shape is not None and values is not None and self.trail.raw:
            kept = self._reduce(values)
        self.trail.raw.append(
            Raw(
                operation,
                name,
                tuple(sources),
                shape or (),
                layer,
                values=kept,
                scope=tuple(self._scope),
            )
        )
        return len(self.trail.raw) - 1

    def link(self, values: Tensor, station: int) -> None:
        """Note which station some values come from."""
        self._station[id(values)] = station
        self._lost.discard(id(values))
        self._held.append(values)

    def _from(self, values: Iterable[Tensor]) -> tuple[int, ...]:
        found = []
        for each in values:
            if id(each) in self._lost:
                self._complain("a tensor is changed in place and used again under another name")
            elif id(each) in self._station:
                found.append(self._station[id(each)])
        return tuple(found)

    def _complain(self, trouble: str) -> None:
        self.trail.trouble = self.trail.trouble or trouble

    def end(self, output: Any) -> None:
        """Note what the model returned."""
        ends = self._from(tensors(output))
        if not ends:
            self._complain("nothing that it returns comes from the input by functions of torch")
        self.trail.ends = list(ends)

    # -- functions ------------------------------------------------------------------

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the function, and note what it made of the examples."""
        kwargs = kwargs or {}
        if self._inside or self._notes:
            return func(*args, **kwargs)
        data = [t for t in tensors((args, kwargs)) if id(t) in self._station or id(t) in self._lost]
        before = tuple(shape_of(each, self._n) for each in data)
        result = func(*args, **kwargs)
        if not data:
            return result
        name = getattr(func, "__name__", "")
        if name in ("__get__", "__set__"):
            name = getattr(func.__self__, "__name__", name)  # type: ignore[attr-defined]
        outputs = [args[0]] if name == "__setitem__" else list(tensors(result))
        if not outputs:
            if name in _READ_OFF:
                self._constants = False
            return result
        given = tuple(data)
        call = Call(func, name, args, kwargs, given, before, outputs[0], self._n, self._constants)
        self._note(call, outputs)
        return result

    def _note(self, call: Call, outputs: list[Tensor]) -> None:
        sources = self._from(call.given)
        if not sources:
            return
        changed = [each for each in outputs if any(each is given for given in call.given)]
        if is_transparent(call):
            station = sources[0]
        elif len(outputs) > 1:
            name = call.name.strip("_")
            station = self.add(Operation("other", name.replace("_", " ")), name, sources, None)
        else:
            found, sources = self._merged(operation(call), sources)
            station = self.add(found, self._name(call), sources, call.result)
        for each in outputs:
            self.link(each, station)
        for each in changed or (outputs if call.name == "__setitem__" else []):
            self._lose_aliases(each)

    def _merged(self, found: Operation, sources: tuple[int, ...]) -> tuple[Operation, Any]:
        """Make one operation of two that scale and shift by numbers."""
        before = self.trail.raw[sources[0]]
        both = before.operation, found
        if any((each.compute or {}).get("op") != "affine" or each.extras for each in both):
            return found, sources
        (s1, t1), (s2, t2) = (_line(each.compute or {}) for each in both)
        compute = {"op": "affine", "scale": s2 * s1, "shift": s2 * t1 + t2}
        return Operation("other", "scale and shift", compute), before.sources

    def _name(self, call: Call) -> str:
        """Return the path of the module of torch that calls the function, or its own name."""
        if self._scope:
            path, module = self.trail.calls[self._scope[-1]]
            if type(module).__module__.startswith("torch.nn") and not any(module.children()):
                return path
        return call.name.strip("_")

    def _lose_aliases(self, changed: Tensor) -> None:
        """Forget what other tensors are that have changed together with one."""
        memory = changed.untyped_storage().data_ptr()
        own = self._station[id(changed)]
        for each in self._held:
            if each is not changed and each.untyped_storage().data_ptr() == memory:
                if self._station.get(id(each)) != own:
                    self._station.pop(id(each), None)
                    self._lost.add(id(each))


def _line(compute: Mapping[str, Any]) -> tuple[float, float]:
    """Return by what an operation without extras scales and shifts."""
    scale, divisor, factor = (compute.get(name, 1.0) for name in ("scale", "divisor", "factor"))
    return scale / divisor, factor * compute.get("shift", 0.0)


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
