"""The batch that a loop of ours gave last, remembered without holding its memory."""

from __future__ import annotations

import weakref
from typing import Any

from torch import Tensor

# What is kept beyond the end of a loop, when the batch itself is let go of.
_KEPT_ROWS = 64
_KEPT_BYTES = 1_000_000


class SeenBatch:
    """The inputs of the last batch, while somebody else holds them; a few of them afterwards.

    Examples
    --------
    >>> import torch
    >>> seen, images = SeenBatch(), torch.zeros(100, 1, 28, 28)
    >>> seen.see((images, torch.zeros(100)))
    True
    >>> seen.inputs is images
    True
    >>> seen.keep_some()
    >>> del images
    >>> tuple(seen.inputs.shape)
    (64, 1, 28, 28)
    """

    def __init__(self) -> None:
        self._inputs: weakref.ref[Tensor] | None = None
        self._kept: Tensor | None = None

    @property
    def inputs(self) -> Tensor | None:
        """The inputs, while there are any."""
        inputs = self._inputs() if self._inputs is not None else None
        return inputs if inputs is not None else self._kept

    def see(self, batch: Any) -> bool:
        """Remember a batch: a tensor, or a pair that begins with one; whether it is such."""
        first = batch[0] if isinstance(batch, tuple | list) and batch else batch
        if not isinstance(first, Tensor):
            return False
        self._inputs, self._kept = weakref.ref(first), None
        return True

    def keep_some(self) -> None:
        """Copy a few of the inputs, at most a megabyte, since nobody may hold them any longer."""
        inputs = self._inputs() if self._inputs is not None else None
        if inputs is None or not inputs.ndim or not inputs.numel():
            return
        row = inputs[:1].nelement() * inputs.element_size()
        rows = min(_KEPT_ROWS, _KEPT_BYTES // row)
        if rows:
            self._kept = inputs[:rows].detach().clone()
