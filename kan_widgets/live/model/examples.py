"""Follow examples through a model, from layer to layer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from kan_widgets.functions import LayerFunctions, Tap
from kan_widgets.functions.conv_settings import ConvSettings
from kan_widgets.functions.pykan_networks import nodes_of
from kan_widgets.functions.undisturbed import undisturbed
from kan_widgets.live.model.operations import Operation, shape_of
from kan_widgets.live.model.plan import Bound, Closed, Place, Plan, Pykan, Split
from kan_widgets.live.model.tracing import Tracer, Trail, tensors

# Functions times places: above, what the adapter says of the sums is believed.
_MOST_CHECKED = 200_000_000


def follow(
    model: nn.Module,
    plan: Plan,
    inputs: Tensor,
    reduce: Callable[[Tensor], Tensor],
    functions: Mapping[str, LayerFunctions] | None = None,
) -> Trail:
    """Run a model on examples, ``(n, ...)``, and note which way they take.

    The model is as before afterwards, see `undisturbed`, and so are the examples. ``reduce`` copies
    what is kept of a station's output. With ``functions``, the layers as they are now, it is found
    out whether they add up, and noted in ``plan.sums``. Whatever the model raises passes through.
    """
    tracer = _Follower(model, plan, len(inputs), reduce, functions or {})
    inputs = inputs.clone()
    tracer.link(inputs, tracer.add(Operation("input", "input"), "input", (), inputs))

    def run() -> Any:
        try:
            tracer.place_hooks()
            return model(inputs)
        finally:
            tracer.remove_hooks()

    tracer.end(undisturbed(model, run, watcher=tracer))
    return tracer.trail


class _Follower(Tracer):
    """Sees each module too, and knows where the layers are."""

    def __init__(
        self,
        model: nn.Module,
        plan: Plan,
        n: int,
        reduce: Callable[[Tensor], Tensor],
        functions: Mapping[str, LayerFunctions],
    ) -> None:
        super().__init__(n, reduce)
        self._model, self._plan, self._functions = model, plan, functions
        self._handles: list[Any] = []
        self._thread = threading.get_ident()
        self._passed: dict[Tap, tuple[tuple[int, ...], Tensor]] = {}

    # -- modules --------------------------------------------------------------------

    def place_hooks(self) -> None:
        """Place hooks on all modules that are looked into, and on the layers."""
        closed: set[nn.Module] = set()
        for part in self._plan.parts:
            if not isinstance(part, Split):
                closed.update(part.module.modules())
        for path, module in self._model.named_modules():
            if module not in closed:
                self._around(module, path.replace("._orig_mod", ""))  # torch.compile's
        for part in self._plan.parts:
            if isinstance(part, Closed):
                self._hook_closed(part)
            elif isinstance(part, Pykan):
                self._hook_pykan(part)
            else:
                for place in part.places:
                    self._hook_place(place)

    def remove_hooks(self) -> None:
        """Take all hooks out."""
        for handle in self._handles:
            handle.remove()

    def _before(self, module: nn.Module, call: Callable[[list[Tensor]], object]) -> None:
        def hook(_: nn.Module, given: Any, named: Any) -> None:
            self._noted(call, (given, named))

        self._handles.append(module.register_forward_pre_hook(hook, with_kwargs=True))

    def _after(self, module: nn.Module, call: Callable[[list[Tensor]], object]) -> None:
        def hook(_: nn.Module, __: Any, result: Any) -> None:
            self._noted(call, result)

        self._handles.append(module.register_forward_hook(hook))

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

        self._before(module, before)
        self._after(module, lambda _: self._scope.pop())

    def _hook_closed(self, part: Closed) -> None:
        """Follow a module from its input to its output at once."""
        module = part.module
        given: list[tuple[tuple[int, ...], Tensor | None]] = []

        def before(values: list[Tensor]) -> None:
            sources = self._from(values)[:1]
            if not sources and not self._inside:
                name = part.layers[0].name
                self._complain(f"what reaches {name} does not come by functions of torch")
            # A copy, because the module may go on in place.
            kept = values[0][:1].clone() if values and self._functions else None
            given.append((sources, kept))
            self._inside += 1

        def after(values: list[Tensor]) -> None:
            self._inside -= 1
            sources, x = given.pop()
            if self._inside or not values:
                return
            out = values[0]
            if part.is_sum:
                self._check(part.layers, (x,), part.bias, out)
                station = self._layer(part.layers[0], sources, out, part.bias, module)
            else:
                station = self._opaque(part, sources, out)
            for each in values:
                self.link(each, station)

        self._before(module, before)
        self._after(module, after)

    def _opaque(self, part: Closed, sources: tuple[int, ...], out: Tensor) -> int:
        for layer in part.layers:
            self._plan.sums[layer.name] = False
        if len(part.layers) == 1:
            return self._layer(part.layers[0], sources, out)
        stations = [self._layer(layer, sources, None) for layer in part.layers]
        kind = type(part.module).__name__
        return self.add(Operation("block", kind), kind, stations, out)

    def _layer(
        self,
        layer: Bound,
        sources: tuple[int, ...],
        out: Tensor | None,
        bias: Tensor | None = None,
        module: nn.Module | None = None,
    ) -> int:
        """Add the station of a layer."""
        sums = self._plan.sums.get(layer.name, True)
        before = self.trail.raw[sources[0]].shape if sources else ()
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
        found = Operation(
            "plain" if layer.is_plain else "kan", layer.label, compute if computed else None, extras
        )
        station = self.add(found, layer.name, sources, out, layer.name)
        self.trail.raw[station].sums = sums
        return station

    def _check(
        self,
        layers: Sequence[Bound],
        inputs: Sequence[Tensor | None],
        bias: Tensor | None,
        out: Tensor,
    ) -> None:
        """Note whether the functions of some layers add up to what passes, on one example."""
        functions = [self._functions.get(layer.name) for layer in layers]
        if not self._functions or all(layer.name in self._plan.sums for layer in layers):
            return
        try:
            total: Any = 0.0
            for known, x in zip(functions, inputs, strict=True):
                assert known is not None
                assert x is not None
                if known.sizes.numel() * x.numel() // known.shape[1] > _MOST_CHECKED:
                    adds_up = True
                    break
                total = total + known.total(x)
            else:
                found = out[:1].double()
                if bias is not None:
                    axis = 1 if layers[0].kind == "conv" else -1
                    sizes = [1] * found.ndim
                    sizes[axis] = -1
                    total = total + bias.detach().double().reshape(sizes)
                scale = float(found.abs().max())
                adds_up = total.shape == found.shape and bool(
                    ((total - found).abs() <= 1e-3 * max(scale, 1e-6)).all()
                )
        except Exception:  # inputs of another form than the functions take
            adds_up = False
        for layer in layers:
            self._plan.sums[layer.name] = adds_up

    def _hook_place(self, place: Place) -> None:
        """Follow layers from where their inputs pass to where they add up, inside a module."""
        for tap in place.inputs:
            self._at(tap, lambda values, tap=tap: self._keep(tap, values))  # type: ignore[misc]
        self._at(place.at, lambda values: self._add_up(place, values))

    def _at(self, tap: Tap, call: Callable[[list[Tensor]], object]) -> None:
        (self._before if tap.side == "input" else self._after)(tap.modules[0], call)

    def _keep(self, tap: Tap, values: list[Tensor]) -> None:
        if not self._inside and values:
            self._passed[tap] = self._from(values)[:1], values[0][:1].clone()

    def _add_up(self, place: Place, values: list[Tensor]) -> None:
        if self._inside or not values:
            return
        found = [self._passed.get(tap, ((), None)) for tap in place.inputs]
        if any(not sources for sources, _ in found):
            self._complain(f"what reaches {place.layers[0].name} is not among what passes")
        self._check(place.layers, [x for _, x in found], place.bias, values[0])
        alone = len(place.layers) == 1
        stations = []
        for k, (layer, (sources, _)) in enumerate(zip(place.layers, found, strict=True)):
            out = values[0] if alone else None
            stations.append(self._layer(layer, sources, out, place.bias if k == 0 else None))
        if not alone:
            for station in stations:
                self.trail.raw[station].shape = shape_of(values[0], self._n) or ()
            stations = [
                self.add(Operation("add", "add", {"op": "add"}), "add", stations, values[0])
            ]
        self.link(values[0], stations[0])

    # -- pykan ----------------------------------------------------------------------

    def _hook_pykan(self, part: Pykan) -> None:
        """Follow a model of pykan from layer to layer: what its nodes do is known."""
        model, at = part.module, _OnPykan()

        def enter(values: list[Tensor]) -> None:
            at.sources, at.sum = self._from(values)[:1], None
            if not at.sources:
                self._complain(f"what reaches {part.layers[0].name} does not come from the input")
            self._inside += 1

        def leave(values: list[Tensor]) -> None:
            self._inside -= 1
            at.sources = self._nodes(model, len(part.layers) - 1, at.sources, values[0])
            for each in values:
                self.link(each, at.sources[0])

        self._before(model, enter)
        self._after(model, leave)
        for number, layer in enumerate(part.layers):
            self._hook_pykan_layer(part, at, number, layer)

    def _hook_pykan_layer(self, part: Pykan, at: _OnPykan, number: int, layer: Bound) -> None:
        model = part.module

        def before(values: list[Tensor]) -> None:
            at.x = values[0]
            if number:
                at.sources = self._nodes(model, number - 1, at.sources, at.x)
            else:
                ids = [int(k) for k in model.input_id]
                width = self.trail.raw[at.sources[0]].shape if at.sources else ()
                if width != (len(ids),) or ids != list(range(len(ids))):
                    compute = {"op": "products", "factors": [[k] for k in ids]}
                    chosen = Operation("other", "chosen inputs", compute)
                    at.sources = (self.add(chosen, "input_id", at.sources, at.x),)

        def numeric(values: list[Tensor]) -> None:
            at.sum = values[0]
            if not model.symbolic_enabled:
                summed()

        def symbolic(values: list[Tensor]) -> None:
            assert at.sum is not None
            at.sum = at.sum + values[0]
            summed()

        def summed() -> None:
            assert at.sum is not None
            assert at.x is not None
            self._check((layer,), (at.x[:1],), None, at.sum)
            at.sources = (self._layer(layer, at.sources, at.sum),)

        self._before(model.act_fun[number], before)
        self._after(model.act_fun[number], numeric)
        if model.symbolic_enabled:
            self._after(model.symbolic_fun[number], symbolic)

    def _nodes(self, model: Any, number: int, sources: tuple[int, ...], out: Tensor) -> Any:
        """Add what is made of a layer's sums: scaled and shifted, multiplied, and once more."""
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
            station = self.add(found, name, sources, out if last else None)
            if not last:
                width = len(nodes.products) if found.kind == "multiply" else len(nodes.before)
                self.trail.raw[station].shape = (width,)
            sources = (station,)
        return sources


@dataclass(eq=False)
class _OnPykan:
    """How far a model of pykan has run."""

    sources: tuple[int, ...] = ()
    x: Tensor | None = None
    sum: Tensor | None = None
