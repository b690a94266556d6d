"""A model run with its sums Σφ watched, or replaced, and left as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from kan_widgets.functions import LayerFunctions, Sum, Tap, find
from kan_widgets.functions.reading import named_layers
from kan_widgets.functions.registry import find_adapter


@dataclass(frozen=True, eq=False)
class Stage:
    """Layers whose functions add up to what passes at one place of a running model."""

    parts: tuple[LayerFunctions, ...]
    inputs: tuple[Tap, ...]
    """Where the input of each part passes."""
    at: Tap
    """Where the sum passes."""
    bias: Tensor | None
    """``(out,)``, what is added to the sum there."""

    @property
    def kind(self) -> str:
        """``"conv"`` or ``"linear"``."""
        return self.parts[0].kind

    @property
    def name(self) -> str:
        """Names of the layers."""
        return ", ".join(part.name for part in self.parts)


@dataclass(frozen=True)
class Flattening:
    """A feature map that was laid out as features."""

    shape: tuple[int, int, int]
    """(channels, height, width)."""
    time: int


class Run:
    """What passed while a model ran once."""

    def __init__(self) -> None:
        self.passed: dict[Tap, list[Tensor]] = {}
        self.times: dict[Tap, int] = {}
        self.flattened: list[Flattening] = []
        self.output: Any = None
        self._clock = 0

    def tick(self) -> int:
        """Return the number of this event."""
        self._clock += 1
        return self._clock

    def at(self, tap: Tap) -> Tensor | None:
        """Return what passed at a tap, joined; ``None`` if nothing did."""
        passed = self.passed.get(tap)
        if not passed:
            return None
        return tap.join(passed)

    def input(self, tap: Tap) -> Tensor:
        """Return what passed at the input of a stage that ran."""
        x = self.at(tap)
        assert x is not None
        return x


def stages_of(model: nn.Module) -> list[Stage]:
    """List the sums of functions in a model, in the order its modules were added.

    Raises
    ------
    TypeError, ValueError
        As `kan_widgets.functions.read`.
    """
    found = []
    for entry in find(model):
        if entry.elementwise:
            continue
        adapter, _ = find_adapter(entry.module)
        own = entry.reader(entry.module)
        own = [own] if isinstance(own, LayerFunctions) else list(own)
        # Not read twice: what is read may be a copy.
        whole = named_layers(entry.name, entry.module, own)
        named = dict(zip((layer.name for layer in own), whole, strict=True))
        sums = [Sum(tuple(named), Tap((entry.module,), "output"))]
        if adapter is not None and adapter.sums is not None:
            sums = list(adapter.sums(entry.module))
        for place in sums:
            parts = tuple(named[name] for name in place.layers)
            taps = tuple(part.x_at or Tap((entry.module,)) for part in parts)
            if any(tap.view for tap in taps):
                continue  # over one or three dimensions there are no maps to follow
            found.append(Stage(parts, taps, place.at, place.bias))
    return found


def run(
    model: nn.Module,
    x: Tensor,
    taps: list[Tap],
    replaced: tuple[Tap, list[Tensor]] | None = None,
) -> Run:
    """Run a model on a batch and keep what passes at some taps.

    Parameters
    ----------
    model
        In the mode it is to run in: see `kan_widgets.functions.undisturbed`.
    x
        The batch.
    taps
        What to keep.
    replaced
        A tap, and what is to pass there instead at each of its calls.
    """
    record = Run()
    handles = []

    def keep(tap: Tap, value: Tensor) -> Tensor | None:
        record.times[tap] = record.tick()
        before = record.passed.setdefault(tap, [])
        # Copies, because the model may go on in place.
        if replaced is None or tap is not replaced[0]:
            before.append(value.clone())
            return None
        before.append(replaced[1][len(before)].clone())
        return before[-1].clone()

    def before(tap: Tap) -> Callable[..., Any]:
        return lambda _, given: _exchange(tuple(given), lambda value: keep(tap, value))

    def after(tap: Tap) -> Callable[..., Any]:
        def hook(_: nn.Module, __: Any, result: Any) -> Any:
            if isinstance(result, Tensor):
                return keep(tap, result)
            return _exchange(tuple(result), lambda value: keep(tap, value))

        return hook

    for tap in dict.fromkeys([*taps, *([replaced[0]] if replaced else [])]):
        for module in dict.fromkeys(tap.modules):
            if tap.side == "input":
                handles.append(module.register_forward_pre_hook(before(tap)))
            else:
                handles.append(module.register_forward_hook(after(tap)))
    try:
        with _Flattenings(record):
            record.output = model(x)
    finally:
        for handle in handles:
            handle.remove()
    return record


def _exchange(
    values: tuple[Any, ...], change: Callable[[Tensor], Tensor | None]
) -> tuple[Any, ...] | None:
    """Return ``values`` with their first tensor changed; ``None`` where it stays."""
    for k, value in enumerate(values):
        if isinstance(value, Tensor):
            new = change(value)
            return None if new is None else (*values[:k], new, *values[k + 1 :])
    return None


class _Flattenings(TorchFunctionMode):
    """Notes where one feature map becomes a row of features."""

    _NAMES = ("flatten", "view", "reshape")

    def __init__(self, record: Run) -> None:
        super().__init__()
        self._record = record

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") in self._NAMES and args and isinstance(args[0], Tensor):
            x = args[0]
            rows = isinstance(result, Tensor) and result.shape == (1, x.numel())
            # The places of a map whose axes were exchanged are not known.
            plain = x.is_contiguous() or x.is_contiguous(memory_format=torch.channels_last)
            if rows and x.ndim == 4 and plain:
                shape = x.shape[1], x.shape[2], x.shape[3]
                self._record.flattened.append(Flattening(shape, self._record.tick()))
        return result
