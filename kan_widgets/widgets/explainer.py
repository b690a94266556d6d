"""Explains an image by a model as it is now, and knows which layers are behind the model."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from kan_widgets.live.frames.layout import Names
from kan_widgets.widgets.explained import Part, parts_of

if TYPE_CHECKING:
    from torch import Tensor

    from kan_widgets.insight import Explanation
    from kan_widgets.live import Binding
    from kan_widgets.live.budget import Throttle


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

    def news(self) -> None:
        """Note that the model, the class or what was observed has changed."""
        self._news += 1

    def explain(
        self, source: Binding, target: int | None, layers: Sequence[str] | None = None
    ) -> None:
        """Explain these layers anew, all by default; what belongs to the last comes in any case.

        Only for who may run the model: see `kan_widgets.live.watching.errands`.

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
            parts = {part.layer: part for part in made}
            self.found = found
            if layers is None or not self.parts:
                self.parts = tuple(parts.values())
            else:
                self.parts = tuple(parts.get(part.layer, part) for part in self.parts)
            self._known |= dict.fromkeys(parts, news)
            self._done_at = time.monotonic()
            cost = time.perf_counter() - start
            self._throttle.spent(start, cost)
            alone = all(part.kind == "functions" for part in parts.values())
            for name, part in parts.items():
                # What all layers took together is no more than a bound for one of them.
                first = layers is not None or name not in self._costs
                if alone or (part.kind == "kernels" and first):
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
        old = [part.layer for part in self.parts if self._known.get(part.layer) != now]
        return sorted(old, key=lambda name: name != first)

    def cost(self, layer: str) -> float:
        """Return about how many seconds a layer takes; 0 before it was timed."""
        return self._costs.get(layer, 0.0)

    def due(self, layer: str, share: float) -> float:
        """Return when it may be explained again, by `time.monotonic`, to take a share of time."""
        return self._done_at + self.cost(layer) * (1 / share - 1)
