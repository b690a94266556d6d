"""How large functions are, |φ|₁, the mean of |φ(x)|; the penalty on that, and pruning."""

import math
from dataclasses import dataclass
from itertools import accumulate, pairwise

import torch
from torch import Tensor

from kan_widgets.checks import check_number
from kan_widgets.nn.activation import resolve_activation
from kan_widgets.nn.changes.sampling import Inputs, checked_inputs, random_rows
from kan_widgets.nn.core import LayerCore
from kan_widgets.nn.dense import expand_plain
from kan_widgets.nn.torch_modes import ungraded

# Numbers computed at once.
_PIECE = 4_000_000
# Points that the domain is measured at.
_POINTS = 64


def _mean_magnitudes(layer: LayerCore, seen: Tensor) -> Tensor:
    """Return the mean of |φ(x)| for every function, as ``base_weight`` has them, differentiably.

    ``seen`` is what the functions see, ``(n, groups, *base_weight.shape[1:])``; see `_all_seen`.
    """
    n, groups = seen.shape[:2]
    coefficients = layer.coefficients()
    nb = coefficients.shape[-1]
    grouped = coefficients.reshape(groups, -1, seen[0, 0].numel(), nb)
    places = grouped.shape[2]
    total = coefficients.new_zeros(grouped.shape[:-1])
    rows = max(1, _PIECE // max(1, grouped[..., 0].numel()))
    for part in seen.reshape(n, groups, places).split(rows):
        phi = torch.einsum("ngkb,gokb->ngok", _columns(layer, part), grouped)
        total = total + phi.abs().sum(0)
    return (total / n).reshape(layer.base_weight.shape)


def _columns(layer: LayerCore, x: Tensor) -> Tensor:
    return expand_plain(x, resolve_activation(layer.base_activation)(x), layer.basis)


def layer_regularization(
    layer: LayerCore, batch: Inputs | None, l1: float, entropy: float
) -> Tensor:
    """Return the weighted L1 norm and entropy of a layer; see `KANLayer.regularization`."""
    if batch is None:
        weight = layer.coefficients()
        low, high = layer.basis.domain
        x = torch.linspace(low, high, _POINTS, dtype=weight.dtype, device=weight.device)
        sizes = (weight @ _columns(layer, x).T).abs().mean(-1)
    else:
        sizes = _mean_magnitudes(layer, _all_seen(layer, batch))
    total = sizes.sum()
    # With a layer or a function that is 0 everywhere neither value nor gradient is NaN.
    share = sizes / torch.where(total > 0, total, 1)
    present = share > 0
    surprise = torch.where(present, share, 1).log()
    return l1 * total - entropy * (share * surprise).sum()


# Patches that a mean is taken over; of more, this many are drawn.
_PATCHES = 4096


@dataclass(frozen=True, eq=False)
class Pruning:
    """What `prune_layer` removes from a layer, or would remove."""

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
        verb = "would be removed" if self.dry_run else "removed"
        return (
            f"{len(self.removed)} of {total} functions {verb} "
            f"(mean |φ| ≤ {self.threshold:g}), {self.remaining} remain"
        )

    __repr__ = __str__


def prune_layer(layer: LayerCore, threshold: float, batch: Inputs, dry_run: bool) -> Pruning:
    """Remove functions of a layer; see `KANLayer.prune`."""
    check_number("threshold", threshold)
    importance = ungraded(_mean_magnitudes)(layer, _all_seen(layer, batch))
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


def _all_seen(layer: LayerCore, batch: Inputs) -> Tensor:
    """Return the inputs of a layer's functions, ``(n, groups, *base_weight.shape[1:])``.

    If there are more than 4,096 patches, that many are drawn, from batches in proportion.
    """
    own = layer.base_weight.dim()  # groups, and what one function of each place sees
    parts = [layer.seen(x) for x in checked_inputs(batch)]
    shapes = [part.shape[:-own] for part in parts]
    ends = list(accumulate((math.prod(shape) for shape in shapes), initial=0))
    share = min(1, _PATCHES / ends[-1])
    chosen = []
    for part, shape, (first, last) in zip(parts, shapes, pairwise(ends), strict=True):
        count = round(last * share) - round(first * share)
        rows = random_rows(shape, count, part.device)
        chosen.append(part.reshape(-1, *part.shape[-own:])[rows])
    return torch.cat(chosen)
