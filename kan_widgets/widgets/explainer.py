"""Explains an image by a model as it is now, and knows which layers are behind the model."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.live.frames.layout import Names
from kan_widgets.widgets.wire import finite, float32

if TYPE_CHECKING:
    from torch import Tensor

    from kan_widgets.functions import LayerFunctions
    from kan_widgets.insight import Explanation, KernelShares
    from kan_widgets.live import Binding
    from kan_widgets.live.budget import Throttle

Part = dict[str, Any]
"""The shares of one layer, as the browser reads them: see js/src/views/explain/content.ts."""

# Numbers of maps that are sent to the browser for one layer; those of the largest shares first.
_MAP_NUMBERS = 250_000


class Explainer:
    """The explanation of one image, of which each layer is as old as it was last asked for.

    Parameters
    ----------
    image : Tensor or array
        One input of the model.
    throttle : Throttle
        Is told what explaining costs.
    """

    found: Explanation
    """What was computed last."""

    def __init__(self, image: Tensor | NDArray[Any], throttle: Throttle) -> None:
        self.image, self._throttle = image, throttle
        self.parts: tuple[Part, ...] = ()
        """One for each layer, from the last to the first."""
        self._news = 0
        # Of each layer, what was known when it was tried last: how much news, and the step.
        self._known: dict[str, tuple[int, int]] = {}
        self._costs: dict[str, float] = {}
        self._done_at = float("-inf")
        self._computing = threading.RLock()

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that are explained, from the last to the first."""
        return tuple(part["layer"] for part in self.parts)

    def content(self) -> dict[str, Any]:
        """Return what was found as the browser reads it."""
        image = self.found.image
        return {
            "image": {"shape": list(image.shape), "data": float32(image)},
            "parts": list(self.parts),
        }

    def news(self) -> None:
        """Note that the model, the class or what was observed has changed."""
        self._news += 1

    def explain(
        self, source: Binding, target: int | None, layers: Sequence[str] | None = None
    ) -> None:
        """Explain these layers anew, all by default; what belongs to the last comes in any case.

        Only for who may run the model: see `kan_widgets.live.steering.between`.

        Raises
        ------
        RuntimeError
            If the binding is closed.
        TypeError, ValueError
            As `kan_widgets.insight.explain`. Nothing has changed then.
        """
        from kan_widgets.functions import read
        from kan_widgets.insight import explain

        with self._computing:
            news, start = (self._news, source.stats.steps), time.perf_counter()
            self._known |= dict.fromkeys(layers or (), news)
            model = source.model
            if model is None:
                raise RuntimeError("this binding is closed: bind the model again")
            seen = source.feed.observed or None
            found = explain(model, self.image, target, observed=seen, layers=layers)
            layers_read = read(model) if found.kernels else ()
            names = {
                layer.name: Names(layer.names, layer.input_names)
                for layer in source.feed.layout.layers
            }
            then = next(iter(seen.values())).step if seen else None
            made = parts_of(found, layers_read, news[1], names, then)
            parts = {part["layer"]: part for part in made}
            self.found = found
            if layers is None or not self.parts:
                self.parts = tuple(parts.values())
            else:
                self.parts = tuple(parts.get(part["layer"], part) for part in self.parts)
            self._known |= dict.fromkeys(parts, news)
            self._done_at = time.monotonic()
            cost = time.perf_counter() - start
            self._throttle.spent(start, cost)
            alone = all(part["kind"] == "functions" for part in parts.values())
            for name, part in parts.items():
                # What all layers took together is no more than a bound for one of them.
                first = layers is not None or name not in self._costs
                if alone or (part["kind"] == "kernels" and first):
                    self._costs[name] = cost

    def begin(self, source: Binding, target: int | None) -> None:
        """Explain all layers, after the last one alone: for what that costs. Raises as `explain`.

        Only once where there is no other layer to explain.
        """
        from kan_widgets.functions import read

        self.explain(source, target, ())
        model = source.model
        if model is not None and any(layer.kind == "conv" for layer in read(model)):
            self.explain(source, target)

    def behind(self, step: int, first: str = "") -> list[str]:
        """Return the layers that are older than this step or the news; ``first`` comes first."""
        now = self._news, step
        old = [name for name in self.layers if self._known.get(name) != now]
        return sorted(old, key=lambda name: name != first)

    def cost(self, layer: str) -> float:
        """Return about how many seconds a layer takes; 0 before it was timed."""
        return self._costs.get(layer, 0.0)

    def due(self, layer: str, share: float) -> float:
        """Return when it may be explained again, by `time.monotonic`, to take a share of time."""
        return self._done_at + self.cost(layer) * (1 / share - 1)


