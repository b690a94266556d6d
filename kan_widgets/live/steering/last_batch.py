"""The last batch of a training, while something still holds it."""

import weakref
from typing import Any

import torch
from torch import Tensor

# Kept after a loop, when the batch itself is freed.
_KEPT_ROWS = 64
_KEPT_BYTES = 1_000_000


class LastBatch:
    """The inputs of the last batch, while somebody else holds them; a few of them afterwards."""

    def __init__(self) -> None:
        self._inputs: weakref.ref[Tensor] | None = None
        self._labels: weakref.ref[Tensor] | None = None
        self._kept: Tensor | None = None

    @property
    def inputs(self) -> Tensor | None:
        """The inputs, while there are any."""
        inputs = self._inputs() if self._inputs is not None else None
        return inputs if inputs is not None else self._kept

    def note(self, batch: Any) -> bool:
        """Remember a batch, a tensor or a pair that begins with one; return whether it is that."""
        first = batch[0] if isinstance(batch, tuple | list) and batch else batch
        if not isinstance(first, Tensor):
            return False
        self._inputs, self._labels, self._kept = weakref.ref(first), None, None
        if isinstance(batch, tuple | list) and len(batch) == 2 and isinstance(batch[1], Tensor):
            self._labels = weakref.ref(batch[1])
        return True

    def labels_of(self, inputs: Tensor) -> Tensor | None:
        """Return the classes of some inputs, if the batch begins with them and has labels."""
        batch = self.inputs
        labels = self._labels() if self._labels is not None else None
        n = len(inputs)
        if (
            batch is None
            or not batch.ndim
            or labels is None
            or labels.ndim != 1
            or not len(labels) == len(batch) >= n
        ):
            return None
        if labels.is_floating_point() or batch[:n].numel() != inputs.numel():
            return None
        same = torch.equal(batch[:n].to(inputs).reshape(n, -1), inputs.reshape(n, -1))
        return labels[:n] if same else None

    def keep_some(self) -> None:
        """Copy a few of the inputs, at most a megabyte, since nobody may hold them any longer."""
        inputs = self._inputs() if self._inputs is not None else None
        if inputs is None or not inputs.ndim or not inputs.numel():
            return
        row = inputs[:1].nelement() * inputs.element_size()
        rows = min(_KEPT_ROWS, _KEPT_BYTES // row)
        if rows:
            self._kept = inputs[:rows].detach().clone()
