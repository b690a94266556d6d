"""Inputs passed to a layer's methods: one batch or several, checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union

from torch import Tensor

#: A batch, or several that may differ in shape.
Inputs = Union[Tensor, Sequence[Tensor]]  # noqa: UP007  (evaluated on Python 3.10)


def checked_inputs(batch: Inputs) -> Sequence[Tensor]:
    """Return one batch or several as a sequence.

    Raises
    ------
    TypeError
        If it is not floating-point tensors.
    ValueError
        If it is empty or not finite.
    """
    batches = [batch] if isinstance(batch, Tensor) else batch
    if not isinstance(batches, Sequence) or not batches:
        raise TypeError(
            f"batch: expected a floating-point tensor of the layer's inputs, got {batch!r:.80}"
        )
    for x in batches:
        if not isinstance(x, Tensor) or not x.is_floating_point():
            what = str(x.dtype) if isinstance(x, Tensor) else type(x).__name__
            raise TypeError(
                f"batch: expected a floating-point tensor of the layer's inputs, got {what}"
            )
        if x.numel() == 0:
            raise ValueError(f"batch: expected at least one input, got shape {tuple(x.shape)}")
        bad = int((~x.isfinite()).sum())
        if bad:
            raise ValueError(
                f"batch: expected finite numbers, got {bad} of {x.numel()} NaN or infinite"
            )
    return batches
