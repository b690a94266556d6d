"""Kernels of one layer side by side: what reaches them is expanded once for all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from kan_widgets.functions import LayerFunctions
from kan_widgets.insight.kernels import Kernel, exact_beta
from kan_widgets.insight.tables import Float64, Int64

# Inputs expanded at a time.
_AT_ONCE = 200_000
# Responses held at a time.
_RESPONSES = 8_000_000
# What varies less than this share of its size is constant: β may come as float32.
_FLAT = 2e-6


@dataclass(frozen=True, eq=False)
class Stack:
    """Kernels of one layer with their coefficients, ``(kernels, entries, nb)``."""

    functions: LayerFunctions
    outs: Int64
    """``(kernels,)``: the output that each makes."""
    coefficients: Float64
    numbers: Int64
    """``(kernels, entries)``: which of the layer's bases each function uses."""
    columns: Int64
    """``(kernels, entries)``: which column of the layer's patches each function sees."""

    @property
    def name(self) -> str:
        """Of the layer."""
        return self.functions.name or self.functions.type

    def shaped(self, values: Float64) -> Float64:
        """Return ``(..., entries)`` as ``(..., in, kh, kw)``."""
        return values.reshape(*values.shape[:-1], *self.functions.shape[1:])

    def runs(self) -> Iterator[tuple[int, int, Int64, Int64]]:
        """Yield (basis, column, kernels, entries): the functions that see the same β(x)."""
        columns = int(self.columns.max(initial=0)) + 1
        key = (self.numbers * columns + self.columns).ravel()
        order = np.argsort(key, kind="stable")
        found, first = np.unique(key[order], return_index=True)
        for pair, some in zip(found, np.split(order, first[1:]), strict=True):
            kernels, entries = np.divmod(some, self.columns.shape[1])
            yield int(pair) // columns, int(pair) % columns, kernels, entries

    def weighted(self, weights: Float64, x: Float64) -> Float64:
        """Return Σ_e w_e·x_e of patches ``(n, columns)``, ``(kernels, n)``."""
        spread = np.zeros((len(self.outs), x.shape[1]))
        np.put_along_axis(spread, self.columns, weights, axis=1)
        summed: Float64 = spread @ x.T
        return summed


@dataclass(frozen=True, eq=False)
class Responses:
    """What the functions of a stack make of patches."""

    y: Float64
    """``(kernels, n)``: the responses, without a bias."""
    mean: Float64
    """``(kernels, entries)``: of φ(x), as the two below."""
    variance: Float64
    covariance: Float64
    """Of x with φ(x)."""


def stack_of(layer: LayerFunctions, outs: Int64 | None = None) -> Stack:
    """Take kernels out of a layer, by default all; their coefficients are copied."""
    total, in_, kh, kw = layer.shape
    entries = in_ * kh * kw
    if outs is None:
        outs, parts = np.arange(total), (part for _, part in layer.pieces())
    else:
        parts = (layer.part(slice(out, out + 1)) for out in outs.tolist())
    groups = layer.conv.groups if layer.conv is not None else 1
    flat = np.empty((len(outs), entries, layer.nb))
    done = 0
    for part in parts:
        flat[done : done + len(part)] = part.double().cpu().reshape(len(part), entries, -1).numpy()
        done += len(part)
    if layer.basis_index is None:
        numbers = np.zeros((len(outs), entries), dtype=np.int64)
    else:
        index = layer.basis_index.cpu().numpy().astype(np.int64)
        numbers = index.reshape(total, entries)[outs]
    first = outs // max(1, total // groups) * entries
    return Stack(layer, outs, flat, numbers, first[:, None] + np.arange(entries))


def stack_of_kernel(kernel: Kernel) -> Stack:
    """Make a stack of one kernel, with the coefficients that it was made with."""
    own = stack_of(kernel.functions, np.array([kernel.out]))
    return Stack(own.functions, own.outs, kernel.coefficients[None], own.numbers, own.columns)


