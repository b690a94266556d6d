"""A model run with its sums Σφ watched, or replaced, and left as it was."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from torch import Tensor, nn

from kan_widgets.functions import LayerFunctions, Tap, find
from kan_widgets.functions.reading import named_parts
from kan_widgets.functions.registry import find_adapter, module_sums
from kan_widgets.functions.undisturbed import tapped


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
    def taps(self) -> tuple[Tap, ...]:
        """Where the sum passes, and the inputs."""
        return self.at, *self.inputs

    @property
    def name(self) -> str:
        """Names of the layers."""
        return ", ".join(part.name for part in self.parts)


class TappedPass:
    """The tensors that passed some taps while a model ran once."""

    def __init__(self) -> None:
        self.passed: dict[Tap, list[Tensor]] = {}
        self.times: dict[Tap, int] = {}
        self.output: Any = None
        self.clock = count()

    def ran(self, stages: Sequence[Stage]) -> list[Stage]:
        """Return the stages that ran, in that order."""
        ran = (stage for stage in stages if stage.at in self.times)
        return sorted(ran, key=lambda stage: self.times[stage.at])

    def once(self, tap: Tap) -> bool:
        """Say whether all that passed at a tap did so in one call of its modules."""
        return len(self.passed[tap]) == len(dict.fromkeys(tap.modules))

    def at(self, tap: Tap) -> Tensor:
        """Return what passed at a tap of a stage that ran, joined."""
        return tap.join(self.passed[tap])


def stages_of(model: nn.Module) -> list[Stage]:
    """List the sums of functions in a model, in the order its modules were added.

    Raises
    ------
    TypeError, ValueError
        As `kan_widgets.functions.read`.
    """
    stages = []
    for entry in find(model):
        if entry.elementwise:
            continue
        adapter, _ = find_adapter(entry.module)
        # Not read twice: what is read may be a copy.
        named = named_parts(entry.name, entry.module, entry.reader)
        for place in module_sums(entry.module, adapter, named):
            parts = tuple(named[name] for name in place.layers)
            taps = tuple(part.x_at or Tap((entry.module,)) for part in parts)
            if any(tap.view for tap in taps):
                continue  # over one or three dimensions there are no maps to follow
            stages.append(Stage(parts, taps, place.at, place.bias))
    return stages


def run(
    model: nn.Module,
    x: Tensor,
    taps: Sequence[Tap],
    put: Callable[[Tap, Tensor, TappedPass], Tensor | None] | None = None,
) -> TappedPass:
    """Run a model on a batch, in the mode it is in, and keep what passes at some taps.

    ``put`` gets a tap, what comes there and what has passed so far, and returns what is to pass
    instead, or ``None``.
    """
    record = TappedPass()

    def keep(tap: Tap, value: Tensor) -> Tensor | None:
        record.times[tap] = next(record.clock)
        new = None if put is None else put(tap, value, record)
        # Copies, because the model may go on in place.
        passed = (value if new is None else new).clone()
        record.passed.setdefault(tap, []).append(passed)
        return None if new is None else passed.clone()

    with tapped(taps, keep):
        record.output = model(x)
    return record
