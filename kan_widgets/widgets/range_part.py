"""The functions of a layer that LayerRanges measures: of very many a part, chosen at random."""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_widgets.live.frames.frame import Frame
from kan_widgets.live.frames.layout import LayerLayout
from kan_widgets.live.frames.observation import Observation

MOST_MEASURED = 100_000
"""Of a layer of more functions a part is measured: those of some outputs and some inputs."""

Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Part:
    """The functions from some inputs of a layer to some of its outputs."""

    whole: LayerLayout
    layer: LayerLayout
    """A layer of these functions alone."""
    outputs: Numbers
    inputs: Numbers
    """Within a group of a convolution."""

    @property
    def is_all(self) -> bool:
        """Whether it is the whole layer."""
        return self.layer is self.whole

    def coefficients(self, frame: Frame) -> NDArray[np.float32]:
        """Return the coefficients of these functions; no others are touched."""
        found = frame.coefficients(self.whole.name)
        return found if self.is_all else found[np.ix_(self.outputs, self.inputs)]

    def numbers(self, functions: NDArray[Any]) -> Numbers:
        """Return the numbers that functions of the part have in the whole layer."""
        if self.is_all:
            return np.asarray(functions, dtype=np.int64)
        _, inputs, height, width = self.layer.shape
        size = height * width
        kernel, place = np.divmod(functions, size)
        row, column = np.divmod(kernel, inputs)
        whole = self.outputs[row] * self.whole.shape[1] + self.inputs[column]
        return np.asarray(whole * size + place, dtype=np.int64)

    def seen(self, seen: Observation) -> Observation:
        """Return what reaches the inputs of these functions."""
        if self.is_all:
            return seen
        size = self.whole.shape[2] * self.whole.shape[3]
        each = self.whole.shape[1] * size
        groups = max(1, len(seen.counts) // each)
        one = (self.inputs[:, None] * size + np.arange(size)).ravel()
        entries = (np.arange(groups)[:, None] * each + one).ravel()
        return replace(
            seen,
            counts=seen.counts[entries],
            outside_domain=seen.outside_domain[entries],
            outside_extent=seen.outside_extent[entries],
            patches=seen.patches[:, entries],
        )


_parts: weakref.WeakKeyDictionary[LayerLayout, Part] = weakref.WeakKeyDictionary()


def part_of(layer: LayerLayout) -> Part:
    """Return the part of a layer that is measured: the same one for layers of one shape."""
    if (known := _parts.get(layer)) is None:
        known = _parts[layer] = _chosen(layer)
    return known


def _chosen(layer: LayerLayout) -> Part:
    out, inputs, height, width = layer.shape
    groups = layer.conv.groups if layer.conv is not None else 1
    if layer.count <= MOST_MEASURED or out % groups:
        everything = np.arange(out), np.arange(inputs)
        return Part(layer, layer, *everything)
    kernels = max(1, MOST_MEASURED // (height * width))
    # As many outputs as inputs, as far as there are; of each group the same ones.
    own = out // groups
    rows = max(1, min(own, math.isqrt(kernels) // groups))
    columns = max(1, min(inputs, kernels // (rows * groups)))
    rows = max(1, min(own, kernels // (columns * groups)))
    generator = np.random.default_rng(0)
    within = np.sort(generator.choice(own, rows, replace=False))
    outputs = (np.arange(groups)[:, None] * own + within).ravel()
    columns_chosen = np.sort(generator.choice(inputs, columns, replace=False))
    table_of = layer.table_of
    if table_of is not None:
        table_of = table_of.reshape(layer.shape)[np.ix_(outputs, columns_chosen)].reshape(-1)
    shape = (len(outputs), columns, height, width)
    part = replace(layer, shape=shape, offset=0, table_of=table_of)
    return Part(layer, part, outputs, columns_chosen)
