"""What the axes of a layer's tensors count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor

AXES = ("groups", "out", "in", "kd", "kh", "kw")


class Axes:
    """What the axes of tensors of certain shapes count, and where they go."""

    def __init__(self, tensors: Mapping[str, Any], sizes: dict[str, int]) -> None:
        self.sizes = sizes
        self._shapes = {path: need for path, need in tensors.items() if isinstance(need, tuple)}
        self._known: dict[tuple[str, torch.Size], Any] = {}
        self.rows: dict[str, int] = {}
        """The axis that counts outputs and nothing else, of tensors that have one."""
        for path, shape in self._shapes.items() if sizes.get("groups", 1) == 1 else ():
            for axis, name in enumerate(shape):
                if str(name).split("=")[0].removeprefix("groups*") == "out":
                    self.rows[path] = axis

    def axes(self, path: str, shape: Sequence[int]) -> list[tuple[str, int]]:
        """Return what each axis of a tensor counts, and its length, where products are split."""
        found: list[tuple[str, int]] = []
        for dimension, size in zip(self._shapes[path], shape, strict=True):
            parts = [part.split("=") for part in str(dimension).split("*")]
            sizes = {part[0]: self.sizes.get(part[-1], 1) for part in parts}
            if len(parts) == 1 or "+" in str(dimension):
                sizes = {parts[0][0]: size}
            elif "out" in sizes:  # there may be only some
                sizes["out"] = sizes["out"] * size // prod(sizes.values())
            found += sizes.items()
        return found

    def placed(self, path: str, tensor: Tensor) -> tuple[Tensor, tuple[int, ...], bool]:
        """Return a view of a tensor whose axes are sorted, and the sizes of `AXES`, 1 without one.

        And whether these axes are those of coefficients, ``(out, in[, kh, kw], nb)``.
        """
        known = self._known.get((path, tensor.shape))
        if known is None:
            axes = self.axes(path, tensor.shape)
            names, lengths = [name for name, _ in axes], dict(axes)
            order = (
                *(names.index(name) for name in AXES if name in lengths),
                *(axis for axis, name in enumerate(names) if name not in AXES),
            )
            lead = tuple(lengths.get(name, 1) for name in AXES)
            *first, last = (names[axis] for axis in order)
            ready = first in (["out", "in"], ["out", "in", "kh", "kw"]) and last not in AXES
            known = (tuple(length for _, length in axes), order, lead, ready)
            self._known[path, tensor.shape] = known
        split, order, lead, ready = known
        if split != tensor.shape:
            tensor = tensor.reshape(split)
        if order != tuple(range(len(order))):
            tensor = tensor.permute(order)
        return tensor, lead, ready
