"""Compare the reading of an adapter with what a module computes, on a copy, as it is and moved."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import suppress

import torch
from torch import Tensor, nn

from kan_widgets.functions.layer import LayerFunctions
from kan_widgets.functions.moved import move, start
from kan_widgets.functions.otherwise import found_out
from kan_widgets.functions.proof import Unlike, compared, inputs_for, sums_of
from kan_widgets.functions.registry import Adapter, Sum
from kan_widgets.functions.sampling.ways import like_of
from kan_widgets.functions.undisturbed import stand_in

# TF32 on an accelerator and fast forms of a formula stay below; a norm left out does not.
TOLERANCE = 1e-3
# Numbers to multiply in one proof, and outputs of a linear layer to compare.
_WORK = 1e8
_OUTPUTS = 32
_EXAMPLES = 64


class Wrong(ValueError):
    """A reading is not what a module computes; the words say why."""


def difference(
    module: nn.Module,
    adapter: Adapter,
    roomy: bool,
    given: Tensor | None = None,
    again: bool = False,
) -> float:
    """Return how far the reading of an adapter is off, as a module is and with parameters moved.

    Compared is on inputs that it was ``given``, if any are known, and on others, but if it was
    compared on such before and is so ``again``.
    """

    def off(run: nn.Module) -> float:
        found = adapter.read(run)
        layers = [found] if isinstance(found, LayerFunctions) else list(found)
        if not all(bool(p.sum().isfinite()) for p in run.parameters() if p.is_floating_point()):
            return 0.0  # a training has run away: that is to be seen
        work = sum(layer.sizes.numel() * len(layer.bases) for layer in layers)
        samples = int(min(max(_WORK / work, 4), 24)) if roomy else 4
        sums = sums_of(run, adapter, tuple(layer.name for layer in layers))
        worst = None if given is None else _on(given, work, run, layers, sums)
        if again and worst is not None:
            return worst
        try:
            x = inputs_for(run, adapter, layers, samples)
            return max(worst or 0.0, _on_forms(x, run, layers, sums))
        except Exception as error:
            if worst is None or isinstance(error, Wrong):
                raise
            return worst  # it takes no others

    def exactly(run: nn.Module) -> float:
        try:
            return off(run)
        except Wrong:
            # Where functions nearly cancel, what is left may be rounding: not so in double.
            if (double := _in_double(run)) is None:
                raise
            with suppress(Exception):
                return off(double)
            raise

    def both(run: nn.Module, free: bool) -> float:
        if not free:
            return off(run)
        start(run)
        error = exactly(run)
        move(run)
        return max(error, exactly(run))

    return stand_in(module, both)


def _in_double(run: nn.Module) -> nn.Module | None:
    """Return a copy in double precision; ``None`` where it has that already, or none can be."""
    if like_of(run).dtype != torch.float32:
        return None
    try:
        return copy.deepcopy(run).double()
    except Exception:  # of a device without it, or of what cannot be copied twice
        return None


def _on(
    given: Tensor, work: int, run: nn.Module, layers: Sequence[LayerFunctions], sums: Sequence[Sum]
) -> float | None:
    """Compare on some of what a module was given; ``None`` if that is too much."""
    first = layers[0]
    places = given[0].numel() // max(1, first.shape[1] if given.ndim == 2 else given.shape[1])
    examples = int(_WORK // (work * max(1, places)))
    if not examples:
        return None
    x = given[: min(examples, len(given), _EXAMPLES)].to(like_of(run))
    return _told(x, run, layers, sums)


def _on_forms(
    x: Tensor, run: nn.Module, layers: Sequence[LayerFunctions], sums: Sequence[Sum]
) -> float:
    """Compare, whether a module takes (n, in), (n, tokens, in), (groups, n, in) or columns."""
    forms = [x, x.unsqueeze(1), x.unsqueeze(0), x.unsqueeze(2)] if x.ndim == 2 else [x]
    first: Exception | None = None
    for form in forms:
        try:
            return _told(form, run, layers, sums)
        except Wrong:
            raise
        except Exception as error:
            first = first or error
    assert first is not None
    raise first


def _told(
    x: Tensor, run: nn.Module, layers: Sequence[LayerFunctions], sums: Sequence[Sum]
) -> float:
    """Return how far Σφ is off, or raise the words for what is wrong."""
    try:
        return _compared(run, layers, sums, x)
    except Unlike as error:
        size = f"{error.error:.0%} of" if error.error < 2 else f"{error.error:.1f} times"
        words = found_out(run, layers, lambda other: _fits(run, other, sums, x))
        raise Wrong(
            f"it would be off by {size} its largest output: {words or str(error).split(':')[0]}"
        ) from error


def _compared(
    run: nn.Module, layers: Sequence[LayerFunctions], sums: Sequence[Sum], x: Tensor
) -> float:
    return compared(run, layers, sums, x, TOLERANCE, most_outputs=_OUTPUTS, constants=True)[0]


def _fits(run: nn.Module, layers: Sequence[LayerFunctions], sums: Sequence[Sum], x: Tensor) -> bool:
    try:
        _compared(run, layers, sums, x)
    except Exception:
        return False
    return True