def parts_of(
    found: Explanation,
    layers: Iterable[LayerFunctions],
    step: int,
    names: Mapping[str, Names],
    seen: int | None = None,
) -> list[Part]:
    """Return the parts of an explanation, from the last layer to the first.

    Parameters
    ----------
    found
        The explanation.
    layers
        Those of the model whose kernels are explained.
    step
        Of the training, at which it was found.
    names
        Of outputs and inputs, by the layer.
    seen
        The step at which its images were observed, if that is known.
    """
    known = {layer.name: layer for layer in layers}
    outputs = (names.get(one.layer, Names()).outputs for one in found.functions)
    moment = {
        "step": step,
        "seen": seen,
        "target": found.target,
        "predicted": found.predicted,
        "classes": list(next(filter(None, outputs), ())),
        "scores": [finite(float(score)) for score in found.scores],
        "notes": list(found.notes),
    }
    parts = [_functions(found, number) for number in range(len(found.functions))]
    parts += [_kernels(shares, known[shares.layer]) for shares in reversed(found.kernels)]
    return [
        part | moment | {"names": list(own.outputs), "inputNames": list(own.inputs)}
        for part in parts
        for own in [names.get(part["layer"], Names())]
    ]


def _functions(found: Explanation, number: int) -> Part:
    shares = found.functions[number]
    values = shares.contributions[found.target]
    whole = sum(float(one.contributions[found.target].sum()) for one in found.functions)
    laid = found.map(number)
    return {
        "layer": shares.layer,
        "kind": "functions",
        "rows": 1,
        "columns": len(values),
        "values": float32(values),
        "beside": None if shares.usual is None else float32(shares.usual[found.target]),
        "kernel": [1, 1],
        "shared": False,
        "places": None if found.map_shape is None else list(found.map_shape),
        "mapped": [],
        "maps": None,
        **_total(None if laid is None else laid.sum(axis=0)),
        "samples": shares.samples,
        "sums": {
            "bias": finite(found.bias),
            "error": finite(found.error),
            "others": finite(whole - float(values.sum())) if len(found.functions) > 1 else None,
        },
    }


def _kernels(shares: KernelShares, layer: LayerFunctions) -> Part:
    values, shape = shares.contributions, layer.shape
    flat = shares.maps.reshape(values.size, *shares.maps.shape[2:])
    order = np.argsort(-np.abs(values.ravel()), kind="stable")
    mapped = order[: max(1, _MAP_NUMBERS // max(1, flat[0].size))]
    return {
        "layer": shares.layer,
        "kind": "kernels",
        "rows": values.shape[0],
        "columns": values.shape[1],
        "values": float32(values),
        "beside": float32(shares.ablated),
        "kernel": [shape[2], shape[3]],
        "shared": bool(layer.conv and layer.conv.shared),
        "places": None,
        "mapped": mapped.tolist(),
        "maps": float32(flat[mapped]),
        **_total(shares.maps.sum(axis=(0, 1), dtype=np.float64)),
        "samples": shares.samples,
        "sums": {"baseline": finite(shares.baseline), "missing": finite(shares.missing)},
    }


def _total(total: NDArray[Any] | None) -> Part:
    if total is None:
        return {"mapShape": None, "total": None}
    return {"mapShape": list(total.shape), "total": float32(total)}
