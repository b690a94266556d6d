"""Remove the functions that matter little."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate, pairwise

import torch
from torch import Tensor

from kan_widgets.nn.core import LayerCore
from kan_widgets.nn.life.inputs import Inputs, checked_inputs
from kan_widgets.nn.life.magnitude import mean_magnitudes
from kan_widgets.nn.life.sampling import drawn
from kan_widgets.nn.ungraded import ungraded

#: Patches that a mean is taken over; of more, this many are drawn.
PATCHES = 4096


@dataclass(frozen=True, eq=False)
class Pruning:
    """What `prune` removes from a layer, or would remove."""

    threshold: float
    """Importances up to this are removed."""
    importance: Tensor
    """The mean of |φ(x)| for each function, of the shape of ``base_weight``; 0 if pruned before."""
    removed: tuple[tuple[int, ...], ...]
    """The functions removed, (out, in) or (out, in, row, column); those pruned before left out."""
    remaining: int
    """How many functions remain."""
    dry_run: bool
    """Whether nothing has been removed yet."""

    def __str__(self) -> str:
        total = self.importance.numel()
        done = "would be removed" if self.dry_run else "removed"
        return (
            f"{len(self.removed)} of {total} functions {done} "
            f"(mean |φ| ≤ {self.threshold:g}), {self.remaining} remain"
        )


def prune(layer: LayerCore, threshold: float, batch: Inputs, dry_run: bool) -> Pruning:
    """Remove functions of a layer; see `KANLayer.prune`."""
    if not threshold >= 0:
        raise ValueError(f"threshold: expected a number ≥ 0, got {threshold}")
    importance = ungraded(mean_magnitudes)(layer, all_seen(layer, batch))
    if not importance.isfinite().all():
        raise ValueError(
            "some functions are not finite, so their importance is unknown: is a weight NaN?"
        )
    present = torch.ones_like(importance, dtype=torch.bool) if layer.mask is None else layer.mask
    going = present & (importance <= threshold)
    stays = present & ~going
    if not dry_run and going.any():
        layer.mask = stays
    return Pruning(
        float(threshold),
        importance,
        tuple(tuple(index) for index in going.nonzero().tolist()),
        int(stays.sum()),
        dry_run,
    )


def all_seen(layer: LayerCore, batch: Inputs) -> Tensor:
    """Return the inputs of a layer's functions, ``(n, groups, *base_weight.shape[1:])``.

    Of more than `PATCHES` patches that many are drawn, from several batches in proportion.
    """
    own = layer.base_weight.dim()  # groups, and what one function of each place sees
    parts = [layer.seen(x) for x in checked_inputs(batch)]
    shapes = [part.shape[:-own] for part in parts]
    ends = list(accumulate((math.prod(shape) for shape in shapes), initial=0))
    share = min(1, PATCHES / ends[-1])
    chosen = []
    for part, shape, (first, last) in zip(parts, shapes, pairwise(ends), strict=True):
        count = round(last * share) - round(first * share)
        rows = drawn(shape, count, part.device)
        chosen.append(part.reshape(-1, *part.shape[-own:])[rows])
    return torch.cat(chosen)
