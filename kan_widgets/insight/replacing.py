"""A layer of a model, some of whose functions are replaced by their means for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kan_widgets.functions import LayerFunctions, ReadableModule, Sum, Tap, find, unwrap
from kan_widgets.functions.registry import find_adapter
from kan_widgets.insight.importance import Importance, importance
from kan_widgets.insight.kernels import Observed
from kan_widgets.insight.tables import Int64
from kan_widgets.nn.life.changes import together

Evaluate = Callable[[nn.Module], float]


class Trying(Protocol):
    """The edits of a binding."""

    @property
    def trying(self) -> AbstractContextManager[Any]:
        """Held while functions are changed only to try something."""


class Bound(Protocol):
    """A binding."""

    @property
    def model(self) -> nn.Module | None:
        """The bound model."""

    @property
    def edits(self) -> Trying:
        """Its edits."""


class Replaceable:
    """A layer of a model whose functions can be replaced by their means, and put back."""

    def __init__(
        self, model: nn.Module | Bound, layer: LayerFunctions | str, observed: Observed | None
    ) -> None:
        self._edits: Trying | None = None
        inner: nn.Module | None
        if isinstance(model, nn.Module):
            inner = model
        else:
            inner, self._edits = getattr(model, "model", None), getattr(model, "edits", None)
            if not isinstance(inner, nn.Module):
                raise TypeError(f"model: expected a model or an open binding, got {model!r:.80}")
        # A compiled model would go on without the hooks.
        self.model = unwrap(inner)
        self.name = layer if isinstance(layer, str) else layer.name
        self._module, self._local, self.functions = _find(self.model, self.name)
        if self.functions.write is None:
            why = self.functions.locked or "no way back from coefficients to parameters"
            raise ValueError(f"the functions of {self.name} cannot be replaced: {why}")
        self.importance: Importance = importance(self.functions, observed)
        self._sum = _sum_of(self._module, self._local)
        self._size: tuple[int, ...] = ()

    def chosen(self, functions: int | Sequence[Sequence[int]]) -> Int64:
        """Return the places of functions, ``(n, 4)``: of those given, or of the most important."""
        shape = self.functions.shape
        if isinstance(functions, int):
            if functions < 1:
                raise ValueError(f"functions: expected a whole number ≥ 1, got {functions}")
            spread = np.nan_to_num(self.importance.spread, nan=-1.0).reshape(-1)
            first = np.argsort(-spread, kind="stable")[:functions]
            return np.stack(np.unravel_index(first, shape), axis=1)
        places = []
        for index in functions:
            place = tuple(int(i) for i in index)
            place = (*place, 0, 0) if len(place) == 2 and shape[2:] == (1, 1) else place
            if len(place) != 4 or any(not 0 <= i < n for i, n in zip(place, shape, strict=True)):
                raise IndexError(
                    f"function {tuple(index)}: {self.name} has {' × '.join(map(str, shape))}"
                )
            places.append(place)
        if not places:
            raise ValueError("functions: expected at least one place, such as (0, 1), got none")
        return np.array(places, dtype=np.int64)

    def score(self, evaluate: Evaluate) -> float:
        """Return what ``evaluate`` gives for the model as it is now.

        Raises
        ------
        ValueError
            If it is not finite.
        """
        value = float(evaluate(self.model))
        if not np.isfinite(value):
            raise ValueError(f"evaluate: expected it to return a finite number, got {value}")
        return value

    @contextmanager
    def trying(self) -> Iterator[None]:
        """Take no frames meanwhile, and restore the modes of all modules afterwards."""
        modes = {part: part.training for part in self.model.modules()}
        with ExitStack() as stack:
            # In this order: who reads a frame holds the first while waiting for the second.
            if self._edits is not None:
                stack.enter_context(self._edits.trying)
            stack.enter_context(together)
            stack.enter_context(torch.no_grad())
            try:
                self.model.eval()
                yield
            finally:
                for part, mode in modes.items():
                    part.training = mode

    @contextmanager
    def at_means(self, places: Int64) -> Iterator[None]:
        """Replace some functions by their means for the duration of a ``with`` block."""
        if not len(places):
            yield
            return
        means = self.importance.mean[tuple(places.T)]
        if not np.isfinite(means).all():
            place = tuple(places[~np.isfinite(means)][0].tolist())
            raise ValueError(f"function {place} of {self.name} is not finite: it has no mean")
        out, _, kh, kw = self.functions.shape
        total = np.zeros((out, kh, kw))
        np.add.at(total, tuple(places[:, [0, 2, 3]].T), means)
        tensors = [*self._module.parameters(), *self._module.buffers()]
        kept = [tensor.detach().clone() for tensor in tensors]
        handles = self._hooks(torch.from_numpy(total))
        try:
            self._zero(places)
            yield
        finally:
            for handle in handles:
                handle.remove()
            with torch.no_grad():
                for tensor, value in zip(tensors, kept, strict=True):
                    tensor.copy_(value)

    def _zero(self, places: Int64) -> None:
        coefficients = self.functions.coefficients
        nothing = torch.zeros_like(coefficients[(0,) * (coefficients.ndim - 1)])
        assert self.functions.write is not None
        for place in places.tolist():
            index = tuple(place) if self.functions.kind == "conv" else tuple(place[:2])
            # One that was pruned is 0 already and cannot be written.
            if coefficients[index].any():
                self.functions.write(index, nothing)

    def _hooks(self, total: Tensor) -> list[Any]:
        """Add the means, ``(out, kh, kw)``, where the sum appears in the running model."""
        tap = self._sum.at
        parts = list(dict.fromkeys(tap.modules))
        added = parts[:1] if tap.joined == "add" else parts
        handles = []
        conv = self.functions.conv
        if conv is not None and conv.pads_basis:
            handles.append(self._module.register_forward_pre_hook(self._see, with_kwargs=True))
        for number, part in enumerate(added):
            share = (number, len(added))
            if tap.side == "input":
                handles.append(part.register_forward_pre_hook(self._before(total, share)))
            else:
                handles.append(part.register_forward_hook(self._after(total, share)))
        return handles

    def _see(self, module: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        [x, *_] = [value for value in (*given, *named.values()) if isinstance(value, Tensor)]
        self._size = tuple(x.shape[-2:])

    def _before(self, total: Tensor, share: tuple[int, int]) -> Any:
        def hook(module: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
            return self._raised(given[0], total, share), *given[1:]

        return hook

    def _after(self, total: Tensor, share: tuple[int, int]) -> Any:
        def hook(module: nn.Module, given: Any, result: Any) -> Any:
            if isinstance(result, Tensor):
                return self._raised(result, total, share)
            return self._raised(result[0], total, share), *result[1:]

        return hook

    def _raised(self, sums: Tensor, total: Tensor, share: tuple[int, int]) -> Tensor:
        """Add the means to the sums, or to the part of their channels that passes here."""
        total = total.to(sums)
        if self.functions.kind == "linear":
            level = total[:, 0, 0]
            axis = -1
        else:
            conv, axis = self.functions.conv, -3
            level = total.sum((1, 2))[:, None, None]
            if conv is not None and conv.pads_basis:
                # Over the border no function adds anything, so neither does a mean.
                ones = F.pad(total.new_ones(1, 1, *self._size), conv.padding)
                weight = total[:, None]
                level = F.conv2d(ones, weight, None, conv.stride, 0, conv.dilation)[0]
            if conv is not None and conv.shared:
                level = level.repeat(sums.shape[axis] // len(level), 1, 1)
        number, parts = share
        channels = len(level) // parts
        if sums.shape[axis] != channels:
            raise ValueError(
                f"{sums.shape[axis]} sums pass where {self.name} adds up {channels}: it is not "
                "known where their means go"
            )
        return sums + level[number * channels : (number + 1) * channels]


def _find(model: nn.Module, name: str) -> tuple[nn.Module, str, LayerFunctions]:
    """Return the module that holds a layer, the layer's name within it, and its functions."""
    names = []
    for entry in find(model):
        local = _local_names(entry)
        for own, functions in zip(local, entry.read(), strict=True):
            names.append(functions.name)
            if functions.name == name:
                if functions.kind == "elementwise":
                    raise ValueError(
                        f"layer={name!r}: {functions.type} is a learned activation, which adds no "
                        "functions up: give a layer that does"
                    )
                if functions.x_at is not None and functions.x_at.view is not None:
                    raise ValueError(
                        f"layer={name!r}: means are put only into layers of vectors or maps, not "
                        f"into those of {functions.type}"
                    )
                return entry.module, own, functions
    raise ValueError(f"layer={name!r}: the layers are {', '.join(map(repr, names))}")


def _local_names(entry: ReadableModule) -> list[str]:
    found = entry.reader(entry.module)
    return [part.name for part in ([found] if isinstance(found, LayerFunctions) else found)]


def _sum_of(module: nn.Module, name: str) -> Sum:
    """Return where the sums of a layer appear: what the adapter says, or the module's output."""
    adapter, _ = find_adapter(module)
    if adapter is not None and adapter.sums is not None:
        for place in adapter.sums(module):
            if name in place.layers:
                return place
    return Sum((name,), Tap((module,), "output"))
