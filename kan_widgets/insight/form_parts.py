"""The functions of a layer where forms are compared with them: some thousands at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from kan_widgets.functions import LayerFunctions
from kan_widgets.functions.basis import ReadBasis
from kan_widgets.insight.form_doubt import block_weights
from kan_widgets.insight.form_search import POINTS, Problem
from kan_widgets.insight.tables import Float64, Int64

_FUNCTIONS_AT_ONCE = 2_048
# Inputs of each entry on which a, d and R² are taken.
_INPUTS = 512
_DRAWN = 257


@dataclass(frozen=True, eq=False)
class Group:
    """Functions that see the same inputs through the same basis."""

    column: int
    basis: ReadBasis
    numbers: Int64


@dataclass(frozen=True, eq=False)
class Part:
    """Some functions at even points, at the inputs and wherever they are drawn."""

    numbers: Int64
    problem: Problem
    low: Float64
    high: Float64
    x: Float64
    y: Float64
    """``(F, n)`` at the inputs, even by rank."""
    drawn: Float64
    shown: Float64
    """``(F, 257)``: x over grid, support and inputs, and φ there."""
    middle: Float64
    """``(F,)``: the median input."""
    blocks: Float64
    """``(G, blocks, POINTS)``: the weights of the problem, by blocks of images."""


def batches(layer: LayerFunctions, chosen: Int64) -> Iterator[list[Group]]:
    """Yield groups of some functions, some thousand functions at a time."""
    out, in_, kh, kw = layer.shape
    entries = in_ * kh * kw
    conv_groups = layer.conv.groups if layer.conv is not None else 1
    first = np.arange(out) // max(1, out // conv_groups) * entries
    columns = (first[:, None] + np.arange(entries)).ravel()
    index = layer.basis_index
    bases = np.zeros(len(columns), np.int64) if index is None else index.cpu().numpy().ravel()
    keys, group_of = np.unique((columns * len(layer.bases) + bases)[chosen], return_inverse=True)
    order = np.argsort(group_of, kind="stable")
    members = np.split(chosen[order], np.flatnonzero(np.diff(group_of[order])) + 1)
    found: list[Group] = []
    for key, numbers in zip(keys.tolist(), members, strict=True):
        column, basis = divmod(key, len(layer.bases))
        for some in np.array_split(numbers, -(-len(numbers) // _FUNCTIONS_AT_ONCE)):
            found.append(Group(column, layer.bases[basis], some))
            if sum(len(group.numbers) for group in found) >= _FUNCTIONS_AT_ONCE:
                yield found
                found = []
    if found:
        yield found


def sample(groups: list[Group], layer: LayerFunctions, inputs: Float64, block: Int64) -> Part:
    """Evaluate functions where they are compared; those that are not finite are left out."""
    nb = layer.coefficients.shape[-1]
    flat = layer.coefficients.detach().to("cpu", torch.float64).reshape(-1, nb).numpy()
    rows: list[tuple[Any, ...]] = []
    blocks = []
    for group in groups:
        coefficients = flat[group.numbers]
        finite = np.isfinite(coefficients).all(axis=1)
        numbers, coefficients = group.numbers[finite], coefficients[finite]
        x = np.sort(inputs[:, group.column])
        low, high = float(x[0]), float(x[-1])
        even = np.linspace(low, high, POINTS)
        blocks.append(block_weights(inputs[:, group.column], block, low, high))
        ranks = np.linspace(0, len(x) - 1, min(_INPUTS, len(x))).round().astype(np.int64)
        ends = [*group.basis.domain, *group.basis.extent, low, high]
        drawn = np.linspace(min(ends), max(ends), _DRAWN)
        points = np.concatenate([even, x[ranks], drawn])
        with torch.no_grad():
            beta = group.basis(torch.from_numpy(points)).to(torch.float64).numpy()
        y = coefficients @ beta.T
        middle = float(np.median(x))
        for number, values in zip(numbers.tolist(), y, strict=True):
            rows.append((number, len(blocks) - 1, low, high, values, points, middle))
    if not rows:
        none = np.zeros(0)
        empty = Problem(np.zeros((0, POINTS)), np.zeros((0, POINTS)), np.zeros(0, np.int64))
        return Part(np.zeros(0, np.int64), empty, none, none, none, none, none, none, none, none)
    number, group_of, low_, high_, values, points_, middle_ = zip(*rows, strict=True)
    all_values, all_points = np.stack(values), np.stack(points_)
    by_block = np.stack(blocks)
    return Part(
        np.array(number),
        Problem(by_block.sum(axis=1), all_values[:, :POINTS], np.array(group_of)),
        np.array(low_),
        np.array(high_),
        all_points[:, POINTS:-_DRAWN],
        all_values[:, POINTS:-_DRAWN],
        all_points[:, -_DRAWN:],
        all_values[:, -_DRAWN:],
        np.array(middle_),
        by_block,
    )
