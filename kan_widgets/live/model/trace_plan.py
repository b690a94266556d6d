"""Where in a running model the functions of its bound layers take something in, and add it up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from torch import Tensor, nn

from kan_widgets.functions import LayerFunctions, Tap
from kan_widgets.functions.adapters.pykan import problem_of_model
from kan_widgets.functions.reading import named_parts
from kan_widgets.functions.registry import LayerReader, find_adapter, module_sums, verdict_of
from kan_widgets.live.frames.layout import LayerLayout, Layout


class ModuleSide(NamedTuple):
    """The input of a module of the model, or its output."""

    path: str
    side: str


@dataclass(frozen=True, eq=False)
class SumAt:
    """Where the functions of some layers add up."""

    layers: tuple[LayerLayout, ...]
    inputs: tuple[ModuleSide, ...]
    """Where the input of each layer is taken."""
    at: ModuleSide
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
    sums: tuple[SumAt, ...]
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
    around = ModuleSide(path, "input"), ModuleSide(path, "output")
    block = SumAt(tuple(placed.values()), around[:1] * len(placed), around[1])
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
        *inputs, at = (ModuleSide(paths[tap.modules[0]], tap.side) for tap in taps)
        layers = tuple(placed[name] for name in part.layers)
        sums.append(SumAt(layers, tuple(inputs), at, part.bias))
    is_sum = len(sums) == 1 and (*sums[0].inputs, sums[0].at) == around
    return TracedModule(path, "sum" if is_sum else "inside", tuple(sums), proved)
