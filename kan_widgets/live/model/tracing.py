"""Trace examples through a model, from layer to layer, by a plan of where its layers sum up."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from kan_widgets.functions import LayerFunctions, Tap
from kan_widgets.functions.adapters.pykan import problem_of_model
from kan_widgets.functions.layer_settings import STRAIGHT, ConvSettings
from kan_widgets.functions.pykan_networks import nodes_of
from kan_widgets.functions.reading import named_parts
from kan_widgets.functions.registry import LayerReader, find_adapter, module_sums, verdict_of
from kan_widgets.functions.undisturbed import removed, undisturbed
from kan_widgets.live.frames.layout import LayerLayout, Layout
from kan_widgets.live.frames.structure import StationKind
from kan_widgets.live.model.operations import Operation, shape_of
from kan_widgets.live.model.traced_calls import Tracer, Trail, tensors


class _ModuleSide(NamedTuple):
    """The input of a module of the model, or its output."""

    path: str
    side: str


@dataclass(frozen=True, eq=False)
class _SumAt:
    """Where the functions of some layers add up."""

    layers: tuple[LayerLayout, ...]
    inputs: tuple[_ModuleSide, ...]
    """Where the input of each layer is taken."""
    at: _ModuleSide
    bias: Tensor | None = None


@dataclass(frozen=True, eq=False)
class TracedModule:
    """A module with layers, and how examples are traced through it.

    As one layer, a ``"sum"`` of what it takes in; as a ``"block"`` that is not looked into; or
    ``"inside"``, from where its layers take something in to where they add up. A network of
    ``"pykan"`` is traced from layer to layer: `nodes_of` says what becomes of each one's sums.
    """

    path: str
    how: Literal["sum", "block", "inside", "pykan"]
    sums: tuple[_SumAt, ...]
    is_proved: bool
    """Whether its functions, with a bias, are known to be all that it computes."""

    @property
    def layers(self) -> tuple[LayerLayout, ...]:
        return tuple(layer for each in self.sums for layer in each.layers)


def plan_of(
    model: nn.Module, entries: Sequence[tuple[str, nn.Module, LayerReader]], layout: Layout
) -> tuple[TracedModule, ...]:
    """Return how to trace examples through a model, or through a copy of it.

    The modules with layers are given with their names and readers; ``layout`` has those of their
    layers that are bound.
    """
    paths = {module: path for path, module in model.named_modules()}
    parts = []
    for name, module, reader in entries:
        # A learned activation sums nothing: it is one of the operations between layers.
        own = {
            short: layer
            for short, layer in named_parts(name, module, reader).items()
            if layer.name in layout.names and layer.kind != "elementwise"
        }
        if own:
            parts.append(_traced_module(module, own, layout, paths))
    return tuple(parts)


def _traced_module(
    module: nn.Module, own: dict[str, LayerFunctions], layout: Layout, paths: dict[nn.Module, str]
) -> TracedModule:
    placed = {short: layout.layer(layer.name) for short, layer in own.items()}
    path = paths[module]
    around = _ModuleSide(path, "input"), _ModuleSide(path, "output")
    block = _SumAt(tuple(placed.values()), around[:1] * len(placed), around[1])
    verdict = verdict_of(module)
    plain = isinstance(module, nn.Linear | nn.Conv2d) and verdict is None
    proved = plain or (verdict is not None and verdict.is_whole)
    if not problem_of_model(module):
        is_whole = len(own) == len(module.act_fun)  # type: ignore[arg-type]
        return TracedModule(path, "pykan" if is_whole else "block", (block,), proved)
    adapter, _ = find_adapter(module)
    sums = []
    for part in module_sums(module, adapter, own):
        if any(name not in own for name in part.layers):
            return TracedModule(path, "block", (block,), proved)  # some are not bound
        taps = [*(own[name].x_at or Tap((module,)) for name in part.layers), part.at]
        if any(len(tap.modules) > 1 or tap.view for tap in taps):
            return TracedModule(path, "block", (block,), proved)
        *inputs, at = (_ModuleSide(paths[tap.modules[0]], tap.side) for tap in taps)
        layers = tuple(placed[name] for name in part.layers)
        sums.append(_SumAt(layers, tuple(inputs), at, part.bias))
    is_sum = len(sums) == 1 and (*sums[0].inputs, sums[0].at) == around
    return TracedModule(path, "sum" if is_sum else "inside", tuple(sums), proved)


def trace(
    model: nn.Module,
    plan: Sequence[TracedModule],
    inputs: Tensor,
    reduce: Callable[[Tensor], Tensor],
) -> Trail:
    """Run a model on examples, ``(n, ...)``, and note which way they take.

    The model is as before afterwards, see `undisturbed`, and so are the examples. ``reduce`` copies
    what is kept of a station's output. Whatever the model raises passes through.
    """
    tracer = _LayerTracer(model, plan, len(inputs), reduce)
    inputs = inputs.clone()
    tracer.link(inputs, tracer.add(Operation("input", "input"), "input", (), inputs))

    def run() -> Any:
        with removed(tracer.handles):
            tracer.place_hooks()
            return model(inputs)

    tracer.end(undisturbed(model, run, function_mode=tracer))
    return tracer.trail


class _LayerTracer(Tracer):
    """Traces calls and modules, and knows where the layers are."""

    def __init__(
        self,
        model: nn.Module,
        plan: Sequence[TracedModule],
        n: int,
        reduce: Callable[[Tensor], Tensor],
    ) -> None:
        super().__init__(n, reduce)
        self._model, self._plan = model, plan
        self.handles: list[Any] = []
        self._thread = threading.get_ident()
        self._passed: dict[_ModuleSide, tuple[int, ...]] = {}

    def place_hooks(self) -> None:
        """Place hooks on all modules that are looked into, and on the layers."""
        closed: set[nn.Module] = set()
        for part in self._plan:
            if part.how != "inside":
                closed.update(self._module(part.path).modules())
        for path, module in self._model.named_modules():
            if module not in closed:
                self._around(module, path.replace("._orig_mod", ""))  # torch.compile's
        for part in self._plan:
            if part.how == "pykan":
                self._hook_pykan(part)
            else:
                self._hook_sums(part)

    def _module(self, path: str) -> Any:
        return self._model.get_submodule(path)

    def _on(self, module: nn.Module, side: str, call: Callable[[list[Tensor]], object]) -> None:
        """Call a function with the tensors that a module takes in, or returns."""

        def on_input(_: nn.Module, arguments: Any, named: Any) -> None:
            self._noted(call, (arguments, named))

        def returned(_: nn.Module, __: Any, result: Any) -> None:
            self._noted(call, result)

        if side == "input":
            handle = module.register_forward_pre_hook(on_input, with_kwargs=True)
        else:
            handle = module.register_forward_hook(returned)
        self.handles.append(handle)

    def _noted(self, call: Callable[[list[Tensor]], object], values: Any) -> None:
        # Another thread may run the model meanwhile.
        if threading.get_ident() == self._thread:
            self._notes = True
            try:
                call(list(tensors(values)))
            finally:
                self._notes = False

    def _around(self, module: nn.Module, path: str) -> None:
        def before(_: list[Tensor]) -> None:
            self.trail.calls.append((path, module))
            self._scope.append(len(self.trail.calls) - 1)

        self._on(module, "input", before)
        self._on(module, "output", lambda _: self._scope.pop())

    def _hook_sums(self, part: TracedModule) -> None:
        """Trace layers from where their inputs pass to where they add up."""
        for place in part.sums:
            for side in place.inputs:
                self._on(self._module(side.path), side.side, partial(self._keep, side))
        if part.how != "inside":
            self._on(self._module(part.path), "input", partial(self._look_away, 1))
            self._on(self._module(part.path), "output", partial(self._look_away, -1))
        for place in part.sums:
            at = self._module(place.at.path)
            self._on(at, place.at.side, partial(self._add_up, part, place))

    def _look_away(self, by: int, _: list[Tensor]) -> None:
        self._inside += by

    def _keep(self, side: _ModuleSide, values: list[Tensor]) -> None:
        if not self._inside and values:
            self._passed[side] = self._from(values)[:1]

    def _add_up(self, part: TracedModule, place: _SumAt, values: list[Tensor]) -> None:
        if self._inside or not values:
            return
        reaching = [self._passed.get(side, ()) for side in place.inputs]
        if not all(reaching):
            name = place.layers[0].name
            self._complain(f"what reaches {name} does not come by functions of torch")
        alone, module = len(place.layers) == 1, self._module(part.path)
        stations = []
        for k, (layer, sources) in enumerate(zip(place.layers, reaching, strict=True)):
            out, bias = values[0] if alone else None, place.bias if k == 0 else None
            more = (
                {}
                if alone or part.how == "block"
                else {"shape": shape_of(values[0], self._n) or ()}
            )
            stations.append(self._layer(part, layer, sources, out, bias, **more))
        if not alone:
            joined = Operation("add", "add", {"op": "add"})
            if part.how == "block":
                joined = Operation("block", type(module).__name__)
            stations = [self.add(joined, joined.label, stations, values[0])]
        for each in values[:1] if part.how == "inside" else values:
            self.link(each, stations[0])

    def _layer(
        self,
        part: TracedModule,
        layer: LayerLayout,
        sources: tuple[int, ...],
        out: Tensor | None,
        bias: Tensor | None = None,
        **more: Any,
    ) -> int:
        """Add the station of a layer."""
        module = self._module(part.path)
        sums = part.is_proved and part.how != "block" and layer.split is None
        if layer.kind == "conv" and layer.conv is None:  # at the border nobody knows
            sums = False
        before = self.trail.raw[sources[0]].station.shape if sources else ()
        computed = len(sources) == 1 and len(before) == (3 if layer.kind == "conv" else 1) and sums
        compute: dict[str, Any] = {"op": "kan"}
        if isinstance(module, nn.Linear):
            compute = {"op": "linear"}
        elif isinstance(module, nn.Conv2d):
            settings = ConvSettings.of(module, module.groups)
            compute = {
                "op": "conv2d",
                "stride": list(settings.stride),
                "padding": list(settings.padding),
                "dilation": list(settings.dilation),
                "groups": settings.groups,
            }
            computed = computed and settings.padding_mode == "zeros"
        extras = {"bias": bias} if bias is not None and computed else {}
        n, inputs, kh, kw = layer.shape
        size = f"{kh}×{kw}" if layer.kind == "conv" else f"{inputs} → {n}"
        kind: StationKind = "plain" if layer.labels == STRAIGHT else "kan"
        found = Operation(kind, f"{layer.type} {size}", compute if computed else None, extras)
        return self.add(found, layer.name, sources, out, layer=layer.name, sums=sums, **more)

    def _hook_pykan(self, part: TracedModule) -> None:
        """Trace a model of pykan from layer to layer: what its nodes do is known."""
        model, layers = self._module(part.path), part.layers
        sources: tuple[int, ...] = ()
        total = torch.empty(0)

        def enter(values: list[Tensor]) -> None:
            nonlocal sources
            sources = self._from(values)[:1]
            if not sources:
                self._complain(f"what reaches {layers[0].name} does not come from the input")
            self._inside += 1

        def leave(values: list[Tensor]) -> None:
            self._inside -= 1
            station = self._nodes(model, len(layers) - 1, sources, values[0])[0]
            for each in values:
                self.link(each, station)

        def on_input(number: int, values: list[Tensor]) -> None:
            nonlocal sources
            if number:
                sources = self._nodes(model, number - 1, sources, values[0])
                return
            ids = [int(k) for k in model.input_id]
            width = self.trail.raw[sources[0]].station.shape if sources else ()
            if width != (len(ids),) or ids != list(range(len(ids))):
                compute = {"op": "products", "factors": [[k] for k in ids]}
                chosen = Operation("other", "chosen inputs", compute)
                sources = (self.add(chosen, "input_id", sources, values[0]),)

        def summed(number: int, symbolic: bool, values: list[Tensor]) -> None:
            nonlocal sources, total
            total = total + values[0] if symbolic else values[0]
            if symbolic == bool(model.symbolic_enabled):
                sources = (self._layer(part, layers[number], sources, total),)

        self._on(model, "input", enter)
        self._on(model, "output", leave)
        for number in range(len(layers)):
            self._on(model.act_fun[number], "input", partial(on_input, number))
            self._on(model.act_fun[number], "output", partial(summed, number, False))
            if model.symbolic_enabled:
                self._on(model.symbolic_fun[number], "output", partial(summed, number, True))

    def _nodes(self, model: Any, number: int, sources: tuple[int, ...], out: Tensor) -> Any:
        """Add pykan's nodes after a layer: sums scaled and shifted, multiplied, scaled again."""
        nodes = nodes_of(model, number)
        steps: list[tuple[Operation, str]] = []
        for pairs, name in ((nodes.before, "subnode"), (nodes.after, "node")):
            trained = model.affine_trainable if hasattr(model, "affine_trainable") else True
            if trained or any(pair != (1.0, 0.0) for pair in pairs):
                scale, shift = torch.tensor(pairs, dtype=torch.float64).unbind(1)
                extras = {"scale": scale, "shift": shift}
                affine = Operation("other", "scale and shift", {"op": "affine"}, extras)
                steps.append((affine, f"{name}_scale.{number}"))
            if name == "subnode" and any(len(factors) > 1 for factors in nodes.products):
                compute = {"op": "products", "factors": [list(each) for each in nodes.products]}
                words = ", ".join("·".join(map(str, e)) for e in nodes.products if len(e) > 1)
                steps.append((Operation("multiply", f"multiply {words}", compute), "multiply"))
        for k, (found, name) in enumerate(steps):
            last = k == len(steps) - 1
            width = len(nodes.products) if found.kind == "multiply" else len(nodes.before)
            own, more = (out, {}) if last else (None, {"shape": (width,)})
            station = self.add(found, name, sources, own, **more)
            sources = (station,)
        return sources
