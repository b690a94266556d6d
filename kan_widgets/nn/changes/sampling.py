"""Inputs passed to a layer's methods, checked; and a random sample of their patches."""

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
            kind = str(x.dtype) if isinstance(x, Tensor) else type(x).__name__
            raise TypeError(
                f"batch of type {kind}: expected a floating-point tensor of the layer's inputs"
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
    """Return which patches to use where using all would take too long: some at random, evenly.

    All patches, position by position, are cut into ``count`` equal stretches, and of each one is
    drawn: so every position comes about equally often, and the images of one take turns. Even
    strides would not do (they may always meet the same few positions), nor would drawing freely:
    the mean of what changes over an image is then far more off. The generator is this function's
    own and starts again at each call: the same shape always gives the same patches, on every
    device, in random order.

    Patches are laid out as ``shape`` says, ``(images, *positions)``; of fewer than ``count`` all
    are returned, in their order. The result, ``(min(count, patches),)`` int64 on the device, is
    for ``select_patches``.

    Examples
    --------
    >>> chosen = random_rows((100, 28, 28), 4 * 28**2, torch.device("cpu"))
    >>> (chosen % 28**2).bincount().unique()  # each of the positions
    tensor([4])
    """
    patches = math.prod(shape)
    if count >= patches:
        return torch.arange(patches, device=device)
    generator = np.random.default_rng(0)
    ends = np.linspace(0, patches, count + 1).astype(int)
    place, image = np.divmod(generator.integers(ends[:-1], ends[1:]), shape[0])
    chosen = generator.permutation(image * (patches // shape[0]) + place)
    return torch.from_numpy(chosen).to(device)
