"""One growing series of numbers over steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kan_widgets.live.checks import is_tensor

if TYPE_CHECKING:
    from torch import Tensor

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


# Of each full block, the smallest and the largest value are known in advance.
_BLOCK = 64


# So many values on a device are joined to one tensor.
_FOLD = 1024


class Series:
    """One growing series, with the extremes of each full block."""

    def __init__(self) -> None:
        self._steps = np.empty(256, dtype=np.int64)
        self._values = np.empty(256)
        self._count = 0
        # Values still on a device: their places, and a tensor of as many elements.
        self._waiting: list[tuple[list[int], Tensor]] = []
        self._extremes = np.empty(0, dtype=np.int64)

    @property
    def last_step(self) -> int:
        """The step added last."""
        return int(self._steps[self._count - 1])

    @property
    def steps(self) -> Int64:
        """All steps, as a view."""
        return self._steps[: self._count]

    @property
    def values(self) -> Float64:
        """All values, as a view; NaN where one is still on a device."""
        return self._values[: self._count]

    def append(self, step: int, value: float | Tensor) -> None:
        """Add a value; a tensor stays on its device until it is asked for."""
        if self._count == len(self._steps):
            self._steps = np.concatenate([self._steps, np.empty_like(self._steps)])
            self._values = np.concatenate([self._values, np.empty_like(self._values)])
        self._steps[self._count] = step
        if is_tensor(value):
            self._waiting.append(([self._count], value.reshape(1)))
            self._fold()
            value = math.nan
        self._values[self._count] = value
        self._count += 1

    def extend(self, steps: Int64, values: Float64) -> None:
        """Add many."""
        count = self._count + len(steps)
        if count > len(self._steps):
            room = max(2 * len(self._steps), count)
            self._steps = np.concatenate([self.steps, np.empty(room - self._count, np.int64)])
            self._values = np.concatenate([self.values, np.empty(room - self._count)])
        self._steps[self._count : count] = steps
        self._values[self._count : count] = values
        self._count = count

    def _fold(self) -> None:
        """Join many small tensors on their device, without waiting for it."""
        last = self._waiting[-_FOLD:]
        devices = {tensor.device for _, tensor in last}
        if len(last) == _FOLD and len(devices) == 1 and all(len(p) == 1 for p, _ in last):
            import torch

            places = [place for part, _ in last for place in part]
            joined = torch.cat([tensor.float() for _, tensor in last])
            self._waiting[-_FOLD:] = [(places, joined)]

    def take_waiting(self) -> list[tuple[list[int], Tensor]]:
        """Hand out the values that are still on a device, with their places."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def put_back(self, waiting: list[tuple[list[int], Tensor]]) -> None:
        """Take back what could not be read."""
        self._waiting = [*waiting, *self._waiting]

    def fill(self, places: list[int], values: Float64) -> None:
        """Put values from a device in their places."""
        self._values[places] = values
        # Blocks of which the extremes were taken without these.
        self._extremes = self._extremes[: 2 * (min(places) // _BLOCK)]

    def decimated(
        self, low: float | None, high: float | None, points: int
    ) -> tuple[Int64, Float64]:
        """Return the steps and values to draw; see `Scalars.decimated`."""
        first = 0 if low is None else int(np.searchsorted(self.steps, low, "left")) - 1
        end = self._count if high is None else int(np.searchsorted(self.steps, high, "right")) + 1
        first, end = max(first, 0), min(end, self._count)
        chosen = self._candidates(first, end, points)
        if len(chosen) > points:
            inner = chosen[1:-1]
            per_bucket = -(-len(inner) // ((points - 2) // 2))
            peaks = self._extreme_of(inner, per_bucket)
            chosen = np.unique(np.concatenate([chosen[:1], peaks, chosen[-1:]]))
        return self.steps[chosen], self.values[chosen]

    def _candidates(self, first: int, end: int, points: int) -> Int64:
        """Return places between two, all or the extremes of the blocks where there are many."""
        if end - first <= 4 * _BLOCK * points:
            return np.arange(first, end)
        full = self._count // _BLOCK
        known = len(self._extremes) // 2
        if known < full:
            fresh = np.arange(known * _BLOCK, full * _BLOCK)
            self._extremes = np.concatenate([self._extremes, self._extreme_of(fresh, _BLOCK)])
        inner = np.arange(-(-first // _BLOCK), end // _BLOCK)
        left = np.arange(first, inner[0] * _BLOCK)
        right = np.arange((inner[-1] + 1) * _BLOCK, end)
        middle = self._extremes[2 * inner[0] : 2 * inner[-1] + 2]
        return np.unique(np.concatenate([[first], left, middle, right, [end - 1]]))

    def _extreme_of(self, places: Int64, size: int) -> Int64:
        """Return the places of the smallest and the largest value of each ``size`` neighbours."""
        missing = -len(places) % size
        padded = np.concatenate([places, np.repeat(places[-1:], missing)]).reshape(-1, size)
        values = self._values[padded]
        # What is not a number counts as neither, unless there is nothing else.
        lowest = np.where(np.isnan(values), math.inf, values).argmin(axis=1)
        highest = np.where(np.isnan(values), -math.inf, values).argmax(axis=1)
        both = np.sort(np.stack([lowest, highest], axis=1), axis=1)
        return np.take_along_axis(padded, both, axis=1).reshape(-1)
