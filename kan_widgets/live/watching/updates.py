"""How large the gradient is, and the last update, of the base and spline coefficients."""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from kan_widgets.functions import LayerFunctions
from kan_widgets.live.budget import Throttle
from kan_widgets.live.frames.copies import Arriving
from kan_widgets.live.frames.edit import EditLog
from kan_widgets.live.frames.feed import Listener
from kan_widgets.live.frames.history import spread
from kan_widgets.live.watching.binding import Binding
from kan_widgets.nn.ungraded import ungraded

_MAX_PER_SECOND = 10.0
_MOST_KEPT = 1000


@dataclass(frozen=True)
class UpdateSizes:
    """Root mean squares over the coefficients of one layer at one step; NaN where unknown.

    A gradient is ∂loss/∂coefficient as the optimizer was given it; an update is what the step
    added to the coefficient. Coefficients where either is not finite do not count.
    """

    step: int
    gradient_base: float
    gradient_splines: float
    update_base: float
    update_splines: float


class Updates:
    """Measures a binding's updates now and then: one step after each frame.

    It reads parameters and their gradients in the thread that trains, between two steps, and
    changes nothing. At most ten steps a second are measured, fewer where that would take more than
    its part of the time (`kan_widgets.live.budget`).

    Parameters
    ----------
    binding
        Whose steps are measured until `close`, or until nobody holds what measures them.

    Examples
    --------
    >>> import torch, kan_widgets as kw
    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    >>> live = kw.bind(model, optimizer, every=1)
    >>> updates = Updates(live)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     (3 * model.weight).sum().backward()
    ...     optimizer.step()
    >>> sizes = updates.latest("Linear")
    >>> sizes.step, sizes.gradient_base, round(sizes.update_base, 6)
    (2, 3.0, 1.5)
    """

    def __init__(self, binding: Binding) -> None:
        self._throttle = Throttle(_MAX_PER_SECOND)
        self._before: tuple[int, tuple[str, ...], list[Tensor]] | None = None
        self._coming: deque[_Measured] = deque()
        self._kept: list[dict[str, UpdateSizes]] = []
        self._reading = threading.Lock()
        self._binding = weakref.ref(binding)
        # What calls it keeps neither it nor the binding, so that both go with their last user.
        self._end = weakref.finalize(self, _Ear(self, binding).end)
        self._end.atexit = False

    def close(self) -> None:
        """Measure no more; what was measured stays."""
        self._end()
        self._before = None

    # -- in the thread that trains ----------------------------------------------------

    def _watch(self, step: int, framed: bool) -> None:
        before, self._before = self._before, None
        now = time.perf_counter()
        binding, layers = self._binding(), None
        if binding is None:
            return
        if before is not None and before[0] == step - 1:
            layers = binding.read()
            if before[1] == tuple(layer.name for layer in layers):
                self._coming.append(_Measured(step, layers, before[2]))
        if framed and self._throttle.is_open(now):
            layers = binding.read() if layers is None else layers
            names = tuple(layer.name for layer in layers)
            self._before = step, names, [layer.coefficients.clone() for layer in layers]
        if layers is not None:
            self._throttle.spent(now, time.perf_counter() - now)

    def _edited(self) -> None:
        """Forget what came before an edit: that is no update of the optimizer's."""
        self._before = None

    # -- in any thread ----------------------------------------------------------------

    def _arrived(self) -> list[dict[str, UpdateSizes]]:
        with self._reading:
            while self._coming and self._coming[0].is_ready():
                self._kept.append(self._coming.popleft().sizes())
            if len(self._kept) > _MOST_KEPT:
                steps = [next(iter(sizes.values())).step for sizes in self._kept]
                self._kept = [self._kept[place] for place in spread(steps, _MOST_KEPT // 2)]
            return list(self._kept)

    def series(self, name: str) -> list[UpdateSizes]:
        """Return what was measured of one layer, steps rising; evenly thinned where it is much."""
        return [sizes[name] for sizes in self._arrived() if name in sizes]

    def latest(self, name: str, step: int | None = None) -> UpdateSizes | None:
        """Return what was measured last of a layer, at or before ``step`` if that is given."""
        for sizes in reversed(self._arrived()):
            if name in sizes and (step is None or sizes[name].step <= step):
                return sizes[name]
        return None


class _Ear(Listener):
    """Hears of steps and edits, without keeping what measures them."""

    title = "LayerRanges"

    def __init__(self, updates: Updates, binding: Binding) -> None:
        self._updates = weakref.ref(updates)
        self._binding = weakref.ref(binding)
        self._is_over = False
        binding.feed.subscribe(self)
        self._stop = binding.feed.counter.watch(self._watch)

    def _watch(self, step: int, framed: bool) -> None:
        if (updates := self._updates()) is not None:
            updates._watch(step, framed)

    def on_edit(self, edits: EditLog) -> None:
        """Pass it on."""
        if (updates := self._updates()) is not None:
            updates._edited()

    @property
    def is_over(self) -> bool:
        """Whether nothing is measured any more."""
        return self._is_over

    def on_replaced(self, source: object) -> None:
        """Hear no more: whoever shows sizes asks for those of the new binding."""
        self._is_over = True

    def end(self) -> None:
        """Hear no more. Called by the garbage collector too."""
        self._is_over = True
        self._stop()
        if (binding := self._binding()) is not None:
            binding.feed.let_go()


_of: weakref.WeakKeyDictionary[Binding, weakref.ref[Updates]] = weakref.WeakKeyDictionary()


def updates_of(binding: Binding) -> Updates:
    """Return what measures a binding's updates, the same for all who hold it."""
    known = _of.get(binding)
    updates = known() if known is not None else None
    if updates is None:
        updates = Updates(binding)
        _of[binding] = weakref.ref(updates)
    return updates


class _Measured(Arriving):
    """Root mean squares of one step, perhaps still on their way from a device."""

    @ungraded
    def __init__(self, step: int, layers: Sequence[LayerFunctions], before: list[Tensor]) -> None:
        self.step = step
        self.names = [layer.name for layer in layers]
        rows = [_sizes(layer, then) for layer, then in zip(layers, before, strict=True)]
        if len({row.device for row in rows}) > 1:
            rows = [row.cpu() for row in rows]
        super().__init__(torch.stack(rows))

    def sizes(self) -> dict[str, UpdateSizes]:
        return {
            name: UpdateSizes(self.step, *row)
            for name, row in zip(self.names, self.host().tolist(), strict=True)
        }


def _sizes(layer: LayerFunctions, before: Tensor) -> Tensor:
    """Return the four numbers of a layer, ``(4,)`` float32, on its device."""
    now = layer.coefficients
    gradient = layer.gradient() if layer.gradient is not None else None
    update = now - before if before.shape == now.shape else None
    base = [b for b, own in enumerate(layer.is_base) if own]
    splines = [b for b, own in enumerate(layer.is_base) if not own]
    return torch.stack(
        [
            _root_mean_square(values, part, now)
            for values in (gradient, update)
            for part in (base, splines)
        ]
    )


def _root_mean_square(values: Tensor | None, part: list[int], like: Tensor) -> Tensor:
    """Return it over some basis functions, of what is finite; NaN where nothing is."""
    if values is None or not part:
        return torch.full((), float("nan"), device=like.device)
    # Mostly they are a run, and a slice: an index of numbers would have to travel to the device.
    is_run = part[-1] - part[0] + 1 == len(part)
    chosen = (values[..., part[0] : part[-1] + 1] if is_run else values[..., part]).float()
    finite = chosen.isfinite()
    squares = torch.where(finite, chosen, 0.0).square()
    return (squares.sum() / finite.sum()).sqrt()
