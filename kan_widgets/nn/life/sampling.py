"""Inputs passed to a layer's methods, checked; and a random sample of their patches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Union

import numpy as np
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
    """Return which patches to use where using all would take too long: some at random.

    Even strides would not do: where the stride divides the patches of an image, it always meets
    the same few positions. The generator is this function's own and starts again at each call: the
    same shape always gives the same patches, on every device, and any first part is random, too.

    Patches are laid out as ``shape`` says, ``(images, *positions)``; of fewer than ``count`` all
    are returned, in their order. The result, ``(min(count, patches),)`` int64 on the device, is
    their numbers, counted as in an array of that shape.
    """
    patches = math.prod(shape)
    if count >= patches:
        return torch.arange(patches, device=device)
    chosen = np.random.default_rng(0).choice(patches, count, replace=False)
    return torch.from_numpy(chosen).to(device)
