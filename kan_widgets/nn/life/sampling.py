"""Inputs passed to a layer's methods, checked; and a random sample of their patches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Union

import torch
from torch import Tensor

#: A batch, or several that may differ in shape.
Inputs = Union[Tensor, Sequence[Tensor]]  # noqa: UP007  (evaluated on Python 3.10)


def checked_inputs(batch: Inputs) -> Sequence[Tensor]:
    """Return one batch or several as a sequence.

    Raises `TypeError` if it is not floating-point tensors, and `ValueError` if it is empty or not
    finite.
    """
    batches = [batch] if isinstance(batch, Tensor) else batch
    if not isinstance(batches, Sequence) or not batches:
        raise TypeError(
            f"batch={batch!r:.80}: expected a floating-point tensor of the layer's inputs"
        )
    for x in batches:
        if not isinstance(x, Tensor) or not x.is_floating_point():
            what = str(x.dtype) if isinstance(x, Tensor) else type(x).__name__
            raise TypeError(
                f"batch of type {what}: expected a floating-point tensor of the layer's inputs"
            )
        if x.numel() == 0:
            raise ValueError(f"batch of shape {tuple(x.shape)}: expected at least one input")
        bad = int((~x.isfinite()).sum())
        if bad:
            raise ValueError(
                f"batch with {bad} of {x.numel()} numbers NaN or infinite: expected finite ones"
            )
    return batches


def random_rows(shape: Sequence[int], count: int, device: torch.device) -> Tensor:
    """Return which patches to use where using all would take too long.

    Even strides would not do: where the stride divides the patches of an image, it always
    meets the same few positions. So images and positions are drawn at random, under two rules:
    every image comes equally often, or once more; and so does every position, those that come
    once more one from each of equally large regions. No patch comes twice, each is as likely as
    any other, and any first part of the result is balanced over images and positions as well.

    The generator is this function's own and starts again at each call: the same shape always
    gives the same patches, on every device.

    Patches are laid out as ``shape`` says, ``(images, *positions)``; of fewer than ``count`` all
    are returned, in their order. The result, ``(min(count, patches),)`` int64 on the device, is
    their numbers, counted as in an array of that shape.

    Examples
    --------
    >>> chosen = random_rows((100, 28, 28), 200, torch.device("cpu"))
    >>> (chosen // 28**2).bincount().unique()  # each of the 100 images
    tensor([2])
    """
    images, *where = shape or (1,)
    places = math.prod(where)
    if count >= images * places:
        return torch.arange(images * places, device=device)
    # On the CPU, where every device can have its numbers from, alike.
    generator = torch.Generator().manual_seed(0)
    width = where[-1] if where else 1
    which = _shuffled(torch.arange(images), count % images, generator)
    place = _shuffled(_path(places, width, count % places), count % places, generator)
    turn = torch.arange(count)
    # Two wheels of unlike size meet in every pair before one repeats; wheels that have a divisor
    # in common repeat after their least common multiple, and then one moves on by a tooth.
    both = math.lcm(images, places)
    teeth = turn // both - (count - 1) // both  # the last round starts at the wheel's mark
    chosen = which[turn % images] * places + place[(turn + teeth) % places]
    return chosen.to(device)


def _path(places: int, width: int, stretches: int) -> Tensor:
    """Return all positions along a path that ``stretches`` equal parts cut into compact regions.

    It goes along bands of rows, column by column, each band as high as a square region is.
    """
    place = torch.arange(places)
    row, column = place // width, place % width
    band = row // max(1, round(math.sqrt(places / max(1, stretches))))
    return torch.argsort((band * width + column) * places + row)


def _shuffled(path: Tensor, first: int, generator: torch.Generator) -> Tensor:
    """Return a path's points in random order, the first ``first`` one from each equal stretch."""
    n = len(path)
    # The stretches differ by 1 where n is no multiple; from a random start on, that is no bias.
    path = path.roll(int(torch.randint(n, (1,), generator=generator)))
    ends = torch.arange(first + 1) * n // max(1, first)
    low, size = ends[:-1], ends.diff()
    taken = low + (torch.rand(first, generator=generator, dtype=torch.float64) * size).long()
    rest = torch.ones(n, dtype=torch.bool)
    rest[taken] = False
    others = rest.nonzero().squeeze(1)
    return torch.cat(
        [
            path[taken[torch.randperm(first, generator=generator)]],
            path[others[torch.randperm(len(others), generator=generator)]],
        ]
    )
