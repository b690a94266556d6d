"""How large the gradient is, and the last update, of the base and spline coefficients."""

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
from kan_widgets.live.frames.coefficient_copies import Arriving
from kan_widgets.live.frames.thinning import evenly_spaced
from kan_widgets.live.model.edits import Edit
from kan_widgets.live.watching.binding import Binding
from kan_widgets.nn.torch_modes import ungraded

_MAX_PER_SECOND = 10.0
_MAX_KEPT = 1000


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
    """

    def __init__(self, binding: Binding) -> None:
        self._throttle = Throttle(_MAX_PER_SECOND)
        self._before: tuple[int, Edit | None, tuple[str, ...], list[Tensor]] | None = None
        self._coming: deque[_Measured] = deque()
        self._kept: list[dict[str, UpdateSizes]] = []
        self._reading = threading.Lock()
        self._binding, me = weakref.ref(binding), weakref.ref(self)

        def measure(step: int, framed: bool) -> None:
            if (updates := me()) is not None:
                updates._measure(step, framed)

        # What calls it keeps neither it nor the binding, so that both go with their last user.
        self._end = weakref.finalize(self, binding.feed.counter.add_step_listener(measure))
        self._end.atexit = False

    def close(self) -> None:
        """Measure no more; what was measured stays."""
        self._end()
        self._before = None

    # -- in the thread that trains ----------------------------------------------------

    def _measure(self, step: int, framed: bool) -> None:
        before, self._before = self._before, None
        now = time.perf_counter()
        binding, layers = self._binding(), None
        if binding is None:
            return
        edit = binding.edits.latest  # what came of an edit is no update of the optimizer's
        if before is not None and before[:2] == (step - 1, edit):
            layers = binding.read()
            if before[2] == tuple(layer.name for layer in layers):
                self._coming.append(_Measured(step, layers, before[3]))
        if framed and self._throttle.is_open(now):
            layers = binding.read() if layers is None else layers
            names = tuple(layer.name for layer in layers)
            self._before = step, edit, names, [layer.coefficients.clone() for layer in layers]
        if layers is not None:
            self._throttle.spent(now, time.perf_counter() - now)

    # -- in any thread ----------------------------------------------------------------

    def _arrived(self) -> list[dict[str, UpdateSizes]]:
        with self._reading:
            while self._coming and self._coming[0].is_ready():
                self._kept.append(self._coming.popleft().sizes())
            if len(self._kept) > _MAX_KEPT:
                steps = [next(iter(sizes.values())).step for sizes in self._kept]
                self._kept = [self._kept[place] for place in evenly_spaced(steps, _MAX_KEPT // 2)]
            return list(self._kept)

    def series(self, name: str) -> list[UpdateSizes]:
        """Return one layer's updates by rising steps, thinned evenly where there are many."""
        return [sizes[name] for sizes in self._arrived() if name in sizes]

    def latest(self, name: str, step: int | None = None) -> UpdateSizes | None:
        """Return a layer's last update, at or before ``step`` if that is given."""
        for sizes in reversed(self._arrived()):
            if name in sizes and (step is None or sizes[name].step <= step):
                return sizes[name]
        return None


_updates_of: weakref.WeakKeyDictionary[Binding, weakref.ref[Updates]] = weakref.WeakKeyDictionary()


def updates_of(binding: Binding) -> Updates:
    """Return the `Updates` of a binding, one for all who ask."""
    known = _updates_of.get(binding)
    updates = known() if known is not None else None
    if updates is None:
        updates = Updates(binding)
        _updates_of[binding] = weakref.ref(updates)
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
    """Return the root mean square of finite values over some basis functions; NaN where none is."""
    if values is None or not part:
        return torch.full((), float("nan"), device=like.device)
    # Mostly they are a run, and a slice: an index of numbers would have to travel to the device.
    is_run = part[-1] - part[0] + 1 == len(part)
    chosen = (values[..., part[0] : part[-1] + 1] if is_run else values[..., part]).float()
    finite = chosen.isfinite()
    squares = torch.where(finite, chosen, 0.0).square()
    return (squares.sum() / finite.sum()).sqrt()