def in_parts(stack: Stack, patches: int) -> Iterator[tuple[slice, Stack]]:
    """Yield the kernels, as many at a time as their responses fit in memory, and which they are."""
    size = max(1, _RESPONSES // max(1, patches))
    for first in range(0, len(stack.outs), size):
        some = slice(first, first + size)
        yield (
            some,
            Stack(
                stack.functions,
                stack.outs[some],
                stack.coefficients[some],
                stack.numbers[some],
                stack.columns[some],
            ),
        )


def responses(stack: Stack, x: Float64) -> Responses:
    """Run patches, ``(n, columns)``, through every function of a stack."""
    shape = stack.columns.shape
    mean, variance, covariance = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    y = np.zeros((shape[0], len(x)))
    for column, kernels, entries, beta in expanded(stack, x, slopes=False):
        phi = stack.coefficients[kernels, entries] @ beta.T
        y[kernels] += phi
        middle = phi.mean(axis=1)
        phi -= middle[:, None]
        # The values of a constant differ by rounding alone.
        phi[is_constant(phi, middle)] = 0.0
        mean[kernels, entries] = middle
        variance[kernels, entries] = inner(phi, phi) / len(x)
        covariance[kernels, entries] = phi @ (x[:, column] - x[:, column].mean()) / len(x)
    return Responses(y, mean, variance, covariance)


def mean_slopes(stack: Stack, x: Float64) -> Float64:
    """Return the mean of φ′ over patches, ``(n, columns)``: ``(kernels, entries)``."""
    found = np.zeros(stack.columns.shape)
    for _, kernels, entries, slope in expanded(stack, x, slopes=True):
        found[kernels, entries] = stack.coefficients[kernels, entries] @ slope.mean(axis=0)
    return found


def expanded(
    stack: Stack, x: Float64, *, slopes: bool
) -> Iterator[tuple[int, Int64, Int64, Float64]]:
    """Yield (column, kernels, entries, β or β′ at the column, ``(n, nb)``)."""
    size = max(1, _AT_ONCE // len(x))
    for number, run in groupby(stack.runs(), key=itemgetter(0)):
        same = list(run)
        for first in range(0, len(same), size):
            some = same[first : first + size]
            columns = [column for _, column, _, _ in some]
            beta = exact_beta(stack.functions.bases[number], x[:, columns], slopes=slopes)
            for k, (_, column, kernels, entries) in enumerate(some):
                yield column, kernels, entries, beta[:, k]


def is_constant(centred: Float64, mean: Float64) -> NDArray[np.bool_]:
    """Say which rows, given about their means, hold the same number but for rounding."""
    size = np.maximum(centred.max(axis=-1), -centred.min(axis=-1))
    constant: NDArray[np.bool_] = size <= _FLAT * np.abs(mean)
    return constant


def about_mean(rows: Float64) -> Float64:
    """Return rows about their means; a constant comes out as 0 throughout."""
    mean = rows.mean(axis=-1, keepdims=True)
    centred: Float64 = rows - mean
    centred[is_constant(centred, mean[..., 0])] = 0.0
    return centred


def correlation(rows: Float64, centred: Float64) -> Float64:
    """Return r of each row with that of others given about their means; NaN for a constant."""
    rows = about_mean(rows)
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.sqrt(inner(rows, rows) * inner(centred, centred))
        found: Float64 = np.clip(inner(rows, centred) / size, -1.0, 1.0)
    return found


def inner(a: Float64, b: Float64) -> Float64:
    """Return the inner product of each row with its counterpart."""
    found: Float64 = np.einsum("kn,kn->k", a, b)
    return found


def deviations(x: Float64) -> Float64:
    """Return the standard deviation of each column of patches; exactly 0 for a constant."""
    found: Float64 = np.sqrt((about_mean(x.T) ** 2).mean(axis=1))
    return found
